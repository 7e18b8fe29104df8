#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Where passwords come from.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load login
	login_ready
}

teardown()
{
	login_done
}

# --- password-file

@test "a file, with one line end or none" {
	local text

	for text in 's3cret' 's3cret\n' 's3cret\r\n'; do
		serve_password s3cret
		# shellcheck disable=SC2059
		printf "$text" >password
		client --password-file=password
		delivered
	done
}

@test "no more than one line end is cut off" {
	serve_password $'s3cret\n'
	printf 's3cret\n\n' >password
	client --password-file=password
	delivered
}

@test "whatever is in it, as it is" {
	local password token

	token=$(printf '0123456789abcdef%.0s' {1..256})
	# shellcheck disable=SC2016
	for password in ' a b  ' "it's \"quoted\"" 'a:b/c@d' 'back\slash\n' 'pässwörd €' '#no comment' \
	    '$HOME`id`' "$token"; do
		serve_password "$password"
		printf '%s\n' "$password" >password
		client --password-file=password
		delivered
	done
}

@test "a file that others can read or change" {
	local mode

	printf 's3cret\n' >password
	for mode in 644 604 602 620 666; do
		chmod $mode password
		serve_nobody
		client --password-file=password
		refused 5.3.5 78 'chmod 600 password'
	done
	chmod 400 password
	serve_password s3cret
	client --password-file=password
	delivered
}

@test "a file that is not there, is empty, holds a NUL, or far too much" {
	serve_nobody
	client --password-file=nowhere
	refused 5.3.5 78 password-file nowhere
	: >empty
	echo >line
	printf 's3\0cret\n' >nul
	head -c 70000 /dev/zero | tr '\0' x >large
	serve_nobody
	client --password-file=empty
	refused 5.7.0 78 empty
	serve_nobody
	client --password-file=line
	refused 5.7.0 78 'is empty'
	serve_nobody
	client --password-file=nul
	refused 5.7.0 78 NUL
	serve_nobody
	client --password-file=large
	assert_failure 78
	peer_end
	serve_nobody
	client --password-file=.
	assert_failure 78
	peer_end
}

@test "nobody has a password" {
	serve_nobody
	client
	refused 5.7.0 78 alice localhost password-command password-file
}

# --- password-command

@test "a command, with whatever a shell does" {
	local password

	for password in 's3cret' ' a "b" ' 'pässwörd' "$(printf '0123456789abcdef%.0s' {1..256})"; do
		serve_password "$password"
		export PASSWORD=$password
		client --password-command='printf "%s\n" "$PASSWORD" | cat'
		delivered
	done
}

@test "a command that says to try later: 4.7.0, exit 75" {
	serve_nobody
	client --password-command='echo wrong; exit 75'
	refused 4.7.0 75 password-command
}

@test "a command that fails, whatever it prints: exit 78" {
	serve_nobody
	client --password-command='echo wrong; exit 3'
	refused 5.7.0 78 password-command 'status 3'
	serve_nobody
	client --password-command='kill -KILL $$'
	refused 5.7.0 78 password-command 'signal 9'
	serve_nobody
	client --password-command=true
	refused 5.7.0 78 password-command empty
	serve_nobody
	client --password-command='printf "s3\0cret"'
	refused 5.7.0 78 NUL
	serve_nobody
	client --password-command='yes'
	refused 5.7.0 78 password-command
	serve_nobody
	client --password-command='exec /nonexistent/command 2>/dev/null'
	refused 5.7.0 78 'status 127'
}

@test "a command that fails where the caller ignores its children" {
	serve_nobody
	printf '%s\n' '#!/bin/sh' "exec env --ignore-signal=CHLD '$PNEU' \"\$@\"" >ignorant
	chmod 700 ignorant
	PNEU=./ignorant client --password-command='echo wrong; exit 3'
	refused 5.7.0 78 password-command 'status 3'
	serve_password s3cret
	PNEU=./ignorant client --password-command='echo s3cret'
	delivered
}

@test "a command that hangs is left at the deadline" {
	serve_nobody
	client --deadline=1s --password-command='exec sleep 30'
	refused 4.7.0 75 password-command
}

@test "... even one that has said it all" {
	serve_nobody
	SECONDS=0
	client --deadline=1s --password-command='echo s3cret; exec >&-; exec sleep 12'
	refused 4.7.0 75 password-command
	assert [ "$SECONDS" -lt 10 ]
}

@test "a signal ends the waiting for a command" {
	local status=0

	serve_nobody
	"$PNEU" --config=/dev/null --server="$url" --tls=none -f alice@sender.com \
	    --password-command='echo >started; exec sleep 30' bob@example.org <message >out 2>err 3>&- &
	pid=$!
	until_true test -e started
	kill -TERM "$pid"
	wait "$pid" || status=$?
	assert_equal "$status" 75
	assert_regex "$(cat err)" 'interrupted'
	peer_end
}

@test "a command has no part in the message" {
	serve_password s3cret
	client --password-command='test -z "$(cat)" && echo s3cret'
	delivered
}

@test "a command has three descriptors, no signal ignored or held back, and no secret around it" {
	local name

	[ -r /proc/self/status ] || skip "there is no /proc here"
	serve_password $'0\n1\n2'
	client --password-command='ls /proc/$$/fd; :' 9<message
	delivered
	serve_password s3cret
	# read by the shell itself, which holds back signals while it starts another program
	client --password-command='while read -r line; do echo "$line"; done </proc/$$/status >status
		env >environment; echo s3cret' 9<message
	delivered
	for name in SigIgn SigBlk; do
		# signal 32, the highest bit, is the C library's own: nobody can set it, and make
		# leaves it ignored
		assert_equal "$(sed -n "s/^$name:[^0-9a-f]*[0-9a-f]\{8\}[08]//p" status)" 0000000
	done
	run grep -e s3cret -e "$(plain s3cret)" environment
	assert_failure
}

@test "what a command complains of is seen" {
	serve_nobody
	client --password-command='echo "gpg: no such key" >&2; exit 2'
	assert_failure 78
	assert_regex "$stderr" 'gpg: no such key'
	peer_end
}

# --- password-fd

@test "a descriptor" {
	serve_password s3cret
	client --password-fd=9 9<<<s3cret
	delivered
}

@test "standard input, when the message is in a file" {
	serve_password s3cret
	at_server --message=message --password-fd=0 <<<s3cret
	delivered
}

@test "a descriptor that is not open, and none of our own" {
	local fd

	for fd in 3 4 5 6 7 8 11 100000; do
		serve_nobody
		echo "descriptor $fd:"
		client --password-fd=$fd 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 11>&-
		assert_regex "$status" '^(64|78)$'
		assert_equal "${#stderr_lines[@]}" 1
		assert_regex "$stderr" password-fd
		peer_end
	done
}

@test "a descriptor serves all servers" {
	local first

	printf '%s\n' 'S: 421 4.3.2 busy' >dialogue
	serve
	first=$url
	first_dir=$peer_dir
	serve_password s3cret
	configured "server $first" "server $url" -- --password-fd=9 9<<<s3cret
	delivered
	assert [ -e "$first_dir/transcript" ]
}

# --- $CREDENTIALS_DIRECTORY and ~/.netrc

@test "the service manager's credentials: that of the account, else the common one" {
	mkdir credentials
	export CREDENTIALS_DIRECTORY=$PWD/credentials
	echo common >credentials/pneu.password
	serve_password common
	client
	delivered

	echo work >credentials/pneu.work
	for account in work home; do
		if [ $account = work ]; then
			serve_password work
		else
			serve_password common
		fi
		configured "server $url" 'account work' 'account home' -- -a $account
		delivered
	done
}

@test "netrc" {
	printf '%s\n' '# mine' 'machine mail.example.org login alice password wrong' 'machine localhost' \
	    '	login bob password "not this one"' 'machine localhost login alice password "s3 cr\"et"' \
	    'default login alice password neither' >.netrc
	serve_password 's3 cr"et'
	client
	delivered
}

@test "netrc of 4 KiB a word, and one that others can read" {
	local token

	token=$(printf '0123456789abcdef%.0s' {1..256})
	echo "machine localhost login alice password $token" >.netrc
	serve_password "$token"
	client
	delivered
	chmod 644 .netrc
	serve_nobody
	client
	refused 5.3.5 78 "chmod 600 .*\.netrc"
}

@test "netrc has nothing for this user" {
	echo "machine localhost login bob password s3cret" >.netrc
	serve_nobody
	client
	refused 5.7.0 78 alice
}

# --- one after the other

@test "the order of the places" {
	local expected
	local -a lines

	mkdir credentials
	echo file >password
	echo service >credentials/pneu.password
	echo 'machine localhost login alice password netrc' >.netrc
	export CREDENTIALS_DIRECTORY=$PWD/credentials
	cat >all <<-'END'
		url      server smtp://alice:url@localhost:PORT
		keyword  password keyword
		fd       password-fd 9
		file     password-file password
		command  password-command echo command
	END
	for expected in url keyword fd file command service netrc; do
		case $expected in
		service) sed -i '/^command/d' all ;;
		netrc) rm -r credentials ;;
		*) ;;
		esac
		serve_password $expected
		grep -q ^url all || echo "url server $url" >>all
		mapfile -t lines < <(sed "s/^[a-z]* *//; s/PORT/$peer_port/" all)
		echo "$expected:"
		configured "${lines[@]}" 9<<<fd
		delivered
		sed -i -e "/^$expected /d" -e '/^url server .*alice@/d' all
	done
}

@test "a place on the command line comes before all those of the configuration" {
	local option

	echo one >one
	echo two >two
	for option in --password-file=one '--password-command=cat one' --password-fd=9; do
		serve_password one
		configured "server $url" 'password two' 'password-file two' 'password-command cat two' -- \
		    "$option" 9<one
		delivered
	done
}

@test "a configuration with a password that others can read" {
	printf '%s\n' 'server smtp://alice@localhost:1' 'password s3cret' >config
	chmod 644 config
	run --separate-stderr "$PNEU" --config=config -f alice@sender.com bob@example.org <message
	assert_failure 78
	assert_regex "$stderr" '5\.3\.5 .*chmod'
}

# --- a terminal

# typed WORD: the client on a terminal of its own, with WORD typed after the prompt. What was shown is in the
# file typescript; the exit code is $status.
typed()
{
	local script command="'$PNEU' --config=/dev/null --server=$url --tls=none --ehlo=mail.sender.com"

	command -v script >/dev/null || skip "there is no script(1) here (apt-get install bsdutils)"
	mkfifo keyboard
	: >typescript
	command+=" -f alice@sender.com --message=message bob@example.org"
	script -qefc "$command" typescript <keyboard >/dev/null 2>&1 3>&- &
	script=$!
	exec 8>keyboard
	if until_true grep -q 'Password of' typescript; then
		printf '%s\n' "$1" >&8
	fi
	status=0
	wait "$script" || status=$?
	exec 8>&-
}

@test "a terminal is asked, and shows nothing of the answer" {
	script -qec true /dev/null >/dev/null 2>&1 || skip "there are no pseudo-terminals here"
	serve_password 's3 cret'
	typed 's3 cret'
	cat typescript
	assert_equal "$status" 0
	run grep 'Password of alice at localhost' typescript
	assert_success
	run grep 's3 cret' typescript
	assert_failure
	peer_end
}

@test "an empty answer" {
	script -qec true /dev/null >/dev/null 2>&1 || skip "there are no pseudo-terminals here"
	serve_nobody
	typed ''
	assert_equal "$status" 78
	run grep -F '5.7.0 ' typescript
	assert_success
	peer_end
}

@test "without a terminal nobody is asked" {
	serve_nobody
	printf '%s\n' '#!/bin/sh' "exec setsid -w '$PNEU' \"\$@\"" >lonely
	chmod 700 lonely
	PNEU=./lonely client
	refused 5.7.0 78 'no password'
}
