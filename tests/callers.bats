#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Programs that send mail by running sendmail, with the client in its place, against a real Postfix.

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
	mkdir bin
	ln -s "$PNEU" bin/sendmail
	sendmail=$BATS_TEST_TMPDIR/bin/sendmail
	export PNEU_CONFIG=$BATS_TEST_TMPDIR/config
	printf '%s\n' "server submission://alice@127.0.0.1:$(postfix_port may)" \
	    "password-file $POSTFIX_DIR/alice.password" "tls-ca $POSTFIX_DIR/ca.pem" \
	    "from alice@$POSTFIX_DOMAIN" "domain $POSTFIX_DOMAIN" >config
}

# need COMMAND PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "$2 is not installed (apt-get install $2)"
}

# It said nothing, and the mailbox $1 has the message: got.
arrives_in()
{
	assert_success
	assert_equal "$output$stderr" ""
	postfix_got "$1" >got
}

# mutt_sends [argument ...]: with the text on standard input.
mutt_sends()
{
	need mutt mutt
	run --separate-stderr mutt -n -F /dev/null -e "set sendmail=\"$sendmail -oem -oi\" copy=no" \
	    -e "set from=joe@$POSTFIX_DOMAIN use_from=yes" "$@"
}

@test "mutt: To, Cc and Bcc" {
	printf '%s\n' 'Hello.' '.' 'Bye.' >text
	mutt_sends -s Subject -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b@$POSTFIX_DOMAIN" -- "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		run cat got
		assert_line "Subject: Subject"
		assert_line "To: $to"
		assert_line "."
		assert_line "Bye."
		refute_line --regexp '^Bcc'
		stderr= output=
	done
	assert_logged "from=<alice@$POSTFIX_DOMAIN>, .*nrcpt=3 "
}

@test "mutt: the sender, and text of eight bits" {
	printf 'Gr\xc3\xbc\xc3\x9fe.\n' >text
	mutt_sends -e 'set charset=utf-8 use_envelope_from=yes use_8bitmime=yes send_charset=iso-8859-1' \
	    -s 'Grüße' -- "$to" <text
	arrives_in "$box"
	LC_ALL=C grep -qx $'Gr\xfc\xdfe\\.' got
	assert_logged "from=<joe@$POSTFIX_DOMAIN>, "
}

@test "mutt: a notice that the server has taken the message" {
	echo x >text
	mutt_sends -e 'set dsn_notify="success,failure" dsn_return=hdrs' -s x -- "$to" <text
	arrives_in "$box"
	# to the sender; Postfix has given it to the mailbox alice
	postfix_mail alice >notices
	xargs cat <notices | tr -d '\r' >notice
	run cat notice
	assert_line --regexp "^Original-Recipient: rfc822;$to"
	assert_line --regexp '^Action: (delivered|relayed)'
}

@test "mutt: what the server says of a recipient is shown" {
	echo x >text
	mutt_sends -s x -- "reject@$POSTFIX_DOMAIN" <text
	assert_equal "$status" 1
	[[ $output$stderr == *"5.7.1"*"the policy forbids it"* ]] || fail "$output$stderr"
	[[ $output$stderr == *"child exited 77"* ]] || fail "$output$stderr"
}

@test "bsd-mailx: recipients from the header" {
	need bsd-mailx bsd-mailx
	echo "set sendmail=$sendmail" >mailrc
	printf '%s\n' 'Hello.' >text
	MAILRC=$BATS_TEST_TMPDIR/mailrc run --separate-stderr bsd-mailx -s Subject \
	    -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b" "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		run cat got
		assert_line "Subject: Subject"
		assert_line --regexp '^Message-ID: '
		refute_line --regexp '^Bcc'
		stderr= output=
	done
}

@test "cron: a message to a name" {
	printf '%s\n' 'From: root (Cron Daemon)' "To: $box" 'Subject: Cron <root@here> echo x' '' x |
	    env -i LANG=C.UTF-8 PATH=/usr/bin:/bin PNEU_CONFIG="$PNEU_CONFIG" \
	    "$sendmail" -FCronDaemon -i -B8BITMIME -oem "$box" >said 2>&1
	assert_equal "$(cat said)" ""
	postfix_got "$box" >got
	run cat got
	assert_line "From: root (Cron Daemon)"
	assert_line --regexp '^Date: '
	assert_line --regexp '^Message-ID: '
}
