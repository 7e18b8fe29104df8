/*
 * chat - commands to a server and its replies, in step or ahead of it (RFC 5321 4.1, 2920).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "chat.h"
#include "say.h"

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

void
chat_init(struct chat *c, struct stream *s, long long timeout)
{
	memset(c, 0, sizeof *c);
	c->stream = s;
	c->timeout = timeout;
	status_set(&c->st, PH_CONNECT, 2, 0, 0, "connected");
}

int64_t
chat_patience(const struct chat *c, enum phase ph)
{
	int64_t ms = (int64_t)patience[ph] * 1000;

	return c->timeout > 0 && c->timeout < ms ? c->timeout : ms;
}

bool
chat_may_send(const struct chat *c)
{
	return c->due_len == 0 || c->pipelining;
}

static void
expect(struct chat *c, enum phase ph)
{
	if (c->due_at > 0 && c->due_at + c->due_len == c->due_cap) {
		memmove(c->due, c->due + c->due_at, c->due_len);
		c->due_at = 0;
	}
	c->due = xgrow(c->due, &c->due_cap, c->due_at + c->due_len + 1, 1);
	c->due[c->due_at + c->due_len++] = (unsigned char)ph;
	/* a reply fits into 1 KiB; beyond that a server may talk when we have time to listen */
	stream_keep(c->stream, 64 * 1024 + c->due_len * 1024);
}

/* By phase, not by care: of a login no more is ever shown than the mechanism. */
static void
show_command(enum phase ph, const struct str *line)
{
	size_t shown = strncmp(line->p, "AUTH ", 5) == 0 ? 5 + strcspn(line->p + 5, " ") : 0;
	struct str masked = { 0 };

	if (ph != PH_AUTH || strcmp(line->p, "*") == 0) {
		say_line('C', line->p, line->len);
		return;
	}
	str_put(&masked, line->p, shown);
	if (shown < line->len)
		str_puts(&masked, shown > 0 ? " ***" : "***");
	say_line('C', str_text(&masked), masked.len);
	str_free(&masked);
}

/*
 * Something came although nothing was asked. A 421 may come at any time (RFC 5321 3.8); whoever
 * answers other than that is out of step, or not the server. Either way the chat has ended.
 */
static void
unasked(struct chat *c, enum phase ph)
{
	struct status st;

	if (chat_hear(c, ph, &st) == -1 || c->reply.code == 421)
		return;
	status_set(&st, ph, 5, 5, 0, "the server answered before it was asked");
	(void)stream_fail(c->stream, &st);
	c->st = st;
}

static void
send_line(struct chat *c, enum phase ph, struct str *line)
{
	if (c->st.class != 2 || stream_status(c->stream)->class != 0)
		return;
	if (c->due_len == 0 && stream_look(c->stream) > 0) {
		unasked(c, ph);
		return;
	}
	show_command(ph, line);
	if (ph == PH_AUTH) {
		const char *space = strrchr(line->p, ' ');

		str_clear(&c->proof);
		str_puts(&c->proof, space != NULL ? space + 1 : line->p);
	}
	str_puts(line, "\r\n");
	stream_put(c->stream, line->p, line->len);
	c->quit |= ph == PH_QUIT;
	expect(c, ph);
}

void
chat_send(struct chat *c, enum phase ph, const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&line, fmt, ap);
	va_end(ap);
	send_line(c, ph, &line);
	str_free(&line);
}

struct stream *
chat_body(struct chat *c, enum phase ph, unsigned replies)
{
	if (c->due_len == 0 && stream_look(c->stream) > 0)
		unasked(c, ph);
	for (; replies > 0; replies--)
		expect(c, PH_END);
	stream_phase(c->stream, ph, chat_patience(c, ph));
	return c->stream;
}

static void
show_reply(const struct reply *r)
{
	const char *p = str_text(&r->text);
	bool last;

	if (!say_dialogue_on())
		return;
	do {
		size_t len = strcspn(p, "\n");
		struct str line = { 0 };

		last = p[len] == '\0';
		str_printf(&line, "%u%s", r->code, last ? (len > 0 ? " " : "") : "-");
		str_put(&line, p, len);
		say_line('S', line.p, line.len);
		str_free(&line);
		p += len + 1;
	} while (!last);
}

/* Blot out every occurrence of `what` in a text; short words would blot out the language. */
static void
blot(struct str *text, const struct str *what)
{
	char *p = text->p;

	if (what == NULL || what->len < 4)
		return;
	while (p != NULL &&
	    (p = memmem(p, text->len - (size_t)(p - text->p), what->p, what->len)) != NULL) {
		memset(p, '*', what->len);
		p += what->len;
	}
}

int
chat_hear(struct chat *c, enum phase ph, struct status *st)
{
	stream_phase(c->stream, ph, chat_patience(c, ph));
	if (reply_read(&c->reply, c->stream, ph, st) == -1) {
		if (c->st.class == 2)
			c->st = *st;
		return -1;
	}
	if (ph == PH_AUTH) { /* some servers say what they did not like */
		blot(&c->reply.text, c->secret);
		blot(&c->reply.text, &c->proof);
	}
	show_reply(&c->reply);
	reply_status(&c->reply, ph, st);
	if (c->reply.code == 421 && c->st.class == 2)
		c->st = *st; /* RFC 5321 3.8: the server closes now */
	return 0;
}

int
chat_reply(struct chat *c, struct status *st)
{
	enum phase ph = PH_QUIT;

	if (c->due_len > 0) {
		ph = (enum phase)c->due[c->due_at++];
		if (--c->due_len == 0)
			c->due_at = 0;
	}
	if (c->st.class != 2) {
		*st = c->st;
		return -1;
	}
	return chat_hear(c, ph, st);
}

int
chat_ask(struct chat *c, enum phase ph, struct status *st, const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&line, fmt, ap);
	va_end(ap);
	send_line(c, ph, &line);
	str_free(&line);
	return chat_reply(c, st);
}

int
chat_out_of_step(enum phase ph, struct status *st)
{
	char words[200];

	(void)strlcpy(words, st->text, sizeof words);
	return status_set(
	    st, ph, 5, 5, 0, "the server broke the protocol: it answered \"%s\"", words);
}

void
chat_free(struct chat *c)
{
	struct status st;

	if (c->stream != NULL && stream_status(c->stream)->class == 0) {
		if (!c->quit && c->due_len == 0 && c->st.code != 421) {
			c->st.class = 2; /* a refusal is no reason to leave without a word */
			chat_send(c, PH_QUIT, "QUIT");
			stream_phase(c->stream, PH_QUIT, chat_patience(c, PH_QUIT));
			(void)stream_flush(c->stream);
		}
		/* nobody waits for the answer, except to show it */
		while (say_dialogue_on() && c->due_len > 0 && chat_reply(c, &st) == 0)
			;
	}
	stream_free(&c->stream);
	reply_free(&c->reply);
	str_free(&c->proof);
	free(c->due);
	memset(c, 0, sizeof *c);
}
