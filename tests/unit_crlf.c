/*
 * unit_crlf - tests of line ends and dots.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "crlf.h"
#include "unit.h"

/* As it should be, octet by octet. */
static void
by_hand(const struct str *text, bool stuff, struct str *wanted)
{
	char last = '\n';
	size_t i;

	str_clear(wanted);
	for (i = 0; i < text->len; last = text->p[i++]) {
		if (stuff && last == '\n' && text->p[i] == '.')
			str_putc(wanted, '.');
		if (text->p[i] == '\n' && last != '\r')
			str_putc(wanted, '\r');
		str_putc(wanted, text->p[i]);
	}
}

/* The text in pieces of all sizes into buffers of all sizes. */
static bool
agrees(const struct str *text, bool stuff, unsigned widest)
{
	struct crlf c = { .before = '\n', .stuff = stuff, .widest = widest };
	struct str wanted = { 0 }, got = { 0 };
	size_t at, n, stuffed = 0, once = 0, i;
	bool good = true;

	by_hand(text, stuff, &wanted);
	for (at = 0; good && at < text->len; at += n) {
		size_t size = 2 + arc4random_uniform(arc4random_uniform(2) == 0 ? 9 : 3000), made;
		char *to = xalloc(1, size); /* so that a sanitizer sees where it ends */

		n = arc4random_uniform(2) == 0 ? text->len - at
					       : arc4random_uniform((uint32_t)(text->len - at)) + 1;
		made = crlf_fill(&c, text->p + at, &n, to, size);
		good = made <= size && n > 0;
		str_put(&got, to, made);
		stuffed += c.stuffed;
		free(to);
	}
	for (i = 0; i < text->len; i++)
		once += stuff && text->p[i] == '.' && (i == 0 || text->p[i - 1] == '\n');
	good = good && stuffed == once && got.len == wanted.len &&
	    memcmp(str_text(&got), str_text(&wanted), got.len) == 0;
	str_free(&wanted);
	str_free(&got);
	return good;
}

/* Few letters, so that all that can meet does; `often` of a hundred are of no line's end. */
static void
make_up(struct str *text, size_t n, unsigned often)
{
	str_clear(text);
	while (text->len < n)
		str_putc(
		    text, arc4random_uniform(100) < often ? 'x' : "\n\r.\n"[arc4random_uniform(4)]);
}

void
test_crlf(void)
{
	static const unsigned widths[] = { 0, 16, 1 };
	static const unsigned often[] = { 0, 50, 98 };
	struct str text = { 0 };
	size_t i, k, wrong;
	int n;

	for (i = 0; i < COUNT(widths); i++)
		for (k = 0; k < COUNT(often); k++) {
			for (wrong = 0, n = 0; n < 300; n++) {
				make_up(&text, 1 + arc4random_uniform(2000), often[k]);
				wrong += !agrees(&text, n % 2 == 0, widths[i]);
			}
			is_number((long long)wrong, 0,
			    "texts with vectors of %u octets, %u %% of them no ends", widths[i],
			    often[k]);
		}
	str_free(&text);
}
