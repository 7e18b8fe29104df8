#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The spool on bad days: whatever call the process ends at, or fails at, a message that was promised is there,
# whole, and nothing else is ever sent. tests/crash_shim.c makes the days bad, tests/spooler.c uses the spool.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	spooler=$PNEU_BUILD/tests/spooler
	shim=$PNEU_BUILD/tests/crash_shim.so
	umask 077
	# nothing here is about a real disk, and there are many fsyncs
	work=$(mktemp -d /dev/shm/pneu-crash.XXXXXX 2>/dev/null) || work=$(mktemp -d)
	cd "$work" || return 1
	write_message message "$(seq 400)" # several writes
	size=$(wc -c <message)
	ASAN_OPTIONS=verify_asan_link_order=0 CRASH_DIR=$PWD/none CRASH_LOG=$PWD/trial LD_PRELOAD=$shim \
	    "$spooler" none list || true
	[ -e trial ] || skip "calls cannot be watched here (LD_PRELOAD of tests/crash_shim.so)"
}

teardown()
{
	cd / && rm -rf "$work"
}

# bad_day DAY K COMMAND [argument ...]: runs the spooler; call number K is spoiled as DAY says, and with a
# plus behind it so are those that follow. Sets $status, $out and $err; the calls are in the file log.
bad_day()
{
	local day=$1 k=$2 stays=

	shift 2
	case $day in
	*+) stays=1 ;;
	esac
	: >log
	status=0
	out=$(ASAN_OPTIONS=verify_asan_link_order=0 CRASH_DIR=$PWD/spool CRASH_LOG=$PWD/log CRASH_AT=$k \
	    CRASH_HOW=${day%+} CRASH_STAYS=$stays LD_PRELOAD=$shim "$spooler" spool "$@" 2>err) || status=$?
	err=$(<err)
}

# A good day.
spool()
{
	"$spooler" spool "$@"
}

# One message for two recipients.
queued()
{
	id=$(spool new message bob@example.org eve@example.org)
	id=${id#committed }
}

# whole PLACE: the only entry is there, with these recipients, and its message is whole.
whole()
{
	local place=$1 line

	shift
	line=$(spool list message 2>&1)
	[ "$line" = "$place $id $size $* whole" ]
}

# After the debris has been removed nothing is left but whole entries.
tidy()
{
	local file

	spool clean -1 >/dev/null
	for file in spool/*.tmp spool/*.[em] spool/failed/*; do
		if [[ $file == *.tmp || ! -e ${file%.*}.e || ! -e ${file%.*}.m ]] && [[ $file != *\** ]]; then
			return 1
		fi
	done
}

@test "whatever call the process ends at, or fails at: a whole message or none, and what was promised" {
	ASAN_OPTIONS=verify_asan_link_order=0 CRASH_DIR=$PWD/spool LD_PRELOAD=$shim \
	    run --separate-stderr "$PNEU_BUILD/tests/badday" spool message log
	[ "$status" -eq 0 ] || printf '%s\n' "$output" "$stderr" | grep -v '^ok'
	assert_success
	assert [ "${#lines[@]}" -gt 80 ]
	refute_line --regexp '^not ok'
}

@test "a full or read-only disk takes nothing, with 4.3.1, and a bad one with 4.3.0" {
	local k

	for k in 2 3 7; do
		for day in ENOSPC EDQUOT EROFS; do
			rm -rf spool
			bad_day $day+ $k new message bob@example.org
			assert_equal "$status" 75
			assert_regex "$err" '^spooler: 4\.3\.1 '
		done
		rm -rf spool
		bad_day EIO $k new message bob@example.org
		assert_equal "$status" 75
		assert_regex "$err" '^spooler: 4\.3\.0 '
	done
}

@test "a full disk does not send it again to those who have it" {
	local day

	for day in ENOSPC+ EDQUOT+; do
		rm -rf spool
		queued
		bad_day $day 1 settle "$id" 2 4
		assert_equal "$out" "settled $id"
		assert whole active eve@example.org=0
		# and with eve's copy gone, too, so is the entry
		bad_day $day 1 settle "$id" 2
		assert_equal "$out" "settled $id"
		run spool list
		assert_output ""
	done
}

# --- what a power cut leaves depends on the order

# The calls of the log, without their numbers, the id left out; writes in a row are one.
order()
{
	sed -n -e 's/[0-9a-f]\{20\}/ID/g' -e 's/^[0-9]* //p' log | uniq
}

@test "the message is on the disk before its envelope, and that before its name" {
	bad_day none 0 new message bob@example.org
	assert_equal "$(order)" "$(printf '%s\n' 'mkdir .' 'make ID.m' 'write ID.m' 'fsync ID.m' \
	    'make ID.e.tmp' 'write ID.e.tmp' 'fsync ID.e.tmp' 'rename ID.e.tmp ID.e' 'fsync .')"
}

@test "a new envelope is on the disk before it has its name" {
	queued
	bad_day none 0 settle "$id" 2 4
	assert_equal "$(order)" "$(printf '%s\n' 'make ID.e.tmp' 'write ID.e.tmp' 'fsync ID.e.tmp' \
	    'rename ID.e.tmp ID.e' 'fsync .')"
}

@test "the end of an entry is on the disk before its message goes" {
	queued
	bad_day none 0 drop "$id"
	assert_equal "$(order)" "$(printf '%s\n' 'unlink ID.e' 'fsync .' 'unlink ID.m')"
}

@test "all directories above the spool are on the disk" {
	ASAN_OPTIONS=verify_asan_link_order=0 CRASH_DIR=$PWD CRASH_LOG=$PWD/log LD_PRELOAD=$shim \
	    "$spooler" one/two/three new message bob@example.org
	assert_equal "$(order | grep -v 'three/')" "$(printf '%s\n' 'mkdir one/two/three' 'mkdir one/two' \
	    'mkdir one' 'fsync .' 'mkdir one/two' 'fsync one' 'mkdir one/two/three' 'fsync one/two' \
	    'fsync one/two/three')"
}

# --- many at once

@test "many at once: none is lost and none is sent twice" {
	local i k pids=()

	queued
	spool drop "$id" >/dev/null
	for ((i = 0; i < 10; i++)); do
		for ((k = 0; k < 10; k++)); do
			spool new message bob@example.org >>committed || exit 1
		done 3>&- &
		pids+=($!)
	done
	for ((i = 0; i < 3; i++)); do
		while [ ! -e enough ]; do
			spool drain sent || exit 1
		done 3>&- &
		takers[i]=$!
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	touch enough
	for i in "${takers[@]}"; do
		wait "$i"
	done
	spool drain sent
	assert_equal "$(sort -u committed | wc -l)" 100
	assert_equal "$(grep -ao '^[0-9a-f]\{20\}' sent | sort)" "$(sed 's/^committed //' committed | sort)"
	assert_equal "$(grep -c '^400$' sent)" 100
	run spool list
	assert_output ""
	assert tidy
}

@test "who takes an entry has it alone, and its end gives it back" {
	queued
	spool busy "$id" "$spooler spool drop $id; echo \$? >inner; $spooler spool drain sent
	    kill -KILL \$PPID" || true
	assert_equal "$(cat inner)" 2
	assert [ ! -e sent ]
	assert whole active bob@example.org=0 eve@example.org=0
	run spool drop "$id"
	assert_output "done $id"
}

two_messages()
{
	[ "$(find spool -name '*.m' | wc -l)" = 2 ]
}

@test "cleaning leaves alone what somebody is writing, and what is young" {
	mkfifo pipe
	queued
	"$spooler" spool new pipe bob@example.org 3>&- >said &
	pid=$!
	exec 4>pipe
	cat message >&4
	until_true two_messages
	run spool clean -1
	assert_output 0
	kill -KILL "$pid"
	wait "$pid" || true
	exec 4>&-
	run spool clean 3600
	assert_output 0
	run spool clean -1
	assert_output 1
	assert whole active bob@example.org=0 eve@example.org=0
}

@test "ten thousand entries: each envelope is read once, and no message" {
	queued
	spool fill 9999
	bad_day none 0 list
	assert_equal "$(wc -l <<<"$out")" 10000
	assert_equal "$(grep -c ' look .*\.e$' log)" 10000
	assert_equal "$(grep ' look .*\.e$' log | sort -u | wc -l)" 10000
	assert_equal "$(grep -c '^' log)" "$(($(grep -c ' look .*\.e$' log) + $(grep -c -v '\.e$' log)))"
	assert [ "$(grep -c -v '\.e$' log)" -lt 20 ]
}
