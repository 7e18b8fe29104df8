#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The client against GNU SASL in TLS: SCRAM, its channel bindings, EXTERNAL; and against a TLS that stirs in
# the middle of a dialogue.

bats_require_minimum_version 1.5.0

make_certificates()
{
	local name

	cd "$BATS_FILE_TMPDIR" || return 1
	printf '%s\n' 'cn = "pneu test CA"' ca cert_signing_key >ca.template
	printf '%s\n' 'cn = localhost' 'dns_name = localhost' tls_www_server signing_key >cert.template
	printf '%s\n' 'cn = alice' tls_www_client signing_key >alice.template
	printf '%s\n' 'cn = mallory' tls_www_client signing_key >mallory.template
	for name in ca cert alice mallory; do
		certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile $name.key || return 1
	done
	certtool --generate-self-signed --load-privkey ca.key --template ca.template \
	    --outfile ca.pem || return 1
	for name in cert alice mallory; do
		certtool --generate-certificate --load-privkey $name.key --load-ca-certificate ca.pem \
		    --load-ca-privkey ca.key --template $name.template --outfile $name.pem || return 1
	done
	cat alice.pem alice.key >both.pem
}

setup_file()
{
	if command -v certtool >/dev/null; then
		make_certificates 2>"$BATS_FILE_TMPDIR/log" || {
			cat "$BATS_FILE_TMPDIR/log" >&2
			return 1
		}
	fi
}

setup()
{
	load helper
	: "${GSASL_SERVER:=$PNEU_BUILD/tests/gsasl_server}"
	[ -x "$GSASL_SERVER" ] || skip "there is no tests/gsasl_server (apt-get install libgsasl-dev)"
	command -v certtool >/dev/null || skip "certtool is not installed (apt-get install gnutls-bin)"
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	certs=$BATS_FILE_TMPDIR
	cd "$BATS_TEST_TMPDIR" || return 1
	write_message
	(umask 077 && printf 'pencil\n' >password && printf 'biro\n' >wrong)
	server_pid=
}

teardown()
{
	if [ -n "$server_pid" ]; then
		kill "$server_pid" 2>/dev/null || true
	fi
}

# serve [option ...]: the server with these.
serve()
{
	: >heard
	"$GSASL_SERVER" "$@" "$certs/cert.pem" "$certs/cert.key" >heard 2>&1 3>&- &
	server_pid=$!
	until_true grep -q '^port ' heard
	port=$(sed -n 's/^port //p' heard)
}

# client [option ...]: as alice; anybody [option ...]: without a name.
client()
{
	anybody --user=alice --password-file=password "$@"
}

anybody()
{
	run --separate-stderr "$PNEU" --config=/dev/null --server="submissions://localhost:$port" \
	    --tls-ca="$certs/ca.pem" -f alice@sender.com "$@" bob@example.org <message
	printf '%s\n' "$stderr"
	until_true server_gone || kill "$server_pid"
	wait "$server_pid" || true
	server_pid=
	cat heard
}

server_gone()
{
	! kill -0 "$server_pid" 2>/dev/null
}

# heard LINE ...: each is in what the server printed.
heard()
{
	local line

	for line; do
		if ! grep -qxF -- "$line" heard; then
			fail "the server did not print: $line"
		fi
	done
}

# delivered MECHANISM: the mail went through, after a login by it.
delivered()
{
	assert_success
	assert_equal "$output$stderr" ""
	heard "$1 ok: GSASL_OK" 'message of 7 lines' quit
}

# refused CODE EXIT: no login, no mail.
refused()
{
	assert_failure "$2"
	assert_regex "$stderr" "^pneu: localhost:$port: ${1//./\\.} "
	if grep -q '^message' heard; then
		fail "the message left"
	fi
}

# --- SCRAM

@test "SCRAM without channel binding" {
	local mech

	for mech in SCRAM-SHA-1 SCRAM-SHA-256; do
		serve --offer="PLAIN $mech LOGIN" --no-binding
		client
		delivered $mech
	done
}

@test "SCRAM with channel binding, in TLS 1.3" {
	local mech

	for mech in SCRAM-SHA-1 SCRAM-SHA-256; do
		serve --offer="PLAIN $mech $mech-PLUS"
		client
		delivered $mech-PLUS
		heard TLS1.3
	done
}

@test "SCRAM with channel binding, in TLS 1.2" {
	serve --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client
	delivered SCRAM-SHA-256-PLUS
	heard TLS1.2
}

@test "a server of TLS 1.2 that binds by tls-unique: no login, but for a mechanism without binding" {
	serve --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2 --unique
	client
	refused 5.7.8 77
	serve --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2 --unique
	client --auth=scram-sha-256
	delivered SCRAM-SHA-256
}

@test "the binding of another channel: no login" {
	serve --other-binding
	client
	refused 5.7.8 77
	heard 'SCRAM-SHA-256-PLUS refused: GSASL_AUTHENTICATION_ERROR'
}

@test "-PLUS taken out of the offer: the server notices by what we say" {
	serve --offer="SCRAM-SHA-256"
	client
	refused 5.7.8 77
	heard 'SCRAM-SHA-256 refused: GSASL_AUTHENTICATION_ERROR'
}

@test "-PLUS on request, and its refusal on request" {
	serve
	client --auth=scram-sha-256-plus
	delivered SCRAM-SHA-256-PLUS
	serve
	client --auth=scram-sha-256
	delivered SCRAM-SHA-256
	serve --offer=SCRAM-SHA-256
	client --auth=scram-sha-256-plus
	refused 5.7.4 77
}

@test "-PLUS is asked for by nobody who has no channel to bind to" {
	serve --no-binding --offer="SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	client --auth=SCRAM-SHA-256
	delivered SCRAM-SHA-256
}

@test "a wrong password" {
	serve
	client --password-file=wrong
	refused 5.7.8 77
	serve --offer=SCRAM-SHA-1 --no-binding
	client --password-file=wrong
	refused 5.7.8 77
	heard 'SCRAM-SHA-1 refused: GSASL_AUTHENTICATION_ERROR'
}

@test "another name" {
	serve
	client --user=mallory
	assert_success # the server knows one password and takes it for everybody
	serve
	client --user='a,b=c'
	assert_success
}

@test "PLAIN, LOGIN and CRAM-MD5 of GNU SASL" {
	local mech

	for mech in LOGIN PLAIN CRAM-MD5; do
		serve --offer="$mech"
		client
		if [ "$status" -ne 0 ]; then
			fail "$mech"
		fi
		heard "$mech ok: GSASL_OK"
	done
}

@test "with encrypt alone SCRAM is good enough, as it gives nothing away" {
	serve
	client --tls=encrypt
	delivered SCRAM-SHA-256-PLUS
}

# --- SCRAM is remembered

# scram_before: SCRAM goes well on a port, which then is $port; the next server is to have the same.
scram_before()
{
	serve --no-binding --offer="SCRAM-SHA-256 PLAIN"
	client
	delivered SCRAM-SHA-256
}

@test "a server that could SCRAM and now has PLAIN alone gets no password" {
	local mech

	scram_before
	for mech in PLAIN LOGIN CRAM-MD5 "PLAIN LOGIN"; do
		serve --port="$port" --offer="$mech"
		client
		refused 5.7.9 77
		heard quit
		assert_regex "$stderr" 'SCRAM.*`auth (plain|login|cram-md5|PLAIN|LOGIN|CRAM-MD5)`'
		run grep -E 'ok|refused' heard
		assert_failure
	done
}

@test "where nobody can see whether it could SCRAM, PLAIN has to wait" {
	scram_before
	known=$(find "$XDG_STATE_HOME/pneu" -name 'scram*')
	rm "$known"
	mkdir "$known"
	serve --port="$port" --offer=PLAIN
	client
	refused 4.7.0 75
	[[ $stderr == *"$known"* ]]
}

@test "... unless the configuration says so" {
	scram_before
	serve --port="$port" --offer=PLAIN
	client --auth=plain
	delivered PLAIN
}

@test "... and goes on when SCRAM is back" {
	scram_before
	serve --port="$port" --no-binding --offer="PLAIN SCRAM-SHA-1"
	client
	delivered SCRAM-SHA-1
}

@test "it is remembered of that server and that user alone" {
	scram_before
	serve --port="$port" --offer=PLAIN
	client --user=bob
	delivered PLAIN
	serve --offer=PLAIN
	client
	delivered PLAIN
}

@test "a failed SCRAM is nothing to remember" {
	serve --no-binding --offer=SCRAM-SHA-256
	client --password-file=wrong
	refused 5.7.8 77
	serve --port="$port" --offer=PLAIN
	client
	delivered PLAIN
}

# --- a certificate of our own

@test "EXTERNAL with a certificate and its key" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL PLAIN"
	client --auth=external --tls-cert="$certs/alice.pem" --tls-key="$certs/alice.key"
	assert_success
	heard 'EXTERNAL ok: certificate of "alice"' 'message of 7 lines'
}

@test "EXTERNAL with both in one file, in TLS 1.2" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL" --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client --auth=external --tls-cert="$certs/both.pem"
	assert_success
	heard 'EXTERNAL ok: certificate of "alice"'
}

@test "EXTERNAL needs no password, and asks nobody for one" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL"
	client --auth=external --tls-cert="$certs/both.pem" --password-command='touch asked'
	assert_success
	assert [ ! -e asked ]
}

@test "EXTERNAL as whoever the certificate says" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL"
	anybody --auth=external --tls-cert="$certs/both.pem"
	assert_success
	heard 'EXTERNAL ok: certificate of "alice"' 'message of 7 lines'
}

@test "EXTERNAL as somebody else: the server's no" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL"
	client --auth=external --tls-cert="$certs/mallory.pem" --tls-key="$certs/mallory.key"
	refused 5.7.8 77
	heard 'EXTERNAL refused: certificate of "mallory"'
}

@test "EXTERNAL without a certificate: the server's no" {
	serve --clients="$certs/ca.pem" --offer="EXTERNAL"
	client --auth=external
	refused 5.7.8 77
}

@test "a certificate and a password, too" {
	serve --clients="$certs/ca.pem"
	client --tls-cert="$certs/both.pem"
	delivered SCRAM-SHA-256-PLUS
}

# --- TLS that stirs

@test "new keys of TLS 1.3 again and again" {
	serve --key-update
	client
	delivered SCRAM-SHA-256-PLUS
}

@test "another handshake of TLS 1.2 asked for before each reply: the client declines, and goes on" {
	serve --renegotiate --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client
	delivered SCRAM-SHA-256-PLUS
	heard 'alert No renegotiation is allowed'
}

@test "another handshake asked for some hundred times: the client declines a hundred times, and goes on" {
	serve --renegotiate --often --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client
	delivered SCRAM-SHA-256-PLUS
	assert_equal "$(grep -c '^alert No renegotiation is allowed$' heard)" 100
}

@test "a server that asks for another handshake and does nothing else is left" {
	serve --renegotiate --flood --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client --deadline=2s --timeout=1s
	assert_failure 76
	heard 'flood' 'the client has left'
}

@test "a server that sends warnings and does nothing else is left" {
	serve --flood --priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	client --deadline=2s --timeout=1s
	assert_failure 76
	heard 'flood' 'the client has left'
}
