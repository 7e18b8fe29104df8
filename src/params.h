/*
 * params - what MAIL and RCPT say besides the addresses, and what a server must offer for it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PARAMS_H
#define PARAMS_H

#include <sys/types.h>

#include "envelope.h"
#include "session.h"

/* What MAIL says of the message. */
struct content {
	off_t size; /* octets (RFC 1870); 0: not known yet */
	bool eight; /* octets above 127 (RFC 6152) */
	bool utf8;  /* addresses or header fields beyond ASCII (RFC 6531) */
};

/*
 * May this be sent over this session? 0, or -1 with *st for everybody: 5.3.4 too large; 5.3.3 a
 * wish for which the server offers nothing; 5.7.30 no REQUIRETLS, 5.7.10 REQUIRETLS without a
 * verified certificate; 5.6.7 a sender beyond ASCII without SMTPUTF8. Recipients beyond ASCII are
 * settled with 5.6.7 one by one.
 */
int params_check(
    struct envelope *e, const struct content *c, const struct session *s, struct status *st);

/* Does an address of the envelope need SMTPUTF8 (of those who are undecided)? */
bool params_utf8(const struct envelope *e);

/* Append the parameters, each with a blank before it, as far as the server knows them. */
void params_mail(
    struct str *to, const struct envelope *e, const struct content *c, const struct caps *caps);
void params_rcpt(struct str *to, const struct envelope *e, const struct rcpt *r);

#endif
