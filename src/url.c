/*
 * url - where a submission server is, from one line.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "idn.h"
#include "url.h"

static const struct {
	const char *name, *port;
	bool implicit;
} schemes[] = {
	{ "submission", "587", false },
	{ "submissions", "465", true },
	{ "smtps", "465", true },
	{ "smtp", "25", false },
};
#define NSCHEMES (sizeof schemes / sizeof schemes[0])

static int
wrong(struct status *st, const char *text, const char *why)
{
	const char *at = strrchr(text, '@'), *scheme = strstr(text, "://");
	const char *host = at != NULL ? at + 1 : scheme != NULL ? scheme + 3 : text;

	/* a password may stand before the @, or, with the host forgotten, behind a colon */
	return status_set(st, PH_LOCAL, 5, 3, 5,
	    "server URL %s%.*s: %s (it reads submissions://user@host, or "
	    "submission://user@host:587)",
	    at != NULL ? "...@" : "", (int)strcspn(host, at != NULL ? "/" : ":/"), host, why);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoding of p[0..n); NULL for a bad escape and for anything that is a control. */
static char *
decode(const char *p, size_t n)
{
	char *out = xalloc(n + 1, 1), *to = out;
	size_t i;

	for (i = 0; i < n; i++) {
		char c = p[i];

		if (c == '%') {
			if (n - i < 3 || hex(p[i + 1]) == -1 || hex(p[i + 2]) == -1)
				goto bad;
			c = (char)(hex(p[i + 1]) * 16 + hex(p[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			goto bad;
		*to++ = c;
	}
	return out;
bad:
	freezero(out, n + 1);
	return NULL;
}

static bool
is_address(const char *host)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, host, buf) == 1 || inet_pton(AF_INET6, host, buf) == 1;
}

/* A name as it is asked for in the DNS: letters, digits, hyphens, underscores, dots (RFC 1123 2.1).
 */
static bool
is_name(const char *host)
{
	const char *label = host, *p;

	if (*host == '\0' || strlen(host) > 253)
		return false;
	for (p = host;; p++) {
		if (*p == '.' || *p == '\0') {
			if (p - label > 63 || (p == label && *p == '.') ||
			    (p == label && p == host))
				return false;
			if (*p == '\0')
				return true;
			label = p + 1;
		} else if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			return false;
	}
}

static int
parse_host(const char *p, size_t n, bool literal, struct url *u)
{
	char *host = decode(p, n);
	struct str name = { 0 };
	size_t i;

	if (host == NULL)
		return -1;
	if (!literal) {
		if (idn_ascii(host, strlen(host), &name) == -1)
			str_clear(&name);
		/* one spelling for certificates and for what is remembered of hosts */
		if (name.len > 1 && name.p[name.len - 1] == '.')
			name.p[--name.len] = '\0';
		for (i = 0; i < name.len; i++)
			name.p[i] = (char)tolower((unsigned char)name.p[i]);
		free(host);
		host = xstrdup(str_text(&name));
		str_free(&name);
	}
	if (literal ? !is_address(host) : !is_name(host)) {
		free(host);
		return -1;
	}
	u->host = host;
	return 0;
}

static int
parse_port(const char *p, struct url *u)
{
	const char *why;
	long long n;

	if (!isdigit((unsigned char)*p))
		return -1;
	n = strtonum(p, 1, 65535, &why);
	if (why != NULL)
		return -1;
	{
		struct str s = { 0 };

		str_printf(&s, "%lld", n);
		u->port = s.p;
	}
	return 0;
}

int
url_parse(const char *text, struct url *u, struct status *st)
{
	const char *p = strstr(text, "://"), *at, *end, *colon;
	size_t i;

	memset(u, 0, sizeof *u);
	for (i = 0; p != NULL && i < NSCHEMES; i++)
		if (strlen(schemes[i].name) == (size_t)(p - text) &&
		    ascii_eqn(text, schemes[i].name, (size_t)(p - text)))
			break;
	if (p == NULL || i == NSCHEMES)
		return wrong(
		    st, text, "the scheme must be submissions://, submission:// or smtp://");
	u->implicit = schemes[i].implicit;
	p += 3;
	if ((at = strrchr(p, '@')) != NULL) {
		colon = memchr(p, ':', (size_t)(at - p));
		end = colon != NULL ? colon : at;
		if (end == p || (u->user = decode(p, (size_t)(end - p))) == NULL ||
		    (colon != NULL &&
			(u->password = decode(colon + 1, (size_t)(at - colon - 1))) == NULL))
			return wrong(st, text,
			    "the user name is empty or holds a bad %-escape or a control");
		p = at + 1;
	}
	if (*p == '[') {
		if ((end = strchr(p, ']')) == NULL ||
		    parse_host(p + 1, (size_t)(end - p - 1), true, u) == -1)
			return wrong(st, text, "no IP address in the brackets");
		p = end + 1;
	} else {
		end = p + strcspn(p, ":/");
		if (parse_host(p, (size_t)(end - p), false, u) == -1)
			return wrong(st, text,
			    "the host is not a name or an address (IPv6 goes in brackets)");
		p = end;
	}
	if (*p == ':') {
		struct str port = { 0 };
		int bad;

		str_put(&port, p + 1, strcspn(p + 1, "/"));
		bad = parse_port(str_text(&port), u);
		p += 1 + port.len;
		str_free(&port);
		if (bad)
			return wrong(st, text, "the port is not a number from 1 to 65535");
	} else
		u->port = xstrdup(schemes[i].port);
	if (strcmp(p, "") != 0 && strcmp(p, "/") != 0)
		return wrong(st, text, "nothing may follow the port");
	return 0;
}

void
url_free(struct url *u)
{
	free(u->user);
	if (u->password != NULL)
		freezero(u->password, strlen(u->password));
	free(u->host);
	free(u->port);
	memset(u, 0, sizeof *u);
}

char *
url_name(const struct url *u)
{
	struct str s = { 0 };

	str_printf(&s, strchr(u->host, ':') != NULL ? "[%s]:%s" : "%s:%s", u->host, u->port);
	return s.p;
}
