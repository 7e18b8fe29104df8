/*
 * flush - what is due in the spool goes out: one session for each account, and reports for what is
 * given up.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/queue.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "flush.h"
#include "log.h"
#include "pace.h"
#include "progress.h"
#include "say.h"
#include "secret.h"
#include "settle.h"
#include "wait.h"

#define ALONG_MOST 10
#define ALONG_MS 30000
#define DEBRIS_AGE 3600 /* what crashes left is removed after an hour */

/* The messages of one account, and the way to its servers. */
struct run {
	struct settler s;
	struct link *link;
	struct ahead ahead;	    /* over the link */
	TAILQ_HEAD(jobs, job) open; /* those whose answers are not there */
	bool forced;		    /* whether they are due or not */
	bool only;		    /* whoever asked for this one hears of *last at the end */
	struct status last; /* the first that kept somebody from a message, class 0: nothing */
	struct status lost; /* why there is no session any more, class 0: there is */
};

/* Is there anything to write down? When a signal ended the try there may not be. */
static bool
has_outcome(const struct envelope *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++) {
		const struct rcpt *to = &e->rcpt[i];

		n += !to->stranded &&
		    (wait_signal() == NULL || !status_retry(&to->status) || to->unknown);
	}
	return n > 0;
}

/* A message on its way; it lives until its answer is there. */
struct job {
	TAILQ_ENTRY(job) next;
	struct item it;
	struct queued queued;
	struct message m;
	int64_t start; /* of wait_now() */
};

/* Send it; heard() ends it. 0, or -1 with *st: it cannot be read. */
static int
begin(struct run *r, struct job *j, struct status *st)
{
	struct str nothing = { 0 };

	j->start = wait_now();
	queue_envelope(&j->it.entry, (long long)time(NULL), &j->queued);
	if (message_open(&j->m, j->it.fd, false, st) == -1 ||
	    message_finish(&j->m, &nothing, st) == -1)
		return -1;
	TAILQ_INSERT_TAIL(&r->open, j, next);
	link_renew(r->link);
	submit_ahead(&r->ahead, &j->queued.envelope, &j->m);
	return 0;
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
	log_message(r->s.account, r->link, e, &j->m, j->start);
	queue_outcome(&j->queued, r->link->name, (long long)time(NULL), &j->it.entry);
	return settle(&r->s, &j->it, st);
}

static void
close_job(struct run *r, struct job **jp)
{
	struct job *j = *jp;

	*jp = NULL;
	queue_envelope_free(&j->queued);
	message_free(&j->m);
	spool_close(r->s.q, &j->it);
	free(j);
}

static void
trouble(struct run *r, const char *id, const struct status *st)
{
	if (!r->s.quiet && !r->only)
		say_status(id, st);
	if (r->last.class == 0)
		r->last = *st;
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

	if (pace_save(r->s.q, r->s.account->name, pace, &st) == -1)
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
	got = spool_take(r->s.q, SPOOL_ACTIVE, id, &j->it, &st);
	if (got == TAKE_TROUBLE)
		trouble(r, id, &st);
	else if (got == TAKE_BUSY && r->only)
		status_set(&r->last, PH_LOCAL, 4, 3, 0, "%s is being sent already", id);
	if (got != TAKE_OK || !is_due(r, &j->it.entry))
		close_job(r, &j);
	return j;
}

/* All of this one are decided: written down at once, whatever is sent meanwhile. */
static void
heard(void *arg, struct envelope *e)
{
	struct run *r = arg;
	struct status st;
	struct job *j;

	TAILQ_FOREACH(j, &r->open, next)
	if (&j->queued.envelope == e)
		break;
	TAILQ_REMOVE(&r->open, j, next);
	if (end(r, j, &st) == -1)
		trouble(r, j->it.id, &st);
	close_job(r, &j);
}

/* Begin message `id`; its answer may be left open until others have begun. Was it tried? */
static bool
one_message(struct run *r, const char *id)
{
	struct job *j = take_job(r, id);
	struct status st;

	if (j == NULL)
		return false;
	if (begin(r, j, &st) == -1) {
		trouble(r, id, &st);
		close_job(r, &j);
	}
	return true;
}

static void
run_account(struct run *r)
{
	struct entry_account pace;
	struct status st;
	size_t i;
	bool sent = false;

	pace_load(r->s.q, r->s.account->name, &pace);
	if (!r->forced && !pace_account_due(&pace, (long long)time(NULL)))
		return;
	for (i = 0; r->lost.class == 0 && !wait_asked(); i++) {
		if (i == r->s.ids.n) {
			/* the last answer may make a report, which goes out as well */
			submit_drain(&r->ahead);
			if (i == r->s.ids.n)
				break;
		}
		say_event("%s, %zu of %zu", r->s.ids.v[i], i + 1, r->s.ids.n);
		progress_place(i + 1, r->s.ids.n);
		sent |= one_message(r, r->s.ids.v[i]);
	}
	submit_drain(&r->ahead);
	if (r->lost.class != 0 && wait_signal() == NULL)
		session_failed(r, &pace);
	else if (sent && r->lost.class == 0 && pace_account_well(&pace) &&
	    pace_save(r->s.q, r->s.account->name, &pace, &st) == -1)
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
	struct run r = {
		.s = { .q = q, .account = l->account, .quiet = true },
		.link = l,
		.ahead = { .link = l, .heard = heard, .arg = &r },
	};
	int64_t until = wait_until(ALONG_MS);
	struct entry_account pace;
	struct spool_ids ids = { 0 };
	struct entry e;
	struct status st;
	size_t i, sent = 0;

	TAILQ_INIT(&r.open);
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
		sent += due && one_message(&r, ids.v[i]);
	}
	submit_drain(&r.ahead);
	spool_ids_free(&ids);
	strings_free(&r.s.ids);
}

/* ---- all of it */

/* The messages by account, in the order in which accounts come up. */
struct groups {
	struct group {
		char *account;
		struct strings ids;
		pid_t child; /* that sends them; 0: this process does */
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

/* What all accounts have in common. */
struct round {
	struct spool *q;
	const struct conf *conf;
	const struct layer *given;
	const struct account *main;
	const struct flush_wish *wish;
};

/* The account of a group. 0, or -1 with *st; account_free() in every case. */
static int
make_account(const struct round *all, const char *name, struct account *a, struct status *st)
{
	const struct account *main = all->main;
	const struct layer *chosen;

	if (conf_account(all->conf, name, NULL, 0, &chosen, st) == -1 ||
	    conf_make(all->conf, all->given, chosen, a, st) == -1)
		return -1;
	/* a descriptor gives its password once, for all accounts and rounds */
	if (a->password_fd != -1 && a->password_fd == main->password_fd && a->password == NULL &&
	    main->password != NULL)
		a->password = xstrdup(main->password);
	return secret_take_fd(a, st);
}

/*
 * One account, over one session; `parent`: others are in processes of ours. *last is how it ended
 * for the first who did not get a message.
 */
static void
one_group(const struct round *all, struct group *g, bool parent, struct status *last)
{
	const struct flush_wish *wish = all->wish;
	struct run r = { .s.q = all->q, .forced = is_forced(wish), .only = wish->id != NULL };
	struct link_plan plan = { .again = true,
		.lasting = true,
		.parent = parent,
		.large = true,
		.spool = all->q->path };
	struct account account = { 0 };
	struct link link;

	if (make_account(all, g->account, &account, last) == -1) {
		/* an account that is gone: its mail waits until it is back, or dropped */
		if (!r.only)
			say_status(g->account, last);
		account_free(&account);
		return;
	}
	r.s.account = &account;
	r.link = &link;
	r.ahead = (struct ahead){ .link = &link, .heard = heard, .arg = &r };
	TAILQ_INIT(&r.open);
	r.s.ids = g->ids;
	memset(&g->ids, 0, sizeof g->ids);
	log_hold(&account);
	link_init(&link, &account);
	/* the next round may be another account's here */
	link.plan = wish->rounds ? NULL : &plan;
	run_account(&r);
	link_free(&link);
	*last = r.last;
	strings_free(&r.s.ids);
	account_free(&account);
}

/*
 * Several accounts each have a process, so that one whose server is slow holds up no other. The
 * signals that end us reach them as well, as they are of our process group, or end with us.
 */
static void
all_groups(const struct round *all, struct groups *g, struct status *last)
{
	size_t i;

	/* they have only one terminal, and none knows what another has left on it */
	if (g->n > 1)
		progress_allow(false);
	for (i = 0; i < g->n; i++) {
		pid_t *child = &g->v[i].child;

		if (i + 1 < g->n && (*child = fork()) > 0)
			continue;
		one_group(all, &g->v[i], g->n > 1 && i + 1 == g->n, last);
		if (i + 1 < g->n && *child == 0)
			_exit(0);
	}
	for (i = 0; i + 1 < g->n; i++) {
		pid_t child = g->v[i].child;

		while (child > 0 && waitpid(child, NULL, WNOHANG) == 0)
			if (wait_poll(NULL, 0, wait_until(50)) == -1) {
				(void)kill(child, SIGTERM);
				(void)waitpid(child, NULL, 0);
				break;
			}
	}
}

int
flush(const struct conf *conf, const struct layer *given, const struct account *main,
    const struct flush_wish *wish, struct status *st)
{
	struct spool q;
	const struct round all = { &q, conf, given, main, wish };
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
		all_groups(&all, &g, &last);
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
