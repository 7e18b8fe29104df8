/*
 * netrc - passwords in ~/.netrc, as ftp(1) made it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef NETRC_H
#define NETRC_H

#include "str.h"

/*
 * Find the password of `user` at `host` in the text of a netrc file: the first "machine" of that
 * name with this login or none, or the "default". Words are separated by white space and may be
 * quoted; macros are passed over. True when found, appended to `secret`.
 */
bool netrc_find(const char *text, const char *host, const char *user, struct str *secret);

#endif
