/*
 * fuzz_socks - whatever a SOCKS5 proxy answers; the first octet picks what is asked for.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "socks.h"
#include "wait.h"

enum { LOGIN = 1, NO_PASSWORD = 2, ADDRESS4 = 4, ADDRESS6 = 8 };

/* How long is the answer of a proxy that has made the connection (RFC 1928, 1929)? 0: it has not. */
static size_t
answer_length(const uint8_t *p, size_t n, bool login)
{
	size_t at = 2;

	if (n < 2 || p[0] != 5 || (p[1] != 0 && !(p[1] == 2 && login)))
		return 0;
	if (p[1] == 2) {
		if (n < 4 || p[2] != 1 || p[3] != 0)
			return 0;
		at = 4;
	}
	if (n < at + 5 || p[at] != 5 || p[at + 1] != 0)
		return 0;
	switch (p[at + 3]) {
	case 1:
		at += 4 + 4 + 2;
		break;
	case 3:
		at += 4 + 1 + p[at + 4] + 2U;
		break;
	case 4:
		at += 4 + 16 + 2;
		break;
	default:
		return 0;
	}
	return at <= n ? at : 0;
}

int
TARGET(fuzz_socks)(const uint8_t *p, size_t n)
{
	static char proxy[] = "proxy.example", port[] = "1080", user[] = "u", password[] = "secret-word";
	unsigned how = n > 0 ? p[0] : 0;
	struct proxy by = { .host = proxy, .port = port };
	const char *host = (how & ADDRESS4) != 0 ? "192.0.2.1"
	    : (how & ADDRESS6) != 0		 ? "2001:db8::1"
						 : "smtp.example.org";
	struct status st = { 0 };
	size_t length, rest = 0;
	char buf[4096];
	ssize_t got;
	int fds[2], r;

	if (n == 0 || n > sizeof buf)
		return 0;
	if ((how & LOGIN) != 0) {
		by.user = user;
		by.password = (how & NO_PASSWORD) != 0 ? NULL : password;
	}
	p++;
	n--;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	MUST(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
	/* all of it is there beforehand, and then no more */
	MUST(write(fds[1], p, n) == (ssize_t)n && shutdown(fds[1], SHUT_WR) == 0);
	r = socks_connect(fds[0], &by, host, "587", wait_until(20000), &st);
	length = answer_length(p, n, by.user != NULL);
	MUST((r == 0) == (length > 0));
	while ((got = read(fds[0], buf, sizeof buf)) > 0)
		rest += (size_t)got;
	/* not an octet beyond the answer is taken */
	MUST(r == -1 || rest == n - length);
	if (r == -1)
		fuzz_status(&st);
	/* the password goes to nobody who did not ask for it */
	got = read(fds[1], buf, sizeof buf);
	MUST(got <= 0 || memmem(buf, (size_t)got, password, strlen(password)) == NULL ||
	    (by.password != NULL && n >= 2 && p[0] == 5 && p[1] == 2));
	(void)close(fds[0]);
	(void)close(fds[1]);
	return 0;
}
