/*
 * tls - GnuTLS under a stream, and the policy that judges what it achieved.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "anchors.h"
#include "idn.h"
#include "net.h"
#include "ticket.h"
#include "tls.h"
#include "wait.h"

/* What the policy's files hold. Of a large file of trusted certificates only what a chain needs. */
struct tls_files {
	gnutls_certificate_credentials_t cred;
	const char *later; /* this file is looked into when the chain is there; NULL: none is */
	struct str loaded; /* what was found in it so far */
	bool store;	   /* all that is trusted is loaded, or will be looked for in `later` */
	bool key;	   /* our certificate and key are loaded */
};

struct tls {
	struct stream *s;
	gnutls_session_t session;
	struct tls_files *files, *own; /* own: made for this session alone, or NULL */
	bool up;		       /* the handshake is done, so a goodbye makes sense */
	struct ticket *ticket;	       /* or NULL */
	char first[5]; /* how the server's first octets look: SMTP where TLS belongs? */
	size_t nfirst;
	unsigned idle;	   /* records without data, one after the other */
	unsigned declined; /* times it was asked to negotiate again, and answered */
};

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
	size_t i;

	if (got == -1)
		gnutls_transport_set_errno(t->session, errno);
	for (i = 0; got > 0 && i < (size_t)got && t->nfirst < sizeof t->first; i++)
		t->first[t->nfirst++] = ((const char *)p)[i];
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

/* Records without data between two with data: more than this is no accident. */
#define IDLE_MAX 100

static ssize_t
layer_recv(void *arg, void *p, size_t n, struct status *st)
{
	struct tls *t = arg;

	for (;;) {
		ssize_t got = gnutls_record_recv(t->session, p, n);

		if (got > 0)
			t->idle = 0;
		if (got >= 0)
			return got;
		if (got == GNUTLS_E_AGAIN)
			return STREAM_AGAIN;
		if (got == GNUTLS_E_PREMATURE_TERMINATION)
			return 0; /* a closed connection, which the dialogue knows how to judge */
		if (got == GNUTLS_E_PULL_ERROR)
			return status_set(st, PH_TLS, 4, 4, 2, "connection lost");
		if (got != GNUTLS_E_REHANDSHAKE && gnutls_error_is_fatal((int)got))
			return status_set(st, PH_TLS, 4, 4, 2, "connection lost: TLS: %s",
			    gnutls_strerror((int)got));
		if (++t->idle > IDLE_MAX)
			return status_set(st, PH_TLS, 5, 5, 0,
			    "the server sends TLS records with nothing in them");
		/* to negotiate again, or to answer, is not needed (RFC 5246 7.4.1.1), and who asks
		 * and does not read would have the answers pile up here */
		if (got == GNUTLS_E_REHANDSHAKE && t->declined++ < IDLE_MAX)
			(void)gnutls_alert_send(
			    t->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
	}
}

static void
layer_close(void *arg)
{
	struct tls *t = arg;

	if (t->session != NULL) {
		if (t->up)
			(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
		if (t->up && t->ticket != NULL)
			ticket_keep(t->ticket, t->session);
		gnutls_deinit(t->session);
	}
	ticket_free(&t->ticket);
	tls_files_free(&t->own);
	free(t);
}

static const struct stream_layer layer = { layer_send, layer_recv, layer_close };

/* ---- before and during the handshake */

static int
usable(const char *setting, const char *file, struct status *st)
{
	int fd;

	if (file == NULL || strstr(file, "pkcs11:") == file)
		return 0;
	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) == -1)
		return status_file(st, 3, 5, setting, file);
	(void)close(fd);
	return 0;
}

static int
load_failed(struct status *st, enum phase ph, const char *setting, const char *file, int r)
{
	bool passes = r == GNUTLS_E_MEMORY_ERROR ||
	    (r == GNUTLS_E_FILE_ERROR && status_passes(errno));

	if (r == 0)
		return status_set(st, ph, 5, 3, 5,
		    "%s %s: nothing in it begins with -----BEGIN %s, as PEM does", setting, file,
		    strcmp(setting, "tls-crl") == 0 ? "X509 CRL" : "CERTIFICATE");
	return status_set(st, ph, passes ? 4 : 5, 3, passes ? 0 : 5, "%s %s: %s%s", setting, file,
	    gnutls_strerror(r),
	    passes || strcmp(setting, "tls-cert") != 0
		? ""
		: " Its key belongs into it, too, or into tls-key");
}

/* Octets of a file in which it is worth while to look for what is needed. */
#define BUNDLE_MIN 32768

/* Is this file one that anchors_load() can look into? */
static bool
is_bundle(const char *file)
{
	struct stat sb;

	return stat(file, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size >= BUNDLE_MIN &&
	    access(file, R_OK) == 0;
}

/* All trusted certificates of the policy. 0, or -1 with *st. */
static int
load_store(struct tls_files *f, const struct tls_policy *p, enum phase ph, struct status *st)
{
	int r;

	f->store = true;
	f->later = NULL;
	if (p->ca != NULL) {
		errno = 0;
		r = gnutls_certificate_set_x509_trust_file(f->cred, p->ca, GNUTLS_X509_FMT_PEM);
		return r <= 0 ? load_failed(st, ph, "tls-ca", p->ca, r) : 0;
	}
	if (p->level >= TLS_VERIFY && gnutls_certificate_set_x509_system_trust(f->cred) <= 0)
		return status_set(st, ph, 5, 3, 5,
		    "the system has no trusted certificates: install ca-certificates, or set "
		    "tls-ca");
	return 0;
}

/*
 * What is trusted, as far as it is loaded at this time: before there is a connection, not the
 * system's certificates, which are many.
 */
static int
load_trust(struct tls_files *f, const struct tls_policy *p, enum phase ph, struct status *st)
{
	const char *bundle = p->ca;
	int r;

	if (bundle == NULL && p->level >= TLS_VERIFY && TRUST_STORE_FILE[0] != '\0')
		bundle = TRUST_STORE_FILE;
	/* lists of revoked certificates belong to authorities, so these are not left out */
	if (!f->store && p->crl == NULL && bundle != NULL && is_bundle(bundle) &&
	    (bundle != p->ca || anchors_any(bundle))) {
		f->later = bundle;
		f->store = true;
	}
	if (!f->store && (p->ca != NULL || p->crl != NULL || ph != PH_LOCAL) &&
	    load_store(f, p, ph, st) == -1)
		return -1;
	if (p->crl == NULL || ph != PH_LOCAL)
		return 0;
	r = gnutls_certificate_set_x509_crl_file(f->cred, p->crl, GNUTLS_X509_FMT_PEM);
	return r <= 0 ? load_failed(st, ph, "tls-crl", p->crl, r) : 0;
}

static int
load_files(struct tls_files *f, const struct tls_policy *p, enum phase ph, struct status *st)
{
	int r = 0;

	if (load_trust(f, p, ph, st) == -1)
		return -1;
	/* a token may ask for a PIN, and is not troubled before it is needed */
	if (p->cert == NULL || f->key || (ph == PH_LOCAL && strncmp(p->cert, "pkcs11:", 7) == 0))
		return 0;
	r = gnutls_certificate_set_x509_key_file2(
	    f->cred, p->cert, p->key != NULL ? p->key : p->cert, GNUTLS_X509_FMT_PEM, NULL, 0);
	f->key = r >= 0;
	return r < 0
	    ? load_failed(st, ph, p->key != NULL ? "tls-cert and tls-key" : "tls-cert", p->cert, r)
	    : 0;
}

void
tls_files_free(struct tls_files **files)
{
	if (*files != NULL && (*files)->cred != NULL)
		gnutls_certificate_free_credentials((*files)->cred);
	if (*files != NULL)
		str_free(&(*files)->loaded);
	free(*files);
	*files = NULL;
}

const char *
tls_files_left(const struct tls_files *f)
{
	if (f == NULL || f->store)
		return f != NULL ? f->later : NULL;
	return TRUST_STORE_FILE;
}

/* 0, or -1 with *st and nothing in *files. */
static int
make_files(const struct tls_policy *p, struct tls_files **files, struct status *st)
{
	*files = xalloc(1, sizeof **files);
	if (gnutls_certificate_allocate_credentials(&(*files)->cred) != 0)
		status_set(st, PH_LOCAL, 4, 3, 0, "GnuTLS cannot be started");
	else if (load_files(*files, p, PH_LOCAL, st) == 0)
		return 0;
	tls_files_free(files);
	return -1;
}

int
tls_check(const struct tls_policy *p, struct tls_files **files, struct status *st)
{
	gnutls_priority_t cache;
	const char *where = NULL;
	int r;

	if (p->level == TLS_NONE)
		return 0;
	if (p->key != NULL && p->cert == NULL)
		return status_set(st, PH_LOCAL, 5, 3, 5, "tls-key needs a tls-cert beside it");
	if (p->level == TLS_FINGERPRINT && (p->pins == NULL || p->pins->n == 0))
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "tls fingerprint needs a tls-pin: without that line `pneu --check` shows it");
	if (*files == NULL && make_files(p, files, st) == -1) {
		/* of a file that cannot be read GnuTLS says little */
		(void)(usable("tls-ca", p->ca, st) == 0 && usable("tls-crl", p->crl, st) == 0 &&
		    usable("tls-cert", p->cert, st) == 0 && usable("tls-key", p->key, st) == 0);
		return -1;
	}
	if (p->priority != NULL) {
		r = gnutls_priority_init(&cache, p->priority, &where);
		if (r != 0)
			return status_set(st, PH_LOCAL, 5, 3, 5, "tls-priority: %s at \"%s\"",
			    gnutls_strerror(r), where != NULL ? where : "");
		gnutls_priority_deinit(cache);
	}
	if (p->level == TLS_TOFU && p->known_hosts == NULL)
		return status_set(
		    st, PH_LOCAL, 5, 3, 5, "tls tofu needs a home directory to remember keys in");
	return 0;
}

/* What NORMAL allows and this century should not: old protocols, keys of less than 112 bits. */
static const char stricter[] = "-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL:%PROFILE_MEDIUM";

/* All that the judgement of a session depends on: with anything else a ticket is for nothing. */
static void
state_terms(const struct tls_policy *p, struct str *to)
{
	const char *system = p->level >= TLS_VERIFY ? TRUST_STORE_FILE : NULL;
	const char *files[] = { p->ca != NULL ? p->ca : system, p->crl, p->cert, p->key,
		p->level == TLS_TOFU ? p->known_hosts : NULL };
	size_t i;

	str_printf(to, "%d\n%s\n%s\n%s\n%s\n", (int)p->level, p->name, p->host, p->port,
	    p->priority != NULL ? p->priority : "");
	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		ticket_file_term(to, files[i]);
	for (i = 0; p->pins != NULL && i < p->pins->n; i++)
		str_printf(to, "%s\n", p->pins->v[i]);
}

static bool
offer_ticket(struct tls *t, const struct tls_policy *p)
{
	struct str terms = { 0 };
	bool offered;

	/* that a token is there is to be shown every time */
	if (p->tickets == NULL || (p->cert != NULL && strncmp(p->cert, "pkcs11:", 7) == 0) ||
	    (p->key != NULL && strncmp(p->key, "pkcs11:", 7) == 0))
		return false;
	t->ticket = ticket_new(p->tickets);
	state_terms(p, &terms);
	offered = ticket_offer(t->ticket, &terms, t->session);
	str_free(&terms);
	return offered;
}

static void
approve_ticket(struct tls *t, const struct tls_policy *p, const struct tls_info *info)
{
	time_t never = time(NULL) + 2 * TICKET_SECONDS;
	struct str terms = { 0 };

	state_terms(p, &terms);
	ticket_good(
	    t->ticket, &terms, p->level >= TLS_VERIFY ? info->cert.expires : never, t->session);
	str_free(&terms);
}

static int
prepare(struct tls *t, const struct tls_policy *p, struct status *st)
{
	const char *where = NULL;
	int r;

	if (gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0)
		return status_set(st, PH_TLS, 4, 3, 0, "GnuTLS cannot be started");
	t->files = p->files;
	if (t->files == NULL && make_files(p, &t->own, st) == -1)
		return -1;
	if (t->files == NULL)
		t->files = t->own;
	if (load_files(t->files, p, PH_TLS, st) == -1)
		return -1;
	if (p->priority != NULL)
		r = gnutls_priority_set_direct(t->session, p->priority, &where);
	else
		r = gnutls_set_default_priority_append(t->session, stricter, &where, 0);
	if (r != 0)
		return status_set(st, PH_TLS, 5, 3, 5, "tls-priority: %s at \"%s\"",
		    gnutls_strerror(r), where != NULL ? where : "");
	(void)gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->files->cred);
	if (!idn_is_address(p->name))
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
	/* "220 ..." where a ServerHello belongs */
	if (t->nfirst > 2 && t->first[0] >= '2' && t->first[0] <= '5' && t->first[1] >= '0' &&
	    t->first[1] <= '9')
		return status_set(st, PH_TLS, 4, 7, 5,
		    "this port speaks SMTP before TLS: use submission:// instead of "
		    "submissions://");
	switch (r) {
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PREMATURE_TERMINATION:
		return status_set(st, PH_TLS, 4, 4, 2, "connection lost during the TLS handshake");
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		return status_set(st, PH_TLS, 4, 7, 5, "the server does not speak TLS here%s",
		    net_stranger(t->first, t->nfirst));
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the server has no version of TLS that we take, which is 1.2 or newer; see "
		    "tls-priority");
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
			return 0; /* our Finished waits on the wire for the next command */
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

/* ---- afterwards */

/*
 * What ties a login to this channel: the exporter (RFC 9266) where it is unique to the
 * connection, which in TLS 1.2 takes the extended master secret; else the server's certificate
 * (RFC 5929 4).
 */
static void
note_binding(struct tls *t, struct tls_info *info, struct str *binding)
{
	bool exporter = gnutls_protocol_get_version(t->session) >= GNUTLS_TLS1_3 ||
	    gnutls_session_ext_master_secret_status(t->session) != 0;
	gnutls_datum_t data;

	str_clear(binding);
	if (gnutls_session_channel_binding(t->session,
		exporter ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_SERVER_END_POINT, &data) != 0)
		return;
	info->binding_type = exporter ? "tls-exporter" : "tls-server-end-point";
	str_put(binding, data.data, data.size);
	gnutls_free(data.data);
}

static void
note_cert(struct tls *t, const struct tls_policy *p, struct cert_info *info)
{
	memset(info, 0, sizeof *info);
	cert_note(t->session, p->name, p->pins, p->level == TLS_TOFU ? p->known_hosts : NULL,
	    p->host, p->port, p->facts, info);
}

/* 0, or -1 with *st: what is trusted cannot be loaded. */
static int
note(struct tls *t, const struct tls_policy *p, struct tls_info *info, struct str *binding,
    struct status *st)
{
	const gnutls_datum_t *chain;
	unsigned n = 0;

	const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(t->session));
	const char *cipher = gnutls_cipher_get_name(gnutls_cipher_get(t->session));

	info->on = true;
	info->resumed = gnutls_session_is_resumed(t->session) != 0;
	(void)strlcpy(info->version, version != NULL ? version : "TLS", sizeof info->version);
	(void)strlcpy(info->cipher, cipher != NULL ? cipher : "?", sizeof info->cipher);
	note_binding(t, info, binding);
	if (t->files->later != NULL &&
	    (chain = gnutls_certificate_get_peers(t->session, &n)) != NULL)
		(void)anchors_load(t->files->cred, t->files->later, chain, n, &t->files->loaded);
	note_cert(t, p, &info->cert);
	if (info->cert.verified || t->files->later == NULL)
		return 0;
	/* the same name may be spelt in another way, so what is refused is refused by all of them
	 */
	if (load_store(t->files, p, PH_TLS, st) == -1)
		return -1;
	note_cert(t, p, &info->cert);
	return 0;
}

int
tls_start(struct stream *s, const struct tls_policy *p, int64_t ms, struct tls_info *info,
    struct str *binding, struct status *st)
{
	struct tls *t = xalloc(1, sizeof *t);
	struct status ignored;

	memset(info, 0, sizeof *info);
	t->s = s;
	/* on top before the handshake, so that nothing unread can slip in between */
	if (prepare(t, p, st) == -1 || stream_wrap(s, &layer, t, st) == -1) {
		layer_close(t);
		return stream_fail(s, st);
	}
	info->offered = offer_ticket(t, p);
	stream_phase(s, PH_TLS, ms);
	if (shake_hands(t, st) == -1) {
		(void)stream_flush(s); /* the alert that says why */
		return stream_fail(s, st);
	}
	t->up = true;
	if (note(t, p, info, binding, st) == -1)
		return stream_fail(s, st);
	/* only what is good otherwise is worth remembering */
	if (p->level == TLS_TOFU && info->cert.known == CERT_NEW && tls_judge(p, info, st) == 0 &&
	    cert_remember(t->session, p->known_hosts, p->host, p->port, st) == -1)
		return -1;
	if (t->ticket != NULL && tls_judge(p, info, &ignored) == 0)
		approve_ticket(t, p, info);
	return 0;
}

/* ---- judgement */

static int
not_pinned(const struct tls_policy *p, const struct cert_info *c, struct status *st)
{
	size_t n = p->pins != NULL ? p->pins->n : 0;

	return status_set(st, PH_TLS, 4, 7, 5,
	    "%.100s shows a key that no tls-pin names: expected %.80s%s, seen %s (key) and %s "
	    "(certificate)",
	    p->name, n > 0 ? p->pins->v[0] : "one", n > 1 ? " or another" : "", c->pin,
	    c->fingerprint);
}

int
tls_judge(const struct tls_policy *p, const struct tls_info *info, struct status *st)
{
	const struct cert_info *c = &info->cert;

	if (p->level <= TLS_MAY)
		return 0;
	if (!info->on)
		return status_set(st, PH_STARTTLS, 4, 7, 4,
		    "the server does not offer STARTTLS, and TLS is required (`tls` says so)");
	if (((p->pins != NULL && p->pins->n > 0) || p->level == TLS_FINGERPRINT) && !c->pinned)
		return not_pinned(p, c, st);
	if (p->level == TLS_TOFU && c->known == CERT_UNASKED)
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the key of %s cannot be compared with what is remembered in %s: try again, or "
		    "see whether that can be read",
		    p->name, p->known_hosts);
	if (p->level == TLS_TOFU && c->known != CERT_NEW && c->known != CERT_KNOWN)
		return status_set(st, PH_TLS, 4, 7, 5,
		    "THE KEY OF %s HAS CHANGED since the first time: somebody may be listening, or "
		    "the server has a new one, now %s; if you know that it is right, delete the "
		    "line "
		    "of %s port %s from %s",
		    p->name, c->pin, p->host, p->port, p->known_hosts);
	if (p->level >= TLS_VERIFY && !c->verified)
		return cert_refuse(c, p->name, st);
	return 0;
}
