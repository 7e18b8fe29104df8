#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Connecting: TLS that begins with the SYN (TCP Fast Open), and addresses that nobody is at. In network
# namespaces of their own, where the kernel can be told what to do.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	command -v ip >/dev/null || skip "ip is not installed (apt-get install iproute2)"
	unshare -rmn true 2>/dev/null || skip "there are no namespaces here"
	cd "$BATS_TEST_TMPDIR"
	write_message
	cat >script <<-'END'
		TLS
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 PIPELINING
		C: MAIL FROM:<alice@sender.com>
		C: RCPT TO:<bob@example.org>
		C: DATA
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go
		C: <message>
		C: QUIT
		S: 250 2.0.0 Ok
		S: 221 2.0.0 Bye
	END
	cat >functions <<-'END'
		ip link set lo up
		submit()
		{
			"$PNEU" --config=/dev/null --server="$1" --tls-ca=ca.pem --ehlo=mail.sender.com \
			    -f alice@sender.com bob@example.org <message
		}
		counter()
		{
			awk -v name="$1" '/^TcpExt/ { if (!n++) split($0, names); else for (i in names)
			    if (names[i] == name) print $i }' /proc/net/netstat
		}
		serve()
		{
			rm -f port
			"$PEER" --hold script >/dev/null 2>&1 &
			peer=$!
			while [ ! -s port ] || [ ! -s ca.pem ]; do sleep 0.1; done
		}
	END
}

# inside COMMANDS: in a network of its own.
inside()
{
	run timeout 60 unshare -rmn bash -c ". ./functions; $1"
	printf '%s\n' "$output"
}

@test "early: the second connection to a server sends TLS with its SYN" {
	inside '
		sysctl -qw net.ipv4.tcp_fastopen=1027 || exit 99
		serve
		submit "submissions://127.0.0.1:$(cat port)" || exit 1
		echo "first: $(counter TCPFastOpenActive)"
		submit "submissions://127.0.0.1:$(cat port)" || exit 1
		echo "second: $(counter TCPFastOpenActive)"
		kill $peer'
	[ "$status" != 99 ] || skip "the kernel cannot be told here"
	assert_success
	assert_line 'first: 0'
	assert_line 'second: 1'
}

@test "early: a server that is gone since then is a connection that is refused, said as ever" {
	inside '
		sysctl -qw net.ipv4.tcp_fastopen=1027 || exit 99
		serve
		port=$(cat port)
		submit "submissions://127.0.0.1:$port" || exit 1
		kill $peer; wait $peer
		submit "submissions://127.0.0.1:$port"
		echo "status: $?"'
	[ "$status" != 99 ] || skip "the kernel cannot be told here"
	assert_line 'status: 75'
	assert_line --regexp '4\.4\.1 connect: Connection refused \(127\.0\.0\.1\)'
}

# Somebody who accepts nobody: one connection is made by the kernel, and later ones it does not even hear of.
@test "early: an address that has fallen silent since then leads to the next one" {
	command -v perl >/dev/null || skip "perl is not installed (apt-get install perl)"
	inside '
		sysctl -qw net.ipv4.tcp_fastopen=1027 || exit 99
		printf "%s\n" "::1 mail.example.test" "127.0.0.1 mail.example.test" >hosts
		echo "hosts: files" >nsswitch
		mount --bind hosts /etc/hosts && mount --bind nsswitch /etc/nsswitch.conf || exit 99
		getent ahosts mail.example.test | head -n 1 | grep -q "^::1" || exit 98
		# the server has the other address alone
		ip -6 addr del ::1/128 dev lo && serve && ip -6 addr add ::1/128 dev lo || exit 99
		perl -MSocket=:all -e "socket(S, PF_INET6, SOCK_STREAM, 0) &&
		    bind(S, pack_sockaddr_in6($(cat port), inet_pton(AF_INET6, q(::1)))) &&
		    listen(S, 8) || die;
		    \$SIG{USR1} = sub { listen(S, 0); open(F, q(>), q(deaf)) };
		    open(F, q(>), q(there)); sleep 60 while 1" &
		deaf=$!
		while [ ! -e there ]; do sleep 0.1; done
		mail()
		{
			exec "$PNEU" --server="submissions://mail.example.test:$(cat port)" \
			    --config=/dev/null --tls-ca=ca.pem --tls-name=localhost --ehlo=mail.sender.com \
			    --connect-timeout=1h -f alice@sender.com --report=text bob@example.org <message
		}
		mail &
		first=$!
		while ! ip tcp_metrics show ::1 2>/dev/null | grep -q fo_cookie; do sleep 0.1; done
		kill $first; wait $first
		kill -USR1 $deaf
		while [ ! -e deaf ]; do sleep 0.1; done
		(mail)
		echo "status: $?"
		kill $peer $deaf'
	[ "$status" != 99 ] || skip "there can be no such network here"
	[ "$status" != 98 ] || skip "the name has no such addresses here"
	assert_line 'status: 0'
	assert_line --regexp '^server: .*\[127\.0\.0\.1\]'
}

@test "early: never where the server speaks first" {
	sed -i '1d' script
	sed -i '/EHLO/,$d' script
	inside '
		sysctl -qw net.ipv4.tcp_fastopen=1027 || exit 99
		printf "%s\n" "S: 220 smtp.example.com ESMTP" "C: EHLO mail.sender.com" "S: 250 x" \
		    "C? QUIT" >script
		serve
		submit "submission://127.0.0.1:$(cat port)"
		submit "submission://127.0.0.1:$(cat port)"
		echo "early: $(counter TCPFastOpenActive)"
		kill $peer'
	[ "$status" != 99 ] || skip "the kernel cannot be told here"
	assert_line 'early: 0'
}

# A name with two addresses of which the first leads nowhere: what is sent there is lost, without a word.
@test "eyeballs: an IPv6 address that nobody answers at costs no timeout" {
	inside '
		ip link add veth0 type veth peer name veth1 || exit 99
		ip link set veth0 up && ip link set veth1 up || exit 99
		ip -6 addr add 2001:db8::1/64 dev veth0 nodad || exit 99
		ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev veth0 || exit 99
		printf "%s\n" "2001:db8::2 mail.example.test" "127.0.0.1 mail.example.test" >hosts
		echo "hosts: files" >nsswitch
		mount --bind hosts /etc/hosts && mount --bind nsswitch /etc/nsswitch.conf || exit 99
		getent ahosts mail.example.test | head -n 1 | grep -q "^2001:db8::2" || exit 98
		serve
		"$PNEU" --config=/dev/null --server="submissions://mail.example.test:$(cat port)" \
		    --tls-ca=ca.pem --tls-name=localhost --ehlo=mail.sender.com --connect-timeout=1h \
		    -f alice@sender.com --report=text bob@example.org <message
		echo "status: $?"
		kill $peer'
	[ "$status" != 99 ] || skip "there can be no such network here"
	[ "$status" != 98 ] || skip "the name has no such addresses here"
	assert_line 'status: 0'
	assert_line --regexp '^server: .*\[127\.0\.0\.1\]'
}
