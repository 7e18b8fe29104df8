/*
 * spool - messages that wait for a server, and that no crash loses.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "spool.h"

/* A clock that shows less has never been set. */
#define CLOCK_LEAST 1700000000LL
#define DAY 86400

/* ---- a new entry */

int
spool_new(struct spool *q, struct item *it, struct status *st)
{
	int tries;

	memset(it, 0, sizeof *it);
	for (tries = 0; tries < 100; tries++) {
		spool_make_id(it->id);
		/* locked at once: what is not locked may be cleaned away */
		it->fd = flopenat(q->dir, spool_name(it->id, SPOOL_MESSAGE).z,
		    O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (it->fd != -1)
			return 0;
		if (errno != EEXIST && errno != EWOULDBLOCK && errno != EINTR)
			break;
	}
	return status_errno(st, PH_LOCAL, "cannot write to the spool %s", q->path);
}

int
spool_put(struct spool *q, struct item *it, const void *p, size_t n, struct status *st)
{
	if (durable_write(it->fd, p, n) == 0)
		return 0;
	return status_errno(st, PH_LOCAL, "cannot write the message to the spool %s", q->path);
}

/* The envelope as it is now takes the place of the old one. *renamed: in any case it is there. */
static int
write_envelope(struct spool *q, struct item *it, bool *renamed, struct status *st)
{
	int dir = spool_dir(q, it->place), r = 0;
	struct str text = { 0 };

	*renamed = false;
	if (entry_write(&it->entry, &text) == -1)
		r = status_set(
		    st, PH_LOCAL, 5, 3, 0, "the envelope cannot be kept in the spool %s", q->path);
	else if (durable_replace(dir, spool_name(it->id, SPOOL_TEMPORARY).z,
		     spool_name(it->id, SPOOL_ENVELOPE).z, &text, renamed) == -1)
		r = status_errno(
		    st, PH_LOCAL, "cannot write the envelope to the spool %s", q->path);
	str_free(&text);
	return r;
}

int
spool_commit(struct spool *q, struct item *it, struct status *st)
{
	struct stat sb;
	bool renamed;

	if (durable_sync(it->fd) == -1 || fstat(it->fd, &sb) == -1)
		return status_errno(
		    st, PH_LOCAL, "cannot write the message to the spool %s", q->path);
	it->entry.size = sb.st_size;
	if (it->entry.queued == 0)
		it->entry.queued = time(NULL);
	if (write_envelope(q, it, &renamed, st) == -1) {
		/* whoever hears that it failed keeps the message, and must be the only one */
		if (renamed && unlinkat(q->dir, spool_name(it->id, SPOOL_ENVELOPE).z, 0) == -1)
			return status_set(st, PH_LOCAL, 4, 3, 0,
			    "the spool %s does not work, but %s may be sent all the same", q->path,
			    it->id);
		return -1;
	}
	it->committed = true;
	return 0;
}

void
spool_close(struct spool *q, struct item *it)
{
	if (it->fd != -1) {
		if (!it->committed)
			(void)unlinkat(q->dir, spool_name(it->id, SPOOL_MESSAGE).z, 0);
		(void)close(it->fd);
	}
	entry_free(&it->entry);
	it->fd = -1;
}

/* ---- an entry that is there */

static int
read_envelope(const struct spool *q, enum spool_place place, const char *id, struct entry *e,
    const char **why)
{
	struct str text = { 0 };
	int r;

	memset(e, 0, sizeof *e);
	*why = NULL;
	r = durable_read(
	    spool_dir(q, place), spool_name(id, SPOOL_ENVELOPE).z, ENTRY_MAX, &text, why);
	if (r == 0 && (*why = entry_parse(str_text(&text), text.len, e)) != NULL)
		r = 1;
	str_free(&text);
	return r;
}

int
spool_peek(
    struct spool *q, enum spool_place place, const char *id, struct entry *e, struct status *st)
{
	const char *why;
	struct item it;
	enum take taken;
	int r;

	memset(e, 0, sizeof *e);
	if (spool_dir(q, place) == -1)
		return 0;
	r = read_envelope(q, place, id, e, &why);
	if (r == 0)
		return e->n > 0; /* without recipients it is finished, and could not be removed */
	if (r == -1 && errno == ENOENT)
		return 0;
	if (r == -1)
		return status_errno(st, PH_LOCAL, "cannot read %s in the spool %s", id, q->path);
	/* damaged: set aside by whoever has the lock */
	entry_free(e);
	taken = spool_take(q, place, id, &it, st);
	if (taken == TAKE_OK) {
		*e = it.entry;
		memset(&it.entry, 0, sizeof it.entry);
	}
	spool_close(q, &it);
	return taken == TAKE_OK ? 1 : taken == TAKE_TROUBLE ? -1 : 0;
}

/*
 * A move takes the envelope first, so the message may still be in the other place, and may go from
 * there to here between two looks.
 */
static int
open_message(const struct spool *q, enum spool_place place, const char *id, int flags,
    int (*open_at)(int, const char *, int, ...))
{
	int fd = -1, look, dir;

	flags |= O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
	for (look = 0; look < 4; look++) {
		dir = spool_dir(q, look % 2 == 0 ? place : spool_other(place));
		errno = ENOENT;
		if (dir != -1)
			fd = open_at(dir, spool_name(id, SPOOL_MESSAGE).z, flags);
		if (fd != -1 || errno != ENOENT)
			break;
	}
	return fd;
}

int
spool_view(const struct spool *q, enum spool_place place, const char *id, bool *busy)
{
	int fd = open_message(q, place, id, O_RDONLY, openat);

	*busy = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	if (fd != -1)
		(void)flock(fd, LOCK_UN);
	return fd;
}

/* What stands against it: 0 nothing, 1 *why, -1 errno. */
static int
examine(const struct spool *q, struct item *it, const char **why)
{
	off_t size = 0;
	int r = read_envelope(q, it->place, it->id, &it->entry, why);

	if (r == 0)
		r = durable_examine(it->fd, &size, why);
	if (r == 0 && size != it->entry.size) {
		*why = "its message is not of the size in its envelope";
		r = 1;
	}
	return r;
}

/* Waiting time begins when there is a clock to tell it. Where that has no space, it does later. */
static void
date_anew(struct spool *q, struct item *it)
{
	long long now = time(NULL);
	struct status st;
	bool renamed;

	if (now < CLOCK_LEAST || (it->entry.queued >= CLOCK_LEAST && it->entry.queued <= now + DAY))
		return;
	it->entry.queued = now;
	(void)write_envelope(q, it, &renamed, &st);
}

/* The lock is had. */
static enum take
load(struct spool *q, struct item *it, struct status *st)
{
	const char *why;
	int r = examine(q, it, &why);

	if (r == 1)
		spool_quarantine(q, it->place, it->id, why);
	if (r == 1 ||
	    (r == -1 && errno == ENOENT)) /* or another has finished it before we locked */
		return TAKE_GONE;
	if (r == -1) {
		status_errno(st, PH_LOCAL, "cannot read %s in the spool %s", it->id, q->path);
		return TAKE_TROUBLE;
	}
	if (it->entry.n == 0) /* marked on a full disk, which let it not be removed */
		return spool_remove(q, it, st) == -1 ? TAKE_TROUBLE : TAKE_GONE;
	date_anew(q, it);
	return TAKE_OK;
}

enum take
spool_take(
    struct spool *q, enum spool_place place, const char *id, struct item *it, struct status *st)
{
	struct stat sb;

	memset(it, 0, sizeof *it);
	(void)strlcpy(it->id, id, sizeof it->id);
	it->place = place;
	it->committed = true;
	it->fd = -1;
	if (spool_dir(q, place) == -1 || !spool_is_id(id))
		return TAKE_GONE;
	it->fd = open_message(q, place, id, O_RDWR, flopenat);
	if (it->fd != -1)
		return load(q, it, st);
	if (errno == EWOULDBLOCK)
		return TAKE_BUSY;
	if (errno == ELOOP || errno == EMLINK || errno == EISDIR || errno == ENXIO)
		spool_quarantine(q, place, id, "its message is not a regular file");
	else if (errno != ENOENT) {
		status_errno(st, PH_LOCAL, "cannot open %s in the spool %s", id, q->path);
		return TAKE_TROUBLE;
	} else if (fstatat(spool_dir(q, place), spool_name(id, SPOOL_ENVELOPE).z, &sb,
		       AT_SYMLINK_NOFOLLOW) == 0)
		spool_quarantine(q, place, id, "its message is missing");
	return TAKE_GONE;
}

int
spool_save(struct spool *q, struct item *it, struct status *st)
{
	bool renamed;

	return write_envelope(q, it, &renamed, st);
}

/* ---- what became of it */

static bool
is_done(const struct entry_rcpt *r)
{
	return r->last.class == 2 || r->last.class == 5;
}

/* Those who are done go to the end; returns how many are not. */
static size_t
partition(struct entry *e)
{
	struct entry_rcpt *copy = xalloc(e->n > 0 ? e->n : 1, sizeof *copy);
	size_t i, left = 0, n = 0;

	for (i = 0; i < e->n; i++)
		if (!is_done(&e->rcpt[i]))
			copy[left++] = e->rcpt[i];
	for (i = 0, n = left; i < e->n; i++)
		if (is_done(&e->rcpt[i]))
			copy[n++] = e->rcpt[i];
	if (n > 0)
		memcpy(e->rcpt, copy, n * sizeof *copy);
	free(copy);
	return left;
}

/* In the envelope as it is on the disk, without a new one: "done" takes no more room than "rcpt".
 */
static int
mark(struct spool *q, struct item *it, const struct entry_rcpt *done, size_t n)
{
	struct entry old;
	const char *why;
	size_t i, k = 0;
	int fd, r;

	fd = openat(spool_dir(q, it->place), spool_name(it->id, SPOOL_ENVELOPE).z,
	    O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	r = read_envelope(q, it->place, it->id, &old, &why);
	for (i = 0; r == 0 && i < n; i++) { /* both are in the same order */
		for (; k < old.n && strcmp(old.rcpt[k].to, done[i].to) != 0; k++)
			;
		if (k < old.n && pwrite(fd, "done", 4, (off_t)old.rcpt[k++].at) != 4)
			r = -1;
	}
	if (r == 0)
		r = durable_sync(fd);
	(void)close(fd);
	entry_free(&old);
	return r == 0 ? 0 : -1;
}

int
spool_settle(struct spool *q, struct item *it, struct status *st)
{
	struct entry *e = &it->entry;
	size_t left = partition(e), n = e->n, i;
	bool renamed = false;
	int r;

	if (left == 0)
		return spool_remove(q, it, st);
	e->n = left;
	r = write_envelope(q, it, &renamed, st);
	if (r == -1 && !renamed && n > left && mark(q, it, &e->rcpt[left], n - left) == 0)
		r = 0;
	for (i = left; i < n; i++)
		entry_free_rcpt(&e->rcpt[i]);
	return r;
}

int
spool_remove(struct spool *q, struct item *it, struct status *st)
{
	int dir = spool_dir(q, it->place), e;

	if (unlinkat(dir, spool_name(it->id, SPOOL_ENVELOPE).z, 0) == -1 && errno != ENOENT) {
		e = errno;
		if (mark(q, it, it->entry.rcpt, it->entry.n) == 0)
			return 0;
		errno = e;
		return status_errno(
		    st, PH_LOCAL, "cannot remove %s from the spool %s", it->id, q->path);
	}
	/* first of all the end must be on the disk: an envelope without a message looks like damage
	 */
	if (durable_sync(dir) == -1)
		return status_errno(
		    st, PH_LOCAL, "cannot remove %s from the spool %s", it->id, q->path);
	if (unlinkat(dir, spool_name(it->id, SPOOL_MESSAGE).z, 0) == -1 && errno == ENOENT)
		(void)unlinkat(
		    spool_dir(q, spool_other(it->place)), spool_name(it->id, SPOOL_MESSAGE).z, 0);
	return 0;
}

static void
start_afresh(struct entry *e)
{
	size_t i;

	e->held = false;
	e->next = e->tries = 0;
	for (i = 0; i < e->n; i++)
		memset(&e->rcpt[i].last, 0, sizeof e->rcpt[i].last);
}

int
spool_move(struct spool *q, struct item *it, enum spool_place to, struct status *st)
{
	struct spool_name m = spool_name(it->id, SPOOL_MESSAGE),
			  e = spool_name(it->id, SPOOL_ENVELOPE);
	int from = spool_dir(q, it->place), dir;

	if (to == SPOOL_FAILED && q->failed == -1 &&
	    durable_below(q->dir, "failed", true, &q->failed) == -1)
		return status_errno(st, PH_LOCAL, "%s/failed", q->path);
	dir = spool_dir(q, to);
	if (to == SPOOL_ACTIVE)
		start_afresh(&it->entry);
	if (spool_save(q, it, st) == -1)
		return -1;
	/* the envelope says where the entry is; its message is found in either place */
	if (renameat(from, e.z, dir, e.z) == -1)
		return status_errno(st, PH_LOCAL, "cannot move %s in %s", it->id, q->path);
	it->place = to;
	(void)renameat(from, m.z, dir, m.z);
	if (durable_sync(dir) == -1 || durable_sync(from) == -1)
		return status_errno(st, PH_LOCAL, "cannot move %s in %s", it->id, q->path);
	return 0;
}
