/*
 * ticket - what one TLS session leaves so that the next one with the same server begins where it
 * ended (RFC 5077, RFC 8446 4.6.1).
 *
 * Each ticket is a file of its own (0600) in a directory that is ours alone (0700), named by a hash
 * over all that it depends on: the terms. A file is taken before it is used, so that nobody uses it
 * a second time. Whatever goes wrong here only means that a session begins from the beginning.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef TICKET_H
#define TICKET_H

#include <time.h>

#include <gnutls/gnutls.h>

#include "str.h"

#define TICKET_SECONDS 86400 /* from the last time that the server showed its certificate */

struct ticket;

/* A ticket to be found and kept in the directory `dir`. Nothing is looked for yet. */
struct ticket *ticket_new(const char *dir);
void ticket_free(struct ticket **kp);

/* A term: the file at `path` (or NULL) as it is now, by its place, size and time. */
void ticket_file_term(struct str *terms, const char *path);

/*
 * Before the handshake: take the ticket for these terms and let the session offer it. True when
 * there is one, and it is fresh. Whether the server agrees shows afterwards
 * (gnutls_session_is_resumed()).
 */
bool ticket_offer(struct ticket *k, const struct str *terms, gnutls_session_t session);

/*
 * After the handshake: this session was found good, so what the server gives is worth keeping for
 * these terms, which may be others by now, but not beyond `expires`.
 */
void ticket_good(
    struct ticket *k, const struct str *terms, time_t expires, gnutls_session_t session);

/* At the end of a session: keep what the server gave, if it was found good. Waits for nothing. */
void ticket_keep(struct ticket *k, gnutls_session_t session);

#endif
