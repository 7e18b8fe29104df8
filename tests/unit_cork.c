/*
 * unit_cork - tests of full segments, when the kernel is told to keep what makes none and when not,
 * and of what happens to a long message while it has to wait.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cork.h"
#include "stream.h"
#include "unit.h"
#include "wait.h"

#define LONG_WAIT 20000 /* never waited for, unless something is wrong */
#define PIECE 16384
#define MANY 20	   /* pieces: more than a stream collects before it hands them on */
#define LINES 6000 /* of a message */
#define ANSWER (1024 * 1024)
#define ENDLESS 10000 /* pieces: more than any kernel takes for one who does not read */

static bool
is_corked(int fd)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, &len) == 0 && value == 1;
}

/* Takes all that comes over a connection, answers once, and takes the rest. */
static int
take(int unused, const void *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[PIECE];
	size_t n = 0;
	ssize_t got;

	(void)unused;
	if (fd == -1 || connect(fd, to, sizeof(struct sockaddr_in)) == -1)
		return 3;
	while (n < (size_t)MANY * PIECE && (got = read(fd, buf, sizeof buf)) > 0)
		n += (size_t)got;
	write_all(fd, BYTES("250 Ok\r\n"));
	while ((got = read(fd, buf, sizeof buf)) > 0)
		n += (size_t)got;
	return n == (size_t)MANY * PIECE + 6 ? 0 : 4;
}

/* A socket that listens; *at is where. */
static int
listener_at(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (const struct sockaddr *)at, sizeof *at) == -1 || listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &len) == -1)
		return -1;
	return fd;
}

/* A connection to a process that runs take(). */
static int
connection(struct peer *p)
{
	static struct sockaddr_in at;
	int listener = listener_at(&at), fd;

	peer_start(p, take, &at);
	fd = accept(listener, NULL, NULL);
	(void)close(listener);
	return fd;
}

static void
test_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), fds[2];
	bool corked = false;

	cork_put(fd, &corked);
	ok(corked && is_corked(fd), "a connection is told to keep what makes no full segment");
	cork_draw(fd, &corked);
	ok(!corked && !is_corked(fd), "and to let it go");
	(void)close(fd);
	if (pipe(fds) == 0) {
		cork_put(fds[1], &corked);
		cork_draw(fds[1], &corked);
		ok(!corked && write(fds[1], "x", 1) == 1, "what is no connection is left as it is");
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

/* ---- a layer that alters nothing, as a stream without one has no records */

static struct stream *under;

static int
plain_send(void *arg, const void *p, size_t n, struct status *st)
{
	(void)arg;
	(void)st;
	stream_wire_put(under, p, n);
	return 0;
}

static ssize_t
plain_recv(void *arg, void *to, size_t n, struct status *st)
{
	ssize_t got = stream_wire_read(under, to, n);

	(void)arg;
	if (got == -1)
		return errno == EAGAIN ? STREAM_AGAIN : status_errno(st, PH_TLS, "read");
	return got;
}

static void
no_goodbye(void *arg)
{
	(void)arg;
}

static const struct stream_layer plain = { plain_send, plain_recv, no_goodbye };

static struct stream *
records_to(int fd)
{
	struct status st;

	under = stream_new(fd, fd);
	stream_phase(under, PH_BODY, LONG_WAIT);
	(void)stream_wrap(under, &plain, NULL, &st);
	return under;
}

static void
test_long_message(void)
{
	char piece[PIECE], *line;
	struct stream *s;
	struct peer p;
	size_t n;
	int fd = connection(&p), i;

	memset(piece, 'x', sizeof piece);
	s = records_to(fd);
	stream_put(s, piece, sizeof piece);
	ok(!is_corked(fd) && stream_flush(s) == 0 && !is_corked(fd), "what is short goes as it is");
	for (i = 1; i < MANY; i++)
		stream_put(s, piece, sizeof piece);
	ok(is_corked(fd), "what is long goes in full segments");
	ok(stream_line(s, &line, &n, 100) == LINE_CRLF && strcmp(line, "250 Ok") == 0 &&
		!is_corked(fd),
	    "its end does not wait for more");
	stream_put(s, "QUIT\r\n", 6);
	ok(stream_flush(s) == 0 && !is_corked(fd), "nor does what is short behind it");
	stream_free(&s);
	is_number(peer_end(&p), 0, "all of it arrives");
}

/* To one who does not read, however long one waits. */
static void
test_long_wait(void)
{
	char piece[PIECE];
	struct sockaddr_in at;
	int listener = listener_at(&at), fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
	bool corked = false;
	struct stream *s;

	memset(piece, 'x', sizeof piece);
	if (connect(fd, (const struct sockaddr *)&at, sizeof at) == -1) {
		ok(false, "a connection");
		return;
	}
	s = records_to(fd);
	stream_deadline(s, wait_now());
	for (i = 0; i < ENDLESS && stream_status(s)->class == 0; i++) {
		corked |= is_corked(fd);
		stream_put(s, piece, sizeof piece);
	}
	ok(corked && stream_status(s)->class == 4 && !is_corked(fd),
	    "before room is waited for, all goes out");
	stream_free(&s);
	(void)close(listener);
}

/* A connection that keeps its writes apart: what is short does not go by itself. */
static void
test_short_pieces(void)
{
	char piece[PIECE], *all = xbuffer(LINES * 100);
	unsigned writes = 0;
	struct stream *s;
	size_t sum = 0;
	ssize_t got;
	int fds[2], i;

	memset(piece, 'x', sizeof piece);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == -1) {
		ok(false, "a pair of sockets");
		return;
	}
	s = stream_new(fds[0], fds[0]);
	stream_phase(s, PH_BODY, LONG_WAIT);
	for (i = 0; i <= LINES; i++) {
		if (i < LINES)
			stream_put(s, piece, 100);
		else
			(void)stream_flush(s);
		while ((got = read(fds[1], all, LINES * 100)) > 0) {
			sum += (size_t)got;
			writes++;
		}
	}
	ok(sum == LINES * 100 && writes < 10, "lines of a long message go together (%u writes)",
	    writes);
	stream_free(&s);
	(void)close(fds[1]);
	free(all);
}

/* ---- a layer that has to answer while its stream waits */

static ssize_t
answer(void *arg, void *to, size_t n, struct status *st)
{
	ssize_t got = plain_recv(arg, to, n, st);
	char *all;

	if (got <= 0)
		return got;
	all = xbuffer(ANSWER);
	memset(all, 'y', ANSWER);
	stream_wire_put(under, all, ANSWER);
	free(all);
	*(bool *)arg = true;
	return STREAM_AGAIN;
}

static const struct stream_layer answering = { plain_send, answer, no_goodbye };

/* Asks at once, reads slowly, and wants `arg` octets and the answer. */
static int
ask(int fd, const void *arg)
{
	size_t x = 0, y = 0, other = 0;
	char buf[1000];
	ssize_t n, i;

	write_all(fd, "?", 1);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		for (i = 0; i < n; i++) {
			x += buf[i] == 'x';
			y += buf[i] == 'y';
			other += buf[i] != 'x' && buf[i] != 'y';
		}
	return other > 0 ? 3 : x != *(const size_t *)arg ? 4 : y == ANSWER ? 0 : 5;
}

static void
test_answer(void)
{
	static const size_t size = (size_t)4 * ANSWER;
	char *all = xbuffer(size);
	bool answered = false;
	struct status st;
	struct peer p;

	memset(all, 'x', size);
	peer_start(&p, ask, &size);
	under = stream_new(p.fd, p.fd);
	p.fd = -1;
	stream_phase(under, PH_BODY, LONG_WAIT);
	(void)stream_wrap(under, &answering, &answered, &st);
	stream_put(under, all, size);
	ok(answered, "a layer answers while the other side has no time to read");
	is_number(stream_flush(under), 0, "and all goes on");
	stream_free(&under);
	is_number(peer_end(&p), 0, "nothing of it is lost or altered");
	free(all);
}

void
test_cork(void)
{
	test_socket();
	test_long_message();
	test_long_wait();
	test_short_pieces();
	test_answer();
}
