/*
 * message - one message, brought at the door into the form in which it is sent.
 *
 * Stored form: CRLF everywhere, not dot-stuffed, ending with CRLF, header first, no Bcc. SIZE=
 * and every way of sending it see the same octets. Servers that take less than 8-bit text get
 * another form, made when it is first wanted.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "letter.h"
#include "stream.h"

/*
 * Read the header from `fd`: line ends are made CRLF (a bare CR or LF is a line end; CRs before
 * an LF belong to it), a leading mbox line goes, Bcc, Resent-Bcc and Return-Path in any spelling
 * go. Text that does not begin with a header is all body. When `dot` is set a line of one "."
 * ends the input. `fd` stays the caller's and open until message_finish().
 * 0, or -1 with *st: 5.6.0 empty input, a NUL in the header, or a header over HEADER_MAX; 4.3.0
 * read error or interrupted.
 */
int message_open(struct message *m, int fd, bool dot, struct status *st);

/* The same from something other than a descriptor; fails with what `read` says, too. */
int message_open_from(struct message *m, source_read_fn *read, void *arg, struct status *st);

/*
 * Read the rest. `fields` are complete header lines that are added at the end of the header. What
 * no server would take or keep is repaired (repair.h): long lines of the header are folded, and the
 * text of a plain message with NULs or long lines is made quoted-printable. 0, or -1 as
 * message_open(), with 5.6.0 also for a NUL in what must not be altered, or with 4.3.1 when there
 * is no room to keep it.
 */
int message_finish(struct message *m, const struct str *fields, struct status *st);

/* Octets of the message as it is without regard to a server. */
off_t message_size(const struct message *m);

/*
 * What a server that takes `takes` (TAKES_*) can be sent: the message as it is, or a form with
 * 8-bit text made quoted-printable and encoded words, made once and kept. Its flags say what to
 * announce: MSG_8BIT BODY=8BITMIME (RFC 6152), MSG_UTF8 SMTPUTF8 (RFC 6531). Borrowed from `m`.
 * NULL with *st: 5.6.3 the body is 8-bit and must not be altered; 5.6.7 an address in a field is
 * not ASCII; 5.6.9 the header is 8-bit and cannot be altered; 4.3.x as storing does.
 */
const struct form *message_form(struct message *m, unsigned takes, struct status *st);
off_t form_size(const struct form *f); /* octets as SIZE= counts them (RFC 1870 3) */

/*
 * Put a form into `s`, dot-stuffed (RFC 5321 4.5.2), but for the final dot. 0, or -1 with *st
 * when it cannot be read back (4.3.0) or a signal asked us to end.
 */
int message_send(const struct form *f, struct stream *s, struct status *st);

/* The same as it is, without the doubled dots, for BDAT (RFC 3030 2). */
int message_send_plain(const struct form *f, struct stream *s, struct status *st);

void message_free(struct message *m);

/* Append a Date field for `when`, in local time (RFC 5322 3.3), and one with a fresh Message-ID. */
void message_add_date(struct str *fields, time_t when);
void message_add_id(struct message *m, struct str *fields, time_t when, const char *domain);

#endif
