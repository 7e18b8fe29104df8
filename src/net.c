/*
 * net - from a host name to a connected socket, and the names of this machine.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idn.h"
#include "net.h"
#include "wait.h"

#define ADDRESSES_MAX 16
#define OWN_NAME_MS 5000
#define STAGGER_MS 250 /* RFC 8305 5, Connection Attempt Delay */
#define BUSY_MS 20     /* between two looks at a socket whose queue is full */

/* getaddrinfo() knows no deadline, so it runs beside us and is left behind when it takes too long.
 */
struct lookup {
	char *host, *port;
	int flags;
	struct addrinfo *found;
	int error, number; /* of getaddrinfo(), and errno beside it, which is the thread's own */
	int done[2];	   /* pipe; its end is closed when the answer is there */
};

static int
look_up(const struct endpoint *to, int flags, struct addrinfo **found)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV };

	return getaddrinfo(to->host, to->port, &hints, found);
}

static void *
look_up_beside(void *arg)
{
	struct lookup *job = arg;
	struct endpoint to = { .host = job->host, .port = job->port };

	job->error = look_up(&to, job->flags, &job->found);
	job->number = errno;
	(void)close(job->done[1]);
	return NULL;
}

static int
look_up_failed(const char *host, int error, struct status *st)
{
	switch (error) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
		return status_set(st, PH_CONNECT, 5, 4, 4, "there is no host %s", host);
	case EAI_SYSTEM:
		return status_set(
		    st, PH_CONNECT, 4, 4, 3, "cannot look up %s: %s", host, strerror(errno));
	default:
		return status_set(st, PH_CONNECT, 4, 4, 3,
		    "cannot look up %s: %s; is this machine online?", host, gai_strerror(error));
	}
}

static int
resolve(const struct endpoint *to, int flags, int64_t deadline, struct addrinfo **found,
    struct status *st)
{
	struct lookup *job;
	struct pollfd pfd = { .events = POLLIN };
	pthread_t thread;
	int error, ready;

	if (look_up(to, AI_NUMERICHOST, found) == 0)
		return 0;
	job = xalloc(1, sizeof *job);
	job->host = xstrdup(to->host);
	job->port = xstrdup(to->port);
	job->flags = flags;
	if (pipe(job->done) == -1)
		return status_errno(st, PH_CONNECT, "cannot make a pipe");
	(void)fcntl(job->done[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(job->done[1], F_SETFD, FD_CLOEXEC);
	if ((error = pthread_create(&thread, NULL, look_up_beside, job)) != 0) {
		errno = error;
		return status_errno(st, PH_CONNECT, "cannot start a thread");
	}
	pfd.fd = job->done[0];
	ready = wait_poll(&pfd, 1, deadline);
	if (ready <= 0) {
		/* the thread still owns the job; it ends with the process */
		(void)pthread_detach(thread);
		if (ready == -1)
			return status_set(st, PH_CONNECT, 4, 3, 0,
			    "interrupted by %s; nothing was sent", wait_signal());
		return status_set(st, PH_CONNECT, 4, 4, 3,
		    "looking up %s took too long; is this machine online?", to->host);
	}
	(void)pthread_join(thread, NULL);
	(void)close(job->done[0]);
	*found = job->found;
	error = job->error;
	errno = job->number;
	if (error != 0)
		look_up_failed(to->host, error, st);
	free(job->host);
	free(job->port);
	free(job);
	return error == 0 ? 0 : -1;
}

/* The address that we are to connect from. */
struct source {
	const char *text; /* NULL: the kernel chooses */
	struct sockaddr_storage ss;
	socklen_t len;
};

static void
source_parse(const char *text, struct source *from)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&from->ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&from->ss;

	memset(from, 0, sizeof *from);
	if ((from->text = text) == NULL)
		return;
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		from->len = sizeof *in;
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		from->len = sizeof *in6;
	}
}

/*
 * Let the address families take turns, beginning with the resolver's favourite (RFC 8305 4). With a
 * source only those of its family count.
 */
static size_t
take_turns(const struct addrinfo *list, const struct source *from,
    const struct addrinfo *order[ADDRESSES_MAX])
{
	const struct addrinfo *same = list, *other = from->text == NULL ? list : NULL;
	int family = from->text != NULL ? from->ss.ss_family : list->ai_family;
	size_t n = 0;

	while (n < ADDRESSES_MAX && (same != NULL || other != NULL)) {
		while (same != NULL && same->ai_family != family)
			same = same->ai_next;
		if (same != NULL) {
			order[n++] = same;
			same = same->ai_next;
		}
		while (other != NULL && other->ai_family == family)
			other = other->ai_next;
		if (other != NULL && n < ADDRESSES_MAX) {
			order[n++] = other;
			other = other->ai_next;
		}
	}
	return n;
}

static void
address_text(const struct sockaddr *sa, socklen_t len, char *to, size_t size)
{
	if (getnameinfo(sa, len, to, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
		(void)strlcpy(to, "?", size);
}

/* The race between addresses: who started, who is still running, and why the others fell. */
struct race {
	const struct addrinfo *order[ADDRESSES_MAX];
	struct pollfd fds[ADDRESSES_MAX]; /* fd -1: fallen */
	size_t n, started;
	struct source from;
	bool early; /* the first one may take what we say along in its SYN, and did not wait for it
		     */
	struct str fallen;
};

/* `what`: which call it was, when that is not plain from the error; else "". */
static void
fall(struct race *r, size_t i, const char *what, int error)
{
	char address[NI_MAXHOST];

	if (r->fds[i].fd != -1)
		(void)close(r->fds[i].fd);
	r->fds[i].fd = -1;
	address_text(r->order[i]->ai_addr, r->order[i]->ai_addrlen, address, sizeof address);
	str_printf(&r->fallen, "%s%s%s (%s)", r->fallen.len > 0 ? ", " : "", what, strerror(error),
	    address);
}

/* Leave the SYN to the first write, when the kernel has a cookie for this address. */
static bool
fast_open(int fd)
{
#ifdef TCP_FASTOPEN_CONNECT
	int one = 1;

	return setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one) == 0;
#else
	(void)fd;
	return false;
#endif
}

static void
start(struct race *r)
{
	const struct addrinfo *ai = r->order[r->started];
	size_t i = r->started++;
	int one = 1, fd;
	bool early;

	r->fds[i].fd = -1;
	r->fds[i].events = POLLOUT;
	assert(ai != NULL); /* there are r->n of them */
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (fd == -1) {
		fall(r, i, "", errno);
		return;
	}
	r->fds[i].fd = fd;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	early = r->early && i == 0 && fast_open(fd);
	r->early = false;
	if (r->from.text != NULL &&
	    bind(fd, (const struct sockaddr *)&r->from.ss, r->from.len) == -1)
		fall(r, i, "`source-address`: ", errno);
	else if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		r->early = early;
	else if (errno != EINPROGRESS && errno != EINTR) /* which goes on, too */
		fall(r, i, "", errno);
}

static bool
running(const struct race *r)
{
	size_t i;

	for (i = 0; i < r->started; i++)
		if (r->fds[i].fd != -1)
			return true;
	return false;
}

/* The index of the first that connected, or -1 with *st. */
static int
run(struct race *r, int64_t deadline, struct status *st)
{
	int64_t next = 0;
	size_t i;

	for (;;) {
		int ready;

		if (r->started < r->n && (!running(r) || wait_now() >= next)) {
			start(r);
			next = wait_until(STAGGER_MS);
			continue;
		}
		if (!running(r))
			return status_set(st, PH_CONNECT, 4, 4, 1, "%s", str_text(&r->fallen));
		ready = wait_poll(
		    r->fds, r->started, r->started < r->n ? wait_least(next, deadline) : deadline);
		if (ready == -1)
			return status_set(st, PH_CONNECT, 4, 3, 0,
			    "interrupted by %s; nothing was sent", wait_signal());
		if (ready == 0 && wait_now() >= deadline)
			return status_set(st, PH_CONNECT, 4, 4, 1, "no connection in time%s%s",
			    r->fallen.len > 0 ? "; " : "", str_text(&r->fallen));
		for (i = 0; i < r->started; i++) {
			int error = 0;
			socklen_t len = sizeof error;

			if (r->fds[i].fd == -1 || r->fds[i].revents == 0)
				continue;
			(void)getsockopt(r->fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
			if (error == 0)
				return (int)i;
			fall(r, i, "", error);
		}
	}
}

/* Names may get an address of that family one day; an address never does. */
static int
no_way_from(const struct source *from, const char *host, struct status *st)
{
	const char *family = from->ss.ss_family == AF_INET6 ? "IPv6" : "IPv4";

	if (idn_is_address(host))
		return status_set(st, PH_CONNECT, 5, 3, 5,
		    "`source-address` %s is an address of %s, and %s is none", from->text, family,
		    host);
	return status_set(st, PH_CONNECT, 4, 4, 1,
	    "`source-address` %s is an address of %s, and %s has none of that kind", from->text,
	    family, host);
}

/* A socket on this machine: there is one address, and it is there or not. */
static int
connect_local(const char *path, int64_t deadline, struct status *st)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd, ready;

	if (strlcpy(un.sun_path, path, sizeof un.sun_path) >= sizeof un.sun_path)
		return status_set(
		    st, PH_CONNECT, 5, 3, 5, "%s is too long for the path of a socket", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return status_errno(st, PH_CONNECT, "cannot make a socket");
	while (connect(fd, (const struct sockaddr *)&un, sizeof un) == -1) {
		if (errno ==
		    EAGAIN) { /* its queue is full, and poll() does not tell when it is not */
			ready = wait_poll(NULL, 0, wait_least(wait_until(BUSY_MS), deadline));
			if (ready == 0 && wait_now() < deadline)
				continue;
			if (ready == -1)
				status_set(st, PH_CONNECT, 4, 3, 0,
				    "interrupted by %s; nothing was sent", wait_signal());
			else
				status_set(st, PH_CONNECT, 4, 4, 1,
				    "no connection in time to the socket %s", path);
		} else
			status_set(
			    st, PH_CONNECT, 4, 4, 1, "the socket %s: %s", path, strerror(errno));
		(void)close(fd);
		return -1;
	}
	return fd;
}

int
net_connect(const struct endpoint *to, const char *source, int64_t deadline, bool *early,
    char *peer, size_t size, struct status *st)
{
	struct addrinfo *found = NULL;
	struct race r = { 0 };
	size_t i;
	int won, fd = -1;

	(void)strlcpy(peer, "", size);
	if (to->path != NULL) {
		struct str shown = { 0 };

		if (early != NULL)
			*early = false;
		str_printable(&shown, to->path, strlen(to->path));
		(void)strlcpy(peer, str_text(&shown), size);
		str_free(&shown);
		return connect_local(to->path, deadline, st);
	}
	if (resolve(to, 0, deadline, &found, st) == -1)
		return -1;
	source_parse(source, &r.from);
	r.early = early != NULL && *early;
	r.n = take_turns(found, &r.from, r.order);
	won = r.n == 0 ? no_way_from(&r.from, to->host, st) : run(&r, deadline, st);
	for (i = 0; i < r.started; i++)
		if ((int)i != won && r.fds[i].fd != -1)
			(void)close(r.fds[i].fd);
	if (early != NULL)
		*early = won == 0 && r.early;
	if (won != -1) {
		address_text(r.order[won]->ai_addr, r.order[won]->ai_addrlen, peer, size);
		fd = r.fds[won].fd;
	}
	freeaddrinfo(found);
	str_free(&r.fallen);
	return fd;
}

int
net_addresses(const struct endpoint *to, int64_t deadline, struct strings *found, struct status *st)
{
	struct addrinfo *list = NULL;
	const struct addrinfo *ai;
	char address[NI_MAXHOST];

	if (resolve(to, 0, deadline, &list, st) == -1)
		return -1;
	for (ai = list; ai != NULL && found->n < ADDRESSES_MAX; ai = ai->ai_next) {
		address_text(ai->ai_addr, ai->ai_addrlen, address, sizeof address);
		strings_add(found, address);
	}
	freeaddrinfo(list);
	return 0;
}

bool
net_loopback(const char *peer)
{
	return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0 ||
	    strncmp(peer, "::ffff:127.", 11) == 0;
}

const char *
net_own_name(void)
{
	static char own[256];
	static bool asked;

	if (!asked && gethostname(own, sizeof own - 1) == -1)
		own[0] = '\0';
	asked = true;
	return own;
}

static bool
own_name(char *name, size_t size)
{
	(void)strlcpy(name, net_own_name(), size);
	return name[0] != '\0' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
	    strlen(name);
}

char *
net_ehlo_name(const struct stream *s)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof ss;
	char name[256], address[NI_MAXHOST];
	struct str literal = { 0 };

	if (own_name(name, sizeof name) && strchr(name, '.') != NULL)
		return xstrdup(name);
	if (getsockname(stream_fd(s), (struct sockaddr *)&ss, &len) == -1 ||
	    (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
		return xstrdup("[127.0.0.1]");
	address_text((struct sockaddr *)&ss, len, address, sizeof address);
	address[strcspn(address, "%")] = '\0'; /* the scope of a link-local address is ours alone */
	str_printf(&literal, ss.ss_family == AF_INET6 ? "[IPv6:%s]" : "[%s]", address);
	return literal.p;
}

char *
net_mail_domain(void)
{
	struct addrinfo *ai = NULL;
	char name[256] = "";
	struct endpoint own = { .host = name, .port = "25" };
	struct status st;
	FILE *f = fopen("/etc/mailname", "re");

	if (f != NULL) {
		if (fgets(name, sizeof name, f) == NULL)
			name[0] = '\0';
		(void)fclose(f);
		name[strcspn(name, " \t\r\n")] = '\0';
	}
	if (name[0] == '\0' && !own_name(name, sizeof name))
		return xstrdup("localhost");
	if (strchr(name, '.') == NULL &&
	    resolve(&own, AI_CANONNAME, wait_until(OWN_NAME_MS), &ai, &st) == 0 &&
	    ai->ai_canonname != NULL)
		(void)strlcpy(name, ai->ai_canonname, sizeof name);
	if (ai != NULL)
		freeaddrinfo(ai);
	return xstrdup(name);
}

const char *
net_stranger(const char *p, size_t n)
{
	static const struct {
		const char *start, *what;
	} strangers[] = {
		{ "HTTP/", "; this port is a web server's: 465 and 587 are for submission" },
		{ "<html", "; this port is a web server's: 465 and 587 are for submission" },
		{ "SSH-", "; this port is for SSH: 465 and 587 are for submission" },
		{ "* OK",
		    "; this port is for reading mail by IMAP: 465 and 587 are for submission" },
		{ "+OK",
		    "; this port is for reading mail by POP3: 465 and 587 are for submission" },
	};
	size_t i;

	for (i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
		if (n >= strlen(strangers[i].start) &&
		    strncasecmp(p, strangers[i].start, strlen(strangers[i].start)) == 0)
			return strangers[i].what;
	return "; are host and port in `server` right? 465 and 587 are for submission";
}
