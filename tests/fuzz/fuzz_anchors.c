/*
 * fuzz_anchors - a file of trusted certificates, and the chain of a server.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "anchors.h"
#include "fuzz.h"

/* Up to the first line that begins a certificate it is the chain, one certificate in DER. */
int
TARGET(fuzz_anchors)(const uint8_t *p, size_t n)
{
	const uint8_t *end = memmem(p, n, "\n-----BEGIN", 11);
	size_t der = end != NULL ? (size_t)(end - p) : 0;
	gnutls_datum_t chain = { (unsigned char *)(uintptr_t)p, (unsigned)der };
	struct str none = { 0 }, pem = { 0 }, again = { 0 };
	size_t count = anchors_pick((const char *)p + der, n - der, &chain, 1, &none, &pem);

	MUST(pem.len <= n - der + count);
	MUST((count == 0) == (pem.len == 0));
	/* what was chosen is chosen again */
	MUST(anchors_pick(str_text(&pem), pem.len, &chain, 1, &none, &again) == count);
	/* and not what is there already */
	str_clear(&again);
	MUST(anchors_pick(str_text(&pem), pem.len, &chain, 1, &pem, &again) == 0);
	str_free(&pem);
	str_free(&again);
	return 0;
}
