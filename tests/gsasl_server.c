/*
 * gsasl_server - a mail server in TLS whose AUTH is done by GNU SASL, so that SCRAM, its channel
 * bindings, and what TLS may do in the middle of a dialogue are tested against somebody else's code.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */

/*
 * usage: gsasl_server [option ...] CERTIFICATE KEY
 *
 *	--offer=MECHANISMS	what EHLO offers (SCRAM-SHA-256 SCRAM-SHA-256-PLUS)
 *	--priority=STRING	for GnuTLS
 *	--port=N		instead of one that the kernel chooses
 *	--tickets=WORD		for sessions to be resumed, under a key made of WORD
 *	--no-binding		GNU SASL is told no channel binding
 *	--other-binding		... or that of another channel
 *	--unique		... or tls-unique alone, as servers of TLS 1.2 have it
 *	--clients=FILE		ask for a certificate of this CA; EXTERNAL is the CN in it
 *	--key-update		new keys of TLS 1.3, both ways, before six replies
 *	--renegotiate		ask for another handshake of TLS 1.2 before each reply
 *	--often			... 60 times
 *	--flood			... or send warnings, and nothing else, after EHLO, for 15 s
 *
 * The one user is "alice" with the password "pencil". It listens on a port of 127.0.0.1, which it
 * prints, serves one client from the first octet in TLS, prints what happened, and ends: at the
 * latest after 60 s.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <gsasl.h>

#define LINE 4096

static struct {
	const char *offer, *priority, *clients, *tickets;
	unsigned short port;
	bool no_binding, other_binding, unique, key_update, renegotiate, often, flood;
} option = { .offer = "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", .priority = "NORMAL" };

struct server {
	gnutls_session_t tls;
	char in[LINE];
	size_t len;
	char *exporter, *unique; /* channel bindings in base64, or NULL */
	bool known;		 /* somebody has logged in */
	unsigned updates;	 /* of keys; GnuTLS takes eight in a second for an attack */
};

static _Noreturn void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "gsasl_server: %s: %s\n", what, why);
	exit(1);
}

static void
check(int r, const char *what)
{
	if (r < 0)
		die(what, gnutls_strerror(r));
}

/* ---- lines in TLS */

static void
disturb(struct server *s)
{
	unsigned times;

	if (option.key_update && s->updates++ < 6)
		check(gnutls_session_key_update(s->tls, GNUTLS_KU_PEER), "key update");
	for (times = option.often ? 60 : 1; option.renegotiate && times > 0; times--)
		check(gnutls_rehandshake(s->tls), "renegotiation");
}

static void say(struct server *s, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

static void
say(struct server *s, const char *fmt, ...)
{
	char line[2 * LINE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line - 2, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line - 2)
		die("a reply", "is too long");
	memcpy(line + n, "\r\n", 3);
	disturb(s);
	check((int)gnutls_record_send(s->tls, line, (size_t)n + 2), "sending");
}

/* The next line, without its end; false when there is none. */
static bool
hear(struct server *s, char line[LINE])
{
	for (;;) {
		char *end = memmem(s->in, s->len, "\r\n", 2);
		ssize_t n;

		if (end != NULL) {
			size_t len = (size_t)(end - s->in);

			memcpy(line, s->in, len);
			line[len] = '\0';
			s->len -= len + 2;
			memmove(s->in, end + 2, s->len);
			return true;
		}
		if (s->len == sizeof s->in)
			die("a line", "is too long");
		n = gnutls_record_recv(s->tls, s->in + s->len, sizeof s->in - s->len);
		if (n == GNUTLS_E_WARNING_ALERT_RECEIVED) {
			(void)printf("alert %s\n", gnutls_alert_get_name(gnutls_alert_get(s->tls)));
			continue;
		}
		if (n < 0 && gnutls_error_is_fatal((int)n) == 0)
			continue;
		if (n <= 0)
			return false;
		s->len += (size_t)n;
	}
}

/* ---- AUTH */

static char *
binding(struct server *s, gnutls_channel_binding_t type)
{
	gnutls_datum_t raw, text;

	if (option.no_binding || gnutls_session_channel_binding(s->tls, type, &raw) != 0)
		return NULL;
	if (option.other_binding)
		raw.data[0] ^= 1;
	check(gnutls_base64_encode2(&raw, &text), "base64");
	gnutls_free(raw.data);
	return (char *)text.data;
}

static int
callback(Gsasl *ctx, Gsasl_session *session, Gsasl_property property)
{
	const struct server *s = gsasl_session_hook_get(session);
	const char *value = NULL;

	(void)ctx;
	if (property == GSASL_PASSWORD)
		value = "pencil";
	else if (property == GSASL_CB_TLS_EXPORTER)
		value = s->exporter;
	else if (property == GSASL_CB_TLS_UNIQUE)
		value = s->unique;
	if (value == NULL)
		return GSASL_NO_CALLBACK;
	return gsasl_property_set(session, property, value);
}

/* The common name in the client's certificate, or nothing. */
static void
client_name(struct server *s, char name[LINE])
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->tls, &n);
	size_t size = LINE;
	gnutls_x509_crt_t crt;

	name[0] = '\0';
	if (n == 0)
		return;
	check(gnutls_x509_crt_init(&crt), "certificate");
	check(gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER), "certificate");
	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) != 0)
		name[0] = '\0';
	gnutls_x509_crt_deinit(crt);
}

/* RFC 4422 appendix A: the certificate has said who it is; the response, who he wants to be. */
static void
external(struct server *s, const char *text)
{
	char name[LINE], *wanted = NULL;
	size_t n = 0;

	client_name(s, name);
	if (strcmp(text, "=") != 0 &&
	    gsasl_base64_from(text, strlen(text), &wanted, &n) != GSASL_OK)
		wanted = NULL;
	s->known = name[0] != '\0' &&
	    (n == 0 || (strlen(name) == n && memcmp(wanted, name, n) == 0));
	(void)printf("EXTERNAL %s: certificate of \"%s\"\n", s->known ? "ok" : "refused", name);
	say(s, s->known ? "235 2.7.0 Welcome" : "535 5.7.8 No such person");
	gsasl_free(wanted);
}

/* Challenge and response until GNU SASL has decided. */
static int
exchange(struct server *s, Gsasl_session *session, const char *first)
{
	char line[LINE], *out = NULL;
	int r;

	(void)snprintf(line, sizeof line, "%s", strcmp(first, "=") == 0 ? "" : first);
	for (;;) {
		r = gsasl_step64(session, line, &out);
		if (r != GSASL_NEEDS_MORE && (r != GSASL_OK || *out == '\0'))
			break;
		say(s, "334 %s", out);
		gsasl_free(out);
		out = NULL;
		if (!hear(s, line))
			return GSASL_AUTHENTICATION_ERROR;
		if (strcmp(line, "*") == 0)
			return GSASL_AUTHENTICATION_ERROR;
		if (r == GSASL_OK)
			break;
	}
	gsasl_free(out);
	return r;
}

static void
auth(struct server *s, Gsasl *ctx, char *words)
{
	char *mech = strsep(&words, " ");
	Gsasl_session *session;
	int r;

	if (strcmp(mech, "EXTERNAL") == 0) {
		external(s, words != NULL ? words : "=");
		return;
	}
	r = gsasl_server_start(ctx, mech, &session);
	if (r == GSASL_OK) {
		gsasl_session_hook_set(session, s);
		r = exchange(s, session, words != NULL ? words : "");
		gsasl_finish(session);
	}
	s->known = r == GSASL_OK;
	(void)printf("%s %s: %s\n", mech, s->known ? "ok" : "refused", gsasl_strerror_name(r));
	say(s, s->known ? "235 2.7.0 Welcome" : "535 5.7.8 Authentication failed");
}

/* ---- the dialogue */

static void
flood(struct server *s)
{
	(void)printf("flood\n");
	(void)alarm(15);
	while (option.renegotiate
		? gnutls_rehandshake(s->tls) == 0
		: gnutls_alert_send(s->tls, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED) == 0)
		;
	(void)printf("the client has left\n");
}

static void
message(struct server *s)
{
	char line[LINE];
	unsigned lines = 0;

	say(s, "354 Go ahead");
	while (hear(s, line) && strcmp(line, ".") != 0)
		lines++;
	(void)printf("message of %u lines\n", lines);
	say(s, "250 2.0.0 Ok: queued as GSASL");
}

static void
dialogue(struct server *s, Gsasl *ctx)
{
	char line[LINE];

	say(s, "220 localhost ESMTP");
	while (hear(s, line)) {
		if (strncmp(line, "EHLO ", 5) == 0) {
			if (option.flood) {
				flood(s);
				return;
			}
			say(s, "250-localhost");
			say(s, "250 AUTH %s", option.offer);
		} else if (strncmp(line, "AUTH ", 5) == 0)
			auth(s, ctx, line + 5);
		else if (strcmp(line, "QUIT") == 0) {
			(void)printf("quit\n");
			say(s, "221 2.0.0 Bye");
			return;
		} else if (!s->known)
			say(s, "530 5.7.0 Who are you?");
		else if (strcmp(line, "DATA") == 0)
			message(s);
		else
			say(s, "250 2.1.0 Ok");
	}
}

static int
wait_client(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(option.port) };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0), client, one = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd == -1 || bind(fd, (struct sockaddr *)&in, sizeof in) == -1 || listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		die("a socket", "cannot be had");
	(void)printf("port %hu\n", ntohs(in.sin_port));
	if ((client = accept(fd, NULL, NULL)) == -1)
		die("a client", "cannot be had");
	(void)close(fd);
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return client;
}

static void
give_tickets(struct server *s)
{
	unsigned char octets[64];
	gnutls_datum_t key = { octets, sizeof octets };

	check(gnutls_hash_fast(GNUTLS_DIG_SHA512, option.tickets, strlen(option.tickets), octets), "hash");
	check(gnutls_session_ticket_enable_server(s->tls, &key), "tickets");
}

static void
serve(int fd, gnutls_certificate_credentials_t cred)
{
	struct server s = { 0 };
	Gsasl *ctx;
	int r;

	check(gnutls_init(&s.tls, GNUTLS_SERVER), "TLS");
	check(gnutls_priority_set_direct(s.tls, option.priority, NULL), option.priority);
	check(gnutls_credentials_set(s.tls, GNUTLS_CRD_CERTIFICATE, cred), "TLS");
	if (option.clients != NULL)
		gnutls_certificate_server_set_request(s.tls, GNUTLS_CERT_REQUEST);
	if (option.tickets != NULL)
		give_tickets(&s);
	gnutls_transport_set_int(s.tls, fd);
	do
		r = gnutls_handshake(s.tls);
	while (r < 0 && gnutls_error_is_fatal(r) == 0);
	check(r, "handshake");
	(void)printf("%s\n", gnutls_protocol_get_name(gnutls_protocol_get_version(s.tls)));
	if (gnutls_session_is_resumed(s.tls) != 0)
		(void)printf("resumed\n");
	if (gnutls_protocol_get_version(s.tls) < GNUTLS_TLS1_3)
		s.unique = binding(&s, GNUTLS_CB_TLS_UNIQUE);
	if (!option.unique)
		s.exporter = binding(&s, GNUTLS_CB_TLS_EXPORTER);
	if (gsasl_init(&ctx) != GSASL_OK)
		die("GNU SASL", "does not start");
	gsasl_callback_set(ctx, callback);
	dialogue(&s, ctx);
	gsasl_done(ctx);
	(void)gnutls_bye(s.tls, GNUTLS_SHUT_WR);
	gnutls_deinit(s.tls);
	gnutls_free(s.exporter);
	gnutls_free(s.unique);
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "offer", required_argument, NULL, 'o' },
		{ "priority", required_argument, NULL, 'p' },
		{ "port", required_argument, NULL, 'P' },
		{ "clients", required_argument, NULL, 'c' },
		{ "tickets", required_argument, NULL, 't' },
		{ "no-binding", no_argument, NULL, 'n' },
		{ "other-binding", no_argument, NULL, 'b' },
		{ "unique", no_argument, NULL, 'u' },
		{ "key-update", no_argument, NULL, 'k' },
		{ "renegotiate", no_argument, NULL, 'r' },
		{ "often", no_argument, NULL, 'O' },
		{ "flood", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	gnutls_certificate_credentials_t cred;
	const char *why = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o')
			option.offer = optarg;
		else if (c == 'p')
			option.priority = optarg;
		else if (c == 'c')
			option.clients = optarg;
		else if (c == 't')
			option.tickets = optarg;
		else if (c == 'P')
			option.port = (unsigned short)strtonum(optarg, 1, 65535, &why);
		else if (c == '?')
			return 2;
		option.no_binding |= c == 'n';
		option.other_binding |= c == 'b';
		option.unique |= c == 'u';
		option.key_update |= c == 'k';
		option.renegotiate |= c == 'r';
		option.often |= c == 'O';
		option.flood |= c == 'f';
	}
	if (optind != argc - 2 || why != NULL)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(60);
	check(gnutls_certificate_allocate_credentials(&cred), "TLS");
	check(gnutls_certificate_set_x509_key_file(
		  cred, argv[optind], argv[optind + 1], GNUTLS_X509_FMT_PEM),
	    argv[optind]);
	if (option.clients != NULL)
		check(gnutls_certificate_set_x509_trust_file(
			  cred, option.clients, GNUTLS_X509_FMT_PEM),
		    option.clients);
	serve(wait_client(), cred);
	gnutls_certificate_free_credentials(cred);
	return 0;
}
