/*
 * base64 - RFC 4648, by GnuTLS.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE64_H
#define BASE64_H

#include "str.h"

/* Append the base64 of p[0..n), on one line. What GnuTLS held of it meanwhile is wiped. */
void base64_put(struct str *out, const void *p, size_t n);

/*
 * Append what text[0..n) stands for. Strictly (RFC 4648 3.3, 3.5): whole groups, padding at the end
 * only, nothing else in between; the empty text stands for nothing. 0, or -1.
 */
int base64_get(const char *text, size_t n, struct str *out);

#endif
