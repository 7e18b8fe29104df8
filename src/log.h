/*
 * log - how each message ended, noted where the account's `log` says.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef LOG_H
#define LOG_H

#include "report.h"

/*
 * Note `record`, a line of report_json() about `o`: behind what is in a file (O_APPEND, mode 0600,
 * in one write, opened anew for each record so that the file can be moved away), to syslog(3) as
 * mail.info or mail.err, or to the journal with fields of its own. That it cannot be noted is said
 * on standard error, and changes nothing.
 */
void log_record(const struct outcome *o, const struct str *record);

/*
 * The same for a message that went over `l`, or did not, and of which there is no other report: from
 * the spool, or of a client of our own. `m` may be NULL.
 */
void log_message(const struct account *a, const struct link *l, const struct envelope *e,
    const struct message *m);

#endif
