/*
 * str - growable bytes, and the few text helpers everything else needs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <vis.h>

#include "str.h"

static int decided = -1; /* see xdecided() */

static void
no_memory(void)
{
	static const char before[] = ": 4.3.0 no memory left; nothing more was sent\n";
	static const char after[] = ": 4.3.0 no memory left to report; the exit status is right\n";
	const char *name = getprogname();

	/* stdio may want memory of its own */
	if (write(STDERR_FILENO, name, strlen(name)) != -1)
		(void)!(decided == -1 ? write(STDERR_FILENO, before, sizeof before - 1)
				      : write(STDERR_FILENO, after, sizeof after - 1));
	_exit(xstatus(EX_TEMPFAIL));
}

void
xdecided(int status)
{
	decided = status;
}

int
xstatus(int otherwise)
{
	return decided == -1 ? otherwise : decided;
}

void *
xalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		no_memory();
	return p;
}

void *
xbuffer(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		no_memory();
	return p;
}

void *
xgrow(void *p, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap > 0 ? *cap : 16;

	if (want <= *cap)
		return p;
	while (n < want) {
		if (n > SIZE_MAX / 2)
			no_memory();
		n *= 2;
	}
	p = recallocarray(p, *cap, n, size);
	if (p == NULL)
		no_memory();
	*cap = n;
	return p;
}

char *
xstrndup(const char *s, size_t n)
{
	char *p = xalloc(n + 1, 1);

	memcpy(p, s, n);
	return p;
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

void
str_room(struct str *s, size_t n)
{
	if (n > SIZE_MAX - s->len - 1)
		no_memory();
	s->p = xgrow(s->p, &s->cap, s->len + n + 1, 1);
}

void
str_put(struct str *s, const void *p, size_t n)
{
	str_room(s, n);
	if (n > 0)
		memcpy(s->p + s->len, p, n);
	s->len += n;
	s->p[s->len] = '\0';
}

void
str_puts(struct str *s, const char *z)
{
	str_put(s, z, strlen(z));
}

void
str_putc(struct str *s, char c)
{
	str_put(s, &c, 1);
}

void
str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	str_room(s, 128);
	n = vsnprintf(s->p + s->len, s->cap - s->len, fmt, ap);
	if (n >= 0 && (size_t)n >= s->cap - s->len) {
		str_room(s, (size_t)n);
		n = vsnprintf(s->p + s->len, s->cap - s->len, fmt, again);
	}
	va_end(again);
	if (n > 0)
		s->len += (size_t)n;
}

void
str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

void
str_cut(struct str *s, size_t n)
{
	s->len -= n;
	if (s->p != NULL)
		s->p[s->len] = '\0';
}

void
str_clear(struct str *s)
{
	s->len = 0;
	if (s->p != NULL)
		s->p[0] = '\0';
}

void
str_free(struct str *s)
{
	freezero(s->p, s->cap);
	memset(s, 0, sizeof *s);
}

const char *
str_text(const struct str *s)
{
	return s->p != NULL ? s->p : "";
}

void
strings_add(struct strings *l, const char *z)
{
	l->v = xgrow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n++] = xstrdup(z);
}

void
strings_free(struct strings *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		freezero(l->v[i], strlen(l->v[i]));
	free(l->v);
	memset(l, 0, sizeof *l);
}

void
str_xtext(struct str *to, const char *z)
{
	for (; *z != '\0'; z++)
		if (*z > ' ' && *z < 0x7f && *z != '+' && *z != '=')
			str_putc(to, *z);
		else
			str_printf(to, "+%02X", (unsigned char)*z);
}

/* The value of an upper-case hexadecimal digit, or -1. */
static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
str_unxtext(struct str *to, const char *z)
{
	str_puts(to, "");
	for (; *z != '\0'; z++) {
		if (*z != '+') {
			if (*z <= ' ' || *z >= 0x7f || *z == '=')
				return -1;
			str_putc(to, *z);
			continue;
		}
		if (hex_digit(z[1]) == -1 || hex_digit(z[2]) == -1 || (z[1] == '0' && z[2] == '0'))
			return -1;
		str_putc(to, (char)(hex_digit(z[1]) * 16 + hex_digit(z[2])));
		z += 2;
	}
	return 0;
}

void
str_printable(struct str *to, const char *p, size_t n)
{
	size_t plain = 0;

	/* most text is, and strvisx() looks at it long and hard */
	while (plain < n && p[plain] >= ' ' && p[plain] <= '~')
		plain++;
	str_put(to, p, plain);
	if ((n -= plain) == 0)
		return;
	p += plain;
	/* it writes up to four bytes for one, and a NUL */
	if (n > (SIZE_MAX - 1) / 4)
		no_memory();
	str_room(to, n * 4 + 1);
	to->len += (size_t)strvisx(
	    to->p + to->len, p, n, VIS_CSTYLE | VIS_TAB | VIS_NL | VIS_NOSLASH);
}

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool
ascii_eqn(const char *a, const char *b, size_t n)
{
	for (; n > 0; a++, b++, n--) {
		if (lower(*a) != lower(*b))
			return false;
		if (*a == '\0')
			return true;
	}
	return true;
}

bool
ascii_eq(const char *a, const char *b)
{
	return ascii_eqn(a, b, SIZE_MAX);
}

bool
ascii_clean(const char *z)
{
	for (; *z != '\0'; z++)
		if ((unsigned char)*z < ' ' || *z == 0x7f)
			return false;
	return true;
}

bool
has_8bit(const char *p, size_t n)
{
	const char *end = p + n;

	for (; end - p >= 8; p += 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		if ((w & UINT64_C(0x8080808080808080)) != 0)
			return true;
	}
	for (; p < end; p++)
		if ((*p & 0x80) != 0)
			return true;
	return false;
}

/* The first octet of a character: what has to follow; false when none begins so. */
static bool
utf8_first(struct utf8 *u, unsigned char c)
{
	/* no overlong forms, no surrogates, nothing above U+10FFFF */
	static const struct {
		unsigned char from, to, left, low, high;
	} rows[] = {
		{ 0xc2, 0xdf, 1, 0x80, 0xbf },
		{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
		{ 0xe1, 0xec, 2, 0x80, 0xbf },
		{ 0xed, 0xed, 2, 0x80, 0x9f },
		{ 0xee, 0xef, 2, 0x80, 0xbf },
		{ 0xf0, 0xf0, 3, 0x90, 0xbf },
		{ 0xf1, 0xf3, 3, 0x80, 0xbf },
		{ 0xf4, 0xf4, 3, 0x80, 0x8f },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (c >= rows[i].from && c <= rows[i].to) {
			u->left = rows[i].left;
			u->low = rows[i].low;
			u->high = rows[i].high;
			return true;
		}
	return false;
}

bool
utf8_more(struct utf8 *u, const char *p, size_t n)
{
	for (; n > 0; p++, n--) {
		unsigned char c = (unsigned char)*p;

		if (u->left == 0) {
			if (c >= 0x80 && !utf8_first(u, c))
				return false;
			continue;
		}
		if (c < u->low || c > u->high)
			return false;
		u->left--;
		u->low = 0x80;
		u->high = 0xbf;
	}
	return true;
}

bool
is_utf8(const char *p, size_t n)
{
	struct utf8 u = { 0 };

	return utf8_more(&u, p, n) && u.left == 0;
}

/* Levenshtein distance of two short words; anything longer than 39 bytes is far from everything. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[40], i, j, m = (unsigned)strnlen(a, 40), n = (unsigned)strnlen(b, 40);

	if (m >= 40 || n >= 40)
		return UINT_MAX;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; i <= m; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= n; j++) {
			unsigned best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));

			if (best > row[j] + 1)
				best = row[j] + 1;
			if (best > row[j - 1] + 1)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

const char *
nearest(const char *word, const char *const *names)
{
	const char *best = NULL;
	unsigned least = (unsigned)strnlen(word, 40) / 3 + 2;

	for (; *names != NULL; names++) {
		unsigned d = distance(word, *names);

		if (d < least) {
			least = d;
			best = *names;
		}
	}
	return best;
}
