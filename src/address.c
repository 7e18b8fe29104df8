/*
 * address - mailboxes of RFC 5321 and address lists of RFC 5322.
 *
 *     Mailbox      = Local-part "@" ( Domain / address-literal )        RFC 5321 4.1.2
 *     Local-part   = Dot-string / Quoted-string
 *     address-list = *( [address] "," )                                 RFC 5322 3.4, 4.4
 *     address      = mailbox / group
 *     mailbox      = [display-name] "<" [route ":"] addr-spec ">" / addr-spec
 *     group        = display-name ":" [mailbox-list] ";"
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "idn.h"

#define PHRASE_LINE 70

/* ---- one mailbox */

static bool
is_atext(char c)
{
	return isalnum((unsigned char)c) || (c & 0x80) != 0 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Length of the local part at p; 0 when there is none. Two dots in a row and the like are let
 * through, as some providers hand out such addresses and every server judges for itself. */
static size_t
local_part(const char *p)
{
	const char *start = p;

	if (*p != '"') {
		while (is_atext(*p) || *p == '.')
			p++;
		return (size_t)(p - start);
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return 0;
	}
	return (size_t)(p + 1 - start);
}

static bool
is_literal(const char *d, size_t n)
{
	char host[DOMAIN_MAX + 1];
	unsigned char buf[16];

	if (n < 3 || d[0] != '[' || d[n - 1] != ']' || n > DOMAIN_MAX)
		return false;
	(void)strlcpy(host, d + 1, n - 1);
	if (ascii_eqn(host, "IPv6:", 5))
		return inet_pton(AF_INET6, host + 5, buf) == 1;
	return inet_pton(AF_INET, host, buf) == 1;
}

/* sub-domain *("." sub-domain), letters, digits, hyphens; the underscore is in use all the same */
static bool
is_domain(const char *d, size_t n)
{
	size_t i, label = 0;

	for (i = 0; i <= n; i++) {
		if (i == n || d[i] == '.') {
			if (i == label || i - label > 63 || d[label] == '-' || d[i - 1] == '-')
				return false;
			label = i + 1;
		} else if (!isalnum((unsigned char)d[i]) && d[i] != '-' && d[i] != '_')
			return false;
	}
	return n > 0 && n <= DOMAIN_MAX;
}

static int
bad(struct status *st, const char *text, size_t n, const char *why)
{
	return status_set(st, PH_LOCAL, 5, 1, 3, "<%.*s> is not an address: %s",
	    (int)(n > 100 ? 100 : n), text, why);
}

int
address_path(const char *text, struct str *out, struct status *st)
{
	size_t n = strlen(text), local, domain;
	struct str host = { 0 };
	const char *d;
	int r = 0;

	if (n >= 2 && text[0] == '<' && text[n - 1] == '>') {
		text++;
		n -= 2;
	}
	if (n == 0)
		return bad(st, text, n, "it is empty");
	local = local_part(text);
	if (local == n && text[0] != '"') {
		bad(st, text, n,
		    "it has no domain: write user@domain, or set `domain` or `aliases`");
		st->exit = EX_NOUSER;
		return -1;
	}
	if (local == 0 || local >= n || text[local] != '@')
		return bad(st, text, n, "it does not read user@domain");
	if (local > LOCAL_MAX)
		return bad(st, text, n, "more than 64 octets before the @");
	if (!is_utf8(text, local))
		return bad(st, text, n, "what is not ASCII must be UTF-8 before the @");
	d = text + local + 1;
	domain = n - local - 1;
	if (idn_ascii(d, domain, &host) == -1)
		r = bad(st, text, n, "the domain is no internationalised name");
	else if (!is_domain(host.p, host.len) && !is_literal(host.p, host.len))
		r = bad(st, text, n, "the part after the @ is not a domain");
	else if (local + 1 + host.len > ADDRESS_LEN_MAX)
		r = bad(st, text, n, "more than 254 octets");
	else {
		str_put(out, text, local + 1);
		str_put(out, host.p, host.len);
	}
	str_free(&host);
	return r;
}

bool
address_match(const char *pattern, const char *addr)
{
	return fnmatch(pattern, addr, FNM_CASEFOLD) == 0;
}

/* ---- phrases */

/* Such a word shows as it was meant only where it stands outside of quotes (RFC 2047 5). */
static bool
is_encoded(const char *p, size_t n)
{
	return n > 4 && p[0] == '=' && p[1] == '?' && p[n - 2] == '?' && p[n - 1] == '=';
}

static bool
is_atom(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_atext(p[i]) && (unsigned char)p[i] >= ' ' && p[i] != 0x7f)
			return false;
	return true;
}

static void
put_word(const char *p, size_t n, struct str *out)
{
	for (; n > 0; n--, p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			continue;
		if (*p == '"' || *p == '\\')
			str_putc(out, '\\');
		str_putc(out, *p);
	}
}

void
address_phrase(const char *text, struct str *out)
{
	bool encoded = false, quote = false;
	size_t n, line = 0, words;
	const char *p;

	for (p = text; *(p += strspn(p, " \t")) != '\0'; p += n) {
		n = strcspn(p, " \t");
		encoded |= is_encoded(p, n);
		quote |= !is_atom(p, n);
	}
	if (quote && !encoded)
		str_putc(out, '"');
	for (words = 0, p = text; *(p += strspn(p, " \t")) != '\0'; p += n, words++) {
		bool alone;

		n = strcspn(p, " \t");
		alone = encoded && !is_atom(p, n);
		/* a line may end at any space, in quotes as well (RFC 5322 2.2.3) */
		if (words > 0)
			str_puts(out, line + n > PHRASE_LINE ? "\r\n " : " ");
		line = line + n > PHRASE_LINE ? n : line + n + 1;
		if (alone)
			str_putc(out, '"');
		put_word(p, n, out);
		if (alone)
			str_putc(out, '"');
	}
	if (quote && !encoded)
		str_putc(out, '"');
}

/* ---- lists */

struct cursor {
	const char *start, *p;
	struct status *st;
	struct mailbox box; /* what is known of the one that is being read */
};

static int
wrong(struct cursor *c, const char *why)
{
	return status_set(c->st, PH_LOCAL, 5, 1, 3, "%s at column %zu of \"%.60s%s\"", why,
	    (size_t)(c->p - c->start) + 1, c->start, strlen(c->start) > 60 ? "..." : "");
}

/* Make the part `s` reach from `from`, unless it began earlier, to where we are. */
static void
cover(const struct cursor *c, struct span *s, const char *from)
{
	if (s->end == 0)
		s->at = (size_t)(from - c->start);
	s->end = (size_t)(c->p - c->start);
}

/* Skip white space, line ends of folding, and (nested) comments: CFWS. */
static int
skip(struct cursor *c)
{
	const char *comment = NULL;
	unsigned depth = 0;

	for (; *c->p != '\0'; c->p++) {
		if (*c->p == '\\' && depth > 0 && c->p[1] != '\0')
			c->p++;
		else if (*c->p == '(') {
			if (depth++ == 0)
				comment = c->p;
		} else if (*c->p == ')' && depth > 0) {
			if (--depth > 0)
				continue;
			c->box.comment.end = 0;
			cover(c, &c->box.comment, comment + 1);
			c->p++;
			cover(c, &c->box.whole, comment);
			c->p--;
		} else if (depth == 0 && strchr(" \t\r\n", *c->p) == NULL)
			return 0;
	}
	return depth > 0 ? wrong(c, "a comment does not end") : 0;
}

/* One word (atom or quoted string, quotes kept) or "." "@" or a domain literal, onto `out`; it
 * belongs to `part`. */
static int
token(struct cursor *c, struct str *out, struct span *part)
{
	const char *start = c->p;

	if (*c->p == '"' || *c->p == '[') {
		char close = *c->p == '"' ? '"' : ']';

		for (c->p++; *c->p != close; c->p++) {
			if (*c->p == '\\' && c->p[1] != '\0')
				c->p++;
			if (*c->p == '\0')
				return wrong(c,
				    close == '"' ? "a quoted string does not end" : "a [ has no ]");
			if ((*c->p == '\r' || *c->p == '\n') && close == ']')
				return wrong(c, "a line ends inside of brackets");
		}
		c->p++;
	} else if (*c->p == '.' || *c->p == '@')
		c->p++;
	else
		while (is_atext(*c->p))
			c->p++;
	if (c->p == start)
		return wrong(c, "unexpected character");
	cover(c, part, start);
	cover(c, &c->box.whole, start);
	for (; start < c->p; start++) /* folding inside of a quoted string is not part of it */
		if (*start != '\r' && *start != '\n')
			str_putc(out, *start);
	return 0;
}

/* Tokens without the space between them, up to one of `stops`: an addr-spec, or a phrase. They
 * are `part` of the mailbox. */
static int
run(struct cursor *c, const char *stops, struct str *out, struct span *part, unsigned *words)
{
	part->at = part->end = 0;
	*words = 0;
	for (;;) {
		bool joins;

		if (skip(c) == -1)
			return -1;
		if (*c->p == '\0' || strchr(stops, *c->p) != NULL)
			return 0;
		/* two words in a row, not held together by a dot or an @, are a phrase */
		joins = *c->p == '.' || *c->p == '@' || out->len == 0 ||
		    out->p[out->len - 1] == '.' || out->p[out->len - 1] == '@';
		*words += !joins;
		c->box.odd |= *c->p == '@' && part == &c->box.name;
		if (token(c, out, part) == -1)
			return -1;
	}
}

/* "<" [ "@" route ":" ] addr-spec ">" with what may follow it, the addr-spec onto `addr`. */
static int
angle(struct cursor *c, struct str *addr)
{
	unsigned words = 0;
	bool route = false;
	int r;

	c->p++;
	cover(c, &c->box.whole, c->p - 1);
	r = run(c, ">:,", addr, &c->box.spec, &words);

	/* a source route (RFC 5322 4.4) says how, not where to; it is dropped */
	while (r == 0 && (*c->p == ':' || *c->p == ',')) {
		bool end = *c->p == ':';

		route |= addr->len > 0 && addr->p[0] == '@';
		if ((addr->len > 0 && addr->p[0] != '@') || (end && !route))
			return wrong(c, "a route must read @domain,@domain:");
		c->box.odd = true;
		c->p++;
		str_clear(addr);
		r = run(c, end ? ">" : ">:,", addr, &c->box.spec, &words);
	}
	if (r == -1)
		return -1;
	if (*c->p != '>' || words > 0)
		return wrong(c, "a > is missing");
	c->p++;
	cover(c, &c->box.whole, c->p);
	if (skip(c) == -1)
		return -1;
	if (*c->p != '\0' && *c->p != ',' && *c->p != ';')
		return wrong(c, "expected a comma after \">\"");
	return 0;
}

typedef int each_fn(void *arg, const char *addr, struct status *st);
typedef int each_box_fn(void *arg, const struct mailbox *box, struct status *st);

/* One element of a list; `group` when inside of one. */
static int
element(struct cursor *c, bool *group, each_box_fn *each, void *arg)
{
	struct str words = { 0 }, addr = { 0 };
	unsigned n = 0;
	int r = run(c, "<:,;", &words, &c->box.name, &n);

	if (r == 0 && *c->p == ':') {
		if (*group || words.len == 0)
			r = wrong(c, "unexpected \":\"");
		*group = true;
		c->p++;
		str_free(&words);
		return r;
	}
	c->box.group = *group;
	if (r == 0 && *c->p == '<') {
		r = angle(c, &addr);
		c->box.addr = addr.p;
	} else if (r == 0 && words.len > 0) {
		c->box.addr = words.p;
		c->box.spec = c->box.name;
		c->box.name.at = c->box.name.end = 0;
		c->box.odd = false;
		if (n > 0)
			r = wrong(c,
			    strchr(words.p, '@') != NULL ? "a comma is missing between addresses"
							 : "a name without an address in < >");
	}
	if (r == 0 && c->box.addr != NULL && *c->box.addr != '\0')
		r = each(arg, &c->box, c->st);
	str_free(&words);
	str_free(&addr);
	if (r != 0)
		return r;
	if (*c->p == ';') {
		if (!*group)
			return wrong(c, "unexpected \";\"");
		*group = false;
		c->p++;
	} else if (*c->p == ',')
		c->p++;
	return 0;
}

int
address_walk(const char *text, each_box_fn *each, void *arg, struct status *st)
{
	struct cursor c = { .start = text, .p = text, .st = st };
	bool group = false;
	int r = 0;

	for (;;) {
		memset(&c.box, 0, sizeof c.box);
		if ((r = skip(&c)) != 0 || *c.p == '\0')
			break;
		if ((r = element(&c, &group, each, arg)) != 0)
			break;
	}
	return r == 0 && group ? wrong(&c, "a group does not end with \";\"") : r;
}

struct addresses {
	each_fn *each;
	void *arg;
};

static int
address_alone(void *arg, const struct mailbox *box, struct status *st)
{
	const struct addresses *a = arg;

	return a->each(a->arg, box->addr, st);
}

int
address_list(const char *text, each_fn *each, void *arg, struct status *st)
{
	struct addresses a = { each, arg };

	return address_walk(text, address_alone, &a, st);
}
