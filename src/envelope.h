/*
 * envelope - who sends to whom, and how it ended for each of them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdint.h>

#include "status.h"

struct rcpt {
	char *to;	      /* what goes between < and > */
	uint32_t hash;	      /* of it, in small letters */
	struct status status; /* class 0 until decided */
	bool unknown;	      /* the end of the message was sent and its reply never came */
};

struct envelope {
	char *from; /* what goes between < and >; "" is the null sender */
	/* Wishes for delivery reports (RFC 3461), in the words of SMTP; borrowed, NULL: none. */
	const char *notify, *ret, *envid;
	struct rcpt *rcpt;
	size_t n, cap;
};

/* Add a recipient, unless it is there already (the domain's case counts not). `to` is copied. */
void envelope_add(struct envelope *e, const char *to);

/* Everybody who is undecided gets this outcome. */
void envelope_settle(struct envelope *e, const struct status *st);

size_t envelope_accepted(const struct envelope *e);

/*
 * One exit code for all: 0 when everybody was accepted; else that of the worst refused recipient,
 * where permanent beats temporary and then the larger value counts, so that the order of
 * recipients does not matter. Never 75 when somebody was accepted, as a caller that tries again
 * would send a second time to those who have it: 69 then.
 */
int envelope_exit(const struct envelope *e);

void envelope_free(struct envelope *e);

#endif
