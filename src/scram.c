/*
 * scram - the SCRAM family (RFC 5802, 7677): one step function for every hash, with and without
 * channel binding (RFC 5929, 9266).
 *
 *     client-first  = gs2-header "n=" saslname ",r=" nonce
 *     server-first  = "r=" nonce ",s=" base64 ",i=" count [extensions]
 *     client-final  = "c=" base64(gs2-header [binding]) ",r=" nonce ",p=" base64(proof)
 *     server-final  = "v=" base64(signature) / "e=" reason
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base64.h"
#include "chance.h"
#include "scram.h"

#define HASH_MAX 64
#define NONCE_OCTETS 18

struct scram {
	struct str gs2;			   /* the header as sent */
	struct str first;		   /* client-first without it */
	struct str nonce;		   /* ours */
	unsigned char signature[HASH_MAX]; /* what the server must show */
};

static int
malformed(struct status *st, const char *why)
{
	return status_set(st, PH_AUTH, 5, 5, 0, "SCRAM: %s", why);
}

/* The value of attribute `name` at *p ("x=value,"), and *p moved behind it; NULL when it is not
 * there. */
static const char *
attribute(const char **p, char name, size_t *len)
{
	const char *value = *p + 2;

	if ((*p)[0] != name || (*p)[1] != '=')
		return NULL;
	*len = strcspn(value, ",");
	*p = value + *len + (value[*len] == ',');
	return value;
}

void
scram_name(struct str *out, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name == ',' || *name == '=')
			str_puts(out, *name == ',' ? "=2C" : "=3D");
		else
			str_putc(out, *name);
}

/* ---- client-first */

/* RFC 8265 OpaqueString, which for what people use is also SASLprep's answer. */
static void
put_prepared(struct str *out, const char *text, size_t n)
{
	gnutls_datum_t prepared;

	if (!has_8bit(text, n) ||
	    gnutls_utf8_password_normalize(
		(const unsigned char *)text, (unsigned)n, &prepared, 0) != 0) {
		str_put(out, text, n);
		return;
	}
	str_put(out, prepared.data, prepared.size);
	gnutls_memset(prepared.data, 0, prepared.size);
	gnutls_free(prepared.data);
}

static int
client_first(struct sasl *x, struct str *out)
{
	struct scram *c = x->scram = xalloc(1, sizeof *c);
	unsigned char noise[NONCE_OCTETS];
	struct str user = { 0 };

	if (x->nonce != NULL)
		str_puts(&c->nonce, x->nonce);
	else {
		chance(noise, sizeof noise);
		base64_put(&c->nonce, noise, sizeof noise);
	}
	/* "y": we could bind and the server said it cannot; if it did not say so, it will notice */
	if ((x->mech->flags & SASL_BINDING) != 0)
		str_printf(&c->gs2, "p=%s,,", x->cred->binding_type);
	else
		str_puts(
		    &c->gs2, x->cred->binding_type != NULL && !x->plus_offered ? "y,," : "n,,");
	put_prepared(&user, x->cred->user, strlen(x->cred->user));
	str_puts(&c->first, "n=");
	scram_name(&c->first, str_text(&user));
	str_printf(&c->first, ",r=%s", c->nonce.p);
	str_free(&user);
	str_put(out, c->gs2.p, c->gs2.len);
	str_put(out, c->first.p, c->first.len);
	return 0;
}

/* ---- client-final */

struct challenge {
	const char *nonce;
	size_t nonce_len;
	gnutls_datum_t salt;
	unsigned rounds;
};

static int
server_first(const struct scram *c, const struct str *in, struct challenge *ch, struct status *st)
{
	const char *p = str_text(in), *salt, *count, *why;
	size_t salt_len, count_len;
	gnutls_datum_t text;
	char digits[16] = "";

	if (strlen(p) != in->len)
		return malformed(st, "the server's challenge holds a NUL");
	if (strncmp(p, "m=", 2) == 0)
		return malformed(st, "the server demands an extension that nobody defined");
	if ((ch->nonce = attribute(&p, 'r', &ch->nonce_len)) == NULL ||
	    (salt = attribute(&p, 's', &salt_len)) == NULL ||
	    (count = attribute(&p, 'i', &count_len)) == NULL)
		return malformed(st, "the server's challenge does not read r=...,s=...,i=...");
	if (ch->nonce_len <= c->nonce.len || strncmp(ch->nonce, c->nonce.p, c->nonce.len) != 0)
		return malformed(st, "the server's nonce does not extend ours: this is a replay");
	if (count_len > 0 && count_len < sizeof digits)
		(void)strlcpy(digits, count, count_len + 1);
	ch->rounds = (unsigned)strtonum(digits, SCRAM_ROUNDS_MIN, SCRAM_ROUNDS_MAX, &why);
	if (why != NULL || strspn(digits, "0123456789") != count_len)
		return status_set(st, PH_AUTH, 5, 5, 0,
		    "SCRAM: the server asks for %.15s iterations; we do %d to %d", count,
		    SCRAM_ROUNDS_MIN, SCRAM_ROUNDS_MAX);
	text.data = (unsigned char *)(uintptr_t)salt;
	text.size = (unsigned)salt_len;
	if (salt_len == 0 || gnutls_base64_decode2(&text, &ch->salt) != 0)
		return malformed(st, "the server's salt is not base64");
	return 0;
}

/* proof = ClientKey XOR HMAC(H(ClientKey), auth); signature = HMAC(ServerKey, auth) (RFC 5802 3) */
static int
prove(struct sasl *x, const struct challenge *ch, const struct str *auth, unsigned char *proof)
{
	gnutls_mac_algorithm_t mac = (gnutls_mac_algorithm_t)x->mech->hash;
	gnutls_digest_algorithm_t digest = (gnutls_digest_algorithm_t)x->mech->hash;
	unsigned n = (unsigned)gnutls_hmac_get_len(mac), i;
	unsigned char salted[HASH_MAX], key[HASH_MAX], stored[HASH_MAX];
	struct str password = { 0 };
	gnutls_datum_t secret;
	int r;

	put_prepared(&password, str_text(&x->cred->secret), x->cred->secret.len);
	secret.data = (unsigned char *)password.p;
	secret.size = (unsigned)password.len;
	r = gnutls_pbkdf2(mac, &secret, &ch->salt, ch->rounds, salted, n);
	if (r == 0)
		r = gnutls_hmac_fast(mac, salted, n, "Client Key", 10, key);
	if (r == 0)
		r = gnutls_hash_fast(digest, key, n, stored);
	if (r == 0)
		r = gnutls_hmac_fast(mac, stored, n, auth->p, auth->len, proof);
	for (i = 0; r == 0 && i < n; i++)
		proof[i] ^= key[i];
	if (r == 0)
		r = gnutls_hmac_fast(mac, salted, n, "Server Key", 10, key);
	if (r == 0)
		r = gnutls_hmac_fast(mac, key, n, auth->p, auth->len, x->scram->signature);
	gnutls_memset(salted, 0, sizeof salted);
	gnutls_memset(key, 0, sizeof key);
	gnutls_memset(stored, 0, sizeof stored);
	str_free(&password);
	return r;
}

static int
client_final(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	struct scram *c = x->scram;
	struct challenge ch = { 0 };
	struct str bound = { 0 }, auth = { 0 };
	unsigned char proof[HASH_MAX];
	size_t start = out->len;
	int r = server_first(c, in, &ch, st);

	if (r == 0) {
		str_put(&bound, c->gs2.p, c->gs2.len);
		if ((x->mech->flags & SASL_BINDING) != 0)
			str_put(&bound, x->cred->binding.p, x->cred->binding.len);
		str_puts(out, "c=");
		base64_put(out, bound.p, bound.len);
		str_puts(out, ",r=");
		str_put(out, ch.nonce, ch.nonce_len);
		str_printf(&auth, "%s,%s,%s", c->first.p, str_text(in), out->p + start);
		if (prove(x, &ch, &auth, proof) != 0)
			r = status_set(st, PH_AUTH, 5, 7, 4,
			    "SCRAM: GnuTLS does not have %s's hash here", x->mech->name);
	}
	if (r == 0) {
		str_puts(out, ",p=");
		base64_put(out, proof, gnutls_hmac_get_len((gnutls_mac_algorithm_t)x->mech->hash));
	}
	gnutls_free(ch.salt.data);
	str_free(&bound);
	str_free(&auth);
	return r;
}

/* ---- server-final */

static int
server_final(struct sasl *x, const struct str *in, struct status *st)
{
	size_t n = gnutls_hmac_get_len((gnutls_mac_algorithm_t)x->mech->hash), len;
	const char *p = str_text(in), *value;
	gnutls_datum_t text, shown = { 0 };

	if ((value = attribute(&p, 'e', &len)) != NULL)
		return status_set(st, PH_AUTH, 5, 7, 8, "the server refuses the login: %.*s",
		    (int)(len > 100 ? 100 : len), value);
	if ((value = attribute(&p, 'v', &len)) == NULL)
		return malformed(st, "the server's last word does not read v=...");
	text.data = (unsigned char *)(uintptr_t)value;
	text.size = (unsigned)len;
	if (len > 0 && gnutls_base64_decode2(&text, &shown) == 0)
		x->proven = shown.size == n &&
		    gnutls_memcmp(shown.data, x->scram->signature, n) == 0;
	gnutls_free(shown.data);
	if (!x->proven)
		return status_set(st, PH_AUTH, 5, 7, 5,
		    "the server's signature is wrong: it does not know the password and may be an "
		    "impostor");
	return 0;
}

int
scram_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	switch (x->round) {
	case 0:
		return client_first(x, out);
	case 1:
		return client_final(x, in, out, st);
	case 2:
		return server_final(x, in, st);
	default:
		return malformed(st, "the server asks for more than the mechanism has to say");
	}
}

void
scram_free(struct scram *c)
{
	if (c == NULL)
		return;
	str_free(&c->gs2);
	str_free(&c->first);
	str_free(&c->nonce);
	freezero(c, sizeof *c);
}
