/*
 * qp - quoted-printable (RFC 2045 6.7), from any octets to short lines of ASCII.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef QP_H
#define QP_H

#include "store.h"

#define QP_LINE 76 /* octets in a line at most, its end not counted */

/* All zeroes but for `to` is the begin. */
struct qp {
	struct store *to;
	size_t len;
	char line[QP_LINE];
};

/*
 * Encode p[0..n), text with CRLF at the end of every line, the last one too, and no other CR or LF;
 * in pieces cut anywhere. Lines keep their ends; besides what must be encoded, a dot and "From " at
 * the start of a line are. 0, or -1 with *st as store_put().
 */
int qp_put(struct qp *q, const char *p, size_t n, struct status *st);

#endif
