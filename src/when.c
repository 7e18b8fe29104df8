/*
 * when - spans and points of time, as people write them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "when.h"

int
when_span(const char *text, long long *ms)
{
	static const struct {
		const char *unit;
		long long ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 }, { "ms", 1 } };
	const char *unit = text + strspn(text, "0123456789"), *why;
	char digits[16] = "";
	size_t i;

	if (unit == text || (size_t)(unit - text) >= sizeof digits)
		return -1;
	(void)strlcpy(digits, text, (size_t)(unit - text) + 1);
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (ascii_eq(unit, units[i].unit)) {
			*ms = strtonum(digits, 1, 10000000, &why) * units[i].ms;
			return why == NULL ? 0 : -1;
		}
	return -1;
}

/* Two digits (or `n`) at *p, from `least` to `most`, followed by `end` unless that is NUL. */
static bool
digits(const char **p, size_t n, int least, int most, char end, int *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < n; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		*value = *value * 10 + (*p)[i] - '0';
	}
	if (end != '\0' && (*p)[n] != end)
		return false;
	*p += n + (end != '\0');
	return *value >= least && *value <= most;
}

/* "08:30" or "08:30:15" */
static bool
clock_time(const char **p, struct tm *tm)
{
	if (!digits(p, 2, 0, 23, ':', &tm->tm_hour) || !digits(p, 2, 0, 59, '\0', &tm->tm_min))
		return false;
	tm->tm_sec = 0;
	if (**p != ':')
		return true;
	++*p;
	return digits(p, 2, 0, 59, '\0', &tm->tm_sec);
}

/* "Z", "+01:00", "-0530": seconds to subtract for UTC */
static bool
zone(const char *p, long *offset)
{
	int sign = *p == '-' ? -1 : 1, hours, minutes;

	*offset = 0;
	if (ascii_eq(p, "Z"))
		return true;
	if (*p != '+' && *p != '-')
		return false;
	p++;
	if (!digits(&p, 2, 0, 23, '\0', &hours))
		return false;
	p += *p == ':';
	if (!digits(&p, 2, 0, 59, '\0', &minutes) || *p != '\0')
		return false;
	*offset = sign * (hours * 3600L + minutes * 60L);
	return true;
}

/* So many seconds later; false where a time_t has 32 bits and cannot hold it. */
static bool
later(time_t from, long long seconds, time_t *when)
{
	long long at = from + seconds;

	*when = (time_t)at;
	return *when == at;
}

/* "2026-12-01T08:30" with or without a zone. mktime() and timegm() move the 31st of June. */
static bool
calendar(const char *p, time_t *when)
{
	struct tm tm = { .tm_isdst = -1 };
	int year, month, day;
	long offset;

	if (!digits(&p, 4, 1970, 9999, '-', &year) || !digits(&p, 2, 1, 12, '-', &month) ||
	    !digits(&p, 2, 1, 31, '\0', &day) || (*p != 'T' && *p != 't' && *p != ' '))
		return false;
	p++;
	if (!clock_time(&p, &tm))
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	if (*p == '\0') {
		*when = mktime(&tm);
	} else {
		if (!zone(p, &offset))
			return false;
		*when = timegm(&tm);
		if (*when != -1 && !later(*when, -(long long)offset, when))
			return false;
	}
	return *when != -1 && tm.tm_mday == day;
}

/* Is it to come, and in a year of four digits, as RFC 3339 has them? */
static bool
to_come(time_t when, time_t now)
{
	struct tm tm;

	return when > now && gmtime_r(&when, &tm) != NULL && tm.tm_year + 1900 <= 9999;
}

int
when_point(const char *text, time_t now, time_t *when)
{
	const char *p = text + (*text == '+');
	struct tm tm;
	long long ms;

	if (when_span(p, &ms) == 0)
		return later(now, ms / 1000, when) && to_come(*when, now) ? 0 : -1;
	if (calendar(text, when))
		return to_come(*when, now) ? 0 : -1;
	if (localtime_r(&now, &tm) == NULL || !clock_time(&p, &tm) || *p != '\0')
		return -1;
	tm.tm_isdst = -1;
	if ((*when = mktime(&tm)) <= now) {
		tm.tm_mday++;
		tm.tm_isdst = -1;
		*when = mktime(&tm);
	}
	return to_come(*when, now) ? 0 : -1;
}

const char *
when_text(time_t when, char buf[static 32])
{
	struct tm tm;

	buf[0] = '\0';
	if (gmtime_r(&when, &tm) != NULL)
		(void)strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

const char *
when_mail(time_t when, char buf[static 64])
{
	struct tm tm;

	/* the process never leaves the C locale, so the names are those of RFC 5322 */
	if (localtime_r(&when, &tm) == NULL ||
	    strftime(buf, 64, "%a, %d %b %Y %H:%M:%S %z", &tm) == 0)
		buf[0] = '\0';
	return buf;
}

const char *
when_spoken(long long s, char buf[static 32])
{
	if (s < 60)
		(void)snprintf(buf, 32, "%llds", s > 0 ? s : 0);
	else if (s < 3600)
		(void)snprintf(buf, 32, "%lldm", s / 60);
	else if (s < 86400)
		(void)snprintf(buf, 32, "%lldh%lldm", s / 3600, s / 60 % 60);
	else
		(void)snprintf(buf, 32, "%lldd%lldh", s / 86400, s / 3600 % 24);
	return buf;
}
