/*
 * dial - a stream to a server: directly, by way of a proxy, or over a command.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef DIAL_H
#define DIAL_H

#include <sys/types.h>

#include "net.h"
#include "socks.h"
#include "stream.h"

/* How to get there. Borrowed; NULL: not in this way. */
struct route {
	const char *source;	   /* an address of our own to connect from */
	const struct proxy *proxy; /* for all but sockets on this machine */
	const char *tunnel;	   /* a command to speak to, which leads to the server */
	bool first; /* we are the first to speak; without proxy and tunnel that may save a trip */
};

/* What came of it. */
struct call {
	struct stream *stream; /* whoever takes it over sets this to NULL */
	char peer[128];	       /* printable: an address, the path of a socket, or below */
	const char *tunnel;    /* the command that runs, borrowed, or NULL */
	bool early;	       /* nobody has answered yet, see net_connect() */
	pid_t child;
	int output; /* keeps what it may still want to say from breaking its pipe */
};

/* What a call through a proxy or a tunnel has for a peer: "proxy 192.0.2.1", "tunnel". */
#define PEER_PROXY "proxy "
#define PEER_TUNNEL "tunnel"

/*
 * Before any connection: do these go together? A tunnel is a way of its own, and not one to a
 * socket on this machine. 0, or -1 with 5.3.5.
 */
int dial_check(const struct endpoint *to, const struct route *by, struct status *st);

/*
 * Connect within `deadline`. 0 with *c, which needs dial_end(); or -1 with *st: what dial_check(),
 * net_connect() and socks_connect() say, 4.3.0 when a command cannot be started. That a tunnel's
 * command runs says nothing about the server: see dial_why().
 */
int dial(const struct endpoint *to, const struct route *by, int64_t deadline, struct call *c,
    struct status *st);

/*
 * The server was lost before it said anything. Was it because the tunnel's command ended? Then *st
 * becomes 4.4.1 and says with what exit status.
 */
void dial_why(struct call *c, struct status *st);

/* The stream is gone: see to it that the command is, too; it has some seconds to end by itself. */
void dial_end(struct call *c);

#endif
