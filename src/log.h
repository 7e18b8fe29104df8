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
 * in one write, opened anew for each record so that the file can be moved away; but see
 * log_hold()), to syslog(3) as mail.info or mail.err, or to the journal with fields of its own.
 * That it cannot be noted is said on standard error, and changes nothing.
 */
void log_record(const struct outcome *o, const struct str *record);

/*
 * Before we are confined (confine.h): open the file that `a` logs to, as it cannot be opened then.
 * From then on records go into the file that it is now, whatever its name becomes. Where it cannot
 * be opened, log_record() says so. It stays open to the end of the process.
 */
void log_hold(const struct account *a);

/*
 * The same for a message that went over `l`, or did not, and of which there is no other report:
 * from the spool, or of a client of our own. It was begun at `start`, of wait_now(); what went over
 * the wire is counted since the one before. `m` may be NULL.
 */
void log_message(const struct account *a, struct link *l, const struct envelope *e,
    const struct message *m, int64_t start);

#endif
