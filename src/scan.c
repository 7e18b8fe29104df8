/*
 * scan - what is in a text, found in one pass at the speed of memory.
 *
 * Memory is slower than the looking. It gives more when it is asked for several places at once and
 * ahead of time, so a piece is cut into lanes that are looked at side by side.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "scan.h"

#define LANES 4
#define BLOCK 128     /* octets of one lane that are looked at before the next lane's turn */
#define AHEAD 4096    /* how far ahead memory is asked for: a page */
#define WIDE 32	      /* octets of a vector */
#define FULL_AFTER 15 /* rounds after which a counter of 8 bits could overflow */

/*
 * The compiler makes of these what the processor has; where the C library can choose when the
 * program starts, there is a second copy for processors with wider registers.
 */
typedef uint8_t wide __attribute__((vector_size(WIDE)));
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

/* What the lanes have counted. */
struct sums {
	size_t lf, crlf;
	bool eight, nul, bare;
	size_t empty; /* the most blocks without a line end that follow each other in a lane */
};

static size_t
sum_of(const wide *v)
{
	uint8_t each[WIDE];
	size_t i, sum = 0;

	memcpy(each, v, sizeof each);
	for (i = 0; i < WIDE; i++)
		sum += each[i];
	return sum;
}

static uint64_t
any_of(const wide *v)
{
	uint64_t each[WIDE / 8];

	memcpy(each, v, sizeof each);
	return each[0] | each[1] | each[2] | each[3];
}

/* The lanes p[k * lane..(k + 1) * lane); `lane` is a multiple of BLOCK, and p[-1] is looked at,
 * too. */
CLONES static void
look_at_lanes(const char *p, size_t lane, struct sums *sums)
{
	wide lf = { 0 }, crlf = { 0 }, bits = { 0 }, nul = { 0 }, bare = { 0 };
	size_t run[LANES] = { 0 }, i, j, k, rounds = 0;

	for (i = 0; i < lane; i += BLOCK) {
		for (k = 0; k < LANES; k++) {
			const char *q = p + k * lane + i;
			wide found = { 0 };

			__builtin_prefetch(q + AHEAD);
			__builtin_prefetch(q + AHEAD + BLOCK / 2);
			for (j = 0; j < BLOCK; j += WIDE) {
				wide now, before, is_lf, was_cr;

				memcpy(&now, q + j, WIDE);
				memcpy(&before, q + j - 1, WIDE);
				/* all bits of an octet, or none: as a number -1, or 0 */
				is_lf = (wide)(now == '\n');
				was_cr = (wide)(before == '\r');
				found |= is_lf;
				lf -= is_lf;
				crlf -= is_lf & was_cr;
				bare |= was_cr & ~is_lf;
				nul |= (wide)(now == 0);
				bits |= now;
			}
			run[k] = any_of(&found) != 0 ? 0 : run[k] + 1;
			if (run[k] > sums->empty)
				sums->empty = run[k];
		}
		if (++rounds == FULL_AFTER || i + BLOCK == lane) {
			sums->lf += sum_of(&lf);
			sums->crlf += sum_of(&crlf);
			lf = crlf = (wide){ 0 };
			rounds = 0;
		}
	}
	bits &= 0x80;
	sums->eight = any_of(&bits) != 0;
	sums->nul = any_of(&nul) != 0;
	sums->bare = any_of(&bare) != 0;
}

static void
look_at_each(struct scan *s, const char *p, size_t n)
{
	char before = s->before;
	size_t i;

	for (i = 0; i < n; i++) {
		s->lf += p[i] == '\n';
		s->crlf += before == '\r' && p[i] == '\n';
		s->bare |= before == '\r' && p[i] != '\n';
		s->nul |= p[i] == '\0';
		s->eight |= (p[i] & 0x80) != 0;
		before = p[i];
	}
	s->before = before;
}

/* A line has come to its end: `line` octets, the last of which is `last`. */
static void
end_line(struct scan *s, size_t line, char last)
{
	s->too_long |= line > s->most && line - (last == '\r') > s->most;
}

/* The lines of p[0..n), one by one; `before` is what was before them. */
static void
measure(struct scan *s, const char *p, size_t n, char before)
{
	const char *end = p + n, *lf;

	for (; (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1) {
		end_line(s, s->line + (size_t)(lf - p), lf > p ? lf[-1] : before);
		s->line = 0;
		before = '\n';
	}
	s->line += (size_t)(end - p);
	s->too_long |= s->line > s->most + 1; /* its end may be farther away than can be counted */
}

/*
 * The same where no lane has blocks enough without a line end for a line that is too long: only the
 * lines that cross a border remain.
 */
static void
measure_borders(struct scan *s, const char *p, size_t n, size_t lane, char before)
{
	const char *end = p + n, *lf = memchr(p, '\n', n), *from, *at;
	size_t k;

	end_line(s, s->line + (size_t)(lf - p), lf > p ? lf[-1] : before);
	for (k = 1; k <= LANES; k++) {
		at = p + 1 + k * lane;
		from = memrchr(p, '\n', (size_t)(at - p));
		lf = memchr(at, '\n', (size_t)(end - at));
		if (from != NULL && lf != NULL && lf > from + 1)
			end_line(s, (size_t)(lf - from - 1), lf[-1]);
	}
	from = memrchr(p, '\n', n);
	s->line = (size_t)(end - from - 1);
}

void
scan_more(struct scan *s, const char *p, size_t n)
{
	size_t lane = n > 0 ? (n - 1) / LANES / BLOCK * BLOCK : 0;
	/* so many whole blocks lie within a line that is too long, wherever it begins */
	size_t enough = s->most > 2 * BLOCK ? (s->most + 2 - BLOCK) / BLOCK : 0;
	struct sums sums = { .empty = SIZE_MAX };
	char before = s->before;

	if (lane == 0)
		look_at_each(s, p, n);
	else {
		sums.empty = 0;
		look_at_each(s, p, 1);
		look_at_lanes(p + 1, lane, &sums);
		s->lf += sums.lf;
		s->crlf += sums.crlf;
		s->eight |= sums.eight;
		s->nul |= sums.nul;
		s->bare |= sums.bare;
		s->before = p[LANES * lane];
		look_at_each(s, p + 1 + LANES * lane, n - 1 - LANES * lane);
	}
	if (s->too_long)
		return;
	if (sums.empty >= enough || lane < enough * BLOCK)
		measure(s, p, n, before);
	else
		measure_borders(s, p, n, lane, before);
}

void
scan_end(struct scan *s)
{
	s->bare |= s->before == '\r';
	end_line(s, s->line, s->before);
}
