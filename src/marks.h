/*
 * marks - places in what is sent, and where they end up on the wire.
 *
 * What is put into a stream becomes records of a layer later, so a place in it gets its place on
 * the wire when the record around it is made.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MARKS_H
#define MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARKS 32 /* of the newest; more messages are never under way */

struct marks {
	struct mark {
		uint64_t plain; /* octets that were put before it */
		uint64_t wire;	/* octets on the wire before its end; 0: it is not there yet */
	} v[MARKS];
	size_t n; /* so far; the oldest are forgotten */
};

/* One more, behind `plain` octets; `wire` is 0 while its record is not made. */
void marks_add(struct marks *m, uint64_t plain, uint64_t wire);

/* What was put up to `plain` has become records that end at `wire`. */
void marks_place(struct marks *m, uint64_t plain, uint64_t wire);

/* Is the mark behind `plain` among the first `gone` octets of the wire? */
bool marks_passed(const struct marks *m, uint64_t plain, uint64_t gone);

#endif
