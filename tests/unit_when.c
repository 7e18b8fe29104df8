/*
 * unit_when - tests of spans and points of time.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "when.h"

#define NOON 1795694400 /* 2026-11-26T12:00:00Z */

static const struct {
	const char *text;
	long long ms; /* 0: none */
} spans[] = {
	{ "30", 30000 }, { "30s", 30000 }, { "5m", 300000 }, { "2h", 7200000 }, { "7d", 604800000 },
	{ "500ms", 500 }, { "2H", 7200000 }, { "", 0 }, { "0", 0 }, { "s", 0 }, { "-1", 0 }, { "1.5h", 0 },
	{ "1h30m", 0 }, { "1 h", 0 }, { " 1", 0 }, { "99999999999999999999", 0 }, { "2w", 0 },
};

static const struct {
	const char *text;
	const char *when; /* in UTC; NULL: none */
} points[] = {
	{ "2h", "2026-11-26T14:00:00Z" }, { "+90s", "2026-11-26T12:01:30Z" },
	{ "1d", "2026-11-27T12:00:00Z" }, { "500ms", NULL }, { "-2h", NULL },
	/* the clocks of the test are two hours ahead */
	{ "14:01", "2026-11-26T12:01:00Z" }, { "14:00", "2026-11-27T12:00:00Z" },
	{ "08:30:15", "2026-11-27T06:30:15Z" }, { "24:00", NULL }, { "8:30", NULL }, { "08:60", NULL },
	{ "2026-12-01 08:30", "2026-12-01T06:30:00Z" }, { "2026-12-01T08:30", "2026-12-01T06:30:00Z" },
	{ "2026-12-01T08:30:00Z", "2026-12-01T08:30:00Z" },
	{ "2026-12-01T08:30:00z", "2026-12-01T08:30:00Z" },
	{ "2026-12-01T08:30:00+01:00", "2026-12-01T07:30:00Z" },
	{ "2026-12-01T08:30:00-0530", "2026-12-01T14:00:00Z" },
	{ "2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z" }, { "2027-02-29T00:00:00Z", NULL },
	{ "2026-11-31T00:00:00Z", NULL }, { "2026-13-01T00:00:00Z", NULL },
	{ "2026-12-01T08:30:00", "2026-12-01T06:30:00Z" }, { "2026-12-01", NULL },
	{ "2026-12-01T08:30:00X", NULL }, { "2026-12-01T08:30:00+1", NULL },
	{ "2026-11-26T12:00:00Z", NULL }, { "2020-01-01T00:00:00Z", NULL }, { "tomorrow", NULL },
	{ "", NULL },
};

static void
test_spoken(void)
{
	static const struct {
		long long seconds;
		const char *text;
	} t[] = {
		{ -5, "0s" },
		{ 0, "0s" },
		{ 59, "59s" },
		{ 60, "1m" },
		{ 3599, "59m" },
		{ 3600, "1h0m" },
		{ 11520, "3h12m" },
		{ 86399, "23h59m" },
		{ 86400, "1d0h" },
		{ 356400, "4d3h" },
	};
	char buf[32];
	size_t i;

	for (i = 0; i < COUNT(t); i++)
		is_text(when_spoken(t[i].seconds, buf), t[i].text, "%lld seconds", t[i].seconds);
}

void
test_when(void)
{
	const char *zone = getenv("TZ");
	char *before = zone != NULL ? xstrdup(zone) : NULL, text[32];
	size_t i;

	for (i = 0; i < COUNT(spans); i++) {
		long long ms = 0;

		if (when_span(spans[i].text, &ms) == -1)
			ms = 0;
		is_number(ms, spans[i].ms, "a span of \"%s\"", spans[i].text);
	}
	(void)setenv("TZ", "XST-2", 1);
	tzset();
	for (i = 0; i < COUNT(points); i++) {
		time_t when;

		if (when_point(points[i].text, NOON, &when) == -1)
			ok(points[i].when == NULL, "\"%s\" is no time to come", points[i].text);
		else
			is_text(when_text(when, text), points[i].when != NULL ? points[i].when : "none",
			    "\"%s\"", points[i].text);
	}
	{
		/* 2^32 seconds and some: where a time_t has 32 bits, it is none that can be waited for */
		time_t when;
		bool taken = when_point("49711d", NOON, &when) == 0;

		ok(taken == (sizeof(time_t) > 4) && (!taken || when == NOON + (time_t)49711 * 86400),
		    "a time that a time_t cannot hold is none");
	}
	test_spoken();
	if (before != NULL)
		(void)setenv("TZ", before, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	free(before);
}
