/*
 * scan - what is in a text, found in one pass at the speed of memory.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SCAN_H
#define SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So much has been seen of a text that comes in pieces; begins as { .most = ... }. */
struct scan {
	size_t most; /* octets of the longest line that is not too long, its end not counted */
	uint64_t lf, crlf; /* line ends: all, and those with a CR */
	bool eight;	   /* octets above 127 */
	bool nul;
	bool bare; /* a CR that no LF follows */
	bool too_long;
	/* the octet before, and the octets of the line that has not ended, that one included */
	char before;
	size_t line;
};

/* The next n octets; the more of them, the faster each. */
void scan_more(struct scan *s, const char *p, size_t n);

/* There are no more: a CR at the end is bare, and a line without an end is one, too. */
void scan_end(struct scan *s);

#endif
