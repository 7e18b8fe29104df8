/*
 * url - where a submission server or a proxy is, from one line.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "idn.h"
#include "socks.h"
#include "url.h"

struct scheme {
	const char *name, *port;
	bool implicit, lmtp, local; /* local: a path to a socket may stand for host and port */
	bool srv;		    /* a domain, without slashes before it */
};

static const struct scheme servers[] = {
	{ "submission", "587", false, false, false, false },
	{ "submissions", "465", true, false, false, false },
	{ "smtps", "465", true, false, false, false },
	{ "smtp", "25", false, false, true, false },
	{ "lmtp", "24", false, true, true, false },
	{ "srv", "", false, false, false, true },
	{ NULL, NULL, false, false, false, false },
};

static const struct scheme proxies[] = {
	{ "socks5", "1080", false, false, false, false },
	{ NULL, NULL, false, false, false, false },
};

/* What may be written where, and what to say when something else is. */
struct kind {
	const struct scheme *schemes;
	const char *what, *names, *example;
};

static const struct kind server_kind = { servers, "server",
	"the scheme must be submissions://, submission://, smtp://, lmtp:// or srv:",
	"submissions://user@host, or submission://user@host:587" };
static const struct kind proxy_kind = { proxies, "proxy", "the scheme must be socks5://",
	"socks5://host:1080, or socks5://user:password@host:1080" };

static int
wrong(struct status *st, const struct kind *kind, const char *text, const char *why)
{
	const char *at = strrchr(text, '@'), *scheme = strstr(text, "://");
	const char *host = at != NULL ? at + 1 : scheme != NULL ? scheme + 3 : text;

	/* a password may stand before the @, or, with the host forgotten, behind a colon */
	return status_set(st, PH_LOCAL, 5, 3, 5, "%s URL %s%.*s: %s (write %s)", kind->what,
	    at != NULL ? "...@" : "", (int)strcspn(host, at != NULL ? "/" : ":/"), host, why,
	    kind->example);
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
			if (p - label > 63 || p == label)
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
	if (literal ? !idn_is_address(host) : !is_name(host)) {
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

/* Text that begins with a scheme of this kind: what follows "://" or ":", and which it is; else
 * NULL. */
static const char *
find_scheme(const char *text, const struct kind *kind, const struct scheme **found)
{
	const char *p = strchr(text, ':');
	const struct scheme *s;

	for (s = kind->schemes; p != NULL && s->name != NULL; s++)
		if (strlen(s->name) == (size_t)(p - text) &&
		    ascii_eqn(text, s->name, (size_t)(p - text)) &&
		    (strncmp(p, "://", 3) == 0) != s->srv) {
			*found = s;
			return p + (s->srv ? 1 : 3);
		}
	return NULL;
}

/* The last "@" of p[0..n), or NULL. */
static const char *
last_at(const char *p, size_t n)
{
	while (n-- > 0)
		if (p[n] == '@')
			return p + n;
	return NULL;
}

/* "user[:password]", up to `at`; NULL, or what is wrong. */
static const char *
parse_user(const char *p, const char *at, struct url *u)
{
	const char *colon = memchr(p, ':', (size_t)(at - p));
	const char *end = colon != NULL ? colon : at;

	if (end == p || (u->user = decode(p, (size_t)(end - p))) == NULL ||
	    (colon != NULL && (u->password = decode(colon + 1, (size_t)(at - colon - 1))) == NULL))
		return "the user name is empty or holds a bad %-escape or a control";
	return NULL;
}

/* "host[:port][/]"; NULL, or what is wrong. */
static const char *
parse_place(const char *p, const struct scheme *scheme, struct url *u)
{
	struct str port = { 0 };
	const char *end;
	int bad;

	if (*p == '[' && scheme->srv)
		return "behind srv: stands a domain and nothing else";
	if (*p == '[') {
		if ((end = strchr(p, ']')) == NULL ||
		    parse_host(p + 1, (size_t)(end - p - 1), true, u) == -1)
			return "no IP address in the brackets";
		p = end + 1;
	} else {
		end = p + strcspn(p, ":/");
		if (parse_host(p, (size_t)(end - p), false, u) == -1)
			return "the host is not a name or an address (IPv6 goes in brackets)";
		p = end;
	}
	if (scheme->srv)
		return *p == '\0' ? NULL : "behind srv: stands a domain and nothing else";
	if (*p == ':') {
		str_put(&port, p + 1, strcspn(p + 1, "/"));
		bad = parse_port(str_text(&port), u);
		p += 1 + port.len;
		str_free(&port);
		if (bad)
			return "the port is not a number from 1 to 65535";
	} else
		u->port = xstrdup(scheme->port);
	if (strcmp(p, "") != 0 && strcmp(p, "/") != 0)
		return "nothing may follow the port";
	return NULL;
}

/* The path of a socket; NULL, or what is wrong. */
static const char *
parse_path(const char *p, const struct scheme *scheme, struct url *u)
{
	u->path = decode(p, strlen(p));
	if (u->path == NULL)
		return "the path holds a bad %-escape or a control";
	if (strlen(u->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
		return "the path is too long for a socket";
	if (u->path[strlen(u->path) - 1] == '/')
		return "there is no socket in the path";
	u->host = xstrdup("localhost");
	u->port = xstrdup(scheme->port);
	return NULL;
}

static int
parse(const char *text, const struct kind *kind, struct url *u, struct status *st)
{
	const struct scheme *scheme = NULL;
	const char *p = find_scheme(text, kind, &scheme), *at, *why = NULL;
	size_t n;

	memset(u, 0, sizeof *u);
	if (p == NULL)
		return wrong(st, kind, text, kind->names);
	u->implicit = scheme->implicit;
	u->lmtp = scheme->lmtp;
	u->srv = scheme->srv;
	/* a path may hold an "@", and a user name a slash, but not with lmtp, nor as the first */
	n = scheme->lmtp || (scheme->local && *p == '/') ? strcspn(p, "/") : strlen(p);
	if ((at = last_at(p, n)) != NULL) {
		why = parse_user(p, at, u);
		p = at + 1;
	}
	if (why == NULL)
		why = scheme->local && *p == '/' ? parse_path(p, scheme, u)
						 : parse_place(p, scheme, u);
	return why == NULL ? 0 : wrong(st, kind, text, why);
}

int
url_parse(const char *text, struct url *u, struct status *st)
{
	return parse(text, &server_kind, u, st);
}

int
url_parse_proxy(const char *text, struct url *u, struct status *st)
{
	if (parse(text, &proxy_kind, u, st) == -1)
		return -1;
	if ((u->user != NULL && strlen(u->user) > SOCKS_LOGIN_MAX) ||
	    (u->password != NULL && strlen(u->password) > SOCKS_LOGIN_MAX))
		return wrong(
		    st, &proxy_kind, text, "user name and password have 255 octets at most");
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
	free(u->path);
	memset(u, 0, sizeof *u);
}

char *
url_name(const struct url *u)
{
	struct str s = { 0 };

	if (u->path != NULL) {
		str_printable(&s, u->path, strlen(u->path));
		return s.p;
	}
	if (u->srv) {
		str_printf(&s, "srv:%s", u->host);
		return s.p;
	}
	str_printf(&s, strchr(u->host, ':') != NULL ? "[%s]:%s" : "%s:%s", u->host, u->port);
	return s.p;
}
