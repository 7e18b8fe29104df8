/*
 * unit_spool - tests of the spool: entries and their states, and what does not belong there.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "durable.h"
#include "spool.h"
#include "unit.h"

#define NOW 1764115200LL

static struct status st;

const char *
new_spool(struct spool *q, const char *name)
{
	const char *path = scratch(name, NULL);

	is_number(spool_open(q, path, false, &st), 1, "%s: there is none", name);
	spool_shut(q);
	is_number(spool_open(q, path, true, &st), 0, "%s: it is made", name);
	return path;
}

static void
add(struct spool *q, const char *account, const char *to, char id[static SPOOL_ID])
{
	struct item it;

	if (spool_new(q, &it, &st) == -1)
		return;
	it.entry.from = xstrdup("alice@sender.com");
	it.entry.account = xstrdup(account);
	(void)entry_add(&it.entry, to);
	(void)spool_put(q, &it, "text\r\n", 6, &st);
	ok(spool_commit(q, &it, &st) == 0, "%s is queued", to);
	(void)strlcpy(id, it.id, SPOOL_ID);
	spool_close(q, &it);
}

static size_t
count(struct spool *q, enum spool_place place)
{
	struct spool_ids l = { 0 };
	size_t n;

	(void)spool_ids(q, place, &l, &st);
	n = l.n;
	spool_ids_free(&l);
	return n;
}

/* Files in a directory, but for directories. */
static size_t
files_in(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while (d != NULL && (entry = readdir(d)) != NULL)
		n += strchr(entry->d_name, '.') > entry->d_name;
	if (d != NULL)
		(void)closedir(d);
	return n;
}

void
wipe(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct str name = { 0 };

		str_printf(&name, "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.' && unlink(name.p) == -1) {
			wipe(name.p);
			(void)rmdir(name.p);
		}
		str_free(&name);
	}
	if (d != NULL)
		(void)closedir(d);
}

static void
test_order(void)
{
	struct spool q = { NULL, -1, -1 };
	struct spool_ids l = { 0 };
	const char *path = new_spool(&q, "spool-order");
	char ids[20][SPOOL_ID];
	struct stat sb;
	size_t i;

	for (i = 0; i < 20; i++)
		add(&q, "work", "bob@example.org", ids[i]);
	is_number(spool_ids(&q, SPOOL_ACTIVE, &l, &st), 0, "they are listed");
	is_number((long long)l.n, 20, "all of them");
	for (i = 0; i < l.n && strcmp(l.v[i], ids[i]) == 0; i++)
		;
	is_number((long long)i, 20, "oldest first");
	ok(stat(path, &sb) == 0 && (sb.st_mode & 0777) == 0700, "the directory is ours alone");
	ok(fstatat(q.dir, spool_name(ids[0], ".m").z, &sb, 0) == 0 && (sb.st_mode & 0777) == 0600 &&
		fstatat(q.dir, spool_name(ids[0], ".e").z, &sb, 0) == 0 && (sb.st_mode & 0777) == 0600,
	    "and so are the files");
	spool_ids_free(&l);
	spool_shut(&q);
	wipe(path);
}

static void
test_states(void)
{
	struct spool q = { NULL, -1, -1 };
	const char *path = new_spool(&q, "spool-states");
	struct item it, other;
	struct entry e;
	char id[SPOOL_ID];

	add(&q, "work", "bob@example.org", id);
	is_number(spool_take(&q, SPOOL_ACTIVE, id, &it, &st), TAKE_OK, "it is taken");
	is_number(spool_take(&q, SPOOL_ACTIVE, id, &other, &st), TAKE_BUSY, "but once");
	spool_close(&q, &other);
	is_number(spool_peek(&q, SPOOL_ACTIVE, id, &e, &st), 1, "looking at it needs no lock");
	ok(e.size == 6 && e.queued > NOW - 100000000, "its size and age are known");
	entry_free(&e);
	status_set(&it.entry.rcpt[0].last, PH_RCPT, 4, 2, 0, "450 4.2.0 busy");
	ok(spool_settle(&q, &it, &st) == 0, "put off");
	spool_close(&q, &it);
	is_number(spool_take(&q, SPOOL_ACTIVE, id, &it, &st), TAKE_OK, "it is taken again");
	is_text(it.entry.rcpt[0].last.text, "450 4.2.0 busy", "and tells how it went");
	status_set(&it.entry.rcpt[0].last, PH_RCPT, 5, 1, 1, "550 5.1.1 no");
	ok(spool_move(&q, &it, SPOOL_FAILED, &st) == 0, "given up");
	spool_close(&q, &it);
	ok(count(&q, SPOOL_ACTIVE) == 0 && count(&q, SPOOL_FAILED) == 1, "it rests in failed/");
	is_number(spool_take(&q, SPOOL_ACTIVE, id, &it, &st), TAKE_GONE, "and is not sent");
	spool_close(&q, &it);
	is_number(spool_take(&q, SPOOL_FAILED, id, &it, &st), TAKE_OK, "unless it is asked for");
	is_number(it.entry.rcpt[0].last.class, 5, "it tells why");
	ok(spool_move(&q, &it, SPOOL_ACTIVE, &st) == 0, "taken back");
	is_number(it.entry.rcpt[0].last.class, 0, "its recipients are to be tried");
	ok(spool_remove(&q, &it, &st) == 0, "removed");
	spool_close(&q, &it);
	ok(files_in(path) == 0, "nothing is left of it");
	is_number(spool_take(&q, SPOOL_ACTIVE, id, &it, &st), TAKE_GONE, "not even to be taken");
	spool_close(&q, &it);
	is_number(spool_take(&q, SPOOL_ACTIVE, "../../etc/passwd", &it, &st), TAKE_GONE, "an id is an id");
	spool_close(&q, &it);
	ok(spool_new(&q, &it, &st) == 0 && spool_put(&q, &it, "x", 1, &st) == 0, "one more begins");
	spool_close(&q, &it);
	ok(files_in(path) == 0, "and is not committed: nothing is left");
	spool_shut(&q);
	wipe(path);
}

/* ---- what does not belong there */

static void
replace(struct spool *q, const char *id, const char *suffix, const char *text)
{
	struct spool_name name = spool_name(id, suffix);
	int fd;

	(void)unlinkat(q->dir, name.z, 0);
	fd = openat(q->dir, name.z, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	write_all(fd, text, strlen(text));
	(void)close(fd);
}

static void
is_torn(struct spool *q, const char *id)
{
	replace(q, id, ".e", "pneu-spool 1\nfrom <a@b>\nrcpt <b@c>\n");
}

static void
is_empty(struct spool *q, const char *id)
{
	replace(q, id, ".e", "");
}

static void
is_shorter(struct spool *q, const char *id)
{
	replace(q, id, ".m", "te");
}

static void
is_missing(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".m").z, 0);
}

static void
is_link(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".m").z, 0);
	(void)!symlinkat("/etc/passwd", q->dir, spool_name(id, ".m").z);
}

static void
is_linked_envelope(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".e").z, 0);
	(void)!symlinkat("/etc/passwd", q->dir, spool_name(id, ".e").z);
}

static void
is_pipe(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".e").z, 0);
	(void)mkfifoat(q->dir, spool_name(id, ".e").z, 0600);
}

static void
is_pipe_of_text(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".m").z, 0);
	(void)mkfifoat(q->dir, spool_name(id, ".m").z, 0600);
}

static void
is_directory(struct spool *q, const char *id)
{
	(void)unlinkat(q->dir, spool_name(id, ".m").z, 0);
	(void)mkdirat(q->dir, spool_name(id, ".m").z, 0700);
}

static void
is_absurd(struct spool *q, const char *id)
{
	int fd = openat(q->dir, spool_name(id, ".e").z, O_WRONLY);

	(void)!ftruncate(fd, (off_t)1 << 40);
	(void)close(fd);
}

static void
is_foreign(struct spool *q, const char *id)
{
	(void)!fchownat(q->dir, spool_name(id, ".m").z, 1, 1, 0);
}

static const struct {
	const char *name;
	void (*spoil)(struct spool *q, const char *id);
	bool seen; /* in the envelope, which a list reads */
} spoilt[] = {
	{ "a torn envelope", is_torn, true },
	{ "an empty envelope", is_empty, true },
	{ "a message of another size", is_shorter, false },
	{ "a message that is missing", is_missing, false },
	{ "a link for a message", is_link, false },
	{ "a link for an envelope", is_linked_envelope, true },
	{ "a pipe for an envelope", is_pipe, true },
	{ "a pipe for a message", is_pipe_of_text, false },
	{ "a directory for a message", is_directory, false },
	{ "an envelope of a terabyte", is_absurd, true },
	{ "somebody else's message", is_foreign, false },
};

/* Standard error goes to a file meanwhile; the descriptor to give it back is returned. */
static int
catch_errors(const char *path)
{
	int saved = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	(void)dup2(fd, STDERR_FILENO);
	(void)close(fd);
	return saved;
}

static void
test_damage(void)
{
	struct spool q = { NULL, -1, -1 };
	const char *path = new_spool(&q, "spool-damage"), *errors = scratch("spool-errors", "");
	struct str corrupt = { 0 }, text = { 0 };
	char good[SPOOL_ID], bad[SPOOL_ID];
	struct item it;
	struct entry e;
	size_t i, files = 0, wanted;
	const char *why;
	int saved, fd;

	str_printf(&corrupt, "%s/corrupt", path);
	add(&q, "work", "good@example.org", good);
	for (i = 0; i < COUNT(spoilt); i++) {
		if (spoilt[i].spoil == is_foreign && geteuid() != 0)
			continue;
		add(&q, "work", "bad@example.org", bad);
		spoilt[i].spoil(&q, bad);
		saved = catch_errors(errors);
		if (spoilt[i].seen) {
			is_number(spool_peek(&q, SPOOL_ACTIVE, bad, &e, &st), 0, "%s is not shown",
			    spoilt[i].name);
			entry_free(&e);
		}
		is_number(spool_take(&q, SPOOL_ACTIVE, bad, &it, &st), TAKE_GONE, "%s is not sent",
		    spoilt[i].name);
		spool_close(&q, &it);
		(void)dup2(saved, STDERR_FILENO);
		(void)close(saved);
		str_clear(&text);
		read_all(fd = open(errors, O_RDONLY), &text);
		(void)close(fd);
		is_in(str_text(&text), bad, "%s: a line names it", spoilt[i].name);
		ok(strchr(str_text(&text), '\n') == text.p + text.len - 1, "and it is one line");
		wanted = files + (spoilt[i].spoil == is_missing ? 1 : 2);
		files = files_in(corrupt.p);
		is_number((long long)files, (long long)wanted, "%s: all of it is set aside", spoilt[i].name);
	}
	is_number((long long)count(&q, SPOOL_ACTIVE), 1, "the good one is there");
	is_number(spool_take(&q, SPOOL_ACTIVE, good, &it, &st), TAKE_OK, "and can be sent");
	spool_close(&q, &it);
	/* the same names again */
	is_torn(&q, good);
	fd = openat(q.dir, "corrupt", O_RDONLY | O_DIRECTORY);
	(void)!linkat(q.dir, spool_name(good, ".m").z, fd, spool_name(good, ".e").z, 0);
	saved = catch_errors(errors);
	is_number(spool_take(&q, SPOOL_ACTIVE, good, &it, &st), TAKE_GONE, "until it is damaged");
	spool_close(&q, &it);
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	is_number((long long)files_in(corrupt.p), (long long)files + 3, "what was set aside before stays");
	str_clear(&text);
	(void)durable_read(fd, spool_name(good, ".e").z, 100, &text, &why);
	is_text(str_text(&text), "text\r\n", "as it was");
	(void)close(fd);
	spool_shut(&q);
	str_free(&corrupt);
	str_free(&text);
	wipe(path);
}

static void
test_directories(void)
{
	const char *file = scratch("spool-file", "x"), *dir = scratch("spool-open", NULL);
	const char *link_to = scratch("spool-link", NULL);
	struct spool q = { NULL, -1, -1 };
	struct str text = { 0 };

	is_number(spool_open(&q, file, true, &st), -1, "a file is no spool");
	is_status(&st, "4.3.5", EX_TEMPFAIL, "it has to be looked at");
	spool_shut(&q);
	(void)mkdir(dir, 0700);
	(void)!symlink(dir, link_to);
	is_number(spool_open(&q, link_to, true, &st), -1, "a link is no spool");
	is_status(&st, "4.3.5", EX_TEMPFAIL, "it has to be looked at");
	spool_shut(&q);
	str_printf(&text, "%s/", link_to);
	is_number(spool_open(&q, text.p, true, &st), -1, "not even with a slash behind it");
	spool_shut(&q);
	(void)chmod(dir, 0710);
	is_number(spool_open(&q, dir, true, &st), -1, "one that others may enter is none");
	is_in(st.text, "chmod 700", "it says what to do");
	spool_shut(&q);
	if (geteuid() == 0) {
		(void)chmod(dir, 0700);
		(void)!chown(dir, 1, 1);
		is_number(spool_open(&q, dir, true, &st), -1, "somebody else's is none");
		is_in(st.text, "somebody else", "it says so");
		spool_shut(&q);
	}
	str_free(&text);
}

static void
age(struct spool *q, const char *id, const char *suffix, time_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - seconds } };

	(void)utimensat(q->dir, spool_name(id, suffix).z, times, 0);
}

static void
test_debris(void)
{
	struct spool q = { NULL, -1, -1 };
	const char *path = new_spool(&q, "spool-debris");
	char kept[SPOOL_ID], young[SPOOL_ID], old[SPOOL_ID], later[SPOOL_ID], lone[SPOOL_ID];

	add(&q, "work", "kept@example.org", kept);
	replace(&q, kept, ".e.tmp", "half");
	spool_make_id(young);
	replace(&q, young, ".m", "half");
	spool_make_id(old);
	replace(&q, old, ".m", "half");
	replace(&q, old, ".e.tmp", "half");
	age(&q, old, ".m", 7200);
	age(&q, old, ".e.tmp", 7200);
	spool_make_id(later);
	replace(&q, later, ".m", "half");
	age(&q, later, ".m", -7200);
	spool_make_id(lone);
	replace(&q, lone, ".e.tmp", "half");
	age(&q, lone, ".e.tmp", 7200);
	is_number((long long)count(&q, SPOOL_ACTIVE), 1, "debris is no entry");
	is_number((long long)spool_clean(&q, 3600), 4, "what is old is removed, or of a time to come");
	is_number((long long)files_in(path), 4, "what is young is not, nor what is an entry");
	is_number((long long)spool_clean(&q, -1), 2, "until it is old");
	is_number((long long)files_in(path), 2, "and never the entry");
	spool_shut(&q);
	wipe(path);
}

/* An entry that was queued at this time: when it says it was, once it has been taken. */
static long long
dated(struct spool *q, long long queued)
{
	char id[SPOOL_ID];
	struct item it;
	struct entry e;
	long long seen;

	add(q, "work", "bob@example.org", id);
	(void)spool_take(q, SPOOL_ACTIVE, id, &it, &st);
	it.entry.queued = queued;
	(void)spool_save(q, &it, &st);
	spool_close(q, &it);
	is_number(spool_take(q, SPOOL_ACTIVE, id, &it, &st), TAKE_OK, "queued at %lld: taken", queued);
	spool_close(q, &it);
	(void)spool_peek(q, SPOOL_ACTIVE, id, &e, &st);
	seen = e.queued;
	entry_free(&e);
	return seen;
}

static void
test_dates(void)
{
	struct spool q = { NULL, -1, -1 };
	const char *path = new_spool(&q, "spool-dates");
	long long now = time(NULL);

	is_number(dated(&q, now - 1000), now - 1000, "an age is kept");
	ok(dated(&q, 100) >= now, "one from before the clock was set is not");
	ok(dated(&q, now + 10 * 86400) < now + 1000, "nor one from the future");
	spool_shut(&q);
	wipe(path);
}

void
test_spool(void)
{
	test_order();
	test_states();
	test_damage();
	test_directories();
	test_debris();
	test_dates();
}
