/*
 * child - commands of the configuration, run by a shell.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child_job {
	const char *command;
	int in;		   /* becomes its standard input; -1: /dev/null */
	int out;	   /* becomes its standard output */
	const char *name;  /* of a variable of its environment, or NULL */
	const char *value; /* NULL: it is not to have this variable */
};

/*
 * Start `sh -c command` with these two descriptors, our standard error and no other one, and with
 * signals as if we had touched none. Standard input is never ours: that may be the message. The
 * descriptors must be above 2, and stay open here. The process id, or -1 with errno.
 */
pid_t child_start(const struct child_job *job);

/*
 * Wait for the child until the deadline of wait_now(). Did it end? Then *status is that of
 * waitpid(2), and the child is no more.
 */
bool child_wait(pid_t child, int64_t deadline, int *status);

/*
 * The same, but it is gone afterwards in any case: who does not end by then is asked to (SIGTERM),
 * and soon made to (SIGKILL). Did it end by itself?
 */
bool child_end(pid_t child, int64_t deadline, int *status);

/* How it ended, "exit status 3" or "signal 9". */
const char *child_status(int status, char text[static 40]);

#endif
