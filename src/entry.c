/*
 * entry - what the spool knows of a message besides its octets, and of an account; and both as
 * text.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"

#define WISHES_MAX 100 /* each is compared with all before it */

/* ---- words */

/* The word z[0..n), allocated; NULL when it is none, or is empty, or has control characters. */
static char *
get_xtext(const char *z, size_t n)
{
	struct str s = { 0 };
	char *word = xstrndup(z, n);
	bool good = str_unxtext(&s, word) == 0 && s.len > 0 && ascii_clean(s.p);

	free(word);
	if (good)
		return s.p;
	str_free(&s);
	return NULL;
}

/* ---- fields: the same tables for reading and for writing */

enum type { WORD, PATH, NUMBER, FLAG, STATUS };

struct field {
	const char *name;
	enum type type;
	size_t at;
};

static const struct field entry_fields[] = {
	{ "account", WORD, offsetof(struct entry, account) },
	{ "from", PATH, offsetof(struct entry, from) },
	{ "ret", WORD, offsetof(struct entry, ret) },
	{ "envid", WORD, offsetof(struct entry, envid) },
	{ "message-id", WORD, offsetof(struct entry, id) },
	{ "size", NUMBER, offsetof(struct entry, size) },
	{ "queued", NUMBER, offsetof(struct entry, queued) },
	{ "next", NUMBER, offsetof(struct entry, next) },
	{ "tried", NUMBER, offsetof(struct entry, tried) },
	{ "tries", NUMBER, offsetof(struct entry, tries) },
	{ "held", FLAG, offsetof(struct entry, held) },
	{ "told", FLAG, offsetof(struct entry, told) },
	{ NULL, WORD, 0 },
};

/* Those of the recipient whose line, "rcpt" or "done", is above them. */
static const struct field rcpt_fields[] = {
	{ "notify", WORD, offsetof(struct entry_rcpt, notify) },
	{ "orcpt", WORD, offsetof(struct entry_rcpt, orcpt) },
	{ "unknown", FLAG, offsetof(struct entry_rcpt, unknown) },
	{ "last", STATUS, offsetof(struct entry_rcpt, last) },
	{ "server", WORD, offsetof(struct entry_rcpt, server) },
	{ NULL, WORD, 0 },
};

static const struct field account_fields[] = {
	{ "next", NUMBER, offsetof(struct entry_account, next) },
	{ "failures", NUMBER, offsetof(struct entry_account, failures) },
	{ "told", NUMBER, offsetof(struct entry_account, told) },
	{ "refused", FLAG, offsetof(struct entry_account, refused) },
	{ "last", STATUS, offsetof(struct entry_account, last) },
	{ NULL, WORD, 0 },
};

static void
put_path(struct str *to, const char *name, const char *path)
{
	str_printf(to, "%s <", name);
	str_xtext(to, path);
	str_puts(to, ">\n");
}

static void
put_status(struct str *to, const char *name, const struct status *st)
{
	char enhanced[16];

	str_printf(to, "%s %s %u ", name, status_enhanced(st, enhanced), st->code);
	str_xtext(to, phase_name(st->phase));
	str_printf(to, " %s\n", st->text);
}

/* Those that have a value other than none, zero and no. */
static void
put_fields(struct str *to, const struct field *f, const void *base)
{
	for (; f->name != NULL; f++) {
		const void *at = (const char *)base + f->at;
		const char *word = f->type == WORD || f->type == PATH ? *(char *const *)at : NULL;

		if (f->type == PATH && word != NULL)
			put_path(to, f->name, word);
		else if (f->type == WORD && word != NULL && *word != '\0') {
			str_printf(to, "%s ", f->name);
			str_xtext(to, word);
			str_putc(to, '\n');
		} else if (f->type == NUMBER && *(const long long *)at != 0)
			str_printf(to, "%s %lld\n", f->name, *(const long long *)at);
		else if (f->type == FLAG && *(const bool *)at)
			str_printf(to, "%s yes\n", f->name);
		else if (f->type == STATUS && ((const struct status *)at)->class != 0)
			put_status(to, f->name, at);
	}
}

static char *
get_path(const char *value)
{
	size_t n = strlen(value);

	if (n == 2 && strcmp(value, "<>") == 0)
		return xstrdup("");
	if (n < 2 || value[0] != '<' || value[n - 1] != '>')
		return NULL;
	return get_xtext(value + 1, n - 2);
}

static bool
get_number(const char *value, long long *number)
{
	const char *why;

	if (*value == '\0' || strspn(value, "0123456789") != strlen(value))
		return false;
	*number = strtonum(value, 0, LLONG_MAX, &why);
	return why == NULL;
}

/* "4.2.0 450 RCPT 450 4.2.0 the words of it". A step by an unknown name is a local one. */
static bool
get_status(const char *value, struct status *st)
{
	size_t n = status_parse(value, st);
	const char *code = value + n + 1, *phase, *text;
	char *name;
	int i;

	if (n == 0 || value[n] != ' ' || (phase = strchr(code, ' ')) == NULL ||
	    (text = strchr(++phase, ' ')) == NULL)
		return false;
	n = strspn(code, "0123456789");
	if (n == 0 || n > 3 || code[n] != ' ')
		return false;
	st->code = (unsigned short)strtol(code, NULL, 10);
	if ((name = get_xtext(phase, (size_t)(text - phase))) == NULL)
		return false;
	for (i = 0; i < PH_COUNT; i++)
		if (strcmp(phase_name((enum phase)i), name) == 0)
			st->phase = (enum phase)i;
	free(name);
	for (n = 0; text[n + 1] != '\0'; n++)
		if (text[n + 1] < ' ' || text[n + 1] > '~')
			return false;
	return strlcpy(st->text, text + 1, sizeof st->text) < sizeof st->text;
}

/* Is this line one of the fields, with a good value, and for the first time? */
static bool
get_field(const struct field *f, void *base, const char *name, const char *value)
{
	void *at;

	for (; f->name != NULL && strcmp(f->name, name) != 0; f++)
		;
	if (f->name == NULL)
		return false;
	at = (char *)base + f->at;
	switch (f->type) {
	case WORD:
	case PATH:
		if (*(char **)at != NULL)
			return false;
		*(char **)at = f->type == PATH ? get_path(value) : get_xtext(value, strlen(value));
		return *(char **)at != NULL;
	case NUMBER:
		return *(long long *)at == 0 && get_number(value, at);
	case FLAG:
		*(bool *)at = true;
		return strcmp(value, "yes") == 0;
	case STATUS:
		return ((struct status *)at)->class == 0 && get_status(value, at);
	}
	return false;
}

/* ---- lines */

struct lines {
	const char *p, *end;
	struct str line; /* the current one, its first space a NUL */
	size_t at;	 /* where it begins */
	const char *start;
	char *name, *value;
};

/* The next line; false when no whole one is left, or it is not "name value". */
static bool
next_line(struct lines *l)
{
	const char *end = memchr(l->p, '\n', (size_t)(l->end - l->p));

	if (end == NULL || memchr(l->p, '\0', (size_t)(end - l->p)) != NULL)
		return false;
	l->at = (size_t)(l->p - l->start);
	str_clear(&l->line);
	str_put(&l->line, l->p, (size_t)(end - l->p));
	l->p = end + 1;
	l->name = l->line.p;
	if ((l->value = strchr(l->name, ' ')) == NULL)
		return false;
	*l->value++ = '\0';
	return true;
}

/* The first line is this one, and all ends with a line end. */
static const char *
first_line(struct lines *l, const char *p, size_t n, const char *format)
{
	memset(l, 0, sizeof *l);
	l->p = l->start = p;
	l->end = p + n;
	if (n == 0)
		return "it is empty";
	if (p[n - 1] != '\n')
		return "it ends too early";
	if (!next_line(l) || strcmp(l->name, format) != 0)
		return "it is not in the format of the spool";
	return strcmp(l->value, "1") == 0 ? NULL : "it is of a version that is not known";
}

/* ---- envelopes */

struct entry_rcpt *
entry_add(struct entry *e, const char *to)
{
	e->rcpt = xgrow(e->rcpt, &e->cap, e->n + 1, sizeof *e->rcpt);
	memset(&e->rcpt[e->n], 0, sizeof *e->rcpt);
	e->rcpt[e->n].to = xstrdup(to);
	return &e->rcpt[e->n++];
}

static struct entry_wish *
find_wish(const struct entry *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->wishes; i++)
		if (strcmp(e->wish[i].name, name) == 0)
			return &e->wish[i];
	return NULL;
}

void
entry_wish(struct entry *e, const char *name, const char *value)
{
	struct entry_wish *w = find_wish(e, name);

	if (w == NULL) {
		e->wish = xgrow(e->wish, &e->wish_cap, e->wishes + 1, sizeof *e->wish);
		w = &e->wish[e->wishes++];
		w->name = xstrdup(name);
		w->value = NULL;
	}
	free(w->value);
	w->value = xstrdup(value != NULL ? value : "");
}

const char *
entry_wished(const struct entry *e, const char *name)
{
	const struct entry_wish *w = find_wish(e, name);

	return w != NULL ? w->value : NULL;
}

int
entry_write(const struct entry *e, struct str *text)
{
	size_t start = text->len, i;
	struct entry again;
	const char *why;

	str_puts(text, "pneu-spool 1\n");
	put_fields(text, entry_fields, e);
	for (i = 0; i < e->wishes; i++) {
		str_puts(text, "wish ");
		str_xtext(text, e->wish[i].name);
		str_putc(text, ' ');
		str_xtext(text, e->wish[i].value);
		str_putc(text, '\n');
	}
	for (i = 0; i < e->n && text->len - start <= ENTRY_MAX; i++) {
		put_path(text, "rcpt", e->rcpt[i].to);
		put_fields(text, rcpt_fields, &e->rcpt[i]);
	}
	str_printf(text, "end %zu\n", e->n);
	if (text->len - start > ENTRY_MAX)
		return -1;
	/* what cannot be read again is worse than what was never written */
	why = entry_parse(text->p + start, text->len - start, &again);
	entry_free(&again);
	return why == NULL ? 0 : -1;
}

static bool
get_wish(struct entry *e, char *text)
{
	char *space = strchr(text, ' '), *name, *value = NULL;
	bool good;

	if (space == NULL || (name = get_xtext(text, (size_t)(space - text))) == NULL)
		return false;
	if (space[1] != '\0')
		value = get_xtext(space + 1, strlen(space + 1));
	good = (space[1] == '\0' || value != NULL) && e->wishes < WISHES_MAX &&
	    find_wish(e, name) == NULL;
	if (good)
		entry_wish(e, name, value);
	free(name);
	free(value);
	return good;
}

/* A line "rcpt <...>" or "done <...>": where the lines that follow it belong, or NULL. */
static struct entry_rcpt *
get_rcpt(struct entry *e, struct entry_rcpt *done, const struct lines *l)
{
	char *to = get_path(l->value);
	struct entry_rcpt *r = done;

	entry_free_rcpt(done);
	if (to == NULL || *to == '\0')
		r = NULL;
	else if (strcmp(l->name, "rcpt") == 0) {
		r = entry_add(e, to);
		r->at = l->at;
	}
	free(to);
	return r;
}

static const char *
parse_lines(struct lines *l, struct entry *e, struct entry_rcpt *done)
{
	struct entry_rcpt *r = NULL;
	long long count = 0, end;

	while (next_line(l)) {
		bool good;

		if (strcmp(l->name, "end") == 0) {
			if (!get_number(l->value, &end) || l->p != l->end || end != count)
				return "it has not all of its recipients";
			return e->from == NULL ? "it has no sender" : NULL;
		}
		if (strcmp(l->name, "rcpt") == 0 || strcmp(l->name, "done") == 0) {
			good = (r = get_rcpt(e, done, l)) != NULL;
			count++;
		} else if (r != NULL)
			good = get_field(rcpt_fields, r, l->name, l->value);
		else if (strcmp(l->name, "wish") == 0)
			good = get_wish(e, l->value);
		else
			good = get_field(entry_fields, e, l->name, l->value);
		if (!good)
			return "a line of it has no meaning";
	}
	return "it ends too early";
}

const char *
entry_parse(const char *p, size_t n, struct entry *e)
{
	struct entry_rcpt done = { 0 };
	struct lines l;
	const char *why;

	memset(e, 0, sizeof *e);
	why = first_line(&l, p, n, "pneu-spool");
	if (why == NULL)
		why = parse_lines(&l, e, &done);
	entry_free_rcpt(&done);
	str_free(&l.line);
	return why;
}

void
entry_free_rcpt(struct entry_rcpt *r)
{
	free(r->to);
	free(r->notify);
	free(r->orcpt);
	free(r->server);
	memset(r, 0, sizeof *r);
}

void
entry_free(struct entry *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		entry_free_rcpt(&e->rcpt[i]);
	for (i = 0; i < e->wishes; i++) {
		free(e->wish[i].name);
		free(e->wish[i].value);
	}
	free(e->rcpt);
	free(e->wish);
	free(e->account);
	free(e->from);
	free(e->ret);
	free(e->envid);
	free(e->id);
	memset(e, 0, sizeof *e);
}

/* ---- accounts */

int
entry_account_write(const struct entry_account *a, struct str *text)
{
	struct entry_account again;
	size_t start = text->len;

	str_puts(text, "pneu-account 1\n");
	put_fields(text, account_fields, a);
	str_puts(text, "end 0\n");
	return entry_account_parse(text->p + start, text->len - start, &again) == NULL ? 0 : -1;
}

const char *
entry_account_parse(const char *p, size_t n, struct entry_account *a)
{
	struct lines l;
	const char *why;
	bool ended = false;

	memset(a, 0, sizeof *a);
	why = first_line(&l, p, n, "pneu-account");
	while (why == NULL && !ended && next_line(&l)) {
		ended = strcmp(l.name, "end") == 0;
		if (!ended && !get_field(account_fields, a, l.name, l.value))
			why = "a line of it has no meaning";
	}
	if (why == NULL && (!ended || l.p != l.end || strcmp(l.value, "0") != 0))
		why = "it ends too early";
	str_free(&l.line);
	return why;
}
