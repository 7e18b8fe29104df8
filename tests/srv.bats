#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# `server srv:domain`: the servers that a domain names in the DNS. In namespaces, with a name server of our
# own.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	command -v ip >/dev/null || skip "ip is not installed (apt-get install iproute2)"
	perl -MIO::Socket::INET -e 1 2>/dev/null || skip "there is no perl"
	unshare -rmn true 2>/dev/null || skip "there are no namespaces here"
	cd "$BATS_TEST_TMPDIR"
	write_message
	cp -r "$PNEU_SRC/tests/dialogues/parts" .
	cat >script <<-'END'
		INCLUDE parts/greeting
		C: STARTTLS
		S: 220 2.0.0 Go
		TLS
		INCLUDE parts/ehlo-again
		INCLUDE parts/mail
	END
	# zone: lines "NAME PRIORITY WEIGHT PORT TARGET", or "NAME broken" for nonsense
	cat >dns.pl <<-'END'
		use IO::Socket::INET;
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 53, Proto => "udp")
		    or die "$!";
		open my $ready, ">", "dns.ready"; close $ready;
		sub name { join("", map { pack("C/a", $_) } split /\./, $_[0]) . "\0" }
		while ($s->recv(my $q, 512)) {
			my ($id) = unpack "n", $q;
			my ($p, @labels) = (12);
			while (my $l = ord substr $q, $p, 1) {
				push @labels, substr($q, $p + 1, $l);
				$p += $l + 1;
			}
			my $asked = lc join ".", @labels;
			my $question = substr $q, 12, $p + 5 - 12;
			my ($count, $body) = (0, "");
			open my $zone, "<", "zone";
			while (<$zone>) {
				my ($name, @f) = split;
				next unless $name eq $asked;
				$count++;
				my $data = $f[0] eq "broken" ? "\xff" : pack("nnn", @f[0 .. 2]) . name($f[3]);
				my $length = $f[0] eq "broken" ? 600 : length $data;
				$body .= "\xc0\x0c" . pack("nnNn", 33, 1, 60, $length) . $data;
			}
			my $rcode = $count ? 0 : 3;
			my $head = pack "nnnnnn", $id, 0x8180 | $rcode, 1, $count, 0, 0;
			$s->send($head . $question . $body);
		}
	END
	cat >functions <<-'END'
		ip link set lo up
		echo "nameserver 127.0.0.1" >resolv.conf
		echo "127.0.0.1 localhost mail.example.test other.example.test" >hosts
		echo "hosts: files" >nsswitch
		mount --bind hosts /etc/hosts && mount --bind nsswitch /etc/nsswitch.conf || exit 99
		mount --bind resolv.conf /etc/resolv.conf || exit 99
		perl dns.pl &
		dns=$!
		trap 'kill $dns $peer 2>/dev/null' EXIT
		while [ ! -e dns.ready ]; do sleep 0.1; done
		serve()
		{
			"$PEER" --hold script >/dev/null 2>&1 &
			peer=$!
			while [ ! -s port ] || [ ! -s ca.pem ]; do sleep 0.1; done
			port=$(cat port)
		}
		pneu()
		{
			"$PNEU" --config=/dev/null --tls-ca=ca.pem --ehlo=mail.sender.com \
			    -f alice@sender.com "$@" <message
			echo "status: $?"
		}
	END
	echo 'Nothing' >zone
}

inside()
{
	run timeout 20 unshare -rmn bash -c ". ./functions; $1"
	printf '%s\n' "$output"
	[ "$status" != 99 ] || skip "nothing can be mounted here"
}

@test "srv: the server that the domain names, by its name" {
	inside '
		serve
		echo "_submission._tcp.example.test 10 0 $port mail.example.test" >zone
		pneu --server=srv:example.test --tls-name=localhost --report=text bob@example.org'
	assert_line 'status: 0'
	assert_line --regexp '^server: mail\.example\.test:[0-9]+ \[127'
}

@test "srv: a user name is for the servers of the domain, whatever is in it" {
	# a%b:c@d/e
	printf '%s\n' 'INCLUDE parts/ready' 'C: AUTH PLAIN AGElYjpjQGQvZQBzM2NyZXQtd29yZA==' \
	    'S: 235 2.7.0 Authentication successful' 'INCLUDE parts/mail' >script
	(umask 077 && echo s3cret-word >password)
	inside '
		serve
		echo "_submission._tcp.example.test 10 0 $port mail.example.test" >zone
		pneu --server=srv:a%25b%3Ac%40d%2Fe@example.test --tls-name=localhost \
		    --password-file=password bob@example.org'
	assert_line 'status: 0'
}

@test "srv: in the order of priorities, TLS first before STARTTLS, and the next one where one is down" {
	inside '
		serve
		printf "%s\n" "_submission._tcp.example.test 20 0 $port other.example.test" \
		    "_submission._tcp.example.test 10 0 1 mail.example.test" \
		    "_submissions._tcp.example.test 50 0 2 mail.example.test" >zone
		pneu --server=srv:example.test --tls-name=localhost --check
		pneu --server=srv:example.test --tls-name=localhost --report=text bob@example.org'
	assert_line --regexp '^ok +domain +submissions://mail\.example\.test:2$'
	assert_equal "$(grep -c ' domain ' <<<"$output")" 3
	assert_equal "$(grep ' domain ' <<<"$output" | sed 's/.*://' | head -n 2 | tr '\n' ' ')" "2 1 "
	assert_line --regexp '^server: other\.example\.test:'
}

@test "srv: a server of another domain is refused, unless its name was said" {
	inside '
		serve
		echo "_submission._tcp.example.test 10 0 $port mail.elsewhere.test" >zone
		pneu --server=srv:example.test bob@example.org
		echo "_submission._tcp.test 10 0 $port mail.notexample.test" >zone
		pneu --server=srv:test bob@example.org'
	assert_line --regexp '5\.4\.4 .*: example\.test has its servers at mail\.elsewhere\.test, of another'
	refute_line 'status: 0'
}

@test "srv: a domain that names none, one that says so, and an answer that is broken" {
	inside '
		cp "$PNEU_SRC/tests/fuzz/corpus/anchors/own" x; sed -n "/BEGIN/,\$p" x >ca.pem
		pneu --server=srv:example.test --tls=tofu bob@example.org
		echo "_submission._tcp.example.test 0 0 0 ." >zone
		pneu --server=srv:example.test --tls=tofu bob@example.org
		printf "%s\n" "_submission._tcp.example.test broken" \
		    "_submissions._tcp.example.test broken" >zone
		pneu --server=srv:example.test --tls=tofu bob@example.org'
	assert_equal "$(grep -c '5\.4\.4 connect: example\.test names no submission server' <<<"$output")" 3
}

@test "srv: what may stand there" {
	for each in srv: srv://example.test srv:example.test:587 srv:example.test/x; do
		run "$PNEU" --config=/dev/null --server="$each" -bv bob@example.org
		assert_failure
		assert_output --partial '5.5.4 server URL'
	done
	run "$PNEU" --config=/dev/null --server=srv:alice@example.test -bv bob@example.org
	assert_success
}
