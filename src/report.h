/*
 * report - how it ended, for people and for programs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef REPORT_H
#define REPORT_H

#include "options.h"
#include "submit.h"

/* Everything a report can tell; parts that did not come about are NULL or 0. */
struct outcome {
	const struct account *account;
	const struct envelope *envelope;
	const struct message *message;
	const struct submission *submission;
	const struct status *error; /* why it never came to a submission, or NULL */
	int exit;
};

/* The lines on standard error: one for every failed recipient, or one when the session failed. */
void report_failures(const struct outcome *o);

/*
 * Append the report: text, or one JSON object on one line. Every string in it is printable ASCII.
 */
void report_text(const struct outcome *o, struct str *out);
void report_json(const struct outcome *o, struct str *out);

#endif
