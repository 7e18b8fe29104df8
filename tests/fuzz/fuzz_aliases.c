/*
 * fuzz_aliases - text as a file of aliases.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "aliases.h"
#include "fuzz.h"

#define NAMES 16 /* so many of them are expanded */

static bool
local(const char *domain)
{
	return ascii_eq(domain, "here.example");
}

static int
each(void *arg, const char *addr, struct status *st)
{
	(void)st;
	MUST(*addr != '\0' && strpbrk(addr, "\r\n") == NULL);
	++*(size_t *)arg;
	return 0;
}

static void
check_name(const struct aliases *a, const char *name)
{
	size_t count = 0, again = 0;
	struct status st = { 0 };
	struct str full = { 0 };

	if (aliases_expand(a, name, local, each, &count, &st) == -1) {
		fuzz_status(&st);
		MUST(st.class == 5);
	} else
		MUST(count > 0);
	/* at a domain of ours it is the same name, unless only "default" knows it */
	str_printf(&full, "%s@here.example", name);
	if (strchr(name, '@') == NULL && aliases_find(a, name) != NULL) {
		(void)aliases_expand(a, full.p, local, each, &again, &st);
		MUST(again == count);
	}
	/* and elsewhere none of ours */
	str_clear(&full);
	str_printf(&full, "%s@there.example", name);
	again = 0;
	MUST(aliases_expand(a, full.p, local, each, &again, &st) == 0 && again == 1);
	str_free(&full);
}

int
TARGET(fuzz_aliases)(const uint8_t *p, size_t n)
{
	FILE *f = tmpfile();
	struct aliases a;
	struct str file = { 0 };
	struct status st = { 0 };
	size_t i;

	MUST(f != NULL && fwrite(p, 1, n, f) == n && fflush(f) == 0 && fseek(f, 0, SEEK_SET) == 0);
	str_printf(&file, "/dev/fd/%d", fileno(f));
	if (aliases_load(&a, file.p, &st) == -1) {
		fuzz_status(&st);
		MUST(status_exit(&st) == 78);
	} else {
		MUST(a.names.n == a.values.n);
		check_name(&a, "nobody");
		for (i = 0; i < a.names.n && i < NAMES; i++) {
			MUST(*a.names.v[i] != '\0' && aliases_find(&a, a.names.v[i]) != NULL);
			check_name(&a, a.names.v[i]);
		}
	}
	aliases_free(&a);
	str_free(&file);
	(void)fclose(f);
	return 0;
}
