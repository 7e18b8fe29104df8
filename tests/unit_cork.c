/*
 * unit_cork - tests of full segments: when the kernel is told to keep what makes none, and when
 * not.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <string.h>
#include <unistd.h>

#include "cork.h"
#include "stream.h"
#include "unit.h"

#define LONG_WAIT 20000 /* never waited for, unless something is wrong */
#define PIECE 1000
#define MANY 200 /* pieces: more than a stream collects before it hands them on */

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

/* A connection to a process that runs take(). */
static int
connection(struct peer *p)
{
	static struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	at.sin_port = 0;
	if (bind(listener, (const struct sockaddr *)&at, sizeof at) == -1 ||
	    listen(listener, 1) == -1 || getsockname(listener, (struct sockaddr *)&at, &len) == -1)
		return -1;
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

static void
test_long_message(void)
{
	char piece[PIECE], *line;
	struct stream *s;
	struct peer p;
	size_t n;
	int fd = connection(&p), i;

	memset(piece, 'x', sizeof piece);
	s = stream_new(fd, fd);
	stream_phase(s, PH_BODY, LONG_WAIT);
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

void
test_cork(void)
{
	test_socket();
	test_long_message();
}
