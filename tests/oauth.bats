#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# contrib/pneu-oauth: logins and tokens, at a provider that only plays one, and as the client's
# password-command.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load login
	local program

	for program in curl jq perl openssl; do
		command -v $program >/dev/null || skip "$program is not installed (apt-get install $program)"
	done
	login_ready
	provider_pid=
	provider_start
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config.d XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	oauth=$PNEU_SRC/contrib/pneu-oauth
	kept=$XDG_STATE_HOME/pneu/oauth/work
	mkdir -p "$XDG_CONFIG_HOME/pneu/oauth" "${kept%/*}" bin
	say_config
	# nobody waits here, but it is noted for how long
	printf '#!/bin/sh\necho "$1" >>"%s/slept"\n' "$PWD" >bin/sleep
	chmod +x bin/sleep
	PATH=$PWD/bin:$PATH
}

teardown()
{
	login_done
	if [ -n "$provider_pid" ]; then
		kill "$provider_pid" 2>/dev/null || true
	fi
}

provider_start()
{
	provider=$BATS_TEST_TMPDIR/provider
	mkdir "$provider"
	"$PNEU_SRC/tests/token_server" "$provider" 3>&- &
	provider_pid=$!
	until_true test -e "$provider/port"
	provider_url=http://127.0.0.1:$(cat "$provider/port")
	asked=0
}

# say_config [LINE ...]: the configuration of work, for the provider, with these lines before the others.
say_config()
{
	printf '%s\n' "$@" 'client-id the-client' 'scope offline_access  mail.send' \
	    "token-url $provider_url/token" "device-url $provider_url/device" \
	    "authorize-url $provider_url/authorize" >"$XDG_CONFIG_HOME/pneu/oauth/work"
}

# answers STATUS JSON: to the next request that has no answer yet.
answers()
{
	asked=$((asked + 1))
	printf '%s\n%s' "$1" "$2" >"$provider/answer.$asked"
}

# request N LINE ...: the Nth request was this.
request()
{
	assert_equal "$(cat "$provider/request.$1")" "$(shift && printf '%s\n' "$@")"
}

answers_device()
{
	answers 200 "$(printf '{"device_code":"dev/ice=code","user_code":"ABCD-EFGH","interval":%s,' "${1:-5}"
		printf '"verification_uri":"https://example.com/device","expires_in":900}')"
}

# a_token ACCESS [REFRESH [EXPIRES]]
a_token()
{
	printf '{"token_type":"Bearer","access_token":"%s","expires_in":%s%s}' "$1" "${3:-3600}" \
	    "${2:+,\"refresh_token\":\"$2\"}"
}

# keeps ACCESS REFRESH [SECONDS]: as if it had logged in before.
keeps()
{
	printf '%s\n' $(($(date +%s) + ${3:-3600})) "$1" "$2" >"$kept"
}

# oauth COMMAND ...
oauth()
{
	run --separate-stderr "$oauth" "$@" </dev/null
}

device_grant=grant_type=urn:ietf:params:oauth:grant-type:device_code

# --- login by a device

@test "login: the code is shown, and asked for until it has been typed" {
	answers_device 7
	answers 400 '{"error":"authorization_pending"}'
	answers 400 '{"error":"slow_down"}'
	answers 400 '{"error":"authorization_pending"}'
	answers 200 "$(a_token first-token first-refresh)"
	oauth login work
	assert_success
	assert_output ""
	assert_regex "$stderr" 'https://example.com/device'
	assert_regex "$stderr" 'ABCD-EFGH'
	request 1 /device client_id=the-client 'scope=offline_access  mail.send'
	request 2 /token client_id=the-client "$device_grant" device_code=dev/ice=code
	assert_equal "$(tr '\n' ' ' <slept)" "7 7 12 12 "
	assert_equal "$(stat -c %a "$kept" "${kept%/*}" | tr '\n' ' ')" "600 700 "
	assert_equal "$(ls "${kept%/*}")" "$(printf 'work\nwork.lock')"
	oauth token work
	assert_success
	assert_output first-token
	assert [ ! -e "$provider/request.6" ]
}

@test "login: nobody types the code, or says no" {
	answers_device
	answers 400 '{"error":"authorization_pending"}'
	answers 400 '{"error":"expired_token","error_description":"too late"}'
	oauth login work
	assert_failure 77
	assert_regex "$stderr" 'in time'
	answers_device
	answers 400 '{"error":"access_denied","error_description":"She said no.\u001b[2J"}'
	oauth login work
	assert_failure 77
	assert_regex "$stderr" 'access_denied: She said no\.'
	refute_regex "$stderr" $'\033'
	assert [ ! -e "$kept" ]
}

@test "login: the provider takes no such login" {
	answers 400 '{"error":"invalid_client","error_description":"Who is the-client?"}'
	oauth login work
	assert_failure 77
	assert_regex "$stderr" 'invalid_client: Who is the-client\?'
	answers 404 '<html>'
	oauth login work
	assert_failure 77
	assert_regex "$stderr" 'HTTP status 404'
}

@test "login: a provider that is not there for a while is asked less often" {
	answers_device 5
	answers 503 ''
	answers 502 '<html>'
	answers 200 "$(a_token first-token first-refresh)"
	oauth login work
	assert_success
	assert_equal "$(tr '\n' ' ' <slept)" "5 10 20 "
}

@test "login: no refresh token is told" {
	answers_device
	answers 200 "$(a_token first-token)"
	oauth login work
	assert_success
	assert_regex "$stderr" 'no refresh token'
}

# --- login by a browser

# browser ADDRESS: what is pasted, with STATE in it replaced.
browser()
{
	mkfifo typed
	"$oauth" login work <typed >out 2>err 3>&- &
	pid=$!
	exec 4>typed
	until_true grep -q 'paste' err
	state=$(sed -n 's/^Open .*[?&]state=\([^&]*\).*/\1/p' err)
	challenge=$(sed -n 's/^Open .*[?&]code_challenge=\([^&]*\).*/\1/p' err)
	assert_regex "$state" '^.{40,}$'
	printf '%s\n' "${1/STATE/$state}" >&4
	exec 4>&-
	status=0
	wait "$pid" || status=$?
	pid=
	rm typed
}

@test "login: the address where a browser ends up" {
	say_config 'flow browser' 'client-secret s3cret word'
	chmod 600 "$XDG_CONFIG_HOME/pneu/oauth/work"
	answers 200 "$(a_token first-token first-refresh)"
	browser 'http://127.0.0.1:48080/?state=STATE&code=4%2F0Acode&scope=x'
	assert_equal "$status" 0
	assert_regex "$(cat err)" "^Open $provider_url/authorize\?response_type=code&client_id=the-client&"
	assert_regex "$(cat err)" '[&]redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A48080%2F&'
	assert_regex "$(cat err)" '[&]scope=offline_access%20'
	assert_regex "$(cat err)" '[&]code_challenge_method=S256&'
	verifier=$(sed -n 's/^code_verifier=//p' "$provider/request.1")
	assert_equal "$challenge" \
	    "$(printf %s "$verifier" | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d =)"
	request 1 /token client_id=the-client grant_type=authorization_code code=4/0Acode \
	    redirect_uri=http://127.0.0.1:48080/ "code_verifier=$verifier" 'client_secret=s3cret word'
	oauth token work
	assert_output first-token
}

@test "login: an address of another login, of a refusal, or none" {
	local address

	say_config 'flow browser'
	while read -r address words; do
		browser "$address"
		assert_equal "$status" 77
		assert_regex "$(cat err)" "$words"
		assert [ ! -e "$kept" ]
	done <<-'END'
		http://127.0.0.1:48080/?state=0123&code=4%2F0Acode another login
		http://127.0.0.1:48080/?error=access_denied&state=STATE access_denied
		http://127.0.0.1:48080/ no such address
		code=x;y no such address
	END
	assert [ ! -e "$provider/request.1" ]
}

# --- tokens

@test "token: a fresh one when the old one is about to end" {
	keeps old-token old-refresh 299
	answers 200 "$(a_token new-token)"
	oauth token work
	assert_success
	assert_output new-token
	assert_equal "$stderr" ""
	request 1 /token client_id=the-client grant_type=refresh_token refresh_token=old-refresh
	assert_equal "$(sed -n '2,3p' "$kept")" "$(printf 'new-token\nold-refresh')"
	assert [ "$(head -n 1 "$kept")" -gt $(($(date +%s) + 3500)) ]
	# and that one is good for a while
	oauth token work
	assert_output new-token
	assert [ ! -e "$provider/request.2" ]
}

@test "token: a fresh one when the server has refused the old one, and a new refresh token" {
	keeps old-token old-refresh
	answers 200 "$(a_token new-token 'new+refresh/&=%')"
	PNEU_TOKEN_REFRESH=1 oauth token work
	assert_success
	assert_output new-token
	answers 200 "$(a_token third-token)"
	PNEU_TOKEN_REFRESH=1 oauth token work
	assert_output third-token
	request 2 /token client_id=the-client grant_type=refresh_token 'refresh_token=new+refresh/&=%'
}

@test "token: a refresh that is refused leaves what there was, and says what to do" {
	keeps old-token old-refresh 0
	answers 400 '{"error":"invalid_grant","error_description":"AADSTS70000: expired\r\nTrace ID: 1"}'
	oauth token work
	assert_failure 77
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" 'invalid_grant: AADSTS70000: expired; log in again: pneu-oauth login work'
	assert_equal "$(sed -n '2,3p' "$kept")" "$(printf 'old-token\nold-refresh')"
	assert_equal "$(ls "${kept%/*}")" "$(printf 'work\nwork.lock')"
}

@test "token: a provider in trouble is no reason to log in again" {
	keeps old-token old-refresh 0
	answers 503 ''
	oauth token work
	assert_failure 75
	answers 429 '{"error":"too_many"}'
	oauth token work
	assert_failure 75
	kill "$provider_pid"
	wait "$provider_pid" || true
	oauth token work
	assert_failure 75
	assert_regex "$stderr" 'does not answer'
	assert_equal "$(sed -n '3p' "$kept")" old-refresh
}

@test "token: an answer that is none" {
	keeps old-token old-refresh 0
	answers 200 '{"access_token":"two\nlines","expires_in":3600}'
	oauth token work
	assert_failure 77
	answers 200 '[]'
	oauth token work
	assert_failure 77
	answers 200 ''
	oauth token work
	assert_failure 77
	assert_equal "$(sed -n '3p' "$kept")" old-refresh
}

@test "token: of several at a time one asks, and the others take what it got" {
	local i

	command -v flock >/dev/null || skip "flock is not installed (apt-get install util-linux)"
	keeps old-token old-refresh
	answers 200 "$(a_token new-token)"
	# all of them have seen the old token before one may ask
	exec 5>"$kept.lock"
	flock 5
	for i in 1 2 3; do
		PNEU_TOKEN_REFRESH=1 "$oauth" token work >"out.$i" 3>&- 5>&- &
		pids[i]=$!
	done
	for i in 1 2 3; do
		until_true waits_for_lock "${pids[i]}"
	done
	exec 5>&-
	for i in 1 2 3; do
		wait "${pids[i]}"
		assert_equal "$(cat "out.$i")" new-token
	done
	assert [ ! -e "$provider/request.2" ]
}

waits_for_lock()
{
	local child

	for child in $(ps -o pid= --ppid "$1"); do
		if [ "$(ps -o comm= -p "$child")" = flock ]; then
			return 0
		fi
	done
	return 1
}

@test "token: nobody has logged in; logout" {
	oauth token work
	assert_failure 77
	assert_regex "$stderr" 'pneu-oauth login work'
	keeps old-token old-refresh
	oauth logout work
	assert_success
	assert_equal "$(ls "${kept%/*}")" ""
}

# --- what is kept from others

@test "no secret is an argument of anything" {
	local program real

	for program in curl jq openssl sed awk tail sync mv; do
		real=$(command -v $program)
		printf '#!/bin/sh\nprintf "%%s\\n" "$@" >>"%s/arguments"\nexec %s "$@"\n' "$PWD" "$real" \
		    >bin/$program
		chmod +x bin/$program
	done
	say_config 'client-secret s3cret-word'
	chmod 600 "$XDG_CONFIG_HOME/pneu/oauth/work"
	answers_device
	answers 200 "$(a_token first-token first-refresh)"
	answers 200 "$(a_token second-token second-refresh)"
	oauth login work
	assert_success
	PNEU_TOKEN_REFRESH=1 oauth token work
	assert_output second-token
	grep -q "$provider_url/token" arguments
	run grep -E 's3cret-word|(first|second)-(token|refresh)|ice=code' arguments
	assert_failure
}

@test "a configuration with a secret is nobody else's" {
	say_config 'client-secret s3cret-word'
	chmod 640 "$XDG_CONFIG_HOME/pneu/oauth/work"
	oauth token work
	assert_failure 78
	assert_regex "$stderr" 'chmod 600'
}

@test "nothing goes anywhere in the clear" {
	local url

	for url in http://example.com/token http://127.0.0.1.example.com/ ftp://127.0.0.1/ example.com; do
		say_config "token-url $url"
		oauth token work
		assert_failure 78
		assert_regex "$stderr" 'https://'
	done
}

@test "a configuration that says too little, or a name that is a path" {
	oauth token home
	assert_failure 78
	assert_regex "$stderr" 'oauth/home'
	echo 'provider microsoft' >"$XDG_CONFIG_HOME/pneu/oauth/work"
	oauth token work
	assert_failure 78
	assert_regex "$stderr" 'client-id'
	echo 'provider yahoo' >"$XDG_CONFIG_HOME/pneu/oauth/work"
	oauth token work
	assert_failure 78
	oauth token ../work
	assert_failure 64
	oauth
	assert_failure 64
	assert_equal "${#stderr_lines[@]}" 3
}

# --- the client

token_greeting()
{
	greeting "$1"
	echo "C: AUTH $1 ***"
}

# The tokens that the server has seen, in turn.
tokens()
{
	sed -n 's/^C: AUTH [A-Z0-9]* //p' "$peer_dir/transcript" | while read -r response; do
		printf '%s' "$response" | base64 -d | tr '\1' '\n' | sed -n 's/^auth=Bearer //p'
	done
}

@test "pneu: a token that the server refuses is replaced" {
	local mech

	for mech in XOAUTH2 OAUTHBEARER; do
		keeps old-token old-refresh
		answers 200 "$(a_token new-token)"
		{
			token_greeting $mech
			echo 'S: 535 5.7.8 Authentication failed'
			echo 'C? QUIT'
			echo NEXT
			token_greeting $mech
			mail
		} >dialogue
		serve
		client --auth=$mech --password-command="'$oauth' token work"
		delivered
		assert_equal "$(tokens | tr '\n' ' ')" "old-token new-token "
	done
}

@test "pneu: a login that has ended, and a provider in trouble" {
	keeps old-token old-refresh 0
	answers 400 '{"error":"invalid_grant"}'
	{
		greeting XOAUTH2
		echo 'C? QUIT'
		echo NEXT
		greeting XOAUTH2
		echo 'C? QUIT'
	} >dialogue
	serve
	client --password-command="'$oauth' token work"
	assert_failure 78
	assert_regex "$stderr" 'pneu-oauth: invalid_grant; log in again: pneu-oauth login work'
	answers 503 ''
	client --password-command="'$oauth' token work"
	assert_failure 75
}
