#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What becomes of senders, in the envelope and in the header: rewrite-from, allow-from-override, %U and %H
# in from. What becomes of single fields is in unit_rewrite.c.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
	export PNEU_CONFIG=$BATS_TEST_TMPDIR/config
	settings=("from me@x.example")
	header 'From: root (Cron Daemon)' 'To: root'
}

# header LINE ...: the message has these fields.
header()
{
	printf '%s\n' "$@" '' 'From: root' >message
}

# configure PORT: the configuration, with the settings of the test.
configure()
{
	printf '%s\n' "server smtp://127.0.0.1:$1" "tls none" "ehlo mail.sender.com" "${settings[@]}" >config
}

# sends SENDER [argument ...]: the message goes to bob from that sender of the envelope.
sends()
{
	local sender=$1

	shift
	peer_start - <<-END
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		C: MAIL FROM:<$sender>
		S: 250 2.1.0 Ok
		C: RCPT TO:<bob@x.example>
		S: 250 2.1.5 Ok
		C: DATA
		S: 354 Go ahead
		C: <message>
		S: 250 2.0.0 Ok
		C: QUIT
	END
	configure "$peer_port"
	pneu "$@" bob@x.example <message
	assert_equal "$status/$output$stderr" 0/
	peer_end
}

# arrived LINE ...: exactly these fields, but for the Date and Message-ID that were added.
arrived()
{
	run sed -e 's/\r$//' -e '/^$/,$d' -e '/^Date: /d' -e '/^Message-ID: /d' "$peer_dir/message.1"
	assert_output "$(printf '%s\n' "$@")"
}

@test "cron's message can be answered, and says who wrote it" {
	sends me@x.example
	arrived 'From: Cron Daemon <me@x.example>' 'X-Original-From: root (Cron Daemon)' 'To: root@x.example'
	run grep -c '^From: root' "$peer_dir/message.1"
	assert_output 1 # the body's
}

@test "the address is that of the envelope, however it came about" {
	sends joe@y.example -f joe@y.example
	arrived 'From: Cron Daemon <joe@y.example>' 'X-Original-From: root (Cron Daemon)' 'To: root@y.example'
	settings+=("domain z.example")
	sends joe@z.example -f joe
	arrived 'From: Cron Daemon <joe@z.example>' 'X-Original-From: root (Cron Daemon)' 'To: root@z.example'
	settings=("user me@y.example" "auth none")
	sends me@y.example
	arrived 'From: Cron Daemon <me@y.example>' 'X-Original-From: root (Cron Daemon)' 'To: root@y.example'
}

@test "a sender that nobody could answer to does not get into From" {
	for given in '' root@localhost; do
		sends "$given" -f "$given"
		arrived 'From: Cron Daemon <me@x.example>' 'X-Original-From: root (Cron Daemon)' \
		    'To: root@x.example'
	done
	header 'To: bob@x.example'
	sends root@localhost -f root@localhost
	arrived 'To: bob@x.example' 'From: me@x.example'
}

@test "From at this machine is no sender of the envelope" {
	settings=("user me@y.example" "auth none")
	header 'From: joe@localhost' 'To: bob@x.example'
	sends me@y.example
	arrived 'From: joe <me@y.example>' 'X-Original-From: joe@localhost' 'To: bob@x.example'
	settings=("domain y.example")
	sends "$(id -un)@y.example"
}

@test "rewrite-from no, and yes, and always" {
	header 'From: Joe <joe@z.example>' 'To: root'
	sends me@x.example
	arrived 'From: Joe <joe@z.example>' 'To: root@x.example'
	sends me@x.example --rewrite-from=no
	arrived 'From: Joe <joe@z.example>' 'To: root'
	settings+=("rewrite-from always")
	sends me@x.example
	arrived 'From: Joe <me@x.example>' 'Reply-To: Joe <joe@z.example>' 'To: root@x.example'
	header 'From: Me <me@x.example>' 'To: bob@x.example'
	sends me@x.example
	arrived 'From: Me <me@x.example>' 'To: bob@x.example'
	pneu --rewrite-from=never bob@x.example <message
	fails 64 5.5.4 "always"
}

@test "a signed header is left alone" {
	header 'DKIM-Signature: v=1' 'From: root' 'To: root'
	sends me@x.example
	arrived 'DKIM-Signature: v=1' 'From: root' 'To: root'
}

@test "recipients come from the header as it was" {
	settings+=("aliases ~/aliases")
	echo 'root: bob@x.example' >aliases
	peer_start - < <(printf '%s\n' 'S: 220 x' 'C: EHLO mail.sender.com' 'S: 250 x' \
	    'C: MAIL FROM:<me@x.example>' 'S: 250 2.1.0 Ok' 'C: RCPT TO:<bob@x.example>' 'S: 250 2.1.5 Ok' \
	    'C: DATA' 'S: 354 x' 'C: <message>' 'S: 250 2.0.0 Ok' 'C: QUIT')
	configure "$peer_port"
	pneu -t <message
	assert_equal "$status/$output$stderr" 0/
	peer_end
	arrived 'From: Cron Daemon <me@x.example>' 'X-Original-From: root (Cron Daemon)' 'To: root@x.example'
}

@test "%U and %H in from: the sender" {
	settings=("from *@z.example" "from %U+%H%%@x.example")
	export USER=mallory LOGNAME=mallory
	sends "$(id -un)+$(mail_domain)%@x.example"
	settings=("from %U@%H")
	sends "$(id -un)@$(mail_domain)"
}

mail_domain()
{
	local name

	read -r name _ 2>/dev/null </etc/mailname || name=$(hostname)
	[[ $name == *.* ]] || name=$(getent ahosts "$name" | awk 'NF > 2 { print $3; exit }')
	echo "${name:-$(hostname)}"
}

@test "%U in from: the account" {
	header 'To: bob@x.example' "From: $(id -un)@y.example"
	# the first account is the one for everything else, and wants a login
	settings=("account a" "from *-%U@y.example" "user wrong" "account b" "from %U@y.example")
	sends "$(id -un)@y.example"
	sends "$(id -un)@y.example" -f "$(id -un)@y.example"
	pneu -f "x-$(id -un)@y.example" bob@x.example <message
	fails 78 5.7.0 "no password for wrong"
}

@test "from: other letters behind a %" {
	for value in '%u@x.example' 'joe@x.example%' '%%%@x.example' '*%x'; do
		settings=("from $value")
		configure 1
		pneu bob@x.example <message
		fails 78 5.3.5 config:4 "behind %"
	done
}

@test "allow-from-override no: one sender, whoever says what" {
	settings=("from *@z.example" "from me@x.example" "allow-from-override no")
	header 'From: Boss <boss@z.example>' 'Sender: boss@z.example' 'To: bob@x.example'
	sends me@x.example -f boss@z.example
	arrived 'From: Boss <me@x.example>' 'X-Original-From: Boss <boss@z.example>' \
	    'Sender: boss <me@x.example>' 'X-Original-Sender: boss@z.example' 'To: bob@x.example'
	header 'DKIM-Signature: v=1' 'From: boss@z.example (' 'To: bob@x.example'
	sends me@x.example
	arrived 'DKIM-Signature: v=1' 'From: me@x.example' 'X-Original-From: boss@z.example (' \
	    'To: bob@x.example'
	header 'To: bob@x.example'
	sends me@x.example -f boss@z.example -F Boss
	arrived 'To: bob@x.example' 'From: Boss <me@x.example>'
	header 'From: boss@z.example' 'To: bob@x.example'
	sends me@x.example --rewrite-from=no
	arrived 'From: boss@z.example' 'To: bob@x.example'
}

@test "allow-from-override no: a bounce is still from nobody" {
	settings+=("allow-from-override no")
	header 'From: boss@z.example' 'To: bob@x.example'
	for none in '' '<>'; do
		sends '' -f "$none"
		arrived 'From: boss <me@x.example>' 'X-Original-From: boss@z.example' 'To: bob@x.example'
	done
}

@test "allow-from-override no: without an address nothing is sent" {
	settings=("from *@x.example" "allow-from-override no")
	configure 1
	for given in me@x.example '<>'; do
		pneu -f "$given" bob@x.example <message
		fails 78 5.3.5 'set `from`'
	done
}
