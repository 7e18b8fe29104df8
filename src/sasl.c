/*
 * sasl - authentication mechanisms as pure steps over bytes (RFC 4422).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "sasl.h"

static int
out_of_turn(struct status *st)
{
	return status_set(st, PH_AUTH, 5, 5, 0, "the server asks for more than the mechanism has");
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

/* draft-murchison-sasl-login: whatever the prompts say, the first is the name, the second the
 * password */
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

const struct mech sasl_mechs[] = {
	{ "PLAIN", SASL_PLAINTEXT, plain_step },
	{ "LOGIN", SASL_PLAINTEXT | SASL_SERVERFIRST, login_step },
	{ NULL, 0, NULL },
};

const struct mech *
sasl_pick(bool (*offered)(void *arg, const char *mech), void *arg, const char *wish, bool safe,
    struct status *st)
{
	const struct mech *m;
	bool unsafe = false;

	for (m = sasl_mechs; m->name != NULL; m++) {
		if ((wish != NULL && !ascii_eq(wish, m->name)) || !offered(arg, m->name))
			continue;
		if (safe || (m->flags & SASL_PLAINTEXT) == 0)
			return m;
		unsafe = true;
	}
	if (unsafe)
		status_set(st, PH_AUTH, 5, 7, 11,
		    "the password would go to an unverified server: only `tls verify` allows that");
	else if (wish != NULL)
		status_set(st, PH_AUTH, 5, 7, 4,
		    "the server does not offer AUTH %s, which `auth` demands", wish);
	else
		status_set(
		    st, PH_AUTH, 5, 7, 4, "the server offers no AUTH mechanism that we have");
	return NULL;
}

void
sasl_start(struct sasl *x, const struct mech *m, const struct credentials *cred)
{
	x->mech = m;
	x->cred = cred;
	x->round = 0;
}

int
sasl_step(struct sasl *x, const struct str *in, struct str *out, struct status *st)
{
	if (x->mech->step(x, in, out, st) == -1)
		return -1;
	x->round++;
	return 0;
}

void
credentials_free(struct credentials *c)
{
	str_free(&c->secret);
	c->user = NULL;
}
