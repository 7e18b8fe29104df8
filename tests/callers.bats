#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Mail programs of people, and git, which send by running sendmail, with the client in its place, against a
# real Postfix. Where there is an example in contrib, it is what configures them.

bats_require_minimum_version 1.5.0

setup_file()
{
	load helper
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
	load callers
	callers_setup
}

# mutt_sends MUTT [argument ...]: mutt or neomutt, with the text on standard input.
mutt_sends()
{
	local mutt=$1

	shift
	need "$mutt" "$mutt"
	run --separate-stderr "$mutt" -n -F /dev/null -e "set sendmail=\"$sendmail -oem -oi\" copy=no" \
	    -e "set from=joe@$POSTFIX_DOMAIN realname=Joe use_from=yes" "$@"
}

# To $box, Cc to ${box}a, Bcc to ${box}b.
mutt_to_three()
{
	mutt_sends "$1" -s Subject -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b@$POSTFIX_DOMAIN" -- "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Cc: ${box}a@$POSTFIX_DOMAIN"
		assert_header "Subject: Subject"
	done
	assert_envelope "alice@$POSTFIX_DOMAIN" 3
}

@test "mutt: To, Cc and Bcc" {
	mutt_to_three mutt
}

@test "neomutt: To, Cc and Bcc" {
	mutt_to_three neomutt
}

@test "mutt: the sender, and text of eight bits" {
	printf 'Gr\xc3\xbc\xc3\x9fe.\n' >text
	mutt_sends mutt -e 'set charset=utf-8 use_envelope_from=yes use_8bitmime=yes' \
	    -e 'set send_charset=iso-8859-1' -s 'Grüße' -- "$to" <text
	printf 'Gr\xfc\xdfe.\n' >text
	arrives_in "$box"
	assert_header "Content-Type: text/plain; charset=iso-8859-1"
	assert_envelope "joe@$POSTFIX_DOMAIN" 1
}

@test "mutt: a draft with its own fields, folded and in groups" {
	cat >draft <<-END
		From: "Joe, who else?" <joe@$POSTFIX_DOMAIN>
		To: friends: $to,
		 "a (comment)" <${box}a@$POSTFIX_DOMAIN>;
		Bcc: ${box}b@$POSTFIX_DOMAIN
		Subject: draft
		X-Mine: kept

	END
	cat text >>draft
	mutt_sends mutt -H draft </dev/null
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "X-Mine: kept"
	done
	assert_envelope "alice@$POSTFIX_DOMAIN" 3
}

@test "mutt: a file attached, 300 KB of all octets" {
	need mutt mutt
	perl -e 'print map { chr($_ * 7 % 256) } 1 .. 300000' >file
	mutt_sends mutt -s file -a file -- "$to" <text
	assert_success
	assert_equal "$output$stderr" ""
	has_arrived "$box"
	# the last part of all that are in base64
	perl -MMIME::Base64 -0777 -ne 'print decode_base64((/base64\n\n(.*?)\n--/sg)[-1])' got >file.got
	cmp file file.got
}

@test "mutt: a notice that the server has taken the message" {
	mutt_sends mutt -e 'set dsn_notify="success,failure" dsn_return=hdrs' -s x -- "$to" <text
	arrives_in "$box"
	# to the sender; Postfix has given it to the mailbox alice
	postfix_notice
	run cat notice
	assert_line --regexp "^Original-Recipient: rfc822;$to"
	assert_line --regexp '^Action: (delivered|relayed)'
}

# The newest of the mailbox alice that is about this test's recipient.
postfix_notice()
{
	postfix_until postfix_noticed
}

postfix_noticed()
{
	grep -rl "^Original-Recipient: rfc822;$to" "$POSTFIX_DIR/mail/alice/new" 2>/dev/null |
	    xargs -r cat | tr -d '\r' >notice
	[ -s notice ]
}

# What the server says of a recipient is shown.
mutt_refused()
{
	mutt_sends "$1" -s x -- "reject@$POSTFIX_DOMAIN" <text
	assert_fails 1 "reject@$POSTFIX_DOMAIN: 5.7.1 RCPT" "the policy forbids it" "child exited 77"
	mutt_sends "$1" -s x -- "defer@$POSTFIX_DOMAIN" <text
	assert_fails 1 "4.2.1" "the mailbox is busy" "child exited 75 (Deferred.)"
}

@test "mutt: what the server says of a recipient is shown" {
	mutt_refused mutt
}

@test "neomutt: what the server says of a recipient is shown" {
	mutt_refused neomutt
}

# contrib/mutt/muttrc, with an address as the user has it.
mutt_configured()
{
	need "$1" "$1"
	contrib mutt/muttrc >muttrc
	echo "set copy=no from=joe@$POSTFIX_DOMAIN" >>muttrc
	run --separate-stderr "$1" -n -F muttrc -s Subject -b "${box}b@$POSTFIX_DOMAIN" -- "$to" <text
	arrives_in "$box"
	arrives_in "${box}b"
	assert_envelope "joe@$POSTFIX_DOMAIN" 2
	run --separate-stderr "$1" -n -F muttrc -s Subject -- "defer@$POSTFIX_DOMAIN" <text
	assert_fails 1 "the mailbox is busy"
}

@test "mutt: as configured in contrib" {
	mutt_configured mutt
}

@test "neomutt: as configured in contrib" {
	mutt_configured neomutt
}

@test "bsd-mailx: recipients from the header" {
	need bsd-mailx bsd-mailx
	echo "set sendmail=$sendmail" >mailrc
	export MAILRC=$BATS_TEST_TMPDIR/mailrc
	run --separate-stderr bsd-mailx -s Subject -r "joe@$POSTFIX_DOMAIN" \
	    -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b" "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "Subject: Subject"
		assert_header "From: joe@$POSTFIX_DOMAIN"
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	run --separate-stderr bsd-mailx -s Subject "defer@$POSTFIX_DOMAIN" <text
	assert_fails 1 "the mailbox is busy" "sendmail process failed with error code 75"
}

# It closes the client's standard output and error, so that only it says anything.
@test "mailutils: its outputs closed" {
	need mail.mailutils mailutils
	sed -i 's/^\.$/:/' text # a lone dot ends its input
	set -- -E "set sendmail=sendmail:$sendmail" -s Subject
	run --separate-stderr mail.mailutils "$@" -r "joe@$POSTFIX_DOMAIN" \
	    -a "Cc: ${box}a@$POSTFIX_DOMAIN" -a "Bcc: ${box}b@$POSTFIX_DOMAIN" "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "To: <$to>"
		assert_header "Cc: <${box}a@$POSTFIX_DOMAIN>"
		assert_header "Subject: Subject"
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	run --separate-stderr mail.mailutils "$@" "defer@$POSTFIX_DOMAIN" <text
	assert_fails 1 "Process exited with a non-zero status"
}

# s-nail's own encoding taken off: quoted-printable, for lone dots and lines with From.
snail_arrives_in()
{
	assert_success
	assert_equal "$output$stderr" ""
	has_arrived "$1"
	assert_header "Content-Transfer-Encoding: quoted-printable"
	perl -MMIME::QuotedPrint -pe '$_ = decode_qp($_)' body >plain
	cmp text plain
}

@test "s-nail: To, Cc and Bcc" {
	need s-nail s-nail
	set -- -n -S v15-compat -S ttycharset=utf-8 -S mta="$sendmail" -S DEAD="$PWD/dead.letter" \
	    -r "joe@$POSTFIX_DOMAIN" -s 'Grüße'
	run --separate-stderr s-nail "$@" -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b@$POSTFIX_DOMAIN" \
	    "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		snail_arrives_in "$each"
		assert_header "From: joe@$POSTFIX_DOMAIN"
		assert_header "To: $to"
		assert_header "Subject: =?utf-8?B?R3LDvMOfZQ==?="
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	run --separate-stderr s-nail "$@" "reject@$POSTFIX_DOMAIN" <text
	assert_fails 4 "the policy forbids it" "message not sent"
	cmp <(sed '1,/^$/d' dead.letter | perl -MMIME::QuotedPrint -pe '$_ = decode_qp($_)' |
	    head -n 7) text
}

@test "s-nail: as configured in contrib" {
	need s-nail s-nail
	contrib s-nail/mailrc >mailrc
	MAILRC=$BATS_TEST_TMPDIR/mailrc run --separate-stderr s-nail -: u -s Subject \
	    -b "${box}b@$POSTFIX_DOMAIN" "$to" <text
	snail_arrives_in "$box"
	snail_arrives_in "${box}b"
	assert_header "From: Alice <alice@$POSTFIX_DOMAIN>"
	assert_envelope "alice@$POSTFIX_DOMAIN" 2
	echo "set DEAD=$PWD/dead.letter" >>mailrc
	MAILRC=$BATS_TEST_TMPDIR/mailrc run --separate-stderr s-nail -: u -s x "defer@$POSTFIX_DOMAIN" <text
	assert_fails 4 "the mailbox is busy"
}

# Two patches of Joe's, in 0001-* and 0002-*.
git_patches()
{
	need git git
	need_file "$(git --exec-path)/git-send-email" git-email
	need_perl Mail::Address libmailtools-perl
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$BATS_TEST_TMPDIR/gitconfig
	git config --global user.name Joe
	git config --global user.email "joe@$POSTFIX_DOMAIN"
	git init -q repository
	for n in 1 2; do
		cat text >>repository/file
		git -C repository add file
		git -C repository commit -q -m "change $n"
	done
	git -C repository format-patch -q --root -o "$PWD"
	set -- 000*
	assert_equal $# 2
}

# git_sends [argument ...]: the patches to $to and ${box}a, and ${box}b without being named.
git_sends()
{
	run --separate-stderr git -C repository send-email --quiet --confirm=never --suppress-cc=all \
	    --to="$to" --cc="${box}a@$POSTFIX_DOMAIN" --bcc="${box}b@$POSTFIX_DOMAIN" "$@" "$PWD"/000*
}

git_said_nothing_else()
{
	assert_success
	assert_equal "$output$stderr" $'Sent [PATCH 1/2] change 1\nSent [PATCH 2/2] change 2'
}

# Both patches are in the mailbox $1, and can be applied.
git_applies()
{
	local file subjects=

	postfix_until git_two "$1"
	git init -q "applied-$1"
	for file in $(git_two_files "$1"); do
		tr -d '\r' <"$file" >"patch"
		refute grep -qi '^bcc' patch
		subjects+=$(sed -n 's/^Subject: //p' patch)
	done
	[[ $subjects == *"[PATCH 1/2] change 1"* && $subjects == *"[PATCH 2/2] change 2"* ]]
	# shellcheck disable=SC2046
	git -C "applied-$1" am -q $(git_two_files "$1")
	cmp repository/file "applied-$1/file"
}

git_two_files()
{
	grep -l 'PATCH 1/2' "$POSTFIX_DIR/mail/$1"/new/*
	grep -l 'PATCH 2/2' "$POSTFIX_DIR/mail/$1"/new/*
}

git_two()
{
	[ "$(git_two_files "$1" 2>/dev/null | wc -l)" -eq 2 ]
}

@test "git send-email: patches arrive, and apply" {
	git_patches
	git_sends --sendmail-cmd="$sendmail"
	git_said_nothing_else
	for each in "$box" "${box}a" "${box}b"; do
		git_applies "$each"
	done
	assert_envelope "alice@$POSTFIX_DOMAIN" 3
}

@test "git send-email: as configured in contrib" {
	git_patches
	contrib git/gitconfig >>gitconfig
	git_sends
	git_said_nothing_else
	git_applies "$box"
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
}

@test "git send-email: the status is sendmail's, and the rest is not sent" {
	git_patches
	git_sends --sendmail-cmd="$sendmail" --to="defer@$POSTFIX_DOMAIN" --cc="defer@$POSTFIX_DOMAIN"
	# the others have got it: a mixed result is no 75
	assert_fails 69 "defer@$POSTFIX_DOMAIN: 4.2.1 RCPT" "the mailbox is busy"
	refute git_two "$box"
	run --separate-stderr git -C repository send-email --quiet --confirm=never --suppress-cc=all \
	    --sendmail-cmd="$sendmail" --to="reject@$POSTFIX_DOMAIN" "$PWD"/000*
	assert_fails 77 "the policy forbids it"
}

# --- the accounts of a configuration

@test "an account by name, as the comments in contrib say" {
	need mutt mutt
	need s-nail s-nail
	git_patches
	sed -i 's/^server/account home\n&/' config
	{
		echo "account work"
		callers_server | sed 's/alice/bob/'
		echo "password-file $POSTFIX_DIR/bob.password"
	} >>config

	contrib mutt/muttrc | sed 's/-oem -oi/-a work -oi/' >muttrc
	echo "set copy=no from=joe@$POSTFIX_DOMAIN" >>muttrc
	run --separate-stderr mutt -n -F muttrc -s Subject -- "$to" <text
	arrives_in "$box"

	contrib s-nail/mailrc | sed 's/^#\(set mta-arg\)/\1/' >mailrc
	MAILRC=$PWD/mailrc run --separate-stderr s-nail -: u -s Subject "${box}a@$POSTFIX_DOMAIN" <text
	snail_arrives_in "${box}a"

	contrib git/gitconfig | sed 's/\(sendmailCmd = .*\)/\1 -a work/' >>gitconfig
	rm 0002*
	run --separate-stderr git -C repository send-email --quiet --confirm=never --suppress-cc=all \
	    --to="${box}b@$POSTFIX_DOMAIN" "$PWD"/000*
	assert_success
	has_arrived "${box}b"

	run postfix_log_since
	assert_equal "$(grep -c sasl_username=bob <<<"$output")" 3
	refute_output --partial sasl_username=alice
}
