/*
 * list - what an administrator does with the spool: look at what waits, forget it, hold it, let it
 * go.
 *
 * Each takes the account that says where the spool is, and where they name a message: 5.5.4 when
 * `id` is not the name of one that is there. What cannot be written is 5.3.0, and exits with
 * EX_IOERR.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef LIST_H
#define LIST_H

#include "account.h"
#include "status.h"

/*
 * Write to `fd` what waits and what has failed, oldest first, each envelope read once: for people,
 * a block of lines for each message, what keeps an account back, and a total as Postfix's mailq has
 * it; or JSON, an object on a line for each message and nothing when there is none. 0; or -1 with
 * *st: the spool cannot be read (4.3.x), or the last of those that cannot be read is in none of
 * what was written (4.3.0).
 */
int list_all(const struct account *main, bool json, int fd, struct status *st);

/*
 * Write to `fd` the octets of a message, as they are sent; also of one that is being sent. With
 * `envelope` its block of the list goes to standard error before. 0, or -1 with *st.
 */
int list_show(const struct account *main, const char *id, bool envelope, int fd, struct status *st);

/*
 * Forget a message, without a word to its sender; hold it; or release it: one that was held, or
 * waits, is due at once, and one that has failed starts afresh, with all of its time. 0, or -1 with
 * *st: 4.3.0 when it is being sent, 4.3.1 no space.
 */
enum list_change { LIST_DROP, LIST_HOLD, LIST_RELEASE };
int list_change(
    const struct account *main, enum list_change what, const char *id, struct status *st);

#endif
