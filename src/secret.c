/*
 * secret - where passwords come from.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "secret.h"
#include "wait.h"

int
secret_mode(const struct stat *sb, const char *file, struct status *st)
{
	mode_t refused = S_IROTH | S_IWOTH | S_IWGRP;

	if (sb->st_uid != 0)
		refused |= S_IRGRP;
	if (!S_ISREG(sb->st_mode) || (sb->st_mode & refused) == 0)
		return 0;
	return status_set(st, PH_LOCAL, 5, 3, 5,
	    "%s holds a password and others can read or change it: chmod 600 %s", file, file);
}

/* All of `fd`, up to SECRET_MAX. 0, or -1 with errno (EFBIG when there is more). */
static int
read_all(int fd, int64_t deadline, struct str *to)
{
	for (;;) {
		ssize_t n;

		str_room(to, 4096);
		n = wait_read(fd, to->p + to->len, 4096, deadline);
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		to->len += (size_t)n;
		if (to->len > SECRET_MAX) {
			errno = EFBIG;
			return -1;
		}
	}
	to->p[to->len] = '\0';
	return 0;
}

static int
check(struct str *secret, const char *origin, struct status *st)
{
	if (secret->len > 0 && secret->p[secret->len - 1] == '\n')
		secret->p[--secret->len] = '\0';
	if (secret->len > 0 && secret->p[secret->len - 1] == '\r')
		secret->p[--secret->len] = '\0';
	if (secret->len == 0)
		return status_set(st, PH_LOCAL, 5, 7, 0, "the password from %s is empty", origin);
	if (memchr(secret->p, '\0', secret->len) != NULL)
		return status_set(
		    st, PH_LOCAL, 5, 7, 0, "the password from %s holds a NUL", origin);
	return 0;
}

static int
from_file(const char *file, int64_t deadline, struct str *secret, struct status *st)
{
	struct stat sb;
	int fd = open(file, O_RDONLY | O_CLOEXEC), r;

	if (fd == -1 || fstat(fd, &sb) == -1)
		status_set(st, PH_LOCAL, 5, 3, 5, "password-file %s: %s", file, strerror(errno));
	if (fd == -1)
		return -1;
	r = secret_mode(&sb, file, st);
	if (r == 0 && read_all(fd, deadline, secret) == -1)
		r = status_set(
		    st, PH_LOCAL, 5, 3, 5, "password-file %s: %s", file, strerror(errno));
	(void)close(fd);
	return r == 0 ? check(secret, file, st) : -1;
}

static void
run_command(const char *command, int out)
{
	int nothing;

	wait_child();
	nothing = open("/dev/null", O_RDONLY); /* stdin may be the message, which is not for it */
	if (nothing == -1 || dup2(nothing, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(EX_OSERR);
	closefrom(STDERR_FILENO + 1);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int
from_command(const char *command, int64_t deadline, struct str *secret, struct status *st)
{
	int fds[2], r, status = 0;
	pid_t child;

	if (pipe(fds) == -1)
		return status_errno(st, PH_LOCAL, "password-command: cannot make a pipe");
	(void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	if ((child = fork()) == -1) {
		status_errno(st, PH_LOCAL, "password-command: cannot start it");
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	if (child == 0)
		run_command(command, fds[1]);
	(void)close(fds[1]);
	r = read_all(fds[0], deadline, secret);
	if (r == -1) {
		int e = errno;

		(void)kill(child, SIGKILL);
		status_set(st, PH_LOCAL, e == EFBIG ? 5 : 4, 7, 0, "password-command: %s",
		    e == EINTR	     ? "interrupted; nothing was sent"
			: e == EFBIG ? "it prints more than a password"
				     : strerror(e));
	}
	(void)close(fds[0]);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	if (r == -1)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_TEMPFAIL)
		return status_set(st, PH_LOCAL, 4, 7, 0,
		    "password-command asks to be tried again later (exit 75)");
	if (WIFSIGNALED(status))
		return status_set(st, PH_LOCAL, 5, 7, 0,
		    "password-command was killed by signal %d: %s", WTERMSIG(status), command);
	if (WEXITSTATUS(status) != 0)
		return status_set(st, PH_LOCAL, 5, 7, 0,
		    "password-command failed with exit status %d: %s", WEXITSTATUS(status),
		    command);
	return check(secret, "password-command", st);
}

int
secret_get(const struct account *a, const struct url *u, const char *user, int64_t deadline,
    struct str *secret, struct status *st)
{
	const char *here = u->password != NULL ? u->password : a->password;

	if (here != NULL) {
		str_puts(secret, here);
		return check(secret, "the configuration", st);
	}
	if (a->password_file != NULL)
		return from_file(a->password_file, deadline, secret, st);
	if (a->password_command != NULL)
		return from_command(a->password_command, deadline, secret, st);
	return status_set(st, PH_LOCAL, 5, 7, 0,
	    "no password for %s at %s: set password-command or password-file (or `auth none`)",
	    user, u->host);
}
