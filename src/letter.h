/*
 * letter - what a message is made of, for those who read it, repair it, keep it and send it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef LETTER_H
#define LETTER_H

#include "source.h"
#include "store.h"

/* What holds of octets on their way to a server. */
enum {
	MSG_8BIT = 1, /* octets above 127 */
	MSG_LONG = 2, /* a line of more than 998 octets (RFC 5322 2.1.1) */
	MSG_NUL = 4,  /* a NUL, which no form that is sent has */
	MSG_UTF8 = 8, /* a header with UTF-8 in it, which has to go with SMTPUTF8 (RFC 6532) */
};

/* What a server takes: 8BITMIME, SMTPUTF8. */
enum { TAKES_8BIT = 1, TAKES_UTF8 = 2 };

/* A line of more than this, its end not counted, is MSG_LONG. */
#define LINE_OCTETS 998

/* The largest header that is taken, in octets. */
#define HEADER_MAX (1024 * 1024)

/* Octets as they are sent: CRLF everywhere, not dot-stuffed. */
struct form {
	struct store store;
	unsigned flags; /* MSG_* of all of it */
	unsigned header_flags, body_flags;
	off_t body; /* where it begins: behind the empty line */
};

struct message {
	struct form own;       /* complete after message_finish() */
	struct form *made[2];  /* other ones, when a server wanted them */
	struct source *source; /* where it is read from, until message_finish() */
	struct str head;       /* the header fields that stay, until message_finish() */
	struct str pend;       /* text that was read as header and turned out to be body */
	bool has_date, has_id, has_from;
	struct str from; /* the value of From, unfolded, or empty */
	struct str id;	 /* the value of Message-ID */
	/* "To: value" of To, Cc and Bcc, unfolded; and of the newest Resent- block (RFC 5322 3.6.6)
	 */
	struct strings to, resent_to;
	unsigned resent; /* which Resent- fields the newest block has shown; for header.c */
};

#endif
