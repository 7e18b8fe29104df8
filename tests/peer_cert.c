/*
 * peer_cert - a throwaway CA and the certificates of the server.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "peer.h"

#define DAY ((time_t)86400)

struct pair {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

/* What tells one certificate from the other. */
struct kind {
	const char *name; /* in DNS, and CN; NULL: a CA */
	time_t from, to;  /* from now */
	bool loopback;
};

static void
check(int r, const char *what)
{
	if (r < 0)
		broken("%s: %s", what, gnutls_strerror(r));
}

static void
sign(struct pair *p, const struct kind *k, const struct pair *ca)
{
	static const unsigned char ipv4[4] = { 127, 0, 0, 1 }, ipv6[16] = { [15] = 1 };
	const char *cn = k->name != NULL ? k->name : "pneu test CA";
	unsigned char serial[16];
	time_t now = time(NULL);

	check(gnutls_x509_crt_init(&p->crt), "certificate");
	check(gnutls_x509_privkey_init(&p->key), "key");
	check(gnutls_x509_privkey_generate(
		  p->key, GNUTLS_PK_EC, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	    "key");
	check(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial), "serial number");
	serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40);
	check(gnutls_x509_crt_set_serial(p->crt, serial, sizeof serial), "serial number");
	check(gnutls_x509_crt_set_version(p->crt, 3), "version");
	check(gnutls_x509_crt_set_activation_time(p->crt, now + k->from), "times");
	check(gnutls_x509_crt_set_expiration_time(p->crt, now + k->to), "times");
	check(gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn, (unsigned)strlen(cn)),
	    "name");
	check(gnutls_x509_crt_set_key(p->crt, p->key), "key");
	if (k->name == NULL) {
		check(gnutls_x509_crt_set_basic_constraints(p->crt, 1, -1), "CA");
		check(gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_KEY_CERT_SIGN), "CA");
	} else {
		check(gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_DNSNAME, k->name,
			  (unsigned)strlen(k->name), GNUTLS_FSAN_SET), "name");
		check(gnutls_x509_crt_set_key_usage(p->crt, GNUTLS_KEY_DIGITAL_SIGNATURE), "usage");
		check(gnutls_x509_crt_set_key_purpose_oid(p->crt, GNUTLS_KP_TLS_WWW_SERVER, 0), "purpose");
	}
	if (k->loopback) {
		check(gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
			  GNUTLS_FSAN_APPEND), "name");
		check(gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_IPADDRESS, ipv4, sizeof ipv4,
			  GNUTLS_FSAN_APPEND), "address");
		check(gnutls_x509_crt_set_subject_alt_name(p->crt, GNUTLS_SAN_IPADDRESS, ipv6, sizeof ipv6,
			  GNUTLS_FSAN_APPEND), "address");
	}
	check(gnutls_x509_crt_sign2(p->crt, ca != NULL ? ca->crt : p->crt, ca != NULL ? ca->key : p->key,
		  GNUTLS_DIG_SHA256, 0), "signature");
}

static void
write_file(const char *name, const gnutls_datum_t *data, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd == -1 || write(fd, data->data, data->size) != (ssize_t)data->size || close(fd) == -1)
		broken("%s: %s", in_dir(name), strerror(errno));
}

static void
write_pair(const struct pair *p, const char *crt, const char *key)
{
	gnutls_datum_t data;

	check(gnutls_x509_privkey_export2(p->key, GNUTLS_X509_FMT_PEM, &data), "key");
	write_file(key, &data, 0600);
	gnutls_free(data.data);
	check(gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_PEM, &data), "certificate");
	write_file(crt, &data, 0644);
	gnutls_free(data.data);
}

static void
read_pair(struct pair *p, const char *crt, const char *key)
{
	gnutls_datum_t data;

	check(gnutls_x509_crt_init(&p->crt), crt);
	check(gnutls_x509_privkey_init(&p->key), key);
	check(gnutls_load_file(in_dir(crt), &data), crt);
	check(gnutls_x509_crt_import(p->crt, &data, GNUTLS_X509_FMT_PEM), crt);
	gnutls_free(data.data);
	check(gnutls_load_file(in_dir(key), &data), key);
	check(gnutls_x509_privkey_import(p->key, &data, GNUTLS_X509_FMT_PEM), key);
	gnutls_free(data.data);
}

static void
pair_free(struct pair *p)
{
	gnutls_x509_crt_deinit(p->crt);
	gnutls_x509_privkey_deinit(p->key);
}

static bool
there(const char *name)
{
	return access(in_dir(name), R_OK) == 0;
}

static const struct kind ca_kind = { NULL, -DAY, 3650 * DAY, false };
static const struct kind good = { "smtp.example.com", -DAY, 61 * DAY, true };

void
cert_make(void)
{
	struct pair ca, server;

	if (there("ca.pem") && there("cert.pem") && there("key.pem"))
		return;
	sign(&ca, &ca_kind, NULL);
	sign(&server, &good, &ca);
	write_pair(&ca, "ca.pem", "ca-key.pem");
	write_pair(&server, "cert.pem", "key.pem");
	pair_free(&ca);
	pair_free(&server);
}

static gnutls_certificate_credentials_t
from_files(const char *crt, const char *key)
{
	gnutls_certificate_credentials_t cred;
	char other[4096];

	check(gnutls_certificate_allocate_credentials(&cred), crt);
	(void)strlcpy(other, in_dir(crt), sizeof other);
	check(gnutls_certificate_set_x509_key_file(cred, other, in_dir(key), GNUTLS_X509_FMT_PEM), crt);
	return cred;
}

gnutls_certificate_credentials_t
cert_credentials(const char *name)
{
	static const struct {
		const char *name;
		struct kind kind;
		bool stranger;
	} kinds[] = {
		{ "wrong-name", { "smtp.example.net", -DAY, 61 * DAY, false }, false },
		{ "expired", { "smtp.example.com", -30 * DAY, -DAY, true }, false },
		{ "future", { "smtp.example.com", 10 * DAY, 61 * DAY, true }, false },
		{ "stranger", { "smtp.example.com", -DAY, 61 * DAY, true }, true },
	};
	gnutls_certificate_credentials_t cred;
	char crt[64], key[64];
	struct pair ca, server;
	size_t i;

	if (name == NULL)
		return from_files("cert.pem", "key.pem");
	(void)snprintf(crt, sizeof crt, "%s.pem", name);
	(void)snprintf(key, sizeof key, "%s.key", name);
	if (there(crt) && there(key))
		return from_files(crt, key);
	for (i = 0; strcmp(kinds[i].name, name) != 0;)
		if (++i == sizeof kinds / sizeof kinds[0])
			broken("there is no certificate \"%s\"", name);
	if (kinds[i].stranger)
		sign(&ca, &ca_kind, NULL);
	else
		read_pair(&ca, "ca.pem", "ca-key.pem");
	sign(&server, &kinds[i].kind, &ca);
	check(gnutls_certificate_allocate_credentials(&cred), name);
	check(gnutls_certificate_set_x509_key(cred, &server.crt, 1, server.key), name);
	pair_free(&ca);
	pair_free(&server);
	return cred;
}
