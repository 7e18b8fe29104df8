/*
 * lines - text in lines that are short enough, for people and for SMTP.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef LINES_H
#define LINES_H

#include "str.h"

/*
 * Lines are folded behind LINE_GOOD octets, where there is a blank; and within a word that is
 * longer than LINE_PIECE, which is 998 (RFC 5322 2.1.1) less the name of a field. Letters of UTF-8
 * stay whole.
 */
#define LINE_GOOD 76
#define LINE_PIECE 900

/*
 * Append text and CRLF to the line that begins at `line`, folded. A new line begins with `indent`;
 * where that is one blank, and no word was cut, the text can be had back by unfolding (RFC 5322
 * 2.2.3). Blanks at the end are left out.
 */
void lines_fold(struct str *out, size_t line, const char *indent, const char *z);

/*
 * Append p[0..n), lines that end in CRLF. One of more than 998 octets is cut, as if it were folded.
 * Returned: were there such?
 */
bool lines_cut(struct str *out, const char *p, size_t n);

#endif
