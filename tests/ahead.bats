#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Many messages in a flight, where the server has CHUNKING: what is due is flushed by BDAT, and every answer
# still goes to its message. Against a scripted server.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load queue
	queue_setup
	hello=$'S: 220 smtp.example.com ESMTP\nC: EHLO mail.sender.com\nS: 250-smtp.example.com\n'
	hello+=$'S: 250-PIPELINING\nS: 250-SIZE\nS: 250 CHUNKING'
}

teardown()
{
	queue_teardown
}

# sends RECIPIENT ...: script of what the client says of a message. Behind another one RSET comes first.
sends()
{
	local each size

	size=$(stat -c %s "$spool/$id.m")
	echo "C: MAIL FROM:<alice@sender.com> SIZE=$size"
	for each; do
		echo "C: RCPT TO:<$each>"
	done
	printf '%s\n' "C: BDAT $size LAST" "C: <chunk, $size octets>"
}

# flight N RECIPIENT ...: the same of N messages that are alike, one behind the other.
flight()
{
	local n=$1

	shift
	sends "$@"
	for n in $(seq 2 "$n"); do
		echo 'C: RSET'
		sends "$@"
	done
}

good=$'S: 250 2.1.0 Ok\nS: 250 2.1.5 Ok\nS: 250 2.0.0 Ok: queued'
reset='S: 250 2.0.0 Reset'

# taken N: what the server says of so many.
taken()
{
	local n

	echo "$good"
	for n in $(seq 2 "$1"); do
		printf '%s\n' "$reset" "$good"
	done
}

# flushes: the spool goes to a server that plays what is on standard input, behind its greeting.
flushes()
{
	peer_start - < <(echo "$hello" && cat)
	pneu --flush
	quiet
	peer_end
}

# same [N]: so many messages to bob wait; all of the same size.
same()
{
	local round

	for round in $(seq "$1"); do
		later bob@example.org
	done
}

@test "ahead: twenty messages are one flight" {
	same 25
	flushes <<-END
		$(flight 20 bob@example.org)
		$(taken 20)
		FLIGHTS 2
		$(flight 5 bob@example.org)
		$(taken 5)
		FLIGHTS 3
		$leaves
	END
	waits 0
}

@test "ahead: each answer goes to its own message" {
	same 4
	local all=("$spool"/*.e)

	flushes <<-END
		$(flight 4 bob@example.org)
		$good
		$reset
		S: 250 2.1.0 Ok
		S: 450 4.2.0 greylisted
		S: 503 5.5.1 nobody
		$reset
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 452 4.3.1 full
		$reset
		$good
		$leaves
	END
	waits 2
	has "$(basename "${all[1]}" .e)" 'last 4\.2\.0 450 .*'
	has "$(basename "${all[2]}" .e)" 'last 4\.3\.1 452 .*'
}

@test "ahead: a refused MAIL holds up nobody behind it" {
	same 3
	local all=("$spool"/*.e)

	flushes <<-END
		$(flight 3 bob@example.org)
		S: 451 4.3.0 not now
		S: 503 5.5.1 MAIL first
		S: 503 5.5.1 MAIL first
		$reset
		$(taken 2)
		$leaves
	END
	has "$(only)" 'last 4\.3\.0 451 .*'
	assert_equal "$(only)" "$(basename "${all[0]}" .e)"
}

@test "ahead: the server takes its leave in the middle; what it has not read goes over a new session" {
	same 3
	flushes <<-END
		$(flight 3 bob@example.org)
		$good
		S: 421 4.3.2 enough
		CLOSE
		NEXT
		$hello
		$(sends bob@example.org)
		$good
		$(sends bob@example.org)
		$good
		$leaves
	END
	waits 0
}

@test "ahead: the connection is cut; nobody knows of those that were sent, and they are said to be so" {
	same 3
	flushes <<-END
		$(flight 3 bob@example.org)
		$good
		CUT
	END
	waits 2
	for each in "$spool"/*.e; do
		has "$(basename "$each" .e)" 'last 4\.4\.2 .*may have been delivered.*'
	done
}

@test "ahead: a recipient who was one too many gets the message in another transaction" {
	later bob@example.org eve@example.org
	flushes <<-END
		$(sends bob@example.org eve@example.org)
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 452 4.5.3 too many
		S: 250 2.0.0 Ok: queued
		$(sends eve@example.org)
		$good
		$leaves
	END
	waits 0
}

# A message that is too large to be sent ahead goes by DATA: its envelope travels with what is before it.
by_data=$'C: MAIL FROM:<alice@sender.com>***\nC: RCPT TO:<bob@example.org>\nC: DATA'
grow()
{
	yes 'seventy octets in a line, so that fifteen hundred are over the limit' | head -n 1500 >>message
}

@test "ahead: a large message goes by DATA, in order, between small ones" {
	same 1
	small=$(sends bob@example.org)
	cp message kept
	grow
	later bob@example.org
	cp kept message
	later bob@example.org
	flushes <<-END
		$small
		C: RSET
		$by_data
		$good
		$reset
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		C: <message>
		C: RSET
		$(sends bob@example.org)
		S: 250 2.0.0 Ok
		$reset
		$good
		FLIGHTS 3
		$leaves
	END
	waits 0
}

# unfinished: what the server says of a message whose only recipient has to wait. The transaction goes on
# until RSET (RFC 3030 2), and MAIL within it is an error for good: it would be the next message's.
unfinished=$'S: 250 2.1.0 Ok\nS: 450 4.2.0 greylisted\nS: 554 5.5.1 nobody'

@test "ahead: a large message does not suffer for a small one before it that was refused" {
	same 1
	small=$(sends bob@example.org)
	grow
	later bob@example.org
	flushes <<-END
		$small
		C: RSET
		$by_data
		$unfinished
		$reset
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		C: <message>
		S: 250 2.0.0 Ok
		FLIGHTS 3
		$leaves
	END
	waits 1
}

@test "ahead: a flight does not suffer for the last message of the one before it" {
	same 21
	flushes <<-END
		$(flight 20 bob@example.org)
		$(taken 19)
		$reset
		$unfinished
		C: RSET
		$(sends bob@example.org)
		$reset
		$good
		$leaves
	END
	waits 1
}

@test "ahead: nor does a message that takes several transactions" {
	hello=${hello/250-SIZE/250-LIMITS RCPTMAX=1}
	same 1
	small=$(sends bob@example.org | sed 's/ SIZE=.*//')
	later bob@example.org eve@example.org
	flushes <<-END
		$small
		$unfinished
		C: RSET
		$reset
		$(sends bob@example.org | sed 's/ SIZE=.*//')
		$good
		$(sends eve@example.org | sed 's/ SIZE=.*//')
		$good
		$leaves
	END
	waits 1
}

@test "ahead: no more messages in a session than MAILMAX, however they travel" {
	same 3
	hello=${hello/250-SIZE/250-LIMITS MAILMAX=2}
	flushes <<-END
		$(sends bob@example.org | sed 's/ SIZE=.*//')
		C: RSET
		$(sends bob@example.org | sed 's/ SIZE=.*//')
		$good
		$reset
		$good
		C: QUIT
		S: 221 2.0.0 Bye
		NEXT
		$hello
		$(sends bob@example.org | sed 's/ SIZE=.*//')
		$good
		$leaves
	END
	waits 0
}
