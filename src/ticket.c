/*
 * ticket - what one TLS session leaves so that the next one with the same server begins where it
 * ended (RFC 5077, RFC 8446 4.6.1).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "chance.h"
#include "durable.h"
#include "ticket.h"

/*
 * A file: the hash of the rest and of the file's name, in hexadecimal; until when it is good, in
 * seconds of time(2); the session, in the form of GnuTLS. What is damaged would be refused by the
 * server and not only be of no use, hence the hash.
 */
#define HASH_SIZE 32
#define NAME_SIZE (2 * HASH_SIZE + 1)
#define OTHER_SIZE (NAME_SIZE + 9) /* a name, a dot and eight digits */
#define FILE_MAX 65536		   /* a session holds the chain of the server */

struct ticket {
	char *dir;
	char name[NAME_SIZE];
	time_t until;	/* of what this session will keep; 0: it is not to keep anything */
	time_t offered; /* the same of what it began with */
};

static void
hash(const char *p, size_t n, char hex[static NAME_SIZE])
{
	unsigned char octets[HASH_SIZE];
	size_t i;

	memset(octets, 0, sizeof octets);
	(void)gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, octets);
	for (i = 0; i < sizeof octets; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", octets[i]);
}

struct ticket *
ticket_new(const char *dir)
{
	struct ticket *k = xalloc(1, sizeof *k);

	k->dir = xstrdup(dir);
	return k;
}

void
ticket_free(struct ticket **kp)
{
	if (*kp != NULL)
		free((*kp)->dir);
	free(*kp);
	*kp = NULL;
}

void
ticket_file_term(struct str *terms, const char *path)
{
	struct stat sb;

	if (path != NULL)
		str_puts(terms, path);
	if (path != NULL && stat(path, &sb) == 0)
		str_printf(terms, " %ju %ju %jd %jd.%09ld", (uintmax_t)sb.st_dev,
		    (uintmax_t)sb.st_ino, (intmax_t)sb.st_size, (intmax_t)sb.st_mtim.tv_sec,
		    sb.st_mtim.tv_nsec);
	str_putc(terms, '\n');
}

/* The name of the file for these terms. The form of what is in it belongs to the library. */
static void
aim(struct ticket *k, const struct str *terms)
{
	struct str all = { 0 };

	str_printf(&all, "pneu ticket 1\nGnuTLS %s\n", gnutls_check_version(NULL));
	str_put(&all, str_text(terms), terms->len);
	hash(all.p, all.len, k->name);
	str_free(&all);
}

/* A name beside `name` that nobody else has. */
static void
other_name(const char *name, char other[static OTHER_SIZE])
{
	(void)snprintf(other, OTHER_SIZE, "%s.%08" PRIx32, name, chance_below(UINT32_MAX));
}

static int
directory(const struct ticket *k, bool make)
{
	struct status st;
	int dir;

	return durable_directory(k->dir, make, &dir, &st) == 0 ? dir : -1;
}

/* The hash that stands at the beginning of a file with this name and this rest. */
static void
seal(const char *name, const char *rest, size_t n, char hex[static NAME_SIZE])
{
	struct str all = { 0 };

	str_printf(&all, "%s\n", name);
	str_put(&all, rest, n);
	hash(all.p, all.len, hex);
	str_free(&all);
}

/* ---- out of the directory */

/*
 * The file, as long as it is ours and nobody else can read it. It is gone then, whatever it was:
 * of those who want it only one can rename it (RFC 8446 C.4).
 */
static bool
take(int dir, const char *name, struct str *text)
{
	char taken[OTHER_SIZE];
	const char *why;
	struct stat sb;
	bool got;

	other_name(name, taken);
	if (renameat(dir, name, dir, taken) == -1)
		return false;
	got = fstatat(dir, taken, &sb, AT_SYMLINK_NOFOLLOW) == 0 && (sb.st_mode & 077) == 0 &&
	    durable_read(dir, taken, FILE_MAX, text, &why) == 0;
	(void)unlinkat(dir, taken, 0);
	return got;
}

/* Is this a whole file with that name? Then *until, and where in it the session begins; else 0. */
static size_t
open_seal(const char *name, const struct str *text, time_t *until)
{
	char want[NAME_SIZE], *end;
	const char *rest = str_text(text) + NAME_SIZE;
	intmax_t seconds;

	if (text->len < NAME_SIZE || text->p[NAME_SIZE - 1] != '\n')
		return 0;
	seal(name, rest, text->len - NAME_SIZE, want);
	if (memcmp(want, text->p, NAME_SIZE - 1) != 0)
		return 0;
	seconds = strtoimax(rest, &end, 10);
	if (*end != '\n')
		return 0;
	*until = (time_t)seconds;
	return (size_t)(end + 1 - text->p);
}

bool
ticket_offer(struct ticket *k, const struct str *terms, gnutls_session_t session)
{
	struct str text = { 0 };
	time_t now = time(NULL), until = 0;
	int dir = directory(k, false);
	size_t at;

	aim(k, terms);
	/* a clock that went back makes a ticket last too long */
	if (dir != -1 && take(dir, k->name, &text) &&
	    (at = open_seal(k->name, &text, &until)) != 0 && now < until &&
	    until - now <= TICKET_SECONDS &&
	    gnutls_session_set_data(session, text.p + at, text.len - at) == 0)
		k->offered = until;
	str_free(&text);
	if (dir != -1)
		(void)close(dir);
	return k->offered != 0;
}

/* ---- into it */

void
ticket_good(struct ticket *k, const struct str *terms, time_t expires, gnutls_session_t session)
{
	time_t most = time(NULL) + TICKET_SECONDS;

	aim(k, terms);
	/* a ticket for a ticket says nothing new of the certificate */
	if (gnutls_session_is_resumed(session) != 0)
		most = k->offered;
	k->until = expires < most ? expires : most;
}

/* Has the server given something that it knows again, and do we know who it is? */
static bool
is_worth_keeping(gnutls_session_t session)
{
	gnutls_datum_t id = { 0 };
	unsigned n = 0;

	if (gnutls_certificate_get_peers(session, &n) == NULL || n == 0)
		return false;
	if ((gnutls_session_get_flags(session) & GNUTLS_SFLAGS_SESSION_TICKET) != 0)
		return true;
	/* TLS 1.2 knows sessions by numbers, too, and they serve more than once */
	return gnutls_protocol_get_version(session) < GNUTLS_TLS1_3 &&
	    gnutls_session_get_id2(session, &id) == 0 && id.size > 0;
}

/* No fsync: what a crash damages is of no use, and is known by its hash. */
static void
put(int dir, const char *name, const struct str *text)
{
	char temporary[OTHER_SIZE];
	int fd, r;

	other_name(name, temporary);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	r = durable_write(fd, text->p, text->len);
	if (close(fd) == -1 || r == -1 || renameat(dir, temporary, dir, name) == -1)
		(void)unlinkat(dir, temporary, 0);
}

/* What is too old for everybody: of policies that are no more, and of runs that were killed. */
static void
sweep(int dir, time_t now)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	struct stat sb;

	if (d == NULL) {
		if (copy != -1)
			(void)close(copy);
		return;
	}
	while ((entry = readdir(d)) != NULL)
		if (strspn(entry->d_name, "0123456789abcdef") == NAME_SIZE - 1 &&
		    fstatat(dir, entry->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
		    sb.st_mtim.tv_sec < now - TICKET_SECONDS)
			(void)unlinkat(dir, entry->d_name, 0);
	(void)closedir(d);
}

void
ticket_keep(struct ticket *k, gnutls_session_t session)
{
	gnutls_datum_t data = { 0 };
	struct str rest = { 0 }, text = { 0 };
	char hex[NAME_SIZE];
	time_t now = time(NULL);
	int dir;

	if (k->until <= now || !is_worth_keeping(session) ||
	    gnutls_session_get_data2(session, &data) != 0)
		return;
	str_printf(&rest, "%jd\n", (intmax_t)k->until);
	str_put(&rest, data.data, data.size);
	gnutls_memset(data.data, 0, data.size);
	gnutls_free(data.data);
	seal(k->name, rest.p, rest.len, hex);
	str_printf(&text, "%s\n", hex);
	str_put(&text, rest.p, rest.len);
	if (text.len <= FILE_MAX && (dir = directory(k, true)) != -1) {
		put(dir, k->name, &text);
		sweep(dir, now);
		(void)close(dir);
	}
	str_free(&rest);
	str_free(&text);
}
