/*
 * sasl - authentication mechanisms as pure steps over bytes (RFC 4422).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "sasl.h"
#include "scram.h"

static int
out_of_turn(struct status *st)
{
	return status_set(
	    st, PH_AUTH, 5, 5, 0, "the server asks for more than the mechanism has to say");
}

/* RFC 4616: message = [authzid] UTF8NUL authcid UTF8NUL passwd */
static int
plain_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	(void)in;
	if (x->round > 0)
		return out_of_turn(st);
	str_putc(out, '\0');
	str_puts(out, x->cred->user);
	str_putc(out, '\0');
	str_put(out, str_text(&x->cred->secret), x->cred->secret.len);
	return 0;
}

/*
 * draft-murchison-sasl-login: prompts differ from server to server, and mean the name first and
 * then the password.
 */
static int
login_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	(void)in;
	switch (x->round) {
	case 0:
		str_puts(out, x->cred->user);
		return 0;
	case 1:
		str_put(out, str_text(&x->cred->secret), x->cred->secret.len);
		return 0;
	default:
		return out_of_turn(st);
	}
}

/* RFC 2195: user SP hex(HMAC-MD5(password, challenge)) */
static int
cram_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	unsigned char digest[16];
	size_t i;

	if (x->round > 0)
		return out_of_turn(st);
	if (gnutls_hmac_fast(GNUTLS_MAC_MD5, str_text(&x->cred->secret), x->cred->secret.len,
		str_text(in), in->len, digest) != 0)
		return status_set(st, PH_AUTH, 5, 7, 4,
		    "CRAM-MD5 is not available: GnuTLS has no MD5 here; see `auth`");
	str_printf(out, "%s ", x->cred->user);
	for (i = 0; i < sizeof digest; i++)
		str_printf(out, "%02x", digest[i]);
	return 0;
}

/* RFC 4422 appendix A: an empty authorization identity, or the name when there is one */
static int
external_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	(void)in;
	if (x->round > 0)
		return out_of_turn(st);
	str_puts(out, x->cred->user);
	return 0;
}

/* Keep the server's error (JSON, RFC 7628 3.2.2) for the report, and give the dummy answer. */
static int
bearer_error(
    struct sasl *x, const struct str *in, struct str *out, const char *answer, struct status *st)
{
	if (x->round > 1)
		return out_of_turn(st);
	str_clear(&x->detail);
	str_printable(&x->detail, str_text(in), in->len);
	str_puts(out, answer);
	return 0;
}

/* RFC 7628 3.1 */
static int
oauthbearer_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	if (x->round > 0)
		return bearer_error(x, in, out, "\1", st);
	str_puts(out, "n,a=");
	scram_name(out, x->cred->user);
	str_printf(out, ",\1host=%s\1port=%s\1auth=Bearer ", x->cred->host, x->cred->port);
	str_put(out, str_text(&x->cred->secret), x->cred->secret.len);
	str_puts(out, "\1\1");
	return 0;
}

/* Google's and Microsoft's form of before RFC 7628; the error is answered with nothing */
static int
xoauth2_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	if (x->round > 0)
		return bearer_error(x, in, out, "", st);
	str_printf(out, "user=%s\1auth=Bearer ", x->cred->user);
	str_put(out, str_text(&x->cred->secret), x->cred->secret.len);
	str_puts(out, "\1\1");
	return 0;
}

#define SCRAM SASL_MUTUAL
#define PLUS (SASL_MUTUAL | SASL_BINDING)
const struct mech sasl_mechs[] = {
	{ "SCRAM-SHA-512-PLUS", PLUS, scram_step, GNUTLS_MAC_SHA512 },
	{ "SCRAM-SHA-256-PLUS", PLUS, scram_step, GNUTLS_MAC_SHA256 },
	{ "SCRAM-SHA-1-PLUS", PLUS, scram_step, GNUTLS_MAC_SHA1 },
	{ "SCRAM-SHA-512", SCRAM, scram_step, GNUTLS_MAC_SHA512 },
	{ "SCRAM-SHA-256", SCRAM, scram_step, GNUTLS_MAC_SHA256 },
	{ "SCRAM-SHA-1", SCRAM, scram_step, GNUTLS_MAC_SHA1 },
	{ "CRAM-MD5", SASL_REUSABLE | SASL_SERVERFIRST, cram_step, 0 },
	{ "PLAIN", SASL_REUSABLE, plain_step, 0 },
	{ "LOGIN", SASL_REUSABLE | SASL_SERVERFIRST, login_step, 0 },
	{ "OAUTHBEARER", SASL_REUSABLE | SASL_BEARER, oauthbearer_step, 0 },
	{ "XOAUTH2", SASL_REUSABLE | SASL_BEARER, xoauth2_step, 0 },
	{ "EXTERNAL", SASL_NOSECRET, external_step, 0 },
	{ NULL, 0, NULL, 0 },
};
#undef SCRAM
#undef PLUS

const struct mech *
sasl_mech(const char *name)
{
	const struct mech *m;

	for (m = sasl_mechs; m->name != NULL; m++)
		if (ascii_eq(m->name, name))
			return m;
	return NULL;
}

/* What there is instead tells whether the port is wrong, or the provider wants another login. */
static void
nothing_in_common(const struct sasl_choice *c, struct status *st)
{
	const char *all = c->all != NULL ? c->all + strspn(c->all, " ") : "";
	size_t n = strlen(all);

	while (n > 0 && all[n - 1] == ' ')
		n--;
	if (n > 200)
		n = 200;
	if (c->tls_left)
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server offers no AUTH that we can use without TLS: take `tls none` out, "
		    "or "
		    "say `auth none`");
	else if (c->wish != NULL && n > 0)
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server does not offer AUTH %s, which `auth` demands; it offers %.*s",
		    c->wish, (int)n, all);
	else if (c->wish != NULL)
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server does not offer AUTH %s, which `auth` demands", c->wish);
	else if (n > 0)
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server offers only AUTH %.*s, which we have not or cannot use here: see "
		    "`auth`. Without a login: `auth none`",
		    (int)n, all);
	else
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server offers no AUTH; is it the right port (465 or 587)? Without a "
		    "login: `auth none`");
}

const struct mech *
sasl_pick(const struct sasl_choice *c, struct status *st)
{
	const struct mech *m;
	bool unsafe = false;

	for (m = sasl_mechs; m->name != NULL; m++) {
		if ((c->wish != NULL && !ascii_eq(c->wish, m->name)) ||
		    !c->offered(c->arg, m->name))
			continue;
		if ((m->flags & SASL_BINDING) != 0 && !c->binding)
			continue;
		if (c->secret == ((m->flags & SASL_NOSECRET) != 0))
			continue;
		if (c->safe || (m->flags & SASL_REUSABLE) == 0)
			return m;
		unsafe = true;
	}
	if (unsafe)
		status_set(st, PH_AUTH, 5, 7, 11,
		    "the server has only mechanisms that need a verified server, and `tls` is not "
		    "verify, fingerprint or tofu");
	else
		nothing_in_common(c, st);
	return NULL;
}

void
sasl_start(struct sasl *x, const struct mech *m, const struct credentials *cred)
{
	memset(x, 0, sizeof *x);
	x->mech = m;
	x->cred = cred;
}

int
sasl_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	if (x->mech->step(x, in, out, st) == -1)
		return -1;
	x->round++;
	return 0;
}

int
sasl_finish(const struct sasl *x, struct status *st)
{
	if ((x->mech->flags & SASL_MUTUAL) == 0 || x->proven)
		return 0;
	return status_set(st, PH_AUTH, 5, 7, 5,
	    "the server let us in without proving that it knows the password: it may be an "
	    "impostor");
}

void
sasl_end(struct sasl *x)
{
	scram_free(x->scram);
	x->scram = NULL;
	str_free(&x->detail);
}

void
credentials_free(struct credentials *c)
{
	str_free(&c->secret);
	str_free(&c->binding);
}
