/*
 * source - where a message is read from: a descriptor, or whatever hands over octets.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <sys/types.h>

#include "status.h"

struct source;

/* Up to n octets into p: how many, 0 at the end of the message, -1 with *st. */
typedef ssize_t source_read_fn(void *arg, char *p, size_t n, struct status *st);

struct source *source_new(source_read_fn *read, void *arg);

/*
 * What `fd` has; it stays the caller's. When `dot` is set, a line of one "." that a read hands over
 * alone, as a terminal does, is the end. Reading fails with 4.3.0: an error, or a signal.
 */
struct source *source_fd(int fd, bool dot);

/* The next octet without taking it: 1 and *c, 0 at the end, -1 with *st; and taking it. */
int source_peek(struct source *in, char *c, struct status *st);
void source_skip(struct source *in);

/*
 * Take what was read and not yet taken, or else what one more read gives: its length and *p, valid
 * until the next call; 0 at the end; -1 with *st.
 */
ssize_t source_take(struct source *in, const char **p, struct status *st);

#define SOURCE_LARGE (256 * 1024) /* octets of a file in which it is worth while to leave a message */

/*
 * Where the rest of it is, of which nothing was taken, when it is a large file: its descriptor,
 * and *at, the offset; else -1. source_leave() says that it was taken from there up to `end`.
 */
int source_file(const struct source *in, off_t *at);
void source_leave(struct source *in, off_t end);

void source_free(struct source **inp); /* clears the caller's pointer */

#endif
