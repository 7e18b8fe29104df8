/*
 * cert - what a server's certificate is, and whether it is good for a name.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "cert.h"
#include "state.h"

#define SHA256_SIZE 32

const char *
cert_date(time_t when, char buf[static 16])
{
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(buf, 16, "%Y-%m-%d", &tm) == 0)
		(void)strlcpy(buf, "?", 16);
	return buf;
}

const char *
cert_standing(const struct cert_info *info)
{
	if (info->verified)
		return "verified";
	if (info->pinned)
		return "pinned";
	if (info->known == CERT_KNOWN)
		return "known";
	return info->known == CERT_NEW ? "remembered from now on" : NULL;
}

/* ---- pins */

/* The 32 octets that a pin stands for; false when it has no form we know. */
static bool
pin_octets(const char *pin, unsigned char out[SHA256_SIZE])
{
	gnutls_datum_t text, raw;
	bool good = false;

	if (ascii_eqn(pin, "sha256:", 7)) {
		char hex[2 * SHA256_SIZE + 1];
		size_t n = 0, size = SHA256_SIZE;

		/* colons between the octets are how openssl prints them */
		for (pin += 7; *pin != '\0' && n < sizeof hex - 1; pin++)
			if (*pin != ':')
				hex[n++] = *pin;
		hex[n] = '\0';
		text.data = (unsigned char *)hex;
		text.size = (unsigned)n;
		return *pin == '\0' && n == 2 * SHA256_SIZE &&
		    gnutls_hex_decode(&text, out, &size) == 0 && size == SHA256_SIZE;
	}
	if (ascii_eqn(pin, "sha256/", 7))
		pin += 7;
	text.data = (unsigned char *)(uintptr_t)pin;
	text.size = (unsigned)strlen(pin);
	if (text.size == 44 && gnutls_base64_decode2(&text, &raw) == 0) {
		good = raw.size == SHA256_SIZE;
		if (good)
			memcpy(out, raw.data, SHA256_SIZE);
		gnutls_free(raw.data);
	}
	return good;
}

int
cert_pin_check(const char *pin, struct status *st)
{
	unsigned char octets[SHA256_SIZE];

	if (pin_octets(pin, octets))
		return 0;
	return status_set(st, PH_LOCAL, 5, 3, 5,
	    "tls-pin does not take \"%.80s\": it reads sha256: and 64 hex digits, or 44 characters "
	    "of "
	    "base64",
	    pin);
}

static void
note_pins(gnutls_x509_crt_t crt, const gnutls_datum_t *der, const struct strings *pins,
    struct cert_info *info)
{
	unsigned char cert[SHA256_SIZE] = "", key[SHA256_SIZE] = "", want[SHA256_SIZE];
	size_t size = sizeof key, i;
	gnutls_datum_t in = { key, sizeof key }, out;
	struct str text = { 0 };

	(void)gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, cert);
	(void)gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, key, &size);
	str_puts(&text, "sha256:");
	for (i = 0; i < sizeof cert; i++)
		str_printf(&text, "%02x", cert[i]);
	(void)strlcpy(info->fingerprint, text.p, sizeof info->fingerprint);
	str_free(&text);
	if (gnutls_base64_encode2(&in, &out) == 0) {
		(void)strlcpy(info->pin, (const char *)out.data, sizeof info->pin);
		gnutls_free(out.data);
	}
	for (i = 0; pins != NULL && i < pins->n; i++)
		if (pin_octets(pins->v[i], want) &&
		    (memcmp(want, cert, sizeof want) == 0 || memcmp(want, key, sizeof want) == 0))
			info->pinned = true;
}

/* ---- the certificate itself */

static void
add_name(struct cert_info *info, const char *name)
{
	if (info->names[0] != '\0')
		(void)strlcat(info->names, " ", sizeof info->names);
	(void)strlcat(info->names, name, sizeof info->names);
}

static void
note_names(gnutls_x509_crt_t crt, struct cert_info *info)
{
	unsigned i, type;

	for (i = 0;; i++) {
		char san[256], address[INET6_ADDRSTRLEN];
		size_t len = sizeof san - 1;
		int r = gnutls_x509_crt_get_subject_alt_name2(crt, i, san, &len, &type, NULL);

		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return;
		if (r < 0)
			continue;
		san[len] = '\0';
		if (type == GNUTLS_SAN_DNSNAME)
			add_name(info, san);
		else if (type == GNUTLS_SAN_IPADDRESS && (len == 4 || len == 16) &&
		    inet_ntop(len == 4 ? AF_INET : AF_INET6, san, address, sizeof address) != NULL)
			add_name(info, address);
	}
}

static void
note_leaf(gnutls_x509_crt_t crt, struct cert_info *info)
{
	size_t len = sizeof info->subject;

	(void)gnutls_x509_crt_get_dn(crt, info->subject, &len);
	info->starts = gnutls_x509_crt_get_activation_time(crt);
	info->expires = gnutls_x509_crt_get_expiration_time(crt);
	note_names(crt, info);
}

/* The first thing to put right. An authority's own end, or a signature, is for whoever runs the
 * server. */
static enum cert_fault
fault_of(unsigned verdict, const struct cert_info *info)
{
	time_t now = time(NULL);

	if ((verdict & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
		return CF_STRANGER;
	if ((verdict & GNUTLS_CERT_EXPIRED) != 0 && info->expires < now)
		return CF_EXPIRED;
	if ((verdict & GNUTLS_CERT_NOT_ACTIVATED) != 0 && info->starts > now)
		return CF_FUTURE;
	return verdict == (GNUTLS_CERT_INVALID | GNUTLS_CERT_UNEXPECTED_OWNER) ? CF_NAME : CF_OTHER;
}

static void
note_verdict(gnutls_session_t session, const char *name, struct cert_info *info)
{
	gnutls_typed_vdata_st want[2] = {
		{ .type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)name },
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID,
		    .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER },
	};
	gnutls_datum_t text = { 0 };
	unsigned verdict = 0;
	char *end;
	int r = gnutls_certificate_verify_peers(session, want, 2, &verdict);

	info->verified = r == 0 && verdict == 0;
	if (info->verified && info->names[0] == '\0') {
		/* RFC 6125 6.4.4 tolerated it; RFC 9525 2 does not */
		info->verified = false;
		(void)strlcpy(info->complaint,
		    "The certificate has a common name only, and no subjectAltName.",
		    sizeof info->complaint);
	}
	if (info->verified || info->complaint[0] != '\0')
		return;
	if (r != 0 ||
	    gnutls_certificate_verification_status_print(verdict, GNUTLS_CRT_X509, &text, 0) != 0) {
		(void)strlcpy(info->complaint, gnutls_strerror(r), sizeof info->complaint);
		return;
	}
	info->fault = fault_of(verdict, info);
	/* without memory it succeeds with nothing */
	(void)strlcpy(info->complaint,
	    text.data != NULL ? (const char *)text.data : "GnuTLS does not say why.",
	    sizeof info->complaint);
	gnutls_free(text.data);
	for (end = info->complaint + strlen(info->complaint);
	     end > info->complaint && end[-1] == ' ';)
		*--end = '\0';
}

/*
 * Is there no key for this host? GnuTLS says so of a file, too, that cannot be read this time, and
 * whoever is in between would be remembered.
 */
static bool
is_new(const char *known_hosts, const char *host, const char *port)
{
	struct str start = { 0 };
	bool new;

	str_printf(&start, "|g0|%s|%s|0|", host, port);
	new = state_begins(known_hosts, start.p) == STATE_NO;
	str_free(&start);
	return new;
}

void
cert_note(gnutls_session_t session, const char *name, const struct strings *pins,
    const char *known_hosts, const char *host, const char *port, bool all, struct cert_info *info)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t crt;
	size_t len;
	bool good;

	if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0) {
		(void)strlcpy(
		    info->complaint, "The server showed no certificate.", sizeof info->complaint);
		return;
	}
	good = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0;
	if (good)
		note_leaf(crt, info);
	note_verdict(session, name, info);
	/* what nobody will ask for takes its time, too */
	if (good &&
	    (all || !info->verified || known_hosts != NULL || (pins != NULL && pins->n > 0))) {
		len = sizeof info->issuer;
		(void)gnutls_x509_crt_get_issuer_dn(crt, info->issuer, &len);
		note_pins(crt, &chain[0], pins, info);
	}
	gnutls_x509_crt_deinit(crt);
	if (known_hosts == NULL)
		return;
	switch (gnutls_verify_stored_pubkey(
	    known_hosts, NULL, host, port, GNUTLS_CRT_X509, &chain[0], 0)) {
	case 0:
		info->known = CERT_KNOWN;
		break;
	case GNUTLS_E_CERTIFICATE_KEY_MISMATCH:
		info->known = CERT_CHANGED;
		break;
	default:
		info->known = is_new(known_hosts, host, port) ? CERT_NEW : CERT_UNASKED;
	}
}

int
cert_remember(gnutls_session_t session, const char *known_hosts, const char *host, const char *port,
    struct status *st)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	int fd, r;

	state_directories(known_hosts);
	fd = open(known_hosts, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return status_errno(
		    st, PH_TLS, "cannot remember the server's key in %s", known_hosts);
	(void)close(fd);
	r = gnutls_store_pubkey(known_hosts, NULL, host, port, GNUTLS_CRT_X509, &chain[0], 0, 0);
	if (r != 0)
		return status_set(st, PH_TLS, 4, 3, 0, "cannot remember the server's key in %s: %s",
		    known_hosts, gnutls_strerror(r));
	return 0;
}

int
cert_refuse(const struct cert_info *c, const char *name, struct status *st)
{
	char from[16], until[16];
	const char *names = c->names[0] != '\0' ? c->names : c->subject;

	(void)cert_date(c->starts, from);
	(void)cert_date(c->expires, until);
	switch (c->fault) {
	case CF_EXPIRED:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the certificate of %.100s expired on %s (it began on %s): whoever runs the "
		    "server has to renew it, or the clock of this machine is wrong; it names "
		    "%.80s, issued by %.60s; to accept it: tls fingerprint and tls-pin %s",
		    name, until, from, names, c->issuer, c->pin);
	case CF_FUTURE:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the certificate of %.100s is not yet valid (%s to %s): is the clock of this "
		    "machine right? It names %.80s, issued by %.60s; to accept it: tls fingerprint "
		    "and tls-pin %s",
		    name, from, until, names, c->issuer, c->pin);
	case CF_NAME:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the certificate is for %.150s and not for %.100s, issued by %.60s; put a name "
		    "that it has into `server`, or into tls-name",
		    names, name, c->issuer);
	case CF_STRANGER:
		return status_set(st, PH_TLS, 4, 7, 5,
		    "the certificate of %.100s is issued by %.60s, which is unknown here and NOT "
		    "trusted; put that CA into tls-ca, or, if you know the key, tls fingerprint "
		    "and tls-pin %s; it names %.80s, valid %s to %s",
		    name, c->issuer, c->pin, names, from, until);
	case CF_OTHER:
		break;
	}
	return status_set(st, PH_TLS, 4, 7, 5,
	    "the certificate is not good for %.100s: %.150s It names %.80s, valid %s to %s, issued "
	    "by %.60s; to accept it: tls-ca (its CA), or tls fingerprint and tls-pin %s",
	    name, c->complaint, names, from, until, c->issuer, c->pin);
}
