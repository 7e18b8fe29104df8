/*
 * check - what would happen, step by step, with nothing sent.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CHECK_H
#define CHECK_H

#include "conf.h"
#include "options.h"

struct check_wish {
	const struct account *account;
	const char *sender;	 /* for MAIL, or NULL: the account's own */
	char *const *recipients; /* for MAIL and RCPT, followed by RSET; none: up to the login */
	size_t n;
	enum format format; /* text, or JSON: one object on one line */
	int fd;		    /* where it is written */
};

/*
 * Look at the account's settings, then go to each of its servers: addresses, connections over each
 * of them, TLS, capabilities before and after it, the login, the envelope. A line for each step:
 * ok, warning or failure, with what to do. Returns the exit status that a submission would have.
 */
int check(const struct check_wish *wish);

/* The same for what failed before there was an account. */
int check_failed(const struct check_wish *wish, const struct status *why);

#endif
