/*
 * unit_stream - tests of streams: lines, failures that stick, layers, and both ways at once.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"
#include "unit.h"
#include "wait.h"

#define LONG_WAIT 20000 /* never waited for, unless something is wrong */
#define MEGABYTE (1024 * 1024)

static struct stream *
stream_to(struct peer *p)
{
	struct stream *s = stream_new(p->fd, p->fd);

	p->fd = -1; /* the stream's now */
	stream_phase(s, PH_MAIL, LONG_WAIT);
	return s;
}

/* ---- lines */

static const struct {
	const char *in;
	size_t len;
	const char *lines; /* each in <>, with + behind those that ended in CRLF */
} inputs[] = {
	{ BYTES(""), "" },
	{ BYTES("a\r\nb\n\r\n\nc\r\n"), "<a>+<b><>+<><c>+" },
	{ BYTES("a\r\r\nb\rc\r\n"), "<a\r>+<b\rc>+" },
	{ BYTES("a\r\nno end"), "<a>+" },
	{ BYTES("\r"), "" },
};

static void
test_lines(void)
{
	static const size_t pieces[] = { 1, 2, 3, 0 };
	struct str found = { 0 };
	struct peer p;
	size_t i, k;

	for (i = 0; i < COUNT(inputs); i++)
		for (k = 0; k < COUNT(pieces); k++) {
			struct stream *s;
			bool whole = true;
			enum line end;
			char *line;
			size_t n;

			feed_start(&p, inputs[i].in, inputs[i].len, pieces[k]);
			s = stream_to(&p);
			str_clear(&found);
			while ((end = stream_line(s, &line, &n, 100)) > LINE_END) {
				str_printf(&found, "<%s>%s", line, end == LINE_CRLF ? "+" : "");
				whole = whole && strlen(line) == n;
			}
			if (!ok(end == LINE_END && whole && stream_status(s)->class == 0 &&
				    strcmp(str_text(&found), inputs[i].lines) == 0,
				"lines of %s by %zu octets", inputs[i].in, pieces[k]))
				note("found %s", str_text(&found));
			stream_free(&s);
			(void)peer_end(&p);
		}
	str_free(&found);
}

static void
test_limit(void)
{
	static const char in[] = "12345\n1234567890\r\n12345678901\n1\n", nul[] = "a\0b\r\n";
	struct stream *s;
	struct peer p;
	char *line;
	size_t n;

	feed_start(&p, in, strlen(in), 0);
	s = stream_to(&p);
	ok(stream_line(s, &line, &n, 5) == LINE_LF && n == 5, "a line as long as it may be");
	/* the CR of an end is counted before the LF is there to tell what it is */
	ok(stream_line(s, &line, &n, 11) == LINE_CRLF && n == 10, "another, with CRLF");
	is_number(stream_line(s, &line, &n, 10), LINE_FAIL, "a line that is longer");
	is_status(stream_status(s), "5.5.0", 76, "is no line of SMTP");
	is_number(stream_status(s)->phase, PH_MAIL, "at this step");
	is_number(stream_line(s, &line, &n, 10), LINE_FAIL, "and nothing comes after it");
	stream_free(&s);
	ok(s == NULL, "freed is gone");
	(void)peer_end(&p);

	feed_start(&p, in + 6, 10, 1);
	s = stream_to(&p);
	is_number(stream_line(s, &line, &n, 5), LINE_FAIL, "nor is one whose end has not come");
	stream_free(&s);
	(void)peer_end(&p);

	feed_start(&p, nul, sizeof nul - 1, 0);
	s = stream_to(&p);
	ok(stream_line(s, &line, &n, 5) == LINE_CRLF && n == 3 && memcmp(line, "a\0b", 4) == 0,
	    "a NUL is an octet of its line");
	stream_free(&s);
	(void)peer_end(&p);
}

/* ---- failures */

static int
listen_all(int fd, const void *arg)
{
	struct str found = { 0 };
	bool good;

	read_all(fd, &found);
	good = strcmp(str_text(&found), arg) == 0;
	str_free(&found);
	return good ? 0 : 3;
}

/* Until the other side is gone, without reading what it sends. */
static void
linger(int fd)
{
	struct pollfd pfd = { .fd = fd };

	(void)poll(&pfd, 1, 60000);
}

static int
hang_up(int fd, const void *arg)
{
	(void)fd;
	(void)arg;
	return 0;
}

static void
test_failures(void)
{
	struct status first, second;
	struct stream *s;
	struct peer p;
	char *line;
	size_t n;

	peer_start(&p, listen_all, "before");
	s = stream_to(&p);
	status_set(&first, PH_RCPT, 4, 1, 1, "first");
	status_set(&second, PH_DATA, 5, 2, 2, "second");
	stream_put(s, "before", 6);
	is_number(stream_flush(s), 0, "all is well");
	is_number(stream_status(s)->class, 0, "and has no status");
	is_number(stream_fail(s, &first), -1, "a failure is told");
	(void)stream_fail(s, &second);
	is_text(stream_status(s)->text, "first", "the first one sticks");
	stream_put(s, "after", 5);
	stream_put(s, "after", 5);
	is_number(stream_flush(s), -1, "what is put then is swallowed");
	is_number(stream_line(s, &line, &n, 100), LINE_FAIL, "and nothing is read");
	is_text(stream_status(s)->text, "first", "still the first");
	stream_free(&s);
	is_number(peer_end(&p), 0, "nothing of it was sent");
	stream_free(&s);
	ok(s == NULL, "freeing nothing does nothing");

	peer_start(&p, hang_up, NULL);
	s = stream_to(&p);
	is_number(stream_line(s, &line, &n, 100), LINE_END, "the other side hangs up");
	is_number(stream_line(s, &line, &n, 100), LINE_END, "and stays away");
	for (n = 0; n < 100 && stream_flush(s) == 0; n++)
		stream_put(s, "anybody there?", 14);
	is_status(stream_status(s), "4.4.2", 75, "writing to it fails");
	is_in(stream_status(s)->text, "connection lost", "as a connection that is lost");
	stream_free(&s);
	(void)peer_end(&p);

	peer_start(&p, listen_all, "goodbye");
	s = stream_to(&p);
	stream_put(s, "goodbye", 7);
	ok(!stream_passed(s, stream_mark(s)), "what was not sent is known");
	stream_free(&s);
	is_number(peer_end(&p), 0, "and sent when all ends");
}

/* ---- layers */

static struct stream *under; /* the stream that the layer is on */

static int
flip_send(void *arg, const void *data, size_t n, struct status *st)
{
	const char *p = data;
	size_t i;

	(void)st;
	++*(unsigned *)arg;
	for (i = 0; i < n; i++) {
		char c = (char)(p[i] ^ 0x20);

		stream_wire_put(under, &c, 1);
	}
	return 0;
}

static ssize_t
flip_recv(void *arg, void *to, size_t n, struct status *st)
{
	ssize_t got = stream_wire_read(under, to, n), i;

	(void)arg;
	if (got == -1 && errno == EAGAIN)
		return STREAM_AGAIN;
	if (got == -1)
		return status_errno(st, PH_TLS, "read");
	for (i = 0; i < got; i++) {
		((char *)to)[i] ^= 0x20;
		if (((char *)to)[i] == '!')
			return status_set(st, PH_TLS, 5, 7, 5, "the layer is broken");
	}
	return got;
}

static void
flip_close(void *arg)
{
	*(unsigned *)arg = 1000;
	stream_wire_put(under, "END", 3);
}

static const struct stream_layer flip = { flip_send, flip_recv, flip_close };

/* Says hello through the layer, reads `arg` octets and a goodbye, and wants them whole. */
static int
flipped(int fd, const void *arg)
{
	size_t wanted = *(const size_t *)arg, i;
	struct str found = { 0 };
	bool good;

	write_all(fd, "HELLO-*", 7);
	read_all(fd, &found);
	good = found.len == wanted + 3 && strcmp(found.p + wanted, "END") == 0;
	for (i = 0; good && i < wanted; i++)
		good = (found.p[i] ^ 0x20) == 'a' + (char)(i % 23);
	str_free(&found);
	return good ? 0 : 3;
}

static void
test_layer(void)
{
	static const size_t sizes[] = { 1, 16383, 1, 16384, 16385, 5, 40000, 32768, 100, 16000, 500000 };
	struct str all = { 0 };
	size_t sum = 0, i, n;
	unsigned calls = 0;
	struct stream *s;
	struct status st;
	struct peer p;
	char *line;

	for (i = 0; i < COUNT(sizes); sum += sizes[i++])
		;
	for (i = 0; i < sum; i++)
		str_putc(&all, (char)('a' + (char)(i % 23)));
	peer_start(&p, flipped, &sum);
	under = s = stream_to(&p);
	is_number(stream_wrap(s, &flip, &calls, &st), 0, "a layer is put on top");
	ok(stream_line(s, &line, &n, 100) == LINE_CRLF && strcmp(line, "hello") == 0,
	    "what comes goes through it");
	for (sum = i = 0; i < COUNT(sizes); sum += sizes[i++])
		stream_put(s, all.p + sum, sizes[i]);
	is_number(stream_flush(s), 0, "and so does what leaves");
	ok(stream_passed(s, stream_mark(s)), "all of it");
	ok(calls < 60, "in full records (%u)", calls);
	(void)fcntl(stream_fd(s), F_SETFL, 0); /* or a slow reader would miss the goodbye */
	stream_free(&s);
	is_number(calls, 1000, "it is closed with the stream");
	is_number(peer_end(&p), 0, "and the other side has it whole, with the goodbye");
	str_free(&all);

	feed_start(&p, BYTES("220 go\r\n250 too early\r\n"), 0);
	s = stream_to(&p);
	(void)stream_line(s, &line, &n, 100);
	is_number(stream_wrap(s, &flip, &calls, &st), -1, "no layer while input lies unread");
	is_status(&st, "5.5.0", 76, "which was sent before it");
	is_number(stream_status(s)->class, 0, "the stream is unharmed");
	ok(stream_line(s, &line, &n, 100) == LINE_CRLF && strcmp(line, "250 too early") == 0,
	    "and goes on");
	stream_free(&s);
	(void)peer_end(&p);

	feed_start(&p, BYTES("\001-*"), 0);
	under = s = stream_to(&p);
	(void)stream_wrap(s, &flip, &calls, &st);
	is_number(stream_line(s, &line, &n, 100), LINE_FAIL, "a layer that fails");
	is_text(stream_status(s)->text, "the layer is broken", "says why");
	stream_free(&s);
	(void)peer_end(&p);
}

void
test_stream(void)
{
	test_lines();
	test_limit();
	test_failures();
	test_layer();
}

/* ---- both ways */

/* Writes a megabyte of lines before it reads anything; then wants a megabyte, and says so. */
static int
talkative(int fd, const void *arg)
{
	char line[64], buf[4096];
	size_t i, got = 0;

	(void)arg;
	memset(line, 'x', sizeof line);
	line[63] = '\n';
	for (i = 0; i < MEGABYTE / sizeof line; i++)
		write_all(fd, line, sizeof line);
	while (got < MEGABYTE) {
		ssize_t n = read(fd, buf, sizeof buf);

		if (n <= 0)
			return 3;
		got += (size_t)n;
	}
	write_all(fd, "done\n", 5);
	return 0;
}

/* Writes a megabyte and never reads. */
static int
deaf(int fd, const void *arg)
{
	char block[4096];
	size_t i;

	(void)arg;
	memset(block, '\n', sizeof block);
	for (i = 0; i < MEGABYTE / sizeof block; i++)
		write_all(fd, block, sizeof block);
	linger(fd);
	return 0;
}

static void
test_both_ways(void)
{
	char *block = xalloc(1, MEGABYTE);
	struct stream *s;
	struct peer p;
	char *line;
	size_t n, lines = 0, i;

	/* in one large piece, and in many small ones */
	for (i = 0; i < 2; i++) {
		size_t step = i == 0 ? MEGABYTE : 1000, at;

		peer_start(&p, talkative, NULL);
		s = stream_to(&p);
		stream_keep(s, 2 * MEGABYTE);
		for (at = 0; at < MEGABYTE; at += step)
			stream_put(s, block + at, step < MEGABYTE - at ? step : MEGABYTE - at);
		is_number(stream_flush(s), 0, "a megabyte each way, ours by %zu octets", step);
		for (lines = 0; stream_line(s, &line, &n, 100) == LINE_LF && n == 63; lines++)
			;
		is_number((long long)lines, MEGABYTE / 64, "all lines have come");
		is_text(line, "done", "and all of ours has arrived");
		stream_free(&s);
		is_number(peer_end(&p), 0, "both are content");
	}

	peer_start(&p, deaf, NULL);
	s = stream_to(&p);
	stream_keep(s, 1000);
	stream_phase(s, PH_BODY, 100);
	stream_put(s, block, MEGABYTE);
	is_number(stream_flush(s), -1, "when the other side does not read we do not wait for ever");
	is_status(stream_status(s), "4.4.2", 75, "but give up");
	is_number(stream_status(s)->phase, PH_BODY, "at this step");
	ok(stream_waiting(s) <= 1000 + 16384, "and have not kept all it said (%zu octets)",
	    stream_waiting(s));
	ok(!stream_passed(s, stream_mark(s)) || stream_waiting(s) > 0, "something is left over");
	stream_free(&s);
	(void)peer_end(&p);
	free(block);
}

/* ---- time */

/* An octet every few milliseconds, and never a line. */
static int
drip(int fd, const void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 12000; i++) {
		write_all(fd, "x", 1);
		(void)poll(NULL, 0, 5);
	}
	return 0;
}

/* Reads slowly what comes. */
static int
sip(int fd, const void *arg)
{
	char buf[16384];

	(void)arg;
	while (read(fd, buf, sizeof buf) > 0)
		(void)poll(NULL, 0, 5);
	return 0;
}

static void
test_time(void)
{
	char *block = xalloc(1, 4 * MEGABYTE);
	struct stream *s;
	struct peer p;
	char *line;
	size_t n;

	peer_start(&p, listen_all, "");
	s = stream_to(&p);
	stream_phase(s, PH_RCPT, 50);
	is_number(stream_line(s, &line, &n, 100), LINE_FAIL, "silence ends");
	is_status(stream_status(s), "4.4.2", 75, "as a timeout");
	is_in(stream_status(s)->text, "no answer within", "that says so");
	is_number(stream_status(s)->phase, PH_RCPT, "at this step");
	stream_free(&s);
	(void)peer_end(&p);

	peer_start(&p, drip, NULL);
	s = stream_to(&p);
	stream_phase(s, PH_RCPT, 150);
	is_number(stream_line(s, &line, &n, 100000), LINE_FAIL, "so does a drip");
	is_status(stream_status(s), "4.4.2", 75, "as a timeout");
	ok(stream_waiting(s) > 0, "though something came");
	stream_free(&s);
	(void)peer_end(&p);

	peer_start(&p, drip, NULL);
	s = stream_to(&p);
	stream_deadline(s, wait_until(100));
	is_number(stream_line(s, &line, &n, 100000), LINE_FAIL, "the deadline ends everything");
	is_in(stream_status(s)->text, "deadline", "and says so");
	stream_free(&s);
	(void)peer_end(&p);

	peer_start(&p, deaf, NULL);
	s = stream_to(&p);
	stream_keep(s, 2 * MEGABYTE);
	stream_deadline(s, wait_until(100));
	stream_put(s, block, 4 * MEGABYTE);
	is_number(stream_flush(s), -1, "writing too");
	is_in(stream_status(s)->text, "deadline", "and says so");
	stream_free(&s);
	(void)peer_end(&p);

	peer_start(&p, sip, NULL);
	s = stream_to(&p);
	stream_phase(s, PH_BODY, 700); /* less than all of it takes, more than any step */
	stream_put(s, block, 4 * MEGABYTE);
	is_number(stream_flush(s), 0, "a slow reader has its time for every step");
	stream_free(&s);
	(void)peer_end(&p);
	free(block);
}

/* Refuses in the middle of a message, and goes without reading the rest. */
static int
refuse(int fd, const void *arg)
{
	char buf[1000];

	(void)arg;
	if (read(fd, buf, sizeof buf) <= 0)
		return 3;
	write_all(fd, "552 5.3.4 too large\r\n", 21);
	(void)shutdown(fd, SHUT_RD);
	linger(fd);
	return 0;
}

static void
test_refusal(void)
{
	char *block = xalloc(1, 4 * MEGABYTE);
	struct stream *s;
	struct peer p;
	char *line;
	size_t n;

	peer_start(&p, refuse, NULL);
	s = stream_to(&p);
	stream_put(s, block, 4 * MEGABYTE);
	(void)stream_flush(s);
	ok(stream_line(s, &line, &n, 100) == LINE_CRLF && strcmp(line, "552 5.3.4 too large") == 0,
	    "who refuses to read on is heard");
	ok(!stream_passed(s, stream_mark(s)), "and it is known that not all was sent");
	stream_free(&s);
	free(block);
	(void)peer_end(&p);
}

/* ---- signals, in a process of their own */

/* One comes while they are let in outside of a wait; the next wait must know. */
static int
signalled_before(int fd, const void *arg)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	(void)arg;
	wait_signals();
	wait_admit(true);
	(void)raise(SIGTERM);
	wait_admit(false);
	(void)alarm(20); /* in case it does not */
	return wait_poll(&pfd, 1, WAIT_FOREVER) == -1 && strcmp(wait_signal(), "SIGTERM") == 0 ? 0 : 3;
}

/* One comes outside of a wait while they are shut out, and is kept for it. */
static int
signalled_between(int fd, const void *arg)
{
	char c;

	(void)arg;
	wait_signals();
	(void)raise(SIGHUP);
	if (wait_signal() != NULL)
		return 3;
	(void)alarm(20);
	errno = 0;
	return wait_read(fd, &c, 1, WAIT_FOREVER) == -1 && errno == EINTR &&
		strcmp(wait_signal(), "SIGHUP") == 0
	    ? 0
	    : 4;
}

/* One that the caller ignores stays away. */
static int
signal_ignored(int fd, const void *arg)
{
	char c;

	(void)arg;
	(void)signal(SIGHUP, SIG_IGN);
	wait_signals();
	(void)raise(SIGHUP);
	errno = 0;
	return wait_read(fd, &c, 1, wait_now()) == -1 && errno == ETIMEDOUT && wait_signal() == NULL ? 0
												     : 3;
}

static void
signalled(int (*run)(int fd, const void *arg), const char *what)
{
	struct peer p;
	int fd;

	peer_start(&p, run, NULL);
	fd = p.fd, p.fd = -1;
	is_number(peer_end(&p), 0, "%s", what);
	(void)close(fd);
}

void
test_flow(void)
{
	test_both_ways();
	test_time();
	test_refusal();
	signalled(signalled_before, "a signal before a wait ends it");
	signalled(signalled_between, "one that was held back, too");
	signalled(signal_ignored, "one that the caller ignores does not");
}
