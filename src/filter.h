/*
 * filter - which system calls the process may still make, on Linux.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef FILTER_H
#define FILTER_H

#include "needs.h"

/*
 * Allow the calls that these needs come to, for all threads, and none else; PR_SET_NO_NEW_PRIVS is
 * to be in force. What is refused fails with EPERM or ENOSYS, and ends nobody, so that a library
 * that tries something harmless goes on without. False: nothing was done, as the kernel cannot, or
 * the machine's calls are not known here.
 */
bool filter_calls(const struct confine *needs);

#endif
