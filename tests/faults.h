/*
 * faults - what the preloaded shim and the program that reads it share.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef FAULTS_H
#define FAULTS_H

/* The file FAULT_BOARD, which all processes of a run have mapped. */
struct board {
	unsigned count;	 /* calls of the kind so far */
	unsigned fired;	 /* of these, those that were spoiled */
	char what[200];	 /* the first of them: the call, how it ended, who called */
	char crash[600]; /* a signal that ended it: its number, and the frames, innermost first */
};

#endif
