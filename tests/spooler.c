/*
 * spooler - the spool without a command around it, for tests of what crashes leave.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */

/*
 *	spooler DIR new FILE RCPT ...		queue the message in FILE; prints "committed ID"
 *	spooler DIR list [FILE]			a line per entry: PLACE ID SIZE RCPT=CLASS ...; and
 *						" whole" when its message is what FILE holds
 *	spooler DIR settle ID CLASS ...		one class per recipient; prints "settled ID"
 *	spooler DIR drain LOG			takes all that is there; of each the message is
 *						appended to LOG, with its id, and it is settled as sent
 *	spooler DIR drop ID | hold ID | release ID | fail ID | retry ID
 *	spooler DIR cat ID			the message
 *	spooler DIR clean AGE			what crashes left, when older than AGE seconds
 *	spooler DIR fill N			N copies of the first entry, without fsync
 *	spooler DIR busy ID COMMAND		runs COMMAND while it has the lock
 *
 * Exit codes as sysexits(3) has them; 1 when there is no such entry, 2 when another has it.
 */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "say.h"
#include "spool.h"

static struct spool q = { NULL, -1, -1 };
static struct status st;

static int
failed(void)
{
	say_status(NULL, &st);
	return status_exit(&st);
}

static int
copy(int from, struct item *to)
{
	char buf[1000]; /* so that there are several writes */
	ssize_t n;

	while ((n = read(from, buf, sizeof buf)) > 0)
		if (spool_put(&q, to, buf, (size_t)n, &st) == -1)
			return -1;
	return n == 0 ? 0 : status_errno(&st, PH_LOCAL, "read");
}

static int
do_new(int argc, char **argv)
{
	struct item it;
	int fd = open(argv[0], O_RDONLY), i, r = spool_new(&q, &it, &st);

	it.entry.from = xstrdup("alice@sender.com");
	it.entry.id = xstrdup("<test.1@sender.com>");
	entry_wish(&it.entry, "requiretls", NULL);
	for (i = 1; i < argc; i++)
		(void)entry_add(&it.entry, argv[i]);
	if (r == 0)
		r = copy(fd, &it);
	if (r == 0)
		r = spool_commit(&q, &it, &st);
	if (r == 0) {
		printf("committed %s\n", it.id);
		(void)fflush(stdout);
	}
	spool_close(&q, &it);
	if (fd != -1)
		(void)close(fd);
	return r == 0 ? 0 : failed();
}

static void
slurp(int fd, struct str *to)
{
	char buf[4096];
	ssize_t n;

	if (fd == -1)
		return;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		str_put(to, buf, (size_t)n);
	(void)close(fd);
}

/* Wherever a move may have left it. */
static bool
is_whole(const char *id, const char *file)
{
	struct spool_name name = spool_name(id, ".m");
	struct str a = { 0 }, b = { 0 };
	int fd = openat(q.dir, name.z, O_RDONLY);
	bool same;

	if (fd == -1)
		fd = openat(q.failed, name.z, O_RDONLY);
	slurp(fd, &a);
	slurp(open(file, O_RDONLY), &b);
	same = a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
	str_free(&a);
	str_free(&b);
	return same;
}

static int
list(enum spool_place place, const char *name, const char *file)
{
	struct spool_ids l = { 0 };
	struct entry e;
	size_t i, k;
	int r;

	if (spool_ids(&q, place, &l, &st) == -1)
		return failed();
	for (i = 0; i < l.n; i++) {
		if ((r = spool_peek(&q, place, l.v[i], &e, &st)) == -1)
			say_status(l.v[i], &st);
		if (r == 1) {
			printf("%s %s %lld", e.held ? "held" : name, l.v[i], e.size);
			for (k = 0; k < e.n; k++)
				printf(" %s=%u", e.rcpt[k].to, e.rcpt[k].last.class);
			puts(file != NULL && is_whole(l.v[i], file) ? " whole" : "");
		}
		entry_free(&e);
	}
	spool_ids_free(&l);
	return 0;
}

static int
do_list(int argc, char **argv)
{
	const char *file = argc > 0 ? argv[0] : NULL;
	int r = list(SPOOL_ACTIVE, "active", file);

	return r != 0 ? r : list(SPOOL_FAILED, "failed", file);
}

/* 0, or what the process is to end with. */
static int
take(const char *id, struct item *it)
{
	enum take t = spool_take(&q, SPOOL_ACTIVE, id, it, &st);

	if (t == TAKE_GONE) {
		spool_close(&q, it);
		t = spool_take(&q, SPOOL_FAILED, id, it, &st);
	}
	if (t == TAKE_OK)
		return 0;
	spool_close(&q, it);
	return t == TAKE_TROUBLE ? failed() : t == TAKE_BUSY ? 2 : 1;
}

static int
do_settle(int argc, char **argv)
{
	struct item it;
	int r = take(argv[0], &it), i;

	if (r != 0)
		return r;
	for (i = 1; i < argc && (size_t)i <= it.entry.n; i++)
		status_set(&it.entry.rcpt[i - 1].last, PH_END, (unsigned)(argv[i][0] - '0'), 0, 0, "as told");
	it.entry.tries++;
	if ((r = spool_settle(&q, &it, &st)) == 0)
		printf("settled %s\n", it.id);
	spool_close(&q, &it);
	return r == 0 ? 0 : failed();
}

/* What the server is elsewhere. */
static int
deliver(struct item *it, const char *log)
{
	int fd = open(log, O_WRONLY | O_APPEND | O_CREAT, 0600), r;
	struct str text = { 0 };
	char buf[1000];
	ssize_t n;

	str_printf(&text, "%s ", it->id);
	while ((n = read(it->fd, buf, sizeof buf)) > 0)
		str_put(&text, buf, (size_t)n);
	r = durable_write(fd, text.p, text.len);
	(void)close(fd);
	str_free(&text);
	return r;
}

static int
do_drain(int argc, char **argv)
{
	struct spool_ids l = { 0 };
	struct item it;
	size_t i, k;
	int r = 0;

	(void)argc;
	if (spool_ids(&q, SPOOL_ACTIVE, &l, &st) == -1)
		return failed();
	for (i = 0; i < l.n; i++) {
		enum take t = spool_take(&q, SPOOL_ACTIVE, l.v[i], &it, &st);

		if (t == TAKE_TROUBLE)
			r = failed();
		if (t == TAKE_OK && !it.entry.held && deliver(&it, argv[0]) == 0) {
			for (k = 0; k < it.entry.n; k++)
				status_set(&it.entry.rcpt[k].last, PH_END, 2, 0, 0, "sent");
			if (spool_settle(&q, &it, &st) == -1)
				r = failed();
		}
		spool_close(&q, &it);
	}
	spool_ids_free(&l);
	return r;
}

static int
drop(struct item *it)
{
	return spool_remove(&q, it, &st);
}

static int
hold(struct item *it)
{
	it->entry.held = true;
	return spool_save(&q, it, &st);
}

static int
release(struct item *it)
{
	it->entry.held = false;
	return spool_save(&q, it, &st);
}

static int
fail(struct item *it)
{
	return spool_move(&q, it, SPOOL_FAILED, &st);
}

static int
retry(struct item *it)
{
	return spool_move(&q, it, SPOOL_ACTIVE, &st);
}

static int
cat(struct item *it)
{
	char buf[1000];
	ssize_t n;

	while ((n = read(it->fd, buf, sizeof buf)) > 0)
		(void)fwrite(buf, 1, (size_t)n, stdout);
	return fflush(stdout);
}

static const char *command;

static int
busy(struct item *it)
{
	pid_t pid;
	int status;

	(void)it;
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static const struct {
	const char *name;
	int (*act)(struct item *it);
} changes[] = {
	{ "drop", drop },
	{ "hold", hold },
	{ "release", release },
	{ "fail", fail },
	{ "retry", retry },
	{ "cat", cat },
	{ "busy", busy },
};

static int
change(const char *id, int (*act)(struct item *it))
{
	struct item it;
	int r = take(id, &it);

	if (r != 0)
		return r;
	if ((r = act(&it)) == 0 && act != cat)
		printf("done %s\n", it.id);
	spool_close(&q, &it);
	return r == 0 ? 0 : failed();
}

static int
do_clean(int argc, char **argv)
{
	(void)argc;
	printf("%zu\n", spool_clean(&q, strtoll(argv[0], NULL, 10)));
	return 0;
}

static void
put_file(const char *id, const char *suffix, const struct str *text)
{
	int fd = openat(q.dir, spool_name(id, suffix).z, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || durable_write(fd, text->p, text->len) == -1)
		exit(1);
	(void)close(fd);
}

static int
do_fill(int argc, char **argv)
{
	struct str m = { 0 }, e = { 0 };
	struct spool_ids l = { 0 };
	const char *why;
	char id[SPOOL_ID];
	long n;

	(void)argc;
	if (spool_ids(&q, SPOOL_ACTIVE, &l, &st) == -1 || l.n == 0 ||
	    durable_read(q.dir, spool_name(l.v[0], ".m").z, ENTRY_MAX, &m, &why) != 0 ||
	    durable_read(q.dir, spool_name(l.v[0], ".e").z, ENTRY_MAX, &e, &why) != 0)
		return 1;
	for (n = strtol(argv[0], NULL, 10); n > 0; n--) {
		spool_make_id(id);
		put_file(id, ".m", &m);
		put_file(id, ".e", &e);
	}
	str_free(&m);
	str_free(&e);
	spool_ids_free(&l);
	return 0;
}

static const struct {
	const char *name;
	int least; /* arguments */
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "new", 2, do_new },
	{ "list", 0, do_list },
	{ "settle", 2, do_settle },
	{ "drain", 1, do_drain },
	{ "clean", 1, do_clean },
	{ "fill", 1, do_fill },
};

static int
run(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, argv[2]) == 0 && argc - 3 >= commands[i].least)
			return commands[i].run(argc - 3, argv + 3);
	for (i = 0; i < sizeof changes / sizeof changes[0]; i++)
		if (strcmp(changes[i].name, argv[2]) == 0 && argc > 3) {
			command = argv[4];
			return change(argv[3], changes[i].act);
		}
	return 64;
}

int
main(int argc, char **argv)
{
	int r;

	if (argc < 3)
		return 64;
	r = spool_open(&q, argv[1], strcmp(argv[2], "new") == 0, &st);
	r = r == -1 ? failed() : r == 1 ? 0 : run(argc, argv);
	spool_shut(&q);
	return r;
}
