/*
 * dispatch - one message: to the servers, or into the spool, or what is left of it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include "flush.h"

/*
 * Submit `m` for everybody in `e`, as the account's `queue` has it: at once, and those who can be
 * tried again into the spool; or, with `queue only`, or when `later` and there is a spool, all of
 * them into the spool without trying. With `background` what was put there is tried by a process
 * of its own, when we are gone. A submission that went well takes along what waits for the account.
 * On return every recipient is decided. What keeps the spool from taking somebody is said on
 * standard error; he stays what he was, or of class 4 with that reason.
 */
struct dispatch {
	bool later, background;
	const struct conf *conf; /* for the process in the background; borrowed */
	const struct layer *given;
};
void dispatch(const struct account *a, struct envelope *e, struct message *m,
    const struct dispatch *how, struct submission *sub);

#endif
