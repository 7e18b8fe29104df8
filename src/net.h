/*
 * net - from a host name to a connected socket, and the names of this machine.
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
	const char *path; /* of a socket on this machine, which counts instead of them; or NULL */
};

/*
 * Resolve and connect, all within `deadline` (of wait_now()). Addresses are tried in the order of
 * RFC 6724 with the families taking turns, the next one starting 250 ms after the one before or as
 * soon as that failed; the first to connect wins (RFC 8305 5). `source` is an address of our own to
 * connect from, or NULL; only addresses of its family are tried then, and for a socket on this
 * machine it means nothing. On success a descriptor that does not block, and the address that
 * answered, or the path, in peer[0..size). On failure -1 and *st: 5.4.4 no such host, 4.4.3 the
 * resolver does not answer, 4.4.1 nobody accepted the connection, or no address is of the source's
 * family (5.3.5 when `host` is an address itself), 4.3.0 interrupted.
 *
 * `early`, when not NULL, says on the way in whether we are the first to speak, so that what we say
 * may go with the SYN (RFC 7413); and on the way out whether it will, which it does when the kernel
 * has a cookie for the first address. Nobody has answered then: whether there is a connection shows
 * later.
 */
int net_connect(const struct endpoint *to, const char *source, int64_t deadline, bool *early,
    char *peer, size_t size, struct status *st);

/* The addresses of a host, as text, in the order of the resolver. 0, or -1 as net_connect(). */
int net_addresses(
    const struct endpoint *to, int64_t deadline, struct strings *found, struct status *st);

/* Is this the address (as net_connect() gave it) of this very machine (127/8, ::1)? */
bool net_loopback(const char *peer);

/* The host name of this machine, asked for once in a run; "" when it has none. */
const char *net_own_name(void);

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

/*
 * What answers on a port with these octets in place of SMTP or TLS: "; this port is a web
 * server's", ..., or what to look at when it is not known. Static; for the end of a message.
 */
const char *net_stranger(const char *p, size_t n);

#endif
