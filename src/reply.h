/*
 * reply - what servers say: reply lines (RFC 5321 4.2) and what they mean.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdint.h>

#include "stream.h"

/* Bounds on what is read: a line (RFC 4954 4 wants 12,288), a whole reply, and its lines. */
#define REPLY_LINE_MAX 16384
#define REPLY_MAX 65536
#define REPLY_LINES_MAX 512

/* One reply; reused for every reply of a session. All zeroes is an empty one. */
struct reply {
	unsigned short code;
	unsigned lines;
	struct str text; /* the lines joined by LF, reply codes removed */
};

/*
 * Take one line, without its end, into *r. 1: the reply is complete; 0: more lines follow; -1:
 * not a line of SMTP, or one whose code differs from the lines before, or the bounds are
 * exceeded. The caller clears *r (reply_clear) before the first line of a reply.
 */
int reply_line(struct reply *r, const char *line, size_t len);
void reply_clear(struct reply *r);
void reply_free(struct reply *r);

/*
 * Read a whole reply from `s` into *r. 0, or -1 with *st: 5.5.0 when what came is not SMTP, 4.4.2
 * when the connection ended, or what stream_status() has. The stream is failed with it.
 */
int reply_read(struct reply *r, struct stream *s, enum phase ph, struct status *st);

/*
 * What a reply means at step `ph`. The reply code decides the class; the enhanced code (RFC 2034)
 * is the server's own when its class agrees, X.0.0 when it does not, and when there is none what
 * the reply code says at this step (RFC 4954 6, RFC 3207 4, RFC 7504) or X.0.0. 552 to RCPT
 * without an enhanced code that says otherwise is "too many recipients" (RFC 5321 4.5.3.1.10).
 */
void reply_status(const struct reply *r, enum phase ph, struct status *st);

#endif
