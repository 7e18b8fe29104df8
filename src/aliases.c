/*
 * aliases - other names for local ones, in the format of sendmail's aliases(5).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "aliases.h"

#define DEPTH_MAX 32
#define STEPS_MAX 100000

/* ---- the file */

static int
wrong(struct status *st, const char *file, unsigned line, const char *why)
{
	return status_set(st, PH_LOCAL, 5, 3, 5, "%s:%u: %s", file, line, why);
}

/* One entry, in one piece: name ":" value. */
static int
take_entry(struct aliases *a, char *text, const char *file, unsigned line, struct status *st)
{
	char *name = text, *end, *colon;

	if (*text == '"') {
		name = text + 1;
		end = strchr(name, '"');
		colon = end != NULL ? end + 1 + strspn(end + 1, " \t") : NULL;
	} else {
		end = text + strcspn(text, " \t:");
		colon = end + strspn(end, " \t");
	}
	if (colon == NULL || *colon != ':' || end == name)
		return wrong(st, file, line, "an alias reads name: address, address");
	*end = '\0';
	strings_add(&a->names, name);
	strings_add(&a->values, colon + 1);
	return 0;
}

static int
read_entries(struct aliases *a, FILE *f, const char *file, struct status *st)
{
	struct str entry = { 0 };
	char *line = NULL;
	size_t size = 0;
	unsigned n = 0, began = 0;
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		more = getline(&line, &size, f) != -1;
		n++;
		if (more) {
			line[strcspn(line, "\r\n")] = '\0';
			if (line[strspn(line, " \t")] == '\0' || line[strspn(line, " \t")] == '#')
				continue;
		}
		if (more && (*line == ' ' || *line == '\t') && entry.len > 0) {
			str_puts(&entry, line);
			continue;
		}
		if (entry.len > 0)
			r = take_entry(a, entry.p, file, began, st);
		str_clear(&entry);
		if (more)
			str_puts(&entry, line);
		began = n;
	}
	/* half of them would send mail to the wrong ones */
	if (r == 0 && !feof(f))
		r = status_file(st, 3, 5, "aliases", file);
	free(line);
	str_free(&entry);
	return r;
}

int
aliases_load(struct aliases *a, const char *file, struct status *st)
{
	FILE *f = fopen(file, "re");
	int r;

	memset(a, 0, sizeof *a);
	if (f == NULL)
		return status_file(st, 3, 5, "aliases", file);
	r = read_entries(a, f, file, st);
	(void)fclose(f);
	return r;
}

void
aliases_free(struct aliases *a)
{
	strings_free(&a->names);
	strings_free(&a->values);
}

const char *
aliases_find(const struct aliases *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->names.n; i++)
		if (ascii_eq(a->names.v[i], name))
			return a->values.v[i];
	return NULL;
}

/* ---- expansion */

/* One level of it; the levels above are the names we are in the middle of. */
struct level {
	const struct level *up;
	const struct aliases *a;
	const char *name;
	unsigned depth;
	unsigned *steps; /* of the whole expansion, which could double at every level */
	bool (*local)(const char *domain);
	int (*each)(void *arg, const char *addr, struct status *st);
	void *arg;
};

static int expand(const struct level *up, const char *addr, struct status *st);

static int
expand_one(void *arg, const char *addr, struct status *st)
{
	return expand(arg, addr, st);
}

static int
unsupported(const char *name, const char *value, struct status *st)
{
	return status_set(st, PH_LOCAL, 5, 3, 5,
	    "alias %s: \"%.40s\" is a program, a file or a list, and only addresses can be sent to",
	    name, value + strspn(value, " \t\""));
}

/* Each "\name" of the list in quotes, which address_list() lets pass; expand() knows them. */
static void
quote_final(const char *value, struct str *out)
{
	bool start = true, quoted = false;
	size_t n;

	for (; *value != '\0'; value += n) {
		n = 1;
		if (start && *value == '\\') {
			n += strcspn(value + 1, " \t,");
			str_putc(out, '"');
			str_put(out, value, n);
			str_putc(out, '"');
			start = false;
			continue;
		}
		quoted ^= *value == '"';
		start = !quoted && (*value == ',' || (start && (*value == ' ' || *value == '\t')));
		str_putc(out, *value);
	}
}

/* Expand the value of `name`, which is not being expanded already. */
static int
expand_value(const struct level *up, const char *name, const char *value, struct status *st)
{
	struct level here = *up;
	const char *first = value + strspn(value, " \t\"");
	struct str list = { 0 };
	unsigned before = *up->steps;
	int r;

	here.up = up;
	here.name = name;
	here.depth = up->depth + 1;
	if (*first == '|' || *first == '/' || ascii_eqn(first, ":include:", 9))
		return unsupported(name, value, st);
	if (here.depth > DEPTH_MAX)
		return status_set(
		    st, PH_LOCAL, 5, 3, 5, "aliases lead from one to the next without end");
	quote_final(value, &list);
	r = address_list(str_text(&list), expand_one, &here, st);
	str_free(&list);
	/* or the message would go to everybody but this one, and nobody would hear of it */
	if (r == 0 && *up->steps == before)
		r = status_set(st, PH_LOCAL, 5, 3, 5,
		    "alias %s: no address stands behind it; name one, or take the line out", name);
	return r;
}

/* Look up `name`, which is `addr` without a domain of ours, and go on with what it stands for. */
static int
look_up(const struct level *up, const char *name, const char *addr, struct status *st)
{
	const char *value = aliases_find(up->a, name);
	const struct level *above;

	/* only a name that nobody else could mean falls to the default, and only at the top */
	if (value == NULL && strcmp(name, addr) == 0 && up->up == NULL)
		value = aliases_find(up->a, "default");
	if (up->name != NULL && ascii_eq(up->name, name))
		value = NULL; /* "root: root, alice@example.org" */
	for (above = up; value != NULL && above != NULL; above = above->up)
		if (above->name != NULL && ascii_eq(above->name, name))
			return status_set(st, PH_LOCAL, 5, 3, 5,
			    "alias %s: it leads back to itself over %s", name, up->name);
	return value != NULL ? expand_value(up, name, value, st) : up->each(up->arg, addr, st);
}

static int
expand(const struct level *up, const char *addr, struct status *st)
{
	const char *at = strrchr(addr, '@');
	char *name;
	int r;

	if (up->name != NULL && (*addr == '|' || *addr == '/'))
		return unsupported(up->name, addr, st);
	if (++*up->steps > STEPS_MAX)
		return status_set(
		    st, PH_LOCAL, 5, 3, 5, "aliases stand for more than %d addresses", STEPS_MAX);
	if (up->name != NULL && strncmp(addr, "\"\\", 2) == 0 && addr[strlen(addr) - 1] == '"') {
		/* "\root" is final: mail to it does not come back to its own entry */
		name = xstrndup(addr + 2, strlen(addr) - 3);
		r = up->each(up->arg, name, st);
		free(name);
		return r;
	}
	if (at != NULL && !up->local(at + 1))
		return up->each(up->arg, addr, st);
	name = xstrndup(addr, at != NULL ? (size_t)(at - addr) : strlen(addr));
	r = look_up(up, name, addr, st);
	free(name);
	return r;
}

int
aliases_expand(const struct aliases *a, const char *addr, bool (*local)(const char *domain),
    int (*each)(void *arg, const char *addr, struct status *st), void *arg, struct status *st)
{
	unsigned steps = 0;
	struct level top = { .a = a, .steps = &steps, .local = local, .each = each, .arg = arg };

	return expand(&top, addr, st);
}
