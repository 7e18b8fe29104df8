/*
 * anchors - the few certificates of a large file that can matter for a server's chain.
 *
 * Of a certificate (RFC 5280 4.1) no more is read than what stands before its subject:
 *
 *     Certificate    = SEQUENCE { TBSCertificate ... }
 *     TBSCertificate = SEQUENCE { [0] version OPTIONAL, serial, algorithm, issuer, validity,
 * subject ... }
 *
 * GnuTLS decodes and parses whole certificates only, so both is done here, and only to choose:
 * whatever comes of it is imported and verified by GnuTLS.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchors.h"

#define FILE_MAX (16 * 1024 * 1024) /* a bundle that is larger is none */
#define HEAD_SHORT 288		    /* octets in which most subjects end */
#define HEAD_MAX (HEAD_SHORT << 4)  /* and in which the subject has to end */
#define NAMES_MAX 32		    /* two for each certificate of a chain; GnuTLS takes 16 */

/* ---- DER */

struct der {
	const unsigned char *p, *end;
};

/* Take the next element, with its head, into *all and its contents into *in; false: there is none.
 */
static bool
der_next(struct der *d, struct der *all, struct der *in)
{
	size_t left = (size_t)(d->end - d->p), head = 2, len, k;

	if (left < head)
		return false;
	len = d->p[1];
	if (len >= 0x80) {
		k = len & 0x7f;
		if (k < 1 || k > 3 || left < head + k)
			return false;
		for (len = 0; k > 0; k--)
			len = len << 8 | d->p[head++];
	}
	all->p = d->p;
	in->p = d->p + head;
	/* the last of what was cut off is longer than what is left */
	in->end = len <= left - head ? in->p + len : d->end;
	all->end = in->end;
	d->p = in->end;
	return true;
}

/* Issuer and subject of a certificate, of which the beginning is enough. */
static bool
names_of(const unsigned char *p, size_t n, struct der *issuer, struct der *subject)
{
	struct der d = { p, p + n }, all, in;

	if (!der_next(&d, &all, &in) || !der_next(&in, &all, &d))
		return false;
	if (d.p < d.end && *d.p == 0xa0 && !der_next(&d, &all, &in))
		return false;
	return der_next(&d, &all, &in) /* serial */ && der_next(&d, &all, &in) /* algorithm */ &&
	    der_next(&d, issuer, &in) && der_next(&d, &all, &in) /* validity */ &&
	    der_next(&d, subject, &in);
}

/* ---- PEM */

static const char begins[] = "-----BEGIN ", ends[] = "-----END ";

#define NONE 0x80 /* it is no letter of base64 */
static unsigned char value[256];

static void
make_values(void)
{
	static const char
	    letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char i;

	memset(value, NONE, sizeof value);
	for (i = 0; i < 64; i++)
		value[(unsigned char)letters[i]] = i;
}

/*
 * The first octets of base64 text, `max` or up to two more, into out[]: how many. Line ends are
 * between whole groups; whatever else may be there spoils one candidate.
 */
static size_t
decode_head(const char *text, const char *textend, size_t max, unsigned char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = (const unsigned char *)textend;
	unsigned char *to = out;

	while (end - p >= 4 && (size_t)(to - out) < max) {
		unsigned a = value[p[0]], b = value[p[1]], c = value[p[2]], d = value[p[3]];

		if (((a | b | c | d) & NONE) != 0) {
			if (a != NONE)
				break;
			p++;
			continue;
		}
		a = a << 18 | b << 12 | c << 6 | d;
		to[0] = (unsigned char)(a >> 16);
		to[1] = (unsigned char)(a >> 8);
		to[2] = (unsigned char)a;
		to += 3;
		p += 4;
	}
	return (size_t)(to - out);
}

static bool
has_prefix(const char *p, const char *end, const char *prefix)
{
	size_t n = strlen(prefix);

	return (size_t)(end - p) >= n && memcmp(p, prefix, n) == 0;
}

/* ---- choosing */

struct wanted {
	struct der names[NAMES_MAX];
	size_t n;
};

static bool
is_wanted(const struct wanted *w, const struct der *name)
{
	size_t len = (size_t)(name->end - name->p), i;

	for (i = 0; i < w->n; i++)
		if ((size_t)(w->names[i].end - w->names[i].p) == len &&
		    memcmp(w->names[i].p, name->p, len) == 0)
			return true;
	return false;
}

static void
want_names(struct wanted *w, const gnutls_datum_t *chain, unsigned n)
{
	struct der issuer, subject;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!names_of(chain[i].data, chain[i].size, &issuer, &subject))
			continue;
		if (w->n < NAMES_MAX && !is_wanted(w, &issuer))
			w->names[w->n++] = issuer;
		if (w->n < NAMES_MAX && !is_wanted(w, &subject))
			w->names[w->n++] = subject;
	}
}

/* Is this one wanted, whose base64 is between these? */
static bool
is_candidate(const struct wanted *w, const char *p, const char *stop)
{
	unsigned char head[HEAD_MAX + 2];
	struct der issuer, subject;
	size_t max, n;
	bool whole;

	for (max = HEAD_SHORT;; max *= 2) {
		n = decode_head(p, stop, max, head);
		whole = n < max || max == HEAD_MAX;
		if (names_of(head, n, &issuer, &subject)) {
			if (whole || subject.end < head + n)
				return is_wanted(w, &subject);
		} else if (whole)
			return false;
	}
}

/* The next of these dashes in p[0..), or NULL. */
static const char *
find_dashes(const char *p, const char *end, const char *what)
{
	while ((p = memchr(p, '-', (size_t)(end - p))) != NULL && !has_prefix(p, end, what))
		p++;
	return p;
}

size_t
anchors_pick(const char *text, size_t len, const gnutls_datum_t *chain, unsigned n, struct str *pem)
{
	const char *p = text, *end = text + len, *start, *stop;
	struct wanted wanted = { .n = 0 };
	size_t count = 0;

	make_values();
	want_names(&wanted, chain, n);
	while ((start = find_dashes(p, end, begins)) != NULL) {
		p = start + sizeof begins - 1;
		if (!has_prefix(p, end, "CERTIFICATE-----") &&
		    !has_prefix(p, end, "X509 CERTIFICATE-----"))
			continue;
		if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL ||
		    (stop = find_dashes(p, end, ends)) == NULL)
			break;
		if (is_candidate(&wanted, p, stop)) {
			const char *last = memchr(stop, '\n', (size_t)(end - stop));

			str_put(pem, start, (size_t)((last != NULL ? last : end) - start));
			str_putc(pem, '\n');
			count++;
		}
		p = stop;
	}
	return count;
}

/* A file as a whole; NULL when it cannot be read or is none that could be meant. */
static char *
read_file(const char *name, size_t *len)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat sb;
	char *text = NULL;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	*len = 0;
	if (fstat(fd, &sb) == 0 && sb.st_size > 0 && sb.st_size <= FILE_MAX) {
		text = xalloc(1, (size_t)sb.st_size);
		while ((n = read(fd, text + *len, (size_t)sb.st_size - *len)) > 0)
			*len += (size_t)n;
	}
	(void)close(fd);
	if (n == -1) {
		free(text);
		return NULL;
	}
	return text;
}

size_t
anchors_load(gnutls_certificate_credentials_t cred, const char *file, const gnutls_datum_t *chain,
    unsigned n)
{
	struct str pem = { 0 };
	gnutls_datum_t found;
	int trusted = 0;
	size_t len;
	char *text = read_file(file, &len);

	if (text != NULL && anchors_pick(text, len, chain, n, &pem) > 0) {
		found.data = (unsigned char *)pem.p;
		found.size = (unsigned)pem.len;
		trusted = gnutls_certificate_set_x509_trust_mem(cred, &found, GNUTLS_X509_FMT_PEM);
	}
	free(text);
	str_free(&pem);
	return trusted > 0 ? (size_t)trusted : 0;
}
