/*
 * cert - what a server's certificate is, and whether it is good for a name.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CERT_H
#define CERT_H

#include <time.h>

#include <gnutls/gnutls.h>

#include "status.h"

enum cert_known {
	CERT_UNASKED, /* nobody looked, or could */
	CERT_NEW,     /* no key is remembered for this host */
	CERT_KNOWN,   /* the remembered key */
	CERT_CHANGED, /* another key than the remembered one */
};

/* Why it is not verified, where a person can do something about it; else CF_OTHER. */
enum cert_fault { CF_OTHER, CF_STRANGER, CF_EXPIRED, CF_FUTURE, CF_NAME };

/* Plain facts, for judging and for reports. */
struct cert_info {
	char subject[200];
	char names[200]; /* the DNS names and addresses it is for */
	time_t starts,
	    expires; /* starts is the later, expires the earlier end of the chain we saw */
	/* these only when it is not verified, or there are pins, or keys are remembered */
	char issuer[200];
	char fingerprint[72]; /* "sha256:" and hex, of the certificate */
	char pin[52];	      /* base64 of the SHA-256 of its public key (RFC 7469 2.4) */
	enum cert_fault fault;
	bool verified; /* chain and name */
	bool pinned;   /* one of the policy's pins */
	enum cert_known known;
	char complaint[300]; /* why not verified */
};

/*
 * Is `pin` in a form that we know: sha256:HEX, or base64 of 32 octets, or sha256/BASE64, each of a
 * certificate or of its public key? 0, or -1 with 5.3.5.
 */
int cert_pin_check(const char *pin, struct status *st);

/*
 * Learn everything about the peer's certificate: `name` must be in it, `pins` are compared, and
 * when `known_hosts` is a file (TOFU) the key is looked up there under host and port. `all`: what
 * is not needed for a verdict, too.
 */
void cert_note(gnutls_session_t session, const char *name, const struct strings *pins,
    const char *known_hosts, const char *host, const char *port, bool all, struct cert_info *info);

/*
 * Remember the peer's key in `known_hosts`, making the file (0600) and its directories (0700). 0,
 * or -1 with 4.3.0.
 */
int cert_remember(gnutls_session_t session, const char *known_hosts, const char *host,
    const char *port, struct status *st);

/* How it stands: "verified", "pinned", "known", "remembered from now on", or NULL: not at all. */
const char *cert_standing(const struct cert_info *info);

/* "2027-01-24" into buf. */
const char *cert_date(time_t when, char buf[static 16]);

/* Say in *st (4.7.5) that it is not good for `name`, why, and what can be done. Always -1. */
int cert_refuse(const struct cert_info *c, const char *name, struct status *st);

#endif
