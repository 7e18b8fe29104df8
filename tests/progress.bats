#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The line about an upload that takes a while. Each client has a terminal of its own, by script(1). The server
# reads the first octets of a message and pauses for longer than the two seconds; no kernel keeps all of the
# message meanwhile, so that most of it is left when the time is up, on a machine of any speed.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	command -v script >/dev/null || skip "script is not installed (apt-get install bsdutils)"
	script -qec true /dev/null >/dev/null 2>&1 || skip "there are no pseudo-terminals here"
	cd "$BATS_TEST_TMPDIR"
	{
		write_message
		cat message
		yes 'A line of a message that is too large for what kernels keep of it.' | head -n 450000
	} >large
}

teardown()
{
	if [ -n "${disk-}" ]; then
		queue_teardown
	fi
}

# slow: the message goes to a server that pauses after its first octets, and then takes the rest. Standard
# input is what follows.
slow()
{
	{
		cat <<-SCRIPT
			INCLUDE parts/ready-in-step
			INCLUDE parts/envelope
			C: <part, 1000 octets>
			PAUSE ${pause:-2100}
		SCRIPT
		cat
	} >script
	peer_start - <script
}

accepted()
{
	slow <<-'SCRIPT'
		C: <message>
		S: 250 2.0.0 Ok: queued as ABC123XYZ
		C: QUIT
		S: 221 2.0.0 Bye
	SCRIPT
}

# client [argument ...]: a command line for the client of this server.
client()
{
	printf '%q ' "$PNEU" --config=/dev/null --server="submission://127.0.0.1:$peer_port" \
	    --tls-ca="$peer_dir/ca.pem" --ehlo=mail.sender.com -f alice@sender.com "$@"
}

# on_terminal COMMAND: of the shell. What it wrote is in the file typescript, its exit code is $status.
on_terminal()
{
	status=0
	: >typescript
	script -qefc "$1" typescript >/dev/null 2>&1 </dev/null 3>&- || status=$?
	sed -i '/^Script \(started\|done\)/d' typescript
	cat -v typescript
}

# What stands on the screen at the end, in one of 80 columns that knows what CR is.
screen()
{
	awk '{
		line = ""
		n = split($0, piece, "\r")
		for (i = 1; i <= n; i++)
			line = piece[i] substr(line, length(piece[i]) + 1)
		sub(/ *$/, "", line)
		if (line != "")
			print line
	    }' typescript
}

# What was drawn in the place of each other, one a line.
drawn()
{
	tr '\r' '\n' <typescript | sed 's/ *$//' | grep '[0-9] [kM]\?B'
}

@test "a long upload has a line, which is gone in the end" {
	accepted
	on_terminal "$(client --message=large bob@example.org)"
	assert_equal "$status" 0
	run drawn
	assert_line --regexp \
	    '^pneu: [0-9.]+ [kM]?B of 30\.6 MB, [0-9.]+ [kM]?B/s(, [0-9]+[smhd][0-9mh]* left)?$'
	refute_line --regexp '^pneu: (30\.[7-9]|3[1-9])'
	assert_equal "$(screen)" ""
	peer_end
}

@test "then it says that the answer is waited for" {
	slow <<-'SCRIPT'
		C: <message>
		PAUSE 1000
		S: 250 2.0.0 Ok: queued as ABC123XYZ
		C: QUIT
		S: 221 2.0.0 Bye
	SCRIPT
	on_terminal "$(client --message=large bob@example.org)"
	assert_equal "$status" 0
	run drawn
	assert_line --regexp "^pneu: 30\.6 MB sent, waiting for the server's answer, [0-9]+s$"
	assert_equal "$(screen)" ""
	peer_end
}

@test "no line without a terminal, in the background, and where the terminal is another session's" {
	local command

	accepted
	command=$(client --message=large bob@example.org)
	on_terminal "$command 2>err"
	assert_equal "$status/$(cat err typescript)" 0/
	peer_end
	accepted
	command=$(client --message=large bob@example.org)
	on_terminal "set -m; $command & wait \$!"
	assert_equal "$status" 0
	run drawn
	assert_output ""
	peer_end
	accepted
	command=$(client --message=large bob@example.org)
	on_terminal "setsid -w $command"
	assert_equal "$status/$(cat typescript)" 0/
	peer_end
}

@test "no line where a client speaks to us" {
	accepted
	{
		printf '%s\r\n' 'HELO localhost' 'MAIL FROM:<alice@sender.com>' \
		    'RCPT TO:<bob@example.org>' DATA
		sed 's/$/\r/' large
		printf '%s\r\n' . QUIT
	} >commands
	on_terminal "$(client -bs) <commands >replies"
	assert_equal "$status/$(cat typescript)" 0/
	run cat replies
	assert_line --regexp '^250 2\.0\.0 Ok: queued as ABC123XYZ'
	peer_end
}

@test "no line for what was sent at once, however long the server thinks about it" {
	peer_start - <<-'SCRIPT'
		INCLUDE parts/ready
		INCLUDE parts/envelope
		C: <message>
		PAUSE 2500
		S: 250 2.0.0 Ok: queued as ABC123XYZ
		C: QUIT
		S: 221 2.0.0 Bye
	SCRIPT
	on_terminal "$(client --message=message bob@example.org)"
	assert_equal "$status/$(cat typescript)" 0/
	peer_end
}

@test "whatever else is said begins where the line was" {
	slow <<-'SCRIPT'
		C: <message>
		S: 552 5.3.4 Too much
		C: QUIT
		S: 221 2.0.0 Bye
	SCRIPT
	on_terminal "$(client -v --message=large bob@example.org)"
	assert_equal "$status" 65
	run drawn
	assert_line --partial " of 30.6 MB, "
	run screen
	assert_line "S: 552 5.3.4 Too much"
	assert_line --regexp '^pneu: bob@example\.org: 5\.3\.4 .* 552 5\.3\.4 Too much'
	refute_output --partial "MB"
	peer_end
}

# SIGTERM, as nobody who runs the tests in the background has it ignored.
@test "a signal takes it away" {
	slow <<-'SCRIPT'
		C: <part, 10000000 octets>
		SIGNAL TERM
		C: <aborted message>
	SCRIPT
	on_terminal "echo \$\$ >'$peer_dir/pid'; exec $(client --message=large bob@example.org)"
	assert_equal "$status" 75
	run drawn
	assert_line --partial " of 30.6 MB, "
	run screen
	assert_output --regexp '^pneu: .*4\.3\.0 .*SIGTERM[^'$'\n'']*$'
	refute_output --partial "MB"
	peer_end
}

# It is cut off while the server pauses and the line is there, which is noticed when the next piece of it is
# looked at.
@test "a file that is cut off takes it away" {
	pause=5000 slow <<-'SCRIPT'
		C: <aborted message>
	SCRIPT
	{
		until_true grep -q ' of 30' typescript && : >large
	} 3>&- &
	on_terminal "$(client --message=large bob@example.org)"
	wait "$!"
	assert_equal "$status" 75
	run drawn
	assert_line --partial " of 30.6 MB, "
	run screen
	assert_output --regexp '^pneu: 4\.3\.0 the message.s file was cut off[^'$'\n'']*$'
	peer_end
}

@test "it keeps to the width of the terminal" {
	accepted
	on_terminal "stty cols 26 </dev/tty; $(client --message=large bob@example.org)"
	assert_equal "$status" 0
	run drawn
	assert_line --regexp '^pneu: .* of'
	for line in "${lines[@]}"; do
		assert [ "${#line}" -le 23 ]
	done
	assert_equal "$(screen)" ""
	run tr '\r' '\n' <typescript
	for line in "${lines[@]}"; do
		assert [ "${#line}" -le 25 ]
	done
	peer_end
}

@test "one of the spool says which one it is" {
	load queue
	queue_setup
	later bob@example.org
	mv large message
	later joe@example.org
	peer_start - <<-END
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250-ENHANCEDSTATUSCODES
		S: 250 PIPELINING
		$(accepts bob@example.org)
		C: MAIL FROM:<alice@sender.com>***
		C: RCPT TO:<joe@example.org>
		C: DATA
		S: 250 2.1.0 Ok
		S: 250 2.1.5 Ok
		S: 354 Go ahead
		C: <part, 1000 octets>
		PAUSE 2100
		C: <message>
		S: 250 2.0.0 Ok: queued as X
		$leaves
	END
	configure
	on_terminal "$(printf '%q ' "$PNEU" --config=config --flush)"
	assert_equal "$status" 0
	run drawn
	assert_line --regexp '^pneu: 2 of 2: [0-9.]+ [kM]?B of 30\.6 MB, '
	refute_output --partial "1 of 2"
	assert_equal "$(screen)" ""
	assert_equal "$(waiting)" 0
	peer_end
}

@test "none where several accounts are served side by side" {
	load queue
	queue_setup
	mv large message
	peer_start - <<-'END'
		REPEAT 2
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250 smtp.example.com
		INCLUDE parts/envelope
		C: <part, 1000 octets>
		PAUSE 2100
		C: <message>
		S: 250 2.0.0 Ok: queued as X
		C? QUIT
		S: 221 2.0.0 Bye
		NEXT
		DONE
		NOBODY
	END
	configure
	printf 'account %s\n' one two >>config
	for account in one two; do
		"$PNEU" --config=config -a "$account" -odq bob@example.org <message
	done
	on_terminal "$(printf '%q ' "$PNEU" --config=config --flush)"
	assert_equal "$status/$(cat typescript)" 0/
	assert_equal "$(waiting)" 0
	peer_end
}
