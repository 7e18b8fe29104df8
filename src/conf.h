/*
 * conf - the configuration file: accounts, in lines of "keyword value".
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CONF_H
#define CONF_H

#include <stdio.h>

#include "settings.h"

struct conf {
	struct layer defaults; /* what stands before the first account */
	struct layer *account;
	size_t n, cap;
	bool secret; /* some file that was read holds one */
};

/*
 * Read the configuration: `file`, or when NULL $PNEU_CONFIG, or the user's file, or the system's.
 * A file that was named must exist; of the others the first that exists is taken, and having none
 * at all is fine. 0, or -1 with 5.3.5 and "file:line: what is wrong and what would be right".
 * conf_free() in any case.
 */
int conf_load(struct conf *c, const char *file, struct status *st);

/* The same from an open file; `file` is its name for messages. The fuzzer comes in here. */
int conf_read(struct conf *c, FILE *f, const char *file, struct status *st);

/*
 * The account called `name`; or when NULL, the first with a `from` that matches one of the
 * senders (each may be NULL), tried in turn; or "default", or the first; NULL when there is none.
 * -1 with 5.3.5 when `name` is not known.
 */
int conf_account(const struct conf *c, const char *name, const char *const senders[], size_t n,
    const struct layer **found, struct status *st);

/*
 * Make *a of the settings in `given`, of the account `chosen` by conf_account() (or NULL), and of
 * the defaults, in this order. 0, or -1 with 5.3.5 when no server is set; account_free() in any
 * case.
 */
int conf_make(const struct conf *c, const struct layer *given, const struct layer *chosen,
    struct account *a, struct status *st);

/* Where the user's file is looked for, for messages; allocated. */
char *conf_user_file(void);

void conf_free(struct conf *c);

#endif
