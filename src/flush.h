/*
 * flush - what is due in the spool goes out: one session for each account, and reports for what is
 * given up.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef FLUSH_H
#define FLUSH_H

#include "conf.h"
#include "queue.h"

/* Which messages. All zeroes: all that are due. */
struct flush_wish {
	const char *id; /* this one, now, whether it is due or not */
	/* parts of ids, senders and recipients; those that match are tried now; or NULL */
	const char *some_ids, *some_senders, *some_recipients;
	bool rounds; /* this is not the last time */
};

/*
 * Send what is due. Accounts are served side by side, so that none waits for another; a message
 * that somebody else has is passed over. What fails for now waits longer each time; what fails for
 * good, or has waited for `queue-lifetime`, is reported to its sender, and said on standard error.
 * A failed session keeps back everything of its account and counts for no message; it is said, once
 * a day, where time alone will not help. `main` is the account that says where the spool is, and
 * has the password of `password-fd` when that was read already. 0; or -1 with *st: the spool
 * cannot be read (4.3.x), there is no message `id` (5.5.4), or how it ended for the first recipient
 * of `id` who did not get it.
 */
int flush(const struct conf *conf, const struct layer *given, const struct account *main,
    const struct flush_wish *wish, struct status *st);

/*
 * Take what is due for the account of `l` along over its session: no more than 10 messages, none
 * after 30 seconds, and none that would need another session. Nothing is said of them.
 */
void flush_along(struct spool *q, struct link *l);

#endif
