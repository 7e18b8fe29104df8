/*
 * fuzz_message - octets as a message, and what is stored of it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "message.h"

#define INPUT_MAX 40000 /* a socket keeps it, dots doubled */

static int
take(struct message *m, const char *p, size_t n, size_t piece, struct status *st)
{
	struct str none = { 0 };
	size_t at, step;
	int fds[2], r;

	/* every read of a socket of packets gives one of them */
	MUST(socketpair(AF_UNIX, piece > 0 ? SOCK_SEQPACKET : SOCK_STREAM, 0, fds) == 0);
	for (at = 0; at < n; at += step) {
		step = piece > 0 && piece < n - at ? piece : n - at;
		MUST(write(fds[1], p + at, step) == (ssize_t)step);
	}
	(void)close(fds[1]);
	memset(st, 0, sizeof *st);
	r = message_open(m, fds[0], false, st);
	if (r == 0)
		r = message_finish(m, &none, st);
	(void)close(fds[0]);
	return r;
}

static void
stored(const struct message *m, struct str *to)
{
	char *buf = xalloc(1, STORE_CHUNK);
	struct status st;
	const char *p;
	ssize_t n;

	while ((n = store_view(&m->own.store, (off_t)to->len, buf, &p, &st)) > 0)
		str_put(to, p, (size_t)n);
	MUST(n == 0 && (size_t)message_size(m) == to->len);
	free(buf);
}

/* Stored of these octets is the same as of others. */
static void
check_same(const struct str *wanted, const char *p, size_t n, size_t piece)
{
	struct str found = { 0 };
	struct message m;
	struct status st;

	MUST(take(&m, p, n, piece, &st) == 0);
	stored(&m, &found);
	MUST(found.len == wanted->len && memcmp(found.p, wanted->p, found.len) == 0);
	message_free(&m);
	str_free(&found);
}

/* Every line end as LF. */
static void
plain(const char *p, size_t n, struct str *out)
{
	size_t i, crs = 0;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r') {
			crs++;
			continue;
		}
		for (; p[i] != '\n' && crs > 0; crs--)
			str_putc(out, '\n');
		crs = 0;
		str_putc(out, p[i]);
	}
	for (; crs > 0; crs--)
		str_putc(out, '\n');
}

static void
check_stored(const struct str *s, unsigned flags)
{
	const char *p, *lf, *body = strncmp(s->p, "\r\n", 2) == 0 ? s->p : strstr(s->p, "\r\n\r\n");
	bool long_line = false;

	MUST(strlen(s->p) == s->len && s->len >= 2 && body != NULL);
	MUST(!has_8bit(s->p, s->len) || (flags & MSG_8BIT) != 0);
	for (p = s->p; *p != '\0'; p = lf + 1) {
		size_t name = strcspn(p, ":\r\n");

		lf = strchr(p, '\n');
		MUST(lf > p && lf[-1] == '\r' && memchr(p, '\r', (size_t)(lf - 1 - p)) == NULL);
		long_line |= lf - p > 999;
		if (p >= body || *p == ' ' || *p == '\t')
			continue;
		MUST(p[name] == ':' && name > 0);
		while (p[name - 1] == ' ' || p[name - 1] == '\t')
			name--;
		MUST(!(name == 3 && ascii_eqn(p, "Bcc", 3)) &&
		    !(name == 10 && ascii_eqn(p, "Resent-Bcc", 10)) &&
		    !(name == 11 && ascii_eqn(p, "Return-Path", 11)));
	}
	MUST(long_line == ((flags & MSG_LONG) != 0));
}

/* What a server makes of what we send: a line of one dot ends it, and other lines lose their first. */
static void
check_sent(const struct message *m, const struct str *wanted)
{
	struct str found = { 0 }, plain_text = { 0 };
	char buf[4096];
	struct stream *s;
	struct status st;
	int fds[2];
	size_t i;
	ssize_t n;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	s = stream_new(fds[0], fds[0]);
	MUST(message_send(&m->own, s, &st) == 0);
	stream_put(s, ".\r\n", 3);
	MUST(stream_flush(s) == 0);
	stream_free(&s);
	while ((n = read(fds[1], buf, sizeof buf)) > 0)
		str_put(&found, buf, (size_t)n);
	(void)close(fds[1]);
	for (i = 0; i < found.len; i++) {
		if (found.p[i] == '.' && (i == 0 || found.p[i - 1] == '\n')) {
			if (strncmp(found.p + i, ".\r\n", 3) == 0)
				break;
			i++;
		}
		str_putc(&plain_text, found.p[i]);
	}
	MUST(found.len == i + 3 && plain_text.len == wanted->len &&
	    memcmp(plain_text.p, wanted->p, wanted->len) == 0);
	str_free(&found);
	str_free(&plain_text);
}

int
TARGET(fuzz_message)(const uint8_t *input, size_t n)
{
	const char *p = (const char *)input;
	struct str found = { 0 }, lf = { 0 };
	struct message m;
	struct status st;

	if (n > INPUT_MAX)
		return 0;
	if (take(&m, p, n, 0, &st) == -1) {
		fuzz_status(&st);
		MUST(st.class == 5 && st.subject == 6 && (n == 0 || memchr(p, '\0', n) != NULL));
	} else {
		stored(&m, &found);
		check_stored(&found, m.own.flags);
		check_sent(&m, &found);
		check_same(&found, p, n, n / 100 + 1);
		check_same(&found, found.p, found.len, 0);
		plain(p, n, &lf);
		check_same(&found, lf.p, lf.len, 0);
	}
	message_free(&m);
	str_free(&found);
	str_free(&lf);
	return 0;
}
