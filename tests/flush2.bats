#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The flush in unusual company: other processes, many recipients, several accounts, rounds. Against a scripted
# server; tests/flush.bats has the rest.

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

# --- as many recipients as a server takes

@test "flush: those who are too many for one transaction follow in the next" {
	later bob@example.org joe@example.org eve@example.org
	later bob@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>***
		C: RCPT TO:<joe@example.org>***
		C: RCPT TO:<eve@example.org>***
		C: DATA
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 452 4.5.3 too many
		S: 452 4.5.3 too many
		S: 354 Go ahead
		C: <message>
		S: 250 2.0.0 Ok
		$(accepts joe@example.org eve@example.org)
		$(accepts bob@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	waits 0
}

# --- when it does not come to a try

@test "flush: of one message it says so when another sends it already" {
	local first

	later bob@example.org
	first=$id
	peer_start - <<<STALL
	configure
	"$PNEU" --config=config --flush="$first" >out 2>err 3>&- &
	pid=$!
	until_true sending
	pneu --flush="$first"
	assert_failure 75
	assert_regex "$stderr" "4\.3\.0 .*$first is being sent already"
	kill -TERM "$pid"
	wait "$pid" || true
	peer_end
	only
}

sending()
{
	"$PNEU" --config=config --list | grep -q 'BEING SENT'
}

# --- the secret

@test "flush: --password-fd is read once for all accounts, and all rounds" {
	local first first_pid
	local login=$'\nC: AUTH PLAIN ***\nS: 235 2.7.0 ok\n'

	plays "$login$(accepts bob@example.org)"
	first=$peer_port first_pid=$peer_pid
	plays "$login$(from=joe@sender.com accepts bob@example.org)"
	printf '%s\n' "tls none" "ehlo mail.sender.com" "queue $spool" "account one" \
	    "server smtp://alice@127.0.0.1:$first" "from alice@sender.com" "account two" \
	    "server smtp://joe@127.0.0.1:$peer_port" "from joe@sender.com" >config
	echo s3cret-word >password
	"$PNEU" --config=config -f alice@sender.com -odq bob@example.org <message
	"$PNEU" --config=config -f joe@sender.com -odq bob@example.org <message
	run --separate-stderr "$PNEU" --config=config --password-fd=7 --flush 7<password
	quiet
	peer_end
	wait "$first_pid"
	waits 0
}

@test "a submission with -odb has its --password-fd in the background" {
	server='smtp://alice@127.0.0.1:$PORT'
	echo s3cret-word >password
	plays $'C: AUTH PLAIN ***\nS: 235 2.7.0 ok' "$(accepts bob@example.org)"
	pneu -odb --password-fd=7 bob@example.org 7<password
	quiet
	peer_end
	until_true waits 0
}

# --- again and again

@test "flush: -qTIME goes on after a round in which the spool could not be read" {
	later bob@example.org
	later eve@example.org
	sed -i "s/^next .*/next $(($(date +%s) + 600))/" "$spool/$id.e"
	peer_start - <<-END
		$clear
		$(accepts bob@example.org)
		$leaves
		NEXT
		$clear
		$(accepts eve@example.org)
		$leaves
	END
	configure
	"$PNEU" --config=config -q1s >out 2>err 3>&- &
	pid=$!
	until_true waits 1
	mv "$spool" "$disk/aside"
	: >"$spool"
	until_true test -s err
	sed -i 's/^next .*/next 1/' "$disk/aside/$id.e"
	rm "$spool"
	mv "$disk/aside" "$spool"
	until_true waits 0
	kill -TERM "$pid"
	wait "$pid"
	peer_end
	# but it does not begin without one
	rm -r "$spool"
	: >"$spool"
	pneu -q1s
	assert_failure
}

@test "flush: -v counts the messages" {
	later bob@example.org
	first=$id
	later eve@example.org
	plays "$(accepts bob@example.org)" "$(accepts eve@example.org)"
	pneu --flush -v
	assert_success
	peer_end
	assert_regex "$stderr" $'(^|\n)\\* '"$first, 1 of 2"$'\n(.*\n)?\\* '"$id, 2 of 2"$'\n'
}
