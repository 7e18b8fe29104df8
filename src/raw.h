/*
 * raw - the rest of a large file as mail, without a copy of it.
 *
 * Looked through once, for its size as mail and for what is in it; then read as often as needed,
 * with CRLF for every line end. It is mapped a piece at a time, so it takes no memory to speak of.
 * A file that is altered meanwhile is noticed before the last of it is handed out, so that no
 * message is complete.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef RAW_H
#define RAW_H

#include <sys/types.h>

#include "status.h"

struct raw;

/* What raw_open() found. */
struct raw_info {
	off_t size; /* octets, with CRLF for line ends, and one at the end */
	bool eight; /* octets above 127 */
	bool nul;
	bool too_long; /* a line has more than `most` octets, its end not counted */
};

/*
 * fd from offset `from` to its end, as it is now; fd stays the caller's. NULL when it is no regular
 * file, when it has line ends that are neither LF nor CRLF, or cannot be mapped: then whoever asks
 * has to read it.
 */
struct raw *raw_open(int fd, off_t from, size_t most, struct raw_info *info);

/* Where it ends in the file. */
off_t raw_end(const struct raw *r);

/*
 * Octets of the mail at `at`, reading on from where the last call ended or from the beginning
 * without looking at all before: *p, valid until the next call, and how many; 0 at the end only.
 * `buf` has room for `n` octets. -1 with *st, before the last octets: 4.3.0, the file was altered.
 */
ssize_t raw_view(struct raw *r, off_t at, char *buf, size_t n, const char **p, struct status *st);

/*
 * The same from the beginning (`first`), or from where the last call ended, as it follows DATA: a
 * dot that begins a line has another one before it (RFC 5321 4.5.2).
 */
ssize_t raw_stuffed(
    struct raw *r, bool first, char *buf, size_t n, const char **p, struct status *st);

void raw_free(struct raw **r);

#endif
