#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The program without a server: configuration files, and passwords from elsewhere.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
}

# --- configuration

# with_config [argument ...]: the file "config"; the message is the letter.
with_config()
{
	pneu --config=config "$@" bob@x.example <letter
}

config()
{
	printf '%s\n' "$@" >config
	chmod 600 config
}

@test "two lines are a configuration" {
	config 'server smtp://127.0.0.1:1' 'tls none'
	with_config
	reaches_server
}

@test "a file that is named must be there" {
	pneu --config=missing bob@x.example <letter
	fails 78 5.3.5 "missing: No such file"
	pneu --config=. bob@x.example <letter
	fails 78 5.3.5 "Is a directory"
	PNEU_CONFIG=missing pneu bob@x.example <letter
	fails 78 5.3.5 "missing: No such file"
}

@test "a file that cannot be read" {
	[ "$(id -u)" -ne 0 ] || need setpriv
	unprivileged "$PNEU" --version >/dev/null 2>&1 || skip "others cannot run the program here"
	mkdir -m 755 open
	mkdir -m 000 shut
	config 'server smtp://127.0.0.1:1'
	mv config open/config
	chmod 000 open/config
	unprivileged ls open >/dev/null 2>&1 || skip "others cannot look into the directory of the test"
	run --separate-stderr unprivileged "$PNEU" --config=open/config bob@x.example <letter
	fails 78 5.3.5 "open/config: Permission denied"
	run --separate-stderr unprivileged "$PNEU" --config=shut/config bob@x.example <letter
	fails 78 5.3.5 "shut/config: Permission denied"
	mkdir open/pneu
	mv open/config open/pneu/config
	chmod 700 shut
	# the directories above may be shut as well
	[ -e /proc/self/cwd ] || skip "there is no /proc"
	XDG_CONFIG_HOME=/proc/self/cwd/open run --separate-stderr unprivileged "$PNEU" bob@x.example <letter
	fails 78 5.3.5 "open/pneu/config: Permission denied"
}

@test "no server" {
	config 'tls none'
	with_config
	fails 78 5.3.5 "no server is set" "submissions://" "--server"
}

@test "an unknown keyword: file, line, and what was meant" {
	config '# two' '' 'server smtp://x' 'tiemout 30s'
	with_config
	fails 78 5.3.5 "config:4: " '"tiemout"' 'did you mean "timeout"?'
	config 'colour green'
	with_config
	fails 78 5.3.5 "config:1: " '"colour"'
}

@test "settings of a file check their values" {
	while read -r keyword value; do
		config 'server smtp://x' "$keyword $value"
		with_config
		fails 78 5.3.5 "config:2: "
	done <<-'END'
		tls fast
		timeout 1w
		deadline
		partial maybe
		server smtp.example.org
		server smtp://x:smtp
		auth kerberos
		from <x>
		user "a
		user "a" b
		password-fd x
		tls-pin x
		account
		account a b
		include
	END
	config $'user a\033[2Jb'
	with_config
	fails 78 5.3.5 "config:1: " "control character"
	printf 'user a\0b\n' >config
	with_config
	fails 78 5.3.5 "config:1: " NUL
}

@test "a file says no password when it is wrong" {
	local line

	for line in 'password=TopSecret' 'password: TopSecret' 'passwort TopSecret' \
	    'server smtp://u:TopSecret@x:0' 'server smtp://alice:TopSecret' 'server alice:TopSecret@x' \
	    $'password TopSecret\033'; do
		config "$line"
		with_config --report=json
		assert_equal "$status" 78
		[[ $stderr == *config:1:* ]]
		[[ $stderr$output != *TopSecret* ]] || fail "$line: $stderr $output"
	done
}

@test "include" {
	mkdir -p dir/sub
	printf 'include sub/part\n' >dir/main
	printf 'server smtp://127.0.0.1:1\ninclude "next part" # here\n' >dir/sub/part
	printf 'tls none\n' >"dir/sub/next part"
	pneu --config=dir/main bob@x.example <letter
	reaches_server
	printf 'include %s/dir/sub/part\n' "$PWD" >dir/main
	pneu --config=dir/main bob@x.example <letter
	reaches_server
	printf 'include ~/dir/sub/part\n' >dir/main
	pneu --config=dir/main bob@x.example <letter
	reaches_server
	printf 'tsl none\n' >"dir/sub/next part"
	pneu --config=dir/main bob@x.example <letter
	fails 78 5.3.5 "dir/sub/next part:1: "
}

@test "include of what is not there, and of itself" {
	config 'server smtp://x' 'include missing'
	with_config
	fails 78 5.3.5 "config:2: " "include missing: No such file"
	config 'include .'
	with_config
	fails 78 5.3.5 "config:1: " "directory"
	config 'server smtp://x' 'include config'
	with_config
	fails 78 5.3.5 "config:2: " "include each other"
	echo 'include config' >other
	config 'include other'
	with_config
	fails 78 5.3.5 ":1: " "include each other"
}

@test "a file with a password is for its owner alone" {
	for line in $'password TopSecret\nserver smtp://alice@127.0.0.1:1' \
	    'server smtp://alice:TopSecret@127.0.0.1:1'; do
		config 'tls none' "$line"
		for mode in 644 604 622 602 666; do
			chmod "$mode" config
			with_config
			fails 78 5.3.5 "chmod 600 config"
		done
		chmod 600 config
		with_config
		reaches_server
		chmod 400 config
		with_config
		reaches_server
	done
	config 'server smtp://127.0.0.1:1' 'tls none' 'user alice' 'password-command echo x'
	chmod 644 config
	with_config
	reaches_server
}

@test "each file with a password counts for itself" {
	config 'include part'
	printf 'server smtp://alice@127.0.0.1:1\ntls none\npassword x\n' >part
	chmod 644 part
	with_config
	fails 78 5.3.5 "chmod 600 part"
	chmod 600 part
	chmod 644 config
	with_config
	reaches_server
	config 'password x' 'include part'
	printf 'server smtp://alice@127.0.0.1:1\ntls none\n' >part
	chmod 644 part
	with_config
	reaches_server
}

@test "a password file is for its owner alone" {
	echo x >secret
	for mode in 644 602; do
		chmod "$mode" secret
		submit --user=alice --password-file=secret bob@x.example <letter
		fails 78 5.3.5 "chmod 600 secret"
	done
	chmod 600 secret
	submit --user=alice --password-file=secret bob@x.example <letter
	reaches_server
	submit --user=alice --password-file=missing bob@x.example <letter
	fails 78 5.3.5 "missing: No such file"
	: >secret
	submit --user=alice --password-file=secret bob@x.example <letter
	fails 78 5.7.0 "empty"
	printf 'a\0b\n' >secret
	submit --user=alice --password-file=secret bob@x.example <letter
	fails 78 5.7.0 "NUL"
}

@test "a password command" {
	submit --user=alice --password-command='echo x' bob@x.example <letter
	reaches_server
	submit --user=alice --password-command='exit 3' bob@x.example <letter
	fails 78 5.7.0 "3"
	submit --user=alice --password-command='exit 75' bob@x.example <letter
	fails 75 4.7.0 "75"
	submit --user=alice --password-command='true' bob@x.example <letter
	fails 78 5.7.0 "empty"
	submit --user=alice --password-command='kill -KILL $$' bob@x.example <letter
	fails 78 5.7.0 "signal"
	submit --user=alice bob@x.example <letter
	fails 78 5.7.0 "no password for alice" "password-command"
	submit --user=alice --password-command='cat >stolen; echo x' bob@x.example <letter
	reaches_server
	assert_equal "$(cat stolen)" ""
}

# A file in each place says who it is by its mistake.
@test "where the configuration is looked for" {
	mkdir -p xdg/pneu home/.config/pneu
	echo wrong >option
	echo wrong >variable
	echo wrong >xdg/pneu/config
	echo wrong >home/.config/pneu/config
	export HOME=$PWD/home

	PNEU_CONFIG=variable XDG_CONFIG_HOME=$PWD/xdg pneu --config=option bob@x.example <letter
	fails 78 5.3.5 "option:1: "
	PNEU_CONFIG=variable XDG_CONFIG_HOME=$PWD/xdg pneu bob@x.example <letter
	fails 78 5.3.5 "variable:1: "
	PNEU_CONFIG='' XDG_CONFIG_HOME=$PWD/xdg pneu bob@x.example <letter
	fails 78 5.3.5 "xdg/pneu/config:1: "
	XDG_CONFIG_HOME=xdg pneu bob@x.example <letter
	fails 78 5.3.5 "home/.config/pneu/config:1: "
	XDG_CONFIG_HOME='' pneu bob@x.example <letter
	fails 78 5.3.5 "home/.config/pneu/config:1: "
	pneu bob@x.example <letter
	fails 78 5.3.5 "home/.config/pneu/config:1: "
}

@test "no configuration at all, and no environment either" {
	# the system's file may be there; its name is in the program
	local system

	system=$(grep -ao '/[A-Za-z0-9_./-]*/pneu/config' "$PNEU" | grep -v '^/\.config' | head -n 1)
	[ ! -e "$system" ] || skip "$system is there"
	XDG_CONFIG_HOME=$PWD/none pneu bob@x.example <letter
	fails 78 5.3.5 "no server is set" "$PWD/none/pneu/config"
	HOME=$PWD/none pneu bob@x.example <letter
	fails 78 5.3.5 "no server is set" "$PWD/none/.config/pneu/config"
	HOME=/dev/null pneu bob@x.example <letter
	fails 78 5.3.5 "no server is set"
	run --separate-stderr env -i XDG_CONFIG_HOME="$PWD/none" "$PNEU" bob@x.example <letter
	fails 78 5.3.5 "no server is set"
	# all of them but for the first, --config
	run --separate-stderr env -i XDG_CONFIG_HOME="$PWD/none" "$PNEU" "${nowhere[@]:1}" bob@x.example \
	    <letter
	reaches_server
}

@test "which account" {
	need jq
	config 'server smtp://127.0.0.1:1' 'tls none' 'account home' 'from *@home.example' 'account work' \
	    'from bob@work.example'
	which() { jq -r .account <<<"$output"; }
	with_config --report=json -a work
	assert_equal "$(which)" work
	with_config --report=json -f bob@work.example
	assert_equal "$(which)" work
	with_config --report=json -f joe@work.example
	assert_equal "$(which)" home
	with_config --account=werk
	fails 78 5.3.5 werk
	with_config --account=
	assert_equal "$status" 78
}
