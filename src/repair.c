/*
 * repair - forms of a message for servers that take less than what it has in it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "repair.h"

unsigned
repair_look(const char *p, size_t n, unsigned known)
{
	unsigned found = 0;

	if ((known & MSG_8BIT) == 0 && has_8bit(p, n))
		found |= MSG_8BIT;
	if ((known & MSG_NUL) == 0 && memchr(p, '\0', n) != NULL)
		found |= MSG_NUL;
	return found;
}

/* The flags of a header. */
static unsigned
header_flags(const struct str *header)
{
	const char *p = str_text(header), *lf;
	unsigned flags = repair_look(p, header->len, MSG_NUL);

	for (; (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		if (lf - p > LINE_OCTETS + 1)
			flags |= MSG_LONG;
	return flags;
}

int
repair_header(const struct str *header, struct form *own, struct status *st)
{
	own->header_flags = header_flags(header);
	if (store_put(&own->store, str_text(header), header->len, st) == -1 ||
	    store_put(&own->store, "\r\n", 2, st) == -1)
		return -1;
	own->body = store_size(&own->store);
	return 0;
}

int
repair_own(struct form *own, struct status *st)
{
	own->flags = own->header_flags | own->body_flags;
	if ((own->body_flags & MSG_NUL) != 0)
		return status_set(st, PH_LOCAL, 5, 6, 0,
		    "the message holds a NUL octet, which mail cannot carry (RFC 5322 2.1)");
	return 0;
}

int
repair_need(const struct form *own, unsigned takes, unsigned *how, struct status *st)
{
	*how = 0;
	if ((own->flags & MSG_8BIT) != 0 && (takes & TAKES_8BIT) == 0)
		return status_set(st, PH_MAIL, 5, 6, 3,
		    "the message has 8-bit text and the server does not offer 8BITMIME");
	return 0;
}

int
repair(const struct form *own, unsigned how, struct form *to, struct status *st)
{
	(void)own;
	(void)how;
	store_init(&to->store);
	return status_set(st, PH_MAIL, 5, 6, 3, "the message cannot be altered");
}
