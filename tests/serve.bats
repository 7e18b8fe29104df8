#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# pneu -bs: the client's dialogue, and a scripted server to which it is passed on live.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load serve
	cd "$BATS_TEST_TMPDIR" || return 1
	serve_begin
}

teardown()
{
	serve_end
}

@test "each recipient hears the server's own reply, and so does the message" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> SIZE=50 BODY=8BITMIME
		S: 250 2.1.0 joe is welcome
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 bob it is
		C: RCPT TO:<eve@x.example>
		S: 550-5.1.1 We know of
		S: 550 5.1.1 no such person
		C: RCPT TO:<ann@x.example>
		S: 450 4.2.1 ann is asleep
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 queued as 4711
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example> SIZE=50 BODY=8BITMIME"
	hears "250 2.1.0 joe is welcome"
	says "RCPT TO:<bob@x.example>"
	hears "250 2.1.5 bob it is"
	says "RCPT TO:<eve@x.example>"
	hears "550 5.1.1 We know of no such person"
	says "RCPT TO:<ann@x.example>"
	hears "450 4.2.1 ann is asleep"
	says "DATA"
	hears "354 *"
	says "Subject: x" "Bcc: secret@x.example" "" "text" "."
	hears "250 2.0.0 queued as 4711"
	says "QUIT"
	hears "221 *"
	ends
	peer_end
	assert_equal "$(arrived 1)" $'Subject: x\n\ntext'
}

@test "several messages over one session, with RSET between them, each in the log by what it took" {
	settings=("log $PWD/log")
	server_start <<-'END'
		REPEAT 2
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 queued as %d
		DONE
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: MAIL FROM:<> BODY=8BITMIME
		S: 550 5.7.1 not from nobody
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	for n in 1 2; do
		says "mail from:<joe@x.example>" "rcpt to:<bob@x.example>" "data"
		hears "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *"
		says "Subject: $n" "" "text $n" "."
		hears "250 2.0.0 queued as $n"
	done
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "RSET" "MAIL FROM:<>" "QUIT"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "250 2.0.0 *" "550 5.7.1 not from nobody" "221 *"
	ends
	peer_end
	assert_equal "$(arrived 2)" $'Subject: 2\n\ntext 2'
	run jq -r '[.round_trips, .octets_sent > 50, .octets_received > 50, .recipients[0].result] | @csv' log
	assert_output "$(printf '%s,true,true,"accepted"\n' 6 4)" # with the greeting and EHLO, and without
}

@test "all of it in one piece, as a client that pipelines sends it" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "EHLO client" "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "DATA" \
	    "Subject: x" "" "..two dots" "...." ".. ." ".x" "." "QUIT"
	hears '250-*' '250-8BITMIME' '250-SIZE 10000' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' \
	    '250 CHUNKING' "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *" "250 2.0.0 Ok" "221 *"
	ends
	peer_end
	assert_equal "$(arrived 1)" $'Subject: x\n\n.two dots\n...\n. .\nx'
}

@test "nothing but CR LF ends a line, and nothing but CR LF . CR LF a message" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	printf 'NOOP\nRSET\r\nNOOP\rRSET\r\nNOOP\r\r\nNOOP\0\r\n' >&8
	hears "500 5.5.2 *" "500 5.5.2 *" "500 5.5.2 *" "500 5.5.2 *"
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "DATA"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *"
	printf '%b' 'Subject: x\r\n\r\na\n.\nb\n.\r\nc\r.\rd\r\n.\re\r\n.\n' >&8
	printf '%b' 'MAIL FROM:<evil@x.example>\r\n.\r\n' >&8
	hears "250 2.0.0 Ok"
	says "NOOP" "QUIT"
	hears "250 2.0.0 *" "221 *"
	ends
	peer_end
	# every line end is a line end now, and every dot was doubled on its way: no second message
	assert_equal "$(arrived 1)" $'Subject: x\n\na\n.\nb\n.\nc\n.\nd\n\ne\n\nMAIL FROM:<evil@x.example>'
}

@test "BDAT, in pieces" {
	server_start <<-'END'
		REPEAT 2
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 queued as %d
		DONE
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "BDAT 13"
	printf 'Subject: x\r\n\r' >&8
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "250 2.0.0 *"
	says "DATA" "MAIL FROM:<a@x.example>"
	hears "503 5.5.1 *" "503 5.5.1 *"
	printf 'BDAT 12 LAST\r\n\n.\r\nQUIT\r\n.\n' >&8
	hears "250 2.0.0 queued as 1"
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "BDAT 15" $'Subject: y\r\n\r' "BDAT 0 LAST"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "250 2.0.0 *" "250 2.0.0 queued as 2"
	says "QUIT"
	hears "221 *"
	ends
	peer_end
	assert_equal "$(arrived 1)" $'Subject: x\n\n.\nQUIT\n.'
}

@test "BDAT that nobody asked for is read and not obeyed" {
	server_start <<-'END'
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "BDAT 23 LAST"
	printf 'QUIT\r\nQUIT\r\nQUIT\r\nQUIT\n' >&8
	hears "503 5.5.1 *"
	says "BDAT -1"
	hears "501 5.5.4 *"
	ends
	peer_end
}

@test "no server: 451 with the reason, for each message anew" {
	starts
	says "EHLO client"
	hears '250-*' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' '250 CHUNKING'
	says "MAIL FROM:<joe@x.example>"
	hears "451 4.4.1 *refused*"
	says "RCPT TO:<bob@x.example>" "DATA"
	hears "503 5.5.1 *" "503 5.5.1 *"
	says "MAIL FROM:<joe@x.example>"
	hears "451 4.4.1 *refused*"
	says "QUIT"
	hears "221 *"
	ends
}

@test "no configuration: the client hears it, too" {
	mkfifo to
	run --separate-stderr "$BATS_TEST_TMPDIR/sendmail" --config=missing -bs </dev/null
	assert_equal "$status" 78
	assert_output --partial "421 4.3.5 missing: No such file"
}

@test "a session that the server has ended is opened again for the next message" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 queued as 1
		S: 421 4.4.2 you were silent for too long
		CLOSE
		NEXT
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 queued as 2
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	for n in 1 2; do
		says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "DATA" "" "text" "."
		hears "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *" "250 2.0.0 queued as $n"
	done
	says "QUIT"
	hears "221 *"
	ends
	peer_end
}

@test "a session that is lost in the middle: 451 until the client begins anew" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: RCPT TO:<eve@x.example>
		CUT
		NEXT
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "RCPT TO:<eve@x.example>" \
	    "RCPT TO:<ann@x.example>" "DATA"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "451 4.4.2 *" "451 4.4.2 *" "354 *"
	says "" "text" "."
	hears "451 4.4.2 *"
	says "MAIL FROM:<joe@x.example>" "RSET" "QUIT"
	hears "250 2.1.0 Ok" "250 2.0.0 *" "221 *"
	ends
	peer_end
}

@test "a lost answer to the message: for now, and it says what that means" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go on
		C: <message>
		CUT
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "DATA" "" "text" "." "QUIT"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *" "451 4.4.2 *may have been delivered*" "221 *"
	ends
	peer_end
}

@test "a client that leaves in the middle of its message sends nothing" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C? RSET
		S: 250 Ok
		C? QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "DATA" "Subject: x" "" "half"
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "354 *"
	exec 8>&-
	hears "451 4.4.2 *"
	ends 75
	peer_end
	assert [ ! -e "$peer_dir/message.1" ]
}

@test "limits: lines, parameters, nonsense, order" {
	server_start <<-'END'
		C? QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "MAIL FROM:<joe@x.example>" "EHLO" "HELO"
	hears "503 5.5.1 *" "501 5.5.4 *" "501 5.5.4 *"
	greets
	says "$(printf 'NOOP %05000d' 0)" "RCPT TO:<bob@x.example>" "DATA" "DATA now" \
	    "MAIL FROM:joe@x.example" "MAIL FROM:<joe@x.example> SIZE=x" "MAIL FROM:<joe@x.example> HELLO=1" \
	    "MAIL FROM:<joe@x.example> RET=FULL" "MAIL FROM:<joe@x.example> SIZE=20000" \
	    "MAIL TO:<joe@x.example>" "MAIL FROM:<joe@x.example" "MAIL FROM:<joe@x.example> SIZE=1 SIZE=2"
	hears "500 5.5.2 *" "503 5.5.1 *" "503 5.5.1 *" "501 5.5.4 *" "501 5.5.4 *" "501 5.5.4 *" \
	    "555 5.5.4 *" "555 5.3.3 *" "552 5.3.4 *" "501 5.5.4 *" "501 5.5.4 *" "501 5.5.4 *"
	says STARTTLS "AUTH PLAIN" "VRFY bob" HELP "EXPN list" "GET / HTTP/1.1" NONSENSE A B C D
	hears "502 *" "502 *" "252 *" "214 *" "502 *" "500 *" "500 *" "500 *" \
	    "500 *" "500 *" "500 *" "421 4.7.0 *"
	ends 76
	peer_end
}

@test "a signal ends it with 421" {
	starts
	kill -TERM "$pid"
	hears "421 4.3.0 *SIGTERM*"
	ends 75
}

@test "--report does not go with -bs" {
	run --separate-stderr "$BATS_TEST_TMPDIR/sendmail" -bs --report=json
	assert_equal "$status" 64
	assert_equal "${stderr:0:45}" "sendmail: 5.5.4 with -bs every message is rep"
}
