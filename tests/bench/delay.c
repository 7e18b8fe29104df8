/*
 * delay - a line with a delay: what comes in at one end comes out at the other so much later.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 *
 * usage: delay MS PORT PORTFILE
 *
 * Listens on a port of 127.0.0.1, which it writes to PORTFILE, and connects each client to PORT.
 * Everything takes MS milliseconds each way, and so do the three segments that open a connection:
 * the client can speak after two of them, and the server after the third.
 */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECES 256

/* One direction: pieces on their way, the oldest first. */
struct way {
	int from, to;
	double open; /* nothing enters before */
	bool ended;
	size_t n;
	struct piece {
		double due;
		ssize_t len; /* 0: the end */
		char data[16384];
	} * piece[PIECES];
};

static double delay;

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
take(struct way *w)
{
	struct piece *p = malloc(sizeof *p);

	if (p == NULL)
		_exit(1);
	p->len = read(w->from, p->data, sizeof p->data);
	if (p->len <= 0) {
		p->len = 0;
		w->ended = true;
	}
	p->due = now();
	if (p->due < w->open)
		p->due = w->open;
	p->due += delay;
	w->piece[w->n++] = p;
}

static void
give(struct way *w)
{
	while (w->n > 0 && w->piece[0]->due <= now()) {
		struct piece *p = w->piece[0];
		ssize_t done = 0, n;

		if (p->len == 0)
			(void)shutdown(w->to, SHUT_WR);
		for (; done < p->len; done += n)
			if ((n = write(w->to, p->data + done, (size_t)(p->len - done))) <= 0)
				_exit(0);
		free(p);
		memmove(w->piece, w->piece + 1, --w->n * sizeof *w->piece);
	}
}

static void
carry(int a, int b)
{
	struct way ways[2] = { { .from = a, .to = b, .open = now() + 2 * delay },
		{ .from = b, .to = a, .open = now() + 3 * delay } };
	int i;

	while (!ways[0].ended || !ways[1].ended || ways[0].n > 0 || ways[1].n > 0) {
		struct pollfd fds[2];
		double next = now() + 1000;
		struct timespec left;

		for (i = 0; i < 2; i++) {
			fds[i].fd = ways[i].ended || ways[i].n == PIECES ? -1 : ways[i].from;
			fds[i].events = POLLIN;
			if (ways[i].n > 0 && ways[i].piece[0]->due < next)
				next = ways[i].piece[0]->due;
		}
		next -= now();
		left.tv_sec = 0;
		left.tv_nsec = next > 0 && next < 1000 ? (long)(next * 1e6)
		    : next > 0			       ? 999999999
						       : 0;
		(void)ppoll(fds, 2, &left, NULL);
		for (i = 0; i < 2; i++) {
			if (fds[i].fd != -1 && fds[i].revents != 0)
				take(&ways[i]);
			give(&ways[i]);
		}
	}
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in own = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	socklen_t len = sizeof own;
	int s, a, b, one = 1;
	FILE *f;

	if (argc != 4)
		return 64;
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	delay = strtod(argv[1], NULL);
	own.sin_addr.s_addr = to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((in_port_t)strtol(argv[2], NULL, 10));
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&own, sizeof own) == -1 || listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&own, &len) == -1 ||
	    (f = fopen(argv[3], "w")) == NULL)
		return 1;
	fprintf(f, "%u\n", ntohs(own.sin_port));
	(void)fclose(f);
	while ((a = accept(s, NULL, NULL)) != -1) {
		if (fork() == 0) {
			b = socket(AF_INET, SOCK_STREAM, 0);
			if (connect(b, (struct sockaddr *)&to, sizeof to) == -1)
				_exit(1);
			(void)setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			(void)setsockopt(b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			carry(a, b);
		}
		(void)close(a);
	}
	return 1;
}
