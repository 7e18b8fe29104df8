/*
 * pace - when what waits in the spool is tried again, and for how long.
 *
 * Nothing here trusts the clock: it may have been set, in either direction, since a time was
 * written down. All times are seconds since 1970.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PACE_H
#define PACE_H

#include "entry.h"
#include "spooldir.h"

#define PACE_FIRST 300			 /* after the first failure */
#define PACE_MOST (4 * 3600)		 /* and never longer than that, */
#define PACE_JITTER(delay) ((delay) / 4) /* but for chance, so that not everybody comes at once */
#define PACE_TOLD 86400			 /* a refused login is told of once in that time */

/* When to try again after `failures` of them in a row (1: the first). */
long long pace_next(long long now, long long failures);

/* Is it time? A time farther ahead than pace_next() gives is of a clock that was set back. */
bool pace_due(long long now, long long next);

/* Has it waited longer than this many seconds? Never for what is dated in the future. */
bool pace_expired(long long now, long long queued, long long lifetime);

/*
 * What is remembered of an account (NULL: the one without a name). What cannot be read is as if
 * nothing were: it only makes us try earlier. pace_save(): 0, or -1 with *st (4.3.1, 4.3.0).
 */
void pace_load(const struct spool *q, const char *account, struct entry_account *a);
int pace_save(
    const struct spool *q, const char *account, const struct entry_account *a, struct status *st);

/* May a session be tried? */
bool pace_account_due(const struct entry_account *a, long long now);

/*
 * A session failed with *st, before any message: the account waits. True when a person is to be
 * told: the login was refused, or it is for good (class 5), and nobody has heard of it for a day.
 */
bool pace_account_failed(struct entry_account *a, long long now, const struct status *st);

/* A session went well: nothing is remembered. True when that is news. */
bool pace_account_well(struct entry_account *a);

#endif
