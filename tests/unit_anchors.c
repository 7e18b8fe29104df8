/*
 * unit_anchors - tests of the choice among many trusted certificates.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/x509.h>

#include "anchors.h"
#include "unit.h"

static const struct str none;

/* A certificate of `subject`, signed by `issuer` (NULL: by itself) with the one key of all of them.
 */
static gnutls_x509_crt_t
make(gnutls_x509_privkey_t key, const char *subject, gnutls_x509_crt_t issuer)
{
	static unsigned char serial;
	gnutls_x509_crt_t crt;
	const char *why;

	serial++;
	(void)gnutls_x509_crt_init(&crt);
	(void)gnutls_x509_crt_set_version(crt, 3);
	(void)gnutls_x509_crt_set_serial(crt, &serial, 1);
	(void)gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	(void)gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	(void)gnutls_x509_crt_set_dn(crt, subject, &why);
	(void)gnutls_x509_crt_set_key(crt, key);
	(void)gnutls_x509_crt_sign2(crt, issuer != NULL ? issuer : crt, key, GNUTLS_DIG_SHA256, 0);
	return crt;
}

static void
add_pem(struct str *to, gnutls_x509_crt_t crt)
{
	gnutls_datum_t pem;

	(void)gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
	str_put(to, pem.data, pem.size);
	gnutls_free(pem.data);
}

static size_t
picked(const struct str *store, const gnutls_datum_t *chain, unsigned n, struct str *pem)
{
	str_clear(pem);
	return anchors_pick(str_text(store), store->len, chain, n, &none, pem);
}

/* All that is chosen is there as it stood, and nothing is read behind the end of a text cut
 * anywhere. */
static void
cut_anywhere(const struct str *store, const gnutls_datum_t *chain)
{
	struct str pem = { 0 };
	size_t len, most = 0;

	for (len = 0; len <= store->len; len++) {
		char *exact = xalloc(1, len + 1); /* for tools that watch the end of it */
		size_t n;

		memcpy(exact, store->p, len);
		str_clear(&pem);
		n = anchors_pick(exact, len, chain, 1, &none, &pem);
		most = n > most ? n : most;
		free(exact);
	}
	is_number((long long)most, 2, "a text that is cut off has no more than the whole");
	str_free(&pem);
}

/* A name so long that the subject is not among the first octets. */
static void
long_names(gnutls_x509_privkey_t key)
{
	struct str name = { 0 }, store = { 0 }, pem = { 0 };
	gnutls_x509_crt_t root, leaf;
	gnutls_datum_t chain;
	int i;

	str_puts(&name, "CN=root");
	for (i = 0; i < 12; i++)
		str_printf(&name, ",OU=a department with a long name and the number %d", i);
	root = make(key, name.p, NULL);
	leaf = make(key, "CN=leaf", root);
	add_pem(&store, root);
	(void)gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &chain);
	is_number((long long)picked(&store, &chain, 1, &pem), 1, "an authority with a long name");
	gnutls_free(chain.data);
	gnutls_x509_crt_deinit(root);
	gnutls_x509_crt_deinit(leaf);
	str_free(&name);
	str_free(&store);
	str_free(&pem);
}

void
test_anchors(void)
{
	struct str store = { 0 }, two = { 0 }, pem = { 0 };
	gnutls_x509_crt_t a, b, other, leaf;
	gnutls_x509_privkey_t key;
	gnutls_datum_t chain[2];

	(void)gnutls_x509_privkey_init(&key);
	(void)gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	a = make(key, "CN=authority,O=Example", NULL);
	b = make(key, "CN=authority,O=Example", NULL); /* the same name, another certificate */
	other = make(key, "CN=authority,O=Exampel", NULL);
	leaf = make(key, "CN=mail.example.org", a);
	(void)gnutls_x509_crt_export2(leaf, GNUTLS_X509_FMT_DER, &chain[0]);
	(void)gnutls_x509_crt_export2(other, GNUTLS_X509_FMT_DER, &chain[1]);

	add_pem(&store, other);
	str_puts(&store, "Some text, and -----BEGIN of nothing\n");
	add_pem(&store, a);
	add_pem(&store, b);
	add_pem(&two, a);
	add_pem(&two, b);
	is_number((long long)picked(&store, chain, 1, &pem), 2, "all that have the issuer's name");
	is_text(str_text(&pem), str_text(&two), "and as they stand there");
	is_number(
	    (long long)picked(&store, chain, 2, &pem), 3, "and one that is in the chain itself");
	is_number((long long)picked(&store, chain + 1, 1, &pem), 1, "no others");
	chain[1].size = 40;
	is_number(
	    (long long)picked(&store, chain + 1, 1, &pem), 0, "none for a chain that is none");
	cut_anywhere(&store, chain);
	long_names(key);

	gnutls_free(chain[0].data);
	gnutls_free(chain[1].data);
	gnutls_x509_crt_deinit(a);
	gnutls_x509_crt_deinit(b);
	gnutls_x509_crt_deinit(other);
	gnutls_x509_crt_deinit(leaf);
	gnutls_x509_privkey_deinit(key);
	str_free(&store);
	str_free(&two);
	str_free(&pem);
}
