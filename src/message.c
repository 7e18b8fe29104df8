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

#include "message.h"
#include "wait.h"

#define LINE_MAX_998 998
#define CRS_MAX 1000 /* of these in a row are empty lines, whatever follows */

struct source {
	int fd;
	bool dot, ended;
	char last; /* the last octet of the chunk before, for telling line starts */
	size_t at, len;
	unsigned flags; /* MSG_8BIT */
	char buf[65536];
};

/* The next chunk: 1, 0 at the end, -1 with *st. */
static int
fill(struct source *in, struct status *st)
{
	ssize_t n;

	if (in->ended)
		return 0;
	if (in->len > 0)
		in->last = in->buf[in->len - 1];
	in->at = in->len = 0;
	n = wait_read(in->fd, in->buf, sizeof in->buf, WAIT_FOREVER);
	if (n == -1 && errno == EINTR)
		return status_set(st, PH_LOCAL, 4, 3, 0,
		    "interrupted by %s while reading the message; nothing was sent", wait_signal());
	if (n == -1)
		return status_errno(st, PH_LOCAL, "cannot read the message");
	/* a terminal hands over a line at a time */
	if (n == 0 || (in->dot && in->last == '\n' && n == 2 && memcmp(in->buf, ".\n", 2) == 0)) {
		in->ended = true;
		return 0;
	}
	in->len = (size_t)n;
	if (memchr(in->buf, '\0', in->len) != NULL)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "the message holds a NUL octet, which mail cannot carry (RFC 5322 2.1)");
	if ((in->flags & MSG_8BIT) == 0 && has_8bit(in->buf, in->len))
		in->flags |= MSG_8BIT;
	return 1;
}

/* The next octet without taking it: 1 and *c, 0 at the end, -1. */
static int
peek(struct source *in, char *c, struct status *st)
{
	int r = in->at < in->len ? 1 : fill(in, st);

	if (r == 1)
		*c = in->buf[in->at];
	return r;
}

/* ---- header */

/*
 * One line, its end normalised to CRLF (missing only at the end of input). 1, 0 at the end, -1; 2
 * when it is longer than `room`: what is there so far, and the rest is still to be read.
 */
static int
header_line(struct source *in, struct str *line, size_t room, struct status *st)
{
	size_t crs = 0;
	char c = '\0';
	int r;

	str_clear(line);
	while ((r = peek(in, &c, st)) == 1) {
		if (crs > 0 && (crs >= CRS_MAX || (c != '\r' && c != '\n'))) {
			/* a bare CR ended the line; further ones are empty lines, left for the next
			 * calls */
			break;
		}
		in->at++;
		if (c == '\n')
			break;
		if (c == '\r') {
			crs++;
			continue;
		}
		str_putc(line, c);
		if (line->len > room)
			return 2;
	}
	if (r == -1)
		return -1;
	if (r == 0 && crs == 0)
		return line->len > 0;
	/* CR CR x: two line ends; CR CR LF: one */
	for (str_puts(line, "\r\n"); (r == 0 || c != '\n') && crs > 1; crs--)
		str_puts(line, "\r\n");
	return 1;
}

/* Length of a field name that begins at p and is followed by ":", blanks allowed between; else 0.
 */
static size_t
field_name(const char *p)
{
	size_t n = 0, colon;

	while (p[n] > ' ' && p[n] < 0x7f && p[n] != ':')
		n++;
	colon = n + strspn(p + n, " \t");
	return p[colon] == ':' ? n : 0;
}

static bool
name_is(const char *field, size_t n, const char *name)
{
	return strlen(name) == n && ascii_eqn(field, name, n);
}

/* "From joe@example.org Mon Nov 24 ...": a line of a mailbox file, not of a letter */
static bool
mbox_line(const char *line)
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	const char *p;
	size_t i;

	if (strncmp(line, "From ", 5) != 0)
		return false;
	p = line + 5 + strspn(line + 5, " ");
	p += strcspn(p, " \r\n");
	p += strspn(p, " ");
	for (i = 0; i < sizeof days / sizeof days[0]; i++)
		if (strncmp(p, days[i], 3) == 0 && p[3] == ' ')
			return true;
	return false;
}

/* Unfold the value of a field into `to`. */
static void
keep_value(struct str *to, const char *field)
{
	const char *p = strchr(field, ':') + 1;

	str_clear(to);
	for (p += strspn(p, " \t\r\n"); *p != '\0'; p++)
		if (*p != '\r' && *p != '\n')
			str_putc(to, *p);
	while (to->len > 0 && (to->p[to->len - 1] == ' ' || to->p[to->len - 1] == '\t'))
		to->p[--to->len] = '\0';
}

/*
 * The newest block of Resent- fields stands on top. An older one begins where a field comes that a
 * block has only once, or where another server's Received stands in between.
 */
enum { RESENT_FROM = 1, RESENT_DATE = 2, RESENT_ID = 4, RESENT_ANY = 8, RESENT_OVER = 16 };

static void
note_resent(struct message *m, const char *field, size_t n)
{
	unsigned once = name_is(field, n, "Resent-From") ? RESENT_FROM
	    : name_is(field, n, "Resent-Date")		 ? RESENT_DATE
	    : name_is(field, n, "Resent-Message-ID")	 ? RESENT_ID
							 : 0;

	if (ascii_eqn(field, "Resent-", 7)) {
		if ((m->resent & once) != 0)
			m->resent |= RESENT_OVER;
		m->resent |= once | RESENT_ANY;
	} else if (name_is(field, n, "Received") && (m->resent & RESENT_ANY) != 0)
		m->resent |= RESENT_OVER;
}

/* Keep fields with recipients, for -t. */
static void
note_recipients(struct message *m, const char *field, size_t n)
{
	static const char *const names[] = { "To", "Cc", "Bcc", "Resent-To", "Resent-Cc",
		"Resent-Bcc" };
	struct str value = { 0 }, line = { 0 };
	size_t i;

	note_resent(m, field, n);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!name_is(field, n, names[i]) || (i >= 3 && (m->resent & RESENT_OVER) != 0))
			continue;
		keep_value(&value, field);
		str_printf(&line, "%s: %s", names[i], str_text(&value));
		strings_add(i < 3 ? &m->to : &m->resent_to, line.p);
		str_free(&value);
		str_free(&line);
	}
}

/* One complete field, with its continuation lines. */
static void
take_field(struct message *m, const struct str *field)
{
	size_t n = field_name(str_text(field));

	if (field->len > 0)
		note_recipients(m, field->p, n);
	if (field->len == 0 || name_is(field->p, n, "Bcc") || name_is(field->p, n, "Resent-Bcc") ||
	    name_is(field->p, n, "Return-Path"))
		return;
	if (name_is(field->p, n, "Date"))
		m->has_date = true;
	else if (name_is(field->p, n, "From") && !m->has_from) {
		m->has_from = true;
		keep_value(&m->from, field->p);
	} else if (name_is(field->p, n, "Message-ID") && !m->has_id) {
		m->has_id = true;
		keep_value(&m->id, field->p);
	}
	str_put(&m->head, field->p, field->len);
}

static bool
blank(const struct str *line)
{
	return line->len == 0 || line->p[0] == '\r';
}

/*
 * The first line decides whether there is a header at all. 1 (2 when it is too long): `line` is to
 * be looked at as part of it; 0: all is body (in m->pend) or the input is empty; -1.
 */
static int
first_line(struct message *m, struct str *line, struct status *st)
{
	struct source *in = m->source;
	int r = header_line(in, line, HEADER_MAX, st);

	if (r <= 0)
		return r;
	if (r == 2) {
		if (field_name(line->p) > 0)
			return 2;
		str_put(&m->pend, line->p, line->len);
		return 0;
	}
	if (strncmp(line->p, "From ", 5) == 0 && field_name(line->p) == 0) {
		bool certain = mbox_line(line->p);
		struct str next = { 0 };

		if (line->len >= 4 && strcmp(line->p + line->len - 4, "\r\n\r\n") == 0) {
			/* CR CR: the empty line is here already */
			char *end = strstr(line->p, "\r\n") + 2;

			str_puts(&next, end);
			line->len = (size_t)(end - line->p);
			*end = '\0';
			r = 1;
		} else
			r = header_line(in, &next, HEADER_MAX, st);
		if (r != -1 && !certain && (r == 0 || field_name(str_text(&next)) == 0))
			str_put(&m->pend, line->p, line->len);
		str_clear(line);
		str_put(line, str_text(&next), next.len);
		str_free(&next);
		if (r == -1)
			return -1;
		if (m->pend.len > 0) {
			str_put(&m->pend, str_text(line), line->len);
			return 0;
		}
	}
	return 1;
}

/*
 * A line that may end in more than one CRLF, as CR CR gives: what lies behind the first one and
 * the empty line after it is body. Returns the octets that are no header, 0 when there are none.
 */
static size_t
cut_tail(struct message *m, const struct str *line)
{
	size_t first;

	if (line->len < 4 || memcmp(line->p + line->len - 4, "\r\n\r\n", 4) != 0)
		return 0;
	first = (size_t)(strstr(line->p, "\r\n") + 2 - line->p);
	str_put(&m->pend, line->p + first + 2, line->len - first - 2);
	return line->len - first;
}

static int
read_header(struct message *m, struct status *st)
{
	struct str line = { 0 }, field = { 0 }, quoted = { 0 };
	int r = first_line(m, &line, st);
	size_t tail;

	while (r > 0) {
		if (blank(&line)) {
			/* several line ends at once: the rest are empty lines of the body */
			if (line.len > 2)
				str_put(&m->pend, line.p + 2, line.len - 2);
			break;
		}
		if ((line.p[0] == ' ' || line.p[0] == '\t') && field.len > 0)
			str_put(&field, line.p, line.len);
		else if (strncmp(line.p, ">From ", 6) == 0 && m->head.len + field.len > 0) {
			/* a mailbox file's, left in the header; unless what follows is text */
			str_clear(&quoted);
			str_put(&quoted, line.p, line.len);
			if (cut_tail(m, &line) > 0)
				break;
		} else {
			take_field(m, &field);
			str_clear(&field);
			if (field_name(line.p) == 0) {
				/* the body begins, and its blank line is missing */
				str_put(&m->pend, str_text(&quoted), quoted.len);
				str_put(&m->pend, line.p, line.len);
				break;
			}
			str_clear(&quoted);
			str_put(&field, line.p, line.len);
		}
		if (quoted.len == 0 && (tail = cut_tail(m, &line)) > 0) {
			field.len -= tail;
			field.p[field.len] = '\0';
			break;
		}
		if (r == 2 || m->head.len + field.len > HEADER_MAX) {
			r = status_set(st, PH_LOCAL, 5, 6, 0, "the header is larger than %d octets",
			    HEADER_MAX);
			break;
		}
		r = header_line(m->source, &line, HEADER_MAX - m->head.len - field.len, st);
	}
	if (r != -1)
		take_field(m, &field);
	if (m->head.len > 0 && m->head.p[m->head.len - 1] != '\n')
		str_puts(&m->head, "\r\n");
	str_free(&line);
	str_free(&field);
	str_free(&quoted);
	return r == -1 ? -1 : 0;
}

int
message_open(struct message *m, int fd, bool dot, struct status *st)
{
	struct source *in = xalloc(1, sizeof *in);
	int r;

	memset(m, 0, sizeof *m);
	store_init(&m->store);
	m->source = in;
	in->fd = fd;
	in->dot = dot;
	in->last = '\n';
	if ((r = fill(in, st)) == 0)
		return status_set(st, PH_LOCAL, 5, 6, 0, "the message is empty");
	return r == -1 ? -1 : read_header(m, st);
}

/* ---- body */

struct body {
	struct message *m;
	size_t line; /* octets of the line so far */
	size_t crs;  /* CRs whose meaning the next octet decides */
};

static int
put(struct body *b, const char *p, size_t n, struct status *st)
{
	b->line += n;
	if (b->line > LINE_MAX_998)
		b->m->flags |= MSG_LONG;
	return store_put(&b->m->store, p, n, st);
}

static int
end_lines(struct body *b, size_t n, struct status *st)
{
	for (; n > 0; n--)
		if (store_put(&b->m->store, "\r\n", 2, st) == -1)
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

/* The header's lines are judged for length here, where all of them are together. */
static void
note_long_fields(struct message *m)
{
	const char *p = str_text(&m->head), *lf;

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		if (lf - p > LINE_MAX_998 + 1)
			m->flags |= MSG_LONG;
}

int
message_finish(struct message *m, const struct str *fields, struct status *st)
{
	struct source *in = m->source;
	struct body b = { .m = m };
	int r;

	note_long_fields(m);
	if (store_put(&m->store, str_text(&m->head), m->head.len, st) == -1 ||
	    store_put(&m->store, str_text(fields), fields->len, st) == -1 ||
	    store_put(&m->store, "\r\n", 2, st) == -1 ||
	    normalise(&b, str_text(&m->pend), m->pend.len, st) == -1)
		return -1;
	do
		if (normalise(&b, in->buf + in->at, in->len - in->at, st) == -1)
			return -1;
	while ((r = fill(in, st)) == 1);
	if (r == -1)
		return -1;
	if ((b.line > 0 || b.crs > 0) && end_lines(&b, b.crs > 0 ? b.crs : 1, st) == -1)
		return -1;
	m->flags |= in->flags | (has_8bit(str_text(fields), fields->len) ? MSG_8BIT : 0);
	free(in);
	m->source = NULL;
	str_free(&m->head);
	str_free(&m->pend);
	return 0;
}

off_t
message_size(const struct message *m)
{
	return store_size(&m->store);
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

int
message_send(const struct message *m, struct stream *s, struct status *st)
{
	char *buf = xalloc(1, STORE_CHUNK);
	bool line_start = true;
	const char *p;
	ssize_t n;
	off_t at;

	for (at = 0; (n = store_view(&m->store, at, buf, &p, st)) > 0; at += n) {
		const char *end = p + n, *dot;

		if (asked_to_end(st) == -1) {
			n = -1;
			break;
		}

		if (line_start && *p == '.')
			stream_put(s, ".", 1);
		while ((dot = memmem(p, (size_t)(end - p), "\n.", 2)) != NULL) {
			stream_put(s, p, (size_t)(dot + 1 - p));
			stream_put(s, ".", 1);
			p = dot + 1;
		}
		stream_put(s, p, (size_t)(end - p));
		line_start = end[-1] == '\n';
	}
	free(buf);
	return n == -1 ? -1 : asked_to_end(st);
}

void
message_free(struct message *m)
{
	free(m->source);
	m->source = NULL;
	store_free(&m->store);
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
	struct tm tm;
	char date[64];

	/* the process never leaves the C locale, so the names are those of RFC 5322 */
	if (localtime_r(&when, &tm) == NULL ||
	    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &tm) == 0)
		return;
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
	arc4random_buf(noise, sizeof noise);
	str_clear(&m->id);
	str_printf(&m->id, "<%s.", date);
	for (i = 0; i < sizeof noise; i++)
		str_printf(&m->id, "%02x", noise[i]);
	str_printf(&m->id, "@%s>", domain);
	str_printf(fields, "Message-ID: %s\r\n", m->id.p);
}
