/*
 * socks - asking a SOCKS5 proxy for a connection (RFC 1928, 1929).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SOCKS_H
#define SOCKS_H

#include <stdint.h>

#include "status.h"

/* The longest user name and the longest password, in octets (RFC 1929 2). */
#define SOCKS_LOGIN_MAX 255

/* Owned by whoever has it: an account. host NULL: no proxy. */
struct proxy {
	char *host;	/* a name in A-labels, or an address */
	char *port;	/* digits */
	char *user;	/* NULL: no login */
	char *password; /* NULL: an empty one */
};

/* Frees what is in it, the password wiped. */
void proxy_free(struct proxy *p);

/*
 * Over `fd`, which is connected to the proxy and does not block, ask for a connection to `port` of
 * `host`. A name goes to the proxy as it is, an address as an address. Not an octet is read beyond
 * the answer. 0, or -1 with *st: 4.4.1 the proxy cannot reach the server (which of its replies it
 * was), closes, or is not done by the deadline; 5.4.0 it does not speak SOCKS5; 5.7.0 it wants a
 * login that there is not, or refuses ours; 4.3.0 interrupted.
 */
int socks_connect(int fd, const struct proxy *by, const char *host, const char *port,
    int64_t deadline, struct status *st);

#endif
