/*
 * socks - asking a SOCKS5 proxy for a connection (RFC 1928, 1929).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "socks.h"
#include "wait.h"

enum { SOCKS = 5, LOGIN = 1 }; /* versions of the protocol and of the one within */
enum method { NO_LOGIN = 0, PASSWORD = 2, NONE_OF_THESE = 0xff };
enum { CONNECT = 1 };
enum address_type { IPV4 = 1, NAME = 3, IPV6 = 4 };

struct talk {
	int fd;
	const struct proxy *by;
	int64_t deadline;
	struct status *st;
};

/* What a failed read or write comes to, by errno; 0 stands for the end of the connection. */
static int
failed(const struct talk *t, int error)
{
	if (error == EINTR)
		return status_set(t->st, PH_CONNECT, 4, 3, 0, "interrupted by %s; nothing was sent",
		    wait_signal());
	if (error == ETIMEDOUT)
		return status_set(t->st, PH_CONNECT, 4, 4, 1,
		    "the proxy %s has made no connection in time", t->by->host);
	return status_set(t->st, PH_CONNECT, 4, 4, 1, "the proxy %s: %s", t->by->host,
	    error == 0 ? "it closed the connection without an answer" : strerror(error));
}

static int
rubbish(const struct talk *t, const char *what)
{
	return status_set(t->st, PH_CONNECT, 5, 4, 0,
	    "the proxy %s port %s does not speak SOCKS5: %s; check `proxy`", t->by->host,
	    t->by->port, what);
}

static int
put(const struct talk *t, const struct str *bytes)
{
	size_t done = 0;

	while (done < bytes->len) {
		struct pollfd pfd = { .fd = t->fd, .events = POLLOUT };
		ssize_t n = write(t->fd, bytes->p + done, bytes->len - done);
		int ready;

		if (n > 0)
			done += (size_t)n;
		else if (n == -1 && errno != EAGAIN && errno != EINTR)
			return failed(t, errno);
		else if ((ready = wait_poll(&pfd, 1, t->deadline)) <= 0)
			return failed(t, ready == 0 ? ETIMEDOUT : EINTR);
	}
	return 0;
}

/* Exactly n octets. */
static int
get(const struct talk *t, unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = wait_read(t->fd, p, n, t->deadline);

		if (got <= 0)
			return failed(t, got == 0 ? 0 : errno);
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

/* RFC 1929 2: the password goes to the proxy as it is. */
static int
login(const struct talk *t)
{
	const char *password = t->by->password != NULL ? t->by->password : "";
	struct str out = { 0 };
	unsigned char answer[2];
	int r;

	str_putc(&out, LOGIN);
	str_putc(&out, (char)strlen(t->by->user));
	str_puts(&out, t->by->user);
	str_putc(&out, (char)strlen(password));
	str_puts(&out, password);
	r = put(t, &out);
	str_free(&out);
	if (r == -1 || get(t, answer, sizeof answer) == -1)
		return -1;
	if (answer[0] != LOGIN)
		return rubbish(t, "no answer to a login");
	if (answer[1] != 0)
		return status_set(t->st, PH_CONNECT, 5, 7, 0,
		    "the proxy %s refuses the login of %s: check user and password in `proxy`",
		    t->by->host, t->by->user);
	return 0;
}

/* RFC 1928 3: agree on how to log in, and do so. */
static int
greet(const struct talk *t)
{
	struct str out = { 0 };
	unsigned char answer[2];
	int r;

	str_putc(&out, SOCKS);
	str_putc(&out, t->by->user != NULL ? 2 : 1);
	str_putc(&out, NO_LOGIN);
	if (t->by->user != NULL)
		str_putc(&out, PASSWORD);
	r = put(t, &out);
	str_free(&out);
	if (r == -1 || get(t, answer, sizeof answer) == -1)
		return -1;
	if (answer[0] != SOCKS)
		return rubbish(t, "its first octet is not 5");
	if (answer[1] == NO_LOGIN)
		return 0;
	if (answer[1] == PASSWORD && t->by->user != NULL)
		return login(t);
	if (answer[1] != NONE_OF_THESE)
		return rubbish(t, "it chose a login that was not offered");
	if (t->by->user != NULL)
		return status_set(t->st, PH_CONNECT, 5, 7, 0,
		    "the proxy %s does not take a user name and a password", t->by->host);
	return status_set(t->st, PH_CONNECT, 5, 7, 0,
	    "the proxy %s wants a login: put user and password into `proxy`", t->by->host);
}

static void
put_address(struct str *out, const char *host, const char *port)
{
	unsigned char address[16];
	uint16_t number = htons((uint16_t)strtonum(port, 1, UINT16_MAX, NULL));

	if (inet_pton(AF_INET, host, address) == 1) {
		str_putc(out, IPV4);
		str_put(out, address, 4);
	} else if (inet_pton(AF_INET6, host, address) == 1) {
		str_putc(out, IPV6);
		str_put(out, address, 16);
	} else {
		str_putc(out, NAME);
		str_putc(out, (char)strlen(host));
		str_puts(out, host);
	}
	str_put(out, &number, sizeof number);
}

/* RFC 1928 6: the address that the proxy connected from is of no use here, but must be read. */
static int
pass_address(const struct talk *t, unsigned char type)
{
	unsigned char rest[255 + 2], n;

	switch (type) {
	case IPV4:
		n = 4;
		break;
	case IPV6:
		n = 16;
		break;
	case NAME:
		if (get(t, &n, 1) == -1)
			return -1;
		break;
	default:
		return rubbish(t, "an address of no known type");
	}
	return get(t, rest, n + 2U);
}

static const char *
reply_text(unsigned char reply)
{
	static const char *const texts[] = {
		[1] = "general failure",
		[2] = "its rules do not allow it",
		[3] = "network unreachable",
		[4] = "host unreachable",
		[5] = "connection refused",
		[6] = "TTL expired",
		[7] = "it cannot do this command",
		[8] = "it cannot do this kind of address",
	};

	return reply < sizeof texts / sizeof texts[0] ? texts[reply] : "no known reason";
}

void
proxy_free(struct proxy *p)
{
	free(p->host);
	free(p->port);
	free(p->user);
	if (p->password != NULL)
		freezero(p->password, strlen(p->password));
	memset(p, 0, sizeof *p);
}

int
socks_connect(int fd, const struct proxy *by, const char *host, const char *port, int64_t deadline,
    struct status *st)
{
	struct talk t = { .fd = fd, .by = by, .deadline = deadline, .st = st };
	struct str out = { 0 };
	unsigned char answer[4];
	int r;

	if (greet(&t) == -1)
		return -1;
	str_putc(&out, SOCKS);
	str_putc(&out, CONNECT);
	str_putc(&out, 0);
	put_address(&out, host, port);
	r = put(&t, &out);
	str_free(&out);
	if (r == -1 || get(&t, answer, sizeof answer) == -1)
		return -1;
	if (answer[0] != SOCKS)
		return rubbish(&t, "the answer to a request does not begin with 5");
	if (answer[1] != 0)
		return status_set(st, PH_CONNECT, 4, 4, 1,
		    "the proxy %s cannot connect to %s port %s: %s (reply %u)", by->host, host,
		    port, reply_text(answer[1]), (unsigned)answer[1]);
	return pass_address(&t, answer[3]);
}
