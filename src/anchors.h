/*
 * anchors - the few certificates of a large file that can matter for a server's chain.
 *
 * A system trusts some 140 authorities, and importing all of them is most of the work of a short
 * submission. Those whose subject is named in the chain are found without parsing the others.
 * GnuTLS looks for issuers by these very octets of a name, so that it verifies with them as it
 * would with all: of a name either every certificate is there or none. What they refuse is
 * nevertheless for the caller to try again with the whole file, which has the last word. Damage to
 * one that no chain names goes unnoticed that way, where GnuTLS by itself would take nothing from
 * the file.
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
 * or issuer of one of chain[0..n), as they stand there, but for those that are in `except`. How
 * many there were. What is no certificate is skipped.
 */
size_t anchors_pick(const char *text, size_t len, const gnutls_datum_t *chain, unsigned n,
    const struct str *except, struct str *pem);

/*
 * The same from a file, into the trusted certificates of `cred`; `loaded` is the text of those that
 * are there from earlier calls, and grows. How many are new; 0 also when the file cannot be read.
 */
size_t anchors_load(gnutls_certificate_credentials_t cred, const char *file,
    const gnutls_datum_t *chain, unsigned n, struct str *loaded);

/* Is there anything in the file that looks like a certificate? */
bool anchors_any(const char *file);

#endif
