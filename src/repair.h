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
 * Put the header and the empty line behind it into `own`, which is empty, and note its flags. Lines
 * of more than 998 octets are folded at white space, where there is any and nothing signs the
 * header. 0, or -1 with *st as store_put().
 */
int repair_header(const struct str *header, struct form *own, struct status *st);

/*
 * Header and body are in `own`: sum up, and repair what no server takes, a NUL or a line of more
 * than 998 octets in the body, by quoted-printable. Where the body must not be altered (see
 * repair_need()) a long line stays. 0, or -1 with *st: 5.6.0 for a NUL, or as the store says.
 */
int repair_own(struct form *own, struct status *st);

/*
 * What has to be done to `own` for a server that takes `takes` (TAKES_*): *how, for repair(), 0 for
 * nothing. 0, or -1 with *st: 5.6.3, 5.6.9 when it must not be done, or as the store says.
 *
 * A body may be altered when it is text by the one Content-Type or has none, is not encoded yet,
 * and is not signed: by a DKIM-Signature or the like, or with OpenPGP within the text.
 */
int repair_need(const struct form *own, unsigned takes, unsigned *how, struct status *st);

/*
 * Make `to`, which is all zeroes, of `own`. 0, or -1 with *st: 5.6.7 and 5.6.9 as words_field(), or
 * as the store says; the caller frees to->store either way.
 */
int repair(const struct form *own, unsigned how, struct form *to, struct status *st);

#endif
