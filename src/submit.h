/*
 * submit - a message to the servers of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "link.h"
#include "mail.h"

/* What happened besides the outcomes in the envelope; reports read it. */
struct submission {
	char *server; /* "host:port" of the last one tried, or NULL */
	char *user;   /* who we authenticated as, or NULL */
	struct session_info info;
	struct status reply; /* to the end of the message; class 0: none */
	unsigned turns;
	int64_t ms; /* from the first connection to the last reply */
};

/*
 * Submit `m` for everybody in `e` over `l`, which is left up. Servers are tried in order while
 * they fail temporarily as a whole. Where a server takes no more than so many recipients at a time
 * (RFC 9422 4.2, 452 4.5.3), the others follow in further transactions. `last`: nothing else will
 * be sent over this link. On return every recipient is decided, and *sub tells the rest.
 */
void submit(
    struct link *l, struct envelope *e, struct message *m, bool last, struct submission *sub);
/*
 * One transaction over a usable session, for as many of the undecided as the server takes; all of
 * them are decided when what is said of one holds for all. *reply as with mail_body().
 */
void submit_batch(struct session *s, struct envelope *e, struct message *m, bool partial, bool last,
    struct status *reply);

/*
 * Several messages one after the other, each begun before the one before has its answer, so that
 * in the steady state each costs one round trip (RFC 2920 3.1). All zeroes but for the link is the
 * begin of one; submit_drain() is its end.
 */
struct ahead {
	struct link *link;
	struct mail mail; /* the transaction whose answer is due, when `open` */
	bool open;
	void (*heard)(void *arg); /* called when an answer that was open is there; or NULL */
	void *arg;
};

/*
 * As submit(), but the answer to the end of the message may be left open: true then, and those who
 * were accepted are undecided until the next call of either function. `e` and `m` must live until
 * then. It is not left open where recipients beyond a server's limit (4.5.3) are to follow.
 */
bool submit_ahead(struct ahead *h, struct envelope *e, struct message *m);
void submit_drain(struct ahead *h);

void submission_free(struct submission *sub);

#endif
