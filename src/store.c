/*
 * store - bytes that are written once and read as often as needed, in constant memory.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine.h"
#include "store.h"

void
store_init(struct store *s)
{
	memset(s, 0, sizeof *s);
	s->fd = -1;
}

/* Files without a name and with nothing in them. */
#define RESERVE 3
static int reserve[RESERVE];
static size_t nreserve;
static bool reserving;

static const char *
temporary_directory(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

/* -1 with errno */
static int
temporary_file(void)
{
	struct str name = { 0 };
	int fd;

	str_printf(&name, "%s/pneu.XXXXXXXXXX", temporary_directory());
	if ((fd = mkostemp(name.p, O_CLOEXEC)) != -1)
		(void)unlink(name.p);
	str_free(&name);
	return fd;
}

/* The same when we are confined. */
static int
other_file(void)
{
	if (nreserve > 0)
		return reserve[--nreserve];
#ifdef MFD_CLOEXEC
	return memfd_create("pneu", MFD_CLOEXEC);
#else
	errno = ENOSPC;
	return -1;
#endif
}

void
store_reserve(void)
{
	int fd;

	if (confined())
		return;
	reserving = true;
	while (nreserve < RESERVE && (fd = temporary_file()) != -1)
		reserve[nreserve++] = fd;
}

static int
make_file(struct store *s, struct status *st)
{
	if ((s->fd = confined() ? other_file() : temporary_file()) != -1)
		return 0;
	status_errno(
	    st, PH_LOCAL, "cannot make a temporary file in %s (TMPDIR)", temporary_directory());
	st->detail = 1; /* whatever the reason, there is no room for the message */
	return -1;
}

/* It may serve again, at its beginning. */
static void
give_back(int fd)
{
	if (reserving && nreserve < RESERVE && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		reserve[nreserve++] = fd;
	else
		(void)close(fd);
}

static int
spill(struct store *s, struct status *st)
{
	size_t done = 0;

	if (s->fd == -1 && make_file(s, st) == -1)
		return -1;
	while (done < s->mem.len) {
		ssize_t n = write(s->fd, s->mem.p + done, s->mem.len - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ENOSPC;
			return status_errno(st, PH_LOCAL,
			    "cannot write the temporary file of the message (see TMPDIR)");
		}
		done += (size_t)n;
	}
	s->filed += (off_t)s->mem.len;
	str_clear(&s->mem);
	return 0;
}

int
store_put(struct store *s, const void *p, size_t n, struct status *st)
{
	str_put(&s->mem, p, n);
	return s->mem.len >= STORE_MEMORY ? spill(s, st) : 0;
}

off_t
store_size(const struct store *s)
{
	return s->filed + (off_t)s->mem.len + s->rest_size;
}

bool
store_rest(struct store *s, int fd, off_t from, size_t most, struct raw_info *info)
{
	struct stat sb;

	if (s->fd != -1 || fstat(fd, &sb) == -1 || sb.st_size - from < STORE_MEMORY ||
	    (s->rest = raw_open(fd, from, most, info)) == NULL)
		return false;
	s->rest_size = info->size;
	return true;
}

ssize_t
store_view(const struct store *s, off_t at, char *buf, const char **p, struct status *st)
{
	ssize_t n;

	if (s->rest != NULL && at >= (off_t)s->mem.len)
		return raw_view(s->rest, at - (off_t)s->mem.len, buf, STORE_CHUNK, p, st);
	if (at >= s->filed) {
		size_t skip = (size_t)(at - s->filed);

		*p = str_text(&s->mem) + skip;
		return (ssize_t)(s->mem.len - skip);
	}
	do
		n = pread(s->fd, buf, STORE_CHUNK, at);
	while (n == -1 && errno == EINTR);
	if (n <= 0) {
		if (n == 0)
			errno = EIO;
		return status_errno(
		    st, PH_BODY, "cannot read back the temporary file of the message");
	}
	*p = buf;
	return n;
}

void
store_free(struct store *s)
{
	if (s->fd != -1)
		give_back(s->fd);
	raw_free(&s->rest);
	str_free(&s->mem);
	store_init(s);
}
