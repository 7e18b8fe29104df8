/*
 * unit_rewrite - tests of where the parts of a mailbox are, and of what becomes of a header.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "rewrite.h"
#include "unit.h"

#define ALICE "alice@example.org"
#define X100 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxx"

/* ---- parts */

static void
put_part(struct str *to, const char *text, const struct span *part)
{
	str_putc(to, '[');
	str_put(to, text + part->at, part->end - part->at);
	str_putc(to, ']');
}

struct parts {
	const char *text;
	struct str all;
};

static int
collect(void *arg, const struct mailbox *box, struct status *st)
{
	struct parts *p = arg;

	(void)st;
	put_part(&p->all, p->text, &box->whole);
	put_part(&p->all, p->text, &box->spec);
	put_part(&p->all, p->text, &box->name);
	put_part(&p->all, p->text, &box->comment);
	str_printf(&p->all, "%s%s ", box->group ? "g" : "", box->odd ? "o" : "");
	return 0;
}

static const struct {
	const char *text, *parts; /* [all][addr-spec][name][comment] of each */
} walks[] = {
	{ "root", "[root][root][][] " },
	{ " root ,\r\n bob@x ", "[root][root][][] [bob@x][bob@x][][] " },
	{ "root (Cron Daemon)", "[root (Cron Daemon)][root][][Cron Daemon] " },
	{ "(a) root (b (c)) (d\\)) , e", "[(a) root (b (c)) (d\\))][root][][d\\)] [e][e][][] " },
	{ "a, (b) c", "[a][a][][] [(b) c][c][][b] " },
	{ "Bob Roe <bob@x>", "[Bob Roe <bob@x>][bob@x][Bob Roe][] " },
	{ "\"Roe, \\\"B\"\r\n <\tbob @ x > (c)",
	    "[\"Roe, \\\"B\"\r\n <\tbob @ x > (c)][bob @ x][\"Roe, \\\"B\"][c] " },
	{ "<root>", "[<root>][root][][] " },
	{ "B <@r,@s:b@x>", "[B <@r,@s:b@x>][b@x][B][]o " },
	{ "b@x <c@y>", "[b@x <c@y>][c@y][b@x][]o " },
	{ "\"b@x\" <c@y>", "[\"b@x\" <c@y>][c@y][\"b@x\"][] " },
	{ "(x) team: a, b <c>; (y) d", "[a][a][][]g [b <c>][c][b][]g [(y) d][d][][y] " },
	{ "a (x) . (y) b", "[a (x) . (y) b][a (x) . (y) b][][y] " },
	{ "()a", "[()a][a][][] " },
	{ "B <>, c", "[c][c][][] " },
};

static void
parts(void)
{
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(walks); i++) {
		struct parts p = { .text = walks[i].text };

		is_number(
		    address_walk(walks[i].text, collect, &p, &st), 0, "parts of %s", walks[i].text);
		is_text(str_text(&p.all), walks[i].parts, "... are these");
		str_free(&p.all);
	}
}

static const struct {
	const char *text, *phrase;
} phrases[] = {
	{ "", "" },
	{ " \t\001", "" },
	{ "Cron Daemon", "Cron Daemon" },
	{ " Cron\t  Daemon ", "Cron Daemon" },
	{ "J\303\266rg", "J\303\266rg" },
	{ "Roe, Joe", "\"Roe, Joe\"" },
	{ "Joe \"X\" R\\e", "\"Joe \\\"X\\\" R\\\\e\"" },
	{ "a\r\nBcc: b", "\"aBcc: b\"" },
	{ "Dr. No", "\"Dr. No\"" },
	{ "=?utf-8?q?J=C3=B6rg?= Roe", "=?utf-8?q?J=C3=B6rg?= Roe" },
	{ "=?utf-8?q?J=C3=B6rg?= R. Roe", "=?utf-8?q?J=C3=B6rg?= \"R.\" Roe" },
	{ "=?utf-8?q?J,x?=", "\"=?utf-8?q?J,x?=\"" },
	{ X100 " y", X100 "\r\n y" },
};

/* ---- headers */

struct rule {
	const char *from[3], *domain;
	enum rewrite_from rewrite;
	bool strict;
};

static const struct rule yes = { .rewrite = REWRITE_YES }, no = { .rewrite = REWRITE_NO },
			 other = { .domain = "example.com", .rewrite = REWRITE_YES },
			 own = { .from = { ALICE, "*@lists.example.org" }, .rewrite = REWRITE_YES },
			 always = { .from = { ALICE, "*@lists.example.org" },
				 .rewrite = REWRITE_ALWAYS },
			 strict = { .from = { ALICE }, .rewrite = REWRITE_YES, .strict = true },
			 strict_no = { .from = { ALICE }, .rewrite = REWRITE_NO, .strict = true };

#define WAS "X-Original-From:"
static const struct {
	const struct rule *rule;
	const char *head, *result; /* NULL: the same */
} heads[] = {
	{ &yes, "", NULL },
	{ &yes, "Subject: root\r\nX-From: root\r\nFromage: root\r\nX-To: root\r\nFrom-Me: x\r\n",
	    NULL },
	/* From: the name, the comment, or what there is */
	{ &yes, "From: root (Cron Daemon)\r\n",
	    "From: Cron Daemon <" ALICE ">\r\n" WAS " root (Cron Daemon)\r\n" },
	{ &yes, "From: root\r\n", "From: root <" ALICE ">\r\n" WAS " root\r\n" },
	{ &yes, "FROM\t:root\r\n", "FROM\t:root <" ALICE ">\r\n" WAS "root\r\n" },
	{ &yes, "From: <root>\r\n", "From: root <" ALICE ">\r\n" WAS " <root>\r\n" },
	{ &yes, "From: <root> (Cron)\r\n", "From: Cron <" ALICE ">\r\n" WAS " <root> (Cron)\r\n" },
	{ &yes, "From: Cron Daemon <root>\r\n",
	    "From: Cron Daemon <" ALICE ">\r\n" WAS " Cron Daemon <root>\r\n" },
	{ &yes, "From: \"Cron, D.\"\r\n\t<root> (here)\r\n",
	    "From: \"Cron, D.\"\r\n\t<" ALICE "> (here)\r\n" WAS
	    " \"Cron, D.\"\r\n\t<root> (here)\r\n" },
	{ &yes, "From: root (Cron \\(x\\) [1])\r\n",
	    "From: \"Cron (x) [1]\" <" ALICE ">\r\n" WAS " root (Cron \\(x\\) [1])\r\n" },
	{ &yes, "From: root (Cron\r\n  Daemon)\r\n",
	    "From: Cron Daemon <" ALICE ">\r\n" WAS " root (Cron\r\n  Daemon)\r\n" },
	{ &yes, "From: root (=?utf-8?q?J=C3=B6rg?=)\r\n",
	    "From: =?utf-8?q?J=C3=B6rg?= <" ALICE ">\r\n" WAS " root (=?utf-8?q?J=C3=B6rg?=)\r\n" },
	{ &yes, "From: (first) root ()\r\n",
	    "From: root <" ALICE ">\r\n" WAS " (first) root ()\r\n" },
	{ &yes, "From: root@localhost\r\n",
	    "From: root <" ALICE ">\r\n" WAS " root@localhost\r\n" },
	{ &yes, "From: R <root@LocalHost.LocalDomain>\r\n",
	    "From: R <" ALICE ">\r\n" WAS " R <root@LocalHost.LocalDomain>\r\n" },
	{ &yes, "From: \"joe roe\"@localhost\r\n",
	    "From: joe roe <" ALICE ">\r\n" WAS " \"joe roe\"@localhost\r\n" },
	{ &yes, "From: \"a@b\"\r\n", "From: \"a@b\" <" ALICE ">\r\n" WAS " \"a@b\"\r\n" },
	{ &yes, "From: x@y <root>\r\n", "From: \"x@y\" <" ALICE ">\r\n" WAS " x@y <root>\r\n" },
	{ &yes, "From: R <@a,@b:root>\r\n", "From: R <" ALICE ">\r\n" WAS " R <@a,@b:root>\r\n" },
	{ &yes, "From:\r\n", "From: " ALICE "\r\n" },
	{ &yes, "From: Cron <>\r\n", "From: " ALICE "\r\n" WAS " Cron <>\r\n" },
	/* what stays */
	{ &yes, "From: Bob <bob@example.com>\r\n", NULL },
	{ &yes, "From: Bob <bob@example.com>,\r\n eve@example.net (Eve)\r\n", NULL },
	{ &own, "From: Bob <bob@example.com>\r\n", NULL },
	{ &yes,
	    "From: root (Cron\r\nTo: root (\r\nCc: Bob Roe\r\nReply-To: <root\r\nSender: a b\r\n",
	    NULL },
	{ &yes, "From: root, <bob\r\n", NULL },
	{ &yes, "From: root\r\nTo: root\r\ndkim-signature: v=1; d=x\r\n", NULL },
	{ &no, "From: root (Cron Daemon)\r\nTo: root\r\n", NULL },
	/* several authors, and several fields */
	{ &yes, "From: root, Bob <bob@example.com>\r\n",
	    "From: root <" ALICE ">, Bob <bob@example.com>\r\n" WAS
	    " root, Bob <bob@example.com>\r\nSender: " ALICE "\r\n" },
	{ &yes, "Sender: joe@x\r\nFrom: bob@x, root\r\n",
	    "Sender: joe@x\r\nFrom: bob@x, root <" ALICE ">\r\n" WAS " bob@x, root\r\n" },
	{ &yes, "From: root\r\nFrom: joe\r\n",
	    "From: root <" ALICE ">\r\n" WAS " root\r\nFrom: joe <" ALICE ">\r\n" WAS " joe\r\n" },
	/* names without a domain */
	{ &yes, "To: root\r\n", "To: root@example.org\r\n" },
	{ &other, "To: root\r\n", "To: root@example.com\r\n" },
	{ &yes, "Cc : root (the admin), Bob <bob>,\r\n\tc@d , =?utf-8?q?x?= <e (f)>\r\n",
	    "Cc : root@example.org (the admin), Bob <bob@example.org>,\r\n"
	    "\tc@d , =?utf-8?q?x?= <e@example.org (f)>\r\n" },
	{ &yes, "To: Team: bob, <eve>;, joe\r\n",
	    "To: Team: bob@example.org, <eve@example.org>;, joe@example.org\r\n" },
	{ &yes, "To: undisclosed-recipients:;\r\nCc: (root), <>\r\n", NULL },
	{ &yes, "To: \"root\", J\303\266rg, a@b, root@localhost, [x]\r\n", NULL },
	{ &yes, "Reply-To: a\r\nSender: b\r\nResent-To: c\r\nResent-Cc: d\r\nResent-From: e\r\n",
	    "Reply-To: a@example.org\r\nSender: b@example.org\r\nResent-To: c@example.org\r\n"
	    "Resent-Cc: d@example.org\r\nResent-From: e@example.org\r\n" },
	{ &yes, "To: <@a:root>, a.b\r\n", "To: <@a:root@example.org>, a.b@example.org\r\n" },
	/* always */
	{ &always, "From: " ALICE "\r\n", NULL },
	{ &always, "From: Alice <Alice@Example.ORG>\r\n", NULL },
	{ &always, "From: dev@lists.example.org\r\n", NULL },
	{ &always, "From: Bob <bob@example.com>\r\n",
	    "From: Bob <" ALICE ">\r\nReply-To: Bob <bob@example.com>\r\n" },
	{ &always, "From: bob@example.com\r\nReply-To: eve@x\r\n",
	    "From: bob <" ALICE ">\r\n" WAS " bob@example.com\r\nReply-To: eve@x\r\n" },
	{ &always, "From: root, bob@x\r\nSender: b@x\r\n",
	    "From: root <" ALICE ">, bob <" ALICE ">\r\n" WAS " root, bob@x\r\nSender: b@x\r\n" },
	{ &always, "From: root\r\n", "From: root <" ALICE ">\r\n" WAS " root\r\n" },
	/* nobody but the account's own */
	{ &strict, "From: " ALICE "\r\nSender: Alice <" ALICE ">\r\n", NULL },
	{ &strict, "From: Bob <bob@x>\r\nTo: root\r\n",
	    "From: Bob <" ALICE ">\r\n" WAS " Bob <bob@x>\r\nTo: root@example.org\r\n" },
	{ &strict, "From: Bob <bob@x>, eve@x\r\n",
	    "From: Bob <" ALICE ">\r\n" WAS " Bob <bob@x>, eve@x\r\n" },
	{ &strict, "From: " ALICE ", eve@x\r\n",
	    "From: alice <" ALICE ">\r\n" WAS " " ALICE ", eve@x\r\n" },
	{ &strict, "From: boss@x <" ALICE ">\r\n",
	    "From: \"boss@x\" <" ALICE ">\r\n" WAS " boss@x <" ALICE ">\r\n" },
	{ &strict, "From: <@boss:" ALICE ">\r\n",
	    "From: alice <" ALICE ">\r\n" WAS " <@boss:" ALICE ">\r\n" },
	{ &strict, "From: boss@x (\r\n y\r\n", "From: " ALICE "\r\n" WAS " boss@x (\r\n y\r\n" },
	{ &strict, "From: The Boss\r\n", "From: " ALICE "\r\n" WAS " The Boss\r\n" },
	{ &strict, "From: Boss: " ALICE ";\r\n",
	    "From: alice <" ALICE ">\r\n" WAS " Boss: " ALICE ";\r\n" },
	{ &strict, "From:\r\n", "From: " ALICE "\r\n" },
	{ &strict, "Sender: Boss <boss@x>\r\n",
	    "Sender: Boss <" ALICE ">\r\nX-Original-Sender: Boss <boss@x>\r\n" },
	{ &strict, "DKIM-Signature: x\r\nFrom: bob@x\r\nTo: root\r\n",
	    "DKIM-Signature: x\r\nFrom: bob <" ALICE ">\r\n" WAS " bob@x\r\nTo: root\r\n" },
	{ &strict_no, "From: bob@x\r\nTo: root\r\n", NULL },
};

static void
make_account(struct account *a, const struct rule *rule)
{
	size_t i;

	memset(a, 0, sizeof *a);
	for (i = 0; i < COUNT(rule->from) && rule->from[i] != NULL; i++)
		strings_add(&a->from, rule->from[i]);
	a->domain = rule->domain != NULL ? xstrdup(rule->domain) : NULL;
	a->rewrite_from = (int)rule->rewrite;
	a->from_override = !rule->strict;
}

static void
rewrite(struct str *head, const struct rule *rule)
{
	struct account a;

	make_account(&a, rule);
	rewrite_head(head, &a, ALICE);
	strings_free(&a.from);
	free(a.domain);
}

static void
headers(void)
{
	struct str head = { 0 };
	size_t i;

	for (i = 0; i < COUNT(heads); i++) {
		const char *result = heads[i].result != NULL ? heads[i].result : heads[i].head;

		str_clear(&head);
		str_puts(&head, heads[i].head);
		rewrite(&head, heads[i].rule);
		is_text(str_text(&head), result, "header: %s", heads[i].head);
		rewrite(&head, heads[i].rule);
		is_text(str_text(&head), result, "... and no more than that");
	}
	str_free(&head);
}

/* Addresses at the host name: a bare one is for nobody else; a full one is when nothing says so. */
static void
own_host(void)
{
	struct str head = { 0 };
	char host[256] = "";
	bool full;

	(void)gethostname(host, sizeof host - 1);
	full = strchr(host, '.') != NULL;
	str_printf(&head, "From: root@%s\r\n", host);
	rewrite(&head, &yes);
	is_number(strstr(head.p, ALICE) == NULL, full, "From at %s without any `from`", host);
	str_clear(&head);
	str_printf(&head, "From: root@%s\r\n", host);
	rewrite(&head, &own);
	ok(strstr(head.p, ALICE) != NULL, "... and with another one");
	str_free(&head);
}

/* A line that was short enough stays so when each of its names gets longer. */
static void
long_lines(void)
{
	static const char *const fields[] = { "From", "To" };
	struct str head = { 0 };
	const char *p, *lf;
	size_t i, k, longest, all;

	for (i = 0; i < COUNT(fields); i++) {
		str_clear(&head);
		str_printf(&head, "%s: root0", fields[i]);
		for (k = 1; k < 140; k++)
			str_printf(&head, ",n%zu", k);
		str_puts(&head, "\r\n");
		rewrite(&head, &yes);
		longest = all = 0;
		for (p = head.p; (lf = strchr(p, '\n')) != NULL; p = lf + 1)
			longest = (size_t)(lf - p) > longest ? (size_t)(lf - p) : longest;
		for (p = head.p; (p = strstr(p, "@example.org")) != NULL; p++)
			all++;
		ok(longest < 998, "%s: lines are folded (%zu)", fields[i], longest);
		is_number((long long)all, i == 0 ? 141 : 140, "... and hold everybody");
	}
	str_free(&head);
}

void
test_rewrite(void)
{
	struct str out = { 0 };
	size_t i;

	parts();
	for (i = 0; i < COUNT(phrases); i++) {
		str_clear(&out);
		address_phrase(phrases[i].text, &out);
		is_text(str_text(&out), phrases[i].phrase, "phrase %s", phrases[i].text);
	}
	str_free(&out);
	headers();
	own_host();
	long_lines();
}
