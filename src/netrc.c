/*
 * netrc - passwords in ~/.netrc, as ftp(1) made it.
 *
 *     entry = ("machine" name / "default") *("login" name / "password" word / "account" word)
 *     macro = "macdef" name LF text, up to an empty line
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "netrc.h"

/* The next word at *p into `out`; false at the end. "..." and \x as newer programs have them. */
static bool
word(const char **p, struct str *out)
{
	bool quoted;

	str_clear(out);
	str_puts(out, ""); /* never NULL */
	for (;;) {
		*p += strspn(*p, " \t\r\n");
		if (**p != '#')
			break;
		*p += strcspn(*p, "\n");
	}
	if (**p == '\0')
		return false;
	quoted = **p == '"';
	for (*p += quoted; **p != '\0' && strchr(quoted ? "\"" : " \t\r\n", **p) == NULL; (*p)++) {
		if (quoted && **p == '\\' && (*p)[1] != '\0')
			(*p)++;
		str_putc(out, **p);
	}
	*p += quoted && **p == '"';
	return true;
}

/* Behind a macro: its text ends with an empty line. */
static const char *
behind_macro(const char *p)
{
	const char *end = strstr(p, "\n\n");

	return end != NULL ? end + 2 : p + strlen(p);
}

bool
netrc_find(const char *text, const char *host, const char *user, struct str *secret)
{
	struct str w = { 0 }, password = { 0 };
	bool here = false, login = true, found = false, more = true;

	while (more && !found) {
		more = word(&text, &w);
		if (!more || ascii_eq(w.p, "machine") || ascii_eq(w.p, "default")) {
			/* an entry ends where the next begins */
			found = here && login && password.len > 0;
			if (found || !more)
				break;
			here = ascii_eq(w.p, "default") || (word(&text, &w) && ascii_eq(w.p, host));
			login = true;
			str_clear(&password);
		} else if (ascii_eq(w.p, "login"))
			login = word(&text, &w) && strcmp(w.p, user) == 0;
		else if (ascii_eq(w.p, "password")) {
			(void)word(&text, &w);
			str_clear(&password);
			str_put(&password, str_text(&w), w.len);
		} else if (ascii_eq(w.p, "macdef"))
			text = behind_macro(text);
		else if (ascii_eq(w.p, "account"))
			(void)word(&text, &w);
	}
	if (found)
		str_put(secret, str_text(&password), password.len);
	str_free(&w);
	str_free(&password);
	return found;
}
