/*
 * session - one connection to one server, from the greeting to QUIT.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SESSION_H
#define SESSION_H

#include "account.h"
#include "net.h"
#include "reply.h"
#include "sasl.h"

/* What was seen on the way; reports read it. */
struct session_info {
	char peer[128];	    /* the address that answered */
	char greeting[256]; /* printable, code first */
	char mech[32];	    /* the mechanism that authenticated us, or "" */
	struct tls_info tls;
};

/* Where to, with what: the account's settings plus what the URL said. All borrowed. */
struct session_target {
	const struct account *account;
	struct endpoint server;
	bool implicit;			/* TLS before the greeting */
	const struct credentials *cred; /* NULL: no AUTH */
	int64_t deadline;		/* of wait_now(), for everything */
};

struct session;

/*
 * Connect, greet, secure and authenticate (RFC 5321 3.1, 3207, 4954). Never NULL; whether it can
 * be used is session_status(): class 2, or the failure. Nothing of the message and no credential
 * has left when the server is not the one the TLS policy wants.
 */
struct session *session_open(const struct session_target *to);

/* The same over a stream that is connected already, which is taken over. */
struct session *session_over(struct stream *s, const struct session_target *to, const char *peer);

const struct status *session_status(const struct session *s);
const struct session_info *session_info(const struct session *s);
unsigned session_turns(const struct session *s); /* see stream_turns() */
unsigned session_ext(const struct session *s);	 /* set of enum ext, as of the last EHLO */
uint64_t session_size(const struct session *s);	 /* largest message, 0: unknown */

/* May another command be sent before the replies to those under way have come? */
bool session_may_send(const struct session *s);

/*
 * Queue a command, without its CRLF. It is on the wire at the latest when a reply is awaited.
 */
void session_send(struct session *s, enum phase ph, const char *fmt, ...) PRINTF(3, 4);

/*
 * Announce that what is put into the returned stream from now on belongs to step `ph`, and that
 * `replies` replies answer it. Used for the message itself, which is not a command.
 */
struct stream *session_body(struct session *s, enum phase ph, unsigned replies);

/*
 * The reply to the oldest unanswered command. 0 with *st, whatever its class; -1 when there is
 * none because the session was lost, *st saying so. A 421 is returned as it is and ends the
 * session.
 */
int session_reply(struct session *s, struct status *st);

/*
 * QUIT, unless the session is lost, and free everything. Nobody waits for the answer, except to
 * show it in a dialogue.
 */
void session_close(struct session **sp);

#endif
