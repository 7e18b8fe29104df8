/*
 * secret - where passwords and tokens come from.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SECRET_H
#define SECRET_H

#include <sys/stat.h>

#include "account.h"
#include "sasl.h"
#include "url.h"

/* The longest secret, in octets: OAuth tokens have a few thousand. */
#define SECRET_MAX 65536

/* What is asked for. All borrowed. */
struct secret_wish {
	const struct account *account;
	const struct url *url;
	const char *user;
	int64_t deadline; /* a command is not waited for beyond it */
	bool refresh;	  /* a token was refused: PNEU_TOKEN_REFRESH=1 for the command */
};

/*
 * The password (or token) in this order: the URL, `password` or --password-fd, `password-file`,
 * `password-command`, $CREDENTIALS_DIRECTORY/pneu.ACCOUNT or pneu.password, ~/.netrc, and a
 * terminal, if there is one to ask on. One trailing line end is cut off. 0, or -1 with *st: 5.7.0
 * nobody has one, or it is empty, too long, or holds a NUL; 4.7.0 a command that exits with
 * 75; 5.3.5 a file that cannot be read or that others can read.
 */
int secret_get(const struct secret_wish *w, struct str *secret, struct status *st);

/*
 * Read the password from --password-fd, where it is set, into a->password, once and for all
 * servers. 0, or -1 with *st as secret_get().
 */
int secret_take_fd(struct account *a, struct status *st);

/* Does the configuration say where a secret is? (A netrc or a terminal may still have one.) */
bool secret_configured(const struct account *a, const struct url *u);

/* Would asking again with `refresh` give another answer? Only a command can. */
bool secret_refreshable(const struct account *a, const struct url *u);

/*
 * Before we are confined (confine.h): a process that runs the password-command of `a` when
 * secret_get() asks it to, which it does once we are. It ends with us, or by SIGTERM. Its number,
 * or 0 when there is none.
 */
pid_t secret_keep(const struct account *a);

/*
 * From here on the process holds secrets: no core dumps, and no debugger of the same user.
 */
void secret_guard(void);

/*
 * May a file with this mode and owner hold a secret? Not when others can read it, or its group can
 * and it is not root's, or anybody else can write it. 0, or -1 with 5.3.5 and the chmod that helps.
 */
int secret_mode(const struct stat *sb, const char *file, struct status *st);

#endif
