/*
 * parties - who sends and who receives: from what callers and headers say to the envelope.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PARTIES_H
#define PARTIES_H

#include "account.h"
#include "envelope.h"
#include "message.h"

/*
 * Put the recipients into the envelope: those of the arguments, each an address list, and when
 * `fields` is not NULL those of its lines ("To: ..."). Aliases are expanded, bare names get the
 * account's domain, and nobody is there twice. 0, or -1 with *st: 5.5.1 nobody is left, 5.1.3 a
 * malformed one, with field and column (exit 67 when only a domain is missing), 5.3.5 an alias.
 */
int parties_recipients(const struct account *a, char *const *args, size_t n,
    const struct strings *fields, struct envelope *e, struct status *st);

/*
 * The sender for the envelope, appended to `out` without < >: `given` when not NULL ("" and "<>"
 * are the null sender), else the address of From (`header`, or "") when the account is for it, the
 * account's first plain address, From as it is unless that is local, a login that is an address,
 * login@host. With allow-from-override no: the account's first plain address, or the null sender
 * where that is given. 0, or -1 with 5.1.7, or 5.3.5 when there is no such address.
 */
int parties_sender(const struct account *a, const char *given, const char *header, struct str *out,
    struct status *st);

/* Is this a name without a domain, or one at this machine, where nobody else could answer to it? A
 * full host name counts only when `from` or `domain` are set, and neither is for it. */
bool parties_local(const struct account *a, const char *addr);

/* The domain of an address, behind its @, or NULL. Borrowed. */
const char *parties_domain(const char *addr);

/* Does the account have a `from` for this address? */
bool parties_own(const struct account *a, const char *addr);

/* The first address of the From field, ready for the envelope, appended to `out`; or nothing. */
void parties_from(const struct message *m, const struct account *a, struct str *out);

#endif
