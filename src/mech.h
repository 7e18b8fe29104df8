/*
 * mech - what a SASL mechanism is made of (RFC 4422): shared by the table and the mechanisms.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MECH_H
#define MECH_H

#include "status.h"

struct credentials {
	const char *user;	  /* borrowed, like all but the two strs */
	struct str secret;	  /* password or token; wiped by credentials_free() */
	const char *host, *port;  /* OAUTHBEARER names them */
	const char *binding_type; /* RFC 5056 name of the channel's binding; NULL: it has none */
	struct str binding;
};

enum {
	SASL_REUSABLE = 1,    /* who listens can use, or guess at leisure, what was sent */
	SASL_SERVERFIRST = 2, /* no initial response */
	SASL_BINDING = 4,     /* ties the login to the TLS channel */
	SASL_MUTUAL = 8,      /* the server proves that it knows the password, too */
	SASL_BEARER = 16,     /* the secret is a token */
	SASL_NOSECRET = 32,   /* TLS has shown who we are */
};

struct sasl;
struct mech {
	const char *name;
	unsigned flags;
	/* One challenge, one response. 0, or -1 with *st: 5.5.0 for a challenge out of turn. */
	int (*step)(struct sasl *x, const struct str *in, struct str *out, struct status *st);
	int hash; /* the mechanism's gnutls_mac_algorithm_t, or 0 */
};

/* One exchange; sasl_end() wipes it. */
struct sasl {
	const struct mech *mech;
	const struct credentials *cred;
	unsigned round;
	bool plus_offered;   /* the server has a -PLUS form of this mechanism */
	bool proven;	     /* SASL_MUTUAL: the server has proved itself */
	const char *nonce;   /* SCRAM's, for tests; NULL: a random one */
	struct str detail;   /* what the server said of an error inside the exchange, printable */
	struct scram *scram; /* its state */
};

#endif
