# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC

# Logins at a server on a loopback address, where a password may go without TLS. In a bats file:
#
#	setup()         { load helper; load login; login_ready; }
#	teardown()      { login_done; }

login_ready()
{
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	cd "$BATS_TEST_TMPDIR" || return 1
	write_message
	umask 077
	pid=
}

# Ends the client whose number a test has put into $pid.
login_done()
{
	if [ -n "$pid" ]; then
		kill -KILL "$pid" 2>/dev/null || true
	fi
}

# --- lines of dialogues

greeting()
{
	printf '%s\n' 'S: 220 smtp.example.com ESMTP' 'C: EHLO mail.sender.com' 'S: 250-smtp.example.com' \
	    "S: 250 AUTH ${1:-PLAIN}"
}

mail()
{
	cat <<-END
		S: 235 2.7.0 Welcome
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

# The initial response of PLAIN for alice and the password $1.
plain()
{
	printf '\0alice\0%s' "$1" | base64 -w 0
}

# serve: what is in the file dialogue.
serve()
{
	peer_start dialogue
	url=smtp://alice@localhost:$peer_port
}

# serve_password PASSWORD: a server to which alice has to say this one.
serve_password()
{
	{
		greeting
		echo "C: AUTH PLAIN $(plain "$1")"
		mail
	} >dialogue
	serve
}

serve_nobody()
{
	echo NOBODY >dialogue
	serve
}

# at_server [option ...]: the client, towards $url, with whatever input.
at_server()
{
	run --separate-stderr "$PNEU" --config=/dev/null --server="$url" --tls=none --ehlo=mail.sender.com \
	    -f alice@sender.com "$@" bob@example.org
	printf '%s\n' "$stderr"
}

# client [option ...]: the same with the message.
client()
{
	at_server "$@" <message
}

# configured LINE ... [-- option ...]: the client with these lines for its configuration.
configured()
{
	printf '%s\n' 'tls none' 'ehlo mail.sender.com' >config
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		printf '%s\n' "$1" >>config
		shift
	done
	if [ $# -gt 0 ]; then
		shift
	fi
	run --separate-stderr "$PNEU" --config=config -f alice@sender.com "$@" bob@example.org <message
	printf '%s\n' "$stderr"
}

# The mail went through with that password.
delivered()
{
	assert_success
	assert_equal "$output$stderr" ""
	peer_end
	sed 's/$/\r/' message >wanted
	run cmp wanted "$peer_dir/message.1"
	assert_success
}

# refused CODE EXIT PATTERN ...: one line with all of that; nobody was contacted.
refused()
{
	local pattern

	printf '%s\n' "$stderr"
	assert_failure "$2"
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" "(^|[ :])${1//./\\.} "
	shift 2
	for pattern; do
		assert_regex "$stderr" "$pattern"
	done
	peer_end
}
