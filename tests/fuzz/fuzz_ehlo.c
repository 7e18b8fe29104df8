/*
 * fuzz_ehlo - lines that announce extensions.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "caps.h"

/* Each mechanism is a word of its own, and is found. */
static void
check_mechs(const struct caps *c)
{
	char *list = xstrdup(str_text(&c->mechs)), *p = list, *word;

	MUST(((c->ext & EXT_AUTH) != 0) == (c->mechs.len > 0));
	MUST(c->mechs.len == 0 || (list[0] == ' ' && list[c->mechs.len - 1] == ' '));
	MUST(strlen(list) == c->mechs.len && fuzz_printable(list));
	while ((word = strsep(&p, " ")) != NULL)
		if (*word != '\0') {
			MUST(strpbrk(word, "abcdefghijklmnopqrstuvwxyz") == NULL);
			MUST(caps_mech(c, word));
		}
	free(list);
}

int
TARGET(fuzz_ehlo)(const uint8_t *p, size_t n)
{
	const char *at = (const char *)p, *end = at + n;
	struct caps c = { 0 }, again = { 0 };
	struct reply r = { 0 };
	struct str line = { 0 };
	int more = 0;

	while (at < end && more == 0) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((lf != NULL ? lf : end) - at);

		str_clear(&line);
		str_puts(&line, "250-");
		str_put(&line, at, len);
		more = reply_line(&r, line.p, line.len);
		at += len + 1;
	}
	caps_parse(&c, &r);
	check_mechs(&c);
	MUST(c.size <= INT64_MAX && (c.size == 0 || (c.ext & EXT_SIZE) != 0));
	caps_parse(&again, &r);
	caps_parse(&again, &r);
	MUST(again.ext == c.ext && again.size == c.size &&
	    strcmp(str_text(&again.mechs), str_text(&c.mechs)) == 0);
	caps_free(&c);
	caps_free(&again);
	reply_free(&r);
	str_free(&line);
	return 0;
}
