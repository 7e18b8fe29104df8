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

/* One connection, one message, for everybody who is undecided. */
static void
attempt(const struct session_target *to, struct envelope *e, const struct message *m,
    struct submission *sub)
{
	struct envelope left = *e;
	struct session *s = session_open(to);
	size_t i, k = 0;

	left.rcpt = xalloc(e->n, sizeof *left.rcpt);
	left.n = 0;
	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0)
			left.rcpt[left.n++] = e->rcpt[i];
	if (session_status(s)->class == 2)
		mail_submit(s, &left, m, to->account->partial, true, &sub->reply);
	else
		envelope_settle(&left, session_status(s));
	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.class == 0)
			e->rcpt[i] = left.rcpt[k++];
	free(left.rcpt);
	sub->session = *session_status(s);
	sub->info = *session_info(s);
	sub->turns += session_turns(s);
	session_close(&s);
}

/* Did this recipient fail because the session as a whole did, for now, and before the message? */
static bool
by_session(const struct rcpt *r)
{
	const struct status *st = &r->status;

	return status_retry(st) && !r->unknown && st->phase < PH_BODY && st->phase != PH_LOCAL &&
	    (st->phase < PH_MAIL || st->code == 0 || st->code == 421);
}

/*
 * Those whom another server may serve become undecided again; are there any? When it is all or
 * nothing, one who is decided otherwise decides for all.
 */
static bool
undecide(struct envelope *e, bool partial)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		n += by_session(&e->rcpt[i]);
	if (wait_signal() != NULL || n == 0 || (!partial && n < e->n))
		return false;
	for (i = 0; i < e->n; i++)
		if (by_session(&e->rcpt[i]))
			memset(&e->rcpt[i].status, 0, sizeof e->rcpt[i].status);
	return true;
}

/* Those whom the server has not even heard of, for another try at the same one. */
static void
undecide_unheard(struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (e->rcpt[i].status.phase > PH_LOCAL && e->rcpt[i].status.phase < PH_MAIL)
			memset(&e->rcpt[i].status, 0, sizeof e->rcpt[i].status);
}

/* `tls may`: when TLS itself is the trouble and no secret is at stake, without it on a new
 * connection. */
static bool
may_go_without_tls(const struct session_target *to, const struct submission *sub)
{
	const struct status *st = &sub->session;

	/* what fails once TLS stands is another matter, and may be somebody's doing */
	return to->account->tls == TLS_MAY && to->cred == NULL && !to->implicit &&
	    !sub->info.tls.on && (st->code != 0 || status_retry(st)) &&
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
	if (!may_go_without_tls(to, sub))
		return;
	say_event("no TLS here: trying without, as `tls may` allows");
	plain = *to->account;
	plain.tls = TLS_NONE;
	clear.account = &plain;
	undecide_unheard(e);
	attempt(&clear, e, m, sub);
}

/* A token that was refused may have expired: the command that made it can make another. */
static bool
token_expired(const struct session_target *to, const struct url *u, const struct submission *sub)
{
	const struct mech *m = sasl_mech(sub->info.tried);

	return sub->session.phase == PH_AUTH && sub->session.code == 535 && m != NULL &&
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
		if (wish.refresh || !token_expired(to, u, sub))
			return;
		say_event("the token was refused: asking password-command for a fresh one");
		wish.refresh = true;
		undecide_unheard(e);
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
	to.server.path = u.path;
	to.lmtp = u.lmtp;
	to.implicit = u.implicit;
	if (session_check(&to, &st) == -1) {
		envelope_settle(e, &st);
		url_free(&u);
		return;
	}
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
	struct tls_policy policy;
	struct status st;
	size_t i;

	memset(sub, 0, sizeof *sub);
	policy = session_policy(&to);
	if (tls_check(&policy, &st) == -1) /* before anybody is contacted */
		envelope_settle(e, &st);
	else
		for (i = 0; i < a->server.n; i++) {
			one_server(a->server.v[i], &to, e, m, sub);
			if (i + 1 == a->server.n || !undecide(e, a->partial))
				break;
			say_event("%s: %s; trying the next server", sub->server, sub->session.text);
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
