/*
 * caps - what a server can do: the keywords in its reply to EHLO (RFC 5321 4.1.1.1).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CAPS_H
#define CAPS_H

#include "reply.h"

enum ext {
	EXT_STARTTLS = 1 << 0,
	EXT_AUTH = 1 << 1,
	EXT_PIPELINING = 1 << 2,
	EXT_SIZE = 1 << 3,
	EXT_8BITMIME = 1 << 4,
	EXT_DSN = 1 << 5,
	EXT_SMTPUTF8 = 1 << 6,
	EXT_REQUIRETLS = 1 << 7,
	EXT_LIMITS = 1 << 8,
	EXT_FUTURERELEASE = 1 << 9,
	EXT_DELIVERBY = 1 << 10,
	EXT_PRIORITY = 1 << 11,
	EXT_CHUNKING = 1 << 12,
};

/* What an EHLO reply announced. All zeroes: nothing. */
struct caps {
	unsigned ext;	   /* set of enum ext */
	uint64_t size;	   /* largest message, 0: no limit announced (RFC 1870 3) */
	uint64_t rcpt_max; /* recipients in a transaction, 0: no limit announced (RFC 9422 4) */
	uint64_t mail_max; /* transactions in a session, likewise */
	uint64_t domains;  /* different domains of recipients in a transaction, likewise */
	uint64_t hold_max; /* seconds that a message can be held (RFC 4865 4), 0: not said */
	uint64_t by_min;   /* shortest time for delivery in seconds (RFC 2852 2), 0: not said */
	struct str mechs;  /* " PLAIN LOGIN ", blanks at both ends, upper case */
};

/* Learn from an EHLO reply; whole words, any case; the first line is the server's name. */
void caps_parse(struct caps *c, const struct reply *ehlo);
bool caps_mech(const struct caps *c, const char *mech); /* is this SASL mechanism offered? */
void caps_free(struct caps *c);

#endif
