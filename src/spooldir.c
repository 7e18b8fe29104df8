/*
 * spooldir - the directory of the spool: its places, the names in it, what crashes leave there.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "durable.h"
#include "say.h"
#include "spooldir.h"
#include "state.h"

/* ---- names */

struct spool_name
spool_name(const char *id, const char *suffix)
{
	struct spool_name name;

	(void)snprintf(name.z, sizeof name.z, "%.20s%s", id, suffix);
	return name;
}

bool
spool_is_id(const char *text)
{
	return strlen(text) == SPOOL_ID - 1 && strspn(text, "0123456789abcdef") == SPOOL_ID - 1;
}

/* Microseconds, and chance; the file system has the last word on whether it is a new one. */
void
spool_make_id(char id[static SPOOL_ID])
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(id, SPOOL_ID, "%014llx%06lx",
	    ((unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000) &
		0xffffffffffffff,
	    (unsigned long)chance_below(0x1000000) & 0xffffff);
}

int
spool_dir(const struct spool *q, enum spool_place place)
{
	return place == SPOOL_FAILED ? q->failed : q->dir;
}

enum spool_place
spool_other(enum spool_place place)
{
	return place == SPOOL_ACTIVE ? SPOOL_FAILED : SPOOL_ACTIVE;
}

/* ---- the directory */

char *
spool_path(void)
{
	return geteuid() == 0 ? xstrdup("/var/spool/pneu") : state_path("spool");
}

int
spool_open(struct spool *q, const char *path, bool make, struct status *st)
{
	q->path = xstrdup(path);
	q->failed = -1;
	if (durable_directory(path, make, &q->dir, st) == -1)
		return -1;
	if (q->dir == -1)
		return 1;
	if (durable_below(q->dir, "failed", false, &q->failed) == -1 && errno != ENOENT)
		return status_errno(st, PH_LOCAL, "%s/failed", path);
	return 0;
}

void
spool_shut(struct spool *q)
{
	if (q->failed != -1)
		(void)close(q->failed);
	if (q->dir != -1)
		(void)close(q->dir);
	free(q->path);
	q->path = NULL;
	q->dir = q->failed = -1;
}

/* ---- what is in it */

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, SPOOL_ID);
}

/* The ids with a file of this suffix, oldest first. 0, or -1 with errno. */
static int
scan(int dir, const char *suffix, struct spool_ids *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), e;
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (d == NULL) {
		e = errno;
		if (fd != -1)
			(void)close(fd);
		errno = e;
		return -1;
	}
	for (errno = 0; (entry = readdir(d)) != NULL; errno = 0) {
		char id[SPOOL_ID];

		(void)strlcpy(id, entry->d_name, sizeof id);
		if (!spool_is_id(id) || strcmp(entry->d_name + SPOOL_ID - 1, suffix) != 0)
			continue;
		l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof *l->v);
		memcpy(l->v[l->n++], id, sizeof id);
	}
	e = errno;
	(void)closedir(d);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, by_id);
	errno = e;
	return e == 0 ? 0 : -1;
}

int
spool_ids(struct spool *q, enum spool_place place, struct spool_ids *l, struct status *st)
{
	int dir = spool_dir(q, place);

	if (dir != -1 && scan(dir, SPOOL_ENVELOPE, l) == -1)
		return status_errno(st, PH_LOCAL, "cannot read the spool %s", q->path);
	return 0;
}

void
spool_ids_free(struct spool_ids *l)
{
	free(l->v);
	memset(l, 0, sizeof *l);
}

/* ---- what is not as it should be */

/* Moved, and nothing that is there already is overwritten. */
static int
set_aside(int dir, int corrupt, const char *name)
{
	struct str to = { 0 };
	struct stat sb;
	int r;

	str_puts(&to, name);
	while (fstatat(corrupt, to.p, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
		str_clear(&to);
		str_printf(&to, "%s.%08lx", name, (unsigned long)chance_below(UINT32_MAX));
	}
	r = renameat(dir, name, corrupt, to.p);
	if (r == -1 && errno == ENOENT)
		r = 0;
	str_free(&to);
	return r;
}

/* The envelope goes last: a message without one would be taken for debris. */
void
spool_quarantine(struct spool *q, enum spool_place place, const char *id, const char *why)
{
	int dir = spool_dir(q, place), corrupt;

	if (durable_below(q->dir, "corrupt", true, &corrupt) == -1) {
		say("spool: %s: %s; it is not sent, and cannot be set aside in %s/corrupt: %s", id,
		    why, q->path, strerror(errno));
		return;
	}
	if (set_aside(dir, corrupt, spool_name(id, SPOOL_MESSAGE).z) == -1 ||
	    set_aside(dir, corrupt, spool_name(id, SPOOL_ENVELOPE).z) == -1 ||
	    durable_sync(corrupt) == -1 || durable_sync(dir) == -1)
		say("spool: %s: %s; it is not sent, and cannot be set aside in %s/corrupt: %s", id,
		    why, q->path, strerror(errno));
	else
		say("spool: %s: %s; set aside in %s/corrupt", id, why, q->path);
	(void)close(corrupt);
}

/* ---- what crashes leave */

static bool
exists(int dir, const char *id, const char *suffix)
{
	struct stat sb;

	/* what cannot be told is there */
	return dir != -1 &&
	    (fstatat(dir, spool_name(id, suffix).z, &sb, AT_SYMLINK_NOFOLLOW) == 0 ||
		errno != ENOENT);
}

/* By a clock that may have been set since, in either direction. */
static bool
is_old(int dir, const char *name, long long age)
{
	struct stat sb;

	return fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(sb.st_mode) &&
	    llabs((long long)time(NULL) - (long long)sb.st_mtime) > age;
}

static size_t
remove_old(int dir, const char *id, const char *suffix, long long age)
{
	struct spool_name name = spool_name(id, suffix);

	return is_old(dir, name.z, age) && unlinkat(dir, name.z, 0) == 0;
}

/* A message: does it belong to an entry, here or there? */
static size_t
clean_message(struct spool *q, enum spool_place place, const char *id, long long age)
{
	int dir = spool_dir(q, place), other = spool_dir(q, spool_other(place)), fd;
	struct spool_name m = spool_name(id, SPOOL_MESSAGE);
	size_t n = 0;

	if (exists(dir, id, SPOOL_ENVELOPE) && !exists(dir, id, SPOOL_TEMPORARY))
		return 0;
	fd = flopenat(dir, m.z, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	if (exists(dir, id, SPOOL_ENVELOPE))
		n += remove_old(dir, id, SPOOL_TEMPORARY, age);
	else if (exists(other, id, SPOOL_ENVELOPE)) { /* a move that was cut short */
		if (!exists(other, id, SPOOL_MESSAGE))
			(void)renameat(dir, m.z, other, m.z);
	} else {
		n += remove_old(dir, id, SPOOL_TEMPORARY, age);
		n += remove_old(dir, id, SPOOL_MESSAGE, age);
	}
	(void)close(fd);
	return n;
}

/* What was to be remembered of an account. */
static size_t
clean_accounts(struct spool *q, long long age)
{
	int fd;
	DIR *d;
	struct dirent *entry;
	size_t n = 0;

	if (durable_below(q->dir, "accounts", false, &fd) == -1)
		return 0;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return 0;
	}
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len > 4 && strcmp(entry->d_name + len - 4, ".tmp") == 0 &&
		    is_old(fd, entry->d_name, age) && unlinkat(fd, entry->d_name, 0) == 0)
			n++;
	}
	(void)closedir(d);
	return n;
}

size_t
spool_clean(struct spool *q, long long age)
{
	static const enum spool_place places[] = { SPOOL_ACTIVE, SPOOL_FAILED };
	size_t i, k, n = clean_accounts(q, age);

	for (i = 0; i < 2; i++) {
		int dir = spool_dir(q, places[i]);
		struct spool_ids l = { 0 };

		if (dir != -1 && scan(dir, SPOOL_MESSAGE, &l) == 0)
			for (k = 0; k < l.n; k++)
				n += clean_message(q, places[i], l.v[k], age);
		spool_ids_free(&l);
		if (dir != -1 && scan(dir, SPOOL_TEMPORARY, &l) == 0)
			for (k = 0; k < l.n; k++)
				if (!exists(dir, l.v[k], SPOOL_MESSAGE))
					n += remove_old(dir, l.v[k], SPOOL_TEMPORARY, age);
		spool_ids_free(&l);
	}
	return n;
}
