/*
 * spooldir - the directory of the spool: its places, the names in it, what crashes leave there.
 *
 *	ID.m		the octets of a message, written once; flock(2) on it locks the entry
 *	ID.e		its envelope (entry.h): there is an entry as long as there is this
 *	ID.e.tmp	the next envelope, being written
 *	failed/		entries that were given up, in the same form
 *	corrupt/	files that are damaged or not ours; nothing of ours reads them
 *	accounts/	what is remembered of accounts (pace.h)
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SPOOLDIR_H
#define SPOOLDIR_H

#include "status.h"

#define SPOOL_ID 21 /* 20 characters that sort by age, and a NUL */

enum spool_place { SPOOL_ACTIVE, SPOOL_FAILED };

struct spool {
	char *path;
	int dir, failed; /* -1: not there */
};

/* Ids, oldest first. All zeroes is an empty list; spool_ids_free() gives it back. */
struct spool_ids {
	char (*v)[SPOOL_ID];
	size_t n, cap;
};

/*
 * Where the spool is when the configuration does not say: /var/spool/pneu for root, else spool
 * below state_path(). Allocated; NULL when there is no home directory.
 */
char *spool_path(void);

/*
 * Open the spool in the directory `path`; it is made when `make` is set. 0; 1 when there is none
 * (and it is not to be made): nothing waits; or -1 with *st: 4.3.5 when the directory is not ours
 * alone, 4.3.1 no space or read-only, 4.3.0. spool_shut() in every case.
 */
int spool_open(struct spool *q, const char *path, bool make, struct status *st);
void spool_shut(struct spool *q);

/* The entries of a place. Reads the directory once and no file. 0, or -1 with *st (4.3.0). */
int spool_ids(struct spool *q, enum spool_place place, struct spool_ids *l, struct status *st);
void spool_ids_free(struct spool_ids *l);
bool spool_is_id(const char *text); /* could it be one? */

/*
 * Remove what crashes have left: messages without an envelope and envelopes that never got their
 * name, when nobody is at it and they are older than `age` seconds. Returns how many files went.
 */
size_t spool_clean(struct spool *q, long long age);

/* ---- for spool.c */

#define SPOOL_MESSAGE ".m"
#define SPOOL_ENVELOPE ".e"
#define SPOOL_TEMPORARY ".e.tmp"

/* The name of a file of an entry. */
struct spool_name {
	char z[SPOOL_ID + sizeof SPOOL_TEMPORARY];
};
struct spool_name spool_name(const char *id, const char *suffix);

void spool_make_id(char id[static SPOOL_ID]);

/* The descriptor of a place; -1: not there. And the place that is not this one. */
int spool_dir(const struct spool *q, enum spool_place place);
enum spool_place spool_other(enum spool_place place);

/* Set both files of an entry aside in corrupt/, and say so, and why, on standard error. */
void spool_quarantine(struct spool *q, enum spool_place place, const char *id, const char *why);

#endif
