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
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "raw.h"

#define WINDOW (1024 * 1024) /* octets that are mapped at a time; a multiple of every page size */
#define LOOK 16384	     /* octets that are looked at in one way and then in another */
#define BLOCK 128	     /* octets that are counted together, at most 255 */

struct raw {
	int fd;
	off_t from, to;
	off_t size;
	bool as_it_is; /* all line ends are CRLF already */
	struct stat seen;
	/* the window: map[0..len) is the file at `at` */
	char *map;
	off_t at;
	size_t len;
	/* where reading is: so far in the mail, so far in the file, and what stood before that */
	off_t done, next;
	char before;
};

/* ---- the window */

/*
 * Somebody has cut the file off, and what is mapped behind its end cannot be read. No message is
 * complete yet, so the connection may end as it is.
 */
static void
on_sigbus(int number)
{
	static const char text
	    [] = "pneu: 4.3.0 the message's file was cut off while it was read; nothing was sent\n";

	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(EX_TEMPFAIL);
}

static void
unmap(struct raw *r)
{
	if (r->map != NULL)
		(void)munmap(r->map, r->len);
	r->map = NULL;
	r->len = 0;
}

/* What of the file is mapped at `off`: its length, 0 when it cannot be. */
static size_t
window(struct raw *r, off_t off, const char **p)
{
	if (r->map == NULL || off < r->at || off >= r->at + (off_t)r->len) {
		off_t at = off - off % WINDOW;
		size_t len = r->to - at < WINDOW ? (size_t)(r->to - at) : WINDOW;
		void *map;

		unmap(r);
		map = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, r->fd, at);
		if (map == MAP_FAILED)
			return 0;
		r->map = map;
		r->at = at;
		r->len = len;
	}
	*p = r->map + (off - r->at);
	return r->len - (size_t)(off - r->at);
}

/* ---- the first look */

/* So much of what is counted has been seen. */
struct count {
	uint64_t lf, cr, crlf; /* a file may have more of them than there are addresses */
	unsigned char bits;
	bool nul;
	char before; /* the octet before */
	size_t line; /* octets of the line that is not at its end, and the last of them */
	char last;
	bool too_long;
};

/*
 * Some compilers make vectors of a loop only when they are asked to, and wide ones only for
 * machines that are known to have them; where the C library can choose when the program starts, it
 * does.
 */
#if !defined(__GNUC__) || defined(__clang__) || defined(__SANITIZE_ADDRESS__)
#define VECTORS
#elif defined(__x86_64__) && defined(__GLIBC__)
#define VECTORS __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define VECTORS __attribute__((optimize("O3")))
#endif

/* A whole block, in which nothing but LFs is usual: false when there is something to look at. */
VECTORS static bool
look_at_block(const unsigned char *p, struct count *c)
{
	unsigned char bits = 0, lf = 0, odd = 0;
	int i;

	for (i = 0; i < BLOCK; i++) {
		bits |= p[i];
		lf = (unsigned char)(lf + (p[i] == '\n'));
		odd |= (unsigned char)((p[i] == '\r') | (p[i] == '\0'));
	}
	c->bits |= bits;
	c->lf += lf;
	return odd == 0;
}

/* The same for CRs and NULs; p[-1] is looked at, too. */
VECTORS static void
look_closer(const unsigned char *p, struct count *c)
{
	unsigned char cr = 0, crlf = 0, nul = 0;
	int i;

	for (i = 0; i < BLOCK; i++) {
		cr = (unsigned char)(cr + (p[i] == '\r'));
		nul |= p[i] == '\0';
	}
	for (i = 0; i < BLOCK; i++)
		crlf = (unsigned char)(crlf + ((p[i - 1] == '\r') & (p[i] == '\n')));
	c->cr += cr;
	c->crlf += crlf;
	c->nul |= nul != 0;
}

static void
look_at_one(unsigned char o, struct count *c)
{
	c->bits |= o;
	c->lf += o == '\n';
	c->nul |= o == '\0';
	c->cr += o == '\r';
	c->crlf += c->before == '\r' && o == '\n';
	c->before = (char)o;
}

static void
look_at(const char *text, size_t n, struct count *c)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;

	look_at_one(*p++, c);
	for (; end - p >= BLOCK; p += BLOCK) {
		if (!look_at_block(p, c) || p[-1] == '\r')
			look_closer(p, c);
		c->before = (char)p[BLOCK - 1];
	}
	while (p < end)
		look_at_one(*p++, c);
}

/* A line that is longer than `most`, its end not counted, is noted; others are stepped over. */
static void
measure_lines(const char *p, size_t n, size_t most, struct count *c)
{
	const char *end = p + n, *lf;

	while (p < end && !c->too_long) {
		size_t room = c->line <= most ? most + 1 - c->line : 1;

		if (room > (size_t)(end - p))
			room = (size_t)(end - p);
		/* the last line end among as many octets as a good line has: what is before it is
		 * good */
		if ((lf = memrchr(p, '\n', room)) != NULL) {
			c->too_long = c->line > most && c->line - (c->last == '\r') > most;
			p = lf + 1;
			c->line = 0;
			continue;
		}
		p += room;
		c->line += room;
		c->last = p[-1];
		c->too_long = c->line > most + 1;
	}
}

static bool
look(struct raw *r, size_t most, struct raw_info *info)
{
	struct count c = { .before = '\n' };
	const char *p;
	off_t at;
	size_t n;

	for (at = r->from; at < r->to; at += (off_t)n) {
		if ((n = window(r, at, &p)) == 0)
			return false;
		/* what is looked at several times should be near */
		n = n < LOOK ? n : LOOK;
		look_at(p, n, &c);
		measure_lines(p, n, most, &c);
	}
	if (c.cr != c.crlf)
		return false;
	r->as_it_is = c.lf == c.crlf;
	r->size = r->to - r->from + (off_t)(c.lf - c.crlf) + (c.before != '\n' ? 2 : 0);
	info->size = r->size;
	info->eight = (c.bits & 0x80) != 0;
	info->nul = c.nul;
	info->too_long = c.too_long || c.line > most;
	return true;
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
	unmap(r);
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

/*
 * Copy p[0..n) to `to` up to its first LF: how many octets. Some that are behind it are written as
 * well, up to `to` + n. Lines of mail are so short that two calls for each take longer than the
 * work.
 */
static size_t
copy_line(char *to, const char *p, size_t n)
{
	size_t i = 0;
	const char *lf;

#ifdef __SSE2__
	const __m128i lfs = _mm_set1_epi8('\n');

	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, lfs));

		_mm_storeu_si128((__m128i *)(void *)(to + i), v);
		if (found != 0)
			return i + (size_t)__builtin_ctz(found);
	}
#endif
	lf = memchr(p + i, '\n', n - i);
	if (lf != NULL)
		n = (size_t)(lf - p);
	memcpy(to + i, p + i, n - i);
	return n;
}

/* Fill buf[0..size) with lines of p[0..len), with CRLF for LF; *len is what was used of it. */
static size_t
with_crlf(struct raw *r, const char *p, size_t *len, char *buf, size_t size)
{
	const char *start = p, *end = p + *len;
	char *to = buf, *most = buf + size - 1; /* a CR and an LF always go in together */

	while (p < end && to < most) {
		size_t room = (size_t)(most - to), left = (size_t)(end - p);
		size_t n = left < room ? left : room, k = copy_line(to, p, n);

		to += k;
		p += k;
		if (k > 0)
			r->before = p[-1];
		if (k == n)
			continue;
		if (to >= most)
			break;
		if (r->before != '\r')
			*to++ = '\r';
		*to++ = '\n';
		r->before = '\n';
		p++;
	}
	*len = (size_t)(p - start);
	return (size_t)(to - buf);
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
	size_t len = window(r, r->next, &text), got;

	if (len == 0)
		return 0;
	if (!r->as_it_is) {
		*p = buf;
		got = with_crlf(r, text, &len, buf, n);
	} else {
		if (r->next + (off_t)len == r->to && len > n)
			len -= n;
		else if (r->next + (off_t)len == r->to)
			text = memcpy(buf, text, len);
		*p = text;
		got = len;
		r->before = text[len - 1];
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
	if (r->next < r->to)
		got = next_piece(r, buf, n, p);
	else {
		*p = "\r\n"; /* the file ends in the middle of a line */
		got = r->before != '\n' ? 2 : 0;
		r->before = '\n';
	}
	r->done += (off_t)got;
	/*
	 * What was not there at the first look is not promised to the server. And the last octets,
	 * which nobody can alter any more, are held back until it is sure that nothing before them
	 * was: with BDAT there is no final dot, and the message would be complete with them.
	 */
	if (got == 0 || r->done > r->size || (r->done == r->size && !is_as_seen(r)))
		return was_altered(st);
	return (ssize_t)got;
}

ssize_t
raw_view(struct raw *r, off_t at, char *buf, size_t n, const char **p, struct status *st)
{
	ssize_t got;

	if (at < r->done) {
		r->done = 0;
		r->next = r->from;
		r->before = '\n';
	}
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
