# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# For tests of the program with a spool, against a scripted server: "load queue" after "load helper", and
# queue_setup in setup(), queue_teardown in teardown().

queue_setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	umask 077
	# nothing here is about a real disk, and there are many fsyncs
	disk=$(mktemp -d /dev/shm/pneu-queue.XXXXXX 2>/dev/null) || disk=$(mktemp -d)
	spool=$disk/spool
	settings=()
	server='smtp://127.0.0.1:$PORT'
	pid=
	write_message
}

queue_teardown()
{
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill -KILL "$pid"
	fi
	rm -rf "$disk"
}

# The configuration for the server of peer_start; ${settings[@]} come first.
configure()
{
	printf '%s\n' "${settings[@]}" "server ${server/\$PORT/${peer_port:-1}}" "tls none" \
	    "ehlo mail.sender.com" "queue $spool" "from alice@sender.com" >config
}

# pneu [argument ...]: as bats' run; with a message when there are recipients.
pneu()
{
	configure
	run --separate-stderr "$PNEU" --config=config "$@" <message
}

# quiet: it went well and said nothing.
quiet()
{
	assert_success
	assert_equal "$output" ""
	assert_equal "$stderr" ""
}

# later [recipient ...]: into the spool, untried; sets $id.
later()
{
	pneu -odq "${@:-bob@example.org}"
	quiet
	entries=("$spool"/*.e) # the newest is the last
	id=$(basename "${entries[-1]}" .e)
}

# How many wait.
waiting()
{
	find "$spool" -maxdepth 1 -name '*.e' 2>/dev/null | wc -l
}

# has ENTRY LINE: the envelope of an entry has the line, as a pattern of grep.
has()
{
	grep -qax -e "$2" "$spool/$1.e" || fail "$1 has no line $2: $(cat "$spool/$1.e")"
}

# only: the one entry that there is.
only()
{
	assert_equal "$(waiting)" 1
	basename "$spool"/*.e .e
}

# due ENTRY ...: its time has come. aged SECONDS ENTRY: it was queued so long ago, and is due.
due()
{
	local each

	for each; do
		sed -i 's/^next .*/next 1/' "$spool/$each.e"
	done
}

aged()
{
	sed -i "s/^queued .*/queued $(($(date +%s) - $1))/; s/^next .*/next 1/" "$spool/$2.e"
}

account_due()
{
	sed -i 's/^next .*/next 1/' "$spool"/accounts/*
}

# accepts RECIPIENT ...: script of a message that is accepted, in a session that goes on.
accepts()
{
	local each

	echo "C: MAIL FROM:<${from-alice@sender.com}>***"
	for each; do
		echo "C: RCPT TO:<$each>***"
	done
	printf '%s\n' 'C: DATA' 'S: 250 2.1.0 Ok'
	for each; do
		echo 'S: 250 2.1.5 Ok'
	done
	printf '%s\n' 'S: 354 Go ahead' 'C: <message>' 'S: 250 2.0.0 Ok: queued as X'
}

# waits N: so many.
waits()
{
	[ "$(waiting)" = "$1" ]
}

# A session without TLS up to where MAIL is due, and its end.
clear='INCLUDE parts/ready-clear'
leaves=$'C? QUIT\nS: 221 2.0.0 Bye'

# plays TRANSACTION ...: a server for one such session with these.
plays()
{
	peer_start - < <(printf '%s\n' "$clear" "$@" "$leaves")
}
