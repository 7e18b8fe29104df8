/*
 * reply - what servers say: reply lines (RFC 5321 4.2) and what they mean.
 *
 *     Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *     Reply-code = %x32-35 %x30-35 %x30-39
 *
 * The second digit is taken as any digit: servers use 260 and 571.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "reply.h"

int
reply_line(struct reply *r, const char *line, size_t len)
{
	unsigned code;
	bool more = len > 3 && line[3] == '-';

	if (len < 3 || line[0] < '2' || line[0] > '5' || !isdigit((unsigned char)line[1]) ||
	    !isdigit((unsigned char)line[2]))
		return -1;
	if (len > 3 && line[3] != ' ' && line[3] != '-')
		return -1;
	code = (unsigned)(line[0] - '0') * 100 + (unsigned)(line[1] - '0') * 10 +
	    (unsigned)(line[2] - '0');
	if (r->lines > 0 && code != r->code)
		return -1;
	if (r->lines >= REPLY_LINES_MAX || r->text.len + len > REPLY_MAX)
		return -1;
	r->code = (unsigned short)code;
	if (r->lines++ > 0)
		str_putc(&r->text, '\n');
	for (; len > 4;
	     line++, len--) /* NUL may come, but not stay: what follows it must not hide */
		str_putc(&r->text, line[4] != '\0' ? line[4] : ' ');
	return more ? 0 : 1;
}

void
reply_clear(struct reply *r)
{
	r->code = 0;
	r->lines = 0;
	str_clear(&r->text);
}

void
reply_free(struct reply *r)
{
	str_free(&r->text);
	reply_clear(r);
}

/* Say what came instead of SMTP, with the likely reason. */
static int
not_smtp(const struct reply *r, const char *line, size_t len, enum phase ph, struct status *st)
{
	struct str start = { 0 };
	const char *why = "";

	if (r->lines >= REPLY_LINES_MAX || r->text.len + len > REPLY_MAX)
		return status_set(st, ph, 5, 5, 0, "the server's reply does not end");
	if (len >= 3 && (line[0] == 0x15 || line[0] == 0x16) && line[1] == 0x03)
		why = "; this port speaks TLS from the first byte: use submissions://";
	else if (r->lines > 0)
		why = ", in the middle of a reply";
	else
		why = net_stranger(line, len);
	str_printable(&start, line, len < 60 ? len : 60);
	status_set(st, ph, 5, 5, 0, "the server does not speak SMTP: it sent \"%s\"%s",
	    str_text(&start), why);
	str_free(&start);
	return -1;
}

int
reply_read(struct reply *r, struct stream *s, enum phase ph, struct status *st)
{
	reply_clear(r);
	for (;;) {
		char *line;
		size_t len;

		switch (stream_line(s, &line, &len, REPLY_LINE_MAX)) {
		case LINE_FAIL:
			*st = *stream_status(s);
			return -1;
		case LINE_END:
			status_set(st, ph, 4, 4, 2, "connection lost: the server closed it%s",
			    r->lines > 0 ? " in the middle of a reply" : "");
			return stream_fail(s, st);
		case LINE_CRLF:
		case LINE_LF:
			break;
		}
		switch (reply_line(r, line, len)) {
		case -1:
			not_smtp(r, line, len, ph, st);
			return stream_fail(s, st);
		case 1:
			return 0;
		}
	}
}

/* Reply codes that say more at their step than their class does. */
static const struct {
	enum phase phase;
	unsigned short low, high;
	unsigned char class;
	unsigned short subject, detail;
} implied[] = {
	{ PH_GREETING, 400, 499, 4, 3, 2 },
	{ PH_GREETING, 500, 599, 5, 3, 2 },
	{ PH_EHLO, 400, 499, 4, 5, 0 },
	{ PH_EHLO, 500, 599, 5, 5, 1 },
	{ PH_STARTTLS, 454, 454, 4, 7, 0 },
	{ PH_AUTH, 432, 432, 4, 7, 12 },
	{ PH_AUTH, 454, 454, 4, 7, 0 },
	{ PH_AUTH, 530, 530, 5, 7, 0 },
	{ PH_AUTH, 534, 534, 5, 7, 9 },
	{ PH_AUTH, 535, 535, 5, 7, 8 },
	{ PH_AUTH, 538, 538, 5, 7, 11 },
	{ PH_MAIL, 530, 530, 5, 7, 0 },
	{ PH_RCPT, 530, 530, 5, 7, 0 },
	{ PH_RCPT, 452, 452, 4, 5, 3 },
	{ PH_RCPT, 552, 552, 4, 5, 3 },
	{ PH_RCPT, 500, 599, 5, 1, 1 },
};

static void
imply(unsigned code, enum phase ph, struct status *st)
{
	size_t i;

	st->subject = st->detail = 0;
	for (i = 0; i < sizeof implied / sizeof implied[0]; i++)
		if (implied[i].phase == ph && code >= implied[i].low && code <= implied[i].high) {
			st->class = implied[i].class;
			st->subject = implied[i].subject;
			st->detail = implied[i].detail;
			return;
		}
}

void
reply_status(const struct reply *r, enum phase ph, struct status *st)
{
	struct status own;
	struct str words = { 0 };
	const char *p = str_text(&r->text);
	size_t n;

	memset(&own, 0, sizeof own);
	n = status_parse(p, &own);
	/* further lines repeat the enhanced code; once is enough for a person */
	str_printf(&words, "%u ", r->code);
	while (*p != '\0') {
		size_t len = strcspn(p, "\n");

		str_put(&words, p, len);
		p += len;
		if (*p == '\n' && *++p != '\0') {
			if (n > 0 && status_parse(p, &(struct status){ 0 }) > 0)
				p += strspn(p, "0123456789.");
			p += strspn(p, " ");
			str_putc(&words, ' ');
		}
	}
	status_set(st, ph, r->code / 100, 0, 0, "%s", str_text(&words));
	str_free(&words);
	st->code = r->code;
	if (n == 0)
		imply(r->code, ph, st);
	else if (ph == PH_RCPT && r->code == 552 && own.subject == 5 && own.detail == 3) {
		st->class = 4;
		st->subject = 5;
		st->detail = 3;
	} else if (own.class == st->class) {
		st->subject = own.subject;
		st->detail = own.detail;
	}
}
