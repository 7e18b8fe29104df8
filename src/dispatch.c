/*
 * dispatch - one message: to the servers, or into the spool, or what is left of it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "dispatch.h"
#include "log.h"
#include "say.h"
#include "wait.h"

/* Is there anything in the spool at all? What is due shows when a session is there. */
static bool
something_waits(struct spool *q)
{
	struct spool_ids ids = { 0 };
	struct status st;
	bool found = spool_ids(q, SPOOL_ACTIVE, &ids, &st) == 0 && ids.n > 0;

	spool_ids_free(&ids);
	return found;
}

static bool
somebody_waits(const struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0 || status_retry(&e->rcpt[i].status))
			return true;
	return false;
}

/* Try what lies in the spool as `id`, in a process that nobody waits for. */
static void
in_background(const struct account *a, const struct dispatch *how, const char *id)
{
	struct flush_wish wish = { .id = id };
	struct status st;
	int fd;

	if (fork() != 0)
		return; /* or it is for the next flush */
	(void)setsid();
	if ((fd = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(fd, STDIN_FILENO);
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
	}
	closefrom(STDERR_FILENO + 1); /* somebody may wait for the end of a pipe */
	(void)flush(how->conf, how->given, a, &wish, &st);
	_exit(0);
}

static void
now(const struct account *a, struct envelope *e, struct message *m, struct spool *q,
    struct submission *sub)
{
	bool more = q != NULL && something_waits(q);
	/* one transaction takes one session; an encoding may triple the message */
	struct link_plan plan = { .again = more || e->n > 1,
		.large = more || message_size(m) > STORE_MEMORY / 3,
		.spool = q != NULL ? q->path : NULL };
	struct link l;

	log_hold(a);
	link_init(&l, a);
	l.plan = &plan;
	submit(&l, e, m, !more, sub);
	/* everybody has it, and no trouble with others of the spool may have it sent again */
	if (envelope_exit(e) == 0)
		xdecided(0);
	if (more && envelope_accepted(e) > 0 && wait_signal() == NULL)
		flush_along(q, &l);
	link_free(&l);
}

void
dispatch(const struct account *a, struct envelope *e, struct message *m, const struct dispatch *how,
    struct submission *sub)
{
	bool later = a->queue.mode == QUEUE_ONLY || how->later || how->background;
	char id[SPOOL_ID];
	struct spool q;
	struct status st;
	int spool;

	memset(sub, 0, sizeof *sub);
	if (a->queue.mode == QUEUE_NO) {
		now(a, e, m, NULL, sub);
		return;
	}
	spool = queue_open(&q, a, true, &st);
	if (!later)
		now(a, e, m, spool == 0 ? &q : NULL, sub);
	if (somebody_waits(e)) {
		if (spool == 0)
			spool = queue_defer(&q, a, e, m, sub->server, id, &st);
		if (spool == 0 && how->background && a->queue.mode != QUEUE_ONLY)
			in_background(a, how, id);
		if (spool == -1) {
			if (!later)
				say_status(NULL, &st); /* besides why it has to wait */
			envelope_settle(e, &st);
		}
	}
	spool_shut(&q);
}
