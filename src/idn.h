/*
 * idn - domain names in the letters of the DNS (RFC 5891).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef IDN_H
#define IDN_H

#include "str.h"

/*
 * Append the name p[0..n) to *out, in A-labels where it has other letters than ASCII. 0, or -1
 * when there is no such name, which includes an internationalised one with anything but letters,
 * digits, hyphens and dots in it. A name in ASCII alone is appended unchecked.
 */
int idn_ascii(const char *p, size_t n, struct str *out);

#endif
