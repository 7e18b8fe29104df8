/*
 * settings - the one table of everything that can be configured.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "idn.h"
#include "sasl.h"
#include "settings.h"
#include "state.h"
#include "url.h"

static const char *const tls_names[] = { "none", "may", "encrypt", "tofu", "fingerprint", "verify",
	NULL };
static const char *const bool_names[] = { "no", "yes", "off", "on", "false", "true", NULL };

#define AT(field) offsetof(struct account, field)
/* clang-format off */
const struct setting settings[] = {
	{ "server", T_URLS, AT(server), NULL, "URL",
	  "where to submit: submissions://user@host", NULL },
	{ "user", T_STRING, AT(user), NULL, "NAME",
	  "user name, instead of the one in the URL", NULL },
	{ "password", T_SECRET, AT(password), NULL, NULL,
	  "the password (in a file of mode 600 only)", NULL },
	{ "password-file", T_PATH, AT(password_file), NULL, "FILE",
	  "read the password from FILE", NULL },
	{ "password-command", T_COMMAND, AT(password_command), NULL, "CMD",
	  "run CMD, which prints the password", NULL },
	{ "password-fd", T_FD, AT(password_fd), NULL, "N",
	  "read the password from descriptor N", NULL },
	{ "auth", T_AUTH, AT(auth), NULL, "MECHANISM",
	  "auto, none, or the mechanism to use", NULL },
	{ "from", T_PATTERNS, AT(from), NULL, "ADDRESS",
	  "the sender; patterns choose the account", NULL },
	{ "domain", T_HOST, AT(domain), NULL, "NAME",
	  "the domain of addresses that have none", NULL },
	{ "aliases", T_PATH, AT(aliases), NULL, "FILE",
	  "who gets mail to root and the like", NULL },
	{ "dsn-notify", T_NOTIFY, AT(dsn_notify), NULL, "WHEN",
	  "report never, or on success,failure,delay", NULL },
	{ "dsn-return", T_RETURN, AT(dsn_return), NULL, "WHAT",
	  "headers or full message in a report", NULL },
	{ "dsn-envid", T_STRING, AT(dsn_envid), NULL, "ID",
	  "name this sending in reports", NULL },
	{ "ehlo", T_HOST, AT(ehlo), NULL, "NAME",
	  "how we call ourselves towards the server", NULL },
	{ "source-address", T_ADDRESS, AT(source_address), NULL, "ADDR",
	  "connect from this address of ours", NULL },
	{ "proxy", T_PROXY, AT(proxy), NULL, "URL",
	  "go through socks5://user@host:port", NULL },
	{ "tunnel", T_COMMAND, AT(tunnel), NULL, "CMD",
	  "talk to CMD, which leads to the server", NULL },
	{ "tls", T_CHOICE, AT(tls), "verify", "LEVEL",
	  "none may encrypt tofu fingerprint verify", tls_names },
	{ "tls-ca", T_PATH, AT(tls_ca), NULL, "FILE",
	  "trust these CAs instead of the system's", NULL },
	{ "tls-pin", T_PINS, AT(tls_pin), NULL, "PIN",
	  "trust this certificate or key", NULL },
	{ "tls-crl", T_PATH, AT(tls_crl), NULL, "FILE",
	  "certificates that were revoked", NULL },
	{ "tls-cert", T_PATH, AT(tls_cert), NULL, "FILE",
	  "our own certificate; or a PKCS#11 URI", NULL },
	{ "tls-key", T_PATH, AT(tls_key), NULL, "FILE",
	  "its key, when it is not in the same file", NULL },
	{ "tls-name", T_HOST, AT(tls_name), NULL, "NAME",
	  "the certificate is for NAME, not the host", NULL },
	{ "tls-priority", T_STRING, AT(tls_priority), NULL, "STRING",
	  "GnuTLS priority string", NULL },
	{ "timeout", T_TIME, AT(timeout), NULL, "TIME",
	  "longest wait for any one reply", NULL },
	{ "connect-timeout", T_TIME, AT(connect_timeout), "30s", "TIME",
	  "longest wait for a connection", NULL },
	{ "deadline", T_TIME, AT(deadline), "30m", "TIME",
	  "give up after this long, all in all", NULL },
	{ "partial", T_BOOL, AT(partial), "yes", "yes|no",
	  "send to some when others are refused", bool_names },
	{ "pipelining", T_BOOL, AT(pipelining), "yes", "yes|no",
	  "use PIPELINING where offered", bool_names },
	{ NULL, T_STRING, 0, NULL, NULL, NULL, NULL },
};
/* clang-format on */
_Static_assert(sizeof settings / sizeof settings[0] <= SETTINGS_MAX, "SETTINGS_MAX is too small");

const char *
setting_nearest(const char *word)
{
	const char *names[SETTINGS_MAX];
	size_t i = 0;

	do
		names[i] = settings[i].name;
	while (settings[i++].name != NULL);
	return nearest(word, names);
}

const struct setting *
setting_find(const char *name)
{
	const struct setting *set;

	for (set = settings; set->name != NULL; set++)
		if (ascii_eq(set->name, name))
			return set;
	return NULL;
}

bool
setting_is_raw(const struct setting *set)
{
	return set->type == T_SECRET || set->type == T_COMMAND;
}

bool
setting_is_list(const struct setting *set)
{
	return set->type == T_URLS || set->type == T_PATTERNS || set->type == T_PINS;
}

/* ---- values; each stores into the field at `at`, or returns -1 with *st */

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
	wrong(st, set, value, list.p);
	str_free(&list);
	return -1;
}

static int
put_time(const struct setting *set, const char *value, long long *at, struct status *st)
{
	static const struct {
		const char *unit;
		long long ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 }, { "ms", 1 } };
	const char *unit = value + strspn(value, "0123456789"), *why;
	char digits[16] = "";
	size_t i;

	if (unit > value && (size_t)(unit - value) < sizeof digits) {
		(void)strlcpy(digits, value, (size_t)(unit - value) + 1);
		for (i = 0; i < sizeof units / sizeof units[0]; i++)
			if (ascii_eq(unit, units[i].unit)) {
				*at = strtonum(digits, 1, 10000000, &why) * units[i].ms;
				if (why == NULL)
					return 0;
			}
	}
	return wrong(st, set, value, "a time reads 30s, 5m or 2h");
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

/* RFC 3461 4.1: "NEVER", or a list of the others */
static int
put_notify(const struct setting *set, const char *value, char **at, struct status *st)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	struct str list = { 0 };
	unsigned seen = 0;
	size_t i, n;

	if (ascii_eq(value, "never")) {
		*at = xstrdup("NEVER");
		return 0;
	}
	for (;; value += n + 1) {
		n = strcspn(value, ",");
		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == n && ascii_eqn(value, words[i], n))
				break;
		if (i == 3 || (seen & 1U << i) != 0) {
			str_free(&list);
			return wrong(
			    st, set, value, "it is never, or some of success,failure,delay");
		}
		seen |= 1U << i;
		str_printf(&list, "%s%s", list.len > 0 ? "," : "", words[i]);
		if (value[n] == '\0')
			break;
	}
	*at = list.p;
	return 0;
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

	if (strpbrk(value, " \t<>") != NULL || idn_ascii(value, strlen(value), &name) == -1)
		return wrong(st, set, value, "it is no host name");
	*at = name.p;
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

static void
proxy_free(struct proxy *p)
{
	free(p->host);
	free(p->port);
	free(p->user);
	if (p->password != NULL)
		freezero(p->password, strlen(p->password));
}

static int
put_value(const struct setting *set, const char *value, struct account *a, struct status *st)
{
	void *at = (char *)a + set->offset;
	struct url u;
	int r;

	if (*value == '\0')
		return wrong(st, set, value, "a value is missing");
	switch (set->type) {
	case T_CHOICE:
		return put_choice(set, value, at, st);
	case T_BOOL: {
		int i;

		if (put_choice(set, value, &i, st) == -1)
			return -1;
		*(bool *)at = i % 2 == 1;
		return 0;
	}
	case T_AUTH:
		return put_auth(set, value, a, st);
	case T_NOTIFY:
		return put_notify(set, value, at, st);
	case T_RETURN:
		return put_return(set, value, at, st);
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
		if (!idn_is_address(value))
			return wrong(st, set, value, "it is an address of IPv4 or IPv6");
		*(char **)at = xstrdup(value);
		return 0;
	case T_PATH:
		return put_path(set, value, at, st);
	case T_PROXY:
		return put_proxy(value, at, st);
	case T_URLS:
		r = url_parse(value, &u, st);
		url_free(&u);
		if (r == -1)
			return -1;
		strings_add(at, value);
		return 0;
	case T_PATTERNS:
		if (strpbrk(value, "<> \t") != NULL)
			return wrong(
			    st, set, value, "an address reads user@domain, a pattern *@domain");
		if (strpbrk(value, "*?[") == NULL) {
			struct str path = { 0 };

			r = address_path(value, &path, st);
			str_free(&path);
			if (r == -1)
				return wrong(st, set, value,
				    "an address reads user@domain, a pattern *@domain");
		}
		strings_add(at, value);
		return 0;
	default:
		*(char **)at = xstrdup(value);
		return 0;
	}
}

/* ---- layers and accounts */

int
layer_set(struct layer *l, const struct setting *set, const char *value, struct status *st)
{
	struct strings *own = &l->value[set - settings];
	struct account scratch;
	int r;

	if (!ascii_clean(value) && set->type != T_COMMAND)
		return status_set(
		    st, PH_LOCAL, 5, 3, 5, "%s: the value holds a control character", set->name);
	memset(&scratch, 0, sizeof scratch);
	r = put_value(set, value, &scratch, st);
	account_free(&scratch);
	if (r == 0 && (own->n == 0 || setting_is_list(set)))
		strings_add(own, value);
	return r;
}

bool
setting_is_secret(const struct setting *set, const char *value)
{
	struct status st;
	struct url u;
	bool found;

	if (set->type != T_URLS && set->type != T_PROXY)
		return set->type == T_SECRET;
	found = (set->type == T_URLS ? url_parse : url_parse_proxy)(value, &u, &st) == 0 &&
	    u.password != NULL;
	url_free(&u);
	return found;
}

void
layer_free(struct layer *l)
{
	size_t i;

	for (i = 0; i < SETTINGS_MAX; i++)
		strings_free(&l->value[i]);
	free(l->name);
	memset(l, 0, sizeof *l);
}

/* Is this one of the ways to give a password? */
static bool
gives_password(const struct setting *set)
{
	return strncmp(set->name, "password", 8) == 0;
}

/* The first layer that says anything of this setting, or NULL. */
static const struct strings *
first_word(const struct setting *set, const struct layer *const layers[], size_t n)
{
	const struct setting *any;
	size_t i;

	for (i = 0; i < n; i++) {
		if (layers[i]->value[set - settings].n > 0)
			return &layers[i]->value[set - settings];
		if (!gives_password(set))
			continue;
		for (any = settings; any->name != NULL; any++)
			if (gives_password(any) && layers[i]->value[any - settings].n > 0)
				return NULL;
	}
	return NULL;
}

void
account_make(struct account *a, const struct layer *const layers[], size_t n)
{
	const struct setting *set;
	struct status st;
	size_t i, k;

	memset(a, 0, sizeof *a);
	a->password_fd = -1;
	for (set = settings; set->name != NULL; set++) {
		const struct strings *said = first_word(set, layers, n);

		/* checked when they were read, so nothing can go wrong here */
		for (k = 0; said != NULL && k < said->n; k++)
			(void)put_value(set, said->v[k], a, &st);
		if (said == NULL && set->initial != NULL)
			(void)put_value(set, set->initial, a, &st);
	}
	for (i = 0; i < n; i++)
		if (layers[i]->name != NULL && a->name == NULL)
			a->name = xstrdup(layers[i]->name);
}

static bool
holds_string(const struct setting *set)
{
	return set->type <= T_COMMAND || set->type == T_AUTH || set->type == T_NOTIFY ||
	    set->type == T_RETURN;
}

void
account_free(struct account *a)
{
	const struct setting *set;

	for (set = settings; set->name != NULL; set++) {
		void *at = (char *)a + set->offset;

		if (setting_is_list(set))
			strings_free(at);
		else if (set->type == T_PROXY)
			proxy_free(at);
		else if (holds_string(set) && *(char **)at != NULL)
			freezero(*(char **)at, strlen(*(char **)at));
	}
	free(a->name);
	memset(a, 0, sizeof *a);
}
