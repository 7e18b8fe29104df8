# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# For the tests of the program without a server: "load offline" in setup(), behind "load helper". Where a
# server is named, nobody listens there: a test that gets that far sees 4.4.1.

# All that is needed to get as far as the server, but for the message and a recipient.
nowhere=(--config=/dev/null --server=smtp://127.0.0.1:1 --tls=none --ehlo=me.example -f me@x.example)

cd "$BATS_TEST_TMPDIR" || exit 1
write_message letter
umask 022

need()
{
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# pneu [argument ...]: what it says is in $output and $stderr.
pneu()
{
	run --separate-stderr "$PNEU" "$@"
}

# submit [argument ...]: to nowhere; the message is on standard input.
submit()
{
	pneu "${nowhere[@]}" "$@"
}

# in_shell COMMANDS [argument ...]: the same from a shell, where "$PNEU" "$@" is to be run.
in_shell()
{
	local commands=$1

	shift
	run --separate-stderr sh -c "$commands" sh "${nowhere[@]}" "$@"
}

# As somebody whom modes concern.
unprivileged()
{
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}

# fails STATUS CODE [TEXT ...]: it ended like that, with one line that has all of this, and no output.
fails()
{
	local text line=$stderr

	assert_equal "$status" "$1"
	assert_equal "$output" ""
	if [[ $line != "pneu: $2 "* && $line != "pneu: "*": $2 "* ]] || [[ $line == *$'\n'* ]]; then
		fail "wanted one line with $2, found: $line"
	fi
	shift 2
	for text; do
		[[ $line == *"$text"* ]] || fail "wanted \"$text\" in: $line"
	done
}

# The message was taken, and the server was asked for.
reaches_server()
{
	fails 75 4.4.1 connect "Connection refused"
}
