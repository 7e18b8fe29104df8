#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Reports to senders, as a reader of MIME that is not ours understands them.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	perl -MMIME::Parser -e 1 2>/dev/null ||
	    skip "MIME::Parser is not installed (apt-get install libmime-tools-perl)"
	cd "$BATS_TEST_TMPDIR" || return
	export TZ=UTC
	printf '%s\r\n' 'Received: from a by b' 'From: alice@sender.com' 'Subject: Hello' '' \
	    'The text.' '.a dot' >message
}

# entry: an envelope with the recipients on standard input.
entry()
{
	local end

	cat >rest
	end=$(grep -c '^rcpt ' rest)
	{
		printf '%s\n' 'pneu-spool 1' "from <${sender-alice@sender.com}>" \
		    'message-id <1.2@sender.com>' 'queued 1764115200' 'tried 1764201000' 'tries 12'
		cat rest
		printf 'end %d\n' "$end"
	} >entry
}

# report KIND: makes one, and has it read, with the line ends of a mailbox: its parts in part.1 and so on,
# and in `parts` a line for each with its type and encoding; `fields` is the header, and `groups` the
# second part, both unfolded. `sent` is the message with such line ends.
report()
{
	"$PNEU_BUILD/tests/bouncer" entry message "$1" >report
	run -1 grep -avn $'\r$' report
	tr -d '\r' <report >mail
	tr -d '\r' <message >sent
	perl -MMIME::Parser -e '
	    my $p = MIME::Parser->new;
	    $p->output_to_core(1); $p->tmp_to_core(1); $p->decode_headers(0); $p->extract_nested_messages(0);
	    my $e = $p->parse_open("mail");
	    my @bad = ($p->results->errors, $p->results->warnings);
	    die "@bad" if @bad;
	    sub out { open my $f, ">", $_[0] or die; print $f $_[1]; close $f }
	    (my $head = $e->head->as_string) =~ s/\n(?=[ \t])//g;
	    out("fields", $head);
	    die "preamble" if grep /\S/, @{ $e->preamble || [] };
	    die "epilogue" if grep /\S/, @{ $e->epilogue || [] };
	    my ($n, $parts) = (0, "");
	    for ($e->parts) {
		my $charset = $_->head->mime_attr("content-type.charset");
		my $body = $_->bodyhandle->as_string;
		my $encoding = $_->head->mime_encoding;
		die "8-bit in 7bit" if $encoding eq "7bit" && $body =~ /[\x80-\xff]/;
		$parts .= $_->mime_type . ($charset ? " $charset" : "") . " $encoding\n";
		out("part." . ++$n, $body);
		next if $n != 2;
		$body =~ s/\n(?=[ \t])//g;
		out("groups", $body);
	    }
	    out("parts", $parts);'
}

# is FILE: holds what is on standard input.
is()
{
	run -0 diff "$1" -
	assert_output ""
}

@test "a failure, as a program reads it" {
	entry <<-'END'
		rcpt <bob@example.org>
		orcpt rfc822;bob+2Bx@example.org
		last 5.1.1 550 RCPT 550 5.1.1 <bob@example.org>: no such name in our table of users
		server mx.example.org
		rcpt <carol@example.org>
		last 4.2.0 450 RCPT 450 4.2.0 busy
		rcpt <dave@example.org>
		notify NEVER
		last 5.1.1 550 RCPT 550 5.1.1 no such user
		rcpt <eve@example.org>
		last 5.6.7 0 RCPT the server has no SMTPUTF8
		server mx.example.org
	END
	report failed
	is parts <<-'END'
		text/plain us-ascii 7bit
		message/delivery-status 7bit
		text/rfc822-headers 7bit
	END
	is groups <<-'END'
		Reporting-MTA: dns; mail.sender.com
		Arrival-Date: Wed, 26 Nov 2025 00:00:00 +0000

		Original-Recipient: rfc822; bob+x@example.org
		Final-Recipient: rfc822; bob@example.org
		Action: failed
		Status: 5.1.1
		Remote-MTA: dns; mx.example.org
		Diagnostic-Code: smtp; 550 5.1.1 <bob@example.org>: no such name in our table of users
		Last-Attempt-Date: Wed, 26 Nov 2025 23:50:00 +0000

		Final-Recipient: rfc822; eve@example.org
		Action: failed
		Status: 5.6.7
		Diagnostic-Code: x-pneu; the server has no SMTPUTF8
		Last-Attempt-Date: Wed, 26 Nov 2025 23:50:00 +0000
	END
	sed '/^$/,$d' sent | cmp - part.3
	run -0 sed -e '/^Message-ID: <.*@mail.sender.com>$/d' -e 's/boundary=.*/boundary/' fields
	assert_output - <<-'END'
		From: Mail Delivery System <MAILER-DAEMON@mail.sender.com>
		To: <alice@sender.com>
		Subject: Your message was not delivered
		Date: Thu, 27 Nov 2025 00:00:00 +0000
		References: <1.2@sender.com>
		Auto-Submitted: auto-replied
		MIME-Version: 1.0
		Content-Type: multipart/report; report-type=delivery-status; boundary
		Content-Transfer-Encoding: 7bit
	END
}

@test "a failure, as a person reads it" {
	entry <<-'END'
		rcpt <bob@example.org>
		last 5.1.1 550 RCPT 550 5.1.1 no such user
		server mx.example.org
		rcpt <carol@example.org>
		last 4.4.2 0 end+20of+20message the connection was lost
		unknown yes
		rcpt <dave@example.org>
		last 5.7.1 554 RCPT 554 5.7.1 relay access denied
		rcpt <erin@example.org>
		last 5.7.1 554 RCPT 554 5.7.1 relay access denied
		rcpt <frank@example.org>
	END
	report expired
	run -0 tail -n 4 groups
	assert_output - <<-'END'
		Final-Recipient: rfc822; frank@example.org
		Action: failed
		Status: 4.4.7
		Diagnostic-Code: x-pneu; there was no try that came to this recipient
	END
	is part.1 <<-'END'
		This is pneu on mail.sender.com.

		Your message <1.2@sender.com> was not delivered to those below. It will not
		be tried again. It was queued on Wed, 26 Nov 2025 00:00:00 +0000 and tried
		12 times.

		<bob@example.org>
		    5.1.1 (RCPT), mx.example.org said: 550 5.1.1 no such user

		<carol@example.org>
		    4.4.2 (end of message): the connection was lost
		    It may have been delivered all the same: the server was given the whole
		    message, and its answer never came.

		<dave@example.org>
		<erin@example.org>
		    5.7.1 (RCPT), the server said: 554 5.7.1 relay access denied
		    What may help: the server does not relay for you: is a user name missing
		    in `server`?

		<frank@example.org>
		    4.4.7: there was no try that came to this recipient
		    This was a temporary failure, and the time for it is over. The same
		    message may go through later.

		The header of your message follows.
	END
}

@test "a delay says how long it will be tried" {
	entry <<-'END'
		envid QQ+2B3
		ret FULL
		rcpt <bob@example.org>
		last 4.2.0 450 RCPT 450 4.2.0 busy
		rcpt <carol@example.org>
		last 5.1.1 550 RCPT 550 5.1.1 no such user
	END
	report delayed
	is groups <<-'END'
		Reporting-MTA: dns; mail.sender.com
		Original-Envelope-Id: QQ+3
		Arrival-Date: Wed, 26 Nov 2025 00:00:00 +0000

		Final-Recipient: rfc822; bob@example.org
		Action: delayed
		Status: 4.2.0
		Diagnostic-Code: smtp; 450 4.2.0 busy
		Last-Attempt-Date: Wed, 26 Nov 2025 23:50:00 +0000
		Will-Retry-Until: Tue, 02 Dec 2025 00:00:00 +0000
	END
	run -0 tail -n 1 parts
	assert_output "text/rfc822-headers 7bit"
	run -0 tr '\n' ' ' <part.1
	assert_output --partial "still being tried, until Tue, 02 Dec 2025 00:00:00 +0000; there is no need"
	refute_output --partial "carol"
}

@test "RET=FULL returns the message as it was" {
	printf 'Subject: Hello\r\n\r\n.\r\n--=_x\r\nGr\xfc\xdfe\r\n\r\n' >message
	printf 'ret FULL\nrcpt <bob@example.org>\nlast 5.0.0 500 RCPT 500 no\n' | entry
	report failed
	run -0 tail -n 1 parts
	assert_output "message/rfc822 8bit"
	cmp part.3 sent
	run -0 grep Content-Transfer fields
	assert_output "Content-Transfer-Encoding: 8bit"
}

@test "letters beyond ASCII, in the types of RFC 6533" {
	printf 'Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\nText\r\n' >message
	sender=j+C3+BCrgen@sender.com
	printf '%s\n' 'rcpt <b+C3+BCro@example.org>' 'orcpt utf-8;b\x{FC}ro@example.org' \
	    'last 5.0.0 500 RCPT 500 no' | entry
	report failed
	is parts <<-'END'
		text/plain utf-8 8bit
		message/global-delivery-status 8bit
		message/global-headers 8bit
	END
	run -0 grep Recipient groups
	assert_line 'Original-Recipient: utf-8; b\x{FC}ro@example.org'
	assert_line 'Final-Recipient: utf-8; büro@example.org'
	run -0 grep ^To fields
	assert_output 'To: <jürgen@sender.com>'

	sed -i '2i ret FULL' entry
	report failed
	run -0 tail -n 1 parts
	assert_output "message/global 8bit"

	# what is no UTF-8 is not called so
	printf 'Subject: Gr\xfc\xdfe\r\n\r\nText\r\n' >message
	sed -i '/^ret/d' entry
	report failed
	run -0 tail -n 1 parts
	assert_output "text/rfc822-headers 8bit"
}

@test "a report on what holds a report" {
	printf 'ret FULL\nrcpt <bob@example.org>\nlast 5.0.0 500 RCPT 500 no\n' | entry
	report failed
	cp report message
	report failed
	assert_equal "$(wc -l <parts)" 3
	cmp part.3 sent
}

@test "a header of 1 MiB comes back whole" {
	{
		seq -f 'X-Field-%g: this is a field of the header of a message' 17000 | sed 's/$/\r/'
		printf '\r\nText\r\n'
	} >message
	printf 'rcpt <bob@example.org>\nlast 5.0.0 500 RCPT 500 no\n' | entry
	report failed
	sed '/^$/,$d' sent | cmp - part.3
}

@test "nothing to report" {
	printf 'rcpt <bob@example.org>\nlast 4.2.0 450 RCPT 450 busy\n' | entry
	run -3 "$PNEU_BUILD/tests/bouncer" entry message failed
	assert_output ""
	sender=
	printf 'rcpt <bob@example.org>\nlast 5.0.0 500 RCPT 500 no\n' | entry
	run -3 "$PNEU_BUILD/tests/bouncer" entry message failed
	assert_output ""
}
