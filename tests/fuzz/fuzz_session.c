/*
 * fuzz_session - whatever a server says in a whole session; the first octet picks the circumstances.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "submit.h"
#include "puppet.h"
#include "wait.h"

enum { PIPELINING = 1, PARTIAL = 2, LOGIN = 4, STRANGER = 8, EIGHT_BIT = 16, HANGS_UP = 32, THREE = 64 };

#define SENT "From: a@x\r\n\r\n..dot\r\n%s\r\n.\r\n"
/* The same for a server that does not take 8 bits. */
#define SENT_AS_7BIT \
	"From: a@x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n=2Edot\r\n=C3=BC\r\n.\r\n"

static void
make_message(struct message *m, const char *text)
{
	struct str none = { 0 };
	struct status st;
	int fds[2];

	MUST(pipe(fds) == 0 && write(fds[1], text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fds[1]);
	MUST(message_open(m, fds[0], false, &st) == 0 && message_finish(m, &none, &st) == 0);
	(void)close(fds[0]);
}

static void
check(const struct envelope *e, const struct status *reply, const char *heard, unsigned how)
{
	int code = envelope_exit(e);
	struct str sent = { 0 };
	size_t i;

	MUST(code == 0 || (code >= 64 && code <= 78));
	MUST((code == 0) == (envelope_accepted(e) == e->n) && (code != 75 || envelope_accepted(e) == 0));
	for (i = 0; i < e->n; i++) {
		fuzz_status(&e->rcpt[i].status);
		MUST(!e->rcpt[i].unknown || e->rcpt[i].status.class == 4);
	}
	MUST((how & PARTIAL) != 0 || envelope_accepted(e) == 0 || envelope_accepted(e) == e->n);
	/* accepted is what the server took, all of it */
	if ((how & EIGHT_BIT) == 0)
		str_printf(&sent, SENT, "u");
	else if (strstr(heard, " BODY=8BITMIME") != NULL)
		str_printf(&sent, SENT, "\303\274");
	else
		str_puts(&sent, SENT_AS_7BIT);
	MUST(envelope_accepted(e) == 0 || (status_ok(reply) && strstr(heard, sent.p) != NULL));
	str_free(&sent);
	/* and no stranger learns a password (its base64, at the begin of a line or behind "\0a\0") */
	if ((how & (LOGIN | STRANGER)) != LOGIN)
		MUST(strstr(heard, "c2VjcmV0LXdvcmQ") == NULL && strstr(heard, "AUTH PLAIN") == NULL &&
		    strstr(heard, "AUTH LOGIN") == NULL && strstr(heard, "AUTH CRAM") == NULL &&
		    strstr(heard, "OAUTH") == NULL);
	for (; *heard != '\0'; heard++)
		MUST((*heard == '\r') == (heard[1] == '\n'));
}

int
TARGET(fuzz_session)(const uint8_t *p, size_t n)
{
	static char ehlo[] = "me.example";
	unsigned how = n > 0 ? p[0] : 0;
	struct account a = { .ehlo = ehlo,
		.tls = TLS_NONE,
		.password_fd = -1,
		.partial = (how & PARTIAL) != 0,
		.pipelining = (how & PIPELINING) != 0 };
	struct credentials cred = { .user = "a", .host = "smtp.example.org", .port = "587" };
	struct session_target to = { .account = &a,
		.server = { "smtp.example.org", "587", NULL },
		.cred = (how & LOGIN) != 0 ? &cred : NULL,
		.deadline = wait_until(20000) };
	struct envelope e = { .from = xstrdup("a@x") };
	struct message m;
	struct status reply = { 0 };
	struct session *s;
	struct puppet server;
	int fd;

	if (n == 0 || n > 100000) {
		envelope_free(&e);
		return 0;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	str_puts(&cred.secret, "secret-word");
	make_message(
	    &m, (how & EIGHT_BIT) != 0 ? "From: a@x\n\n.dot\n\303\274\n" : "From: a@x\n\n.dot\nu\n");
	envelope_add(&e, "b@x");
	if ((how & THREE) != 0) {
		envelope_add(&e, "c@x");
		envelope_add(&e, "d@x");
	}
	MUST((fd = puppet_start(&server, (const char *)p + 1, n - 1, (how & HANGS_UP) != 0)) != -1);
	s = session_over(stream_new(fd, fd), &to, (how & STRANGER) != 0 ? "192.0.2.1" : "127.0.0.1");
	if (status_ok(session_status(s)))
		submit_batch(s, &e, &m, a.partial, true, &reply);
	else
		envelope_settle(&e, session_status(s));
	session_close(&s);
	puppet_end(&server);
	check(&e, &reply, str_text(&server.heard), how);
	str_free(&server.heard);
	credentials_free(&cred);
	envelope_free(&e);
	message_free(&m);
	return 0;
}
