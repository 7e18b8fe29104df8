/*
 * anchors - the few certificates of a large file that can matter for a server's chain.
 *
 * A system trusts some 140 authorities, and importing all of them is most of the work of a short
 * submission. Those whose subject is named in the chain are found without parsing the others, and
 * GnuTLS verifies with them as it would with all: a part of the anchors never accepts what all of
 * them would not. What they refuse is for the caller to try again with the whole file, as names may
 * be equal without being the same octets (RFC 5280 7.1).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ANCHORS_H
#define ANCHORS_H

#include <gnutls/gnutls.h>

#include "str.h"

/*
 * Append to `pem` those certificates of `text` (PEM, as GnuTLS reads it) whose subject is subject
 * or issuer of one of chain[0..n), as they stand there. How many there were. What is no certificate
 * is skipped.
 */
size_t anchors_pick(
    const char *text, size_t len, const gnutls_datum_t *chain, unsigned n, struct str *pem);

/*
 * The same from a file, into the trusted certificates of `cred`. How many are trusted now that were
 * not before; 0 also when the file cannot be read.
 */
size_t anchors_load(gnutls_certificate_credentials_t cred, const char *file,
    const gnutls_datum_t *chain, unsigned n);

#endif
