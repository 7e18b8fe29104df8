/*
 * entry - what the spool knows of a message besides its octets, and of an account; and both as
 * text.
 *
 * The text is lines of a name and a value. The first line names the format and its version, the
 * last is "end" and the number of recipients, so that a file that lost its end is never taken for
 * a whole one. Values are printable: what is not, and "+" and "=", is written as RFC 3461 4 has it
 * (xtext), but for the words of a reply, which are printable already.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "status.h"

/* The largest envelope in octets; about 100,000 recipients that were tried. */
#define ENTRY_MAX (64 * 1024 * 1024)

struct entry_rcpt {
	char *to;	      /* what goes between < and > */
	char *notify, *orcpt; /* as in RCPT (RFC 3461), or NULL */
	struct status last;   /* how the last try ended; class 0: none yet */
	char *server;	      /* who said so; NULL: it was no server, or it is not known */
	bool unknown;	      /* the reply to the end of the message never came: it may have it */
	size_t at;	      /* where its line begins, for one that was read */
};

struct entry_wish {
	char *name, *value;
};

/* An envelope. Owned strings, optional ones NULL; all zeroes is an empty one. */
struct entry {
	char *account;		 /* NULL: the one without a name */
	char *from;		 /* what goes between < and >; "" is the null sender */
	char *ret, *envid;	 /* as in MAIL (RFC 3461), but that envid is decoded; or NULL */
	char *id;		 /* Message-ID, or NULL */
	long long size;		 /* octets of the message */
	long long queued, next;	 /* seconds since 1970 */
	long long tried;	 /* when the last try was; 0: not known */
	long long tries;	 /* of this message; failed sessions are the account's */
	bool held;		 /* not sent until it is released */
	bool told;		 /* its sender knows that it is late */
	struct entry_wish *wish; /* whatever else the sender wants, REQUIRETLS and the like */
	size_t wishes, wish_cap;
	struct entry_rcpt *rcpt;
	size_t n, cap;
};

/* Add a recipient; `to` is copied. Valid until the next one is added. */
struct entry_rcpt *entry_add(struct entry *e, const char *to);

/* Set a wish, also one that has no meaning here: it is kept. The value is "" when NULL. */
void entry_wish(struct entry *e, const char *name, const char *value);
const char *entry_wished(const struct entry *e, const char *name); /* NULL: not; borrowed */

/*
 * Append the text. 0, or -1 when no such text could be read again: no sender, a control
 * character in a value, more than ENTRY_MAX octets.
 */
int entry_write(const struct entry *e, struct str *text);

/*
 * Read a text into *e, which is overwritten and must be freed either way. NULL, or what is wrong
 * with it (static). A recipient marked "done" is counted and left out.
 */
const char *entry_parse(const char *p, size_t n, struct entry *e);

void entry_free_rcpt(struct entry_rcpt *r);
void entry_free(struct entry *e);

/* What is remembered of an account between two flushes; all zeroes when nothing is. */
struct entry_account {
	long long next;	    /* no session before that */
	long long failures; /* sessions that failed in a row */
	long long told;	    /* when somebody was told that the login is refused */
	bool refused;	    /* the login was refused: all of its messages are held */
	struct status last; /* how the last session ended; class 0: well */
};

int entry_account_write(const struct entry_account *a, struct str *text);
const char *entry_account_parse(const char *p, size_t n, struct entry_account *a);

#endif
