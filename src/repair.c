/*
 * repair - forms of a message for servers that take less than what it has in it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "header.h"
#include "qp.h"
#include "repair.h"
#include "words.h"

/* What repair() does. */
enum {
	HOW_BODY = 1,	/* quoted-printable */
	HOW_HEADER = 2, /* encoded words */
	HOW_LEAVE = 4,	/* 8-bit stays in fields that have no place for encoded words */
	HOW_COPY = 8,	/* nothing; but the flags are others */
};

/* What a header says of itself and of the body. */
struct nature {
	bool type, text; /* there is a Content-Type; and it is text */
	bool version;	 /* there is a MIME-Version */
	bool encoding, identity;
	bool twice; /* two of them, so nobody knows */
	bool sealed;
};

unsigned
repair_look(const char *p, size_t n, unsigned known)
{
	unsigned found = 0;

	if ((known & MSG_8BIT) == 0 && has_8bit(p, n))
		found |= MSG_8BIT;
	if ((known & MSG_NUL) == 0 && memchr(p, '\0', n) != NULL)
		found |= MSG_NUL;
	return found;
}

/* ---- what a header says */

/* Behind blanks and comments. */
static const char *
skip_comments(const char *p)
{
	unsigned depth = 0;

	for (; *p != '\0'; p++)
		if (*p == '\\' && depth > 0 && p[1] != '\0')
			p++;
		else if (*p == '(')
			depth++;
		else if (*p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(" \t\r\n", *p) == NULL)
			break;
	return p;
}

static bool
is_text(const char *value)
{
	const char *p = skip_comments(value);

	if (!ascii_eqn(p, "text", 4))
		return false;
	p = skip_comments(p + 4);
	return *p == '/';
}

static bool
is_identity(const char *value)
{
	static const char *const names[] = { "7bit", "8bit", "binary" };
	const char *p = skip_comments(value);
	size_t i, n = strcspn(p, " \t\r\n(;");

	if (*skip_comments(p + n) != '\0')
		return false;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (header_is(p, n, names[i]))
			return true;
	return false;
}

/* One field, as text of its own. */
static void
judge_field(struct nature *n, const char *field)
{
	size_t name = header_name(field);
	const char *value = strchr(field, ':');

	value = value != NULL ? value + 1 : "";
	if (header_is(field, name, "MIME-Version"))
		n->version = true;
	else if (header_is(field, name, "Content-Type")) {
		n->twice |= n->type;
		n->type = true;
		n->text = is_text(value);
	} else if (header_is(field, name, "Content-Transfer-Encoding")) {
		n->twice |= n->encoding;
		n->encoding = true;
		n->identity = is_identity(value);
	} else if (header_is(field, name, "DKIM-Signature") ||
	    header_is(field, name, "DomainKey-Signature") ||
	    header_is(field, name, "ARC-Message-Signature"))
		n->sealed = true;
}

static void
judge(const struct str *header, struct nature *nature)
{
	const char *p = str_text(header);
	size_t left = header->len, n;

	memset(nature, 0, sizeof *nature);
	for (; left > 0; p += n, left -= n) {
		char *field;

		n = header_field(p, left);
		field = xstrndup(p, n);
		judge_field(nature, field);
		free(field);
	}
}

static bool
may_encode(const struct nature *n)
{
	return !n->sealed && !n->twice && (!n->type || n->text) && (!n->encoding || n->identity);
}

static void
flags_of(struct form *f, const struct str *header)
{
	const char *p = str_text(header), *lf;

	f->header_flags = repair_look(p, header->len, MSG_NUL);
	if (f->header_flags != 0 && is_utf8(p, header->len))
		f->header_flags |= MSG_UTF8;
	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		if (lf - p > LINE_OCTETS + 1)
			f->header_flags |= MSG_LONG;
}

/* The header of a form, as it is stored. */
static int
read_back(const struct form *f, struct str *header, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	size_t len = (size_t)f->body - 2;
	const char *p;
	ssize_t n = 0;

	while (
	    header->len < len && (n = store_view(&f->store, (off_t)header->len, buf, &p, st)) > 0)
		str_put(header, p, (size_t)n < len - header->len ? (size_t)n : len - header->len);
	free(buf);
	return n == -1 ? -1 : 0;
}

/* ---- header */

/* Where to break a line of n octets: at a blank before text, and not behind the name of the field.
 */
static size_t
break_at(const char *p, size_t n)
{
	size_t i = header_name(p), best = 0;

	i += strspn(p + i, " \t:");
	for (; i + 1 < n && (i <= LINE_OCTETS || best == 0); i++)
		if ((p[i] == ' ' || p[i] == '\t') && strchr(" \t\r\n", p[i + 1]) == NULL)
			best = i;
	return best;
}

/* Append with long lines folded (RFC 5322 2.2.3), where there is a blank. */
static void
fold(const struct str *header, struct str *out)
{
	const char *p = str_text(header), *lf;

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1) {
		size_t n = (size_t)(lf - p) - 1, at;

		for (; n > LINE_OCTETS && (at = break_at(p, n)) > 0; p += at, n -= at) {
			str_put(out, p, at);
			str_puts(out, "\r\n");
		}
		str_put(out, p, n + 2);
	}
}

/* `header` is sent in this form. */
static int
put_header(const struct str *header, struct form *f, struct status *st)
{
	flags_of(f, header);
	if (store_put(&f->store, str_text(header), header->len, st) == -1 ||
	    store_put(&f->store, "\r\n", 2, st) == -1)
		return -1;
	f->body = store_size(&f->store);
	return 0;
}

int
repair_header(const struct str *header, struct form *own, struct status *st)
{
	struct str folded = { 0 };
	struct nature nature;
	int r;

	flags_of(own, header);
	if ((own->header_flags & MSG_LONG) == 0)
		return put_header(header, own, st);
	judge(header, &nature);
	if (!nature.sealed)
		fold(header, &folded);
	r = put_header(nature.sealed ? header : &folded, own, st);
	str_free(&folded);
	return r;
}

/* What says that the body is quoted-printable, where the field did not stand yet. */
static void
put_mime(const struct nature *n, const char *charset, struct str *out)
{
	if (!n->version)
		str_puts(out, "MIME-Version: 1.0\r\n");
	if (!n->type)
		str_printf(out, "Content-Type: text/plain; charset=%s\r\n", charset);
	if (!n->encoding)
		str_puts(out, "Content-Transfer-Encoding: quoted-printable\r\n");
}

static int
remake_field(const char *p, size_t n, unsigned how, struct str *out, struct status *st)
{
	if ((how & HOW_BODY) != 0 && header_is(p, header_name(p), "Content-Transfer-Encoding")) {
		str_puts(out, "Content-Transfer-Encoding: quoted-printable\r\n");
		return 0;
	}
	if ((how & HOW_HEADER) == 0 || !has_8bit(p, n)) {
		str_put(out, p, n);
		return 0;
	}
	if (words_field(p, n, out, st) == 0)
		return 0;
	if ((how & HOW_LEAVE) == 0 || st->detail != 9)
		return -1;
	str_put(out, p, n);
	return 0;
}

static int
remake_header(
    const struct str *header, unsigned how, const char *charset, struct str *out, struct status *st)
{
	const char *p = str_text(header);
	size_t left = header->len, n;
	struct nature nature;

	for (; left > 0; p += n, left -= n) {
		n = header_field(p, left);
		if (remake_field(p, n, how, out, st) == -1)
			return -1;
	}
	if ((how & HOW_BODY) != 0) {
		judge(header, &nature);
		put_mime(&nature, charset, out);
	}
	return 0;
}

/* ---- body */

/* Is a line of it the begin of text that is signed with OpenPGP (RFC 9580 7)? 1, 0, -1 with *st. */
static int
is_signed(const struct form *f, struct status *st)
{
	static const char mark[] = "-----BEGIN PGP SIGNED MESSAGE-----";
	char *buf = xbuffer(STORE_CHUNK);
	size_t k = 0; /* octets of the mark that this line began with; all of them: another line */
	bool found = false;
	const char *p;
	ssize_t n = 0;
	off_t at;

	for (at = f->body; !found && (n = store_view(&f->store, at, buf, &p, st)) > 0; at += n) {
		const char *end = p + n;

		while (!found && p < end) {
			if (k < sizeof mark - 1 && *p == mark[k]) {
				found = ++k == sizeof mark - 1;
				p++;
			} else if ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
				k = 0;
				p++;
			} else {
				k = sizeof mark - 1;
				break;
			}
		}
	}
	free(buf);
	return n == -1 ? -1 : found;
}

/* What to call the characters of a body. 0, or -1 with *st. */
static int
charset_of(const struct form *f, const char **charset, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	struct utf8 u = { 0 };
	bool good = true;
	const char *p;
	ssize_t n = 0;
	off_t at;

	for (at = f->body; good && (n = store_view(&f->store, at, buf, &p, st)) > 0; at += n)
		good = utf8_more(&u, p, (size_t)n);
	free(buf);
	*charset = (f->body_flags & MSG_8BIT) == 0 ? "us-ascii"
	    : good && u.left == 0		   ? "utf-8"
						   : "unknown-8bit";
	return n == -1 ? -1 : 0;
}

static int
put_body(const struct form *own, bool encode, struct form *to, struct status *st)
{
	char *buf = xbuffer(STORE_CHUNK);
	struct qp q = { .to = &to->store };
	const char *p;
	ssize_t n;
	off_t at;
	int r = 0;

	for (at = own->body; (n = store_view(&own->store, at, buf, &p, st)) > 0; at += n) {
		r = encode ? qp_put(&q, p, (size_t)n, st) : store_put(&to->store, p, (size_t)n, st);
		if (r == -1)
			break;
	}
	free(buf);
	to->body_flags = encode ? 0 : own->body_flags;
	return n == -1 ? -1 : r;
}

/* ---- forms */

/* May the body be altered? 1, 0, -1 with *st. */
static int
may_alter(const struct form *own, const struct nature *n, struct status *st)
{
	int r = may_encode(n) ? is_signed(own, st) : 1;

	return r == -1 ? -1 : !r;
}

int
repair_own(struct form *own, struct status *st)
{
	struct str header = { 0 };
	struct form to = { 0 };
	struct nature nature;
	int r;

	own->flags = own->header_flags | own->body_flags;
	if ((own->body_flags & (MSG_NUL | MSG_LONG)) == 0)
		return 0;
	if ((r = read_back(own, &header, st)) == 0) {
		judge(&header, &nature);
		r = may_alter(own, &nature, st);
	}
	str_free(&header);
	if (r == 0 && (own->body_flags & MSG_NUL) != 0)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "the message holds a NUL octet, which mail cannot carry (RFC 5322 2.1), and is "
		    "signed, encoded or of several parts, so that it must not be altered: encode "
		    "that part as base64");
	if (r != 1)
		return r;
	r = repair(own, HOW_BODY, &to, st);
	if (r == -1) {
		store_free(&to.store);
		return -1;
	}
	store_free(&own->store);
	*own = to;
	return 0;
}

int
repair_need(const struct form *own, unsigned takes, unsigned *how, struct status *st)
{
	unsigned header = own->header_flags & (MSG_8BIT | MSG_UTF8);
	struct str text = { 0 };
	struct nature nature;
	int r = 1;

	*how = 0;
	if ((own->body_flags & MSG_8BIT) != 0 && (takes & TAKES_8BIT) == 0)
		*how |= HOW_BODY;
	/* what is no UTF-8 has always been sent like this where 8-bit text is taken at all */
	if ((header & MSG_UTF8) != 0 ? (takes & TAKES_UTF8) == 0
				     : header != 0 && (takes & TAKES_8BIT) == 0)
		*how |= HOW_HEADER | ((takes & TAKES_8BIT) != 0 ? HOW_LEAVE : 0);
	if (*how == 0)
		return 0;
	if (read_back(own, &text, st) == -1)
		return -1;
	judge(&text, &nature);
	str_free(&text);
	if ((*how & HOW_BODY) != 0)
		r = may_alter(own, &nature, st);
	if (r == 0)
		return status_set(st, PH_MAIL, 5, 6, 3,
		    "the message has 8-bit text, the server does not offer 8BITMIME, and what is "
		    "signed, encoded or of several parts must not be altered: encode its parts");
	if (r == 1 && nature.sealed && (*how & HOW_LEAVE) == 0)
		return status_set(st, PH_MAIL, 5, 6, 9,
		    "the header has 8-bit text and is signed, and the server does not offer "
		    "8BITMIME");
	if (nature.sealed)
		*how = HOW_COPY;
	return r == -1 ? -1 : 0;
}

int
repair(const struct form *own, unsigned how, struct form *to, struct status *st)
{
	struct str header = { 0 }, made = { 0 };
	const char *charset = NULL;
	int r;

	store_init(&to->store);
	r = read_back(own, &header, st);
	if (r == 0 && (how & HOW_BODY) != 0)
		r = charset_of(own, &charset, st);
	if (r == 0)
		r = remake_header(&header, how, charset, &made, st);
	if (r == 0)
		r = put_header(&made, to, st);
	if (r == 0)
		r = put_body(own, (how & HOW_BODY) != 0, to, st);
	/* who asks for this has no SMTPUTF8 for it */
	if ((how & (HOW_HEADER | HOW_COPY)) != 0)
		to->header_flags &= ~(unsigned)MSG_UTF8;
	to->flags = to->header_flags | to->body_flags;
	str_free(&header);
	str_free(&made);
	return r;
}
