/*
 * path - the arguments of MAIL and RCPT as a client of our own says them (RFC 5321 4.1.1.2).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "path.h"

#define ENVID_MAX 100 /* RFC 3461 4.4, as sent */
#define ORCPT_MAX 500 /* RFC 3461 4.2 */

/* ---- values; each returns false for a bad one */

static bool
take_size(struct path *p, const char *value)
{
	const char *why;

	if (!isdigit((unsigned char)*value))
		return false;
	p->size = (uint64_t)strtonum(value, 0, INT64_MAX, &why);
	p->size_given = why == NULL;
	return p->size_given;
}

static bool
take_body(struct path *p, const char *value)
{
	p->body_given = true;
	p->eight = ascii_eq(value, "8BITMIME");
	return p->eight || ascii_eq(value, "7BIT");
}

static bool
take_utf8(struct path *p, const char *value)
{
	p->utf8 = true;
	return *value == '\0';
}

static bool
take_ret(struct path *p, const char *value)
{
	if (!ascii_eq(value, "FULL") && !ascii_eq(value, "HDRS"))
		return false;
	p->ret = xstrdup(ascii_eq(value, "FULL") ? "FULL" : "HDRS");
	return true;
}

static bool
take_envid(struct path *p, const char *value)
{
	struct str text = { 0 };

	if (*value == '\0' || strlen(value) > ENVID_MAX || str_unxtext(&text, value) == -1 ||
	    !ascii_clean(text.p)) {
		str_free(&text);
		return false;
	}
	p->envid = text.p;
	return true;
}

static bool
take_notify(struct path *p, const char *value)
{
	p->notify = envelope_notify(value);
	return p->notify != NULL;
}

/* An address behind "utf-8;" with letters beyond ASCII as they are (RFC 6533 3). */
static bool
is_unitext(const char *z)
{
	return is_utf8(z, strlen(z)) && ascii_clean(z) && strpbrk(z, " +=") == NULL;
}

/* addr-type ";" xtext, passed on as it is: nothing in it may be anything else further on */
static bool
take_orcpt(struct path *p, const char *value)
{
	const char *semicolon = strchr(value, ';'), *c;
	struct str text = { 0 };
	bool good;

	if (semicolon == NULL || semicolon == value || strlen(value) > ORCPT_MAX)
		return false;
	for (c = value; c < semicolon; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			return false;
	good = semicolon[1] != '\0' &&
	    (str_unxtext(&text, semicolon + 1) == 0 ||
		(ascii_eqn(value, "utf-8;", 6) && is_unitext(semicolon + 1)));
	str_free(&text);
	if (good)
		p->orcpt = xstrdup(value);
	return good;
}

static const struct {
	const char *word; /* of whose argument it is a parameter */
	const char *keyword;
	bool (*take)(struct path *p, const char *value);
} params[] = {
	{ "FROM:", "BODY", take_body },
	{ "FROM:", "ENVID", take_envid },
	{ "FROM:", "RET", take_ret },
	{ "FROM:", "SIZE", take_size },
	{ "FROM:", "SMTPUTF8", take_utf8 },
	{ "TO:", "NOTIFY", take_notify },
	{ "TO:", "ORCPT", take_orcpt },
};
#define NPARAMS (sizeof params / sizeof params[0])

/* ---- the whole */

/* One "keyword=value", which is cut in two; `seen` are those that came before. */
static int
one_param(struct path *p, const char *word, char *text, unsigned *seen, struct status *st)
{
	char *value = strchr(text, '=');
	size_t i;

	if (value != NULL)
		*value++ = '\0';
	for (i = 0; i < NPARAMS; i++)
		if (strcmp(params[i].word, word) == 0 && ascii_eq(params[i].keyword, text))
			break;
	if (i == NPARAMS)
		return status_set(
		    st, PH_LOCAL, 5, 5, 4, "555 5.5.4 the parameter %.60s is not known", text);
	if ((*seen & 1U << i) != 0)
		return status_set(st, PH_LOCAL, 5, 5, 4, "501 5.5.4 %s stands there twice", text);
	*seen |= 1U << i;
	if (!params[i].take(p, value != NULL ? value : ""))
		return status_set(
		    st, PH_LOCAL, 5, 5, 4, "501 5.5.4 %s cannot have this value", text);
	return 0;
}

/* Behind the ">" that ends the path, or NULL. A quoted local part may hold one (RFC 5321 4.1.2). */
static const char *
end_of_path(const char *p)
{
	bool quoted = false;

	for (p++; *p != '\0' && (quoted || *p != '>'); p++)
		if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	return *p == '>' ? p + 1 : NULL;
}

int
path_parse(const char *text, const char *word, struct path *p, struct status *st)
{
	const char *end = NULL;
	char *rest, *param, *next;
	unsigned seen = 0;
	int r = 0;

	memset(p, 0, sizeof *p);
	if (ascii_eqn(text, word, strlen(word))) {
		text += strlen(word);
		text += *text == ' '; /* in no standard, and said all the same */
		end = *text == '<' ? end_of_path(text) : NULL;
	}
	if (end == NULL || (*end != '\0' && *end != ' '))
		return status_set(st, PH_LOCAL, 5, 5, 4, "501 5.5.4 it reads %s<address>", word);
	p->address = xstrndup(text, (size_t)(end - text));
	next = rest = xstrdup(end);
	while (r == 0 && (param = strsep(&next, " ")) != NULL)
		if (*param != '\0')
			r = one_param(p, word, param, &seen, st);
	free(rest);
	if (r == -1)
		path_free(p);
	return r;
}

void
path_free(struct path *p)
{
	free(p->address);
	free(p->ret);
	free(p->envid);
	free(p->notify);
	free(p->orcpt);
	memset(p, 0, sizeof *p);
}
