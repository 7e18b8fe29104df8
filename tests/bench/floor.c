/*
 * floor - the least that a client with GnuTLS can do for one submission, to measure others by.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 *
 * usage: floor [-i] [-b] [-m FILE] PORT CA
 *
 * Connects to 127.0.0.1, verifies the certificate against the file CA, logs in by AUTH PLAIN and
 * sends one small message; it looks at no reply but for its first digit. -i: TLS from the first
 * octet. -b: by BDAT, with its envelope. -m: the octets of FILE as they are, in full records.
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

static const char envelope[] = "MAIL FROM:<alice@sender.com>\r\nRCPT TO:<bob@example.org>\r\n";
static const char message
    [] = "From: alice@sender.com\r\nTo: bob@example.org\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
	 "Message-ID: <floor@sender.com>\r\nSubject: plain\r\n\r\nA line of text.\r\n";

static int fd;
static gnutls_session_t tls;
static bool secure;

static void
give_up(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static void
put(const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = secure ? gnutls_record_send(tls, p, n) : write(fd, p, n);

		if (done <= 0)
			give_up("the server is gone");
		p += done;
		n -= (size_t)done;
	}
}

/* n replies, the last of which begins with `digit`. */
static void
hear(unsigned n, char digit)
{
	static char buf[65536];
	static size_t len;
	char *lf;

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
	put(command, strlen(command));
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
send_file(const char *name)
{
	int in = open(name, O_RDONLY);
	struct stat sb;
	const char *map;
	off_t at;

	if (in == -1 || fstat(in, &sb) == -1)
		give_up(name);
	map = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, in, 0);
	if (map == MAP_FAILED)
		give_up(name);
	for (at = 0; at < sb.st_size; at += RECORD)
		put(map + at, sb.st_size - at < RECORD ? (size_t)(sb.st_size - at) : RECORD);
	put("\r\n.\r\nQUIT\r\n", 11);
}

int
main(int argc, char **argv)
{
	bool implicit = false, chunk = false;
	const char *file = NULL;
	char out[1024];
	int c, n;

	while ((c = getopt(argc, argv, "ibm:")) != -1)
		if (c == 'i')
			implicit = true;
		else if (c == 'b')
			chunk = true;
		else if (c == 'm')
			file = optarg;
		else
			return 64;
	if (argc - optind != 2)
		give_up("usage: floor [-i] [-b] [-m FILE] PORT CA");
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
	if (chunk) {
		n = snprintf(out, sizeof out, "%sBDAT %zu LAST\r\n%sQUIT\r\n", envelope,
		    strlen(message), message);
		put(out, (size_t)n);
		hear(3, '2');
		return 0;
	}
	n = snprintf(out, sizeof out, "%sDATA\r\n", envelope);
	put(out, (size_t)n);
	hear(3, '3');
	if (file != NULL)
		send_file(file);
	else {
		n = snprintf(out, sizeof out, "%s.\r\nQUIT\r\n", message);
		put(out, (size_t)n);
	}
	hear(1, '2');
	return 0;
}
