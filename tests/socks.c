/*
 * socks - what may stand between a client and a server: a SOCKS5 proxy that does as it is told, or a
 * relay from standard input and output.
 *
 * usage: socks [--dir DIR] [--login USER:PASSWORD] [--to PORT] [--at STEP=WHAT]
 *        socks --relay PORT
 *
 * The proxy listens on a port of 127.0.0.1, which is then in DIR/socks.port, and serves one client
 * after the other until it is ended. What clients ask for is in DIR/socks.log. Whatever that is, they
 * are connected to PORT of 127.0.0.1. At STEP, which is greeting, login or request, it answers with
 * WHAT instead of going on: octets in hexadecimal, and then it closes; "cut", which closes at once;
 * "stall", silence; "drip", a good answer with a long name in it, an octet every 100 milliseconds.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *dir = ".", *login, *step, *what;
static in_port_t to_port;

static _Noreturn void
broken(const char *doing)
{
	(void)fprintf(stderr, "socks: %s: %s\n", doing, strerror(errno));
	exit(2);
}

static const char *
in_dir(const char *name)
{
	static char path[4096];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put_log(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

static void put_log(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

static void
put_log(const char *fmt, ...)
{
	FILE *f = fopen(in_dir("socks.log"), "a");
	va_list ap;

	if (f == NULL)
		broken("socks.log");
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	(void)fclose(f);
}

static void
put(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done == -1 && errno != EINTR)
			exit(0); /* nobody misses the rest */
		if (done > 0) {
			at += done;
			n -= (size_t)done;
		}
	}
}

static void
get(int fd, unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);

		if (got == 0 || (got == -1 && errno != EINTR))
			exit(0);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

/* From one to the other and back, until the side that reads from the server has ended. */
static void
relay(int in, int out, int server)
{
	struct pollfd pfd[2] = { { .fd = server, .events = POLLIN }, { .fd = in, .events = POLLIN } };
	char buf[16384];

	for (;;) {
		ssize_t n;

		if (poll(pfd, 2, -1) == -1)
			continue;
		if (pfd[0].revents != 0) {
			if ((n = read(server, buf, sizeof buf)) <= 0)
				return;
			put(out, buf, (size_t)n);
		}
		if (pfd[1].revents != 0) {
			if ((n = read(in, buf, sizeof buf)) > 0)
				put(server, buf, (size_t)n);
			else {
				(void)shutdown(server, SHUT_WR);
				pfd[1].fd = -1;
			}
		}
	}
}

static int
connect_to(in_port_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || connect(fd, (struct sockaddr *)&in, sizeof in) == -1)
		return -1;
	return fd;
}

/* ---- the proxy */

static void
drip(int fd)
{
	struct timespec ts = { .tv_nsec = 100 * 1000000 };
	unsigned char octet;
	int i;

	for (i = 0; i < 5 + 255 + 2; i++) {
		octet = i == 0 ? 5 : i == 3 ? 3 : i == 4 ? 255 : 0;
		put(fd, &octet, 1);
		(void)nanosleep(&ts, NULL);
	}
	exit(0);
}

/* Is it now that we are to misbehave? */
static void
misbehave(int fd, const char *now)
{
	const char *p;
	char octet;

	if (step == NULL || strcmp(step, now) != 0)
		return;
	if (strcmp(what, "stall") == 0) {
		while (read(fd, &octet, 1) > 0)
			;
		exit(0);
	}
	if (strcmp(what, "drip") == 0)
		drip(fd);
	for (p = what; strcmp(what, "cut") != 0 && p[0] != '\0' && p[1] != '\0'; p += 2) {
		char hex[3] = { p[0], p[1], '\0' };

		octet = (char)strtoul(hex, NULL, 16);
		put(fd, &octet, 1);
	}
	exit(0);
}

static void
demand_login(int fd)
{
	unsigned char head[2], user[256] = { 0 }, n, password[256] = { 0 }, answer[2] = { 1, 0 };
	char text[600];

	get(fd, head, 2);
	get(fd, user, head[1]);
	get(fd, &n, 1);
	get(fd, password, n);
	(void)snprintf(text, sizeof text, "%s:%s", (char *)user, (char *)password);
	put_log("login %d %s\n", head[0], text);
	misbehave(fd, "login");
	answer[1] = strcmp(text, login) != 0;
	put(fd, answer, 2);
	if (answer[1] != 0)
		exit(0);
}

static void
greet(int fd)
{
	unsigned char head[2], methods[255], answer[2] = { 5, login != NULL ? 2 : 0 };

	get(fd, head, 2);
	get(fd, methods, head[1]);
	put_log("version %d, %d methods\n", head[0], head[1]);
	misbehave(fd, "greeting");
	if (memchr(methods, answer[1], head[1]) == NULL)
		answer[1] = 0xff;
	put(fd, answer, 2);
	if (answer[1] == 0xff)
		exit(0);
	if (answer[1] == 2)
		demand_login(fd);
}

static void
serve(int fd)
{
	unsigned char head[4], n, port[2], address[256] = { 0 };
	unsigned char answer[10] = { 5, 0, 0, 1, 127, 0, 0, 1, 0, 0 };
	char text[INET6_ADDRSTRLEN];
	int server;

	greet(fd);
	get(fd, head, 4);
	if (head[3] == 3)
		get(fd, &n, 1);
	else
		n = head[3] == 1 ? 4 : 16;
	get(fd, address, n);
	get(fd, port, 2);
	put_log("request %d %d %s %d\n", head[0], head[1],
	    head[3] == 3 ? (char *)address
			 : inet_ntop(head[3] == 1 ? AF_INET : AF_INET6, address, text, sizeof text),
	    port[0] << 8 | port[1]);
	misbehave(fd, "request");
	if ((server = connect_to(to_port)) == -1)
		answer[1] = 5;
	put(fd, answer, sizeof answer);
	if (server != -1)
		relay(fd, fd, server);
	exit(0);
}

static int
listen_here(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char written[4096];
	FILE *f;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&in, sizeof in) == -1 || listen(fd, 8) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		broken("listen");
	(void)strlcpy(written, in_dir("socks.new"), sizeof written);
	if ((f = fopen(written, "w")) == NULL || fprintf(f, "%d\n", ntohs(in.sin_port)) < 0 ||
	    fclose(f) == EOF || rename(written, in_dir("socks.port")) == -1)
		broken(written);
	return fd;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "login", required_argument, NULL, 'l' },
		{ "to", required_argument, NULL, 't' },
		{ "at", required_argument, NULL, 'a' },
		{ "relay", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	in_port_t relay_port = 0;
	int c, fd, client;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'd':
			dir = optarg;
			break;
		case 'l':
			login = optarg;
			break;
		case 't':
			to_port = (in_port_t)strtonum(optarg, 1, 65535, NULL);
			break;
		case 'a':
			step = strsep(&optarg, "=");
			what = optarg != NULL ? optarg : "cut";
			break;
		case 'r':
			relay_port = (in_port_t)strtonum(optarg, 1, 65535, NULL);
			break;
		default:
			return 2;
		}
	(void)signal(SIGPIPE, SIG_IGN);
	if (relay_port != 0) {
		if ((fd = connect_to(relay_port)) == -1)
			broken("connect");
		relay(STDIN_FILENO, STDOUT_FILENO, fd);
		return 0;
	}
	(void)signal(SIGCHLD, SIG_IGN); /* children leave without a word */
	fd = listen_here();
	for (;;) {
		if ((client = accept(fd, NULL, NULL)) == -1)
			continue;
		if (fork() == 0) {
			(void)close(fd);
			(void)alarm(60);
			serve(client);
		}
		(void)close(client);
	}
}
