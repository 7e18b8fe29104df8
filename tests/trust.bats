#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Whom the client trusts by certificate, what it does without one, and which settings cannot be used.

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

# --- verify

@test "a good certificate" {
	accepts good
}

@test "a good certificate, for an address" {
	url=submission://127.0.0.1:PORT accepts good
}

@test "a good certificate, for a name in capitals" {
	url=submission://LOCALHOST:PORT accepts good
}

@test "a good certificate, for a name with its final dot" {
	getent hosts localhost. >/dev/null || skip "the name localhost. means nothing here"
	url=submission://localhost.:PORT accepts good
}

@test "expired" {
	refuses expired
	says localhost expired 2024-01-02 2025-02-03 'CN=pneu test ca' 'renew it' 'tls-pin'
}

@test "not yet valid" {
	refuses future
	says localhost 'not yet' 2037-01-02 2037-12-03
}

@test "a certificate for somebody else" {
	refuses elsewhere
	says 'for localhost' 'name' mail.example.net mx.example.net
}

@test "the common name alone counts for nothing" {
	refuses only-cn
	says localhost subjectAltName
}

@test "the common name counts for nothing beside an address" {
	refuses cn-and-address
	says localhost 192.0.2.1
}

@test "the common name counts for nothing beside an address for mail" {
	refuses cn-and-mail
}

@test "the common name counts for nothing beside another name" {
	refuses cn-lies
	says mail.example.net
}

@test "an address in the common name counts for nothing" {
	url=submission://127.0.0.1:PORT refuses cn-address
	says 127.0.0.1
}

@test "an address that is written as a name counts for nothing" {
	url=submission://127.0.0.1:PORT refuses dns-address
}

@test "an address that the certificate does not have" {
	url=submission://127.0.0.1:PORT refuses another
	says 127.0.0.1
}

@test "a wildcard is one label" {
	accepts wild --tls-name=mail.example.org
}

@test "a wildcard is not two labels" {
	refuses wild --tls-name=a.mail.example.org
	says a.mail.example.org
}

@test "a wildcard is not the bare domain" {
	refuses wild --tls-name=example.org
	says example.org
}

@test "a wildcard is for nobody else's domain" {
	refuses wild --tls-name=mail.example.net
	refuses wild --tls-name=mail.badexample.org
}

@test "a wildcard in the middle, for a top-level domain, or for everything counts for nothing" {
	refuses wild-middle --tls-name=mail.example.org
	refuses wild-all --tls-name=localhost
	refuses wild-all --tls-name=mail.example.org
	refuses wild-top --tls-name=example.org
}

@test "a CA that nobody knows" {
	refuses stranger
	says 'issued by CN=pneu test other-ca' 'tls-ca'
}

@test "a CA that the system does not know" {
	[ -s /etc/ssl/certs/ca-certificates.crt ] || skip "the system has no trusted certificates"
	{
		starttls try cert=good
		nothing
	} >dialogue
	serve
	anybody
	assert_failure 75
	assert_regex "$stderr" '4\.7\.5 '
	peer_end
}

@test "a certificate that signed itself" {
	refuses alone
	says unknown tls-pin
}

@test "an intermediate CA that the server sends" {
	accepts chain
}

@test "an intermediate CA that the server forgets" {
	refuses leaf
	says 'issued by CN=pneu test middle'
}

@test "a certificate that another one signed which is no CA" {
	refuses by-a-leaf
	says 'not a CA'
}

@test "an RSA key of 1024 bits" {
	refuses rsa-1024
	says insecure
}

@test "a signature over SHA-1" {
	refuses sha-1
	says insecure
}

@test "a certificate that is for clients" {
	refuses for-clients
	says localhost purpose
}

@test "a certificate that has to come with an OCSP answer, and does not" {
	refuses staple
	says OCSP
}

@test "a revoked certificate" {
	accepts revoked
	accepts good --tls-crl="$certs/crl.pem"
	refuses revoked --tls-crl="$certs/crl.pem"
	says revoked
}

@test "nothing newer than TLS 1.1" {
	local version

	for version in TLS1.0 TLS1.1; do
		{
			starttls try cert=good "priority=NORMAL:-VERS-ALL:+VERS-$version"
			nothing
		} >dialogue
		serve
		client
		assert_failure 75
		assert_equal "${#stderr_lines[@]}" 1
		says '4\.7\.5 ' version
		refute_regex "$stderr" 'not speak TLS'
		peer_end
	done
}

@test "TLS 1.2" {
	{
		starttls cert=good priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
		all login
	} >dialogue
	serve
	client
	assert_success
	peer_end
}

@test "tls-name: the certificate is for that name, whatever the host" {
	accepts elsewhere --tls-name=mx.example.net
	refuses good --tls-name=mail.example.net
	says 'mail\.example\.net' localhost
}

# --- settings that cannot be used: exit 78, and nobody is contacted

@test "files that cannot be used" {
	local option

	printf 'no certificate\n' >junk
	for option in --tls-ca=nowhere --tls-crl=nowhere --tls-cert=nowhere \
	    "--tls-cert=$certs/client.pem --tls-key=nowhere" --tls-ca=junk --tls-crl=junk --tls-cert=junk \
	    "--tls-key=$certs/good.key --tls-cert=$certs/client.pem" "--tls-key=$certs/client.key" \
	    --tls-priority=NONSENSE --tls-priority=NORMAL:+NONSENSE --tls=fingerprint \
	    "--tls=may --tls-priority=NONSENSE" "--tls=may --tls-ca=junk"; do
		echo NOBODY >dialogue
		serve
		# shellcheck disable=SC2086
		client $option
		echo "with $option: $stderr"
		assert_failure 78
		assert_equal "${#stderr_lines[@]}" 1
		# the last of the options is the wrong one
		option=${option##*--}
		says '5\.3\.5 ' "${option%%=*}"
		peer_end
	done
}

# --- may, and the wrong port

@test "may, without a login: TLS that fails is left out, on a new connection" {
	{
		starttls try cert=good priority=NORMAL:-VERS-ALL:+VERS-TLS1.0
		echo NEXT
		echo "S: 220 smtp.example.com ESMTP"
		all
	} >dialogue
	serve
	anybody --tls=may
	assert_success
	assert_equal "$output$stderr" ""
	peer_end
}

@test "may, with a login: TLS that fails is the end" {
	{
		starttls try cert=good priority=NORMAL:-VERS-ALL:+VERS-TLS1.0
		nothing
		echo NOBODY
	} >dialogue
	serve
	client --tls=may
	assert_failure 75
	says '4\.7\.5 '
	peer_end
}

@test "may on a port that is TLS from the first octet: there is nothing to fall back to" {
	{
		echo "TLS try cert=good priority=NORMAL:-VERS-ALL:+VERS-TLS1.0"
		nothing
		echo NOBODY
	} >dialogue
	serve
	url=submissions://localhost:PORT anybody --tls=may
	assert_failure 75
	says '4\.7\.5 '
	peer_end
}

@test "submission:// to a port that waits for TLS: the hint is submissions://" {
	printf '%s\n' 'TLS try' >dialogue
	serve
	client --timeout=1s
	assert_failure 75
	assert_equal "${#stderr_lines[@]}" 1
	says '4\.4\.2 ' submissions://
	peer_end
}

@test "submissions:// to a port that greets in the clear: the hint is submission://" {
	printf '%s\n' 'S: 220 smtp.example.com ESMTP' STALL >dialogue
	serve
	url=submissions://localhost:PORT client
	assert_failure 75
	assert_equal "${#stderr_lines[@]}" 1
	says '4\.7\.5 ' submission://
	peer_end
}

@test "submissions:// to something that is neither" {
	printf '%s\n' 'RAW "HTTP/1.1 400 Bad Request\r\n\r\n"' STALL >dialogue
	serve
	url=submissions://localhost:PORT client
	assert_failure 75
	says '4\.7\.5 ' 'TLS'
	peer_end
}

# --- reports

@test "the dialogue and the report say how the server was known" {
	accepts good
	{
		starttls cert=good
		all login
	} >dialogue
	serve
	client -v --report=json
	assert_success
	assert_regex "$stderr" $'(^|\n)\\* TLS1\\.3, [A-Z0-9-]+, certificate of localhost verified, '
	assert_output --partial '"verified":true'
	assert_output --partial 'some server'
	peer_end
	{
		starttls cert=alone
		all login
	} >dialogue
	serve
	client -v --report=json --tls=fingerprint --tls-pin="$(pin alone)"
	assert_success
	assert_regex "$stderr" 'certificate of localhost pinned'
	assert_output --partial '"verified":false'
	peer_end
}
