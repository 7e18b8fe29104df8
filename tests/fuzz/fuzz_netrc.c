/*
 * fuzz_netrc - text as a netrc file.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "netrc.h"

/* The same as `found` and `secret` with another text before it? */
static void
check_behind(const char *before, const char *text, bool found, const char *secret)
{
	struct str all = { 0 }, again = { 0 };

	str_printf(&all, "%s%s", before, text);
	MUST(netrc_find(all.p, "h.example", "u", &again) == found);
	MUST(strcmp(str_text(&again), secret) == 0);
	str_free(&all);
	str_free(&again);
}

int
TARGET(fuzz_netrc)(const uint8_t *p, size_t n)
{
	char *text = fuzz_text(p, n);
	struct str secret = { 0 };
	bool found = netrc_find(text, "h.example", "u", &secret);

	MUST(found == (secret.len > 0) && secret.len <= n);
	MUST(strlen(str_text(&secret)) == secret.len);
	/* the first entry that fits is the one, and one of another machine or user is none */
	check_behind("machine h.example login u password first\nmachine x\n", text, true, "first");
	check_behind("machine x login u password wrong\n", text, found, str_text(&secret));
	check_behind("machine h.example login x password wrong\nmachine x\n", text, found,
	    str_text(&secret));
	str_free(&secret);
	free(text);
	return 0;
}
