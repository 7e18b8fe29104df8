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

#include "status.h"

struct credentials {
	const char *user;  /* borrowed */
	struct str secret; /* the password; wiped by credentials_free() */
};
void credentials_free(struct credentials *c);

enum {
	SASL_PLAINTEXT = 1,   /* whoever listens learns the secret */
	SASL_SERVERFIRST = 2, /* no initial response */
};

struct sasl;
struct mech {
	const char *name;
	unsigned flags;
	/* One challenge, one response. 0, or -1 with *st: 5.5.0 for a challenge out of turn. */
	int (*step)(struct sasl *x, const struct str *in, struct str *out, struct status *st);
};

/* One exchange. */
struct sasl {
	const struct mech *mech;
	const struct credentials *cred;
	unsigned round;
};

extern const struct mech sasl_mechs[]; /* best first; ends with name NULL */

/*
 * The first mechanism that `offered` says the server has, that is `wish` (NULL: any), and that
 * may be used on a channel which is `safe` or not. NULL with *st: 5.7.4 nothing in common, 5.7.11
 * only mechanisms that this channel is not safe enough for.
 */
const struct mech *sasl_pick(bool (*offered)(void *arg, const char *mech), void *arg,
    const char *wish, bool safe, struct status *st);

void sasl_start(struct sasl *x, const struct mech *m, const struct credentials *cred);

/* The next response, appended to *out, for the challenge *in (empty for an initial response). */
int sasl_step(struct sasl *x, const struct str *in, struct str *out, struct status *st);

#endif
