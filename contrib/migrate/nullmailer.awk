# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# nullmailer2pneu: the control files of nullmailer 2.2. Each holds one line, but for remotes, which has one
# for each server, in the words of a shell.

BEGIN {
	pneu_begin()
	n = split(ENVIRON["FILES"], file, "\n")
	convert_remotes()
	convert_names()
	convert_queue()
	why["idhost"] = "pneu makes a Message-ID with the domain of the sender"
	why["doublebounceto"] = "a report that cannot be sent goes to nobody here"
	why["bounceto"] = "pneu sends reports to the sender of the message"
	why["bouncelines"] = "a report of pneu has the header of the message"
	for (i = 1; i <= n; i++)
		if (file[i] in why)
			look_at_file(file[i])
		else if (!(file[i] in done))
			look(file[i] ": this is no control file of nullmailer 2.2")
	pneu_write()
}

function look_at_file(name)
{
	if (control(name) != "")
		look(name " " control(name) ": " why[name])
}

# The line in a control file, or "".
function control(name,    path, line)
{
	done[name] = 1
	path = ENVIRON["FROM"] "/" name
	if ((getline line < path) <= 0)
		line = ""
	close(path)
	gsub(/^[ \t\r]+|[ \t\r]+$/, "", line)
	return line
}

# ---- remotes

# The words of a line as a shell has them, into word[1..]; their number.
function words(line,    i, c, quote, text, any, count)
{
	split("", word)
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		if (quote == "" && c ~ /[ \t\r]/) {
			if (any)
				word[++count] = text
			text = any = ""
			continue
		}
		any = 1
		if (c == "\\" && quote != "'")
			text = text substr(line, ++i, 1)
		else if (quote == "" && c ~ /["']/)
			quote = c
		else if (c == quote)
			quote = ""
		else
			text = text c
	}
	if (any)
		word[++count] = text
	return count + 0
}

function convert_remotes(    path, line, number)
{
	done["remotes"] = 1
	path = ENVIRON["FROM"] "/remotes"
	while ((getline line < path) > 0) {
		number++
		sub(/^[ \t\r]+/, "", line)
		if (line != "" && line !~ /^#/)
			read_remote(line, "line " number " of remotes: ")
	}
	close(path)
	if (remotes == 0)
		look("there is no remote, so pneu has no server")
	for (line = 1; line <= remotes; line++)
		convert_remote(line)
}

function read_remote(line, where,    count, i, name, value)
{
	count = words(line)
	if (count > 1 && word[2] == "qmqp") {
		look(where word[1] " qmqp: pneu has no QMQP")
		return
	}
	if (count > 1 && word[2] != "smtp") {
		look(where word[1] " " word[2] ": pneu has no such protocol")
		return
	}
	option[++remotes, "host"] = word[1]
	option[remotes, "where"] = where
	for (i = 3; i <= count; i++) {
		name = word[i]
		sub(/^--?/, "", name)
		value = "yes"
		if (name ~ /=/) {
			value = substr(name, index(name, "=") + 1)
			sub(/=.*/, "", name)
		}
		if (name == "ssl")
			name = "tls"
		if (name ~ /^(port|user|pass|source|auth-login|tls|starttls|insecure|tls-anon-auth)$/ ||
		    name ~ /^x509(certfile|keyfile|cafile|crlfile|fmtder)$/)
			option[remotes, name] = value
		else
			look(where name ": nullmailer 2.2 does not know it")
	}
}

function get(remote, name)
{
	return (remote, name) in option ? option[remote, name] : ""
}

# What pneu says for all servers of an account at once, as one text.
function ways(r)
{
	return level(r) "\n" get(r, "auth-login") "\n" get(r, "source") "\n" get(r, "x509certfile") "\n" \
	    get(r, "x509keyfile") "\n" get(r, "x509cafile") "\n" get(r, "x509crlfile")
}

function level(r)
{
	if (get(r, "tls") == "" && get(r, "starttls") == "")
		return "none"
	if (get(r, "insecure") != "")
		return get(r, "user") != "" ? "tofu" : "encrypt"
	return "verify"
}

function convert_remote(r,    host, port, login, where)
{
	host = get(r, "host")
	port = get(r, "port")
	where = get(r, "where")
	if (url_host(host) == "" || (port != "" && !is_port(port))) {
		look(where host (port != "" ? ", port " port : "") ": this cannot stand in a " \
		    "URL, so it is no server")
		return
	}
	if (first && ways(r) != ways(first)) {
		look(where host ": tls, certificates, auth-login and source are the same for all servers " \
		    "of an account here, and those of the first count; this one needs an account of its own")
		return
	}
	login = get(r, "user") != "" ? escaped_user(get(r, "user")) : ""
	if (login != "" && get(r, "pass") != "" && !has_control(get(r, "pass"))) {
		if (remotes > 1) {
			login = login ":" escaped(get(r, "pass"))
			secrets++
		} else
			put("password", get(r, "pass"))
	} else if (login != "")
		look(where "there is a user without a password that pneu could use")
	add("server", server_url(host, port, get(r, "tls") != "" ? "implicit" : "starttls", login))
	if (port == 465 && get(r, "tls") == "" && get(r, "starttls") != "")
		look_at_465("ssl", host, plain(get(r, "user")) ? get(r, "user") : "")
	if (!first)
		convert_ways(r, where)
	first = first ? first : r
}

# In a URL an "@" may stay in a user name.
function escaped_user(user)
{
	return plain(user) ? user : escaped(user)
}

function convert_ways(r, where,    host)
{
	host = get(r, "host")
	if (level(r) != "verify")
		put("tls", level(r))
	if (level(r) == "none" && !loopback(host))
		look(where "no tls: all goes in the clear. Without \"tls none\" it is TLS or nothing" \
		    (get(r, "user") != "" ? "; a login without it ends with 5.7.11" : ""))
	if (get(r, "insecure") != "")
		look(where "insecure: " (level(r) == "tofu" ? "pneu gives a password only to a server that " \
		    "it knows, so it remembers the key that it sees first" : "TLS, with whoever answers"))
	if (get(r, "tls-anon-auth") != "")
		look(where "tls-anon-auth: pneu has no TLS without a certificate of the server")
	if (get(r, "auth-login") != "" && get(r, "user") != "")
		put("auth", "LOGIN")
	if (get(r, "source") ~ /^([0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/)
		put("source-address", get(r, "source"))
	else if (get(r, "source") != "")
		look(where "source=" get(r, "source") ": pneu wants an address, and no name")
	if (get(r, "x509cafile") != "" && !system_bundle(get(r, "x509cafile")))
		put("tls-ca", get(r, "x509cafile"))
	if (get(r, "x509crlfile") != "")
		put("tls-crl", get(r, "x509crlfile"))
	if (get(r, "x509certfile") != "")
		put("tls-cert", get(r, "x509certfile"))
	if (get(r, "x509keyfile") != "")
		put("tls-key", get(r, "x509keyfile"))
	if (get(r, "x509fmtder") != "")
		look(where "x509fmtder: pneu reads PEM only; openssl x509 -inform DER -in FILE converts it")
}

# ---- who we are, and who the others are

# A name without a dot gets the default domain; localhost stays.
function canonical(name)
{
	return name == "" || name ~ /\./ || name == "localhost" || default_domain == "" ? name : \
	    name "." default_domain
}

function convert_names(    self, host, helo, admin)
{
	self = control("me")
	default_domain = control("defaultdomain")
	if (default_domain == "" && self ~ /\./)
		default_domain = self
	host = control("defaulthost")
	if (host == "")
		host = self
	helo = control("helohost")
	if (helo == "")
		helo = self
	if (helo != "")
		put("ehlo", helo)
	if (host != "")
		put("domain", canonical(host))
	else
		look("neither defaulthost nor me: what nullmailer takes from /etc/mailname for bare names " \
		    "is \"domain\" here, and not set")
	if (control("defaultdomain") != "")
		remark("defaultdomain " control("defaultdomain") ": it completes \"domain\" here, but no " \
		    "host without a dot in other addresses")
	if ((admin = control("allmailfrom")) != "") {
		if (is_address(admin)) {
			add("from", admin)
			put("allow-from-override", "no")
			remark("allmailfrom: here From becomes that, too; rewrite-from no leaves it")
		} else
			look("allmailfrom " admin ": pneu takes user@domain")
	}
	if ((admin = control("adminaddr")) != "") {
		add_aliases("default: " admin)
		remark("adminaddr " admin ": for names without a domain, and no more for those at this host")
	}
}

# ---- the queue

function seconds(name,    value)
{
	value = control(name)
	if (value != "" && value !~ /^[0-9]+$/)
		look(name " " value ": it is a number of seconds")
	return value ~ /^[0-9]+$/ ? value : ""
}

function convert_queue(    value)
{
	put("queue", "yes")
	look("pneu has no daemon: something must run pneu --flush, as contrib/systemd/pneu-flush.timer " \
	    "does, or contrib/cron/flush.crontab. Users other than root have a spool of their own, and " \
	    "must be able to read this file; contrib/systemd/system has one for all of them")
	value = seconds("queuelifetime")
	put("queue-lifetime", value != "" ? value "s" : "7d")
	value = seconds("sendtimeout")
	if (value == "0")
		remark("sendtimeout 0: pneu never waits for ever; deadline is 30m")
	else if (value != "")
		put("deadline", value "s")
	if (seconds("pausetime") != "")
		remark("pausetime " control("pausetime") ": pneu --flush has pauses of its own")
	if (seconds("maxpause") != "")
		remark("maxpause " control("maxpause") ": pneu --flush has pauses of its own")
}
