#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# tls-resume: sessions that begin where another one ended: what that costs, and the files for it.

bats_require_minimum_version 1.5.0

setup_file()
{
	load trust
	make_certificates
}

setup()
{
	load helper
	load trust
	load resume
	resume_ready
}

teardown()
{
	resume_end
}

# --- what it costs

# flights FLIGHTS [word ...]: a session that can be counted, with more words for TLS.
flights()
{
	local n=$1

	shift
	starttls tickets=one "$@"
	cat <<-END
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250-PIPELINING
		S: 250 SIZE
		INCLUDE parts/mail
		FLIGHTS $n
	END
}

# costs TLS FIRST OTHER: of three sessions the first takes so many flights, and those that are resumed OTHER.
costs()
{
	{
		flights "$2" "$1"
		echo NEXT
		flights "$3" "$1" resumed
		echo NEXT
		flights "$3" "$1" resumed
	} >dialogue
	peer_start dialogue
	for _ in 1 2 3; do
		peer_run --tls-resume bob@example.org <message
		assert_success
	done
	peer_end
}

@test "TLS 1.2: a round trip less, that of TLS 1.3" {
	costs "$TLS12" 7 6
}

@test "TLS 1.3: as many round trips as ever" {
	costs "$TLS13" 6 6
}

# --- when it is done

@test "not unless it is asked for" {
	sessions cert=good cert=good
	client
	assert_success
	client --tls-resume=no
	assert_success
	peer_end
	assert [ ! -e "$tickets" ]
}

@test "the dialogue says so" {
	sessions cert=good "cert=good resumed"
	client --tls-resume -v
	assert_success
	refute_regex "$stderr" resumed
	client --tls-resume -v
	assert_success
	assert_regex "$stderr" $'(^|\n)\\* TLS1\\.3, [A-Z0-9-]+, resumed, certificate of localhost verified, '
	peer_end
}

@test "a server without tickets: nothing is kept" {
	starttls cert=good "$TLS13" >dialogue
	all login >>dialogue
	serve
	mail
	peer_end
	assert [ ! -e "$tickets" ]
}

@test "a server that does not know its own tickets any more" {
	local version

	for version in "$TLS12" "$TLS13"; do
		{
			session cert=good "$version"
			echo NEXT
			session cert=good "$version" tickets=two
			echo NEXT
			session cert=good "$version" tickets=two resumed
		} >dialogue
		serve
		mail
		mail
		mail
		peer_end
	done
}

@test "a server that knows another version by now" {
	sessions "cert=good $TLS12" "cert=good $TLS13 tickets=two" "cert=good $TLS13 tickets=two resumed" \
	    "cert=good $TLS12" "cert=good $TLS12 resumed"
	for _ in 1 2 3 4 5; do
		mail
	done
	peer_end
}

@test "a server that has trouble with a ticket is tried once more, without" {
	{
		session cert=good
		echo NEXT
		starttls | sed '$d'
		echo RESET
		echo NEXT
		session cert=good
		echo NEXT
		starttls | sed '$d'
		echo RESET
		echo NEXT
		starttls | sed '$d'
		echo RESET
	} >dialogue
	serve
	mail
	mail
	client --tls-resume
	assert_failure 75
	assert_regex "$stderr" ' 4\.4\.2 TLS: '
	peer_end
}

@test "no home directory: it goes without" {
	sessions cert=good cert=good
	export XDG_STATE_HOME=/dev/null
	mail
	mail
	peer_end
}

@test "tls none: nothing is kept, although submissions:// has TLS" {
	{
		echo "TLS cert=good tickets=one"
		echo "S: 220 smtp.example.com ESMTP"
		all
		echo NEXT
		echo "TLS cert=good tickets=one"
		echo "S: 220 smtp.example.com ESMTP"
		all
	} >dialogue
	sed -i '/AUTH PLAIN$/s/.*/S: 250 SIZE/; s/^C: MAIL.*/C~ ^MAIL/' dialogue
	serve
	for _ in 1 2; do
		url=submissions://localhost:PORT anybody --tls-resume --tls=none --tls-ca="$certs/ca.pem" \
		    --ehlo=mail.sender.com
		assert_success
	done
	peer_end
	assert [ ! -e "$tickets" ]
}

# --- the files

@test "files and their directory are for us alone" {
	sessions cert=good
	umask 0
	mail
	umask 022
	peer_end
	count 1
	assert_equal "$(stat -c %a "$tickets")" 700
	assert_equal "$(stat -c %a "$tickets"/*)" 600
}

@test "a file or a directory that others can read is not used" {
	sessions cert=good cert=good cert=good "cert=good resumed"
	mail
	chmod 644 "$tickets"/*
	mail
	count 1
	assert_equal "$(stat -c %a "$tickets"/*)" 600
	chmod 755 "$tickets"
	mail
	chmod 700 "$tickets"
	mail
	peer_end
}

@test "somebody else's file is not used" {
	[ "$(id -u)" = 0 ] || skip "only root can give a file away"
	sessions cert=good cert=good "cert=good resumed" cert=good
	mail
	chown 65534 "$tickets"/*
	mail
	count 1
	assert_equal "$(stat -c %u "$tickets"/*)" 0
	mail
	chown 65534 "$tickets"
	mail
	peer_end
}

@test "a link is not followed, and goes" {
	local file

	sessions cert=good cert=good "cert=good resumed"
	mail
	file=$(echo "$tickets"/*)
	mv "$file" elsewhere
	ln -s "$PWD/elsewhere" "$file"
	mail
	assert [ ! -L "$file" ]
	mail
	peer_end
}

@test "damaged in any way: not used" {
	local file

	sessions cert=good cert=good cert=good cert=good cert=good "cert=good resumed"
	mail
	file=$(echo "$tickets"/*)
	# an octet of the session
	cp "$file" whole
	printf '\377' | dd of="$file" bs=1 seek=400 conv=notrunc 2>/dev/null
	run ! cmp -s whole "$file"
	mail
	# until when it is good
	sed -i '2s/^./9/' "$file"
	mail
	truncate -s 100 "$file"
	mail
	: >"$file"
	mail
	mail
	peer_end
}

@test "another file's content: not used" {
	local first second

	sessions cert=good "cert=good $TLS13" "cert=good $TLS13"
	mail
	first=$(echo "$tickets"/*)
	url=submission://127.0.0.1:PORT mail
	second=$(find "$tickets" -mindepth 1 -maxdepth 1 ! -path "$first")
	mv "$first" "$second"
	url=submission://127.0.0.1:PORT mail
	peer_end
}

@test "a ticket is gone while it is used: of two at a time only one has it" {
	local fifo=$PWD/go

	{
		session cert=good
		echo NEXT
		starttls tickets=one cert=good resumed
		echo STALL
		echo NEXT
		session cert=good
	} >dialogue
	serve
	mail
	mkfifo "$fifo"
	# the first one waits in the middle of its session
	"$PNEU" --config=/dev/null --server="submission://localhost:$peer_port" --ehlo=mail.sender.com \
	    -f alice@sender.com --tls-ca="$certs/ca.pem" --user=alice --password-file=password --tls-resume \
	    bob@example.org <message 2>/dev/null 3>&- &
	server_pid=$!
	until_true grep -q STALL "$peer_dir/transcript"
	run find "$tickets" -type f
	assert_output ""
	kill -KILL "$server_pid"
	mail
	peer_end
	count 1
}

@test "what nobody comes back for is removed" {
	sessions cert=good "cert=good resumed"
	mail
	: >"$tickets/$(printf '%064d' 1)"
	: >"$tickets/$(printf '%064d' 2).0badcafe"
	: >"$tickets/$(printf '%064d' 3)"
	touch -d '2 days ago' "$tickets/$(printf '%064d' 1)" "$tickets/$(printf '%064d' 2).0badcafe"
	mail
	run find "$tickets" -name '0000*'
	assert_output "$tickets/$(printf '%064d' 3)"
	peer_end
}
