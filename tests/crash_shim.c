/*
 * crash_shim - the disk as it is on a bad day; to be preloaded.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Counts the calls by which a program changes files below CRASH_DIR, lets the one with the number
 * CRASH_AT (1: the first) end as CRASH_HOW says, and writes all of them, and those that only open,
 * into the file CRASH_LOG:
 *
 *	kill	the process is ended before the call
 *	torn	a write puts half of its octets, then the process is ended; other calls: as kill
 *	short	a write puts half of its octets (at least one), and says so
 *	EINTR	writes, opens and fsyncs are interrupted once
 *	ENOSPC, EDQUOT, EIO, EROFS
 *		the call fails, and so do all that follow with CRASH_STAYS=1; but ENOSPC and EDQUOT
 *		only when it needs room, which pwrite, rename and unlink do not, and fsync once
 *
 * Lines of the log are "NUMBER CALL PATH [PATH]", paths relative to CRASH_DIR; "- look PATH" is an
 * open that changes nothing.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the C library has under this name, whatever stands between. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum kind { WRITE, OVERWRITE, SYNC, MAKE, DIRECTORY, NAME, REMOVE };

static int count, counted_for;

/* ---- paths */

/* `path` as seen from dirfd, below CRASH_DIR: relative to it. NULL: not below it. */
static const char *
below(int dirfd, const char *path, char buf[static PATH_MAX])
{
	const char *root = getenv("CRASH_DIR");
	char link[64];
	ssize_t n = 0;
	size_t len;

	if (root == NULL)
		return NULL;
	if (path == NULL || *path != '/') {
		if (dirfd == AT_FDCWD)
			snprintf(link, sizeof link, "/proc/self/cwd");
		else
			snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
		if ((n = readlink(link, buf, PATH_MAX - 1)) < 0)
			return NULL;
		buf[n] = '\0';
	}
	if (path != NULL)
		snprintf(buf + n, PATH_MAX - (size_t)n, "%s%s", n > 0 ? "/" : "", path);
	len = strlen(root);
	if (strncmp(buf, root, len) != 0 || (buf[len] != '/' && buf[len] != '\0'))
		return NULL;
	return buf[len] == '/' ? buf + len + 1 : ".";
}

static void
log_line(const char *text, size_t n)
{
	const char *log = getenv("CRASH_LOG");
	int e = errno;
	long fd;

	if (log == NULL)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)!syscall(SYS_write, fd, text, n);
		(void)syscall(SYS_close, fd);
	}
	errno = e;
}

/* ---- the bad day */

static int
number_of(const char *how)
{
	static const struct {
		const char *name;
		int number;
	} errors[] = { { "EINTR", EINTR }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EIO", EIO },
		{ "EROFS", EROFS } };
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].name, how) == 0)
			return errors[i].number;
	return 0;
}

static void
die(void)
{
	(void)syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

/*
 * A call is about to be made. 0: let it be; -1: it fails with errno; 1: a write that puts half, and
 * 2: after which the process ends.
 */
static int
called(enum kind kind, const char *name, const char *path, const char *other)
{
	const char *at = getenv("CRASH_AT"), *how = getenv("CRASH_HOW"), *stays = getenv("CRASH_STAYS");
	bool writes = kind == WRITE || kind == OVERWRITE;
	int k = at != NULL ? (int)strtol(at, NULL, 10) : 0, error;
	char line[2 * PATH_MAX + 64];
	int n;

	if (k != counted_for) /* a child of a process that was counted itself */
		count = 0;
	counted_for = k;
	n = snprintf(line, sizeof line, "%d %s %s%s%s\n", ++count, name, path, other != NULL ? " " : "",
	    other != NULL ? other : "");
	log_line(line, (size_t)n);
	if (how == NULL || k == 0 || count < k || (count > k && (stays == NULL || *stays == '\0')))
		return 0;
	if (strcmp(how, "kill") == 0 || (strcmp(how, "torn") == 0 && !writes))
		die();
	if (strcmp(how, "torn") == 0)
		return 2;
	if (strcmp(how, "short") == 0)
		return writes;
	error = number_of(how);
	if (error == 0 || (error == EINTR && kind > MAKE))
		return 0;
	if ((error == ENOSPC || error == EDQUOT) &&
	    (kind == OVERWRITE || kind > DIRECTORY || (kind == SYNC && count > k)))
		return 0;
	errno = error;
	return -1;
}

/* ---- the calls */

static size_t
part(int what, size_t n)
{
	return what == 0 || n < 2 ? n : n / 2;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	char buf[PATH_MAX];
	const char *path = below(fd, NULL, buf);
	int what = path != NULL ? called(WRITE, "write", path, NULL) : 0;
	ssize_t r;

	if (what == -1)
		return -1;
	r = REAL(write)(fd, p, part(what, n));
	if (what == 2)
		die();
	return r;
}

static ssize_t
put_at(int fd, const void *p, size_t n, off_t at)
{
	char buf[PATH_MAX];
	const char *path = below(fd, NULL, buf);
	int what = path != NULL ? called(OVERWRITE, "pwrite", path, NULL) : 0;
	ssize_t r;

	if (what == -1)
		return -1;
	r = REAL(pwrite)(fd, p, part(what, n), at);
	if (what == 2)
		die();
	return r;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return put_at(fd, p, n, at);
}

#ifdef __GLIBC__
ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return put_at(fd, p, n, (off_t)at);
}
#endif

int
fsync(int fd)
{
	char buf[PATH_MAX];
	const char *path = below(fd, NULL, buf);

	return path != NULL && called(SYNC, "fsync", path, NULL) == -1 ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	char buf[PATH_MAX];
	const char *path = below(fd, NULL, buf);

	return path != NULL && called(SYNC, "fsync", path, NULL) == -1 ? -1 : REAL(fdatasync)(fd);
}

static int
open_at(int dirfd, const char *name, int flags, mode_t mode)
{
	char buf[PATH_MAX], line[PATH_MAX + 16];
	const char *path = below(dirfd, name, buf);

	if (path != NULL && (flags & (O_CREAT | O_TRUNC)) != 0) {
		if (called(MAKE, "make", path, NULL) == -1)
			return -1;
	} else if (path != NULL)
		log_line(line, (size_t)snprintf(line, sizeof line, "- look %s\n", path));
	return (int)syscall(SYS_openat, dirfd, name, flags, mode);
}

#define OPEN(declaration, dirfd, name) \
	declaration \
	{ \
		mode_t mode = 0; \
		va_list ap; \
\
		if ((flags & O_CREAT) != 0) { \
			va_start(ap, flags); \
			mode = (mode_t)va_arg(ap, int); \
			va_end(ap); \
		} \
		return open_at(dirfd, name, flags, mode); \
	}

OPEN(int openat(int dirfd, const char *path, int flags, ...), dirfd, path)
OPEN(int open(const char *path, int flags, ...), AT_FDCWD, path)
#ifdef __GLIBC__
OPEN(int openat64(int dirfd, const char *path, int flags, ...), dirfd, path)
OPEN(int open64(const char *path, int flags, ...), AT_FDCWD, path)
#endif

int
mkdirat(int dirfd, const char *name, mode_t mode)
{
	char buf[PATH_MAX];
	const char *path = below(dirfd, name, buf);

	if (path != NULL && called(DIRECTORY, "mkdir", path, NULL) == -1)
		return -1;
	return REAL(mkdirat)(dirfd, name, mode);
}

int
mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

int
renameat(int from, const char *name, int to, const char *newname)
{
	char buf[PATH_MAX], newbuf[PATH_MAX];
	const char *path = below(from, name, buf), *newpath = below(to, newname, newbuf);

	if (path != NULL && called(NAME, "rename", path, newpath) == -1)
		return -1;
	return REAL(renameat)(from, name, to, newname);
}

int
rename(const char *name, const char *newname)
{
	return renameat(AT_FDCWD, name, AT_FDCWD, newname);
}

int
linkat(int from, const char *name, int to, const char *newname, int flags)
{
	char buf[PATH_MAX], newbuf[PATH_MAX];
	const char *path = below(from, name, buf), *newpath = below(to, newname, newbuf);

	if (newpath != NULL && called(MAKE, "link", newpath, path) == -1)
		return -1;
	return REAL(linkat)(from, name, to, newname, flags);
}

int
link(const char *name, const char *newname)
{
	return linkat(AT_FDCWD, name, AT_FDCWD, newname, 0);
}

int
unlinkat(int dirfd, const char *name, int flags)
{
	char buf[PATH_MAX];
	const char *path = below(dirfd, name, buf);

	if (path != NULL && called(REMOVE, "unlink", path, NULL) == -1)
		return -1;
	return REAL(unlinkat)(dirfd, name, flags);
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}
