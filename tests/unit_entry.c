/*
 * unit_entry - tests of envelopes as text, and of when what waits is tried again.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pace.h"
#include "unit.h"

#define NOW 1764115200LL

/* ---- envelopes as text */

static const char written[] = "pneu-spool 1\n"
			      "account work+20mail\n"
			      "from <alice+2Bx@sender.com>\n"
			      "ret HDRS\n"
			      "envid QQ+2B3\n"
			      "message-id <1.2@sender.com>\n"
			      "size 1628\n"
			      "queued 1764115200\n"
			      "tried 1764118800\n"
			      "tries 3\n"
			      "held yes\n"
			      "wish requiretls \n"
			      "wish of+20later a+3Db\n"
			      "rcpt <bob@example.org>\n"
			      "notify SUCCESS,FAILURE\n"
			      "orcpt rfc822;bob@example.org\n"
			      "last 4.2.0 450 RCPT 450 4.2.0 mailbox busy\n"
			      "server smtp.example.org\n"
			      "rcpt <\"a+20b\"@example.org>\n"
			      "unknown yes\n"
			      "last 4.4.2 0 end+20of+20message the connection was lost\n"
			      "end 2\n";

static void
fill(struct entry *e)
{
	struct entry_rcpt *r;

	memset(e, 0, sizeof *e);
	e->account = xstrdup("work mail");
	e->from = xstrdup("alice+x@sender.com");
	e->ret = xstrdup("HDRS");
	e->envid = xstrdup("QQ+3");
	e->id = xstrdup("<1.2@sender.com>");
	e->size = 1628;
	e->queued = NOW;
	e->tried = NOW + 3600;
	e->tries = 3;
	e->held = true;
	entry_wish(e, "requiretls", NULL);
	entry_wish(e, "of later", "x");
	entry_wish(e, "of later", "a=b");
	r = entry_add(e, "bob@example.org");
	r->notify = xstrdup("SUCCESS,FAILURE");
	r->orcpt = xstrdup("rfc822;bob@example.org");
	status_set(&r->last, PH_RCPT, 4, 2, 0, "450 4.2.0 mailbox busy");
	r->last.code = 450;
	r->server = xstrdup("smtp.example.org");
	r = entry_add(e, "\"a b\"@example.org");
	status_set(&r->last, PH_END, 4, 4, 2, "the connection was lost");
	r->unknown = true;
}

static void
test_writing(void)
{
	struct str text = { 0 };
	struct entry e, again;
	size_t n;

	fill(&e);
	ok(entry_write(&e, &text) == 0, "an envelope is written");
	is_bytes(text.p, text.len, BYTES(written), "line by line");
	ok(entry_parse(text.p, text.len, &again) == NULL, "and read again");
	is_text(again.account, "work mail", "the account");
	is_text(again.from, "alice+x@sender.com", "the sender");
	is_text(again.envid, "QQ+3", "ENVID");
	is_text(entry_wished(&again, "of later"), "a=b", "a wish that means nothing here is kept");
	is_text(entry_wished(&again, "requiretls"), "", "and one without a value");
	ok(entry_wished(&again, "deliverby") == NULL, "but no other");
	ok(again.held && !again.told && again.tries == 3 && again.next == 0, "the numbers");
	is_number((long long)again.n, 2, "both recipients");
	is_text(again.rcpt[0].notify, "SUCCESS,FAILURE", "NOTIFY");
	is_text(again.rcpt[0].last.text, "450 4.2.0 mailbox busy", "the words of the server");
	ok(again.rcpt[0].last.code == 450 && again.rcpt[0].last.phase == PH_RCPT, "their code and step");
	is_text(again.rcpt[1].to, "\"a b\"@example.org", "an address with a space");
	ok(again.rcpt[1].unknown && again.rcpt[1].last.phase == PH_END, "who may have it");
	entry_free(&again);
	for (n = 0; n < text.len; n++) {
		const char *why = entry_parse(text.p, n, &again);

		entry_free(&again);
		if (why == NULL)
			break;
	}
	is_number((long long)n, (long long)text.len, "no beginning of it is an envelope");
	entry_free(&e);
	str_free(&text);
}

#define HEAD "pneu-spool 1\nfrom <a@b>\n"

static const struct {
	const char *name, *text;
	size_t n;
	const char *why; /* NULL: good */
} texts[] = {
	{ "the null sender", BYTES("pneu-spool 1\nfrom <>\nrcpt <b@c>\nend 1\n"), NULL },
	{ "nothing", BYTES(""), "empty" },
	{ "another format", BYTES("hello 1\nfrom <>\nend 0\n"), "not in the format" },
	{ "a version to come", BYTES("pneu-spool 2\nfrom <>\nend 0\n"), "version" },
	{ "no sender", BYTES("pneu-spool 1\nrcpt <b@c>\nend 1\n"), "sender" },
	{ "two senders", BYTES(HEAD "from <c@d>\nend 0\n"), "no meaning" },
	{ "a recipient too few", BYTES(HEAD "rcpt <b@c>\nend 2\n"), "recipients" },
	{ "a recipient too many", BYTES(HEAD "rcpt <b@c>\nrcpt <b@d>\nend 1\n"), "recipients" },
	{ "no end", BYTES(HEAD "rcpt <b@c>\n"), "too early" },
	{ "no line end", BYTES(HEAD "rcpt <b@c>\nend 1"), "too early" },
	{ "something after the end", BYTES(HEAD "end 0\nend 0\n"), "recipients" },
	{ "a block of zeroes", BYTES(HEAD "rcpt <b\0\0\0\0@c>\nend 1\n"), "too early" },
	{ "a line end in an address", BYTES(HEAD "rcpt <b@c+0D+0ADATA>\nend 1\n"), "no meaning" },
	{ "a NUL in an address", BYTES(HEAD "rcpt <b@c+00>\nend 1\n"), "no meaning" },
	{ "an address without brackets", BYTES(HEAD "rcpt b@c\nend 1\n"), "no meaning" },
	{ "a recipient without an address", BYTES(HEAD "rcpt <>\nend 1\n"), "no meaning" },
	{ "an unknown line", BYTES(HEAD "colour red\nend 0\n"), "no meaning" },
	{ "a negative number", BYTES(HEAD "size -1\nend 0\n"), "no meaning" },
	{ "a number too large", BYTES(HEAD "size 9999999999999999999\nend 0\n"), "no meaning" },
	{ "a recipient that is done", BYTES(HEAD "done <b@c>\nunknown yes\nrcpt <b@d>\nend 2\n"), NULL },
	{ "a class of 3", BYTES(HEAD "rcpt <b@c>\nlast 3.0.0 0 RCPT x\nend 1\n"), "no meaning" },
	{ "a step of later versions", BYTES(HEAD "rcpt <b@c>\nlast 4.0.0 0 TELEPATHY x\nend 1\n"), NULL },
	{ "words with a control", BYTES(HEAD "rcpt <b@c>\nlast 4.0.0 0 RCPT a\tb\nend 1\n"), "no meaning" },
};

void
test_entry(void)
{
	struct str text = { 0 };
	struct entry e;
	size_t i;

	test_writing();
	for (i = 0; i < COUNT(texts); i++) {
		const char *why = entry_parse(texts[i].text, texts[i].n, &e);

		if (texts[i].why == NULL)
			ok(why == NULL, "%s: good", texts[i].name);
		else
			is_in(why != NULL ? why : "good", texts[i].why, "%s: why", texts[i].name);
		entry_free(&e);
	}
	ok(entry_parse(BYTES(HEAD "done <b@c>\nrcpt <b@d>\nend 2\n"), &e) == NULL && e.n == 1 &&
		strcmp(e.rcpt[0].to, "b@d") == 0,
	    "who is done is left out");
	entry_free(&e);
	e.from = xstrdup("a@b\r\nDATA");
	ok(entry_write(&e, &text) == -1, "what could not be read again is not written");
	entry_free(&e);
	ok(entry_write(&e, &text) == -1, "nor an envelope without a sender");
	str_free(&text);
}

/* ---- when */

static void
test_times(void)
{
	static const struct {
		long long failures, least;
	} rows[] = { { 1, 300 }, { 2, 600 }, { 3, 1200 }, { 6, 9600 }, { 7, 14400 }, { 8, 14400 },
		{ 1000000000000, 14400 }, { 0, 300 } };
	size_t i, k, distinct = 0;

	for (i = 0; i < COUNT(rows); i++) {
		long long first = pace_next(NOW, rows[i].failures), next;
		bool within = true;

		for (k = 0; k < 200; k++) {
			next = pace_next(NOW, rows[i].failures) - NOW;
			within = within && next >= rows[i].least && next <= rows[i].least * 5 / 4;
			distinct += next != first - NOW;
			within = within && !pace_due(NOW, NOW + next) && pace_due(NOW + next, NOW + next);
		}
		ok(within, "after %lld failures: %lld s and a little", rows[i].failures, rows[i].least);
	}
	ok(distinct > 100, "never quite the same");
	ok(pace_due(NOW, 0) && pace_due(NOW, NOW), "what is due is due");
	ok(!pace_due(NOW, NOW + 1) && !pace_due(NOW, NOW + 18000), "and what is not is not");
	ok(pace_due(NOW, NOW + 18001), "but no wait is longer than the longest: the clock was set back");
	ok(!pace_expired(NOW, NOW - 100, 100) && pace_expired(NOW, NOW - 101, 100), "a lifetime");
	ok(!pace_expired(NOW, NOW + 1000000, 100), "nothing expires before it was queued");
}

static void
test_accounts(void)
{
	static const char *const names[] = { "work", "../../x", "a b", "wo\nrk", "", NULL };
	struct spool q = { NULL, -1, -1 };
	const char *path = new_spool(&q, "spool-accounts");
	struct entry_account a, b;
	struct status no = { 0 }, st;
	struct str name = { 0 };
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		memset(&a, 0, sizeof a);
		a.failures = (long long)i + 1;
		is_number(pace_save(&q, names[i], &a, &st), 0, "something is remembered of it");
	}
	for (i = 0; i < COUNT(names); i++) {
		pace_load(&q, names[i], &b);
		is_number(b.failures, names[i] == NULL ? 6 : *names[i] == '\0' ? 6 : (long long)i + 1,
		    "of each its own");
	}
	for (i = 0; i < 300; i++)
		str_putc(&name, 'x');
	is_number(pace_save(&q, name.p, &a, &st), 0, "a name that is too long is not remembered");
	pace_load(&q, name.p, &b);
	is_number(b.failures, 0, "and no failure");

	memset(&a, 0, sizeof a);
	status_set(&no, PH_CONNECT, 4, 4, 1, "connection refused");
	ok(!pace_account_failed(&a, NOW, &no) && !a.refused, "a failed connection is nobody's business");
	ok(!pace_account_due(&a, NOW + 299) && pace_account_due(&a, NOW + 376), "the account waits");
	memset(&b, 0, sizeof b);
	status_set(&no, PH_LOCAL, 5, 3, 5, "there is no password");
	ok(pace_account_failed(&b, NOW, &no) && !b.refused, "a configuration that does not work is told");
	ok(!pace_account_failed(&b, NOW + 86399, &no), "and not twice a day, either");
	status_set(&no, PH_AUTH, 5, 7, 8, "535 5.7.8 no");
	no.code = 535;
	ok(pace_account_failed(&a, NOW, &no) && a.refused, "a refused login is told");
	(void)pace_save(&q, "work", &a, &st);
	pace_load(&q, "work", &b);
	ok(b.refused && b.failures == 2 && b.next == a.next && b.told == NOW, "all of it is remembered");
	is_text(b.last.text, "535 5.7.8 no", "and the words");
	ok(!pace_account_failed(&b, NOW + 86399, &no), "but not twice a day");
	ok(pace_account_failed(&b, NOW + 86400, &no), "the next day, again");
	ok(pace_account_failed(&b, NOW, &no), "or when the clock was set back");
	ok(pace_account_well(&b) && b.failures == 0 && !b.refused && b.told == 0, "until it goes well");
	ok(!pace_account_well(&b), "which is news but once");
	str_free(&name);
	spool_shut(&q);
	wipe(path);
}

void
test_pace(void)
{
	test_times();
	test_accounts();
}
