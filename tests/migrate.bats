#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The converters of contrib: what they make of the configurations in tests/migrate, and whether the client
# then does what the program did that they were for. Lines of such a file that begin with "#:" say how:
#
#	peer [tls=starttls|tls=implicit] [auth=PLAIN|auth=LOGIN] [lmtp]
#				the server, which by default has neither TLS nor a login
#	run ARGUMENTS		both programs send a message with these, msmtp where it is installed
#	says TEXT		and this is what each of them says then; without ehlo=, EHLO does not count
#	line TEXT		the conversion has this line, after blanks at the end
#	not REGEX		it has no line like this
#	looks N			so many comments say LOOK
#	option X		an option for the converter
#	aliases TEXT		a line of the file @ALIASES@
#
# @PORT@, @CA@, @SHA256@ and @SOCKET@ are those of the server; @DIR@, @HOME@ and @LOGIN@ are of the test.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	cd "$BATS_TEST_TMPDIR"
	umask 077
	write_message letter
}

# directives WORD FILE
directives()
{
	sed -n "s/\r\$//; s/^#: $1 //p" "$2"
}

# --- the server, and what it was told

# play PEER-WORDS RECIPIENTS: a server for one client, with the files of the last one.
play()
{
	local tls='' auth='' greeting=EHLO word i

	for word in $1; do
		case $word in
		tls=*) tls=${word#*=} ;;
		auth=*) auth=${word#*=} ;;
		lmtp) greeting=LHLO ;;
		esac
	done
	mkdir -p server
	rm -f server/port server/transcript
	{
		[ "$tls" != implicit ] || echo TLS
		echo 'S: 220 mx.example.com'
		if [ "$tls" = starttls ]; then
			printf '%s\n' "C~ ^$greeting " 'S: 250-mx.example.com' 'S: 250 STARTTLS' \
			    'C: STARTTLS' 'S: 220 2.0.0 Go ahead' TLS
		fi
		printf '%s\n' "C~ ^$greeting " 'S: 250-mx.example.com' ${auth:+"S: 250-AUTH $auth"} \
		    'S: 250 DSN'
		case $auth in
		PLAIN) printf '%s\n' 'C~ ^AUTH PLAIN .' 'S: 235 2.7.0 Welcome' ;;
		LOGIN) printf '%s\n' 'C: AUTH LOGIN' 'S: 334 VXNlcm5hbWU6' 'C~ .' \
		    'S: 334 UGFzc3dvcmQ6' 'C~ .' 'S: 235 2.7.0 Welcome' ;;
		esac
		printf '%s\n' 'C~ ^MAIL FROM:' 'S: 250 2.1.0 Ok'
		for ((i = 0; i < $2; i++)); do
			printf '%s\n' 'C~ ^RCPT TO:' 'S: 250 2.1.5 Ok'
		done
		printf '%s\n' 'C: DATA' 'S: 354 Go on' 'C: <message>' 'S: 250 2.0.0 Ok'
		if [ "$greeting" = LHLO ]; then
			for ((i = 1; i < $2; i++)); do
				echo 'S: 250 2.0.0 Ok'
			done
		fi
		printf '%s\n' 'C: QUIT' 'S: 221 2.0.0 Bye'
	} >server/script
	peer_dir=$PWD/server
	"$PEER" --dir server ${peer_port:+--port "$peer_port"} --socket "$PWD/server/socket" server/script \
	    >server/out 2>server/err 3>&- &
	peer_pid=$!
	until_true peer_listens
	[ -e server/port ] || fail "$(cat server/err)"
	peer_port=$(cat server/port)
}

# What the client told it, in one line; the recipients are sorted.
told()
{
	local line ehlo='' user='' from='' to='' login=''

	while read -r line; do
		case $line in
		'C: EHLO '* | 'C: LHLO '*) ehlo=${line#C: ?HLO } ;;
		'C: AUTH PLAIN '*) user=$(base64 -d <<<"${line#C: AUTH PLAIN }" | tr '\0' '\n' | sed -n 2p) ;;
		'C: AUTH LOGIN') login=yes ;;
		'C: MAIL FROM:'*) from=$(sed 's/ \(SIZE\|BODY\)=[^ ]*//g' <<<"${line#C: MAIL FROM:}") ;;
		'C: RCPT TO:'*)
			to+=$(sed 's/ ORCPT=[^ ]*//; s/[<>]//g; s/^C: RCPT TO://' <<<"$line")$'\n'
			;;
		'C: '*) [ -z "$login" ] || { user=$(base64 -d <<<"${line#C: }") && login=; } ;;
		esac
	done <server/transcript
	to=$(sort <<<"${to%$'\n'}" | paste -sd,)
	echo "ehlo=$ehlo user=$user from=${from//[<>]/} to=$to"
}

# converted FILE: makes msmtprc of it, and of that the file config; what the converter said is in `said`.
converted()
{
	sed -e "s|@PORT@|${peer_port-}|g; s|@CA@|$PWD/server/ca.pem|g; s|@SOCKET@|$PWD/server/socket|g" \
	    -e "s|@DIR@|$PWD|g; s|@HOME@|$HOME|g; s|@ALIASES@|$PWD/aliases|g; s|@LOGIN@|$(id -un)|g" \
	    -e "s|@SHA256@|$(fingerprint)|g" "$1" >msmtprc
	directives aliases msmtprc >aliases
	# shellcheck disable=SC2046
	"$PNEU_SRC/contrib/msmtprc2pneu" $(directives option msmtprc) msmtprc >config 2>said ||
	    fail "$1: $(cat said)"
}

fingerprint()
{
	if [ -e server/cert.pem ] && command -v openssl >/dev/null; then
		openssl x509 -in server/cert.pem -noout -fingerprint -sha256 | sed 's/.*=//'
	else
		printf '00:%.0s' {1..31} && echo 00
	fi
}

# The client reads it, and each of its accounts: the next failure is that of the command line.
parses()
{
	local name

	for name in '' $(sed -n 's/^account  *//p' "$1"); do
		run --separate-stderr "$PNEU" --config="$1" ${name:+-a "$name"} --server=smtp://127.0.0.1:1 \
		    --tls=none --auth=none --password-fd=8 --queue=no -f alice@example.com bob@example.org \
		    <letter 8<letter
		[[ $status == 75 && $stderr == *"Connection refused"* ]] ||
		    fail "$1${name:+, account $name}: $stderr"$'\n'"$(cat "$1")"
	done
}

# --- msmtp

@test "each msmtprc is converted, and the client reads it" {
	local file line looks

	for file in "$PNEU_SRC"/tests/migrate/*.msmtprc; do
		peer_port=2525 converted "$file"
		grep -q '^# *A configuration of pneu' config
		# what may stand in the place of the files and secrets that are not there
		sed -i "s|^aliases .*|aliases $PWD/aliases|" config
		sed -i '/^\(allow-from-override\|source-address\|proxy\)/d' config
		parses config
	done
	assert [ "$(find "$PNEU_SRC/tests/migrate" -name '*.msmtprc' | wc -l)" -ge 25 ]
}

@test "what is in a conversion, and what is not" {
	local file line

	for file in "$PNEU_SRC"/tests/migrate/*.msmtprc; do
		peer_port=2525 converted "$file"
		while read -r line; do
			grep -qxF -- "$line" config || fail "$file: no \"$line\" in:"$'\n'"$(cat config)"
		done < <(directives line msmtprc)
		while read -r line; do
			! grep -vE '^#' config | grep -E -- "$line" || fail "$file: $line"
		done < <(directives not msmtprc)
		assert_equal "$file: $(grep -c '^# LOOK: ' config)" "$file: $(directives looks msmtprc)"
		line="$(directives looks msmtprc) thing"
		[[ $line == 0* || $(cat said) == *" $line"* ]] || fail "$file: $(cat said)"
	done
	assert [ ! -e touched ]
}

# as_before FILE PROGRAM: each "run" of the file, by this program.
as_before()
{
	local peer count arguments round says runs

	peer=$(directives peer "$1")
	runs=$(directives run "$1" | wc -l)
	for ((round = 1; round <= runs; round++)); do
		eval "arguments=($(directives run "$1" | sed -n "${round}p"))"
		count=$(printf '%s\n' "${arguments[@]}" | grep -c '^b[^@]*@example.org$\|^eve@')
		[[ ${arguments[0]} != root ]] || count=3
		play "$peer" "$count"
		converted "$1"
		says=$(directives says msmtprc | sed -n "${round}p")
		if [ "$2" = msmtp ]; then
			run --separate-stderr msmtp -C msmtprc "${arguments[@]}" <letter
		else
			run --separate-stderr "$PNEU" --config=config "${arguments[@]}" <letter
		fi
		[ "$status" -eq 0 ] ||
		    fail "$1: $2: $status $stderr"$'\n'"$(cat server/err server/transcript config)"
		peer_end
		[[ $says == ehlo=* ]] || says="ehlo=$(told | sed 's/ehlo=\([^ ]*\).*/\1/') $says"
		assert_equal "$1: $2: $(told)" "$1: $2: $says"
	done
}

@test "the client says what the msmtprc says" {
	local file

	for file in $(grep -l '^#: run ' "$PNEU_SRC"/tests/migrate/*.msmtprc); do
		as_before "$file" pneu
	done
}

@test "and so does msmtp" {
	local file

	command -v msmtp >/dev/null || skip "msmtp is not installed (apt-get install msmtp)"
	for file in $(grep -l '^#: run ' "$PNEU_SRC"/tests/migrate/*.msmtprc); do
		as_before "$file" msmtp
	done
}

# The commands of the manual, but for those that are not settings.
@test "each keyword of the msmtp that is installed is known" {
	local keyword manual

	manual=$(man -w msmtp 2>/dev/null) || skip "the manual of msmtp is not installed"
	for keyword in $(zcat -f "$manual" |
	    sed -n '/^Commands are as follows/,/^\.SH EXAMPLES/s/^\.IP "\([a-z_]*\).*/\1/p'); do
		printf 'account a\nhost h\ntls on\n%s on\n' "$keyword" >msmtprc
		run "$PNEU_SRC/contrib/msmtprc2pneu" msmtprc
		assert_success
		refute_output --partial "knows it"
	done
	assert [ -n "${keyword-}" ]
}

@test "a msmtprc from standard input, by default, and none at all" {
	"$PNEU_SRC/contrib/msmtprc2pneu" - <"$PNEU_SRC/tests/migrate/proxy.msmtprc" >config
	grep -q 'standard input: 1 account' config
	run "$PNEU_SRC/contrib/msmtprc2pneu" missing
	assert_failure 66
	mkdir -p .config/msmtp
	printf 'host one.example\ntls on\n' >.config/msmtp/config
	run --separate-stderr "$PNEU_SRC/contrib/msmtprc2pneu"
	assert_line "server            smtp://one.example"
	printf 'host two.example\ntls on\n' >.msmtprc
	run --separate-stderr "$PNEU_SRC/contrib/msmtprc2pneu"
	assert_line "server            smtp://two.example"
	assert_equal "$stderr" "msmtprc2pneu: 1 account, nothing to look at"
}

@test "usage" {
	local name

	for name in msmtprc2pneu nullmailer2pneu ssmtp2pneu; do
		run --separate-stderr "$PNEU_SRC/contrib/$name" -h
		assert_success
		assert_line --partial "usage: $name ["
		assert_equal "$stderr" ""
		run --separate-stderr "$PNEU_SRC/contrib/$name" -x
		assert_failure 64
		assert_equal "$output" ""
	done
}

@test "every awk there is makes the same of it" {
	local awk file

	peer_port=2525 converted "$PNEU_SRC/tests/migrate/accounts.msmtprc"
	mkdir awks
	for awk in mawk gawk original-awk "busybox awk"; do
		$awk 'BEGIN { exit 0 }' 2>/dev/null || continue
		printf '#!/bin/sh\nexec %s "$@"\n' "$awk" >awks/awk
		chmod +x awks/awk
		for file in "$PNEU_SRC"/tests/migrate/{accounts,quotes,faulty,tls-all}.msmtprc; do
			cp "$file" in
			PATH=$PWD/awks:$PATH "$PNEU_SRC/contrib/msmtprc2pneu" in >"out.$awk" 2>&1
			"$PNEU_SRC/contrib/msmtprc2pneu" in >out 2>&1
			cmp out "out.$awk"
		done
	done
}

# --- nullmailer

# control NAME LINE ...
control()
{
	local name=$1

	shift
	mkdir -p nullmailer
	printf '%s\n' "$@" >"nullmailer/$name"
}

from_nullmailer()
{
	rm -f aliases
	"$PNEU_SRC/contrib/nullmailer2pneu" "$@" nullmailer >config 2>said || fail "$(cat said)"
}

# sends SAYS ARGUMENT ...
sends()
{
	local says=$1

	shift
	run --separate-stderr "$PNEU" --config=config --queue=no "$@" <letter
	[ "$status" -eq 0 ] || fail "$status $stderr"$'\n'"$(cat server/err server/transcript config)"
	peer_end
	assert_equal "$(told)" "$says"
}

@test "nullmailer: names, senders, an administrator" {
	play '' 2
	control me host
	control defaultdomain example.com
	control adminaddr admin@example.net
	control allmailfrom machine@example.com
	control remotes '# one' '' "127.0.0.1 smtp port=$peer_port"
	from_nullmailer -a aliases
	sends "ehlo=host user= from=machine@example.com to=admin@example.net,bob@example.org" -f x@y.example \
	    root bob@example.org
	parses config
	play '' 1
	control helohost helo.example
	control defaulthost mail.example.edu
	rm nullmailer/a*
	from_nullmailer
	sends "ehlo=helo.example user= from=x@mail.example.edu to=root@mail.example.edu" -f x root
}

@test "nullmailer: TLS and a login, in the words of a shell" {
	play 'tls=starttls auth=LOGIN' 1
	control me h.example.com
	control remotes "127.0.0.1 smtp --port=$peer_port --starttls user='al ice' \"pass=a \\\"b'\" \
auth-login x509cafile=$PWD/server/ca.pem"
	from_nullmailer
	assert grep -qx "password          a \"b'" config
	sends "ehlo=h.example.com user=al ice from=alice@sender.com to=bob@example.org" bob@example.org
	play 'tls=implicit auth=PLAIN' 1
	control remotes "127.0.0.1 smtp port=$peer_port ssl user=alice pass=x insecure"
	from_nullmailer
	assert grep -qx 'tls               tofu' config
	sends "ehlo=h.example.com user=alice from=alice@sender.com to=bob@example.org" bob@example.org
}

@test "nullmailer: STARTTLS at the port of TLS, and no server at all" {
	control me h.example.com
	control remotes "smtp.example.org smtp port=465 starttls user=alice pass=x"
	from_nullmailer
	assert grep -q '^#.* submissions://alice@smtp.example.org$' config
	assert_equal "$(grep -c '^# LOOK: ' config)" 2
	control remotes "smtp.example.org smtp port=465 ssl user=alice pass=x"
	from_nullmailer
	assert_equal "$(grep -c '^# LOOK: ' config)" 1
	control remotes /etc/keys/remotes
	from_nullmailer
	assert grep -q '/etc/keys/remotes: this cannot stand' config
}

@test "nullmailer: several remotes, and what cannot be converted" {
	control me h.example.com
	control remotes "a.example smtp port=587 starttls user=a@b.example pass=p%/@" \
	    "b.example smtp port=587 starttls user=c pass='d e'" "c.example" "d.example qmqp" \
	    "e.example smtp starttls colour=green x509fmtder source=host"
	control queuelifetime 3600
	control sendtimeout 120
	control pausetime 5
	control maxpause 5
	control idhost x
	control doublebounceto x@example.org
	control colour green
	from_nullmailer
	parses config
	assert grep -qx 'server            submission://a@b.example:p%25%2F%40@a.example' config
	assert grep -qx 'server            submission://c:d%20e@b.example' config
	assert_equal "$(grep -c '^server ' config)" 2
	assert grep -qx 'queue-lifetime    3600s' config
	assert grep -qx 'deadline          120s' config
	assert_equal "$(grep -c '^# LOOK: ' config)" 8
	assert grep -q ': 1 account, 8 things to look at.*chmod 600' said
	control adminaddr admin@example.net
	from_nullmailer
	assert grep -qx '# default: admin@example.net' config
	run "$PNEU_SRC/contrib/nullmailer2pneu" missing
	assert_failure 66
}

# --- ssmtp

# from_ssmtp LINE ...
from_ssmtp()
{
	rm -f aliases
	printf '%s\n' "$@" >ssmtp.conf
	"$PNEU_SRC/contrib/ssmtp2pneu" ${aliases:+-a "$aliases"} ssmtp.conf >config 2>said ||
	    fail "$(cat said)"
}

@test "ssmtp: the user is the sender, and root's mail is somebody's" {
	aliases=aliases
	play '' 3
	from_ssmtp '# one' root=admin "mailhub=127.0.0.1:$peer_port" RewriteDomain=example.com \
	    Hostname=h.example.com
	sends "ehlo=h.example.com user= from=$(id -un)@example.com \
to=admin@example.com,b@x.example,carol@example.com" -f x@y.example root daemon carol b@x.example
	parses config
}

@test "ssmtp: what From says is the sender" {
	play 'tls=starttls auth=LOGIN' 1
	from_ssmtp "MAILHUB=127.0.0.1" "RemotePort=$peer_port" hostname=h.example.com FromLineOverride=YES \
	    UseSTARTTLS=YES AuthUser=a:b 'AuthPass=p"w:d=x' UseOldAuth=NO
	assert grep -qx 'password          p"w:d' config
	assert grep -qx 'tls               tofu' config
	sends "ehlo=h.example.com user=a:b from=alice@sender.com to=bob@example.org" bob@example.org
	parses config
}

@test "ssmtp: a file of CAs, and STARTTLS at the port of TLS" {
	from_ssmtp mailhub=smtp.example.org:465 UseSTARTTLS=YES Hostname=h.example.com FromLineOverride=YES \
	    TLS_CA_File=/etc/ssl/certs/ca-certificates.crt
	parses config
	refute grep -q '^tls' config
	assert grep -q "is verified with the system's CAs" config
	assert grep -q '^#.* submissions://smtp.example.org$' config
	from_ssmtp mailhub=smtp.example.org Hostname=h.example.com FromLineOverride=YES TLS_CA_File=/ca.pem
	assert_equal "$(grep '^tls' config)" 'tls               none'
	assert grep -q '^# TLS_CA_File /ca.pem: UseTLS is no' config
}

@test "ssmtp: the users of revaliases, and what cannot be converted" {
	printf '%s\n' '# one' 'root:admin@isp.example:mail.isp.example:587' 'carol:c@isp.example' \
	    'carol:x@y' 'x' >revaliases
	from_ssmtp root=admin@example.com mailhub=smtp.example.org:465 RewriteDomain=example.com UseTLS=YES \
	    AuthUser=u AuthPass=p AuthMethod=CRAM-MD5 'AddHeader=X-Y: z' TLS_CA_Dir=/etc/x Debug=YES \
	    TLSCert=/c.pem UseTLSCert=YES TLSKey=/k.pem TLS_CA_File=/ca.pem colour=green nothing
	parses config
	assert_equal "$(grep -c '^# LOOK: ' config)" 9
	refute grep -q '^tls ' config
	assert grep -qx 'server            submissions://u@smtp.example.org' config
	assert grep -qx 'server            submissions://u@mail.isp.example:587' config
	assert grep -qx '# root: admin@example.com' config
	for keyword in 'auth +CRAM-MD5' 'tls-cert +/c.pem' 'tls-key +/k.pem' 'tls-ca +/ca.pem'; do
		assert grep -qxE "$keyword" config
	done
	sed -i '/^\(tls\|aliases\)/d' config
	run --separate-stderr "$PNEU" --config=config --server=smtp://127.0.0.1:1 --tls=none --auth=none \
	    --report=json -f root@example.com bob@example.org <letter
	assert_output --partial '"account":"root","sender":"admin@isp.example"'
	run --separate-stderr "$PNEU" --config=config --server=smtp://127.0.0.1:1 --tls=none --auth=none \
	    --report=json bob@example.org <letter
	assert_output --partial "\"account\":\"default\",\"sender\":\"$(id -un)@example.com\""
}
