/*
 * cork - full segments for what is longer than one.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "cork.h"

static void
set(int fd, bool *corked, bool wanted)
{
#ifdef TCP_CORK
	const int value = wanted;

	if (*corked != wanted)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value);
#else
	(void)fd;
#endif
	*corked = wanted;
}

void
cork_put(int fd, bool *corked)
{
	set(fd, corked, true);
}

void
cork_draw(int fd, bool *corked)
{
	set(fd, corked, false);
}
