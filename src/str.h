/*
 * str - growable bytes, and the few text helpers everything else needs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef STR_H
#define STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define PRINTF(a, b) __attribute__((__format__(__printf__, a, b)))

/*
 * A run of bytes that grows. All zeroes is an empty one, and `p` may then be NULL; once anything
 * was put, p[len] is NUL. The struct lives in its owner, who calls str_free().
 */
struct str {
	char *p;
	size_t len, cap;
};

/* A list of strings, owned: strings_free() gives all of it back. */
struct strings {
	char **v;
	size_t n, cap;
};

/*
 * Memory that is always there: when the system has none left these end the process with
 * status 75 and a line saying so, which at worst repeats a mail and never loses one.
 * xalloc() zeroes; xgrow() makes room for `want` elements of `size` bytes, updates *cap and wipes
 * what it leaves behind, so buffers may hold secrets.
 */
void xdecided(int status);  /* what became of the mail is settled: end with this instead of 75 */
int xstatus(int otherwise); /* what xdecided() was told, or this */
void *xalloc(size_t n, size_t size);
void *xbuffer(size_t n); /* not zeroed, for what is written before it is read */
void *xgrow(void *p, size_t *cap, size_t want, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

void str_room(struct str *s, size_t n); /* space for n more bytes behind len */
void str_put(struct str *s, const void *p, size_t n);
void str_puts(struct str *s, const char *z);
void str_putc(struct str *s, char c);
void str_printf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
void str_vprintf(struct str *s, const char *fmt, va_list ap) PRINTF(2, 0);
void str_cut(struct str *s, size_t n);	   /* the last n bytes, of which there are as many */
void str_clear(struct str *s);		   /* len = 0; keeps the memory */
void str_free(struct str *s);		   /* wipes, frees, and leaves an empty one */
const char *str_text(const struct str *s); /* "" when nothing was ever put */

void strings_add(struct strings *l, const char *z);
void strings_free(struct strings *l);

/* xtext (RFC 3461 4): what would end a parameter, or is not printable, as "+" and two digits. */
void str_xtext(struct str *to, const char *z);
int str_unxtext(struct str *to, const char *z); /* 0, or -1: malformed; "" stays "" */

/*
 * Appends `n` bytes made harmless for a terminal or a log: controls and 8-bit bytes become
 * backslash sequences (strvisx), and doing it twice is the same as doing it once.
 */
void str_printable(struct str *to, const char *p, size_t n);

bool ascii_eq(const char *a, const char *b); /* equal but for the case of A-Z, in any locale */
bool ascii_eqn(const char *a, const char *b, size_t n);
bool ascii_clean(const char *z); /* no control characters, CR, LF and DEL among them */
bool has_8bit(const char *p, size_t n);

/*
 * Is this UTF-8 (RFC 3629)? utf8_more() takes it by pieces, cut anywhere: all zeroes is the begin;
 * false as soon as it is none; at the end `left` must be 0.
 */
struct utf8 {
	unsigned char left;	 /* octets that the character still needs */
	unsigned char low, high; /* bounds of the next one */
};
bool utf8_more(struct utf8 *u, const char *p, size_t n);
bool is_utf8(const char *p, size_t n);

/*
 * The name in `names` (a NULL-terminated list) that a person who wrote `word` most likely meant,
 * or NULL when nothing is near. Borrowed from `names`.
 */
const char *nearest(const char *word, const char *const *names);

#endif
