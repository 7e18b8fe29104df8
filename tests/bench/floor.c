/*
 * floor - the least that a client with GnuTLS can do for one submission, to measure others by.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 *
 * usage: floor [-i] [-b] [-m FILE] [-n MESSAGES] [-r RECIPIENTS] PORT CA
 *        floor -v
 *
 * Connects to 127.0.0.1, verifies the certificate against the file CA, logs in by AUTH PLAIN and
 * sends one small message; it looks at no reply but for the first digit of the last one. -i: TLS
 * from the first octet. -b: by BDAT, with its envelope. -m: the octets of FILE as they are, in full
 * records. -n: so many of them, the envelope of each with the end of the one before; with -b all at
 * once. -r: to so many recipients. -v: prints the version of GnuTLS.
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define RECORD 16384

static const char small
    [] = "From: alice@sender.com\r\nTo: bob@example.org\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
	 "Message-ID: <floor@sender.com>\r\nSubject: plain\r\n\r\nA line of text.\r\n";

static bool chunk;
static long messages = 1, recipients = 1;
static const char *message = small;
static size_t length = sizeof small - 1;

static int fd;
static gnutls_session_t tls;
static bool secure;

/* What is to be said, until an answer is wanted or a record is full. */
static char out[RECORD];
static size_t pending;

static void
give_up(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static void
put_now(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = secure ? gnutls_record_send(tls, p, n) : write(fd, p, n);

		if (done <= 0)
			give_up("the server is gone");
		p += done;
		n -= (size_t)done;
	}
}

static void
flush(void)
{
	put_now(out, pending);
	pending = 0;
}

static void
put(const char *p, size_t n)
{
	size_t part;

	for (; n > 0; p += part, n -= part) {
		part = n < RECORD - pending ? n : RECORD - pending;
		if (part == RECORD) {
			put_now(p, RECORD);
			continue;
		}
		memcpy(out + pending, p, part);
		if ((pending += part) == RECORD)
			flush();
	}
}

static void
say(const char *text)
{
	put(text, strlen(text));
}

/* n replies, the last of which begins with `digit`. */
static void
hear(long n, char digit)
{
	static char buf[65536];
	static size_t len;
	char *lf;

	flush();
	while (n > 0) {
		while ((lf = memchr(buf, '\n', len)) == NULL) {
			ssize_t got = secure ? gnutls_record_recv(tls, buf + len, sizeof buf - len)
					     : read(fd, buf + len, sizeof buf - len);

			if (got <= 0)
				give_up("the server is gone");
			len += (size_t)got;
		}
		if (buf[3] != '-' && --n == 0 && buf[0] != digit)
			give_up(buf);
		len -= (size_t)(lf + 1 - buf);
		memmove(buf, lf + 1, len);
	}
}

static void
ask(const char *command, char digit)
{
	say(command);
	hear(1, digit);
}

static void
dial(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int one = 1;

	to.sin_port = htons((in_port_t)strtol(port, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (fd == -1 || connect(fd, (struct sockaddr *)&to, sizeof to) == -1)
		give_up("cannot connect");
}

static void
handshake(const char *ca)
{
	gnutls_certificate_credentials_t cred;
	int r;

	if (gnutls_certificate_allocate_credentials(&cred) != 0 ||
	    gnutls_certificate_set_x509_trust_file(cred, ca, GNUTLS_X509_FMT_PEM) <= 0 ||
	    gnutls_init(&tls, GNUTLS_CLIENT) != 0 || gnutls_set_default_priority(tls) != 0 ||
	    gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred) != 0)
		give_up("GnuTLS cannot be set up");
	gnutls_session_set_verify_cert(tls, "127.0.0.1", 0);
	gnutls_transport_set_int(tls, fd);
	while ((r = gnutls_handshake(tls)) < 0)
		if (gnutls_error_is_fatal(r))
			give_up(gnutls_strerror(r));
	secure = true;
}

static void
map(const char *name)
{
	int in = open(name, O_RDONLY);
	struct stat sb;

	if (in == -1 || fstat(in, &sb) == -1)
		give_up(name);
	length = (size_t)sb.st_size;
	message = mmap(NULL, length, PROT_READ, MAP_PRIVATE, in, 0);
	if (message == MAP_FAILED)
		give_up(name);
}

static void
say_envelope(void)
{
	char text[64];
	long i;

	say("MAIL FROM:<alice@sender.com>\r\nRCPT TO:<bob@example.org>\r\n");
	for (i = 1; i < recipients; i++) {
		(void)snprintf(text, sizeof text, "RCPT TO:<r%ld@example.org>\r\n", i);
		say(text);
	}
}

static void
submit_chunks(void)
{
	char text[64];
	long i;

	(void)snprintf(text, sizeof text, "BDAT %zu LAST\r\n", length);
	for (i = 0; i < messages; i++) {
		say_envelope();
		say(text);
		put(message, length);
	}
	say("QUIT\r\n");
	hear(messages * (recipients + 2), '2');
}

static void
submit(void)
{
	long i;

	say_envelope();
	say("DATA\r\n");
	hear(recipients + 2, '3');
	for (i = 0; i < messages; i++) {
		put(message, length);
		if (length < 2 || memcmp(message + length - 2, "\r\n", 2) != 0)
			say("\r\n");
		say(".\r\n");
		if (i == messages - 1) {
			say("QUIT\r\n");
			hear(1, '2');
		} else {
			say_envelope();
			say("DATA\r\n");
			hear(recipients + 3, '3');
		}
	}
}

int
main(int argc, char **argv)
{
	bool implicit = false;
	int c;

	while ((c = getopt(argc, argv, "ibm:n:r:v")) != -1)
		if (c == 'i')
			implicit = true;
		else if (c == 'b')
			chunk = true;
		else if (c == 'm')
			map(optarg);
		else if (c == 'n')
			messages = strtol(optarg, NULL, 10);
		else if (c == 'r')
			recipients = strtol(optarg, NULL, 10);
		else if (c == 'v')
			return printf("GnuTLS %s\n", gnutls_check_version(NULL)) < 0;
		else
			return 64;
	if (argc - optind != 2)
		give_up("usage: floor [-i] [-b] [-m FILE] [-n MESSAGES] [-r RECIPIENTS] PORT CA");
	dial(argv[optind]);
	if (implicit)
		handshake(argv[optind + 1]);
	hear(1, '2');
	if (!implicit) {
		ask("EHLO mail.sender.com\r\n", '2');
		ask("STARTTLS\r\n", '2');
		handshake(argv[optind + 1]);
	}
	ask("EHLO mail.sender.com\r\n", '2');
	ask("AUTH PLAIN AGFsaWNlAHMzY3JldC13b3Jk\r\n", '2');
	if (chunk)
		submit_chunks();
	else
		submit();
	return 0;
}
