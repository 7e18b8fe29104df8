#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What contrib has for flushing, and for a machine whose users share an account without its password: the
# units, and the same by hand, with users of their own.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load queue
	queue_setup
	listener=
}

teardown()
{
	if [ -n "$listener" ]; then
		kill "$listener" 2>/dev/null || true
	fi
	queue_teardown
}

need()
{
	command -v "$1" >/dev/null || skip "$1 is not installed (apt-get install $2)"
}

@test "systemd: the units of contrib are well formed" {
	local file manager

	need systemd-analyze systemd
	mkdir user system
	for file in "$PNEU_SRC"/contrib/systemd/pneu-flush.* "$PNEU_SRC"/contrib/systemd/system/*.s*; do
		case $file in
		*.config) continue ;;
		*/system/*) manager=system ;;
		*.timer) manager='user system' ;;
		*) manager=user ;;
		esac
		for manager in $manager; do
			sed "s|/usr/local/bin/pneu|$PNEU|; s|^\(User\|Group\)=pneu|\1=nobody|; s|=nobody|=$(
				[ -z "${file##*@*}" ] && echo root || echo nobody)|" "$file" \
			    >"$manager/${file##*/}"
		done
	done
	for manager in user system; do
		XDG_RUNTIME_DIR=$PWD run systemd-analyze verify --man=no "--$manager" $manager/*
		assert_success
		assert_output ""
	done
	# a test that the check would see
	sed -i 's/^ProtectClock/ProtectClocks/' system/pneu-flush.service
	run systemd-analyze verify --man=no --system system/pneu-flush.service
	assert_output --partial ProtectClocks
}

@test "NetworkManager: it flushes what there is when a connection comes up, and only then" {
	mkdir -p bin run/4711
	sed "s|/usr/local/bin/pneu|$PWD/bin/pneu|; s|/run/user|$PWD/run|" \
	    "$PNEU_SRC/contrib/NetworkManager/90-pneu" >dispatcher
	printf '%s\n' '#!/bin/sh' 'echo "pneu $* for $HOME" >>said' >bin/pneu
	printf '%s\n' '#!/bin/sh' 'echo "$2"; shift 3; "$@"' >bin/runuser
	printf '%s\n' '#!/bin/sh' 'echo joe' >bin/id
	printf '%s\n' '#!/bin/sh' 'echo joe:x:4711:4711::/joe:/bin/sh' >bin/getent
	chmod +x bin/*
	for each in down pre-up connectivity-change; do
		PATH=$PWD/bin:$PATH CONNECTIVITY_STATE=LIMITED run sh dispatcher eth0 "$each"
		assert_success
		assert [ ! -e said ]
	done
	PATH=$PWD/bin:$PATH run sh dispatcher eth0 up
	assert_success
	assert_equal "$(sort said)" "$(printf '%s\n' "pneu -qR@ for $HOME" "pneu -qR@ for /joe" | sort)"
}

# as USER [NAME=value ...] COMMAND: a number stands for a user.
as()
{
	local user=$1

	shift
	setpriv --reuid "$user" --regid "$user" --clear-groups env "$@"
}

# joe_sends [argument ...]: as any user would, with the configuration of contrib.
joe_sends()
{
	run --separate-stderr as 4711 PNEU_CONFIG="$disk/config" XDG_STATE_HOME="$disk/joe" \
	    HOME=/nonexistent "$PNEU" "$@" <message
}

@test "every user may send by an account whose password he cannot read; what has to wait is his own" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be several users"
	need systemd-socket-activate systemd
	need setpriv util-linux
	as 4711 "$PNEU" --version >/dev/null || skip "other users cannot run $PNEU"
	chmod 711 "$disk"
	install -d -m 700 -o 4711 -g 4711 "$disk/joe"
	install -d -m 700 -o 4712 -g 4712 "$disk/service"
	echo s3cret-word >"$disk/service/password"
	sed "s|/run/pneu/submit|$disk/submit|" "$PNEU_SRC/contrib/systemd/system/config" >"$disk/config"
	chmod 644 "$disk/config"
	peer_start - <<-END
		$clear
		INCLUDE parts/auth-plain
		C: MAIL FROM:<joe@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok: queued as X
		$leaves
	END
	sed "s|/etc/pneu/submit|$disk/service|; s|submissions://alice@.*|smtp://alice@127.0.0.1:$peer_port|" \
	    "$PNEU_SRC/contrib/systemd/system/submit.config" >"$disk/service/config"
	printf '%s\n' 'tls none' 'ehlo mail.sender.com' >>"$disk/service/config"
	chown -R 4712:4712 "$disk/service"
	chmod 600 "$disk/service"/*
	# shellcheck disable=SC2046
	systemd-socket-activate --inetd --accept --listen="$disk/submit" setpriv --reuid 4712 --regid 4712 \
	    --clear-groups env PNEU_CONFIG="$disk/service/config" HOME=/nonexistent "$PNEU" $(
		sed -n 's/^ExecStart=[^ ]* //p' "$PNEU_SRC/contrib/systemd/system/pneu-submit@.service"
	) </dev/null >listen.log 2>&1 3>&- &
	listener=$!
	until_true grep -q '^Listening' listen.log
	chmod "$(sed -n 's/^SocketMode=//p' "$PNEU_SRC/contrib/systemd/system/pneu-submit.socket")" \
	    "$disk/submit"

	joe_sends -f joe@sender.com bob@example.org
	quiet
	peer_end
	run ! as 4711 cat "$disk/service/password"
	# the service cannot pass it on: it is in joe's spool, and in nobody else's
	joe_sends -f joe@sender.com --report=text bob@example.org
	assert_success
	assert_equal "$stderr" ""
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: '
	spool=$disk/joe/pneu/spool
	id=$(only)
	run ! as 4713 cat "$spool/$id.m"
	run ! as 4712 cat "$spool/$id.m"
	assert_equal "$(find "$disk/service" -name '*.m')" ""
	# and goes out when it can
	"$PEER" --dir "$peer_dir" --port "$peer_port" "$peer_dir/script" >/dev/null 2>"$peer_dir/err" 3>&- &
	peer_pid=$!
	until_true test -e "$peer_dir/port"
	joe_sends -qR@
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}
