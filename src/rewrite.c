/*
 * rewrite - the header made such that servers take it and people can answer.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address.h"
#include "parties.h"
#include "rewrite.h"

/* Octets after which a line that grows is folded; 998 are allowed (RFC 5322 2.1.1). */
#define LINE_FULL 700

enum kind { OTHER, FROM, SENDER, REPLY_TO, RECIPIENTS, SIGNATURE };

static const struct {
	const char *name;
	enum kind kind;
} names[] = {
	{ "From", FROM },
	{ "Sender", SENDER },
	{ "Reply-To", REPLY_TO },
	{ "To", RECIPIENTS },
	{ "Cc", RECIPIENTS },
	{ "Resent-From", RECIPIENTS },
	{ "Resent-Sender", RECIPIENTS },
	{ "Resent-Reply-To", RECIPIENTS },
	{ "Resent-To", RECIPIENTS },
	{ "Resent-Cc", RECIPIENTS },
	{ "DKIM-Signature", SIGNATURE },
};

struct rewriting {
	const struct account *account;
	const char *author, *domain; /* the domain is for names that have none */
	bool strict;		     /* From and Sender are the author's, whatever they say */
	bool has[SIGNATURE + 1];     /* which fields there are */
	struct str out;		     /* the new header */
};

/* One field on its way. */
struct edit {
	const struct rewriting *w;
	const char *value; /* all that is behind the colon, CRLF at its end */
	size_t done;	   /* octets of it that are dealt with */
	struct str out;	   /* what they have become */
	struct str name;   /* the display name of the first mailbox */
	unsigned boxes;	   /* mailboxes so far */
	bool group;	   /* one of them stands in a group */
	bool changed, local;
};

/* Length of the field at p with its continuation lines; its name, and where its value begins. */
static size_t
next_field(const char *p, enum kind *kind, size_t *value)
{
	const char *end = p, *colon = strchr(p, ':');
	size_t i, n;

	do {
		end = strchr(end, '\n');
		end = end != NULL ? end + 1 : strchr(p, '\0');
	} while (*end == ' ' || *end == '\t');
	*kind = OTHER;
	if (colon == NULL || colon > end)
		return (size_t)(end - p);
	*value = (size_t)(colon + 1 - p);
	n = strcspn(p, " \t:");
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i].name) == n && ascii_eqn(p, names[i].name, n))
			*kind = names[i].kind;
	return (size_t)(end - p);
}

/* Copy the value up to `at`, and go on behind `end`. */
static void
pass(struct edit *e, size_t at, size_t end)
{
	str_put(&e->out, e->value + e->done, at - e->done);
	e->done = end;
}

/* The same up to a mailbox that will grow, on a line with room for it. */
static void
begin_box(struct edit *e, const struct mailbox *box)
{
	const char *line;

	pass(e, box->whole.at, box->whole.at);
	if (e->out.len == 0)
		return;
	line = memrchr(e->out.p, '\n', e->out.len);
	if (e->out.len - (size_t)(line != NULL ? line - e->out.p : 0) > LINE_FULL)
		str_puts(&e->out, "\r\n ");
}

/* ---- names without a domain */

static int
qualify(void *arg, const struct mailbox *box, struct status *st)
{
	struct edit *e = arg;
	struct str full = { 0 }, path = { 0 };

	/* what would be no address even so was not meant to be one */
	if (strpbrk(box->addr, "@\"[") != NULL || has_8bit(box->addr, strlen(box->addr)))
		return 0;
	str_printf(&full, "%s@%s", box->addr, e->w->domain);
	if (address_path(full.p, &path, st) == 0) {
		begin_box(e, box);
		pass(e, box->spec.end, box->spec.end);
		str_printf(&e->out, "@%s", e->w->domain);
		e->changed = true;
	}
	str_free(&full);
	str_free(&path);
	return 0;
}

/* ---- who wrote it */

/* A part of a field as people read it: without quotes, backslashes and ends of lines. */
static void
plain_text(const struct edit *e, const struct span *part, struct str *out)
{
	const char *p = e->value + part->at, *end = e->value + part->end;

	for (str_clear(out); p < end; p++) {
		if (*p == '"' || *p == '\r' || *p == '\n')
			continue;
		if (*p == '\\' && p + 1 < end)
			p++;
		str_putc(out, *p);
	}
}

/* The name to go with another address: the one there is, a comment, or what stood before the @. */
static void
display_name(const struct edit *e, const struct mailbox *box, struct str *out)
{
	struct span local = box->spec;
	const char *domain = parties_domain(box->addr);

	plain_text(e, &box->name, out);
	if (strspn(str_text(out), " \t") == out->len)
		plain_text(e, &box->comment, out);
	if (strspn(str_text(out), " \t") < out->len)
		return;
	plain_text(e, &local, out);
	if (domain != NULL && strrchr(str_text(out), '@') != NULL)
		out->p[out->len = (size_t)(strrchr(out->p, '@') - out->p)] = '\0';
}

static void
put_author(struct str *out, const char *name, const char *author)
{
	size_t before = out->len;

	address_phrase(name, out);
	if (out->len > before)
		str_printf(out, " <%s>", author);
	else
		str_puts(out, author);
}

/* Must the address, which is not the author's, make way for it? */
static bool
replaced(struct edit *e, const char *addr)
{
	const struct account *a = e->w->account;

	if (e->w->strict)
		return true;
	if (parties_local(a, addr)) {
		e->local = true;
		return true;
	}
	return a->rewrite_from == REWRITE_ALWAYS && !parties_own(a, addr);
}

static int
judge(void *arg, const struct mailbox *box, struct status *st)
{
	struct edit *e = arg;
	struct str path = { 0 }, name = { 0 };
	bool same;

	/* in the form that `from` and the envelope have it in */
	if (address_path(box->addr, &path, st) == -1)
		str_puts(&path, box->addr);
	same = ascii_eq(path.p, e->w->author);
	display_name(e, box, &name);
	if (e->boxes++ == 0)
		str_puts(&e->name, str_text(&name));
	e->group |= box->group;
	if (same ? e->w->strict && box->odd : replaced(e, path.p)) {
		e->changed = true;
		begin_box(e, box);
		if (box->name.end > 0 && !box->odd) {
			pass(e, box->spec.at, box->spec.end);
			str_puts(&e->out, e->w->author);
		} else {
			pass(e, box->whole.at, box->whole.end);
			put_author(&e->out, str_text(&name), e->w->author);
		}
	}
	str_free(&path);
	str_free(&name);
	return 0;
}

/* The whole value becomes the author. */
static void
replace_value(struct edit *e, const char *name)
{
	str_clear(&e->out);
	str_putc(&e->out, ' ');
	put_author(&e->out, name, e->w->author);
	str_puts(&e->out, "\r\n");
	e->done = strlen(e->value);
	e->changed = true;
}

static bool
edit_author(struct edit *e)
{
	struct status st;
	bool bad = address_walk(e->value, judge, e, &st) != 0;

	/* what cannot be read here might be read in some way elsewhere */
	if (e->w->strict && (bad || e->boxes != 1 || e->group))
		replace_value(e, bad ? "" : str_text(&e->name));
	else if (!bad && e->boxes == 0) {
		e->local = true;
		replace_value(e, "");
	}
	return e->changed && (e->w->strict || !bad);
}

/* Where to find what the author's field said: an answer should go to a person who was named. */
static void
keep_original(struct rewriting *w, const struct edit *e, enum kind kind)
{
	bool person = kind == FROM && !w->strict && !e->local && !w->has[REPLY_TO];

	if (e->value[strspn(e->value, " \t\r\n")] == '\0')
		return;
	str_puts(&w->out,
	    person	       ? "Reply-To:"
		: kind == FROM ? "X-Original-From:"
			       : "X-Original-Sender:");
	if (strcspn(e->value, "\n") > LINE_FULL)
		str_puts(&w->out, "\r\n ");
	str_puts(&w->out, e->value);
	w->has[REPLY_TO] |= person;
}

/* ---- the header */

static void
rewrite_field(struct rewriting *w, const char *field, size_t value, size_t n, enum kind kind)
{
	char *text = xstrndup(field + value, n - value);
	struct edit e = { .w = w, .value = text };
	bool author = kind == FROM || (kind == SENDER && w->strict), changed;
	struct status st;

	if (author)
		changed = edit_author(&e);
	else
		changed = address_walk(text, qualify, &e, &st) == 0 && e.changed;
	if (changed) {
		pass(&e, strlen(text), strlen(text));
		str_put(&w->out, field, value);
		str_put(&w->out, e.out.p, e.out.len);
	} else
		str_put(&w->out, field, n);
	if (changed && author)
		keep_original(w, &e, kind);
	if (changed && kind == FROM && e.boxes > 1 && !w->strict && !w->has[SENDER]) {
		/* RFC 5322 3.6.2: of several authors one has sent it */
		str_printf(&w->out, "Sender: %s\r\n", w->author);
		w->has[SENDER] = true;
	}
	free(text);
	str_free(&e.out);
	str_free(&e.name);
}

void
rewrite_head(struct str *head, const struct account *a, const char *author)
{
	struct rewriting w = { .account = a, .author = author, .strict = !a->from_override };
	const char *p;
	enum kind kind;
	size_t n, value = 0;

	w.domain = a->domain != NULL ? a->domain : parties_domain(author);
	if (a->rewrite_from == REWRITE_NO || *author == '\0' || w.domain == NULL)
		return;
	for (p = str_text(head); *p != '\0'; p += n) {
		n = next_field(p, &kind, &value);
		w.has[kind] = true;
	}
	if (w.has[SIGNATURE] && !w.strict)
		return;
	for (p = str_text(head); *p != '\0'; p += n) {
		n = next_field(p, &kind, &value);
		if (kind == OTHER || kind == SIGNATURE ||
		    (w.has[SIGNATURE] && kind != FROM && kind != SENDER))
			str_put(&w.out, p, n);
		else
			rewrite_field(&w, p, value, n, kind);
	}
	str_free(head);
	*head = w.out;
}

/* ---- a whole message */

/* Who wrote it, for people: the envelope's sender, unless that is nobody, or nobody elsewhere. */
static int
find_author(const struct message *m, const struct account *a, const char *sender, bool given,
    struct str *author, struct status *st)
{
	struct str header = { 0 };
	int r = 0;

	if (given && parties_local(a, sender)) {
		parties_from(m, a, &header);
		r = parties_sender(a, NULL, str_text(&header), author, st);
	}
	/* a message that says who wrote it can do without us */
	if (r == -1 && a->from_override && m->has_from)
		r = 0;
	if (r == 0 && (author->len == 0 || (*sender != '\0' && parties_local(a, author->p)))) {
		str_clear(author);
		str_puts(author, sender);
	}
	str_free(&header);
	return r;
}

int
rewrite_message(struct message *m, const struct account *a, const char *sender, bool given,
    const char *full_name, struct str *fields, struct status *st)
{
	time_t now = time(NULL);
	struct str author = { 0 };
	const char *domain;

	if (find_author(m, a, sender, given, &author, st) == -1) {
		str_free(&author);
		return -1;
	}
	rewrite_head(&m->head, a, str_text(&author));
	domain = parties_domain(str_text(&author));
	if (!m->has_date)
		message_add_date(fields, now);
	if (!m->has_from) {
		str_puts(fields, "From: ");
		put_author(fields, full_name != NULL ? full_name : "", author.p);
		str_puts(fields, "\r\n");
	}
	if (!m->has_id)
		message_add_id(m, fields, now, domain != NULL ? domain : "localhost");
	str_free(&author);
	return 0;
}
