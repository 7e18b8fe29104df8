/*
 * values - what may be said in a setting: each kind of value is checked and stored here.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "envelope.h"
#include "idn.h"
#include "net.h"
#include "sasl.h"
#include "state.h"
#include "url.h"
#include "values.h"
#include "when.h"

const char *const value_tls_names[] = { "none", "may", "encrypt", "tofu", "fingerprint", "verify",
	NULL };
const char *const value_bool_names[] = { "no", "yes", "off", "on", "false", "true", NULL };
const char *const value_rewrite_names[] = { "no", "yes", "off", "on", "false", "true", "always",
	NULL };

/* Each of these stores into the field at `at`, or returns -1 with *st. */

static int
wrong(struct status *st, const struct setting *set, const char *value, const char *right)
{
	return status_set(
	    st, PH_LOCAL, 5, 3, 5, "%s does not take \"%.80s\": %s", set->name, value, right);
}

static int
put_choice(const struct setting *set, const char *value, int *at, struct status *st)
{
	struct str list = { 0 };
	const char *near;
	int i;

	for (i = 0; set->choices[i] != NULL; i++)
		if (ascii_eq(set->choices[i], value)) {
			*at = i;
			return 0;
		}
	near = nearest(value, set->choices);
	str_puts(&list, near != NULL ? "did you mean " : "it is one of ");
	for (i = 0; near == NULL && set->choices[i] != NULL; i++)
		str_printf(&list, "%s%s", i > 0 ? ", " : "", set->choices[i]);
	str_printf(&list, "%s%s", near != NULL ? near : "", near != NULL ? "?" : "");
	/* elsewhere it is a switch, or says which kind */
	if (near == NULL && set->choices == value_tls_names)
		str_puts(&list,
		    " (the default); for STARTTLS write submission:// in `server`, else "
		    "submissions://");
	wrong(st, set, value, list.p);
	str_free(&list);
	return -1;
}

static int
put_time(const struct setting *set, const char *value, long long *at, struct status *st)
{
	return when_span(value, at) == 0 ? 0 : wrong(st, set, value, "a time reads 30s, 5m or 2h");
}

static int
put_path(const struct setting *set, const char *value, char **at, struct status *st)
{
	struct str path = { 0 };
	const char *home;

	if (value[0] == '~' && (value[1] == '/' || value[1] == '\0')) {
		if ((home = home_directory()) == NULL)
			return wrong(st, set, value, "there is no home directory");
		str_puts(&path, home);
		value++;
	}
	str_puts(&path, value);
	*at = path.p;
	return 0;
}

static int
put_auth(const struct setting *set, const char *value, struct account *a, struct status *st)
{
	const struct mech *m = sasl_mech(value);
	const char *names[SASL_MECHS_MAX + 3] = { "auto", "none" }, *near;
	size_t i;

	if (ascii_eq(value, "auto"))
		return 0;
	if (ascii_eq(value, "none"))
		a->no_auth = true;
	else if (m != NULL)
		a->auth = xstrdup(m->name);
	else {
		for (i = 0; sasl_mechs[i].name != NULL; i++)
			names[i + 2] = sasl_mechs[i].name;
		near = nearest(value, names);
		if (near == NULL)
			return wrong(
			    st, set, value, "it is auto, none, or a mechanism of pneu.conf(5)");
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "%s does not take \"%.80s\": did you mean %s?", set->name, value, near);
	}
	return 0;
}

static int
put_notify(const struct setting *set, const char *value, char **at, struct status *st)
{
	*at = envelope_notify(value);
	return *at != NULL ? 0
			   : wrong(st, set, value, "it is never, or some of success,failure,delay");
}

static int
put_return(const struct setting *set, const char *value, char **at, struct status *st)
{
	bool full = ascii_eq(value, "full");

	if (!full && !ascii_eq(value, "headers") && !ascii_eq(value, "hdrs"))
		return wrong(st, set, value, "it is headers or full");
	*at = xstrdup(full ? "FULL" : "HDRS");
	return 0;
}

/* RFC 3461 4.4: printable ASCII, at most 100 octets of xtext */
static int
put_envid(const struct setting *set, const char *value, char **at, struct status *st)
{
	struct str text = { 0 };
	size_t len;

	str_xtext(&text, value);
	len = text.len;
	str_free(&text);
	if (len > 100 || !ascii_clean(value) || has_8bit(value, strlen(value)))
		return wrong(st, set, value, "it is printable ASCII, at most 100 octets encoded");
	*at = xstrdup(value);
	return 0;
}

static int
put_at(const struct setting *set, const char *value, char **at, struct status *st)
{
	char text[32];
	time_t when;

	if (when_point(value, time(NULL), &when) == -1)
		return wrong(st, set, value,
		    "it is a time to come: 2h, 08:30, \"2026-12-01 08:30\", "
		    "2026-12-01T08:30:00Z");
	*at = xstrdup(when_text(when, text));
	return 0;
}

/* RFC 2852 4: up to nine digits of seconds, and R(eturn) or N(otify) */
static int
put_by(const struct setting *set, const char *value, char **at, struct status *st)
{
	size_t n = strcspn(value, ",");
	const char *mode = value[n] == ',' ? value + n + 1 : "return";
	char *span = xstrndup(value, n);
	struct str text = { 0 };
	long long ms;
	bool good = when_span(span, &ms) == 0 && ms >= 1000 && ms / 1000 <= 999999999 &&
	    (ascii_eq(mode, "return") || ascii_eq(mode, "notify"));

	free(span);
	if (!good)
		return wrong(st, set, value, "it reads 2h, or 2h,notify");
	str_printf(&text, "%lld;%c", ms / 1000, ascii_eq(mode, "return") ? 'R' : 'N');
	*at = text.p;
	return 0;
}

static int
put_priority(const struct setting *set, const char *value, char **at, struct status *st)
{
	struct str text = { 0 };
	const char *why;
	long long n = strtonum(value, -9, 9, &why);

	if (why != NULL)
		return wrong(st, set, value, "it is a number from -9 to 9");
	str_printf(&text, "%lld", n);
	*at = text.p;
	return 0;
}

static int
put_fd(const struct setting *set, const char *value, int *at, struct status *st)
{
	const char *why;

	*at = (int)strtonum(value, 0, INT_MAX, &why);
	return why == NULL ? 0 : wrong(st, set, value, "it is the number of an open descriptor");
}

static int
put_host(const struct setting *set, const char *value, char **at, struct status *st)
{
	struct str name = { 0 };

	if (strpbrk(value, " \t<>@/") != NULL || idn_ascii(value, strlen(value), &name) == -1)
		return wrong(st, set, value, "it is no host name");
	*at = name.p;
	return 0;
}

void
value_expand(const char *from, struct str *out)
{
	static char *domain; /* the same all along, and the resolver may be slow */
	char *login;

	for (str_puts(out, ""); *from != '\0'; from++)
		if (from[0] != '%' || from[1] == '\0')
			str_putc(out, *from);
		else if (*++from == 'U') {
			login = login_name();
			str_puts(out, login);
			free(login);
		} else if (*from == 'H') {
			if (domain == NULL)
				domain = net_mail_domain();
			str_puts(out, domain);
		} else
			str_putc(out, *from);
}

/* An address or a pattern, with or without %U, %H and %%, which are for account_make(). */
static int
put_pattern(const struct setting *set, const char *value, struct strings *at, struct status *st)
{
	struct str plain = { 0 }, path = { 0 };
	const char *p;
	int r = 0;

	for (p = value; *p != '\0'; p++)
		if (*p != '%')
			str_putc(&plain, *p);
		else if (*++p != '\0' && strchr("UH%", *p) != NULL)
			str_putc(&plain, 'x');
		else {
			r = wrong(st, set, value, "behind % there is U, H or another %");
			break;
		}
	if (r == 0 &&
	    (strpbrk(value, "<> \t") != NULL ||
		(strpbrk(value, "*?[") == NULL && address_path(plain.p, &path, st) == -1)))
		r = wrong(st, set, value, "an address reads user@domain, a pattern *@domain");
	if (r == 0)
		strings_add(at, value);
	str_free(&plain);
	str_free(&path);
	return r;
}

static int
put_address(const struct setting *set, const char *value, char **at, struct status *st)
{
	if (!idn_is_address(value))
		return wrong(st, set, value, "it is an address of IPv4 or IPv6");
	*at = xstrdup(value);
	return 0;
}

static int
put_proxy(const char *value, struct proxy *at, struct status *st)
{
	struct url u;
	int r = url_parse_proxy(value, &u, st);

	if (r == 0) {
		at->host = xstrdup(u.host);
		at->port = xstrdup(u.port);
		at->user = u.user != NULL ? xstrdup(u.user) : NULL;
		at->password = u.password != NULL ? xstrdup(u.password) : NULL;
	}
	url_free(&u);
	return r;
}

static int
put_log(const struct setting *set, const char *value, char **at, struct status *st)
{
	if (*value == '/' || *value == '~')
		return put_path(set, value, at, st);
	if (strcmp(value, "syslog") == 0 || strcmp(value, "journal") == 0)
		*at = xstrdup(value);
	else if (!ascii_eq(value, "no"))
		return wrong(
		    st, set, value, "it is syslog, journal, no, or a file with its whole path");
	return 0;
}

/* A directory is a yes, too. Said of several layers, the least first, each adds what it has. */
static int
put_queue(const struct setting *set, const char *value, struct queue *at, struct status *st)
{
	static const char *const names[] = { "no", "yes", "only", "off", "on", NULL };
	char *path = NULL;
	int i;

	if (*value == '/' || *value == '~') {
		if (put_path(set, value, &path, st) == -1)
			return -1;
		free(at->path);
		at->path = path;
		at->mode = QUEUE_YES;
		return 0;
	}
	for (i = 0; names[i] != NULL; i++)
		if (ascii_eq(names[i], value)) {
			at->mode = i % 3;
			return 0;
		}
	return wrong(st, set, value, "it is no, yes, only, or a directory with its whole path");
}

static int
put_count(const struct setting *set, const char *value, long long *at, struct status *st)
{
	const char *why;

	*at = strtonum(value, 0, 1000000, &why);
	return why == NULL ? 0 : wrong(st, set, value, "it is a number");
}

int
value_put(const struct setting *set, const char *value, struct account *a, struct status *st)
{
	void *at = (char *)a + set->offset;
	struct url u;
	int r;

	if (*value == '\0')
		return wrong(st, set, value, "a value is missing");
	switch (set->type) {
	case T_CHOICE:
		return put_choice(set, value, at, st);
	case T_QUEUE:
		return put_queue(set, value, at, st);
	case T_COUNT:
		return put_count(set, value, at, st);
	case T_BOOL: {
		int i;

		if (put_choice(set, value, &i, st) == -1)
			return -1;
		*(bool *)at = i % 2 == 1;
		return 0;
	}
	case T_REWRITE: {
		int i;

		if (put_choice(set, value, &i, st) == -1)
			return -1;
		*(int *)at = i == 6 ? REWRITE_ALWAYS : i % 2 == 1 ? REWRITE_YES : REWRITE_NO;
		return 0;
	}
	case T_AUTH:
		return put_auth(set, value, a, st);
	case T_NOTIFY:
		return put_notify(set, value, at, st);
	case T_RETURN:
		return put_return(set, value, at, st);
	case T_ENVID:
		return put_envid(set, value, at, st);
	case T_AT:
		return put_at(set, value, at, st);
	case T_BY:
		return put_by(set, value, at, st);
	case T_PRIORITY:
		return put_priority(set, value, at, st);
	case T_FD:
		return put_fd(set, value, at, st);
	case T_PINS:
		if (cert_pin_check(value, st) == -1)
			return -1;
		strings_add(at, value);
		return 0;
	case T_TIME:
		return put_time(set, value, at, st);
	case T_HOST:
		return put_host(set, value, at, st);
	case T_ADDRESS:
		return put_address(set, value, at, st);
	case T_PROXY:
		return put_proxy(value, at, st);
	case T_PATH:
		return put_path(set, value, at, st);
	case T_LOG:
		return put_log(set, value, at, st);
	case T_URLS:
		r = url_parse(value, &u, st);
		url_free(&u);
		if (r == -1)
			return -1;
		strings_add(at, value);
		return 0;
	case T_PATTERNS:
		return put_pattern(set, value, at, st);
	default:
		*(char **)at = xstrdup(value);
		return 0;
	}
}
