# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# msmtprc2pneu: the keywords of msmtp 1.8.33, and those that older ones had. A file is a list of sections;
# an account takes the defaults as they are at its line, then what the accounts that it names after a colon
# were told themselves, then its own lines, of which the last counts. A server's URL is made of several
# keywords, so all are collected first.

BEGIN {
	pneu_begin()
	split("host port socket protocol source_ip proxy_host proxy_port timeout domain auth user password " \
	    "passwordeval tls tls_starttls tls_trust_file tls_crl_file tls_fingerprint tls_key_file " \
	    "tls_cert_file tls_certcheck tls_priorities tls_host_override from auto_from maildomain " \
	    "allow_from_override dsn_notify dsn_return set_from_header aliases logfile syslog", \
	    inherited, " ")
	for (i = 1; i in inherited; i++)
		known[inherited[i]] = 1
	split("auth tls tls_starttls tls_certcheck auto_from allow_from_override remove_bcc_headers " \
	    "keepbcc undisclosed_recipients add_missing_from_header add_missing_date_header " \
	    "tls_force_sslv3 syslog", switches, " ")
	for (i = 1; i in switches; i++)
		is_switch[switches[i]] = 1
	alias_of["connect_timeout"] = "timeout"
	alias_of["add_missing_from_header"] = "set_from_header"
	alias_of["add_missing_date_header"] = "set_date_header"
	alias_of["tls_nocertcheck"] = "tls_certcheck"
	alias_of["tls_nostarttls"] = "tls_starttls"
	why_not()
	sections = 0
	current = -1		# no section yet; 0 is that of the defaults
}

# What pneu has nothing for, and why. Those of `always` need no look when they are switched off.
function why_not()
{
	why["ntlmdomain"] = "pneu has no NTLM"
	why["tls_min_dh_prime_bits"] = "pneu takes no keys of less than 112 bits of security anyway"
	why["tls_force_sslv3"] = "pneu has no SSL, only TLS 1.2 and later"
	why["from_full_name"] = "give the name with each message, as in pneu -F \"Alice\""
	why["undisclosed_recipients"] = "pneu leaves To and Cc as they are; Bcc is removed always"
	why["set_to_header"] = "pneu leaves To and Cc as they are; Bcc is removed always"
	why["set_date_header"] = "pneu adds a Date where there is none, always"
	why["set_msgid_header"] = "pneu adds a Message-ID where there is none, always"
	why["remove_bcc_headers"] = "pneu removes Bcc always"
}

# As msmtp does it: quotes count when they are the first and the last character, and nothing is escaped.
function trimmed(text)
{
	sub(/^[ \t]+/, "", text)
	sub(/[ \t]+$/, "", text)
	if (length(text) > 1 && text ~ /^".*"$/)
		text = substr(text, 2, length(text) - 2)
	return text
}

function said(text)
{
	return "line " NR ": " text
}

{
	read_line($0, 0)
}

function read_line(line, evaluated,    keyword, value)
{
	sub(/\r$/, "", line)
	sub(/^[ \t]+/, "", line)
	if (line == "" || line ~ /^#/)
		return
	keyword = line
	sub(/[ \t].*/, "", keyword)
	value = substr(line, length(keyword) + 1)
	quotes = value ~ /^[ \t]+".*"[ \t]*$/
	value = trimmed(value)
	if (keyword == "eval" && !evaluated)
		evaluate(value)
	else if (keyword == "default" && value == "") {
		section = current = 0
		look(said("default: msmtp refuses it; here it is read as \"defaults\""))
	} else if (keyword == "defaults")
		section = current = 0
	else if (keyword == "account")
		begin_account(value)
	else {
		if (current == -1) {
			begin_account("default")
			unnamed = NR
		}
		one_command(keyword, value)
	}
}

function evaluate(command,    line)
{
	if (ENVIRON["RUN_EVAL"] == "")
		look(said("eval " command ": the line that this prints is missing here; " me " -e runs it. " \
		    "For a password, password-command is better: it runs only when a login is made"))
	else if ((command | getline line) > 0) {
		close(command)
		remark(said("eval " command))
		read_line(line, 1)
	} else
		look(said("eval " command ": it printed nothing"))
}

function begin_account(value,    name, parents, parent, n, i, k)
{
	name = value
	if (sub(/[ \t]*:.*/, "", name)) {
		parents = value
		sub(/^[^:]*:/, "", parents)
	}
	current = ++sections
	account(name_of(name))
	if (renamed != "")
		look(renamed)
	section_of[name] = current
	for (k = 1; k in inherited; k++)
		if ((0, inherited[k]) in told)
			told[current, inherited[k]] = told[0, inherited[k]]
	n = parents != "" ? split(parents, parent, ",") : 0
	if (n > 0)
		remark("like " trimmed(parents))
	for (i = 1; i <= n; i++)
		inherit(trimmed(parent[i]))
	copies[current] = n == 1	# what was remarked there need not be said again
}

# A name that pneu can have for it, and no other account has.
function name_of(name,    wanted, i)
{
	wanted = name
	gsub(/[ \t]+/, "-", wanted)
	if (wanted == "")
		wanted = "unnamed"
	renamed = wanted != name ? said("the name was \"" name "\", and here it is one word") : ""
	for (i = 2; (wanted in taken); i++) {
		wanted = name "-" i
		gsub(/[ \t]+/, "-", wanted)
		renamed = said("a second account \"" name "\", which msmtp refuses" \
		    (name == "default" && unnamed ? ". What stands from line " unnamed " on, before any " \
		    "account, is the first; what is for all accounts belongs below \"defaults\"" : ""))
	}
	taken[wanted] = 1
	return wanted
}

function inherit(name,    from, k)
{
	if (!(name in section_of) || section_of[name] == current) {
		look(said("there is no account \"" name "\" before this one, and msmtp refuses the file. " \
		    "Move this account behind that one, and convert it again"))
		return
	}
	from = section_of[name]
	for (k = 1; k in inherited; k++)
		if ((from, inherited[k]) in own) {
			told[current, inherited[k]] = told[from, inherited[k]]
			own[current, inherited[k]] = 1
		}
}

function one_command(keyword, value,    given)
{
	copies[current] = 0
	value = without_comment(keyword, value)
	given = keyword (value != "" && keyword !~ /^password$/ ? " " value : "")
	if (keyword in is_switch) {
		if (value == "")
			value = "on"
		else if (value !~ /^(on|off)$/ && keyword !~ /^(auth|syslog)$/) {
			look(said(given ": it is neither on nor off, and msmtp refuses it"))
			return
		}
	}
	if (keyword == "keepbcc") {
		keyword = "remove_bcc_headers"
		value = value == "on" ? "off" : "on"
	} else if (keyword ~ /^tls_no(certcheck|starttls)$/)
		value = "off"
	else if (keyword ~ /^add_missing/)
		value = value == "on" ? "auto" : "off"
	if (keyword in alias_of)
		keyword = alias_of[keyword]
	if (keyword in known) {
		if (keyword == "tls_trust_file" && system_bundle(value))
			remark(said(given ": the system's CAs are trusted without a setting"))
		else if (keyword == "logfile" && value ~ /^[\/~]/)
			remark(said(given ": the lines that pneu writes there are JSON"))
		told[current, keyword] = value
		own[current, keyword] = 1
	} else
		drop(keyword, value, given)
}

# msmtp knows no comments behind a value. Where one cannot be a part of it, it is cut off.
function without_comment(keyword, value,    where)
{
	if (quotes || keyword ~ /^(passwordeval|from_full_name|set_to_header)$/ || \
	    !match(value, /(^|[ \t])#+([ \t]|$)/))
		return value
	where = said(keyword ": msmtp takes what stands behind the # as a part of the value")
	if (RSTART > 1 && ((keyword in is_switch) || keyword ~ /^(host|port|from|protocol|timeout)$/)) {
		look(where ", and it cannot be one; here it is a comment")
		return trimmed(substr(value, 1, RSTART - 1))
	}
	if ((keyword in known) || (keyword in alias_of))
		look(where ", and so does this. If it is a comment, give it a line of its own")
	return value
}

# What is not converted: a comment where it stood.
function drop(keyword, value, given)
{
	if (keyword == "logfile_time_format") {
		remark(said(given ": it was for logfile"))
	} else if (!(keyword in why))
		look(said(keyword ": neither msmtp 1.8.33 nor this converter knows it"))
	else if (keyword ~ /^set_(date|msgid)_header$/ ? value != "off" : \
	    keyword == "remove_bcc_headers" ? value == "on" : value == "" || value == "off")
		remark(said(given ": so it is here, there is no setting for it"))
	else
		look(said(given ": " why[keyword]))
}

# ---- from one account of msmtp to one of pneu

function get(keyword)
{
	return (at, keyword) in told ? told[at, keyword] : ""
}

function is_on(keyword, usual)
{
	return (at, keyword) in told ? told[at, keyword] == "on" : usual
}

END {
	if (sections == 0 && current == 0) {
		begin_account("default")
		only_defaults = 1
	}
	for (at = 1; at <= sections; at++) {
		section = at
		quiet = copies[at]
		tls = is_on("tls", 0)
		implicit = tls && !is_on("tls_starttls", 1)
		auth = get("auth")
		login = auth != "" && auth != "off"
		nowhere = get("host") == "" && get("socket") == ""
		convert_server()
		convert_login()
		convert_from()
		convert_tls()
		convert_others()
	}
	section = quiet = 0
	if (sections == 0)
		look("there is no account in it")
	else if (!("default" in taken))
		remark("There is no account \"default\", so msmtp needs -a or -f. Here the first one is it.")
	if (sections > 1)
		remark("Without -a and -f pneu chooses the account by the From field, too; " \
		    "msmtp takes the default.")
	if (plus)
		remark("A \"from\" with +* is for addresses such as alice+shop@example.org: msmtp knows " \
		    "them as those of alice@example.org.")
	if (cut)
		remark("\"| head -n 1\" is there because msmtp takes the first line that a command prints; " \
		    "where it prints one only, it is not needed.")
	pneu_write()
}

function convert_server(    host, port, path)
{
	host = get("host")
	port = get("port")
	if (get("socket") != "") {
		path = path_of("socket")
		put("server", (get("protocol") == "lmtp" ? "lmtp" : "smtp") "://" escaped_path(path))
		if (tls)
			look("socket: into a socket pneu makes no TLS, as nothing leaves the machine")
		return
	}
	if (host == "") {
		look(only_defaults ? "there are defaults and no account: msmtp and pneu need one" : \
		    "there is no host, so neither msmtp nor pneu can send with this account" \
		    (sections == 1 ? "" : ". What is for all accounts stands below \"defaults\" in " \
		    "msmtp, and before the first account here"))
		return
	}
	if (url_host(host) == "" || (port != "" && !is_port(port))) {
		look("host " host ", port " port ": this cannot stand in a URL, so there is no server")
		return
	}
	if (get("protocol") !~ /^(smtp|lmtp)?$/)
		look("protocol " get("protocol") ": it is neither smtp nor lmtp, and msmtp refuses it")
	if (port == 465 && tls && !implicit && get("protocol") != "lmtp")
		look_at_465("\"tls_starttls off\"", host, plain(get("user")) ? get("user") : "")
	if (get("protocol") == "lmtp" && port == "")
		look("lmtp without a port, which msmtp refuses; here it is 24")
	if (get("protocol") == "lmtp" && implicit)
		look("tls_starttls off: pneu has no LMTP with TLS from the first byte; it asks for STARTTLS")
	put("server", server_url(host, port, get("protocol") == "lmtp" ? "lmtp" : implicit ? "implicit" : \
	    "starttls", plain(get("user")) ? get("user") : ""))
}

function escaped_path(path,    n, i, part, out)
{
	n = split(path, part, "/")
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? "/" : "") escaped(part[i])
	return out
}

function convert_login(    user, command, mechanism)
{
	user = get("user")
	if (user != "" && (get("socket") != "" || !plain(user) || !((at, "server") in setting)))
		put("user", user)
	if (!login) {
		if (user != "") {
			remark("auth is off, so msmtp makes no login, and neither does this")
			put("auth", "none")
		} else if (get("password") get("passwordeval") != "") {
			remark("auth is off: the password was left out")
			return
		}
	} else if (auth != "on") {
		mechanism = toupper(auth)
		if (mechanism ~ /^(GSSAPI|DIGEST-MD5|NTLM)$/)
			look("auth " auth ": pneu does not have it, and takes the best that the server has")
		else if (mechanism ~ /^(PLAIN|LOGIN|CRAM-MD5|EXTERNAL|OAUTHBEARER|XOAUTH2)$/ || \
		    mechanism ~ /^SCRAM-SHA-(1|256)(-PLUS)?$/)
			put("auth", mechanism)
		else
			look("auth " auth ": msmtp 1.8.33 does not know it")
	}
	if (login && user == "" && !nowhere)
		look("auth is on and there is no user: pneu makes no login without one")
	if (get("password") != "") {
		put("password", get("password"))
		if (get("passwordeval") != "")
			remark("passwordeval " get("passwordeval") ": password counted before it")
	} else if (get("passwordeval") != "")
		put("password-command", first_line_of(get("passwordeval"), mechanism))
	else if (login && user != "" && !nowhere && mechanism !~ /^(EXTERNAL|GSSAPI)$/)
		look("no password: as msmtp does, pneu looks into ~/.netrc, but not into a keyring. That " \
		    "is password-command secret-tool lookup host " get("host") " service smtp user " user)
	if (login && !tls && !nowhere && get("socket") == "" && !loopback(get("host")) && \
	    mechanism !~ /^SCRAM/)
		look("a login without TLS: pneu gives no password away here, and ends with 5.7.11. " \
		    "Without the line \"tls none\" it has TLS")
}

# msmtp takes the first line that the command prints. A token is one line, and its command may want to say 75.
function first_line_of(command, mechanism)
{
	if (mechanism ~ /^(OAUTHBEARER|XOAUTH2)$/ || command ~ /[|][ \t]*(head -(n ?)?1|tail -(n ?)?1)$/)
		return command
	cut = 1
	if (command !~ /[;&#]|[|][|]|\\$/)
		return command " | head -n 1"
	gsub(/'/, "'\\''", command)
	return "sh -c '" command "' | head -n 1"
}

function convert_from(    from)
{
	from = get("from")
	if (is_on("auto_from", 0))
		from = automatic_from(from)
	else if (get("maildomain") != "")
		remark("maildomain " get("maildomain") ": it counts with auto_from only")
	if ((at, "from") in told && from == "")
		look("from without an address, for the null sender: pneu -f '<>' sends such messages")
	if (from != "")
		convert_address(from)
	if (is_on("auto_from", 0) && get("from") != "")
		convert_address(get("from"))	# it still chooses the account
	if (!is_on("allow_from_override", 1)) {
		put("allow-from-override", "no")
		if (from ~ /[*?[]/ || !((at, "from") in setting))
			look("allow_from_override off: pneu needs a from that is an address and no pattern")
	}
	if (get("set_from_header") == "on") {
		put("rewrite-from", "always")
		remark("set_from_header on: here only the address in From is changed; msmtp drops the " \
		    "name, too")
	} else if (get("set_from_header") == "off") {
		put("rewrite-from", "no")
		look("set_from_header off: From stays as it is here, too; but a message without one gets one")
	} else if (get("set_from_header") !~ /^(auto)?$/)
		look("set_from_header " get("set_from_header") ": it is none of auto, on and off")
}

# It counts before -f, and leaves the From field as it is.
function automatic_from(from)
{
	if (from != "")
		remark("from " from ": auto_from counts before it; this address only chooses the account")
	put("allow-from-override", "no")
	if (get("set_from_header") ~ /^(auto)?$/) {
		put("rewrite-from", "no")
		remark("auto_from: in msmtp the sender is the user whatever -f and From say, and From " \
		    "stays. Without \"allow-from-override no\" -f counts, without \"rewrite-from no\" From " \
		    "is mended")
	}
	if (get("maildomain") != "")
		return "%U@" get("maildomain")
	look("auto_from without a maildomain: in msmtp the sender has no domain then, and here it is " \
	    "%H, the domain of mail of this machine, see pneu(1)")
	return "%U@%M"
}

# The patterns of msmtp are %U, %H, %C, %M, and since 1.8.29 %F; those of pneu %U, %H and %%.
function convert_address(from,    out, i, c)
{
	if (from == "%F") {
		remark("from %F: the address in From is the sender, whatever it is")
		if (at < sections)
			look("this account takes every sender; the accounts behind it need -a")
		add("from", "*")
		return
	}
	for (i = 1; i <= length(from); i++) {
		c = substr(from, i, 1)
		if (c != "%")
			out = out c
		else if ((c = substr(from, ++i, 1)) == "U" || c == "M")
			out = out (c == "U" ? "%U" : "%H")
		else if (c == "H" || c == "C") {
			look("from " from ": %" c " was the name of this host; here %H is its domain " \
			    "of mail, see pneu(1)")
			out = out "%H"
		} else {
			out = out "%%"
			i--
		}
	}
	# a pattern needs no @
	if ((!is_address(out) && out !~ /^[^ \t<>"]*[*?[][^ \t<>"]*$/) || from ~ /%F/) {
		look("from " from ": pneu takes user@domain, or a pattern for it. Without one the sender " \
		    "is that of the From field")
		return
	}
	add("from", out)
	# msmtp looks for an account without the part after a plus, too
	if (sections > 1 && out !~ /[*?[+]/) {
		sub(/@/, "+*@", out)
		add("from", out)
		plus = 1
	}
}

function convert_tls(    digits)
{
	digits = tolower(get("tls_fingerprint"))
	gsub(/:/, "", digits)
	if (!tls && !nowhere && get("socket") == "") {
		put("tls", "none")
		if (!loopback(get("host")))
			look("tls is off: all goes in the clear. Without \"tls none\" it is TLS or nothing")
	} else if (tls && !is_on("tls_certcheck", 1)) {
		put("tls", login ? "tofu" : "encrypt")
		look("tls_certcheck off: " (login ? "pneu gives a password only to a server that it knows, " \
		    "so it remembers the key that it sees first" : "there is TLS, with whoever answers"))
	} else if (digits ~ /^[0-9a-f]+$/ && length(digits) == 64) {
		put("tls", "fingerprint")
		put("tls-pin", "sha256:" digits)
	} else if (digits != "")
		look("tls_fingerprint " get("tls_fingerprint") ": pneu takes SHA-256 only, so the " \
		    "certificate has to be good. If it is not, pneu --check shows its pin: put that into " \
		    "tls-pin, with \"tls fingerprint\", if it is your server's")
	else if ((at, "tls_trust_file") in told && get("tls_trust_file") == "" && tls)
		look("tls_trust_file without a file, which msmtp refuses; here the system's CAs are trusted")
	if (get("tls_fingerprint") != "" && tls && !is_on("tls_certcheck", 1))
		remark("tls_fingerprint " get("tls_fingerprint") ": tls_certcheck off counts before it")
	if (get("tls_trust_file") !~ /^(system)?$/ && !system_bundle(get("tls_trust_file"))) {
		if ((at, "tls") in setting)
			remark("tls_trust_file " get("tls_trust_file") ": it decides nothing beside \"tls " \
			    setting[at, "tls"] "\"; where that line goes, this is tls-ca")
		else
			put("tls-ca", path_of("tls_trust_file"))
	}
	if (get("tls_crl_file") != "")
		put("tls-crl", path_of("tls_crl_file"))
	if (get("tls_cert_file") != "")
		put("tls-cert", path_of("tls_cert_file"))
	if (get("tls_key_file") != "")
		put("tls-key", path_of("tls_key_file"))
	if (get("tls_host_override") != "")
		put("tls-name", get("tls_host_override"))
	if (get("tls_priorities") ~ /(PROTOCOLS|CIPHERS|ECDHECURVES)=/)
		look("tls_priorities " get("tls_priorities") ": for libtls; pneu takes a string of GnuTLS")
	else if (get("tls_priorities") != "")
		put("tls-priority", get("tls_priorities"))
}

function convert_others(    value)
{
	if ((value = get("timeout")) ~ /^[0-9]+$/)
		put("timeout", value "s")
	else if (value == "off")
		remark("timeout off: pneu never waits for ever, see timeout and deadline")
	else if (value != "")
		look("timeout " value ": it is a number of seconds, or off")
	value = get("domain")
	if (value ~ /%[HCM]/)
		remark("domain " value ": pneu says the name of this host by itself; ehlo is another one")
	else if (value ~ /[ \t<>]/)
		look("domain " value ": this is no name")
	else if (value != "")
		put("ehlo", value)
	value = get("source_ip")
	if (value ~ /^[0-9.]+$/ || value ~ /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/)
		put("source-address", value)
	else if (value != "")
		look("source_ip " value ": this is no address")
	value = get("proxy_host")
	if (value != "" && url_host(value) != "" && get("socket") == "")
		put("proxy", "socks5://" url_host(value) \
		    (is_port(get("proxy_port")) ? ":" get("proxy_port") : ""))
	else if (value != "" && get("socket") == "")
		look("proxy_host " value ": this cannot stand in a URL")
	convert_dsn()
	convert_log()
	if (get("aliases") != "") {
		put("aliases", path_of("aliases"))
		check_aliases(path_of("aliases"))
	}
}

# One log an account, of JSON: msmtp can write two at a time, each line in a form of its own.
function convert_log(    file, syslog)
{
	file = get("logfile")
	syslog = get("syslog") != "" && get("syslog") != "off"
	if (file == "-")
		look("logfile -: pneu prints no log; --report=text does for each message")
	else if (file ~ /^[\/~]/)
		put("log", path_of("logfile"))
	else if (file != "" && file != "off")
		look("logfile " file ": log wants a whole path")
	if (syslog && file ~ /^[\/~]/)
		look("syslog " get("syslog") ": pneu has one log, and that is the file")
	else if (syslog)
		put("log", "syslog")
}

function convert_dsn(    value)
{
	value = get("dsn_notify")
	if (value == "never" || value ~ /^(failure|delay|success)(,(failure|delay|success))*$/)
		put("dsn-notify", value)
	else if (value != "" && value != "off")
		look("dsn_notify " value ": it is off, never, or some of failure,delay,success")
	value = get("dsn_return")
	if (value ~ /^(headers|full)$/)
		put("dsn-return", value)
	else if (value != "" && value != "off")
		look("dsn_return " value ": it is off, headers or full")
}

# msmtp puts $HOME for any ~ at the beginning, pneu only for "~/".
function path_of(keyword,    path)
{
	path = get(keyword)
	if (path ~ /^~[^\/]/)
		path = ENVIRON["HOME"] substr(path, 2)
	else if (path !~ /^[\/~]/ && path !~ /^pkcs11:/)
		look(keyword " " path ": the path is relative to where pneu is run")
	return path
}

# The files of aliases are the same but for comments behind an entry.
function check_aliases(path,    line, number)
{
	sub(/^~/, ENVIRON["HOME"], path)
	while ((getline line < path) > 0) {
		number++
		if (line ~ /^[^#]*[^# \t][^#]*#/)
			look("aliases: line " number " of " path " has a comment behind its entry; " \
			    "for pneu a comment must begin its line")
	}
	close(path)
}
