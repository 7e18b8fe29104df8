/*
 * cork - full segments for what is longer than one.
 *
 * A TLS record is no multiple of a segment. With Nagle's algorithm switched off (TCP_NODELAY), each
 * would end with a short one, and a long message is many of them; with it, a dialogue would wait
 * for acknowledgements. So in a long message the kernel is told to keep an odd end for what
 * follows.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CORK_H
#define CORK_H

#include <stdbool.h>

/*
 * From now on what makes no full segment stays in the kernel, for 200 ms at most (tcp(7),
 * TCP_CORK). *corked is whether this was said already. On what is no TCP connection nothing
 * changes.
 */
void cork_put(int fd, bool *corked);

/* What stayed goes out, and all else from now on. */
void cork_draw(int fd, bool *corked);

#endif
