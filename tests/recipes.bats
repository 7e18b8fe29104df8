#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The recipes of pneu-recipes(7) at work, as they stand there: only paths, hosts and the ways to passwords are
# replaced. That all their configurations can be read is in check.bats.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	load offline
	echo x >password
	chmod 600 password
	ln -s "$PNEU" sendmail
	export PNEU_CONFIG=$PWD/config
}

# recipe SECTION N: the Nth example of the section whose title begins like that.
recipe()
{
	awk -v section="$1" -v wanted="$2" '
	    /^\.Ss / { here = index($0, ".Ss " section) == 1 }
	    here && /^\.Bd / { n++; inside = 1; next }
	    /^\.Ed/ { inside = 0 }
	    here && inside && n == wanted { gsub(/\\e/, "\\"); print }' "$PNEU_SRC/man/pneu-recipes.7" |
	    sed -e "s|/usr/local/bin/pneu|$PNEU|" -e "s|/etc/pneu/|$PWD/|" \
		-e "s|/var/spool/pneu-www|$PWD/spool|" \
		-e '/^server/s|@[a-z.]*$|@127.0.0.1:1|' -e 's|^password-command .*|password-command echo x|'
}

@test "mutt with two identities: the recipient chooses the sender, and the sender the account" {
	need mutt
	need jq
	{
		echo "log $PWD/log"
		recipe 'mutt with' 1
	} >config
	recipe 'mutt with' 2 >muttrc
	assert [ "$(grep -c . muttrc)" -ge 6 ]
	echo 'set copy=no' >>muttrc
	for to in bob@example.net eve@example.com; do
		mutt -n -F muttrc -s Subject -- "$to" <letter || true
	done
	run jq -r '"\(.account) \(.sender)"' log
	assert_output "home alice@example.org
work al@example.com"
}

@test "cron on a laptop: mail for root waits, for the one who reads it" {
	recipe 'cron on' 1 | sed "s|^queue .*|queue $PWD/spool|" >config
	recipe 'cron on' 2 >aliases
	printf 'From: root (Cron Daemon)\nTo: root\nSubject: x\n\njob\n' >mail
	run --separate-stderr ./sendmail -FCronDaemon -i -B8BITMIME -oem root <mail
	assert_equal "$status/$output/$stderr" 0//
	run "$PNEU" --list
	assert_line --regexp 'alice@example.org$'
	assert_line --regexp '^  *alice@example.org$'
	assert_line --partial 'Connection refused'
	recipe 'cron on' 3 | sed 's/^\([^ ]* \)\{5\}//' >line
	grep -q flush line
	run sh ./line
	assert_success
}

@test "a container: no configuration, and the report" {
	need jq
	unset PNEU_CONFIG
	recipe 'A container' 1 | sed -e 's|--server=[^ ]*|--server=submissions://bot@127.0.0.1:1|' \
	    -e "s|/run/secrets/smtp|$PWD/password|" -e "s/| pneu/| \$PNEU/" >script
	grep -q report=json script
	run --separate-stderr sh ./script
	assert_failure 75
	assert_equal "$(jq -r .sender <<<"$output")" bot@example.org
}

@test "PHP: mail() from one address only, and into a spool of its own" {
	need php
	recipe PHP 1 >php.ini
	recipe PHP 2 >config
	mkdir -m 700 spool
	cat >mail.php <<-'PHP'
		<?php exit(mail("bob@example.net", "Subject", "Hello", "From: visitor@example.net") ? 0 : 1);
	PHP
	run php -n -c php.ini mail.php
	assert_success
	run "$PNEU" --list
	assert_line --regexp 'www@example.org$'
	assert_line --regexp '^  *bob@example.net$'
}
