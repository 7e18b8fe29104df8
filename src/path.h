/*
 * path - the arguments of MAIL and RCPT as a client of our own says them (RFC 5321 4.1.1.2).
 *
 *     "FROM:" "<" [route ":"] [mailbox] ">" *( SP keyword [ "=" value ] )
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PATH_H
#define PATH_H

#include <stdint.h>

#include "status.h"

struct path {
	char *address; /* with its < >; what is in them is not looked at */
	bool size_given, body_given, eight, utf8;
	uint64_t size; /* SIZE= (RFC 1870) */
	/* Delivery reports, in the words of SMTP (RFC 3461), or NULL; envid is decoded. */
	char *ret, *envid, *notify, *orcpt;
};

/*
 * Parse what stands behind the verb; `word` is "FROM:" or "TO:", and decides which parameters there
 * are. 0, and path_free() is the caller's; or -1 with nothing to free, *st.text being the whole
 * reply: 501 for bad syntax, 555 for a parameter that is not known (RFC 5321 4.1.1.11).
 */
int path_parse(const char *text, const char *word, struct path *p, struct status *st);
void path_free(struct path *p);

#endif
