/*
 * submit - a message to the servers of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "mail.h"

/* What happened besides the outcomes in the envelope; reports read it. */
struct submission {
	char *server; /* "host:port" of the last one tried, or NULL */
	char *user;   /* who we authenticated as, or NULL */
	struct session_info info;
	struct status session; /* how the last one ended; class 2: it served */
	struct status reply;   /* to the end of the message; class 0: none */
	unsigned turns;
	int64_t ms; /* from the first connection to the last reply */
};

/*
 * Submit `m` for everybody in `e`: servers are tried in order while they fail temporarily as a
 * whole. On return every recipient is decided.
 */
void submit(const struct account *a, struct envelope *e, struct message *m, struct submission *sub);
void submission_free(struct submission *sub);

#endif
