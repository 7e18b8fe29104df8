#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The program without a server: what comes in as the message, room for it, and signals meanwhile.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
}

# --- the message

@test "an empty message" {
	submit bob@x.example </dev/null
	fails 65 5.6.0 empty
	submit --message=/dev/null bob@x.example <letter
	fails 65 5.6.0 empty
}

@test "a NUL that cannot be encoded: in the header, and late in a document" {
	printf 'Subject: x\0\n\nb\n' >nul
	submit bob@x.example <nul
	fails 65 5.6.0 NUL
	{
		printf 'Content-Type: application/x\n\n'
		head -c 300000 /dev/zero | tr '\0' x
		printf '\0'
	} >nul
	submit bob@x.example <nul
	fails 65 5.6.0 NUL
}

@test "a header without end" {
	{ echo 'Subject: x'; yes ' folded' | head -n 200000; } >large
	submit bob@x.example <large
	fails 65 5.6.0 header
	{ printf 'Subject: '; head -c 1100000 /dev/zero | tr '\0' x; } >large
	submit bob@x.example <large
	fails 65 5.6.0 header
}

@test "a message from a file" {
	submit --message=letter bob@x.example </dev/null
	reaches_server
	submit --message=- bob@x.example <letter
	reaches_server
	submit --message=missing bob@x.example <letter
	fails 66 5.3.0 "missing: No such file"
	submit --message=. bob@x.example <letter
	fails 66 5.3.0 directory
	submit bob@x.example <.
	fails 66 5.3.0 directory
}

@test "what is in the message is in the report" {
	need jq
	submit --report=json bob@x.example <letter
	assert_equal "$(jq -r .message_id <<<"$output")" "<test.1@sender.com>"
	assert_equal "$(jq -r .size <<<"$output")" "$(sed 's/$/\r/' letter | wc -c)"
	submit --report=json bob@x.example <<<"hello"
	assert_regex "$(jq -r .message_id <<<"$output")" '^<[0-9]{14}\.[0-9a-f]+@x\.example>$'
}

@test "closed standard input" {
	no_valgrind "its own files take the place"
	in_shell '"$PNEU" "$@" <&-' bob@x.example
	fails 66 5.3.0 "closed"
	in_shell '"$PNEU" "$@" <&-' --message=letter bob@x.example
	reaches_server
}

@test "closed standard output and error" {
	in_shell '"$PNEU" "$@" >&-' bob@x.example <letter
	reaches_server
	in_shell '"$PNEU" "$@" 2>&-' bob@x.example <letter
	assert_equal "$status" 75
	assert_equal "$output$stderr" ""
	in_shell '"$PNEU" "$@" <&- >&- 2>&-' -v --report=json --message=letter bob@x.example
	assert_equal "$status" 75
	assert_equal "$output$stderr" ""
}

# --- room for large messages

large_message()
{
	{ cat letter; yes 'a line of text for a large message' | head -n 20000; } >large
}

@test "a temporary file that is too large" {
	large_message
	# in units of 512 or 1024 octets, as the shell has it; the message is larger
	in_shell 'ulimit -f 600 && exec "$PNEU" "$@"' bob@x.example < <(cat large)
	fails 75 4.3.1 "temporary file"
}

@test "a disk that is full" {
	mkdir small
	unshare -m sh -c 'mount -t tmpfs -o size=128k tmpfs small' 2>/dev/null ||
	    skip "there is no disk to fill up"
	large_message
	run --separate-stderr unshare -m sh -c 'mount -t tmpfs -o size=128k tmpfs small &&
	    TMPDIR=$PWD/small exec "$PNEU" "$@"' sh "${nowhere[@]}" bob@x.example < <(cat large)
	fails 75 4.3.1 "No space left"
}

@test "no directory for temporary files" {
	no_valgrind "it wants that directory, too"
	large_message
	TMPDIR=$PWD/missing submit bob@x.example < <(cat large)
	assert_equal "$status" 75
	[[ $stderr == "pneu: 4.3."[01]" "*"$PWD/missing"*TMPDIR* ]] || fail "$stderr"
	TMPDIR=$PWD/missing submit bob@x.example <letter
	reaches_server
	# what is in a file already stays there
	TMPDIR=$PWD/missing submit bob@x.example <large
	reaches_server
}

@test "a message of a file is read to its end, as others who share it find it" {
	large_message
	in_shell '"$PNEU" "$@"; wc -c' bob@x.example <large
	assert_equal "$output" 0
}

@test "of temporary files nothing is left" {
	large_message
	mkdir tmp
	TMPDIR=$PWD/tmp submit bob@x.example < <(cat large)
	reaches_server
	assert_equal "$(ls -A tmp)" ""
}

# --- signals

# The program, and no longer the shell that became it, has begun to look after its signals: SIGTERM, number
# 15, is among those that are caught.
catches()
{
	[ "/proc/$1/exe" -ef "$PNEU" ] && grep -q '^SigCgt:.*[4-7c-f]...$' "/proc/$1/status"
}

# waiting_for_input [argument ...]: starts it, in $pid, with a pipe to its standard input open as 9.
waiting_for_input()
{
	[ -e /proc/self/status ] || skip "there is no /proc"
	no_valgrind "the system does not know which signals are caught"
	mkfifo pipe
	"$PNEU" "${nowhere[@]}" "$@" bob@x.example \
	    <pipe >out 2>err 3>&- &
	pid=$!
	exec 9>pipe
	cat letter >&9
	until_true catches "$pid"
}

is_gone()
{
	! kill -0 "$1" 2>/dev/null
}

# The end of it: its status and what it said, for fails().
ended()
{
	status=0
	until_true is_gone "$pid" || kill -KILL "$pid"
	wait "$pid" || status=$?
	output=$(cat out)
	# shellcheck disable=SC2034
	stderr=$(cat err)
}

@test "SIGTERM while the message is read: nothing is sent" {
	waiting_for_input
	kill -TERM "$pid"
	ended
	fails 75 4.3.0 SIGTERM "nothing was sent"
	exec 9>&-
}

@test "SIGHUP as well, and the report says so" {
	need jq
	waiting_for_input --report=json
	kill -HUP "$pid"
	ended
	exec 9>&-
	assert_equal "$(jq -r '"\(.exit) \(.error.enhanced)"' <<<"$output")" "75 4.3.0"
}

@test "a signal that the caller had ignored stays so" {
	trap '' HUP
	waiting_for_input
	kill -HUP "$pid"
	exec 9>&-
	ended
	trap - HUP
	reaches_server
}

@test "SIGTERM while nobody writes into the file" {
	[ -e /proc/self/status ] || skip "there is no /proc"
	no_valgrind "the system does not know which signals are caught"
	mkfifo pipe
	"$PNEU" "${nowhere[@]}" --message=pipe bob@x.example \
	    >out 2>err 3>&- &
	pid=$!
	until_true catches "$pid"
	kill -TERM "$pid"
	ended
	fails 75 4.3.0 SIGTERM
}

@test "a file that is filled while we wait" {
	mkfifo pipe
	"$PNEU" "${nowhere[@]}" --message=pipe bob@x.example \
	    >out 2>err 3>&- &
	pid=$!
	cat letter >pipe
	ended
	reaches_server
}
