/*
 * status - how something ended: an RFC 3463 code, who said it, at which step, in what words.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>

#include "str.h"

/* The steps of a submission, in their order; PH_LOCAL is everything before the network. */
enum phase {
	PH_LOCAL,
	PH_CONNECT,
	PH_GREETING,
	PH_EHLO,
	PH_STARTTLS,
	PH_TLS,
	PH_AUTH,
	PH_MAIL,
	PH_RCPT,
	PH_DATA,
	PH_BODY, /* the octets of the message */
	PH_END,	 /* the reply to the end of the message */
	PH_RSET,
	PH_QUIT,
	PH_COUNT
};

/* Whom a failure strikes. */
enum scope { SC_SESSION, SC_MESSAGE, SC_RECIPIENT };

/*
 * One outcome, by value: copying is `=`, nothing to free, nothing allocated while failing.
 * class 0 means undecided. `text` is one printable line: for a server's reply (code != 0) the
 * whole of it, code first; else our own words.
 */
struct status {
	unsigned char class;		/* 2, 4, 5, or 0 */
	unsigned short subject, detail; /* RFC 3463 */
	unsigned short code;		/* the server's reply code, 0 when we say it */
	unsigned char exit;		/* sysexits(3) value that overrides the table, or 0 */
	enum phase phase;
	char text[512];
};

/*
 * Fill *st with a failure (or success) of our own. The text is made printable and cut to fit.
 * Always -1, so that saying why and leaving is one line.
 */
int status_set(struct status *st, enum phase ph, unsigned class, unsigned subject, unsigned detail,
    const char *fmt, ...) PRINTF(6, 7);

/*
 * The same for a failed system call: ": strerror(errno)" is added, the code is 4.3.1 when
 * storage is full and 4.3.0 otherwise. Always -1.
 */
int status_errno(struct status *st, enum phase ph, const char *fmt, ...) PRINTF(3, 4);

/* Is this errno of a system short of something, or of a medium that fails, which may pass? */
bool status_passes(int error);

/*
 * The same for a file that a person named and that cannot be read, with errno as it is: "WHAT FILE:
 * "
 * (`what` may be NULL), strerror(errno), and what may help. PH_LOCAL; class 5, but 4.3.0 when errno
 * is one that passes. Always -1.
 */
int status_file(
    struct status *st, unsigned subject, unsigned detail, const char *what, const char *file);

/*
 * The enhanced code at the start of `text` (RFC 2034: class "." subject "." detail, each up to
 * three digits, followed by a blank or the end). Fills class, subject, detail of *st and returns
 * its length; 0, with *st untouched, when there is none.
 */
size_t status_parse(const char *text, struct status *st);

bool status_ok(const struct status *st);    /* class 2 */
bool status_retry(const struct status *st); /* class 4: the same mail may succeed later */
enum scope status_scope(const struct status *st);

/* "5.1.1" into buf, which is returned. */
const char *status_enhanced(const struct status *st, char buf[static 16]);

const char *phase_name(enum phase ph); /* "RCPT", "end of message", ...; static */

/*
 * The sysexits(3) value for one outcome: 0 for class 2; 75 for every class 4 but 4.7.12 (a
 * password that must be changed first); for class 5 by who said it, phase and subject.
 */
int status_exit(const struct status *st);

/*
 * What a person can change to make this failure go away, as one sentence without a final stop,
 * or NULL when there is nothing to say. Static.
 */
const char *status_hint(const struct status *st);

#endif
