#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What is due is flushed, behind a submission, too, and what is given up is reported to its sender. Against a
# scripted server.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load queue
	queue_setup
}

teardown()
{
	queue_teardown
}

# --- flush

@test "flush: all that is due over one session and one login, with RSET after a failure" {
	local first second third

	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	later bob@example.org
	first=$id
	later joe@example.org
	second=$id
	later eve@example.org
	third=$id
	later not@example.org
	sed -i "s/^next .*/next $(($(date +%s) + 600))/" "$spool/$id.e"
	peer_start - <<-END
		$clear
		INCLUDE parts/auth-plain
		$(accepts bob@example.org)
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<joe@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 503 5.5.1 nobody
		C: RSET
		S: 250 2.0.0 Ok
		$(accepts eve@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	assert [ ! -e "$spool/$first.m" ] && assert [ ! -e "$spool/$third.m" ]
	has "$second" 'tries 1'
	has "$second" 'last 4\.2\.0 450 .*'
	assert_equal "$(waiting)" 2
	# nothing is due any more
	peer_start - <<<NOBODY
	pneu -q
	quiet
	peer_end
}

# greeting, EHLO, the first MAIL, one for each message, and that is it
@test "flush: one flight a message, as the next MAIL travels with the last dot" {
	for _ in 1 2 3 4; do
		later bob@example.org
	done
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>***
		C: DATA
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		REPEAT 3
		C: <message>
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>***
		C: DATA
		S: 250 2.0.0 Ok: queued as %d
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		DONE
		C: <message>
		FLIGHTS 6
		S: 250 2.0.0 Ok: queued as 4
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	waits 0
}

@test "flush: a session that is cut behind a dot, with the next MAIL under way" {
	later bob@example.org
	later eve@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>***
		C: DATA
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		C: <message>
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<eve@example.org>***
		C: DATA
		CUT
		NEXT
		$clear
		$(accepts eve@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	# nobody knows of the first one, and the second was not lost with it
	has "$(only)" 'last 4\.4\.2 .*may have been delivered.*'
}

@test "flush: a session has as many messages as per-session, or the server's MAILMAX" {
	later bob@example.org
	later bob@example.org
	later bob@example.org
	settings=("per-session 2")
	peer_start - <<-END
		$clear
		$(accepts bob@example.org)
		$(accepts bob@example.org)
		$leaves
		NEXT
		$clear
		$(accepts bob@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	settings=()
	later bob@example.org
	later bob@example.org
	peer_start - <<-END
		S: 220 here
		C: EHLO ***
		S: 250-here
		S: 250-PIPELINING
		S: 250 LIMITS MAILMAX=1
		$(accepts bob@example.org)
		$leaves
		NEXT
		$clear
		$(accepts bob@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "flush: one message by its id, or those of some recipients, whether due or not" {
	local one

	later bob@example.org
	one=$id
	later joe@example.org
	sed -i "s/^next .*/next $(($(date +%s) + 600))/" "$spool"/*.e
	plays "$(accepts bob@example.org)"
	pneu --flush="$one"
	quiet
	peer_end
	peer_start - <<<NOBODY
	pneu -qRbob
	quiet
	pneu -qSbob
	quiet
	pneu --flush="$one"
	assert_failure 64
	assert_regex "$stderr" "5\.5\.4 .*$one"
	peer_end
	plays "$(accepts joe@example.org)"
	pneu -qRjoe
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "flush: of one message it says how that ended" {
	later bob@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 503 5.5.1 nobody
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush="$id"
	peer_end
	assert_failure 75
	assert_regex "$stderr" 'greylisted'
	assert_equal "$(waiting)" 1
}

@test "flush: a failed session makes the account wait, and counts for no message" {
	later bob@example.org
	later joe@example.org
	peer_start - <<<$'S: 421 4.3.2 busy\nC? QUIT'
	pneu --flush
	quiet
	peer_end
	run ! grep -a '^tries\|^last' "$spool"/*.e
	assert_equal "$(waiting)" 2
	# and so nobody is bothered now
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
	# a submission that goes well shows that all is well again, and takes both along
	peer_start - <<-END
		$clear
		$(accepts eve@example.org)
		$(accepts bob@example.org)
		$(accepts joe@example.org)
		$leaves
	END
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 0
	run ! grep -a '^failures' "$spool"/accounts/*
}

@test "flush: a refused login holds everything, is said once, and bounces nothing" {
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	later bob@example.org
	aged 864000 "$id" # however long it has waited
	later joe@example.org
	local refuses="$clear"$'\nC: AUTH PLAIN ***\nS: 535 5.7.8 no\n'"$leaves"
	peer_start - <<<"$refuses"
	pneu --flush
	assert_success
	assert_regex "$stderr" "^pneu: 127.0.0.1:$peer_port: 5.7.8 [^"$'\n'"]*$"
	peer_end
	assert_equal "$(waiting)" 2
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
	account_due
	peer_start - <<<"$refuses"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 2
	assert [ ! -e "$spool/failed" ]
	run ! grep -a '^tries\|^last' "$spool"/*.e
}

@test "flush: a configuration that does not work holds everything, and bounces nothing" {
	server='smtp://alice@127.0.0.1:$PORT'
	later bob@example.org
	settings=("password-file $PWD/missing")
	peer_start - <<<NOBODY
	pneu --flush
	assert_success
	assert_regex "$stderr" "$PWD/missing"
	account_due
	pneu --flush
	quiet
	peer_end
	only
	run ! grep -a '^tries\|^last' "$spool"/*.e
	settings=("password-command exit 75")
	pneu --flush
	only
}

# accounts PORT PORT: one and two.
two_accounts()
{
	printf '%s\n' "tls none" "ehlo mail.sender.com" "queue $spool" "account one" \
	    "server smtp://127.0.0.1:$1" "from alice@sender.com" "account two" \
	    "server smtp://127.0.0.1:$2" "from joe@sender.com" >config
}

@test "flush: an account that is stuck holds up no other, whichever comes first" {
	local stuck stuck_pid sender

	for sender in alice joe; do
		peer_start - <<<STALL
		stuck=$peer_port stuck_pid=$peer_pid
		plays "$(from=$sender@sender.com accepts bob@example.org)"
		two_accounts "$stuck" "$peer_port"
		if [ "$sender" = alice ]; then
			two_accounts "$peer_port" "$stuck"
		fi
		"$PNEU" --config=config -f alice@sender.com -odq bob@example.org <message
		"$PNEU" --config=config -f joe@sender.com -odq bob@example.org <message
		"$PNEU" --config=config --flush >out 2>err 3>&- &
		pid=$!
		until_true test -e "$peer_dir/message.1"
		until_true waits 1
		kill -0 "$pid"
		kill -TERM "$pid"
		wait "$pid"
		peer_end
		wait "$stuck_pid"
		assert_equal "$(cat out err)" ""
		# to be interrupted is no failure
		run ! grep -a '^tries' "$spool"/*.e
		assert [ ! -e "$spool/accounts" ]
		rm -rf "$spool"
	done
}

@test "a submission takes ten due messages along, on its connection" {
	local round last script=

	for round in {1..11}; do # not a number that bats' run would count, too
		later bob@example.org
	done
	last=$id
	for round in {1..10}; do
		script+=$(accepts bob@example.org)$'\n'
	done
	peer_start - <<<"$clear"$'\n'"$(accepts eve@example.org)"$'\n'"$script$leaves"
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(only)" "$last"
	# but opens no other for them
	later bob@example.org
	settings=("per-session 2")
	plays "$(accepts eve@example.org)" "$(accepts bob@example.org)"
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 1
	# and nobody hears of what goes wrong with one of them
	settings=()
	peer_start - <<-END
		$clear
		$(accepts eve@example.org)
		C: MAIL ***
		S: 550 5.7.1 not that
		C: RCPT ***
		S: 503 5.5.1 no
		C: DATA
		S: 503 5.5.1 no
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu eve@example.org
	quiet
	peer_end
}

# --- the end of patience

bounces()
{
	cat <<-'END'
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<alice@sender.com>***
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok
	END
}

# busy|refuses RECIPIENT [parameters]
answers()
{
	printf '%s\n' 'C: MAIL FROM:<alice@sender.com>***' 'S: 250 2.1.0 Ok' "C: RCPT TO:<$1>***" "S: $2" \
	    'C: DATA' 'S: 503 5.5.1 nobody' 'C? RSET' 'S: 250 2.0.0 Ok'
}

@test "queue-lifetime is over: the sender has a report by the same session, and it is said" {
	later bob@example.org
	aged 500000 "$id"
	peer_start - <<-END
		$clear
		$(answers bob@example.org '450 4.2.2 mailbox full')
		$(bounces)
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_regex "$stderr" "^pneu: $id, given up: bob@example.org: .*mailbox full[^"$'\n'"]*$"
	assert_equal "$(waiting)" 0
	run cat "$peer_dir/message.1"
	assert_line --regexp '^To: <?alice@sender.com'
	assert_line --regexp '^Content-Type: multipart/report;'
	assert_line --regexp '^Final-Recipient: rfc822; ?bob@example.org'
	assert_line --regexp '^Remote-MTA: dns; ?127.0.0.1'
	assert_line --regexp '^Diagnostic-Code: smtp; ?450 4.2.2 mailbox full'
	assert_line --regexp '^Last-Attempt-Date: '
	assert_line --regexp '^Subject: test'
	assert_line --regexp '^Message-ID: <test.1@sender.com>'
}

@test "queue-lifetime is over: he to whom no try came is not reported as given up and then sent to" {
	later bob@example.org eve@example.org
	aged 500000 "$id"
	peer_start - <<-END
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 LIMITS RCPTMAX=1
		C: MAIL FROM:<alice@sender.com>
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 450 4.2.2 mailbox full
		C: RSET
		S: 250 2.0.0 Ok
		C: MAIL FROM:<alice@sender.com>
		S: 421 4.3.2 enough
		CLOSE
		NEXT
		S: 421 4.3.2 enough
		CLOSE
	END
	pneu --flush
	peer_end
	assert_success
	has "$(only)" 'from <>'
	run cat "$spool"/*.m
	assert_line --regexp '^Final-Recipient: rfc822; ?bob@example.org'
	assert_line --regexp '^Final-Recipient: rfc822; ?eve@example.org'
}

@test "before that, it waits on" {
	later bob@example.org
	aged 400000 "$id"
	plays "$(answers bob@example.org '450 4.2.2 full')"
	pneu --flush
	quiet
	peer_end
	only
	settings=("queue-lifetime 1h")
	due "$id"
	plays "$(answers bob@example.org '450 4.2.2 full')" "$(bounces)"
	pneu --flush
	peer_end
	assert_equal "$(waiting)" 0
}

@test "refused at the retry: a report, but not for NOTIFY=NEVER" {
	later bob@example.org
	plays "$(answers bob@example.org '550 5.1.1 unknown')" "$(bounces)"
	pneu --flush
	peer_end
	assert_success
	assert_regex "$stderr" 'given up: bob@example.org: 5.1.1'
	assert_equal "$(waiting)" 0
	later -N never bob@example.org
	dsn=${clear/INCLUDE*/S: 220 here
C: EHLO ***
S: 250-here
S: 250-DSN
S: 250 PIPELINING}
	peer_start - <<<"$dsn"$'\n'"$(answers bob@example.org '550 5.1.1 unknown')"$'\n'"$leaves"
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(find "$spool" -name '*.[em]' | wc -l)" 0
}

@test "a report that is refused rests in failed, and so does what comes from <>" {
	later bob@example.org
	peer_start - <<-END
		$clear
		$(answers bob@example.org '550 5.1.1 unknown')
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<alice@sender.com>***
		S: 550 5.1.1 she, too
		C: DATA
		S: 503 5.5.1 nobody
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(waiting)" 0
	assert_equal "$(find "$spool/failed" -name '*.e' | wc -l)" 1
	grep -qa '^rcpt <alice.*sender.com>' "$spool"/failed/*.e
	# nobody looks at it again
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
}

@test "from <> to several: he who is refused rests, he who has it does not, and he who waits is tried again" {
	later -f '<>' bob@example.org eve@example.org joe@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: RCPT TO:<eve@example.org>
		S: 550 5.1.1 unknown
		C: RCPT TO:<joe@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(only)" "$id"
	has "$id" 'end 1'
	has "$id" 'rcpt <joe.*'
	assert_equal "$(grep -ah '^rcpt' "$spool"/failed/*.e | wc -l)" 1
	grep -qa '^rcpt <eve' "$spool"/failed/*.e
	cmp "$spool/$id.m" "$spool"/failed/*.m
	# nothing else is left when he has it
	due "$id"
	plays "$(from='' accepts joe@example.org)"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "notify-delay: after four hours the sender is told once that it is late" {
	settings=("notify-delay yes")
	later bob@example.org
	aged 15000 "$id"
	plays "$(answers bob@example.org '450 4.2.0 busy')" "$(bounces)"
	pneu --flush
	quiet
	peer_end
	run cat "$peer_dir/message.1"
	assert_line --regexp '^Action: delayed'
	assert_line --regexp '^Will-Retry-Until: '
	assert_equal "$(only)" "$id"
	due "$id"
	plays "$(answers bob@example.org '450 4.2.0 busy')"
	pneu --flush
	quiet
	peer_end
	only
}
