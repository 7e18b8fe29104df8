/*
 * peer_tls - the server's side of TLS on a connection.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "peer.h"

static ssize_t
push(gnutls_transport_ptr_t arg, const void *p, size_t n)
{
	wire_put(arg, p, n);
	return (ssize_t)n;
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	struct conn *c = arg;
	ssize_t got = wire_recv(c, p, n);

	if (got == -1)
		gnutls_transport_set_errno(c->tls, errno);
	return got;
}

/* GnuTLS asks before it pulls, and pull() waits by itself. */
static int
pull_timeout(gnutls_transport_ptr_t arg, unsigned ms)
{
	(void)arg;
	(void)ms;
	return 1;
}

/* Tickets under a key that is made of a word, so that another run of the peer can have the same. */
static void
give_tickets(struct conn *c, const char *word)
{
	unsigned char octets[64];
	gnutls_datum_t key = { octets, sizeof octets };

	if (gnutls_hash_fast(GNUTLS_DIG_SHA512, word, strlen(word), octets) != 0 ||
	    gnutls_session_ticket_enable_server(c->tls, &key) != 0)
		broken("TLS cannot have tickets");
}

void
conn_tls(struct conn *c, const struct step *step)
{
	const char *priority = step->priority != NULL ? step->priority : "NORMAL", *where = "";
	int r;

	if (c->tls != NULL)
		broken("TLS within TLS");
	if (c->in.len > c->at)
		fail("the client sent \"%s\" before it knew that TLS begins",
		    visible(c->in.p + c->at, c->in.len - c->at));
	c->cred = cert_credentials(step->cert);
	if (gnutls_init(&c->tls, GNUTLS_SERVER) != 0 ||
	    gnutls_priority_set_direct(c->tls, priority, &where) != 0)
		broken("TLS cannot start: priority \"%s\"", where);
	(void)gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, c->cred);
	if (step->tickets != NULL)
		give_tickets(c, step->tickets);
	gnutls_transport_set_ptr(c->tls, c);
	gnutls_transport_set_push_function(c->tls, push);
	gnutls_transport_set_pull_function(c->tls, pull);
	gnutls_transport_set_pull_timeout_function(c->tls, pull_timeout);
	do
		r = gnutls_handshake(c->tls);
	while (r < 0 && gnutls_error_is_fatal(r) == 0);
	if (r == 0 && (gnutls_session_is_resumed(c->tls) != 0) != step->resumed)
		fail("the client %s", step->resumed ? "begins a new session" : "resumes a session");
	/* as others do, once more behind the handshake: in one segment with what we say next */
	if (r == 0 && step->tickets != NULL && gnutls_protocol_get_version(c->tls) == GNUTLS_TLS1_3)
		(void)gnutls_session_ticket_send(c->tls, 1, 0);
	if (r == 0)
		return;
	if (!step->try && r == GNUTLS_E_FATAL_ALERT_RECEIVED)
		fail("the client ended the TLS handshake: %s",
		    gnutls_alert_get_name(gnutls_alert_get(c->tls)));
	if (!step->try)
		fail("the TLS handshake failed: %s", gnutls_strerror(r));
	conn_flush(c);
	c->ended = true;
}

bool
conn_tls_fill(struct conn *c)
{
	char buf[16384];

	for (;;) {
		ssize_t n = gnutls_record_recv(c->tls, buf, sizeof buf);

		if (n > 0) {
			bytes_put(&c->in, buf, (size_t)n);
			return true;
		}
		if (n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION)
			break;
		if (gnutls_error_is_fatal((int)n) == 0)
			continue;
		c->unexpected = true;
		break;
	}
	c->ended = true;
	return false;
}

void
conn_tls_free(struct conn *c)
{
	if (c->tls != NULL)
		gnutls_deinit(c->tls);
	if (c->cred != NULL)
		gnutls_certificate_free_credentials(c->cred);
	c->tls = NULL;
	c->cred = NULL;
}
