/*
 * progress - what a person at a terminal sees of an upload that takes a while.
 *
 * Nothing at all before two seconds have passed, and nothing but a look at the clock where we wait
 * anyway. Then one line on standard error that changes a few times a second, and is gone at the
 * end. Standard error must be the terminal of this session, and we in its foreground.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "stream.h"

/* May there be such a line? Not unless this has said so: others may want the screen. */
void progress_allow(bool on);

/* What begins from now on is message `place` of so many; 0: there is nothing to count. */
void progress_place(size_t place, size_t of);

/*
 * A message of `total` octets goes into `s`, which must live until progress_end(). Then all of it
 * has left the stream, and its answer is waited for; and the end, whatever it was. The last two may
 * come when nothing has begun.
 */
void progress_begin(const struct stream *s, uint64_t total);
void progress_sent(void);
void progress_end(void);

/* What the line says. */
struct progress {
	size_t place, of;     /* or 0 */
	uint64_t sent, total; /* octets */
	int64_t ms;	      /* since the begin, or since all was sent */
	bool waiting;	      /* all is sent, and the answer is not there */
};

/*
 * Append it: "pneu: 12.3 MB of 40.0 MB, 1.2 MB/s, 22s left", without a line end, in `columns` at
 * most; what does not fit is left out from the right. Units are decimal; the rate is that since the
 * begin, and the time that is left follows from it.
 */
void progress_text(const struct progress *p, size_t columns, struct str *line);

#endif
