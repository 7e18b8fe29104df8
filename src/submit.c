/*
 * submit - a message to the servers of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "secret.h"
#include "state.h"
#include "submit.h"
#include "url.h"
#include "wait.h"

/* One connection, one message. What happened is in the envelope. */
static void
attempt(const struct session_target *to, struct envelope *e, const struct message *m,
    struct submission *sub)
{
	struct session *s = session_open(to);

	if (session_status(s)->class == 2)
		mail_submit(s, e, m, to->account->partial, true, &sub->reply);
	else
		envelope_settle(e, session_status(s));
	sub->info = *session_info(s);
	sub->turns += session_turns(s);
	session_close(&s);
}

/* Did the session as a whole fail for now, with nothing decided that a second try could repeat? */
static bool
worth_another(const struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		const struct status *st = &e->rcpt[i].status;

		if (!status_retry(st) || e->rcpt[i].unknown || st->phase >= PH_BODY ||
		    (st->phase >= PH_MAIL && st->code != 0 && st->code != 421))
			return false;
	}
	return wait_signal() == NULL;
}

static void
undecide(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		memset(&e->rcpt[i].status, 0, sizeof e->rcpt[i].status);
}

/* `tls may`: when TLS itself is the trouble and no secret is at stake, without it on a new
 * connection. */
static bool
may_go_without_tls(const struct session_target *to, const struct envelope *e)
{
	const struct status *st = &e->rcpt[0].status;

	return to->account->tls == TLS_MAY && to->cred == NULL && !to->implicit &&
	    (st->code != 0 || status_retry(st)) &&
	    (st->phase == PH_STARTTLS || st->phase == PH_TLS) && wait_signal() == NULL;
}

/* `tls may`: when TLS itself is the trouble, once more without it. */
static void
with_fallback(const struct session_target *to, struct envelope *e, const struct message *m,
    struct submission *sub)
{
	struct session_target clear = *to;
	struct account plain;

	attempt(to, e, m, sub);
	if (!may_go_without_tls(to, e))
		return;
	say_event("no TLS here: trying without, as `tls may` allows");
	plain = *to->account;
	plain.tls = TLS_NONE;
	clear.account = &plain;
	undecide(e);
	attempt(&clear, e, m, sub);
}

/* A token that was refused may have expired: the command that made it can make another. */
static bool
token_expired(const struct session_target *to, const struct url *u, const struct envelope *e,
    const struct submission *sub)
{
	const struct mech *m = sasl_mech(sub->info.tried);

	return e->rcpt[0].status.phase == PH_AUTH && e->rcpt[0].status.code == 535 && m != NULL &&
	    (m->flags & SASL_BEARER) != 0 && secret_refreshable(to->account, u);
}

/* AUTH EXTERNAL: on demand, or when a certificate is all that the configuration has. */
static bool
certificate_is_enough(const struct account *a, const struct url *u)
{
	const struct mech *demanded = a->auth != NULL ? sasl_mech(a->auth) : NULL;

	if (demanded != NULL)
		return (demanded->flags & SASL_NOSECRET) != 0;
	return a->tls_cert != NULL && !secret_configured(a, u);
}

static void
with_login(struct session_target *to, const struct url *u, struct envelope *e,
    const struct message *m, struct submission *sub)
{
	struct secret_wish wish = {
		.account = to->account,
		.url = u,
		.user = to->cred->user,
		.deadline = to->deadline,
	};
	struct status st;

	if (certificate_is_enough(to->account, u)) {
		attempt(to, e, m, sub);
		return;
	}
	for (;;) {
		str_free(&to->cred->secret);
		if (secret_get(&wish, &to->cred->secret, &st) == -1) {
			envelope_settle(e, &st);
			return;
		}
		secret_guard();
		attempt(to, e, m, sub);
		if (wish.refresh || !token_expired(to, u, e, sub))
			return;
		say_event("the token was refused: asking password-command for a fresh one");
		wish.refresh = true;
		undecide(e);
	}
}

static void
one_server(const char *text, const struct session_target *common, struct envelope *e,
    const struct message *m, struct submission *sub)
{
	struct session_target to = *common;
	const struct account *a = to.account;
	struct credentials cred = { 0 };
	struct status st;
	struct url u;

	free(sub->server);
	free(sub->user);
	sub->server = sub->user = NULL;
	if (url_parse(text, &u, &st) == -1) {
		envelope_settle(e, &st);
		url_free(&u);
		return;
	}
	sub->server = url_name(&u);
	to.server.host = u.host;
	to.server.port = u.port;
	to.implicit = u.implicit;
	cred.user = a->user != NULL ? a->user : u.user;
	/* with EXTERNAL the certificate says who we are (RFC 4422 A.1) */
	if (cred.user == NULL && a->auth != NULL && certificate_is_enough(a, &u))
		cred.user = "";
	cred.host = u.host;
	cred.port = u.port;
	if (!a->no_auth && cred.user == NULL && (a->auth != NULL || secret_configured(a, &u))) {
		/* never without a login that somebody wanted */
		status_set(&st, PH_LOCAL, 5, 3, 5,
		    "there is a password or `auth` but no user name: set `user`, or put it into "
		    "`server`, as in submissions://user@%s",
		    u.host);
		envelope_settle(e, &st);
	} else if (a->no_auth || cred.user == NULL)
		with_fallback(&to, e, m, sub);
	else {
		sub->user = xstrdup(cred.user);
		to.cred = &cred;
		with_login(&to, &u, e, m, sub);
	}
	credentials_free(&cred);
	url_free(&u);
}

/* What can be known to be wrong before anybody is contacted. 0, or -1 with *st. */
static int
check(const struct account *a, const char *known_hosts, struct status *st)
{
	struct tls_policy policy = {
		.level = a->tls,
		.ca = a->tls_ca,
		.crl = a->tls_crl,
		.cert = a->tls_cert,
		.key = a->tls_key,
		.priority = a->tls_priority,
		.pins = &a->tls_pin,
		.known_hosts = known_hosts,
	};

	return tls_check(&policy, st);
}

void
submit(const struct account *a, struct envelope *e, const struct message *m, struct submission *sub)
{
	char *known_hosts = state_path("known-hosts"), *scram_hosts = state_path("scram-hosts");
	struct session_target to = {
		.account = a,
		.deadline = wait_until(a->deadline),
		.known_hosts = known_hosts,
		.scram_hosts = scram_hosts,
	};
	int64_t start = wait_now();
	struct status st;
	size_t i;

	memset(sub, 0, sizeof *sub);
	if (check(a, known_hosts, &st) == -1)
		envelope_settle(e, &st);
	else
		for (i = 0; i < a->server.n; i++) {
			one_server(a->server.v[i], &to, e, m, sub);
			if (i + 1 == a->server.n || !worth_another(e))
				break;
			say_event(
			    "%s: %s; trying the next server", sub->server, e->rcpt[0].status.text);
			undecide(e);
		}
	sub->ms = wait_now() - start;
	free(known_hosts);
	free(scram_hosts);
}

void
submission_free(struct submission *sub)
{
	free(sub->server);
	free(sub->user);
	memset(sub, 0, sizeof *sub);
}
