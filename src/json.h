/*
 * json - what programs read: JSON (RFC 8259), all of it printable ASCII.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef JSON_H
#define JSON_H

#include "status.h"

/*
 * Append a string, or null when it is NULL. What is not UTF-8 cannot be told exactly, and is made
 * printable instead (str_printable()).
 */
void json_string(struct str *out, const char *z);

/* The same as a member of an object: "name":"value", behind a comma unless it is the first one. */
void json_member(struct str *out, const char *name, const char *value);

/* Four members, each behind a comma: enhanced, code, phase, text. */
void json_status(struct str *out, const struct status *st);

#endif
