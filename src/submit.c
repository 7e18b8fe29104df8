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
#include "submit.h"
#include "url.h"
#include "wait.h"

/* One connection, one message. What happened is in the envelope. */
static void
attempt(const struct account *a, const struct session_target *to, struct envelope *e,
    const struct message *m, struct submission *sub)
{
	struct session *s = session_open(to);

	if (session_status(s)->class == 2)
		mail_submit(s, e, m, a->partial, true, &sub->reply);
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

	return to->account->tls == TLS_MAY && to->cred == NULL && !to->implicit && !status_ok(st) &&
	    (st->phase == PH_STARTTLS || st->phase == PH_TLS) && wait_signal() == NULL;
}

static void
one_server(const struct account *a, const char *text, int64_t deadline, struct envelope *e,
    const struct message *m, struct submission *sub)
{
	struct session_target to = { .account = a, .deadline = deadline };
	struct credentials cred = { 0 };
	struct account plain;
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
	if (a->auth != AUTH_NONE && cred.user != NULL) {
		sub->user = xstrdup(cred.user);
		to.cred = &cred;
	}
	if (to.cred != NULL && secret_get(a, &u, cred.user, deadline, &cred.secret, &st) == -1)
		envelope_settle(e, &st);
	else {
		attempt(a, &to, e, m, sub);
		if (may_go_without_tls(&to, e)) {
			say_event("no TLS here: trying without, as `tls may` allows");
			plain = *a;
			plain.tls = TLS_NONE;
			to.account = &plain;
			undecide(e);
			attempt(&plain, &to, e, m, sub);
		}
	}
	credentials_free(&cred);
	url_free(&u);
}

void
submit(const struct account *a, struct envelope *e, const struct message *m, struct submission *sub)
{
	int64_t start = wait_now(), deadline = wait_until(a->deadline);
	struct tls_policy policy = { .level = a->tls, .ca = a->tls_ca };
	struct status st;
	size_t i;

	memset(sub, 0, sizeof *sub);
	if (tls_check(&policy, &st) == -1) {
		envelope_settle(e, &st);
		return;
	}
	for (i = 0; i < a->server.n; i++) {
		one_server(a, a->server.v[i], deadline, e, m, sub);
		if (i + 1 == a->server.n || !worth_another(e))
			break;
		say_event("%s: %s; trying the next server", sub->server, e->rcpt[0].status.text);
		undecide(e);
	}
	sub->ms = wait_now() - start;
}

void
submission_free(struct submission *sub)
{
	free(sub->server);
	free(sub->user);
	memset(sub, 0, sizeof *sub);
}
