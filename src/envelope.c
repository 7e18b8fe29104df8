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

/* FNV-1a over small letters, so that what same_mailbox() takes for one has one hash */
static uint32_t
hash_of(const char *z)
{
	uint32_t h = 2166136261U;

	for (; *z != '\0'; z++)
		h = (h ^ (unsigned char)tolower((unsigned char)*z)) * 16777619U;
	return h;
}

/* The place of `to` in the table: where it is, or where it would be. */
static uint32_t *
place_of(const struct envelope *e, const char *to)
{
	size_t i = hash_of(to) % e->places;

	while (e->index[i] != 0 && !same_mailbox(e->rcpt[e->index[i] - 1].to, to))
		i = (i + 1) % e->places;
	return &e->index[i];
}

/* Room for one more, with at least half of the places free. */
static void
grow_index(struct envelope *e)
{
	uint32_t i;

	if ((e->n + 1) * 2 <= e->places)
		return;
	free(e->index);
	e->places = e->places == 0 ? 64 : e->places * 4;
	e->index = xalloc(e->places, sizeof *e->index);
	for (i = 0; i < e->n; i++)
		*place_of(e, e->rcpt[i].to) = i + 1;
}

bool
envelope_add(struct envelope *e, const char *to)
{
	uint32_t *place;

	grow_index(e);
	place = place_of(e, to);
	if (*place != 0)
		return false;
	e->rcpt = xgrow(e->rcpt, &e->cap, e->n + 1, sizeof *e->rcpt);
	memset(&e->rcpt[e->n], 0, sizeof *e->rcpt);
	e->rcpt[e->n++].to = xstrdup(to);
	*place = (uint32_t)e->n;
	return true;
}

struct rcpt *
envelope_find(const struct envelope *e, const char *to)
{
	uint32_t number = e->places > 0 ? *place_of(e, to) : 0;

	return number != 0 ? &e->rcpt[number - 1] : NULL;
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

size_t
envelope_undecided(const struct envelope *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		n += e->rcpt[i].status.class == 0;
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

char *
envelope_notify(const char *text)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	struct str list = { 0 };
	unsigned seen = 0;
	size_t i, n;

	if (ascii_eq(text, "never"))
		return xstrdup("NEVER");
	for (;; text += n + 1) {
		n = strcspn(text, ",");
		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == n && ascii_eqn(text, words[i], n))
				break;
		if (i == 3 || (seen & 1U << i) != 0) {
			str_free(&list);
			return NULL;
		}
		seen |= 1U << i;
		str_printf(&list, "%s%s", list.len > 0 ? "," : "", words[i]);
		if (text[n] == '\0')
			return list.p;
	}
}

void
envelope_free(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		free(e->rcpt[i].to);
		free(e->rcpt[i].orcpt);
		free(e->rcpt[i].notify);
	}
	free(e->rcpt);
	free(e->index);
	free(e->from);
	memset(e, 0, sizeof *e);
}
