/*
 * durable - files of our own that a crash leaves either as they were or as they should be.
 *
 * All of it works below a descriptor of a directory that is ours alone. What is said to be on the
 * disk has been fsynced, and so has the directory that names it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef DURABLE_H
#define DURABLE_H

#include <sys/types.h>

#include "status.h"

/*
 * Open the directory `path`, and when it is not there and `make` is set, make it and what is
 * missing above it, 0700. *fd is -1 when it is not there and was not to be made. 0, or -1 with
 * *st: 4.3.5 when it is no directory, a link, somebody else's, or open to others; else as
 * status_errno() has it.
 */
int durable_directory(const char *path, bool make, int *fd, struct status *st);

/* The same for the directory `name` in `dir`. 0, or -1 with errno. */
int durable_below(int dir, const char *name, bool make, int *fd);

/* All of p[0..n), or -1 with errno; ENOSPC when nothing more goes in. */
int durable_write(int fd, const void *p, size_t n);

/* fsync(2), to the end. 0, or -1 with errno. */
int durable_sync(int fd);

/*
 * Replace `name` in `dir` by a file of these octets: written as `temporary`, fsynced, renamed, the
 * directory fsynced. 0, or -1 with errno; *renamed says whether the new one is in place all the
 * same.
 */
int durable_replace(
    int dir, const char *temporary, const char *name, const struct str *text, bool *renamed);

/*
 * Read `name` in `dir`, which must be a regular file, ours, and of no more than `max` octets, into
 * `text`. 0; 1 when it is not such a file, with *why (static); or -1 with errno.
 */
int durable_read(int dir, const char *name, size_t max, struct str *text, const char **why);

/*
 * Is this open file a regular one of ours? 0, with its size; 1 when it is not, with *why (static);
 * or -1 with errno, when that cannot be told.
 */
int durable_examine(int fd, off_t *size, const char **why);

#endif
