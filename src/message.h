/*
 * message - one message, brought at the door into the form in which it is sent.
 *
 * Stored form: CRLF everywhere, not dot-stuffed, ending with CRLF, header first, no Bcc. SIZE=
 * and every way of sending it see the same octets.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "store.h"
#include "stream.h"

enum {
	MSG_8BIT = 1, /* octets above 127, in header or body */
	MSG_LONG = 2, /* a line of more than 998 octets (RFC 5322 2.1.1) */
};

/* The largest header that is taken, in octets. */
#define HEADER_MAX (1024 * 1024)

struct source; /* where it is read from, until message_finish() */

struct message {
	struct store store;
	struct source *source;
	struct str head; /* the header fields that stay, until message_finish() */
	struct str pend; /* text that was read as header and turned out to be body */
	bool has_date, has_id, has_from;
	struct str from; /* the value of From, unfolded, or empty */
	struct str id;	 /* the value of Message-ID */
	/* "To: value" of To, Cc and Bcc, unfolded; and of the newest Resent- block (RFC 5322 3.6.6)
	 */
	struct strings to, resent_to;
	unsigned
	    resent;	/* which Resent- fields the newest block has shown; RESENT_OVER: it ended */
	unsigned flags; /* MSG_*, complete after message_finish() */
};

/*
 * Read the header from `fd`: line ends are made CRLF (a bare CR or LF is a line end; CRs before
 * an LF belong to it), a leading mbox line goes, Bcc, Resent-Bcc and Return-Path in any spelling
 * go. Text that does not begin with a header is all body. When `dot` is set a line of one "."
 * ends the input. `fd` stays the caller's and open until message_finish().
 * 0, or -1 with *st: 5.6.0 empty input, a NUL, or a header over HEADER_MAX; 4.3.0 read error or
 * interrupted.
 */
int message_open(struct message *m, int fd, bool dot, struct status *st);

/*
 * Read the rest. `fields` are complete header lines that are added at the end of the header. 0,
 * or -1 as message_open(), or with 4.3.1 when there is no room to keep it.
 */
int message_finish(struct message *m, const struct str *fields, struct status *st);

off_t message_size(const struct message *m); /* octets as SIZE= counts them (RFC 1870 3) */

/*
 * Put the message into `s`, dot-stuffed (RFC 5321 4.5.2), but for the final dot. 0, or -1 with *st
 * when it cannot be read back (4.3.0) or a signal asked us to end.
 */
int message_send(const struct message *m, struct stream *s, struct status *st);

void message_free(struct message *m);

/* Append a Date field for `when`, in local time (RFC 5322 3.3), and one with a fresh Message-ID. */
void message_add_date(struct str *fields, time_t when);
void message_add_id(struct message *m, struct str *fields, time_t when, const char *domain);

#endif
