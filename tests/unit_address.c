/*
 * unit_address - tests of addresses, lists of them, and server URLs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "unit.h"
#include "url.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define L63 X60 "xxx"

/* ---- one address */

static const struct {
	const char *text, *path; /* as it goes between < and >; NULL: the same */
} good_paths[] = {
	{ "bob@example.org", NULL }, { "<bob@example.org>", "bob@example.org" },
	{ "bob+tag@example.org", NULL }, { "b.o.b@a.b.c.example.org", NULL },
	{ "!#$%&'*+-/=?^_`{|}~@example.org", NULL }, { "bob@localhost", NULL },
	{ "bob@host_name.example.org", NULL }, { "bob@xn--bcher-kva.example", NULL },
	{ "Bob@EXAMPLE.org", NULL }, { "bob@1.example", NULL }, { "bob@a-b.example", NULL },
	{ "da.me.@docomo.example", NULL }, /* some providers hand out such addresses */
	{ "da..me@docomo.example", NULL }, { ".da@docomo.example", NULL },
	{ "\"bob\"@example.org", NULL }, { "\"bob smith\"@example.org", NULL },
	{ "\"a@b\"@example.org", NULL }, { "\"<a>,;:\"@example.org", NULL },
	{ "\"a\\\"b\\\\\"@example.org", NULL }, { "\"\"@example.org", NULL },
	{ "<\"a>\"@example.org>", "\"a>\"@example.org" }, { "bob@[192.0.2.1]", NULL },
	{ "bob@[IPv6:2001:db8::1]", NULL }, { "bob@[ipv6:::1]", NULL },
	{ "bob@b\303\274cher.example", "bob@xn--bcher-kva.example" },
	{ "j\303\266rg@example.org", NULL }, { "\"j\303\266rg\"@example.org", NULL },
	{ "bob@B\303\234CHER.example", "bob@xn--bcher-kva.example" },
	{ X60 "xxxx@example.org", NULL },	    /* 64 before the @ */
	{ "a@" L63 ".example", NULL },		    /* a label of 63 */
	{ "a@" L63 "." L63 "." L63 "." X60, NULL }, /* 254 in all */
};

static const struct {
	const char *text;
	const char *enhanced;
	int exit;
} bad_paths[] = {
	{ "", "5.1.3", 65 },
	{ "<>", "5.1.3", 65 },
	{ "bob", "5.1.3", 67 },
	{ "<bob>", "5.1.3", 67 },
	{ "root", "5.1.3", 67 },
	{ "bob@", "5.1.3", 65 },
	{ "@example.org", "5.1.3", 65 },
	{ "@", "5.1.3", 65 },
	{ "bob@@example.org", "5.1.3", 65 },
	{ "bob@example.org@example.com", "5.1.3", 65 },
	{ "bob@example..org", "5.1.3", 65 },
	{ "bob@.example.org", "5.1.3", 65 },
	{ "bob@example.org.", "5.1.3", 65 },
	{ "bob@-example.org", "5.1.3", 65 },
	{ "bob@example-.org", "5.1.3", 65 },
	{ "bob@exa mple.org", "5.1.3", 65 },
	{ "bob@example.org ", "5.1.3", 65 },
	{ " bob@example.org", "5.1.3", 65 },
	{ "bob smith@example.org", "5.1.3", 65 },
	{ "bob@example.org>", "5.1.3", 65 },
	{ "<bob@example.org", "5.1.3", 65 },
	{ "<<bob@example.org>>", "5.1.3", 65 },
	{ "a@x>,<b@y", "5.1.3", 65 },
	{ "a@x> SIZE=1", "5.1.3", 65 },
	{ "a>b@example.org", "5.1.3", 65 },
	{ "a,b@example.org", "5.1.3", 65 },
	{ "bob@example.org\r\nRCPT TO:<eve@example.org", "5.1.3", 65 },
	{ "bob\r\n@example.org", "5.1.3", 65 },
	{ "bob@example.org\n", "5.1.3", 65 },
	{ "bob@example.org\r", "5.1.3", 65 },
	{ "\"a\r\nb\"@example.org", "5.1.3", 65 },
	{ "\"a\\\r\\\nb\"@example.org", "5.1.3", 65 },
	{ "\"a\001b\"@example.org", "5.1.3", 65 },
	{ "\"a\177b\"@example.org", "5.1.3", 65 },
	{ "\"a\\\177b\"@example.org", "5.1.3", 65 },
	{ "bob\t@example.org", "5.1.3", 65 },
	{ "bob@exa\001mple.org", "5.1.3", 65 },
	{ "\"bob@example.org", "5.1.3", 65 },
	{ "\"bob\\\"@example.org", "5.1.3", 65 },
	{ "\"bob\\", "5.1.3", 65 },
	{ "\"", "5.1.3", 65 },
	{ "\"a\"b@example.org", "5.1.3", 65 },
	{ "a\"b\"@example.org", "5.1.3", 65 },
	{ "bob@[192.0.2.256]", "5.1.3", 65 },
	{ "bob@[192.0.2.1", "5.1.3", 65 },
	{ "bob@192.0.2.1]", "5.1.3", 65 },
	{ "bob@[]", "5.1.3", 65 },
	{ "bob@[2001:db8::1]", "5.1.3", 65 },
	{ "bob@[IPv6:2001:db8::g]", "5.1.3", 65 },
	{ "bob@[IPv6:]", "5.1.3", 65 },
	{ "bob@[192.0.2.1]x", "5.1.3", 65 },
	{ "bob@[a>b]", "5.1.3", 65 },
	{ "j\366rg@example.org", "5.1.3", 65 },
	{ "j\303@example.org", "5.1.3", 65 },
	{ "bob@\377\376.example", "5.1.3", 65 },
	/* what is no letter of a name must not get lost on the way to its A-labels */
	{ "bob@b\303\274cher.example>x", "5.1.3", 65 },
	{ "bob@b\303\274 cher.example", "5.1.3", 65 },
	{ "bob@b\303\274!cher.example", "5.1.3", 65 },
	{ "bob@b\303\274/cher.example", "5.1.3", 65 },
	{ "bob@b\303\274@cher.example", "5.1.3", 65 },
	{ "bob@b\303\274\r\ncher.example", "5.1.3", 65 },
	{ "bob@[b\303\274cher.example]", "5.1.3", 65 },
	{ "bob@\357\274\236.example", "5.1.3", 65 }, /* a wide > that maps to the plain one */
	{ X60 "xxxxx@example.org", "5.1.3", 65 },
	{ "a@" L63 "x.example", "5.1.3", 65 },
	{ "a@" L63 "." L63 "." L63 "." X60 "x", "5.1.3", 65 },
	{ "a@" L63 "." L63 "." L63 "." L63, "5.1.3", 65 },
	{ "a@" L63 "." L63 "." L63 "." L63 "." L63, "5.1.3", 65 },
};

static void
test_matches(void)
{
	ok(address_match("bob@example.org", "bob@example.org"), "an address is its own pattern");
	ok(address_match("Bob@Example.ORG", "bob@example.org"), "case counts not");
	ok(address_match("*@example.org", "bob@example.org"), "anybody in a domain");
	ok(!address_match("*@example.org", "bob@example.com"), "and in no other");
	ok(!address_match("*@example.org", "bob@sub.example.org"), "nor below it");
	ok(address_match("*@*.example.org", "bob@sub.example.org"), "unless the pattern says so");
	ok(!address_match("bob", "bob@example.org"), "a part does not match");
}

void
test_address(void)
{
	struct str out = { 0 };
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(good_paths); i++) {
		const char *path = good_paths[i].path != NULL ? good_paths[i].path
							      : good_paths[i].text;

		memset(&st, 0, sizeof st);
		str_clear(&out);
		str_puts(&out, "<");
		if (address_path(good_paths[i].text, &out, &st) == -1)
			note("%s", st.text);
		is_text(str_text(&out) + 1, path, "address %s", good_paths[i].text);
	}
	for (i = 0; i < COUNT(bad_paths); i++) {
		str_clear(&out);
		memset(&st, 0, sizeof st);
		if (address_path(bad_paths[i].text, &out, &st) == 0)
			note("became %s", out.p);
		is_status(&st, bad_paths[i].enhanced, bad_paths[i].exit, "no address: %s",
		    bad_paths[i].text);
		if (out.len > 0)
			ok(false, "nothing is put for a bad address");
	}
	(void)address_path("bob@exa mple.org", &out, &st);
	is_in(st.text, "bob@exa mple.org", "the address is named");
	str_free(&out);
	test_matches();
}

/* ---- lists */

static int
collect(void *arg, const char *addr, struct status *st)
{
	struct str *all = arg;

	if (strcmp(addr, "stop@example.org") == 0)
		return status_set(st, PH_LOCAL, 5, 1, 3, "stopped");
	str_printf(all, "%s%s", all->len > 0 ? " | " : "", addr);
	return 0;
}

static const struct {
	const char *text, *addresses;
} good_lists[] = {
	{ "", "" },
	{ " ", "" },
	{ "a@x", "a@x" },
	{ "a@x, b@y,c@z", "a@x | b@y | c@z" },
	{ ",, a@x,, ,b@y,", "a@x | b@y" },
	{ "<a@x>", "a@x" },
	{ "<>", "" },
	{ "Bob <bob@x>", "bob@x" },
	{ "Bob Smith <bob@x>, Eve <eve@y>", "bob@x | eve@y" },
	{ "\"Smith, Bob\" <bob@x>, eve@y", "bob@x | eve@y" },
	{ "\"a \\\" <c@d>\" <bob@x>", "bob@x" },
	{ "Bob S. Smith <bob@x>", "bob@x" }, /* a dot in a phrase: obs-phrase */
	{ "J\303\266rg <joerg@x>", "joerg@x" },
	{ "=?utf-8?q?J=C3=B6rg?= <joerg@x>", "joerg@x" },
	{ "bob@x (Bob Smith)", "bob@x" },
	{ "(one) bob (two) @ (three) x (four)", "bob@x" },
	{ "(a (nested (very)) comment, with <c@d>) bob@x", "bob@x" },
	{ "(\\) \\( ) bob@x", "bob@x" },
	{ "() bob@x ()", "bob@x" },
	{ "bob . smith @ example . org", "bob.smith@example.org" },
	{ "Bob\r\n <bob@x>,\r\n\teve@y", "bob@x | eve@y" },
	{ "bob@[192.0.2.1]", "bob@[192.0.2.1]" },
	{ "Bob <bob@[IPv6:2001:db8::1]>, eve@y", "bob@[IPv6:2001:db8::1] | eve@y" },
	{ "\"a, b\"@x, c@y", "\"a, b\"@x | c@y" },
	{ "\"a\"@x", "\"a\"@x" },
	{ "<\"a b>\"@x>", "\"a b>\"@x" },
	/* groups */
	{ "team: a@x, Bob <b@y>;", "a@x | b@y" },
	{ "team: a@x;, c@z", "a@x | c@z" },
	{ "team: a@x; c@z", "a@x | c@z" },
	{ "undisclosed-recipients:;", "" },
	{ "undisclosed recipients: ;", "" },
	{ "a: ,, ;, b: c@x;", "c@x" },
	{ "\"a: b\": c@x;", "c@x" },
	/* source routes: where to, not how */
	{ "<@a,@b:c@d>", "c@d" },
	{ "<@a:c@d>", "c@d" },
	{ "Bob <@a.example,@b.example:c@d>, e@f", "c@d | e@f" },
	{ "<@a,,@b:c@d>", "c@d" }, /* obs-domain-list has room for nothing */
	{ "<,@a:c@d>", "c@d" },
	/* what is checked elsewhere */
	{ "root", "root" },
	{ "a@b@c", "a@b@c" },
};

static const char *const bad_lists[] = {
	"a b@x", /* a name without brackets */
	"Bob bob@x",
	"bob@x eve@y",
	"Bob <bob@x",
	"Bob <bob@x>, <eve@y",
	"bob@x>",
	"<a@x> b@y",
	"<a@x> <b@y>",
	"<<a@x>>",
	"<a@x, b@y>",
	"<a b@x>",
	"<a@b:c@d>", /* a route begins with an @ */
	"<a:c@d>",
	"<:c@d>",
	"<@a:@b:c@d>",
	"\"Bob <bob@x>",
	"\"Bob\\",
	"(Bob bob@x",
	"(a (b) bob@x",
	"bob@x)",
	"bob@[192.0.2.1",
	"bob@[192.0\r\n.2.1]",
	"team: a@x",
	"team: a@x, b@y",
	"a: b: c@x;;",
	": a@x;",
	"a@x; b@y",
	";",
	"a@x]",
	"a@x\\",
	"\001",
	"a\001@x",
	"Bob\001 <bob@x>",
};

void
test_list(void)
{
	struct str all = { 0 };
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(good_lists); i++) {
		str_clear(&all);
		memset(&st, 0, sizeof st);
		if (address_list(good_lists[i].text, collect, &all, &st) != 0)
			note("%s", st.text);
		is_text(str_text(&all), good_lists[i].addresses, "list %s", good_lists[i].text);
	}
	for (i = 0; i < COUNT(bad_lists); i++) {
		str_clear(&all);
		memset(&st, 0, sizeof st);
		if (address_list(bad_lists[i], collect, &all, &st) == 0)
			note("became %s", str_text(&all));
		is_status(&st, "5.1.3", 65, "no list: %s", bad_lists[i]);
	}
	str_clear(&all);
	is_number(address_list("a@x, stop@example.org, b@y", collect, &all, &st), -1,
	    "an answer ends the walk");
	is_text(st.text, "stopped", "and is what is told");
	is_text(all.p, "a@x", "nobody comes after it");
	(void)address_list("a@x, Bob b@y", collect, &all, &st);
	is_in(st.text, "column 13", "where it went wrong");
	str_clear(&all);
	for (i = 0; i < 100000; i++) /* depth costs nothing */
		str_putc(&all, '(');
	is_number(
	    address_list(all.p, collect, &all, &st), -1, "a comment of very many parentheses");
	str_free(&all);
}

/* ---- server URLs */

static const struct {
	const char *text;
	const char *user, *password, *host, *port;
	bool implicit;
	const char *name;
} good_urls[] = {
	{ "submission://smtp.example.org", NULL, NULL, "smtp.example.org", "587", false,
	    "smtp.example.org:587" },
	{ "submissions://x", NULL, NULL, "x", "465", true, "x:465" },
	{ "smtps://x", NULL, NULL, "x", "465", true, "x:465" },
	{ "smtp://x", NULL, NULL, "x", "25", false, "x:25" },
	{ "SMTP://X.Example", NULL, NULL, "x.example", "25", false, "x.example:25" },
	{ "smtp://x/", NULL, NULL, "x", "25", false, "x:25" },
	{ "smtp://x:2525", NULL, NULL, "x", "2525", false, "x:2525" },
	{ "smtp://x:1/", NULL, NULL, "x", "1", false, "x:1" },
	{ "smtp://x:65535", NULL, NULL, "x", "65535", false, "x:65535" },
	{ "smtp://x:0025", NULL, NULL, "x", "25", false, "x:25" },
	{ "submissions://alice@x", "alice", NULL, "x", "465", true, "x:465" },
	{ "submissions://alice:secret@x:99", "alice", "secret", "x", "99", true, "x:99" },
	{ "submissions://alice@example.org@x", "alice@example.org", NULL, "x", "465", true,
	    "x:465" },
	{ "submissions://alice@example.org:p@ss@x", "alice@example.org", "p@ss", "x", "465", true,
	    "x:465" },
	{ "submissions://alice:a:b@x", "alice", "a:b", "x", "465", true, "x:465" },
	{ "submissions://alice:@x", "alice", "", "x", "465", true, "x:465" },
	{ "submissions://al%69ce%40example.org:%2F%3a%25@x", "alice@example.org", "/:%", "x", "465",
	    true, "x:465" },
	{ "submissions://j%C3%B6rg:pa\303\244@x", "j\303\266rg", "pa\303\244", "x", "465", true,
	    "x:465" },
	{ "submissions://a b:c d@x", "a b", "c d", "x", "465", true, "x:465" },
	{ "smtp://127.0.0.1:25", NULL, NULL, "127.0.0.1", "25", false, "127.0.0.1:25" },
	{ "smtp://[::1]", NULL, NULL, "::1", "25", false, "[::1]:25" },
	{ "smtp://[2001:db8::1]:2525/", NULL, NULL, "2001:db8::1", "2525", false,
	    "[2001:db8::1]:2525" },
	{ "smtp://[127.0.0.1]:1", NULL, NULL, "127.0.0.1", "1", false, "127.0.0.1:1" },
	{ "smtp://a@[::1]:2", "a", NULL, "::1", "2", false, "[::1]:2" },
	{ "smtp://b\303\274cher.example", NULL, NULL, "xn--bcher-kva.example", "25", false,
	    "xn--bcher-kva.example:25" },
	{ "smtp://smtp.example.org.", NULL, NULL, "smtp.example.org", "25", false,
	    "smtp.example.org:25" },
	{ "smtp://a_b.example", NULL, NULL, "a_b.example", "25", false, "a_b.example:25" },
};

static const struct {
	const char *text, *user, *password, *host, *port, *path, *name;
} lmtp_urls[] = {
	{ "lmtp://x", NULL, NULL, "x", "24", NULL, "x:24" },
	{ "LMTP://al%2Fice:p%2Fw@[::1]:2424/", "al/ice", "p/w", "::1", "2424", NULL, "[::1]:2424" },
	{ "lmtp:///run/lmtp.sock", NULL, NULL, "localhost", "24", "/run/lmtp.sock",
	    "/run/lmtp.sock" },
	{ "lmtp:///a%20b/c@d:1", NULL, NULL, "localhost", "24", "/a b/c@d:1", "/a b/c@d:1" },
	{ "lmtp://alice:b@c@/run/x@y", "alice", "b@c", "localhost", "24", "/run/x@y", "/run/x@y" },
	{ "lmtp:///b\303\274", NULL, NULL, "localhost", "24", "/b\303\274", "/bM-CM-<" },
};

static const struct {
	const char *text, *user, *password, *host, *port; /* host NULL: it is none */
} proxy_urls[] = {
	{ "socks5://x", NULL, NULL, "x", "1080" },
	{ "SOCKS5://[::1]:1/", NULL, NULL, "::1", "1" },
	{ "socks5://alice:a%3Ab@127.0.0.1:9050", "alice", "a:b", "127.0.0.1", "9050" },
	{ "socks5://alice@x", "alice", NULL, "x", "1080" },
	{ "socks5://" L63 L63 L63 L63 "abc@x", L63 L63 L63 L63 "abc", NULL, "x", "1080" },
	{ "socks5://" L63 L63 L63 L63 "abcd@x", NULL, NULL, NULL, NULL },
	{ "socks5://a:" L63 L63 L63 L63 "abcd@x", NULL, NULL, NULL, NULL },
	{ "socks5://", NULL, NULL, NULL, NULL },
	{ "socks5:///run/socks", NULL, NULL, NULL, NULL },
	{ "socks5h://x", NULL, NULL, NULL, NULL },
	{ "socks4://x", NULL, NULL, NULL, NULL },
	{ "http://x", NULL, NULL, NULL, NULL },
	{ "submission://x", NULL, NULL, NULL, NULL },
	{ "x:1080", NULL, NULL, NULL, NULL },
};

static const char *const bad_urls[] = {
	"",
	"smtp.example.org",
	"smtp:example.org",
	"smtp:/example.org",
	"http://example.org",
	"smtpx://example.org",
	"xsmtp://example.org",
	"smt://example.org",
	"://example.org",
	"smtp://",
	"smtp:///",
	"smtp://:25",
	"smtp://@x",
	"smtp://:secret@x",
	"smtp://alice@",
	"smtp://alice@:25",
	"smtp://x:",
	"smtp://x:0",
	"smtp://x:65536",
	"smtp://x:99999999999999999999",
	"smtp://x:-1",
	"smtp://x:+25",
	"smtp://x: 25",
	"smtp://x:25 ",
	"smtp://x:smtp",
	"smtp://x:25x",
	"smtp://x:25:26",
	"smtp://x/path",
	"smtp://x//",
	"smtp://x:25/path",
	"smtp://x?query",
	"smtp://x#fragment",
	"smtp://x y",
	"smtp:// x",
	"smtp://x ",
	"smtp://.x",
	"smtp://x..y",
	"srv:[192.0.2.1]", /* no domain, and no address has SRV records */
	"srv:[::1]",
	"smtp://x..", /* one dot at the end is the root, two are nothing */
	"smtp://.",
	"smtp://" L63 "x.example",
	"smtp://" L63 "." L63 "." L63 "." L63,
	"smtp://::1",
	"smtp://2001:db8::1",
	"smtp://[::1",
	"smtp://[::1]x",
	"smtp://[::1]25",
	"smtp://[]",
	"smtp://[x.example]",
	"smtp://[::g]",
	"smtp://%@x",
	"smtp://%4@x",
	"smtp://%zz@x",
	"smtp://a%00b@x",
	"smtp://a%0d%0ab@x",
	"smtp://a:b%0ac@x",
	"smtp://a\nb@x",
	"smtp://a:\177@x",
	"smtp://x%00",
	"smtp://x%0a",
	"smtp://\377\377",
	"smtp://b\303\274 cher.example",
	"smtp://b\303\274,cher.example",
	"smtp://b\303\274(cher).example",
	"socks5://x",
	"lmtps://x",
	"lmtp://",
	"lmtp:///",
	"lmtp:///run/",
	"lmtp:///run/%0a",
	"lmtp:///run/%00",
	"lmtp:///run/%4",
	"lmtp://x/run/lmtp.sock",
	"lmtp://@/run/lmtp.sock",
	"lmtp:///" L63 L63,
	"submission:///run/lmtp.sock",
	"smtp://x/run/lmtp.sock",
	"submissions:///run/lmtp.sock",
};

static bool
equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
test_lmtp_url(void)
{
	struct status st;
	struct url u;
	char *name;
	size_t i;

	for (i = 0; i < COUNT(lmtp_urls); i++) {
		name = url_parse(lmtp_urls[i].text, &u, &st) == 0 ? url_name(&u) : NULL;
		ok(equal(u.user, lmtp_urls[i].user) && equal(u.password, lmtp_urls[i].password) &&
			equal(u.host, lmtp_urls[i].host) && equal(u.port, lmtp_urls[i].port) &&
			equal(u.path, lmtp_urls[i].path) && u.lmtp && !u.implicit &&
			equal(name, lmtp_urls[i].name),
		    "URL %s: %s", lmtp_urls[i].text, name != NULL ? name : st.text);
		free(name);
		url_free(&u);
	}
	(void)url_parse("smtp://x", &u, &st);
	ok(!u.lmtp && u.path == NULL, "SMTP is no LMTP");
	url_free(&u);
	ok(url_parse("smtp:///run/a@b", &u, &st) == 0 && !u.lmtp && !u.implicit && u.user == NULL &&
		equal(u.path, "/run/a@b") && equal(u.host, "localhost"),
	    "SMTP over a socket of this machine");
	url_free(&u);
}

static void
test_proxy_url(void)
{
	struct status st;
	struct url u;
	size_t i;
	int r;

	for (i = 0; i < COUNT(proxy_urls); i++) {
		memset(&st, 0, sizeof st);
		r = url_parse_proxy(proxy_urls[i].text, &u, &st);
		if (proxy_urls[i].host == NULL)
			is_status(&st, "5.3.5", 78, "no proxy: %s", proxy_urls[i].text);
		else
			ok(r == 0 && equal(u.user, proxy_urls[i].user) &&
				equal(u.password, proxy_urls[i].password) &&
				equal(u.host, proxy_urls[i].host) &&
				equal(u.port, proxy_urls[i].port),
			    "proxy %s", proxy_urls[i].text);
		url_free(&u);
	}
	(void)url_parse_proxy("socks5://alice:TopSecret@x:99999", &u, &st);
	ok(strstr(st.text, "TopSecret") == NULL && strstr(st.text, "x:99999") != NULL,
	    "a complaint about a proxy repeats the host, not the password");
	url_free(&u);
}

void
test_url(void)
{
	struct status st;
	struct url u;
	char *name;
	size_t i;

	test_lmtp_url();
	test_proxy_url();

	for (i = 0; i < COUNT(good_urls); i++) {
		memset(&st, 0, sizeof st);
		name = url_parse(good_urls[i].text, &u, &st) == 0 ? url_name(&u) : NULL;
		if (!ok(equal(u.user, good_urls[i].user) &&
			    equal(u.password, good_urls[i].password) &&
			    equal(u.host, good_urls[i].host) && equal(u.port, good_urls[i].port) &&
			    u.implicit == good_urls[i].implicit && equal(name, good_urls[i].name),
			"URL %s", good_urls[i].text))
			note("%s: user %s, password %s, host %s, port %s, %s%s",
			    name != NULL ? name : "-", u.user != NULL ? u.user : "-",
			    u.password != NULL ? u.password : "-", u.host != NULL ? u.host : "-",
			    u.port != NULL ? u.port : "-", u.implicit ? "TLS" : "STARTTLS",
			    st.text);
		free(name);
		url_free(&u);
	}
	for (i = 0; i < COUNT(bad_urls); i++) {
		memset(&st, 0, sizeof st);
		(void)url_parse(bad_urls[i], &u, &st);
		is_status(&st, "5.3.5", 78, "no URL: %s", bad_urls[i]);
		url_free(&u);
	}
	(void)url_parse("smtp://alice:TopSecret@x:99999", &u, &st);
	ok(strstr(st.text, "TopSecret") == NULL && strstr(st.text, "x:99999") != NULL,
	    "a complaint repeats the host, not the password");
	url_free(&u);
	(void)url_parse("alice:Top@Secret@x", &u, &st);
	ok(strstr(st.text, "Secret") == NULL, "nor one with an @ in it");
	url_free(&u);
	(void)url_parse("submissions://alice:TopSecret", &u, &st);
	ok(strstr(st.text, "TopSecret") == NULL, "nor when the host was forgotten");
	url_free(&u);
}
