/*
 * store - bytes that are written once and read as often as needed, in constant memory.
 *
 * Small contents stay in memory; larger ones go to a file in $TMPDIR (or /tmp) that has no name
 * any more, so that nothing is left behind whatever happens. What comes from a large file can stay
 * in it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef STORE_H
#define STORE_H

#include <sys/types.h>

#include "raw.h"

struct store {
	struct str mem;	  /* everything, or what is not yet in the file, or what is before `rest` */
	int fd;		  /* -1: all is in memory */
	off_t filed;	  /* octets in the file */
	struct raw *rest; /* what stays where it is, or NULL */
	off_t rest_size;
};

#define STORE_MEMORY (256 * 1024) /* octets from which on there is a file */

void store_init(struct store *s);
/* Append. 0, or -1 with *st: 4.3.1 no space, 4.3.0 any other trouble with the file. */
int store_put(struct store *s, const void *p, size_t n, struct status *st);
off_t store_size(const struct store *s);

/*
 * Before we are confined (confine.h): make files for the time when none can be made. When they are
 * all in use, memory has to do.
 */
void store_reserve(void);

/*
 * The rest of the contents stays in the file that `fd` is, from offset `from` on, when that is
 * worth while and possible (raw.h), and nothing is appended any more. True, and what is known of
 * it.
 */
bool store_rest(struct store *s, int fd, off_t from, size_t most, struct raw_info *info);

/*
 * A view of the contents at `at`: *p and its length, which is 0 at the end only. Valid until the
 * next call on the store; `buf` (STORE_CHUNK octets) is used when the contents are in a file. -1
 * with *st (4.3.0).
 */
#define STORE_CHUNK 65536
ssize_t store_view(const struct store *s, off_t at, char *buf, const char **p, struct status *st);
void store_free(struct store *s);

#endif
