/*
 * caps - what a server can do: the keywords in its reply to EHLO (RFC 5321 4.1.1.1).
 *
 *     ehlo-line  = ehlo-keyword *( SP ehlo-param )
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"

/* A number at the start of p[0..n) that ends there or at a blank; 0 for anything else. */
static uint64_t
number(const char *p, size_t n)
{
	char digits[24] = "";
	const char *why;
	long long value;
	size_t len = 0;

	while (len < n && p[len] != ' ' && p[len] != '\t')
		len++;
	if (len == 0 || len >= sizeof digits)
		return 0;
	memcpy(digits, p, len);
	value = isdigit((unsigned char)digits[0]) ? strtonum(digits, 0, INT64_MAX, &why) : 0;
	return (uint64_t)value; /* strtonum() gives 0 for what is no number, too */
}

/* "PLAIN LOGIN" */
static void
add_mechs(struct caps *c, const char *p, size_t n)
{
	size_t i;

	if (c->mechs.len == 0)
		str_putc(&c->mechs, ' ');
	for (i = 0; i < n; i++)
		if (p[i] > ' ' && p[i] < 0x7f)
			str_putc(&c->mechs, (char)toupper((unsigned char)p[i]));
		else if (c->mechs.p[c->mechs.len - 1] != ' ')
			str_putc(&c->mechs, ' ');
	if (c->mechs.p[c->mechs.len - 1] != ' ')
		str_putc(&c->mechs, ' ');
}

/* "RCPTMAX=100 MAILMAX=10": names that are not known, and values that are none, limit nothing */
static void
set_limits(struct caps *c, const char *p, size_t n)
{
	const struct {
		const char *name;
		uint64_t *at;
	} limits[] = { { "RCPTMAX=", &c->rcpt_max }, { "MAILMAX=", &c->mail_max },
		{ "RCPTDOMAINMAX=", &c->domains } };
	const char *end = p + n;
	size_t i;

	while (p < end) {
		for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
			size_t len = strlen(limits[i].name);

			if ((size_t)(end - p) > len && ascii_eqn(p, limits[i].name, len))
				*limits[i].at = number(p + len, (size_t)(end - p) - len);
		}
		while (p < end && *p != ' ' && *p != '\t')
			p++;
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
	}
}

static const struct {
	const char *keyword;
	enum ext ext;
	size_t number; /* the field for the number that stands behind it, or 0 */
	void (*words)(struct caps *c, const char *p, size_t n); /* who reads what stands there */
} keywords[] = {
	{ "STARTTLS", EXT_STARTTLS, 0, NULL },
	{ "AUTH", EXT_AUTH, 0, add_mechs },
	{ "PIPELINING", EXT_PIPELINING, 0, NULL },
	{ "SIZE", EXT_SIZE, offsetof(struct caps, size), NULL },
	{ "8BITMIME", EXT_8BITMIME, 0, NULL },
	{ "DSN", EXT_DSN, 0, NULL },
	{ "SMTPUTF8", EXT_SMTPUTF8, 0, NULL },
	{ "REQUIRETLS", EXT_REQUIRETLS, 0, NULL },
	{ "LIMITS", EXT_LIMITS, 0, set_limits },
	{ "FUTURERELEASE", EXT_FUTURERELEASE, offsetof(struct caps, hold_max), NULL },
	{ "DELIVERBY", EXT_DELIVERBY, offsetof(struct caps, by_min), NULL },
	{ "MT-PRIORITY", EXT_PRIORITY, 0, NULL },
	{ "CHUNKING", EXT_CHUNKING, 0, NULL },
};
_Static_assert(offsetof(struct caps, ext) == 0, "no number has the offset 0");

static void
one_keyword(struct caps *c, const char *line, size_t n)
{
	size_t word = 0, i;

	/* "AUTH=LOGIN" is what servers said before RFC 2554, and some still say */
	while (word < n && line[word] != ' ' && line[word] != '\t' && line[word] != '=')
		word++;
	for (i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
		if (strlen(keywords[i].keyword) != word ||
		    !ascii_eqn(line, keywords[i].keyword, word))
			continue;
		if (word < n && line[word] == '=' && keywords[i].ext != EXT_AUTH)
			return;
		c->ext |= keywords[i].ext;
		word += word < n;
		if (keywords[i].number != 0)
			*(uint64_t *)(void *)((char *)c + keywords[i].number) = number(
			    line + word, n - word);
		if (keywords[i].words != NULL)
			keywords[i].words(c, line + word, n - word);
		return;
	}
}

void
caps_parse(struct caps *c, const struct reply *ehlo)
{
	const char *p = strchr(str_text(&ehlo->text), '\n');

	caps_free(c);
	while (p != NULL) {
		const char *line = p + 1;

		p = strchr(line, '\n');
		one_keyword(c, line, p != NULL ? (size_t)(p - line) : strlen(line));
	}
}

bool
caps_mech(const struct caps *c, const char *mech)
{
	struct str word = { 0 };
	bool found;

	str_printf(&word, " %s ", mech);
	found = strstr(str_text(&c->mechs), word.p) != NULL;
	str_free(&word);
	return found;
}

void
caps_free(struct caps *c)
{
	str_free(&c->mechs);
	memset(c, 0, sizeof *c);
}
