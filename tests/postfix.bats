#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The client against a real Postfix: what it says, and what arrives.

bats_require_minimum_version 1.5.0

setup_file()
{
	load postfix
	postfix_start
}

teardown_file()
{
	load postfix
	postfix_stop
}

setup()
{
	load helper
	load postfix
	postfix_setup
}

# --- ways in

@test "STARTTLS where it is offered" {
	small_message
	client_alice may --auth=plain "$to" <sent
	assert_arrived
	assert_logged 'sasl_method=PLAIN, sasl_username=alice$'
	assert_commands 'ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 bdat=1 quit=1'
}

@test "STARTTLS where it is demanded" {
	small_message
	client_alice encrypt "$to" <sent
	assert_arrived
	assert_logged 'sasl_username=alice$'
}

@test "TLS from the first byte" {
	small_message
	client_alice tls "$to" <sent
	assert_arrived
	assert_commands 'ehlo=1 auth=1 mail=1 rcpt=1 bdat=1 quit=1'
}

@test "a session that begins where the one before has ended" {
	local version

	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	small_message
	for version in 1.2 1.3; do
		for _ in 1 2; do
			client_alice may -v --tls-resume "$to" <sent \
			    --tls-priority=NORMAL:-VERS-ALL:+VERS-TLS$version
			assert_success
		done
		assert_regex "$stderr" "\* TLS$version, [A-Z0-9-]*, resumed, certificate of 127.0.0.1 "
	done
}

@test "a host name instead of an address" {
	getent hosts localhost >/dev/null || skip "the name localhost means nothing here"
	small_message
	client "submission://localhost:$(postfix_port may)" "$to" <sent
	assert_arrived
}

@test "an IPv6 literal" {
	postfix_ipv6 || skip "there is no IPv6 here"
	small_message
	client "submission://[::1]:$(postfix_port may)" "$to" <sent
	assert_arrived
	assert_logged 'client=unknown\[::1\]'
}

@test "the message in a file" {
	small_message
	client_alice may --message=sent "$to" </dev/null
	assert_arrived
}

# --- AUTH

@test "every mechanism on request, against Dovecot" {
	local mechanism

	small_message
	for mechanism in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
		client_alice may --auth="${mechanism,,}" "$to" <sent
		assert_success
		assert_equal "$output$stderr" ""
		assert_logged "sasl_method=$mechanism, sasl_username=alice\$"
	done
	postfix_mail "$box" 5
}

@test "every mechanism on request, against Cyrus" {
	local mechanism

	small_message
	for mechanism in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
		client_alice cyrus --auth="${mechanism,,}" "$to" <sent
		assert_success
		assert_equal "$output$stderr" ""
		assert_logged "sasl_method=$mechanism, sasl_username=alice@localhost\$"
	done
	postfix_mail "$box" 5
}

@test "the strongest mechanism that both sides have" {
	small_message
	client_alice may "$to" <sent
	assert_arrived
	assert_logged 'sasl_method=SCRAM-SHA-256, sasl_username=alice$'
}

@test "AUTH LOGIN where nothing else is offered" {
	small_message
	client_alice login "$to" <sent
	assert_arrived
	assert_logged 'sasl_method=LOGIN, sasl_username=alice$'
}

@test "the user in the URL" {
	small_message
	client "submission://bob@127.0.0.1:$(postfix_port encrypt)" \
	    --password-file="$POSTFIX_DIR/bob.password" "$to" <sent
	assert_arrived
	assert_logged 'sasl_username=bob$'
}

@test "a wrong password: 5.7.8, exit 77, and no mail" {
	small_message
	client may --user=alice --password-file="$POSTFIX_DIR/wrong.password" "$to" <sent
	assert_failure 77
	assert_complaint '5\.7\.8 .*535 5\.7\.8'
	assert_commands 'ehlo=2 starttls=1 auth=0/1( quit=1)?'
}

@test "a wrong password against Cyrus: the same" {
	small_message
	client cyrus --user=bob --password-file="$POSTFIX_DIR/wrong.password" "$to" <sent
	assert_failure 77
	assert_complaint '5\.7\.8 .*535 5\.7\.8'
	assert_commands 'ehlo=2 starttls=1 auth=0/1( quit=1)?'
}

@test "a mechanism that is not offered: 5.7.4, exit 77, and no mail" {
	small_message
	client_alice login --auth=plain "$to" <sent
	assert_failure 77
	assert_complaint '5\.7\.4 '
	assert_commands 'ehlo=2 starttls=1( quit=1)?'
}

@test "no login where the server demands one: its answer, exit 77" {
	small_message
	client encrypt "$to" <sent
	assert_failure 77
	assert_complaint "$to: 5\.7\.1 .*554 5\.7\.1"
}

# --- TLS

@test "STARTTLS is not offered: 4.7.4, exit 75, no login and no mail" {
	small_message
	client_alice clear "$to" <sent
	assert_failure 75
	assert_complaint '4\.7\.4 '
	assert_commands 'ehlo=1( quit=1)?'
}

@test "STARTTLS is not offered, with tls may: no login in the clear either" {
	small_message
	client_alice clear --tls=may "$to" <sent
	assert_failure 75
	assert_complaint '4\.7\.4 '
	assert_commands 'ehlo=1( quit=1)?'
}

@test "STARTTLS is not offered, with tls may and no login: mail in the clear" {
	small_message
	client clear --tls=may "$to" <sent
	assert_arrived
	assert_commands 'ehlo=1 mail=1 rcpt=1 bdat=1 quit=1'
}

@test "a certificate of an unknown authority: 4.7.5, exit 75, no login and no mail" {
	small_message
	ca=$POSTFIX_DIR/other-ca.pem
	client_alice may "$to" <sent
	assert_failure 75
	assert_complaint '4\.7\.5 '
	assert_commands 'ehlo=1 starttls=1( quit=1)?'
}

@test "a certificate of an unknown authority, TLS from the first byte: the same" {
	small_message
	ca=$POSTFIX_DIR/other-ca.pem
	client_alice tls "$to" <sent
	assert_failure 75
	assert_complaint '4\.7\.5 '
	run postfix_log 'disconnect from '
	refute_output --regexp 'auth=|mail='
}

@test "a certificate with another name: 4.7.5, exit 75, no login and no mail" {
	small_message
	client_alice may --tls-name=smtp.example.com "$to" <sent
	assert_failure 75
	assert_complaint '4\.7\.5 .*smtp\.example\.com'
	assert_commands 'ehlo=1 starttls=1( quit=1)?'
}

@test "tls encrypt takes a certificate of an unknown authority" {
	small_message
	ca=$POSTFIX_DIR/other-ca.pem
	client may --tls=encrypt "$to" <sent
	assert_arrived
	assert_commands 'ehlo=2 starttls=1 mail=1 rcpt=1 bdat=1 quit=1'
}

# --- what arrives is what was sent

@test "dots at the start of lines" {
	printf '%s\n' . .. ... .a ..a "" . "" . "a." . | message >sent
	client_alice may "$to" <sent
	assert_arrived
}

@test "8-bit text: UTF-8, Latin-1, and every other octet but NUL, CR and LF" {
	{
		printf '%s\n' "ünï €" $'latin-1 \xfc\xe9'
		LC_ALL=C awk 'BEGIN { for (i = 1; i < 256; i++) if (i != 10 && i != 13) printf "%c", i }'
		echo
	} | message >sent
	client_alice may "$to" <sent
	assert_arrived
}

@test "blanks at the end of lines, and blank lines at the end" {
	printf '%s\n' "a " "b	" " " "	" "" "" "" | message >sent
	client_alice may "$to" <sent
	assert_arrived
}

@test "no final newline: one is added" {
	printf 'first\nlast' | message >sent
	client_alice may "$to" <sent
	{ cat sent; echo; } >want
	assert_arrived want
}

@test "a lone dot without a newline at the end" {
	printf 'first\n.' | message >sent
	client_alice may "$to" <sent
	{ cat sent; echo; } >want
	assert_arrived want
}

@test "an empty body" {
	message </dev/null >sent
	client_alice may "$to" <sent
	assert_arrived
}

@test "CRLF input" {
	printf '%s\n' one "" .two three | message >want
	sed 's/$/\r/' want >sent
	client_alice may "$to" <sent
	assert_arrived want
}

@test "CRLF and LF mixed" {
	printf '%s\n' one two three four | message >want
	sed 'n;s/$/\r/' want >sent
	client_alice may "$to" <sent
	assert_arrived want
}

@test "a bare CR is the end of a line" {
	printf ' 10%%\r 50%%\r100%%\n.\r.\r\rend\r' | message >sent
	client_alice may "$to" <sent
	tr '\r' '\n' <sent >want
	assert_arrived want
}

@test "4 MB" {
	seq 1 600000 | message >sent
	client_alice may "$to" <sent
	assert_arrived
}

@test "one command at a time, where the server has no PIPELINING" {
	printf '%s\n' .one two | message >sent
	client_alice bare "$to" <sent
	assert_arrived
	assert_commands 'ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1'
}

@test "text of 8 bits with long lines, where the server has no 8BITMIME" {
	perl -MMIME::QuotedPrint -e 1 2>/dev/null || skip "perl is not installed (apt-get install perl)"
	printf '%0998d\n%05000d Gr\303\274\303\237e \n.\nFrom me\n' 1 2 | message >sent
	client_alice bare "$to" <sent
	assert_success
	assert_equal "$output$stderr" ""
	postfix_got "$box" >got
	run -0 grep -c '^Content-Transfer-Encoding: quoted-printable$' got
	sed '1,/^$/d' got | perl -MMIME::QuotedPrint -0777 -ne 'print decode_qp($_)' >text
	sed '1,/^$/d' sent >want
	run cmp want text
	assert_success
}

@test "From, Date and Message-ID are added where they are missing, and nothing else" {
	printf 'Subject: bare\n\nBonjour.\n' >sent
	client_alice may "$to" <sent
	assert_success
	postfix_got "$box" >got
	run cat got
	assert_line --regexp "^From: (.* )?<?alice@$POSTFIX_DOMAIN>?\$"
	assert_line --regexp '^Date: [A-Z][a-z]+, [ 0-9]?[0-9] [A-Z][a-z]+ 2[0-9]{3} [0-9:]{8} [+-][0-9]{4}$'
	assert_line --regexp '^Message-ID: <[^<> @]+@[^<> @]+>$'
	grep -Ev '^(From|Date|Message-ID): ' got >rest
	run cmp sent rest
	assert_success
}

@test "Bcc in every form and Return-Path stay behind" {
	echo "Bonjour." | message >want
	{
		echo "Return-Path: <old@example.com>"
		sed '/^$/,$d' want
		printf '%s\n' "Bcc: secret-one@example.com," "	secret-two@example.com" \
		    "bcc : secret-three@example.com" "Resent-Bcc: secret-four@example.com"
		sed -n '/^$/,$p' want
	} >sent
	client_alice may "$to" <sent
	assert_arrived want
}

@test "lines of 5000 octets in a message of several parts, which is not altered" {
	seq 1 5000 | tr -d '\n' | head -c 15000 | sed 's/.\{5000\}/&\n/g' | message |
	    sed '1i Content-Type: multipart/mixed; boundary="x"' >sent
	assert [ "$(wc -L <sent)" -eq 5000 ]
	client_alice may "$to" <sent
	assert_arrived
}

# --- recipients

@test "50 recipients" {
	local -a many=()

	small_message
	for n in {1..50}; do
		many+=("r$n@$POSTFIX_DOMAIN")
	done
	client_alice may "${many[@]}" <sent
	assert_success
	assert_equal "$output$stderr" ""
	for n in {1..50}; do
		postfix_got "r$n" >got
		cmp sent got
	done
	assert_commands 'ehlo=2 starttls=1 auth=1 mail=1 rcpt=50 bdat=1 quit=1'
}

@test "an unknown user: 5.1.1, exit 67" {
	small_message
	client_alice may "nobody@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	assert_complaint "nobody@$POSTFIX_DOMAIN: 5\.1\.1 .*550 5\.1\.1"
}

@test "a busy mailbox: 4.2.1, exit 75" {
	small_message
	client_alice may "defer@$POSTFIX_DOMAIN" <sent
	assert_failure 75
	assert_complaint "defer@$POSTFIX_DOMAIN: 4\.2\.1 .*450 4\.2\.1"
}

@test "a refused recipient: 5.7.1, exit 77" {
	small_message
	client_alice may "reject@$POSTFIX_DOMAIN" <sent
	assert_failure 77
	assert_complaint "reject@$POSTFIX_DOMAIN: 5\.7\.1 .*550 5\.7\.1"
}

@test "nobody accepted, one of them for good: not 75" {
	small_message
	client_alice may "defer@$POSTFIX_DOMAIN" "nobody@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	assert_equal "${#stderr_lines[@]}" 2
	assert_regex "$stderr" "defer@$POSTFIX_DOMAIN: 4\.2\.1 "
	assert_regex "$stderr" "nobody@$POSTFIX_DOMAIN: 5\.1\.1 "
}

@test "good and bad: the good gets the mail, the exit tells of the bad" {
	small_message
	client_alice may "nobody@$POSTFIX_DOMAIN" "$to" "defer@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	assert_equal "${#stderr_lines[@]}" 2
	assert_regex "$stderr" "nobody@$POSTFIX_DOMAIN: 5\.1\.1 "
	assert_regex "$stderr" "defer@$POSTFIX_DOMAIN: 4\.2\.1 "
	postfix_got "$box" >got
	run cmp sent got
	assert_success
}

@test "good and busy: never 75 when one has the mail" {
	small_message
	client_alice may "$to" "defer@$POSTFIX_DOMAIN" <sent
	assert_failure 69
	assert_complaint "defer@$POSTFIX_DOMAIN: 4\.2\.1 "
	postfix_got "$box" >got
	run cmp sent got
	assert_success
}

@test "good and bad, one command at a time: the same" {
	small_message
	client_alice bare "reject@$POSTFIX_DOMAIN" "$to" <sent
	assert_failure 77
	assert_complaint "reject@$POSTFIX_DOMAIN: 5\.7\.1 "
	postfix_got "$box" >got
	run cmp sent got
	assert_success
}

@test "all or nothing: nobody gets the mail" {
	small_message
	client_alice may --all-or-nothing "$to" "nobody@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	postfix_log 'disconnect from ' >log
	run cat log
	refute_output --partial "message-id="
	refute_output --partial "status=sent"
	# A later message to the same mailbox overtakes nothing: it is alone there.
	postfix_log_mark
	client_alice may "$to" <sent
	assert_success
	assert_logged 'status=sent'
	run postfix_mail "$box"
	assert_equal "${#lines[@]}" 1
}

# --- size

@test "larger than SIZE: 5.3.4, exit 65, before MAIL" {
	seq 1 5000 | message >sent
	client_alice small "$to" <sent
	assert_failure 65
	assert_complaint '5\.3\.4 '
	assert_commands 'ehlo=2 starttls=1 auth=1( quit=1)?'
}

@test "larger than a size that the server did not say: its 552 5.3.4, exit 65" {
	seq 1 5000 | message >sent
	client_alice bare "$to" <sent
	assert_failure 65
	assert_complaint '5\.3\.4 .*552 5\.3\.4'
}

# --- what is told

@test "the trace masks the password, whatever the mechanism" {
	local mechanism secret

	small_message
	for mechanism in plain login cram-md5 scram-sha-256; do
		client_alice may -v --auth=$mechanism "$to" <sent
		assert_success
		assert_output ""
		assert_regex "$stderr" "C: AUTH ${mechanism^^}"
		assert_regex "$stderr" '\*\*\*'
		for secret in "$POSTFIX_PASSWORD" "$(printf %s "$POSTFIX_PASSWORD" | base64)" \
		    "$(printf '\0alice\0%s' "$POSTFIX_PASSWORD" | base64)"; do
			if [[ $stderr == *"$secret"* ]]; then
				fail "the trace shows $secret"
			fi
		done
	done
}

@test "the trace is the dialogue" {
	small_message
	client_alice may -v --auth=plain "$to" <sent
	assert_success
	for line in 'S: 220 localhost ESMTP' 'C: EHLO ' 'S: 250-' 'C: STARTTLS' 'S: 220 2\.0\.0 ' \
	    '\* TLS1\.[23], ' 'C: AUTH PLAIN ' 'S: 235 2\.7\.0 ' "C: MAIL FROM:<alice@$POSTFIX_DOMAIN>" \
	    "C: RCPT TO:<$to>" 'C: BDAT [0-9]+ LAST' 'C: <chunk, [0-9]+ octets>' 'C: QUIT' \
	    'S: 250 2\.0\.0 Ok: [0-9]+ bytes queued as '; do
		assert_regex "$stderr" $'(^|\n)'"$line"
	done
}

@test "chunking no: DATA, although Postfix has CHUNKING" {
	small_message
	client_alice may --chunking=no "$to" <sent
	assert_success
	assert_commands '.* data=1 quit=1'
}

@test "the text report names each recipient and the queue id" {
	small_message
	client_alice may --report=text "$to" "nobody@$POSTFIX_DOMAIN" "defer@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	assert_line --regexp "^$to: 2\.[0-9]+\.[0-9]+ accepted: .*queued as [0-9A-Za-z]+"
	assert_line --regexp "^nobody@$POSTFIX_DOMAIN: 5\.1\.1 refused: "
	assert_line --regexp "^defer@$POSTFIX_DOMAIN: 4\.2\.1 deferred: "
}

@test "the JSON report parses and carries the queue id" {
	local id

	command -v jq >/dev/null || skip "jq is not installed (apt-get install jq)"
	small_message
	client_alice may --report=json --auth=plain "$to" "nobody@$POSTFIX_DOMAIN" <sent
	assert_failure 67
	assert_equal "${#lines[@]}" 1
	printf '%s\n' "$output" >report
	id=$(postfix_log "to=<$to>.* status=sent" | sed -n "s/.*: \([0-9A-Za-z]*\): to=<$to>.*/\1/p")
	assert [ -n "$id" ]
	run jq -c '[.exit, .sender, .message_id]' report
	assert_output "[67,\"alice@$POSTFIX_DOMAIN\",\"<$BATS_TEST_NUMBER@$POSTFIX_DOMAIN>\"]"
	run jq -c '[.server.address, .tls.verified, .auth.mechanism, .auth.user]' report
	assert_output '["127.0.0.1",true,"PLAIN","alice"]'
	run jq -r .reply report
	assert_output --regexp "^250 2\.0\.0 Ok: ([0-9]+ bytes )?queued as $id\$"
	run jq -c '[.recipients[] | [.address, .result, .enhanced[0:1], .code]]' report
	assert_output "[[\"$to\",\"accepted\",\"2\",250],[\"nobody@$POSTFIX_DOMAIN\",\"refused\",\"5\",550]]"
	run jq '.size' report
	assert_output "$(sed 's/$/\r/' sent | wc -c)"
}

# --- configuration

@test "of two accounts, from chooses" {
	cat >config <<-END
		server submission://127.0.0.1:$(postfix_port encrypt)
		tls-ca $POSTFIX_DIR/ca.pem

		account first
		user alice
		password-file $POSTFIX_DIR/alice.password
		from alice@$POSTFIX_DOMAIN

		account second
		user bob
		password-file $POSTFIX_DIR/bob.password
		from bob@$POSTFIX_DOMAIN
	END
	small_message
	run --separate-stderr "$PNEU" --config=config -f "bob@$POSTFIX_DOMAIN" "$to" <sent
	assert_arrived
	assert_logged 'sasl_username=bob$'
	run --separate-stderr "$PNEU" --config=config -f "alice@$POSTFIX_DOMAIN" "$to" <sent
	assert_success
	assert_logged 'sasl_username=alice$'
	postfix_log_mark
	run --separate-stderr "$PNEU" --config=config -f "bob@$POSTFIX_DOMAIN" -a first "$to" <sent
	assert_success
	assert_logged 'sasl_username=alice$'
}

@test "the password from a command" {
	cat >config <<-END
		server submission://alice@127.0.0.1:$(postfix_port encrypt)
		tls-ca $POSTFIX_DIR/ca.pem
		password-command cat $POSTFIX_DIR/alice.password
	END
	small_message
	run --separate-stderr "$PNEU" --config=config -f "alice@$POSTFIX_DOMAIN" "$to" <sent
	assert_arrived
	assert_logged 'sasl_username=alice$'
}

# --- at the end, over all of the above

@test "Postfix saw nothing improper" {
	run grep -Ei 'improper|non-SMTP|bare (newline|<LF>)|pipelin.* from|too many errors|panic: |fatal: ' \
	    "$POSTFIX_DIR/log"
	refute_output --regexp '.'
}
