/*
 * tls - GnuTLS under a stream, and the policy that judges what it achieved.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/uio.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "tls.h"
#include "wait.h"

struct tls {
	struct stream *s;
	gnutls_session_t session;
	gnutls_certificate_credentials_t cred;
	bool up; /* the handshake is done, so a goodbye makes sense */
};

const char *
tls_date(time_t when, char buf[static 16])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(buf, 16, "%Y-%m-%d", &tm) == 0)
		(void)strlcpy(buf, "?", 16);
	return buf;
}

/* ---- the layer: GnuTLS on one side, the stream's wire on the other; nothing here ever waits */

static ssize_t
push(gnutls_transport_ptr_t arg, const giovec_t *iov, int n)
{
	struct tls *t = arg;
	ssize_t sum = 0;
	int i;

	for (i = 0; i < n; i++) {
		stream_wire_put(t->s, iov[i].iov_base, iov[i].iov_len);
		sum += (ssize_t)iov[i].iov_len;
	}
	return sum;
}

static ssize_t
pull(gnutls_transport_ptr_t arg, void *p, size_t n)
{
	struct tls *t = arg;
	ssize_t got = stream_wire_read(t->s, p, n);

	if (got == -1)
		gnutls_transport_set_errno(t->session, errno);
	return got;
}

static int
layer_send(void *arg, const void *data, size_t n, struct status *st)
{
	struct tls *t = arg;
	const char *p = data;

	while (n > 0) {
		ssize_t put = gnutls_record_send(t->session, p, n);

		if (put == GNUTLS_E_INTERRUPTED || put == GNUTLS_E_AGAIN)
			continue; /* push() takes everything, so this is about housekeeping only */
		if (put < 0)
			return status_set(st, PH_TLS, 4, 4, 2, "connection lost: TLS: %s",
			    gnutls_strerror((int)put));
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

static ssize_t
layer_recv(void *arg, void *p, size_t n, struct status *st)
{
	struct tls *t = arg;

	for (;;) {
		ssize_t got = gnutls_record_recv(t->session, p, n);

		if (got >= 0)
			return got;
		if (got == GNUTLS_E_AGAIN)
			return STREAM_AGAIN;
		if (got == GNUTLS_E_PREMATURE_TERMINATION)
			return 0; /* a closed connection, which the dialogue knows how to judge */
		if (got == GNUTLS_E_REHANDSHAKE) {
			/* asked to negotiate again: we need not (RFC 5246 7.4.1.1) */
			(void)gnutls_alert_send(
			    t->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
			continue;
		}
		if (got == GNUTLS_E_INTERRUPTED || !gnutls_error_is_fatal((int)got))
			continue;
		if (got == GNUTLS_E_PULL_ERROR)
			return status_set(st, PH_TLS, 4, 4, 2, "connection lost");
		return status_set(
		    st, PH_TLS, 4, 4, 2, "connection lost: TLS: %s", gnutls_strerror((int)got));
	}
}

static void
layer_close(void *arg)
{
	struct tls *t = arg;

	if (t->session != NULL) {
		if (t->up)
			(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
		gnutls_deinit(t->session);
	}
	if (t->cred != NULL)
		gnutls_certificate_free_credentials(t->cred);
	free(t);
}

static const struct stream_layer layer = { layer_send, layer_recv, layer_close };

/* ---- before and during the handshake */

int
tls_check(const struct tls_policy *p, struct status *st)
{
	int fd;

	if (p->level == TLS_NONE || p->ca == NULL)
		return 0;
	if ((fd = open(p->ca, O_RDONLY | O_CLOEXEC)) == -1)
		return status_set(st, PH_LOCAL, 5, 3, 5, "tls-ca %s: %s", p->ca, strerror(errno));
	(void)close(fd);
	return 0;
}

static bool
is_address(const char *name)
{
	unsigned char buf[16];

	return inet_pton(AF_INET, name, buf) == 1 || inet_pton(AF_INET6, name, buf) == 1;
}

static int
prepare(struct tls *t, const struct tls_policy *p, struct status *st)
{
	const char *where = NULL;
	int r;

	if (gnutls_certificate_allocate_credentials(&t->cred) != 0 ||
	    gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
		return status_set(st, PH_TLS, 4, 3, 0, "GnuTLS cannot be started");
	if (p->ca != NULL) {
		r = gnutls_certificate_set_x509_trust_file(t->cred, p->ca, GNUTLS_X509_FMT_PEM);
		if (r <= 0)
			return status_set(st, PH_TLS, 5, 3, 5, "tls-ca %s: %s", p->ca,
			    r == 0 ? "no certificate in it" : gnutls_strerror(r));
	} else if (p->level >= TLS_VERIFY && gnutls_certificate_set_x509_system_trust(t->cred) <= 0)
		return status_set(st, PH_TLS, 5, 3, 5,
		    "the system has no trusted certificates: install ca-certificates, or set "
		    "tls-ca");
	if (p->priority != NULL)
		r = gnutls_priority_set_direct(t->session, p->priority, &where);
	else
		r = gnutls_set_default_priority_append(
		    t->session, "-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL", &where, 0);
	if (r != 0)
		return status_set(st, PH_TLS, 5, 3, 5, "tls-priority: %s at \"%s\"",
		    gnutls_strerror(r), where != NULL ? where : "");
	(void)gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->cred);
	if (!is_address(p->name))
		(void)gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, p->name, strlen(p->name));
	gnutls_handshake_set_timeout(
	    t->session, GNUTLS_INDEFINITE_TIMEOUT); /* the stream keeps time */
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_vec_push_function(t->session, push);
	gnutls_transport_set_pull_function(t->session, pull);
	return 0;
}

static int
handshake_failed(struct tls *t, int r, struct status *st)
{
	switch (r) {
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PREMATURE_TERMINATION:
		return status_set(st, PH_TLS, 4, 4, 2, "connection lost during the TLS handshake");
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the server does not speak TLS here (%s): if the port wants STARTTLS, use "
		    "submission://",
		    gnutls_strerror(r));
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
		return status_set(st, PH_TLS, 4, 7, 5, "the server refused the TLS handshake: %s",
		    gnutls_alert_get_name(gnutls_alert_get(t->session)));
	default:
		return status_set(
		    st, PH_TLS, 4, 7, 5, "TLS handshake failed: %s", gnutls_strerror(r));
	}
}

static int
shake_hands(struct tls *t, struct status *st)
{
	for (;;) {
		int r = gnutls_handshake(t->session);

		if (r == 0)
			return 0; /* our Finished stays on the wire buffer and leaves with the next
				     command */
		if (r == GNUTLS_E_AGAIN) {
			if (stream_await(t->s) == -1) {
				*st = *stream_status(t->s);
				return -1;
			}
			continue;
		}
		if (r == GNUTLS_E_INTERRUPTED ||
		    (!gnutls_error_is_fatal(r) && r != GNUTLS_E_WARNING_ALERT_RECEIVED))
			continue;
		handshake_failed(t, r, st);
		(void)gnutls_alert_send_appropriate(t->session, r);
		return -1;
	}
}

/* ---- facts */

static void
note_names(gnutls_x509_crt_t crt, struct tls_info *info)
{
	unsigned i, type;
	char san[256];

	for (i = 0;; i++) {
		size_t len = sizeof san - 1;
		int r = gnutls_x509_crt_get_subject_alt_name2(crt, i, san, &len, &type, NULL);
		char address[INET6_ADDRSTRLEN] = "";

		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return;
		if (r < 0)
			continue;
		san[len] = '\0';
		if (type == GNUTLS_SAN_IPADDRESS)
			(void)inet_ntop(
			    len == 4 ? AF_INET : AF_INET6, san, address, sizeof address);
		else if (type != GNUTLS_SAN_DNSNAME)
			continue;
		if (info->names[0] != '\0')
			(void)strlcat(info->names, " ", sizeof info->names);
		(void)strlcat(info->names, address[0] != '\0' ? address : san, sizeof info->names);
	}
}

static void
note_certificate(struct tls *t, struct tls_info *info)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(t->session, &n);
	gnutls_x509_crt_t crt;
	size_t len;

	if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
		return;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
		len = sizeof info->subject;
		(void)gnutls_x509_crt_get_dn(crt, info->subject, &len);
		len = sizeof info->issuer;
		(void)gnutls_x509_crt_get_issuer_dn(crt, info->issuer, &len);
		info->starts = gnutls_x509_crt_get_activation_time(crt);
		info->expires = gnutls_x509_crt_get_expiration_time(crt);
		note_names(crt, info);
	}
	gnutls_x509_crt_deinit(crt);
}

static void
note_verdict(struct tls *t, const struct tls_policy *p, struct tls_info *info)
{
	gnutls_typed_vdata_st want[2] = {
		{ .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)p->name },
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID,
		    .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER },
	};
	gnutls_datum_t text = { 0 };
	unsigned verdict = 0;
	char *end;
	int r;

	if (gnutls_certificate_get_peers(t->session, &(unsigned){ 0 }) == NULL) {
		(void)strlcpy(
		    info->complaint, "the server showed no certificate", sizeof info->complaint);
		return;
	}
	r = gnutls_certificate_verify_peers(t->session, want, 2, &verdict);
	info->verified = r == 0 && verdict == 0;
	if (info->verified)
		return;
	if (r != 0 ||
	    gnutls_certificate_verification_status_print(verdict, GNUTLS_CRT_X509, &text, 0) != 0) {
		(void)strlcpy(info->complaint, gnutls_strerror(r), sizeof info->complaint);
		return;
	}
	(void)strlcpy(info->complaint, (const char *)text.data, sizeof info->complaint);
	gnutls_free(text.data);
	for (end = info->complaint + strlen(info->complaint);
	     end > info->complaint && end[-1] == ' ';)
		*--end = '\0';
}

static void
note(struct tls *t, const struct tls_policy *p, struct tls_info *info)
{
	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(t->session));
	const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(t->session));

	info->on = true;
	(void)strlcpy(info->version, version != NULL ? version : "TLS", sizeof info->version);
	(void)strlcpy(info->cipher, cipher != NULL ? cipher : "?", sizeof info->cipher);
	note_certificate(t, info);
	note_verdict(t, p, info);
}

int
tls_start(struct stream *s, const struct tls_policy *p, int64_t ms, struct tls_info *info,
    struct status *st)
{
	struct tls *t = xalloc(1, sizeof *t);

	memset(info, 0, sizeof *info);
	t->s = s;
	if (prepare(t, p, st) == -1) {
		layer_close(t);
		return -1;
	}
	/* on top before the handshake, so that nothing unread can slip in between */
	if (stream_wrap(s, &layer, t, st) == -1) {
		layer_close(t);
		return -1;
	}
	stream_phase(s, PH_TLS, ms);
	if (shake_hands(t, st) == -1) {
		(void)stream_flush(s); /* the alert that says why */
		return stream_fail(s, st);
	}
	t->up = true;
	note(t, p, info);
	return 0;
}

int
tls_judge(const struct tls_policy *p, const struct tls_info *info, struct status *st)
{
	char from[16], until[16];

	if (p->level <= TLS_MAY)
		return 0;
	if (!info->on)
		return status_set(st, PH_STARTTLS, 4, 7, 4,
		    "the server does not offer STARTTLS, and TLS is required (`tls` says so)");
	if (p->level < TLS_VERIFY || info->verified)
		return 0;
	return status_set(st, PH_TLS, 4, 7, 5,
	    "the certificate is not good for %s: %s It names %s, was issued by %s, and is valid "
	    "from %s to %s;"
	    " a private CA goes into tls-ca",
	    p->name, info->complaint, info->names[0] != '\0' ? info->names : info->subject,
	    info->issuer, tls_date(info->starts, from), tls_date(info->expires, until));
}
