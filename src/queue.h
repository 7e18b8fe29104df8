/*
 * queue - between a submission and the spool: an envelope becomes an entry, and an entry an envelope.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "message.h"
#include "spool.h"
#include "submit.h"

/* Open the spool of an account, or of a configuration as a whole; as spool_open(). */
int queue_open(struct spool *q, const struct account *a, bool make, struct status *st);

/*
 * Take those who can be tried again (class 4, or undecided) into the spool; `server` ("host:port",
 * or NULL) is the one that was tried. On 0 they are on the disk, and of class 2 now, `queued`; `id`
 * is the name of the entry. On -1 *st says why not, and they are what they were.
 */
int queue_defer(struct spool *q, const struct account *a, struct envelope *e,
    const struct message *m, const char *server, char id[static SPOOL_ID], struct status *st);

/*
 * The envelope of an entry, and what its sender wants; both borrow from it. To be freed by
 * queue_envelope_free(). Wishes that have to do with time are what is left of them.
 */
struct queued {
	struct envelope envelope;
	struct wishes wish;
	char *by;
};
void queue_envelope(const struct entry *e, long long now, struct queued *out);
void queue_envelope_free(struct queued *q);

/*
 * What became of the envelope's recipients by way of `server`, written into the entry that it was
 * made of. Those who were stranded stay what they were.
 */
void queue_outcome(const struct queued *q, const char *server, long long now, struct entry *e);

/* Why somebody is stranded: the account has no session. NULL: nobody is. Borrowed. */
const struct status *queue_stranded(const struct envelope *e);

#endif
