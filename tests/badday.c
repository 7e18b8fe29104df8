/*
 * badday - for every call that changes the spool: what if the process ended there, or the call failed?
 *
 *	CRASH_DIR=DIR LD_PRELOAD=crash_shim.so badday DIR MESSAGE LOG
 *
 * Each scene is played in a process of its own on each kind of bad day, once for each call that it makes.
 * Afterwards the spool in DIR must hold what the scene allows: a whole message or none, and what was
 * promised. TAP on standard output.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "durable.h"
#include "spool.h"

#define CALLS_MOST 60

static struct spool q = { NULL, -1, -1 };
static struct status st;
static const char *directory, *log_file;
static struct str message;
static char id[SPOOL_ID];
static unsigned points, failures;

/* What each day does to a call, and whether to those after it, too (crash_shim.c). */
static const struct day {
	const char *how, *stays;
} days[] = {
	{ "kill", "" },
	{ "torn", "" },
	{ "short", "" },
	{ "EINTR", "" },
	{ "ENOSPC", "" },
	{ "ENOSPC", "1" },
	{ "EDQUOT", "1" },
	{ "EIO", "" },
	{ "EIO", "1" },
	{ "EROFS", "1" },
};

static void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- what a process does to the spool */

static int
open_spool(void)
{
	return spool_open(&q, directory, true, &st);
}

static int
act_new(struct item *it)
{
	size_t at, n;

	if (open_spool() == -1 || spool_new(&q, it, &st) == -1)
		return -1;
	it->entry.from = xstrdup("alice@sender.com");
	(void)entry_add(&it->entry, "bob");
	(void)entry_add(&it->entry, "eve");
	for (at = 0; at < message.len; at += n) {
		n = message.len - at > 1000 ? 1000 : message.len - at;
		if (spool_put(&q, it, message.p + at, n, &st) == -1)
			return -1;
	}
	return spool_commit(&q, it, &st);
}

static int
take(enum spool_place place, struct item *it)
{
	return open_spool() == -1 || spool_take(&q, place, id, it, &st) != TAKE_OK ? -1 : 0;
}

static int
settle(struct item *it, unsigned bob, unsigned eve)
{
	if (take(SPOOL_ACTIVE, it) == -1)
		return -1;
	status_set(&it->entry.rcpt[0].last, PH_END, bob, 0, 0, "as it was decided");
	status_set(&it->entry.rcpt[1].last, PH_RCPT, eve, 0, 0, "as it was decided");
	return spool_settle(&q, it, &st);
}

static int
act_some(struct item *it)
{
	return settle(it, 2, 4);
}

static int
act_all(struct item *it)
{
	return settle(it, 2, 5);
}

static int
act_none(struct item *it)
{
	return settle(it, 4, 4);
}

static int
act_drop(struct item *it)
{
	return take(SPOOL_ACTIVE, it) == -1 ? -1 : spool_remove(&q, it, &st);
}

static int
act_hold(struct item *it)
{
	if (take(SPOOL_ACTIVE, it) == -1)
		return -1;
	it->entry.held = true;
	return spool_save(&q, it, &st);
}

static int
act_fail(struct item *it)
{
	return take(SPOOL_ACTIVE, it) == -1 ? -1 : spool_move(&q, it, SPOOL_FAILED, &st);
}

static int
act_retry(struct item *it)
{
	return take(SPOOL_FAILED, it) == -1 ? -1 : spool_move(&q, it, SPOOL_ACTIVE, &st);
}

static void
prepare(int (*act)(struct item *it))
{
	struct item it = { .fd = -1 };

	if (act(&it) == -1)
		give_up(st.text);
	(void)strlcpy(id, it.id, sizeof id);
	spool_close(&q, &it);
	spool_shut(&q);
}

static void
nothing(void)
{
}

static void
queued(void)
{
	prepare(act_new);
}

static void
given_up(void)
{
	prepare(act_new);
	prepare(act_fail);
}

/* ---- and what may be in it then */

#define BOTH "active bob=0 eve=0 whole"
#define BOTH_LATER "active bob=4 eve=4 whole"
#define EVE "active eve=4 whole"
#define EVE_MARKED "active eve=0 whole"
#define HELD "held bob=0 eve=0 whole"
#define FAILED "failed bob=0 eve=0 whole"
#define NONE ""

static const struct scene {
	const char *name;
	void (*prepare)(void);
	int (*act)(struct item *it);
	const char *yes[4];   /* when it said that it is done */
	const char *dead[4];  /* when it was ended before that */
	const char *no[4];    /* when it said that it failed */
} scenes[] = {
	{ "a new message", nothing, act_new, { BOTH }, { NONE, BOTH }, { NONE } },
	{ "some recipients have it", queued, act_some, { EVE, EVE_MARKED }, { BOTH, EVE },
	    { BOTH, EVE } },
	{ "all recipients are done", queued, act_all, { NONE }, { BOTH, NONE }, { BOTH, NONE } },
	{ "nobody has it", queued, act_none, { BOTH_LATER }, { BOTH, BOTH_LATER }, { BOTH, BOTH_LATER } },
	{ "dropping it", queued, act_drop, { NONE }, { BOTH, NONE }, { BOTH, NONE } },
	{ "holding it", queued, act_hold, { HELD }, { BOTH, HELD }, { BOTH, HELD } },
	{ "giving it up", queued, act_fail, { FAILED }, { BOTH, FAILED }, { BOTH, FAILED } },
	{ "taking it back", given_up, act_retry, { BOTH }, { BOTH, FAILED }, { BOTH, FAILED } },
};

/* ---- looking at it */

static bool
is_whole(const struct item *it)
{
	struct str text = { 0 };
	char buf[4096];
	ssize_t n;
	bool same;

	while ((n = read(it->fd, buf, sizeof buf)) > 0)
		str_put(&text, buf, (size_t)n);
	same = text.len == message.len && memcmp(text.p, message.p, text.len) == 0;
	str_free(&text);
	return same;
}

static void
look_place(enum spool_place place, const char *name, struct str *seen)
{
	struct spool_ids l = { 0 };
	struct item it;
	size_t i, k;

	if (spool_ids(&q, place, &l, &st) == -1)
		give_up(st.text);
	for (i = 0; i < l.n; i++) {
		if (spool_take(&q, place, l.v[i], &it, &st) == TAKE_OK) {
			str_printf(seen, "%s%s", seen->len > 0 ? ", " : "", it.entry.held ? "held" : name);
			for (k = 0; k < it.entry.n; k++)
				str_printf(seen, " %s=%u", it.entry.rcpt[k].to, it.entry.rcpt[k].last.class);
			str_puts(seen, is_whole(&it) ? " whole" : " BROKEN");
		}
		spool_close(&q, &it);
	}
	spool_ids_free(&l);
}

/* Files that belong to no entry, and whatever was set aside. */
static void
look_debris(const char *below, struct str *seen)
{
	struct str path = { 0 };
	struct dirent *entry;
	size_t m = 0, e = 0;
	DIR *d;

	str_printf(&path, "%s/%s", directory, below);
	for (d = opendir(path.p); d != NULL && (entry = readdir(d)) != NULL;) {
		size_t n = strlen(entry->d_name);

		m += n == SPOOL_ID + 1 && entry->d_name[n - 1] == 'm';
		e += n == SPOOL_ID + 1 && entry->d_name[n - 1] == 'e';
		if (n > SPOOL_ID + 1 || strcmp(entry->d_name, "corrupt") == 0)
			str_printf(seen, " DEBRIS %s", entry->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
	if (m != e)
		str_printf(seen, " DEBRIS %zu messages, %zu envelopes", m, e);
	str_free(&path);
}

/* The entries before and after the debris is removed must be the same. */
static void
look(struct str *seen)
{
	struct str again = { 0 };
	int r = spool_open(&q, directory, false, &st);

	str_clear(seen);
	if (r == -1)
		give_up(st.text);
	if (r == 0) {
		look_place(SPOOL_ACTIVE, "active", seen);
		look_place(SPOOL_FAILED, "failed", seen);
		(void)spool_clean(&q, -1);
		look_place(SPOOL_ACTIVE, "active", &again);
		look_place(SPOOL_FAILED, "failed", &again);
		if (strcmp(str_text(seen), str_text(&again)) != 0)
			str_printf(seen, " CHANGED to %s", str_text(&again));
		look_debris("", seen);
		look_debris("failed", seen);
	}
	spool_shut(&q);
	str_free(&again);
}

static void
empty(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);

	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct str name = { 0 };

		str_printf(&name, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(name.p) == -1)
			empty(name.p);
		str_free(&name);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(path);
}

/* ---- playing it */

enum end { YES, DEAD, NO };

/* In the child: no call is spoiled but those of the scene. */
static void
play_child(const struct scene *s, const struct day *day, int k, int said)
{
	struct item it = { .fd = -1 };
	char number[16];
	int r;

	(void)snprintf(number, sizeof number, "%d", k);
	(void)setenv("CRASH_HOW", day->how, 1);
	(void)setenv("CRASH_STAYS", day->stays, 1);
	(void)setenv("CRASH_AT", number, 1);
	(void)setenv("CRASH_LOG", log_file, 1);
	r = s->act(&it);
	(void)!write(said, r == 0 ? "y" : strstr(st.text, "all the same") != NULL ? "N" : "n", 1);
	spool_close(&q, &it);
	_exit(0);
}

/* How it ended; *anyway: it failed and said that the message may be sent all the same. */
static enum end
play(const struct scene *s, const struct day *day, int k, bool *anyway)
{
	int fds[2], status;
	char answer = 0;
	pid_t pid = -1;

	empty(directory);
	s->prepare();
	(void)fflush(stdout);
	if (pipe(fds) == -1 || (pid = fork()) == -1)
		give_up("fork");
	if (pid == 0)
		play_child(s, day, k, fds[1]);
	(void)close(fds[1]);
	(void)!read(fds[0], &answer, 1);
	(void)close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		give_up("waitpid");
	*anyway = answer == 'N';
	return answer == 'y' ? YES : answer != 0 ? NO : DEAD;
}

/* Was there a k-th call? */
static bool
was_called(int k)
{
	struct str text = { 0 }, line = { 0 };
	int fd = open(log_file, O_RDWR | O_CREAT, 0600);
	char buf[4096];
	ssize_t n;
	bool found;

	while ((n = read(fd, buf, sizeof buf)) > 0)
		str_put(&text, buf, (size_t)n);
	str_printf(&line, "\n%d ", k);
	found = text.len > 0 && strstr(text.p, line.p) != NULL;
	(void)!ftruncate(fd, 0);
	(void)!pwrite(fd, "\n", 1, 0);
	(void)close(fd);
	str_free(&text);
	str_free(&line);
	return found;
}

static bool
allowed(const char *const *list, const char *seen)
{
	int i;

	for (i = 0; i < 4 && list[i] != NULL; i++)
		if (strcmp(list[i], seen) == 0)
			return true;
	return false;
}

/* A point for each day. */
static void
on_day(const struct scene *s, const struct day *day)
{
	static const char *const ends[] = { "done", "ended", "failed" };
	struct str seen = { 0 };
	bool good = true, anyway, clean = strcmp(day->how, "EINTR") == 0 || strcmp(day->how, "short") == 0;
	enum end end;
	int k;

	for (k = 1; good && k < CALLS_MOST; k++) {
		(void)was_called(0);
		end = play(s, day, k, &anyway);
		if (!was_called(k))
			break;
		look(&seen);
		good = allowed(end == YES ? s->yes : end == DEAD ? s->dead : s->no, str_text(&seen)) ||
		    (anyway && allowed(s->yes, str_text(&seen)));
		if (clean && end != YES)
			good = false; /* these are no reason to fail */
		if (!good)
			printf("# call %d: %s, and there is \"%s\"\n", k, ends[end], str_text(&seen));
	}
	good = good && k > 3 && k < CALLS_MOST;
	printf("%s %u - %s: %s%s at each of %d calls\n", good ? "ok" : "not ok", ++points, s->name, day->how,
	    *day->stays != '\0' ? " from there on" : "", k - 1);
	failures += !good;
	str_free(&seen);
}

int
main(int argc, char **argv)
{
	size_t i, k;
	char buf[4096];
	ssize_t n;
	int fd;

	if (argc != 4)
		return 64;
	directory = argv[1];
	log_file = argv[3];
	if ((fd = open(argv[2], O_RDONLY)) == -1)
		give_up(argv[2]);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		str_put(&message, buf, (size_t)n);
	(void)close(fd);
	for (i = 0; i < sizeof scenes / sizeof scenes[0]; i++)
		for (k = 0; k < sizeof days / sizeof days[0]; k++)
			on_day(&scenes[i], &days[k]);
	empty(directory);
	str_free(&message);
	printf("1..%u\n", points);
	return failures > 0;
}
