#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Where secrets do not go, and tokens that are refused.

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

# --- where a secret does not go

# secrets SECRET: it and its forms on the wire.
secrets()
{
	printf '%s\n' "$1" "$(plain "$1")" "$(printf %s "$1" | base64 -w 0)"
}

@test "a secret is in no argument list and no environment, and there are no core files" {
	[ -r /proc/self/limits ] || skip "there is no /proc here"
	{
		greeting
		echo "C: AUTH PLAIN $(plain s3cret-word)"
		echo STALL
	} >dialogue
	serve
	echo s3cret-word >password
	"$PNEU" --config=/dev/null --server="$url" --tls=none --ehlo=mail.sender.com -f alice@sender.com \
	    --password-file=password bob@example.org <message >out 2>err 3>&- &
	pid=$!
	until_true grep -q STALL "$peer_dir/transcript"
	run cat "/proc/$pid/limits"
	assert_line --regexp '^Max core file size +0 +0 '
	secrets s3cret-word >patterns
	run grep -aFf patterns "/proc/$pid/cmdline"
	assert_failure
	if [ -r "/proc/$pid/environ" ]; then
		run grep -aFf patterns "/proc/$pid/environ"
		assert_failure
	fi
	kill -TERM "$pid"
	wait "$pid" || true
	pid=
	peer_end
	run grep -aFf patterns out err
	assert_failure
}

@test "a secret is in no trace and no report, even when the server repeats it" {
	local mech

	echo s3cret-word >password
	secrets s3cret-word >patterns
	for mech in PLAIN LOGIN; do
		{
			greeting $mech
			if [ $mech = PLAIN ]; then
				echo 'C: AUTH PLAIN ***'
			else
				printf '%s\n' 'C: AUTH LOGIN' 'S: 334 VXNlcm5hbWU6' 'C: ***'
				printf '%s\n' 'S: 334 UGFzc3dvcmQ6' 'C: ***'
			fi
			if [ $mech = PLAIN ]; then
				echo "S: 535 5.7.8 No: s3cret-word, that is $(plain s3cret-word)"
			else
				echo "S: 535 5.7.8 No: s3cret-word, that is $(printf %s s3cret-word | base64)"
			fi
			printf '%s\n' 'C: QUIT' 'S: 221 2.0.0 Bye'
		} >dialogue
		serve
		client -v --report=json --password-file=password
		assert_failure 77
		printf '%s\n' "$output" "$stderr" >shown
		run grep -Ff patterns shown
		assert_failure
		peer_end
	done
}

@test "a password on the command line is refused, and not repeated" {
	local option

	url=smtp://alice@localhost:1
	for option in --server=smtp://alice:s3cret-word@localhost --password=s3cret-word \
	    "--password s3cret-word"; do
		# shellcheck disable=SC2086
		client $option
		assert_failure 64
		refute_regex "$stderr$output" s3cret-word
	done
}

@test "a bad line with a password in it is not repeated" {
	configured 'server smtp://alice:s3cret-word@local host:99999'
	assert_failure 78
	refute_regex "$stderr$output" s3cret-word
}

# --- a login that cannot be done

@test "a mechanism is demanded and there is no user: the mail is not sent without a login" {
	serve_nobody
	url=smtp://localhost:$peer_port client --auth=plain
	assert_failure 78
	peer_end
}

@test "there is a password and no user: the mail is not sent without a login" {
	echo s3cret >password
	serve_nobody
	url=smtp://localhost:$peer_port client --password-file=password
	assert_failure 78
	peer_end
}

# --- tokens

# token_refused MECHANISM ANSWER: a login by a token, whose error the client has to answer by ANSWER.
token_refused()
{
	greeting "$1"
	echo "C: AUTH $1 ***"
	echo "S: 334 $(printf '{"status":"invalid_token","scope":"mail"}' | base64 -w 0)"
	echo "C: $2"
	echo "S: 535 5.7.8 Authentication failed"
	echo 'C? QUIT'
}

token_good()
{
	greeting "$1"
	echo "C: AUTH $1 ***"
	mail
}

# The tokens that the server has seen, in turn.
tokens()
{
	sed -n 's/^C: AUTH [A-Z0-9]* //p' "$peer_dir/transcript" | while read -r response; do
		printf '%s' "$response" | base64 -d | tr '\1' '\n' | sed -n 's/^auth=Bearer //p'
	done
}

# shellcheck disable=SC2016
fresh='if [ -n "$PNEU_TOKEN_REFRESH" ]; then
	env >environment
	echo "fresh-$PNEU_TOKEN_REFRESH"
else
	echo stale-token
fi'

@test "a token that is refused: a fresh one, on a fresh connection, once" {
	local mech answer

	for mech in OAUTHBEARER XOAUTH2; do
		answer=
		if [ $mech = OAUTHBEARER ]; then
			answer=AQ==
		fi
		{
			token_refused $mech "$answer"
			echo NEXT
			token_good $mech
		} >dialogue
		serve
		PNEU_TOKEN_REFRESH=7 client --auth=$mech --password-command="$fresh"
		delivered
		assert_equal "$(tokens | tr '\n' ' ')" "stale-token fresh-1 "
		run grep stale-token environment
		assert_failure
	done
}

@test "a token that is refused again: the end, with the server's explanation" {
	{
		token_refused OAUTHBEARER AQ==
		echo NEXT
		token_refused OAUTHBEARER AQ==
		echo NOBODY
	} >dialogue
	serve
	client --auth=oauthbearer --password-command="echo asked >>asked; $fresh"
	assert_failure 77
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" '5\.7\.8 .*invalid_token'
	refute_regex "$stderr" 'stale-token|fresh-1'
	assert_equal "$(grep -c . asked)" 2
	peer_end
}

@test "a token that is refused without an explanation" {
	{
		greeting XOAUTH2
		echo "C: AUTH XOAUTH2 ***"
		echo "S: 535 5.7.3 Authentication unsuccessful"
		echo 'C? QUIT'
		echo NEXT
		token_good XOAUTH2
	} >dialogue
	serve
	client --password-command="$fresh"
	delivered
	assert_equal "$(tokens | tr '\n' ' ')" "stale-token fresh-1 "
}

@test "a token for later is no token to replace: 454 is not 535" {
	{
		greeting OAUTHBEARER
		echo "C: AUTH OAUTHBEARER ***"
		echo "S: 454 4.7.0 Temporary authentication failure"
		echo 'C? QUIT'
		echo NOBODY
	} >dialogue
	serve
	client --password-command="echo asked >>asked; $fresh"
	assert_failure 75
	assert_equal "$(grep -c . asked)" 1
	peer_end
}

@test "a password that is refused is asked for once" {
	{
		greeting PLAIN
		echo "C: AUTH PLAIN ***"
		echo "S: 535 5.7.8 No"
		echo 'C? QUIT'
		echo NOBODY
	} >dialogue
	serve
	client --password-command="echo asked >>asked; $fresh"
	assert_failure 77
	assert_equal "$(grep -c . asked)" 1
	peer_end
}

@test "a token from a file cannot be refreshed" {
	{
		token_refused OAUTHBEARER AQ==
		echo NOBODY
	} >dialogue
	serve
	echo stale-token >token
	client --password-file=token
	assert_failure 77
	assert_regex "$stderr" invalid_token
	peer_end
}

@test "a fresh token that cannot be had is the end" {
	{
		token_refused OAUTHBEARER AQ==
		echo NOBODY
	} >dialogue
	serve
	client --password-command='test -z "$PNEU_TOKEN_REFRESH" && echo stale-token'
	assert_failure 78
	assert_regex "$stderr" password-command
	peer_end
}
