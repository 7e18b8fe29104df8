/*
 * puppet - a server in a thread, whose every word was written down beforehand.
 *
 * It answers each line it hears with the next reply of its part, and the message with the next one after
 * its final dot. A reply that begins with "+" goes out together with the one before. When nothing is left
 * to say, the next line makes it close its side, and it hears the rest.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PUPPET_H
#define PUPPET_H

#include <pthread.h>

#include "str.h"

struct puppet {
	int fd;
	pthread_t thread;
	const char *says, *end;
	bool hangs_up;	  /* does not even read on when it has said all */
	bool data;	  /* DATA was answered with 354 */
	struct str heard; /* all of it, once it has ended */
	size_t at;	  /* what lies before has been answered */
};

/* Starts it; the descriptor of the other side, or -1. `says` is borrowed. */
int puppet_start(struct puppet *p, const char *says, size_t n, bool hangs_up);

/* Waits until it has heard all, which is when the other side is closed. */
void puppet_end(struct puppet *p);

#endif
