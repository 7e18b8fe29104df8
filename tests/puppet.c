/*
 * puppet - a server in a thread, whose every word was written down beforehand.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "puppet.h"

/* The length of the reply at p: up to the end of the first line that does not read "250-". Is it whole? */
static size_t
reply_length(const char *p, const char *end, bool *whole)
{
	const char *line = p, *lf;

	*whole = false;
	while (line < end && (lf = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		*whole = lf - line < 4 || line[3] != '-';
		line = lf + 1;
		if (*whole)
			return (size_t)(line - p);
	}
	return (size_t)(end - p);
}

/* The next reply, and those that go with it, in one piece. False when there is none. */
static bool
say_next(struct puppet *p)
{
	struct str out = { 0 };
	const char *q;
	bool whole;

	if (p->says == p->end)
		return false;
	do {
		size_t n;

		p->says += out.len > 0;
		n = reply_length(p->says, p->end, &whole);
		str_put(&out, p->says, n);
		p->says += n;
	} while (p->says < p->end && *p->says == '+');
	for (q = out.p; out.len > 0;) {
		ssize_t n = send(p->fd, q, out.len, MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		q += n;
		out.len -= (size_t)n;
	}
	str_free(&out);
	/* who waits for the rest of a reply says nothing that could be answered */
	if (p->says == p->end && (p->hangs_up || !whole))
		(void)shutdown(p->fd, p->hangs_up ? SHUT_RDWR : SHUT_WR);
	return true;
}

/* One line, whole; false when there is nothing left to say to it. */
static bool
answer(struct puppet *p, const char *line, size_t n)
{
	const char *reply = p->says;

	if (p->data) {
		if (n < 1 || line[0] != '.' || n > 3)
			return true;
		p->data = false;
		return say_next(p);
	}
	if (!say_next(p))
		return false;
	p->data = n >= 4 && memcmp(line, "DATA", 4) == 0 && *reply == '3';
	return true;
}

static void *
act(void *arg)
{
	struct puppet *p = arg;
	bool talks = say_next(p);
	char buf[4096], *lf;

	if (!talks)
		(void)shutdown(p->fd, SHUT_WR);
	for (;;) {
		ssize_t n = recv(p->fd, buf, sizeof buf, 0);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		str_put(&p->heard, buf, (size_t)n);
		while (talks && (lf = memchr(p->heard.p + p->at, '\n', p->heard.len - p->at)) != NULL) {
			const char *line = p->heard.p + p->at;

			talks = answer(p, line, (size_t)(lf + 1 - line));
			p->at += (size_t)(lf + 1 - line);
		}
		if (!talks)
			(void)shutdown(p->fd, SHUT_WR);
	}
	(void)close(p->fd);
	return NULL;
}

int
puppet_start(struct puppet *p, const char *says, size_t n, bool hangs_up)
{
	int fds[2];

	memset(p, 0, sizeof *p);
	p->says = says;
	p->end = says + n;
	p->hangs_up = hangs_up;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		return -1;
	p->fd = fds[1];
	if (pthread_create(&p->thread, NULL, act, p) != 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	return fds[0];
}

void
puppet_end(struct puppet *p)
{
	(void)pthread_join(p->thread, NULL);
}
