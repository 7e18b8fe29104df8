/*
 * idn - domain names in the letters of the DNS (RFC 5891).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>

#include <gnutls/gnutls.h>

#include "idn.h"

#define NAME_MAX_OCTETS 1024 /* of UTF-8; in A-labels 253 are allowed */

int
idn_ascii(const char *p, size_t n, struct str *out)
{
	gnutls_datum_t ace;
	size_t i;

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
	str_put(out, ace.data, ace.size);
	gnutls_free(ace.data);
	return 0;
}
