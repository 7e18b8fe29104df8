/*
 * header - reading the header of a message, and telling it from the body.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef HEADER_H
#define HEADER_H

#include "letter.h"

/*
 * Read the header from m->source into m->head, complete fields that each end in CRLF, and note what
 * is asked of them (struct message). Text that was taken for header and is none goes to m->pend.
 * 0, or -1 with *st: 5.6.0 a NUL, or more than HEADER_MAX octets; or what the source says.
 */
int header_read(struct message *m, struct status *st);

/* Length of a field name that begins at p and is followed by ":", blanks allowed between; else 0.
 */
size_t header_name(const char *p);

/*
 * Length of the field that p[0..n), whole fields, begins with: up to the line that is no
 * continuation.
 */
size_t header_field(const char *p, size_t n);

/* Is this, p[0..n), the name, in whatever case? */
bool header_is(const char *p, size_t n, const char *name);

#endif
