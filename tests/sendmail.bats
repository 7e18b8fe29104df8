#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The program in the place of sendmail: the command lines of those who call it, and what they mean.

bats_require_minimum_version 1.5.0

setup()
{
	local name

	load helper
	load offline
	mkdir bin
	for name in sendmail mailq newaliases; do
		ln -s "$PNEU" "bin/$name"
	done
	sendmail=$BATS_TEST_TMPDIR/bin/sendmail
	export PNEU_CONFIG=$BATS_TEST_TMPDIR/config
	settings=()
	message=letter
	mail_params=
	rcpt_params=
	configure 1
}

# configure PORT: the configuration, with the settings of the test.
configure()
{
	printf '%s\n' "server smtp://127.0.0.1:$1" "tls none" "ehlo mail.sender.com" "from me@x.example" \
	    "${settings[@]}" >config
}

# wants SENDER RECIPIENTS: the dialogue with just these.
wants()
{
	local to

	printf '%s\n' 'S: 220 smtp.example.com ESMTP' 'C: EHLO mail.sender.com' 'S: 250-smtp.example.com' \
	    'S: 250-8BITMIME' 'S: 250 DSN' "C: MAIL FROM:<$1>$mail_params" 'S: 250 2.1.0 Ok'
	for to in $2; do
		printf '%s\n' "C: RCPT TO:<$to>${rcpt_params//@to@/$to}" 'S: 250 2.1.5 Ok'
	done
	printf '%s\n' 'C: DATA' 'S: 354 Go ahead' 'C: <message>' 'S: 250 2.0.0 Ok' 'C: QUIT' \
	    'S: 221 2.0.0 Bye'
}

# delivers SENDER RECIPIENTS [argument ...]: sendmail with these arguments sends $message from and to
# those, and says nothing.
delivers()
{
	local from=$1 to=$2

	shift 2
	peer_start - < <(wants "$from" "$to")
	configure "$peer_port"
	run --separate-stderr "$sendmail" "$@" <"$message"
	assert_equal "$status" 0
	assert_equal "$output$stderr" ""
	peer_end
}

# refuses STATUS CODE TEXT [argument ...]: and no server is asked for.
refuses()
{
	local code=$1 enhanced=$2 text=$3

	shift 3
	run --separate-stderr "$sendmail" "$@" <"$message"
	stderr=${stderr/#sendmail: /pneu: }
	fails "$code" "$enhanced" "$text"
}

# header LINE ...: a message with these fields, in a new file that is the message from now on.
header()
{
	message=message.header
	printf '%s\n' "$@" '' 'Hello.' >$message
}

# arrived REGEX: a line of what the server got.
arrived()
{
	grep -qE "$1" "$peer_dir/message.1" || fail "no $1 in $(cat "$peer_dir/message.1")"
}

me=me@x.example
bob=bob@x.example
eve=eve@x.example

# --- those who call it

@test "cron: its command line, its message" {
	settings=("domain x.example")
	message=cron
	printf '%s\n' 'From: root (Cron Daemon)' 'To: root' 'Subject: Cron <root@here> echo' \
	    'X-Cron-Env: <SHELL=/bin/sh>' '' 'x' >cron
	delivers $me root@x.example -FCronDaemon -i -B8BITMIME -oem root
	arrived '^From: Cron Daemon <me@x.example>'
	arrived '^X-Original-From: root \(Cron Daemon\)'
	arrived '^To: root@x.example'
	arrived '^Date: '
	arrived '^Message-ID: '
	delivers $me "$bob $eve" -FCronDaemon -i -B8BITMIME -oem $bob,$eve
	delivers $me root@x.example -FCronDaemon -odi -oem -oi -t
	delivers joe@x.example root@x.example -FCronDaemon -i -odi -oem -oi -t -f joe
	delivers $me root@x.example -FAnacron -odi root
	delivers $me root@x.example -i -B 8BITMIME root
}

@test "cron: hardly any environment" {
	peer_start - < <(wants $me $bob)
	configure "$peer_port"
	run --separate-stderr env -i PATH=/usr/bin:/bin LANG=C.UTF-8 PNEU_CONFIG="$PNEU_CONFIG" \
	    "$sendmail" -FCronDaemon -i -B8BITMIME -oem $bob <letter
	assert_equal "$status/$output$stderr" 0/
	peer_end
}

@test "mutt: its command lines" {
	delivers $me "$bob $eve" -oem -oi -- $bob $eve
	delivers joe@x.example $bob -oem -oi -f joe@x.example -- $bob
	rcpt_params=' NOTIFY=FAILURE,DELAY ORCPT=rfc822;@to@'
	mail_params=' RET=HDRS'
	delivers joe@x.example "$bob $eve" -oem -oi -B8BITMIME -f joe@x.example -N failure,delay -R hdrs -- \
	    $bob $eve
}

@test "an account of the caller's choice, which does not come from -oi" {
	settings=("account work" "from work@x.example" "server smtp://127.0.0.1:1" "account home")
	run --separate-stderr "$sendmail" -a work -- $bob <letter
	assert_equal "$status" 78
	settings=("account work" "from work@y.example")
	sed -i 's/^From:.*/From: work@y.example/' letter
	delivers work@y.example $bob -a work -- $bob
	delivers work@y.example $bob -a work -i $bob
}

@test "mailx, mailutils, s-nail, git: their command lines" {
	header 'To: bob@x.example' 'Cc: eve@x.example' 'Subject: x'
	delivers $me "$bob $eve" -i -t
	delivers joe@x.example "$bob $eve" -i -t -f joe@x.example
	delivers joe@x.example "$bob $eve" -i -t -m -f joe@x.example
	delivers joe@localhost "$bob $eve" -oi -f joe@localhost -t
	delivers $me $bob -i -- $bob
	delivers joe@x.example $bob -i -f joe@x.example -- $bob
	delivers $me "$bob $eve" -i $bob $eve
	delivers joe@x.example "$bob $eve" -f joe@x.example -i $bob $eve
	header 'To: <bob@x.example>,<eve@x.example>'
	delivers joe@localhost "$bob $eve" -oi -f joe@localhost -t
}

@test "PHP, Perl, Emacs, and the tools of the system: their command lines" {
	header 'To: bob@x.example' 'Subject: x' 'X-PHP-Originating-Script: 0:x.php' 'From: me@x.example'
	delivers $me $bob -t -i
	delivers joe@x.example $bob -t -i -fjoe@x.example
	delivers joe@x.example $bob -fjoe@x.example -i -t
	delivers joe@x.example $bob -i -f joe@x.example -- $bob
	delivers $me $bob -t -oi -oem
	delivers joe@x.example $bob -oi -f joe@x.example -oep -odi -t
	delivers joe@x.example $bob -oi -f joe@x.example -oem -odb -t
	delivers joe@x.example $bob -t -fjoe@x.example
	delivers joe@x.example $bob -f joe@x.example $bob
	delivers $me $bob -t
	delivers joe@x.example $bob -oi -f joe@x.example $bob
}

@test "closed descriptors stay out of the dialogue" {
	peer_start - < <(wants $me $bob)
	configure "$peer_port"
	header 'To: bob@x.example'
	run sh -c '"$1" -oi -t <"$2" >&- 2>&-' sh "$sendmail" $message
	assert_success
	peer_end
}

# --- options

@test "values: glued, separate, behind others" {
	delivers joe@x.example $bob -fjoe@x.example $bob
	delivers joe@x.example $bob -f joe@x.example $bob
	delivers joe@x.example $bob -r joe@x.example $bob
	delivers joe@x.example $bob -rjoe@x.example $bob
	delivers joe@x.example $bob -ifjoe@x.example $bob
	delivers joe@x.example $bob -inf joe@x.example $bob
	delivers joe@x.example $bob -f eve@x.example -f joe@x.example $bob
	header 'To: bob@x.example'
	delivers joe@x.example $bob -itfjoe@x.example
	delivers joe@x.example $bob -tif joe@x.example
}

@test "options that mean nothing here" {
	delivers $me $bob -bm -Am -Ac -G -L tag -Ltag -m -n -U -x -h 5 -h5 -hx -O Timeout=3 -OTimeout=3 \
	    -p SMTP:here -pSMTP -X log -d0.1 -d -oQ/tmp -o7 -oA/etc/aliases -om -oMrESMTP -em -ep -eq -ew \
	    -B 7BIT -B nonsense -C /no/such/file -o i $bob
	refute [ -e log ]
}

@test "unknown options are passed over" {
	delivers $me $bob -Z -9 -ZK --colour --sever=x $bob
	delivers joe@x.example $bob -Zfjoe@x.example $bob
}

@test "options of our own" {
	delivers joe@x.example $bob --sender=joe@x.example --timeout=10s $bob
	header 'To: bob@x.example'
	delivers $me $bob --read-recipients
}

@test "-f with a missing value is no reason to send nothing" {
	header 'To: bob@x.example'
	delivers $me $bob -t -f
}

@test "options end at the first recipient, and at --" {
	settings=("domain x.example")
	delivers $me "$bob -v@x.example" $bob -v
	delivers $me "-bob@x.example -t@x.example" -i -- -bob@x.example -t
	delivers $me "$bob --@x.example" -i $bob --
}

@test "under its own name options may follow recipients, and unknown ones are mistakes" {
	sendmail=$PNEU
	delivers joe@x.example $bob $bob -f joe@x.example
	refuses 64 5.5.4 "no option -Z" -Z $bob
	header 'To: bob@x.example'
	delivers $me $bob -t
	delivers $me $bob -oem -oi -B8BITMIME -t
}

@test "the name counts, whatever the path" {
	cp "$PNEU" bin/other
	(cd bin && ln -sf other sendmail)
	cd bin
	cp ../letter .
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH PNEU_CONFIG=../config
	for sendmail in sendmail ./sendmail ../bin/sendmail "$BATS_TEST_TMPDIR/bin/sendmail"; do
		run --separate-stderr "$sendmail" -Z </dev/null
		assert_equal "$status" 64
		[[ $stderr == *5.5.1* ]] || fail "$stderr"
	done
	run --separate-stderr other -Z </dev/null
	[[ $stderr == *5.5.4* ]] || fail "$stderr"
}

@test "the sender: nobody" {
	for none in '' '<>'; do
		delivers "" $bob -f "$none" $bob
		arrived '^From: Alice <alice@sender.com>'
	done
	delivers "" $bob '-f<>' $bob
}

@test "the sender: with a name, in brackets, without a domain" {
	delivers joe@x.example $bob -f 'Joe Roe <joe@x.example>' $bob
	delivers joe@x.example $bob -f '"Roe, Joe" <joe@x.example>' $bob
	delivers joe@x.example $bob -f '<joe@x.example>' $bob
	settings=("domain y.example")
	delivers joe@y.example $bob -f joe $bob
	delivers joe@y.example $bob -f 'Joe <joe>' $bob
	settings=()
	configure 1
	refuses 65 5.1.7 joe -f joe $bob
	refuses 65 5.1.7 joe -f 'joe@x.example> SIZE=1' $bob
	refuses 65 5.1.7 "control character" -f $'joe@x.example\r\nRCPT TO:<eve@x.example>' $bob
}

@test "several addresses in one argument" {
	delivers $me "$bob $eve" "$bob, $eve"
	delivers $me "$bob $eve" "$bob,$eve"
	delivers $me "$bob $eve ann@x.example" "Bob <$bob>, \"Roe, Eve\" <$eve>" ann@x.example
}

@test "-F makes the name of a From that is missing" {
	header 'To: bob@x.example'
	delivers $me $bob -FAnacron $bob
	arrived '^From: "?Anacron"? <me@x.example>'
	delivers $me $bob -F 'Joe "X" Roe' $bob
	arrived '^From: "Joe \\"X\\" Roe" <me@x.example>'
	delivers $me $bob -F $'Joe\r\nBcc: eve@x.example' $bob
	run grep -c '^Bcc' "$peer_dir/message.1"
	assert_output 0
	message=letter
	delivers $me $bob -FAnacron $bob
	arrived '^From: Alice <alice@sender.com>'
}

@test "-v shows the dialogue" {
	peer_start - < <(wants $me $bob)
	configure "$peer_port"
	run --separate-stderr "$sendmail" -v $bob <letter
	assert_success
	assert_equal "$output" ""
	[[ $stderr == *"C: RCPT TO:<bob@x.example>"* ]] || fail "$stderr"
	peer_end
}

@test "no server: again later" {
	run --separate-stderr "$sendmail" -i $bob <letter
	assert_equal "$status" 75
	[[ $stderr == *"4.4.1"* ]] || fail "$stderr"
}

@test "nobody to send to" {
	refuses 64 5.5.1 "no recipient"
	refuses 64 5.5.1 "no recipient" -i
	refuses 64 5.5.1 "no recipient" -Z --
}

@test "a recipient without a domain" {
	refuses 67 5.1.3 root -i root
	settings=("domain x.example")
	delivers $me "root@x.example bob@y.example" root bob@y.example
	delivers $me root@x.example 'Charlie Root <root>' root@X.EXAMPLE
}

# --- other modes, other names

@test "nothing waits here: mailq, -bp, -q, newaliases, -bi, -I" {
	for command in bin/mailq bin/newaliases "bin/mailq -v" "$sendmail -bp" "$sendmail -q" \
	    "$sendmail -q30m" "$sendmail -qRx" "$sendmail -bi" "$sendmail -I" "$sendmail -v -bp"; do
		# shellcheck disable=SC2086
		run --separate-stderr $command <letter
		assert_equal "$status/$output/$stderr" 0//
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr mailq
	assert_equal "$status/$output/$stderr" 0//
}

@test "-bv looks at recipients and sends nothing" {
	run --separate-stderr "$sendmail" -bv $bob "$eve, ann@x.example" <letter
	assert_equal "$status/$output/$stderr" 0//
	refuses 67 5.1.3 root -bv $bob root
	refuses 65 5.1.3 "column" -bv 'Bob <bob@x.example'
}

@test "a mode that is not there is a mistake" {
	refuses 64 5.5.4 "-bx" -bx $bob
	refuses 64 5.5.4 "-bD" -bD
}

# --- recipients from the header

# taken RECIPIENTS LINE ...: what -t makes of a header.
taken()
{
	local to=$1

	shift
	header "$@"
	delivers $me "$to" -t
}

@test "-t: To, Cc and Bcc, and nobody else" {
	taken "$bob $eve ann@x.example" 'From: joe@x.example' 'Reply-To: kim@x.example' 'To: bob@x.example' \
	    'Sender: kim@x.example' 'Cc: eve@x.example' 'Bcc: ann@x.example' 'X-To: kim@x.example' \
	    'Apparently-To: kim@x.example' 'Errors-To: kim@x.example' 'Subject: To: kim@x.example'
}

@test "-t: a body is no header" {
	message=message.body
	printf '%s\n' 'To: bob@x.example' '' 'To: eve@x.example' 'Bcc: eve@x.example' >$message
	delivers $me $bob -t
	arrived '^Bcc: eve@x.example'
}

@test "-t: Bcc in every spelling is used, and taken out" {
	taken "a@x.example b@x.example c@x.example d@x.example e@x.example" 'Bcc: a@x.example' \
	    'BCC: b@x.example' 'bcc : c@x.example,' ' d@x.example' 'bCc:' '	e@x.example' 'Subject: x'
	run grep -ciE '^bcc|@x.example$' "$peer_dir/message.1"
	assert_output 0
	arrived '^Subject: x'
}

@test "-t: To and Cc in every spelling, and several of each" {
	taken "a@x.example b@x.example c@x.example d@x.example" 'to:a@x.example' 'CC : b@x.example' \
	    'TO:  c@x.example ' 'cc:d@x.example'
}

@test "-t: names, quoted strings, comments" {
	taken "a@x.example b@x.example c@x.example d@x.example e@x.example" \
	    'To: "Roe, Ann; <x@x.example>" <a@x.example>, Bob B. Roe <b@x.example>' \
	    ' (the (elder) one, y@x.example),' '  c@x.example (Kim \) Roe), (first) d@x.example,' \
	    'Cc: "a \"quoted\" z@x.example" <e@x.example>'
}

@test "-t: a quoted local part" {
	message=message.header
	printf '%s\n' 'To: "a@b,c"@x.example, "d\"e"@x.example' '' 'x' >$message
	delivers $me '"a@b,c"@x.example "d\"e"@x.example' -t
}

@test "-t: folded lines" {
	taken "a@x.example b@x.example c@x.example" 'To:' ' a@x.example,' '	Bob' '  <b@x.example>' ' ,' \
	    ' "Kim' '  Roe" <' ' c@x.example' ' >'
}

@test "-t: CR LF at the end of lines" {
	message=message.crlf
	printf '%s\r\n' 'To: a@x.example,' ' b@x.example' 'Bcc: c@x.example' '' 'x' >$message
	delivers $me "a@x.example b@x.example c@x.example" -t
}

@test "-t: groups" {
	taken "a@x.example b@x.example c@x.example d@x.example" 'To: undisclosed-recipients:;' \
	    'Cc: Team: a@x.example, Bob <b@x.example>;, c@x.example, "An empty one":;' \
	    'Bcc: Others : d@x.example ;'
}

@test "-t: obsolete forms" {
	taken "a@x.example b@x.example c@x.example d@x.example" \
	    'To: , a@x.example,, <@relay.example,@other.example:b@x.example>,' \
	    'Cc: c @ x . example , d(comment)@(comment)x.example,'
}

@test "-t: encoded words, raw letters, domains with letters" {
	taken "a@x.example b@x.example c@xn--bcher-kva.example" \
	    'To: =?UTF-8?Q?J=C3=B6rg=2C_x?= <a@x.example>' \
	    'Cc: "=?UTF-8?B?w7w=?=" <b@x.example>, c@xn--bcher-kva.example'
	# the server has no SMTPUTF8, so neither does the header have letters
	taken "a@xn--bcher-kva.example" 'To: <a@bücher.example>'
	mail_params=' BODY=8BITMIME'
	taken "a@x.example b@x.example" 'To: Jörg <a@x.example>' $'Cc: J\xf6rg <b@x.example>'
}

@test "-t: everybody once" {
	taken "$bob Bob@x.example $eve" 'To: bob@x.example, bob@X.EXAMPLE, Bob@x.example' \
	    'Cc: Bob <bob@x.example>, eve@x.example' 'Bcc: eve@x.example'
}

@test "-t: arguments are added" {
	header 'To: bob@x.example'
	delivers $me "$eve $bob" -t $eve
	delivers $me "$bob" -t $bob
	header 'Subject: x'
	delivers $me "$eve" -t $eve
}

@test "-t: a list of many" {
	local many

	many=$(printf 'r%s@x.example ' $(seq 200))
	taken "$many" "To: ${many// /, }"
}

@test "-t: of Resent- fields the newest" {
	taken "$eve ann@x.example" 'Resent-From: joe@x.example' 'Resent-To: eve@x.example' \
	    'Resent-Bcc: ann@x.example' 'Resent-Date: Mon, 24 Nov 2025 10:00:00 +0000' \
	    'Received: from a by b; Mon, 24 Nov 2025 10:00:00 +0000' \
	    'Resent-From: kim@x.example' 'Resent-To: old@x.example' 'To: bob@x.example' 'Bcc: bob@x.example'
	run grep -ciE '^(resent-)?bcc' "$peer_dir/message.1"
	assert_output 0
	taken "$eve" 'Resent-Date: Mon, 24 Nov 2025 10:00:00 +0000' 'Resent-To: eve@x.example' \
	    'Resent-From: joe@x.example' 'Resent-Date: Sun, 23 Nov 2025 10:00:00 +0000' \
	    'Resent-To: old@x.example' 'Resent-From: kim@x.example' 'To: bob@x.example'
	taken "$eve ann@x.example" 'To: bob@x.example' 'RESENT-CC: eve@x.example' 'Resent-To: ann@x.example'
}

@test "-t: a header that names nobody" {
	header 'Subject: x'
	refuses 64 5.5.1 "To, Cc and Bcc" -t
	header 'To: undisclosed-recipients:;' 'Cc:' 'Bcc: (nobody)'
	refuses 64 5.5.1 "To, Cc and Bcc" -t
	header 'From: bob@x.example'
	refuses 64 5.5.1 "To, Cc and Bcc" -t
}

# malformed TEXT LINE ...: the header has a mistake, and the line that says so has TEXT.
malformed()
{
	local text=$1

	shift
	header "$@"
	refuses 65 5.1.3 "$text" -t $bob
}

@test "-t: a malformed header: which field, and where" {
	malformed "To: " 'To: <bob@x.example'
	malformed "Cc: a > is missing at column 15" 'To: <bob@x.example>' 'Cc: <eve@x.example' ''
	malformed "Cc: " 'To: bob@x.example' 'Cc: Eve Roe'
	malformed "Bcc: " 'To: bob@x.example' 'BCC: "eve@x.example'
	malformed "comment" 'To: bob@x.example (Bob'
	malformed "column" 'To: Team: bob@x.example'
	malformed "column 14" 'To: bob@x.example; eve@x.example'
	malformed "column" 'To: bob@x.example eve@x.example'
	malformed "column" 'To: Bob <bob@x.example> eve@x.example'
	malformed "column" 'To: <bob@x.example>>'
	malformed "eve@x..example" 'To: bob@x.example, eve@x..example'
	malformed "@x.example" 'To: @x.example'
	malformed "Resent-To: " 'Resent-To: Eve Roe' 'To: bob@x.example'
}

@test "-t: a header is judged only where it is used" {
	header 'To: <bob@x.example' 'Cc: root'
	delivers $me $bob $bob
	header 'To: root'
	refuses 67 5.1.3 root -t
	header $'To: j\xf6rg@x.example'
	refuses 65 5.1.3 UTF-8 -t
}

@test "-t: with no message" {
	message=/dev/null
	refuses 65 5.6.0 empty -t
}

# --- aliases

@test "aliases: one for several, one after the other, and a default" {
	settings=("aliases $BATS_TEST_TMPDIR/aliases" "domain y.example")
	cat >aliases <<-'END'
		# who gets what
		root: bob@x.example, "Eve Roe" <eve@x.example>,
		  ann@x.example

		Postmaster: root
		"joe roe" : joe
		joe:joe, kim@x.example
		default: post@x.example
	END
	delivers $me "$bob $eve ann@x.example" root
	delivers $me "$bob $eve ann@x.example" postmaster ROOT
	delivers $me "$bob $eve ann@x.example" root@localhost
	delivers $me root@z.example root@z.example
	delivers $me "joe@y.example kim@x.example" joe
	delivers $me post@x.example nobody www-data
	header 'To: root' 'Cc: nobody'
	delivers $me "$bob $eve ann@x.example post@x.example" -t
	arrived '^To: root@y.example'
}

@test "aliases without a default leave the others alone" {
	settings=("aliases ~/aliases" "domain y.example")
	echo 'root: bob@x.example' >aliases
	delivers $me "$bob www-data@y.example" root www-data
	settings=("aliases ~/aliases")
	configure 1
	refuses 67 5.1.3 www-data root www-data
}

@test "aliases that are wrong" {
	settings=("aliases ~/aliases")
	configure 1
	refuses 78 5.3.5 aliases root
	printf '%s\n' 'a: b' 'b: c' 'c: a' >aliases
	refuses 78 5.3.5 "back to itself" a
	printf '%s\n' 'bob: x@x.example' 'root bob' >aliases
	refuses 78 5.3.5 "aliases:2" root
	for value in '|/bin/false' '"|/bin/false x"' /var/mail/root :include:/etc/list; do
		echo "root: $value" >aliases
		refuses 78 5.3.5 "only addresses" root
	done
	echo 'root: bob@x.example, |/bin/false' >aliases
	run --separate-stderr "$sendmail" root <letter
	refute [ "$status" -eq 0 ]
	refute [ "$status" -eq 75 ]
}

@test "-bv expands aliases" {
	settings=("aliases ~/aliases")
	configure 1
	echo 'root: bob@x.example' >aliases
	run --separate-stderr "$sendmail" -bv root
	assert_equal "$status/$output/$stderr" 0//
	refuses 67 5.1.3 www-data -bv www-data
}

# --- delivery status notifications

@test "-N, -R, -V" {
	rcpt_params=' NOTIFY=NEVER ORCPT=rfc822;@to@'
	delivers $me $bob -N never $bob
	delivers $me $bob -Nnever $bob
	rcpt_params=' NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;@to@'
	delivers $me $bob -N success,failure,delay $bob
	rcpt_params=
	mail_params=' RET=FULL ENVID=a+2Bb'
	delivers $me $bob -R full -V a+b $bob
}

@test "bad values of -N, -R and -V cost the wish only" {
	delivers $me $bob -N never,failure -R some -V '' -N bad $bob
	sendmail=$PNEU
	refuses 64 5.5.4 never -N bad $bob
	refuses 64 5.5.4 headers -R bad $bob
}
