/*
 * wait - monotonic time, and the one place where the process sleeps.
 *
 * Signals that end a process are only let in here, so that every wait either finishes, runs into
 * its deadline, or is interrupted, and no code in between is ever cut in half.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef WAIT_H
#define WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WAIT_FOREVER INT64_MAX

int64_t wait_now(void);		/* milliseconds of a clock that is never set */
int64_t wait_until(int64_t ms); /* the deadline `ms` from now; WAIT_FOREVER stays that */
int64_t wait_least(int64_t a, int64_t b);

/*
 * Prepares the process: SIGPIPE and SIGXFSZ are ignored (writes report the error instead),
 * SIGCHLD is not, and SIGINT, SIGTERM, SIGHUP, unless the caller chose to have them ignored,
 * interrupt waits.
 */
void wait_signals(void);

/* Let these signals in at any time, for a library call that waits by itself; or no longer. */
void wait_admit(bool on);

/* Undoes all of it, for a child that is about to run another program. */
void wait_child(void);

/* Look, without waiting, whether a signal has asked us to end. */
bool wait_asked(void);

/*
 * From now on, what we wait for is better heard than given up: the first signal leaves it `ms` more
 * milliseconds, and only a second one interrupts at once. 0 takes that back.
 */
void wait_finish(int64_t ms);

/*
 * Something to be done now and then while we wait: `tick` is called by wait_poll() as soon as the
 * clock has come to `at`, and says when it wants to be called next; WAIT_FOREVER: not again. NULL
 * takes that back. It must not wait.
 */
void wait_meanwhile(int64_t (*tick)(int64_t now), int64_t at);

/* The name of the signal that asked us to end, or NULL. */
const char *wait_signal(void);

/*
 * poll(2) with a deadline: the number of ready descriptors; 0 when the deadline passed first; -1
 * when a signal asked us to end (see wait_signal()).
 */
int wait_poll(struct pollfd *fds, nfds_t n, int64_t deadline);

/*
 * read(2) that waits its turn by wait_poll(): bytes read, 0 at the end, -1 with errno, ETIMEDOUT
 * after the deadline and EINTR when asked to end.
 */
ssize_t wait_read(int fd, void *p, size_t n, int64_t deadline);

#endif
