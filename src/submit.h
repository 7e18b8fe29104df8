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
	struct tally tally;
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
 * Several messages one after the other, each begun before the one before has its answer (RFC 2920
 * 3.1): in the steady state each costs one round trip, and with CHUNKING so many small ones share
 * one. Each is a message that may arrive twice when the connection or the program ends before the
 * answers are there, so they are not more. All zeroes but for the link and the function is the
 * begin; submit_drain() is the end.
 */
#define AHEAD_MOST 20
#define AHEAD_OCTETS (256 * 1024)
struct ahead_slot {
	struct mail mail;
	struct envelope *e;
	struct message *m;
	size_t octets;
	bool retry;
};
struct ahead {
	struct link *link;
	void (*heard)(void *arg, struct envelope *e); /* all of `e` are decided */
	void *arg;
	struct ahead_slot slot[AHEAD_MOST]; /* sent, and the answer is open; the oldest first */
	size_t n, octets;
	bool unended; /* the server may be in the transaction that was heard last */
	struct ahead_slot again[AHEAD_MOST + 1]; /* not finished by the session that they had */
	size_t nagain;
};

/*
 * As submit(), but the answer may be left open, and those who were accepted are undecided, until
 * heard() is called for this envelope: by this call or by a later one of either function. `e` and
 * `m` must live until then.
 */
void submit_ahead(struct ahead *h, struct envelope *e, struct message *m);
void submit_drain(struct ahead *h);

void submission_free(struct submission *sub);

#endif
