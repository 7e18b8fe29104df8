/*
 * anchors - the few certificates of a large file that can matter for a server's chain.
 *
 * Of a certificate (RFC 5280 4.1) no more is read than what stands before its subject:
 *
 *     Certificate    = SEQUENCE { TBSCertificate ... }
 *     TBSCertificate = SEQUENCE { [0] version OPTIONAL, serial, algorithm,
 *                                 issuer, validity, subject ... }
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
#define HEAD_FIRST 192		    /* octets in which most subjects begin */
#define HEAD_STEP 64		    /* so many more at a time */
#define HEAD_MAX 4608		    /* and in which the subject has to end */
#define NAMES_MAX 32		    /* two for each certificate of a chain; GnuTLS takes 16 */

/* ---- DER */

struct der {
	const unsigned char *p, *end;
	size_t size; /* as it says itself; more than end - p when it was cut off */
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
		if (k < 1 || k > 4 || left < head + k)
			return false;
		for (len = 0; k > 0; k--)
			len = len << 8 | d->p[head++];
	}
	all->p = d->p;
	all->size = head + len;
	in->p = d->p + head;
	in->size = len;
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
	struct der d = { p, p + n, n }, all, in;

	if (!der_next(&d, &all, &in) || !der_next(&in, &all, &d))
		return false;
	if (d.p < d.end && *d.p == 0xa0 && !der_next(&d, &all, &in))
		return false;
	/* each call goes on to the next: NOLINTNEXTLINE(misc-redundant-expression) */
	return der_next(&d, &all, &in) /* serial */ && der_next(&d, &all, &in) /* algorithm */ &&
	    der_next(&d, issuer, &in) && der_next(&d, &all, &in) /* validity */ &&
	    der_next(&d, subject, &in);
}

/* ---- PEM */

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

/* The next letter's value, space left out; NONE: there is none, or it is none. */
static unsigned
next_letter(const unsigned char **p, const unsigned char *end)
{
	while (*p < end && (**p == ' ' || (**p >= '\t' && **p <= '\r')))
		(*p)++;
	return *p < end ? value[*(*p)++] : NONE;
}

/* The first octets of base64 text, as far as they were needed. */
struct head {
	const unsigned char *p, *end; /* what is left of the text */
	size_t n;
	unsigned char octets[HEAD_MAX + 2];
};

/*
 * Decode until there are `max` octets, or up to two more: are there? Space may be anywhere, as
 * GnuTLS has it; what else is no letter is the end.
 */
static bool
decode_head(struct head *h, size_t max)
{
	const unsigned char *p = h->p, *end = h->end;
	unsigned char *to = h->octets + h->n, *enough = h->octets + max;

	while (to < enough) {
		unsigned a = NONE, b = 0, c = 0, d = 0;

		if (end - p >= 4)
			a = value[p[0]], b = value[p[1]], c = value[p[2]], d = value[p[3]];
		if (((a | b | c | d) & NONE) == 0)
			p += 4;
		else { /* mostly a line that ends */
			a = next_letter(&p, end);
			b = next_letter(&p, end);
			c = next_letter(&p, end);
			d = next_letter(&p, end);
			if (((a | b | c | d) & NONE) != 0)
				break;
		}
		a = a << 18 | b << 12 | c << 6 | d;
		to[0] = (unsigned char)(a >> 16);
		to[1] = (unsigned char)(a >> 8);
		to[2] = (unsigned char)a;
		to += 3;
	}
	h->p = p;
	h->n = (size_t)(to - h->octets);
	return to >= enough;
}

static bool
has_prefix(const char *p, const char *end, const char *prefix)
{
	size_t n = strlen(prefix);

	return (size_t)(end - p) >= n && memcmp(p, prefix, n) == 0;
}

/* ---- choosing */

struct block {
	const char *start, *text, *stop;
};

struct wanted {
	struct der names[NAMES_MAX];
	size_t n;
};

static bool
is_wanted(const struct wanted *w, const struct der *name)
{
	size_t len = (size_t)(name->end - name->p), i;

	for (i = 0; i < w->n; i++)
		if (w->names[i].size == len && memcmp(w->names[i].p, name->p, len) == 0)
			return true;
	return false;
}

static bool
is_length_wanted(const struct wanted *w, size_t size)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->names[i].size == size)
			return true;
	return false;
}

static void
want(struct wanted *w, const struct der *name)
{
	bool whole = (size_t)(name->end - name->p) == name->size;

	if (whole && w->n < NAMES_MAX && !is_wanted(w, name))
		w->names[w->n++] = *name;
}

static void
want_names(struct wanted *w, const gnutls_datum_t *chain, unsigned n)
{
	struct der issuer, subject;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (!names_of(chain[i].data, chain[i].size, &issuer, &subject))
			continue;
		want(w, &issuer);
		want(w, &subject);
	}
}

/* Is this one wanted, whose base64 is between these? Not to be able to tell is as good as yes. */
static bool
is_candidate(const struct wanted *w, const char *text, const char *stop)
{
	struct der issuer, subject;
	struct head h;
	size_t max;

	h.p = (const unsigned char *)text;
	h.end = (const unsigned char *)stop;
	h.n = 0;
	for (max = HEAD_FIRST; max <= HEAD_MAX; max += HEAD_STEP) {
		bool more = decode_head(&h, max), named;

		named = names_of(h.octets, h.n, &issuer, &subject);
		if (!more)
			return named && is_wanted(w, &subject);
		if (named && !is_length_wanted(w, subject.size))
			return false;
		if (named && (size_t)(subject.end - subject.p) == subject.size)
			return is_wanted(w, &subject);
	}
	return true;
}

/* The next of these dashes in p[0..), or NULL. */
static const char *
find_dashes(const char *p, const char *end, const char *what)
{
	while ((p = memchr(p, '-', (size_t)(end - p))) != NULL && !has_prefix(p, end, what))
		p++;
	return p;
}

/*
 * The next certificate of [*p, end): where it starts, where its base64 does, and where that stops;
 * *p is then behind it. False: there is no more. What GnuTLS takes for one is one, whatever the
 * rest of its head says.
 */
static bool
next_block(const char **p, const char *end, struct block *b)
{
	while ((b->start = find_dashes(*p, end, "-----BEGIN ")) != NULL) {
		*p = b->start + 11;
		if (!has_prefix(*p, end, "CERTIFICATE") && !has_prefix(*p, end, "X509 CERTIFICATE"))
			continue;
		if ((b->text = find_dashes(*p, end, "-----")) == NULL ||
		    (b->stop = find_dashes(b->text + 5, end, "-----END ")) == NULL)
			return false;
		b->text += 5;
		/* another may begin in the same line */
		*p = find_dashes(b->stop + 9, end, "-----");
		*p = *p != NULL ? *p + 5 : end;
		return true;
	}
	return false;
}

size_t
anchors_pick(const char *text, size_t len, const gnutls_datum_t *chain, unsigned n,
    const struct str *except, struct str *pem)
{
	const char *p = text, *end = text + len;
	struct wanted wanted = { .n = 0 };
	size_t count = 0;
	struct block b;

	make_values();
	want_names(&wanted, chain, n);
	while (next_block(&p, end, &b)) {
		size_t size = (size_t)(p - b.start);

		if (!is_candidate(&wanted, b.text, b.stop) ||
		    (except->len > 0 && memmem(except->p, except->len, b.start, size) != NULL))
			continue;
		str_put(pem, b.start, size);
		str_putc(pem, '\n');
		count++;
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
		text = xbuffer((size_t)sb.st_size);
		do
			n = read(fd, text + *len, (size_t)sb.st_size - *len);
		while (n > 0 && (*len += (size_t)n) < (size_t)sb.st_size);
	}
	(void)close(fd);
	if (n == -1) {
		free(text);
		return NULL;
	}
	return text;
}

bool
anchors_any(const char *file)
{
	const char *p;
	struct block b;
	size_t len;
	char *text = read_file(file, &len);
	bool any = text != NULL && (p = text, next_block(&p, text + len, &b));

	free(text);
	return any;
}

size_t
anchors_load(gnutls_certificate_credentials_t cred, const char *file, const gnutls_datum_t *chain,
    unsigned n, struct str *loaded)
{
	struct str pem = { 0 };
	gnutls_datum_t found;
	int trusted = 0;
	size_t len;
	char *text = read_file(file, &len);

	if (text != NULL && anchors_pick(text, len, chain, n, loaded, &pem) > 0) {
		found.data = (unsigned char *)pem.p;
		found.size = (unsigned)pem.len;
		trusted = gnutls_certificate_set_x509_trust_mem(cred, &found, GNUTLS_X509_FMT_PEM);
		if (trusted > 0)
			str_put(loaded, pem.p, pem.len);
	}
	free(text);
	str_free(&pem);
	return trusted > 0 ? (size_t)trusted : 0;
}
