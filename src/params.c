/*
 * params - what MAIL and RCPT say besides the addresses, and what a server must offer for it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "params.h"
#include "when.h"

#define ORCPT_MAX 500 /* RFC 3461 4.2 */

static const struct wishes none;

/* The wishes that are texts, in the order in which they stand behind MAIL. */
static const struct {
	size_t offset; /* in struct wishes */
	enum ext ext;
	const char *param; /* of MAIL, or NULL when it goes with RCPT */
	const char *need;
} wants[] = {
	{ offsetof(struct wishes, notify), EXT_DSN, NULL, "DSN, which dsn-notify (-N) needs" },
	{ offsetof(struct wishes, ret), EXT_DSN, "RET", "DSN, which dsn-return (-R) needs" },
	{ offsetof(struct wishes, envid), EXT_DSN, "ENVID", "DSN, which dsn-envid (-V) needs" },
	{ offsetof(struct wishes, hold), EXT_FUTURERELEASE, "HOLDUNTIL",
	    "FUTURERELEASE, which `at` needs" },
	{ offsetof(struct wishes, by), EXT_DELIVERBY, "BY", "DELIVERBY, which deliver-by needs" },
	{ offsetof(struct wishes, priority), EXT_PRIORITY, "MT-PRIORITY",
	    "MT-PRIORITY, which `priority` needs" },
};
#define NWANTS (sizeof wants / sizeof wants[0])

static const struct wishes *
wishes_of(const struct envelope *e)
{
	return e->wish != NULL ? e->wish : &none;
}

static const char *
wish_text(const struct wishes *wish, size_t i)
{
	return *(char *const *)(const void *)((const char *)wish + wants[i].offset);
}

static int
check_times(const struct wishes *wish, const struct caps *caps, struct status *st)
{
	time_t now = time(NULL), until;

	if (wish->hold != NULL && caps->hold_max > 0 && when_point(wish->hold, now, &until) == 0 &&
	    (uint64_t)(until - now) > caps->hold_max)
		return status_set(st, PH_MAIL, 5, 3, 3,
		    "the server keeps a message for %" PRIu64 " s at most, and `at` is %" PRIdMAX
		    " s away",
		    caps->hold_max, (intmax_t)(until - now));
	/* RFC 2852 4.1.4.1: only what is to be returned has a least time */
	if (wish->by != NULL && strchr(wish->by, 'R') != NULL &&
	    strtoumax(wish->by, NULL, 10) < caps->by_min)
		return status_set(st, PH_MAIL, 5, 3, 3,
		    "the server promises delivery in %" PRIu64 " s at least, not within deliver-by",
		    caps->by_min);
	return 0;
}

static int
check_wishes(const struct envelope *e, const struct session *s, struct status *st)
{
	const struct wishes *wish = wishes_of(e);
	const struct caps *caps = session_caps(s);
	size_t i;

	for (i = 0; i < NWANTS; i++)
		if (wish_text(wish, i) != NULL && (caps->ext & wants[i].ext) == 0)
			return status_set(
			    st, PH_MAIL, 5, 3, 3, "the server does not offer %s", wants[i].need);
	/* RFC 8689 4.2.1; what is not verified now cannot be demanded of those behind it */
	if (wish->require_tls && !session_info(s)->tls.cert.verified)
		return status_set(
		    st, PH_MAIL, 5, 7, 10, "require-tls needs a verified certificate: see `tls`");
	if (wish->require_tls && (caps->ext & EXT_REQUIRETLS) == 0)
		return status_set(st, PH_MAIL, 5, 7, 30,
		    "the server does not offer REQUIRETLS, which require-tls needs");
	return check_times(wish, caps, st);
}

static bool
beyond_ascii(const char *addr)
{
	return has_8bit(addr, strlen(addr));
}

bool
params_utf8(const struct envelope *e)
{
	size_t i;

	if (beyond_ascii(e->from))
		return true;
	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0 && beyond_ascii(e->rcpt[i].to))
			return true;
	return false;
}

static int
no_utf8(const char *addr, enum phase ph, struct status *st)
{
	return status_set(st, ph, 5, 6, 7,
	    "<%.100s> needs SMTPUTF8, which the server does not offer; write it in ASCII, or take "
	    "another server",
	    addr);
}

int
params_check(
    struct envelope *e, const struct content *c, const struct session *s, struct status *st)
{
	const struct caps *caps = session_caps(s);
	size_t i;

	if (caps->size > 0 && (uint64_t)c->size > caps->size)
		return status_set(st, PH_MAIL, 5, 3, 4,
		    "the message has %" PRIdMAX " octets and the server takes %" PRIu64,
		    (intmax_t)c->size, caps->size);
	if (check_wishes(e, s, st) == -1)
		return -1;
	if ((caps->ext & EXT_SMTPUTF8) != 0)
		return 0;
	if (beyond_ascii(e->from))
		return no_utf8(e->from, PH_MAIL, st);
	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0 && beyond_ascii(e->rcpt[i].to))
			(void)no_utf8(e->rcpt[i].to, PH_RCPT, &e->rcpt[i].status);
	return 0;
}

void
params_mail(
    struct str *to, const struct envelope *e, const struct content *c, const struct caps *caps)
{
	const struct wishes *wish = wishes_of(e);
	size_t i;

	if ((caps->ext & EXT_SIZE) != 0 && c->size > 0)
		str_printf(to, " SIZE=%" PRIdMAX, (intmax_t)c->size);
	if (c->eight && (caps->ext & EXT_8BITMIME) != 0)
		str_puts(to, " BODY=8BITMIME");
	if (c->utf8 && (caps->ext & EXT_SMTPUTF8) != 0)
		str_puts(to, " SMTPUTF8");
	for (i = 0; i < NWANTS; i++) {
		const char *text = wish_text(wish, i);

		if (text == NULL || wants[i].param == NULL)
			continue;
		str_printf(to, " %s=", wants[i].param);
		if (strcmp(wants[i].param, "ENVID") == 0)
			str_xtext(to, text);
		else
			str_puts(to, text);
	}
	if (wish->require_tls)
		str_puts(to, " REQUIRETLS");
}

/* RFC 6533 3: letters beyond ASCII as they are, and the rest of what xtext encodes as \x{..} */
static void
put_unitext(struct str *to, const char *z)
{
	for (; *z != '\0'; z++)
		if ((*z & 0x80) != 0 ||
		    (*z > ' ' && *z < 0x7f && *z != '+' && *z != '=' && *z != '\\'))
			str_putc(to, *z);
		else
			str_printf(to, "\\x{%02X}", (unsigned char)*z);
}

void
params_rcpt(struct str *to, const struct envelope *e, const struct rcpt *r)
{
	const char *notify = r->notify != NULL ? r->notify : wishes_of(e)->notify;
	struct str whom = { 0 };

	if (notify != NULL)
		str_printf(to, " NOTIFY=%s", notify);
	if (notify == NULL && r->orcpt == NULL)
		return;
	if (r->orcpt != NULL)
		str_puts(&whom, r->orcpt);
	else if (beyond_ascii(r->to)) {
		str_puts(&whom, "utf-8;");
		put_unitext(&whom, r->to);
	} else {
		str_puts(&whom, "rfc822;");
		str_xtext(&whom, r->to);
	}
	if (whom.len <= ORCPT_MAX)
		str_printf(to, " ORCPT=%s", whom.p);
	str_free(&whom);
}
