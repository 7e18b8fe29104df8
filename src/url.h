/*
 * url - where a submission server is, from one line.
 *
 *     submission://[user[:password]@]host[:port]     port 587, STARTTLS
 *     submissions://...  (alias smtps://)            port 465, TLS from the first byte (RFC 8314)
 *     smtp://...                                     port 25, STARTTLS
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
	char *host;	/* an A-label name, or an address without brackets */
	char *port;	/* digits */
	bool implicit;	/* TLS before the greeting */
};

/*
 * Parse `text` into *u, which is url_free()d by the caller in any case. User and password may be
 * percent-encoded (RFC 3986 2.1), and a user may hold an "@": the last one before the host
 * counts. Host names with other letters than ASCII go through IDNA. 0, or -1 with 5.3.5.
 */
int url_parse(const char *text, struct url *u, struct status *st);
void url_free(struct url *u);

/* "host:port" or "[address]:port", for messages; allocated. */
char *url_name(const struct url *u);

#endif
