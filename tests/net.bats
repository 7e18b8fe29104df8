#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Ways to a server that are not a plain connection: proxies, tunnels, sockets, an address to come from.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	SOCKS=$PNEU_BUILD/tests/socks
	socks_pid=''
	cd "$BATS_TEST_TMPDIR"
	write_message message
}

teardown()
{
	[ -z "$socks_pid" ] || kill "$socks_pid" 2>/dev/null || true
}

# A server that takes one message.
serve()
{
	peer_start - <<-'SCRIPT'
		INCLUDE parts/ready
		INCLUDE parts/mail
	SCRIPT
}

# A server to whom nobody comes.
serve_nobody()
{
	peer_start - <<<NOBODY
}

# socks_start [option ...]: a proxy that leads to the server; sets socks_port.
socks_start()
{
	rm -f socks.port socks.log
	"$SOCKS" --to "$peer_port" "$@" 3>&- &
	socks_pid=$!
	until_true test -e socks.port
	socks_port=$(cat socks.port)
}

# client [argument ...]: to $url, or to the server.
client()
{
	run --separate-stderr "$PNEU" --config=/dev/null \
	    --server="${url:-submission://127.0.0.1:$peer_port}" --tls-ca="$peer_dir/ca.pem" \
	    --ehlo=mail.sender.com -f alice@sender.com "$@" bob@example.org <message
}

# by_proxy [argument ...]: the client, by way of it.
by_proxy()
{
	client --proxy="socks5://127.0.0.1:$socks_port" "$@"
}

# by_config LINE ...: the client with a configuration file of these lines.
by_config()
{
	(umask 077 && printf '%s\n' "server submission://127.0.0.1:$peer_port" \
	    "tls-ca $peer_dir/ca.pem" "ehlo mail.sender.com" "$@" >config)
	run --separate-stderr "$PNEU" --config=config --report=json -f alice@sender.com bob@example.org \
	    <message
}

delivered()
{
	assert_success
	assert_equal "$stderr" ""
	peer_end
	assert [ -e "$peer_dir/message.1" ]
}

# refused CODE EXIT TEXT ...: nothing was sent, and the line says so with these words.
refused()
{
	local code=$1 exit=$2 text

	shift 2
	assert_failure "$exit"
	assert_regex "$stderr" " $code "
	for text; do
		assert_regex "$stderr" "$text"
	done
	peer_end
	assert [ ! -e "$peer_dir/message.1" ]
}

# --- proxies

@test "by way of a proxy; the report says so" {
	serve
	socks_start
	by_proxy --report=json
	delivered
	assert_equal "$(jq -r .server.address <<<"$output")" "proxy 127.0.0.1"
	assert_equal "$(cat socks.log)" "version 5, 1 methods
request 5 1 127.0.0.1 $peer_port"
}

@test "the proxy looks up the name" {
	serve
	socks_start
	url=submission://no-such-host.invalid:587 by_proxy --tls-name=localhost
	delivered
	assert_regex "$(cat socks.log)" "request 5 1 no-such-host.invalid 587"
}

@test "an address of IPv6 goes to the proxy as one" {
	serve
	socks_start
	url="submission://[2001:db8::25]:25" by_proxy --tls-name=localhost
	delivered
	assert_regex "$(cat socks.log)" "request 5 1 2001:db8::25 25"
}

@test "a proxy that wants a login, in a file for us alone" {
	serve
	socks_start --login alice:s3:cret
	by_config "proxy socks5://alice:s3%3Acret@127.0.0.1:$socks_port"
	delivered
	assert_regex "$(cat socks.log)" "login 1 alice:s3:cret"
	chmod 644 config
	serve_nobody
	run --separate-stderr "$PNEU" --config=config bob@example.org <message
	refused 5.3.5 78 "chmod 600"
}

@test "the password of a proxy is not for the command line" {
	serve_nobody
	client --proxy=socks5://alice:s3cret@127.0.0.1
	refused 5.5.4 64 "configuration file"
	refute_regex "$stderr" s3cret
}

@test "a user name without a password" {
	serve
	socks_start --login alice:
	by_proxy --proxy="socks5://alice@127.0.0.1:$socks_port"
	delivered
}

@test "a login that is refused: 5.7.0, exit 77" {
	serve_nobody
	socks_start --login alice:s3cret
	by_config "proxy socks5://alice:wr0ng@127.0.0.1:$socks_port"
	refused 5.7.0 77 "login of alice"
	refute_regex "$stderr$output" wr0ng
	by_proxy
	assert_failure 77
	assert_regex "$stderr" "5.7.0 .*wants a login.*.proxy."
}

@test "a proxy that takes none of our logins: 5.7.0, exit 77" {
	serve_nobody
	socks_start --at greeting=05ff
	by_proxy --proxy="socks5://alice@127.0.0.1:$socks_port"
	refused 5.7.0 77 "user name"
}

@test "a proxy that cannot reach the server says why: 4.4.1, exit 75" {
	local reply

	serve_nobody
	for reply in "01 general failure" "02 rules" "03 network" "04 host" "05 refused" "06 TTL" \
	    "07 command" "08 address" "09 no known reason" "ff reply 255"; do
		socks_start --at "request=05${reply%% *}"0001000000000000
		by_proxy
		assert_failure 75
		assert_regex "$stderr" " 4.4.1 .*cannot connect to 127.0.0.1 port $peer_port: .*${reply#* }"
		kill "$socks_pid"
	done
	peer_end
}

@test "nobody is there where the proxy should be: 4.4.1, exit 75" {
	serve_nobody
	client --proxy=socks5://127.0.0.1:1
	refused 4.4.1 75 "the proxy: Connection refused" "in .proxy. right"
	refute_regex "$stderr" "server. right"
}

@test "a proxy that speaks something else: 5.4.0, exit 69" {
	local at

	serve_nobody
	# SSH, HTTP, SOCKS4, a method that was not offered, one that needs another user, a login of
	# another version, requests of other versions, addresses of no type
	for at in greeting=5353482d32 greeting=485454502f312e31 greeting=005a greeting=0501 greeting=0502 \
	    login=0500 login=0000 request=04000001 request=00000000 request=0500000000 \
	    request=0500000200000000 request=050000ff; do
		if [ "${at#login}" != "$at" ]; then
			socks_start --at "$at" --login alice:
			by_proxy --proxy="socks5://alice@127.0.0.1:$socks_port"
		else
			socks_start --at "$at"
			by_proxy
		fi
		assert_failure 69
		assert_regex "$stderr" " 5.4.0 .*does not speak SOCKS5"
		kill "$socks_pid"
	done
	peer_end
}

@test "a proxy that is cut off: 4.4.1, exit 75" {
	local at

	serve_nobody
	for at in greeting=cut greeting=05 request=cut request=0500 request=05000001 \
	    request=0500000104 request=0500000300 request=0500000305 request=05000004; do
		socks_start --at "$at"
		by_proxy
		assert_failure 75
		assert_regex "$stderr" " 4.4.1 .*closed"
		kill "$socks_pid"
	done
	peer_end
}

@test "a proxy that stalls or drips has the time of a connection: 4.4.1, exit 75" {
	local at

	serve_nobody
	for at in greeting=stall request=stall request=drip; do
		socks_start --at "$at"
		by_proxy --connect-timeout=1s
		assert_failure 75
		assert_regex "$stderr" " 4.4.1 .*in time"
		kill "$socks_pid"
	done
	peer_end
}

@test "a signal ends the waiting for a proxy" {
	local status=0

	serve_nobody
	socks_start --at request=stall
	"$PNEU" --config=/dev/null --server="submission://127.0.0.1:$peer_port" -f alice@sender.com \
	    --proxy="socks5://127.0.0.1:$socks_port" bob@example.org <message 2>err 3>&- &
	pid=$!
	until_true grep -qs request socks.log
	kill -TERM "$pid"
	wait "$pid" || status=$?
	assert_equal "$status" 75
	assert_regex "$(cat err)" " 4.3.0 .*interrupted by SIGTERM"
	peer_end
}

@test "not an octet of the server's is lost to the proxy's answer" {
	peer_start - <<<NOBODY
	# the greeting of a server in the same segment as the answer
	socks_start --at request=05000003016100003434322032206e6f740d0a
	by_proxy
	assert_failure
	assert_regex "$stderr" "greeting.*442 2 not"
	peer_end
}

@test "a server behind a proxy is no server on this machine" {
	peer_start - <<-'SCRIPT'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 AUTH PLAIN
		C? QUIT
	SCRIPT
	socks_start
	printf 's3cret\n' >password
	chmod 600 password
	by_proxy --tls=none --user=alice --password-file=password
	refused 5.7.11 77
}

# --- tunnels

# by_tunnel COMMAND [argument ...]
by_tunnel()
{
	local command=$1

	shift
	client --tunnel="$command" "$@"
}

@test "a tunnel to a server that is known by its name" {
	serve
	url=submission://localhost:1 by_tunnel "'$SOCKS' --relay $peer_port" --report=json
	delivered
	assert_equal "$(jq -r .server.address <<<"$output")" tunnel
}

@test "the message is not for the command, and no descriptor but three" {
	serve
	by_tunnel "ls /proc/self/fd >fds; exec '$SOCKS' --relay $peer_port"
	delivered
	# the last one is the directory
	[ ! -d /proc/self/fd ] || assert_equal "$(tr '\n' ' ' <fds)" "0 1 2 3 "
}

@test "a command that still has something to say has nothing to complain of" {
	serve
	by_tunnel "trap '' PIPE; '$SOCKS' --relay $peer_port; echo bye || echo broken >&2"
	delivered
}

@test "a tunnel that ends before the greeting: 4.4.1, exit 75, and its exit status" {
	serve_nobody
	by_tunnel "echo no way >&2; exit 3"
	assert_failure 75
	assert_regex "$stderr" "no way"
	assert_regex "$stderr" " 4.4.1 connect: .tunnel. ended .*: exit status 3: echo"
	url=submissions://127.0.0.1 by_tunnel "exit 3"
	assert_failure 75
	assert_regex "$stderr" " 4.4.1 .*exit status 3"
	by_tunnel "kill -KILL \$\$"
	assert_failure 75
	assert_regex "$stderr" " 4.4.1 .*signal 9"
	by_tunnel "exec /nonexistent/command 2>/dev/null"
	refused 4.4.1 75 "exit status 127, a command that was not found"
}

@test "a tunnel that breaks off later is a lost connection" {
	peer_start - <<-'SCRIPT'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		CUT
	SCRIPT
	by_tunnel "'$SOCKS' --relay $peer_port; exit 3"
	refused 4.4.2 75
}

@test "a tunnel without TLS: what the line says helps" {
	peer_start - <<-'SCRIPT'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 PIPELINING
		INCLUDE parts/bye
		NEXT
		INCLUDE parts/ready-clear
		INCLUDE parts/mail
	SCRIPT
	by_tunnel "'$SOCKS' --relay $peer_port"
	assert_failure 75
	assert_regex "$stderr" " 4.7.4 .*.tls none. is for a tunnel that is secure by itself"
	by_tunnel "'$SOCKS' --relay $peer_port" --tls=none
	delivered
}

@test "a server behind a tunnel is no server on this machine" {
	peer_start - <<-'SCRIPT'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 AUTH PLAIN
		C? QUIT
	SCRIPT
	printf 's3cret\n' >password
	chmod 600 password
	by_tunnel "'$SOCKS' --relay $peer_port" --tls=none --user=alice --password-file=password
	refused 5.7.11 77
}

@test "a tunnel that does not end is ended" {
	serve
	by_tunnel "trap '' TERM; echo \$\$ >pid; '$SOCKS' --relay $peer_port; while :; do sleep 1; done"
	delivered
	run ! kill -0 "$(cat pid)"
}

@test "a signal ends the waiting for a tunnel" {
	local status=0

	serve_nobody
	"$PNEU" --config=/dev/null --server=submission://localhost -f alice@sender.com \
	    --tunnel='echo $$ >pid; exec sleep 30' bob@example.org <message 2>err 3>&- &
	pid=$!
	until_true test -s pid
	kill -TERM "$pid"
	wait "$pid" || status=$?
	assert_equal "$status" 75
	assert_regex "$(cat err)" " 4.3.0 .*interrupted by SIGTERM"
	run ! kill -0 "$(cat pid)"
	peer_end
}

@test "a tunnel goes with no other way: 5.3.5, exit 78" {
	serve_nobody
	by_tunnel "echo >ran" --source-address=127.0.0.1
	assert_failure 78
	assert_regex "$stderr" " 5.3.5 .*.tunnel. and .source-address."
	url=lmtp:///run/lmtp.sock by_tunnel "echo >ran"
	assert_failure 78
	assert_regex "$stderr" " 5.3.5 .*/run/lmtp.sock"
	by_tunnel "echo >ran" --proxy=socks5://localhost --password-command='echo >ran' --user=alice
	refused 5.3.5 78 ".tunnel. and .proxy."
	assert [ ! -e ran ]
}

# --- sockets and addresses

@test "a socket in the report" {
	peer_dir=$BATS_TEST_TMPDIR/peer
	mkdir "$peer_dir"
	ln -s "$PNEU_SRC/tests/dialogues/parts" "$peer_dir/parts"
	cat >"$peer_dir/script" <<-'SCRIPT'
		S: 220 lmtp.example.com LMTP
		C: LHLO mail.sender.com
		S: 250-lmtp.example.com
		S: 250-PIPELINING
		S: 250 SIZE
		C: MAIL FROM:<alice@sender.com> SIZE=154
		C: RCPT TO:<bob@example.org>
		C: DATA
		S: 250 2.1.0 Ok
		S: 550 5.1.1 No such user
		S: 503 5.5.1 No valid recipients
		C? QUIT
	SCRIPT
	(cd peer && exec "$PEER" --socket a:b@c script) >"$peer_dir/out" 2>"$peer_dir/err" 3>&- &
	peer_pid=$!
	until_true peer_listens
	peer_port=$(cat "$peer_dir/port")
	# an absolute path may be too long for a socket
	ln -s "$peer_dir" /tmp/pneu-$$
	url=lmtp:///tmp/pneu-$$/a:b@c client --report=json
	rm /tmp/pneu-$$
	assert_failure 67
	assert_equal "$(jq -c '.server | [.host, .port, .address]' <<<"$output")" \
	    "[\"/tmp/pneu-$$/a:b@c\",null,\"/tmp/pneu-$$/a:b@c\"]"
	peer_end
}

@test "source-address: where the connection comes from" {
	command -v ss >/dev/null || skip "ss is not installed (apt-get install iproute2)"
	peer_start - <<-'SCRIPT'
		STALL
	SCRIPT
	"$PNEU" --config=/dev/null --server="submission://localhost:$peer_port" -f alice@sender.com \
	    --source-address=127.9.8.7 bob@example.org <message 2>err 3>&- &
	pid=$!
	from_there()
	{
		ss -Htn state established dst "127.0.0.1:$peer_port" | grep -qF 127.9.8.7:
	}
	until_true from_there
	kill "$pid"
	wait "$pid" || true
	peer_end
}
