#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# --check: what works and what does not, step by step, and what to do about it. Nothing is ever sent.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	cd "$BATS_TEST_TMPDIR"
	umask 077
	echo s3cret-word >password
	unset NO_COLOR
}

# check [argument ...]: towards the server of peer_start, when there is one.
check()
{
	run --separate-stderr "$PNEU" --config=/dev/null --check \
	    ${peer_port:+"submission://alice@127.0.0.1:$peer_port"} ${peer_dir:+--tls-ca="$peer_dir/ca.pem"} \
	    --ehlo=mail.sender.com --password-file=password "$@"
	printf '%s\n' "$output"
}

# step VERDICT STEP [PATTERN]: there is such a line.
step()
{
	assert_line --regexp "^$1 +$2 +.*${3-}"
}

ready()
{
	printf '%s\n' 'INCLUDE parts/ready' 'INCLUDE parts/auth-plain'
}

@test "check: everything works, and nothing is sent" {
	peer_start - <<-END
		$(ready)
		C: MAIL FROM:<alice@sender.com>
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		C: RSET
		S: 250 2.0.0 Ok
		INCLUDE parts/bye
	END
	check -f alice@sender.com bob@example.org
	assert_success
	assert_equal "$stderr" ""
	step ok connect '127\.0\.0\.1'
	step ok tls 'TLS1\.3'
	step ok certificate 'verified'
	step ok pin 'tls-pin [A-Za-z0-9+/]{43}='
	step ok offers 'only before TLS: STARTTLS'
	step ok login 'AUTH PLAIN as alice'
	step ok sender '<alice@sender.com> is accepted'
	step ok recipient '<bob@example.org> is accepted'
	refute_line --regexp '^(warning|failure)'
	refute_output --partial $'\033'
	refute_output --partial s3cret
	assert [ ! -e "$peer_dir/message.1" ]
	peer_end
}

@test "check: the report for programs" {
	peer_start - <<-END
		$(ready)
		INCLUDE parts/bye
	END
	check --report=json
	assert_success
	run jq -r '[.version, .exit, (.steps | map(.verdict) | unique | join(" "))] | @csv' <<<"$output"
	assert_output '1,0,"ok"'
	peer_end
}

@test "check: a stale password" {
	peer_start - <<-END
		INCLUDE parts/ready
		C: AUTH PLAIN ***
		S: 535 5.7.8 Authentication credentials invalid
		INCLUDE parts/bye
	END
	check
	assert_failure 77
	step failure AUTH '5\.7\.8 the server said: 535'
	step ok certificate verified
	step ok offers 'before TLS and in it: .*AUTH PLAIN'
	peer_end
}

@test "check: a server that greets with a refusal" {
	peer_start - <<-END
		S: 554 5.7.1 Client host [192.0.2.1] blocked
		INCLUDE parts/bye
	END
	check
	assert_failure 69
	step failure greeting '5\.7\.1 the server said: 554'
	refute_line --regexp '^ok +greeting'
	refute_line --regexp ' offers '
	peer_end
}

@test "check: no mechanism that can be used, and those that there are" {
	peer_start - <<-END
		INCLUDE parts/starttls
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 AUTH GSSAPI NTLM
		INCLUDE parts/bye
	END
	check
	assert_failure 77
	step ok offers 'only in TLS: AUTH GSSAPI NTLM'
	step failure AUTH '5\.7\.4 the server offers only AUTH GSSAPI NTLM, which'
	peer_end
}

@test "check: an expired certificate, and one that nobody knows" {
	peer_start - <<-END
		INCLUDE parts/greeting
		C: STARTTLS
		S: 220 2.0.0 Go
		TLS cert=expired try
		C? QUIT
	END
	check
	assert_failure 75
	step warning certificate 'NOT verified'
	step failure TLS '4\.7\.5 .*expired'
	peer_end
	peer_start - <<-END
		INCLUDE parts/greeting
		C: STARTTLS
		S: 220 2.0.0 Go
		TLS cert=stranger try
		C? QUIT
	END
	check
	step failure TLS 'tls-ca .*tls-pin'
	peer_end
}

@test "check: a port that nobody listens to, and one with the wrong scheme" {
	check submissions://alice@127.0.0.1:587
	assert_failure 75
	step warning server 'port 587 is for STARTTLS: submission://127\.0\.0\.1:587'
	step failure connect '4\.4\.1 .*refused.*465 and 587'
}

@test "check: TLS where the server speaks SMTP first" {
	peer_start - <<-'END'
		S: 220 smtp.example.com ESMTP
		STALL
	END
	run --separate-stderr "$PNEU" --config=/dev/null --check "submissions://127.0.0.1:$peer_port"
	assert_failure 75
	step failure TLS 'use submission:// instead'
	peer_end
}

@test "check: a password that cannot be had" {
	run "$PNEU" --config=/dev/null --check submissions://alice@127.0.0.1:1 --password-command='exit 3'
	assert_failure 78
	step failure password '5\.7\.0 password-command failed with exit status 3'
	run "$PNEU" --config=/dev/null --check submissions://alice@127.0.0.1:1 --password-file=nowhere
	assert_failure 78
	step failure settings '5\.3\.5 password-file nowhere'
}

@test "check: a bare root" {
	peer_start - <<-END
		$(ready)
		INCLUDE parts/bye
	END
	printf '%s\n' "account home" "server submission://alice@127.0.0.1:$peer_port" \
	    "tls-ca $peer_dir/ca.pem" "password-file password" "ehlo mail.sender.com" \
	    "from alice@sender.com" >config
	run --separate-stderr "$PNEU" --config=config --check home root
	assert_failure 67
	assert_line --regexp '^failure +recipient +5\.1\.3 .*root.*(domain|aliases)'
	peer_end
}

@test "check: a recipient and a sender that the server refuses" {
	peer_start - <<-END
		$(ready)
		C: MAIL FROM:<alice@sender.com>
		C: RCPT TO:<eve@example.org>
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.0 Ok
		S: 550 5.1.1 No such user
		S: 250 2.1.5 Ok
		C: RSET
		S: 250 2.0.0 Ok
		INCLUDE parts/bye
	END
	check -f alice@sender.com eve@example.org bob@example.org
	assert_failure 67
	step failure recipient '5\.1\.1 <eve@example.org>: the server said: 550'
	step ok recipient '<bob@example.org> is accepted'
	peer_end
}

@test "check: a keyword that there is not, and a file that cannot be read" {
	echo 'sever submission://mail.example.org' >config
	run --separate-stderr "$PNEU" --config=config --check
	assert_failure 78
	assert_line --regexp '^failure +settings +5\.3\.5 config:1: .*"server"'
	run --separate-stderr "$PNEU" --config=missing --check
	assert_failure 78
	assert_line --regexp '^failure +settings +5\.3\.5 .*missing'
	printf '%s\n' 'server submission://alice@127.0.0.1:1' 'password-file nowhere' >config
	run --separate-stderr "$PNEU" --config=config --check
	assert_failure
	assert_output --partial nowhere
}

@test "check: what is unwise is said" {
	printf '%s\n' 'server submission://alice@127.0.0.1:1' 'password s3cret-word' 'tls encrypt' \
	    'tls-name mail.example.org' >config
	run --separate-stderr "$PNEU" --config=config --check
	step warning password 'password-command'
	step warning tls 'tls-name decides nothing'
	step warning tls 'whoever is in between'
	refute_output --partial s3cret-word
}

@test "check: a port whose custom is another scheme" {
	run "$PNEU" --config=/dev/null --check submission://alice@127.0.0.1:465 --password-file=password
	step warning server 'port 465 is for TLS from the first octet: submissions://127\.0\.0\.1'
	run "$PNEU" --config=/dev/null --check submissions://alice@127.0.0.1:587 --password-file=password
	step warning server 'port 587 is for STARTTLS: submission://127\.0\.0\.1:587 is more likely'
	run "$PNEU" --config=/dev/null --check submission://alice@127.0.0.1:25 --password-file=password
	step warning server 'port 25 is between servers, .* 465 and 587 are for submission'
}

@test "check: a spool that can be written, and one that cannot" {
	mkdir spool
	run "$PNEU" --config=/dev/null --check --queue="$PWD/spool" submission://127.0.0.1:1
	step ok spool 'it can be written'
	chmod 755 spool
	run "$PNEU" --config=/dev/null --check --queue="$PWD/spool" submission://127.0.0.1:1
	step failure spool 'open to others \(chmod 700'
}

@test "check: a spool on a disk that is full" {
	[ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null || skip "only root can mount one"
	mkdir spool
	run unshare -m sh -c 'mount -t tmpfs -o size=16k,mode=700 none spool &&
	    { dd if=/dev/zero of=spool/file bs=4k count=9 2>/dev/null
	      exec "$PNEU" --config=/dev/null --check --queue="$PWD/spool" submission://127.0.0.1:1; }'
	assert_failure 75
	step failure spool '4\.3\.1 no space is left where .*/spool is'
}

@test "check: the first server is down, the second works: as a submission would end" {
	peer_start - <<-END
		$(ready)
		INCLUDE parts/bye
	END
	printf '%s\n' 'server submission://alice@127.0.0.1:1' \
	    "server submission://alice@127.0.0.1:$peer_port" \
	    "tls-ca $peer_dir/ca.pem" "password-file password" "ehlo mail.sender.com" >config
	run --separate-stderr "$PNEU" --config=config --check
	assert_success
	step failure connect '4\.4\.1'
	step ok login 'AUTH PLAIN'
	peer_end
}

@test "check: colours on a terminal only, and not with NO_COLOR" {
	command -v script >/dev/null || skip "script is not installed"
	run script -qec "'$PNEU' --config=/dev/null --check submission://127.0.0.1:1" /dev/null
	assert_output --partial $'\033[31mfailure'
	NO_COLOR=1 run script -qec "'$PNEU' --config=/dev/null --check submission://127.0.0.1:1" /dev/null
	refute_output --partial $'\033'
}

@test "check: on a terminal what is long is folded, and elsewhere it is one line" {
	local line

	command -v script >/dev/null || skip "script is not installed"
	NO_COLOR=1 run script -qec \
	    "stty cols 60; '$PNEU' --config=/dev/null --check submission://127.0.0.1:1" /dev/null
	assert_line --regexp '^ {22}[a-z]'
	for line in "${lines[@]%$'\r'}"; do
		assert [ "${#line}" -lt 60 ]
	done
	run "$PNEU" --config=/dev/null --check submission://127.0.0.1:1
	step failure connect '.* are for submission$'
	refute_line --regexp '^ '
}

@test "check: the configurations of pneu-recipes(7) are some" {
	local n=0

	awk '/^\.Bd/ { inside = 1; n++; next }
	    /^\.Ed/ { inside = 0 }
	    inside { print > ("block." n) }' "$PNEU_SRC/man/pneu-recipes.7"
	for each in block.*; do
		grep -q '^server ' "$each" || continue
		sed -i '/^aliases/d' "$each" # the file is on no machine but its own
		run --separate-stderr "$PNEU" --config="$each" -bv alice@example.org
		assert_success
		n=$((n + 1))
	done
	assert [ "$n" -ge 6 ]
}
