/*
 * json - what programs read: JSON (RFC 8259), all of it printable ASCII.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "json.h"

/* The character of UTF-8 at p, which is good, as JSON escapes it; returns its length. */
static size_t
put_character(struct str *out, const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2, i;
	unsigned long c = u[0] & (0x7fU >> n);

	for (i = 1; i < n; i++)
		c = c << 6 | (u[i] & 0x3fU);
	if (c >= 0x10000)
		str_printf(out, "\\u%04lx\\u%04lx", 0xd800 + ((c - 0x10000) >> 10),
		    0xdc00 + ((c - 0x10000) & 0x3ff));
	else
		str_printf(out, "\\u%04lx", c);
	return n;
}

void
json_string(struct str *out, const char *z)
{
	struct str safe = { 0 };
	const char *p;

	if (z == NULL) {
		str_puts(out, "null");
		return;
	}
	if (is_utf8(z, strlen(z)))
		str_puts(&safe, z);
	else
		str_printable(&safe, z, strlen(z));
	str_putc(out, '"');
	for (p = str_text(&safe); *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			str_printf(out, "\\u%04x", (unsigned char)*p);
		else if ((*p & 0x80) != 0)
			p += put_character(out, p) - 1;
		else {
			if (*p == '"' || *p == '\\')
				str_putc(out, '\\');
			str_putc(out, *p);
		}
	str_putc(out, '"');
	str_free(&safe);
}

void
json_member(struct str *out, const char *name, const char *value)
{
	if (out->len > 0 && out->p[out->len - 1] != '{')
		str_putc(out, ',');
	str_printf(out, "\"%s\":", name);
	json_string(out, value);
}

void
json_status(struct str *out, const struct status *st)
{
	char enhanced[16];

	json_member(out, "enhanced", status_enhanced(st, enhanced));
	str_printf(out, ",\"code\":%u", st->code);
	json_member(out, "phase", phase_name(st->phase));
	json_member(out, "text", st->text);
}
