/*
 * scram - the SCRAM family (RFC 5802, 7677): one step function for every hash, with and without
 * channel binding (RFC 5929, 9266).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SCRAM_H
#define SCRAM_H

#include "mech.h"

/* Fewer rounds than this are worth too little, more take too long (RFC 7677 4 wants 4096). */
#define SCRAM_ROUNDS_MIN 4096
#define SCRAM_ROUNDS_MAX 2000000

/*
 * A step of struct mech. Failures: 5.5.0 a malformed message, a nonce that is not an extension of
 * ours, an iteration count out of bounds; 5.7.5 a wrong signature; 5.7.8 what the server reports
 * as e=.
 */
int scram_step(struct sasl *x, const struct str *in, struct str *out, struct status *st);
void scram_free(struct scram *c);

/* Append a name as GS2 headers have it (RFC 5801 4): "," is =2C, "=" is =3D. */
void scram_name(struct str *out, const char *name);

#endif
