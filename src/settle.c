/*
 * settle - what a try of a message of the spool leads to: an end, a report, a rest, or another try.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounce.h"
#include "net.h"
#include "pace.h"
#include "say.h"
#include "settle.h"

#define LATE_AFTER (4 * 3600) /* seconds until notify-delay */

/* ---- reports to the sender */

/* Put `text` into the spool with the envelope that new->entry has. 0, or -1 with *st. */
static int
enqueue(struct settler *s, struct item *new, const struct store *text, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	const char *p;
	ssize_t n;
	off_t at;
	int result = 0;

	for (at = 0; result == 0 && (n = store_view(text, at, buf, &p, st)) != 0; at += n)
		result = n == -1 ? -1 : spool_put(s->q, new, p, (size_t)n, st);
	free(buf);
	if (result == 0)
		result = spool_commit(s->q, new, st);
	if (result == 0)
		strings_add(&s->ids, new->id);
	return result;
}

/* A report is a message of the spool like any other. 0, also when nobody wants one; -1 with *st. */
static int
report(struct settler *s, const struct item *it, enum bounce_kind kind, bool expired,
    struct status *st)
{
	char *name = net_mail_domain();
	struct bounce how = { .kind = kind, .expired = expired, .name = name, .now = time(NULL) };
	struct entry envelope = { 0 };
	struct store text;
	struct item new;
	int result;

	store_init(&text);
	how.until = it->entry.queued + s->account->queue_lifetime / 1000;
	result = bounce_make(&it->entry, &how, it->fd, &text, &envelope, st);
	if (result == 1 && (result = spool_new(s->q, &new, st)) == 0) {
		new.entry = envelope;
		memset(&envelope, 0, sizeof envelope);
		result = enqueue(s, &new, &text, st);
		spool_close(s->q, &new);
	}
	entry_free(&envelope);
	store_free(&text);
	free(name);
	return result;
}

static void
say_given_up(const struct settler *s, const struct item *it)
{
	size_t i;

	for (i = 0; !s->quiet && i < it->entry.n; i++) {
		const struct entry_rcpt *to = &it->entry.rcpt[i];
		struct str who = { 0 };

		if (to->last.class != 5)
			continue;
		str_printf(&who, "%s, given up: %s", it->id, to->to);
		say_status(who.p, &to->last);
		str_free(&who);
	}
}

/* ---- what became of it */

static bool
has_class(const struct entry *e, unsigned class)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == class)
			return true;
	return false;
}

/* Those of one class are of another from now on. */
static void
reclass(struct entry *e, unsigned char from, unsigned char to)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == from)
			e->rcpt[i].last.class = to;
}

/* Their time is over: those who can be tried again, and those with whom nothing was begun. */
static void
expire(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == 0)
			status_set(&e->rcpt[i].last, PH_LOCAL, 5, 4, 7,
			    "there was no try that came to this recipient");
	reclass(e, 4, 5);
}

/* Recipients of any other class leave the entry. */
static void
keep_class(struct entry *e, unsigned class)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == class)
			e->rcpt[n++] = e->rcpt[i];
		else
			entry_free_rcpt(&e->rcpt[i]);
	e->n = n;
}

/* An entry of its own, in failed/, for those of class 5; the others still have theirs. */
static int
rest_apart(struct settler *s, const struct item *it, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	struct str text = { 0 };
	struct item new;
	off_t at = 0;
	ssize_t n;
	int result = spool_new(s->q, &new, st);

	while (result == 0 && (n = pread(it->fd, buf, STORE_CHUNK, at)) != 0) {
		result = n == -1 ? status_errno(st, PH_LOCAL, "cannot read %s", it->id)
				 : spool_put(s->q, &new, buf, (size_t)n, st);
		at += n;
	}
	if (result == 0 && entry_write(&it->entry, &text) == 0)
		(void)entry_parse(text.p, text.len, &new.entry);
	keep_class(&new.entry, 5);
	if (result == 0)
		result = spool_commit(s->q, &new, st);
	if (result == 0)
		result = spool_move(s->q, &new, SPOOL_FAILED, st);
	spool_close(s->q, &new);
	str_free(&text);
	free(buf);
	return result;
}

/*
 * A report on a report would go round in circles: it rests, and is listed. 0 when the entry is
 * still to be written; 1 when all of it rests, or -1 with *st.
 */
static int
rest(struct settler *s, struct item *it, struct status *st)
{
	if (has_class(&it->entry, 4) || has_class(&it->entry, 0) || has_class(&it->entry, 2))
		return rest_apart(s, it, st);
	return spool_move(s->q, it, SPOOL_FAILED, st) == 0 || it->place == SPOOL_FAILED ? 1 : -1;
}

/*
 * Some have failed for good, or with `expired` all who can still be tried. First the report, or a
 * crash in between would give up without a word. As rest().
 */
static int
give_up(struct settler *s, struct item *it, bool expired, struct status *st)
{
	struct entry *e = &it->entry;

	if (e->from[0] != '\0' && report(s, it, BOUNCE_FAILED, expired, st) == -1)
		return -1;
	if (expired)
		expire(e);
	say_given_up(s, it);
	return e->from[0] == '\0' ? rest(s, it, st) : 0;
}

/* What was tried has an outcome: write it down, and tell whom it concerns. 0, or -1 with *st. */
int
settle(struct settler *s, struct item *it, struct status *st)
{
	struct entry *e = &it->entry;
	long long now = (long long)time(NULL);
	bool expired = pace_expired(now, e->queued, s->account->queue_lifetime / 1000);
	struct status own;
	int r = 0;

	e->tries++;
	e->next = pace_next(now, e->tries);
	if (has_class(e, 5) || (expired && has_class(e, 4)))
		r = give_up(s, it, expired, st);
	if (r == 1)
		return 0;
	if (r == -1)
		reclass(e, 5, 4); /* nobody heard of these, so they are tried again */
	else if (s->account->notify_delay && !e->told && has_class(e, 4) &&
	    now - e->queued >= LATE_AFTER) {
		r = report(s, it, BOUNCE_DELAYED, false, st);
		e->told = r == 0;
	}
	/* whatever became of reports: those who have the message must not get it again */
	if (spool_settle(s->q, it, &own) == -1 && r == 0) {
		*st = own;
		r = -1;
	}
	return r;
}
