#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What is encoded on its way to a server that takes less, as other programs decode it.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	perl -MMIME::QuotedPrint -MEncode -e 1 2>/dev/null ||
	    skip "perl is not installed (apt-get install perl)"
	cd "$BATS_TEST_TMPDIR" || return
}

# server PART: takes one mail to bob, after this part of a dialogue.
server()
{
	peer_start - <<-SCRIPT
		INCLUDE parts/$1
		INCLUDE parts/mail
	SCRIPT
}

# The message that arrived, in header and body, without CRs.
arrived()
{
	tr -d '\r' <"$peer_dir/message.1" >got
	sed '/^$/,$d' got >header
	sed '1,/^$/d' got >body
}

decoded()
{
	perl -MMIME::QuotedPrint -0777 -ne 'print decode_qp($_)' body
}

# The value of a field, as a reader shows it, in UTF-8.
shown()
{
	perl -MEncode -0777 -ne '
	    s/\n(?=[ \t])//g;
	    print encode("UTF-8", decode("MIME-Header", $1)) if /^'"$1"': (.*)$/m' header
}

subject='Cron <root@host> /usr/local/bin/sichern --überall --ganz-gründlich && echo "Grüße, fertig"'

# As cron has it: no Date, a bare name, 8-bit in the header.
cron_mail()
{
	printf '%s\n' 'From: root@sender.com (Cron Dämon)' 'To: bob@example.org' "Subject: $subject" \
	    'MIME-Version: 1.0' 'Content-Type: text/plain; charset=UTF-8' \
	    'Content-Transfer-Encoding: 8bit' 'X-Cron-Env: <HOME=/home/x/Bücher>' ''
	cat
}

# Lines of 5,000 octets, NULs, bare CRs, 8-bit that is no UTF-8, blanks and dots at the edges.
cron_output()
{
	printf ' 10%%\r 50%%\r100%%\n%05000d \n\0\0core\0\n.\n..\nFrom here\n' 1
	printf 'caf\351 Gr\303\274\303\237e = 3\n%04999d\t\n\f\033[1mbold\033[0m\n' 2
	printf 'no end'
}

@test "the output of cron arrives complete, without 8BITMIME" {
	cron_output | cron_mail >mail
	server ready-in-step
	peer_run bob@example.org <mail
	assert_success
	peer_end
	arrived
	run -1 env LC_ALL=C grep -n '[^ -~	]\|.\{77\}' body
	run -1 env LC_ALL=C grep -n '[^ -~	]' header
	run -0 grep -x 'Content-Type: text/plain; charset=UTF-8' header
	run -0 grep -x 'Content-Transfer-Encoding: quoted-printable' header
	run -1 grep 'Content-Transfer-Encoding: 8bit' header
	{ cron_output | tr '\r' '\n'; echo; } >want
	decoded >text
	run cmp want text
	assert_success
	run shown Subject
	assert_output "$subject"
	run shown From
	assert_output 'root@sender.com (Cron Dämon)'
	run shown X-Cron-Env
	assert_output '<HOME=/home/x/Bücher>'
}

@test "the output of cron arrives complete, with 8BITMIME" {
	cron_output | cron_mail >mail
	server ready
	peer_run bob@example.org <mail
	assert_success
	peer_end
	arrived
	{ cron_output | tr '\r' '\n'; echo; } >want
	decoded >text
	run cmp want text
	assert_success
}

@test "large text is encoded in constant memory" {
	[ "$(uname)" = Linux ] || skip "how much memory was used is asked of Linux"
	grep -q '^#define PNEU_SANITIZERS' "$PNEU_BUILD/config.h" &&
	    skip "sanitizers need memory of their own"
	no_valgrind "it needs memory of its own"
	{
		printf 'From: alice@sender.com\n\n'
		yes 'Grüße aus Köln, und zwar ziemlich viele davon, Zeile um Zeile.' | head -c 30000000
	} >mail
	server ready-in-step
	run bash -c 'ulimit -v 1000000; ulimit -d 20000; exec "$@"' bash "$PNEU" --config=/dev/null \
	    --server="submission://127.0.0.1:$peer_port" --tls-ca="$peer_dir/ca.pem" \
	    --ehlo=mail.sender.com -f alice@sender.com bob@example.org <mail
	assert_success
	peer_end
	arrived
	sed '1,/^$/d' mail >want
	echo >>want # the end of its last line
	decoded >text
	run cmp want text
	assert_success
}
