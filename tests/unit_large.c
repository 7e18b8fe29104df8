/*
 * unit_large - tests of large messages, and of messages on their way out.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "unit.h"

#define CHUNK 65536 /* what a read of the source and of the store takes */

static int
take(struct message *m, const struct str *in, size_t piece, struct status *st)
{
	struct str none = { 0 };
	struct peer p;
	int r;

	memset(st, 0, sizeof *st);
	feed_start(&p, in->p, in->len, piece);
	r = message_open(m, p.fd, false, st);
	if (r == 0)
		r = message_finish(m, &none, st);
	(void)peer_end(&p);
	return r;
}

/* The same from a file, where every read but the last is full. */
static int
take_file(struct message *m, const struct str *in, struct status *st)
{
	struct str none = { 0 };
	int fd = open(scratch("large", ""), O_RDWR), r;

	write_all(fd, in->p, in->len);
	(void)lseek(fd, 0, SEEK_SET);
	r = message_open(m, fd, false, st);
	if (r == 0)
		r = message_finish(m, &none, st);
	(void)close(fd);
	return r;
}

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
	free(buf);
}

static void
fill_to(struct str *s, size_t len, char c)
{
	while (s->len < len)
		str_putc(s, s->len % 70 == 69 ? '\n' : c);
}

/* What a plain reader makes of line ends, octet by octet. */
static void
plain_lines(const struct str *in, struct str *out)
{
	size_t i, crs = 0;

	str_clear(out);
	for (i = 0; i < in->len; i++) {
		char c = in->p[i];

		if (c == '\r') {
			crs++;
			continue;
		}
		if (c == '\n')
			crs = 1;
		for (; crs > 0; crs--)
			str_puts(out, "\r\n");
		if (c != '\n')
			str_putc(out, c);
	}
	for (; crs > 0; crs--)
		str_puts(out, "\r\n");
	if (out->p[out->len - 1] != '\n')
		str_puts(out, "\r\n");
}

/* Line ends of every kind, at every place around the end of a read. */
static void
test_ends(void)
{
	static const char *const ends[] = { "\n", "\r\n", "\r", "\r\r\n", "\r\r", "\n\r", "\r\n\r\n",
		"\r\n\r", "\n.\n", "\r.\r" };
	struct str in = { 0 }, found = { 0 }, wanted = { 0 };
	struct message m;
	struct status st;
	size_t i, before;

	for (i = 0; i < COUNT(ends); i++) {
		bool good = true;

		for (before = 0; good && before <= 5; before++) {
			str_clear(&in);
			str_puts(&in, "A: b\n\n");
			fill_to(&in, CHUNK - before, 'x');
			str_puts(&in, ends[i]);
			fill_to(&in, 2 * CHUNK - before, 'y');
			str_puts(&in, ends[i]);
			str_puts(&in, "end");
			plain_lines(&in, &wanted);
			good = take_file(&m, &in, &st) == 0;
			stored(&m, &found);
			good = good && found.len == wanted.len && memcmp(found.p, wanted.p, found.len) == 0;
			message_free(&m);
		}
		if (good)
			ok(true, "line end %s around the end of a read", ends[i]);
		else
			is_bytes(found.p, found.len, wanted.p, wanted.len, "line end %s, %zu octets before",
			    ends[i], before - 1);
	}
	str_free(&in);
	str_free(&found);
	str_free(&wanted);
}

static void
put_field(struct str *s, const char *name, size_t octets)
{
	size_t end = s->len + octets;

	str_printf(s, "%s: ", name);
	while (s->len < end - 1)
		str_putc(s, 'x');
	str_putc(s, '\n');
}

static void
bound(const char *name, const struct str *in, bool taken)
{
	struct message m;
	struct status st;
	int r = take(&m, in, 0, &st);

	is_number(r, taken ? 0 : -1, "%s is %s", name, taken ? "taken" : "refused");
	if (!taken)
		is_status(&st, "5.6.0", 65, "as a header that is too large");
	message_free(&m);
}

static void
test_bounds(void)
{
	struct str in = { 0 };
	size_t i;

	put_field(&in, "A", HEADER_MAX - 1000);
	str_puts(&in, "\nbody\n");
	bound("a field of nearly a header's size", &in, true);
	str_clear(&in);
	put_field(&in, "A", HEADER_MAX + 1000);
	str_puts(&in, "\nbody\n");
	bound("a field of more than that", &in, false);
	str_clear(&in);
	for (i = 0; i < 12; i++)
		put_field(&in, "A", HEADER_MAX / 10);
	str_puts(&in, "\nbody\n");
	bound("a header of fields that are too many", &in, false);
	str_clear(&in);
	str_puts(&in, "A: b\n");
	while (in.len < HEADER_MAX + 1000)
		str_puts(&in, " folded\n");
	str_puts(&in, "\nbody\n");
	bound("a field of folded lines that are too many", &in, false);
	str_clear(&in);
	str_puts(&in, "Bcc: b\n");
	while (in.len < HEADER_MAX * 3)
		str_puts(&in, " folded\n");
	str_puts(&in, "\nbody\n");
	bound("the same in a field that goes", &in, false);
	str_clear(&in);
	fill_to(&in, HEADER_MAX * 2, 'x');
	bound("a body without a header", &in, true);
	str_clear(&in);
	while (in.len < HEADER_MAX * 2)
		str_putc(&in, 'x');
	bound("a body of one line", &in, true);
	str_clear(&in);
	str_puts(&in, "A: b\n\n");
	fill_to(&in, HEADER_MAX * 3, 'x');
	bound("a large body", &in, true);
	str_free(&in);
}

/* What is added to a header counts, too: what was taken once is taken again when it comes from the spool. */
static void
test_bounds_of_added(void)
{
	static const size_t left[] = { 100, 60, 47, 46, 45, 20, 1, 0 };
	struct str in = { 0 }, fields = { 0 }, again = { 0 };
	struct message m, second;
	struct status st;
	struct peer p;
	size_t i;
	int r;

	put_field(&fields, "Date", 47);
	str_cut(&fields, 1);
	str_puts(&fields, "\r\n");
	for (i = 0; i < sizeof left / sizeof left[0]; i++) {
		str_clear(&in);
		put_field(&in, "A", HEADER_MAX - 1 - left[i]); /* and a CR */
		str_puts(&in, "\nbody\n");
		feed_start(&p, in.p, in.len, 0);
		r = message_open(&m, p.fd, false, &st);
		is_number(r, 0, "a header with %zu octets left is read", left[i]);
		r = message_finish(&m, &fields, &st);
		(void)peer_end(&p);
		is_number(r, left[i] >= fields.len ? 0 : -1, "with %zu left, %zu are added", left[i],
		    fields.len);
		if (r == 0) {
			stored(&m, &again);
			is_number(take(&second, &again, 0, &st), 0, "and it can be read again");
			message_free(&second);
		} else
			is_status(&st, "5.6.0", 65, "as a header that is too large");
		message_free(&m);
	}
	str_free(&in);
	str_free(&fields);
	str_free(&again);
}

static void
test_long(void)
{
	static const struct {
		size_t header, body;
		bool is_long;
	} lines[] = {
		{ 998, 998, false },
		{ 999, 1, true },
		{ 5, 999, true },
		{ 5, 200000, true },
	};
	struct str in = { 0 };
	struct message m;
	struct status st;
	size_t i, k, before;

	for (i = 0; i < COUNT(lines); i++)
		for (k = 0; k < 2; k++) {
			int r;

			str_clear(&in);
			put_field(&in, "A", lines[i].header + 1);
			str_puts(&in, "Content-Type: application/x\n\n"); /* not to be altered */
			for (before = in.len; in.len < before + lines[i].body;)
				str_putc(&in, 'x');
			str_puts(&in, k == 0 ? "\n" : "\r\nx");
			r = take(&m, &in, i < 3 ? 100 : 0, &st);
			ok(r == 0 && m.own.flags == (lines[i].is_long ? MSG_LONG : 0),
			    "lines of %zu and %zu are %s", lines[i].header, lines[i].body,
			    lines[i].is_long ? "long" : "not long");
			message_free(&m);
		}
	str_free(&in);
}

void
test_large(void)
{
	test_ends();
	test_bounds();
	test_bounds_of_added();
	test_long();
}

/* ---- on the wire */

static int
swallow(int fd, const void *arg)
{
	const struct str *wanted = arg;
	struct str found = { 0 };
	bool good;

	read_all(fd, &found);
	good = found.len == wanted->len && memcmp(found.p, wanted->p, found.len) == 0;
	str_free(&found);
	return good ? 0 : 3;
}

/* RFC 5321 4.5.2, octet by octet. */
static void
stuff(const struct str *in, struct str *out)
{
	size_t i;

	str_clear(out);
	for (i = 0; i < in->len; i++) {
		if (in->p[i] == '.' && (i == 0 || in->p[i - 1] == '\n'))
			str_putc(out, '.');
		str_putc(out, in->p[i]);
	}
	str_puts(out, ".\r\n");
}

/* Does a server see `wanted` when this message is sent? */
static bool
sent_as(const struct str *in, const struct str *wanted)
{
	struct message m;
	struct stream *s;
	struct status st;
	struct peer p;
	bool good;

	if (take_file(&m, in, &st) == -1) {
		note("%s", st.text);
		message_free(&m);
		return false;
	}
	peer_start(&p, swallow, wanted);
	s = stream_new(p.fd, p.fd);
	stream_phase(s, PH_BODY, 20000);
	good = message_send(&m.own, s, &st) == 0;
	stream_put(s, ".\r\n", 3);
	good = good && stream_flush(s) == 0;
	stream_free(&s);
	p.fd = -1;
	good = peer_end(&p) == 0 && good;
	message_free(&m);
	return good;
}

static void
test_dot_rows(void)
{
	static const struct {
		const char *in, *wire;
	} rows[] = {
		{ "A: b\n\nc\n", "A: b\r\n\r\nc\r\n.\r\n" },
		{ "A: b\n\n.\n", "A: b\r\n\r\n..\r\n.\r\n" },
		{ "A: b\n\n..\n", "A: b\r\n\r\n...\r\n.\r\n" },
		{ "A: b\n\n.c\n.d\n", "A: b\r\n\r\n..c\r\n..d\r\n.\r\n" },
		{ "A: b\n\n.\n.\n\n.", "A: b\r\n\r\n..\r\n..\r\n\r\n..\r\n.\r\n" },
		{ "A: b\n\nc.\n c\n.", "A: b\r\n\r\nc.\r\n c\r\n..\r\n.\r\n" },
		{ "A: b\n\nc\r.\rd", "A: b\r\n\r\nc\r\n..\r\nd\r\n.\r\n" },
		{ ".A: b\n\nc\n", "..A: b\r\n\r\nc\r\n.\r\n" }, /* odd, and a field all the same */
		{ ".\n", "\r\n..\r\n.\r\n" },
		{ "A: b\n\n", "A: b\r\n\r\n.\r\n" },
		{ "\n", "\r\n.\r\n" },
	};
	struct str in = { 0 }, wire = { 0 };
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		str_clear(&in);
		str_clear(&wire);
		str_puts(&in, rows[i].in);
		str_puts(&wire, rows[i].wire);
		ok(sent_as(&in, &wire), "dots of %s", rows[i].in);
	}
	str_free(&in);
	str_free(&wire);
}

static void
test_dot_chunks(void)
{
	struct str in = { 0 }, all = { 0 }, wire = { 0 };
	struct message m;
	struct status st;
	size_t before;

	/* the store keeps 256 KiB in memory, so these lie in its file, and are read by chunks */
	for (before = 0; before <= 6; before++) {
		str_clear(&in);
		str_puts(&in, "A: b\r\n\r\n");
		while (in.len < 6 * CHUNK) {
			size_t end = (in.len / CHUNK + 1) * CHUNK - before;

			while (in.len < end)
				str_putc(&in, 'x');
			str_puts(&in, "\r\n.\r\n..\r\nx");
		}
		if (take_file(&m, &in, &st) == -1)
			note("%s", st.text);
		stored(&m, &all);
		message_free(&m);
		stuff(&all, &wire);
		ok(sent_as(&in, &wire), "dots %zu octets before the end of a chunk", before);
	}
	str_clear(&in);
	str_puts(&in, "A: b\n\n");
	while (in.len < 400000)
		str_puts(&in, ".\n");
	if (take_file(&m, &in, &st) == -1)
		note("%s", st.text);
	stored(&m, &all);
	message_free(&m);
	stuff(&all, &wire);
	ok(sent_as(&in, &wire), "a message of dots");
	str_free(&in);
	str_free(&all);
	str_free(&wire);
}

void
test_dots(void)
{
	test_dot_rows();
	test_dot_chunks();
}
