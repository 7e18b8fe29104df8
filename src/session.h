/*
 * session - one connection to one server, from the greeting to QUIT.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SESSION_H
#define SESSION_H

#include "account.h"
#include "caps.h"
#include "chat.h"
#include "confine.h"
#include "dial.h"
#include "sasl.h"

/* What was seen on the way; reports read it. */
struct session_info {
	char peer[128];	    /* the address that answered, a path, "tunnel", or "proxy ADDRESS" */
	char greeting[256]; /* printable, code first */
	char mech[32];	    /* the mechanism that authenticated us, or "" */
	char tried[32];	    /* the one that was tried last */
	struct tls_info tls;
	/* Milliseconds until it was connected, for TLS, and for AUTH; 0 what was not done. */
	int64_t connect_ms, tls_ms, login_ms;
};

/* Where to, with what: the account's settings plus what the URL said. All borrowed. */
struct session_target {
	const struct account *account;
	struct endpoint server;
	bool lmtp;		     /* LHLO instead of EHLO (RFC 2033) */
	bool implicit;		     /* TLS before the greeting */
	struct credentials *cred;    /* NULL: no AUTH; its binding is filled in here */
	const char *known_hosts;     /* where `tls tofu` remembers keys, or NULL */
	const char *scram_hosts;     /* where it is remembered who proved himself, or NULL */
	const char *tickets;	     /* where `tls-resume` keeps tickets, or NULL */
	struct tls_files *files;     /* of tls_check(), or NULL */
	bool early;		     /* session_open()'s own: the SYN goes with our first octets */
	bool facts;		     /* all that a certificate says is wanted */
	const struct confine *needs; /* when there is a connection; NULL: we are not confined */
	int64_t deadline;	     /* of wait_now(), for everything */
};

struct session;

/*
 * Before anything is done for this target: can it be reached in the ways the account wants at the
 * same time? 0, or -1 with 5.3.5.
 */
int session_check(const struct session_target *to, struct status *st);

/*
 * What the account wants of TLS towards this target; nothing for a socket on this machine. Borrows
 * from both.
 */
struct tls_policy session_policy(const struct session_target *to);

/*
 * Connect, as the account has it by way of a proxy or over a tunnel, greet, secure and authenticate
 * (RFC 5321 3.1, 3207, 4954). Never NULL; whether it can be used is session_status(): class 2, or
 * the failure. Nothing of the message and no credential has left when the server is not the one the
 * TLS policy wants.
 */
struct session *session_open(const struct session_target *to);

/* The same over a stream that is connected already, which is taken over. Copies `peer`. */
struct session *session_over(
    struct stream *stream, const struct session_target *to, const char *peer);

/* Give up all but these needs and those of the session. */
void session_confine(const struct session *s, const struct confine *needs);

const struct status *session_status(const struct session *s);
const struct session_info *session_info(const struct session *s);
/* What EHLO was answered with before TLS, or in it: lines, the first being the name; or NULL. */
const char *session_hello(const struct session *s, bool tls);
void session_octets(const struct session *s, uint64_t *sent, uint64_t *received);
unsigned session_turns(const struct session *s); /* see stream_turns() */
bool session_lmtp(const struct session *s);	 /* each recipient has a reply of his own */
struct chat *session_chat(struct session *s);	 /* for the commands of a transaction */
const struct caps *session_caps(const struct session *s); /* as of the last EHLO or LHLO */

/*
 * QUIT, unless the session is lost, and free everything. Nobody waits for the answer, except to
 * show it in a dialogue; but a tunnel's command is waited for some seconds, and then ended.
 */
void session_close(struct session **sp);

#endif
