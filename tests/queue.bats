#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What cannot be sent now is queued: class 4 at every step, on demand, and when a signal comes. Against a
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

# --- class 4, at every step

# fails_at NAME WHY [RESULT]: the script in standard input; what bob's line in the report matches.
fails_at()
{
	local name=$1

	rm -rf "$spool"
	peer_start -
	pneu --report=text bob@example.org
	peer_end || fail "$name"
	[ "$status" -eq 0 ] && [ "$stderr" = "" ] || fail "$name: exit $status, $stderr, $output"
	assert_regex "$output" "bob@example.org: 2\.0\.0 ${3:-queued}: queued as [0-9a-f]{20}, as $2"
	id=$(only)
	has "$id" 'rcpt <bob+40example.org>\|rcpt <bob@example.org>'
	has "$id" 'end 1'
}

@test "class 4 before a session: queued, at once due, and the account waits" {
	local next

	fails_at greeting '421 4.3.2 busy' <<<$'S: 421 4.3.2 busy\nC? QUIT'
	has "$id" 'last 4\.3\.2 421 greeting .*'
	run ! grep -a '^tries' "$spool/$id.e"
	next=$(sed -n 's/^next //p' "$spool/$id.e")
	assert [ "$next" -le "$(date +%s)" ]
	assert [ "$(sed -n 's/^next //p' "$spool"/accounts/*)" -gt "$(date +%s)" ]

	fails_at EHLO '421 4.3.2 busy' <<<$'S: 220 here\nC: EHLO ***\nS: 421 4.3.2 busy\nC? QUIT'
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	fails_at AUTH '454 4.7.0 later' <<-END
		$clear
		C: AUTH PLAIN ***
		S: 454 4.7.0 later
		$leaves
	END
	server='smtp://127.0.0.1:$PORT'
	settings=("tls encrypt")
	fails_at STARTTLS '454 4.7.0 later' <<-END
		INCLUDE parts/greeting
		C: STARTTLS
		S: 454 4.7.0 later
		$leaves
	END
	# nobody is there at all
	peer_port=1
	rm -rf "$spool"
	pneu --report=text bob@example.org
	assert_success
	assert_equal "$stderr" ""
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: '
	only
}

@test "class 4 of a message: queued, and it waits by itself" {
	local next

	fails_at MAIL '451 4.3.0 later' <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>
		C: DATA
		S: 451 4.3.0 later
		S: 503 5.5.1 MAIL first
		S: 503 5.5.1 MAIL first
		$leaves
	END
	has "$id" 'tries 1'
	has "$id" 'last 4\.3\.0 451 MAIL .*'
	has "$id" 'server 127.0.0.1'
	next=$(($(sed -n 's/^next //p' "$spool/$id.e") - $(sed -n 's/^queued //p' "$spool/$id.e")))
	assert [ "$next" -ge 300 ] && assert [ "$next" -le 375 ]
	assert [ ! -e "$spool/accounts" ]
	fails_at DATA '451 4.3.0 later' <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: DATA
		S: 451 4.3.0 later
		$leaves
	END
	fails_at end '452 4.3.1 full' <<-END
		$clear
		INCLUDE parts/envelope
		C: <message>
		S: 452 4.3.1 full
		$leaves
	END
}

@test "one is accepted, one refused, one has to wait: only he is queued" {
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
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
	pneu --report=text bob@example.org eve@example.org joe@example.org
	peer_end
	assert_failure 67
	assert_line --partial 'bob@example.org: 2.0.0 accepted'
	assert_line --partial 'eve@example.org: 5.1.1 refused'
	assert_line --partial 'joe@example.org: 2.0.0 queued'
	assert_regex "$stderr" '^pneu: eve@example.org: 5.1.1 [^'$'\n'']*$'
	id=$(only)
	has "$id" 'end 1'
	has "$id" 'last 4\.2\.0 450 RCPT .*'
	run ! grep -a 'bob\|eve' "$spool/$id.e"
	# with nobody refused there is nothing to be told
	due "$id"
	plays "$(accepts joe@example.org)"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "the answer to the end never came: it may have it, and the retry has the same Message-ID" {
	sed -i '/^Message-ID/d' message
	fails_at cut '.*may have been delivered' unknown <<-END
		$clear
		INCLUDE parts/envelope
		C: <message>
		CUT
	END
	has "$id" 'unknown yes'
	first=$(grep -a '^Message-ID' "$peer_dir/message.1")
	cp "$peer_dir/message.1" first
	due "$id"
	plays "$(accepts bob@example.org)"
	pneu --flush="$id"
	quiet
	peer_end
	cmp first "$peer_dir/message.1"
	assert_regex "$(cat first)" "$first"
	assert_equal "$(find "$spool" -name '*.[em]' | wc -l)" 0
}

@test "class 5 is never queued, whoever says it" {
	peer_start - <<<$'S: 554 5.7.1 not you\nC? QUIT'
	pneu bob@example.org
	peer_end
	assert_failure
	assert_equal "$(waiting)" 0
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	peer_start - <<<"$clear"$'\nC: AUTH PLAIN ***\nS: 535 5.7.8 no\n'"$leaves"
	pneu bob@example.org
	peer_end
	assert_failure 77
	assert_equal "$(waiting)" 0
}

@test "the spool cannot be written: 75 with both reasons, and nothing is claimed" {
	mkdir -m 755 "$spool"
	pneu --report=text bob@example.org
	assert_failure 75
	assert_line --partial 'bob@example.org: 4.4.1 deferred'
	assert_regex "$stderr" "4\.3\.5 .*$spool"
	assert_regex "$stderr" "4\.4\.1"
	assert_equal "$(find "$spool" -type f | wc -l)" 0
	pneu -odq --report=text bob@example.org
	assert_failure 75
	assert_line --partial 'bob@example.org: 4.3.5 deferred'
	assert_regex "$stderr" "^pneu: 4\.3\.5 [^"$'\n'"]*$"
	# what could be sent is sent all the same
	peer_start - <<<"$clear"$'\nINCLUDE parts/mail'
	pneu bob@example.org
	quiet
	peer_end
}

# --- later, and in the background

@test "-odq and --queue=only try nothing" {
	peer_start - <<<NOBODY
	pneu -odq --report=text bob@example.org
	assert_success
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: queued as [0-9a-f]{20}$'
	pneu --queue=only bob@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 2
}

@test "-odb answers at once and delivers in the background" {
	plays "$(accepts bob@example.org)"
	pneu -odb --report=text bob@example.org
	assert_success
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: '
	until_true test -e "$peer_dir/message.1"
	until_true waits 0
	peer_end
}

@test "-odb in the background keeps no descriptor that somebody could wait for" {
	peer_start - <<<STALL
	configure
	{
		"$PNEU" --config=config -odb bob@example.org 7>&1 <message >/dev/null
	} > >(cat >pipe; touch closed)
	until_true test -e closed
	only
	kill -KILL "$peer_pid"
	until_true waits_for_the_account
	only
}

waits_for_the_account()
{
	[ -e "$spool/accounts" ]
}

@test "SIGTERM in mid-dialogue: it is in the spool, and due" {
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		SIGNAL TERM
		STALL
	END
	configure
	"$PNEU" --config=config bob@example.org <message >out 2>err 3>&- &
	pid=$!
	echo "$pid" >"$peer_dir/pid"
	status=0
	wait "$pid" || status=$?
	pid=
	assert_equal "$status $(cat out err)" "0 "
	peer_end
	id=$(only)
	run ! grep -a '^tries' "$spool/$id.e"
	assert [ ! -e "$spool/accounts" ]
}

# --- no memory

@test "who has the message has it, whatever trouble there is with others of the spool after that" {
	local n ago

	no_valgrind "what makes calls fail would be preloaded into it"
	later bob@example.org
	cp -r "$spool" before
	mkdir held
	printf '%s\n' "$clear" "$(accepts joe@example.org)" "$(accepts bob@example.org)" "$leaves" \
	    >held/script
	peer_hold held held/script
	pid=$peer_pid # ends with the test
	faulty faulty
	export FAULT_KIND=memory FAULT_BOARD=board FAULT_STAYS=1 FAULT_AT=1000000
	truncate -s 65536 board
	PNEU=./faulty pneu --sandbox=no joe@example.org
	quiet
	n=$(od -An -tu4 -N4 board)
	[ "$n" -gt 0 ] || skip "calls cannot be made to fail here (LD_PRELOAD of tests/faults_shim.so)"
	for ago in 20 30 40 50 60; do
		rm -rf board "$spool"
		truncate -s 65536 board
		cp -r before "$spool"
		FAULT_AT=$((n - ago)) PNEU=./faulty pneu --sandbox=no joe@example.org
		assert_success
		assert_regex "$stderr" '^pneu: 4\.3\.0 no memory left to report; the exit status is right$'
	done
}

# --- all or nothing

@test "partial no: who has to wait is not queued when another is refused for good" {
	settings=("partial no")
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>***
		C: RCPT TO:<joe@example.org>***
		C: RCPT TO:<eve@example.org>***
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 550 5.1.1 unknown
		S: 450 4.2.0 greylisted
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --report=text bob@example.org joe@example.org eve@example.org
	peer_end
	assert_failure 67
	assert_line --regexp '^eve@example.org: 5\.0\.0 refused: not sent, as another recipient was refused'
	assert_equal "$(waiting)" 0
}

@test "partial no: nor when the session is cut after one was refused for good" {
	settings=("partial no")
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<joe@example.org>***
		C: RCPT TO:<eve@example.org>***
		S: 250 2.1.0 Ok
		S: 550 5.1.1 unknown
		CUT
	END
	pneu joe@example.org eve@example.org
	peer_end
	assert_failure 67
	assert_equal "$(waiting)" 0
}
