/*
 * durable - files of our own that a crash leaves either as they were or as they should be.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* The directory that holds `path`; allocated. `path` has no slash at its end. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* What was made in `path` stays there. A directory that we may not read goes with everything. */
static int
sync_directory(const char *path)
{
	int fd = open(path, DIRECTORY), r;

	if (fd == -1) {
		sync();
		return 0;
	}
	r = durable_sync(fd);
	(void)close(fd);
	return r;
}

static int
make_directory(const char *path)
{
	char *parent = parent_of(path);
	int r = mkdir(path, 0700);

	if (r == -1 && errno == ENOENT && strcmp(parent, path) != 0 && make_directory(parent) == 0)
		r = mkdir(path, 0700);
	if (r == 0)
		r = sync_directory(parent);
	else if (errno == EEXIST)
		r = 0;
	free(parent);
	return r;
}

/* Opened as `fd`: ours, and nobody else can get in? */
static int
check_directory(int fd, const char *path, struct status *st)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return status_errno(st, PH_LOCAL, "%s", path);
	if (sb.st_uid != geteuid())
		return status_set(st, PH_LOCAL, 4, 3, 5,
		    "%s belongs to somebody else: name a directory of your own", path);
	if ((sb.st_mode & 077) != 0)
		return status_set(
		    st, PH_LOCAL, 4, 3, 5, "%s is open to others (chmod 700 %s)", path, path);
	return 0;
}

int
durable_directory(const char *path, bool make, int *fd, struct status *st)
{
	char *plain = xstrdup(path);
	size_t n = strlen(plain);
	int r = 0;

	while (n > 1 && plain[n - 1] == '/') /* a link would be followed because of it */
		plain[--n] = '\0';
	*fd = open(plain, DIRECTORY | O_NOFOLLOW);
	if (*fd == -1 && errno == ENOENT && make && make_directory(plain) == 0)
		*fd = open(plain, DIRECTORY | O_NOFOLLOW);
	if (*fd == -1 && (errno == ELOOP || errno == ENOTDIR || errno == EMLINK))
		r = status_set(st, PH_LOCAL, 4, 3, 5, "%s is not a directory", plain);
	else if (*fd == -1 && (errno != ENOENT || make))
		r = status_errno(
		    st, PH_LOCAL, make ? "cannot make or open the directory %s" : "%s", plain);
	else if (*fd != -1 && (r = check_directory(*fd, plain, st)) == -1) {
		(void)close(*fd);
		*fd = -1;
	}
	free(plain);
	return r;
}

int
durable_below(int dir, const char *name, bool make, int *fd)
{
	if (make && mkdirat(dir, name, 0700) == 0) {
		if (durable_sync(dir) == -1)
			return -1;
	} else if (make && errno != EEXIST)
		return -1;
	*fd = openat(dir, name, DIRECTORY | O_NOFOLLOW);
	return *fd == -1 ? -1 : 0;
}

int
durable_write(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t put = write(fd, at, n);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == 0)
			errno = ENOSPC;
		if (put <= 0)
			return -1;
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

int
durable_sync(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r == -1 && errno == EINTR);
	return r;
}

/* A new file, in the place of what an earlier run may have left. */
static int
open_new(int dir, const char *name)
{
	int fd, tries;

	for (tries = 0; tries < 10; tries++) {
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd != -1 || (errno != EEXIST && errno != EINTR))
			return fd;
		if (errno == EEXIST && unlinkat(dir, name, 0) == -1 && errno != ENOENT)
			return -1;
	}
	return -1;
}

int
durable_replace(
    int dir, const char *temporary, const char *name, const struct str *text, bool *renamed)
{
	int fd = open_new(dir, temporary), r, e;

	*renamed = false;
	if (fd == -1)
		return -1;
	r = durable_write(fd, str_text(text), text->len);
	if (r == 0)
		r = durable_sync(fd);
	e = errno;
	(void)close(fd); /* what close(2) could complain of, fsync(2) has */
	errno = e;
	if (r == 0 && (r = renameat(dir, temporary, dir, name)) == 0)
		*renamed = true;
	if (*renamed)
		return durable_sync(dir);
	e = errno;
	(void)unlinkat(dir, temporary, 0);
	errno = e;
	return r;
}

int
durable_examine(int fd, off_t *size, const char **why)
{
	struct stat sb;

	if (fstat(fd, &sb) == -1)
		return -1;
	*size = sb.st_size;
	*why = !S_ISREG(sb.st_mode)  ? "it is not a regular file"
	    : sb.st_uid != geteuid() ? "it belongs to somebody else"
				     : NULL;
	return *why != NULL;
}

static int
read_to_end(int fd, size_t max, struct str *text)
{
	char buf[8192];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if ((size_t)n > max - text->len)
			return 1;
		str_put(text, buf, (size_t)n);
	}
	return 0;
}

int
durable_read(int dir, const char *name, size_t max, struct str *text, const char **why)
{
	/* what is no file must not hold us up either */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	off_t size = 0;
	int r, e;

	if (fd == -1 && (errno == ELOOP || errno == EMLINK || errno == ENXIO)) {
		*why = errno == ENXIO ? "it is not a regular file" : "it is a link";
		return 1;
	}
	if (fd == -1)
		return -1;
	r = durable_examine(fd, &size, why);
	if (r == 0 && (r = (unsigned long long)size > max ? 1 : read_to_end(fd, max, text)) == 1)
		*why = "it is too large";
	e = errno;
	(void)close(fd);
	errno = e;
	return r;
}
