/*
 * relay - transactions of a client of our own, passed on live to the server of an account.
 *
 * The state of a client's transaction is that of the server's: MAIL and RCPT go there when they
 * come here, and what is answered is what the server said. One upstream session serves as many
 * transactions as it lives for.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef RELAY_H
#define RELAY_H

#include "conf.h"
#include "path.h"
#include "submit.h"

struct relay {
	/* borrowed */
	const struct conf *conf;
	const struct layer *given;
	const char *name; /* of the account, or NULL: the one for the sender */
	/* the account that is in use, and the way to its servers */
	const struct layer *chosen;
	struct account account;
	bool linked;
	struct link link;
	struct link_plan plan; /* of the link, where there is no other account */
	/* what came from `password-fd`, and from which one; NULL: nothing yet */
	char *password;
	int password_fd;
	/* one transaction */
	enum { RELAY_IDLE, RELAY_MAIL, RELAY_CHUNKS } state;
	struct envelope envelope;
	struct wishes wish;
	char *ret, *envid; /* what the client wants there, or NULL */
	struct mail mail;
	struct status lost;   /* why the transaction cannot go on; class 0: it can */
	struct store chunks;  /* of the message, as BDAT brings it */
	struct status spoilt; /* a chunk was refused; class 0: none */
};

/* All of it is borrowed. relay_free() takes leave of the server. */
void relay_init(
    struct relay *r, const struct conf *conf, const struct layer *given, const char *name);
void relay_free(struct relay *r);

/* What the server offers that a message without a known sender would go to; NULL: it is down. */
const struct caps *relay_caps(struct relay *r);

/*
 * MAIL and RCPT. *st is the server's answer, or our own: what the account does not allow, a
 * recipient that is no address, a server that cannot be reached. After a class other than 2 the
 * state is what it was before. A recipient may be an alias for several; then the worst answer of
 * them is given, and none of them is a recipient who was not one before. Who was refused hears the
 * same again.
 */
void relay_mail(struct relay *r, const struct path *path, struct status *st);
void relay_rcpt(struct relay *r, const struct path *path, struct status *st);
bool relay_has_recipients(const struct relay *r);

/*
 * The message, all of which is read from the client whatever becomes of it, and *st, the answer to
 * it. The transaction has ended then.
 */
void relay_message(struct relay *r, source_read_fn *read, void *arg, struct status *st);

/* A piece of it, with BDAT (RFC 3030); after the `last` one as relay_message(). */
void relay_chunk(struct relay *r, source_read_fn *read, void *arg, bool last, struct status *st);

/* Read and forget. */
void relay_discard(source_read_fn *read, void *arg);

/* The client takes its transaction back. */
void relay_reset(struct relay *r);

#endif
