/*
 * sasl - authentication mechanisms as pure steps over bytes (RFC 4422).
 *
 * A mechanism knows nothing of SMTP, base64 or sockets: challenge in, response out.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SASL_H
#define SASL_H

#include "mech.h"

void credentials_free(struct credentials *c);

#define SASL_MECHS_MAX 16
extern const struct mech sasl_mechs[];		/* best first; ends with name NULL */
const struct mech *sasl_mech(const char *name); /* in any case of letters, or NULL */

/* What can be asked for, and where the exchange would happen. */
struct sasl_choice {
	bool (*offered)(void *arg, const char *mech);
	void *arg;
	const char *all;  /* what is offered, with blanks, for the words of a failure; or NULL */
	const char *wish; /* the one mechanism to use, or NULL */
	bool tls_left;	  /* TLS was offered and not taken, and more may be offered in it */
	bool safe;	  /* the channel keeps a reusable secret */
	bool binding;	  /* the channel has a binding */
	bool secret;	  /* there is a secret; without one only SASL_NOSECRET will do */
};

/*
 * The best mechanism under these conditions. NULL with *st: 5.7.4 nothing in common, 5.7.11
 * only mechanisms that this channel is not safe enough for.
 */
const struct mech *sasl_pick(const struct sasl_choice *c, struct status *st);

void sasl_start(struct sasl *x, const struct mech *m, const struct credentials *cred);

/* The next response, appended to *out, for the challenge *in (empty for an initial response). */
int sasl_step(struct sasl *x, const struct str *in, struct str *out, struct status *st);

/*
 * The server has reported success. 0, or -1 with 5.7.5 when it has not proved itself though the
 * mechanism demands it.
 */
int sasl_finish(const struct sasl *x, struct status *st);
void sasl_end(struct sasl *x);

#endif
