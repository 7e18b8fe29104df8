/*
 * session - one connection to one server, from the greeting to QUIT.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "say.h"
#include "session.h"
#include "wait.h"

struct session {
	struct session_target to;
	struct stream *stream;
	struct reply reply;
	struct caps caps;
	struct session_info info;
	struct status st; /* class 2: usable */
	bool quit;	  /* QUIT was sent */
	/* The steps whose replies have not come, oldest first: a queue in an array. */
	unsigned char *due;
	size_t due_at, due_len, due_cap;
};

/* RFC 5321 4.5.3.2, in seconds; the handshake and QUIT are our own. */
static const unsigned patience[PH_COUNT] = {
	[PH_GREETING] = 300,
	[PH_EHLO] = 300,
	[PH_STARTTLS] = 120,
	[PH_TLS] = 120,
	[PH_AUTH] = 300,
	[PH_MAIL] = 300,
	[PH_RCPT] = 300,
	[PH_DATA] = 120,
	[PH_BODY] = 180,
	[PH_END] = 600,
	[PH_RSET] = 120,
	[PH_QUIT] = 5,
};

static int64_t
timeout(const struct session *s, enum phase ph)
{
	int64_t ms = (int64_t)patience[ph] * 1000;
	long long own = s->to.account->timeout;

	return own > 0 && own < ms ? own : ms;
}

/* ---- commands and replies */

static bool
alive(const struct session *s)
{
	return s->st.class == 2 && stream_status(s->stream)->class == 0;
}

bool
session_may_send(const struct session *s)
{
	return s->due_len == 0 ||
	    (s->to.account->pipelining && (s->caps.ext & EXT_PIPELINING) != 0);
}

static void
expect(struct session *s, enum phase ph)
{
	if (s->due_at > 0 && s->due_at + s->due_len == s->due_cap) {
		memmove(s->due, s->due + s->due_at, s->due_len);
		s->due_at = 0;
	}
	s->due = xgrow(s->due, &s->due_cap, s->due_at + s->due_len + 1, 1);
	s->due[s->due_at + s->due_len++] = (unsigned char)ph;
	/* a reply fits into 1 KiB; beyond that a server may talk when we have time to listen */
	stream_keep(s->stream, 64 * 1024 + s->due_len * 1024);
}

void
session_send(struct session *s, enum phase ph, const char *fmt, ...)
{
	struct str line = { 0 };
	struct status st;
	va_list ap;

	if (!alive(s))
		return;
	if (s->due_len == 0 && stream_waiting(s->stream) > 0) {
		/* whoever answers what was not yet asked is out of step, or not the server */
		status_set(&st, ph, 5, 5, 0, "the server answered before it was asked");
		(void)stream_fail(s->stream, &st);
		s->st = st;
		return;
	}
	va_start(ap, fmt);
	str_vprintf(&line, fmt, ap);
	va_end(ap);
	if (ph == PH_AUTH) {
		/* by phase, not by care: the mechanism is all that is ever shown */
		size_t shown = strncmp(line.p, "AUTH ", 5) == 0 ? 5 + strcspn(line.p + 5, " ") : 0;
		struct str masked = { 0 };

		if (strcmp(line.p, "*") == 0)
			shown = line.len; /* taking it back is no secret */
		str_put(&masked, line.p, shown);
		if (shown < line.len)
			str_puts(&masked, shown > 0 ? " ***" : "***");
		say_line('C', masked.p, masked.len);
		str_free(&masked);
	} else
		say_line('C', line.p, line.len);
	str_puts(&line, "\r\n");
	stream_put(s->stream, line.p, line.len);
	str_free(&line);
	s->quit |= ph == PH_QUIT;
	expect(s, ph);
}

struct stream *
session_body(struct session *s, enum phase ph, unsigned replies)
{
	for (; replies > 0; replies--)
		expect(s, PH_END);
	stream_phase(s->stream, ph, timeout(s, ph));
	return s->stream;
}

static void
show_reply(const struct session *s)
{
	const char *p = str_text(&s->reply.text);
	bool last;

	if (!say_dialogue_on())
		return;
	do {
		size_t len = strcspn(p, "\n");
		struct str line = { 0 };

		last = p[len] == '\0';
		str_printf(&line, "%u%s", s->reply.code, last ? (len > 0 ? " " : "") : "-");
		str_put(&line, p, len);
		say_line('S', line.p, line.len);
		str_free(&line);
		p += len + 1;
	} while (!last);
}

/* Read the reply to step `ph` into s->reply and *st; -1 when the session is lost. */
static int
hear(struct session *s, enum phase ph, struct status *st)
{
	stream_phase(s->stream, ph, timeout(s, ph));
	if (reply_read(&s->reply, s->stream, ph, st) == -1) {
		if (s->st.class == 2)
			s->st = *st;
		return -1;
	}
	show_reply(s);
	reply_status(&s->reply, ph, st);
	if (s->reply.code == 421 && s->st.class == 2)
		s->st = *st; /* RFC 5321 3.8: the server closes now */
	return 0;
}

int
session_reply(struct session *s, struct status *st)
{
	enum phase ph = PH_QUIT;

	if (s->due_len > 0) {
		ph = (enum phase)s->due[s->due_at++];
		if (--s->due_len == 0)
			s->due_at = 0;
	}
	if (s->st.class != 2) {
		*st = s->st;
		return -1;
	}
	return hear(s, ph, st);
}

/* Send one command and hear its reply. */
static int ask(struct session *s, enum phase ph, struct status *st, const char *fmt, ...)
    PRINTF(4, 5);

static int
ask(struct session *s, enum phase ph, struct status *st, const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;
	int r;

	va_start(ap, fmt);
	str_vprintf(&line, fmt, ap);
	va_end(ap);
	session_send(s, ph, "%s", line.p);
	str_free(&line);
	r = session_reply(s, st);
	return r;
}

/* A positive reply with a code that does not belong here is a server that is out of step. */
static int
unexpected(enum phase ph, struct status *st)
{
	char words[200];

	(void)strlcpy(words, st->text, sizeof words);
	return status_set(
	    st, ph, 5, 5, 0, "the server broke the protocol: it answered \"%s\"", words);
}

/* ---- from the greeting to AUTH; each returns 0, or -1 with *st */

static int
greeting(struct session *s, struct status *st)
{
	if (hear(s, PH_GREETING, st) == -1)
		return -1;
	(void)strlcpy(s->info.greeting, st->text, sizeof s->info.greeting);
	if (st->class == 2 && s->reply.code != 220)
		return unexpected(PH_GREETING, st);
	if (s->reply.code / 100 == 3)
		return unexpected(PH_GREETING, st);
	return st->class == 2 ? 0 : -1;
}

static int
ehlo(struct session *s, struct status *st)
{
	const struct account *a = s->to.account;
	char *own = a->ehlo != NULL ? NULL : net_ehlo_name(s->stream);
	const char *name = own != NULL ? own : a->ehlo;
	int r;

	caps_free(&s->caps); /* nothing learned before counts any more */
	r = ask(s, PH_EHLO, st, "EHLO %s", name);
	if (r == 0 && s->reply.code / 100 == 5 && !s->info.tls.on && a->tls <= TLS_MAY &&
	    s->to.cred == NULL) {
		/* a server from before 1995 can do neither TLS nor AUTH */
		r = ask(s, PH_EHLO, st, "HELO %s", name);
		str_clear(&s->reply.text);
	}
	free(own);
	if (r == -1)
		return -1;
	if (s->reply.code / 100 == 3)
		return unexpected(PH_EHLO, st);
	if (st->class != 2)
		return -1;
	caps_parse(&s->caps, &s->reply);
	return 0;
}

static int
secure(struct session *s, struct status *st)
{
	struct tls_policy policy = {
		.level = s->to.account->tls,
		.name = s->to.account->tls_name != NULL ? s->to.account->tls_name
							: s->to.server.host,
		.ca = s->to.account->tls_ca,
		.priority = s->to.account->tls_priority,
	};
	struct tls_info *info = &s->info.tls;

	/* where a login is planned, "may" must not mean that a listener may have it */
	if (policy.level == TLS_MAY && s->to.cred != NULL)
		policy.level = TLS_ENCRYPT;
	if (!s->to.implicit) {
		if (policy.level == TLS_NONE)
			return 0;
		if ((s->caps.ext & EXT_STARTTLS) == 0)
			return tls_judge(&policy, info, st);
		if (ask(s, PH_STARTTLS, st, "STARTTLS") == -1)
			return -1;
		if (st->class == 2 ? s->reply.code != 220 : s->reply.code / 100 == 3)
			return unexpected(PH_STARTTLS, st);
		if (st->class != 2)
			return -1;
	}
	if (tls_start(s->stream, &policy, timeout(s, PH_TLS), info, st) == -1)
		return -1;
	if (info->verified)
		say_event("%s, %s, certificate of %s verified, expires in %lld days", info->version,
		    info->cipher, policy.name, (long long)(info->expires - time(NULL)) / 86400);
	else
		say_event("%s, %s, certificate of %s NOT verified: %s", info->version, info->cipher,
		    policy.name, info->complaint);
	return tls_judge(&policy, info, st);
}

static bool
offered(void *arg, const char *mech)
{
	return caps_mech(arg, mech);
}

/* Put the base64 of *raw on *line; GnuTLS makes one line of it. */
static void
put_base64(struct str *line, const struct str *raw)
{
	gnutls_datum_t in = { (unsigned char *)raw->p, (unsigned)raw->len }, out;

	if (raw->len == 0 || gnutls_base64_encode2(&in, &out) != 0)
		return;
	str_put(line, out.data, out.size);
	gnutls_memset(out.data, 0, out.size);
	gnutls_free(out.data);
}

static int
get_base64(const struct str *text, struct str *raw, struct status *st)
{
	gnutls_datum_t in = { (unsigned char *)text->p, (unsigned)text->len }, out;

	if (text->len == 0)
		return 0;
	if (gnutls_base64_decode2(&in, &out) != 0)
		return status_set(st, PH_AUTH, 5, 5, 0, "the server's challenge is not base64");
	str_put(raw, out.data, out.size);
	gnutls_free(out.data);
	return 0;
}

/* One round: answer what s->reply asked, or start; 0 when something was sent. */
static int
auth_round(struct session *s, struct sasl *x, struct status *st)
{
	struct str in = { 0 }, out = { 0 }, line = { 0 };
	bool first = s->reply.code != 334;
	int r = 0;

	if (first)
		str_printf(&line, "AUTH %s", x->mech->name);
	else
		r = get_base64(&s->reply.text, &in, st);
	if (r == 0 && !(first && (x->mech->flags & SASL_SERVERFIRST) != 0)) {
		r = sasl_step(x, &in, &out, st);
		if (first)
			str_puts(&line, out.len > 0 ? " " : " =");
		put_base64(&line, &out);
	}
	if (r == 0)
		session_send(s, PH_AUTH, "%s", str_text(&line));
	str_free(&in);
	str_free(&out);
	str_free(&line);
	return r;
}

static int
authenticate(struct session *s, struct status *st)
{
	static const char *const names[] = { [AUTH_PLAIN] = "PLAIN", [AUTH_LOGIN] = "LOGIN" };
	const struct account *a = s->to.account;
	const char *wish = a->auth >= AUTH_PLAIN ? names[a->auth] : NULL;
	bool safe = (s->info.tls.on && a->tls >= TLS_VERIFY) || net_loopback(s->info.peer);
	const struct mech *m;
	struct sasl x;
	struct status ignored;

	if (s->to.cred == NULL)
		return 0;
	if ((m = sasl_pick(offered, &s->caps, wish, safe, st)) == NULL)
		return -1;
	sasl_start(&x, m, s->to.cred);
	do {
		if (auth_round(s, &x, st) == -1) {
			/* take back the exchange (RFC 4954 4), and keep our own reason */
			if (s->reply.code == 334)
				(void)ask(s, PH_AUTH, &ignored, "*");
			return -1;
		}
		if (session_reply(s, st) == -1)
			return -1;
	} while (s->reply.code == 334);
	if (s->reply.code / 100 == 3)
		return unexpected(PH_AUTH, st);
	if (st->class != 2)
		return -1;
	(void)strlcpy(s->info.mech, m->name, sizeof s->info.mech);
	return 0;
}

static void
begin(struct session *s)
{
	struct status st;
	int r = 0;

	status_set(&s->st, PH_CONNECT, 2, 0, 0, "connected");
	stream_deadline(s->stream, s->to.deadline);
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
	if (r == 0)
		r = authenticate(s, &st);
	if (r == -1)
		s->st = st;
}

struct session *
session_over(struct stream *stream, const struct session_target *to, const char *peer)
{
	struct session *s = xalloc(1, sizeof *s);

	s->to = *to;
	s->stream = stream;
	(void)strlcpy(s->info.peer, peer, sizeof s->info.peer);
	begin(s);
	return s;
}

struct session *
session_open(const struct session_target *to)
{
	struct session *s;
	struct status st;
	int64_t by = wait_least(wait_until(to->account->connect_timeout), to->deadline);
	struct stream *stream;
	char peer[128];

	if (to->account->timeout > 0)
		by = wait_least(by, wait_until(to->account->timeout));
	if ((stream = net_connect(&to->server, by, peer, sizeof peer, &st)) != NULL)
		return session_over(stream, to, peer);
	s = xalloc(1, sizeof *s);
	s->to = *to;
	s->st = st;
	return s;
}

const struct status *
session_status(const struct session *s)
{
	return &s->st;
}

const struct session_info *
session_info(const struct session *s)
{
	return &s->info;
}

unsigned
session_turns(const struct session *s)
{
	return s->stream != NULL ? stream_turns(s->stream) : 0;
}

unsigned
session_ext(const struct session *s)
{
	return s->caps.ext;
}

uint64_t
session_size(const struct session *s)
{
	return s->caps.size;
}

void
session_close(struct session **sp)
{
	struct session *s = *sp;
	struct status st;

	if (s == NULL)
		return;
	*sp = NULL;
	if (s->stream != NULL && stream_status(s->stream)->class == 0) {
		if (!s->quit && s->due_len == 0 && s->st.code != 421) {
			s->st.class = 2; /* a refusal is no reason to leave without a word */
			session_send(s, PH_QUIT, "QUIT");
			stream_phase(s->stream, PH_QUIT, timeout(s, PH_QUIT));
			(void)stream_flush(s->stream);
		}
		while (say_dialogue_on() && s->due_len > 0 && session_reply(s, &st) == 0)
			;
	}
	stream_free(&s->stream);
	reply_free(&s->reply);
	caps_free(&s->caps);
	free(s->due);
	free(s);
}
