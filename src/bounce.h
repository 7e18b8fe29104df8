/*
 * bounce - what a sender is told of a message that did not arrive: a report (RFC 3464), made of an
 * envelope that waits and of the message itself.
 *
 * A report is a multipart/report (RFC 6522) of three parts: text for people;
 * message/delivery-status for programs; and the header of the message, or the whole of it where
 * RET=FULL asks for that (RFC 3461 4.3). Where addresses or fields of the header are UTF-8 the
 * parts are of the types that RFC 6533 has for it. Nobody's words go into it unchecked: each line
 * is text, of at most 998 octets.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include <time.h>

#include "entry.h"
#include "store.h"

/* The longest message that RET=FULL returns, in octets. */
#define BOUNCE_FULL_MAX (1024 * 1024)

enum bounce_kind {
	BOUNCE_FAILED, /* recipients who will not get it: class 5, and others when `expired` */
	BOUNCE_DELAYED /* recipients who may still get it: class 4, and those never tried */
};

struct bounce {
	enum bounce_kind kind;
	bool expired; /* those of class 4, and those never tried (4.4.7), are given up as well */
	const char *name; /* of this host: the reporting MTA, and the domain of the From */
	time_t now;
	long long
	    until; /* of BOUNCE_DELAYED: it is tried until then (seconds since 1970); 0: not said */
};

/*
 * Make a report on `e`, whose message is in the regular file `fd` in stored form (message.h); its
 * offset is neither used nor changed, and -1 is a message of which nothing is left. A recipient
 * whose NOTIFY does not ask for this kind (RFC 3461 4.1) is left out; one without NOTIFY is in. The
 * message is returned as a header when it is longer than BOUNCE_FULL_MAX or has a line of more than
 * 998 octets, with REQUIRETLS (RFC 8689 5), and in a report of a delay (RFC 3461 4.3).
 *
 * 1: the report is in *out, in stored form, and *envelope is its envelope, from "<>" to the sender,
 * for the same account. 0: there is nothing to report, or nobody to report to, as the message came
 * from "<>" itself. -1 with *st: 4.3.0 the message cannot be read, or what store_put() says.
 * *out is as store_init() leaves it, *envelope is empty; both are the caller's to free either way.
 */
int bounce_make(const struct entry *e, const struct bounce *how, int fd, struct store *out,
    struct entry *envelope, struct status *st);

/*
 * Append a boundary (RFC 2046 5.1.1) that is in none of the `n` parts. `seed` is noise, so that
 * nobody can write a message that makes us look for long.
 */
void bounce_boundary(
    struct str *to, unsigned long long seed, const struct str *const *parts, size_t n);

#endif
