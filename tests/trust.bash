# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC

# Certificates of every sort, and servers that show them. In a bats file:
#
#	setup_file()    { load trust; make_certificates; }
#	setup()         { load helper; load trust; trust_ready; }
#
# The certificates are then in $certs, and the test is in its own directory, with a message and a password.

# certificate NAME TEMPLATE-LINE ...: NAME.pem and NAME.key, signed by $ca (ca), valid now unless the template
# says when; $key are the options for its key, $sign those for its signature.
certificate()
{
	local name=$1 by=${ca:-ca} times

	shift
	times=$(printf '%s\n' "$@" | grep -c _date) || true
	{
		printf '%s\n' "$@"
		if [ "$times" = 0 ]; then
			echo "expiration_days = 60"
		fi
	} >"$name.template"
	# shellcheck disable=SC2086
	certtool --generate-privkey ${key:---key-type ecdsa --curve secp256r1} --outfile "$name.key" 2>>log
	# shellcheck disable=SC2086
	certtool --generate-certificate --load-privkey "$name.key" --load-ca-certificate "$by.pem" \
	    --load-ca-privkey "$by.key" --template "$name.template" ${sign:-} --outfile "$name.pem" 2>>log
}

# authority NAME [SIGNER]
authority()
{
	local -a how=(--generate-self-signed)

	printf '%s\n' "cn = \"pneu test $1\"" ca cert_signing_key crl_signing_key "expiration_days = 60" \
	    >"$1.template"
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile "$1.key" 2>>log
	if [ -n "${2-}" ]; then
		how=(--generate-certificate --load-ca-certificate "$2.pem" --load-ca-privkey "$2.key")
	fi
	certtool "${how[@]}" --load-privkey "$1.key" --template "$1.template" --outfile "$1.pem" 2>>log
}

make_certificates()
{
	if ! command -v certtool >/dev/null; then
		return 0
	fi
	if ! (make_them); then
		cat "$BATS_FILE_TMPDIR/log" >&2
		return 1
	fi
}

trust_ready()
{
	command -v certtool >/dev/null || skip "certtool is not installed (apt-get install gnutls-bin)"
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	certs=$BATS_FILE_TMPDIR
	cd "$BATS_TEST_TMPDIR" || return 1
	write_message
	(umask 077 && printf '%s\n' 's3cret-word' >password)
}

make_them()
{
	local server='tls_www_server' usage='signing_key' name='cn = "some server"'
	local localhost='dns_name = localhost'

	cd "$BATS_FILE_TMPDIR" || return 1
	authority ca
	authority other-ca
	authority middle ca
	certificate good "$name" "$localhost" "ip_address = 127.0.0.1" $server $usage
	certificate another "$name" "$localhost" $server $usage
	certificate expired "$name" "$localhost" $server $usage \
	    'activation_date = "2024-01-02 00:00:00"' 'expiration_date = "2025-02-03 00:00:00"'
	certificate future "$name" "$localhost" $server $usage \
	    'activation_date = "2037-01-02 00:00:00"' 'expiration_date = "2037-12-03 00:00:00"'
	certificate elsewhere "$name" "dns_name = mail.example.net" "dns_name = mx.example.net" $server $usage
	certificate only-cn "cn = localhost" $server $usage
	certificate cn-and-address "cn = localhost" "ip_address = 192.0.2.1" $server $usage
	certificate cn-and-mail "cn = localhost" "email = postmaster@example.org" $server $usage
	certificate cn-address "cn = 127.0.0.1" $server $usage
	certificate dns-address "$name" "dns_name = 127.0.0.1" $server $usage
	certificate cn-lies "cn = localhost" "dns_name = mail.example.net" $server $usage
	certificate wild "$name" "dns_name = *.example.org" $server $usage
	certificate wild-part "$name" "dns_name = ma*.example.org" $server $usage
	certificate wild-middle "$name" "dns_name = mail.*.org" $server $usage
	certificate wild-top "$name" "dns_name = *.org" $server $usage
	certificate wild-all "$name" "dns_name = *" $server $usage
	certificate for-clients "$name" "$localhost" tls_www_client $usage
	certificate staple "$name" "$localhost" $server $usage "tls_feature = 5"
	certificate revoked "$name" "$localhost" $server $usage
	certificate client "cn = alice" tls_www_client $usage
	ca=other-ca certificate stranger "$name" "$localhost" $server $usage
	ca=middle certificate leaf "$name" "$localhost" $server $usage
	ca=good certificate by-a-leaf "$name" "$localhost" $server $usage
	cat good.pem >>by-a-leaf.pem
	cp leaf.key chain.key
	cat leaf.pem middle.pem >chain.pem
	key='--key-type rsa --bits 1024' certificate rsa-1024 "$name" "$localhost" $server $usage
	sign='--hash SHA1' certificate sha-1 "$name" "$localhost" $server $usage
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 --outfile alone.key 2>>log
	printf '%s\n' "$name" "$localhost" $server $usage "expiration_days = 60" >alone.template
	certtool --generate-self-signed --load-privkey alone.key --template alone.template \
	    --outfile alone.pem 2>>log
	printf '%s\n' "crl_next_update = 60" "crl_number = 1" >crl.template
	certtool --generate-crl --load-ca-certificate ca.pem --load-ca-privkey ca.key \
	    --load-certificate revoked.pem --template crl.template --outfile crl.pem 2>>log
}

# --- lines of dialogues

# Up to the handshake, with the certificate NAME and more words for TLS.
starttls()
{
	cat <<-END
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 STARTTLS
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
	END
	echo "TLS $*"
}

# What follows when the certificate is not good: nothing but a goodbye.
nothing()
{
	printf '%s\n' 'C? QUIT' 'GONE'
}

# The whole mail, after a login when $1 is "login".
all()
{
	cat <<-END
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 AUTH PLAIN
	END
	if [ "${1-}" = login ]; then
		printf '%s\n' 'C: AUTH PLAIN AGFsaWNlAHMzY3JldC13b3Jk' 'S: 235 2.7.0 Welcome'
	fi
	cat <<-END
		C: MAIL FROM:<alice@sender.com>
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 Go ahead
		C: <message>
		S: 250 2.0.0 Ok: queued as ABC123XYZ
		C: QUIT
		S: 221 2.0.0 Bye
	END
}

# The peer with what is in the file dialogue, and every certificate at hand.
serve()
{
	peer_start dialogue
	cp "$certs"/*.pem "$certs"/*.key "$peer_dir"
}

# anybody [option ...]: the client, towards $url (submission://localhost), in which PORT is the port.
anybody()
{
	local to=${url:-submission://localhost:PORT}

	run --separate-stderr "$PNEU" --config=/dev/null --server="${to//PORT/$peer_port}" \
	    --ehlo=mail.sender.com -f alice@sender.com "$@" bob@example.org <message
	printf '%s\n' "$stderr"
}

# client [option ...]: the same with a login, trusting our CA.
client()
{
	anybody --tls-ca="$certs/ca.pem" --user=alice --password-file=password "$@"
}

# refuses NAME [option ...]: the certificate NAME is not good enough; neither the login nor the mail leaves.
refuses()
{
	local name=$1

	shift
	{
		starttls try cert="$name"
		nothing
	} >dialogue
	serve
	client "$@"
	assert_failure 75
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" '^pneu: [^ ]*: 4\.7\.5 '
	peer_end
	assert [ ! -e "$peer_dir/message.1" ]
	run grep -c '^C: ' "$peer_dir/transcript"
	assert [ "$output" -le 3 ]
}

# says PATTERN ...: each of them is in the complaint.
says()
{
	local pattern

	for pattern; do
		assert_regex "$stderr" "$pattern"
	done
}

# accepts NAME [option ...]: the mail goes through.
accepts()
{
	local name=$1

	shift
	{
		starttls cert="$name"
		all login
	} >dialogue
	serve
	client "$@"
	assert_success
	assert_equal "$output$stderr" ""
	peer_end
}

# The SHA-256 of a certificate in hexadecimal, and of its public key in base64.
fingerprint()
{
	certtool --certificate-info --outder --infile "$certs/$1.pem" --no-text 2>/dev/null | sha256sum |
	    cut -d ' ' -f 1
}

pin()
{
	# shellcheck disable=SC2059
	printf "$(certtool --pubkey-info --load-certificate "$certs/$1.pem" --outder 2>/dev/null | sha256sum |
	    sed 's/ .*//; s/../\\x&/g')" | base64
}
