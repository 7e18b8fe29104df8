/*
 * unit_text - tests of str, and of the store for messages.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "store.h"
#include "unit.h"

static void
test_str(void)
{
	struct str s = { 0 };
	char expected[400];
	struct strings l = { 0 };
	size_t i;

	is_text(str_text(&s), "", "an empty string is text");
	str_put(&s, "a\0b", 3);
	str_putc(&s, 'c');
	is_bytes(s.p, s.len, BYTES("a\0bc"), "octets are kept, NUL among them");
	ok(s.p[s.len] == '\0', "a NUL stands behind");
	str_clear(&s);
	is_text(str_text(&s), "", "cleared");
	str_put(&s, NULL, 0);
	is_number((long long)s.len, 0, "nothing put is nothing");

	memset(expected, 'x', sizeof expected);
	expected[sizeof expected - 1] = '\0';
	str_printf(&s, "%d-", 7);
	str_printf(&s, "%s", expected); /* more than the room that is made beforehand */
	ok(s.len == 2 + strlen(expected) && strncmp(s.p, "7-xxx", 5) == 0 && strcmp(s.p + 2, expected) == 0,
	    "a long text is formatted whole");
	str_clear(&s);
	for (i = 0; i < 300; i++) /* every length around the room that there is */
		str_printf(&s, "%s", "y");
	ok(s.len == 300 && strspn(s.p, "y") == 300, "many short texts in a row");
	str_free(&s);
	ok(s.p == NULL && s.len == 0 && s.cap == 0, "freed is empty");

	for (i = 0; i < 40; i++)
		strings_add(&l, "word");
	ok(l.n == 40 && strcmp(l.v[0], "word") == 0 && strcmp(l.v[39], "word") == 0, "a list grows");
	strings_free(&l);
	ok(l.n == 0 && l.v == NULL, "a list is freed");
}

static void
test_printable(void)
{
	struct str once = { 0 }, twice = { 0 }, all = { 0 };
	bool plain = true;
	size_t i;

	for (i = 0; i < 256; i++) {
		char c = (char)i;

		str_put(&all, &c, 1);
	}
	str_printable(&once, all.p, all.len);
	for (i = 0; i < once.len; i++)
		plain = plain && once.p[i] >= ' ' && once.p[i] < 0x7f;
	ok(plain, "of 256 octets nothing unprintable is left");
	str_printable(&twice, once.p, once.len);
	is_bytes(twice.p, twice.len, once.p, once.len, "printable twice is as once");
	str_clear(&once);
	str_printable(&once, BYTES("a \\ \"b\" \t\r\n\033[31m"));
	is_text(once.p, "a \\ \"b\" \\t\\r\\n^[[31m", "controls become words, the rest stays");
	str_clear(&once);
	str_puts(&once, "x");
	str_printable(&once, "", 0);
	is_text(once.p, "x", "nothing printable is nothing");
	str_free(&once);
	str_free(&twice);
	str_free(&all);
}

static void
test_ascii(void)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} pairs[] = {
		{ "", "", true }, { "EHLO", "ehlo", true },
		{ "a[", "A{", false }, /* 0x20 apart, and no letters */
		{ "@", "`", false }, { "ab", "a", false }, { "a", "ab", false },
		{ "\303\204", "\303\244", false }, /* other letters are left alone */
	};
	static const char high[] = "0123456\2000123456789\200";
	bool good = true;
	size_t i, k;

	for (i = 0; i < COUNT(pairs); i++)
		ok(ascii_eq(pairs[i].a, pairs[i].b) == pairs[i].equal, "\"%s\" %s \"%s\"", pairs[i].a,
		    pairs[i].equal ? "is" : "is not", pairs[i].b);
	ok(ascii_eqn("SIZE=1", "size 2", 4) && !ascii_eqn("SIZE=1", "size 2", 5), "only the first n count");
	ok(ascii_eqn("a", "a", 10), "n may be larger than both");

	ok(ascii_clean("a b~\303\244"), "blanks and letters are clean");
	for (i = 1; i < 256; i++) {
		char z[] = { 'a', (char)i, '\0' };

		good = good && ascii_clean(z) == (i >= ' ' && i != 0x7f);
	}
	ok(good, "of all octets the controls alone are not");

	good = true;
	for (i = 0; i < sizeof high; i++)
		for (k = i; k < sizeof high; k++)
			good = good &&
			    has_8bit(high + i, k - i) == (memchr(high + i, 0x80, k - i) != NULL);
	ok(good, "an octet above 127 is found wherever it is");
}

static void
test_nearest(void)
{
	static const char *const names[] = { "server", "user", "password", "password-file", "tls",
		"timeout", NULL };
	static const struct {
		const char *word, *near;
	} rows[] = {
		{ "sever", "server" },
		{ "SERVER", "server" },
		{ "servers", "server" },
		{ "usr", "user" },
		{ "pasword", "password" },
		{ "password_file", "password-file" },
		{ "tsl", "tls" },
		{ "tlss", "tls" },
		{ "time-out", "timeout" },
		{ "colour", NULL },
		{ "", NULL },
		{ "a word that is much longer than any name that there is", NULL },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		is_text(nearest(rows[i].word, names), rows[i].near, "nearest to \"%s\"", rows[i].word);
}

void
test_text(void)
{
	test_str();
	test_printable();
	test_ascii();
	test_nearest();
}

/* ---- store */

/* All that is in the store, read from `at` on. */
static int
contents(const struct store *s, off_t at, struct str *to, struct status *st)
{
	char *buf = xalloc(1, STORE_CHUNK);
	const char *p;
	ssize_t n;

	str_clear(to);
	while ((n = store_view(s, at, buf, &p, st)) > 0) {
		str_put(to, p, (size_t)n);
		at += n;
	}
	free(buf);
	return (int)n;
}

/* `total` octets in pieces of `piece`, and back. */
static void
round_trip(size_t total, size_t piece, bool in_file)
{
	struct str in = { 0 }, out = { 0 };
	struct store s;
	struct status st;
	size_t i, n;
	int r = 0;

	for (i = 0; i < total; i++)
		str_putc(&in, (char)(i * 7 + i / 251));
	store_init(&s);
	for (i = 0; r == 0 && i < total; i += n) {
		n = piece < total - i ? piece : total - i;
		r = store_put(&s, in.p + i, n, &st);
	}
	ok(r == 0 && store_size(&s) == (off_t)total && (s.fd != -1) == in_file,
	    "%zu octets by %zu are kept in %s", total, piece, in_file ? "a file" : "memory");
	if (contents(&s, 0, &out, &st) == -1)
		note("%s", st.text);
	is_bytes(out.p, out.len, in.p, in.len, "%zu octets by %zu are read back", total, piece);
	ok(contents(&s, 0, &out, &st) == 0 && out.len == total, "and a second time");
	if (total > 70000) {
		r = contents(&s, 69999, &out, &st);
		is_bytes(out.p, out.len, in.p + 69999, in.len - 69999, "and from the middle on");
	}
	store_free(&s);
	ok(s.fd == -1 && store_size(&s) == 0, "freed is empty");
	str_free(&in);
	str_free(&out);
}

static void
full_disk(void)
{
	struct rlimit limit, old;
	struct store s;
	struct status st;
	char block[4096];
	int r = 0, i;

	memset(block, 'x', sizeof block);
	memset(&st, 0, sizeof st);
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		return;
	limit = old;
	limit.rlim_cur = 300 * 1024;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	store_init(&s);
	for (i = 0; r == 0 && i < 200; i++)
		r = store_put(&s, block, sizeof block, &st);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	is_number(r, -1, "800 KiB where a file has 300 at most are refused");
	is_status(&st, "4.3.1", 75, "as a disk that is full");
	store_free(&s);
}

void
test_store(void)
{
	char *dir = getenv("TMPDIR") != NULL ? xstrdup(getenv("TMPDIR")) : NULL;
	struct store s;
	struct status st;
	char *big = xalloc(1, 300 * 1024);

	round_trip(0, 1, false);
	round_trip(1, 1, false);
	round_trip(256 * 1024 - 1, 65536, false);
	round_trip(256 * 1024, 65536, true);
	round_trip(256 * 1024 + 1, 65535, true);
	round_trip(1000003, 1013, true);
	round_trip(3 * 1024 * 1024, 3 * 1024 * 1024, true);
	full_disk();

	(void)setenv("TMPDIR", "/nonexistent/directory", 1);
	store_init(&s);
	is_number(store_put(&s, big, 100, &st), 0, "a small message needs no directory for files");
	is_number(store_put(&s, big, 300 * 1024, &st), -1, "a large one does");
	ok(st.class == 4 && st.subject == 3 && status_exit(&st) == 75, "and that is for another time");
	is_in(st.text, "/nonexistent/directory", "the directory is named");
	is_in(st.text, "TMPDIR", "and the variable");
	store_free(&s);
	if (dir != NULL)
		(void)setenv("TMPDIR", dir, 1);
	else
		(void)unsetenv("TMPDIR");
	free(dir);
	free(big);
}
