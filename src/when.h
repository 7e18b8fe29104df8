/*
 * when - spans and points of time, as people write them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef WHEN_H
#define WHEN_H

#include <time.h>

/* "30s", "5m", "2h", "7d", "500ms", or seconds without a unit, into milliseconds. 0, or -1. */
int when_span(const char *text, long long *ms);

/*
 * A point of time later than `now`: "2h" or "+2h" from now; "08:30", the next time that the clocks
 * here say so; "2026-12-01 08:30" (or with a T), local time; "2026-12-01T08:30:00Z" and with
 * "+01:00" (RFC 3339). 0 and *when, or -1: none of these, past, or beyond the year 9999.
 */
int when_point(const char *text, time_t now, time_t *when);

/* "2026-12-01T08:30:00Z" (RFC 3339, UTC) into buf, which is returned. */
const char *when_text(time_t when, char buf[static 32]);

/* "Tue, 25 Nov 2025 12:00:00 +0000" (RFC 5322 3.3), local time, into buf; "" is no time at all. */
const char *when_mail(time_t when, char buf[static 64]);

/* "45s", "12m", "3h12m", "4d3h": this many seconds, for people, into buf, which is returned. */
const char *when_spoken(long long seconds, char buf[static 32]);

#endif
