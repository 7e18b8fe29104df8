/*
 * base64 - RFC 4648, by GnuTLS.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base64.h"

void
base64_put(struct str *out, const void *p, size_t n)
{
	gnutls_datum_t in = { (unsigned char *)(uintptr_t)p, (unsigned)n }, text;

	if (n == 0 || gnutls_base64_encode2(&in, &text) != 0)
		return;
	str_put(out, text.data, text.size);
	gnutls_memset(text.data, 0, text.size);
	gnutls_free(text.data);
}

int
base64_get(const char *text, size_t n, struct str *out)
{
	gnutls_datum_t in = { (unsigned char *)(uintptr_t)text, (unsigned)n }, raw;
	size_t digits = strspn(
	    text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	if (n == 0)
		return 0;
	if (digits > n)
		digits = n;
	if (n % 4 != 0 || n - digits > 2 || strspn(text + digits, "=") < n - digits ||
	    gnutls_base64_decode2(&in, &raw) != 0)
		return -1;
	str_put(out, raw.data, raw.size);
	gnutls_memset(raw.data, 0, raw.size);
	gnutls_free(raw.data);
	return 0;
}
