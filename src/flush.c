/*
 * flush - what is due in the spool goes out: one session for each account, and reports for what is
 * given up.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bounce.h"
#include "flush.h"
#include "pace.h"
#include "say.h"
#include "secret.h"
#include "wait.h"

#define ALONG_MOST 10
#define ALONG_MS 30000
#define DEBRIS_AGE 3600	      /* what crashes left is removed after an hour */
#define LATE_AFTER (4 * 3600) /* seconds until notify-delay */

/* The messages of one account, and the way to its servers. */
struct run {
	struct spool *q;
	struct link *link;
	const struct account *account;
	bool forced;	    /* whether they are due or not */
	bool along;	    /* behind a submission, on its connection and without a word */
	struct ahead ahead; /* over the link */
	struct strings ids; /* reports that are made on the way are added */
	struct status last; /* of the first recipient who did not get the message, class 0: none */
	struct status lost; /* why there is no session any more, class 0: there is */
};

/* ---- reports to the sender */

/* Put `text` into the spool with the envelope that new->entry has. 0, or -1 with *st. */
static int
enqueue(struct run *r, struct item *new, const struct store *text, struct status *st)
{
	char *buf = xalloc(1, STORE_CHUNK);
	const char *p;
	ssize_t n;
	off_t at;
	int result = 0;

	for (at = 0; result == 0 && (n = store_view(text, at, buf, &p, st)) != 0; at += n)
		result = n == -1 ? -1 : spool_put(r->q, new, p, (size_t)n, st);
	free(buf);
	if (result == 0)
		result = spool_commit(r->q, new, st);
	if (result == 0)
		strings_add(&r->ids, new->id);
	return result;
}

/* A report is a message of the spool like any other. 0, also when nobody wants one; -1 with *st. */
static int
report(struct run *r, const struct item *it, enum bounce_kind kind, bool expired, struct status *st)
{
	char *name = net_mail_domain();
	struct bounce how = { .kind = kind, .expired = expired, .name = name, .now = time(NULL) };
	struct entry envelope = { 0 };
	struct store text;
	struct item new;
	int result;

	store_init(&text);
	how.until = it->entry.queued + r->account->queue_lifetime / 1000;
	result = bounce_make(&it->entry, &how, it->fd, &text, &envelope, st);
	if (result == 1 && (result = spool_new(r->q, &new, st)) == 0) {
		new.entry = envelope;
		memset(&envelope, 0, sizeof envelope);
		result = enqueue(r, &new, &text, st);
		spool_close(r->q, &new);
	}
	entry_free(&envelope);
	store_free(&text);
	free(name);
	return result;
}

static void
say_given_up(const struct run *r, const struct item *it)
{
	size_t i;

	for (i = 0; !r->along && i < it->entry.n; i++) {
		const struct entry_rcpt *to = &it->entry.rcpt[i];
		struct str who = { 0 };

		if (to->last.class != 5)
			continue;
		str_printf(&who, "%s, given up: %s", it->id, to->to);
		say_status(who.p, &to->last);
		str_free(&who);
	}
}

/* ---- one message */

static bool
has_class(const struct entry *e, unsigned class)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == class)
			return true;
	return false;
}

/* Those who can still be tried have had their time. */
static void
expire(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].last.class == 4)
			e->rcpt[i].last.class = 5;
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
rest_apart(struct run *r, const struct item *it, struct status *st)
{
	char buf[8192];
	struct str text = { 0 };
	struct item new;
	off_t at = 0;
	ssize_t n;
	int result = spool_new(r->q, &new, st);

	while (result == 0 && (n = pread(it->fd, buf, sizeof buf, at)) != 0) {
		result = n == -1 ? status_errno(st, PH_LOCAL, "cannot read %s", it->id)
				 : spool_put(r->q, &new, buf, (size_t)n, st);
		at += n;
	}
	if (result == 0 && entry_write(&it->entry, &text) == 0)
		(void)entry_parse(text.p, text.len, &new.entry);
	keep_class(&new.entry, 5);
	if (result == 0 && (result = spool_commit(r->q, &new, st)) == 0)
		result = spool_move(r->q, &new, SPOOL_FAILED, st);
	spool_close(r->q, &new);
	str_free(&text);
	return result;
}

/*
 * A report on a report would go round in circles: it rests, and is listed. 0 when the entry has
 * others to try; 1 when all of it rests, or -1 with *st.
 */
static int
rest(struct run *r, struct item *it, struct status *st)
{
	if (has_class(&it->entry, 4) || has_class(&it->entry, 0))
		return rest_apart(r, it, st);
	keep_class(&it->entry, 5);
	return spool_move(r->q, it, SPOOL_FAILED, st) == -1 ? -1 : 1;
}

/* What was tried has an outcome: write it down, and tell whom it concerns. 0, or -1 with *st. */
static int
settle(struct run *r, struct item *it, struct status *st)
{
	struct entry *e = &it->entry;
	long long now = (long long)time(NULL);
	bool expired = pace_expired(now, e->queued, r->account->queue_lifetime / 1000);

	e->tries++;
	e->next = pace_next(now, e->tries);
	if (has_class(e, 5) || (expired && has_class(e, 4))) {
		/* first the report, or a crash in between would give up without a word */
		if (e->from[0] != '\0' && report(r, it, BOUNCE_FAILED, expired, st) == -1)
			return -1;
		if (expired)
			expire(e);
		say_given_up(r, it);
		if (e->from[0] == '\0' && rest(r, it, st) != 0)
			return it->place == SPOOL_FAILED ? 0 : -1;
	}
	if (r->account->notify_delay && !e->told && has_class(e, 4) &&
	    now - e->queued >= LATE_AFTER) {
		if (report(r, it, BOUNCE_DELAYED, false, st) == -1)
			return -1;
		e->told = true;
	}
	return spool_settle(r->q, it, st);
}

/* Is there anything to write down? When a signal ended the try there may not be. */
static bool
has_outcome(const struct envelope *e)
{
	const struct rcpt *to = e->rcpt, *end = to + e->n;

	for (; to < end; to++)
		if (!to->stranded &&
		    (wait_signal() == NULL || !status_retry(&to->status) || to->unknown))
			return true;
	return false;
}

/* A message on its way; it lives until its answer is there. */
struct job {
	struct item it;
	struct queued queued;
	struct message m;
};

/* Send it. 1 when its answer is left open, 0 when all are decided, -1 with *st: it cannot be read.
 */
static int
begin(struct run *r, struct job *j, struct status *st)
{
	struct str nothing = { 0 };

	queue_envelope(&j->it.entry, (long long)time(NULL), &j->queued);
	if (message_open(&j->m, j->it.fd, false, st) == -1 ||
	    message_finish(&j->m, &nothing, st) == -1)
		return -1;
	link_renew(r->link);
	return submit_ahead(&r->ahead, &j->queued.envelope, &j->m);
}

/* All are decided: note what that means, and write it down. 0, or -1 with *st: the spool is in
 * trouble. */
static int
end(struct run *r, struct job *j, struct status *st)
{
	const struct envelope *e = &j->queued.envelope;
	size_t i;

	if (queue_stranded(e) != NULL)
		r->lost = *queue_stranded(e);
	for (i = 0; r->last.class == 0 && i < e->n; i++)
		if (!status_ok(&e->rcpt[i].status))
			r->last = e->rcpt[i].status;
	if (!has_outcome(e))
		return 0;
	queue_outcome(&j->queued, r->link->name, (long long)time(NULL), &j->it.entry);
	return settle(r, &j->it, st);
}

static void
close_job(struct run *r, struct job **jp)
{
	struct job *j = *jp;

	*jp = NULL;
	queue_envelope_free(&j->queued);
	message_free(&j->m);
	spool_close(r->q, &j->it);
	free(j);
}

static void
trouble(const struct run *r, const char *id, const struct status *st)
{
	if (!r->along)
		say_status(id, st);
}

static void
end_job(struct run *r, struct job **jp)
{
	struct status st;

	if (*jp == NULL)
		return;
	if (end(r, *jp, &st) == -1)
		trouble(r, (*jp)->it.id, &st);
	close_job(r, jp);
}

static bool
is_due(const struct run *r, const struct entry *e)
{
	return !e->held && (r->forced || pace_due((long long)time(NULL), e->next));
}

/* ---- one account */

/* All of it waits now, and a person hears of it when time alone will not help, once a day. */
static void
session_failed(struct run *r, struct entry_account *pace)
{
	struct status st;
	bool tell = pace_account_failed(pace, (long long)time(NULL), &r->lost);

	if (pace_save(r->q, r->account->name, pace, &st) == -1)
		say_status(NULL, &st);
	if (tell)
		say_status(r->link->name, &r->lost);
}

/* Message `id`, if it is still there, and due, and nobody else has it; NULL otherwise. */
static struct job *
take_job(struct run *r, const char *id)
{
	struct job *j = xalloc(1, sizeof *j);
	struct status st;
	enum take got;

	store_init(&j->m.own.store);
	got = spool_take(r->q, SPOOL_ACTIVE, id, &j->it, &st);
	if (got == TAKE_TROUBLE)
		trouble(r, id, &st);
	if (got != TAKE_OK || !is_due(r, &j->it.entry))
		close_job(r, &j);
	return j;
}

/*
 * Begin message `id`, and end the one `before`, whose answer is there then; it may be NULL, and is
 * the one whose answer is left open now. Was this one tried?
 */
static bool
one_message(struct run *r, const char *id, struct job **before)
{
	struct job *j = take_job(r, id);
	struct status st;
	int got;

	if (j == NULL)
		return false;
	if ((got = begin(r, j, &st)) == -1) {
		trouble(r, id, &st);
		submit_drain(&r->ahead);
		close_job(r, &j);
	}
	end_job(r, before);
	if (got == 0)
		end_job(r, &j);
	*before = j;
	return true;
}

/* The messages of r->ids, in turn. */
static void
run_account(struct run *r)
{
	struct entry_account pace;
	struct job *before = NULL;
	struct status st;
	size_t i;
	bool sent = false;

	pace_load(r->q, r->account->name, &pace);
	if (!r->forced && !pace_account_due(&pace, (long long)time(NULL)))
		return;
	for (i = 0; r->lost.class == 0 && !wait_asked(); i++) {
		if (i == r->ids.n) {
			/* the last answer may make a report, which goes out as well */
			submit_drain(&r->ahead);
			end_job(r, &before);
			if (i == r->ids.n)
				break;
		}
		sent |= one_message(r, r->ids.v[i], &before);
	}
	submit_drain(&r->ahead);
	end_job(r, &before);
	if (r->lost.class != 0 && wait_signal() == NULL)
		session_failed(r, &pace);
	else if (sent && r->lost.class == 0 && pace_account_well(&pace) &&
	    pace_save(r->q, r->account->name, &pace, &st) == -1)
		say_status(NULL, &st);
}

static bool
same_account(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

void
flush_along(struct spool *q, struct link *l)
{
	struct run r = { .q = q, .link = l, .account = l->account, .along = true, .ahead.link = l };
	struct job *before = NULL;
	int64_t until = wait_until(ALONG_MS);
	struct entry_account pace;
	struct spool_ids ids = { 0 };
	struct entry e;
	struct status st;
	size_t i, sent = 0;

	/* it has a session, whatever was remembered */
	pace_load(q, l->account->name, &pace);
	if (pace_account_well(&pace))
		(void)pace_save(q, l->account->name, &pace, &st);
	if (spool_ids(q, SPOOL_ACTIVE, &ids, &st) == -1)
		return;
	for (i = 0; i < ids.n && sent < ALONG_MOST; i++) {
		bool due = spool_peek(q, SPOOL_ACTIVE, ids.v[i], &e, &st) == 1 && is_due(&r, &e) &&
		    same_account(e.account, l->account->name);

		entry_free(&e);
		if (due && (!link_ready(l) || wait_now() >= until || wait_asked()))
			break;
		sent += due && one_message(&r, ids.v[i], &before);
	}
	submit_drain(&r.ahead);
	end_job(&r, &before);
	spool_ids_free(&ids);
	strings_free(&r.ids);
}

/* ---- all of it */

/* The messages by account, in the order in which accounts come up. */
struct groups {
	struct group {
		char *account;
		struct strings ids;
	} * v;
	size_t n, cap;
};

static void
add_to_group(struct groups *g, const char *account, const char *id)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (same_account(g->v[i].account, account))
			break;
	if (i == g->n) {
		g->v = xgrow(g->v, &g->cap, g->n + 1, sizeof *g->v);
		memset(&g->v[g->n], 0, sizeof *g->v);
		g->v[g->n++].account = account != NULL ? xstrdup(account) : NULL;
	}
	strings_add(&g->v[i].ids, id);
}

static bool
has_recipient(const struct entry *e, const char *part)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (strstr(e->rcpt[i].to, part) != NULL)
			return true;
	return false;
}

static bool
is_wanted(const struct flush_wish *wish, const char *id, const struct entry *e)
{
	if (wish->id != NULL)
		return strcmp(wish->id, id) == 0;
	return (wish->some_ids == NULL || strstr(id, wish->some_ids) != NULL) &&
	    (wish->some_senders == NULL || strstr(e->from, wish->some_senders) != NULL) &&
	    (wish->some_recipients == NULL || has_recipient(e, wish->some_recipients));
}

static bool
is_forced(const struct flush_wish *wish)
{
	return wish->id != NULL || wish->some_ids != NULL || wish->some_senders != NULL ||
	    wish->some_recipients != NULL;
}

static int
gather(struct spool *q, const struct flush_wish *wish, struct groups *g, struct status *st)
{
	struct run any = { .forced = is_forced(wish) };
	struct spool_ids ids = { 0 };
	struct entry e;
	size_t i;
	int r = spool_ids(q, SPOOL_ACTIVE, &ids, st), got;

	for (i = 0; r == 0 && i < ids.n; i++) {
		if (wish->id != NULL && strcmp(wish->id, ids.v[i]) != 0)
			continue;
		if ((got = spool_peek(q, SPOOL_ACTIVE, ids.v[i], &e, st)) == -1)
			say_status(ids.v[i], st); /* one that cannot be read holds up no other */
		if (got == 1 && is_wanted(wish, ids.v[i], &e) && is_due(&any, &e))
			add_to_group(g, e.account, ids.v[i]);
		entry_free(&e);
	}
	spool_ids_free(&ids);
	return r;
}

/* One account, over one session. *last is how it ended for the first who did not get a message. */
static void
one_group(struct spool *q, const struct conf *conf, const struct layer *given, struct group *g,
    const struct flush_wish *wish, struct status *last)
{
	struct run r = { .q = q, .forced = is_forced(wish) };
	const struct layer *chosen;
	struct account account = { 0 };
	struct link link;

	if (conf_account(conf, g->account, NULL, 0, &chosen, last) == -1 ||
	    conf_make(conf, given, chosen, &account, last) == -1 ||
	    secret_take_fd(&account, last) == -1) {
		/* an account that is gone: its mail waits until it is back, or dropped */
		say_status(g->account, last);
		account_free(&account);
		return;
	}
	r.account = &account;
	r.link = r.ahead.link = &link;
	r.ids = g->ids;
	memset(&g->ids, 0, sizeof g->ids);
	link_init(&link, &account);
	run_account(&r);
	link_free(&link);
	*last = r.last;
	strings_free(&r.ids);
	account_free(&account);
}

/*
 * Several accounts each have a process, so that one whose server is slow holds up no other. The
 * signals that end us reach them as well, as they are of our process group, or end with us.
 */
static void
all_groups(struct spool *q, const struct conf *conf, const struct layer *given, struct groups *g,
    const struct flush_wish *wish, struct status *last)
{
	pid_t *child = xalloc(g->n, sizeof *child);
	size_t i;

	for (i = 0; i < g->n; i++) {
		if (i + 1 < g->n && (child[i] = fork()) > 0)
			continue;
		one_group(q, conf, given, &g->v[i], wish, last);
		if (i + 1 < g->n && child[i] == 0)
			_exit(0);
	}
	for (i = 0; i + 1 < g->n; i++)
		while (child[i] > 0 && waitpid(child[i], NULL, WNOHANG) == 0)
			if (wait_poll(NULL, 0, wait_until(50)) == -1) {
				(void)kill(child[i], SIGTERM);
				(void)waitpid(child[i], NULL, 0);
				break;
			}
	free(child);
}

int
flush(const struct conf *conf, const struct layer *given, const struct account *main,
    const struct flush_wish *wish, struct status *st)
{
	struct spool q;
	struct groups g = { 0 };
	struct status last = { 0 };
	size_t i;
	int r = queue_open(&q, main, false, st);

	if (r == 0) {
		(void)spool_clean(&q, DEBRIS_AGE);
		r = gather(&q, wish, &g, st);
	} else if (r == 1)
		r = 0; /* there is no spool, so nothing waits */
	if (r == 0 && g.n > 0)
		all_groups(&q, conf, given, &g, wish, &last);
	if (r == 0 && wish->id != NULL && g.n == 0)
		r = status_set(
		    st, PH_LOCAL, 5, 5, 4, "there is no message %s to be sent", wish->id);
	else if (r == 0 && wish->id != NULL && last.class != 0) {
		*st = last;
		r = -1;
	}
	for (i = 0; i < g.n; i++) {
		free(g.v[i].account);
		strings_free(&g.v[i].ids);
	}
	free(g.v);
	spool_shut(&q);
	return r;
}
