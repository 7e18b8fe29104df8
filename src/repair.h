/*
 * repair - forms of a message for servers that take less than what it has in it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef REPAIR_H
#define REPAIR_H

#include "letter.h"

/* Which of MSG_8BIT and MSG_NUL p[0..n) has, but for those in `known`. */
unsigned repair_look(const char *p, size_t n, unsigned known);

/*
 * Put the header and the empty line behind it into `own`, which is empty, and note its flags. 0, or
 * -1 with *st as store_put().
 */
int repair_header(const struct str *header, struct form *own, struct status *st);

/*
 * The header and the body are in `own`: sum up, and repair what no server takes. 0, or -1 with *st:
 * 5.6.0 for a NUL, or as store_put().
 */
int repair_own(struct form *own, struct status *st);

/*
 * What has to be done for a server that takes `takes` (TAKES_*): *how, for repair(), 0 for nothing.
 * 0, or -1 with *st: 5.6.3, 5.6.9 when it must not be done.
 */
int repair_need(const struct form *own, unsigned takes, unsigned *how, struct status *st);

/*
 * Make `to`, which is all zeroes, of `own`. 0, or -1 with *st: 5.6.7, 5.6.9, or as the store says;
 * the caller frees to->store either way.
 */
int repair(const struct form *own, unsigned how, struct form *to, struct status *st);

#endif
