/*
 * list - what an administrator does with the spool: look at what waits, forget it, hold it, let it
 * go.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <libutil.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "json.h"
#include "lines.h"
#include "list.h"
#include "pace.h"
#include "queue.h"
#include "say.h"
#include "when.h"

#define WRITE_AT 65536 /* octets that are gathered before they are written */
#define INDENT "    "
#define HEAD "-ID----------------- --Size --Age--  -Sender, recipients---------------------\r\n"

/* An account that comes up, and what the spool remembers of it. */
struct known {
	char *name;
	struct entry_account pace;
};

struct list {
	struct spool q;
	bool json;
	int fd;
	long long now;
	struct str out;	  /* not written yet */
	long long octets; /* of all messages */
	size_t n;	  /* messages */
	struct known *known;
	size_t accounts, cap;
	struct status trouble; /* with an envelope; class 0: none */
};

enum state { WAITING, SENDING, HELD, FAILED };

static const char *const state_names[] = { "waiting", "sending", "held", "failed" };

/* ---- what is known of a message */

static const struct entry_account *
pace_of(struct list *l, const char *account)
{
	struct known *k;
	size_t i;

	for (i = 0; i < l->accounts; i++) {
		const char *name = l->known[i].name;

		if (name == NULL ? account == NULL : account != NULL && strcmp(name, account) == 0)
			return &l->known[i].pace;
	}
	l->known = xgrow(l->known, &l->cap, l->accounts + 1, sizeof *l->known);
	k = &l->known[l->accounts++];
	k->name = account != NULL ? xstrdup(account) : NULL;
	pace_load(&l->q, account, &k->pace);
	return &k->pace;
}

static enum state
state_of(const struct list *l, enum spool_place place, const char *id, const struct entry *e)
{
	bool busy;
	int fd;

	if (place == SPOOL_FAILED)
		return FAILED;
	if (e->held)
		return HELD;
	fd = spool_view(&l->q, place, id, &busy);
	if (fd != -1)
		(void)close(fd);
	return busy ? SENDING : WAITING;
}

/* When it is tried: by its own time, or by its account's when that is later; now, when it is due.
 */
static long long
next_try(const struct list *l, const struct entry *e, const struct entry_account *a)
{
	long long own = pace_due(l->now, e->next) ? l->now : e->next;
	long long account = pace_account_due(a, l->now) ? l->now : a->next;

	return own > account ? own : account;
}

/* ---- for people */

static void
put_line(struct str *out, const char *indent, const char *z)
{
	size_t line = out->len;

	str_puts(out, indent);
	lines_fold(out, line, indent, z);
}

static void
put_tries(struct str *out, long long n)
{
	if (n == 0)
		str_puts(out, "not tried yet");
	else if (n == 1)
		str_puts(out, "tried once");
	else
		str_printf(out, "tried %lld times", n);
}

/* "next try in 12m" */
static void
put_next(const struct list *l, struct str *out, long long next)
{
	char span[32];

	if (next <= l->now)
		str_puts(out, "due");
	else
		str_printf(out, "next try in %s", when_spoken(next - l->now, span));
}

/* How it ended: "4.4.1 connect: no route", or "RCPT: 450 4.2.0 busy" in the words of the server. */
static void
put_last(struct str *out, const struct status *st)
{
	char enhanced[16];

	if (st->code == 0)
		str_printf(out, "%s ", status_enhanced(st, enhanced));
	if (st->phase != PH_LOCAL)
		str_printf(out, "%s: ", phase_name(st->phase));
	str_puts(out, st->text);
}

static bool
same_last(const struct entry_rcpt *a, const struct entry_rcpt *b)
{
	const struct status *s = &a->last, *t = &b->last;

	return a->unknown == b->unknown && s->class == t->class && s->subject == t->subject &&
	    s->detail == t->detail && s->phase == t->phase && strcmp(s->text, t->text) == 0;
}

/* Those for whom it ended alike stand together, as when a session failed for all of them. */
static void
text_recipients(struct list *l, const struct entry *e)
{
	struct str words = { 0 };
	size_t i;

	for (i = 0; i < e->n; i++) {
		const struct entry_rcpt *r = &e->rcpt[i];

		str_clear(&words);
		str_printable(&words, r->to, strlen(r->to));
		put_line(&l->out, INDENT, str_text(&words));
		if (i + 1 < e->n && same_last(r, r + 1))
			continue;
		str_clear(&words);
		if (r->unknown)
			str_puts(&words, "may have been delivered");
		if (r->unknown && r->last.class != 0)
			str_puts(&words, "; ");
		if (r->last.class != 0)
			put_last(&words, &r->last);
		if (words.len > 0)
			put_line(&l->out, INDENT INDENT, words.p);
	}
	str_free(&words);
}

static void
text_entry(struct list *l, const char *id, const struct entry *e, enum state state)
{
	const struct entry_account *pace = pace_of(l, e->account);
	static const char *const marks[] = { "", "BEING SENT; ", "HELD; ", "FAILED; " };
	struct str words = { 0 };
	char size[8], span[32];

	if (humanize_number(size, 5, e->size, "", HN_AUTOSCALE, HN_DECIMAL | HN_NOSPACE) == -1)
		size[0] = '\0';
	str_printf(&l->out, "%s %6s %7s  ", id, size, when_spoken(l->now - e->queued, span));
	str_printable(&l->out, e->from, strlen(e->from));
	str_puts(&l->out, e->from[0] == '\0' ? "<>\r\n" : "\r\n");
	str_puts(&words, marks[state]);
	put_tries(&words, e->tries);
	if (state == WAITING) {
		str_puts(&words, "; ");
		put_next(l, &words, next_try(l, e, pace));
	}
	if (e->account != NULL) {
		str_puts(&words, "; account ");
		str_printable(&words, e->account, strlen(e->account));
	}
	put_line(&l->out, INDENT, words.p);
	text_recipients(l, e);
	str_puts(&l->out, "\r\n");
	str_free(&words);
}

/* Why nothing moves, and until when. */
static void
text_account(struct list *l, const struct known *k)
{
	const struct entry_account *a = &k->pace;
	struct str words = { 0 };

	if (a->failures == 0)
		return;
	str_puts(&words, k->name != NULL ? "Account " : "The account");
	if (k->name != NULL)
		str_printable(&words, k->name, strlen(k->name));
	str_puts(&words, a->refused ? ": the login was refused; " : ": no session; ");
	put_tries(&words, a->failures);
	str_puts(&words, "; ");
	put_next(l, &words, pace_account_due(a, l->now) ? l->now : a->next);
	put_line(&l->out, "", words.p);
	str_clear(&words);
	put_last(&words, &a->last);
	put_line(&l->out, INDENT, words.p);
	str_puts(&l->out, "\r\n");
	str_free(&words);
}

/* The last line is Postfix's to the letter: monitors look for it. */
static void
text_end(struct list *l)
{
	size_t i;

	for (i = 0; i < l->accounts; i++)
		text_account(l, &l->known[i]);
	if (l->n == 0)
		str_puts(&l->out, "Mail queue is empty\r\n");
	else
		str_printf(&l->out, "-- %lld Kbytes in %zu Request%s.\r\n",
		    (l->octets + 1023) / 1024, l->n, l->n == 1 ? "" : "s");
}

/* ---- for programs */

static void
json_time(struct str *out, const char *name, long long when)
{
	char text[32];

	json_member(out, name, when > 0 ? when_text((time_t)when, text) : NULL);
}

static void
json_last(struct str *out, const struct status *st)
{
	if (st->class != 0)
		json_status(out, st);
	else
		str_puts(out, ",\"enhanced\":null,\"code\":0,\"phase\":null,\"text\":null");
}

/* In the words of the report. */
static const char *
result_name(const struct entry_rcpt *r)
{
	return r->unknown	     ? "unknown"
	    : r->last.class == 0     ? "queued"
	    : status_retry(&r->last) ? "deferred"
				     : "refused";
}

static void
json_account(struct str *out, const struct entry_account *a)
{
	str_puts(out, ",\"session\":");
	if (a->failures == 0) {
		str_puts(out, "null");
		return;
	}
	str_printf(out, "{\"failures\":%lld", a->failures);
	json_time(out, "next", a->next);
	json_last(out, &a->last);
	str_putc(out, '}');
}

static void
json_entry(struct list *l, const char *id, const struct entry *e, enum state state)
{
	const struct entry_account *pace = pace_of(l, e->account);
	struct str *out = &l->out;
	size_t i;

	str_puts(out, "{\"version\":1");
	json_member(out, "id", id);
	json_member(out, "state", state_names[state]);
	json_member(out, "account", e->account);
	json_member(out, "sender", e->from);
	json_member(out, "message_id", e->id);
	str_printf(out, ",\"size\":%lld", e->size);
	json_time(out, "queued", e->queued);
	str_printf(out, ",\"age\":%lld,\"tries\":%lld", l->now > e->queued ? l->now - e->queued : 0,
	    e->tries);
	json_time(out, "tried", e->tried);
	json_time(out, "next", state == WAITING ? next_try(l, e, pace) : 0);
	json_account(out, pace);
	str_puts(out, ",\"recipients\":[");
	for (i = 0; i < e->n; i++) {
		str_puts(out, i > 0 ? ",{" : "{");
		json_member(out, "address", e->rcpt[i].to);
		json_member(out, "server", e->rcpt[i].server);
		json_member(out, "result", result_name(&e->rcpt[i]));
		json_last(out, &e->rcpt[i].last);
		str_putc(out, '}');
	}
	str_puts(out, "]}\n");
}

/* ---- all of them */

/* Mail ends its lines in CR LF; here none has another CR. */
static void
drop_crs(struct str *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->len; i++)
		if (s->p[i] != '\r')
			s->p[n++] = s->p[i];
	s->len = n;
}

static int
not_written(struct status *st)
{
	status_set(st, PH_LOCAL, 5, 3, 0, "cannot write it all: %s", strerror(errno));
	st->exit = EX_IOERR;
	return -1;
}

static int
put_out(struct list *l, struct status *st)
{
	if (!l->json)
		drop_crs(&l->out);
	if (durable_write(l->fd, str_text(&l->out), l->out.len) == -1)
		return not_written(st);
	str_clear(&l->out);
	return 0;
}

/* 0, or -1 with *st when the output is in trouble; one that cannot be read holds up no other. */
static int
list_one(struct list *l, enum spool_place place, const char *id, struct status *st)
{
	struct entry e;
	int got = spool_peek(&l->q, place, id, &e, st);

	if (got == -1) {
		if (l->trouble.class != 0)
			say_status(NULL, &l->trouble);
		l->trouble = *st;
	}
	if (got == 1) {
		if (!l->json && l->n == 0)
			str_puts(&l->out, HEAD);
		(l->json ? json_entry : text_entry)(l, id, &e, state_of(l, place, id, &e));
		l->octets += e.size;
		l->n++;
	}
	entry_free(&e);
	return l->out.len >= WRITE_AT ? put_out(l, st) : 0;
}

static void
list_init(struct list *l, int fd)
{
	memset(l, 0, sizeof *l);
	l->fd = fd;
	l->now = (long long)time(NULL);
}

static void
list_free(struct list *l)
{
	size_t i;

	for (i = 0; i < l->accounts; i++)
		free(l->known[i].name);
	free(l->known);
	str_free(&l->out);
	spool_shut(&l->q);
}

int
list_all(const struct account *main, bool json, int fd, struct status *st)
{
	struct spool_ids active = { 0 }, failed = { 0 };
	struct list l;
	size_t i = 0, k = 0;
	int r;

	list_init(&l, fd);
	l.json = json;
	r = queue_open(&l.q, main, false, st);
	if (r == 0) {
		r = spool_ids(&l.q, SPOOL_ACTIVE, &active, st);
		if (r == 0)
			r = spool_ids(&l.q, SPOOL_FAILED, &failed, st);
	} else if (r == 1)
		r = 0; /* there is no spool, so nothing waits */
	while (r == 0 && (i < active.n || k < failed.n)) {
		if (k == failed.n ||
		    (i < active.n && memcmp(active.v[i], failed.v[k], SPOOL_ID) < 0))
			r = list_one(&l, SPOOL_ACTIVE, active.v[i++], st);
		else
			r = list_one(&l, SPOOL_FAILED, failed.v[k++], st);
	}
	if (r == 0 && !json)
		text_end(&l);
	if (r == 0)
		r = put_out(&l, st);
	if (r == 0 && l.trouble.class != 0) {
		*st = l.trouble;
		r = -1;
	}
	spool_ids_free(&active);
	spool_ids_free(&failed);
	list_free(&l);
	return r;
}

/* ---- one of them */

static int
no_such(const char *id, struct status *st)
{
	return status_set(st, PH_LOCAL, 5, 5, 4, "there is no message %s in the spool", id);
}

/* The spool that has it, if any has. 0, or -1 with *st; spool_shut() in every case. */
static int
open_spool(struct spool *q, const struct account *main, const char *id, struct status *st)
{
	int r = queue_open(q, main, false, st);

	if (!spool_is_id(id))
		return status_set(st, PH_LOCAL, 5, 5, 4,
		    "\"%s\" is not the name of a message in the spool; --list shows them", id);
	return r == 1 ? no_such(id, st) : r;
}

static int
copy(int from, int to, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(from, buf, STORE_CHUNK)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			r = status_errno(st, PH_LOCAL, "cannot read the message");
		else if (durable_write(to, buf, (size_t)n) == -1)
			r = not_written(st);
	}
	free(buf);
	return r;
}

/* 1, 0 when it is not in this place, or -1 with *st. */
static int
show_from(struct list *l, enum spool_place place, const char *id, bool envelope, int fd,
    struct status *st)
{
	struct entry e;
	bool busy;
	int r = spool_peek(&l->q, place, id, &e, st), from = -1;

	if (r == 1 && (from = spool_view(&l->q, place, id, &busy)) == -1)
		r = errno == ENOENT ? 0 : status_errno(st, PH_LOCAL, "cannot read %s", id);
	if (r == 1 && envelope) {
		text_entry(l, id, &e, state_of(l, place, id, &e));
		(void)put_out(l, st);
	}
	if (r == 1 && copy(from, fd, st) == -1)
		r = -1;
	if (from != -1)
		(void)close(from);
	entry_free(&e);
	return r;
}

int
list_show(const struct account *main, const char *id, bool envelope, int fd, struct status *st)
{
	struct list l;
	int r;

	list_init(&l, STDERR_FILENO);
	r = open_spool(&l.q, main, id, st);
	if (r == 0 && (r = show_from(&l, SPOOL_ACTIVE, id, envelope, fd, st)) == 0)
		r = show_from(&l, SPOOL_FAILED, id, envelope, fd, st);
	if (r == 0)
		r = no_such(id, st);
	list_free(&l);
	return r == 1 ? 0 : -1;
}

static int
release(struct spool *q, struct item *it, struct status *st)
{
	if (it->place == SPOOL_FAILED) {
		it->entry.queued = (long long)time(NULL); /* or its time would be over at once */
		return spool_move(q, it, SPOOL_ACTIVE, st);
	}
	it->entry.held = false;
	it->entry.next = 0;
	return spool_save(q, it, st);
}

static int
change(struct spool *q, struct item *it, enum list_change what, struct status *st)
{
	switch (what) {
	case LIST_DROP:
		return spool_remove(q, it, st);
	case LIST_HOLD:
		it->entry.held = true;
		return spool_save(q, it, st);
	case LIST_RELEASE:
		return release(q, it, st);
	}
	return -1;
}

int
list_change(const struct account *main, enum list_change what, const char *id, struct status *st)
{
	enum take got = TAKE_GONE;
	struct spool q;
	struct item it;
	int r = open_spool(&q, main, id, st), place;

	for (place = SPOOL_ACTIVE; r == 0 && got == TAKE_GONE && place <= SPOOL_FAILED; place++) {
		got = spool_take(&q, (enum spool_place)place, id, &it, st);
		if (got == TAKE_OK)
			r = change(&q, &it, what, st);
		spool_close(&q, &it);
	}
	if (r == 0 && got == TAKE_GONE)
		r = no_such(id, st);
	else if (r == 0 && got == TAKE_BUSY)
		r = status_set(
		    st, PH_LOCAL, 4, 3, 0, "%s is being sent; try again when that has ended", id);
	else if (got == TAKE_TROUBLE)
		r = -1;
	spool_shut(&q);
	return r;
}
