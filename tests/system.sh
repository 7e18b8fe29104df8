# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# A small system of Debian in a directory, for tests/package and tests/image, which set `me` to their own name
# and `top` to the source tree, have read build.sh, and take "--keep" and "--no-install".
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

PATH=$PATH:/sbin:/usr/sbin
LC_ALL=C
export LC_ALL
umask 022

# The end, and the line that every run of tests closes with.
passed=0
failed=0
skipped=0
close()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# skip WORDS: nothing can be tested here.
skip()
{
	echo "$me: skipped: $*"
	skipped=$((skipped + 1))
	close
}

# give_up WORDS: what comes next makes no sense any more.
give_up()
{
	echo "not ok $*"
	failed=$((failed + 1))
	close
}

# it WORDS COMMAND [argument ...]
it()
{
	words=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok $words"
	else
		failed=$((failed + 1))
		echo "not ok $words"
		sed 's/^/# /' "$work/out"
	fi
}

# absent PATTERN FILE: no line of it has the pattern.
absent()
{
	! grep -E "$1" "$2"
}

# until_true COMMAND [argument ...]: 0 as soon as the command succeeds, 1 when it has not after 20 s.
until_true()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
		sleep 0.1
	done
}

# begin PACKAGE ... : installs what the test needs, and makes $work, which goes at the end.
begin()
{
	[ "$(id -u)" -eq 0 ] || skip "only root can make a system in a directory"
	if [ -n "$install" ]; then
		# shellcheck disable=SC2086
		"$top/tests/packages" --unless-it-removes $build_packages ca-certificates debootstrap \
		    xz-utils "$@"
	fi
	command -v debootstrap >/dev/null || skip "debootstrap is missing (apt-get install debootstrap)"
	work=$(mktemp -d "${TMPDIR:-/tmp}/pneu-system.XXXXXX") || exit 1
	root=$work/root
	peer=
	maker=
	trap finish EXIT
	trap 'exit 1' HUP INT PIPE TERM
	chmod 755 "$work"
}

# shellcheck disable=SC2317
finish()
{
	for pid in $peer $maker; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	if [ -n "$keep" ]; then
		echo "$me: the system is in $root" >&2
	else
		rm -rf --one-file-system "$work"
	fi
}

# Where this machine has the packages of a release from; debootstrap knows for itself when it has none.
mirror()
{
	apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' "Codename: $1" 'Component: main' \
	    2>/dev/null | sed -n 1p
}

# root_make SUITE: the system in $root. With a directory in PNEU_ROOTS it is made once and unpacked later.
root_make()
{
	cache=${PNEU_ROOTS:+$PNEU_ROOTS/$1-$(dpkg --print-architecture).tar}
	mkdir -p "$root" || return 1
	if [ -n "$cache" ] && [ -e "$cache" ]; then
		tar -C "$root" -xf "$cache" || return 1
	else
		# shellcheck disable=SC2046
		debootstrap --variant=minbase "$1" "$root" $(mirror "$1") || return 1
		if [ -n "$cache" ]; then
			tar -C "$root" -cf "$cache.$$" . && mv "$cache.$$" "$cache" || return 1
		fi
	fi
	# installing a daemon starts none
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
}

# root_start SUITE, root_wait: the same, while other things are done.
root_start()
{
	echo "$me: making a system of $1"
	root_make "$1" >"$work/root.log" 2>&1 &
	maker=$!
}
root_wait()
{
	wait "$maker"
	made=$?
	maker=
	[ $made -eq 0 ] && return
	tail "$work/root.log"
	skip "no system could be made by debootstrap; is there a mirror of Debian?"
}

inside()
{
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
	    DEBIAN_FRONTEND=noninteractive "$@"
}

# peer_start COMMAND ... : a submission server, by a tests/peer that plays $peer_dir/dialogue for one client
# after the other; $peer_dir has the messages, ca.pem and port.
peer_start()
{
	cat >"$peer_dir/dialogue" <<-'END'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 STARTTLS
		C: STARTTLS
		S: 220 2.0.0 Ready
		TLS
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250-AUTH PLAIN
		S: 250 8BITMIME
		C: AUTH PLAIN AGFsaWNlAHMzY3JldC13b3Jk
		S: 235 2.7.0 Ok
		C~ MAIL FROM:<alice@sender\.com>.*
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 Go ahead
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
		S: 221 2.0.0 Bye
	END
	"$@" >"$work/peer.log" 2>&1 &
	peer=$!
	until_true test -e "$peer_dir/port" || give_up "a server: $(cat "$work/peer.log")"
}

# config DIR: that of a system that sends by this server, with an authority and a password of its own.
config()
{
	printf '%s\n' "server submission://alice@localhost:$(cat "$peer_dir/port")" \
	    'password-file /etc/pneu/password' 'ehlo mail.sender.com' 'from alice@sender.com' 'queue yes' \
	    >"$1/etc/pneu/config"
	echo s3cret-word >"$1/etc/pneu/password"
	chmod 600 "$1/etc/pneu/password"
}

# arrived N TEXT: the message of that number is there, and has a line with this.
arrived()
{
	until_true grep -qs "$2" "$peer_dir/message.$1" && return
	cat "$work/peer.log" "$peer_dir/transcript"
	return 1
}
