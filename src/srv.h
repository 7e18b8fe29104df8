/*
 * srv - from a domain to the submission servers that it names in the DNS (RFC 6186, 8314 5.1).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SRV_H
#define SRV_H

#include "url.h"

#define SRV_MAX 16 /* records of an answer that are looked at */
#define SRV_NAME 1025

struct srv_record {
	unsigned priority, weight, port;
	char target[SRV_NAME];
};

/*
 * The SRV records of an answer of the DNS (RFC 1035 4.1, 2782), p[0..n): how many of them, at most
 * SRV_MAX, are in `records` then. What is no such record, or cut off, is none. The fuzzer comes in
 * here.
 */
int srv_answer(const unsigned char *p, size_t n, struct srv_record *records);

/*
 * Look up _submissions._tcp and _submission._tcp of the domain that `of` is, a URL srv:, and append
 * the URLs of the servers in the order in which they are to be tried (RFC 2782): TLS from the first
 * octet before STARTTLS. User and password of `of` are theirs. `anywhere`: a server may be of another
 * domain; otherwise that is refused (RFC 6186 6), as whoever answers in the DNS would choose whose
 * certificate is good. 0, or -1 with *st: 5.4.4 the domain names none, or none that may be taken;
 * 4.4.3 the DNS does not answer.
 */
int srv_find(const struct url *of, bool anywhere, struct strings *urls, struct status *st);

#endif
