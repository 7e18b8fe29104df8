/*
 * unit_aliases - tests of the file of aliases, and of what names stand for.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "aliases.h"
#include "unit.h"

/* ---- the file */

static const char everything[] = "# a comment\n"
				 "\n"
				 "root: bob@x.example\n"
				 "PostMaster:root\n"
				 "spaced \t:\t ann@x.example , eve@x.example \n"
				 "\"joe roe\": joe@x.example\n"
				 "\"with:colon\" : c@x.example\n"
				 "folded: a@x.example,\n"
				 "\tb@x.example,\n"
				 "# between\n"
				 "\n"
				 "    c@x.example\n"
				 "  # indented comment\n"
				 "root: late@x.example\n"
				 "crlf: d@x.example\r\n"
				 "empty:\n"
				 "unended: e@x.example";

static const struct {
	const char *name, *value;
} found[] = {
	{ "root", " bob@x.example" }, /* the first one counts */
	{ "ROOT", " bob@x.example" },
	{ "postmaster", "root" },
	{ "spaced", "\t ann@x.example , eve@x.example " },
	{ "joe roe", " joe@x.example" },
	{ "with:colon", " c@x.example" },
	{ "folded", " a@x.example,\tb@x.example,    c@x.example" },
	{ "crlf", " d@x.example" },
	{ "empty", "" },
	{ "unended", " e@x.example" },
	{ "roo", NULL },
	{ "roott", NULL },
	{ "", NULL },
	{ "between", NULL },
};

static const struct {
	const char *text, *where;
} bad_files[] = {
	{ "root bob@x.example\n", ":1: " },
	{ "root\n", ":1: " },
	{ ": bob@x.example\n", ":1: " },
	{ "# one\n\n  root: bob@x.example\n", ":3: " },
	{ "a: b@x.example\n \n\nroot\n", ":4: " },
	{ "a: b@x.example,\n  c@x.example\nbob c: d\n", ":3: " },
	{ "\"root: bob@x.example\n", ":1: " },
	{ "\"root\" x: bob@x.example\n", ":1: " },
	{ "\"\": bob@x.example\n", ":1: " },
};

static void
files(void)
{
	struct aliases a;
	struct status st = { 0 };
	size_t i;

	is_number(aliases_load(&a, scratch("aliases", everything), &st), 0, "a file is read");
	for (i = 0; i < COUNT(found); i++)
		is_text(aliases_find(&a, found[i].name), found[i].value, "what \"%s\" is", found[i].name);
	aliases_free(&a);
	is_number(aliases_load(&a, scratch("aliases", ""), &st), 0, "an empty file");
	is_number((long long)a.names.n, 0, "... has nothing");
	aliases_free(&a);
	for (i = 0; i < COUNT(bad_files); i++) {
		is_number(aliases_load(&a, scratch("aliases", bad_files[i].text), &st), -1, "refused: \"%s\"",
		    bad_files[i].text);
		is_status(&st, "5.3.5", 78, "... as a mistake in the configuration");
		is_in(st.text, bad_files[i].where, "... with its line");
		aliases_free(&a);
	}
	is_number(aliases_load(&a, scratch("no-such-aliases", NULL), &st), -1, "no file");
	is_status(&st, "5.3.5", 78, "... is a mistake, too");
	aliases_free(&a);
}

/* ---- expansion */

static bool
here(const char *domain)
{
	return strcmp(domain, "here") == 0;
}

static int
collect(void *arg, const char *addr, struct status *st)
{
	struct str *all = arg;

	if (strcmp(addr, "stop@x") == 0)
		return status_set(st, PH_LOCAL, 5, 1, 3, "stop");
	str_printf(all, "%s%s", all->len > 0 ? " " : "", addr);
	return 0;
}

static const struct {
	const char *file, *addr, *all; /* all: NULL when it fails */
} cases[] = {
	{ "", "bob", "bob" },
	{ "", "bob@x", "bob@x" },
	{ "bob: b@x", "bob", "b@x" },
	{ "bob: b@x", "BOB", "b@x" },
	{ "BOB: b@x", "bob", "b@x" },
	{ "bob: b@x", "bob@here", "b@x" },
	{ "bob: b@x", "bob@x", "bob@x" },
	{ "bob: b@x", "bob@there", "bob@there" },
	{ "bob: b@x, c@x , d", "bob", "b@x c@x d" },
	{ "bob: \"B, b\" <b@x>, (c) c@x", "bob", "b@x c@x" },
	{ "bob: team: b@x, c@x;", "bob", "b@x c@x" },
	{ "a: b\nb: c\nc: d@x", "a", "d@x" },
	{ "a: b, c\nb: d\nc: d\nd: e@x", "a", "e@x e@x" }, /* two ways are no circle */
	{ "a: a@here, b@x", "a", "a@here b@x" },		  /* nor is a name that stands for itself */
	{ "a: b@here\nb: c@x", "a", "c@x" },
	{ "root: root, b@x", "root", "root b@x" }, /* a copy to somebody else */
	{ "root: ROOT, b@x", "root", "ROOT b@x" },
	{ "a: root\nroot: root, b@x", "a", "root b@x" },
	{ "root: \\root, b@x", "root", "root b@x" }, /* final */
	{ "a: b@x ,\t\\b , c\nb: d@x", "a", "b@x b c" },
	{ "a: \\b@here, \"\\c\", \"\\d\"@x\nb: e\nc: f", "a", "b@here c \"\\d\"@x" },
	{ "a: \"b, \\c\"@x, d", "a", "\"b, \\c\"@x d" },
	{ "a: \\, b@x", "a", NULL },
	{ "default: d@x", "bob", "d@x" },
	{ "default: d@x\nbob: b@x", "bob", "b@x" },
	{ "default: d@x", "bob@here", "bob@here" },
	{ "default: d@x", "bob@x", "bob@x" },
	{ "default: d@x\nroot: bob", "root", "bob" }, /* it was named on purpose */
	{ "default: post", "bob", "post" },
	{ "default: post\npost: p@x", "bob", "p@x" },
	{ "default: bob, b@x", "bob", "bob b@x" },
	{ "a: a1@x\na:  a2@x", "a", "a1@x" },
	{ "a: b\nb: a", "a", NULL },
	{ "a: b\nb: c\nc: b@here", "a", NULL },
	{ "a: b\nb: c@x, a", "a", NULL },
	{ "a: |/bin/false", "a", NULL },
	{ "a: \"|/bin/false x\"", "a", NULL },
	{ "a: /var/mail/a", "a", NULL },
	{ "a: :include:/etc/list", "a", NULL },
	{ "a: :INCLUDE:/etc/list", "a", NULL },
	{ "a: <b@x", "a", NULL },
	{ "a:", "a", NULL }, /* for nobody: the message would be lost */
	{ "a: team:;", "a", NULL },
	{ "a: ,", "a", NULL },
	{ "a: b, c@x\nb:", "a", NULL },
	{ "a: b@x, stop@x, c@x", "a", NULL },
};

static int
expand(const char *file, const char *addr, struct str *all, struct status *st)
{
	struct aliases a;
	int r = aliases_load(&a, scratch("aliases", file), st);

	memset(st, 0, sizeof *st);
	str_clear(all);
	if (r == 0)
		r = aliases_expand(&a, addr, here, collect, all, st);
	aliases_free(&a);
	return r;
}

static void
expansions(void)
{
	struct str all = { 0 };
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		int r = expand(cases[i].file, cases[i].addr, &all, &st);

		if (cases[i].all == NULL) {
			is_number(r, -1, "%s, with \"%s\", fails", cases[i].addr, cases[i].file);
			ok(st.class == 5, "... for good: %s", st.text);
		} else {
			is_number(r, 0, "%s, with \"%s\"", cases[i].addr, cases[i].file);
			is_text(str_text(&all), cases[i].all, "... is all of them");
		}
	}
	expand("a: b\nb: c\nc: a", "a", &all, &st);
	is_status(&st, "5.3.5", 78, "a circle is a mistake in the configuration");
	is_in(st.text, "alias a: ", "... and the line says where");
	str_free(&all);
}

/* n names, each of which stands for the next one. */
static int
chain(unsigned n, struct str *all, struct status *st)
{
	struct str file = { 0 };
	unsigned i;
	int r;

	for (i = 0; i < n; i++)
		str_printf(&file, "n%u: n%u\n", i, i + 1);
	str_printf(&file, "n%u: end@x\n", n);
	r = expand(file.p, "n0", all, st);
	str_free(&file);
	return r;
}

void
test_aliases(void)
{
	struct str all = { 0 };
	struct status st;

	files();
	expansions();
	is_number(chain(20, &all, &st), 0, "a long chain");
	is_text(str_text(&all), "end@x", "... has an end");
	is_number(chain(1000, &all, &st), -1, "a very long one is refused");
	is_status(&st, "5.3.5", 78, "... as a mistake in the configuration");
	str_free(&all);
}
