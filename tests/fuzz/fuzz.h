/*
 * fuzz - what the fuzz targets share.
 *
 * A target takes octets, gives them to one part of the program, and aborts when what comes out breaks a
 * promise of that part. Built with FUZZ_ENGINE it is what a fuzzing engine calls; else replay calls it by
 * its name.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "status.h"

#ifdef FUZZ_ENGINE
#define TARGET(name) LLVMFuzzerTestOneInput
#else
#define TARGET(name) name
#endif

int TARGET(fuzz_address)(const uint8_t *p, size_t n);
int TARGET(fuzz_aliases)(const uint8_t *p, size_t n);
int TARGET(fuzz_anchors)(const uint8_t *p, size_t n);
int TARGET(fuzz_conf)(const uint8_t *p, size_t n);
int TARGET(fuzz_ehlo)(const uint8_t *p, size_t n);
int TARGET(fuzz_entry)(const uint8_t *p, size_t n);
int TARGET(fuzz_message)(const uint8_t *p, size_t n);
int TARGET(fuzz_netrc)(const uint8_t *p, size_t n);
int TARGET(fuzz_repair)(const uint8_t *p, size_t n);
int TARGET(fuzz_reply)(const uint8_t *p, size_t n);
int TARGET(fuzz_rewrite)(const uint8_t *p, size_t n);
int TARGET(fuzz_sasl)(const uint8_t *p, size_t n);
int TARGET(fuzz_serve)(const uint8_t *p, size_t n);
int TARGET(fuzz_session)(const uint8_t *p, size_t n);
int TARGET(fuzz_socks)(const uint8_t *p, size_t n);
int TARGET(fuzz_srv)(const uint8_t *p, size_t n);
int TARGET(fuzz_ticket)(const uint8_t *p, size_t n);
int TARGET(fuzz_url)(const uint8_t *p, size_t n);

#define MUST(fact) \
	do { \
		if (!(fact)) { \
			(void)fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #fact); \
			abort(); \
		} \
	} while (0)

/* The input as text, up to its first NUL; freed by the caller. */
static inline char *
fuzz_text(const uint8_t *p, size_t n)
{
	return xstrndup((const char *)p, n);
}

static inline bool
fuzz_printable(const char *z)
{
	for (; *z != '\0'; z++)
		if (*z < ' ' || *z > '~')
			return false;
	return true;
}

/* Every status is one of those that the manual explains. */
static inline void
fuzz_status(const struct status *st)
{
	int code = status_exit(st);

	MUST(st->class == 2 || st->class == 4 || st->class == 5);
	MUST(fuzz_printable(st->text));
	MUST(code == 0 || (code >= 64 && code <= 78));
	MUST((code == 0) == status_ok(st));
	MUST(code != 75 || st->class == 4);
	(void)status_hint(st);
}

#endif
