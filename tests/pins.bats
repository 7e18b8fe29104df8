#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Servers that are known by their keys: pins, and those that were seen before.

bats_require_minimum_version 1.5.0

setup_file()
{
	load trust
	make_certificates
}

setup()
{
	load helper
	load trust
	trust_ready
}

teardown()
{
	[ -z "${held-}" ] || kill "$held"
}

# --- pins

@test "a pinned certificate, in each way of writing it" {
	local hex pin

	hex=$(fingerprint alone)
	for pin in "sha256:$hex" "sha256:${hex^^}" "sha256:$(sed 's/../&:/g; s/:$//' <<<"$hex")"; do
		accepts alone --tls=fingerprint --tls-pin="$pin"
	done
}

@test "a pinned key, in each way of writing it" {
	accepts alone --tls=fingerprint --tls-pin="$(pin alone)"
	accepts alone --tls=fingerprint --tls-pin="sha256/$(pin alone)"
}

@test "the pin of the next key beside that of this one" {
	accepts good --tls=fingerprint --tls-pin="$(pin another)" --tls-pin="$(pin good)"
	accepts good --tls=fingerprint --tls-pin="$(pin good)" --tls-pin="$(pin another)"
}

@test "with fingerprint the pin alone counts: expired, stranger, another name" {
	local name

	for name in expired stranger elsewhere alone; do
		accepts $name --tls=fingerprint --tls-pin="$(pin $name)"
	done
}

@test "another key: what was expected and what was seen" {
	refuses alone --tls=fingerprint --tls-pin="$(pin good)"
	says localhost 'tls-pin'
	assert [ "${stderr/"$(pin good)"/}" != "$stderr" ]
	assert [ "${stderr/"$(pin alone)"/}" != "$stderr" ]
	assert [ "${stderr/"sha256:$(fingerprint alone)"/}" != "$stderr" ]
}

@test "with verify both must hold" {
	accepts good --tls-pin="$(pin good)"
	refuses good --tls-pin="$(pin another)"
	refuses stranger --tls-pin="$(pin stranger)"
	refuses expired --tls-pin="$(pin expired)"
}

@test "with encrypt a pin counts too" {
	accepts stranger --tls=encrypt --tls-pin="$(pin stranger)"
	refuses stranger --tls=encrypt --tls-pin="$(pin good)"
}

@test "the complaint about an unknown certificate holds the pin that accepts it" {
	local seen

	refuses alone
	seen=$(grep -o '[A-Za-z0-9+/]\{43\}=' <<<"$stderr")
	assert_equal "$seen" "$(pin alone)"
	accepts alone --tls=fingerprint --tls-pin="$seen"
}

@test "the pin of a CA is not the pin of its servers" {
	refuses chain --tls=fingerprint --tls-pin="$(pin middle)"
	refuses chain --tls=fingerprint --tls-pin="$(pin ca)"
}

@test "a pin that is none" {
	url=submission://localhost:1 anybody --tls-pin=sha1:abcd
	assert_failure 64
	printf '%s\n' 'server submission://localhost:1' 'tls-pin sha1:abcd' >config
	run --separate-stderr "$PNEU" --config=config bob@example.org <message
	assert_failure 78
	says '5\.3\.5 ' config:2: tls-pin sha256:
}

# --- the first key counts

# twice FIRST SECOND WORD: two mails to one port, whose certificates are FIRST and SECOND; for the second the
# dialogue goes on with WORD (all login, nothing).
twice()
{
	{
		starttls cert="$1"
		all login
		echo NEXT
		starttls try cert="$2"
		shift 2
		"$@"
	} >dialogue
	serve
	client --tls=tofu
	assert_success
	assert_equal "$output$stderr" ""
	known=$XDG_STATE_HOME/pneu/known-hosts
}

@test "tofu: the first key is remembered, and good from then on" {
	twice alone alone all login
	assert_equal "$(stat -c '%a' "$known")" 600
	assert_equal "$(stat -c '%a' "$XDG_STATE_HOME/pneu")" 700
	cp "$known" before
	client --tls=tofu
	assert_success
	run cmp before "$known"
	assert_success
	peer_end
}

@test "tofu: another certificate with the same key is the same server" {
	cp "$certs/alone.key" "$certs/again-$BATS_TEST_NUMBER.key"
	certtool --generate-self-signed --load-privkey "$certs/alone.key" --template "$certs/good.template" \
	    --outfile "$certs/again-$BATS_TEST_NUMBER.pem" 2>/dev/null
	twice alone "again-$BATS_TEST_NUMBER" all login
	client --tls=tofu
	assert_success
	peer_end
}

@test "tofu: another key is refused, and the complaint says what to do" {
	twice alone another nothing
	cp "$known" before
	client --tls=tofu
	assert_failure 75
	assert_equal "${#stderr_lines[@]}" 1
	says '4\.7\.5 ' CHANGED localhost "$peer_port" "$known"
	run cmp before "$known"
	assert_success
	peer_end
}

# Each call for a file fails once: that its keys cannot be read does not make it a first time.
@test "tofu: where nobody can see what is remembered, it is no first time" {
	local at fired=x seen=

	no_valgrind "what makes calls fail would be preloaded into it"
	accepts alone --tls=tofu
	mkdir faulty
	cp "$certs/another.pem" "$certs/another.key" faulty
	{
		starttls try cert=another
		echo 'C? QUIT'
	} >dialogue
	sed -i "s/|[0-9]*|0|/|$peer_port|0|/" "$XDG_STATE_HOME/pneu/known-hosts"
	peer_hold faulty dialogue --port "$peer_port"
	held=$peer_pid
	cp "$XDG_STATE_HOME/pneu/known-hosts" before
	faulty pneu
	export FAULT_KIND=EIO FAULT_BOARD=board FAULT_AT
	for ((at = 1; at < 100 && ${#fired} > 0; at++)); do
		rm -f board
		truncate -s 65536 board
		FAULT_AT=$at PNEU=./pneu client --tls=tofu
		assert_failure
		cmp before "$XDG_STATE_HOME/pneu/known-hosts" || fail "$fired: $stderr"
		fired=$(tail -c +9 board | head -c 200 | tr -d '\0')
		seen+=$fired
	done
	[ -n "$seen" ] || skip "calls cannot be made to fail here (LD_PRELOAD of tests/faults_shim.so)"
	[[ $seen = *"fopen called by libgnutls"* ]]
}

@test "tofu: a deleted line is a first time" {
	twice alone another all login
	sed -i "/$peer_port/d" "$known"
	client --tls=tofu
	assert_success
	peer_end
}

@test "tofu: a key is remembered for its host and port alone" {
	accepts alone --tls=tofu
	url=submission://127.0.0.1:PORT accepts another --tls=tofu
	accepts another --tls=tofu
	assert_equal "$(grep -c . "$XDG_STATE_HOME/pneu/known-hosts")" 3
}

@test "tofu: a host is the same in capitals" {
	twice alone another nothing
	url=submission://LOCALHOST:PORT client --tls=tofu
	assert_failure 75
	says '4\.7\.5 ' CHANGED
	peer_end
}

@test "tofu: a key that no pin names is not remembered" {
	refuses alone --tls=tofu --tls-pin="$(pin good)"
	assert [ ! -s "$XDG_STATE_HOME/pneu/known-hosts" ]
}

@test "tofu: where nothing can be remembered, nothing is sent" {
	: >occupied
	{
		starttls try cert=alone
		nothing
	} >dialogue
	serve
	XDG_STATE_HOME=$PWD/occupied client --tls=tofu
	assert_failure 75
	says '4\.3\.0 ' occupied
	peer_end
}
