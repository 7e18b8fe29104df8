/*
 * aliases - other names for local ones, in the format of sendmail's aliases(5).
 *
 *     root:     alice@example.org, bob@example.org
 *     default:  postmaster@example.org
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ALIASES_H
#define ALIASES_H

#include "status.h"

struct aliases {
	struct strings names, values; /* values[i] is what stands behind names[i] */
};

/*
 * Read a file of aliases. Continuation lines begin with a blank; # begins a comment; names may be
 * quoted. 0, or -1 with 5.3.5 and "file:line". aliases_free() in any case.
 */
int aliases_load(struct aliases *a, const char *file, struct status *st);
void aliases_free(struct aliases *a);

/* What stands behind `name` (case counts not), or NULL. Borrowed. */
const char *aliases_find(const struct aliases *a, const char *name);

/*
 * Expand `addr`: `each` is called with every address that it stands for, at least once. A name
 * without a domain, or at one that `local` says is this machine's, is looked up, and what is
 * found is expanded in turn; a name that stands for itself is itself, and so is one behind a
 * backslash. A bare name that is not
 * found is what "default" stands for, if there is one. 0, a negative answer of `each`, or -1 with
 * 5.3.5 when names go round in circles, stand for nobody, or stand for a program or a file, which is
 * for real mail servers.
 */
int aliases_expand(const struct aliases *a, const char *addr, bool (*local)(const char *domain),
    int (*each)(void *arg, const char *addr, struct status *st), void *arg, struct status *st);

#endif
