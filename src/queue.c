/*
 * queue - between a submission and the spool: an envelope becomes an entry, and an entry an
 * envelope.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pace.h"
#include "queue.h"
#include "say.h"
#include "wait.h"
#include "when.h"

/* Names of wishes in an entry; RET and ENVID have fields of their own there. */
static const struct {
	const char *name;
	size_t offset; /* in struct wishes */
} wishes[] = {
	{ "holduntil", offsetof(struct wishes, hold) },
	{ "by", offsetof(struct wishes, by) },
	{ "mt-priority", offsetof(struct wishes, priority) },
};
#define NWISHES (sizeof wishes / sizeof wishes[0])

int
queue_open(struct spool *q, const struct account *a, bool make, struct status *st)
{
	char *path = a->queue.path != NULL ? xstrdup(a->queue.path) : spool_path();
	int r;

	if (path == NULL) {
		memset(q, 0, sizeof *q);
		q->dir = q->failed = -1;
		return status_set(st, PH_LOCAL, 4, 3, 5,
		    "there is no home directory for the spool: set `queue` to a directory");
	}
	r = spool_open(q, path, make, st);
	free(path);
	return r;
}

static bool
to_be_queued(const struct rcpt *r)
{
	return r->status.class == 0 || status_retry(&r->status);
}

const struct status *
queue_stranded(const struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].stranded)
			return &e->rcpt[i].status;
	return NULL;
}

/* "host:port" without the port; NULL stays NULL. */
static char *
host_of(const char *server)
{
	const char *colon = server != NULL && *server != '/' ? strrchr(server, ':') : NULL;
	struct str host = { 0 };

	if (server != NULL)
		str_put(&host, server, colon != NULL ? (size_t)(colon - server) : strlen(server));
	return host.p;
}

/* ---- into the spool */

static void
make_entry(const struct account *a, const struct envelope *e, const struct message *m,
    const char *server, struct entry *entry)
{
	const struct wishes *wish = e->wish;
	long long now = (long long)time(NULL);
	bool tried = false;
	size_t i;

	entry->account = a->name != NULL ? xstrdup(a->name) : NULL;
	entry->from = xstrdup(e->from);
	entry->ret = wish->ret != NULL ? xstrdup(wish->ret) : NULL;
	entry->envid = wish->envid != NULL ? xstrdup(wish->envid) : NULL;
	/* what a header holds is not ours to judge, but the envelope file takes plain text */
	entry->id = m->id.len > 0 && ascii_clean(m->id.p) ? xstrdup(m->id.p) : NULL;
	for (i = 0; i < NWISHES; i++) {
		const char *text = *(
		    char *const *)(const void *)((const char *)wish + wishes[i].offset);

		if (text != NULL)
			entry_wish(entry, wishes[i].name, text);
	}
	if (wish->require_tls)
		entry_wish(entry, "requiretls", NULL);
	for (i = 0; i < e->n; i++) {
		const struct rcpt *r = &e->rcpt[i];
		const char *notify = r->notify != NULL ? r->notify : wish->notify;
		struct entry_rcpt *to;

		if (!to_be_queued(r))
			continue;
		to = entry_add(entry, r->to);
		to->notify = notify != NULL ? xstrdup(notify) : NULL;
		to->orcpt = r->orcpt != NULL ? xstrdup(r->orcpt) : NULL;
		to->last = r->status;
		to->unknown = r->unknown;
		to->server = host_of(server);
		/* to be interrupted is no failure */
		tried |= r->unknown ||
		    (r->status.class != 0 && !r->stranded && wait_signal() == NULL);
	}
	entry->queued = now;
	entry->tried = tried ? now : 0;
	/* a session that failed is the account's trouble: this one is due as soon as there is one
	 */
	entry->tries = tried;
	entry->next = tried ? pace_next(now, 1) : now;
}

static int
put_message(struct spool *q, struct item *it, const struct message *m, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	const char *p;
	ssize_t n;
	off_t at;
	int r = 0;

	for (at = 0; r == 0 && (n = store_view(&m->own.store, at, buf, &p, st)) != 0; at += n)
		r = n == -1 ? -1 : spool_put(q, it, p, (size_t)n, st);
	free(buf);
	return r;
}

/* The account waits when its session failed; what cannot be written of that only means haste. */
static void
note_session(struct spool *q, const struct account *a, const struct envelope *e)
{
	const struct status *why = queue_stranded(e);
	struct entry_account pace;
	struct status st;

	if (why == NULL || wait_signal() != NULL)
		return;
	pace_load(q, a->name, &pace);
	(void)pace_account_failed(&pace, (long long)time(NULL), why);
	(void)pace_save(q, a->name, &pace, &st);
}

/* What those who are put into the spool as `id` will have as their status, in an array; to be
 * freed. */
static struct status *
promises(const struct envelope *e, const char *id)
{
	struct status *then = xalloc(e->n, sizeof *then);
	size_t i;

	for (i = 0; i < e->n; i++) {
		const struct status *why = &e->rcpt[i].status;

		if (to_be_queued(&e->rcpt[i]))
			status_set(&then[i], PH_LOCAL, 2, 0, 0, "queued as %s%s%.300s", id,
			    why->class != 0 ? ", as " : "", why->class != 0 ? why->text : "");
	}
	return then;
}

int
queue_defer(struct spool *q, const struct account *a, struct envelope *e, const struct message *m,
    const char *server, char id[static SPOOL_ID], struct status *st)
{
	struct status *then = NULL;
	struct item it;
	size_t i;
	int r = spool_new(q, &it, st);

	if (r == 0) {
		make_entry(a, e, m, server, &it.entry);
		/* what wants memory comes before the commit: without any, this ends with 75 */
		then = promises(e, it.id);
		r = put_message(q, &it, m, st);
	}
	if (r == 0)
		r = spool_commit(q, &it, st);
	if (r == 0) {
		(void)strlcpy(id, it.id, SPOOL_ID);
		note_session(q, a, e);
		for (i = 0; i < e->n; i++) {
			struct rcpt *to = &e->rcpt[i];

			if (!to_be_queued(to))
				continue;
			to->status = then[i];
			to->queued = true;
			say_event("%s: %s", to->to, to->status.text);
		}
	}
	free(then);
	spool_close(q, &it);
	return r;
}

/* ---- out of it */

/* BY=time;mode: what has passed since then is gone (RFC 2852 4.1.4). */
static char *
time_left(const char *by, long long waited)
{
	long long seconds = strtoll(by, NULL, 10) - waited;
	const char *mode = strchr(by, ';');
	struct str text = { 0 };

	str_printf(&text, "%lld%s", seconds > 0 ? seconds : 1, mode != NULL ? mode : ";R");
	return text.p;
}

void
queue_envelope(const struct entry *e, long long now, struct queued *out)
{
	const char *by = entry_wished(e, "by");
	time_t until;
	size_t i;

	memset(out, 0, sizeof *out);
	out->envelope.from = xstrdup(e->from);
	out->envelope.wish = &out->wish;
	out->wish.ret = e->ret;
	out->wish.envid = e->envid;
	for (i = 0; i < NWISHES; i++)
		*(const char **)(void *)((char *)&out->wish + wishes[i].offset) = entry_wished(
		    e, wishes[i].name);
	if (out->wish.hold != NULL && when_point(out->wish.hold, (time_t)now, &until) == -1)
		out->wish.hold = NULL; /* its time has come while it waited here */
	if (by != NULL)
		out->wish.by = out->by = time_left(by, now > e->queued ? now - e->queued : 0);
	out->wish.require_tls = entry_wished(e, "requiretls") != NULL;
	/* one to one, and not by envelope_add(), which would leave out one that is there twice */
	out->envelope.rcpt = xalloc(e->n, sizeof *out->envelope.rcpt);
	out->envelope.n = e->n;
	for (i = 0; i < e->n; i++) {
		const struct entry_rcpt *r = &e->rcpt[i];
		struct rcpt *to = &out->envelope.rcpt[i];

		to->to = xstrdup(r->to);
		to->notify = r->notify != NULL ? xstrdup(r->notify) : NULL;
		to->orcpt = r->orcpt != NULL ? xstrdup(r->orcpt) : NULL;
	}
}

void
queue_envelope_free(struct queued *q)
{
	envelope_free(&q->envelope);
	free(q->by);
	memset(q, 0, sizeof *q);
}

void
queue_outcome(const struct queued *q, const char *server, long long now, struct entry *e)
{
	size_t i;

	e->tried = now;
	for (i = 0; i < e->n; i++) {
		const struct rcpt *r = &q->envelope.rcpt[i];

		if (r->stranded)
			continue;
		e->rcpt[i].last = r->status;
		e->rcpt[i].unknown |= r->unknown;
		free(e->rcpt[i].server);
		e->rcpt[i].server = host_of(server);
	}
}
