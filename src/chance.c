/*
 * chance - random numbers, of the kernel.
 *
 * arc4random(3) wants memory of its own, and where there is none it ends the process without a
 * word.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#ifdef __APPLE__
#include <sys/random.h>
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chance.h"
#include "say.h"

void
chance(void *p, size_t n)
{
	struct status st;

	if (getentropy(p, n) == 0)
		return;
	status_errno(&st, PH_LOCAL, "no random numbers; nothing more was sent");
	say_status(NULL, &st);
	_exit(xstatus(EX_TEMPFAIL));
}

uint32_t
chance_below(uint32_t n)
{
	uint32_t some, least = (UINT32_MAX - n + 1) % n; /* 2^32 modulo n */

	do
		chance(&some, sizeof some);
	while (some < least);
	return some % n;
}
