/*
 * fuzz_ticket - octets as the file of a ticket; the first one picks how much of it is made good.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "fuzz.h"
#include "ticket.h"

enum { SEALED = 1, FRESH = 2, OPEN_TO_ALL = 4 };

#define HEX_SIZE 65

static void
hash(const struct str *text, char hex[static HEX_SIZE])
{
	unsigned char octets[32];
	size_t i;

	MUST(gnutls_hash_fast(GNUTLS_DIG_SHA256, text->p, text->len, octets) == 0);
	for (i = 0; i < sizeof octets; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", octets[i]);
}

/* A directory for all runs, removed at the end. */
static char directory[64];

static void
remove_directory(void)
{
	(void)rmdir(directory);
}

static void
make_directory(void)
{
	const char *tmp = getenv("TMPDIR");

	if (directory[0] != '\0')
		return;
	MUST(snprintf(directory, sizeof directory, "%s/fuzz_ticket.XXXXXX", tmp != NULL ? tmp : "/tmp") <
	    (int)sizeof directory);
	MUST(mkdtemp(directory) != NULL && atexit(remove_directory) == 0);
}

static gnutls_session_t
new_session(void)
{
	gnutls_session_t s;

	MUST(gnutls_init(&s, GNUTLS_CLIENT) == 0);
	return s;
}

/* The name and the text of the file, as src/ticket.c describes them. Where in it the session begins. */
static size_t
make_file(unsigned how, const uint8_t *p, size_t n, struct str *path, struct str *text)
{
	struct str rest = { 0 }, sealed = { 0 };
	char name[HEX_SIZE], seal[HEX_SIZE];
	size_t at = 0;

	str_printf(&rest, "pneu ticket 1\nGnuTLS %s\nterms\n", gnutls_check_version(NULL));
	hash(&rest, name);
	str_clear(&rest);
	if ((how & FRESH) != 0)
		str_printf(&rest, "%jd\n", (intmax_t)time(NULL) + TICKET_SECONDS / 2);
	at = rest.len;
	str_put(&rest, p, n);
	str_printf(&sealed, "%s\n", name);
	str_put(&sealed, str_text(&rest), rest.len);
	hash(&sealed, seal);
	if ((how & SEALED) != 0) {
		str_printf(text, "%s\n", seal);
		at += text->len;
	}
	str_put(text, str_text(&rest), rest.len);
	str_printf(path, "%s/%s", directory, name);
	str_free(&rest);
	str_free(&sealed);
	return at;
}

int
TARGET(fuzz_ticket)(const uint8_t *p, size_t n)
{
	struct str path = { 0 }, text = { 0 }, terms = { 0 };
	unsigned how = n > 0 ? p[0] : 0;
	const unsigned good = SEALED | FRESH;
	gnutls_session_t session, other;
	struct ticket *k;
	bool offered;
	size_t at;
	int fd;

	if (n == 0 || n > 60000)
		return 0;
	make_directory();
	at = make_file(how, p + 1, n - 1, &path, &text);
	fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL, 0600);
	MUST(fd != -1 && write(fd, str_text(&text), text.len) == (ssize_t)text.len);
	MUST(fchmod(fd, (how & OPEN_TO_ALL) != 0 ? 0644 : 0600) == 0 && close(fd) == 0);
	str_puts(&terms, "terms\n");
	k = ticket_new(directory);
	session = new_session();
	other = new_session();
	offered = ticket_offer(k, &terms, session);
	/* a whole file that is ours alone, as long as the library can read the session in it */
	if ((how & OPEN_TO_ALL) != 0 || (how & SEALED) == 0)
		MUST(!offered);
	else if ((how & good) == good)
		MUST(offered == (gnutls_session_set_data(other, text.p + at, text.len - at) == 0));
	/* good or not, nobody will take it again */
	MUST(access(path.p, F_OK) == -1);
	ticket_free(&k);
	k = ticket_new(directory);
	MUST(!ticket_offer(k, &terms, other));
	ticket_free(&k);
	gnutls_deinit(session);
	gnutls_deinit(other);
	str_free(&path);
	str_free(&text);
	str_free(&terms);
	return 0;
}
