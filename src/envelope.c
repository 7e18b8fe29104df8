/*
 * envelope - who sends to whom, and how it ended for each of them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "envelope.h"

static bool
same_mailbox(const char *a, const char *b)
{
	const char *at_a = strrchr(a, '@'), *at_b = strrchr(b, '@');

	if (at_a == NULL || at_b == NULL)
		return strcmp(a, b) == 0;
	return at_a - a == at_b - b && strncmp(a, b, (size_t)(at_a - a)) == 0 &&
	    ascii_eq(at_a, at_b);
}

/* FNV-1a; every new recipient is compared with all before it, and numbers compare quickly */
static uint32_t
hash_of(const char *z)
{
	uint32_t h = 2166136261U;

	for (; *z != '\0'; z++)
		h = (h ^ (unsigned char)tolower((unsigned char)*z)) * 16777619U;
	return h;
}

void
envelope_add(struct envelope *e, const char *to)
{
	uint32_t hash = hash_of(to);
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].hash == hash && same_mailbox(e->rcpt[i].to, to))
			return;
	e->rcpt = xgrow(e->rcpt, &e->cap, e->n + 1, sizeof *e->rcpt);
	memset(&e->rcpt[e->n], 0, sizeof *e->rcpt);
	e->rcpt[e->n].hash = hash;
	e->rcpt[e->n++].to = xstrdup(to);
}

void
envelope_settle(struct envelope *e, const struct status *st)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0)
			e->rcpt[i].status = *st;
}

size_t
envelope_accepted(const struct envelope *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		n += status_ok(&e->rcpt[i].status);
	return n;
}

int
envelope_exit(const struct envelope *e)
{
	unsigned worst = 2;
	int code = EX_OK;
	size_t i;

	for (i = 0; i < e->n; i++) {
		const struct status *st = &e->rcpt[i].status;
		int own = status_exit(st);

		if (st->class > worst || (st->class == worst && own > code)) {
			worst = st->class;
			code = own;
		}
	}
	return code == EX_TEMPFAIL && envelope_accepted(e) > 0 ? EX_UNAVAILABLE : code;
}

void
envelope_free(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		free(e->rcpt[i].to);
	free(e->rcpt);
	free(e->from);
	memset(e, 0, sizeof *e);
}
