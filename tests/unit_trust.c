/*
 * unit_trust - tests of what is decided without a network: TLS policy, pins, netrc, and what is
 * remembered.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netrc.h"
#include "state.h"
#include "tls.h"
#include "unit.h"

/* ---- policy */

enum pins { NO_PINS, OTHER_PIN, THE_PIN };

/* From the words of the design: from encrypt on TLS is required, above it the peer must be known.
 */
static const char *
verdict(enum tls_level level, bool on, bool verified, enum pins pins, enum cert_known known)
{
	if (level <= TLS_MAY)
		return "2.0.0";
	if (!on)
		return "4.7.4";
	if (pins == OTHER_PIN)
		return "4.7.5";
	switch (level) {
	case TLS_ENCRYPT:
		return "2.0.0";
	case TLS_TOFU:
		return known == CERT_NEW || known == CERT_KNOWN ? "2.0.0" : "4.7.5";
	case TLS_FINGERPRINT:
		return pins == THE_PIN ? "2.0.0" : "4.7.5";
	default:
		return verified ? "2.0.0" : "4.7.5";
	}
}

static void
judge(enum tls_level level, bool on, bool verified, enum pins pins, enum cert_known known,
    unsigned *wrong)
{
	static const char *const levels[] = { "none", "may", "encrypt", "tofu", "fingerprint",
		"verify" };
	char pin[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	char *list[] = { pin };
	struct strings some = { list, pins != NO_PINS, 1 };
	struct tls_policy p = { .level = level,
		.name = "mail.example.org",
		.host = "mail.example.org",
		.port = "587",
		.pins = &some,
		.known_hosts = "/home/x/known-hosts" };
	struct tls_info info = { .on = on };
	const char *want = verdict(level, on, verified, pins, known);
	struct status st;
	char buf[16];

	info.cert.verified = verified;
	info.cert.pinned = pins == THE_PIN;
	info.cert.known = known;
	(void)strlcpy(
	    info.cert.complaint, "The certificate is expired.", sizeof info.cert.complaint);
	memset(&st, 0, sizeof st);
	if (tls_judge(&p, &info, &st) == 0)
		status_set(&st, PH_TLS, 2, 0, 0, "good");
	if (strcmp(status_enhanced(&st, buf), want) == 0 &&
	    status_exit(&st) == (want[0] == '2' ? 0 : 75))
		return;
	note("%s, TLS %s, %sverified, pins %d, known %d: found %s, wanted %s", levels[level],
	    on ? "on" : "off", verified ? "" : "not ", (int)pins, (int)known, buf, want);
	++*wrong;
}

static void
test_judge(void)
{
	static const enum cert_known knowns[] = { CERT_UNASKED, CERT_NEW, CERT_KNOWN,
		CERT_CHANGED };
	unsigned wrong = 0, facts;
	size_t k;
	int level, pins;

	for (level = TLS_NONE; level <= TLS_VERIFY; level++)
		for (facts = 0; facts < 4; facts++)
			for (pins = NO_PINS; pins <= THE_PIN; pins++)
				for (k = 0; k < COUNT(knowns); k++)
					judge((enum tls_level)level, (facts & 1) != 0,
					    (facts & 2) != 0, (enum pins)pins, knowns[k], &wrong);
	is_number(wrong, 0, "wrong judgements among all levels and facts");
}

/* What is said is all that a person needs to go on. */
static void
test_judge_words(void)
{
	static char pin[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static char *list[] = { pin };
	struct strings pins = { list, 1, 1 }, none = { 0 };
	struct tls_policy p = { .level = TLS_VERIFY,
		.name = "mail.example.org",
		.host = "192.0.2.1",
		.port = "587",
		.pins = &none,
		.known_hosts = "/home/x/known-hosts" };
	struct tls_info info = { .on = true };
	struct status st;

	(void)strlcpy(
	    info.cert.complaint, "The certificate is expired.", sizeof info.cert.complaint);
	(void)strlcpy(info.cert.names, "smtp.example.net", sizeof info.cert.names);
	(void)strlcpy(info.cert.issuer, "CN=Some CA", sizeof info.cert.issuer);
	(void)strlcpy(info.cert.pin, "BBBB", sizeof info.cert.pin);
	(void)strlcpy(info.cert.fingerprint, "sha256:cccc", sizeof info.cert.fingerprint);
	info.cert.starts = 1700000000;
	info.cert.expires = 1731622400;
	(void)tls_judge(&p, &info, &st);
	is_in(st.text, "mail.example.org", "whom we wanted");
	is_in(st.text, "expired", "what is wrong");
	is_in(st.text, "smtp.example.net", "whom it names");
	is_in(st.text, "2023-11-14", "since when");
	is_in(st.text, "2024-11-14", "until when");
	is_in(st.text, "Some CA", "who made it");
	is_in(st.text, "tls-ca", "which setting helps");
	is_in(st.text, "tls-pin", "and which other");
	is_in(st.text, "BBBB", "with what in it");
	/* names as long as they get, and still the setting is said */
	memset(info.cert.names, 'n', sizeof info.cert.names - 1);
	memset(info.cert.issuer, 'i', sizeof info.cert.issuer - 1);
	(void)strlcpy(
	    info.cert.pin, "r+LIzLBDJbfIgLGnLZbxwKTG5CMnJ6YbL8mJIO6gA9k=", sizeof info.cert.pin);
	(void)tls_judge(&p, &info, &st);
	is_in(st.text, "tls-ca", "a certificate of many names: the setting is still said");
	is_in(st.text, "r+LIzLBDJbfIgLGnLZbxwKTG5CMnJ6YbL8mJIO6gA9k=", "and the whole pin");

	p.level = TLS_FINGERPRINT;
	p.pins = &pins;
	(void)tls_judge(&p, &info, &st);
	is_in(st.text, pin, "another key: the one that was expected");
	is_in(st.text, info.cert.pin, "and the one that was seen");
	is_in(st.text, "sha256:cccc", "and the certificate");
	is_in(st.text, "tls-pin", "and the setting");

	p.level = TLS_TOFU;
	p.pins = &none;
	info.cert.known = CERT_CHANGED;
	(void)tls_judge(&p, &info, &st);
	is_in(st.text, "CHANGED", "a changed key: that it is");
	is_in(st.text, info.cert.pin, "which one it is now");
	is_in(st.text, "192.0.2.1 port 587", "which line to delete");
	is_in(st.text, "/home/x/known-hosts", "from which file");

	info.on = false;
	(void)tls_judge(&p, &info, &st);
	is_in(st.text, "STARTTLS", "no TLS: what is not offered");
}

static void
test_check(void)
{
	static char pin[] = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	static char *list[] = { pin };
	struct strings pins = { list, 1, 1 }, none = { 0 };
	const char *file = scratch("trust.pem", "nothing");
	const struct {
		const char *what;
		struct tls_policy p;
		const char *wrong; /* NULL: nothing */
	} rows[] = {
		{ "none", { .level = TLS_NONE, .ca = "/nonexistent", .pins = &none }, NULL },
		{ "verify", { .level = TLS_VERIFY, .pins = &none }, NULL },
		{ "a CA that is none", { .level = TLS_VERIFY, .pins = &none, .ca = file },
		    "tls-ca" },
		{ "a CA that is not there",
		    { .level = TLS_VERIFY, .pins = &none, .ca = "/nonexistent/ca" }, "tls-ca" },
		{ "a CRL that is not there",
		    { .level = TLS_VERIFY, .pins = &none, .crl = "/nonexistent/crl" }, "tls-crl" },
		{ "a certificate that is not there",
		    { .level = TLS_MAY, .pins = &none, .cert = "/nonexistent/c" }, "tls-cert" },
		{ "a key that is not there",
		    { .level = TLS_MAY, .pins = &none, .cert = file, .key = "/nonexistent/k" },
		    "tls-key" },
		{ "a certificate in a token",
		    { .level = TLS_VERIFY, .pins = &none, .cert = "pkcs11:token=x" }, NULL },
		{ "a key without a certificate",
		    { .level = TLS_VERIFY, .pins = &none, .key = file }, "tls-cert" },
		{ "fingerprint without a pin", { .level = TLS_FINGERPRINT, .pins = &none },
		    "tls-pin" },
		{ "fingerprint", { .level = TLS_FINGERPRINT, .pins = &pins }, NULL },
		{ "tofu without a file", { .level = TLS_TOFU, .pins = &none }, "home" },
		{ "tofu", { .level = TLS_TOFU, .pins = &none, .known_hosts = file }, NULL },
		{ "a priority",
		    { .level = TLS_VERIFY,
			.pins = &none,
			.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3" },
		    NULL },
		{ "a priority that is none",
		    { .level = TLS_VERIFY, .pins = &none, .priority = "NORMAL:+NONSENSE" },
		    "tls-priority" },
		{ "the same where TLS may be",
		    { .level = TLS_MAY, .pins = &none, .priority = "NORMAL:+NONSENSE" },
		    "tls-priority" },
	};
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct tls_files *files = NULL;

		memset(&st, 0, sizeof st);
		is_number(tls_check(&rows[i].p, &files, &st), rows[i].wrong == NULL ? 0 : -1, "%s",
		    rows[i].what);
		tls_files_free(&files);
		if (rows[i].wrong == NULL)
			continue;
		is_status(&st, "5.3.5", 78, "cannot be used");
		is_in(st.text, rows[i].wrong, "which is said");
	}
}

#define HEX "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define COLONS \
	"01:23:45:67:89:ab:cd:ef:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:" \
	"AB:" \
	"CD:EF"
#define BASE64 "r+LIzLBDJbfIgLGnLZbxwKTG5CMnJ6YbL8mJIO6gA9k="

static void
test_pins(void)
{
	static const struct {
		const char *pin;
		bool good;
	} rows[] = {
		{ "sha256:" HEX, true },
		{ "SHA256:" HEX, true },
		{ "sha256:" COLONS, true },
		{ BASE64, true },
		{ "sha256/" BASE64, true },
		{ "sha256/" HEX, false },
		{ "sha256:" BASE64, false },
		{ "sha1:0123456789abcdef0123456789abcdef01234567", false },
		{ "sha512:" HEX HEX, false },
		{ HEX, false },
		{ "sha256:", false },
		{ "sha256/", false },
		{ "sha256:0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDE", false },
		{ "sha256:" HEX "0", false },
		{ "sha256:" HEX "00", false },
		{ "sha256:0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEG",
		    false },
		{ "sha256: " HEX, false },
		{ "r+LIzLBDJbfIgLGnLZbxwKTG5CMnJ6YbL8mJIO6gA9k", false }, /* no padding */
		{ "AAAA", false },
		{ "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", false }, /* 33 octets */
		{ "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==", false }, /* 31 octets */
		{ "****************************************____", false },
		{ "", false },
	};
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		memset(&st, 0, sizeof st);
		is_number(cert_pin_check(rows[i].pin, &st), rows[i].good ? 0 : -1, "a pin: %s",
		    rows[i].pin);
		if (!rows[i].good)
			is_status(&st, "5.3.5", 78, "is none");
	}
}

/* ---- netrc */

static const struct {
	const char *text, *host, *user, *password;
} netrcs[] = {
	{ "machine h login u password p", "h", "u", "p" },
	{ "machine h login u password p\n", "h", "u", "p" },
	{ "machine h\nlogin u\npassword p\n", "h", "u", "p" },
	{ "machine h\r\n\tlogin u\r\n\tpassword p\r\n", "h", "u", "p" },
	{ "machine h password p login u", "h", "u", "p" },
	{ "machine h password p", "h", "u", "p" }, /* whoever it is */
	{ "machine H.Example login u password p", "h.example", "u", "p" },
	{ "machine h login U password p", "h", "u", NULL },
	{ "machine other login u password p", "h", "u", NULL },
	{ "machine h.example login u password p", "h", "u", NULL },
	{ "", "h", "u", NULL },
	{ "machine", "h", "u", NULL },
	{ "machine h", "h", "u", NULL },
	{ "machine h login u", "h", "u", NULL },
	{ "machine h login u password", "h", "u", NULL },
	{ "machine h login u password \"\"", "h", "u", NULL },
	/* several */
	{ "machine a login u password 1 machine h login u password 2 machine z login u password 3",
	    "h", "u", "2" },
	{ "machine h login v password 1\nmachine h login u password 2", "h", "u", "2" },
	{ "machine h login u password 1\nmachine h login u password 2", "h", "u", "1" },
	{ "machine h login v password 1\ndefault login u password 2", "h", "u", "2" },
	{ "default login anonymous password me@x", "h", "u", NULL },
	{ "default password p", "h", "u", "p" },
	{ "machine h login u\nmachine x login y password p", "h", "u", NULL },
	{ "machine x login y password p\nmachine h login u", "h", "u", NULL },
	/* other words */
	{ "machine h login u account a password p", "h", "u", "p" },
	{ "machine h account password login u password p", "h", "u", "p" },
	{ "machine machine login login password password", "machine", "login", "password" },
	{ "machine h login u password machine machine x", "h", "u", "machine" },
	{ "macdef init\nmachine h login u password wrong\n\nmachine h login u password p", "h", "u",
	    "p" },
	{ "macdef init\r\nmachine h login u password wrong\r\n\r\nmachine h login u password p",
	    "h", "u", "p" },
	{ "machine h login u password p\nmacdef init\nmachine h login u password wrong\n", "h", "u",
	    "p" },
	/* quotes, and what is special in other files */
	{ "machine h login u password \"a b\"", "h", "u", "a b" },
	{ "machine h login \"u v\" password \"a \\\"b\\\\c\"", "h", "u v", "a \"b\\c" },
	{ "machine h login u password a\"b", "h", "u", "a\"b" },
	{ "machine h login u password a\\b'c:d=e;f", "h", "u", "a\\b'c:d=e;f" },
	{ "machine h login u password p\303\244\303\237", "h", "u", "p\303\244\303\237" },
	{ "machine h login u password a#b", "h", "u", "a#b" },
	{ "machine h login u password #secret", "h", "u", "#secret" },
	{ "machine h login u password \"#secret\"", "h", "u", "#secret" },
	{ "# machine h login u password no\nmachine h login u password p", "h", "u", "p" },
	{ "machine h login u # whoever\npassword p", "h", "u", "p" },
	{ "machine h login u password \"open", "h", "u", "open" },
};

static void
test_netrc(void)
{
	struct str many = { 0 }, token = { 0 }, secret = { 0 };
	size_t i;

	for (i = 0; i < COUNT(netrcs); i++) {
		struct str found = { 0 };
		bool there = netrc_find(netrcs[i].text, netrcs[i].host, netrcs[i].user, &found);

		is_text(there ? str_text(&found) : NULL, netrcs[i].password, "%s", netrcs[i].text);
		str_free(&found);
	}
	for (i = 0; i < 4096; i++)
		str_putc(&token, (char)('A' + i % 26));
	str_printf(&many, "machine h login u password %s\nmachine x password y\n", token.p);
	ok(netrc_find(many.p, "h", "u", &secret), "a token of 4 KiB");
	is_text(str_text(&secret), token.p, "is found whole");
	str_free(&many);
	str_free(&token);
	str_free(&secret);
}

/* ---- what is remembered */

static void
test_state(void)
{
	const char *file = scratch("facts", NULL);
	struct stat sb;
	char *own;
	FILE *f;

	ok(state_has(NULL, "a") == STATE_NO, "no file knows nothing");
	state_add(NULL, "a");
	ok(state_has(file, "a") == STATE_NO, "a file that is not there knows nothing");
	state_add(file, "scram h 587 u");
	ok(state_has(file, "scram h 587 u") == STATE_YES, "what is added is there");
	ok(stat(file, &sb) == 0 && (sb.st_mode & 0777) == 0600, "in a file for us alone");
	ok(state_has(file, "scram h 587") == STATE_NO &&
		state_has(file, "cram h 587 u") == STATE_NO &&
		state_has(file, "scram h 587 uu") == STATE_NO &&
		state_has(file, "SCRAM h 587 u") == STATE_NO && state_has(file, "") == STATE_NO,
	    "and nothing else is");
	state_add(file, "second");
	state_add(file, "scram h 587 u");
	ok(state_has(file, "scram h 587 u") == STATE_YES && state_has(file, "second") == STATE_YES,
	    "more can be added");
	is_number(
	    stat(file, &sb) == 0 ? (long long)sb.st_size : -1, 21, "and each stands there once");
	if ((f = fopen(file, "a")) != NULL) {
		(void)fputs("torn", f);
		(void)fclose(f);
	}
	state_add(file, "third");
	ok(state_has(file, "third") == STATE_YES,
	    "a last line that was cut short does no harm to the next");

	is_number(state_has("/", "a"), STATE_UNKNOWN, "of what cannot be read nobody knows");
	state_add("/dev/null/file", "x");
	ok(state_has("/dev/null/file", "x") == STATE_NO,
	    "where nothing can be written, nothing is remembered");

	(void)setenv("XDG_STATE_HOME", "/state", 1);
	own = state_path("facts");
	is_text(own, "/state/pneu/facts", "state_path() in $XDG_STATE_HOME");
	free(own);
	(void)setenv("XDG_STATE_HOME", "relative", 1); /* such a one is to be ignored */
	(void)setenv("HOME", "/home/x", 1);
	own = state_path("facts");
	is_text(own, "/home/x/.local/state/pneu/facts", "and without one");
	free(own);
	(void)unsetenv("XDG_STATE_HOME");
}

void
test_trust(void)
{
	test_judge();
	test_judge_words();
	test_check();
	test_pins();
	test_netrc();
	test_state();
}
