/*
 * envelope - who sends to whom, and how it ended for each of them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdint.h>

#include "account.h"
#include "status.h"

struct rcpt {
	char *to;    /* what goes between < and > */
	char *orcpt; /* "rfc822;bob@example.org", who it was meant for; NULL: `to` (RFC 3461 4.2) */
	char *notify;	      /* when to report on this one; NULL: the wish for all of them */
	struct status status; /* class 0 until decided */
	bool queued;	      /* it lies in the spool, which is why its status is of class 2 */
	bool unknown;	      /* the end of the message was sent and its reply never came */
	bool stranded;	      /* there was no session: nothing was asked on his behalf */
};

struct envelope {
	char *from;		   /* what goes between < and >; "" is the null sender */
	const struct wishes *wish; /* borrowed, or NULL */
	struct rcpt *rcpt;
	size_t n, cap;
	uint32_t *index; /* a hash table of rcpt, by address: numbers from 1; 0 is a free place */
	size_t places;
};

/*
 * Add a recipient, unless it is there already (the domain's case counts not). `to` is copied.
 * False when it was there.
 */
bool envelope_add(struct envelope *e, const char *to);

/* The recipient with this address, or NULL. Good until the next one is added. */
struct rcpt *envelope_find(const struct envelope *e, const char *to);

/* Everybody who is undecided gets this outcome. */
void envelope_settle(struct envelope *e, const struct status *st);

size_t envelope_accepted(const struct envelope *e);
size_t envelope_undecided(const struct envelope *e);

/*
 * One exit code for all: 0 when everybody was accepted; else that of the worst refused recipient,
 * where permanent beats temporary and then the larger value counts, so that the order of
 * recipients does not matter. Never 75 when somebody was accepted, as a caller that tries again
 * would send a second time to those who have it: 69 then.
 */
int envelope_exit(const struct envelope *e);

/*
 * When to report (RFC 3461 4.1): "never", or some of "success,failure,delay", each once, in any
 * case; in the words of SMTP, allocated; NULL when it is neither.
 */
char *envelope_notify(const char *text);

void envelope_free(struct envelope *e);

#endif
