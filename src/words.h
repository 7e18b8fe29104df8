/*
 * words - header fields with 8-bit text, remade with encoded words (RFC 2047).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef WORDS_H
#define WORDS_H

#include "status.h"

/*
 * Append the field p[0..n), with its name and the CRLF at its end, to `out`. Text, phrases and
 * comments become encoded words, in utf-8 or, what is none, in unknown-8bit (RFC 1428); domains of
 * addresses become A-labels (RFC 5891). Words without 8-bit octets stay as they are; lines may be
 * folded anew. 0, or -1 with *st: 5.6.7 an address that cannot be ASCII, 5.6.9 a field that has no
 * place for text, such as Content-Type; the text names the field, and `out` is as it was.
 */
int words_field(const char *p, size_t n, struct str *out, struct status *st);

#endif
