/*
 * source - where a message is read from: a descriptor, or whatever hands over octets.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"
#include "wait.h"

struct source {
	source_read_fn *read;
	void *arg;
	int fd;
	bool dot;
	char last; /* the last octet of the chunk before, for telling line starts */
	bool ended;
	size_t at, len;
	bool regular; /* of a regular file nothing is ever waited for */
	bool large;   /* and it is a large one */
	char *buf;
};

#define BUF_SIZE 65536

static ssize_t
read_fd(void *arg, char *p, size_t n, struct status *st)
{
	struct source *in = arg;
	ssize_t got;

	do
		got = in->regular ? read(in->fd, p, n) : wait_read(in->fd, p, n, WAIT_FOREVER);
	while (got == -1 && errno == EINTR && wait_signal() == NULL);
	if (got == -1 && errno == EINTR)
		return status_set(st, PH_LOCAL, 4, 3, 0,
		    "interrupted by %s while reading the message; nothing was sent", wait_signal());
	if (got == -1)
		return status_errno(st, PH_LOCAL, "cannot read the message");
	/* a terminal hands over a line at a time */
	if (got == 2 && in->dot && in->last == '\n' && memcmp(p, ".\n", 2) == 0)
		return 0;
	if (got > 0)
		in->last = p[got - 1];
	return got;
}

struct source *
source_new(source_read_fn *read, void *arg)
{
	struct source *in = xalloc(1, sizeof *in);

	in->read = read;
	in->arg = arg;
	in->buf = xbuffer(BUF_SIZE);
	return in;
}

struct source *
source_fd(int fd, bool dot)
{
	struct source *in = source_new(read_fd, NULL);
	struct stat sb;

	in->arg = in;
	in->fd = fd;
	in->dot = dot;
	in->last = '\n';
	in->regular = fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode);
	in->large = in->regular && sb.st_size >= SOURCE_LARGE;
	return in;
}

/* Nothing is left of the chunk: the next one. 1, 0 at the end, -1 with *st. */
static int
fill(struct source *in, struct status *st)
{
	ssize_t n;

	in->at = in->len = 0;
	if (in->ended)
		return 0;
	n = in->read(in->arg, in->buf, BUF_SIZE, st);
	in->ended = n <= 0;
	if (n > 0)
		in->len = (size_t)n;
	return n > 0 ? 1 : (int)n;
}

int
source_peek(struct source *in, char *c, struct status *st)
{
	int r = in->at < in->len ? 1 : fill(in, st);

	if (r == 1)
		*c = in->buf[in->at];
	return r;
}

void
source_skip(struct source *in)
{
	in->at++;
}

ssize_t
source_take(struct source *in, const char **p, struct status *st)
{
	int r = in->at < in->len ? 1 : fill(in, st);
	size_t n = in->len - in->at;

	if (r != 1)
		return r;
	*p = in->buf + in->at;
	in->at = in->len;
	return (ssize_t)n;
}

int
source_file(const struct source *in, off_t *at)
{
	off_t now;

	if (!in->large || in->ended || (now = lseek(in->fd, 0, SEEK_CUR)) == -1)
		return -1;
	*at = now - (off_t)(in->len - in->at);
	return in->fd;
}

void
source_leave(struct source *in, off_t end)
{
	/* who shares the descriptor finds it read */
	(void)lseek(in->fd, end, SEEK_SET);
	in->at = in->len = 0;
	in->ended = true;
}

void
source_free(struct source **inp)
{
	if (*inp != NULL)
		free((*inp)->buf);
	free(*inp);
	*inp = NULL;
}
