/*
 * qp - quoted-printable (RFC 2045 6.7), from any octets to short lines of ASCII.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "qp.h"

/* How far an octet may go, so that "=" has room behind it. */
#define SOFT_END (QP_LINE - 1)

/* Two octets more than it has: what a line starts with may have to be encoded yet. */
static size_t
line_room(const struct qp *q)
{
	return q->len > 0 && (q->line[0] == '.' || q->line[0] == 'F') ? SOFT_END - 2 : SOFT_END;
}

/* The line so far, and `end` behind it. */
static int
put_line(struct qp *q, const char *end, struct status *st)
{
	const char *p = q->line;
	size_t n = q->len;

	q->len = 0;
	if (n > 0 && (*p == '.' || (n >= 5 && memcmp(p, "From ", 5) == 0))) {
		if (store_put(q->to, *p == '.' ? "=2E" : "=46", 3, st) == -1)
			return -1;
		p++;
		n--;
	}
	if (store_put(q->to, p, n, st) == -1)
		return -1;
	return store_put(q->to, end, strlen(end), st);
}

static int
put_token(struct qp *q, const char *p, size_t n, struct status *st)
{
	if (q->len + n > line_room(q) && put_line(q, "=\r\n", st) == -1)
		return -1;
	memcpy(q->line + q->len, p, n);
	q->len += n;
	return 0;
}

static int
put_octet(struct qp *q, char c, struct status *st)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	char code[3] = { '=', hex[u >> 4], hex[u & 15] };

	return put_token(q, code, 3, st);
}

/* The end of a line of the text; a blank before it would be lost (RFC 2045 6.7, rule 3). */
static int
end_line(struct qp *q, struct status *st)
{
	char last = q->len > 0 ? q->line[q->len - 1] : 'x';

	if (last == ' ' || last == '\t') {
		q->len--;
		if (put_octet(q, last, st) == -1)
			return -1;
	}
	return put_line(q, "\r\n", st);
}

int
qp_put(struct qp *q, const char *p, size_t n, struct status *st)
{
	const char *end = p + n;
	int r = 0;

	for (; r == 0 && p < end; p++)
		if (*p == '\n')
			r = end_line(q, st);
		else if (*p == '\r')
			continue; /* the LF follows */
		else if ((*p >= ' ' && *p <= '~' && *p != '=') || *p == '\t')
			r = put_token(q, p, 1, st);
		else
			r = put_octet(q, *p, st);
	return r;
}
