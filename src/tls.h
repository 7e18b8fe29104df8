/*
 * tls - GnuTLS under a stream, and the policy that judges what it achieved.
 *
 * Facts (struct tls_info) are gathered by the handshake; whether they are good enough is decided
 * apart from it, by tls_judge(), which touches nothing.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef TLS_H
#define TLS_H

#include "cert.h"
#include "stream.h"

/* The order is the meaning: from ENCRYPT on TLS is required, above it the peer must be known. */
enum tls_level { TLS_NONE, TLS_MAY, TLS_ENCRYPT, TLS_TOFU, TLS_FINGERPRINT, TLS_VERIFY };

struct tls_files;
struct tls_policy {
	enum tls_level level;
	const char *name;	 /* whom the certificate must name: an A-label name or an address */
	const char *host, *port; /* under which TOFU remembers its key */
	const char *ca;		 /* a file of trusted certificates, or NULL for the system's */
	const char *crl;	 /* a file of revocation lists, or NULL */
	const char *cert, *key;	 /* ours: PEM files or PKCS#11 URIs, or NULL */
	const char *priority;	 /* a GnuTLS priority string, or NULL */
	const struct strings *pins; /* certificates or keys that are good; empty: no such rule */
	const char *known_hosts;    /* the file of TOFU's keys, or NULL */
	const char *tickets;	    /* a directory for tickets, or NULL: nothing is resumed */
	struct tls_files *files;    /* of tls_check(), or NULL */
	bool facts;		    /* all that the certificate says is wanted */
};

struct tls_info {
	bool on;
	bool offered; /* we had a ticket for it */
	bool resumed; /* by that ticket; the certificate is the one that was shown before */
	char version[16], cipher[32];
	struct cert_info cert;
	const char *binding_type; /* the channel's binding (RFC 5929, 9266), or NULL */
};

/*
 * Before any connection: can what the policy names be used at all? 0, or -1 with 5.3.5. The
 * certificates of the files that it names are in *files then, which was NULL or comes from an
 * earlier call for the same policy; it is the caller's, and serves any number of sessions.
 */
int tls_check(const struct tls_policy *p, struct tls_files **files, struct status *st);
void tls_files_free(struct tls_files **files);

/*
 * Of the certificates that are trusted, which file is read only when a server shows its own? "" when
 * that is left to GnuTLS, NULL when none is. Borrowed; `files` may be NULL.
 */
const char *tls_files_left(const struct tls_files *files);

/*
 * Handshake as a client over `s` within `ms`, and put TLS on top of it. Certificate trouble is
 * no failure here: it is noted in *info, in a resumed session as in any other. `binding` gets the
 * channel binding's bytes. 0, or -1 with *st: 5.5.0 input was waiting before TLS, 4.7.5 no
 * handshake, 4.4.2 lost connection or timeout, 5.3.5 the policy cannot be used. After -1 the stream
 * is good for nothing but stream_free().
 */
int tls_start(struct stream *s, const struct tls_policy *p, int64_t ms, struct tls_info *info,
    struct str *binding, struct status *st);

/*
 * Do these facts satisfy the policy? 0, or -1 with 4.7.5 (4.7.4 when there is no TLS), which says
 * what was expected, what was seen, and the setting that would accept it. Pure.
 */
int tls_judge(const struct tls_policy *p, const struct tls_info *info, struct status *st);

#endif
