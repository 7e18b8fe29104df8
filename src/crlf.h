/*
 * crlf - text with any line ends as it goes to a server: with CRLF, and with dots doubled.
 *
 * What is read may be memory that somebody else writes to meanwhile, such as a mapped file. If an
 * octet were no dot when dots are looked for, and a dot when it is copied, that somebody could end
 * the message and say MAIL in our session. So whatever is decided is decided by what has been
 * copied already.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CRLF_H
#define CRLF_H

#include <stdbool.h>
#include <stddef.h>

/* Where it is in a text that comes in pieces; a text begins with before '\n'. */
struct crlf {
	char before;	/* the last octet that was used */
	bool stuff;	/* a dot that begins a line gets another one (RFC 5321 4.5.2) */
	size_t stuffed; /* so many got one at the last call */
	/* octets of the widest vectors that may be used: as the processor has them, if it is 0 */
	unsigned widest;
};

/*
 * Fill to[0..size) with p[0..*n): how many octets, and *n is how many of them were used. Two octets
 * at least have room. LF becomes CRLF, CRLF stays, and a CR elsewhere, too.
 */
size_t crlf_fill(struct crlf *c, const char *p, size_t *n, char *to, size_t size);

#endif
