/*
 * confine - the process gives up what it does not need any more, before it reads what a server
 * says.
 *
 * On Linux, and only there: files by Landlock (5.13 and newer), the rest by a seccomp filter and
 * PR_SET_NO_NEW_PRIVS. What the kernel does not have is left out, and no error.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "needs.h"

/*
 * Give up everything else, for the rest of the process. May be called again to give up more; what
 * would give up nothing more does nothing. What is in force is said as an event.
 */
void confine(const struct confine *needs);

/* Is anything given up? */
bool confined(void);

#endif
