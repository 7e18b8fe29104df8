/*
 * crlf - text with any line ends as it goes to a server: with CRLF, and with dots doubled.
 *
 * Lines of mail are so short that two calls for each take longer than the work. So blocks of 64
 * octets are copied, and their line ends are found in the same step; by the widest vectors that the
 * processor has. What is left, and other processors, go line by line.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "crlf.h"

#define HELD 512 /* octets that are copied before their lines are looked for */

/* A text that is made. */
struct made {
	char *start, *at;
	const char *most; /* two octets go in together or not at all, so one remains behind it */
};

/* The end of a line, of which the CR may be there: how many octets. */
static inline size_t
put_end(char *to, char last)
{
	if (last == '\r') {
		*to = '\n';
		return 1;
	}
	to[0] = '\r';
	to[1] = '\n';
	return 2;
}

/* What is before `at` in the text. */
static inline char
before(const struct crlf *c, const struct made *m, const char *at)
{
	return at > m->start ? at[-1] : c->before;
}

#ifdef __SSE2__

#define BLOCK 64
#define AHEAD 4096 /* how far ahead memory is asked for */

#define NAME(name) name##_sse2
#define TARGET
#define WIDTH 16
#define VECTOR __m128i
#define LOAD _mm_loadu_si128
#define STORE _mm_storeu_si128
#define FIND(v, octet) (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(octet)))
#include "crlf_blocks.h"

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#define WIDTH 32
#define VECTOR __m256i
#define LOAD _mm256_loadu_si256
#define STORE _mm256_storeu_si256
#define FIND(v, octet) (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(octet)))
#include "crlf_blocks.h"

static size_t
copy_blocks(struct crlf *c, const char *p, size_t n, struct made *m)
{
	unsigned widest = c->widest != 0 ? c->widest : UINT_MAX;

	if (widest >= 32 && __builtin_cpu_supports("avx2"))
		return copy_blocks_avx2(c, p, n, m);
	return widest >= 16 ? copy_blocks_sse2(c, p, n, m) : 0;
}

#else

static size_t
copy_blocks(struct crlf *c, const char *p, size_t n, struct made *m)
{
	(void)c, (void)p, (void)n, (void)m;
	return 0;
}

#endif

/* Lines of p[0..n), which nobody writes to, while there is room; how many octets were used. */
static size_t
copy_lines(struct crlf *c, const char *p, size_t n, struct made *m)
{
	const char *start = p, *end = p + n, *lf;
	size_t left;

	while (p < end && m->at < m->most) {
		if (*p == '.' && c->stuff && before(c, m, m->at) == '\n') {
			*m->at++ = '.';
			*m->at++ = *p++;
			c->stuffed++;
			continue;
		}
		left = (size_t)(end - p);
		if (left > (size_t)(m->most - m->at))
			left = (size_t)(m->most - m->at);
		lf = memchr(p, '\n', left);
		if (lf != NULL)
			left = (size_t)(lf - p);
		memcpy(m->at, p, left);
		m->at += left;
		p += left;
		if (lf == NULL)
			continue;
		m->at += put_end(m->at, before(c, m, m->at));
		p++;
	}
	return (size_t)(p - start);
}

size_t
crlf_fill(struct crlf *c, const char *p, size_t *n, char *to, size_t size)
{
	struct made m = { .start = to, .at = to, .most = to + size - 1 };
	char held[HELD];
	size_t used;

	c->stuffed = 0;
	used = copy_blocks(c, p, *n, &m);
	while (used < *n && m.at < m.most) {
		size_t k = *n - used < sizeof held ? *n - used : sizeof held;

		memcpy(held, p + used, k);
		used += copy_lines(c, held, k, &m);
	}
	if (m.at > to)
		c->before = m.at[-1];
	*n = used;
	return (size_t)(m.at - to);
}
