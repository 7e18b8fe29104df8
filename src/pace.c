/*
 * pace - when what waits in the spool is tried again, and for how long.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chance.h"
#include "durable.h"
#include "pace.h"

#define ACCOUNT_MAX 4096 /* octets of a file that remembers one */
#define NAME_MOST 200	 /* octets of its name; with what is added it must be one */

/* ---- times */

long long
pace_next(long long now, long long failures)
{
	long long delay = PACE_FIRST;

	for (; failures > 1 && delay < PACE_MOST; failures--)
		delay *= 2;
	if (delay > PACE_MOST)
		delay = PACE_MOST;
	return now + delay + (long long)chance_below((uint32_t)PACE_JITTER(delay) + 1);
}

bool
pace_due(long long now, long long next)
{
	return next <= now || next > now + PACE_MOST + PACE_JITTER(PACE_MOST);
}

bool
pace_expired(long long now, long long queued, long long lifetime)
{
	return queued <= now && now - queued > lifetime;
}

/* ---- accounts */

/* Its file: letters and digits are themselves, anything else is "+" and two digits. */
static bool
file_of(const char *account, struct str *name)
{
	str_puts(name, "a-");
	for (; account != NULL && *account != '\0' && name->len < NAME_MOST; account++) {
		unsigned char c = (unsigned char)*account;

		if (c < 0x80 && (isalnum(c) || c == '-' || c == '_'))
			str_putc(name, *account);
		else
			str_printf(name, "+%02X", c);
	}
	return name->len < NAME_MOST;
}

void
pace_load(const struct spool *q, const char *account, struct entry_account *a)
{
	struct str name = { 0 }, text = { 0 };
	const char *why;
	int dir = -1;

	memset(a, 0, sizeof *a);
	if (file_of(account, &name) && durable_below(q->dir, "accounts", false, &dir) == 0 &&
	    durable_read(dir, name.p, ACCOUNT_MAX, &text, &why) == 0 &&
	    entry_account_parse(str_text(&text), text.len, a) != NULL)
		memset(a, 0, sizeof *a);
	if (dir != -1)
		(void)close(dir);
	str_free(&name);
	str_free(&text);
}

int
pace_save(
    const struct spool *q, const char *account, const struct entry_account *a, struct status *st)
{
	struct str name = { 0 }, temporary = { 0 }, text = { 0 };
	int dir = -1, r = 0;
	bool renamed;

	if (file_of(account, &name) && entry_account_write(a, &text) == 0) {
		/* of our own, as nothing keeps two from writing at once */
		str_printf(&temporary, "%s.%ld.tmp", name.p, (long)getpid());
		r = durable_below(q->dir, "accounts", true, &dir);
		if (r == 0)
			r = durable_replace(dir, temporary.p, name.p, &text, &renamed);
		if (r == -1)
			status_errno(st, PH_LOCAL, "cannot write to %s/accounts", q->path);
	}
	if (dir != -1)
		(void)close(dir);
	str_free(&name);
	str_free(&temporary);
	str_free(&text);
	return r;
}

bool
pace_account_due(const struct entry_account *a, long long now)
{
	return pace_due(now, a->next);
}

bool
pace_account_failed(struct entry_account *a, long long now, const struct status *st)
{
	bool tell;

	a->failures++;
	a->last = *st;
	a->next = pace_next(now, a->failures);
	a->refused = st->phase == PH_AUTH && status_exit(st) == EX_NOPERM;
	tell = (a->refused || st->class == 5) &&
	    (a->told == 0 || a->told > now || now - a->told >= PACE_TOLD);
	if (tell)
		a->told = now;
	return tell;
}

bool
pace_account_well(struct entry_account *a)
{
	bool news = a->failures > 0;

	memset(a, 0, sizeof *a);
	return news;
}
