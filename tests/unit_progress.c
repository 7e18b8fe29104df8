/*
 * unit_progress - tests of the line about an upload.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>

#include "progress.h"
#include "unit.h"

static const struct {
	struct progress p;
	const char *text;
} lines[] = {
	{ { .sent = 12345678, .total = 40000000, .ms = 10000 },
	    "pneu: 12.3 MB of 40.0 MB, 1.2 MB/s, 22s left" },
	{ { .sent = 0, .total = 40000000, .ms = 2000 }, "pneu: 0 B of 40.0 MB, 0 B/s" },
	{ { .sent = 1, .total = 2000, .ms = 2000 }, "pneu: 1 B of 2.0 kB, 0 B/s" },
	{ { .sent = 999, .total = 1000, .ms = 3000 }, "pneu: 999 B of 1.0 kB, 333 B/s, 0s left" },
	{ { .sent = 999999, .total = 1000000, .ms = 1000 },
	    "pneu: 999.9 kB of 1.0 MB, 999.9 kB/s, 0s left" },
	{ { .sent = 1000000, .total = 61000000, .ms = 1000 }, "pneu: 1.0 MB of 61.0 MB, 1.0 MB/s, 1m left" },
	{ { .sent = 1000, .total = 10000000000, .ms = 1000 },
	    "pneu: 1.0 kB of 10.0 GB, 1.0 kB/s, 115d17h left" },
	{ { .sent = 20000000000000000, .total = 20000000000000000, .ms = 0 },
	    "pneu: 20.0 PB of 20.0 PB, 0 B/s" },
	{ { .place = 3, .of = 7, .sent = 5000000, .total = 10000000, .ms = 5000 },
	    "pneu: 3 of 7: 5.0 MB of 10.0 MB, 1.0 MB/s, 5s left" },
	{ { .sent = 40000000, .total = 40000000, .ms = 12999, .waiting = true },
	    "pneu: 40.0 MB sent, waiting for the server's answer, 12s" },
};

static const struct {
	size_t columns;
	const char *text;
} widths[] = {
	{ 44, "pneu: 12.3 MB of 40.0 MB, 1.2 MB/s, 22s left" },
	{ 43, "pneu: 12.3 MB of 40.0 MB, 1.2 MB/s" },
	{ 34, "pneu: 12.3 MB of 40.0 MB, 1.2 MB/s" },
	{ 33, "pneu: 12.3 MB of 40.0 MB" },
	{ 24, "pneu: 12.3 MB of 40.0 MB" },
	{ 23, "pneu: 12.3 MB of 40.0 M" },
	{ 1, "p" },
	{ 0, "" },
};

void
test_progress(void)
{
	const char *name = getprogname();
	struct str line = { 0 };
	size_t i;

	setprogname("pneu");
	for (i = 0; i < COUNT(lines); i++) {
		str_clear(&line);
		progress_text(&lines[i].p, 80, &line);
		is_text(str_text(&line), lines[i].text, "%s", lines[i].text);
	}
	for (i = 0; i < COUNT(widths); i++) {
		str_clear(&line);
		progress_text(&lines[0].p, widths[i].columns, &line);
		is_text(str_text(&line), widths[i].text, "in %zu columns", widths[i].columns);
	}
	setprogname(name);
	str_free(&line);
}
