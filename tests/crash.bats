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
	cd "$BATS_TEST_TMPDIR" || return 1
	umask 077
	write_message message "$(seq 400)" # several writes
	LD_PRELOAD=$shim CRASH_DIR=$PWD/none CRASH_LOG=$PWD/trial "$spooler" none list 2>err
	[ -e trial ] || skip "calls cannot be watched here (LD_PRELOAD of tests/crash_shim.so)"
}

# What can go wrong at a call, and at those after it where there is a plus.
days="kill torn short EINTR ENOSPC ENOSPC+ EDQUOT+ EIO EIO+ EROFS+"

# bad_day DAY K COMMAND [argument ...]: runs the spooler on $spool; call number K is the bad one. Sets $status,
# $out, $err and $calls, the number of calls that there were.
bad_day()
{
	local day=$1 k=$2 stays=

	shift 2
	case $day in
	*+) stays=1 ;;
	esac
	rm -f log
	status=0
	out=$(ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$shim CRASH_DIR=$PWD/spool CRASH_LOG=$PWD/log \
	    CRASH_AT=$k CRASH_HOW=${day%+} ${stays:+CRASH_STAYS=1} env "$spooler" spool "$@" 2>err) || status=$?
	err=$(cat err)
	calls=$(grep -c '^[0-9]' log) || true
}

# A good day.
spool()
{
	"$spooler" spool "$@"
}

# every_day PREPARE CHECK COMMAND [argument ...]: on each kind of bad day, for each call of the command. Before
# it there is the state that PREPARE makes, after it CHECK has to hold. "ID" is the id of the only entry.
every_day()
{
	local prepare=$1 check=$2 day k days_seen=0

	shift 2
	for day in $days; do
		for ((k = 1; ; k++)); do
			rm -rf spool sent
			$prepare
			bad_day "$day" "$k" "${@/#ID/${id-}}"
			if [ "$calls" -lt "$k" ]; then
				break
			fi
			days_seen=$((days_seen + 1))
			if ! $check; then
				echo "call $k, $day: exit $status, said: $out $err"
				cat log
				ls -lR spool
				return 1
			fi
		done
		assert [ "$k" -gt 3 ]
	done
	assert [ "$days_seen" -gt 30 ]
}

nothing()
{
	id=
}

# One message for two recipients.
queued()
{
	id=$(spool new message bob@example.org eve@example.org)
	id=${id#committed }
}

given_up()
{
	queued
	spool fail "$id" >/dev/null
}

# whole PLACE: the only entry is there, with these recipients, and its message is whole.
whole()
{
	local place=$1 line

	shift
	line=$(spool list 2>&1)
	[ "$line" = "$place ${id:=$(cut -d ' ' -f 2 <<<"$line")} $(wc -c <message) $*" ] || return 1
	spool cat "$id" | cmp - message
}

gone()
{
	[ -z "$(spool list 2>&1)" ]
}

# After the debris has been removed nothing is left but whole entries.
tidy()
{
	spool clean -1 >/dev/null
	[ -z "$(find spool -name '*.tmp')" ] &&
	    [ "$(find spool -name '*.m' | sed 's/m$//' | sort)" = "$(find spool -name '*.e' | sed 's/e$//' | sort)" ]
}

@test "a message is queued whole or not at all" {
	taken_or_not()
	{
		if [ "$out" ]; then
			id=${out#committed }
			whole active bob@example.org=0 eve@example.org=0 || return 1
		elif [ "$status" -ne 137 ]; then
			# the caller keeps it: it must not be here, too
			[ "$status" -eq 75 ] && [ "$err" ] && { [ ! -d spool ] || gone; } || return 1
		elif [ -d spool ]; then
			gone || whole active bob@example.org=0 eve@example.org=0 || return 1
		else
			return 0
		fi
		[ ! -d spool ] || tidy
	}
	every_day nothing taken_or_not new message bob@example.org eve@example.org
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

@test "an interruption and a short write change nothing" {
	local day k

	for day in EINTR short; do
		for ((k = 1; ; k++)); do
			rm -rf spool
			bad_day $day $k new message bob@example.org
			[ "$calls" -ge "$k" ] || break
			# making a directory cannot be interrupted
			if [ "$k" -gt 1 ]; then
				assert_equal "$status" 0
			fi
		done
	done
}

@test "some recipients have it: the others stay" {
	settled_or_not()
	{
		if [ "$out" ]; then
			whole active eve@example.org=4 || whole active eve@example.org=0
		else
			[ "$status" -ne 0 ] || return 1
			whole active bob@example.org=0 eve@example.org=0 ||
			    whole active eve@example.org=4 || whole active eve@example.org=0
		fi && tidy
	}
	every_day queued settled_or_not settle ID 2 4
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
		assert gone
	done
}

@test "everybody has it: the entry goes" {
	gone_or_not()
	{
		if [ "$out" ]; then
			gone
		else
			[ "$status" -ne 0 ] && { gone || whole active bob@example.org=0 eve@example.org=0; }
		fi && tidy
	}
	days="${days/short/}" # nothing is written
	every_day queued gone_or_not settle ID 2 5
	every_day queued gone_or_not drop ID
}

@test "what is given up is here or there, and so is what is taken back" {
	moved_or_not()
	{
		if [ "$out" ]; then
			whole "$there" bob@example.org=0 eve@example.org=0
		else
			[ "$status" -ne 0 ] && { whole active bob@example.org=0 eve@example.org=0 ||
			    whole failed bob@example.org=0 eve@example.org=0; }
		fi && tidy && { whole active bob@example.org=0 eve@example.org=0 ||
		    whole failed bob@example.org=0 eve@example.org=0; }
	}
	there=failed
	every_day queued moved_or_not fail ID
	there=active
	every_day given_up moved_or_not retry ID
}

@test "a hold is there or not" {
	held_or_not()
	{
		if [ "$out" ]; then
			whole held bob@example.org=0 eve@example.org=0
		else
			[ "$status" -ne 0 ] && { whole active bob@example.org=0 eve@example.org=0 ||
			    whole held bob@example.org=0 eve@example.org=0; }
		fi && tidy
	}
	every_day queued held_or_not hold ID
}

# --- what a power cut leaves depends on the order

# The calls of the log, without their numbers, the id left out; writes in a row are one.
order()
{
	sed -n -e 's/[0-9a-f]\{20\}/ID/g' -e 's/^[0-9]* //p' log | uniq
}

@test "the message is on the disk before its envelope, and that before its name" {
	bad_day none 0 new message bob@example.org
	assert_equal "$(order)" "$(printf '%s\n' 'mkdir .' 'make ID.m' 'write ID.m' 'fsync ID.m' 'make ID.e.tmp' \
	    'write ID.e.tmp' 'fsync ID.e.tmp' 'rename ID.e.tmp ID.e' 'fsync .')"
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
	strace -V >/dev/null 2>&1 || skip "strace is not installed (apt-get install strace)"
	strace -o trace -e trace=mkdir,fsync,openat -y "$spooler" one/two/three new message bob@example.org
	run grep -c '^mkdir.* = 0' trace
	assert_output 3
	run sed -n 's/^fsync([0-9]*<\(.*\)>) .*/\1/p' trace
	assert_line --index 0 "$(pwd -P)"
	assert_line --index 1 "$(pwd -P)/one"
	assert_line --index 2 "$(pwd -P)/one/two"
}

# --- many at once

@test "many at once: none is lost and none is sent twice" {
	local i k pids=()

	queued
	spool drop "$id" >/dev/null
	for ((i = 0; i < 10; i++)); do
		for ((k = 0; k < 20; k++)); do
			spool new message bob@example.org >>committed || exit 1
		done 3>&- &
		pids+=($!)
	done
	for ((i = 0; i < 4; i++)); do
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
	assert_equal "$(sort -u committed | wc -l)" 200
	assert_equal "$(grep -ao '^[0-9a-f]\{20\}' sent | sort)" "$(sed 's/^committed //' committed | sort)"
	assert_equal "$(grep -c '^400$' sent)" 200
	run spool list
	assert_output ""
	assert tidy
}

@test "who takes an entry has it alone, and its end gives it back" {
	queued
	spool busy "$id" "$spooler spool drop $id; echo \$? >inner; $spooler spool drain sent; kill -KILL \$PPID" || true
	assert_equal "$(cat inner)" 2
	assert [ ! -e sent ]
	assert whole active bob@example.org=0 eve@example.org=0
	run spool drop "$id"
	assert_output "done $id"
}

@test "cleaning leaves alone what somebody is writing, and what is young" {
	mkfifo pipe
	queued
	"$spooler" spool new pipe bob@example.org 3>&- >said &
	pid=$!
	exec 4>pipe
	cat message >&4
	until_true test "$(find spool -name '*.m' | wc -l)" = 2
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
