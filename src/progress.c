/*
 * progress - what a person at a terminal sees of an upload that takes a while.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/ioctl.h>

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "progress.h"
#include "say.h"
#include "wait.h"
#include "when.h"

#define FIRST_MS 2000 /* an upload that takes no longer is not worth a line */
#define NEXT_MS 250

static bool allowed;
static struct {
	const struct stream *stream; /* NULL: nothing goes on */
	uint64_t base;		     /* octets that had left it before */
	int64_t begin, end;	     /* of wait_now(); end 0: not all was sent yet */
	bool left;		     /* all of it has left the stream */
	bool shown;
	struct progress is;
} upload;

/* ---- the line */

/* "999 B", "1.0 kB", "12.3 MB" */
static void
put_octets(struct str *to, uint64_t n)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	size_t i = 0;

	if (n < 1000) {
		str_printf(to, "%" PRIu64 " B", n);
		return;
	}
	for (; n >= 1000000 && i + 1 < sizeof units / sizeof units[0]; i++)
		n /= 1000;
	str_printf(to, "%" PRIu64 ".%" PRIu64 " %s", n / 1000, n % 1000 / 100, units[i]);
}

/* Take `part` into the line if it fits, and empty it. False: it did not, nor should what follows.
 */
static bool
take_part(struct str *line, size_t most, struct str *part)
{
	bool fits = line->len + part->len <= most;

	if (fits)
		str_put(line, str_text(part), part->len);
	str_clear(part);
	return fits;
}

void
progress_text(const struct progress *p, size_t columns, struct str *line)
{
	uint64_t rate = p->ms > 0 ? (uint64_t)((double)p->sent * 1000 / (double)p->ms) : 0;
	size_t most = line->len + columns;
	struct str part = { 0 };
	char left[32];

	str_printf(&part, "%s: ", getprogname());
	if (p->of > 0)
		str_printf(&part, "%zu of %zu: ", p->place, p->of);
	if (p->waiting) {
		put_octets(&part, p->total);
		str_puts(&part, " sent");
	} else {
		put_octets(&part, p->sent);
		str_puts(&part, " of ");
		put_octets(&part, p->total);
	}
	if (part.len > columns)
		part.len = columns;
	(void)take_part(line, most, &part);
	if (p->waiting)
		str_printf(&part, ", waiting for the server's answer");
	else {
		str_puts(&part, ", ");
		put_octets(&part, rate);
		str_puts(&part, "/s");
	}
	if (take_part(line, most, &part) && (p->waiting || rate > 0)) {
		uint64_t s = p->waiting ? (uint64_t)p->ms / 1000 : (p->total - p->sent) / rate;

		str_printf(
		    &part, ", %s%s", when_spoken((long long)s, left), p->waiting ? "" : " left");
		(void)take_part(line, most, &part);
	}
	str_free(&part);
}

/* ---- the upload */

/* Octets that the kernel has taken and that are not on the other side yet, where it can tell. */
static uint64_t
in_the_kernel(void)
{
	int n;

	return ioctl(stream_fd(upload.stream), TIOCOUTQ, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

/* What TLS adds is a thousandth and counts as if it were of the message. */
static uint64_t
octets_sent(uint64_t kept)
{
	uint64_t sent, received;

	stream_octets(upload.stream, &sent, &received);
	if (sent < upload.base + kept)
		return 0;
	sent -= upload.base + kept;
	return sent < upload.is.total ? sent : upload.is.total;
}

/* Called while we wait; when it wants to be called next. */
static int64_t
tick(int64_t now)
{
	uint64_t kept = in_the_kernel();
	struct str line = { 0 };
	size_t columns;

	if (upload.left && kept == 0 && upload.end == 0)
		upload.end = now;
	/* one that was short needs no line, however long the server thinks about it */
	if (!upload.shown && (upload.end != 0 || isatty(STDERR_FILENO) != 1))
		return WAIT_FOREVER;
	upload.shown = true;
	if ((columns = say_columns()) == 0)
		return now + NEXT_MS;
	upload.is.waiting = upload.end != 0;
	upload.is.sent = octets_sent(kept);
	upload.is.ms = now - (upload.is.waiting ? upload.end : upload.begin);
	progress_text(&upload.is, columns, &line);
	say_live(line.p, line.len);
	str_free(&line);
	return now + NEXT_MS;
}

void
progress_allow(bool on)
{
	allowed = on;
}

void
progress_place(size_t place, size_t of)
{
	upload.is.place = place;
	upload.is.of = of;
}

void
progress_begin(const struct stream *s, uint64_t total)
{
	uint64_t received;

	if (!allowed)
		return;
	upload.stream = s;
	stream_octets(s, &upload.base, &received);
	upload.is.total = total;
	upload.begin = wait_now();
	upload.end = 0;
	upload.left = upload.shown = false;
	wait_meanwhile(tick, upload.begin + FIRST_MS);
}

void
progress_sent(void)
{
	upload.left = true;
}

void
progress_end(void)
{
	if (upload.stream == NULL)
		return;
	wait_meanwhile(NULL, WAIT_FOREVER);
	upload.stream = NULL;
	say_wipe();
}
