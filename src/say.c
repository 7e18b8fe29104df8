/*
 * say - the few lines that go to a person on standard error.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

#define COLUMNS 80	/* of a terminal that does not tell */
#define COLUMNS_MAX 200 /* more would only be blank */
#define ECHOED 2	/* columns that Ctrl-C, as "^C", takes behind the line */

static bool dialogue;
static size_t live; /* columns of the line that changes; 0: it is not there */

size_t
say_width(int fd)
{
	struct winsize size;

	if (isatty(fd) != 1)
		return 0;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

size_t
say_columns(void)
{
	size_t n;

	if (tcgetpgrp(STDERR_FILENO) != getpgrp())
		return 0;
	n = say_width(STDERR_FILENO);
	if (n > COLUMNS_MAX)
		n = COLUMNS_MAX;
	/* the last column stays empty: some terminals begin a new line behind it */
	return n > ECHOED + 1 ? n - ECHOED - 1 : 0;
}

void
say_live(const char *text, size_t n)
{
	struct str line = { 0 };
	int e = errno;

	str_putc(&line, '\r');
	str_put(&line, text, n);
	while (line.len <= live)
		str_putc(&line, ' ');
	live = line.len - 1;
	(void)!write(STDERR_FILENO, line.p, line.len);
	str_free(&line);
	errno = e;
}

void
say_wipe(void)
{
	char blank[COLUMNS_MAX + 2];
	size_t columns, n = live;
	int e = errno;

	live = 0;
	/* in the background there is a prompt in its place by now */
	if (n > 0 && (columns = say_columns()) > 0) {
		n = (n < columns ? n : columns) + ECHOED;
		memset(blank, ' ', n + 1);
		blank[0] = blank[n + 1] = '\r';
		(void)!write(STDERR_FILENO, blank, n + 2);
	}
	errno = e;
}

static void
emit(struct str *line)
{
	int e = errno;

	say_wipe();
	str_putc(line, '\n');
	/* one write, so that lines of several processes do not mix; there is nowhere to complain */
	(void)!write(STDERR_FILENO, line->p, line->len);
	str_free(line);
	errno = e;
}

void
say(const char *fmt, ...)
{
	struct str text = { 0 }, line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	str_printf(&line, "%s: ", getprogname());
	str_printable(&line, str_text(&text), text.len);
	str_free(&text);
	emit(&line);
}

void
say_status(const char *who, const struct status *st)
{
	char enhanced[16];
	const char *hint = status_hint(st);
	struct str text = { 0 };

	if (who != NULL)
		str_printf(&text, "%s: ", who);
	str_puts(&text, status_enhanced(st, enhanced));
	if (st->phase != PH_LOCAL)
		str_printf(&text, " %s:", phase_name(st->phase));
	str_printf(&text, " %s%s", st->code != 0 ? "the server said: " : "", st->text);
	if (hint != NULL)
		str_printf(&text, " (%s)", hint);
	say("%s", str_text(&text));
	str_free(&text);
}

void
say_dialogue(bool on)
{
	dialogue = on;
}

bool
say_dialogue_on(void)
{
	return dialogue;
}

void
say_line(char mark, const char *p, size_t n)
{
	struct str line = { 0 };

	if (!dialogue)
		return;
	str_putc(&line, mark);
	str_puts(&line, mark == '*' ? " " : ": ");
	str_printable(&line, p, n);
	emit(&line);
}

void
say_event(const char *fmt, ...)
{
	struct str text = { 0 };
	va_list ap;

	if (!dialogue)
		return;
	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	say_line('*', str_text(&text), text.len);
	str_free(&text);
}
