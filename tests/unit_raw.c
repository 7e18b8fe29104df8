/*
 * unit_raw - tests of large files that are read as mail without being copied.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw.h"
#include "unit.h"

#define MOST 998
#define VIEW 65536
#define PIECE (1024 * 1024) /* as in raw.c */
#define WINDOW (4 * PIECE)
#define FLIPPED (1024 * 1024) /* octets, in lines that 8 octets hold */

/* What raw_open() should find, octet by octet. */
struct wanted {
	struct str mail;
	bool eight, nul, too_long, odd;
};

static void
by_hand(const struct str *file, size_t from, struct wanted *w)
{
	size_t i, line = 0;

	memset(w, 0, sizeof *w);
	for (i = from; i < file->len; i++) {
		char c = file->p[i];

		w->eight |= (c & 0x80) != 0;
		w->nul |= c == '\0';
		if (c == '\r' && (i + 1 == file->len || file->p[i + 1] != '\n'))
			w->odd = true;
		if (c == '\n' && (i == from || file->p[i - 1] != '\r'))
			str_putc(&w->mail, '\r');
		str_putc(&w->mail, c);
		line = c == '\n' ? 0 : line + (c != '\r');
		w->too_long |= line > MOST;
	}
	if (file->len > from && file->p[file->len - 1] != '\n')
		str_puts(&w->mail, "\r\n");
}

/* All of it, from `at` on. */
static bool
reads(struct raw *r, off_t at, const struct str *mail)
{
	static char buf[VIEW];
	struct status st;
	const char *p;
	ssize_t n;

	while ((n = raw_view(r, at, buf, sizeof buf, &p, &st)) > 0) {
		if ((size_t)at + (size_t)n > mail->len || memcmp(mail->p + at, p, (size_t)n) != 0)
			return false;
		at += n;
	}
	return n == 0 && (size_t)at == mail->len;
}

/* All of it, as it follows DATA. */
static bool
reads_stuffed(struct raw *r, const struct str *mail)
{
	static char buf[VIEW];
	size_t i, at = 0;
	struct str got = { 0 };
	struct status st;
	const char *p;
	bool good;
	ssize_t n;

	while ((n = raw_stuffed(r, got.len == 0, buf, sizeof buf, &p, &st)) > 0)
		str_put(&got, p, (size_t)n);
	for (i = 0, good = n == 0; good && i < mail->len; i++) {
		if (mail->p[i] == '.' && (i == 0 || mail->p[i - 1] == '\n'))
			good = at < got.len && got.p[at++] == '.';
		good = good && at < got.len && got.p[at++] == mail->p[i];
	}
	good = good && at == got.len;
	str_free(&got);
	return good;
}

static int
file_of(const struct str *text)
{
	const char *name = scratch("raw", "");
	int fd = open(name, O_RDWR | O_TRUNC | O_CLOEXEC);

	write_all(fd, str_text(text), text->len);
	return fd;
}

/* What is found in the file is what is there. */
static bool
found(const struct str *file, size_t from)
{
	struct raw_info info;
	struct wanted w;
	int fd = file_of(file);
	struct raw *r = raw_open(fd, (off_t)from, MOST, &info);
	bool good;

	by_hand(file, from, &w);
	good = w.odd == (r == NULL);
	if (r != NULL)
		good = good && info.size == (off_t)w.mail.len && info.eight == w.eight &&
		    info.nul == w.nul && info.too_long == w.too_long;
	raw_free(&r);
	(void)close(fd);
	str_free(&w.mail);
	return good;
}

/* The file's text read in every way is what it is by hand. */
static bool
agrees(const struct str *file, size_t from)
{
	struct raw_info info;
	struct wanted w;
	bool good;
	int fd = file_of(file);
	struct raw *r = raw_open(fd, (off_t)from, MOST, &info);

	by_hand(file, from, &w);
	if (r == NULL)
		good = w.odd || file->len == from;
	else {
		good = !w.odd && info.size == (off_t)w.mail.len && info.eight == w.eight &&
		    info.nul == w.nul && info.too_long == w.too_long &&
		    raw_end(r) == (off_t)file->len && reads(r, 0, &w.mail) && reads(r, 0, &w.mail);
		good &= reads_stuffed(r, &w.mail);
		good &= reads_stuffed(r, &w.mail); /* from the beginning again */
		good &= reads(r, (off_t)w.mail.len / 2, &w.mail) && reads(r, 1, &w.mail);
	}
	raw_free(&r);
	(void)close(fd);
	str_free(&w.mail);
	return good;
}

/* Lines of all lengths, with line ends of both kinds or of one, and now and then something odd. */
static void
make_up(struct str *file, size_t size, unsigned kind)
{
	str_clear(file);
	while (file->len < size) {
		size_t n = arc4random_uniform(arc4random_uniform(20) == 0 ? 1100 : 90);

		if (arc4random_uniform(4) == 0)
			n = arc4random_uniform(3);
		if (arc4random_uniform(3) == 0)
			str_puts(file, &"..."[arc4random_uniform(3)]);
		for (; n > 0; n--)
			str_putc(file, (char)('a' + arc4random_uniform(26)));
		if (arc4random_uniform(500) == 0 && (kind & 4) != 0)
			str_putc(file, "\xfc\0\r."[arc4random_uniform(4)]);
		if ((kind & 3) == 1 || ((kind & 3) == 2 && arc4random_uniform(2) == 0))
			str_putc(file, '\r');
		str_putc(file, '\n');
	}
	if ((kind & 8) != 0)
		str_puts(file, "no end");
}

/* A line of so many octets is not too long, and one more is. */
static void
at_the_limit(void)
{
	static const char *const ends[] = { "\n", "\r\n", "" };
	struct str file = { 0 };
	size_t i, n, k, wrong = 0;

	for (i = 0; i < COUNT(ends); i++)
		for (n = MOST - 2; n <= MOST + 3; n++) {
			str_clear(&file);
			str_puts(&file, "short\n");
			for (k = 0; k < n; k++)
				str_putc(&file, 'x');
			str_puts(&file, ends[i]);
			wrong += !agrees(&file, 0);
			str_puts(&file, "\nshort\n");
			wrong += !agrees(&file, 0);
		}
	is_number((long long)wrong, 0, "lines around the limit");
	str_free(&file);
}

/* Line ends and the end of the file on both sides of where another piece comes, or is mapped. */
static void
at_the_edge(size_t edge, const char *what)
{
	struct str file = { 0 };
	size_t wrong = 0, from = edge - 1000, k;
	int shift;

	for (shift = -3; shift <= 3; shift++) {
		str_clear(&file);
		while (file.len < edge - 70)
			str_puts(
			    &file, "a line of sixty octets, counted with the line end behind it\n");
		while (file.len + 2 < edge + (size_t)(shift + 3) - 3)
			str_putc(&file, 'y');
		str_puts(&file, "\r\n");
		wrong += !agrees(&file, from);
		str_puts(&file, "\n.\n\r\nmore");
		for (k = 0; k < 4; k++)
			wrong += !agrees(&file, from + k);
	}
	is_number((long long)wrong, 0, "line ends where another %s", what);
	str_free(&file);
}

/* So large that several threads look at it: what is near a border between two, and behind it. */
static void
at_the_shares(void)
{
	static const char *const odd[] = { "\n", "\r\n", "\n.\n", "\r", "\0", "\xfc" };
	struct str file = { 0 };
	const size_t size = 9 * 1024 * 1024;
	size_t wrong = 0, i;
	int shift;

	while (file.len < size)
		str_puts(&file, "a line of sixty octets, counted with the line end behind it\n");
	wrong += !agrees(&file, 0);
	for (i = 0; i < COUNT(odd); i++)
		for (shift = -2; shift <= 2; shift += 2) {
			size_t n = odd[i][0] == '\0' ? 1 : strlen(odd[i]);
			char *at = file.p + file.len / 2 + shift, old[4];

			memcpy(old, at, n);
			memcpy(at, odd[i], n);
			wrong += !found(&file, 0);
			memcpy(at, old, n);
		}
	/* one line from before the border until behind it, and then to the end */
	memset(file.p + file.len / 2 - 900, 'x', 1000);
	wrong += !found(&file, 3);
	memset(file.p + file.len / 2 - 900, 'x', file.len / 2 + 900);
	wrong += !found(&file, 0);
	is_number((long long)wrong, 0, "a file at which several threads look");
	str_free(&file);
}

/*
 * A file that is altered while it is read is never read to its end: over BDAT the server would have
 * a whole message then, which is not the one that was looked at.
 */
static void
altered(unsigned kind, const char *what)
{
	struct str file = { 0 };
	struct raw_info info = { 0 };
	struct status st;
	struct raw *r;
	char *buf = xalloc(1, VIEW);
	const char *p;
	ssize_t n = 1;
	off_t at;
	int fd;

	make_up(&file, 3000000, kind);
	fd = file_of(&file);
	r = raw_open(fd, 0, MOST, &info);
	ok(r != NULL, "a file that will be altered, %s", what);
	for (at = 0; r != NULL && n > 0; at += n > 0 ? n : 0) {
		n = raw_view(r, at, buf, VIEW, &p, &st);
		/* when most of it is out; what is written is as long as what was there */
		if (at < 2900000 && at + n >= 2900000) {
			(void)lseek(fd, 10, SEEK_SET);
			write_all(fd, "Other", 5);
		}
	}
	is_number(n, -1, "is noticed");
	is_status(&st, "4.3.0", 75, "and can be tried again");
	ok(at < info.size, "before the last of it is out");
	raw_free(&r);
	(void)close(fd);
	free(buf);
	str_free(&file);
}

/* Ends with the process: the first octet of the lines of 8 becomes a dot, and no dot, and a dot. */
static void *
flip(void *arg)
{
	volatile char *map = arg;
	size_t i;

	for (;;)
		for (i = 0; i < FLIPPED; i += 8)
			map[i] = map[i] == '.' ? 'x' : '.';
	return NULL;
}

/* All of it as it follows DATA, again and again: how many lines there are of but a dot. */
static int
read_while_it_flips(int fd, const void *arg)
{
	static char buf[VIEW];
	struct str file = { 0 };
	struct raw_info info;
	struct status st;
	pthread_t thread;
	int in, i, ends = 0;
	const char *p, *map;

	(void)fd, (void)arg;
	while (file.len < FLIPPED)
		str_puts(&file, "x\nline\n\n");
	in = file_of(&file);
	map = mmap(NULL, FLIPPED, PROT_READ | PROT_WRITE, MAP_SHARED, in, 0);
	if (map == MAP_FAILED || pthread_create(&thread, NULL, flip, (void *)(uintptr_t)map) != 0)
		return 100;
	for (i = 0; i < 10 && ends == 0; i++) {
		struct raw *r = raw_open(in, 0, MOST, &info);
		bool first = true;
		ssize_t n;

		if (r == NULL)
			return 101;
		for (; (n = raw_stuffed(r, first, buf, sizeof buf, &p, &st)) > 0; first = false)
			ends += memmem(p, (size_t)n, "\n.\r\n", 4) != NULL;
		raw_free(&r);
	}
	str_free(&file);
	return ends > 0;
}

/*
 * Whoever may write to the file that somebody sends cannot end the message early, whenever he
 * writes: behind a line of but a dot, commands would follow.
 */
static void
altered_under_our_eyes(void)
{
	struct peer child;

	peer_start(&child, read_while_it_flips, NULL);
	is_number(peer_end(&child), 0, "no dot of a file that is altered ends the message");
}

/* What is behind the end of a file that was cut off cannot be read: a signal says so. */
static int
read_cut_file(int fd, const void *arg)
{
	static char buf[VIEW];
	struct str file = { 0 };
	struct raw_info info;
	struct status st;
	const char *p;
	struct raw *r;
	ssize_t n;
	off_t at;
	int in;

	(void)arg;
	(void)dup2(fd, STDERR_FILENO);
	make_up(&file, 3000000, 0);
	in = file_of(&file);
	if ((r = raw_open(in, 0, MOST, &info)) == NULL || ftruncate(in, 100000) == -1)
		return 1;
	for (at = 0; (n = raw_view(r, at, buf, sizeof buf, &p, &st)) > 0; at += n)
		if (at + n > 200000)
			return 2;
	return 3;
}

static void
cut_off(void)
{
	struct str said = { 0 };
	struct peer child;

	peer_start(&child, read_cut_file, NULL);
	read_all(child.fd, &said);
	is_number(peer_end(&child), 75, "a file is cut off while it is read");
	is_text(str_text(&said),
	    "pneu: 4.3.0 the message's file was cut off while it was read; nothing more was sent\n",
	    "and that is said");
	str_free(&said);
}

void
test_raw(void)
{
	struct str file = { 0 };
	unsigned kind, i;
	size_t wrong;

	for (kind = 0; kind < 16; kind++) {
		if ((kind & 3) == 3)
			continue;
		for (wrong = 0, i = 0; i < 12; i++) {
			make_up(&file, i < 10 ? arc4random_uniform(3000) : 1500000, kind);
			wrong += !agrees(&file, arc4random_uniform((uint32_t)file.len));
			wrong += !agrees(&file, 0);
		}
		is_number((long long)wrong, 0, "made-up files of kind %u", kind);
	}
	at_the_limit();
	at_the_edge(PIECE, "piece comes");
	at_the_edge(WINDOW, "one is mapped");
	at_the_shares();
	cut_off();
	altered(0, "with LF");
	altered(1, "with CRLF");
	altered(8, "without an end");
	altered_under_our_eyes();
	str_free(&file);
}
