#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# tls-resume: whom a ticket is for, and that a resumed session is judged as any other.

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
	load resume
	resume_ready
}

teardown()
{
	resume_end
}

# --- the judgement

@test "a ticket is for its host alone" {
	sessions cert=good cert=good "cert=good resumed" "cert=good resumed"
	mail --tls-name=localhost
	url=submission://127.0.0.1:PORT mail --tls-name=localhost
	url=submission://127.0.0.1:PORT mail --tls-name=localhost
	mail --tls-name=localhost
	peer_end
}

@test "a ticket is for its port alone" {
	local port

	sessions cert=good
	mail
	peer_end
	port=$peer_port
	sessions cert=good
	[ "$peer_port" != "$port" ]
	mail
	peer_end
	count 2
}

@test "another policy: nothing is resumed, and a server that is not good for it is refused" {
	local policy

	for policy in --tls-ca="$certs/other-ca.pem" --tls-name=mail.example.net \
	    --tls-pin="$(pin another)" "--tls=fingerprint --tls-pin=$(pin another)"; do
		sessions cert=good "refused cert=good" "cert=good resumed"
		mail
		client $policy --tls-resume
		assert_failure 75
		assert_regex "$stderr" ' 4\.7\.5 '
		mail
		peer_end
	done
}

@test "another policy that the server is good for, too: a ticket of its own" {
	local policy

	for policy in --tls-crl="$certs/crl.pem" --tls-pin="$(pin good)" --tls=encrypt --tls=tofu \
	    --tls-name=127.0.0.1 --tls-priority=NORMAL; do
		sessions cert=good cert=good "cert=good resumed" "cert=good resumed"
		mail
		mail $policy
		mail $policy
		mail
		peer_end
		rm -r "$tickets"
	done
}

@test "the same file with other authorities in it: nothing is resumed" {
	sessions cert=good "refused cert=good"
	cp "$certs/ca.pem" own-ca
	anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_success
	cat "$certs/other-ca.pem" >own-ca
	anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_failure 75
	assert_regex "$stderr" ' 4\.7\.5 '
	peer_end
}

# swap AUTHORITY: the file own-ca has this one in it, and looks as before.
swap()
{
	cp "$certs/$1.pem" own-ca.new
	truncate -s 4096 own-ca.new
	tr '\0' '\n' <own-ca.new >own-ca
	touch -d '2025-01-01 00:00:00' own-ca
}

@test "a resumed session is judged as any other, by the certificate that was shown before" {
	sessions cert=good "cert=good resumed" "refused cert=good resumed" "refused cert=good"
	swap ca
	for _ in 1 2; do
		anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
		assert_success
	done
	swap other-ca
	anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_failure 75
	assert_regex "$stderr" ' 4\.7\.5 .*issued by CN=pneu test ca,'
	peer_end
	run find "$tickets" -type f
	assert_output ""
}

@test "when the certificate of before is not good any more, the server may have another" {
	sessions cert=good "refused cert=good resumed" cert=stranger "cert=stranger resumed"
	swap ca
	anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_success
	swap other-ca
	anybody -v --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_success
	assert_regex "$stderr" $'\n\\* no TLS with the ticket of an earlier session: trying without\n'
	anybody --tls-resume --tls-ca=own-ca --user=alice --password-file=password
	assert_success
	peer_end
}

# seal SECONDS FILE: it is good until then, as its hash says, too.
seal()
{
	local name=${2##*/}

	tail -c +66 "$2" | sed "1s/.*/$1/" >rest
	{ printf '%s\n' "$name" && cat rest; } | sha256sum | cut -c 1-64 | cat - rest >"$2"
}

@test "a ticket has its time, and no more of it than a day" {
	local now until

	sessions cert=good cert=good cert=good "cert=good resumed" "cert=good resumed"
	now=$(date +%s)
	mail
	until=$(sed -n 2p "$tickets"/* | tr -d '\0')
	assert [ "$until" -ge $((now + 86400)) ]
	assert [ "$until" -le $(($(date +%s) + 86400)) ]
	seal $((now - 1)) "$tickets"/*
	mail
	seal $((now + 90000)) "$tickets"/*
	mail
	until=$((now + 3600))
	seal $until "$tickets"/*
	mail
	# a ticket for a ticket has the time of the first one
	assert_equal "$(sed -n 2p "$tickets"/* | tr -d '\0')" $until
	mail
	peer_end
}

@test "a ticket does not outlive the certificate, where that has to be valid" {
	local until

	until=$(date -u -d '2 hours' '+%Y-%m-%d %H:%M:%S')
	(cd "$certs" && certificate brief 'cn = "some server"' 'dns_name = localhost' tls_www_server \
	    signing_key 'activation_date = "2024-01-02 00:00:00"' "expiration_date = \"$until\"")
	sessions cert=brief cert=expired "cert=expired resumed"
	mail
	assert_equal "$(sed -n 2p "$tickets"/* | tr -d '\0')" "$(date -u -d "$until" +%s)"
	mail --tls=fingerprint --tls-pin="$(pin expired)"
	mail --tls=fingerprint --tls-pin="$(pin expired)"
	peer_end
}

@test "a server that was not good enough leaves no ticket" {
	sessions "refused cert=stranger"
	client --tls-resume
	assert_failure 75
	peer_end
	assert [ ! -e "$tickets" ]
}

@test "tofu: a deleted line is a first time, and the ticket counts for nothing" {
	sessions cert=alone "cert=alone resumed" cert=another "cert=another resumed"
	mail --tls=tofu
	mail --tls=tofu
	: >"$XDG_STATE_HOME/pneu/known-hosts"
	mail --tls=tofu
	mail --tls=tofu
	peer_end
}

@test "over one run: sessions that follow each other" {
	sessions cert=good "cert=good resumed"
	printf '%s\n' "server submission://alice@localhost:$peer_port" "password-file $PWD/password" \
	    "tls-ca $certs/ca.pem" "tls-resume yes" "ehlo mail.sender.com" "from alice@sender.com" \
	    "queue $PWD/spool" "per-session 1" >config
	for _ in 1 2; do
		"$PNEU" --config=config --queue=only bob@example.org <message
	done
	"$PNEU" --config=config --flush
	peer_end
}

# --- a real server

@test "channel binding in a resumed session" {
	local server=$PNEU_BUILD/tests/gsasl_server version port

	[ -x "$server" ] || skip "there is no tests/gsasl_server (apt-get install libgsasl-dev)"
	printf 'pencil\n' >password
	for version in 1.2 1.3; do
		port=''
		for _ in 1 2; do
			: >heard
			"$server" ${port:+--port=$port} --tickets=one \
			    --priority=NORMAL:-VERS-ALL:+VERS-TLS$version \
			    "$certs/good.pem" "$certs/good.key" >heard 2>&1 3>&- &
			server_pid=$!
			until_true grep -q '^port ' heard
			port=$(sed -n 's/^port //p' heard)
			peer_port=$port
			url=submissions://localhost:PORT mail
			wait "$server_pid"
			grep -qx 'SCRAM-SHA-256-PLUS ok: GSASL_OK' heard
			grep -qx "TLS$version" heard
		done
		grep -qx resumed heard
	done
}

@test "a certificate of our own is that of the session; another one in the same file is not" {
	local server=$PNEU_BUILD/tests/gsasl_server who

	[ -x "$server" ] || skip "there is no tests/gsasl_server (apt-get install libgsasl-dev)"
	(cd "$certs" && certificate mallory "cn = mallory" tls_www_client signing_key)
	peer_port=''
	for who in client client mallory; do
		: >heard-$who
		"$server" ${peer_port:+--port=$peer_port} --tickets=one --clients="$certs/ca.pem" \
		    --offer=EXTERNAL "$certs/good.pem" "$certs/good.key" >heard-$who 2>&1 3>&- &
		server_pid=$!
		until_true grep -q '^port ' heard-$who
		peer_port=$(sed -n 's/^port //p' heard-$who)
		cat "$certs/$who.pem" "$certs/$who.key" >own.new
		cmp -s own.new own.pem || mv own.new own.pem
		url=submissions://localhost:PORT client --tls-resume --auth=external --tls-cert=own.pem
		wait "$server_pid" || true
	done
	grep -qx resumed heard-client
	grep -qx 'EXTERNAL ok: certificate of "alice"' heard-client
	run ! grep -qx resumed heard-mallory
	grep -qx 'EXTERNAL refused: certificate of "mallory"' heard-mallory
}
