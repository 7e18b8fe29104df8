/*
 * fuzz_rewrite - octets as a header, and what is made of it. The first octet says how.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "address.h"
#include "fuzz.h"
#include "rewrite.h"

#define AUTHOR "alice@example.org"
#define INPUT_MAX 40000 /* a socket keeps it */

/* The header as message_open() has it: what rewrite_head() is promised to get. */
static bool
take_head(const uint8_t *p, size_t n, struct str *head)
{
	struct message m;
	struct status st;
	int fds[2];
	bool good;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	MUST(write(fds[1], p, n) == (ssize_t)n);
	(void)close(fds[1]);
	good = message_open(&m, fds[0], false, &st) == 0;
	(void)close(fds[0]);
	if (good)
		str_put(head, str_text(&m.head), m.head.len);
	message_free(&m);
	return good;
}

static bool
named(const char *field, const char *name)
{
	size_t n = strlen(name);

	return ascii_eqn(field, name, n) && field[n + strspn(field + n, " \t")] == ':';
}

/* The next field of a header: its length, and its text in `field`. */
static size_t
next(const char *p, struct str *field)
{
	const char *end = p;

	do
		end = strchr(end, '\n') + 1;
	while (*end == ' ' || *end == '\t');
	str_clear(field);
	str_put(field, p, (size_t)(end - p));
	return (size_t)(end - p);
}

/* The fields that are nobody's address, or those of one name. */
static void
collect(const char *head, const char *name, struct str *to)
{
	static const char *const ours[] = { "From", "Sender", "Reply-To", "To", "Cc", "Resent-From",
		"Resent-Sender", "Resent-Reply-To", "Resent-To", "Resent-Cc", "X-Original-From",
		"X-Original-Sender" };
	struct str field = { 0 };
	size_t i;

	for (str_puts(to, ""); *head != '\0';) {
		bool mine = false;

		head += next(head, &field);
		for (i = 0; i < sizeof ours / sizeof ours[0]; i++)
			mine |= named(field.p, ours[i]);
		if (name != NULL ? named(field.p, name) : !mine)
			str_puts(to, field.p);
	}
	str_free(&field);
}

struct found {
	struct strings all;
};

static int
each(void *arg, const char *addr, struct status *st)
{
	struct found *f = arg;

	(void)st;
	strings_add(&f->all, addr);
	return 0;
}

/* All addresses in fields of this name; false when one of them cannot be read. */
static bool
addresses(const char *head, const char *name, struct found *f)
{
	struct str fields = { 0 }, field = { 0 };
	struct status st;
	bool good = true;
	const char *p;

	collect(head, name, &fields);
	for (p = fields.p; *p != '\0';) {
		p += next(p, &field);
		good &= address_list(strchr(field.p, ':') + 1, each, f, &st) == 0;
	}
	str_free(&fields);
	str_free(&field);
	return good;
}

static void
check_form(const struct str *head)
{
	size_t i;

	MUST(strlen(str_text(head)) == head->len);
	for (i = 0; i < head->len; i++) {
		MUST(head->p[i] != '\r' || head->p[i + 1] == '\n');
		MUST(head->p[i] != '\n' || (i > 0 && head->p[i - 1] == '\r'));
	}
	MUST(head->len == 0 || head->p[head->len - 1] == '\n');
}

/* Names get a domain, and nothing else happens to recipients. */
static void
check_recipients(const char *before, const char *after)
{
	struct found old = { 0 }, new = { 0 };
	bool good = addresses(before, "To", &old);
	size_t i, n;

	MUST(addresses(after, "To", &new) == good && new.all.n == old.all.n);
	for (i = 0; i < old.all.n; i++) {
		n = strlen(old.all.v[i]);
		MUST(strncmp(new.all.v[i], old.all.v[i], n) == 0);
		MUST(new.all.v[i][n] == '\0' || new.all.v[i][n] == '@');
	}
	strings_free(&old.all);
	strings_free(&new.all);
}

/* Nobody is named but the author. */
static void
check_strict(const char *head)
{
	static const char *const names[] = { "From", "Sender" };
	size_t i, k;

	for (k = 0; k < 2; k++) {
		struct found f = { 0 };

		MUST(addresses(head, names[k], &f));
		for (i = 0; i < f.all.n; i++)
			MUST(ascii_eq(f.all.v[i], AUTHOR));
		strings_free(&f.all);
	}
}

static void
check(const struct str *before, const struct account *a)
{
	struct str head = { 0 }, again = { 0 }, old = { 0 }, new = { 0 };

	str_put(&head, str_text(before), before->len);
	rewrite_head(&head, a, AUTHOR);
	check_form(&head);
	collect(str_text(before), NULL, &old);
	collect(str_text(&head), NULL, &new);
	MUST(strcmp(old.p, new.p) == 0);
	check_recipients(str_text(before), str_text(&head));
	if (a->rewrite_from == REWRITE_NO)
		MUST(strcmp(str_text(before), str_text(&head)) == 0);
	else if (!a->from_override)
		check_strict(str_text(&head));
	str_put(&again, str_text(&head), head.len);
	rewrite_head(&again, a, AUTHOR);
	MUST(strcmp(str_text(&again), str_text(&head)) == 0);
	str_free(&head);
	str_free(&again);
	str_free(&old);
	str_free(&new);
}

int
TARGET(fuzz_rewrite)(const uint8_t *p, size_t n)
{
	struct account a = { 0 };
	struct str head = { 0 };

	if (n < 2 || n > INPUT_MAX)
		return 0;
	a.rewrite_from = p[0] % 3;
	a.from_override = (p[0] & 4) != 0;
	a.domain = (p[0] & 8) != 0 ? xstrdup("example.com") : NULL;
	if ((p[0] & 16) != 0)
		strings_add(&a.from, "*@lists.example.org");
	if (take_head(p + 1, n - 1, &head))
		check(&head, &a);
	str_free(&head);
	strings_free(&a.from);
	free(a.domain);
	return 0;
}
