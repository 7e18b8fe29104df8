# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC

# For tests of the programs that send mail by running sendmail: the client in its place, and the throwaway
# Postfix of postfix.bash, which has to be loaded before. In a bats file:
#
#	setup_file()    { postfix_start; }
#	setup()         { callers_setup; }
#	teardown_file() { postfix_stop; }

# $sendmail is the client under that name, and $PNEU_CONFIG has an account at Postfix, user alice. The text
# to send is in the file text: what a careless sendmail takes for its end, or for something else, is in it.
callers_setup()
{
	postfix_setup
	mkdir bin
	ln -s "$PNEU" bin/sendmail
	# shellcheck disable=SC2034
	sendmail=$BATS_TEST_TMPDIR/bin/sendmail
	export PNEU_CONFIG=$BATS_TEST_TMPDIR/config
	{
		callers_server
		echo "password-file $POSTFIX_DIR/alice.password"
		printf '%s\n' "from alice@$POSTFIX_DOMAIN" "domain $POSTFIX_DOMAIN"
	} >config
	printf '%s\n' 'Hello.' '.' '..' '.two' 'From here on' '' 'Bye.' >text
}

callers_server()
{
	printf '%s\n' "server submission://alice@127.0.0.1:$(postfix_port may)" "tls-ca $POSTFIX_DIR/ca.pem"
}

# need COMMAND PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "$2 is not installed (apt-get install $2)"
}

# need_file FILE PACKAGE
need_file()
{
	[ -e "$1" ] || skip "$2 is not installed (apt-get install $2)"
}

# need_perl MODULE PACKAGE
need_perl()
{
	perl "-M$1" -e 1 2>/dev/null || skip "$2 is not installed (apt-get install $2)"
}

# contrib FILE: an example, with the client of this build in it.
contrib()
{
	grep -q '/usr/local/bin/pneu' "$PNEU_SRC/contrib/$1" || return 1
	sed "s|/usr/local/bin/pneu|$PNEU|g" "$PNEU_SRC/contrib/$1"
}

# It said nothing, and the mailbox $1 has a message: its header is in the file header, and its text, in the
# file body, is that of the file text. No Bcc is in it.
arrives_in()
{
	assert_success
	assert_equal "$output$stderr" ""
	has_arrived "$1"
	cmp text body
}

has_arrived()
{
	postfix_got "$1" >got || return 1
	sed '/^$/,$d' got >header
	sed '1,/^$/d' got >body
	assert_regex "$(grep -c '^Date: ' header) $(grep -c '^From: ' header)" '^1 1$'
	assert_equal "$(grep -ci '^message-id: ' header)" 1
	if grep -i '^bcc' header; then
		fail "there is a Bcc field"
	fi
}

# The header of what has arrived has this line.
assert_header()
{
	grep -qxF -- "$1" header || fail "no line \"$1\" in: $(cat header)"
}

# assert_envelope SENDER N: Postfix took one message from SENDER for N recipients.
assert_envelope()
{
	assert_logged "from=<$1>, .*nrcpt=$2 "
}

# assert_fails STATUS TEXT ...: the caller ended with STATUS, and each TEXT is in what it or the client said.
assert_fails()
{
	local text

	assert_equal "$status" "$1"
	shift
	for text; do
		[[ $output$'\n'$stderr == *"$text"* ]] || fail "no \"$text\" in: $output$stderr"
	done
}
