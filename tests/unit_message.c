/*
 * unit_message - tests of messages: what is stored of what came in.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "unit.h"

#define N "\r\n"
#define TYPED \
	"MIME-Version: 1.0" N "Content-Type: text/plain; charset=us-ascii" N \
	"Content-Transfer-Encoding: quoted-printable" N N

static const struct {
	const char *name;
	const char *in;
	size_t len;
	const char *stored;
	unsigned flags;
} rows[] = {
	/* line ends */
	{ "lines end with LF", BYTES("A: b\n\nc\n"), "A: b" N N "c" N, 0 },
	{ "lines end with CRLF", BYTES("A: b\r\n\r\nc\r\n"), "A: b" N N "c" N, 0 },
	{ "lines end with CR", BYTES("A: b\r\rc\r"), "A: b" N N "c" N, 0 },
	{ "lines end in all ways", BYTES("A: b\rB: c\nC: d\r\n\rx\ny\r\nz\r"),
	    "A: b" N "B: c" N "C: d" N N "x" N "y" N "z" N, 0 },
	{ "CR CR LF is one end", BYTES("A: b\r\r\nB: c\r\r\r\n\r\r\nd\r\r\r\r\ne\r\r\n"),
	    "A: b" N "B: c" N N "d" N "e" N, 0 },
	{ "CR CR is two", BYTES("A: b\n\nc\r\rd\r\r\re"), "A: b" N N "c" N N "d" N N N "e" N, 0 },
	{ "LF CR is two", BYTES("A: b\n\rc\n\rd\n\r\ne"), "A: b" N N "c" N N "d" N N "e" N, 0 },
	{ "no end at the end of the body", BYTES("A: b\n\nc"), "A: b" N N "c" N, 0 },
	{ "CR at the end of the body", BYTES("A: b\n\nc\r"), "A: b" N N "c" N, 0 },
	{ "CRs at the end of the body", BYTES("A: b\n\nc\r\r"), "A: b" N N "c" N N, 0 },
	{ "no end at the end of the header", BYTES("A: b"), "A: b" N N, 0 },
	{ "CR at the end of the header", BYTES("A: b\r"), "A: b" N N, 0 },
	{ "CRs at the end of the header", BYTES("A: b\r\r"), "A: b" N N, 0 },
	{ "one end more", BYTES("A: b\n\n\n"), "A: b" N N N, 0 },
	{ "CRs end header and body", BYTES("A: b\r\r\r"), "A: b" N N N, 0 },
	{ "CRs before a body", BYTES("A: b\r\r\r\rc"), "A: b" N N N N "c" N, 0 },
	{ "CRs, and an LF after them", BYTES("A: b\r\r\r\n\nc"), "A: b" N N "c" N, 0 },
	{ "no body", BYTES("A: b\n\n"), "A: b" N N, 0 },
	{ ">From within a header", BYTES("A: b\n>From x\nBcc: x@y\n\nc\n"), "A: b" N N "c" N, 0 },
	{ ">From that is text", BYTES("A: b\n>From here on\ntext\n"), "A: b" N N ">From here on" N
	    "text" N, 0 },
	{ ">From in a folded field", BYTES("A: b\n>From x\n c\ntext\n"), "A: b" N " c" N N "text" N, 0 },
	{ ">From with CR CR behind it", BYTES("A: b\r>From x\r\rc\r"), "A: b" N N "c" N, 0 },
	{ "header without an end", BYTES("A: b\nB: c"), "A: b" N "B: c" N N, 0 },
	{ "a progress bar", BYTES("A: b\n\n10%\r20%\r\n"), "A: b" N N "10%" N "20%" N, 0 },
	{ "blanks at the end of lines stay", BYTES("A: b \n\nc \n \n\t\n"), "A: b " N N "c " N " " N "\t" N,
	    0 },
	{ "dots are nothing special", BYTES("A: b\n\n.\n..\n.c\n.\n"), "A: b" N N "." N ".." N ".c" N "." N,
	    0 },

	/* no header */
	{ "one line of text", BYTES("hello\n"), N "hello" N, 0 },
	{ "no line end at all", BYTES("hello"), N "hello" N, 0 },
	{ "text that begins with a blank line", BYTES("\nhello\n"), N "hello" N, 0 },
	{ "text that begins with CRLF", BYTES("\r\nhello\n"), N "hello" N, 0 },
	{ "text that begins with CR", BYTES("\rhello\n"), N "hello" N, 0 },
	{ "nothing but line ends", BYTES("\n\n\n"), N N N, 0 },
	{ "nothing but CRs", BYTES("\r\r\r"), N N N, 0 },
	{ "text that begins with blanks", BYTES("  a: b\nc\n"), N "  a: b" N "c" N, 0 },
	{ "text with a colon later", BYTES("dear Bob:\nhello\n"), N "dear Bob:" N "hello" N, 0 },
	{ "a line that begins with a colon", BYTES(": x\n"), N ": x" N, 0 },
	{ "a NUL is no field name", BYTES("A\0: b\r\rc"), TYPED "A=00: b" N N "c" N, 0 },
	{ "a NUL behind an mbox line", BYTES("From a@b Mon Nov 24 01:02:03 2026\n\0\r\rc"),
	    TYPED "=00" N N "c" N, 0 },
	{ "a NUL in an mbox line", BYTES("From a@b Mon \0\r\rc"), N "c" N, 0 },
	{ "8-bit is no field name", BYTES("B\303\274cher: x\n"), N "B\303\274cher: x" N, MSG_8BIT },
	{ "a control is no field name", BYTES("A\033: x\n"), N "A\033: x" N, 0 },
	{ "text behind fields", BYTES("A: b\nhello\nB: c\n\nd\n"), "A: b" N N "hello" N "B: c" N N "d" N,
	    0 },
	{ "text behind fields, with CRs", BYTES("A: b\rhello\r\rd"), "A: b" N N "hello" N N "d" N, 0 },
	{ "From at the begin of a sentence", BYTES("From now on\nhello\n"), N "From now on" N "hello" N,
	    0 },
	{ "the same before a blank line", BYTES("From now on\n\nA: b\n"), N "From now on" N N "A: b" N, 0 },
	{ "the same with CRs", BYTES("From now on\r\rA: b\r"), N "From now on" N N "A: b" N, 0 },
	{ "the same alone", BYTES("From now on"), N "From now on" N, 0 },

	/* fields */
	{ "folded", BYTES("A: b\n c\n\td\nB:\n e\n\nf\n"), "A: b" N " c" N "\td" N "B:" N " e" N N "f" N,
	    0 },
	{ "folded with CRs", BYTES("A: b\r c\r\td\r\rf"), "A: b" N " c" N "\td" N N "f" N, 0 },
	{ "folded to blanks alone", BYTES("A: b\n \n\t\nB: c\n\nd"), "A: b" N " " N "\t" N "B: c" N N "d" N,
	    0 },
	{ "no blank behind the colon", BYTES("A:b\n\n"), "A:b" N N, 0 },
	{ "blanks before the colon", BYTES("A \t: b\n\n"), "A \t: b" N N, 0 },
	{ "no value", BYTES("A:\nB: \n\n"), "A:" N "B: " N N, 0 },
	{ "odd names", BYTES("!#$%&'*+-/09=?^_`{|}~: x\n\n"), "!#$%&'*+-/09=?^_`{|}~: x" N N, 0 },
	{ "8-bit in a value", BYTES("A: \303\274\n\nx\n"), "A: \303\274" N N "x" N, MSG_8BIT | MSG_UTF8 },
	{ "8-bit in the body", BYTES("A: b\n\n\303\274\n"), "A: b" N N "\303\274" N, MSG_8BIT },

	/* Bcc, in every form */
	{ "Bcc", BYTES("A: b\nBcc: x@y\nC: d\n\ne\n"), "A: b" N "C: d" N N "e" N, 0 },
	{ "Bcc in capitals", BYTES("BCC: x@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "bcc in small letters", BYTES("bcc:x@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc with a blank", BYTES("Bcc : x@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc with blanks", BYTES("bCc \t : x@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc folded", BYTES("A: b\nBcc: x@y,\n z@y,\n\tw@y\nC: d\n\n"), "A: b" N "C: d" N N, 0 },
	{ "Bcc folded at once", BYTES("Bcc:\n x@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc folded with a blank line", BYTES("Bcc: x@y,\n \n z@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc folded with CRs", BYTES("A: b\rBcc: x@y,\r z@y\rC: d\r\re"), "A: b" N "C: d" N N "e" N, 0 },
	{ "Bcc with CR CR LF", BYTES("Bcc: x@y,\r\r\n z@y\r\r\nA: b\r\r\n\r\n"), "A: b" N N, 0 },
	{ "Bcc twice", BYTES("Bcc: x@y\nBcc: z@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc without a value", BYTES("Bcc:\nA: b\n\n"), "A: b" N N, 0 },
	{ "Bcc last, no end", BYTES("A: b\nBcc: x@y"), "A: b" N N, 0 },
	{ "Bcc before text", BYTES("A: b\nBcc: x@y\nhello\n"), "A: b" N N "hello" N, 0 },
	{ "Bcc alone", BYTES("Bcc: x@y\n\nhello\n"), N "hello" N, 0 },
	{ "Bcc alone, CRs", BYTES("Bcc: x@y\r\rhello"), N "hello" N, 0 },
	{ "Resent-Bcc", BYTES("Resent-Bcc: x@y\nRESENT-BCC : z@y\nA: b\n\n"), "A: b" N N, 0 },
	{ "Return-Path", BYTES("Return-Path: <x@y>\nA: b\nreturn-path : <>\n\n"), "A: b" N N, 0 },
	{ "names that only resemble", BYTES("Bccx: a\nX-Bcc: b\nBc: c\nReturn-Paths: d\n\n"),
	    "Bccx: a" N "X-Bcc: b" N "Bc: c" N "Return-Paths: d" N N, 0 },
	{ "Bcc in the body", BYTES("A: b\n\nBcc: x@y\n"), "A: b" N N "Bcc: x@y" N, 0 },
	{ "Bcc in a folded line", BYTES("A: b\n Bcc: x@y\n\n"), "A: b" N " Bcc: x@y" N N, 0 },

	/* a mailbox file's first line */
	{ "mbox", BYTES("From a@b Mon Nov 24 01:02:03 2026\nA: b\n\nc\n"), "A: b" N N "c" N, 0 },
	{ "mbox, two blanks", BYTES("From a@b  Sun Nov 24 01:02:03 2026\nA: b\n\nc\n"), "A: b" N N "c" N,
	    0 },
	{ "mbox with CRs", BYTES("From a@b Mon Nov 24 01:02:03 2026\rA: b\r\rc"), "A: b" N N "c" N, 0 },
	{ "mbox of another kind", BYTES("From a@b 2026-11-24\nA: b\n\nc\n"), "A: b" N N "c" N, 0 },
	{ "mbox before a Bcc", BYTES("From a@b Mon Nov 24 01:02:03 2026\nBcc: x@y\n\nc\n"), N "c" N, 0 },
	{ "mbox before text", BYTES("From a@b Mon Nov 24 01:02:03 2026\nhello\n"), N "hello" N, 0 },
	{ "mbox before a blank line", BYTES("From a@b Mon Nov 24 01:02:03 2026\n\nc\n"), N "c" N, 0 },
	{ "mbox alone", BYTES("From a@b Mon Nov 24 01:02:03 2026\n"), N, 0 },
	{ "mbox further down", BYTES("A: b\nFrom a@b Mon Nov 24 01:02:03 2026\nC: d\n\n"),
	    "A: b" N N "From a@b Mon Nov 24 01:02:03 2026" N "C: d" N N, 0 },
	{ "mbox twice",
	    BYTES("From a@b Mon Nov 24 01:02:03 2026\nFrom a@b Mon Nov 24 01:02:03 2026\nA: b\n\n"),
	    N "From a@b Mon Nov 24 01:02:03 2026" N "A: b" N N, 0 },
	{ "a field called From", BYTES("From : a@b\nA: b\n\n"), "From : a@b" N "A: b" N N, 0 },
	{ "an escaped From", BYTES(">From a@b Mon Nov 24 01:02:03 2026\nA: b\n\n"),
	    N ">From a@b Mon Nov 24 01:02:03 2026" N "A: b" N N, 0 },
};

/* Message from `fd`, whole; 0, or -1 with *st. */
static int
take(struct message *m, int fd, const char *fields, struct status *st)
{
	struct str f = { 0 };
	int r;

	memset(st, 0, sizeof *st);
	str_puts(&f, fields);
	r = message_open(m, fd, false, st);
	if (r == 0)
		r = message_finish(m, &f, st);
	str_free(&f);
	return r;
}

/* All that is stored of it. */
static void
stored(const struct message *m, struct str *to)
{
	char *buf = xalloc(1, STORE_CHUNK);
	struct status st;
	const char *p;
	ssize_t n;

	str_clear(to);
	while ((n = store_view(&m->own.store, (off_t)to->len, buf, &p, &st)) > 0)
		str_put(to, p, (size_t)n);
	if (n == -1)
		note("%s", st.text);
	free(buf);
}

static int
take_feed(
    struct message *m, const char *in, size_t len, size_t piece, const char *fields, struct status *st)
{
	struct peer p;
	int r;

	feed_start(&p, in, len, piece);
	r = take(m, p.fd, fields, st);
	(void)peer_end(&p);
	return r;
}

static void
test_rows(void)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 0 };
	struct str found = { 0 };
	struct message m;
	struct status st;
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		bool good = true;
		unsigned flags = 0;

		for (k = 0; good && k < COUNT(pieces); k++) {
			good = take_feed(&m, rows[i].in, rows[i].len, pieces[k], "", &st) == 0;
			stored(&m, &found);
			flags = m.own.flags;
			good = good && message_size(&m) == (off_t)found.len && flags == rows[i].flags &&
			    strcmp(str_text(&found), rows[i].stored) == 0;
			message_free(&m);
		}
		if (!good) {
			is_text(str_text(&found), rows[i].stored, "%s, read by %zu octets", rows[i].name,
			    pieces[k - 1]);
			note("flags %u, wanted %u; %s", flags, rows[i].flags, st.text);
			continue;
		}
		ok(true, "%s", rows[i].name);
		/* what is stored is what is stored of it */
		if (take_feed(&m, found.p, found.len, 0, "", &st) == 0) {
			struct str again = { 0 };

			stored(&m, &again);
			if (strcmp(str_text(&again), found.p) != 0)
				is_text(str_text(&again), found.p, "%s, stored twice", rows[i].name);
			str_free(&again);
		}
		message_free(&m);
	}
	str_free(&found);
}

static void
test_fields(void)
{
	static const char add[] = "X: 1\r\nY: 2\r\n";
	struct str found = { 0 };
	struct message m;
	struct status st;

	(void)take_feed(&m, BYTES("A: b\nBcc: x\n\nc\n"), 0, add, &st);
	stored(&m, &found);
	is_text(str_text(&found), "A: b" N "X: 1" N "Y: 2" N N "c" N, "fields are added to the header");
	message_free(&m);
	(void)take_feed(&m, BYTES("A: b"), 0, add, &st);
	stored(&m, &found);
	is_text(str_text(&found), "A: b" N "X: 1" N "Y: 2" N N, "also when its end is missing");
	message_free(&m);
	(void)take_feed(&m, BYTES("hello\n"), 0, add, &st);
	stored(&m, &found);
	is_text(str_text(&found), "X: 1" N "Y: 2" N N "hello" N, "and when all of it is");
	message_free(&m);
	(void)take_feed(&m, BYTES("A: b\nhello\n"), 0, add, &st);
	stored(&m, &found);
	is_text(str_text(&found), "A: b" N "X: 1" N "Y: 2" N N "hello" N, "and when the blank line is");
	message_free(&m);
	(void)take_feed(&m, BYTES("A: b\n\n"), 0, "X: \303\274\r\n", &st);
	is_number(m.own.flags, MSG_8BIT | MSG_UTF8, "8-bit of a field that is added counts");
	message_free(&m);
	str_free(&found);
}

static void
test_facts(void)
{
	struct message m;
	struct status st;

	(void)take_feed(
	    &m, BYTES("date: x\nFROM : Bob\r\n <bob@x>, \n eve@y \nMessage-Id:\n <1@x> \n\n"), 0, "", &st);
	ok(m.has_date && m.has_from && m.has_id, "Date, From and Message-ID are seen, in any spelling");
	is_text(str_text(&m.from), "Bob <bob@x>,  eve@y", "From is unfolded");
	is_text(str_text(&m.id), "<1@x>", "so is Message-ID");
	message_free(&m);
	(void)take_feed(
	    &m, BYTES("From: a@x\nFrom: b@y\nMessage-ID: <1>\nMessage-ID: <2>\n\n"), 0, "", &st);
	is_text(str_text(&m.from), "a@x", "the first From counts");
	is_text(str_text(&m.id), "<1>", "and the first Message-ID");
	message_free(&m);
	(void)take_feed(
	    &m, BYTES("X-Date: a\nResent-From: b\nSubject: x\n Date: c\n\nFrom: d\nDate: e\n"), 0, "", &st);
	ok(!m.has_date && !m.has_from && !m.has_id && m.from.len == 0, "others and the body are not them");
	message_free(&m);
}

static void
refused(const char *in, size_t n, const char *enhanced, int code, const char *name)
{
	static const size_t pieces[] = { 1, 0 };
	struct message m;
	struct status st;
	size_t k;

	for (k = 0; k < COUNT(pieces); k++) {
		if (n > 1000 && pieces[k] == 1)
			continue;
		is_number(take_feed(&m, in, n, pieces[k], "", &st), -1, "%s is refused", name);
		is_status(&st, enhanced, code, "by its code");
		ok(st.phase == PH_LOCAL, "before anybody was asked");
		message_free(&m);
	}
}

static void
test_refused(void)
{
	struct message m;
	struct status st;
	int fd;

	refused("", 0, "5.6.0", 65, "an empty message");
	refused(BYTES("A: b\0c\n\nx\n"), "5.6.0", 65, "a NUL in the header");
	refused(BYTES("A: b\nB: c\n \0\r\rx\n"), "5.6.0", 65, "a NUL in its last line");
	refused(BYTES("Bcc: a@x, \0\n b@y\nA: b\n\nx\n"), "5.6.0", 65, "a NUL in a field that goes");
	fd = open("/", O_RDONLY);
	is_number(take(&m, fd, "", &st), -1, "what cannot be read is refused");
	is_status(&st, "4.3.0", 75, "for now");
	message_free(&m);
	(void)close(fd);
}

/* As typed on a terminal: every line is a read of its own, and a lone dot may end it. */
static void
test_typed(void)
{
	static const struct {
		const char *in, *without, *with;
	} typed[] = {
		{ "a\nb\n.\nc\n", N "a" N "b" N "." N "c" N, N "a" N "b" N },
		{ "a\n.b\n..\nc\n", N "a" N ".b" N ".." N "c" N, N "a" N ".b" N ".." N "c" N },
		{ "A: b\n\n.\n", "A: b" N N "." N, "A: b" N N },
		{ "A: b\n.\nc\n", "A: b" N N "." N "c" N, "A: b" N N },
	};
	struct str found = { 0 }, none = { 0 };
	struct message m;
	struct status st;
	int fds[2];
	size_t i;
	bool dot;

	for (i = 0; i < 2 * COUNT(typed); i++) {
		const char *p = typed[i / 2].in;
		int r;

		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1)
			break;
		for (; *p != '\0'; p = strchr(p, '\n') + 1)
			write_all(fds[1], p, (size_t)(strchr(p, '\n') + 1 - p));
		(void)close(fds[1]);
		dot = i % 2 == 1;
		r = message_open(&m, fds[0], dot, &st);
		if (r == 0)
			r = message_finish(&m, &none, &st);
		stored(&m, &found);
		is_text(r == 0 ? str_text(&found) : st.text, dot ? typed[i / 2].with : typed[i / 2].without,
		    "typed, a lone dot %s it: %s", dot ? "ends" : "does not end", typed[i / 2].in);
		message_free(&m);
		(void)close(fds[0]);
	}
	str_free(&found);
}

static void
test_added(void)
{
	struct str fields = { 0 };
	struct message m;
	char *first;

	message_add_date(&fields, 1795500000);
	is_text(fields.p, "Date: Tue, 24 Nov 2026 06:00:00 +0000" N, "a date of RFC 5322");
	(void)setenv("TZ", "IST-05:30", 1);
	tzset();
	str_clear(&fields);
	message_add_date(&fields, 0);
	is_text(fields.p, "Date: Thu, 01 Jan 1970 05:30:00 +0530" N, "in the time of the place");
	(void)setenv("TZ", "UTC", 1);
	tzset();
	str_clear(&fields);
	memset(&m, 0, sizeof m);
	store_init(&m.own.store);
	message_add_id(&m, &fields, 1795500000, "example.org");
	ok(strncmp(m.id.p, "<20261124060000.", 16) == 0 && strstr(m.id.p, "@example.org>") != NULL &&
		strchr(m.id.p, '>')[1] == '\0',
	    "a message id of RFC 5322");
	first = xstrdup(m.id.p);
	is_in(fields.p, first, "is a field");
	message_add_id(&m, &fields, 1795500000, "example.org");
	ok(strcmp(first, m.id.p) != 0, "and no two are the same");
	free(first);
	message_free(&m);
	str_free(&fields);
}

void
test_message(void)
{
	test_rows();
	test_fields();
	test_facts();
	test_refused();
	test_typed();
	test_added();
}
