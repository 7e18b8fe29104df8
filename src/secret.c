/*
 * secret - where passwords and tokens come from.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <readpassphrase.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "confine.h"
#include "netrc.h"
#include "secret.h"
#include "state.h"
#include "wait.h"

#define KEEPER_MS 2000 /* beyond the deadline, for a command that has to be ended */

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

/*
 * All of `fd`, up to SECRET_MAX. 0, or -1 with errno (EFBIG when there is more). A regular file,
 * which has no waits, has so many octets, or does not tell (0); else `size` is -1.
 */
static int
read_all(int fd, off_t size, int64_t deadline, struct str *to)
{
	while (size <= 0 || (off_t)to->len < size) {
		ssize_t n;

		str_room(to, 4096);
		n = size >= 0 ? read(fd, to->p + to->len, 4096)
			      : wait_read(fd, to->p + to->len, 4096, deadline);
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
		return status_set(st, PH_LOCAL, 5, 7, 0,
		    "the password from %s is empty: see what is in it, or what it prints", origin);
	if (memchr(secret->p, '\0', secret->len) != NULL)
		return status_set(
		    st, PH_LOCAL, 5, 7, 0, "the password from %s holds a NUL", origin);
	return 0;
}

/*
 * The whole of a file. That it is open to others is an error, or, when `open_to_all` is not NULL,
 * noted there, with *st ready to say so.
 */
static int
read_file(const char *what, const char *file, int64_t deadline, struct str *to, bool *open_to_all,
    struct status *st)
{
	struct stat sb;
	/* not waiting here for somebody to open the other end of a pipe; that is wait_read()'s */
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r = -1;

	if (fd == -1 || fstat(fd, &sb) == -1)
		status_file(st, 3, 5, what, file);
	else if (secret_mode(&sb, file, st) == 0 || open_to_all != NULL) {
		struct status trouble;

		if (open_to_all != NULL)
			*open_to_all = secret_mode(&sb, file, &trouble) == -1;
		r = read_all(fd, S_ISREG(sb.st_mode) ? sb.st_size : -1, deadline, to);
		if (r == -1)
			status_file(st, 3, 5, what, file);
	}
	if (fd != -1)
		(void)close(fd);
	return r;
}

static int
from_file(
    const char *what, const char *file, int64_t deadline, struct str *secret, struct status *st)
{
	if (read_file(what, file, deadline, secret, NULL, st) == -1)
		return -1;
	return check(secret, file, st);
}

/* systemd.exec(5): LoadCredential= puts files into a directory that only the service can read. */
static bool
credential_file(const struct account *a, struct str *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *names[] = { a->name != NULL ? a->name : "password", "password" };
	size_t i;

	for (i = 0; dir != NULL && *dir == '/' && i < 2; i++) {
		str_clear(path);
		str_printf(path, "%s/pneu.%s", dir, names[i]);
		if (access(path->p, R_OK) == 0)
			return true;
	}
	return false;
}

/* 1 found, 0 not there, -1 with *st */
static int
from_netrc(const struct secret_wish *w, struct str *secret, struct status *st)
{
	const char *home = home_directory();
	struct str path = { 0 }, text = { 0 };
	int r = 0;

	str_printf(&path, "%s/.netrc", home != NULL ? home : "");
	if (home != NULL && access(path.p, R_OK) == 0) {
		bool open_to_all = false;

		r = read_file("netrc", path.p, w->deadline, &text, &open_to_all, st);
		if (r == 0 && netrc_find(str_text(&text), w->url->host, w->user, secret)) {
			/* only an entry that is used makes its file's mode matter */
			r = open_to_all || check(secret, path.p, st) == -1 ? -1 : 1;
		}
	}
	str_free(&text);
	str_free(&path);
	return r;
}

/* 1 typed, 0 there is nobody to ask, -1 with *st */
static int
from_terminal(const struct secret_wish *w, struct str *secret, struct status *st)
{
	char typed[1024];
	struct str prompt = { 0 };
	char *got;

	/* nobody is asked from a pipe or by cron, even where a terminal could still be opened */
	if (isatty(STDERR_FILENO) != 1)
		return 0;
	str_printf(&prompt, "Password of %s at %s: ", w->user, w->url->host);
	wait_admit(true); /* or Ctrl-C would do nothing */
	got = readpassphrase(prompt.p, typed, sizeof typed, RPP_REQUIRE_TTY);
	wait_admit(false);
	if (got != NULL)
		str_puts(secret, typed);
	explicit_bzero(typed, sizeof typed);
	str_free(&prompt);
	if (got == NULL && wait_signal() != NULL)
		return status_set(
		    st, PH_LOCAL, 4, 3, 0, "interrupted by %s; nothing was sent", wait_signal());
	if (got == NULL)
		return 0;
	return check(secret, "the terminal", st) == 0 ? 1 : -1;
}

static int
from_command(
    const char *command, const struct secret_wish *w, struct str *secret, struct status *st)
{
	struct child_job job = {
		.command = command,
		.in = -1,
		.name = "PNEU_TOKEN_REFRESH",
		.value = w->refresh ? "1" : NULL,
	};
	int fds[2], r, status = 0;
	pid_t child;

	if (pipe(fds) == -1)
		return status_errno(st, PH_LOCAL, "password-command: cannot make a pipe");
	job.out = fds[1];
	if ((child = child_start(&job)) == -1) {
		status_errno(st, PH_LOCAL, "password-command: cannot start it");
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	(void)close(fds[1]);
	r = read_all(fds[0], -1, w->deadline, secret);
	if (r == -1) {
		int e = errno;

		status_set(st, PH_LOCAL, e == EFBIG ? 5 : 4, 7, 0, "password-command: %s",
		    e == EINTR	     ? "interrupted; nothing was sent"
			: e == EFBIG ? "it prints more than a password"
				     : strerror(e));
	}
	(void)close(fds[0]);
	if (r == 0 && !child_end(child, w->deadline, &status))
		r = status_set(st, PH_LOCAL, 4, 7, 0, "password-command does not end");
	else if (r == -1)
		(void)child_end(child, 0, &status);
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
		    "password-command failed with exit status %d; run it by hand: %s",
		    WEXITSTATUS(status), command);
	return check(secret, "password-command", st);
}

/* ---- the same, once we cannot run it any more */

static struct {
	pid_t child;
	int fd;
} keeper;

struct question {
	bool refresh;
	int64_t deadline;
};

/* The secret is behind it. */
struct answer {
	int result;
	struct status st;
	size_t len;
};

static void
keep(const char *command, int fd)
{
	struct question q;
	struct answer a;
	struct str secret = { 0 };

	while (wait_read(fd, &q, sizeof q, WAIT_FOREVER) == (ssize_t)sizeof q) {
		struct secret_wish wish = { .refresh = q.refresh, .deadline = q.deadline };
		struct iovec parts[2] = { { &a, sizeof a } };

		memset(&a, 0, sizeof a);
		str_free(&secret);
		a.result = from_command(command, &wish, &secret, &a.st);
		a.len = a.result == 0 ? secret.len : 0;
		parts[1].iov_base = secret.p;
		parts[1].iov_len = a.len;
		if (writev(fd, parts, 2) == -1)
			break;
	}
}

pid_t
secret_keep(const struct account *a)
{
	int fds[2];

	if (keeper.child != 0)
		return keeper.child;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return 0;
	if ((keeper.child = fork()) == 0) {
		/* of what we have open, nothing is to stay open because of it */
		if (dup2(fds[1], STDERR_FILENO + 1) != -1) {
			closefrom(STDERR_FILENO + 2);
			keep(a->password_command, STDERR_FILENO + 1);
		}
		_exit(0);
	}
	(void)close(fds[1]);
	keeper.fd = fds[0];
	if (keeper.child == -1) {
		(void)close(fds[0]);
		keeper.child = 0;
	}
	return keeper.child;
}

static int
from_keeper(const struct secret_wish *w, struct str *secret, struct status *st)
{
	struct question q = { w->refresh, w->deadline };
	size_t size = sizeof(struct answer) + SECRET_MAX;
	char *message = xbuffer(size);
	struct answer a;
	ssize_t n = -1;

	if (write(keeper.fd, &q, sizeof q) == (ssize_t)sizeof q)
		n = wait_read(keeper.fd, message, size,
		    w->deadline == WAIT_FOREVER ? WAIT_FOREVER : w->deadline + KEEPER_MS);
	if (n >= (ssize_t)sizeof a) {
		memcpy(&a, message, sizeof a);
		if (a.result == 0)
			str_put(secret, message + sizeof a, (size_t)n - sizeof a);
		*st = a.st;
	} else {
		a.result = status_set(st, PH_LOCAL, 4, 7, 0, "password-command: %s",
		    wait_signal() != NULL ? "interrupted; nothing was sent"
					  : "it cannot be run any more");
		(void)kill(keeper.child, SIGTERM);
	}
	freezero(message, size);
	return a.result;
}

int
secret_get(const struct secret_wish *w, struct str *secret, struct status *st)
{
	const struct account *a = w->account;
	const char *here = w->url->password != NULL ? w->url->password : a->password;
	struct str path = { 0 };
	int r;

	if (here != NULL) {
		str_puts(secret, here);
		return check(secret, "the configuration", st);
	}
	if (a->password_file != NULL)
		return from_file("password-file", a->password_file, w->deadline, secret, st);
	if (a->password_command != NULL)
		return confined() && keeper.child != 0
		    ? from_keeper(w, secret, st)
		    : from_command(a->password_command, w, secret, st);
	if (credential_file(a, &path)) {
		r = from_file("credential", path.p, w->deadline, secret, st);
		str_free(&path);
		return r;
	}
	str_free(&path);
	if ((r = from_netrc(w, secret, st)) == 0)
		r = from_terminal(w, secret, st);
	if (r != 0)
		return r == 1 ? 0 : -1;
	return status_set(st, PH_LOCAL, 5, 7, 0,
	    "no password for %s at %s: set password-command or password-file (or `auth none`)",
	    w->user, w->url->host);
}

int
secret_take_fd(struct account *a, struct status *st)
{
	struct str secret = { 0 };
	int r;

	if (a->password_fd == -1 || a->password != NULL)
		return 0;
	r = read_all(a->password_fd, -1, wait_until(a->deadline), &secret);
	if (r == -1)
		status_set(
		    st, PH_LOCAL, 5, 3, 5, "password-fd %d: %s", a->password_fd, strerror(errno));
	else if ((r = check(&secret, "password-fd", st)) == 0)
		a->password = xstrdup(secret.p);
	(void)close(a->password_fd);
	str_free(&secret);
	return r;
}

bool
secret_configured(const struct account *a, const struct url *u)
{
	return u->password != NULL || a->password != NULL || a->password_file != NULL ||
	    a->password_command != NULL;
}

bool
secret_refreshable(const struct account *a, const struct url *u)
{
	return u->password == NULL && a->password == NULL && a->password_file == NULL &&
	    a->password_command != NULL;
}

void
secret_guard(void)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
#if defined(HAVE_SYS_PRCTL_H) && !defined(PNEU_SANITIZERS) /* they look into the process */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
