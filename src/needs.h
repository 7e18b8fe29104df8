/*
 * needs - what the process still needs when it gives up everything else (confine.h).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef NEEDS_H
#define NEEDS_H

#include <sys/types.h>

#include <stdbool.h>

enum confine_sockets {
	SOCKETS_NONE,
	SOCKETS_LOG,   /* datagrams to sockets of this machine, which logs are */
	SOCKETS_NET,   /* and TCP, and all that a resolver does, threads and its files included */
	SOCKETS_LOCAL, /* and connections to sockets of this machine */
};

#define CONFINE_FILES 5
#define CONFINE_CHILDREN 2

/*
 * What is still needed. All pointers are borrowed, and NULL is nothing. Nothing here ever allows to
 * start a program, to trace a process or to signal one but these children, to change owners and
 * modes of files, or to type into a terminal.
 */
struct confine {
	enum confine_sockets sockets;
	bool lasting; /* the resolver's files may change meanwhile */
	bool read;    /* any file, for reading, and libraries to be loaded */
	bool prompt;  /* a terminal may be asked for a password */
	bool parent;  /* there are other processes of ours, which may have to be ended */
	pid_t children[CONFINE_CHILDREN]; /* so may these; 0: none */
	const char *files[CONFINE_FILES]; /* to be read */
	const char *state; /* a directory, with a slash at its end, to be read and changed; made
			      where it is missing */
	const char *spool; /* another one, with directories between which files move */
};

#endif
