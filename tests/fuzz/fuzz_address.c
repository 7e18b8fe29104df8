/*
 * fuzz_address - text as one address, and as a list of them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "address.h"
#include "fuzz.h"

/* What may go between < and > of a command. */
static void
check_path(const struct str *path)
{
	struct str again = { 0 };
	struct status st;
	bool quoted = false;
	const char *p;

	MUST(path->len <= ADDRESS_LEN_MAX && strlen(path->p) == path->len);
	MUST(strchr(path->p, '@') != NULL && path->p[0] != '@' && path->p[path->len - 1] != '@');
	for (p = path->p; *p != '\0'; p++) {
		MUST((unsigned char)*p >= ' ' && *p != 0x7f);
		if (quoted && *p == '\\')
			MUST(*++p != '\0');
		else if (*p == '"')
			quoted = !quoted;
		else
			MUST(quoted || strchr(" <>(),;:\\", *p) == NULL || strchr(p, ']') != NULL);
	}
	MUST(!quoted && is_utf8(path->p, path->len));
	MUST(!has_8bit(strrchr(path->p, '@'), strlen(strrchr(path->p, '@'))));
	/* ready is ready */
	MUST(address_path(path->p, &again, &st) == 0 && strcmp(again.p, path->p) == 0);
	MUST(address_match(path->p, path->p) || strpbrk(path->p, "*?[\\") != NULL);
	str_free(&again);
}

static void
one(const char *text)
{
	struct str path = { 0 };
	struct status st;

	memset(&st, 0, sizeof st);
	if (address_path(text, &path, &st) == 0)
		check_path(&path);
	else {
		MUST(path.len == 0);
		fuzz_status(&st);
		MUST(st.class == 5 && (status_exit(&st) == 65 || status_exit(&st) == 67));
	}
	str_free(&path);
}

static int
each(void *arg, const char *addr, struct status *st)
{
	unsigned *n = arg;

	MUST(*addr != '\0' && strpbrk(addr, "\r\n") == NULL);
	one(addr);
	return ++*n >= 100 ? status_set(st, PH_LOCAL, 5, 1, 3, "enough") : 0;
}

int
TARGET(fuzz_address)(const uint8_t *p, size_t n)
{
	char *text = fuzz_text(p, n);
	struct status st;
	unsigned found = 0;

	one(text);
	memset(&st, 0, sizeof st);
	if (address_list(text, each, &found, &st) != 0) {
		fuzz_status(&st);
		MUST(st.class == 5 && st.subject == 1 && st.detail == 3);
	}
	free(text);
	return 0;
}
