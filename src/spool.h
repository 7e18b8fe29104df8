/*
 * spool - messages that wait for a server, and that no crash loses.
 *
 * An entry is two files (spooldir.h): the message is written once, its envelope is replaced by
 * rename. The rename of the first envelope to its place commits, its unlink ends. pneu-spool(7) has
 * the states, and what a crash leaves of each.
 *
 *	submission	spool_new, spool_put, spool_commit, spool_close
 *	flush		spool_ids; for each spool_peek, and if it is due: spool_take, (send),
 *			spool_settle, spool_close
 *	list		spool_ids; for each spool_peek, spool_view
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SPOOL_H
#define SPOOL_H

#include "entry.h"
#include "spooldir.h"

/* An entry that is ours alone until spool_close(). */
struct item {
	char id[SPOOL_ID];
	enum spool_place place;
	int fd; /* the message, at its beginning after spool_take(); the lock goes with it */
	bool committed;
	struct entry entry;
};

/*
 * Begin an entry: an id, and a file for the message that spool_put() appends to. The caller fills
 * it->entry (spool_commit() does `size`, and `queued` when it is 0). 0, or -1 with *st: 4.3.1,
 * 4.3.0. spool_close() in every case.
 */
int spool_new(struct spool *q, struct item *it, struct status *st);
int spool_put(struct spool *q, struct item *it, const void *p, size_t n, struct status *st);

/*
 * On 0 it is on the disk, whole, and somebody else's responsibility. On -1, with *st (4.3.1,
 * 4.3.0; 5.3.0 when the envelope cannot be written down, see entry_write()), nothing of it is
 * there, unless the file system has failed several times in a row: the text says so then.
 */
int spool_commit(struct spool *q, struct item *it, struct status *st);

/* Gives back the item and its lock; what was not committed is removed. */
void spool_close(struct spool *q, struct item *it);

/*
 * Read an envelope without the lock, to show it or to see whether it is due. 1; 0 when it is gone,
 * or was set aside just now; -1 with *st (4.3.0). entry_free() in every case.
 */
int spool_peek(
    struct spool *q, enum spool_place place, const char *id, struct entry *e, struct status *st);

/*
 * Open the message of an entry for reading, without its lock; *busy: somebody else has that. To
 * tell, the lock is shared for a moment, in which spool_take() finds it busy. The descriptor is the
 * caller's; -1 with errno.
 */
int spool_view(const struct spool *q, enum spool_place place, const char *id, bool *busy);

/*
 * Lock an entry and load it. One that is damaged is set aside, with a line on standard error. An
 * entry is only had when its outcome can be written down later: TAKE_TROUBLE, with *st (4.3.1 on a
 * read-only file system, 4.3.0), otherwise. An entry that is dated in the future, or before clocks
 * were right, is dated anew. spool_close() in every case.
 */
enum take { TAKE_TROUBLE = -1, TAKE_GONE, TAKE_BUSY, TAKE_OK };
enum take spool_take(
    struct spool *q, enum spool_place place, const char *id, struct item *it, struct status *st);

/*
 * Write down what became of it. Recipients whose `last` is of class 2 or 5 are done and leave the
 * entry; when none is left, neither is the entry. On a full disk they are marked in place. 0, or -1
 * with *st (4.3.1, 4.3.0): those who have the message may get it once more.
 */
int spool_settle(struct spool *q, struct item *it, struct status *st);

/* Write the envelope down as it is now. 0, or -1 with *st as spool_commit() has it. */
int spool_save(struct spool *q, struct item *it, struct status *st);

/* Forget about it. 0, or -1 with *st (4.3.0): it may come back. */
int spool_remove(struct spool *q, struct item *it, struct status *st);

/*
 * Save it and move it: to rest in failed/, or back to be tried again, when it loses its hold and
 * starts afresh. 0, or -1 with *st (4.3.1, 4.3.0).
 */
int spool_move(struct spool *q, struct item *it, enum spool_place to, struct status *st);

#endif
