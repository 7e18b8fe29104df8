#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The program itself on bad days: it is ended at each call that changes a file of the spool, while it
# queues, flushes, writes down what came of it, and reports. tests/crash.bats does that to the spool alone, in
# more ways.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	shim=$PNEU_BUILD/tests/crash_shim.so
	umask 077
	# nothing here is about a real disk, and there are many fsyncs
	work=$(mktemp -d /dev/shm/pneu-crash2.XXXXXX 2>/dev/null) || work=$(mktemp -d)
	cd "$work" || return 1
	write_message message "$(seq 400)"
	peer_port=1 deliveries=0
	bad none 0 -odq bob@example.org
	[ -s log ] || skip "calls cannot be watched here (LD_PRELOAD of tests/crash_shim.so)"
	mv spool queued
}

teardown()
{
	cd / && rm -rf "$work"
}

# mortal HOW K [argument ...]: the program; call number K ends it, or fails. The calls are in the file log. If
# it were confined, what is preloaded could neither write that nor end it.
mortal()
{
	local how=$1 k=$2

	shift 2
	: >log
	ASAN_OPTIONS=verify_asan_link_order=0 CRASH_DIR=$PWD/spool CRASH_LOG=$PWD/log CRASH_AT=$k \
	    CRASH_HOW=$how CRASH_STAYS=1 LD_PRELOAD=$shim \
	    "$PNEU" --config=/dev/null --server="smtp://127.0.0.1:$peer_port" \
	    --tls=none --ehlo=mail.sender.com --queue="$PWD/spool" --sandbox=no \
	    -f alice@sender.com "$@" <message >out 2>err
}

# bad HOW K [argument ...]: the same; sets $status.
bad()
{
	status=0
	{ mortal "$@"; } 2>/dev/null || status=$? # the shell, too, tells of a killed one
}

# good [argument ...]: on a good day.
good()
{
	bad none 0 "$@"
	[ "$status" -eq 0 ] || fail "$* ended with $status: $(cat err)"
}

# The last call before the end, without its number and ids.
died_at()
{
	tail -n 1 log | sed -e 's/[0-9a-f]\{20\}/ID/g' -e 's/^[0-9]* //'
}

# accepts SENDER RECIPIENT, answers SENDER RECIPIENT REPLY: a transaction of a script.
accepts()
{
	printf '%s\n' "C: MAIL FROM:<$1>***" 'S: 250 2.1.0 Ok' \
	    "C: RCPT TO:<$2>***" 'S: 250 2.1.5 Ok' 'C: DATA' 'S: 354 go' 'C: <message>' 'S: 250 2.0.0 Ok'
}

answers()
{
	printf '%s\n' "C: MAIL FROM:<$1>***" 'S: 250 2.1.0 Ok' "C: RCPT TO:<$2>***" "S: $3" 'C: DATA' \
	    'S: 503 5.5.1 nobody' 'C? RSET' 'S: 250 2.0.0 Ok'
}

# serve: a server with the transactions in standard input; in one directory, so that it makes its keys once.
serve()
{
	peer_dir=$work/peer
	mkdir -p "$peer_dir"
	rm -f "$peer_dir"/port "$peer_dir"/message.*
	{
		cat "$PNEU_SRC/tests/dialogues/parts/ready-clear" -
		printf '%s\n' 'C? QUIT' 'S: 221 2.0.0 Bye'
	} >"$peer_dir/script"
	"$PEER" --dir "$peer_dir" "$peer_dir/script" >"$peer_dir/out" 2>"$peer_dir/err" 3>&- &
	peer_pid=$!
	until_true peer_listens
	peer_port=$(<"$peer_dir/port")
}

# served: it has ended, whatever it met; adds what it was given, which was whole, to $deliveries.
served()
{
	local each

	peer_end >/dev/null 2>&1 || true
	for each in "$peer_dir"/message.*; do
		if [ -e "$each" ]; then
			deliveries=$((deliveries + 1))
			grep -q "^${1:-400}"$'\r$' "$each" || fail "not whole: $each"
		fi
	done
	peer_port=1
}

entries()
{
	find spool -maxdepth 1 -name '*.e' 2>/dev/null | wc -l
}

# all_gone: nothing is left to be sent, and nothing was set aside.
all_gone()
{
	[ "$(entries)" -eq 0 ] && [ ! -e spool/corrupt ] && [ ! -e spool/failed ]
}

@test "killed while it queues: whole or none, and what it said yes to is delivered once" {
	local k

	for ((k = 1; k < 50; k++)); do
		rm -rf spool
		deliveries=0
		bad kill $k bob@example.org
		local claimed=$status had
		had=$(entries)
		serve < <(accepts alice@sender.com bob@example.org)
		good -qR@ # the account would have to wait, as nobody was there
		served
		assert_equal "$deliveries" "$had"
		all_gone || fail "killed at $k: something is left"
		if [ "$claimed" -eq 0 ]; then
			assert_equal "$deliveries" 1
			break
		fi
		assert_equal "$claimed" 137
	done
	assert [ "$k" -gt 8 ]
}

@test "killed while it flushes: delivered, and twice only when that could not be written down" {
	local k

	for ((k = 1; k < 50; k++)); do
		rm -rf spool
		cp -a queued spool
		deliveries=0
		serve < <(accepts alice@sender.com bob@example.org)
		bad kill $k --flush
		local ended=$status at
		at=$(died_at)
		served
		assert_equal "$deliveries" 1
		if [ "$(entries)" -gt 0 ]; then
			serve < <(accepts alice@sender.com bob@example.org)
			good --flush
			served
		fi
		all_gone || fail "killed at $k: something is left"
		if [ "$ended" -eq 0 ]; then
			break
		elif [ "$at" = 'unlink ID.e' ]; then
			assert_equal "$deliveries" 2
		else
			assert_equal "$deliveries" 1
		fi
	done
	assert_equal "$k" 4
	assert_equal "$deliveries" 1
}

@test "killed while it writes down that somebody has to wait: delivered once" {
	local k ended

	for ((k = 1; k < 50; k++)); do
		rm -rf spool
		cp -a queued spool
		deliveries=0
		serve < <(answers alice@sender.com bob@example.org '450 4.2.0 greylisted')
		bad kill $k --flush
		ended=$status
		served
		assert_equal "$(entries)" 1
		sed -i 's/^next .*/next 1/' spool/*.e
		serve < <(accepts alice@sender.com bob@example.org)
		good --flush
		served
		assert_equal "$deliveries" 1
		all_gone || fail "killed at $k: something is left"
		if [ "$ended" -eq 0 ]; then
			break
		fi
	done
	assert [ "$k" -gt 4 ]
}

@test "killed while it gives up: the sender hears of it, and of nothing that is not so" {
	local k ended originals reports

	for ((k = 1; k < 50; k++)); do
		rm -rf spool
		cp -a queued spool
		deliveries=0
		serve < <(
			answers alice@sender.com bob@example.org '550 5.1.1 unknown'
			accepts '' alice@sender.com
		)
		bad kill $k --flush
		ended=$status
		served 'Action: failed'
		originals=$(grep -la '^from <alice' spool/*.e 2>/dev/null | wc -l)
		reports=$(grep -la '^from <>' spool/*.e 2>/dev/null | wc -l)
		serve < <(
			if [ "$originals" -gt 0 ]; then
				answers alice@sender.com bob@example.org '550 5.1.1 unknown'
			fi
			for ((n = 0; n < originals + reports; n++)); do
				accepts '' alice@sender.com
			done
		)
		good --flush
		served 'Action: failed'
		all_gone || fail "killed at $k: something is left"
		assert [ "$deliveries" -eq 1 ] || [ "$deliveries" -eq 2 ]
		if [ "$ended" -eq 0 ]; then
			break
		fi
	done
	assert [ "$k" -gt 12 ]
	assert_equal "$deliveries" 1
}

@test "no space, or a broken disk, while it queues: 75 with the reason, and nothing is claimed" {
	local how k

	for how in ENOSPC EIO EROFS; do
		for k in 2 4 7; do
			rm -rf spool
			bad $how $k -odq --report=text bob@example.org
			[ "$status" -eq 75 ] || fail "$how at $k: $status, $(cat out err)"
			grep -q '^pneu: 4\.3\.[01] ' err
			grep -q '^bob@example.org: 4\.3\.[01] deferred' out
		done
	done
}

# mixed JOE: a script of a message that bob gets, while joe is answered JOE.
mixed()
{
	printf '%s\n' 'C: MAIL FROM:<alice@sender.com>***' 'S: 250 2.1.0 Ok' \
	    'C: RCPT TO:<bob@example.org>***' 'S: 250 2.1.5 Ok' 'C: RCPT TO:<joe@example.org>***' \
	    "S: $1" 'C: DATA' 'S: 354 go' 'C: <message>' 'S: 250 2.0.0 Ok'
}

@test "no space for a report: who has the message does not get it again, and the report comes later" {
	local k

	for k in 1 2 3 4; do
		rm -rf spool
		good -odq bob@example.org joe@example.org
		serve < <(mixed '550 5.1.1 unknown')
		bad ENOSPC $k --flush
		peer_end
		grep -q '^pneu: .*4\.3\.1' err || fail "at $k: $(cat err)"
		assert_equal "$(entries)" 1
		run ! grep -q '^rcpt <bob' spool/*.e
		grep -q '^rcpt <joe' spool/*.e || fail "at $k: $(cat spool/*.e)"
		sed -i 's/^next .*/next 1/' spool/*.e
		serve < <(
			answers alice@sender.com joe@example.org '550 5.1.1 unknown'
			accepts '' alice@sender.com
		)
		good --flush
		deliveries=0
		served 'Action: failed'
		assert_equal "$deliveries" 1
		all_gone || fail "at $k: something is left"
	done
}
