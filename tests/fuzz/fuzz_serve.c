/*
 * fuzz_serve - whatever a client of -bs says; the first octet picks what the server upstream is
 * like.
 *
 * The server is a strict one: no command out of order, nothing in a command or a message that does
 * not belong there. What it took is what the client was told that it took.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "fuzz.h"
#include "serve.h"

enum { EIGHT_BIT = 1, UTF8 = 2, DSN = 4, SIZE = 8, MOODY = 16, CHOOSY = 32 };

#define TAKEN "250 2.6.0 taken"
#define SIZE_MAX_SAID 500

struct upstream {
	int listener, stop; /* the end of a pipe: closed when no more connections come */
	unsigned how;
	uint32_t mood;
	unsigned taken; /* messages */
	pthread_t thread;
};

struct visit {
	struct upstream *up;
	int fd;
	bool open, data, left;
	unsigned recipients;
	struct str message;
};

/* ---- the server */

/* True once in n times, on average, for a server that has moods. */
static bool
once_in(struct upstream *up, unsigned n)
{
	up->mood = up->mood * 1103515245 + 12345;
	return (up->how & MOODY) != 0 && (up->mood >> 16) % n == 0;
}

static void
answer(struct visit *v, const char *text)
{
	struct str line = { 0 };

	if (once_in(v->up, 40)) {
		v->left = true;
		return;
	}
	if (strcmp(text, TAKEN) == 0)
		v->up->taken++;
	str_printf(&line, "%s\r\n", text);
	v->left = send(v->fd, line.p, line.len, MSG_NOSIGNAL) != (ssize_t)line.len;
	str_free(&line);
}

/* Nothing but graphic characters, and blanks within quotes or between the parts. What follows the
 * path. */
static const char *
check_path(const char *p)
{
	bool quoted = false;

	MUST(*p == '<');
	for (p++; quoted || *p != '>'; p++) {
		MUST(*p != '\0' && (quoted || *p != ' '));
		if (quoted && *p == '\\')
			MUST(*++p != '\0');
		else if (*p == '"')
			quoted = !quoted;
	}
	MUST(p[1] == '\0' || p[1] == ' ');
	return p + 1;
}

/* A path, and parameters of which none is for what the server has not. */
static void
check_envelope(const struct visit *v, const char *p)
{
	const char *params = check_path(p);

	MUST((v->up->how & DSN) != 0 ||
	    (strstr(params, " ORCPT=") == NULL && strstr(params, " NOTIFY=") == NULL &&
		strstr(params, " RET=") == NULL && strstr(params, " ENVID=") == NULL));
	MUST((v->up->how & SIZE) != 0 || strstr(params, " SIZE=") == NULL);
	MUST((v->up->how & UTF8) != 0 || strstr(params, " SMTPUTF8") == NULL);
	MUST((v->up->how & EIGHT_BIT) != 0 || strstr(params, " BODY=") == NULL);
}

static void
greet(struct visit *v)
{
	const unsigned how = v->up->how;
	struct str text = { 0 };

	str_printf(&text, "250-x\r\n%s%s%s", (how & EIGHT_BIT) != 0 ? "250-8BITMIME\r\n" : "",
	    (how & UTF8) != 0 ? "250-SMTPUTF8\r\n" : "", (how & DSN) != 0 ? "250-DSN\r\n" : "");
	if ((how & SIZE) != 0)
		str_printf(&text, "250-SIZE %d\r\n", SIZE_MAX_SAID);
	str_puts(&text, "250 HELP");
	answer(v, text.p);
	str_free(&text);
}

static void
command(struct visit *v, const char *line)
{
	MUST(ascii_clean(line));
	MUST((v->up->how & UTF8) != 0 || !has_8bit(line, strlen(line)));
	if (strcmp(line, "EHLO me.example") == 0)
		greet(v);
	else if (strncmp(line, "MAIL FROM:", 10) == 0) {
		MUST(!v->open);
		check_envelope(v, line + 10);
		v->open = !once_in(v->up, 6);
		v->recipients = 0;
		answer(v, v->open ? "250 2.1.0 Ok" : "451 4.3.0 not now");
	} else if (strncmp(line, "RCPT TO:", 8) == 0) {
		bool ann = strstr(line, "<ann") != NULL;
		bool good = !once_in(v->up, 3) && (!ann || (v->up->how & CHOOSY) == 0);

		MUST(v->open);
		check_envelope(v, line + 8);
		v->recipients += good;
		answer(v, good ? "250 2.1.5 Ok" : "550 5.1.1 no");
	} else if (strcmp(line, "DATA") == 0) {
		MUST(v->open && v->recipients > 0);
		v->data = !once_in(v->up, 9);
		answer(v, v->data ? "354 go on" : "451 4.3.0 not now");
	} else if (strcmp(line, "RSET") == 0) {
		v->open = false;
		answer(v, "250 2.0.0 Ok");
	} else {
		MUST(strcmp(line, "QUIT") == 0);
		v->left = true;
	}
}

static void
line_of_message(struct visit *v, const char *line, size_t n)
{
	if (n == 1 && line[0] == '.') {
		bool good = !once_in(v->up, 4);

		MUST((v->up->how & SIZE) == 0 || v->message.len <= SIZE_MAX_SAID);
		MUST((v->up->how & EIGHT_BIT) != 0 ||
		    !has_8bit(str_text(&v->message), v->message.len));
		str_clear(&v->message);
		v->data = v->open = false;
		answer(v, good ? TAKEN : "451 4.3.0 no room");
		return;
	}
	MUST(memchr(line, '\0', n) == NULL && (n == 0 || line[0] != '.' || line[1] == '.'));
	str_put(&v->message, line, n);
	str_puts(&v->message, "\r\n");
	if (n > 0 && line[0] == '.')
		v->message.len--; /* the dot that was doubled does not count (RFC 1870 5) */
}

static void
visit(struct upstream *up, int fd)
{
	struct visit v = { .up = up, .fd = fd };
	struct str in = { 0 };
	char buf[4096];
	ssize_t got;

	answer(&v, "220 hi");
	while (!v.left && (got = recv(fd, buf, sizeof buf, 0)) > 0) {
		char *lf;
		size_t at = 0;

		str_put(&in, buf, (size_t)got);
		while (!v.left && (lf = memchr(in.p + at, '\n', in.len - at)) != NULL) {
			char *line = in.p + at;
			size_t n = (size_t)(lf - line);

			MUST(n > 0 && line[n - 1] == '\r' && memchr(line, '\r', n - 1) == NULL);
			line[--n] = '\0';
			at += n + 2;
			if (v.data)
				line_of_message(&v, line, n);
			else {
				MUST(strlen(line) == n);
				command(&v, line);
			}
		}
		memmove(in.p, in.p + at, in.len - at);
		in.len -= at;
	}
	(void)close(fd);
	str_free(&in);
	str_free(&v.message);
}

static void *
receive(void *arg)
{
	struct upstream *up = arg;

	for (;;) {
		struct pollfd fds[2] = { { .fd = up->listener, .events = POLLIN },
			{ .fd = up->stop, .events = POLLIN } };

		MUST(poll(fds, 2, -1) > 0);
		if ((fds[0].revents & POLLIN) == 0)
			return NULL;
		visit(up, accept(up->listener, NULL, NULL));
	}
}

/* One socket for all runs. Returns its port. */
static unsigned
listen_once(int *fd)
{
	static int listener = -1;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sin;

	if (listener == -1) {
		MUST((listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) != -1);
		MUST(bind(listener, (const struct sockaddr *)&sin, sizeof sin) == 0);
		MUST(listen(listener, 8) == 0);
	}
	MUST(getsockname(listener, (struct sockaddr *)&sin, &len) == 0);
	*fd = listener;
	return ntohs(sin.sin_port);
}

/* ---- the client */

/* A file of these octets that has no name; its descriptor, at the begin. */
static int
file_of(const void *p, size_t n)
{
	FILE *f = tmpfile();
	int fd;

	MUST(f != NULL && fwrite(p, 1, n, f) == n && fflush(f) == 0);
	MUST((fd = dup(fileno(f))) != -1 && lseek(fd, 0, SEEK_SET) == 0);
	(void)fclose(f);
	return fd;
}

/* What was answered: whole lines, each a reply. How often was it that the server took a message? */
static unsigned
check_answers(int fd)
{
	FILE *f = fdopen(fd, "r");
	char line[600];
	unsigned taken = 0;

	MUST(f != NULL && fseek(f, 0, SEEK_SET) == 0);
	while (fgets(line, sizeof line, f) != NULL) {
		size_t n = strlen(line);

		MUST(n >= 6 && n <= 512 && strcmp(line + n - 2, "\r\n") == 0);
		line[n - 2] = '\0';
		MUST(fuzz_printable(line));
		MUST(line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' &&
		    line[2] >= '0' && line[2] <= '9' && (line[3] == ' ' || line[3] == '-'));
		taken += strcmp(line, TAKEN) == 0;
	}
	(void)fclose(f);
	return taken;
}

static void
converse(const uint8_t *p, size_t n, unsigned how)
{
	struct upstream up = { .how = how, .mood = (uint32_t)n * 2654435761U + how };
	const char people[] = "root: ann@x.example, bob@x.example\n";
	int aliases = file_of(people, sizeof people - 1), ends[2], out, answers;
	struct layer given = { 0 };
	struct conf conf = { 0 };
	struct str text = { 0 };
	struct status st;
	FILE *f;

	str_printf(&text,
	    "server smtp://127.0.0.1:%u\ntls none\nauth none\nsandbox no\nehlo me.example\n"
	    "domain x.example\naliases /dev/fd/%d\n",
	    listen_once(&up.listener), aliases);
	MUST(
	    (f = fmemopen(text.p, text.len, "r")) != NULL && conf_read(&conf, f, "conf", &st) == 0);
	(void)fclose(f);
	MUST(pipe(ends) == 0);
	up.stop = ends[0];
	MUST(pthread_create(&up.thread, NULL, receive, &up) == 0);
	MUST((out = file_of("", 0)) != -1 && (answers = dup(out)) != -1);
	if (serve(&conf, &given, NULL, file_of(p, n), out, &st) == -1)
		fuzz_status(&st);
	(void)close(ends[1]);
	(void)pthread_join(up.thread, NULL);
	(void)close(ends[0]);
	(void)close(aliases);
	MUST(check_answers(answers) == up.taken);
	conf_free(&conf);
	str_free(&text);
}

/* ---- what follows DATA */

/* All of p[0..n) as such a text, by the definition: up to CR LF . CR LF, and the first dot of a
 * line goes. */
static bool
defined(const uint8_t *p, size_t n, struct str *text, size_t *used)
{
	bool line = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if (line && n - i >= 3 && memcmp(p + i, ".\r\n", 3) == 0) {
			*used = i + 3;
			return true;
		}
		if (!line || p[i] != '.')
			str_putc(text, (char)p[i]);
		line = i > 0 && p[i - 1] == '\r' && p[i] == '\n';
	}
	return false;
}

static void
check_text(const uint8_t *p, size_t n, size_t piece)
{
	struct str wanted = { 0 }, found = { 0 };
	size_t used = n;
	bool ended = defined(p, n, &wanted, &used);
	struct status st = { 0 };
	struct client c;
	char buf[256];
	ssize_t got;

	client_open(&c, file_of(p, n), file_of("", 0));
	client_text_begin(&c);
	while ((got = client_text(&c, buf, piece, &st)) > 0) {
		MUST((size_t)got <= piece);
		str_put(&found, buf, (size_t)got);
	}
	MUST(ended == (got == 0));
	/* half of an end may be kept back when the client has left */
	MUST(
	    found.len <= wanted.len && memcmp(str_text(&found), str_text(&wanted), found.len) == 0);
	MUST(!ended || found.len == wanted.len);
	/* what follows is the next command */
	if (ended && used < n) {
		struct str line = { 0 };

		if (client_line(&c, &line) == CLIENT_OK)
			MUST(memcmp(line.p != NULL ? line.p : "", p + used, line.len) == 0);
		str_free(&line);
	}
	client_close(&c);
	str_free(&wanted);
	str_free(&found);
}

int
TARGET(fuzz_serve)(const uint8_t *p, size_t n)
{
	if (n == 0 || n > 100000)
		return 0;
	(void)signal(SIGPIPE, SIG_IGN);
	check_text(p + 1, n - 1, 2);
	check_text(p + 1, n - 1, 256);
	converse(p + 1, n - 1, p[0]);
	return 0;
}
