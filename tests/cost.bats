#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What a submission costs, against the least that a client with GnuTLS can do (tests/bench/floor). Only what
# does not depend on the machine's speed is looked at: system calls, memory, instructions, round trips.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	bench=$PNEU_BUILD/tests/bench
	cd "$BATS_TEST_TMPDIR"
	umask 077
	write_message
	echo s3cret-word >password
	peer_start - <<<'S: 220'
	cp "$peer_dir/"{ca,cert,key}.pem .
	kill "$peer_pid"
	: >log
	"$bench/sink" cert.pem key.pem port log 3>&- &
	sink=$!
	until_true test -s port
	floor=("$bench/floor" "$(cat port)" ca.pem)
	pneu=("$PNEU" --config=/dev/null --server="submission://alice@127.0.0.1:$(cat port)" --tls-ca=ca.pem
	    --password-file=password --ehlo=mail.sender.com -f alice@sender.com bob@example.org)
}

teardown()
{
	kill "$sink" 2>/dev/null || true
}

not_sanitized()
{
	if grep -q '^#define PNEU_SANITIZERS' "$PNEU_BUILD/config.h"; then
		skip "a program with sanitizers is another one"
	fi
}

# at_most WHAT N LIMIT
at_most()
{
	echo "$1: $2, and at most $3 would be good"
	[ "$2" -gt 0 ] && [ "$2" -le "$3" ]
}

# calls COMMAND ...: how many system calls it makes, when what it waits for comes in one piece: the least of
# several runs.
calls()
{
	for _ in 1 2 3 4 5 6 7 8 9; do
		strace -f -c -o calls "$@" <message >/dev/null 2>&1 || return 1
		awk '/total$/ { print $4 }' calls
	done | sort -n | head -n 1
}

@test "cost: at most 40 system calls more" {
	not_sanitized
	command -v strace >/dev/null || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "strace is not permitted here"
	at_most "system calls" "$(calls "${pneu[@]}")" $(($(calls "${floor[@]}") + 40))
}

# instructions COMMAND ...
instructions()
{
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" <message 2>&1 |
	    sed -n 's/.*Collected : //p' | tail -n 1
}

@test "cost: at most a tenth more instructions, and a fifth with the system's trusted certificates" {
	local least store

	not_sanitized
	command -v valgrind >/dev/null || skip "valgrind is not installed"
	grep -q '^CFLAGS = .*-O[1-9s]' "$PNEU_BUILD/Makefile" || skip "not built with optimisation"
	least=$(instructions "${floor[@]}")
	at_most instructions "$(instructions "${pneu[@]}")" $((least * 110 / 100))
	store=$(sed -n 's/^#define TRUST_STORE_FILE "\(.*\)"/\1/p' "$PNEU_BUILD/config.h")
	[ -r "$store" ] || skip "where the system's certificates are is not known"
	cat "$store" ca.pem >bundle.pem
	at_most "instructions with many certificates" \
	    "$(instructions "${pneu[@]}" --tls-ca=bundle.pem)" $((least * 120 / 100))
}

# memory FILE COMMAND ...: its largest resident size in KiB.
memory()
{
	"$bench/meter" "$@" | cut -d ' ' -f 2
}

@test "cost: at most 1 MiB more memory" {
	not_sanitized
	at_most KiB "$(memory message "${pneu[@]}")" $(($(memory message "${floor[@]}") + 1024))
}

@test "cost: a large message takes as much memory as a small one, of a file and of a pipe" {
	local small

	not_sanitized
	small=$(memory message "${pneu[@]}")
	{ cat message; yes 'a line of text for a large message' | head -c 40000000; } >large
	at_most KiB "$(memory large "${pneu[@]}")" $((small + 8192))
	# shellcheck disable=SC2016
	at_most KiB "$(memory /dev/null sh -c 'cat large | "$@"' sh "${pneu[@]}")" $((small + 8192))
	run cut -d ' ' -f 2- log
	assert_line --regexp '^1 1 4[0-9]{7}$'
}

@test "cost: no library but what is used" {
	local libraries

	command -v ldd >/dev/null || skip "there is no ldd"
	not_sanitized
	libraries=$(ldd "$PNEU" | sed 's/^[[:space:]]*//; s/\.so.*//; s|.*/||' | sort | tr '\n' ' ')
	echo "$libraries"
	# or nothing was seen, and nothing would be too much
	[[ $libraries == *"libgnutls "* ]]
	for each in $(ldd "${floor[0]}" | sed 's/^[[:space:]]*//; s/\.so.*//; s|.*/||'); do
		libraries=${libraries/$each /}
	done
	# where it cannot be linked in
	libraries=${libraries/libbsd /}
	libraries=${libraries/libmd /}
	assert_equal "$libraries" ""
}
