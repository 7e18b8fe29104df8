/*
 * fuzz_repair - octets as a message, and what servers are sent of it that take less; and as a field.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "base64.h"
#include "fuzz.h"
#include "message.h"
#include "words.h"

#define INPUT_MAX 40000
#define FIELD_MAX 2000

struct octets {
	const char *p;
	size_t n, piece;
};

static ssize_t
pour(void *arg, char *p, size_t n, struct status *st)
{
	struct octets *o = arg;

	(void)st;
	n = n < o->n ? n : o->n;
	n = n < o->piece ? n : o->piece;
	memcpy(p, o->p, n);
	o->p += n;
	o->n -= n;
	return (ssize_t)n;
}

static void
stored(const struct form *f, struct str *to)
{
	char *buf = xalloc(1, STORE_CHUNK);
	struct status st;
	const char *p;
	ssize_t n;

	str_clear(to);
	while ((n = store_view(&f->store, (off_t)to->len, buf, &p, &st)) > 0)
		str_put(to, p, (size_t)n);
	MUST(n == 0 && form_size(f) == (off_t)to->len);
	free(buf);
}

/* Every line end as CRLF, and one at the end. */
static void
normal(const char *p, size_t n, struct str *out)
{
	size_t i, crs = 0;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r') {
			crs++;
			continue;
		}
		for (; p[i] != '\n' && crs > 0; crs--)
			str_puts(out, "\r\n");
		crs = 0;
		if (p[i] == '\n')
			str_putc(out, '\r');
		str_putc(out, p[i]);
	}
	for (; crs > 0; crs--)
		str_puts(out, "\r\n");
	if (out->len == 0 || out->p[out->len - 1] != '\n')
		str_puts(out, "\r\n");
}

static char
octet(const char *p)
{
	unsigned n = 0;

	MUST(sscanf(p, "%2X", &n) == 1);
	return (char)n;
}

/* RFC 2045 6.7, strictly. */
static void
decode(const char *p, struct str *to)
{
	size_t column = 0;

	str_clear(to);
	for (; *p != '\0'; p++) {
		if (*p == '\r' || *p == '\n') {
			MUST(*p == '\n' ||
			    (p[1] == '\n' && (column == 0 || (p[-1] != ' ' && p[-1] != '\t'))));
			str_putc(to, *p);
			column = 0;
			continue;
		}
		MUST(++column <= 76 && *p <= '~' && (*p >= ' ' || *p == '\t'));
		MUST(column > 1 || (*p != '.' && strncmp(p, "From ", 5) != 0));
		if (*p != '=')
			str_putc(to, *p);
		else if (p[1] == '\r') {
			p += 2;
			column = 0;
		} else {
			str_putc(to, octet(p + 1));
			p += 2;
			column += 2;
		}
	}
}

/* The body of a form is `body`, or stands for it. */
static void
check_body(const char *p, const char *body, size_t n, bool suffix)
{
	struct str back = { 0 };
	size_t len = strlen(p), skip = suffix && len <= n ? n - len : 0;

	if (n - skip != len || memcmp(p, body + skip, len) != 0) {
		decode(p, &back);
		MUST(suffix || back.len == n);
		MUST(back.len <= n && memcmp(str_text(&back), body + n - back.len, back.len) == 0);
		str_free(&back);
	}
}

static void
check_form(const struct form *f, const struct str *s, unsigned takes)
{
	const char *p, *lf;
	bool is_long = false;

	MUST(strlen(s->p) == s->len && s->len >= 2 && s->p[s->len - 1] == '\n');
	for (p = s->p; *p != '\0'; p = lf + 1) {
		lf = strchr(p, '\n');
		MUST(lf > p && lf[-1] == '\r' && memchr(p, '\r', (size_t)(lf - 1 - p)) == NULL);
		is_long |= lf - p > 999;
	}
	MUST(is_long == ((f->flags & MSG_LONG) != 0));
	MUST(has_8bit(s->p, s->len) == ((f->flags & MSG_8BIT) != 0));
	MUST((f->flags & MSG_8BIT) == 0 || (takes & TAKES_8BIT) != 0);
	MUST((f->flags & MSG_UTF8) == 0 || ((takes & TAKES_UTF8) != 0 && is_utf8(s->p, (size_t)f->body)));
	MUST((f->flags & MSG_NUL) == 0);
	MUST(memcmp(s->p + f->body - 2, "\r\n", 2) == 0);
}

static void
check_message(const char *p, size_t n)
{
	static const unsigned takes[] = { TAKES_8BIT | TAKES_UTF8, TAKES_8BIT, TAKES_UTF8, 0 };
	struct octets o = { p, n, n % 7 + 1 };
	struct str none = { 0 }, all = { 0 }, own = { 0 }, found = { 0 };
	struct message m;
	struct status st;
	size_t i;

	if (message_open_from(&m, pour, &o, &st) == -1 || message_finish(&m, &none, &st) == -1) {
		fuzz_status(&st);
		MUST(st.class == 5 && st.subject == 6 && st.detail == 0);
		message_free(&m);
		return;
	}
	normal(p, n, &all);
	stored(&m.own, &own);
	check_body(own.p + m.own.body, all.p, all.len, true);
	for (i = 0; i < sizeof takes / sizeof takes[0]; i++) {
		const struct form *f = message_form(&m, takes[i], &st);

		if (f == NULL) {
			fuzz_status(&st);
			MUST(st.class == 5 && st.subject == 6 &&
			    (st.detail == 3 || st.detail == 7 || st.detail == 9));
			MUST(i > 0 && (m.own.flags & MSG_8BIT) != 0);
			continue;
		}
		stored(f, &found);
		check_form(f, &found, takes[i]);
		check_body(found.p + f->body, own.p + m.own.body, own.len - (size_t)m.own.body, false);
	}
	message_free(&m);
	str_free(&all);
	str_free(&own);
	str_free(&found);
}

/* What a reader sees of unstructured text (RFC 2047 6.2), folding undone. */
static void
read_text(const char *p, struct str *to)
{
	bool encoded = false;

	while (*p != '\0') {
		size_t blanks = strspn(p, " \t\r\n"), n = strcspn(p + blanks, " \t\r\n"), i;
		const char *word = p + blanks, *q;
		bool is_word = n > 6 && strncmp(word, "=?", 2) == 0 &&
		    strncmp(word + n - 2, "?=", 2) == 0;

		for (i = 0; i < blanks && !(encoded && is_word); i++)
			if (p[i] != '\r' && p[i] != '\n')
				str_putc(to, p[i]);
		p = word + n;
		encoded = is_word;
		if (!is_word) {
			str_put(to, word, n);
			continue;
		}
		MUST(n <= 75);
		q = strchr(word + 2, '?');
		if (q[1] == 'B')
			MUST(base64_get(q + 3, (size_t)(p - 2 - (q + 3)), to) == 0);
		else
			for (q += 3; *q != '?'; q++) {
				str_putc(to, *q == '_' ? ' ' : *q == '=' ? octet(q + 1) : *q);
				q += *q == '=' ? 2 : 0;
			}
	}
}

/* One field of this name, and what it says before and after. */
static void
check_field(const char *name, const char *p, size_t n)
{
	struct str field = { 0 }, out = { 0 }, before = { 0 }, after = { 0 };
	struct status st;
	size_t i;

	str_printf(&field, "%s:", name);
	for (i = 0; i < n && i < FIELD_MAX; i++)
		if (p[i] != '\0' && p[i] != '\r')
			str_puts(&field, p[i] != '\n' ? (char[2]){ p[i], '\0' } : "\r\n ");
	str_puts(&field, "\r\n");
	if (words_field(field.p, field.len, &out, &st) == -1) {
		fuzz_status(&st);
		MUST(strcmp(name, "Subject") != 0 && out.len == 0);
	} else {
		MUST(strlen(out.p) == out.len && !has_8bit(out.p, out.len));
		MUST(out.len > 2 && strcmp(out.p + out.len - 2, "\r\n") == 0);
		for (i = 0; i + 3 < out.len; i++)
			MUST(out.p[i] != '\n' || out.p[i + 1] == ' ' || out.p[i + 1] == '\t');
		if (strcmp(name, "Subject") == 0 && strstr(field.p, "=?") == NULL) {
			read_text(strchr(out.p, ':') + 1, &after);
			for (i = 8; i < field.len; i++)
				if (field.p[i] != '\r' && field.p[i] != '\n')
					str_putc(&before, field.p[i]);
			MUST(strcmp(str_text(&before) + strspn(str_text(&before), " \t"),
				 str_text(&after) + strspn(str_text(&after), " \t")) == 0);
		}
	}
	str_free(&field);
	str_free(&out);
	str_free(&before);
	str_free(&after);
}

int
TARGET(fuzz_repair)(const uint8_t *input, size_t n)
{
	const char *p = (const char *)input;

	if (n > INPUT_MAX)
		return 0;
	check_message(p, n);
	check_field("Subject", p, n);
	check_field("From", p, n);
	check_field("Keywords", p, n);
	return 0;
}
