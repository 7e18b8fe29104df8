/*
 * secret - where passwords come from.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SECRET_H
#define SECRET_H

#include <sys/stat.h>

#include "account.h"
#include "sasl.h"
#include "url.h"

/* The longest secret, in octets: OAuth tokens have a few thousand. */
#define SECRET_MAX 65536

/*
 * The password for `user` at `u`, in this order: the URL, `password`, `password-file`,
 * `password-command`. One trailing line end is cut off. Waits for a command no longer than
 * `deadline`. 0, or -1 with *st: 5.7.0 none is set, or it is empty, too long, or holds a NUL; 4.7.0
 * a command that exits with 75; 5.3.5 a file that cannot be read or that others can read.
 */
int secret_get(const struct account *a, const struct url *u, const char *user, int64_t deadline,
    struct str *secret, struct status *st);

/*
 * May a file with this mode and owner hold a secret? Not when others can read it, or its group can
 * and it is not root's, or anybody else can write it. 0, or -1 with 5.3.5 and the chmod that helps.
 */
int secret_mode(const struct stat *sb, const char *file, struct status *st);

#endif
