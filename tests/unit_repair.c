/*
 * unit_repair - tests of what a message becomes for a server that takes less than what it has in it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "message.h"
#include "qp.h"
#include "unit.h"
#include "words.h"

#define N "\r\n"
#define UE "\303\274" /* a letter in UTF-8 */
#define MIME "MIME-Version: 1.0" N
#define TYPE(charset) "Content-Type: text/plain; charset=" charset N
#define QP "Content-Transfer-Encoding: quoted-printable" N
#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define BOTH (TAKES_8BIT | TAKES_UTF8)

/* ---- quoted-printable */

static void
stored(const struct store *s, struct str *to)
{
	char *buf = xalloc(1, STORE_CHUNK);
	struct status st;
	const char *p;
	ssize_t n;

	str_clear(to);
	while ((n = store_view(s, (off_t)to->len, buf, &p, &st)) > 0)
		str_put(to, p, (size_t)n);
	free(buf);
}

static void
encode(const char *p, size_t n, size_t piece, struct str *to)
{
	struct store s;
	struct qp q = { .to = &s };
	struct status st;
	size_t step;

	store_init(&s);
	for (; n > 0; p += step, n -= step) {
		step = piece > 0 && piece < n ? piece : n;
		(void)qp_put(&q, p, step, &st);
	}
	stored(&s, to);
	store_free(&s);
}

static unsigned
hex(char c)
{
	return (unsigned)(strchr("0123456789ABCDEF", c) - "0123456789ABCDEF");
}

static void
decode(const char *p, struct str *to)
{
	str_clear(to);
	for (; *p != '\0'; p++)
		if (*p != '=')
			str_putc(to, *p);
		else if (p[1] == '\r') /* a soft line break */
			p += 2;
		else {
			str_putc(to, (char)(hex(p[1]) * 16 + hex(p[2])));
			p += 2;
		}
}

static void
test_rows(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *wanted;
	} rows[] = {
		{ BYTES("plain text, tab\there" N), "plain text, tab\there" N },
		{ BYTES("1=2" N "a\0b\033\177\377" N), "1=3D2" N "a=00b=1B=7F=FF" N },
		{ BYTES("trailing " N "\t" N " \t" N N), "trailing=20" N "=09" N " =09" N N },
		{ BYTES("." N "..a" N "a." N "From me" N "Fromage" N "x From y" N),
		    "=2E" N "=2E.a" N "a." N "=46rom me" N "Fromage" N "x From y" N },
		{ BYTES(""), "" },
	};
	struct str found = { 0 };
	size_t i, piece;

	for (i = 0; i < COUNT(rows); i++)
		for (piece = 0; piece < 3; piece++) {
			encode(rows[i].in, rows[i].n, piece, &found);
			is_text(
			    str_text(&found), rows[i].wanted, "%s, by %zu octets", rows[i].wanted, piece);
		}
	str_free(&found);
}

static size_t
longest(const char *p)
{
	size_t longest = 0;
	const char *lf;

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		if ((size_t)(lf - p) - 1 > longest)
			longest = (size_t)(lf - p) - 1;
	return longest;
}

/* Every length of a line around the bound, of every kind of octets that matters at an edge. */
static void
test_edges(void)
{
	static const char *const ends[] = { "x", " ", "=", "\t\t", "\200", ".", "From ", " \200 " };
	static const char *const starts[] = { "", ".", "F", "From ", " ", "=", "\200" };
	struct str in = { 0 }, found = { 0 }, back = { 0 };
	size_t i, k, len, most = 0;
	bool good = true;

	for (i = 0; good && i < COUNT(ends) * COUNT(starts); i++)
		for (len = 60; good && len < 240; len++) {
			str_clear(&in);
			str_puts(&in, starts[i / COUNT(ends)]);
			for (k = in.len; k < len; k++)
				str_putc(&in, k % 76 == len % 76 ? '.' : 'F');
			str_puts(&in, ends[i % COUNT(ends)]);
			str_puts(&in, N "second" N);
			encode(in.p, in.len, 0, &found);
			decode(found.p, &back);
			most = longest(found.p) > most ? longest(found.p) : most;
			good = back.len == in.len && memcmp(back.p, in.p, in.len) == 0 &&
			    strstr(found.p, "\n.") == NULL && strstr(found.p, "\nFrom ") == NULL &&
			    strstr(found.p, " \r\n") == NULL && strstr(found.p, "\t\r\n") == NULL &&
			    !has_8bit(found.p, found.len);
		}
	if (ok(good, "what is decoded is what was encoded, at each place of a line"))
		is_number((long long)most, QP_LINE, "no line is longer than 76, and some have that");
	else
		note("%s", found.p);
	str_free(&in);
	str_free(&found);
	str_free(&back);
}

/* ---- fields */

static const struct {
	const char *name, *in, *wanted;
} fields[] = {
	{ "a word", "Subject: b" UE "cher" N, "Subject: =?utf-8?Q?b=C3=BCcher?=" N },
	{ "words around it", "Subject: my b" UE "cher are here" N,
	    "Subject: my =?utf-8?Q?b=C3=BCcher?= are here" N },
	{ "two of them", "Subject: " UE " " UE N, "Subject: =?utf-8?B?w7wgw7w=?=" N },
	{ "blanks between two", "Subject: a" UE " \t " UE "b cde" N,
	    "Subject: =?utf-8?B?YcO8IAkgw7xi?= cde" N },
	{ "two, folded", "Subject: aaaaaaaa" UE N " " UE "b" N,
	    "Subject: =?utf-8?Q?aaaaaaaa=C3=BC_=C3=BCb?=" N },
	{ "no blank behind the colon", "Subject:a" UE N, "Subject: =?utf-8?B?YcO8?=" N },
	{ "after an encoded word", "Subject: =?us-ascii?Q?a?= " UE " x" N,
	    "Subject: =?us-ascii?Q?a?= =?utf-8?B?IMO8?= x" N },
	{ "before an encoded word", "Subject: " UE " =?us-ascii?Q?a?=" N,
	    "Subject: =?utf-8?B?w7wg?= =?us-ascii?Q?a?=" N },
	{ "no UTF-8", "Subject: m\374sli" N, "Subject: =?unknown-8bit?Q?m=FCsli?=" N },
	{ "specials of the encoding", "Subject: =?_" UE "?" N, "Subject: =?utf-8?B?PT9fw7w/?=" N },
	{ "a field that nobody knows", "X-Cron-Env: <HOME=/" UE ">" N,
	    "X-Cron-Env: =?utf-8?Q?=3CHOME=3D/=C3=BC=3E?=" N },
	{ "a display name", "From: J" UE "rgen Schmidt <j@x.org>" N,
	    "From: =?utf-8?Q?J=C3=BCrgen?= Schmidt <j@x.org>" N },
	{ "a quoted one", "To: \"Schm" UE "dt, \\\"J\\\"\" <j@x.org>, k@x.org" N,
	    "To: =?utf-8?Q?Schm=C3=BCdt=2C_=22J=22?= <j@x.org>, k@x.org" N },
	{ "nothing between name and <", "Cc: \"" UE UE UE "\"<j@x.org>" N,
	    "Cc: =?utf-8?B?w7zDvMO8?= <j@x.org>" N },
	{ "a comment", "From: root (Cron D" UE "mon)" N, "From: root (Cron =?utf-8?Q?D=C3=BCmon?=)" N },
	{ "comments in comments", "From: root (a (" UE "\\)) b" UE "c)" N,
	    "From: root (a (=?utf-8?B?w7wp?=) =?utf-8?Q?b=C3=BCc?=)" N },
	{ "a group", "To: Fr" UE "nde: a@x, b@y;" N, "To: =?utf-8?Q?Fr=C3=BCnde?= : a@x, b@y;" N },
	{ "a name with a dot", "From: J. M" UE "ller <j@x>" N,
	    "From: J. =?utf-8?Q?M=C3=BCller?= <j@x>" N },
	{ "two names", "From: \"A" UE "bcdef\" \"" UE "bcdefghi\" <j@x>" N,
	    "From: =?utf-8?Q?A=C3=BCbcdef_=C3=BCbcdefghi?= <j@x>" N },
	{ "a domain", "To: a@b" UE "cher.example, <c@b" UE "cher.example>" N,
	    "To: a@xn--bcher-kva.example, <c@xn--bcher-kva.example>" N },
	{ "a route", "To: <@a" UE ".example,@b:c@d>" N, "To: <@xn--a-eha.example,@b:c@d>" N },
	{ "a literal, and quotes", "To: " UE "bcd <\"a@b, <c\"@[127.0.0.1]>" N,
	    "To: =?utf-8?Q?=C3=BCbcd?= <\"a@b, <c\"@[127.0.0.1]>" N },
	{ "keywords", "Keywords: a, b" UE "c, d e" N, "Keywords: a, =?utf-8?Q?b=C3=BCc?= , d e" N },
	{ "a list", "List-Id: V" UE "gel <v.x.org>" N, "List-Id: =?utf-8?Q?V=C3=BCgel?= <v.x.org>" N },
	{ "a quote that is not closed", "From: \"" UE "abcd <a@b>" N, "5.6.7 From" },
	{ "a comment that is not closed", "From: a@b (" UE "abcd" N,
	    "From: a@b (=?utf-8?Q?=C3=BCabcd?=" N },
	{ "blanks where a line is folded", "Subject: " X60 " \t" UE "bcd" N,
	    "Subject: " X60 N " \t=?utf-8?Q?=C3=BCbcd?=" N },
	{ "a list of addresses",
	    "To: J" UE "rgen <" X60 "@x.org>, J" UE "rgen <j@x.org>, J" UE "rgen <k@x.org>" N,
	    "To: =?utf-8?Q?J=C3=BCrgen?=" N " <" X60 "@x.org>," N " =?utf-8?Q?J=C3=BCrgen?= <j@x.org>,"
	    " =?utf-8?Q?J=C3=BCrgen?= <k@x.org>" N },
	{ "a local part", "To: x@y, j" UE "rgen@x.org" N, "5.6.7 To" },
	{ "one in < >", "Reply-To: J <j" UE "rgen@x.org>" N, "5.6.7 Reply-To" },
	{ "one in quotes", "Cc: \"j" UE "r\"@x.org" N, "5.6.7 Cc" },
	{ "a name alone", "From: j" UE "rgen" N, "5.6.7 From" },
	{ "a domain that is none", "From: a@b\374cher" N, "5.6.7 From" },
	{ "a file name", "Content-Disposition: attachment; filename=\"" UE "\"" N,
	    "5.6.9 Content-Disposition" },
	{ "an id", "References: <a" UE "@b>" N, "5.6.9 References" },
	{ "a literal that is none", "To: a@[" UE "]" N, "5.6.9 To" },
};

static void
test_words(void)
{
	struct str out = { 0 };
	struct status st;
	char code[16];
	size_t i;

	for (i = 0; i < COUNT(fields); i++) {
		str_clear(&out);
		if (words_field(fields[i].in, strlen(fields[i].in), &out, &st) == -1)
			str_printf(&out, "%s %.*s", status_enhanced(&st, code),
			    (int)strcspn(st.text, " :"), st.text);
		is_text(str_text(&out), fields[i].wanted, "%s", fields[i].name);
	}
	str_free(&out);
}

/* Long ones: bounds of RFC 2047 2, no character in two words, and what is read is what was there. */
static void
test_long_words(void)
{
	static const char *const texts[] = { "\342\202\254", UE "abcdefgh", "\377", UE " x " };
	static const char *const names[] = { "Subject",
		"X-This-Is-A-Name-That-Goes-On-And-On-Up-To-The-End" };
	struct str in = { 0 }, out = { 0 }, back = { 0 }, wanted = { 0 };
	struct status st;
	size_t i, k;

	for (i = 0; i < COUNT(texts) * COUNT(names); i++) {
		const char *text = texts[i % COUNT(texts)], *p;
		bool good;

		str_clear(&in);
		str_clear(&out);
		str_clear(&back);
		str_clear(&wanted);
		for (k = 0; k < 500; k++)
			str_puts(&wanted, text);
		while (wanted.p[wanted.len - 1] == ' ')
			wanted.p[--wanted.len] = '\0';
		str_printf(&in, "%s: %s" N, names[i / COUNT(texts)], wanted.p);
		good = words_field(in.p, in.len, &out, &st) == 0 && longest(out.p) <= 76;
		for (p = strchr(str_text(&out), ':') + 1; good && *p != '\0';) {
			size_t blanks = strspn(p, " \r\n"), n = strcspn(p + blanks, " \r\n");
			const char *word = p + blanks;

			p = word + n;
			if (n == 0)
				break;
			if (strncmp(word, "=?", 2) != 0) {
				str_printf(&back, " %.*s ", (int)n, word);
				continue;
			}
			good = n <= 75 && strncmp(word + n - 2, "?=", 2) == 0;
			k = back.len;
			word = strchr(word + 2, '?');
			if (word[1] == 'B')
				good = good &&
				    base64_get(word + 3, (size_t)(p - 2 - (word + 3)), &back) == 0;
			else
				for (word += 3; *word != '?'; word++) {
					str_putc(&back,
					    *word == '_'       ? ' '
						: *word == '=' ? (char)(hex(word[1]) * 16 + hex(word[2]))
							       : *word);
					word += *word == '=' ? 2 : 0;
				}
			good = good && (*text == '\377' || is_utf8(back.p + k, back.len - k));
		}
		while (back.len > 0 && back.p[back.len - 1] == ' ')
			back.p[--back.len] = '\0';
		if (!ok(good && strcmp(str_text(&back), wanted.p) == 0, "%.20s of 500 times %s",
			names[i / COUNT(texts)], text))
			note("%.300s", str_text(&out));
	}
	str_free(&in);
	str_free(&out);
	str_free(&back);
	str_free(&wanted);
}

/* ---- whole messages */

static const struct {
	const char *name;
	const char *in;
	size_t n;
	unsigned takes;
	const char *wanted; /* or the code */
	unsigned flags;
} messages[] = {
	{ "plain text", BYTES("A: b\n\nc\n"), 0, "A: b" N N "c" N, 0 },
	{ "8-bit where it is taken", BYTES("A: b\n\n" UE "\n"), TAKES_8BIT, "A: b" N N UE N, MSG_8BIT },
	{ "8-bit where it is not", BYTES("A: b\n\n" UE "\n"), 0,
	    "A: b" N MIME TYPE("utf-8") QP N "=C3=BC" N, 0 },
	{ "8-bit that is no UTF-8", BYTES("A: b\n\n\374\n"), 0,
	    "A: b" N MIME TYPE("unknown-8bit") QP N "=FC" N, 0 },
	{ "as cron has it",
	    BYTES("MIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-8859-1\n"
		  "Content-Transfer-Encoding: 8bit\nA: b\n\n\374\n"),
	    0, MIME TYPE("ISO-8859-1") QP "A: b" N N "=FC" N, 0 },
	{ "no header", BYTES("\n" UE "\n"), 0, MIME TYPE("utf-8") QP N "=C3=BC" N, 0 },
	{ "a NUL", BYTES("A: b\n\n\0=\n"), BOTH, "A: b" N MIME TYPE("us-ascii") QP N "=00=3D" N, 0 },
	{ "a NUL in text without a header", BYTES("a\0b\r\rc\n"), 0,
	    MIME TYPE("us-ascii") QP N "a=00b" N N "c" N, 0 },
	{ "a NUL and 8-bit",
	    BYTES("content-TYPE: text/html\ncontent-transfer-ENCODING: BINARY (x)\n\n\0" UE "\n"), BOTH,
	    "content-TYPE: text/html" N QP MIME N "=00=C3=BC" N, 0 },
	{ "html", BYTES("Content-Type: (x) TEXT (y) / html\n\n" UE "\n"), 0,
	    "Content-Type: (x) TEXT (y) / html" N MIME QP N "=C3=BC" N, 0 },
	/* not to be altered */
	{ "several parts", BYTES("Content-Type: multipart/mixed; boundary=x\n\n" UE "\n"), 0, "5.6.3",
	    0 },
	{ "several parts, where it is taken",
	    BYTES("Content-Type: multipart/signed; boundary=x\n\n" UE "\n"), TAKES_8BIT,
	    "Content-Type: multipart/signed; boundary=x" N N UE N, MSG_8BIT },
	{ "several parts with a NUL", BYTES("Content-Type: multipart/mixed; boundary=x\n\n\0\n"), BOTH,
	    "5.6.0", 0 },
	{ "a message within", BYTES("Content-Type: message/rfc822\n\n" UE "\n"), 0, "5.6.3", 0 },
	{ "a document", BYTES("Content-Type: application/json\n\n" UE "\n"), 0, "5.6.3", 0 },
	{ "a type that is none", BYTES("Content-Type: text\n\n" UE "\n"), 0, "5.6.3", 0 },
	{ "quoted-printable already", BYTES("Content-Transfer-Encoding: quoted-printable\n\n" UE "\n"), 0,
	    "5.6.3", 0 },
	{ "base64", BYTES("Content-Transfer-Encoding: base64\n\n\0\n"), 0, "5.6.0", 0 },
	{ "an encoding that nobody knows", BYTES("Content-Transfer-Encoding: 8bit x\n\n" UE "\n"), 0,
	    "5.6.3", 0 },
	{ "two types", BYTES("Content-Type: text/plain\nContent-Type: text/html\n\n" UE "\n"), 0, "5.6.3",
	    0 },
	{ "DKIM", BYTES("DKIM-Signature: v=1\n\n" UE "\n"), 0, "5.6.3", 0 },
	{ "DKIM with a NUL", BYTES("DKIM-Signature: v=1\n\n\0\n"), BOTH, "5.6.0", 0 },
	{ "OpenPGP", BYTES("A: b\n\n-----BEGIN PGP SIGNED MESSAGE-----\n" UE "\n"), 0, "5.6.3", 0 },
	{ "OpenPGP later", BYTES("A: b\n\n-x\n----\n-----BEGIN PGP SIGNED MESSAGE-----\n" UE "\n"), 0,
	    "5.6.3", 0 },
	{ "words about OpenPGP", BYTES("A: b\n\nx -----BEGIN PGP SIGNED MESSAGE-----\n" UE "\n"), 0,
	    "A: b" N MIME TYPE("utf-8") QP N "x -----BEGIN PGP SIGNED MESSAGE-----" N "=C3=BC" N, 0 },
	/* the header */
	{ "UTF-8 in the header", BYTES("A: " UE "bcd\n\nc\n"), BOTH, "A: " UE "bcd" N N "c" N,
	    MSG_8BIT | MSG_UTF8 },
	{ "the same without SMTPUTF8", BYTES("A: " UE "bcd\n\n" UE "\n"), TAKES_8BIT,
	    "A: =?utf-8?Q?=C3=BCbcd?=" N N UE N, MSG_8BIT },
	{ "the same without 8BITMIME", BYTES("A: " UE "bcd\n\n" UE "\n"), TAKES_UTF8,
	    "A: =?utf-8?Q?=C3=BCbcd?=" N MIME TYPE("utf-8") QP N "=C3=BC" N, 0 },
	{ "Latin in the header", BYTES("A: \374bcd\n\nc\n"), BOTH, "A: \374bcd" N N "c" N, MSG_8BIT },
	{ "the same without 8BITMIME (2)", BYTES("A: \374bcd\n\nc\n"), 0,
	    "A: =?unknown-8bit?Q?=FCbcd?=" N N "c" N, 0 },
	{ "a header that is signed", BYTES("DKIM-Signature: v=1\nA: " UE "\n\nc\n"), TAKES_8BIT,
	    "DKIM-Signature: v=1" N "A: " UE N N "c" N, MSG_8BIT },
	{ "the same, 7-bit", BYTES("DKIM-Signature: v=1\nA: " UE "\n\nc\n"), 0, "5.6.9", 0 },
	{ "a subject of several parts",
	    BYTES("Subject: " UE "bcd\nContent-Type: multipart/signed\n\nc\n"), 0,
	    "Subject: =?utf-8?Q?=C3=BCbcd?=" N "Content-Type: multipart/signed" N N "c" N, 0 },
	{ "a file name", BYTES("A: " UE "bcd\nContent-Type: text/plain; name=" UE "\n\nc\n"), TAKES_8BIT,
	    "A: =?utf-8?Q?=C3=BCbcd?=" N "Content-Type: text/plain; name=" UE N N "c" N, MSG_8BIT },
	{ "a file name, 7-bit", BYTES("Content-Type: text/plain; name=" UE "\n\nc\n"), 0, "5.6.9", 0 },
	{ "a local part", BYTES("To: " UE "@x\n\nc\n"), TAKES_8BIT, "5.6.7", 0 },
	{ "a local part with SMTPUTF8", BYTES("To: " UE "@x\n\nc\n"), BOTH, "To: " UE "@x" N N "c" N,
	    MSG_8BIT | MSG_UTF8 },
};

struct octets {
	const char *p;
	size_t n;
};

/* An octet at a time, so that everything is cut everywhere. */
static ssize_t
drip(void *arg, char *p, size_t n, struct status *st)
{
	struct octets *o = arg;

	(void)st;
	if (o->n == 0 || n == 0)
		return 0;
	*p = *o->p++;
	o->n--;
	return 1;
}

static ssize_t
pour(void *arg, char *p, size_t n, struct status *st)
{
	struct octets *o = arg;

	(void)st;
	n = n < o->n ? n : o->n;
	memcpy(p, o->p, n);
	o->p += n;
	o->n -= n;
	return (ssize_t)n;
}

/* The form for such a server in `out`, or NULL and the code. */
static const struct form *
form_of(struct message *m, const char *in, size_t n, bool drops, unsigned takes, struct str *out)
{
	struct octets o = { in, n };
	const struct form *f = NULL;
	struct str none = { 0 };
	struct status st;
	char code[16];

	str_clear(out);
	if (message_open_from(m, drops ? drip : pour, &o, &st) == 0 && message_finish(m, &none, &st) == 0)
		f = message_form(m, takes, &st);
	if (f == NULL)
		str_puts(out, status_enhanced(&st, code));
	else
		stored(&f->store, out);
	return f;
}

static void
test_messages(void)
{
	struct str found = { 0 };
	size_t i;

	for (i = 0; i < COUNT(messages) * 2; i++) {
		const struct form *f;
		struct message m;
		struct status st;

		f = form_of(
		    &m, messages[i / 2].in, messages[i / 2].n, i % 2 == 0, messages[i / 2].takes, &found);
		is_text(str_text(&found), messages[i / 2].wanted, "%s", messages[i / 2].name);
		if (f != NULL &&
		    (f->flags != messages[i / 2].flags || form_size(f) != (off_t)found.len ||
			message_form(&m, messages[i / 2].takes, &st) != f))
			ok(false, "%s: flags %u, wanted %u", messages[i / 2].name, f->flags,
			    messages[i / 2].flags);
		message_free(&m);
	}
	str_free(&found);
}

/* What lies in a file by then, is cut at the ends of chunks, and comes back. */
static void
test_large_body(void)
{
	struct str in = { 0 }, wanted = { 0 }, found = { 0 }, back = { 0 };
	const char *body;
	struct message m;
	size_t i;

	str_puts(&in, "A: b" N N);
	for (i = 0; i < 300; i++) {
		size_t k;

		for (k = 0; k < 5000; k++)
			str_putc(&in, (char)((i * 7 + k * 13) % 251 + (k % 3 == 0)));
		str_puts(&in, N);
	}
	/* a line end of any kind is CRLF by then */
	for (i = 0; i < in.len; i++)
		if (in.p[i] == '\n' && in.p[i - 1] != '\r')
			in.p[i] = 'n';
		else if (in.p[i] == '\r' && in.p[i + 1] != '\n')
			in.p[i] = 'r';
	str_put(&wanted, in.p + 8, in.len - 8);
	ok(form_of(&m, in.p, in.len, false, BOTH, &found) == &m.own,
	    "text of 1.5 MB is repaired for everybody");
	ok(strlen(found.p) == found.len && !has_8bit(found.p, found.len), "to ASCII without NULs");
	is_number((long long)longest(found.p), QP_LINE, "in short lines");
	body = strstr(found.p, N N);
	decode(body != NULL ? body + 4 : "", &back);
	is_bytes(back.p, back.len, wanted.p, wanted.len, "and says what it said");
	message_free(&m);
	str_free(&in);
	str_free(&wanted);
	str_free(&found);
	str_free(&back);
}

static void
put_many(struct str *s, const char *text, size_t n)
{
	for (; n > 0; n--)
		str_puts(s, text);
}

static void
test_long_lines(void)
{
	struct str in = { 0 }, found = { 0 };
	struct message m;

	str_puts(&in, "References: ");
	put_many(&in, "<123456789@example.org> ", 100);
	str_puts(&in, "end\nX: ");
	put_many(&in, "x", 2000);
	str_puts(&in, " y\n\nc\n");
	(void)form_of(&m, in.p, in.len, false, 0, &found);
	is_number((long long)longest(found.p), 2003, "a long field is folded at blanks alone");
	ok(strstr(found.p, "X: x") != NULL && strstr(found.p, "x" N " y" N) != NULL,
	    "where there are some");
	is_in(found.p, "org>" N " <123456789", "before a blank, which stays");
	is_number(m.own.flags, MSG_LONG, "and what could not be is known");
	message_free(&m);
	str_clear(&in);
	str_puts(&in, "DKIM-Signature: x\nA: ");
	put_many(&in, "<123456789@example.org> ", 100);
	str_puts(&in, "\n\nc\n");
	(void)form_of(&m, in.p, in.len, false, 0, &found);
	ok(longest(found.p) > 2000 && m.own.flags == MSG_LONG, "a header that is signed is not folded");
	message_free(&m);
	str_clear(&in);
	str_puts(&in, "Content-Type: multipart/signed; boundary=x\n\n");
	put_many(&in, "x", 5000);
	(void)form_of(&m, in.p, in.len, false, 0, &found);
	ok(longest(found.p) == 5000 && m.own.flags == MSG_LONG, "a long line of several parts stays");
	message_free(&m);
	str_free(&in);
	str_free(&found);
}

void
test_repair(void)
{
	test_rows();
	test_edges();
	test_words();
	test_long_words();
	test_messages();
	test_large_body();
	test_long_lines();
}
