/*
 * url - where a submission server or a proxy is, from one line.
 *
 *     submission://[user[:password]@]host[:port]     port 587, STARTTLS
 *     submissions://...  (alias smtps://)            port 465, TLS from the first byte (RFC 8314)
 *     smtp://...                                     port 25, STARTTLS
 *     lmtp://...                                     port 24, STARTTLS, LMTP (RFC 2033)
 *     smtp:///path/to/socket                         SMTP, to a socket on this machine
 *     lmtp://[user[:password]@]/path/to/socket       LMTP, to a socket on this machine
 *
 *     srv:[user[:password]@]domain                   the servers that the domain names (RFC 6186)
 *     socks5://[user[:password]@]host[:port]         a proxy, port 1080 (RFC 1928)
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef URL_H
#define URL_H

#include "status.h"

struct url {
	char *user;	/* decoded, or NULL */
	char *password; /* decoded, or NULL */
	char *host;    /* an A-label name, or an address without brackets; "localhost" for a path */
	char *port;    /* digits; for a path those of the scheme */
	char *path;    /* of a socket, decoded, beginning with a slash; or NULL */
	bool implicit; /* TLS before the greeting */
	bool lmtp;
	bool srv; /* `host` is a domain, whose servers srv_find() finds; there is no port */
};

/*
 * Parse `text` into *u, which is url_free()d by the caller in any case. User and password may be
 * percent-encoded (RFC 3986 2.1), and a user may hold an "@": the last one before the host
 * counts. With lmtp:// whatever follows the first slash is the path, so that user and password may
 * hold none; with smtp:// there is a path where a slash begins it. It may be percent-encoded, too.
 * Host names with other letters than ASCII go through IDNA. 0, or -1 with 5.3.5.
 */
int url_parse(const char *text, struct url *u, struct status *st);

/* The same for the URL of a proxy. */
int url_parse_proxy(const char *text, struct url *u, struct status *st);
void url_free(struct url *u);

/* "host:port", "[address]:port" or the path, made printable, for messages; allocated. */
char *url_name(const struct url *u);

#endif
