/*
 * address - mailboxes of RFC 5321 and address lists of RFC 5322.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "status.h"

/* RFC 5321 4.5.3.1: octets of a local part, a domain, and the address between < and >. */
#define LOCAL_MAX 64
#define DOMAIN_MAX 255
#define ADDRESS_LEN_MAX 254

/*
 * Make one address ready for the envelope: "user@host" or "<user@host>", quoted local parts
 * and address literals included, becomes what goes between < and > there; a domain with other
 * letters than ASCII becomes A-labels (RFC 5891). Control characters do not survive.
 * `out` is appended to. 0, or -1 with *st, whose text names the address: 5.1.3 bad syntax or too
 * long (exit 67 when only the domain is missing), 5.6.7 a local part outside ASCII.
 */
int address_path(const char *text, struct str *out, struct status *st);

/*
 * Walk an address list (RFC 5322 3.4 and the obsolete forms of 4.4): display names, comments,
 * groups, routes, folding, empty elements. `each` is called with every addr-spec in turn, comments
 * removed, not yet checked by address_path(); a negative answer ends the walk and is returned.
 * 0, or -1 with *st (5.1.3, with the column where it went wrong).
 */
int address_list(const char *text, int (*each)(void *arg, const char *addr, struct status *st),
    void *arg, struct status *st);

/* Octets [at, end) of a text; at == end: there is no such part. */
struct span {
	size_t at, end;
};

/* One mailbox, and where its parts are in the text of the list. */
struct mailbox {
	const char *addr;    /* the addr-spec, without comments and the space between its parts */
	struct span whole;   /* from its first word, bracket or comment to its last */
	struct span spec;    /* the addr-spec, without comments around it */
	struct span name;    /* the display name, which is nothing without < > */
	struct span comment; /* the text of the last comment, without its parentheses */
	bool group;	     /* it stands in a group */
	bool odd; /* a route, or an @ in its name: what other readers may understand otherwise */
};

/* address_list() for who wants to know all of that. */
int address_walk(const char *text,
    int (*each)(void *arg, const struct mailbox *box, struct status *st), void *arg,
    struct status *st);

/*
 * Append `text` as a phrase (RFC 5322 3.2.5), such as a display name: in quotes where it holds
 * more than atoms, but for encoded words (RFC 2047), and folded where it is long. Control
 * characters are left out, and several blanks become one.
 */
void address_phrase(const char *text, struct str *out);

/* Does `addr` match `pattern`: an address, or one with the wildcards of a shell; case counts not.
 */
bool address_match(const char *pattern, const char *addr);

#endif
