#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# pneu -bs: recipients, accounts, extensions and sessions, as the server has them.

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
		C: RSET
		S: 250 2.0.0 Ok
		C: MAIL FROM:<joe@y.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
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

@test "a recipient who was refused and is named again hears the same again" {
	settings=("aliases aliases")
	echo 'all: bob@x.example, ann@x.example' >aliases
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 450 4.2.1 bob is asleep
		C: RCPT TO:<ann@x.example>
		S: 250 2.1.5 ann
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" "RCPT TO:<bob@X.example>" "DATA" \
	    "RCPT TO:<ann@x.example>" "RCPT TO:<all>" "RCPT TO:<ann@x.example>" "RSET" "QUIT"
	hears "250 2.1.0 Ok" "450 4.2.1 bob is asleep" "450 4.2.1 bob is asleep" "554 5.5.1 *" \
	    "250 2.1.5 ann" "450 4.2.1 bob is asleep" "250 2.1.5 *" "250 2.0.0 *" "221 *"
	ends
	peer_end
}

@test "an alias that is refused for one of its people is taken back for the others" {
	settings=("aliases aliases")
	echo 'root: ann@x.example, bob@x.example' >aliases
	offers=(DSN)
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> RET=HDRS ENVID=one
		S: 250 2.1.0 Ok
		C: RCPT TO:<eve@x.example> NOTIFY=NEVER ORCPT=rfc822;eve@y.example
		S: 250 2.1.5 eve
		C: RCPT TO:<ann@x.example>
		S: 250 2.1.5 ann
		C: RCPT TO:<bob@x.example>
		S: 450 4.2.1 bob is asleep
		C: RSET
		S: 250 2.0.0 Ok
		C: MAIL FROM:<joe@x.example> RET=HDRS ENVID=one
		S: 250 2.1.0 Ok
		C: RCPT TO:<eve@x.example> NOTIFY=NEVER ORCPT=rfc822;eve@y.example
		S: 250 2.1.5 eve
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "EHLO client" "MAIL FROM:<joe@x.example> RET=HDRS ENVID=one" \
	    "RCPT TO:<eve@x.example> NOTIFY=NEVER ORCPT=rfc822;eve@y.example" "RCPT TO:<root>" \
	    DATA "" text . QUIT
	hears '250-*' '250-DSN' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' '250 CHUNKING' "250 2.1.0 Ok" \
	    "250 2.1.5 eve" "450 4.2.1 bob is asleep" "354 *" "250 2.0.0 Ok" "221 *"
	ends
	peer_end
}

@test "an alias that is refused for one of its people sends no empty message to the others" {
	settings=("aliases aliases")
	echo 'root: ann@x.example, bob@x.example' >aliases
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<ann@x.example>
		S: 250 2.1.5 ann
		C: RCPT TO:<bob@x.example>
		S: 550 5.1.1 no bob
		C: RSET
		S: 250 2.0.0 Ok
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 451 4.3.0 enough
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RCPT TO:<root>" "RCPT TO:<eve@x.example>" "DATA" "" text . QUIT
	hears "250 2.1.0 Ok" "550 5.1.1 no bob" "451 4.5.0 *" "354 *" "451 4.5.0 *" "221 *"
	ends
	peer_end
}

@test "what the client says of its message does not give the server what it cannot take" {
	offers=(SIZE)
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 bob
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "EHLO client" "MAIL FROM:<joe@x.example> BODY=8BITMIME SMTPUTF8" "RCPT TO:<bob@x.example>" DATA \
	    "Subject: grüße" "" "grüße" . QUIT
	hears '250-*' '250-SIZE' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' '250 CHUNKING' "250 2.1.0 Ok" \
	    "250 2.1.5 bob" "354 *" "250 2.0.0 Ok" "221 *"
	ends
	peer_end
	run arrived 1
	assert_line --partial "Subject: =?utf-8?"
	assert_line "gr=C3=BC=C3=9Fe"
}

@test "letters beyond ASCII in an address need SMTPUTF8 of the client" {
	settings=("aliases aliases")
	echo 'root: bö@x.example' >aliases
	offers=(8BITMIME SMTPUTF8 DSN)
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "EHLO client" "MAIL FROM:<jö@x.example>" "MAIL FROM:<joe@x.example>" "RCPT TO:<bö@x.example>" \
	    "RCPT TO:<root>" "RCPT TO:<bob@x.example> ORCPT=utf-8;bö@x.example" QUIT
	hears '250-*' '250-8BITMIME' '250-SMTPUTF8' '250-DSN' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' \
	    '250 CHUNKING' "553 5.6.7 *" "250 2.1.0 Ok" "553 5.6.7 *" "553 5.6.7 *" "553 5.6.7 *" "221 *"
	ends
	peer_end
}

@test "ORCPT holds nothing but xtext" {
	offers=(DSN)
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	says "EHLO client" "MAIL FROM:<joe@x.example>" $'RCPT TO:<a@x.example> ORCPT=rfc822;a\tNOTIFY=NEVER' \
	    $'RCPT TO:<a@x.example> ORCPT=rfc822;a\eb' "RCPT TO:<a@x.example> ORCPT=rfc822;a+zz" \
	    "RCPT TO:<a@x.example> ORCPT=rfc822;a=b" "RCPT TO:<a@x.example> ORCPT=rfc822;ü" \
	    $'RCPT TO:<a@x.example> ORCPT=utf-8;\xfc' $'RCPT TO:<a@x.example> ORCPT=rfc\t822;a' QUIT
	hears '250-*' '250-DSN' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' '250 CHUNKING' "250 2.1.0 Ok" \
	    "501 *" "501 *" "501 *" "501 *" "501 *" "501 *" "501 *" "221 *"
	ends
	peer_end
}

@test "a session that was opened for EHLO and has ended is opened again for the first message" {
	server_start <<-'END'
		S: 421 4.4.2 you were silent for too long
		CLOSE
		NEXT
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	says "MAIL FROM:<joe@x.example>" "RSET" "QUIT"
	hears "250 2.1.0 Ok" "250 2.0.0 *" "221 *"
	ends
	peer_end
}

@test "a server that takes no mail for now gives way to the next" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 421 4.3.2 not now
		CLOSE
		NEXT
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		C: MAIL FROM:<joe@x.example>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	settings=("server smtp://127.0.0.1:$peer_port") # once more
	starts
	says "HELO client" "MAIL FROM:<joe@x.example>" "RSET" "QUIT"
	hears "250 *" "250 2.1.0 Ok" "250 2.0.0 *" "221 *"
	ends
	peer_end
}

@test "recipients and chunks that are taken are no commands for nothing" {
	server_start <<-'END'
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		REPEAT 1100
		C~ RCPT TO:<r[0-9]+@x.example>
		S: 250 2.1.5 Ok
		DONE
		C: DATA
		S: 354 go on
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	mapfile -t recipients < <(printf 'RCPT TO:<r%d@x.example>\n' {1..1100})
	mapfile -t oks < <(yes "250 2.1.5 Ok" | head -1100)
	says "MAIL FROM:<joe@x.example>" "${recipients[@]}"
	hears "250 2.1.0 Ok" "${oks[@]}"
	for ((i = 0; i < 1100; i++)); do
		printf 'BDAT 3\r\nx\r\n' >&8
	done
	says "BDAT 0 LAST" QUIT
	mapfile -t oks < <(yes "250 2.0.0 so far" | head -1100)
	hears "${oks[@]}" "250 2.0.0 Ok" "221 *"
	ends
	peer_end
}

@test "a client that pipelines and has recipients refused is not sent away" {
	server_start <<-'END'
		REPEAT 30
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 550 5.1.1 no bob
		C: RSET
		S: 250 2.0.0 Ok
		DONE
		C: MAIL FROM:<joe@x.example> BODY=8BITMIME
		S: 450 4.7.1 later
		C: QUIT
		S: 221 2.0.0 bye
	END
	starts
	greets
	for ((i = 0; i < 30; i++)); do
		says "MAIL FROM:<joe@x.example>" "RCPT TO:<bob@x.example>" DATA RSET
		hears "250 2.1.0 Ok" "550 5.1.1 no bob" "554 5.5.1 *" "250 2.0.0 *"
	done
	says "MAIL FROM:<joe@x.example>"
	hears "450 4.7.1 later"
	for ((i = 0; i < 30; i++)); do
		says "RCPT TO:<bob@x.example>"
		hears "503 5.5.1 *"
	done
	says QUIT
	hears "221 *"
	ends
	peer_end
}

@test "--password-fd is read once for all messages" {
	cat >script <<-'END'
		REPEAT 3
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 AUTH PLAIN
		C: AUTH PLAIN AGpvZQBzM2NyZXQtd29yZA==
		S: 235 2.7.0 Ok
		C: MAIL FROM:<***>
		S: 250 2.1.0 Ok
		C: RSET
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 bye
		NEXT
		DONE
	END
	peer_start script
	printf 's3cret-word\n' >password
	settings=("user joe" "account default" "account work" "from *@work.example")
	exec 7<password
	starts --password-fd=7
	exec 7<&-
	says "HELO client" "MAIL FROM:<joe@x.example>" RSET "MAIL FROM:<joe@work.example>" RSET \
	    "MAIL FROM:<joe@x.example>" RSET QUIT
	hears "250 *" "250 2.1.0 Ok" "250 2.0.0 *" "250 2.1.0 Ok" "250 2.0.0 *" "250 2.1.0 Ok" \
	    "250 2.0.0 *" "221 *"
	ends
	peer_end
}

@test "--password-fd=0: that is the client" {
	settings=("user joe")
	starts --password-fd=0
	says "HELO client" "MAIL FROM:<joe@x.example>" QUIT
	hears "250 *" "451 4.3.5 *--password-fd=0*" "221 *"
	ends
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
