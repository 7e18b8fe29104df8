/*
 * parties - who sends and who receives: from what callers and headers say to the envelope.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "aliases.h"
#include "net.h"
#include "parties.h"
#include "state.h"
#include "url.h"

/* address_path(), with the account's domain for a bare name. */
static int
qualify(const struct account *a, const char *addr, struct str *out, struct status *st)
{
	struct str full = { 0 };
	int r;

	str_puts(&full, addr);
	if (a != NULL && a->domain != NULL && *addr != '\0' && strpbrk(addr, "@<>\"") == NULL)
		str_printf(&full, "@%s", a->domain);
	r = address_path(str_text(&full), out, st);
	str_free(&full);
	return r;
}

/* ---- recipients */

struct gathering {
	const struct account *account;
	const struct aliases *aliases;
	struct envelope *envelope;
	size_t seen; /* addresses in this list, those that were there already among them */
};

static int
add(void *arg, const char *addr, struct status *st)
{
	struct gathering *g = arg;
	struct str path = { 0 };
	int r = qualify(g->account, addr, &path, st);

	if (r == 0)
		envelope_add(g->envelope, path.p);
	str_free(&path);
	return r;
}

/* Domains that mean this machine, whoever runs it. */
static bool
is_local(const char *domain)
{
	return ascii_eq(domain, "localhost") || ascii_eq(domain, "localhost.localdomain") ||
	    ascii_eq(domain, net_own_name());
}

const char *
parties_domain(const char *addr)
{
	const char *quote = strrchr(addr, '"');
	const char *at = strrchr(quote != NULL ? quote : addr, '@');

	return at != NULL ? at + 1 : NULL;
}

bool
parties_local(const struct account *a, const char *addr)
{
	const char *domain = parties_domain(addr);

	if (domain == NULL)
		return true;
	if (!is_local(domain))
		return false;
	if (strchr(domain, '.') == NULL || ascii_eq(domain, "localhost.localdomain"))
		return true;
	if (a->domain != NULL && ascii_eq(a->domain, domain))
		return false;
	return (a->domain != NULL || a->from.n > 0) && !parties_own(a, addr);
}

static int
expand(void *arg, const char *addr, struct status *st)
{
	struct gathering *g = arg;

	g->seen++;
	return aliases_expand(g->aliases, addr, is_local, add, g, st);
}

static int
from_field(struct gathering *g, const char *field, struct status *st)
{
	const char *value = strstr(field, ": ") + 2;
	char why[300];
	unsigned char code;

	if (address_list(value, expand, g, st) == 0)
		return 0;
	if (st->subject == 1) {
		(void)strlcpy(why, st->text, sizeof why);
		code = st->exit;
		(void)status_set(
		    st, PH_LOCAL, 5, 1, 3, "%.*s: %s", (int)(value - 2 - field), field, why);
		st->exit = code;
	}
	return -1;
}

static int
from_argument(struct gathering *g, const char *arg, struct status *st)
{
	g->seen = 0;
	if (!ascii_clean(arg))
		return status_set(st, PH_LOCAL, 5, 1, 3,
		    "recipient \"%.100s\": an address holds no control characters", arg);
	if (address_list(arg, expand, g, st) == -1)
		return -1;
	if (g->seen == 0)
		return status_set(
		    st, PH_LOCAL, 5, 1, 3, "recipient \"%.100s\": there is no address in it", arg);
	return 0;
}

int
parties_recipients(const struct account *a, char *const *args, size_t n,
    const struct strings *fields, struct envelope *e, struct status *st)
{
	struct aliases aliases = { 0 };
	struct gathering g = { .account = a, .aliases = &aliases, .envelope = e };
	size_t i;
	int r = 0;

	if (a->aliases != NULL)
		r = aliases_load(&aliases, a->aliases, st);
	for (i = 0; r == 0 && i < n; i++)
		r = from_argument(&g, args[i], st);
	for (i = 0; r == 0 && fields != NULL && i < fields->n; i++)
		r = from_field(&g, fields->v[i], st);
	aliases_free(&aliases);
	if (r == 0 && e->n == 0)
		return status_set(st, PH_LOCAL, 5, 5, 1, "no recipient: %s",
		    fields != NULL ? "To, Cc and Bcc name nobody"
				   : "say who gets the message, as in pneu bob@example.org");
	return r;
}

/* ---- the sender */

static int
keep_first(void *arg, const char *addr, struct status *st)
{
	struct str *first = arg;

	(void)st;
	if (first->len == 0)
		str_puts(first, addr);
	return 0;
}

void
parties_from(const struct message *m, const struct account *a, struct str *out)
{
	struct str first = { 0 };
	struct status st = { 0 };

	(void)address_list(str_text(&m->from), keep_first, &first, &st);
	if (first.len > 0 && qualify(a, first.p, out, &st) == -1)
		str_clear(out);
	str_free(&first);
}

bool
parties_own(const struct account *a, const char *addr)
{
	size_t i;

	for (i = 0; i < a->from.n; i++)
		if (address_match(a->from.v[i], addr))
			return true;
	return false;
}

/* The first of the account's addresses that is no pattern. */
static bool
plain_from(const struct account *a, struct str *out)
{
	struct status st;
	size_t i;

	for (i = 0; i < a->from.n; i++)
		if (strpbrk(a->from.v[i], "*?[") == NULL &&
		    address_path(a->from.v[i], out, &st) == 0)
			return true;
	return false;
}

static void
default_sender(const struct account *a, const char *header, struct str *out)
{
	struct str path = { 0 };
	struct status st;
	struct url u;
	char *login, *domain;

	if (*header != '\0' && parties_own(a, header)) {
		str_puts(out, header);
		return;
	}
	if (plain_from(a, out))
		return;
	if (*header != '\0' && !parties_local(a, header)) {
		str_puts(out, header);
		return;
	}
	if (url_parse(a->server.v[0], &u, &st) == 0 &&
	    address_path(a->user != NULL ? a->user
		    : u.user != NULL	 ? u.user
					 : "",
		&path, &st) == 0)
		str_puts(out, path.p);
	url_free(&u);
	str_free(&path);
	if (out->len > 0)
		return;
	login = login_name();
	domain = a->domain != NULL ? xstrdup(a->domain) : net_mail_domain();
	str_printf(out, "%s@%s", login, domain);
	free(login);
	free(domain);
}

int
parties_sender(const struct account *a, const char *given, const char *header, struct str *out,
    struct status *st)
{
	struct str own = { 0 }, first = { 0 };
	char why[300];
	int r = 0;

	str_puts(out, "");
	if (given != NULL && (*given == '\0' || strcmp(given, "<>") == 0))
		return 0;
	if (!a->from_override) {
		/* a bounce must keep its null sender, or bounces would answer each other */
		if (!plain_from(a, out))
			return status_set(st, PH_LOCAL, 5, 3, 5,
			    "`allow-from-override no` needs a sender: set `from` to an address");
		return 0;
	}
	if (given == NULL) {
		default_sender(a, header, &own);
		given = own.p;
	}
	if (!ascii_clean(given))
		r = status_set(st, PH_LOCAL, 5, 1, 7, "the sender holds a control character");
	else {
		/* "Alice <alice@example.org>" is what some callers give to -f */
		if (strchr(given, '<') != NULL &&
		    address_list(given, keep_first, &first, st) == 0 && first.len > 0)
			given = first.p;
		r = qualify(a, given, out, st);
		if (r == -1 && st->subject == 1) {
			(void)strlcpy(why, st->text, sizeof why);
			status_set(st, PH_LOCAL, 5, 1, 7, "sender %s; set `from`, or use -f", why);
		}
	}
	str_free(&own);
	str_free(&first);
	return r;
}
