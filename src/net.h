/*
 * net - from a host name to a connected stream, and the names of this machine.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef NET_H
#define NET_H

#include "stream.h"

struct endpoint {
	const char *host; /* a name in A-labels, or an address */
	const char *port; /* digits */
};

/*
 * Resolve and connect, all within `deadline` (of wait_now()). Addresses are tried in the order of
 * RFC 6724 with the families taking turns, the next one starting 250 ms after the one before or as
 * soon as that failed; the first to connect wins (RFC 8305 5). On success the stream, and the
 * address that answered in peer[0..size). On failure NULL and *st: 5.4.4 no such host, 4.4.3 the
 * resolver does not answer, 4.4.1 nobody accepted the connection, 4.3.0 interrupted.
 */
struct stream *net_connect(
    const struct endpoint *to, int64_t deadline, char *peer, size_t size, struct status *st);

/* Is this the address (as net_connect() gave it) of this very machine (127/8, ::1)? */
bool net_loopback(const char *peer);

/*
 * The name for EHLO (RFC 5321 4.1.4): the host name when it is qualified, else the address
 * literal of our end of `s`. Allocated.
 */
char *net_ehlo_name(const struct stream *s);

/*
 * The domain of mail that is written on this machine: the first line of /etc/mailname, else the
 * host name, completed by the resolver when it has no dot. Allocated.
 */
char *net_mail_domain(void);

#endif
