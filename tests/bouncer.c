/*
 * bouncer - a report, made of an envelope and a message in two files.
 *
 *	bouncer ENTRY MESSAGE failed|expired|delayed	prints the report
 *
 * ENTRY is a text as the spool has it (entry.h). The exit code is 0 when there is a report, 3 when
 * there is nothing to report, and 1 after a failure.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounce.h"
#include "durable.h"
#include "say.h"

static int
print(const struct store *s, struct status *st)
{
	static char buf[STORE_CHUNK];
	const char *p;
	ssize_t n;
	off_t at = 0;

	while ((n = store_view(s, at, buf, &p, st)) > 0) {
		(void)fwrite(p, 1, (size_t)n, stdout);
		at += n;
	}
	return n == 0 && fflush(stdout) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct bounce how = { BOUNCE_FAILED, false, "mail.sender.com", 1764201600, 1764633600 };
	struct str text = { 0 };
	struct entry e, envelope = { 0 };
	struct store report;
	struct status st;
	const char *why;
	int fd, r;

	if (argc != 4)
		return 64;
	how.kind = strcmp(argv[3], "delayed") == 0 ? BOUNCE_DELAYED : BOUNCE_FAILED;
	how.expired = strcmp(argv[3], "expired") == 0;
	fd = open(argv[2], O_RDONLY);
	if (fd == -1 || durable_read(AT_FDCWD, argv[1], ENTRY_MAX, &text, &why) != 0)
		return 66;
	if ((why = entry_parse(text.p, text.len, &e)) != NULL) {
		(void)fprintf(stderr, "bouncer: %s: %s\n", argv[1], why);
		entry_free(&e);
		str_free(&text);
		return 65;
	}
	store_init(&report);
	if ((r = bounce_make(&e, &how, fd, &report, &envelope, &st)) == -1)
		say_status(NULL, &st);
	else if (r == 1)
		r = print(&report, &st) == 0 ? 0 : 1;
	else
		r = 3;
	store_free(&report);
	entry_free(&envelope);
	entry_free(&e);
	str_free(&text);
	(void)close(fd);
	return r == -1 ? 1 : r;
}
