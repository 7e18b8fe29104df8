/*
 * session - one connection to one server, from the greeting to QUIT.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base64.h"
#include "say.h"
#include "session.h"
#include "state.h"
#include "wait.h"

#define SILENT_465_MS 20000
#define EARLY_MS 3000	/* for an answer to a SYN with data; without one there is the usual way */
#define COMMAND_MAX 512 /* octets, with CRLF */

struct session {
	struct session_target to;
	struct chat chat;
	struct caps caps;
	struct str hello[2]; /* what EHLO was answered with, before TLS and in it */
	struct session_info info;
	struct call call; /* its stream has become the chat's */
};

/* ---- from the greeting to AUTH; each returns 0, or -1 with *st */

/* TLS servers wait in silence for our first word, as we do for theirs. */
static int
no_greeting(const struct session *s, struct status *st)
{
	if (!s->to.implicit && !s->to.lmtp && st->subject == 4 && s->chat.reply.lines == 0 &&
	    wait_signal() == NULL)
		(void)strlcat(st->text,
		    "; if this port speaks TLS from the first byte, use submissions://",
		    sizeof st->text);
	return -1;
}

/* The same the other way round: a server that waits for EHLO, or leaves over what TLS begins with.
 */
static int
no_handshake(const struct session *s, struct status *st)
{
	if (s->to.implicit && st->phase == PH_TLS && st->subject == 4 && wait_signal() == NULL)
		(void)strlcat(
		    st->text, "; if this port wants STARTTLS, use submission://", sizeof st->text);
	return -1;
}

static int
greeting(struct session *s, struct status *st)
{
	long long patience = s->chat.timeout;
	int r;

	/* 465 is for TLS from the first byte (RFC 8314 7.3): its silence means that it waits for us
	 */
	if (!s->to.implicit && strcmp(s->to.server.port, "465") == 0 &&
	    (patience == 0 || patience > SILENT_465_MS))
		s->chat.timeout = SILENT_465_MS;
	r = chat_hear(&s->chat, PH_GREETING, st);
	s->chat.timeout = patience;
	if (r == -1)
		return no_greeting(s, st);
	(void)strlcpy(s->info.greeting, st->text, sizeof s->info.greeting);
	if ((st->class == 2 && s->chat.reply.code != 220) || s->chat.reply.code / 100 == 3)
		return chat_out_of_step(PH_GREETING, st);
	return st->class == 2 ? 0 : -1;
}

static int
ehlo(struct session *s, struct status *st)
{
	const struct account *a = s->to.account;
	char *own = a->ehlo != NULL ? NULL : net_ehlo_name(s->chat.stream);
	const char *name = own != NULL ? own : a->ehlo;
	int r;

	caps_free(&s->caps); /* nothing learned before counts any more */
	s->chat.pipelining = false;
	r = chat_ask(&s->chat, PH_EHLO, st, "%s %s", s->to.lmtp ? "LHLO" : "EHLO", name);
	if (r == 0 && s->chat.reply.code / 100 == 5 && !s->info.tls.on && a->tls <= TLS_MAY &&
	    s->to.cred == NULL && !s->to.lmtp) {
		/* a server from before 1995 can do neither TLS nor AUTH */
		r = chat_ask(&s->chat, PH_EHLO, st, "HELO %s", name);
		str_clear(&s->chat.reply.text);
	}
	free(own);
	if (r == -1)
		return -1;
	if (st->class == 2 ? s->chat.reply.code != 250 : s->chat.reply.code / 100 == 3)
		return chat_out_of_step(PH_EHLO, st);
	if (st->class != 2)
		return -1;
	caps_parse(&s->caps, &s->chat.reply);
	str_clear(&s->hello[s->info.tls.on]);
	str_puts(&s->hello[s->info.tls.on], str_text(&s->chat.reply.text));
	s->chat.pipelining = a->pipelining && (s->caps.ext & EXT_PIPELINING) != 0;
	if (!a->chunking)
		s->caps.ext &= ~(unsigned)EXT_CHUNKING;
	return 0;
}

static struct route
route(const struct account *a)
{
	struct route by = {
		.source = a->source_address,
		.proxy = a->proxy.host != NULL ? &a->proxy : NULL,
		.tunnel = a->tunnel,
	};

	return by;
}

int
session_check(const struct session_target *to, struct status *st)
{
	const struct route by = route(to->account);

	return dial_check(&to->server, &by, st);
}

/*
 * Does what we say stay on this machine? Behind a proxy or a tunnel nothing can be said of the
 * other end, whatever its address.
 */
static bool
stays_here(const struct session *s)
{
	const struct route by = route(s->to.account);

	if (s->to.server.path != NULL)
		return true;
	return by.proxy == NULL && by.tunnel == NULL && net_loopback(s->info.peer);
}

struct tls_policy
session_policy(const struct session_target *to)
{
	const struct account *a = to->account;
	struct tls_policy policy = {
		.level = a->tls,
		.name = a->tls_name != NULL ? a->tls_name : to->server.host,
		.host = to->server.host,
		.port = to->server.port,
		.ca = a->tls_ca,
		.crl = a->tls_crl,
		.cert = a->tls_cert,
		.key = a->tls_key,
		.priority = a->tls_priority,
		.pins = &a->tls_pin,
		.known_hosts = to->known_hosts,
		.files = to->files,
		/* who wants to know all of a certificate wants it shown, too */
		.tickets = a->tls != TLS_NONE && !to->facts ? to->tickets : NULL,
		.facts = to->facts,
	};

	/* what goes into a socket does not leave the machine, and it has no name to be verified */
	if (to->server.path != NULL)
		policy.level = TLS_NONE;
	/* where a login is planned, "may" must not mean that a listener may have it */
	if (policy.level == TLS_MAY && to->cred != NULL)
		policy.level = TLS_ENCRYPT;
	return policy;
}

static void
show_tls(const struct session *s, const struct tls_policy *policy)
{
	const struct tls_info *info = &s->info.tls;
	const struct cert_info *c = &info->cert;
	const char *how = cert_standing(c), *resumed = info->resumed ? ", resumed" : "";
	long long days = (long long)(c->expires - time(NULL)) / 86400;

	if (how != NULL)
		say_event("%s, %s%s, certificate of %s %s, expires in %lld day%s", info->version,
		    info->cipher, resumed, policy->name, how, days, days == 1 ? "" : "s");
	else
		say_event("%s, %s%s, certificate of %s NOT verified: %s", info->version,
		    info->cipher, resumed, policy->name, c->complaint);
}

/* TLS is required and not offered, and perhaps not needed. */
static int
no_starttls(const struct session *s, struct status *st)
{
	if (s->to.account->tunnel != NULL)
		(void)strlcat(st->text, "; `tls none` is for a tunnel that is secure by itself",
		    sizeof st->text);
	else if (net_loopback(s->info.peer))
		(void)strlcat(
		    st->text, "; `tls none` is for a relay on this machine", sizeof st->text);
	else
		(void)strlcat(st->text, "; try submissions://, which is TLS from the first byte",
		    sizeof st->text);
	return -1;
}

static int
secure(struct session *s, struct status *st)
{
	struct tls_policy policy = session_policy(&s->to);
	struct tls_info *info = &s->info.tls;
	struct str binding = { 0 };
	int64_t start;
	int r;

	if (!s->to.implicit) {
		if (policy.level == TLS_NONE)
			return 0;
		if ((s->caps.ext & EXT_STARTTLS) == 0 && s->to.account->tls == TLS_MAY &&
		    s->to.cred != NULL)
			return status_set(st, PH_STARTTLS, 4, 7, 4,
			    "the server does not offer STARTTLS, and a login goes only over TLS, "
			    "with "
			    "`tls may`, too");
		if ((s->caps.ext & EXT_STARTTLS) == 0)
			return tls_judge(&policy, info, st) == -1 ? no_starttls(s, st) : 0;
		if (chat_ask(&s->chat, PH_STARTTLS, st, "STARTTLS") == -1)
			return -1;
		if (st->class == 2 ? s->chat.reply.code != 220 : s->chat.reply.code / 100 == 3)
			return chat_out_of_step(PH_STARTTLS, st);
		if (st->class != 2)
			return -1;
	}
	start = wait_now();
	r = tls_start(s->chat.stream, &policy,
	    s->to.early ? EARLY_MS : chat_patience(&s->chat, PH_TLS), info, &binding, st);
	s->info.tls_ms = wait_now() - start;
	if (r == -1)
		(void)no_handshake(s, st);
	else {
		show_tls(s, &policy);
		r = tls_judge(&policy, info, st);
	}
	if (r == 0 && s->to.cred != NULL) {
		s->to.cred->binding_type = info->binding_type;
		str_clear(&s->to.cred->binding);
		str_put(&s->to.cred->binding, str_text(&binding), binding.len);
	}
	str_free(&binding);
	return r;
}

/* ---- AUTH (RFC 4954) */

static bool
offered(void *arg, const char *mech)
{
	return caps_mech(arg, mech);
}

/* The first line: the mechanism, and with it the initial response if it has one and that fits. */
static int
auth_begin(struct session *s, struct sasl *x, struct str *held, struct status *st)
{
	struct str line = { 0 }, out = { 0 };
	int r = 0;

	str_printf(&line, "AUTH %s", x->mech->name);
	if ((x->mech->flags & SASL_SERVERFIRST) == 0) {
		r = sasl_step(x, held, &out, st);
		base64_put(held, str_text(&out), out.len);
		/* a command has 512 octets (RFC 5321 4.5.3.1.4); what is longer waits to be asked
		 * for */
		if (line.len + 1 + held->len + 2 <= COMMAND_MAX) {
			str_printf(&line, " %s", held->len > 0 ? held->p : "=");
			str_clear(held);
		}
	}
	if (r == 0)
		chat_send(&s->chat, PH_AUTH, "%s", line.p);
	str_free(&line);
	str_free(&out);
	return r;
}

/* Answer what was asked, or say what had to wait for the question; 0 when something was sent. */
static int
auth_answer(struct session *s, struct sasl *x, struct str *held, struct status *st)
{
	struct str in = { 0 }, out = { 0 }, line = { 0 };
	int r = 0;

	if (held->len > 0) {
		str_put(&line, held->p, held->len);
		str_clear(held);
	} else {
		if (base64_get(str_text(&s->chat.reply.text), s->chat.reply.text.len, &in) == -1)
			r = status_set(
			    st, PH_AUTH, 5, 5, 0, "the server's challenge is not base64");
		if (r == 0)
			r = sasl_step(x, &in, &out, st);
		base64_put(&line, str_text(&out), out.len);
	}
	if (r == 0)
		chat_send(&s->chat, PH_AUTH, "%s", str_text(&line));
	str_free(&in);
	str_free(&out);
	str_free(&line);
	return r;
}

/* Rounds until the server has decided: 0 we are in, or -1 with *st. */
static int
exchange(struct session *s, struct sasl *x, struct status *st)
{
	struct status ignored;
	struct str held = { 0 };
	int r = auth_begin(s, x, &held, st);

	while (r == 0 && (r = chat_reply(&s->chat, st)) == 0 && s->chat.reply.code == 334)
		if (auth_answer(s, x, &held, st) == -1) {
			/* take back the exchange, and keep our own reason */
			(void)chat_ask(&s->chat, PH_AUTH, &ignored, "*");
			r = -1;
		}
	str_free(&held);
	if (r == -1)
		return -1;
	if (s->chat.reply.code / 100 == 3)
		return chat_out_of_step(PH_AUTH, st);
	if (st->class == 2)
		return sasl_finish(x, st);
	if (x->detail.len > 0) {
		chat_blot(&s->chat, &x->detail);
		(void)strlcat(st->text, "; the server explains: ", sizeof st->text);
		(void)strlcat(st->text, x->detail.p, sizeof st->text);
	}
	return -1;
}

/*
 * A server that once proved itself by SCRAM and now only takes what can be listened to is likely
 * not the same server. `remembered` is the line that says that it did.
 */
static int
no_step_back(struct session *s, const struct mech *m, const char *remembered, struct status *st)
{
	enum state_line it;

	if ((m->flags & SASL_REUSABLE) == 0 || s->to.account->auth != NULL ||
	    (it = state_has(s->to.scram_hosts, remembered)) == STATE_NO)
		return 0;
	if (it == STATE_UNKNOWN && errno == EACCES)
		return 0;	 /* it never was ours to write into */
	if (it == STATE_UNKNOWN) /* whoever is in between might have waited for that */
		return status_set(st, PH_AUTH, 4, 7, 0,
		    "cannot read in %s whether this server has proved itself before: %s",
		    s->to.scram_hosts, strerror(errno));
	return status_set(st, PH_AUTH, 5, 7, 9,
	    "this server proved itself by SCRAM before and now offers no more than %s: somebody "
	    "may "
	    "be in between; if it is meant so, say `auth %s`",
	    m->name, m->name);
}

static int
authenticate(struct session *s, struct status *st)
{
	const struct account *a = s->to.account;
	struct credentials *cred = s->to.cred;
	struct str plus = { 0 }, remembered = { 0 };
	struct sasl_choice choice = { .offered = offered, .arg = &s->caps, .wish = a->auth };
	const struct mech *m;
	struct sasl x;
	int r = -1;

	if (cred == NULL)
		return 0;
	choice.safe = (s->info.tls.on && a->tls >= TLS_TOFU) || stays_here(s);
	choice.binding = cred->binding_type != NULL;
	choice.secret = cred->secret.len > 0;
	choice.tls_left = !s->info.tls.on && (s->caps.ext & EXT_STARTTLS) != 0;
	choice.all = str_text(&s->caps.mechs);
	if ((m = sasl_pick(&choice, st)) == NULL)
		return -1;
	(void)strlcpy(s->info.tried, m->name, sizeof s->info.tried);
	str_printf(&remembered, "scram %s %s %s",
	    s->to.server.path != NULL ? s->to.server.path : s->to.server.host, s->to.server.port,
	    cred->user);
	str_printf(&plus, "%s-PLUS", m->name);
	sasl_start(&x, m, cred);
	s->chat.secret = &cred->secret;
	x.plus_offered = caps_mech(&s->caps, plus.p);
	if (no_step_back(s, m, remembered.p, st) == 0)
		r = exchange(s, &x, st);
	if (r == 0) {
		(void)strlcpy(s->info.mech, m->name, sizeof s->info.mech);
		if (x.proven)
			state_add(s->to.scram_hosts, remembered.p);
	}
	sasl_end(&x);
	str_free(&s->chat.proof); /* or it might blot ordinary words later */
	str_free(&plus);
	str_free(&remembered);
	return r;
}

static void
begin(struct session *s)
{
	struct status st;
	int64_t start;
	int r = 0;

	stream_deadline(s->chat.stream, s->to.deadline);
	if (s->to.implicit)
		r = secure(s, &st);
	if (r == 0)
		r = greeting(s, &st);
	if (r == 0)
		r = ehlo(s, &st);
	if (r == 0 && !s->to.implicit) {
		r = secure(s, &st);
		if (r == 0 && s->info.tls.on)
			r = ehlo(s, &st);
	}
	start = wait_now();
	if (r == 0)
		r = authenticate(s, &st);
	s->info.login_ms = wait_now() - start;
	if (r == -1)
		s->chat.st = st;
}

struct session *
session_over(struct stream *stream, const struct session_target *to, const char *peer)
{
	struct session *s = xalloc(1, sizeof *s);

	s->to = *to;
	chat_init(&s->chat, stream, to->account->timeout);
	(void)strlcpy(s->info.peer, peer, sizeof s->info.peer);
	begin(s);
	return s;
}

/* Over this connection: the command that makes it may have to be ended. */
static void
give_up(const struct confine *needs, const struct call *call)
{
	struct confine all = *needs;

	if (call->tunnel != NULL)
		all.children[CONFINE_CHILDREN - 1] = call->child;
	confine(&all);
}

void
session_confine(const struct session *s, const struct confine *needs)
{
	give_up(needs, &s->call);
}

/* Before anything is read. What was said early may have to be said again, on another connection. */
static void
give_up_first(const struct session_target *to, const struct call *call)
{
	struct confine needs;

	if (to->needs == NULL)
		return;
	needs = *to->needs;
	if (to->early && needs.sockets < SOCKETS_NET)
		needs.sockets = SOCKETS_NET;
	give_up(&needs, call);
}

/* One connection; `early` is what it says, and becomes false when that was not done. */
static struct session *
open_once(const struct session_target *wanted, int64_t until, bool *early)
{
	struct session_target to = *wanted;
	struct route by = route(to.account);
	struct call call;
	struct session *s;
	struct status st;
	int64_t start = wait_now();

	by.first = *early;
	*early = false;
	if (dial(&to.server, &by, until, &call, &st) == 0) {
		to.early = *early = call.early;
		give_up_first(&to, &call);
		start = wait_now() - start;
		s = session_over(call.stream, &to, call.peer);
		s->info.connect_ms = start;
		s->call = call;
		s->call.stream = NULL;
		if (s->info.greeting[0] == '\0')
			dial_why(&s->call, &s->chat.st);
		return s;
	}
	s = xalloc(1, sizeof *s);
	s->to = to;
	s->chat.st = st;
	return s;
}

struct session *
session_open(const struct session_target *to)
{
	int64_t until = wait_least(wait_until(to->account->connect_timeout), to->deadline);
	bool early = to->implicit;
	struct session *s;
	uint64_t sent, received;

	if (to->account->timeout > 0)
		until = wait_least(until, wait_until(to->account->timeout));
	s = open_once(to, until, &early);
	if (!early || status_ok(&s->chat.st) || wait_signal() != NULL)
		return s;
	session_octets(s, &sent, &received);
	if (received > 0)
		return s;
	/* nobody was there after all, or the way there does not let this pass */
	session_close(&s);
	early = false;
	return open_once(to, until, &early);
}

const struct status *
session_status(const struct session *s)
{
	return &s->chat.st;
}

const struct session_info *
session_info(const struct session *s)
{
	return &s->info;
}

unsigned
session_turns(const struct session *s)
{
	return s->chat.stream != NULL ? stream_turns(s->chat.stream) : 0;
}

const char *
session_hello(const struct session *s, bool tls)
{
	return s->hello[tls].len > 0 ? s->hello[tls].p : NULL;
}

void
session_octets(const struct session *s, uint64_t *sent, uint64_t *received)
{
	*sent = *received = 0;
	if (s->chat.stream != NULL)
		stream_octets(s->chat.stream, sent, received);
}

bool
session_lmtp(const struct session *s)
{
	return s->to.lmtp;
}

struct chat *
session_chat(struct session *s)
{
	return &s->chat;
}

const struct caps *
session_caps(const struct session *s)
{
	return &s->caps;
}

void
session_close(struct session **sp)
{
	struct session *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	chat_free(&s->chat);
	dial_end(&s->call);
	caps_free(&s->caps);
	str_free(&s->hello[0]);
	str_free(&s->hello[1]);
	free(s);
}
