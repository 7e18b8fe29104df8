# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# For every bats file: "load helper" in setup() or setup_file(). Gives the assertions of bats-assert,
#
#	PNEU_SRC, PNEU_BUILD	the top directories of the source and of the build
#	PNEU, PEER		the client, and the server that plays dialogues (tests/README)
#
# and the functions below. Each test has the directory $BATS_TEST_TMPDIR for itself.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

: "${PNEU_SRC:=$(cd "$BATS_TEST_DIRNAME/.." && pwd)}"
: "${PNEU_BUILD:=$PNEU_SRC}"
: "${PNEU:=$PNEU_BUILD/pneu}"
: "${PEER:=$PNEU_BUILD/tests/peer}"
export PNEU_SRC PNEU_BUILD PNEU PEER

# Nothing of the machine's or the user's configuration counts.
unset PNEU_CONFIG XDG_CONFIG_HOME XDG_STATE_HOME CREDENTIALS_DIRECTORY
if [ -n "${BATS_TEST_TMPDIR-}" ]; then
	export HOME=$BATS_TEST_TMPDIR
fi

# until_true COMMAND [argument ...]: 0 as soon as the command succeeds, 1 when it has not after 20 s.
until_true()
{
	local i

	for ((i = 0; i < 400; i++)); do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	return 1
}

# no_valgrind REASON: not for a program that runs under it, as with tests/run --valgrind.
no_valgrind()
{
	[ "${PNEU##*/}" != valgrind ] || skip "under valgrind: $1"
}

# A message in the file $1 (message), with every field it must have; $2 ... are lines of its body.
write_message()
{
	local file=${1:-message}

	shift || true
	{
		printf '%s\n' 'Date: Mon, 24 Nov 2025 10:00:00 +0000' 'From: Alice <alice@sender.com>' \
		    'To: bob@example.org' 'Subject: test' 'Message-ID: <test.1@sender.com>' ''
		printf '%s\n' "${@:-Hello Bob.}"
	} >"$file"
}

# peer_start SCRIPT: plays the dialogue in the file SCRIPT, or in standard input when it is "-". Sets
# peer_dir (with ca.pem, transcript, message.1, ...), peer_port and peer_pid.
peer_start()
{
	local script=$1

	peer_dir=$(mktemp -d "$BATS_TEST_TMPDIR/peer.XXXXXX")
	ln -s "$PNEU_SRC/tests/dialogues/parts" "$peer_dir/parts" # for INCLUDE
	if [ "$script" = - ]; then
		script=$peer_dir/script
		cat >"$script"
	fi
	"$PEER" --dir "$peer_dir" "$script" >"$peer_dir/out" 2>"$peer_dir/err" 3>&- &
	peer_pid=$!
	until_true peer_listens
	if [ ! -e "$peer_dir/port" ]; then
		cat "$peer_dir/err" >&2
		return 1
	fi
	peer_port=$(cat "$peer_dir/port")
}

# peer_hold DIR SCRIPT [option ...]: the peer in that directory plays the script for one client after the
# other; whoever starts it ends it, by $peer_pid.
peer_hold()
{
	peer_dir=$1
	ln -s "$PNEU_SRC/tests/dialogues/parts" "$1/parts"
	"$PEER" --dir "$1" "${@:3}" --hold "$2" >/dev/null 2>&1 3>&- &
	peer_pid=$!
	until_true peer_listens
	peer_port=$(cat "$1/port")
}

# faulty FILE: makes it the program of which a call fails, as the environment says (tests/faults_shim.c).
faulty()
{
	printf '%s\n' '#!/bin/sh' \
	    "export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0:handle_segv=0" \
	    "LD_PRELOAD=$PNEU_BUILD/tests/faults_shim.so exec $PNEU \"\$@\"" >"$1"
	chmod 700 "$1"
}

peer_listens()
{
	[ -e "$peer_dir/port" ] || ! kill -0 "$peer_pid" 2>/dev/null
}

# After the client has ended: fails, and says why, when the client did not do its part.
peer_end()
{
	local status=0

	kill -TERM "$peer_pid" 2>/dev/null || true
	wait "$peer_pid" || status=$?
	if [ "$status" -ne 0 ]; then
		cat "$peer_dir/err" "$peer_dir/transcript" >&2
	fi
	return "$status"
}

# peer_run [argument ...]: runs the client against it, as bats' run does, with standard error apart.
peer_run()
{
	run --separate-stderr "$PNEU" --config=/dev/null --server="submission://127.0.0.1:$peer_port" \
	    --tls-ca="$peer_dir/ca.pem" --ehlo=mail.sender.com -f alice@sender.com "$@"
}
