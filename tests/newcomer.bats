#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What goes wrong first, for somebody who has not used the program before: the first line on the screen says
# what to do about it. Without a server; what servers say is in dialogues.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
}

# first STATUS TEXT ...: the last run ended with this status, and its first line has each of the texts.
first()
{
	local text

	assert_equal "$status" "$1"
	shift
	for text; do
		assert_regex "${stderr%%$'\n'*}" "^pneu: "
		[[ ${stderr%%$'\n'*} == *"$text"* ]] || fail "\"$text\" is not in: $stderr"
	done
}

@test "a file that is not there: the message, the configuration, the password" {
	submit --message=nowhere bob@x.example
	first 66 "--message nowhere: No such file" "is the name right?"
	pneu --config=nowhere bob@x.example <letter
	first 78 "nowhere: No such file" "is the name right?"
	submit --user=alice --password-file=nowhere bob@x.example <letter
	first 78 "password-file nowhere: No such file" "is the name right?"
	submit --aliases=nowhere bob@x.example <letter
	first 78 "aliases nowhere: No such file" "is the name right?"
}

@test "a file that may not be read: who has to be let" {
	[ "$(id -u)" -ne 0 ] || need setpriv
	unprivileged "$PNEU" --version >/dev/null 2>&1 || skip "others cannot run the program here"
	touch shut
	chmod 000 shut
	unprivileged ls . >/dev/null 2>&1 || skip "others cannot look into the directory of the test"
	run --separate-stderr unprivileged "$PNEU" --config=shut bob@x.example <letter
	first 78 "shut: Permission denied; let the user $(unprivileged id -un) read it"
}

@test "a directory where a file belongs" {
	submit --message=. bob@x.example
	first 66 ". is a directory" "name a file"
	pneu --config=. bob@x.example <letter
	first 78 "Is a directory; a file is wanted here"
}

@test "a file of certificates without any" {
	submit --server=submission://127.0.0.1:1 --tls=verify --tls-ca=letter bob@x.example <letter
	first 78 "tls-ca letter: nothing in it begins with -----BEGIN CERTIFICATE"
	submit --server=submission://127.0.0.1:1 --tls=verify --tls-crl=letter bob@x.example <letter
	first 78 "tls-crl letter: " # GnuTLS's own words
	submit --server=submission://127.0.0.1:1 --tls=verify --tls-cert=letter bob@x.example <letter
	first 78 "tls-cert letter: " "Its key belongs into it, too, or into tls-key"
	submit --server=submission://127.0.0.1:1 --tls=fingerprint bob@x.example <letter
	first 78 "tls fingerprint needs a tls-pin: without that line"
}

@test "no message" {
	submit bob@x.example </dev/null
	first 65 "the message is empty: give it on standard input, or with --message"
	no_valgrind "its own files take the place of what is closed"
	in_shell 'exec "$PNEU" "$@" <&-' bob@x.example
	first 66 "standard input is closed; name a file with --message"
}

# --- words of other programs

@test "an option of another program: what it is here" {
	submit --host=smtp.x.example bob@x.example <letter
	first 64 "there is no option --host: write server submissions://user@host"
	submit --passwordeval='pass x' bob@x.example <letter
	first 64 "there is no option --passwordeval: it is password-command"
	submit --read-envelope-from bob@x.example <letter
	first 64 "\`from\` settings choose the account"
	submit --subject=hello bob@x.example <letter
	first 64 "the subject is a line of the message"
	submit -s hello bob@x.example <letter
	first 64 "there is no option -s: the subject is a line of the message"
	submit --tls_starttls=off bob@x.example <letter
	first 64 "write submission:// (STARTTLS) or submissions:// in server"
	submit --porters=1 bob@x.example <letter
	first 64 "there is no option --porters; see pneu --help"
}

@test "a keyword of another program: what it is here" {
	local line

	for line in 'logfile x/it is log' 'AuthUser alice/the user name stands in server' \
	    'tls_certcheck off/it is tls;' 'TLS_TRUST_FILE x/it is tls-ca' 'tls-verify no/it is tls;' \
	    'username alice/the user name stands in server' 'ssl yes/there is always TLS'; do
		printf '%s\n' "${line%%/*}" >config
		pneu --config=config bob@x.example <letter
		first 78 "config:1: there is no " "${line#*/}"
	done
}

@test "tls as a switch: what it decides, and where STARTTLS is said" {
	local value

	for value in on yes starttls ssl; do
		submit --tls=$value bob@x.example <letter
		first 64 "tls does not take \"$value\": it is one of none, may" "verify (the default)" \
		    "for STARTTLS write submission:// in \`server\`"
	done
	submit --tls=verfy bob@x.example <letter
	first 64 "did you mean verify?"
}

@test "a domain that is an address, or a URL" {
	local value

	for value in @x.example bob@x.example https://x.example; do
		submit --domain="$value" root <letter
		first 64 "domain does not take \"$value\": it is no host name"
	done
}

@test "a line with an equals sign, which a password may begin with" {
	printf 'server = submission://a@127.0.0.1:1\n' >config
	pneu --config=config bob@x.example <letter
	first 78 'config:1: write a blank instead of "=" after "server"'
	printf 'server submission://a@127.0.0.1:1\npassword = x\n' >config
	chmod 600 config
	pneu --config=config bob@x.example <letter
	first 75 "4.4.1 connect"
}

@test "a file of an editor that puts a byte order mark at its beginning" {
	printf '\357\273\277server submission://127.0.0.1:1\r\n' >config
	pneu --config=config bob@x.example <letter
	first 75 "4.4.1 connect"
	printf '#\n\357\273\277server submission://127.0.0.1:1\n' >config
	pneu --config=config bob@x.example <letter
	first 78 "config:2: unknown keyword"
}

# --- addresses, passwords, the spool

@test "two addresses with a blank between them" {
	submit 'bob@x.example eve@x.example' <letter
	first 65 "a comma is missing between addresses"
	submit 'Bob Roe' <letter
	first 65 "a name without an address in < >"
}

@test "root, and nothing says who that is" {
	submit root <letter
	first 67 "<root> is not an address: it has no domain: write user@domain, or set \`domain\` or" \
	    "\`aliases\`"
}

@test "a password that is not there: what to look at" {
	touch empty
	chmod 600 empty
	submit --user=alice --password-file=empty bob@x.example <letter
	first 78 "the password from empty is empty: see what is in it"
	submit --user=alice --password-command='exit 2' bob@x.example <letter
	first 78 "exit status 2; run it by hand: exit 2"
}

@test "a message of the spool, named without =" {
	local option

	mkdir -m 700 spool
	for option in --flush --list --drop=0661248b0b18ea38919c; do
		pneu --config=/dev/null --queue="$PWD/spool" "$option" 0661248b0b18ea38919c
		first 64 "\"0661248b0b18ea38919c\" is one word too many: write --flush=ID"
	done
}

@test "a spool that is somebody else's" {
	[ "$(id -u)" -eq 0 ] || skip "only root can give a directory away"
	install -d -o 65534 -m 700 spool
	submit --queue="$PWD/spool" bob@x.example <letter
	first 75 "spool belongs to somebody else: name a directory of your own"
}

@test "a spool that cannot be made: what could not be done, and where" {
	: >file
	submit --queue="$PWD/file/spool" bob@x.example <letter
	first 75 "is not a directory"
	[ -d /proc/self ] || skip "nothing here refuses directories"
	submit --queue=/proc/spool bob@x.example <letter
	first 75 "cannot make or open the directory /proc/spool: "
}
