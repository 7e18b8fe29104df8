# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# ssmtp2pneu: the keywords of ssmtp 2.64, and those that distributions have added. A "#" begins a comment
# anywhere, and most values end at a blank or a "=". Each user of revaliases becomes an account.

BEGIN {
	pneu_begin()
	split("root mailhub remoteport rewritedomain hostname fromlineoverride usetls usestarttls " \
	    "usetlscert tlscert tlskey tls_ca_file authuser authpass authmethod", list, " ")
	for (i = 1; i in list; i++)
		known[list[i]] = 1
	why["tls_ca_dir"] = "pneu has CAs in one file, tls-ca"
	why["useoldauth"] = "it was about the form of AUTH LOGIN; pneu needs no such setting"
	why["addheader"] = "pneu adds no fields of your own"
	why["debug"] = "pneu -v shows the dialogue"
	why["minuserid"] = "it said which users are \"root\""
	read_config()
	mail_domain = told["rewritedomain"] != "" ? told["rewritedomain"] : told["hostname"]
	convert_everybody()
	convert_revaliases()
	pneu_write()
}

function read_config(    line, keyword, value, number)
{
	while ((getline line < ENVIRON["FROM"]) > 0) {
		number++
		where = "line " number ": "
		sub(/\r$/, "", line)
		if (line ~ /^[ \t]*(#|$)/)
			continue
		if (line !~ /=/) {
			look(where "a line without \"=\", which ssmtp passes over")
			continue
		}
		keyword = line
		sub(/[ \t]*=.*/, "", keyword)
		sub(/^[ \t]+/, "", keyword)
		value = substr(line, index(line, "=") + 1)
		read_keyword(keyword, value)
	}
	close(ENVIRON["FROM"])
}

function read_keyword(keyword, value,    name, secret)
{
	name = tolower(keyword)
	secret = name == "authpass"
	if (value ~ /#/ && name !~ /^(addheader)$/) {
		if (secret)
			look(where keyword ": ssmtp takes no # in a password; here is what is before it")
		sub(/#.*/, "", value)
	}
	gsub(/^[ \t]+|[ \t]+$/, "", value)
	if (name != "addheader")
		sub(/[= \t].*/, "", value)
	if (name in known) {
		if (value != "")
			told[name] = value
	} else if (name in why) {
		if ((name == "debug" || name == "useoldauth") && tolower(value) != "yes")
			remark(where keyword "=" value ": so it is here, there is no setting for it")
		else
			look(where keyword "=" value ": " why[name])
	} else
		look(where keyword ": ssmtp 2.64 does not know it")
}

function is_yes(name)
{
	return tolower(told[name]) == "yes"
}

# The part of "host:port" that is the host; the port is left in `port`.
function host_of(text,    host)
{
	port = told["remoteport"]
	host = text
	if (text ~ /^\[.*\]/) {
		sub(/\].*/, "]", host)
		text = substr(text, length(host) + 1)
	} else
		sub(/:.*/, "", host)
	if (text ~ /:./) {
		port = text
		sub(/^.*:/, "", port)
	}
	return host
}

# The server in "host" or "host:port", for the account that is being made.
function convert_hub(text,    host, login)
{
	host = host_of(text)
	if (url_host(host) == "" || (port != "" && !is_port(port))) {
		look("mailhub " text ": this cannot stand in a URL, so there is no server")
		return
	}
	login = plain(told["authuser"]) ? told["authuser"] : ""
	put("server", server_url(host, port, implicit ? "implicit" : "starttls", login))
	if (starttls && port == 465)
		look_at_465("\"UseSTARTTLS=NO\"", host, login)
	if (login == "" && told["authuser"] != "")
		put("user", told["authuser"])
}

function convert_everybody()
{
	starttls = is_yes("usestarttls")
	tls = is_yes("usetls") || starttls
	implicit = tls && !starttls
	convert_hub(told["mailhub"] != "" ? told["mailhub"] : "mailhub")
	if (told["mailhub"] == "")
		look("no mailhub: ssmtp takes a host of that name")
	convert_tls(host_of(told["mailhub"]))
	convert_login()
	if (told["hostname"] != "")
		put("ehlo", told["hostname"])
	if (mail_domain != "")
		put("domain", mail_domain)
	else
		look("neither rewriteDomain nor hostname: ssmtp gives bare names the name of this host, " \
		    "pneu wants a \"domain\" for them")
	if (told["root"] != "")
		convert_root(told["root"] (told["root"] ~ /@/ || mail_domain == "" ? "" : "@" mail_domain))
	add("from", "%U@" (mail_domain != "" ? mail_domain : "%H"))
	if (is_yes("fromlineoverride"))
		add("from", "*")	# what From says is the sender, if it says anything
	else {
		put("allow-from-override", "no")
		remark("FromLineOverride is no: as in ssmtp, the sender is the user's address whatever -f " \
		    "or From say. Here From becomes that, too; rewrite-from no leaves it")
	}
}

function convert_tls(host)
{
	if (tls && told["tls_ca_file"] != "")
		remark("TLS_CA_File " told["tls_ca_file"] ": the certificate of the server is verified" \
		    (system_bundle(told["tls_ca_file"]) ? " with the system's CAs, without a setting" : ""))
	else if (tls) {
		put("tls", told["authuser"] != "" ? "tofu" : "encrypt")
		look("ssmtp looks at no certificate; here " (told["authuser"] != "" ? "the key that the " \
		    "server has first is remembered" : "anybody may answer") ". Without the line " \
		    "\"tls\" it is verified, which is better")
	} else {
		put("tls", "none")
		if (!loopback(host))
			look("UseTLS is no: all goes in the clear. Without \"tls none\" it is TLS or nothing")
	}
	if (told["tls_ca_file"] != "" && !tls)
		remark("TLS_CA_File " told["tls_ca_file"] ": UseTLS is no; with TLS it is tls-ca")
	else if (told["tls_ca_file"] != "" && !system_bundle(told["tls_ca_file"]))
		put("tls-ca", told["tls_ca_file"])
	if (is_yes("usetlscert") && told["tlscert"] == "")
		put("tls-cert", "/etc/ssl/certs/ssmtp.pem")
	else if (told["tlscert"] != "" && (is_yes("usetlscert") || !("usetlscert" in told)))
		put("tls-cert", told["tlscert"])
	else if (told["tlscert"] != "")
		remark("TLSCert " told["tlscert"] ": UseTLSCert is no")
	if (told["tlskey"] != "")
		put("tls-key", told["tlskey"])
}

function convert_login()
{
	if (told["authuser"] == "") {
		if (told["authpass"] != "")
			remark("AuthPass without AuthUser: ssmtp makes no login; the password was left out")
		return
	}
	put("auth", tolower(told["authmethod"]) == "cram-md5" ? "CRAM-MD5" : "LOGIN")
	if (told["authmethod"] != "" && tolower(told["authmethod"]) !~ /^(cram-md5|login)$/)
		look("AuthMethod " told["authmethod"] ": ssmtp has LOGIN and CRAM-MD5 only")
	if (told["authpass"] != "")
		put("password", told["authpass"])
	else
		look("AuthUser without AuthPass: ssmtp sends an empty password, pneu does not")
	if (!tls && !loopback(host_of(told["mailhub"])))
		look("a login without TLS: pneu gives no password away here, and ends with 5.7.11")
}

# In ssmtp "root" is everybody whose number is below 1000.
function convert_root(address,    line, field, text)
{
	text = "root: " address
	while ((getline line < "/etc/passwd") > 0) {
		split(line, field, ":")
		if (field[1] ~ /^[A-Za-z0-9._-]+$/ && field[1] != "root" && field[3] + 0 < 1000)
			text = text "\n" field[1] ": root"
	}
	close("/etc/passwd")
	add_aliases(text)
}

# Lines of user:address[:mailhub[:port]]. What was put so far are the defaults of all accounts.
function convert_revaliases(    line, user, address, number)
{
	while ((getline line < ENVIRON["REVALIASES"]) > 0) {
		number++
		gsub(/[ \t\r]/, "", line)
		if (line == "" || line ~ /^#/)
			continue
		user = line
		sub(/:.*/, "", user)
		line = substr(line, length(user) + 2)
		address = line
		sub(/:.*/, "", address)
		line = substr(line, length(address) + 2)
		if (address !~ /@/ && mail_domain != "")
			address = address "@" mail_domain
		where = "line " number " of revaliases: "
		if (user !~ /^[A-Za-z0-9._-]+$/ || user == "default" || (user in has_account) || \
		    !is_address(address))
			look(where user ", " address ": no user and address, or a second line for the user")
		else
			convert_user(user, address, line)
	}
	close(ENVIRON["REVALIASES"])
	if (accounts > 0)
		account("default")
}

# The account of a user: chosen when the sender is that user, whose name can do without a domain as a pattern.
function convert_user(user, address, hub,    pattern)
{
	section = 0
	if (accounts == 0)
		look("revaliases: ssmtp chooses by who runs it, pneu by -a, or the sender in -f or From. " \
		    "For the rest of the mail a user needs a ~/.config/pneu/config: \"from " address "\", " \
		    "and then an \"include\" of this file")
	account(user)
	has_account[user] = 1
	if (hub != "")
		convert_hub(hub)
	pattern = "[" substr(user, 1, 1) "]" substr(user, 2)
	add("from", address)
	add("from", pattern)
	if (mail_domain != "")
		add("from", pattern "@" mail_domain)
	put("allow-from-override", "no")
}
