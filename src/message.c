/*
 * message - one message, brought at the door into the form in which it is sent.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chance.h"
#include "header.h"
#include "message.h"
#include "repair.h"
#include "wait.h"
#include "when.h"

#define ASK_AFTER (1024 * 1024) /* octets of a message until a signal is looked for again */

static int
open_source(struct message *m, struct source *in, struct status *st)
{
	char c;
	int r;

	memset(m, 0, sizeof *m);
	store_init(&m->own.store);
	m->source = in;
	if ((r = source_peek(in, &c, st)) == 0)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "the message is empty: give it on standard input, or with --message");
	return r == -1 ? -1 : header_read(m, st);
}

int
message_open(struct message *m, int fd, bool dot, struct status *st)
{
	return open_source(m, source_fd(fd, dot), st);
}

int
message_open_from(struct message *m, source_read_fn *read, void *arg, struct status *st)
{
	return open_source(m, source_new(read, arg), st);
}

/* ---- body */

struct body {
	struct form *own;
	size_t line; /* octets of the line so far */
	size_t crs;  /* CRs whose meaning the next octet decides */
};

static int
put(struct body *b, const char *p, size_t n, struct status *st)
{
	b->line += n;
	if (b->line > LINE_OCTETS)
		b->own->body_flags |= MSG_LONG;
	return store_put(&b->own->store, p, n, st);
}

static int
end_lines(struct body *b, size_t n, struct status *st)
{
	for (; n > 0; n--)
		if (store_put(&b->own->store, "\r\n", 2, st) == -1)
			return -1;
	b->line = 0;
	b->crs = 0;
	return 0;
}

/* Normalise p[0..n) on its way into the store. */
static int
normalise(struct body *b, const char *p, size_t n, struct status *st)
{
	const char *end = p + n;

	b->own->body_flags |= repair_look(p, n, b->own->body_flags);
	while (p < end) {
		const char *lf, *cr;

		if (b->crs > 0 && *p == '\r') {
			b->crs++;
			p++;
			continue;
		}
		if (b->crs > 0) {
			bool one = *p == '\n';

			if (end_lines(b, one ? 1 : b->crs, st) == -1)
				return -1;
			p += one;
			continue;
		}
		if ((lf = memchr(p, '\n', (size_t)(end - p))) == NULL)
			lf = end;
		if ((cr = memchr(p, '\r', (size_t)(lf - p))) == NULL)
			cr = lf;
		if (put(b, p, (size_t)(cr - p), st) == -1)
			return -1;
		p = cr;
		if (p < lf) {
			b->crs = 1;
			p++;
		} else if (p < end) {
			if (end_lines(b, 1, st) == -1)
				return -1;
			p++;
		}
	}
	return 0;
}

static int
read_body(struct message *m, struct status *st)
{
	struct body b = { .own = &m->own };
	struct raw_info info;
	const char *p;
	ssize_t n;
	off_t at;
	int fd = m->pend.len == 0 ? source_file(m->source, &at) : -1;

	if (fd != -1 && store_rest(&m->own.store, fd, at, LINE_OCTETS, &info)) {
		m->own.body_flags = (info.eight ? MSG_8BIT : 0) | (info.nul ? MSG_NUL : 0) |
		    (info.too_long ? MSG_LONG : 0);
		source_leave(m->source, raw_end(m->own.store.rest));
		return 0;
	}
	if (normalise(&b, str_text(&m->pend), m->pend.len, st) == -1)
		return -1;
	while ((n = source_take(m->source, &p, st)) > 0)
		if (normalise(&b, p, (size_t)n, st) == -1)
			return -1;
	if (n == -1)
		return -1;
	return b.line > 0 || b.crs > 0 ? end_lines(&b, b.crs > 0 ? b.crs : 1, st) : 0;
}

int
message_finish(struct message *m, const struct str *fields, struct status *st)
{
	str_put(&m->head, str_text(fields), fields->len);
	if (repair_header(&m->head, &m->own, st) == -1 || read_body(m, st) == -1 ||
	    repair_own(&m->own, st) == -1)
		return -1;
	/* with what was added, or it could not be read again when it has waited in the spool */
	if (m->own.body - 2 > HEADER_MAX)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "the header is larger than %d octets, with what is added to it", HEADER_MAX);
	source_free(&m->source);
	str_free(&m->head);
	str_free(&m->pend);
	return 0;
}

off_t
message_size(const struct message *m)
{
	return form_size(&m->own);
}

/* ---- forms */

const struct form *
message_form(struct message *m, unsigned takes, struct status *st)
{
	struct form **made;
	unsigned how;

	/* RFC 6531 3.1: there is no SMTPUTF8 without 8BITMIME */
	if ((takes & TAKES_8BIT) == 0)
		takes = 0;
	if (repair_need(&m->own, takes, &how, st) == -1)
		return NULL;
	if (how == 0)
		return &m->own;
	made = &m->made[(takes & TAKES_8BIT) != 0];
	if (*made == NULL) {
		*made = xalloc(1, sizeof **made);
		if (repair(&m->own, how, *made, st) == -1) {
			store_free(&(*made)->store);
			free(*made);
			*made = NULL;
		}
	}
	return *made;
}

off_t
form_size(const struct form *f)
{
	return store_size(&f->store);
}

/* ---- sending */

/* A message that is not to be sent any more ends here, before its final dot. */
static int
asked_to_end(struct status *st)
{
	if (!wait_asked())
		return 0;
	return status_set(
	    st, PH_BODY, 4, 3, 0, "interrupted by %s; nothing was sent", wait_signal());
}

/* The next dot of p[from..end) that begins a line, or NULL. `p` itself begins one when `first`. */
static const char *
find_dot(const char *p, const char *from, const char *end, bool first)
{
	while ((from = memchr(from, '.', (size_t)(end - from))) != NULL) {
		if (from > p ? from[-1] == '\n' : first)
			return from;
		from++;
	}
	return NULL;
}

/* What is left in its file, which is read with its dots doubled. */
static ssize_t
send_rest(const struct form *f, struct stream *s, char *buf, struct status *st)
{
	bool first = true;
	size_t unasked = 0;
	const char *p;
	ssize_t n;

	while ((n = raw_stuffed(f->store.rest, first, buf, STORE_CHUNK, &p, st)) > 0) {
		if ((unasked += (size_t)n) >= ASK_AFTER) {
			if (asked_to_end(st) == -1)
				return -1;
			unasked = 0;
		}
		stream_put(s, p, (size_t)n);
		first = false;
	}
	return n;
}

int
message_send(const struct form *f, struct stream *s, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	bool line_start = true;
	ssize_t n = 0;
	const char *p;
	off_t at;

	for (at = 0; f->store.rest == NULL || at < (off_t)f->store.mem.len; at += n) {
		const char *sent, *end, *dot;

		if ((n = store_view(&f->store, at, buf, &p, st)) <= 0)
			break;
		sent = p;
		end = p + n;
		if (at > 0 && asked_to_end(st) == -1) {
			n = -1;
			break;
		}
		/* a dot goes once more with what follows it */
		for (dot = p; (dot = find_dot(p, dot, end, line_start)) != NULL; dot++) {
			stream_put(s, sent, (size_t)(dot + 1 - sent));
			sent = dot;
		}
		stream_put(s, sent, (size_t)(end - sent));
		line_start = end[-1] == '\n';
	}
	if (f->store.rest != NULL && n >= 0)
		n = send_rest(f, s, buf, st);
	free(buf);
	return n == -1 ? -1 : asked_to_end(st);
}

int
message_send_plain(const struct form *f, struct stream *s, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	const char *p;
	ssize_t n;
	off_t at;

	for (at = 0; (n = store_view(&f->store, at, buf, &p, st)) > 0; at += n) {
		if (at > 0 && asked_to_end(st) == -1) {
			n = -1;
			break;
		}
		stream_put(s, p, (size_t)n);
	}
	free(buf);
	return n == -1 ? -1 : 0;
}

void
message_free(struct message *m)
{
	size_t i;

	source_free(&m->source);
	store_free(&m->own.store);
	for (i = 0; i < sizeof m->made / sizeof m->made[0]; i++) {
		if (m->made[i] != NULL)
			store_free(&m->made[i]->store);
		free(m->made[i]);
		m->made[i] = NULL;
	}
	str_free(&m->head);
	str_free(&m->pend);
	str_free(&m->from);
	str_free(&m->id);
	strings_free(&m->to);
	strings_free(&m->resent_to);
}

/* ---- fields that are added */

void
message_add_date(struct str *fields, time_t when)
{
	char date[64];

	if (*when_mail(when, date) != '\0')
		str_printf(fields, "Date: %s\r\n", date);
}

void
message_add_id(struct message *m, struct str *fields, time_t when, const char *domain)
{
	unsigned char noise[12];
	struct tm tm;
	char date[32] = "";
	size_t i;

	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(date, sizeof date, "%Y%m%d%H%M%S", &tm);
	chance(noise, sizeof noise);
	str_clear(&m->id);
	str_printf(&m->id, "<%s.", date);
	for (i = 0; i < sizeof noise; i++)
		str_printf(&m->id, "%02x", noise[i]);
	str_printf(&m->id, "@%s>", domain);
	str_printf(fields, "Message-ID: %s\r\n", m->id.p);
}
