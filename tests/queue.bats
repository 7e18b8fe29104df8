#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What cannot be sent now is queued, what is due is flushed, and what is given up is reported: the program with
# its spool, against a scripted server.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
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

teardown()
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
	# shellcheck disable=SC2012
	id=$(ls -t "$spool" | sed -n 's/\.e$//p' | sort | tail -n 1)
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

# --- class 4, at every step

# fails_at NAME WHY [RESULT]: the script in standard input; what bob's line in the report matches.
fails_at()
{
	local name=$1

	rm -rf "$spool"
	peer_start -
	pneu --report=text bob@example.org
	peer_end || fail "$name"
	[ "$status" -eq 0 ] && [ "$stderr" = "" ] || fail "$name: exit $status, $stderr, $output"
	assert_regex "$output" "bob@example.org: 2\.0\.0 ${3:-queued}: queued as [0-9a-f]{20}, as $2"
	id=$(only)
	has "$id" 'rcpt <bob+40example.org>\|rcpt <bob@example.org>'
	has "$id" 'end 1'
}

clear='INCLUDE parts/ready-clear'
leaves=$'C? QUIT\nS: 221 2.0.0 Bye'

@test "class 4 before a session: queued, at once due, and the account waits" {
	local next

	fails_at greeting '421 4.3.2 busy' <<<$'S: 421 4.3.2 busy\nC? QUIT'
	has "$id" 'last 4\.3\.2 421 greeting .*'
	run ! grep -a '^tries' "$spool/$id.e"
	next=$(sed -n 's/^next //p' "$spool/$id.e")
	assert [ "$next" -le "$(date +%s)" ]
	assert [ "$(sed -n 's/^next //p' "$spool"/accounts/*)" -gt "$(date +%s)" ]

	fails_at EHLO '421 4.3.2 busy' <<<$'S: 220 here\nC: EHLO ***\nS: 421 4.3.2 busy\nC? QUIT'
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	fails_at AUTH '454 4.7.0 later' <<-END
		$clear
		C: AUTH PLAIN ***
		S: 454 4.7.0 later
		$leaves
	END
	server='smtp://127.0.0.1:$PORT'
	settings=("tls encrypt")
	fails_at STARTTLS '454 4.7.0 later' <<-END
		INCLUDE parts/greeting
		C: STARTTLS
		S: 454 4.7.0 later
		$leaves
	END
	# nobody is there at all
	peer_port=1
	rm -rf "$spool"
	pneu --report=text bob@example.org
	assert_success
	assert_equal "$stderr" ""
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: '
	only
}

@test "class 4 of a message: queued, and it waits by itself" {
	local next

	fails_at MAIL '451 4.3.0 later' <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<bob@example.org>
		C: DATA
		S: 451 4.3.0 later
		S: 503 5.5.1 MAIL first
		S: 503 5.5.1 MAIL first
		$leaves
	END
	has "$id" 'tries 1'
	has "$id" 'last 4\.3\.0 451 MAIL .*'
	has "$id" 'server 127.0.0.1'
	next=$(($(sed -n 's/^next //p' "$spool/$id.e") - $(sed -n 's/^queued //p' "$spool/$id.e")))
	assert [ "$next" -ge 300 ] && assert [ "$next" -le 375 ]
	assert [ ! -e "$spool/accounts" ]
	fails_at DATA '451 4.3.0 later' <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: DATA
		S: 451 4.3.0 later
		$leaves
	END
	fails_at end '452 4.3.1 full' <<-END
		$clear
		INCLUDE parts/envelope
		C: <message>
		S: 452 4.3.1 full
		$leaves
	END
}

@test "one is accepted, one refused, one has to wait: only he is queued" {
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: RCPT TO:<eve@example.org>
		S: 550 5.1.1 unknown
		C: RCPT TO:<joe@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --report=text bob@example.org eve@example.org joe@example.org
	peer_end
	assert_failure 67
	assert_line --partial 'bob@example.org: 2.0.0 accepted'
	assert_line --partial 'eve@example.org: 5.1.1 refused'
	assert_line --partial 'joe@example.org: 2.0.0 queued'
	assert_regex "$stderr" '^pneu: eve@example.org: 5.1.1 [^'$'\n'']*$'
	id=$(only)
	has "$id" 'end 1'
	has "$id" 'last 4\.2\.0 450 RCPT .*'
	run ! grep -a 'bob\|eve' "$spool/$id.e"
	# with nobody refused there is nothing to be told
	due "$id"
	peer_start - <<<"$clear"$'\n'"$(accepts joe@example.org)"$'\n'"$leaves"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "the answer to the end never came: it may have it, and the retry has the same Message-ID" {
	sed -i '/^Message-ID/d' message
	fails_at cut '.*may have been delivered' unknown <<-END
		$clear
		INCLUDE parts/envelope
		C: <message>
		CUT
	END
	has "$id" 'unknown yes'
	first=$(grep -a '^Message-ID' "$peer_dir/message.1")
	tail -n +1 "$peer_dir/message.1" >first
	due "$id"
	peer_start - <<<"$clear"$'\n'"$(accepts bob@example.org)"$'\n'"$leaves"
	pneu --flush="$id"
	quiet
	peer_end
	cmp first "$peer_dir/message.1"
	assert_regex "$(cat first)" "$first"
	assert_equal "$(find "$spool" -name '*.[em]' | wc -l)" 0
}

@test "class 5 is never queued, whoever says it" {
	peer_start - <<<$'S: 554 5.7.1 not you\nC? QUIT'
	pneu bob@example.org
	peer_end
	assert_failure
	assert_equal "$(waiting)" 0
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	peer_start - <<<"$clear"$'\nC: AUTH PLAIN ***\nS: 535 5.7.8 no\n'"$leaves"
	pneu bob@example.org
	peer_end
	assert_failure 77
	assert_equal "$(waiting)" 0
}

@test "the spool cannot be written: 75 with both reasons, and nothing is claimed" {
	mkdir -m 755 "$spool"
	pneu --report=text bob@example.org
	assert_failure 75
	assert_line --partial 'bob@example.org: 4.4.1 deferred'
	assert_regex "$stderr" "4\.3\.5 .*$spool"
	assert_regex "$stderr" "4\.4\.1"
	assert_equal "$(find "$spool" -type f | wc -l)" 0
	pneu -odq --report=text bob@example.org
	assert_failure 75
	assert_line --partial 'bob@example.org: 4.3.5 deferred'
	assert_regex "$stderr" "^pneu: 4\.3\.5 [^"$'\n'"]*$"
	# what could be sent is sent all the same
	peer_start - <<<"$clear"$'\nINCLUDE parts/mail'
	pneu bob@example.org
	quiet
	peer_end
}

# --- later, and in the background

@test "-odq and --queue=only try nothing" {
	peer_start - <<<NOBODY
	pneu -odq --report=text bob@example.org
	assert_success
	assert_line --regexp '^bob@example.org: 2\.0\.0 queued: queued as [0-9a-f]{20}$'
	pneu --queue=only bob@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 2
}

@test "-odb answers at once, delivers in the background, and keeps no descriptor" {
	peer_start - <<<"PAUSE 200"$'\n'"$clear"$'\n'"$(accepts bob@example.org)"$'\n'"$leaves"
	configure
	# shellcheck disable=SC2094
	exec 7> >(cat >pipe; touch closed)
	run --separate-stderr "$PNEU" --config=config -odb bob@example.org <message
	quiet
	exec 7>&-
	until_true test -e closed
	until_true test "$(waiting)" = 0 || until_true test -e "$peer_dir/message.1"
	peer_end
	until_true test ! -e "$spool"/*.e
}

@test "SIGTERM in mid-dialogue: it is in the spool, and due" {
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		SIGNAL TERM
		STALL
	END
	configure
	"$PNEU" --config=config bob@example.org <message >out 2>err 3>&- &
	pid=$!
	echo "$pid" >"$peer_dir/pid"
	status=0
	wait "$pid" || status=$?
	pid=
	assert_equal "$status $(cat out err)" "0 "
	peer_end
	id=$(only)
	run ! grep -a '^tries' "$spool/$id.e"
	assert [ ! -e "$spool/accounts" ]
}

# --- flush

@test "flush: all that is due over one session and one login, with RSET after a failure" {
	local first second third

	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	later bob@example.org
	first=$id
	later joe@example.org
	second=$id
	later eve@example.org
	third=$id
	later not@example.org
	sed -i "s/^next .*/next $(($(date +%s) + 600))/" "$spool/$id.e"
	peer_start - <<-END
		$clear
		INCLUDE parts/auth-plain
		$(accepts bob@example.org)
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<joe@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 503 5.5.1 nobody
		C: RSET
		S: 250 2.0.0 Ok
		$(accepts eve@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	assert [ ! -e "$spool/$first.m" ] && assert [ ! -e "$spool/$third.m" ]
	has "$second" 'tries 1'
	has "$second" 'last 4\.2\.0 450 .*'
	assert_equal "$(waiting)" 2
	# nothing is due any more
	peer_start - <<<NOBODY
	pneu -q
	quiet
	peer_end
}

@test "flush: a session has as many messages as per-session, or the server's MAILMAX" {
	later bob@example.org
	later bob@example.org
	later bob@example.org
	settings=("per-session 2")
	peer_start - <<-END
		$clear
		$(accepts bob@example.org)
		$(accepts bob@example.org)
		$leaves
		NEXT
		$clear
		$(accepts bob@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	settings=()
	later bob@example.org
	later bob@example.org
	peer_start - <<-END
		S: 220 here
		C: EHLO ***
		S: 250-here
		S: 250-PIPELINING
		S: 250 LIMITS MAILMAX=1
		$(accepts bob@example.org)
		$leaves
		NEXT
		$clear
		$(accepts bob@example.org)
		$leaves
	END
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "flush: one message by its id, or those of some recipients, whether due or not" {
	local one

	later bob@example.org
	one=$id
	later joe@example.org
	sed -i "s/^next .*/next $(($(date +%s) + 600))/" "$spool"/*.e
	peer_start - <<<"$clear"$'\n'"$(accepts bob@example.org)"$'\n'"$leaves"
	pneu --flush="$one"
	quiet
	peer_end
	peer_start - <<<NOBODY
	pneu -qRbob
	quiet
	pneu -qSbob
	quiet
	pneu --flush="$one"
	assert_failure 64
	assert_regex "$stderr" "5\.5\.4 .*$one"
	peer_end
	peer_start - <<<"$clear"$'\n'"$(accepts joe@example.org)"$'\n'"$leaves"
	pneu -qRjoe
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "flush: of one message it says how that ended" {
	later bob@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<alice@sender.com>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 503 5.5.1 nobody
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush="$id"
	peer_end
	assert_failure 75
	assert_regex "$stderr" 'greylisted'
	assert_equal "$(waiting)" 1
}

@test "flush: a failed session makes the account wait, and counts for no message" {
	later bob@example.org
	later joe@example.org
	peer_start - <<<$'S: 421 4.3.2 busy\nC? QUIT'
	pneu --flush
	quiet
	peer_end
	run ! grep -a '^tries\|^last' "$spool"/*.e
	assert_equal "$(waiting)" 2
	# and so nobody is bothered now
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
	# a submission that goes well shows that all is well again, and takes both along
	peer_start - <<-END
		$clear
		$(accepts eve@example.org)
		$(accepts bob@example.org)
		$(accepts joe@example.org)
		$leaves
	END
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 0
	run ! grep -a '^failures' "$spool"/accounts/*
}

@test "flush: a refused login holds everything, is said once, and bounces nothing" {
	server='smtp://alice@127.0.0.1:$PORT'
	settings=("password-file $PWD/password")
	echo s3cret-word >password
	later bob@example.org
	aged 864000 "$id" # however long it has waited
	later joe@example.org
	local refuses="$clear"$'\nC: AUTH PLAIN ***\nS: 535 5.7.8 no\n'"$leaves"
	peer_start - <<<"$refuses"
	pneu --flush
	assert_success
	assert_regex "$stderr" "^pneu: 127.0.0.1:$peer_port: 5.7.8 [^"$'\n'"]*$"
	peer_end
	assert_equal "$(waiting)" 2
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
	account_due
	peer_start - <<<"$refuses"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 2
	assert [ ! -e "$spool/failed" ]
	run ! grep -a '^tries\|^last' "$spool"/*.e
}

@test "flush: a configuration that does not work holds everything, and bounces nothing" {
	server='smtp://alice@127.0.0.1:$PORT'
	later bob@example.org
	settings=("password-file $PWD/missing")
	peer_start - <<<NOBODY
	pneu --flush
	assert_success
	assert_regex "$stderr" "$PWD/missing"
	account_due
	pneu --flush
	quiet
	peer_end
	only
	run ! grep -a '^tries\|^last' "$spool"/*.e
	settings=("password-command exit 75")
	pneu --flush
	only
}

# accounts PORT PORT: one and two.
two_accounts()
{
	printf '%s\n' "tls none" "ehlo mail.sender.com" "queue $spool" "account one" \
	    "server smtp://127.0.0.1:$1" "from alice@sender.com" "account two" \
	    "server smtp://127.0.0.1:$2" "from joe@sender.com" >config
}

@test "flush: an account that is stuck holds up no other, whichever comes first" {
	local stuck stuck_pid sender

	for sender in alice joe; do
		peer_start - <<<STALL
		stuck=$peer_port stuck_pid=$peer_pid
		peer_start - <<<"$clear"$'\n'"$(from=$sender@sender.com accepts bob@example.org)"$'\n'"$leaves"
		two_accounts "$stuck" "$peer_port"
		if [ "$sender" = alice ]; then
			two_accounts "$peer_port" "$stuck"
		fi
		"$PNEU" --config=config -f alice@sender.com -odq bob@example.org <message
		"$PNEU" --config=config -f joe@sender.com -odq bob@example.org <message
		"$PNEU" --config=config --flush >out 2>err 3>&- &
		pid=$!
		until_true test -e "$peer_dir/message.1"
		until_true waits_one
		kill -0 "$pid"
		kill -TERM "$pid"
		wait "$pid"
		peer_end
		wait "$stuck_pid"
		assert_equal "$(cat out err)" ""
		# to be interrupted is no failure
		run ! grep -a '^tries' "$spool"/*.e
		assert [ ! -e "$spool/accounts" ]
		rm -rf "$spool"
	done
}

waits_one()
{
	[ "$(waiting)" = 1 ]
}

@test "a submission takes ten due messages along, on its connection" {
	local round last script=

	for round in {1..11}; do # not a number that bats' run would count, too
		later bob@example.org
	done
	last=$id
	for round in {1..10}; do
		script+=$(accepts bob@example.org)$'\n'
	done
	peer_start - <<<"$clear"$'\n'"$(accepts eve@example.org)"$'\n'"$script$leaves"
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(only)" "$last"
	# but opens no other for them
	later bob@example.org
	settings=("per-session 2")
	peer_start - <<<"$clear"$'\n'"$(accepts eve@example.org)"$'\n'"$(accepts bob@example.org)"$'\n'"$leaves"
	pneu eve@example.org
	quiet
	peer_end
	assert_equal "$(waiting)" 1
	# and nobody hears of what goes wrong with one of them
	settings=()
	peer_start - <<-END
		$clear
		$(accepts eve@example.org)
		C: MAIL ***
		S: 550 5.7.1 not that
		C: RCPT ***
		S: 503 5.5.1 no
		C: DATA
		S: 503 5.5.1 no
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu eve@example.org
	quiet
	peer_end
}

# --- the end of patience

bounces()
{
	cat <<-'END'
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<alice@sender.com>***
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok
	END
}

# busy|refuses RECIPIENT [parameters]
answers()
{
	printf '%s\n' 'C: MAIL FROM:<alice@sender.com>***' 'S: 250 2.1.0 Ok' "C: RCPT TO:<$1>***" "S: $2" \
	    'C: DATA' 'S: 503 5.5.1 nobody' 'C? RSET' 'S: 250 2.0.0 Ok'
}

@test "queue-lifetime is over: the sender has a report by the same session, and it is said" {
	later bob@example.org
	aged 500000 "$id"
	peer_start - <<-END
		$clear
		$(answers bob@example.org '450 4.2.2 mailbox full')
		$(bounces)
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_regex "$stderr" "^pneu: $id, given up: bob@example.org: .*mailbox full[^"$'\n'"]*$"
	assert_equal "$(waiting)" 0
	run cat "$peer_dir/message.1"
	assert_line --regexp '^To: <?alice@sender.com'
	assert_line --regexp '^Content-Type: multipart/report;'
	assert_line --regexp '^Final-Recipient: rfc822; ?bob@example.org'
	assert_line --regexp '^Remote-MTA: dns; ?127.0.0.1'
	assert_line --regexp '^Diagnostic-Code: smtp; ?450 4.2.2 mailbox full'
	assert_line --regexp '^Last-Attempt-Date: '
	assert_line --regexp '^Subject: test'
	assert_line --regexp '^Message-ID: <test.1@sender.com>'
}

@test "before that, it waits on" {
	later bob@example.org
	aged 400000 "$id"
	peer_start - <<<"$clear"$'\n'"$(answers bob@example.org '450 4.2.2 full')"$'\n'"$leaves"
	pneu --flush
	quiet
	peer_end
	only
	settings=("queue-lifetime 1h")
	due "$id"
	peer_start - <<<"$clear"$'\n'"$(answers bob@example.org '450 4.2.2 full')"$'\n'"$(bounces)"$'\n'"$leaves"
	pneu --flush
	peer_end
	assert_equal "$(waiting)" 0
}

@test "refused at the retry: a report, but not for NOTIFY=NEVER" {
	later bob@example.org
	peer_start - <<<"$clear"$'\n'"$(answers bob@example.org '550 5.1.1 unknown')"$'\n'"$(bounces)"$'\n'"$leaves"
	pneu --flush
	peer_end
	assert_success
	assert_regex "$stderr" 'given up: bob@example.org: 5.1.1'
	assert_equal "$(waiting)" 0
	later -N never bob@example.org
	dsn=${clear/INCLUDE*/S: 220 here
C: EHLO ***
S: 250-here
S: 250-DSN
S: 250 PIPELINING}
	peer_start - <<<"$dsn"$'\n'"$(answers bob@example.org '550 5.1.1 unknown')"$'\n'"$leaves"
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(find "$spool" -name '*.[em]' | wc -l)" 0
}

@test "a report that is refused rests in failed, and so does what comes from <>" {
	later bob@example.org
	peer_start - <<-END
		$clear
		$(answers bob@example.org '550 5.1.1 unknown')
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<alice@sender.com>***
		S: 550 5.1.1 she, too
		C: DATA
		S: 503 5.5.1 nobody
		C? RSET
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(waiting)" 0
	assert_equal "$(find "$spool/failed" -name '*.e' | wc -l)" 1
	grep -qa '^rcpt <alice.*sender.com>' "$spool"/failed/*.e
	# nobody looks at it again
	peer_start - <<<NOBODY
	pneu --flush
	quiet
	peer_end
}

@test "from <> to several: he who is refused rests, he who has it does not, and he who waits is tried again" {
	later -f '<>' bob@example.org eve@example.org joe@example.org
	peer_start - <<-END
		$clear
		C: MAIL FROM:<>***
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@example.org>
		S: 250 2.1.5 Ok
		C: RCPT TO:<eve@example.org>
		S: 550 5.1.1 unknown
		C: RCPT TO:<joe@example.org>
		S: 450 4.2.0 greylisted
		C: DATA
		S: 354 go
		C: <message>
		S: 250 2.0.0 Ok
		$leaves
	END
	pneu --flush
	peer_end
	assert_success
	assert_equal "$(only)" "$id"
	has "$id" 'end 1'
	has "$id" 'rcpt <joe.*'
	assert_equal "$(grep -ah '^rcpt' "$spool"/failed/*.e | wc -l)" 1
	grep -qa '^rcpt <eve' "$spool"/failed/*.e
	cmp "$spool/$id.m" "$spool"/failed/*.m
	# nothing else is left when he has it
	due "$id"
	peer_start - <<<"$clear"$'\n'"$(from='' accepts joe@example.org)"$'\n'"$leaves"
	pneu --flush
	quiet
	peer_end
	assert_equal "$(waiting)" 0
}

@test "notify-delay: after four hours the sender is told once that it is late" {
	settings=("notify-delay yes")
	later bob@example.org
	aged 15000 "$id"
	peer_start - <<<"$clear"$'\n'"$(answers bob@example.org '450 4.2.0 busy')"$'\n'"$(bounces)"$'\n'"$leaves"
	pneu --flush
	quiet
	peer_end
	run cat "$peer_dir/message.1"
	assert_line --regexp '^Action: delayed'
	assert_line --regexp '^Will-Retry-Until: '
	assert_equal "$(only)" "$id"
	due "$id"
	peer_start - <<<"$clear"$'\n'"$(answers bob@example.org '450 4.2.0 busy')"$'\n'"$leaves"
	pneu --flush
	quiet
	peer_end
	only
}
