/*
 * header - reading the header of a message, and telling it from the body.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "header.h"

#define CRS_MAX 1000 /* of these in a row are empty lines, whatever follows */

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
	while ((r = source_peek(in, &c, st)) == 1) {
		if (crs > 0 && (crs >= CRS_MAX || (c != '\r' && c != '\n'))) {
			/* a bare CR ended the line; further ones are empty lines, left for the next
			 * calls */
			break;
		}
		source_skip(in);
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

size_t
header_name(const char *p)
{
	size_t n = 0, colon;

	while (p[n] > ' ' && p[n] < 0x7f && p[n] != ':')
		n++;
	colon = n + strspn(p + n, " \t");
	return p[colon] == ':' ? n : 0;
}

size_t
header_field(const char *p, size_t n)
{
	const char *end = p + n, *lf = p;

	while ((lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL) {
		lf++;
		if (lf == end || (*lf != ' ' && *lf != '\t'))
			return (size_t)(lf - p);
	}
	return n;
}

bool
header_is(const char *p, size_t n, const char *name)
{
	return strlen(name) == n && ascii_eqn(p, name, n);
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
	unsigned once = header_is(field, n, "Resent-From") ? RESENT_FROM
	    : header_is(field, n, "Resent-Date")	   ? RESENT_DATE
	    : header_is(field, n, "Resent-Message-ID")	   ? RESENT_ID
							   : 0;

	if (ascii_eqn(field, "Resent-", 7)) {
		if ((m->resent & once) != 0)
			m->resent |= RESENT_OVER;
		m->resent |= once | RESENT_ANY;
	} else if (header_is(field, n, "Received") && (m->resent & RESENT_ANY) != 0)
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
		if (!header_is(field, n, names[i]) || (i >= 3 && (m->resent & RESENT_OVER) != 0))
			continue;
		keep_value(&value, field);
		str_printf(&line, "%s: %s", names[i], str_text(&value));
		strings_add(i < 3 ? &m->to : &m->resent_to, line.p);
		str_free(&value);
		str_free(&line);
	}
}

/* One complete field, with its continuation lines. */
static int
take_field(struct message *m, const struct str *field, struct status *st)
{
	size_t n = header_name(str_text(field));

	if (field->len > 0 && memchr(field->p, '\0', field->len) != NULL)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "%.*s holds a NUL octet, which mail cannot carry (RFC 5322 2.1)",
		    (int)(n < 60 ? n : 60), field->p);
	if (field->len > 0)
		note_recipients(m, field->p, n);
	if (field->len == 0 || header_is(field->p, n, "Bcc") ||
	    header_is(field->p, n, "Resent-Bcc") || header_is(field->p, n, "Return-Path"))
		return 0;
	if (header_is(field->p, n, "Date"))
		m->has_date = true;
	else if (header_is(field->p, n, "From") && !m->has_from) {
		m->has_from = true;
		keep_value(&m->from, field->p);
	} else if (header_is(field->p, n, "Message-ID") && !m->has_id) {
		m->has_id = true;
		keep_value(&m->id, field->p);
	}
	str_put(&m->head, field->p, field->len);
	return 0;
}

static bool
blank(const struct str *line)
{
	return line->len == 0 || line->p[0] == '\r';
}

/* Behind the first of the line ends that a line has; a NUL may stand before it. */
static size_t
first_end(const struct str *line)
{
	return (size_t)((char *)memmem(line->p, line->len, "\r\n", 2) + 2 - line->p);
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
		if (header_name(line->p) > 0)
			return 2;
		str_put(&m->pend, line->p, line->len);
		return 0;
	}
	if (strncmp(line->p, "From ", 5) == 0 && header_name(line->p) == 0) {
		bool certain = mbox_line(line->p);
		struct str next = { 0 };

		if (line->len >= 4 && strcmp(line->p + line->len - 4, "\r\n\r\n") == 0) {
			/* CR CR: the empty line is here already */
			size_t end = first_end(line);

			str_put(&next, line->p + end, line->len - end);
			line->len = end;
			line->p[end] = '\0';
			r = 1;
		} else
			r = header_line(in, &next, HEADER_MAX, st);
		if (r != -1 && !certain && (r == 0 || header_name(str_text(&next)) == 0))
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
	first = first_end(line);
	str_put(&m->pend, line->p + first + 2, line->len - first - 2);
	return line->len - first;
}

int
header_read(struct message *m, struct status *st)
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
		if ((line.p[0] == ' ' || line.p[0] == '\t') && field.len > 0) {
			str_put(&field, line.p, line.len);
			str_clear(&quoted);
		} else if (strncmp(line.p, ">From ", 6) == 0 && m->head.len + field.len > 0) {
			/* a mailbox file's, left in the header; unless what follows is text */
			str_clear(&quoted);
			str_put(&quoted, line.p, line.len);
			if (cut_tail(m, &line) > 0)
				break;
		} else {
			if (take_field(m, &field, st) == -1) {
				r = -1;
				break;
			}
			str_clear(&field);
			if (header_name(line.p) == 0) {
				/* the body begins, and its blank line is missing */
				str_put(&m->pend, str_text(&quoted), quoted.len);
				str_put(&m->pend, line.p, line.len);
				break;
			}
			str_clear(&quoted);
			str_put(&field, line.p, line.len);
		}
		if (quoted.len == 0 && (tail = cut_tail(m, &line)) > 0) {
			str_cut(&field, tail);
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
		r = take_field(m, &field, st);
	if (m->head.len > 0 && m->head.p[m->head.len - 1] != '\n')
		str_puts(&m->head, "\r\n");
	str_free(&line);
	str_free(&field);
	str_free(&quoted);
	return r == -1 ? -1 : 0;
}
