# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# What the three converters share: values as pneu.conf(5) wants them, and the file that they write. A setting
# is kept until pneu_write(), so that what all accounts have in common can stand before the first of them:
#
#	account(NAME)			the settings from here on are those of NAME
#	put(KEYWORD, VALUE)		a setting; of the same keyword in one account the last counts
#	add(KEYWORD, VALUE)		one more of a keyword that may be given several times
#	remark(TEXT)			a comment, at this place
#	look(TEXT)			the same about something that somebody has to look at
#
# While "quiet" is set there are no comments.
#
# In the environment are ME, the name of the converter, and FROM, what it reads.

function pneu_begin()
{
	me = ENVIRON["ME"]
	accounts = looks = secrets = 0
	section = 0		# the defaults
	# in the order in which they are written
	split("server user password password-command auth from allow-from-override rewrite-from domain " \
	    "aliases dsn-notify dsn-return log ehlo source-address proxy tls tls-ca tls-pin tls-crl " \
	    "tls-cert tls-key tls-name tls-priority timeout deadline queue queue-lifetime", order, " ")
	for (keywords = 0; (keywords + 1) in order; keywords++)
		shared[order[keywords + 1]] = 1
	# what makes an account the one it is stays there
	delete shared["server"]
	delete shared["user"]
	delete shared["password"]
	delete shared["password-command"]
	delete shared["auth"]
	delete shared["from"]
}

# ---- values

# A value for all keywords but those that take the rest of their line as it is.
function quoted(value)
{
	if (value != "" && value !~ /^["# \t]/ && value !~ /[ \t]$/ && value !~ /[ \t]#/)
		return value
	return in_quotes(value)
}

# A value for password and password-command: in quotes only where blanks or a quote at its ends need them.
function rest_of_line(value)
{
	return value !~ /^[" \t]/ && value !~ /[ \t]$/ ? value : in_quotes(value)
}

function in_quotes(value)
{
	gsub(/[\\"]/, "\\\\&", value)
	return "\"" value "\""
}

function printable(text)
{
	gsub(/[\001-\037\177]/, "?", text)
	return text
}

function has_control(text)
{
	return text ~ /[\001-\037\177]/
}

# May this stand in a URL without escapes, and mean itself?
function plain(text)
{
	return text ~ /^[A-Za-z0-9._+=~@-]+$/
}

# A part of a URL, with every other octet escaped. The names of octets are made at the first call.
function escaped(text,    i, c, out)
{
	if (!("A" in octet))
		for (i = 1; i < 256; i++)
			octet[sprintf("%c", i)] = i
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		out = out (c ~ /[A-Za-z0-9._+=~-]/ ? c : sprintf("%%%02X", octet[c]))
	}
	return out
}

# A host as a URL has it, or "" when it cannot be one.
function url_host(host)
{
	if (host ~ /^\[.*\]$/)
		host = substr(host, 2, length(host) - 2)
	if (host ~ /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/)
		return "[" host "]"
	return host ~ /^[A-Za-z0-9._\200-\377-]+$/ && host !~ /^\./ ? host : ""
}

function is_port(text)
{
	return text ~ /^[0-9]+$/ && text + 0 >= 1 && text + 0 <= 65535
}

# This machine: here a password may go without TLS.
function loopback(host)
{
	return host ~ /^(localhost|127\.[0-9.]*|::1|\[::1\])$/
}

# The URL of a server. MODE is implicit, starttls, none or lmtp; PORT may be "".
function server_url(host, port, mode, login,    scheme, usual)
{
	scheme = "smtp"
	usual = 25
	if (mode == "implicit") {
		scheme = "submissions"
		usual = 465
	} else if (mode == "lmtp") {
		scheme = "lmtp"
		usual = 24
	} else if (port == 587) {
		scheme = "submission"
		usual = 587
	}
	return scheme "://" (login != "" ? login "@" : "") url_host(host) \
	    (port != "" && port + 0 != usual ? ":" port + 0 : "")
}

# STARTTLS at the port where TLS has no need of it: neither program would ever get a greeting.
function look_at_465(keyword, host, login)
{
	look("port 465 without " keyword ": a server there waits for TLS, and not for STARTTLS. If it " \
	    "does, the server is " server_url(host, 465, "implicit", login))
}

# The bundles of certificates that distributions have: pneu trusts those of the system anyway.
function system_bundle(file)
{
	return file ~ "^/etc/(ssl/certs/ca-certificates\\.crt|ssl/certs/ca-bundle\\.crt|ssl/cert\\.pem|" \
	    "ssl/ca-bundle\\.pem|pki/tls/certs/ca-bundle\\.crt|pki/tls/cert\\.pem|" \
	    "pki/ca-trust/extracted/pem/tls-ca-bundle\\.pem)$" ||
	    file ~ "^/(usr/local/share/certs/ca-root-nss\\.crt|usr/share/ssl/certs/ca-bundle\\.crt)$"
}

# An address or a pattern that "from" takes, with or without %U and %H.
function is_address(text)
{
	return text ~ /^[^ \t<>"@]+@[^ \t<>"@]+$/
}

# ---- the file

function account(name)
{
	section = ++accounts
	account_name[section] = name
}

function put(keyword, value)
{
	if (has_control(value))
		look(keyword ": a value here cannot hold control characters")
	else {
		setting[section, keyword] = value
		if (keyword == "password")
			secrets++
	}
}

function add(keyword, value)
{
	if ((section, keyword) in setting)
		value = setting[section, keyword] "\n" value
	setting[section, keyword] = value
}

function remark(text)
{
	if (quiet)
		return
	comment[section] = comment[section] folded(printable(text))
}

function look(text)
{
	looks += !quiet
	remark("LOOK: " text)
}

# A comment in lines of 78 columns.
function folded(text,    word, n, i, line, out)
{
	n = split(text, word, " ")
	line = "#"
	for (i = 1; i <= n; i++) {
		if (length(line) + length(word[i]) >= 78 && length(line) > 8) {
			out = out line "\n"
			line = "#  "
		}
		line = line " " word[i]
	}
	return out line "\n"
}

# Do all accounts say the same?
function common(keyword,    i)
{
	if (!(keyword in shared) || accounts < 2)
		return 0
	for (i = 1; i <= accounts; i++)
		if (!((i, keyword) in setting) || setting[i, keyword] != setting[1, keyword])
			return 0
	return 1
}

function write_section(s,    i, k, n, value)
{
	printf "%s", comment[s]
	for (i = 1; i <= keywords; i++) {
		if (!((s, order[i]) in setting) || (s > 0 && order[i] in lifted))
			continue
		n = split(setting[s, order[i]], value, "\n")
		for (k = 1; k <= n; k++)
			printf "%-17s %s\n", order[i], order[i] ~ /^password/ ? \
			    rest_of_line(value[k]) : quoted(value[k])
	}
}

function has_section(s,    i)
{
	for (i = 1; i <= keywords; i++)
		if ((s, order[i]) in setting)
			return 1
	return comment[s] != ""
}

function pneu_write(    i, s, summary)
{
	for (i = 1; i <= keywords; i++)
		if (common(order[i])) {
			lifted[order[i]] = 1
			setting[0, order[i]] = setting[1, order[i]]
		}
	printf "%s", folded("A configuration of pneu, see pneu.conf(5), made by " me " from " \
	    printable(ENVIRON["FROM"]) (accounts > 0 ? ": " counted(accounts, "account") : "") ".")
	printf "%s", folded(looks == 0 ? "All of it was converted." : \
	    counted(looks, "comment") " with LOOK: something that is different here, is not here at all, " \
	    "or did not work before.")
	if (secrets)
		printf "%s", folded("There is a password in it: keep it at mode 600, or pneu refuses it. " \
		    "password-file and password-command take one from elsewhere.")
	for (s = 0; s <= accounts; s++) {
		if (s > 0)
			printf "\naccount           %s\n", quoted(account_name[s])
		else if (has_section(0))
			print ""
		write_section(s)
	}
	summary = me ": " counted(accounts > 0 ? accounts : 1, "account") ", " (looks > 0 ? \
	    counted(looks, "thing") " to look at (LOOK in the output)" : "nothing to look at") \
	    (secrets ? "; it holds a password, so chmod 600" : "")
	print summary | "cat >&2"
}

function counted(n, what)
{
	return n " " what (n == 1 ? "" : "s")
}

# The file for -a, with these lines; without -a a comment says what has to be in it.
function add_aliases(text,    line, n, i)
{
	if (ENVIRON["ALIASES"] == "") {
		n = split(text, line, "\n")
		look("pneu has aliases in a file, \"aliases FILE\"; -a FILE makes it, with the lines")
		for (i = 1; i <= n; i++)
			remark("  " line[i])
		return
	}
	print text >(ENVIRON["ALIASES"])
	close(ENVIRON["ALIASES"])
	put("aliases", ENVIRON["ALIASES"])
}
