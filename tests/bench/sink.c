/*
 * sink - a submission server that throws everything away, fast, and counts.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 *
 * usage: sink [-i] [-n] [-2] [-g MS] CERT KEY PORTFILE LOG
 *
 * Listens on a port of 127.0.0.1, which it writes to PORTFILE, until it is ended. For each session
 * LOG gets a line: flights, messages, recipients, octets of messages. What a client says without
 * waiting for the server is one flight. -i: TLS from the first octet. -n: no CHUNKING. -2: TLS 1.2.
 * -g: a client that says nothing for so many milliseconds has said what it has to, and is answered;
 * with 0 (default) it may be interrupted, and a long flight be counted as several.
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define BUF (256 * 1024)
#define WIRE (64 * 1024)

static struct {
	int fd;
	gnutls_session_t tls;
	bool secure, spoke;
	char in[BUF];
	size_t at, len;
	char out[BUF];
	size_t outlen;
	char wire[WIRE]; /* what was read ahead of GnuTLS */
	size_t wire_at, wire_len;
	unsigned long flights, messages, recipients, octets;
} c;
static bool implicit, chunking = true;
static int grace;
static const char *priority = "NORMAL";
static gnutls_certificate_credentials_t cred;
static const char *logname;

static void
leave(void)
{
	char line[120];
	int n, log = open(logname, O_WRONLY | O_APPEND | O_CREAT, 0600);

	n = snprintf(
	    line, sizeof line, "%lu %lu %lu %lu\n", c.flights, c.messages, c.recipients, c.octets);
	if (log == -1 || write(log, line, (size_t)n) != n)
		perror(logname);
	_exit(0);
}

static void
flush(void)
{
	size_t done = 0;

	while (done < c.outlen) {
		ssize_t n = c.secure ? gnutls_record_send(c.tls, c.out + done, c.outlen - done)
				     : write(c.fd, c.out + done, c.outlen - done);

		if (n <= 0)
			leave();
		done += (size_t)n;
		c.spoke = true;
	}
	c.outlen = 0;
}

static void
say(const char *text)
{
	size_t n = strlen(text);

	if (c.outlen + n > sizeof c.out)
		flush();
	memcpy(c.out + c.outlen, text, n);
	c.outlen += n;
}

/* More input; what was said is sent before anything is waited for. */
static void
fill(void)
{
	ssize_t n;

	if (c.at == c.len)
		c.at = c.len = 0;
	else if (c.at > 0 && c.len == sizeof c.in) {
		memmove(c.in, c.in + c.at, c.len - c.at);
		c.len -= c.at;
		c.at = 0;
	}
	/* a flight may come in several records and segments */
	if (c.outlen > 0 && c.wire_at == c.wire_len &&
	    poll(&(struct pollfd){ .fd = c.fd, .events = POLLIN }, 1, grace) == 0)
		flush();
	n = c.secure ? gnutls_record_recv(c.tls, c.in + c.len, sizeof c.in - c.len)
		     : read(c.fd, c.in + c.len, sizeof c.in - c.len);
	if (n <= 0)
		leave();
	c.flights += c.spoke;
	c.spoke = false;
	c.len += (size_t)n;
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	if (c.wire_at == c.wire_len) {
		ssize_t got = recv((int)(intptr_t)arg, c.wire, sizeof c.wire, 0);

		if (got <= 0)
			return got;
		c.wire_at = 0;
		c.wire_len = (size_t)got;
		/* the handshake has flights, too */
		if (!c.secure) {
			c.flights += c.spoke;
			c.spoke = false;
		}
	}
	if (n > c.wire_len - c.wire_at)
		n = c.wire_len - c.wire_at;
	memcpy(p, c.wire + c.wire_at, n);
	c.wire_at += n;
	return (ssize_t)n;
}

/* All records of a flight in one segment, so that what a client has to do for it is always the
 * same. */
static ssize_t
push(gnutls_transport_ptr_t arg, const giovec_t *iov, int n)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };

	if (!c.secure)
		c.spoke = true;
	return sendmsg((int)(intptr_t)arg, &msg, MSG_NOSIGNAL);
}

static void
handshake(void)
{
	int r;

	flush();
	(void)gnutls_init(&c.tls, GNUTLS_SERVER | GNUTLS_NO_TICKETS);
	(void)gnutls_priority_set_direct(c.tls, priority, NULL);
	(void)gnutls_credentials_set(c.tls, GNUTLS_CRD_CERTIFICATE, cred);
	gnutls_transport_set_ptr(c.tls, (gnutls_transport_ptr_t)(intptr_t)c.fd);
	gnutls_transport_set_pull_function(c.tls, pull);
	gnutls_transport_set_vec_push_function(c.tls, push);
	while ((r = gnutls_handshake(c.tls)) < 0)
		if (gnutls_error_is_fatal(r))
			leave();
	c.secure = true;
}

static char *
line(void)
{
	char *lf, *p;

	while ((lf = memchr(c.in + c.at, '\n', c.len - c.at)) == NULL)
		fill();
	p = c.in + c.at;
	c.at = (size_t)(lf + 1 - c.in);
	*lf = '\0';
	return p;
}

static void
take(size_t n)
{
	while (n > 0) {
		size_t have = c.len - c.at;

		if (have == 0) {
			fill();
			continue;
		}
		if (have > n)
			have = n;
		c.at += have;
		c.octets += have;
		n -= have;
	}
}

/*
 * Up to the final dot, from the line end of the command, as the message may be empty. A text has
 * few dots, so it is these that are looked for.
 */
static void
take_data(void)
{
	for (;;) {
		char *at = c.in + c.at, *end = c.in + c.len, *dot = at;
		size_t n = c.len - c.at;

		while (
		    end - dot >= 3 && (dot = memchr(dot, '.', (size_t)(end - dot) - 2)) != NULL) {
			if (dot - at >= 2 && memcmp(dot - 2, "\r\n.\r\n", 5) == 0) {
				take((size_t)(dot + 3 - at));
				c.octets -= 5;
				return;
			}
			dot++;
		}
		take(n < 4 ? 0 : n - 4);
		fill();
	}
}

static bool
is(const char *p, const char *word)
{
	return strncasecmp(p, word, strlen(word)) == 0;
}

static void
serve(void)
{
	if (implicit)
		handshake();
	say("220 sink ESMTP\r\n");
	for (;;) {
		char *p = line();

		if (is(p, "EHLO")) {
			say("250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n");
			say(c.secure ? "250-AUTH PLAIN LOGIN\r\n" : "250-STARTTLS\r\n");
			say(chunking ? "250 CHUNKING\r\n" : "250 ENHANCEDSTATUSCODES\r\n");
		} else if (is(p, "STARTTLS")) {
			say("220 2.0.0 go\r\n");
			handshake();
		} else if (is(p, "AUTH PLAIN") || is(p, "AUTH LOGIN")) {
			bool two = is(p, "AUTH LOGIN");

			/* whoever did not say it all is asked */
			if (strlen(p) < 14) {
				say("334 \r\n");
				(void)line();
				if (two) {
					say("334 \r\n");
					(void)line();
				}
			}
			say("235 2.7.0 welcome\r\n");
		} else if (is(p, "DATA")) {
			say("354 go\r\n");
			c.in[c.at - 1] = '\n';
			c.at -= 2;
			take_data();
			c.messages++;
			say("250 2.0.0 taken\r\n");
		} else if (is(p, "BDAT")) {
			bool last = strcasestr(p, " LAST") != NULL;

			take((size_t)strtoul(p + 5, NULL, 10));
			c.messages += last;
			say("250 2.0.0 taken\r\n");
		} else if (is(p, "QUIT")) {
			say("221 2.0.0 bye\r\n");
			flush();
			leave();
		} else {
			c.recipients += is(p, "RCPT");
			say("250 2.0.0 ok\r\n");
		}
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t len = sizeof own;
	int opt, s, one = 1;
	FILE *f;

	while ((opt = getopt(argc, argv, "in2g:")) != -1)
		if (opt == 'i')
			implicit = true;
		else if (opt == 'n')
			chunking = false;
		else if (opt == '2')
			priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
		else if (opt == 'g')
			grace = (int)strtol(optarg, NULL, 10);
		else
			return 64;
	if (argc - optind != 4)
		return 64;
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	logname = argv[optind + 3];
	(void)gnutls_certificate_allocate_credentials(&cred);
	if (gnutls_certificate_set_x509_key_file(
		cred, argv[optind], argv[optind + 1], GNUTLS_X509_FMT_PEM) < 0)
		return 1;
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&own, sizeof own) == -1 || listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&own, &len) == -1 ||
	    (f = fopen(argv[optind + 2], "w")) == NULL)
		return 1;
	fprintf(f, "%u\n", ntohs(own.sin_port));
	(void)fclose(f);
	while ((c.fd = accept(s, NULL, NULL)) != -1 || errno == EINTR) {
		if (c.fd != -1 && fork() == 0) {
			(void)setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			(void)close(s);
			serve();
		}
		(void)close(c.fd);
	}
	return 1;
}
