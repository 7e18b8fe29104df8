#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What an administrator sees of the spool, and does to it: --list, --show, --drop, --hold, --release.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
	umask 077
	spool=$BATS_TEST_TMPDIR/spool
	spooler=$PNEU_BUILD/tests/spooler
	nowhere+=("--queue=$spool")
	now=$(date +%s)
}

# listed [argument ...]: --list, which succeeds in silence but for the list.
listed()
{
	submit --list "$@"
	assert_equal "$status/$stderr" 0/
}

# ids: those of the spool, oldest first.
ids()
{
	"$PNEU" "${nowhere[@]}" --list --report=json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/'
}

# entry ID [LINE ...]: an entry with these lines in its envelope; the last are recipients and theirs.
entry()
{
	local id=$1

	shift
	mkdir -p "$spool"
	printf 'Subject: x\r\n\r\nHello.\r\n' >"$spool/$id.m"
	{
		printf '%s\n' 'pneu-spool 1' 'size 22' "$@"
		echo "end $(printf '%s\n' "$@" | grep -c '^rcpt ')"
	} >"$spool/$id.e"
}

# silent [argument ...]: it succeeds and says nothing.
silent()
{
	submit "$@"
	assert_equal "$status/$output/$stderr" 0//
}

one=0000000000000000000a
two=0000000000000000000b
three=0000000000000000000c

@test "an empty spool, and none at all, in the words that monitors know" {
	listed
	assert_output "Mail queue is empty"
	refute [ -e "$spool" ]
	mkdir "$spool"
	listed
	assert_output "Mail queue is empty"
	listed --report=json
	assert_output ""
}

@test "a submission that waits: what it is, why it waits, and what keeps the account back" {
	silent bob@example.org eve@example.org <letter
	silent -odq -f '<>' joe@example.org <letter
	listed
	assert_line --index 1 --regexp "^[0-9a-f]{20} +154 +[0-9]+s  me@x\.example$"
	assert_line --index 2 --regexp "^    not tried yet; next try in [5-7]m$"
	assert_line --index 3 "    bob@example.org"
	assert_line --index 4 "    eve@example.org"
	assert_line --index 5 --regexp "^        4\.4\.1 connect: Connection refused"
	assert_line --regexp "^[0-9a-f]{20} +154 +[0-9]+s  <>$"
	assert_line --regexp "^The account: no session; tried once; next try in [5-7]m$"
	assert_equal "${lines[-1]}" "-- 1 Kbytes in 2 Requests."
	assert_equal "$(grep -c 'connect: Connection refused' <<<"$output")" 2
	run awk 'length($0) > 80' <<<"$output"
	assert_output ""
}

@test "the replies of servers, and what may have been delivered" {
	entry $one 'account work' 'from <alice@sender.com>' "queued $((now - 4 * 86400 - 3 * 3600 - 1800))" \
	    "next $((now + 3 * 3600 + 1800))" 'tries 7' \
	    'rcpt <bob@example.org>' 'last 4.2.0 450 RCPT 450 4.2.0 Busy' 'server mx.example.org' \
	    'rcpt <eve@example.org>' 'unknown yes' \
	    'last 4.4.2 0 end+20of+20message the connection was lost; it may have been delivered'
	entry $two 'from <alice@sender.com>' "queued $now" 'tries 1' 'rcpt <joe@example.org>'
	listed
	assert_line --index 1 --regexp "^$one +22 +4d3h  alice@sender.com$"
	assert_line --index 2 --regexp "^    tried 7 times; next try in 3h[0-9]+m; account work$"
	assert_line --index 3 "    bob@example.org"
	assert_line --index 4 "        RCPT: 450 4.2.0 Busy"
	assert_line --index 5 "    eve@example.org"
	assert_line --index 6 --regexp "^        may have been delivered; 4\.4\.2 end of message: the "
	assert_line "    tried once; due"
	listed --report=json
	assert_line --index 0 --partial '"account":"work"'
	assert_line --index 0 --partial '"server":"mx.example.org"'
	assert_line --index 0 --partial '"result":"deferred","enhanced":"4.2.0","code":450,"phase":"RCPT"'
	assert_line --index 0 --partial '"address":"eve@example.org","server":null,"result":"unknown"'
	assert_line --index 1 --partial '"session":null'
}

@test "what is not printable is not printed" {
	entry $one 'account a+C3+A4' 'from <j+C3+B6rg@x.example>' "queued $now" 'rcpt <+FF@x.example>'
	listed
	assert_line --index 1 --partial '  jM-CM-6rg@x.example'
	assert_line "    not tried yet; due; account aM-CM-\$"
	assert_line "    M^?@x.example"
	listed --report=json
	assert_output --partial '"sender":"j\u00f6rg@x.example"'
	assert_output --partial '"address":"M^?@x.example"'
}

@test "JSON: an object on a line for each, with the names of the report" {
	silent bob@example.org <letter
	silent -odq eve@example.org <letter
	listed --report=json
	assert_equal "${#lines[@]}" 2
	command -v jq >/dev/null || skip "jq is not installed"
	run jq -r '[.version, .state, .sender, .size, .tries, .session.failures, .recipients[0].address,
	    .recipients[0].result, .recipients[0].phase] | map(tostring) | join(" ")' <<<"$output"
	assert_line --index 0 "1 waiting me@x.example 154 0 1 bob@example.org deferred connect"
	assert_line --index 1 "1 waiting me@x.example 154 0 1 eve@example.org queued null"
}

@test "the list goes to --report-fd" {
	entry $one 'from <>' "queued $now" 'rcpt <bob@example.org>'
	in_shell '"$PNEU" "$@" 3>list' --list --report-fd=3
	assert_equal "$status/$output$stderr" 0/
	run cat list
	assert_output --partial "\"id\":\"$one\""
}

@test "a list that cannot be written" {
	entry $one 'from <>' "queued $now" 'rcpt <bob@example.org>'
	in_shell '"$PNEU" "$@" >/dev/full' --list
	fails 74 5.3.0 "No space left"
	in_shell '"$PNEU" "$@" >/dev/full' --show=$one
	fails 74 5.3.0 "No space left"
}

@test "one that is being sent is listed, shown, and in other hands" {
	entry $one 'from <>' "queued $now" 'rcpt <bob@example.org>'
	run "$spooler" "$spool" busy $one "$PNEU --config=/dev/null --queue=$spool --list"
	assert_line --regexp "^    BEING SENT; not tried yet$"
	run "$spooler" "$spool" busy $one "$PNEU --config=/dev/null --queue=$spool --list --report=json"
	assert_output --partial '"state":"sending"'
	assert_output --partial '"next":null'
	run "$spooler" "$spool" busy $one "$PNEU --config=/dev/null --queue=$spool --show=$one"
	assert_output --partial "Hello."
	for change in drop hold release; do
		run "$spooler" "$spool" busy $one \
		    "$PNEU --config=/dev/null --queue=$spool --$change=$one; echo status \$?"
		assert_output --partial "4.3.0 $one is being sent"
		assert_output --partial "status 75"
	done
	silent --drop=$one
}

@test "--hold and --release" {
	entry $one 'from <>' "queued $now" "next $((now + 3600))" 'tries 2' 'rcpt <bob@example.org>'
	silent --hold=$one
	silent --hold=$one
	listed
	assert_line "    HELD; tried 2 times"
	silent --flush
	silent --release=$one
	listed
	assert_line "    tried 2 times; due"
	# without a hold it only hurries
	entry $one 'from <>' "queued $now" "next $((now + 3600))" 'rcpt <bob@example.org>'
	silent --release=$one
	listed
	assert_line "    not tried yet; due"
}

@test "--release brings back what has failed, with all of its time" {
	entry $one 'from <>' "queued $((now - 9 * 86400))" 'tries 9' 'rcpt <bob@example.org>' \
	    'last 5.1.1 550 RCPT 550 5.1.1 Unknown'
	entry $two 'from <>' "queued $now" 'rcpt <eve@example.org>'
	"$spooler" "$spool" fail $one
	listed
	assert_line --index 1 --regexp "^$one "
	assert_line "    FAILED; tried 9 times"
	assert_line "        RCPT: 550 5.1.1 Unknown"
	assert_equal "${lines[-1]}" "-- 1 Kbytes in 2 Requests."
	listed --report=json
	assert_line --index 0 --partial '"state":"failed"'
	silent --hold=$one
	submit --show=$one
	assert_output --partial "Hello."
	silent --release=$one
	assert [ -e "$spool/$one.e" ]
	listed
	refute_output --partial FAILED
	refute_output --partial 550
	assert_line --regexp "^$one +22 +[0-9]+s  <>$"
}

@test "--show gives the octets, and with -v the envelope besides" {
	printf 'From: me@x.example\nDate: x\nMessage-ID: <x@x>\n\n.\n\xf6\n' >raw
	printf 'From: me@x.example\r\nDate: x\r\nMessage-ID: <x@x>\r\n\r\n.\r\n\xf6\r\n' >wanted
	silent -odq bob@example.org <raw
	id=$(ids)
	"$PNEU" "${nowhere[@]}" --show="$id" >shown
	assert cmp shown wanted
	"$PNEU" "${nowhere[@]}" -v --show="$id" >shown 2>said
	assert cmp shown wanted
	run cat said
	assert_line --regexp "^$id .*me@x.example$"
	assert_line "    bob@example.org"
}

@test "--drop forgets" {
	for id in $one $two $three; do
		entry $id 'from <>' "queued $now" 'rcpt <bob@example.org>'
	done
	"$spooler" "$spool" fail $three
	silent --drop=$two
	silent --drop=$three
	listed
	assert_equal "${lines[-1]}" "-- 1 Kbytes in 1 Request."
	assert_line --partial $one
	refute [ -e "$spool/$two.m" ]
	refute [ -e "$spool/failed/$three.m" ]
}

@test "a message that is not there, and a name that is none" {
	local what

	for what in show drop hold release; do
		submit --$what=$one
		fails 64 5.5.4 "no message $one"
	done
	entry $two 'from <>' "queued $now" 'rcpt <bob@example.org>'
	for what in show drop hold release; do
		submit --$what=$one
		fails 64 5.5.4 "no message $one"
		submit --$what=0b
		fails 64 5.5.4 "not the name of a message"
		submit --$what=../$two
		fails 64 5.5.4 "not the name of a message"
	done
	submit --drop=0b --report=json
	assert_equal "$status" 64
	assert_output --partial '"error":{"enhanced":"5.5.4"'
}

@test "a damaged entry is set aside and holds up no other" {
	entry $one 'from <>' "queued $now" 'rcpt <bob@example.org>'
	entry $two 'from <>' "queued $now" 'rcpt <eve@example.org>'
	sed -i '$d' "$spool/$one.e"
	submit --list
	assert_success
	assert_equal "${lines[-1]}" "-- 1 Kbytes in 1 Request."
	[[ $stderr == *"set aside"* ]] || fail "$stderr"
}

@test "a spool that is open to others is not read" {
	mkdir -m 755 "$spool"
	submit --list
	assert_equal "$status/$output" 75/
	[[ $stderr == *4.3.5* ]] || fail "$stderr"
}

@test "a report in text where there is no message ends as it should" {
	submit --flush --report=text
	assert_equal "$status/$output/$stderr" 0//
	submit -bv --report=text bob@example.org
	assert_equal "$status" 0
}

# Each envelope is read once, and no account's file more than once.
@test "ten thousand: what is read grows with the list, and nothing else does" {
	command -v strace >/dev/null || skip "strace is not installed"
	entry $one 'from <>' "queued $now" 'rcpt <bob@example.org>'
	"$spooler" "$spool" fill 100
	strace -f -qq -e trace=openat -o calls "$PNEU" "${nowhere[@]}" --list >list ||
	    skip "strace does not work here"
	assert_equal "$(tail -n 1 list)" "-- 3 Kbytes in 101 Requests."
	assert_equal "$(grep -c '\.e"' calls)" 101
	assert_equal "$(grep -c 'a-"' calls)" 0
	"$spooler" "$spool" fill 10000
	"$PNEU" "${nowhere[@]}" --list >list
	assert_equal "$(tail -n 1 list)" "-- 218 Kbytes in 10101 Requests."
}
