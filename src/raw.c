/*
 * raw - the rest of a large file as mail, without a copy of it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "crlf.h"
#include "raw.h"
#include "say.h"
#include "scan.h"

/* Octets; multiples of every page size. */
#define PIECE (1024 * 1024) /* of a file that are in memory at a time */
#define PIECES 4	    /* that are mapped at a time: an address space may be small */
#define WINDOW (PIECES * PIECE)
#define SHARE (4 * PIECE) /* that are worth a thread */

#define SHARES 4 /* threads, at most */

/* A part of a file that is mapped: map[0..len) is what begins at `at`. */
struct window {
	char *map;
	off_t at;
	size_t len;
	size_t piece; /* where the one begins that is in memory; SIZE_MAX: none is */
};

struct raw {
	int fd;
	off_t from, to;
	off_t size;
	bool as_it_is; /* all line ends are CRLF already */
	struct stat seen;
	struct window window;
	/* where reading is: so far in the mail, so far in the file */
	off_t done, next;
	struct crlf crlf;
};

/* ---- the window */

/*
 * Somebody has cut the file off, and what is mapped behind its end cannot be read. This transaction
 * is not complete, so the connection may end as it is.
 */
static void
on_sigbus(int number)
{
	static const char text[] = "pneu: 4.3.0 the message's file was cut off while it was read; "
				   "nothing more was sent\n";

	(void)number;
	say_wipe();
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(xstatus(EX_TEMPFAIL));
}

static void
unmap(struct window *w)
{
	if (w->map != NULL)
		(void)munmap(w->map, w->len);
	w->map = NULL;
	w->len = 0;
}

/* How much of its piece is left behind `in`. */
static size_t
rest_of_piece(const struct window *w, size_t in)
{
	size_t n = PIECE - in % PIECE;

	return n < w->len - in ? n : w->len - in;
}

/*
 * The piece with map[in] comes, and the one before goes, as all that is in memory counts as ours.
 * That is cheaper than to map each, and several threads do not wait for each other.
 */
static void
move_to(struct window *w, size_t in)
{
	size_t piece = in - in % PIECE;

	if (piece == w->piece)
		return;
	if (w->piece != SIZE_MAX)
		(void)madvise(w->map + w->piece, rest_of_piece(w, w->piece), MADV_DONTNEED);
#ifdef MADV_POPULATE_READ
	(void)madvise(w->map + piece, rest_of_piece(w, piece), MADV_POPULATE_READ);
#endif
	w->piece = piece;
}

/* What of the file is mapped at `off`: its length, no more than a piece, 0 when it cannot be. */
static size_t
window(const struct raw *r, struct window *w, off_t off, const char **p)
{
	size_t in;

	if (w->map == NULL || off < w->at || off >= w->at + (off_t)w->len) {
		off_t at = off - off % WINDOW;
		size_t len = r->to - at < WINDOW ? (size_t)(r->to - at) : WINDOW;
		void *map;

		unmap(w);
		map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, r->fd, at);
		if (map == MAP_FAILED)
			return 0;
		*w = (struct window){ .map = map, .at = at, .len = len, .piece = SIZE_MAX };
	}
	in = (size_t)(off - w->at);
	move_to(w, in);
	*p = w->map + in;
	return rest_of_piece(w, in);
}

/* ---- the first look */

/* What one thread looks at: whole lines, and the last of them may have no end. */
struct share {
	const struct raw *r;
	off_t from, to;
	struct scan scan;
	bool good; /* it was seen */
	pthread_t thread;
};

static void *
look_at_share(void *arg)
{
	struct share *mine = arg;
	struct window w = { 0 };
	const char *p;
	off_t at;
	size_t n = 1;

	for (at = mine->from; at < mine->to; at += (off_t)n) {
		if ((n = window(mine->r, &w, at, &p)) == 0)
			break;
		if ((off_t)n > mine->to - at)
			n = (size_t)(mine->to - at);
		scan_more(&mine->scan, p, n);
	}
	unmap(&w);
	mine->good = n > 0;
	scan_end(&mine->scan);
	return NULL;
}

/* Where a line begins at `off` or not far behind it; else the end of the file. */
static off_t
line_near(struct raw *r, off_t off)
{
	const char *p, *lf;
	size_t n = window(r, &r->window, off, &p);

	lf = n > 0 ? memchr(p, '\n', n) : NULL;
	return lf != NULL ? off + (lf + 1 - p) : r->to;
}

/*
 * One processor cannot look as fast as memory can deliver, and the server waits: what is large is
 * looked at by as many as there are. The threads are gone before anything else happens.
 */
static size_t
share_out(struct raw *r, size_t most, struct share *shares)
{
	off_t all = r->to - r->from, at = r->from;
	long cpus = all >= SHARE ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	size_t n, want = (size_t)(all / SHARE);

	if (want > SHARES)
		want = SHARES;
	if (cpus < (long)want)
		want = cpus > 0 ? (size_t)cpus : 1;
	for (n = 0; n == 0 || (n < want && at < r->to); n++) {
		shares[n] = (struct share){ .r = r, .from = at, .scan = { .most = most } };
		shares[n].to = n + 1 < want
		    ? line_near(r, r->from + (off_t)(n + 1) * (all / (off_t)want))
		    : r->to;
		at = shares[n].to;
	}
	return n;
}

static bool
look(struct raw *r, size_t most, struct raw_info *info)
{
	struct share shares[SHARES];
	size_t n = share_out(r, most, shares), i;
	uint64_t lf = 0, crlf = 0;
	bool started[SHARES] = { false }, good = true;
	sigset_t all, old;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (i = 1; i < n; i++)
		started[i] = pthread_create(&shares[i].thread, NULL, look_at_share, &shares[i]) ==
		    0;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	memset(info, 0, sizeof *info);
	for (i = 0; i < n; i++) {
		const struct scan *s = &shares[i].scan;

		if (started[i])
			(void)pthread_join(shares[i].thread, NULL);
		else
			(void)look_at_share(&shares[i]);
		good = good && shares[i].good && !s->bare;
		lf += s->lf;
		crlf += s->crlf;
		info->eight |= s->eight;
		info->nul |= s->nul;
		info->too_long |= s->too_long;
	}
	r->as_it_is = lf == crlf;
	r->size = r->to - r->from + (off_t)(lf - crlf) +
	    (shares[n - 1].scan.before != '\n' ? 2 : 0);
	info->size = r->size;
	return good;
}

struct raw *
raw_open(int fd, off_t from, size_t most, struct raw_info *info)
{
	struct raw *r = xalloc(1, sizeof *r);
	struct sigaction sa = { .sa_handler = on_sigbus };

	r->from = r->next = from;
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (r->fd == -1 || fstat(r->fd, &r->seen) == -1 || !S_ISREG(r->seen.st_mode) ||
	    r->seen.st_size <= from) {
		raw_free(&r);
		return NULL;
	}
	r->to = r->seen.st_size;
	(void)sigaction(SIGBUS, &sa, NULL);
	if (!look(r, most, info))
		raw_free(&r);
	return r;
}

void
raw_free(struct raw **rp)
{
	struct raw *r = *rp;

	if (r == NULL)
		return;
	*rp = NULL;
	unmap(&r->window);
	if (r->fd != -1)
		(void)close(r->fd);
	free(r);
}

off_t
raw_end(const struct raw *r)
{
	return r->to;
}

/* ---- as mail */

static int
was_altered(struct status *st)
{
	return status_set(st, PH_BODY, 4, 3, 0, "the message's file was altered while it was read");
}

static bool
is_as_seen(const struct raw *r)
{
	struct stat now;

	return fstat(r->fd, &now) == 0 && now.st_size == r->seen.st_size &&
	    now.st_mtim.tv_sec == r->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == r->seen.st_mtim.tv_nsec;
}

/* The next piece of the file into *p, in the buffer when it is the last one: how long it is. */
static size_t
next_piece(struct raw *r, char *buf, size_t n, const char **p)
{
	const char *text;
	size_t len = window(r, &r->window, r->next, &text), got;

	if (len == 0)
		return 0;
	if (!r->as_it_is || r->crlf.stuff) {
		*p = buf;
		got = crlf_fill(&r->crlf, text, &len, buf, n);
	} else {
		if (r->next + (off_t)len == r->to && len > n)
			len -= n;
		else if (r->next + (off_t)len == r->to)
			text = memcpy(buf, text, len);
		*p = text;
		got = len;
		r->crlf.before = text[len - 1];
	}
	r->next += (off_t)len;
	return got;
}

/* The next octets of the mail; 0 at the end. */
static ssize_t
read_on(struct raw *r, char *buf, size_t n, const char **p, struct status *st)
{
	size_t got;

	if (r->done == r->size)
		return 0;
	r->crlf.stuffed = 0;
	if (r->next < r->to)
		got = next_piece(r, buf, n, p);
	else {
		*p = "\r\n"; /* the file ends in the middle of a line */
		got = r->crlf.before != '\n' ? 2 : 0;
		r->crlf.before = '\n';
	}
	r->done += (off_t)got - (off_t)r->crlf.stuffed;
	/*
	 * What was not there at the first look is not promised to the server. And the last octets,
	 * which nobody can alter any more, are held back until it is sure that nothing before them
	 * was: with BDAT there is no final dot, and the message would be complete with them.
	 */
	if (got == 0 || r->done > r->size || (r->done == r->size && !is_as_seen(r)))
		return was_altered(st);
	return (ssize_t)got;
}

static void
begin(struct raw *r)
{
	r->done = 0;
	r->next = r->from;
	r->crlf.before = '\n';
}

ssize_t
raw_view(struct raw *r, off_t at, char *buf, size_t n, const char **p, struct status *st)
{
	ssize_t got;

	if (at < r->done)
		begin(r);
	do {
		off_t start = r->done;

		got = read_on(r, buf, n, p, st);
		if (got <= 0 || r->done <= at)
			continue;
		*p += at - start;
		return (ssize_t)(r->done - at); /* no more than was got */
	} while (got > 0);
	return got;
}

ssize_t
raw_stuffed(struct raw *r, bool first, char *buf, size_t n, const char **p, struct status *st)
{
	ssize_t got;

	if (first)
		begin(r);
	r->crlf.stuff = true;
	got = read_on(r, buf, n, p, st);
	r->crlf.stuff = false;
	return got;
}
