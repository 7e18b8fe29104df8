#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What goes wrong first, for somebody who has not used the program before: the first line on the screen says
# what to do about it. Without a server; what servers say is in dialogues.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
}

# first STATUS TEXT ...: the last run ended with this status, and its first line has each of the texts.
first()
{
	local text

	assert_equal "$status" "$1"
	shift
	for text; do
		assert_regex "${stderr%%$'\n'*}" "^pneu: "
		[[ ${stderr%%$'\n'*} == *"$text"* ]] || fail "\"$text\" is not in: $stderr"
	done
}

# As somebody whom modes concern.
unprivileged()
{
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}

@test "a file that is not there: the message, the configuration, the password" {
	submit --message=nowhere bob@x.example
	first 66 "--message nowhere: No such file" "is the name right?"
	pneu --config=nowhere bob@x.example <letter
	first 78 "nowhere: No such file" "is the name right?"
	submit --user=alice --password-file=nowhere bob@x.example <letter
	first 78 "password-file nowhere: No such file" "is the name right?"
	submit --aliases=nowhere bob@x.example <letter
	first 78 "aliases nowhere: No such file" "is the name right?"
}

@test "a file that may not be read: who has to be let" {
	[ "$(id -u)" -ne 0 ] || need setpriv
	unprivileged "$PNEU" --version >/dev/null 2>&1 || skip "others cannot run the program here"
	touch shut
	chmod 000 shut
	unprivileged ls . >/dev/null 2>&1 || skip "others cannot look into the directory of the test"
	run --separate-stderr unprivileged "$PNEU" --config=shut bob@x.example <letter
	first 78 "shut: Permission denied; let the user $(unprivileged id -un) read it"
}

@test "a directory where a file belongs" {
	submit --message=. bob@x.example
	first 66 ". is a directory" "name a file"
	pneu --config=. bob@x.example <letter
	first 78 "Is a directory; a file is wanted here"
}

@test "a file of certificates without any" {
	submit --server=submission://127.0.0.1:1 --tls=verify --tls-ca=letter bob@x.example <letter
	first 78 "tls-ca letter: nothing in it begins with -----BEGIN"
}

@test "no message" {
	submit bob@x.example </dev/null
	first 65 "the message is empty: give it on standard input, or with --message"
	submit bob@x.example <&-
	first 66 "standard input is closed; name a file with --message"
}
