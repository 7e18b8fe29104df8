/*
 * link - a session to an account's servers: opened when it is needed, kept while it lives.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "say.h"
#include "secret.h"
#include "srv.h"
#include "state.h"
#include "store.h"
#include "wait.h"

void
link_init(struct link *l, const struct account *a)
{
	memset(l, 0, sizeof *l);
	l->account = a;
	l->deadline = wait_until(a->deadline);
	l->known_hosts = state_path("known-hosts");
	l->scram_hosts = state_path("scram-hosts");
	l->tickets = a->tls_resume ? state_path("tickets") : NULL;
	l->state = state_path("");
	status_set(&l->st, PH_LOCAL, 4, 4, 1, "no server was tried");
}

void
link_free(struct link *l)
{
	link_down(l);
	credentials_free(&l->cred);
	tls_files_free(&l->files);
	strings_free(&l->found);
	url_free(&l->url);
	free(l->name);
	free(l->user);
	free(l->known_hosts);
	free(l->scram_hosts);
	free(l->tickets);
	free(l->state);
	free(l->netrc);
	str_free(&l->hello[0]);
	str_free(&l->hello[1]);
	memset(l, 0, sizeof *l);
}

/* Over all sessions. */
static struct tally
total(const struct link *l)
{
	struct tally t = { 0 };

	if (l->session != NULL) {
		t.turns = session_turns(l->session);
		session_octets(l->session, &t.sent, &t.received);
	}
	t.turns += l->ended.turns;
	t.sent += l->ended.sent;
	t.received += l->ended.received;
	return t;
}

const char *
link_hello(const struct link *l, bool tls)
{
	if (l->session != NULL)
		return session_hello(l->session, tls);
	return l->hello[tls].len > 0 ? l->hello[tls].p : NULL;
}

static void
keep_hello(struct link *l, bool tls)
{
	const char *text = session_hello(l->session, tls);

	str_clear(&l->hello[tls]);
	str_puts(&l->hello[tls], text != NULL ? text : "");
}

void
link_down(struct link *l)
{
	if (l->session == NULL)
		return;
	if (l->facts) {
		keep_hello(l, false);
		keep_hello(l, true);
	}
	l->info = *session_info(l->session);
	l->ended = total(l);
	session_close(&l->session);
}

void
link_renew(struct link *l)
{
	l->deadline = wait_until(l->account->deadline);
	if (l->session != NULL)
		stream_deadline(session_chat(l->session)->stream, l->deadline);
}

struct tally
link_tally(struct link *l)
{
	struct tally all = total(l), t = all;

	t.turns -= l->told.turns;
	t.sent -= l->told.sent;
	t.received -= l->told.received;
	l->told = all;
	return t;
}

/* ---- which servers */

/* Their URLs, with those that stand for a domain replaced by what it names. 0, or -1 with l->st. */
static int
find_servers(struct link *l)
{
	const struct account *a = l->account;
	bool some = false;
	struct url u;
	size_t i;

	if (l->looked)
		return 0;
	for (i = 0; i < a->server.n; i++)
		some |= ascii_eqn(a->server.v[i], "srv:", 4);
	for (i = 0; some && i < a->server.n; i++) {
		int bad = url_parse(a->server.v[i], &u, &l->st);

		if (bad == 0 && u.srv) {
			/* one domain may fail where another server is named, too */
			if (srv_find(&u, a->tls_name != NULL, &l->found, &l->st) == -1 &&
			    i + 1 < a->server.n)
				say_event("%s", l->st.text);
		} else if (bad == 0)
			strings_add(&l->found, a->server.v[i]);
		url_free(&u);
	}
	if (some && l->found.n == 0)
		return -1;
	l->looked = true;
	return 0;
}

static const struct strings *
servers(const struct link *l)
{
	return l->found.n > 0 ? &l->found : &l->account->server;
}

/* ---- what is given up */

static bool
has_token(const struct account *a)
{
	return (a->tls_cert != NULL && strncmp(a->tls_cert, "pkcs11:", 7) == 0) ||
	    (a->tls_key != NULL && strncmp(a->tls_key, "pkcs11:", 7) == 0);
}

bool
link_may_confine(const struct account *a)
{
	return a->sandbox && !has_token(a) && a->tunnel == NULL && a->password_command == NULL;
}

/* Could the command be asked for a secret again? `open`: a session stands, and we are logged in. */
static bool
may_ask_again(const struct link *l, bool open)
{
	const struct account *a = l->account;
	const char *name = open ? l->info.mech : a->auth;
	const struct mech *m = name != NULL ? sasl_mech(name) : NULL;

	if (l->cred.user == NULL || a->password_command == NULL)
		return false;
	if (l->server + 1 < servers(l)->n)
		return true;
	return (!open || l->plan->again) && (m == NULL || (m->flags & SASL_BEARER) != 0) &&
	    secret_refreshable(a, &l->url);
}

/* Beyond this session: could another one be wanted? */
static bool
may_call_again(const struct link *l, bool open)
{
	const struct account *a = l->account;

	if (l->plan->again || l->server + 1 < servers(l)->n)
		return true;
	return !open && (l->tickets != NULL || a->tls == TLS_MAY || may_ask_again(l, open));
}

static bool
some_are_local(const struct link *l)
{
	struct status ignored;
	bool found = false;
	struct url u;
	size_t i;

	for (i = l->server; !found && i < servers(l)->n; i++) {
		found = url_parse(servers(l)->v[i], &u, &ignored) == 0 && u.path != NULL;
		url_free(&u);
	}
	return found;
}

/* What another session takes: names are looked up, secrets asked for. */
static void
need_sessions(struct link *l, struct confine *needs)
{
	const struct account *a = l->account;
	struct str path = { 0 };

	needs->sockets = l->plan->others || some_are_local(l) ? SOCKETS_LOCAL : SOCKETS_NET;
	needs->read = l->plan->others;
	needs->lasting = l->plan->lasting;
	needs->prompt = true;
	if (l->netrc == NULL && home_directory() != NULL) {
		str_printf(&path, "%s/.netrc", home_directory());
		l->netrc = path.p;
	}
	needs->files[1] = a->password_file;
	needs->files[2] = getenv("CREDENTIALS_DIRECTORY");
	needs->files[3] = l->netrc;
	needs->files[4] = a->aliases;
}

/*
 * What is still needed, now that there is a connection, or when the session stands. False: nothing
 * can be given up, as a command may have to be run that nobody knows the needs of, or a module of
 * PKCS#11 may do as it likes.
 */
static bool
what_is_needed(struct link *l, bool open, struct confine *needs)
{
	const struct account *a = l->account;
	const char *trust = tls_files_left(l->files);
	bool again;

	if (l->plan == NULL || !a->sandbox || has_token(a))
		return false;
	again = may_call_again(l, open);
	if (again && a->tunnel != NULL)
		return false;
	*needs = (struct confine){ .parent = l->plan->parent, .spool = l->plan->spool };
	if (a->log != NULL && *a->log != '/')
		needs->sockets = SOCKETS_LOG;
	if (again)
		need_sessions(l, needs);
	if (l->files == NULL && a->tls == TLS_NONE && (again || l->url.implicit) &&
	    (a->tls_ca != NULL || a->tls_crl != NULL || a->tls_cert != NULL))
		needs->read = true; /* they are of use only to TLS that nobody asked for */
	else if (trust != NULL && *trust == '\0')
		needs->read = true;
	else
		needs->files[0] = trust;
	if (l->plan->others || l->cred.user != NULL || a->tls == TLS_TOFU || l->tickets != NULL)
		needs->state = l->state;
	if (l->plan->large)
		store_reserve();
	/* it may be asked for a secret when nobody can be any more */
	if (l->keeper == 0 && !confined() && may_ask_again(l, open))
		l->keeper = secret_keep(a);
	needs->children[0] = l->keeper;
	return true;
}

/* ---- one server */

/* One connection; what became of it is in l->st. */
static void
connect_once(struct link *l, const struct session_target *to)
{
	link_down(l);
	l->session = session_open(to);
	l->used = 0;
	l->st = *session_status(l->session);
	l->info = *session_info(l->session);
	if (!status_ok(&l->st))
		link_down(l);
}

/* One connection, and another one when that failed and may have done so because of a ticket. */
static void
attempt(struct link *l, const struct session_target *to)
{
	connect_once(l, to);
	if (l->info.tls.offered && !status_ok(&l->st) && l->st.phase == PH_TLS &&
	    wait_signal() == NULL) {
		say_event("no TLS with the ticket of an earlier session: trying without");
		connect_once(l, to);
	}
}

/* `tls may`: when TLS itself is the trouble and no secret is at stake, without it on a new
 * connection. */
static bool
may_go_without_tls(const struct link *l, const struct session_target *to)
{
	/* what fails once TLS stands is another matter, and may be somebody's doing */
	return to->account->tls == TLS_MAY && to->cred == NULL && !to->implicit &&
	    !l->info.tls.on && (l->st.code != 0 || status_retry(&l->st)) &&
	    (l->st.phase == PH_STARTTLS || l->st.phase == PH_TLS) && wait_signal() == NULL;
}

static void
without_login(struct link *l, struct session_target *to)
{
	attempt(l, to);
	if (status_ok(&l->st) || !may_go_without_tls(l, to))
		return;
	say_event("no TLS here: trying without, as `tls may` allows");
	l->clear = *to->account;
	l->clear.tls = TLS_NONE;
	to->account = &l->clear;
	attempt(l, to);
}

/* A token that was refused may have expired: the command that made it can make another. */
static bool
token_expired(const struct link *l)
{
	const struct mech *m = sasl_mech(l->info.tried);

	return l->st.phase == PH_AUTH && l->st.code == 535 && m != NULL &&
	    (m->flags & SASL_BEARER) != 0 && secret_refreshable(l->account, &l->url);
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
with_login(struct link *l, struct session_target *to)
{
	struct secret_wish wish = {
		.account = l->account,
		.url = &l->url,
		.user = l->cred.user,
		.deadline = l->deadline,
	};

	to->cred = &l->cred;
	if (certificate_is_enough(l->account, &l->url)) {
		attempt(l, to);
		return;
	}
	for (;;) {
		/* a secret that has served is not asked for again when the session is renewed */
		if (l->cred.secret.len == 0 && secret_get(&wish, &l->cred.secret, &l->st) == -1)
			return;
		secret_guard();
		attempt(l, to);
		if (status_ok(&l->st))
			return;
		str_free(&l->cred.secret);
		if (wish.refresh || !token_expired(l))
			return;
		say_event("the token was refused: asking password-command for a fresh one");
		wish.refresh = true;
	}
}

/* Where the account's server number l->server is, and as whom we go there. 0, or -1 with l->st. */
static int
aim(struct link *l)
{
	const struct account *a = l->account;

	free(l->name);
	free(l->user);
	url_free(&l->url);
	l->name = l->user = NULL;
	l->cred.user = NULL;
	memset(&l->info, 0, sizeof l->info);
	if (url_parse(servers(l)->v[l->server], &l->url, &l->st) == -1)
		return -1;
	l->name = url_name(&l->url);
	l->cred.host = l->url.host;
	l->cred.port = l->url.port;
	if (a->no_auth)
		return 0;
	l->cred.user = a->user != NULL ? a->user : l->url.user;
	/* with EXTERNAL the certificate says who we are (RFC 4422 A.1) */
	if (l->cred.user == NULL && a->auth != NULL && certificate_is_enough(a, &l->url))
		l->cred.user = "";
	if (l->cred.user == NULL && (a->auth != NULL || secret_configured(a, &l->url)))
		/* never without a login that somebody wanted */
		return status_set(&l->st, PH_LOCAL, 5, 3, 5,
		    "there is a password or `auth` but no user name: set `user`, or put it into "
		    "`server`, as in submissions://user@%s",
		    l->url.host);
	if (l->cred.user != NULL)
		l->user = xstrdup(l->cred.user);
	return 0;
}

static void
open_server(struct link *l)
{
	struct session_target to = {
		.account = l->account,
		.deadline = l->deadline,
		.known_hosts = l->known_hosts,
		.scram_hosts = l->scram_hosts,
		.tickets = l->tickets,
	};
	struct tls_policy policy = session_policy(&to);
	struct confine needs;

	/* before anybody is contacted */
	if (tls_check(&policy, &l->files, &l->st) == -1 || find_servers(l) == -1 ||
	    (!l->aimed && aim(l) == -1))
		return;
	l->aimed = true;
	to.files = l->files;
	to.facts = l->facts;
	to.server.host = l->url.host;
	to.server.port = l->url.port;
	to.server.path = l->url.path;
	to.lmtp = l->url.lmtp;
	to.needs = what_is_needed(l, false, &needs) ? &needs : NULL;
	to.implicit = l->url.implicit;
	if (session_check(&to, &l->st) == -1)
		return;
	if (l->cred.user == NULL)
		without_login(l, &to);
	else
		with_login(l, &to);
	if (l->session != NULL && what_is_needed(l, true, &needs))
		session_confine(l->session, &needs);
}

/* ---- all of them */

bool
link_ready(const struct link *l)
{
	uint64_t most, own = (uint64_t)l->account->per_session;

	/* a connection may have been given up over a message, with nothing said of the session */
	if (l->session == NULL || !status_ok(session_status(l->session)) ||
	    session_chat(l->session)->quit ||
	    stream_status(session_chat(l->session)->stream)->class != 0)
		return false;
	most = session_caps(l->session)->mail_max;
	return (most == 0 || l->used < most) && (own == 0 || l->used < own);
}

struct session *
link_up(struct link *l)
{
	if (!link_ready(l)) {
		link_down(l);
		do
			open_server(l);
		while (l->session == NULL && status_retry(&l->st) && l->st.phase != PH_LOCAL &&
		    link_next(l));
	}
	l->used++;
	return l->session;
}

bool
link_next(struct link *l)
{
	if (l->server + 1 >= servers(l)->n || wait_signal() != NULL)
		return false;
	if (l->session != NULL)
		l->st = *session_status(l->session);
	say_event("%s: %s; trying the next server", l->name, l->st.text);
	link_down(l);
	l->server++;
	l->aimed = false;
	/* the secret for one server is not shown to another */
	credentials_free(&l->cred);
	return true;
}
