/*
 * lines - text in lines that are short enough, for people and for SMTP.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "letter.h"
#include "lines.h"

/* Octets of a piece of a word that is too long, cut between letters. */
static size_t
piece(const char *p)
{
	size_t n = LINE_PIECE;

	while (n > LINE_PIECE - 4 && (p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void
lines_fold(struct str *out, size_t line, const char *indent, const char *z)
{
	size_t blanks, n, cut;
	bool first = true;

	for (; z[blanks = strspn(z, " ")] != '\0'; z += n, first = false) {
		n = blanks + strcspn(z + blanks, " ");
		if (!first && out->len - line + n > LINE_GOOD) {
			line = out->len + 2;
			str_printf(out, "\r\n%s", indent);
			z++; /* the indent is for this blank */
			n--;
		}
		for (; n > LINE_PIECE; z += cut, n -= cut) {
			cut = piece(z);
			str_put(out, z, cut);
			line = out->len + 2;
			str_printf(out, "\r\n%s", indent);
		}
		str_put(out, z, n);
	}
	str_puts(out, "\r\n");
}

bool
lines_cut(struct str *out, const char *p, size_t n)
{
	bool cut = false;

	while (n > 0) {
		const char *lf = memchr(p, '\n', n);
		size_t line = lf != NULL ? (size_t)(lf - p) + 1 : n, most = LINE_OCTETS + 2, len;

		for (; line > most; p += len, n -= len, line -= len) {
			len = piece(p);
			str_put(out, p, len);
			str_puts(out, "\r\n ");
			most = LINE_OCTETS + 1;
			cut = true;
		}
		str_put(out, p, line);
		p += line;
		n -= line;
	}
	return cut;
}
