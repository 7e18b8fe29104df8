/*
 * settle - what a try of a message of the spool leads to: an end, a report, a rest, or another try.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SETTLE_H
#define SETTLE_H

#include "account.h"
#include "spool.h"

struct settler {
	struct spool *q;	       /* borrowed */
	const struct account *account; /* borrowed; of the messages, for lifetimes and reports */
	bool quiet;		       /* nothing is said on standard error */
	struct strings ids;	       /* of messages to be sent; reports that are made are added */
};

/*
 * A message of the spool was tried, and it->entry says how that ended for each recipient: write it
 * down, and tell whom it concerns. What failed for now is tried again later, unless it has waited
 * for `queue-lifetime`; what failed for good is reported to the sender (RFC 3464), and said on
 * standard error. A report that cannot be delivered rests in failed/. 0, or -1 with *st (4.3.x):
 * the spool is in trouble, and those who have the message may get it once more.
 */
int settle(struct settler *s, struct item *it, struct status *st);

#endif
