/*
 * peer_net - octets to and from one client, and the counting of flights.
 *
 * Whatever the server says is held back until the script wants something of the client and nothing
 * of it is there. So lines that follow each other in the script travel in one segment, and a client
 * that had to wait for us can be told from one that had not.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

#define LINE_LIMIT (1024 * 1024)

int grace_ms = 20;

/* Is an event there within `ms`? Interruptions are nothing to us. */
static bool
ready(int fd, short event, long ms)
{
	long until = now_ms() + ms;

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = event };
		long left = until - now_ms();
		int n = poll(&pfd, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return true;
		if (n == 0 || left <= 0)
			return false;
	}
}

void
conn_start(struct conn *c, int fd)
{
	int one = 1;

	memset(c, 0, sizeof *c);
	c->fd = fd;
	bytes_put(&c->in, "", 0);
	c->spoke = true; /* a client may well speak first, in TLS */
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void
conn_free(struct conn *c)
{
	conn_tls_free(c);
	if (c->fd != -1)
		(void)close(c->fd);
	bytes_free(&c->in);
	bytes_free(&c->out);
}

/* ---- sending */

void
wire_put(struct conn *c, const void *p, size_t n)
{
	bytes_put(&c->out, p, n);
}

/* Send what is queued. A client that has left ends it: nobody misses the rest. */
static void
send_out(struct conn *c)
{
	size_t done = 0;

	while (done < c->out.len && c->fd != -1) {
		ssize_t n = send(c->fd, c->out.p + done, c->out.len - done, MSG_NOSIGNAL);

		if (n > 0)
			done += (size_t)n;
		else if (n == -1 && errno == EAGAIN) {
			if (!ready(c->fd, POLLOUT, PATIENCE_MS))
				fail("the client reads nothing of what is sent to it");
		} else if (n == -1 && errno != EINTR) {
			c->ended = true;
			break;
		}
	}
	c->out.len = 0;
}

void
conn_flush(struct conn *c)
{
	if (c->out.len == 0)
		return;
	if (!conn_unread(c))
		c->spoke = true;
	send_out(c);
}

void
conn_put(struct conn *c, const void *p, size_t n)
{
	const char *at = p;

	if (c->tls == NULL) {
		wire_put(c, p, n);
		return;
	}
	while (n > 0 && !c->ended) {
		ssize_t put = gnutls_record_send(c->tls, at, n);

		if (put == GNUTLS_E_AGAIN || put == GNUTLS_E_INTERRUPTED)
			continue;
		if (put < 0) {
			if (!c->ours)
				fail("TLS: %s", gnutls_strerror((int)put));
			return;
		}
		at += put;
		n -= (size_t)put;
	}
}

void
conn_put_slowly(struct conn *c, const char *p, size_t n, long split, long drip)
{
	while (n > 0 && !c->ended) {
		size_t some = n < (size_t)split ? n : (size_t)split;

		conn_flush(c);
		conn_put(c, p, some);
		conn_flush(c);
		p += some;
		n -= some;
		if (drip > 0 && n > 0)
			pause_ms(drip);
	}
}

/* ---- receiving */

/* Is the client running or about to, so that more may come of itself? Where that cannot be seen: no. */
static bool
client_busy(void)
{
	char text[512];
	long pid = 0;
	const char *state;
	FILE *f;
	size_t n;

	if ((f = fopen(in_dir("pid"), "r")) == NULL)
		return false;
	n = fread(text, 1, 20, f);
	text[n] = '\0';
	(void)fclose(f);
	pid = strtol(text, NULL, 10);
	(void)snprintf(text, sizeof text, "/proc/%ld/stat", pid);
	if (pid <= 0 || (f = fopen(text, "r")) == NULL)
		return false;
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	state = strrchr(text, ')');
	return state != NULL && (strncmp(state, ") R", 3) == 0 || strncmp(state, ") D", 3) == 0);
}

/*
 * The script wants something of the client and nothing is there. What we said and have not sent
 * yet is sent only when the client does not go on without it: within a while that is long for a
 * computer, and longer when the client is still at work. Then a flight ends here.
 */
static void
conn_need(struct conn *c)
{
	long until = now_ms() + PATIENCE_MS;

	if (c->out.len == 0)
		return;
	do
		if (ready(c->fd, POLLIN, grace_ms))
			return;
	while (client_busy() && now_ms() < until);
	conn_flush(c);
}

ssize_t
wire_recv(struct conn *c, void *p, size_t n)
{
	for (;;) {
		ssize_t got = recv(c->fd, p, n, 0);

		if (got > 0 && c->spoke) {
			c->flights++;
			c->spoke = false;
		}
		if (got >= 0)
			return got;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		conn_need(c);
		if (!ready(c->fd, POLLIN, PATIENCE_MS))
			fail("the client does nothing, for %d s now", PATIENCE_MS / 1000);
	}
}

bool
conn_fill(struct conn *c)
{
	char buf[16384];
	ssize_t n;

	if (c->ended || c->fd == -1)
		return false;
	if (c->at == c->in.len)
		c->at = c->in.len = 0;
	if (c->tls != NULL)
		return conn_tls_fill(c);
	n = wire_recv(c, buf, sizeof buf);
	if (n > 0) {
		bytes_put(&c->in, buf, (size_t)n);
		return true;
	}
	c->ended = true;
	c->unexpected = n == -1;
	return false;
}

const char *
conn_line(struct conn *c, size_t *len)
{
	size_t seen = 0, i;

	for (;;) {
		const char *line = c->in.p + c->at, *lf;
		size_t n = c->in.len - c->at;

		lf = n > seen ? memchr(line + seen, '\n', n - seen) : NULL;
		if (lf == NULL) {
			seen = n;
			if (n > LINE_LIMIT)
				fail("the client sends a line without an end: \"%s\"", visible(line, 60));
			if (conn_fill(c))
				continue;
			if (n > 0)
				fail("the client stopped in the middle of a line: \"%s\"",
				    visible(c->in.p + c->at, n));
			return NULL;
		}
		*len = (size_t)(lf - line) + 1;
		if (*len < 2 || lf[-1] != '\r')
			fail("the client ends a line with a bare LF: \"%s\"", visible(line, *len));
		for (i = 0; i + 2 < *len; i++)
			if (line[i] == '\r')
				fail("the client sends a bare CR: \"%s\"", visible(line, *len));
		return line;
	}
}

void
conn_taken(struct conn *c, size_t n)
{
	c->at += n;
	/* a long message must not make us move its rest again and again */
	if (c->at > LINE_LIMIT && c->at > c->in.len / 2) {
		memmove(c->in.p, c->in.p + c->at, c->in.len - c->at);
		c->in.len -= c->at;
		c->at = 0;
	}
}

bool
conn_unread(struct conn *c)
{
	char octet;

	return c->in.len > c->at || (c->tls != NULL && gnutls_record_check_pending(c->tls) > 0) ||
	    (c->fd != -1 && recv(c->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0);
}

/* ---- the end */

void
conn_cut(struct conn *c)
{
	conn_flush(c);
	c->ours = true;
	(void)shutdown(c->fd, SHUT_WR);
}

void
conn_close(struct conn *c)
{
	if (c->tls != NULL && !c->ended)
		(void)gnutls_bye(c->tls, GNUTLS_SHUT_WR);
	conn_cut(c);
}

void
conn_reset(struct conn *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	conn_flush(c);
	c->ours = c->ended = true;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	(void)close(c->fd);
	c->fd = -1;
}
