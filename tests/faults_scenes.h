/*
 * faults_scenes - what pneu does while the system fails it, and what has to be so afterwards.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef FAULTS_SCENES_H
#define FAULTS_SCENES_H

#include <stdbool.h>

#include "str.h"

enum input { IN_NONE, IN_SMALL, IN_PIPE, IN_DIALOGUE };

enum promise {
	P_SENT,	  /* status 0: the server has it */
	P_QUEUED, /* status 0: it is in the spool; else there is nothing */
	P_FLUSH,  /* each entry is in the spool, or the server has it */
	P_BOUNCE, /* the entry or the report on it is in the spool, or the server has that */
	P_SERVED, /* a 250 on standard output: the server has it */
	P_NONE,	  /* nothing is sent */
};

struct scene {
	const char *name;
	const char *script;  /* of tests/peer, without the INCLUDE that begins it; NULL: there is no server */
	const char *config;  /* @ is the directory; beside "server" and what all have */
	const char *args[8]; /* of pneu */
	enum input input;
	unsigned entries; /* in the spool before */
	enum promise promise;
	bool login; /* PLAIN over STARTTLS; else in the clear */
	bool slow;  /* not for every kind of fault where time is short */
};

extern const struct scene scenes[];
extern const unsigned nscenes;

/* How one run ended. */
struct ended {
	int status; /* of waitpid() */
	bool hung;
	struct str out, err; /* what it said */
};

/*
 * Is everything as it has to be? All paths are relative to the working directory: message.N, spool,
 * tmp. With `measure`, the first run, in which nothing failed, what arrived and what is in the
 * spool becomes the measure. 0, or -1 and what is wrong in *why.
 */
int judge(const struct scene *s, const struct ended *e, bool measure, struct str *why);

/* Is nothing in this directory? */
bool is_empty(const char *path);

/* Trouble with the machine: says so and exits. */
_Noreturn void give_up(const char *what);

/* A file with these octets, or with this text. */
void spill(const char *path, const char *p, size_t n);
void spill_text(const char *path, const char *text);

/* Remove what is in a directory, and the directory itself. */
void empty(const char *path, bool itself);

/* The files of one directory into another, which is made. */
void copy_files(const char *from, const char *to);

/* The whole of a file: 0, or -1. */
int slurp(const char *path, struct str *to);

#endif
