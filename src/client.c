/*
 * client - a local SMTP client on two descriptors: its command lines, its messages, our replies.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "client.h"

#define PATIENCE_MS (5 * 60 * 1000) /* RFC 5321 4.5.3.2.7 */
#define REPLY_TEXT_MAX 510	    /* RFC 5321 4.5.3.1.5, without CR LF */

void
client_open(struct client *c, int in, int out)
{
	memset(c, 0, sizeof *c);
	c->stream = stream_new(in, out);
	c->out = out;
}

void
client_close(struct client *c)
{
	stream_free(&c->stream);
}

/* Something to take, waiting for it if need be: 1; 0 the client has left; -1. */
static int
fill(struct client *c)
{
	ssize_t n;

	if (c->at < c->len)
		return 1;
	stream_phase(c->stream, PH_LOCAL, PATIENCE_MS);
	n = stream_read(c->stream, c->buf, sizeof c->buf);
	c->at = 0;
	c->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 1 : (int)n;
}

/* ---- commands */

enum client_line
client_line(struct client *c, struct str *line)
{
	bool bad = false, cr = false;
	size_t len = 0;
	int r;

	str_clear(line);
	while ((r = fill(c)) == 1) {
		char ch = c->buf[c->at++];

		len++;
		if (cr && ch == '\n') {
			if (len > CLIENT_LINE_MAX)
				return CLIENT_LONG;
			return bad ? CLIENT_BAD : CLIENT_OK;
		}
		bad |= cr || ch == '\n' || ch == '\0';
		cr = ch == '\r';
		if (!cr && len <= CLIENT_LINE_MAX)
			str_putc(line, ch);
		else if (len > CLIENT_LINE_MAX)
			str_clear(line);
	}
	/* half a command is none */
	return r == 0 ? CLIENT_END : CLIENT_LOST;
}

/* ---- messages */

static int
gone(struct client *c, int r, struct status *st)
{
	c->cut = true;
	if (r == -1)
		*st = *stream_status(c->stream);
	else
		status_set(st, PH_LOCAL, 4, 4, 2, "the client left in the middle of its message");
	return -1;
}

/* Where we are in the text: behind a CR LF (or at the begin), behind a dot there, and so on. */
enum { LINE, DOT, DOT_CR, WITHIN, CR, END };

void
client_text_begin(struct client *c)
{
	c->text = LINE;
}

/* One octet; what it amounts to goes to *to, two octets at most. Returns how many. */
static size_t
undot(struct client *c, char ch, char *to)
{
	size_t n = 0;

	if (c->text == LINE && ch == '.') {
		c->text = DOT;
		return 0;
	}
	if (c->text == DOT && ch == '\r') {
		c->text = DOT_CR;
		return 0;
	}
	if (c->text == DOT_CR) {
		if (ch == '\n') {
			c->text = END;
			return 0;
		}
		to[n++] = '\r'; /* the dot was a doubled one; the CR was not an end */
		c->text = CR;
	}
	to[n++] = ch;
	c->text = ch == '\r' ? CR : ch == '\n' && c->text == CR ? LINE : WITHIN;
	return n;
}

ssize_t
client_text(void *arg, char *p, size_t n, struct status *st)
{
	struct client *c = arg;
	size_t done = 0;

	while (c->text != END && n - done >= 2) {
		const char *cr;
		size_t run;
		int r;

		/* what is there already is handed over before anybody waits */
		if (c->at == c->len && done > 0)
			break;
		if ((r = fill(c)) != 1)
			return gone(c, r, st);
		if (c->text != WITHIN) {
			done += undot(c, c->buf[c->at++], p + done);
			continue;
		}
		run = c->len - c->at < n - done ? c->len - c->at : n - done;
		if ((cr = memchr(c->buf + c->at, '\r', run)) != NULL)
			run = (size_t)(cr - c->buf) - c->at;
		memcpy(p + done, c->buf + c->at, run);
		c->at += run;
		done += run;
		if (cr != NULL && n - done >= 2)
			done += undot(c, c->buf[c->at++], p + done);
	}
	return (ssize_t)done;
}

void
client_chunk_begin(struct client *c, uint64_t size)
{
	c->chunk = size;
}

ssize_t
client_chunk(void *arg, char *p, size_t n, struct status *st)
{
	struct client *c = arg;
	size_t run;
	int r;

	if (c->chunk == 0)
		return 0;
	if ((r = fill(c)) != 1)
		return gone(c, r, st);
	run = c->len - c->at < n ? c->len - c->at : n;
	if (run > c->chunk)
		run = (size_t)c->chunk;
	memcpy(p, c->buf + c->at, run);
	c->at += run;
	c->chunk -= run;
	return (ssize_t)run;
}

/* ---- replies */

static void make_reply(struct str *line, const char *fmt, va_list ap) PRINTF(2, 0);

static void
make_reply(struct str *line, const char *fmt, va_list ap)
{
	struct str raw = { 0 };

	str_vprintf(&raw, fmt, ap);
	str_printable(line, str_text(&raw), raw.len);
	str_free(&raw);
	if (line->len > REPLY_TEXT_MAX)
		line->len = REPLY_TEXT_MAX;
	str_puts(line, "\r\n");
}

void
client_reply(struct client *c, const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	make_reply(&line, fmt, ap);
	va_end(ap);
	stream_put(c->stream, line.p, line.len);
	str_free(&line);
}

void
client_last_words(struct client *c, const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	make_reply(&line, fmt, ap);
	va_end(ap);
	if (stream_status(c->stream)->class == 0) {
		stream_put(c->stream, line.p, line.len);
		(void)stream_flush(c->stream);
	} else
		(void)!write(c->out, line.p, line.len);
	str_free(&line);
}

/* ---- answers */

/* Reply codes for what we say ourselves: the first row that fits. A subject of 0 fits all. */
static const struct {
	unsigned char class, subject;
	unsigned short detail; /* 0 fits all */
	unsigned short code;
} codes[] = {
	{ 2, 0, 0, 250 },
	{ 4, 3, 1, 452 },
	{ 4, 5, 3, 452 },
	{ 4, 0, 0, 451 },
	{ 5, 1, 0, 553 },
	{ 5, 3, 3, 555 },
	{ 5, 3, 4, 552 },
	{ 5, 6, 7, 553 },
	{ 5, 0, 0, 554 },
};

void
client_answer(struct client *c, const struct status *st)
{
	bool ours = st->code == 0 || st->code == 421 || status_scope(st) == SC_SESSION;
	unsigned class = st->class;
	size_t i;

	if (!ours) {
		client_reply(c, "%s", st->text);
		return;
	}
	/* a configuration that is wrong, a login that is refused: neither is the message's fault */
	if (class == 5 &&
	    (status_scope(st) == SC_SESSION || st->code == 421 ||
		(st->phase == PH_LOCAL && (st->subject == 3 || st->subject == 7) &&
		    st->detail != 4)))
		class = 4;
	for (i = 0; codes[i].class != class ||
	     (codes[i].subject != 0 && codes[i].subject != st->subject) ||
	     (codes[i].detail != 0 && codes[i].detail != st->detail);
	     i++)
		;
	client_reply(c, "%u %u.%u.%u %s", codes[i].code, class, st->subject, st->detail, st->text);
}
