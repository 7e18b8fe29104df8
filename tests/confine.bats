#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What a process gives up before it hears a server: tried by a program that gives it up, and by the program
# itself with what it still needs then.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load login
	login_ready
	built || skip "not built with what confines a process"
}

teardown()
{
	login_done
}

built()
{
	grep -q '^#define PNEU_SANDBOX' "$PNEU_BUILD/config.h" &&
	    ! grep -q '^#define PNEU_SANITIZERS' "$PNEU_BUILD/config.h"
}

# What the attempts are about, in the directory place.
place()
{
	rm -rf place
	mkdir -p place/{home,state,spool/failed,temp}
	(cd place && touch home/{key,rc,old} trust)
}

# only TEXT [ATTEMPT ...]: of its lines "NAME RESULT" these are all that say "done".
only()
{
	local text=$1

	shift
	echo "$text"
	assert_equal "$(sed -n 's/ done$//p' <<<"$text" | tr '\n' ' ')" "$(printf '%s ' "$@")"
}

# attempt MODE: all of it, where this machine has all that confines a process.
attempt()
{
	place
	run --separate-stderr "$PNEU_BUILD/tests/confined" "$1" place
	assert_success
	case $stderr in
	*"as before"*) skip "$stderr" ;;
	esac
}

# can MODE [ATTEMPT ...]: these are all that can still be done.
can()
{
	local mode=$1

	shift
	attempt "$mode"
	only "$output" "$@"
	if [ "$mode" != none ]; then
		assert_line --regexp '^run-program (Operation not permitted|Permission denied)$'
	fi
}

@test "confined: all of it can be done before" {
	can none go-on read-key append-to-rc make-in-home remove-key open-key read-passwd change-memory \
	    read-trust make-state move-in-spool make-temporary append-to-log inet-socket local-socket \
	    log-socket shape-socket wait-for-clients have-child have-thread signal-parent signal-by-file \
	    limit-parent run-memory type trace run-program
}

@test "confined: nothing but a connection" {
	can nothing go-on
}

@test "confined: one session, and nothing but it" {
	can one go-on read-trust make-state
}

@test "confined: one session, with a log" {
	can log go-on make-state log-socket
}

@test "confined: one session, with a spool" {
	can spool go-on make-state move-in-spool
}

@test "confined: several sessions" {
	can again go-on read-passwd read-trust make-state move-in-spool inet-socket log-socket \
	    shape-socket have-thread run-memory
}

@test "confined: sessions of several accounts" {
	can others go-on read-key read-passwd read-trust make-state inet-socket local-socket log-socket \
	    shape-socket have-thread run-memory
}

@test "confined: processes of our own may be ended" {
	can parent go-on read-passwd inet-socket log-socket shape-socket have-thread signal-parent run-memory
	can child go-on signal-parent
}

@test "confined: a kernel without Landlock leaves the files, and nothing else" {
	place
	for mode in ENOSYS EOPNOTSUPP; do
		run --separate-stderr "$PNEU_BUILD/tests/confined" "$mode" place
		assert_success
		case $stderr in
		*"system calls as before"*) skip "$stderr" ;;
		esac
		assert_regex "$stderr" "confined from here on: files as before, no connections, no programs"
		refute_line --regexp '^(inet-socket|local-socket|have-child|signal-parent|run-program) done$'
		assert_line "go-on done"
	done
}

@test "confined: what is given up in two steps does not come back" {
	can steps go-on read-trust make-state
}

# --- the program

one='no files but our own, no connections, no programs'
more='files of ours and of the resolver, connections, no programs'

# confined [LINE ...]: what the client said of itself, in this order.
confined()
{
	case $stderr in
	*"as before"*) skip "$stderr" ;;
	esac
	assert_equal "$(sed -n 's/^\* confined from here on: //p' <<<"$stderr")" "$(printf '%s\n' "$@")"
}

# before TEXT TEXT: in the dialogue.
before()
{
	assert_regex "$stderr" "$1.*$2"
}

@test "one server: before it has said anything; and not where it is not wanted" {
	serve_password s3cret-word
	echo s3cret-word >password
	client --password-file=password -v
	assert_success
	confined "$one"
	before 'confined from' 'S: 220 '
	peer_end
	serve_password s3cret-word
	client --password-file=password -v --sandbox=no
	assert_success
	confined
	peer_end
}

# A server that does not want us, and a second one that has a login.
serve_second()
{
	{
		echo 'S: 421 4.3.2 not now'
		echo NEXT
		greeting
		echo "C: AUTH PLAIN $(plain s3cret-word)"
		mail
	} >dialogue
	serve
}

@test "two servers: the second one may still be called, with a password of its own" {
	serve_second
	echo s3cret-word >password
	client --server="$url" --password-file=password -v
	assert_success
	confined "$more" "$one"
	peer_end
}

@test "password-command: before the server has said anything, and more after the login" {
	serve_password s3cret-word
	client --password-command='echo s3cret-word' -v
	assert_success
	confined "$more" "$one"
	before 'confined from' 'S: 220 '
	before 'S: 235 ' 'confined from'
	peer_end
	serve_password s3cret-word
	client --server="$url" --password-command='echo s3cret-word' -v
	assert_success
	confined "$more"
	peer_end
}

@test "password-command: asked again by a process that was there before, for the second server" {
	serve_second
	client --server="$url" --password-command='echo $$ >>asked; echo s3cret-word' -v
	assert_success
	confined "$more" "$one"
	run sort -u asked
	assert_equal "${#lines[@]}" 2
	peer_end
}

@test "a log that is moved away meanwhile has its line all the same, and the next run makes a new one" {
	local relay="exec '$PNEU_BUILD/tests/socks' --relay"

	for tunnel in 'mv log log.1;' ''; do
		{
			greeting | sed 's/^S: 250 AUTH.*/S: 250 HELP/'
			mail | sed '/^S: 235/d'
		} >dialogue
		serve
		url=smtp://localhost:1 client --log="$PWD/log" --auth=none -v \
		    --tunnel="$tunnel $relay $peer_port"
		assert_success
		confined "$one"
		peer_end
	done
	run cat log.1
	assert_equal "${#lines[@]}" 1
	run cat log
	assert_equal "${#lines[@]}" 1
}

@test "a spool: the message gets there, and the temporary file of a long one is made" {
	{
		greeting
		echo "C: AUTH PLAIN $(plain s3cret-word)"
		echo 'S: 235 2.7.0 Welcome'
		echo 'C: MAIL FROM:<alice@sender.com>'
		echo 'S: 451 4.3.2 not now'
		echo 'C: QUIT'
		echo 'S: 221 2.0.0 Bye'
	} >dialogue
	serve
	echo s3cret-word >password
	{ cat message; yes 'Ä line of text that has to be encoded' | head -n 20000; } >long
	at_server --password-file=password -v --queue="$PWD/spool" --log="$PWD/log" <long
	assert_success
	confined "$one"
	run find spool -type f -name "*.*"
	assert_equal "${#lines[@]}" 2
	run cat log
	assert_output --partial '"queued"'
	peer_end
}

# --- the program, when what reads the replies misbehaves

# misbehaves [option ...]: the client in the directory place, with the hook; what it tried is in $tried.
misbehaves()
{
	local xdg=$PWD/place/xdg

	attempt nothing
	place
	mkdir -p "$xdg/pneu"
	rmdir place/state
	ln -s xdg/pneu place/state
	tried=$(cd place && LD_PRELOAD=$PNEU_BUILD/tests/confined_hook.so XDG_STATE_HOME=$xdg \
	    "$PNEU" --config=/dev/null --server="$url" --tls=none --ehlo=mail.sender.com -f alice@sender.com \
	    "$@" <../message 2>../err || echo "exit $?")
	cat err
	echo "$tried"
	tried=$(sed -n 's/^misbehaved: //p' err)
	assert [ -n "$tried" ]
}

# hostile WHEN: a server whose reply at that step is the one.
hostile()
{
	greeting | sed "/^S: 220/s/ESMTP/ESMTP${1:+ $1}/" >dialogue
	{
		echo "C: AUTH PLAIN $(plain s3cret-word)"
		mail
	} >>dialogue
	serve
	place
	echo s3cret-word >password
}

@test "misbehaving: with sandbox no, everything can be done" {
	hostile misbehave
	misbehaves --password-file="$PWD/password" --sandbox=no bob@example.org
	[ "$(grep -c ' done$' <<<"$tried")" -gt 20 ]
}

@test "misbehaving: over the greeting, one server" {
	hostile misbehave
	misbehaves --password-file="$PWD/password" bob@example.org
	only "$tried" go-on make-state
	peer_end
}

@test "misbehaving: over TLS" {
	hostile
	peer_end || true
	cat >dialogue <<-'END'
		S: 220 smtp.example.com ESMTP
		C: EHLO mail.sender.com
		S: 250-smtp.example.com
		S: 250 STARTTLS
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		TLS
		C: EHLO mail.sender.com
		S: 250-smtp.example.com says misbehave
		S: 250 HELP
		C: MAIL FROM:<alice@sender.com>
		S: 550 5.7.1 no
		C: QUIT
		S: 221 2.0.0 Bye
	END
	serve
	url=smtp://localhost:$peer_port
	misbehaves --tls=verify --tls-ca="$peer_dir/ca.pem" bob@example.org
	only "$tried" go-on
}

@test "misbehaving: after the login, with a spool and a log, and the mail goes through all the same" {
	hostile
	sed -i 's/^S: 250 2.1.5 Ok/& misbehave/' dialogue
	peer_end || true
	serve
	misbehaves --password-file="$PWD/password" --queue="$PWD/place/spool" --log="$PWD/log" bob@example.org
	only "$tried" go-on make-state move-in-spool
	run cat log
	assert_output --partial '"accepted"'
	peer_end
}

@test "misbehaving: over the greeting, several recipients" {
	hostile misbehave
	misbehaves --password-file="$PWD/password" bob@example.org eve@example.org
	only "$tried" go-on read-passwd make-state inet-socket log-socket shape-socket have-thread run-memory
}

@test "misbehaving: over the greeting, a password-command" {
	hostile misbehave
	misbehaves --password-command='echo s3cret-word' bob@example.org
	only "$tried" go-on read-passwd make-state inet-socket log-socket shape-socket have-thread run-memory
}

@test "misbehaving: over a tunnel" {
	hostile misbehave
	sed -i '/AUTH PLAIN\|^S: 235/d; s/^S: 250-smtp.example.com/S: 250 smtp.example.com/' dialogue
	peer_end || true
	serve
	misbehaves --tunnel="LD_PRELOAD= exec '$PNEU_BUILD/tests/socks' --relay $peer_port" --auth=none \
	    bob@example.org
	only "$tried" go-on
	peer_end
}
