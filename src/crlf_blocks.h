/*
 * crlf_blocks - how crlf copies blocks, for one width of vectors.
 *
 * No header as others are: crlf.c includes it once for each width, with NAME, TARGET, WIDTH,
 * VECTOR, LOAD, STORE and FIND defined anew, which end here.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */

/* Copy a block; its bits are those of the octets that are LFs. */
TARGET static inline uint64_t
NAME(copy_block)(char *to, const char *p)
{
	uint64_t found = 0;
	int i;

	for (i = 0; i < BLOCK; i += WIDTH) {
		VECTOR v = LOAD((const VECTOR *)(const void *)(p + i));

		STORE((VECTOR *)(void *)(to + i), v);
		found |= (uint64_t)FIND(v, '\n') << i;
	}
	return found;
}

/*
 * The same with p[*done], which begins a line: if it is a dot, another one goes before it, and the
 * block is what is behind it.
 */
TARGET static inline uint64_t
NAME(copy_line)(struct crlf *c, char **to, const char *p, size_t *done)
{
	uint64_t found;

	/* a look ahead saves a copy; what counts is what was copied */
	if (p[*done] != '.' || !c->stuff) {
		found = NAME(copy_block)(*to, p + *done);
		if (**to != '.' || !c->stuff)
			return found;
	}
	(*to)[0] = (*to)[1] = '.';
	*to += 2;
	*done += 1;
	c->stuffed++;
	return NAME(copy_block)(*to, p + *done);
}

/* Whole blocks of p[0..n) while there is room; how many octets were used. */
TARGET static size_t
NAME(copy_blocks)(struct crlf *c, const char *p, size_t n, struct made *m)
{
	const char *start = p, *end = p + n;
	char *to = m->at;

	/* of a block all may be LFs, with dots behind them in the next one */
	for (; end - p >= 2 * BLOCK && m->most - to >= 4 * BLOCK; p += BLOCK) {
		size_t done = 0; /* *to is the place of p[done] */
		uint64_t found;

		__builtin_prefetch(p + AHEAD, 0, 2);
		found = before(c, m, to) == '\n' ? NAME(copy_line)(c, &to, p, &done)
						 : NAME(copy_block)(to, p);
		while (found != 0) {
			size_t lf = done + (size_t)__builtin_ctzll(found);
			char *at = to + (lf - done), last = before(c, m, at);

			if (lf >= BLOCK)
				break;
			/* a CRLF stays where it is, if the next line does, too */
			if (last == '\r' && (lf + 1 == BLOCK || at[1] != '.')) {
				found &= found - 1;
				continue;
			}
			to = at + put_end(at, last);
			/* what is behind it goes there once more */
			if ((done = lf + 1) == BLOCK)
				break;
			found = NAME(copy_line)(c, &to, p, &done);
		}
		to += BLOCK - done;
	}
	m->at = to;
	return (size_t)(p - start);
}

#undef NAME
#undef TARGET
#undef WIDTH
#undef VECTOR
#undef LOAD
#undef STORE
#undef FIND
