/*
 * unit_alike - a server's chain is judged by the certificates that anchors_load() finds in a file
 * as it is by all of the file.
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

/* Some authorities: each has a name, in two spellings, and two keys. */
#define NAMES 3
#define KEYS 2
#define POOL 64
#define CHAIN_MAX 6

#define DAY (24 * 60 * 60)

enum { GOOD, EXPIRED, FUTURE, NO_CA };

/* The common name as an UTF8String, and as a PrintableString. */
static const char *const names[NAMES][2] = {
	{ "\x0c\x03one", "\x13\x03one" },
	{ "\x0c\x03two", "\x13\x03two" },
	{ "\x0c\x03six", "\x13\x03six" },
};

struct who {
	int name, spelling, key;
};

struct cert {
	struct who subject, issuer;
	gnutls_x509_crt_t crt;
	struct str pem;
	gnutls_datum_t der;
};

static gnutls_x509_privkey_t keys[NAMES][KEYS], leaf_key;
static struct cert authorities[POOL], leaves[POOL];
static size_t nauthorities, nleaves;

/* ---- certificates */

static gnutls_x509_privkey_t
new_key(void)
{
	gnutls_x509_privkey_t key;

	(void)gnutls_x509_privkey_init(&key);
	(void)gnutls_x509_privkey_generate(
	    key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	return key;
}

static void
set_name(gnutls_x509_crt_t crt, struct who who)
{
	(void)gnutls_x509_crt_set_dn_by_oid(
	    crt, GNUTLS_OID_X520_COMMON_NAME, 1, names[who.name][who.spelling], 5);
}

static gnutls_x509_crt_t
begin(struct who subject, gnutls_x509_privkey_t key, int how)
{
	static unsigned short count;
	unsigned char serial[2], id[20];
	gnutls_x509_crt_t crt;
	size_t n = sizeof id;
	time_t now = time(NULL);

	count++;
	serial[0] = (unsigned char)(count >> 8 | 0x40);
	serial[1] = (unsigned char)count;
	(void)gnutls_x509_crt_init(&crt);
	(void)gnutls_x509_crt_set_version(crt, 3);
	(void)gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	(void)gnutls_x509_crt_set_activation_time(crt, how == FUTURE ? now + DAY : now - 3 * DAY);
	(void)gnutls_x509_crt_set_expiration_time(crt, how == EXPIRED ? now - DAY : now + 3 * DAY);
	if (subject.name >= 0)
		set_name(crt, subject);
	else
		(void)gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET);
	(void)gnutls_x509_crt_set_key(crt, key);
	(void)gnutls_x509_crt_set_ca_status(crt, subject.name >= 0 && how != NO_CA);
	if (gnutls_x509_crt_get_key_id(crt, 0, id, &n) == 0)
		(void)gnutls_x509_crt_set_subject_key_id(crt, id, n);
	return crt;
}

static void
add(struct cert *to, size_t *n, struct who subject, struct who issuer, int how)
{
	gnutls_x509_privkey_t key = keys[issuer.name][issuer.key];
	gnutls_x509_crt_t signer = begin(issuer, key, GOOD);
	struct cert *c = &to[(*n)++];
	gnutls_datum_t pem;

	c->subject = subject;
	c->issuer = issuer;
	c->crt = begin(
	    subject, subject.name >= 0 ? keys[subject.name][subject.key] : leaf_key, how);
	(void)gnutls_x509_crt_sign2(c->crt, signer, key, GNUTLS_DIG_SHA256, 0);
	gnutls_x509_crt_deinit(signer);
	(void)gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem);
	str_put(&c->pem, pem.data, pem.size);
	gnutls_free(pem.data);
	(void)gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &c->der);
	/* what is looked up later is there in one that was read only */
	gnutls_x509_crt_deinit(c->crt);
	(void)gnutls_x509_crt_init(&c->crt);
	(void)gnutls_x509_crt_import(c->crt, &c->der, GNUTLS_X509_FMT_DER);
}

/* Every authority by itself and by every other, in several ways; and somebody whom each certifies.
 */
static void
make_all(void)
{
	static const struct who nobody = { .name = -1 };
	struct who a, b;

	leaf_key = new_key();
	for (a.name = 0; a.name < NAMES; a.name++)
		for (a.key = 0; a.key < KEYS; a.key++)
			keys[a.name][a.key] = new_key();
	for (a.name = 0; a.name < NAMES; a.name++)
		for (a.key = 0; a.key < KEYS; a.key++) {
			a.spelling = 0;
			add(leaves, &nleaves, nobody, a, GOOD);
			add(leaves, &nleaves, nobody, a, EXPIRED);
			add(authorities, &nauthorities, a, a, GOOD);
			add(authorities, &nauthorities, a, a, EXPIRED);
			add(authorities, &nauthorities, a, a, NO_CA);
			for (b.name = 0; b.name < NAMES; b.name++) {
				b.key = (a.key + b.name) % KEYS;
				b.spelling = 0;
				add(authorities, &nauthorities, a, b, GOOD);
				add(authorities, &nauthorities, b, a, b.name == 0 ? EXPIRED : GOOD);
			}
			/* the same in the other spelling */
			b = a;
			b.spelling = 1;
			add(authorities, &nauthorities, b, b, GOOD);
			add(leaves, &nleaves, nobody, b, GOOD);
		}
}

/* ---- judging */

enum how {
	ALL,	      /* all of the file is trusted */
	SOME,	      /* what the chain needs of it */
	SOME_AND_ALL, /* as when the chain was refused at first */
	SOME_AND_SOME /* as in the second session, when the first showed another chain */
};

/* What GnuTLS has against it. */
static unsigned
judged(const char *file, enum how how, struct cert *const *chain, unsigned n, const char *host)
{
	gnutls_typed_vdata_st want = { .type = GNUTLS_DT_DNS_HOSTNAME };
	gnutls_certificate_credentials_t cred;
	gnutls_x509_crt_t crts[CHAIN_MAX];
	gnutls_datum_t ders[CHAIN_MAX];
	gnutls_x509_trust_list_t list;
	struct str loaded = { 0 };
	unsigned verdict = 0, i;
	int r;

	for (i = 0; i < n; i++) {
		crts[i] = chain[i]->crt;
		ders[i] = chain[i]->der;
	}
	want.data = (unsigned char *)(uintptr_t)host;
	(void)gnutls_certificate_allocate_credentials(&cred);
	if (how == SOME_AND_SOME)
		(void)anchors_load(cred, file, &leaves[0].der, 1, &loaded);
	if (how != ALL)
		(void)anchors_load(cred, file, ders, n, &loaded);
	if (how == ALL || how == SOME_AND_ALL)
		(void)gnutls_certificate_set_x509_trust_file(cred, file, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_get_trust_list(cred, &list);
	r = gnutls_x509_trust_list_verify_crt2(list, crts, n, &want, 1,
	    GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), &verdict, NULL);
	gnutls_certificate_free_credentials(cred);
	str_free(&loaded);
	return r != 0 ? ~0U : verdict;
}

/* ---- any of them */

static unsigned
any(unsigned below)
{
	static unsigned long long x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 33) % below;
}

static struct cert *
any_issuer(const struct cert *of)
{
	unsigned i, at = any((unsigned)nauthorities);

	for (i = 0; i < nauthorities; i++) {
		struct cert *c = &authorities[(at + i) % nauthorities];

		if (memcmp(&c->subject, &of->issuer, sizeof of->issuer) == 0)
			return c;
	}
	return &authorities[at];
}

static unsigned
any_chain(struct cert **chain)
{
	unsigned n, want = 1 + any(CHAIN_MAX - 1);

	chain[0] = &leaves[any((unsigned)nleaves)];
	for (n = 1; n < want; n++)
		chain[n] = any(5) > 0 ? any_issuer(chain[n - 1])
				      : &authorities[any((unsigned)nauthorities)];
	return n;
}

static void
any_store(struct str *store)
{
	unsigned each = 2 + any(12);
	size_t i;

	str_clear(store);
	for (i = 0; i < nauthorities; i++)
		if (any(each) == 0)
			str_put(store, authorities[i].pem.p, authorities[i].pem.len);
	str_putc(store, '\n');
}

#define ROUNDS 2000

/* Whatever is trusted and shown: not only the verdict is the same, but every reason for it. */
static void
anything(void)
{
	static const char *const how_text[] = { "all", "some", "some and all", "some and some" };
	unsigned good = 0, differ = 0, i;
	struct cert *chain[CHAIN_MAX];
	struct str store = { 0 };

	for (i = 0; i < ROUNDS; i++) {
		const char *host = any(10) > 0 ? "localhost" : "mail.example.org", *file;
		unsigned n = any_chain(chain), all, how;

		any_store(&store);
		file = scratch("store", str_text(&store));
		all = judged(file, ALL, chain, n, host);
		good += all == 0;
		for (how = SOME; how <= SOME_AND_SOME; how++) {
			unsigned it = judged(file, how, chain, n, host);

			if (it != all && differ++ < 10)
				note("round %u: %x of all, %x of %s", i, all, it, how_text[how]);
		}
	}
	is_number(differ, 0, "chains that are judged in another way, of %d", ROUNDS);
	ok(good > ROUNDS / 10 && good < ROUNDS / 2, "some are good (%u)", good);
	str_free(&store);
}

/* ---- ways to write a file */

/* `from` in which each `what` is `with`. */
static void
put_with(struct str *to, const char *from, const char *what, const char *with)
{
	const char *at;

	for (; (at = strstr(from, what)) != NULL; from = at + strlen(what)) {
		str_put(to, from, (size_t)(at - from));
		str_puts(to, with);
	}
	str_puts(to, from);
}

/* Space behind every `every`th letter of the base64. */
static void
put_spaced(struct str *to, const char *from, int every)
{
	int n = 0;

	for (; *from != '\0'; from++) {
		if (strncmp(from, "-----", 5) == 0) {
			const char *end = strchr(from, '\n');

			str_put(to, from, (size_t)(end + 1 - from));
			from = end;
			continue;
		}
		if (*from == '\n')
			continue;
		str_putc(to, *from);
		if (++n % every == 0)
			str_puts(to, n % 2 == 0 ? " \t" : "\n");
	}
}

static const struct way {
	const char *name, *before, *what, *with, *behind;
	int every; /* not 0: the base64 has space */
	bool none; /* GnuTLS takes nothing from it */
} ways[] = {
	{ "as it is", "", "\n", "\n", "", 0, false },
	{ "CR LF", "", "\n", "\r\n", "", 0, false },
	{ "CR", "", "\n", "\r", "", 0, false },
	{ "X509", "", " CERTIFICATE", " X509 CERTIFICATE", "", 0, false },
	{ "TRUSTED", "", " CERTIFICATE", " TRUSTED CERTIFICATE", "", 0, true },
	{ "text before", "Some -- words -----BEGIN of nothing-----\n", "-----BEGIN", "# -----BEGIN",
	    "", 0, false },
	{ "text between", "", "-----END CERTIFICATE-----\n",
	    "-----END CERTIFICATE-----\n- text -\n\n", "", 0, false },
	{ "text behind", "", "\n", "\n", "-----BEGIN MESSAGE-----\n-----END", 0, false },
	{ "a key first", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "\n",
	    "\n", "", 0, false },
	{ "indented", "", "\n", "\n\t ", "", 0, false },
	{ "empty lines", "", "\n", "\n\n", "", 0, false },
	{ "space behind", "", "\n", " \n", "", 0, false },
	{ "one line", "", "\n", "", "", 0, false },
	{ "base64 in the line of its head", "", "CERTIFICATE-----\nM", "CERTIFICATE-----M", "", 0,
	    false },
	{ "space in the base64", "", "", "", "", 3, false },
	{ "short lines", "", "", "", "", 7, false },
	{ "lines of 63", "", "", "", "", 63, false },
	{ "an end of something else", "", "END CERTIFICATE", "END SOMETHING", "", 0, false },
	{ "no end", "", "-----END CERTIFICATE-----", "", "", 0, true },
	{ "a short head", "", "BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE", "", 0, true },
	{ "a letter that is none", "", "\nM", "\n!M", "", 0, true },
	{ "nothing at all", "", "-", "+", "", 0, true },
};

static void
write_way(const struct way *w, const char *from, struct str *to)
{
	str_clear(to);
	str_puts(to, w->before);
	if (w->every > 0)
		put_spaced(to, from, w->every);
	else
		put_with(to, from, w->what, w->with);
	str_puts(to, w->behind);
}

/* However it is written, what is needed is found in it where GnuTLS finds it. */
static void
written(void)
{
	struct str store = { 0 }, text = { 0 };
	struct cert *chain[2] = { &leaves[0], NULL };
	size_t i;

	for (i = 0; i < nauthorities; i++) {
		if (i > 0 && authorities[i].subject.name == leaves[0].issuer.name)
			continue; /* the first is that which it takes */
		str_put(&store, authorities[i].pem.p, authorities[i].pem.len);
	}
	for (i = 0; i < COUNT(ways); i++) {
		unsigned all, some;
		const char *file;

		write_way(&ways[i], store.p, &text);
		file = scratch("written", text.p);
		all = judged(file, ALL, chain, 1, "localhost");
		some = judged(file, SOME, chain, 1, "localhost");
		is_number(some, all, "%s: the verdict", ways[i].name);
		is_number(all == 0, !ways[i].none, "%s: GnuTLS", ways[i].name);
	}
	str_free(&store);
	str_free(&text);
}

/* Session after session, and nothing is there twice; what another chain needs is added. */
static void
again(void)
{
	gnutls_certificate_credentials_t cred;
	struct str store = { 0 }, loaded = { 0 };
	const char *file;
	size_t i, one = 0, two = 0;

	for (i = 0; i < nauthorities; i++) {
		str_put(&store, authorities[i].pem.p, authorities[i].pem.len);
		one += authorities[i].subject.name == 0 && authorities[i].subject.spelling == 0;
		two += authorities[i].subject.name == 1 && authorities[i].subject.spelling == 0;
	}
	file = scratch("again", store.p);
	(void)gnutls_certificate_allocate_credentials(&cred);
	for (i = 0; i < nleaves && leaves[i].issuer.name != 1; i++)
		;
	is_number((long long)anchors_load(cred, file, &leaves[0].der, 1, &loaded), (long long)one,
	    "what one chain needs");
	is_number(
	    (long long)anchors_load(cred, file, &leaves[0].der, 1, &loaded), 0, "nothing more");
	is_number((long long)anchors_load(cred, file, &leaves[i].der, 1, &loaded), (long long)two,
	    "what another needs");
	is_number(
	    (long long)anchors_load(cred, file, &leaves[0].der, 1, &loaded), 0, "and nothing more");
	is_number(
	    (long long)anchors_load(cred, "nowhere", &leaves[0].der, 1, &loaded), 0, "no file");
	gnutls_certificate_free_credentials(cred);
	str_free(&store);
	str_free(&loaded);
}

void
test_alike(void)
{
	size_t i, j;

	make_all();
	anything();
	written();
	again();
	for (i = 0; i < nauthorities + nleaves; i++) {
		struct cert *c = i < nauthorities ? &authorities[i] : &leaves[i - nauthorities];

		gnutls_x509_crt_deinit(c->crt);
		gnutls_free(c->der.data);
		str_free(&c->pem);
	}
	gnutls_x509_privkey_deinit(leaf_key);
	for (i = 0; i < NAMES; i++)
		for (j = 0; j < KEYS; j++)
			gnutls_x509_privkey_deinit(keys[i][j]);
}
