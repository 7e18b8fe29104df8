# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC

# A throwaway Postfix, in a temporary directory and on high loopback ports, with Dovecot and Cyrus
# behind its AUTH. Nothing of the host's mail is read or changed. In a bats file:
#
#	setup_file()    { postfix_start; }
#	setup()         { postfix_ready; }
#	teardown_file() { postfix_stop; }
#
# Each mailbox of POSTFIX_BOXES is a Maildir of its own, so that a test finds its own mail.

# The listeners, in the order of their ports. "inside" is seen only in TLS.
#
#	may      STARTTLS offered; AUTH inside; SIZE, PIPELINING, 8BITMIME; on ::1 too
#	encrypt  STARTTLS demanded, AUTH demanded
#	tls      TLS from the first byte
#	clear    no STARTTLS, but AUTH
#	login    as may, but no mechanism other than LOGIN
#	cyrus    as may, but AUTH by Cyrus and its sasldb
#	small    as may, but no message above 20000 octets
#	bare     as small, but EHLO says neither SIZE nor PIPELINING nor 8BITMIME
POSTFIX_LISTENERS=(may encrypt tls clear login cyrus small bare)

POSTFIX_DOMAIN=example.org
POSTFIX_PASSWORD='s3cret-ünïcode "q\'
POSTFIX_BOXES=(alice bob t{1..99}{,a,b} r{1..50})

# Why there can be no Postfix here, or nothing when there can.
postfix_missing()
{
	local command

	if [ "$(id -u)" -ne 0 ]; then
		echo "only root can start Postfix"
		return
	fi
	while read -r command package; do
		if ! command -v "$command" >/dev/null; then
			echo "$package is not installed (apt-get install $package)"
			return
		fi
	done <<-END
		postfix postfix
		dovecot dovecot-core
		saslpasswd2 sasl2-bin
		openssl openssl
	END
}

# Called by setup: skips the test where there is no Postfix.
postfix_ready()
{
	if [ -n "${POSTFIX_MISSING:-}" ]; then
		skip "$POSTFIX_MISSING"
	fi
}

# Called by setup where a test has a mailbox: $to is its address, $box its name here. Tests run in their
# own directory.
# shellcheck disable=SC2034
postfix_setup()
{
	postfix_ready
	postfix_log_mark
	box=t$BATS_TEST_NUMBER
	to=$box@$POSTFIX_DOMAIN
	cd "$BATS_TEST_TMPDIR" || return 1
}

# Waits, bounded, until a command succeeds.
postfix_until()
{
	local try

	for ((try = 0; try < 400; try++)); do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	echo "waited 20 s in vain for: $*" >&2
	return 1
}

# The port of the listener NAME.
postfix_port()
{
	local i

	for i in "${!POSTFIX_LISTENERS[@]}"; do
		if [ "${POSTFIX_LISTENERS[i]}" = "$1" ]; then
			echo $((POSTFIX_BASE + i))
			return
		fi
	done
	echo "postfix_port: no listener $1" >&2
	return 1
}

# The IPv6 loopback address is there.
postfix_ipv6()
{
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null
}

# Runs a daemon's start or stop: what it leaves in the background must hold none of bats' descriptors, or
# bats waits for it.
postfix_quietly()
{
	"$@" </dev/null >>"$POSTFIX_DIR/start.log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
}

postfix_start()
{
	local try

	POSTFIX_MISSING=$(postfix_missing)
	export POSTFIX_MISSING POSTFIX_DIR POSTFIX_BASE
	if [ -n "$POSTFIX_MISSING" ]; then
		return 0
	fi
	# In /tmp whatever TMPDIR is: the user postfix must reach it, and paths of sockets must be short.
	POSTFIX_DIR=$(mktemp -d /tmp/pneu-postfix.XXXXXX) || return 1
	chmod 755 "$POSTFIX_DIR"
	cd "$POSTFIX_DIR" || return 1
	mkdir -p etc/sasl spool data db mail dovecot/run
	chown postfix data db
	chown 65534:65534 mail
	postfix_certificate || return 1
	postfix_users || return 1
	postfix_dovecot_conf >dovecot/dovecot.conf
	postfix_main_cf >etc/main.cf
	cd - >/dev/null || return 1

	postfix_quietly dovecot -c "$POSTFIX_DIR/dovecot/dovecot.conf" || postfix_failed || return 1
	postfix_until test -S "$POSTFIX_DIR/dovecot/auth" || postfix_failed || return 1
	for try in 1 2 3 4 5; do
		postfix_free_ports
		postfix_master_cf >"$POSTFIX_DIR/etc/master.cf"
		if postfix_quietly postfix -c "$POSTFIX_DIR/etc" start; then
			return 0
		fi
	done
	postfix_failed
}

postfix_failed()
{
	echo "the throwaway Postfix does not start:" >&2
	cat "$POSTFIX_DIR/start.log" "$POSTFIX_DIR/log" "$POSTFIX_DIR/dovecot/log" >&2
	postfix_stop
	return 1
}

postfix_stop()
{
	if [ -z "${POSTFIX_DIR:-}" ]; then
		return 0
	fi
	postfix_quietly postfix -c "$POSTFIX_DIR/etc" stop || true
	if [ -s "$POSTFIX_DIR/dovecot/run/master.pid" ]; then
		kill "$(cat "$POSTFIX_DIR/dovecot/run/master.pid")"
		postfix_until postfix_dovecot_ended || true
	fi
	rm -rf "$POSTFIX_DIR"
	unset POSTFIX_DIR
}

postfix_dovecot_ended()
{
	[ ! -e "$POSTFIX_DIR/dovecot/run/master.pid" ]
}

# Ports below those that the kernel gives to clients, with nobody listening on them. Somebody may still
# come first: then Postfix does not start, and the next ones are tried.
postfix_free_ports()
{
	local port busy=yes

	while [ -n "$busy" ]; do
		POSTFIX_BASE=$((20000 + RANDOM % 1200 * 10))
		busy=
		for ((port = POSTFIX_BASE; port < POSTFIX_BASE + ${#POSTFIX_LISTENERS[@]}; port++)); do
			if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
				busy=yes
			fi
		done
	done
}

# ca.pem, cert.pem and key.pem, good for localhost, 127.0.0.1 and ::1; other-ca.pem has signed nothing.
postfix_certificate()
{
	local name

	for name in ca other-ca; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		    -subj "/CN=throwaway $name" -keyout $name-key.pem -out $name.pem 2>>start.log || return 1
	done
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
	    -keyout key.pem -out request.pem 2>>start.log || return 1
	echo "subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1" >extensions
	openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 30 \
	    -extfile extensions -out cert.pem 2>>start.log || return 1
}

# alice and bob, for Dovecot and for Cyrus, and files with their passwords for the client.
postfix_users()
{
	printf '%s\n' "alice:{PLAIN}$POSTFIX_PASSWORD" 'bob:{PLAIN}hunter2' >dovecot/users
	printf %s "$POSTFIX_PASSWORD" | saslpasswd2 -p -c -f db/sasldb2 -u localhost alice || return 1
	printf %s hunter2 | saslpasswd2 -p -c -f db/sasldb2 -u localhost bob || return 1
	chown postfix db/sasldb2
	cat >etc/sasl/smtpd.conf <<-END
		pwcheck_method: auxprop
		auxprop_plugin: sasldb
		sasldb_path: $POSTFIX_DIR/db/sasldb2
		mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256
	END
	(
		umask 077
		printf '%s\n' "$POSTFIX_PASSWORD" >alice.password
		printf '%s\n' hunter2 >bob.password
		printf '%s\n' wrong >wrong.password
	)
}

postfix_dovecot_conf()
{
	cat <<-END
		base_dir = $POSTFIX_DIR/dovecot/run
		state_dir = $POSTFIX_DIR/dovecot/run
		log_path = $POSTFIX_DIR/dovecot/log
		protocols =
		listen = 127.0.0.1
		ssl = no
		disable_plaintext_auth = no
		auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
		auth_failure_delay = 0
		passdb {
		  driver = passwd-file
		  args = username_format=%n $POSTFIX_DIR/dovecot/users
		}
		userdb {
		  driver = static
		  args = uid=65534 gid=65534 home=/nonexistent
		}
		service auth {
		  unix_listener $POSTFIX_DIR/dovecot/auth {
		    mode = 0660
		    user = postfix
		    group = postfix
		  }
		}
	END
}

# Strict where it can be: a bare LF or a command sent before its turn ends the session. Nothing is added
# to a message (local_header_rewrite_clients is empty), and no Bcc is taken out (message_drop_headers is).
postfix_main_cf()
{
	local box protocols=ipv4

	for box in "${POSTFIX_BOXES[@]}"; do
		echo "$box@$POSTFIX_DOMAIN mail/$box/"
	done >boxes
	if postfix_ipv6; then
		protocols=all
	fi
	cat <<-END
		compatibility_level = 3.6
		queue_directory = $POSTFIX_DIR/spool
		data_directory = $POSTFIX_DIR/data
		maillog_file_prefixes = $POSTFIX_DIR
		maillog_file = $POSTFIX_DIR/log
		myhostname = localhost
		mydestination =
		inet_interfaces = loopback-only
		inet_protocols = $protocols
		mynetworks =
		disable_dns_lookups = yes
		local_header_rewrite_clients =
		message_drop_headers =
		smtpd_peername_lookup = no
		smtpd_error_sleep_time = 0
		smtpd_forbid_bare_newline = reject
		smtpd_forbid_bare_newline_exclusions =
		smtpd_forbid_unauth_pipelining = yes
		virtual_mailbox_domains = $POSTFIX_DOMAIN
		virtual_mailbox_maps = texthash:$POSTFIX_DIR/boxes
		virtual_mailbox_base = $POSTFIX_DIR
		virtual_mailbox_limit = 0
		virtual_uid_maps = static:65534
		virtual_gid_maps = static:65534
		default_transport = discard
		relay_transport = discard
		local_transport = discard
		smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
		smtpd_recipient_restrictions =
		  check_recipient_access inline:{
		    { defer@$POSTFIX_DOMAIN = 450 4.2.1 the mailbox is busy }
		    { reject@$POSTFIX_DOMAIN = 550 5.7.1 the policy forbids it } }
		smtpd_tls_security_level = may
		smtpd_tls_auth_only = yes
		smtpd_tls_loglevel = 1
		smtpd_tls_cert_file = $POSTFIX_DIR/cert.pem
		smtpd_tls_key_file = $POSTFIX_DIR/key.pem
		smtpd_sasl_auth_enable = yes
		smtpd_sasl_type = dovecot
		smtpd_sasl_path = $POSTFIX_DIR/dovecot/auth
		smtpd_sasl_local_domain = localhost
		smtpd_sasl_security_options = noanonymous
	END
}

postfix_master_cf()
{
	local name

	for name in "${POSTFIX_LISTENERS[@]}"; do
		echo "127.0.0.1:$(postfix_port "$name") inet n - n - - smtpd"
		postfix_options "$name"
	done
	if postfix_ipv6; then
		echo "[::1]:$(postfix_port may) inet n - n - - smtpd"
	fi
	cat <<-END
		pickup    unix n - n 60 1 pickup
		cleanup   unix n - n - 0 cleanup
		qmgr      unix n - n 300 1 qmgr
		tlsmgr    unix - - n 1000? 1 tlsmgr
		rewrite   unix - - n - - trivial-rewrite
		bounce    unix - - n - 0 bounce
		defer     unix - - n - 0 bounce
		trace     unix - - n - 0 bounce
		flush     unix n - n 1000? 0 flush
		proxymap  unix - - n - - proxymap
		showq     unix n - n - - showq
		error     unix - - n - - error
		retry     unix - - n - - error
		discard   unix - - n - - discard
		virtual   unix - n n - - virtual
		anvil     unix - - n - 1 anvil
		tlsmgr    unix - - n 1000? 1 tlsmgr
		postlog   unix-dgram n - n - 1 postlogd
	END
}

postfix_options()
{
	case $1 in
	encrypt)
		echo "  -o smtpd_tls_security_level=encrypt"
		echo "  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }"
		;;
	tls)
		echo "  -o smtpd_tls_wrappermode=yes"
		;;
	clear)
		echo "  -o smtpd_tls_security_level=none"
		echo "  -o smtpd_tls_auth_only=no"
		;;
	login)
		echo "  -o smtpd_sasl_mechanism_filter=login"
		;;
	cyrus)
		echo "  -o smtpd_sasl_type=cyrus"
		echo "  -o smtpd_sasl_path=smtpd"
		;;
	small)
		echo "  -o message_size_limit=20000"
		;;
	bare)
		echo "  -o message_size_limit=20000"
		echo "  -o smtpd_discard_ehlo_keywords=size,pipelining,8bitmime,chunking"
		;;
	esac
}

# What is in the mailbox NAME, once COUNT (1) messages are there: their files, one in a line.
postfix_mail()
{
	postfix_until postfix_has "$1" "${2:-1}" || return 1
	printf '%s\n' "$POSTFIX_DIR/mail/$1/new/"*
}

postfix_has()
{
	local -a files

	files=("$POSTFIX_DIR/mail/$1/new/"*)
	[ -e "${files[0]}" ] && [ "${#files[@]}" -ge "$2" ]
}

# The message in the mailbox NAME as the client sent it, with LF for CRLF: less the fields that Postfix puts
# in front, of which Received is the only folded one.
postfix_got()
{
	local file start

	file=$(postfix_mail "$1") || return 1
	start=$(LC_ALL=C awk '!/^(Return-Path|X-Original-To|Delivered-To|Received): / && !/^[ \t]/ {
		print NR; exit }' "$file")
	tail -n "+$start" "$file"
}

# Remembers the end of the log, and what was logged since, once a line of it matches PATTERN.
postfix_log_mark()
{
	POSTFIX_MARK=$(wc -c <"$POSTFIX_DIR/log")
}

postfix_log_since()
{
	tail -c "+$((POSTFIX_MARK + 1))" "$POSTFIX_DIR/log"
}

postfix_log_has()
{
	postfix_log_since | grep -Eq -- "$1"
}

postfix_log()
{
	postfix_until postfix_log_has "$1" || return 1
	postfix_log_since
}

# --- for tests of the client: the mailbox $box with the address $to is their own

# A message to which nothing needs to be added: its header, a blank line, and standard input.
message()
{
	printf '%s\n' "From: Alice <alice@$POSTFIX_DOMAIN>" "To: $to" "Subject: $BATS_TEST_DESCRIPTION" \
	    "Date: Tue, 24 Nov 2026 08:00:00 +0000" "Message-ID: <$BATS_TEST_NUMBER@$POSTFIX_DOMAIN>" ""
	cat
}

small_message()
{
	echo "Bonjour." | message >sent
}

# client LISTENER|URL [option ...] recipient ... <message: without a login, trusting $ca.
client()
{
	local url=$1

	shift
	case $url in
	*://*) ;;
	tls) url=submissions://127.0.0.1:$(postfix_port tls) ;;
	*) url=submission://127.0.0.1:$(postfix_port "$url") ;;
	esac
	run --separate-stderr "$PNEU" --config=/dev/null --server="$url" -f "alice@$POSTFIX_DOMAIN" \
	    --tls-ca="${ca:-$POSTFIX_DIR/ca.pem}" "$@"
}

# The same as alice.
client_alice()
{
	local listener=$1

	shift
	client "$listener" --user=alice --password-file="$POSTFIX_DIR/alice.password" "$@"
}

# Nothing on either output, exit 0, and the message in the file EXPECTED (sent) in the mailbox.
assert_arrived()
{
	assert_success
	assert_output ""
	assert_equal "$stderr" ""
	postfix_got "$box" >got
	run cmp -- "${1:-sent}" got
	assert_success
}

# One line on stderr that matches a pattern, and nothing on stdout.
assert_complaint()
{
	assert_output ""
	assert_equal "${#stderr_lines[@]}" 1
	assert_regex "$stderr" "$1"
}

assert_logged()
{
	postfix_log "$1" >/dev/null
}

# The counts of commands that smtpd gives when the session has ended.
assert_commands()
{
	run postfix_log 'disconnect from '
	assert_output --regexp "disconnect from [^ ]* $1 commands="
}
