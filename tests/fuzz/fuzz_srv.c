/*
 * fuzz_srv - an answer of the DNS, with SRV records.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "srv.h"

int
TARGET(fuzz_srv)(const uint8_t *p, size_t n)
{
	struct srv_record records[SRV_MAX];
	uint8_t *exact = xalloc(1, n + 1); /* for tools that watch the end of it */
	int i, count;

	memcpy(exact, p, n);
	count = srv_answer(exact, n, records);
	MUST(count >= 0 && count <= SRV_MAX);
	for (i = 0; i < count; i++) {
		MUST(records[i].port > 0 && records[i].port < 65536);
		MUST(memchr(records[i].target, '\0', sizeof records[i].target) != NULL);
		MUST(records[i].target[0] != '\0');
	}
	free(exact);
	return 0;
}
