#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# A large file of trusted certificates, of which only those are loaded that a chain names: what it accepts and
# refuses is what a small one does, and what all of it would.

bats_require_minimum_version 1.5.0

setup_file()
{
	load trust
	make_certificates
	command -v certtool >/dev/null || return 0
	make_more
}

setup()
{
	load helper
	load trust
	trust_ready
}

# Certificates that are for this file alone.
make_more()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	local usage=(tls_www_server signing_key "dns_name = localhost") usage_of_ca

	# two authorities of one name
	authority twin
	cp twin.pem twin-a.pem
	cp twin.key twin-a.key
	authority twin
	ca=twin-a certificate of-twin-a 'cn = "some server"' "${usage[@]}"
	ca=twin certificate of-twin 'cn = "some server"' "${usage[@]}"
	# the key of `middle`, certified by itself and by another authority, under the same name
	certtool --generate-self-signed --load-privkey middle.key --template middle.template \
	    --outfile middle-root.pem 2>>log
	certtool --generate-certificate --load-privkey middle.key --template middle.template \
	    --load-ca-certificate other-ca.pem --load-ca-privkey other-ca.key \
	    --outfile middle-cross.pem 2>>log
	cat leaf.pem middle-cross.pem >crossed.pem
	cp leaf.key crossed.key
	cat leaf.pem middle.pem ca.pem >whole.pem
	cp leaf.key whole.key
	# an authority that knows its name in another spelling than those that it signed
	usage_of_ca=(ca cert_signing_key "expiration_days = 60")
	printf '%s\n' 'dn = "cn=PNEU  Test   Spelt"' "${usage_of_ca[@]}" >spelt-as.template
	printf '%s\n' 'dn = "cn=pneu test spelt"' "${usage_of_ca[@]}" >spelt.template
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile spelt.key 2>>log
	for each in spelt spelt-as; do
		certtool --generate-self-signed --load-privkey spelt.key --template $each.template \
		    --outfile $each.pem 2>>log
	done
	ca=spelt certificate of-spelt 'cn = "some server"' "${usage[@]}"
}

# others [NAME ...]: a large file of authorities that have nothing to do with it, and between them these.
others()
{
	local half

	half=$(for _ in $(seq 40); do cat "$certs/other-ca-2.pem"; done)
	echo "$half"
	for each; do
		cat "$certs/$each.pem"
	done
	echo "$half"
}

# bundle [NAME ...]: as a file, which is the last argument of the client.
bundle()
{
	[ -e "$certs/other-ca-2.pem" ] || (cd "$certs" && authority other-ca-2)
	others "$@" >bundle
	assert [ "$(stat -c %s bundle)" -gt 40000 ]
}

@test "bundle: one authority among many" {
	bundle ca
	accepts good --tls-ca=bundle
}

@test "bundle: a name that no authority has" {
	bundle other-ca
	refuses good --tls-ca=bundle
	says 'NOT trusted' 'CN=pneu test ca'
}

@test "bundle: every certificate is judged as with the one authority alone" {
	local name alone

	bundle ca
	for name in expired future elsewhere only-cn cn-lies for-clients stranger leaf by-a-leaf \
	    rsa-1024 sha-1 alone wild; do
		refuses $name
		alone=${stderr#*4.7.5}
		peer_end
		refuses $name --tls-ca=bundle
		assert_equal "${stderr#*4.7.5}" "$alone"
		peer_end
	done
}

@test "bundle: a chain with its authority, without it, and by way of it" {
	bundle ca
	accepts chain --tls-ca=bundle
	peer_end
	accepts whole --tls-ca=bundle
	peer_end
	# what stands between is trusted by itself
	bundle middle
	accepts leaf --tls-ca=bundle
	peer_end
	accepts whole --tls-ca=bundle
}

@test "bundle: two authorities of the same name, in either order" {
	bundle twin twin-a
	accepts of-twin --tls-ca=bundle
	peer_end
	accepts of-twin-a --tls-ca=bundle
	peer_end
	bundle twin-a twin
	accepts of-twin --tls-ca=bundle
	peer_end
	accepts of-twin-a --tls-ca=bundle
	peer_end
	bundle twin
	refuses of-twin-a --tls-ca=bundle
}

@test "bundle: certified twice, and either authority will do" {
	bundle other-ca
	accepts crossed --tls-ca=bundle
	peer_end
	refuses chain --tls-ca=bundle
	peer_end
	bundle middle-root
	accepts crossed --tls-ca=bundle
	peer_end
	accepts chain --tls-ca=bundle
}

@test "bundle: a name that is spelt in another way is as good as with the one authority alone" {
	local result=refuses

	# whether these are equal is for GnuTLS to say
	{
		starttls try cert=of-spelt
		nothing
	} >dialogue
	serve
	client --tls-ca="$certs/spelt-as.pem"
	[ "$status" = 75 ] || result=accepts
	kill -TERM "$peer_pid" 2>/dev/null || true
	bundle spelt-as
	$result of-spelt --tls-ca=bundle
}

@test "bundle: text between certificates, CR LF, another word for certificate" {
	bundle
	{
		others
		echo 'Here is -- as in many bundles - some text: -----BEGIN nothing-----'
		sed 's/ CERTIFICATE/ X509 CERTIFICATE/; s/$/\r/' "$certs/ca.pem"
		echo '-----BEGIN CERTIFICATE-----'
	} >bundle
	accepts good --tls-ca=bundle
}

@test "bundle: one that is damaged keeps nobody from another" {
	bundle
	{
		others
		printf '%s\n' '-----BEGIN CERTIFICATE-----' 'MIIB!!!!' 'AAAA' '-----END CERTIFICATE-----'
		cat "$certs/ca.pem"
	} >bundle
	accepts good --tls-ca=bundle
}

@test "bundle: a large file without certificates cannot be used, and nobody is contacted" {
	yes 'no certificate' | head -n 5000 >bundle
	echo NOBODY >dialogue
	serve
	client --tls-ca=bundle
	assert_failure 78
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" '5\.3\.5 .*tls-ca bundle'
	peer_end
}

# The system's own file cannot be altered by a test, but for one in a namespace of its own.
@test "the system's certificates, where there is no tls-ca" {
	local system

	system=$(sed -n 's/^#define TRUST_STORE_FILE "\(.*\)"/\1/p' "$PNEU_BUILD/config.h")
	[ -f "$system" ] || skip "the program was built without knowing where they are"
	unshare -rm true 2>/dev/null || skip "there are no namespaces here"
	bundle ca
	for name in good elsewhere; do
		{
			starttls try cert=$name
			[ $name = good ] && all || nothing
		} >dialogue
		serve
		# shellcheck disable=SC2016
		run --separate-stderr unshare -rm sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' - \
		    "$PWD/bundle" "$system" "$PNEU" --config=/dev/null \
		    --server="submission://localhost:$peer_port" --ehlo=mail.sender.com -f alice@sender.com \
		    bob@example.org <message
		if [ $name = good ]; then
			assert_success
		else
			assert_failure 75
			says 'for localhost' mail.example.net
		fi
		peer_end
	done
}
