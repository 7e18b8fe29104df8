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

/* The next word at *p, somewhere in `text`, into `out`; false at the end. "..." and \x as newer
 * programs have them. */
static bool
word(const char *text, const char **p, struct str *out)
{
	bool quoted;

	str_clear(out);
	str_puts(out, ""); /* never NULL */
	for (;;) {
		bool line_start = *p == text;

		for (; **p != '\0' && strchr(" \t\r\n", **p) != NULL; (*p)++)
			line_start |= **p == '\n';
		/* elsewhere than at the start of a line it may begin a password */
		if (**p != '#' || !line_start)
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
	for (; (p = strchr(p, '\n')) != NULL; p++)
		if (p[1] == '\n' || (p[1] == '\r' && p[2] == '\n'))
			return p + 1;
	return "";
}

bool
netrc_find(const char *text, const char *host, const char *user, struct str *secret)
{
	struct str w = { 0 }, password = { 0 };
	const char *p = text;
	bool here = false, login = true, found = false, more = true;

	while (more && !found) {
		more = word(text, &p, &w);
		if (!more || ascii_eq(w.p, "machine") || ascii_eq(w.p, "default")) {
			/* an entry ends where the next begins */
			found = here && login && password.len > 0;
			if (found || !more)
				break;
			here = ascii_eq(w.p, "default") ||
			    (word(text, &p, &w) && ascii_eq(w.p, host));
			login = true;
			str_clear(&password);
		} else if (ascii_eq(w.p, "login"))
			login = word(text, &p, &w) && strcmp(w.p, user) == 0;
		else if (ascii_eq(w.p, "password")) {
			(void)word(text, &p, &w);
			str_clear(&password);
			str_put(&password, str_text(&w), w.len);
		} else if (ascii_eq(w.p, "macdef"))
			p = behind_macro(p);
		else if (ascii_eq(w.p, "account"))
			(void)word(text, &p, &w);
	}
	if (found)
		str_put(secret, str_text(&password), password.len);
	str_free(&w);
	str_free(&password);
	return found;
}
