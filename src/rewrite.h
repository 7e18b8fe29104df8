/*
 * rewrite - the header made such that servers take it and people can answer.
 *
 *     From: root (Cron Daemon)		From: Cron Daemon <alice@example.org>
 *					X-Original-From: root (Cron Daemon)
 *     To: root				To: root@example.org
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef REWRITE_H
#define REWRITE_H

#include "account.h"
#include "message.h"

/*
 * Rewrite the addresses in `head`, which is complete fields, as the account's rewrite_from and
 * from_override say; `author` is an address, and stands for those in From that cannot stay. With
 * from_override off, From and Sender are `author` and nothing else, and a field that cannot be read
 * is replaced; otherwise such a field stays, and so does the whole header when it holds a
 * DKIM-Signature. What is not replaced stays octet for octet, and twice is the same as once.
 */
void rewrite_head(struct str *head, const struct account *a, const char *author);

/*
 * Rewrite the header of `m`, between message_open() and message_finish(), and append to `fields`
 * what a message must have (RFC 5322 3.6) and this one has not: Date, From (`full_name`, when not
 * NULL, is its display name) and Message-ID. `sender` is that of the envelope, and `given` says
 * that it is not parties_sender()'s own choice. 0, or -1 with parties_sender()'s *st.
 */
int rewrite_message(struct message *m, const struct account *a, const char *sender, bool given,
    const char *full_name, struct str *fields, struct status *st);

#endif
