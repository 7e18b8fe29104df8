/*
 * idn - domain names in the letters of the DNS (RFC 5891).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>

#include <gnutls/gnutls.h>

#include "idn.h"

#define NAME_MAX_OCTETS 1024 /* of UTF-8; in A-labels 253 are allowed */

/* How many there are in this UTF-8. */
static size_t
characters(const char *p, size_t n)
{
	size_t count = 0;

	for (; n > 0; p++, n--)
		count += (*p & 0xc0) != 0x80;
	return count;
}

int
idn_ascii(const char *p, size_t n, struct str *out)
{
	gnutls_datum_t ace, back;
	size_t i;
	bool same;

	if (!has_8bit(p, n)) {
		str_put(out, p, n);
		return 0;
	}
	/* the mapping drops what is no letter, and the rest would be another name */
	for (i = 0; i < n; i++)
		if ((p[i] & 0x80) == 0 && !isalnum((unsigned char)p[i]) && p[i] != '-' &&
		    p[i] != '.')
			return -1;
	if (n > NAME_MAX_OCTETS || gnutls_idna_map(p, (unsigned)n, &ace, 0) != 0)
		return -1;
	/* and so do characters that only look like others: what comes back must be what was written
	 */
	same = gnutls_idna_reverse_map((char *)ace.data, ace.size, &back, 0) == 0;
	if (same) {
		same = characters((char *)back.data, back.size) == characters(p, n);
		gnutls_free(back.data);
	}
	if (same)
		str_put(out, ace.data, ace.size);
	gnutls_free(ace.data);
	return same ? 0 : -1;
}

bool
idn_is_address(const char *host)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, host, buf) == 1 || inet_pton(AF_INET6, host, buf) == 1;
}
