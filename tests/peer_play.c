/*
 * peer_play - waiting for clients, and the steps of the script one after the other.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

const struct step *playing;

/* ---- waiting for clients */

/* IPv4, IPv6, and a socket of the file system. */
#define LISTENERS 3
static int listener[LISTENERS] = { -1, -1, -1 };
static volatile sig_atomic_t no_more;

void
serve_no_more(int sig)
{
	(void)sig;
	no_more = 1;
}

static int
listen_on(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM, 0), one = 1;

	if (fd == -1)
		return -1;
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, sa, len) == 0 && listen(fd, 16) == 0)
		return fd;
	one = errno;
	(void)close(fd);
	errno = one;
	return -1;
}

unsigned short
serve_listen(unsigned short port)
{
	int tries;

	/* the port that IPv4 got may be taken in IPv6 */
	for (tries = 0; tries < 20; tries++) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		socklen_t len = sizeof in;

		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener[0] = listen_on((struct sockaddr *)&in, sizeof in);
		if (listener[0] == -1 || getsockname(listener[0], (struct sockaddr *)&in, &len) == -1)
			broken("cannot listen on port %hu: %s", port, strerror(errno));
		in6.sin6_port = in.sin_port;
		listener[1] = listen_on((struct sockaddr *)&in6, sizeof in6);
		if (listener[1] != -1 || errno != EADDRINUSE)
			return ntohs(in.sin_port);
		(void)close(listener[0]);
		if (port != 0)
			break;
	}
	broken("cannot listen on port %hu of ::1: %s", port, strerror(EADDRINUSE));
}

void
serve_listen_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)unlink(path);
	if (strlcpy(un.sun_path, path, sizeof un.sun_path) >= sizeof un.sun_path ||
	    (listener[2] = listen_on((struct sockaddr *)&un, sizeof un)) == -1)
		broken("cannot listen on %s: %s", path, strerror(errno));
}

/* Sleeps until a client is there, `ms` have passed (-1: never), or a signal says that none will come. */
static bool
wait_client(struct pollfd pfd[LISTENERS], long ms)
{
	sigset_t term, before;
	int n;

	for (n = 0; n < LISTENERS; n++)
		pfd[n] = (struct pollfd) { .fd = listener[n], .events = POLLIN };
	/* the signal is let in while we sleep, and at no other time, so that it is never missed */
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &term, &before);
	(void)sigdelset(&before, SIGTERM);
	do {
		struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
		const struct timespec zero = { 0 };

		n = ppoll(pfd, LISTENERS, no_more ? &zero : ms == -1 ? NULL : &ts, &before);
	} while (n == -1 && errno == EINTR);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return n > 0;
}

bool
serve_wait(void)
{
	struct pollfd pfd[LISTENERS];

	return wait_client(pfd, -1);
}

int
serve_accept(long ms)
{
	struct pollfd pfd[LISTENERS];
	size_t i = 0;

	if (!wait_client(pfd, ms))
		return -1;
	while (i < LISTENERS - 1 && (pfd[i].revents & POLLIN) == 0)
		i++;
	return accept(pfd[i].fd, NULL, NULL);
}

/* ---- the steps */

struct play {
	const struct script *script;
	struct conn conn;
	bool open; /* a client is there */
	FILE *transcript;
	unsigned messages, flights;
	size_t at;	  /* the next step */
	long round[16];	  /* of REPEATs around it */
	size_t depth;
};

static void
note(struct play *p, const char *mark, const char *text, size_t n)
{
	(void)fprintf(p->transcript, "%s%s\n", mark, visible(text, n));
}

/* What we send, as it would stand in a script. */
static void
note_said(struct play *p, const char *text, size_t n)
{
	const char *shown;
	size_t len = n - 2;

	if (n >= 2 && memcmp(text + len, "\r\n", 2) == 0) {
		shown = visible(text, len);
		if (strlen(shown) == len) {
			(void)fprintf(p->transcript, "S: %s\n", shown);
			return;
		}
	}
	(void)fprintf(p->transcript, "RAW \"%s\"\n", visible(text, n));
}

/* The text of a step, with the number of the round for %d. */
static struct bytes
text_of(const struct play *p, const struct step *step)
{
	const char *t = step->text.p != NULL ? step->text.p : "", *end = t + step->text.len, *at;
	struct bytes out = { 0 };
	char digits[24];

	while (p->depth > 0 && (at = memmem(t, (size_t)(end - t), "%d", 2)) != NULL) {
		(void)snprintf(digits, sizeof digits, "%ld", p->round[p->depth - 1]);
		bytes_put(&out, t, (size_t)(at - t));
		bytes_put(&out, digits, strlen(digits));
		t = at + 2;
	}
	bytes_put(&out, t, (size_t)(end - t));
	return out;
}

/* Does the line fit the pattern, in which *** stands for anything? */
static bool
fits(const char *line, size_t n, const char *pattern)
{
	const char *star = strstr(pattern, "***"), *end = line + n;
	size_t part = star != NULL ? (size_t)(star - pattern) : strlen(pattern);

	if (n < part || memcmp(line, pattern, part) != 0)
		return false;
	if (star == NULL)
		return n == part;
	for (line += part, pattern = star + 3;; line = line + 1) {
		if (fits(line, (size_t)(end - line), pattern))
			return true;
		if (line == end)
			return false;
	}
}

static void
hear(struct play *p, const struct step *step)
{
	struct bytes want = text_of(p, step), got = { 0 };
	size_t n;
	const char *line = conn_line(&p->conn, &n);
	bool fit;

	if (line == NULL && step->what == W_MAYBE) {
		bytes_free(&want);
		return;
	}
	if (line == NULL)
		fail("wanted \"%s\", but the client %s", want.p,
		    p->conn.unexpected ? "reset the connection" : "closed the connection");
	bytes_put(&got, line, n - 2);
	if (step->what == W_REGEX)
		fit = strlen(got.p) == got.len && regexec(&step->regex, got.p, 0, NULL, 0) == 0;
	else
		fit = fits(got.p, got.len, want.p);
	if (!fit && step->what != W_MAYBE)
		fail("wanted \"%s\", got \"%s\"", visible(want.p, want.len), visible(got.p, got.len));
	if (fit) {
		note(p, "C: ", got.p, got.len);
		conn_taken(&p->conn, n);
	}
	bytes_free(&got);
	bytes_free(&want);
}

static void
hear_message(struct play *p, const struct step *step)
{
	FILE *f;
	char name[32], summary[64], arrived[4096];
	long octets = 0;
	const char *line;
	size_t n;

	(void)snprintf(name, sizeof name, "message.%u", p->messages + 1);
	while (access(in_dir(name), F_OK) == 0) /* of those who came before, with --hold */
		(void)snprintf(name, sizeof name, "message.%u", ++p->messages + 1);
	/* whoever looks finds whole ones */
	if ((f = fopen(in_dir("arriving"), "w")) == NULL)
		broken("%s: %s", in_dir("arriving"), strerror(errno));
	while ((line = conn_line(&p->conn, &n)) != NULL && !(n == 3 && line[0] == '.')) {
		size_t stuffed = line[0] == '.';

		if (stuffed && line[1] != '.')
			fail("a line of the message begins with a dot that was not doubled: \"%s\"",
			    visible(line, n));
		octets += (long)(n - stuffed);
		(void)fwrite(line + stuffed, 1, n - stuffed, f);
		conn_taken(&p->conn, n);
	}
	if (fclose(f) == EOF)
		broken("%s: %s", in_dir("arriving"), strerror(errno));
	if (line == NULL) {
		(void)unlink(in_dir("arriving"));
		fail("the client closed the connection in the middle of the message");
	}
	(void)strlcpy(arrived, in_dir("arriving"), sizeof arrived);
	if (rename(arrived, in_dir(name)) == -1)
		broken("%s: %s", in_dir(name), strerror(errno));
	conn_taken(&p->conn, n);
	p->messages++;
	(void)snprintf(summary, sizeof summary, "<message, %ld octets>", octets);
	note(p, "C: ", summary, strlen(summary));
	if (step->n != -1 && step->n != octets)
		fail("wanted a message of %ld octets, got one of %ld", step->n, octets);
}

static void
hear_octets(struct play *p, const struct step *step)
{
	const char *name = step->what == W_CHUNK ? "chunk" : "part";
	char summary[64];
	size_t n = (size_t)step->n;

	while (p->conn.in.len - p->conn.at < n)
		if (!conn_fill(&p->conn))
			fail("wanted %zu octets, but the client closed the connection after %zu", n,
			    p->conn.in.len - p->conn.at);
	if (step->what == W_CHUNK) {
		FILE *f;
		char file[32];

		(void)snprintf(file, sizeof file, "message.%u", ++p->messages);
		if ((f = fopen(in_dir(file), "w")) == NULL ||
		    fwrite(p->conn.in.p + p->conn.at, 1, n, f) != n || fclose(f) == EOF)
			broken("%s: %s", in_dir(file), strerror(errno));
	}
	conn_taken(&p->conn, n);
	(void)snprintf(summary, sizeof summary, "<%s, %zu octets>", name, n);
	note(p, "C: ", summary, strlen(summary));
}

/* The message must not be finished: the client leaves, and no lone dot comes before. */
static void
hear_aborted(struct play *p)
{
	const char *rest;
	size_t n;

	while (conn_fill(&p->conn))
		;
	rest = p->conn.in.p + p->conn.at;
	n = p->conn.in.len - p->conn.at;
	if (memmem(rest, n, "\r\n.\r\n", 5) != NULL || (n >= 3 && memcmp(rest, ".\r\n", 3) == 0))
		fail("the client finished a message that it had to abandon");
	p->conn.at = p->conn.in.len;
	note(p, "C: ", "<aborted message>", 17);
}

/* The client has to leave now; what it says before that is an error when `strict`. */
static void
gone(struct play *p, bool strict)
{
	struct conn *c = &p->conn;

	if (!strict)
		do
			c->at = c->in.len;
		while (conn_fill(c));
	if (strict && (c->in.len > c->at || conn_fill(c)))
		fail("nothing more was wanted, got \"%s\"", visible(c->in.p + c->at, c->in.len - c->at));
	note(p, "GONE", "", 0);
}

static void
end_connection(struct play *p)
{
	if (!p->open)
		return;
	gone(p, !p->conn.ours);
	p->flights += p->conn.flights;
	conn_free(&p->conn);
	p->open = false;
}

static void
begin_connection(struct play *p)
{
	int fd;

	if (p->open)
		return;
	fd = serve_accept(PATIENCE_MS);
	if (fd == -1)
		fail("no client connected");
	conn_start(&p->conn, fd);
	p->open = true;
}

static void
say(struct play *p, const struct step *step)
{
	struct bytes text = text_of(p, step);

	note_said(p, text.p, text.len);
	if (step->split > 0)
		conn_put_slowly(&p->conn, text.p, text.len, step->split, step->drip);
	else
		conn_put(&p->conn, text.p, text.len);
	bytes_free(&text);
}

static void
flood(struct play *p, const struct step *step)
{
	struct bytes text = text_of(p, step);
	long sent;

	(void)fprintf(p->transcript, "FLOOD %ld \"%s\"\n", step->n, visible(text.p, text.len));
	for (sent = 0; sent < step->n && !p->conn.ended; sent += (long)text.len) {
		conn_put(&p->conn, text.p, text.len);
		if (p->conn.out.len > 16384)
			conn_flush(&p->conn);
	}
	bytes_free(&text);
}

static void
signal_client(struct play *p, const struct step *step)
{
	long until = now_ms() + PATIENCE_MS, pid = 0;
	char text[24];

	conn_flush(&p->conn);
	while (pid <= 0) {
		FILE *f = fopen(in_dir("pid"), "r");

		if (f != NULL && fgets(text, sizeof text, f) != NULL && strchr(text, '\n') != NULL)
			pid = strtol(text, NULL, 10);
		if (f != NULL)
			(void)fclose(f);
		if (pid <= 0 && now_ms() > until)
			fail("nobody wrote the pid of the client to %s", in_dir("pid"));
		if (pid <= 0)
			pause_ms(10);
	}
	if (kill((pid_t)pid, (int)step->n) == -1)
		fail("cannot send a signal to the client: %s", strerror(errno));
	note(p, "SIGNAL ", step->text.p, step->text.len);
}

static void
repeat(struct play *p, const struct step *step)
{
	if (step->what == W_REPEAT) {
		if (p->depth == sizeof p->round / sizeof p->round[0])
			broken("too many REPEATs in each other");
		p->round[p->depth++] = 1;
		if (step->n == 0) {
			p->depth--;
			p->at = step->partner + 1;
		}
	} else if (p->round[p->depth - 1]++ < p->script->steps[step->partner].n)
		p->at = step->partner + 1;
	else
		p->depth--;
}

/* Steps for which no client needs to be there. */
static bool
alone(struct play *p, const struct step *step)
{
	int fd;

	switch (step->what) {
	case W_REPEAT:
	case W_DONE:
		repeat(p, step);
		return true;
	case W_NEXT:
		begin_connection(p);
		end_connection(p);
		return true;
	case W_NOBODY:
		if ((fd = serve_accept(-1)) != -1)
			fail("a client connected");
		return true;
	default:
		return false;
	}
}

static void
take_step(struct play *p, const struct step *step)
{
	struct conn *c = &p->conn;

	switch (step->what) {
	case W_SAY:
		say(p, step);
		break;
	case W_HEAR:
	case W_MAYBE:
	case W_REGEX:
		hear(p, step);
		break;
	case W_MESSAGE:
		hear_message(p, step);
		break;
	case W_CHUNK:
	case W_PART:
		hear_octets(p, step);
		break;
	case W_ABORTED:
		hear_aborted(p);
		break;
	case W_TLS:
		conn_tls(c, step);
		note(p, "TLS", "", 0);
		break;
	case W_CLOSE:
		note(p, "CLOSE", "", 0);
		conn_close(c);
		break;
	case W_CUT:
		note(p, "CUT", "", 0);
		conn_cut(c);
		break;
	case W_RESET:
		note(p, "RESET", "", 0);
		conn_reset(c);
		break;
	case W_STALL:
		note(p, "STALL", "", 0);
		conn_flush(c);
		gone(p, false);
		break;
	case W_GONE:
		gone(p, true);
		break;
	case W_PAUSE:
		conn_flush(c);
		pause_ms(step->n);
		break;
	case W_FLOOD:
		flood(p, step);
		break;
	case W_SIGNAL:
		signal_client(p, step);
		break;
	case W_FLIGHTS:
		if ((long)c->flights != step->n)
			fail("wanted %ld flights so far, counted %u", step->n, c->flights);
		break;
	default:
		broken("a step of no kind");
	}
}

void
play(const struct script *s, FILE *transcript)
{
	struct play p = { .script = s, .transcript = transcript };
	FILE *f;

	while (p.at < s->n) {
		const struct step *step = &s->steps[p.at++];

		playing = step;
		if (alone(&p, step))
			continue;
		begin_connection(&p);
		take_step(&p, step);
	}
	end_connection(&p);
	if ((f = fopen(in_dir("flights"), "w")) != NULL) {
		(void)fprintf(f, "%u\n", p.flights);
		(void)fclose(f);
	}
	playing = NULL;
}
