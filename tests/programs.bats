#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Programs without a person in front of them, cron's daemon among them, and libraries, which send by running
# sendmail, with the client in its place, against a real Postfix. Where there is an example in contrib, it is
# what configures them.

bats_require_minimum_version 1.5.0

setup_file()
{
	load helper
	load postfix
	postfix_start
}

teardown_file()
{
	load postfix
	postfix_stop
}

setup()
{
	load helper
	load postfix
	load callers
	callers_setup
}

teardown()
{
	# shellcheck disable=SC2086
	kill ${cron:-} ${listener:-} 2>/dev/null || true
}

# --- cron

# The configuration of contrib for mail of the system, with this Postfix for its server: cron_config DIR USER.
cron_config()
{
	mkdir -p "$1"
	cp "$POSTFIX_DIR/alice.password" "$1/password"
	sed "s|^root:.*|root: $to|" "$PNEU_SRC/contrib/cron/aliases" >"$1/aliases"
	{
		callers_server
		grep -v '^server' "$PNEU_SRC/contrib/cron/config"
	} | sed "s|/etc/pneu|$1|" >"$1/config"
	chown -R "$2" "$1"
}

# A cron of our own, whose system is another one as far as it goes: its users are root and joe (with the name
# of this test's second mailbox), their homes, their crontabs and sendmail are ours, and nothing else is there
# to be run or to be sent. With @reboot jobs run at once.
cron_start()
{
	local home=$POSTFIX_DIR/home

	mkdir run crontabs cron.d
	: >"crontab"
	{
		echo "root:*:0:0:root:$home/admin:/bin/sh"
		echo "${box}a:*:65533:65533:Joe:$home/joe:/bin/sh"
		grep -v '^root:' /etc/passwd
	} >passwd
	cron_config "$home/admin/.config/pneu" 0
	cron_config "$home/joe/.config/pneu" 65533
	chown 65533 "$home/joe"
	cp "$PNEU_SRC/contrib/cron/crontab" crontabs/root
	printf '%s\n' '@reboot printf "Gr\303\274\303\237e.\n.\nno end of line"' >"crontabs/${box}a"
	chown 65533 "crontabs/${box}a"
	chmod 600 crontabs/*
	# shellcheck disable=SC2016
	unshare --mount sh -c '
		mount --bind passwd /etc/passwd && mount --bind run /run &&
		mount --bind crontab /etc/crontab && mount --bind cron.d /etc/cron.d &&
		mount --bind crontabs /var/spool/cron/crontabs && mount --bind "$1" /usr/sbin/sendmail &&
		exec env -i LANG=C.UTF-8 PATH=/usr/bin:/bin /usr/sbin/cron -f' \
	    sh "$PNEU" </dev/null >cron.out 2>&1 3>&- &
	cron=$!
}

@test "cron: the mail of jobs, the users' own configurations found" {
	need_file /usr/sbin/cron cron
	unshare --mount true 2>/dev/null || skip "there are no mount namespaces here"
	cron_start
	echo "This machine is up again." >text
	has_arrived "$box"
	cmp text body
	assert_header "From: Cron Daemon <alice@$POSTFIX_DOMAIN>"
	assert_header "To: root@$POSTFIX_DOMAIN"
	assert_header "Content-Type: text/plain; charset=utf-8"
	grep -q '^Subject: Cron <root@.*echo "This machine is up again."' header
	assert_logged "from=<alice@$POSTFIX_DOMAIN>, .*nrcpt=1 "

	printf 'Gr\303\274\303\237e.\n.\nno end of line\n' >text
	has_arrived "${box}a"
	cmp text body
	assert_equal "$(cat cron.out)" ""
}

@test "cron: its command line and its environment" {
	printf '%s\n' 'From: root (Cron Daemon)' "To: $box" 'Subject: Cron <root@here> echo x' '' x |
	    env -i LANG=C.UTF-8 PATH=/usr/bin:/bin PNEU_CONFIG="$PNEU_CONFIG" \
	    "$sendmail" -FCronDaemon -i -B8BITMIME -oem "$box,${box}a@$POSTFIX_DOMAIN" >said 2>&1
	assert_equal "$(cat said)" ""
	has_arrived "$box"
	has_arrived "${box}a"
	assert_equal "$(cat body)" x
	assert_envelope "alice@$POSTFIX_DOMAIN" 2
}

# It sends as a user who can read nothing; systemd gives the password. The message is that of its script.
@test "systemd-cron: as configured in contrib" {
	local unit=$PNEU_SRC/contrib/cron/systemd-cron.conf from

	cron_config "$PWD/etc" 0
	grep -v '^password-file' etc/config >etc/systemd-cron
	rm etc/password
	IFS=: read -r credential from < <(sed -n 's/^LoadCredential=//p' "$unit")
	assert_equal "$from" /etc/pneu/password
	assert_equal "$(sed -n 's/^Environment=//p' "$unit")" PNEU_CONFIG=/etc/pneu/systemd-cron
	mkdir credentials
	cp "$POSTFIX_DIR/alice.password" "credentials/$credential"
	{
		printf '%s\n' 'Content-Type: text/plain; charset="us-ascii"' 'MIME-Version: 1.0' \
		    'Content-Transfer-Encoding: 7bit' 'Date: Tue, 24 Nov 2026 08:00:00 -0000' \
		    'From: root (systemd-cron)' 'To: root' 'Subject: [here] job cron-x.service failed' \
		    'Auto-Submitted: auto-generated' ''
		cat text
	} >message
	CREDENTIALS_DIRECTORY=$PWD/credentials PNEU_CONFIG=$PWD/etc/systemd-cron \
	    run --separate-stderr "$sendmail" -i -B8BITMIME root <message
	arrives_in "$box"
	assert_header "Auto-Submitted: auto-generated"
	assert_envelope "alice@$POSTFIX_DOMAIN" 1
}

# --- PHP

# php_mails TO [argument ...]: PHP's mail() in its own configuration php.ini; the exit status is what it
# returned. The last argument is mail()'s fifth parameter.
php_mails()
{
	need php php-cli
	cat >mail.php <<-'END'
		<?php
		$headers = "From: Joe <joe@example.org>\r\nCc: {$argv[2]}a@example.org\r\n" .
		    "Bcc: {$argv[2]}b@example.org";
		exit(mail($argv[1], "Subject", file_get_contents("text"), $headers, $argv[3]) ? 0 : 1);
	END
	run --separate-stderr php -n -c php.ini mail.php "$1" "$box" "${2:-}"
}

php_to_three()
{
	php_mails "$to" "$@"
	echo >>text # PHP's own
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Cc: ${box}a@$POSTFIX_DOMAIN"
		assert_header "Subject: Subject"
	done
}

@test "PHP: mail()" {
	echo "sendmail_path = \"$sendmail -t -i\"" >php.ini
	php_to_three
	assert_envelope "alice@$POSTFIX_DOMAIN" 3
	php_mails "reject@$POSTFIX_DOMAIN"
	assert_fails 1 "the policy forbids it"
}

@test "PHP: mail() as configured in contrib, with a sender" {
	contrib php/pneu.ini >php.ini
	php_to_three "-fjoe@$POSTFIX_DOMAIN"
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	php_mails "reject@$POSTFIX_DOMAIN"
	assert_fails 1 "the policy forbids it"
}

# Some versions of PHP take 75 for success.
@test "PHP: in contrib 75 is another failure, and all others stay what they are" {
	need php php-cli
	contrib php/pneu.ini >php.ini
	command=$(php -n -c php.ini -r 'echo ini_get("sendmail_path");')
	printf 'To: %s\n\nx\n' "defer@$POSTFIX_DOMAIN" >deferred
	run --separate-stderr "$sendmail" -t -i <deferred
	assert_fails 75 "the mailbox is busy"
	run --separate-stderr sh -c "$command -fjoe@$POSTFIX_DOMAIN" <deferred
	assert_fails 69 "the mailbox is busy"
	printf 'To: %s\n\nx\n' "reject@$POSTFIX_DOMAIN" >refused
	run --separate-stderr sh -c "$command" <refused
	assert_fails 77 "the policy forbids it"
	printf 'To: %s\n\nx\n' "$to" >taken
	run --separate-stderr sh -c "$command" <taken
	echo x >text
	arrives_in "$box"
}

# symfony_sends DSN TO ...: one message to each TO, all of them by one transport; what is refused is shown.
symfony_sends()
{
	need php php-cli
	need_file /usr/share/php/Symfony/Component/Mailer/autoload.php php-symfony-mailer
	cat >symfony.php <<-'END'
		<?php
		require 'Symfony/Component/Mailer/autoload.php';
		$transport = Symfony\Component\Mailer\Transport::fromDsn($argv[1]);
		$failed = 0;
		foreach (array_slice($argv, 2) as $to) {
			$box = strstr($to, '@', true);
			$email = (new Symfony\Component\Mime\Email())
			    ->from('Joe <joe@example.org>')->to($to)->subject('Grüße')
			    ->text(file_get_contents('text'));
			if (preg_match('/^t\d+$/', $box))
				$email->cc("{$box}a@example.org")->bcc("{$box}b@example.org");
			try {
				$transport->send($email);
			} catch (Symfony\Component\Mailer\Exception\TransportExceptionInterface $e) {
				fwrite(STDERR, $e->getMessage() . "\n");
				$failed = 1;
			}
		}
		exit($failed);
	END
	# what this version of PHP tells the library off for is nobody's concern here (E_DEPRECATED)
	run --separate-stderr "${within[@]}" php -d error_reporting=8191 -d display_errors=stderr \
	    symfony.php "$@"
}

symfony_has_arrived()
{
	for each in "$box" "${box}a" "${box}b"; do
		has_arrived "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?="
		perl -MMIME::QuotedPrint -pe '$_ = decode_qp($_)' body >plain
		cmp text plain
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
}

# The value of MAILER_DSN in contrib that has this option of sendmail.
symfony_dsn()
{
	contrib symfony/env.example | sed -n "s/^#*MAILER_DSN=\"\(.*%20$1\)\"\$/\1/p"
}

symfony_says_nothing()
{
	assert_success
	assert_equal "$output$stderr" ""
}

@test "Symfony: by sendmail -t" {
	symfony_sends "sendmail://default?command=$sendmail%20-oi%20-t" "$to"
	symfony_says_nothing
	symfony_has_arrived
	symfony_sends "sendmail://default?command=$sendmail%20-oi%20-t" "reject@$POSTFIX_DOMAIN"
	assert_fails 1 "Process failed with exit code 77" "the policy forbids it"
}

@test "Symfony: -t, as configured in contrib" {
	symfony_sends "$(symfony_dsn -t)" "$to"
	symfony_says_nothing
	symfony_has_arrived
}

# $within runs a command where /usr/sbin/sendmail, which Symfony runs by default, is the client.
as_system_sendmail()
{
	unshare --mount true 2>/dev/null || skip "there are no mount namespaces here"
	# shellcheck disable=SC2016
	within=(unshare --mount sh -c 'mount --bind "$0" /usr/sbin/sendmail && exec "$@"' "$PNEU")
}

@test "Symfony: several messages over sendmail -bs, its default; a recipient refused" {
	as_system_sendmail
	symfony_sends sendmail://default "$to" "reject@$POSTFIX_DOMAIN" "r1@$POSTFIX_DOMAIN"
	assert_fails 1 '550 5.7.1' "the policy forbids it"
	echo >>text # Symfony's own, before the final dot
	symfony_has_arrived
	has_arrived r1
	# one session of ours for all of them
	assert_commands '.* mail=3 rcpt=.*'
}

@test "Symfony: -bs, as configured in contrib" {
	symfony_sends "$(symfony_dsn -bs)" "$to" "r2@$POSTFIX_DOMAIN"
	symfony_says_nothing
	echo >>text
	symfony_has_arrived
	has_arrived r2
}

# --- Perl

@test "Email::Sender" {
	need_perl Email::Sender::Transport::Sendmail libemail-sender-perl
	cat >send.pl <<-'END'
		use Email::Sender::Simple 'sendmail';
		use Email::Sender::Transport::Sendmail;
		use Email::Simple;
		my ($program, @to) = @ARGV;
		local $/;
		open my $text, '<', 'text' or die;
		my $email = Email::Simple->create(header => [From => 'Joe <joe@example.org>', To => $to[0],
		    Subject => 'Subject'], body => <$text>);
		sendmail($email, { from => 'joe@example.org', to => \@to,
		    transport => Email::Sender::Transport::Sendmail->new({ sendmail => $program }) });
	END
	run --separate-stderr perl send.pl "$sendmail" "$to" "${box}a@$POSTFIX_DOMAIN"
	for each in "$box" "${box}a"; do
		arrives_in "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Subject: Subject"
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 2
	run --separate-stderr perl send.pl "$sendmail" "reject@$POSTFIX_DOMAIN"
	assert_failure
	assert_fails "$status" "the policy forbids it" "error when closing pipe to sendmail"
}

@test "MIME::Lite" {
	need_perl MIME::Lite libmime-lite-perl
	cat >send.pl <<-'END'
		use MIME::Lite;
		my ($how, $program, $to, $box) = @ARGV;
		local $/;
		open my $text, '<', 'text' or die;
		my $message = MIME::Lite->new(From => 'Joe <joe@example.org>', To => $to,
		    Cc => "${box}a\@example.org", Bcc => "${box}b\@example.org", Subject => 'Subject',
		    Data => <$text>);
		$message->attr('content-transfer-encoding', '8bit');
		exit(($how eq 'program' ? $message->send_by_sendmail(Sendmail => $program) :
		    $message->send('sendmail', "$program -t -oi -oem")) ? 0 : 1);
	END
	run --separate-stderr perl send.pl program "$sendmail" "$to" "$box"
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Subject: Subject"
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	run --separate-stderr perl send.pl program "$sendmail" "reject@$POSTFIX_DOMAIN" "$box"
	assert_failure
	assert_fails "$status" "the policy forbids it" "error closing $sendmail"
	run --separate-stderr perl send.pl command "$sendmail" "reject@$POSTFIX_DOMAIN" "$box"
	assert_fails 1 "the policy forbids it"
}

# --- Emacs

# emacs_runs: what is in the file send.el, with contrib/emacs/pneu.el loaded.
emacs_runs()
{
	need emacs emacs-nox
	contrib emacs/pneu.el >pneu.el
	echo "from *@$POSTFIX_DOMAIN" >>config
	run --separate-stderr emacs --batch -Q -L . \
	    --eval '(setq user-full-name "Joe" user-mail-address "joe@example.org")' \
	    -l pneu -l message -l send.el
}

# emacs_writes HOW TO: with mail-mode or message-mode.
emacs_writes()
{
	cat >send.el <<-END
		($1-mail "$2" "Grüße")
		(goto-char (point-min))
		(re-search-forward "^Subject: .*")
		(insert "\nCc: ${box}a@$POSTFIX_DOMAIN\nBcc: ${box}b@$POSTFIX_DOMAIN")
		(goto-char (point-max))
		(insert-file-contents "text")
		($1-send)
	END
	sed -i 's/^(mail-mail "/(mail nil "/' send.el
	emacs_runs
}

emacs_sends()
{
	emacs_writes "$1" "$to"
	assert_success
	for each in "$box" "${box}a" "${box}b"; do
		has_arrived "$each"
		cmp text body
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
		assert_header "Subject: =?utf-8?B?R3LDvMOfZQ==?="
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	emacs_writes "$1" "reject@$POSTFIX_DOMAIN"
	assert_fails 255 "failed with exit value 77"
}

@test "Emacs: mail-mode, as configured in contrib" {
	emacs_sends mail
}

@test "Emacs: message-mode, as configured in contrib" {
	emacs_sends message
}

# --- smartd

# What smartd(8) does when a disk fails: its script, with what contrib/smartd/smartd.conf says.
smartd_warns()
{
	local script=/usr/share/smartmontools/smartd_warning.sh

	need_file "$script" smartmontools
	contrib smartd/pneu-smartd >pneu-smartd
	chmod 755 pneu-smartd
	read -r _ address _ _ exec < <(sed -n 's/.* -m \(.*\)/-m \1/p' "$PNEU_SRC/contrib/smartd/smartd.conf")
	assert_equal "$exec" /usr/local/libexec/pneu-smartd
	SMARTD_MAILER=${1:-$PWD/pneu-smartd} SMARTD_ADDRESS="$address $to" \
	    SMARTD_PREVCNT=0 SMARTD_NEXTDAYS=1 SMARTD_FAILTYPE=Health \
	    SMARTD_MESSAGE="Device: /dev/sdx, FAILED SMART self-check" \
	    SMARTD_DEVICEINFO="a disk" run --separate-stderr sh "$script"
}

smartd_has_arrived()
{
	assert_success
	assert_equal "$output$stderr" ""
	has_arrived "$box"
	grep -q '^Subject: SMART error (Health) detected on host: ' header
	assert_header "To: root@$POSTFIX_DOMAIN, $to"
	grep -qx 'Device: /dev/sdx, FAILED SMART self-check' body
	assert_envelope "alice@$POSTFIX_DOMAIN" 1
}

@test "smartd: as configured in contrib" {
	echo "root: $to" >aliases
	echo "aliases $PWD/aliases" >>config
	smartd_warns
	smartd_has_arrived
}

# run.d/10mail in front of mail(1) is what Debian's smartd-runner would run; here it is the script of contrib.
@test "smartd: the script of contrib in Debian's run.d" {
	echo "root: $to" >aliases
	echo "aliases $PWD/aliases" >>config
	printf '#!/bin/sh\ncat >file\nexec %s file "$@"\n' "$PWD/pneu-smartd" >runner
	chmod 755 runner
	smartd_warns "$PWD/runner"
	smartd_has_arrived
}

# --- a listener on this machine

# units: those of contrib in the directory units.
units()
{
	need systemd-analyze systemd
	mkdir units
	contrib systemd/pneu-submission@.service >units/pneu-submission@.service
	cp "$PNEU_SRC/contrib/systemd/pneu-submission.socket" units
}

@test "systemd: the units of contrib are well formed" {
	units
	for manager in --user --system; do
		XDG_RUNTIME_DIR=$PWD run systemd-analyze verify --man=no "$manager" units/*
		assert_success
		assert_output ""
	done
	# a test that the check would see
	sed -i 's/^NoNewPrivileges/NoNewPrivilege/' units/*.service
	XDG_RUNTIME_DIR=$PWD run systemd-analyze verify --man=no --user units/*
	assert_output --partial NoNewPrivilege
}

# The command of the service behind a port, as systemd runs it for each connection.
listen()
{
	local line

	units
	need systemd-socket-activate systemd
	line=$(sed -n 's/^ExecStart=//p' units/*.service)
	port=$((POSTFIX_BASE + ${#POSTFIX_LISTENERS[@]}))
	# shellcheck disable=SC2086
	systemd-socket-activate --inetd --accept --listen="127.0.0.1:$port" -E PNEU_CONFIG="$PNEU_CONFIG" \
	    -E HOME="$HOME" $line </dev/null >listen.log 2>&1 3>&- &
	listener=$!
	postfix_until grep -q '^Listening' listen.log
}

@test "systemd: the listener, with a client that speaks SMTP" {
	need s-nail s-nail
	listen
	printf '%s\n' 'Hello.' '.two' 'Bye.' >text
	set -- -n -S v15-compat -S mta="smtp://127.0.0.1:$port" -S smtp-auth=none -S DEAD="$PWD/dead.letter" \
	    -S from="Joe <joe@$POSTFIX_DOMAIN>" -S hostname=localhost -s Subject
	run --separate-stderr s-nail "$@" -c "${box}a@$POSTFIX_DOMAIN" -b "${box}b@$POSTFIX_DOMAIN" \
	    "$to" <text
	for each in "$box" "${box}a" "${box}b"; do
		arrives_in "$each"
		assert_header "From: Joe <joe@$POSTFIX_DOMAIN>"
		assert_header "To: $to"
	done
	assert_envelope "joe@$POSTFIX_DOMAIN" 3
	run --separate-stderr s-nail "$@" "reject@$POSTFIX_DOMAIN" <text
	assert_fails 4 "550 5.7.1" "the policy forbids it"
}
