/*
 * link - a session to an account's servers: opened when it is needed, kept while it lives.
 *
 * Sending one message, flushing a spool and serving a client of our own are callers of the same
 * link, and none of them knows how a session comes about.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef LINK_H
#define LINK_H

#include "session.h"
#include "url.h"

/* What a caller still does while there is a session, and after it. */
struct link_plan {
	bool again;	   /* another session may be opened */
	bool lasting;	   /* ... a good while later */
	bool others;	   /* sessions of other accounts, too, which have no commands */
	bool parent;	   /* there are processes of ours that may have to be ended */
	bool large;	   /* a temporary file may have to be made */
	const char *spool; /* the directory that is written to, or NULL */
};

/* What went over the wire. */
struct tally {
	unsigned turns;		 /* how often we have waited for a server; see stream_turns() */
	uint64_t sent, received; /* octets, all that TLS adds included */
};

struct link {
	const struct account *account; /* borrowed */
	int64_t deadline;	       /* of wait_now(), for all that is done with it */
	struct session *session;       /* NULL: there is none */
	struct status st;	       /* class 2, or why there is none */
	struct strings found;	       /* the URLs of servers, when some had to be found first */
	bool looked;		       /* ... which was done */
	size_t server;		       /* the one that is in use, or tried next */
	uint64_t used;		       /* transactions of this session */
	/* What reports tell of the last server that was tried. */
	char *name; /* "host:port", or NULL */
	char *user; /* who we authenticated as, or NULL */
	struct session_info info;
	struct str hello[2]; /* with `facts`: for link_hello(), once the session has ended */
	struct tally ended;  /* of the sessions that have ended */
	struct tally told;   /* of what link_tally() has told */
	/* What a session goes on using. */
	bool aimed;	      /* url and cred are for this server */
	struct account clear; /* the account without TLS, where `tls may` came to that */
	struct url url;
	struct credentials cred;
	char *known_hosts, *scram_hosts, *tickets;
	struct tls_files *files; /* of tls_check(), or NULL */
	char *state;		 /* the directory of the three above */
	char *netrc;		 /* where another secret may be, or NULL */
	pid_t keeper;		 /* of secret_keep(), or 0 */
	/* For link_init()'s caller to set. */
	bool facts;		      /* what the server says of itself is wanted */
	const struct link_plan *plan; /* what lies outside of it is given up; NULL: nothing is */
};

/* link_free() takes leave of the server and gives everything back. */
void link_init(struct link *l, const struct account *a);
void link_free(struct link *l);

/*
 * A session for one more transaction: the one there is, as long as it is alive and the server lets
 * it have another (RFC 9422 4.1), or a new one. The servers of the account are tried in order
 * while they fail temporarily as a whole. NULL, and l->st says why: as session_open(), or 5.3.5,
 * or 4.7.0 and 5.7.0 for a secret that cannot be had.
 */
struct session *link_up(struct link *l);

/* Can sessions of this account be opened by a process that is confined, whatever it was before? */
bool link_may_confine(const struct account *a);

/* May the session that there is have one more transaction? Else link_up() opens a new one. */
bool link_ready(const struct link *l);

/* Leave this server for the next one of the account; false, and nothing happens, when it is the
 * last, or when a signal asked us to end. */
bool link_next(struct link *l);

/* As session_hello(), of the session that there is, or was when `facts` is set. */
const char *link_hello(const struct link *l, bool tls);

/* The account's `deadline` counts from now on, for the session that there is, too. */
void link_renew(struct link *l);

/* Over all sessions, since this was asked the last time. */
struct tally link_tally(struct link *l);

/* Take leave of the server (QUIT); link_up() opens a new session. */
void link_down(struct link *l);

#endif
