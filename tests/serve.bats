#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# pneu -bs: the client's dialogue on standard input and output, passed on live to a scripted server.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	cd "$BATS_TEST_TMPDIR" || return 1
	ln -s "$PNEU" sendmail
	settings=()
	pid=
}

teardown()
{
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill -KILL "$pid"
	fi
}

# starts [argument ...]: the program, which greets. Its server is the one of peer_start.
starts()
{
	printf '%s\n' "server smtp://127.0.0.1:${peer_port:-1}" "tls none" "ehlo mail.sender.com" \
	    "${settings[@]}" >config
	mkfifo to from
	"$BATS_TEST_TMPDIR/sendmail" --config=config "$@" -bs <to >from 2>said 3>&- &
	pid=$!
	exec 8>to 9<from
	hears '220 * ESMTP pneu'
}

# says LINE ...: each with CR LF.
says()
{
	printf '%s\r\n' "$@" >&8
}

# hears PATTERN ...: so it answers, line by line, each ended by CR LF.
hears()
{
	local pattern answer

	for pattern; do
		IFS= read -r -t 20 -u 9 answer || fail "no answer, wanted: $pattern; $(cat said)"
		[[ $answer == *$'\r' ]] || fail "no CR LF: $answer"
		# shellcheck disable=SC2053
		[[ ${answer%$'\r'} == $pattern ]] || fail "wanted $pattern, got $answer"
	done
}

# ends [STATUS]: the client leaves; the program ends so and has nothing more to say.
ends()
{
	local status=0 rest

	exec 8>&-
	rest=$(cat <&9)
	exec 9<&-
	wait "$pid" || status=$?
	pid=
	assert_equal "$status" "${1:-0}"
	assert_equal "$rest" ""
	if [ "${1:-0}" -eq 0 ]; then
		assert_equal "$(cat said)" ""
	fi
}

greets()
{
	says "EHLO client"
	hears '250-*' '250-8BITMIME' '250-SIZE 10000' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' \
	    '250 CHUNKING'
}

# The server up to its reply to EHLO.
server_start()
{
	{
		printf '%s\n' 'S: 220 smtp.example.com ESMTP' 'C: EHLO mail.sender.com' \
		    'S: 250-smtp.example.com' 'S: 250-PIPELINING' 'S: 250-8BITMIME' 'S: 250 SIZE 10000'
		cat
	} >script
	peer_start script
}

# The message number $1 that arrived, without CRs and the fields that were added.
arrived()
{
	tr -d '\r' <"$peer_dir/message.$1" | sed -e '/^Date: /d' -e '/^Message-ID: /d' -e '/^From: /d'
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

@test "several messages over one session, with RSET between them" {
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
	says STARTTLS "AUTH PLAIN" "VRFY bob" HELP "EXPN list" "GET / HTTP/1.1" NONSENSE A B
	hears "502 *" "502 *" "252 *" "214 *" "502 *" "500 *" "500 *" "500 *" "500 *" "421 4.7.0 *"
	ends 76
	peer_end
}

@test "recipients: bare names, aliases, and addresses that are none" {
	settings=("aliases aliases" "domain y.example")
	echo 'root: ann@x.example, bob@x.example' >aliases
	server_start <<-'END'
		C: MAIL FROM:<joe@y.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<ann@x.example>
		S: 250 2.1.5 Ok
		C: RCPT TO:<bob@x.example>
		S: 550 5.1.1 no bob
		C: RCPT TO:<eve@y.example>
		S: 250 2.1.5 eve
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe>" "RCPT TO:<root>" "RCPT TO:<eve>" "RCPT TO:<eve>" \
	    "RCPT TO:<a@x.example,b@x.example>" "RCPT TO:<>" "RCPT TO:<a b@x.example>" \
	    'RCPT TO:<"a>b"@x.example> NOTIFY=NEVER' "DATA" "" "." QUIT
	hears "250 2.1.0 Ok" "550 5.1.1 no bob" "250 2.1.5 eve" "250 2.1.5 *" "553 5.1.3 *" "553 5.1.3 *" \
	    "553 5.1.3 *" "555 5.3.3 *" "354 *" "250 2.0.0 Ok" "221 *"
	ends
	peer_end
}

@test "DSN and SMTPUTF8, as the server has them" {
	{
		printf '%s\n' 'S: 220 smtp.example.com ESMTP' 'C: EHLO mail.sender.com' \
		    'S: 250-smtp.example.com' 'S: 250-8BITMIME' 'S: 250-SMTPUTF8' 'S: 250 DSN'
		cat <<-'END'
			C: MAIL FROM:<jö@x.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb
			S: 250 2.1.0 Ok
			C: RCPT TO:<bö@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob+40x.example
			S: 250 2.1.5 Ok
			C: RCPT TO:<ann@x.example>
			S: 250 2.1.5 Ok
			C: DATA
			S: 354 go on
			C: <message>
			S: 250 2.0.0 Ok
			C: MAIL FROM:<joe@x.example> BODY=8BITMIME
			S: 250 2.1.0 Ok
			C: RSET
			S: 250 2.0.0 Ok
			C: QUIT
			S: 221 2.0.0 bye
		END
	} >script
	peer_start script
	starts
	says "EHLO client"
	hears '250-*' '250-8BITMIME' '250-SMTPUTF8' '250-DSN' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' \
	    '250 CHUNKING'
	says "MAIL FROM:<jö@x.example> SMTPUTF8 RET=HDRS ENVID=a+2Bb" \
	    "RCPT TO:<bö@x.example> NOTIFY=success,delay ORCPT=rfc822;bob+40x.example" \
	    "RCPT TO:<ann@x.example>" DATA "Subject: grüße" "" "." "MAIL FROM:<joe@x.example>" \
	    "RCPT TO:<bö@x.example>" QUIT
	hears "250 2.1.0 Ok" "250 2.1.5 Ok" "250 2.1.5 Ok" "354 *" "250 2.0.0 Ok" "250 2.1.0 Ok" \
	    "553 5.6.7 *" "221 *"
	ends
	peer_end
	assert_equal "$(arrived 1)" "Subject: grüße"
}

@test "the account is chosen by the sender" {
	server_start <<-'END'
		C: QUIT
		S: 221 2.0.0 bye
		NEXT
		S: 220 smtp.example.com ESMTP
		C: EHLO work
		S: 250 smtp.example.com
		C: MAIL FROM:<joe@work.example>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	settings=("account default" "account work" "from *@work.example" "ehlo work")
	printf '%s\n' "server smtp://127.0.0.1:$peer_port" "tls none" "account default" \
	    "ehlo mail.sender.com" "account work" "from *@work.example" "ehlo work" >accounts
	settings=("include accounts")
	mkfifo to from
	"$BATS_TEST_TMPDIR/sendmail" --config=accounts -bs <to >from 2>said 3>&- &
	pid=$!
	exec 8>to 9<from
	hears '220 * ESMTP pneu'
	greets
	says "MAIL FROM:<joe@work.example>" QUIT
	hears "250 2.1.0 Ok" "221 *"
	ends
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
