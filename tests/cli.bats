#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The program without a server: the command line, addresses, and reports.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
}

# --- the command line

@test "a message for somebody is submitted" {
	submit bob@x.example <letter
	reaches_server
}

@test "options may stand anywhere before --" {
	submit bob@x.example --timeout=5s eve@x.example <letter
	reaches_server
	submit --timeout=5s -- -bob@x.example <letter
	reaches_server
	submit -- --timeout=5s <letter
	fails 67 5.1.3 "--timeout=5s"
}

@test "an unknown option: what was meant, where that can be told" {
	submit --sever=x bob@x.example <letter
	fails 64 5.5.4 "no option --sever" "did you mean --server?"
	submit --pasword-file=x bob@x.example <letter
	fails 64 5.5.4 "did you mean --password-file?"
	submit --colour bob@x.example <letter
	fails 64 5.5.4 "no option --colour" --help
	submit -Z bob@x.example <letter
	fails 64 5.5.4 "no option -Z"
	submit -vZ bob@x.example <letter
	fails 64 5.5.4 "no option -Z"
	submit bob@x.example -bx <letter
	fails 64 5.5.4 "no mode -bx" --help
}

@test "options of sendmail that mean nothing" {
	submit bob@x.example -oq -oem -B8BITMIME -O x=y -h 5 -m -n <letter
	reaches_server
}

@test "an option without its value, and one with a value that it does not take" {
	for option in --server --config --message --report --report-fd --tls --timeout -f -a; do
		pneu "$option"
		fails 64 5.5.4 "$option needs a value"
	done
	for option in --help --version --verbose --all-or-nothing; do
		pneu "$option=x"
		fails 64 5.5.4 "$option" "takes no value"
	done
}

@test "settings check their values" {
	while read -r option hint; do
		submit "$option" bob@x.example <letter
		fails 64 5.5.4 "$hint"
	done <<-'END'
		--tls=fast none, may, encrypt
		--tls=verfy did you mean verify?
		--timeout=1w 30s, 5m
		--timeout=0 30s, 5m
		--deadline=soon 30s, 5m
		--connect-timeout= a value is missing
		--partial=maybe no, yes
		--pipelining=1 no, yes
		--chunking=maybe no, yes
		--server=smtp.example.org submissions://
		--server=smtp://x:0 1 to 65535
		--auth=kerberos a mechanism
		--from=<x> *@domain
		--password-fd=x descriptor
		--tls-pin=x tls-pin
		--dsn-notify=always success,failure,delay
		--dsn-notify=never,failure success,failure,delay
		--dsn-notify=delay,delay success,failure,delay
		--dsn-return=body headers or full
		--dsn-envid=grün printable ASCII
		--at=2001-01-01T00:00:00Z a time to come
		--at=10000000d a time to come
		--deliver-by=2h,bounce 2h,notify
		--priority=10 from -9 to 9
	END
	submit --user=$'a\nb' bob@x.example <letter
	fails 64 5.5.4 "control character"
	submit --ehlo=$'a\r\nMAIL FROM:<x>' bob@x.example <letter
	fails 64 5.5.4 "control character"
}

@test "of a setting given twice the last counts" {
	submit --tls=verify --tls=none bob@x.example <letter
	reaches_server
	pneu --config=missing --config=/dev/null bob@x.example <letter
	fails 78 5.3.5 "no server is set"
}

@test "no recipient" {
	submit <letter
	fails 64 5.5.1 "no recipient"
}

@test "a password on the command line is refused, and never shown" {
	local option

	for option in --password=TopSecret --server=smtp://alice:TopSecret@127.0.0.1:1 \
	    --server=smtp://alice:TopSecret@127.0.0.1:99999 --server=smtp://alice:TopSecret \
	    --server=alice:TopSecret@127.0.0.1 --server=smtp://alice:Top@Secret@x:0 \
	    --password=TopSecret$'\n' --pasword=TopSecret --passwor=TopSecret; do
		submit -v --report=json "$option" bob@x.example <letter
		assert_equal "$status" 64
		refute [ -z "$stderr" ]
		[[ $stderr$output != *Secret* ]] || fail "$option is shown: $stderr $output"
	done
}

@test "--help fits on a screen and names every option" {
	pneu --help
	assert_success
	assert_equal "$stderr" ""
	assert_line --partial "usage: pneu"
	assert_equal "$(expand <<<"$output" | awk 'length($0) > 79')" ""
	for option in --account --all-or-nothing --config --message --report --report-fd --sender --verbose \
	    --version --server --tls --timeout --password-command; do
		assert_line --partial " $option"
	done
	refute_line --regexp '--password[^-]'
	pneu --help --nonsense
	assert_success
}

@test "--version" {
	pneu --version
	assert_success
	assert_output --regexp '^pneu [0-9]+(\.[0-9]+)+$'
	assert_equal "$stderr" ""
}

@test "--help that cannot be written" {
	[ -e /dev/full ] || skip "there is no /dev/full"
	in_shell '"$PNEU" --help >/dev/full'
	assert_equal "$status" 74
}

# --- addresses

@test "what is no address is refused before anything is done" {
	local long

	printf -v long '%065d' 0
	for address in $'bob\r@x.example' $'bob@x.example\n' $'bob@x.example>\r\nDATA' $'b\tob@x.example' \
	    $'bob@x.example\r\nRCPT TO:<eve@x.example' \
	    "$long@x.example" "a@$long.example" "a@x.${long//0/0000.}example" \
	    "bob@" "@x.example" "bob@x..example" "bob@[127.0.0.256]" "a@b@c" "bob smith@x.example" \
	    "Bob <bob@x.example" "bob@x.example>" '"bob@x.example' \
	    "" " " "<>" "," "(bob)" "nobody:;"; do
		submit "$address" <letter
		fails 65 5.1.3
		submit good@x.example "$address" <letter
		fails 65 5.1.3
	done
}

@test "an address without a domain" {
	submit root <letter
	fails 67 5.1.3 root "user@domain"
	submit good@x.example "Bob <bob>" <letter
	fails 67 5.1.3 bob
}

@test "an address with letters that are no UTF-8" {
	submit $'j\xf6rg@x.example' <letter
	fails 65 5.1.3 UTF-8
}

@test "several addresses in one argument" {
	need jq
	submit --report=json "Bob <bob@x.example>, eve@x.example" "team: ann@bücher.example;" bob@X.example \
	    <letter
	assert_equal "$status" 75
	assert_equal "$(jq -r '[.recipients[].address] | join(" ")' <<<"$output")" \
	    "bob@x.example eve@x.example ann@xn--bcher-kva.example"
}

@test "a bad sender" {
	submit -f root bob@x.example <letter
	fails 65 5.1.7 root
	submit -f $'me@x.example>\r\nRCPT TO:<eve@x' bob@x.example <letter
	fails 65 5.1.7 "control character"
	submit -f "me@x.example> SIZE=1" bob@x.example <letter
	fails 65 5.1.7
	submit -f "Me <me@x.example" bob@x.example <letter
	fails 65 5.1.7
	submit -f "Me <me>" bob@x.example <letter
	fails 65 5.1.7 me
}

# sender [argument ...]: who it is, when nobody answers; the message is on standard input.
sender()
{
	run --separate-stderr "$PNEU" --config=config --report=json "$@" bob@x.example
	assert_equal "$status" 75
	jq -r .sender <<<"$output"
}

@test "who sends" {
	need jq
	echo 'server smtp://127.0.0.1:1' >config
	printf 'From: "A, B" <ann@x.example>, eve@x.example\n\nx\n' >from
	printf 'x\n' >plain
	assert_equal "$(sender --tls=none <from)" ann@x.example
	assert_equal "$(sender --tls=none -f me@x.example <from)" me@x.example
	assert_equal "$(sender --tls=none -f 'Me <me@x.example>' <from)" me@x.example
	assert_equal "$(sender --tls=none -f '<>' <from)" ""
	assert_equal "$(sender --tls=none -f '' <from)" ""
	assert_equal "$(sender --tls=none --from='*@x.example' <from)" ann@x.example
	assert_equal "$(sender --tls=none --from=joe@y.example <from)" joe@y.example
	assert_equal "$(sender --tls=none --from='*@y.example' <from)" ann@x.example
	assert_equal "$(sender --tls=none --from=joe@y.example <plain)" joe@y.example
	assert_equal "$(sender --tls=none --auth=none --user=joe@z.example <plain)" joe@z.example
	[[ $(sender --tls=none <plain) == ?*@?* ]]
}

# --- reports

# One object, with the same end as the program's.
is_report()
{
	jq -e --argjson exit "$status" --arg code "$1" \
	    '.version == 1 and .exit == $exit and .error.enhanced == $code and .error.code == 0 and
		.error.phase == "local" and (.error.text | length > 0) and .recipients == [] and
		.server == null and .tls == null and .auth == null and .reply == null' \
	    <<<"$output" >/dev/null || fail "$output"
	assert_equal "$(wc -l <<<"$output")" 1
}

@test "a failure of our own as JSON" {
	need jq
	submit --report=json --colour bob@x.example <letter
	is_report 5.5.4
	submit --report=json <letter
	is_report 5.5.1
	submit --report=json $'b"\\\033\xff\xc3@x' <letter
	is_report 5.1.3
	submit --report=json root <letter
	is_report 5.1.3
	submit --report=json -f 'a"b' bob@x.example <letter
	is_report 5.1.7
	submit --report=json --config=missing bob@x.example <letter
	is_report 5.3.5
	submit --report=json --message=missing bob@x.example <letter
	is_report 5.3.0
	submit --report=json bob@x.example </dev/null
	is_report 5.6.0
	refute [ -z "$stderr" ]
}

@test "a failure to connect as JSON" {
	need jq
	submit --report=json --user=alice --password-command='echo x' bob@x.example '"e\"v e"@x.example' \
	    <letter
	assert_equal "$status" 75
	jq -e '.exit == 75 and .error == null and .sender == "me@x.example" and
	    (.recipients | length) == 2 and
	    .recipients[1].address == "\"e\\\"v e\"@x.example" and
	    (.recipients | all(.result == "deferred" and .enhanced == "4.4.1" and .code == 0 and
		.phase == "connect"))' <<<"$output" >/dev/null || fail "$output"
	assert_equal "$(wc -l <<<"$stderr")" 1
}

@test "the same as text" {
	submit --report=text bob@x.example eve@x.example <letter
	assert_equal "$status" 75
	assert_line --regexp '^bob@x.example: 4.4.1 deferred: '
	assert_line --regexp '^eve@x.example: 4.4.1 deferred: '
	submit --report=text root <letter
	assert_output --regexp '^error: 5.1.3 .*root'
}

@test "a report to a descriptor" {
	need jq
	in_shell '"$PNEU" "$@" 7>report' --report-fd=7 bob@x.example <letter
	reaches_server
	assert_equal "$(jq .exit report)" 75
	in_shell '"$PNEU" "$@" 7>report' --report=text --report-fd=7 bob@x.example <letter
	reaches_server
	grep -q '^bob@x.example: 4.4.1' report
}

@test "a descriptor that is not open" {
	for fd in 99 x -1 1x ''; do
		submit --report-fd="$fd" bob@x.example <letter 3>&-
		fails 64 5.5.4 "no open descriptor \"$fd\""
	done
	submit --report=xml bob@x.example <letter
	fails 64 5.5.4 "text or json"
}

@test "a report that cannot be written changes nothing" {
	[ -e /dev/full ] || skip "there is no /dev/full"
	in_shell '"$PNEU" "$@" >/dev/full' --report=json bob@x.example <letter
	assert_equal "$status" 75
	[[ $stderr == *"4.4.1"* && $stderr == *"cannot write the report"* ]] || fail "$stderr"
}

@test "what is said is one printable line" {
	submit $'b\033[2J\377@x.example' <letter
	fails 65 5.1.3
	[[ $stderr != *$'\033'* && $stderr != *$'\377'* ]]
	printf '\033]0;x\007 y\n' >config
	pneu --config=config bob@x.example <letter
	fails 78 5.3.5
	[[ $stderr != *$'\033'* && $stderr != *$'\007'* ]]
}
