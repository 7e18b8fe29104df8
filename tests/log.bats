#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# `log`: how each message ended, in a file, syslog or the journal.

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

@test "log: a line for each message, the same as the report's, behind what is there" {
	settings=("log $PWD/log")
	echo '{"before":true}' >log
	plays "$(accepts bob@example.org)"
	pneu --report-fd=1 bob@example.org
	assert_success
	peer_end
	assert_equal "$(wc -l <log)" 2
	assert_equal "$(tail -n 1 log)" "$output"
	run jq -r '[.version, .exit, .recipients[0].result, .octets_sent > 100, .octets_received > 50,
	    (.seconds >= .seconds_connect)] | @csv' <<<"$output"
	assert_output '1,0,"accepted",true,true,true'
}

@test "log: nobody else can read a new one, and a failure is in it as well" {
	settings=("log $PWD/log")
	pneu --queue=no --server=smtp://127.0.0.1:1 bob@example.org
	assert_failure 75
	assert_equal "$(stat -c %a log)" 600
	run jq -r '[.exit, .recipients[0].result, .recipients[0].enhanced] | @csv' log
	assert_output '75,"deferred","4.4.1"'
	pneu --message=/nowhere bob@example.org
	assert_failure
	assert_equal "$(wc -l <log)" 1
}

@test "log: moved away, and there is a new one" {
	settings=("log $PWD/log")
	pneu --server=smtp://127.0.0.1:1 bob@example.org
	mv log log.1
	pneu --server=smtp://127.0.0.1:1 bob@example.org
	assert_equal "$(cat log log.1 | wc -l)" 2
}

@test "log: one that cannot be written is said, and fails no mail" {
	settings=("log $PWD/missing/log")
	plays "$(accepts bob@example.org)"
	pneu bob@example.org
	assert_success
	peer_end
	assert_equal "$stderr" "pneu: cannot write the log, $PWD/missing/log: No such file or directory"
}

@test "log: what the spool sends is in it, and how it ended" {
	settings=("log $PWD/log")
	later bob@example.org
	rm -f log
	plays "$(accepts bob@example.org)"
	pneu --flush
	quiet
	peer_end
	run jq -r '[.exit, .recipients[0].address, .recipients[0].result] | @csv' log
	assert_output '0,"bob@example.org","accepted"'
}

# What two of a session share is counted once, by the first.
@test "log: what went over the wire for each message of the spool" {
	settings=("log $PWD/log")
	later bob@example.org
	later eve@example.org
	rm -f log
	plays "$(accepts bob@example.org)" "$(accepts eve@example.org)"
	pneu --flush
	quiet
	peer_end
	run jq -r '[.round_trips, .octets_sent > 100, .octets_received > 20, .seconds < 60] | @csv' log
	assert_output "$(printf '%s,true,true,true\n' 4 1)" # 5 flights in all
	run jq -rs '[.[].octets_received] | .[0] > .[1]' log
	assert_output true
}

@test "log: many at once, and no line is torn" {
	settings=("log $PWD/log")
	configure
	local pids=() n

	for n in $(seq 20); do
		"$PNEU" --config=config --queue=no --server=smtp://127.0.0.1:1 \
		    $(seq -f "r%g@example.org" 50) <message 2>/dev/null 3>&- &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || true
	done
	assert_equal "$(wc -l <log)" 20
	run jq -r '.recipients | length' log
	assert_output "$(yes 50 | head -n 20)"
}

@test "log: settings that are none" {
	pneu --log=somewhere bob@example.org
	assert_failure 64
	assert_regex "$stderr" 'syslog, journal'
}

# journald and syslogd at the places that they have, in a namespace of our own.
listener()
{
	cat >listen.pl <<'END'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$!";
open my $ready, ">", "ready"; close $ready;
alarm 30; $s->recv(my $text, 65536); open my $f, ">", "heard"; print $f $text;
END
	unshare -rm true 2>/dev/null || skip "there are no namespaces here"
	perl -MIO::Socket::UNIX -e 1 2>/dev/null || skip "there is no perl"
}

@test "log: the journal, with fields" {
	listener
	configure
	# shellcheck disable=SC2016
	run timeout 60 unshare -rm sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal || exit 99
	    perl listen.pl /run/systemd/journal/socket & while [ ! -e ready ]; do sleep 0.1; done
	    "$PNEU" --config=config --queue=no --server=smtp://127.0.0.1:1 --log=journal bob@example.org \
	        <message
	    wait'
	[ "$status" != 99 ] || skip "nothing can be mounted here"
	run cat heard
	assert_line --regexp '^MESSAGE=from=<alice@sender.com>, 0 of 1 recipients, to=<bob@example.org> '
	assert_line 'PRIORITY=3'
	assert_line 'SYSLOG_IDENTIFIER=pneu'
	assert_line 'PNEU_EXIT=75'
	sed -n 's/^PNEU_REPORT=//p' heard >record
	run jq -r .exit record
	assert_output 75
}

@test "log: syslog" {
	listener
	configure
	# shellcheck disable=SC2016
	run timeout 60 unshare -rm sh -c 'mkdir dev && mount -t tmpfs none dev && touch dev/null &&
	    mount --bind /dev/null dev/null && mount --rbind dev /dev || exit 99
	    perl listen.pl /dev/log & while [ ! -e ready ]; do sleep 0.1; done
	    "$PNEU" --config=config --queue=no --server=smtp://127.0.0.1:1 --log=syslog bob@example.org \
	        <message
	    wait'
	[ "$status" != 99 ] || skip "nothing can be mounted here"
	assert_regex "$(cat heard)" '^<19>.* pneu\[[0-9]+\]: \{"version":1,"exit":75,'
}
