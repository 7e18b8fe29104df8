/*
 * unit_bounce - tests of reports to senders.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "bounce.h"
#include "unit.h"

#define NOW 1764201600LL /* Thu, 27 Nov 2025 00:00:00 +0000 */

static const char original[] = "From: alice@sender.com\r\n"
			       "Subject: Hello\r\n"
			       "Message-ID: <1.2@sender.com>\r\n"
			       "\r\n"
			       "The text.\r\n";

static struct bounce how;
static struct entry e, envelope;
static struct str report;
static struct status st;

/* An envelope of a day ago, and with nobody in it. */
static void
begin(void)
{
	entry_free(&e);
	how = (struct bounce){ BOUNCE_FAILED, false, "mail.sender.com", NOW, 0 };
	e.account = xstrdup("work");
	e.from = xstrdup("alice@sender.com");
	e.id = xstrdup("<1.2@sender.com>");
	e.queued = NOW - 86400;
	e.tried = NOW - 60;
	e.tries = 12;
}

/* A recipient to whom a server said this at RCPT; class 0: nobody was asked. */
static struct entry_rcpt *
rcpt(const char *to, const char *said)
{
	struct entry_rcpt *r = entry_add(&e, to);

	if (said == NULL)
		return r;
	status_set(&r->last, PH_RCPT, 0, 0, 0, "%s", said);
	(void)status_parse(said + 4, &r->last);
	r->last.code = (unsigned short)strtol(said, NULL, 10);
	r->server = xstrdup("smtp.example.org");
	return r;
}

static int
make(const char *message, size_t n)
{
	int fd = message != NULL ? open(scratch("message", ""), O_RDWR) : -1, r;
	static char buf[STORE_CHUNK];
	struct store out;
	const char *p;
	ssize_t got;

	if (fd != -1)
		write_all(fd, message, n);
	store_init(&out);
	entry_free(&envelope);
	str_clear(&report);
	r = bounce_make(&e, &how, fd, &out, &envelope, &st);
	while (r == 1 && (got = store_view(&out, (off_t)report.len, buf, &p, &st)) > 0)
		str_put(&report, p, (size_t)got);
	is_number((long long)report.len, store_size(&out), "all of it is read");
	store_free(&out);
	if (fd != -1)
		(void)close(fd);
	return r;
}

static int
make_of(const char *message)
{
	return make(message, strlen(message));
}

/* Each line ends in CRLF, no CR or LF is alone, and none is longer than SMTP has it. */
static void
lines_are_good(const char *what)
{
	const char *p = str_text(&report), *end;
	size_t longest = 0;

	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		size_t n = (size_t)(end - p);

		if (n == 0 || end[-1] != '\r' || memchr(p, '\r', n - 1) != NULL)
			break;
		longest = n - 1 > longest ? n - 1 : longest;
	}
	ok(*p == '\0' && strlen(str_text(&report)) == report.len, "%s: CRLF at each end, and nowhere else",
	    what);
	ok(longest <= 998, "%s: the longest line has %zu octets", what, longest);
}

static size_t
count(const char *part)
{
	const char *p = str_text(&report);
	size_t n = 0;

	for (; (p = strstr(p, part)) != NULL; p++)
		n++;
	return n;
}

static void
test_who(void)
{
	static const struct {
		const char *notify, *said;
		bool failed, expired, delayed;
	} table[] = {
		{ NULL, "550 5.1.1 no such user", true, true, false },
		{ NULL, "450 4.2.0 busy", false, true, true },
		{ NULL, NULL, false, true, true },
		{ NULL, "250 2.1.5 fine", false, false, false },
		{ "NEVER", "550 5.1.1 no such user", false, false, false },
		{ "NEVER", "450 4.2.0 busy", false, false, false },
		{ "FAILURE", "550 5.1.1 no such user", true, true, false },
		{ "FAILURE", "450 4.2.0 busy", false, true, false },
		{ "SUCCESS,DELAY", "550 5.1.1 no such user", false, false, false },
		{ "SUCCESS,DELAY", "450 4.2.0 busy", false, false, true },
		{ "success,failure,delay", "450 4.2.0 busy", false, true, true },
		{ "FAILURES,XDELAY", "450 4.2.0 busy", false, false, false },
		{ "FAIL,,DEL", "450 4.2.0 busy", false, false, false },
	};
	size_t i;

	for (i = 0; i < COUNT(table); i++) {
		const char *notify = table[i].notify, *said = table[i].said;

		begin();
		free(rcpt("bob@example.org", said)->notify);
		e.rcpt[0].notify = notify != NULL ? xstrdup(notify) : NULL;
		notify = notify != NULL ? notify : "no NOTIFY";
		said = said != NULL ? said : "never tried";
		is_number(make_of(original), table[i].failed, "%s, %s: failed", notify, said);
		how.expired = true;
		is_number(make_of(original), table[i].expired, "%s, %s: expired", notify, said);
		how.kind = BOUNCE_DELAYED;
		is_number(make_of(original), table[i].delayed, "%s, %s: delayed", notify, said);
	}
	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	*e.from = '\0';
	is_number(make_of(original), 0, "the null sender is not told");
	is_number((long long)report.len, 0, "... and nothing is written");
	begin();
	is_number(make_of(original), 0, "without recipients there is none");
}

static void
test_envelope_of_it(void)
{
	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	free(rcpt("carol@example.org", "550 5.1.1 no such user")->notify);
	e.rcpt[1].notify = xstrdup("NEVER");
	(void)rcpt("dave@example.org", "450 4.2.0 busy");
	is_number(make_of(original), 1, "a report");
	is_text(envelope.from, "", "it comes from <>");
	is_number((long long)envelope.n, 1, "it goes to one");
	is_text(envelope.rcpt[0].to, "alice@sender.com", "... who is the sender");
	is_text(envelope.account, "work", "the account stays");
	is_in(report.p, envelope.id, "its Message-ID is in the envelope");
	ok(strcmp(envelope.id, e.id) != 0, "... and is not that of the message");
	ok(strstr(report.p, "carol@") == NULL, "who asked for no report is not in it");
	ok(strstr(report.p, "dave@") == NULL, "nor who may still get it");
	is_in(report.p, "\r\nTo: <alice@sender.com>\r\n", "To");
	is_in(report.p, "\r\nReferences: <1.2@sender.com>\r\n", "References");
	lines_are_good("a plain one");
	is_in(report.p, "\r\nRemote-MTA: dns; smtp.example.org\r\n", "the server has a name");
	*e.rcpt[0].server = '/';
	(void)make_of(original);
	ok(strstr(report.p, "Remote-MTA:") == NULL, "a socket has no name in the DNS");
	e.id[0] = 'x';
	(void)make_of(original);
	ok(strstr(report.p, "References:") == NULL, "what is no Message-ID is not referred to");
}

static void
test_words(void)
{
	static const char *const bad[] = { "a@b\r\nX-Evil: 1\r\n\r\n", "\x80\xff@b", "a@b\x1b[2J" };
	struct str longest = { 0 };
	size_t i;

	begin();
	how.until = NOW + 86400;
	for (i = 0; i < COUNT(bad); i++) {
		struct entry_rcpt *r = rcpt(bad[i], "550 5.1.1 no such user");

		r->orcpt = xstrdup("rfc822;a+0D+0AX-Evil:+201+FF");
		free(r->server);
		r->server = xstrdup(bad[i]);
	}
	free(e.from);
	e.from = xstrdup(bad[0]);
	e.envid = xstrdup(bad[0]);
	is_number(make(NULL, 0), 1, "controls in words");
	ok(strstr(report.p, "\nX-Evil") == NULL, "no line begins with what is in a word");
	ok(strchr(report.p, '\x1b') == NULL, "no escape");
	ok(!has_8bit(report.p, report.len), "no octet that is no text");
	lines_are_good("controls");

	begin();
	while (longest.len < 70000)
		str_puts(&longest, "\xc3\xbc");
	(void)rcpt(longest.p, "550 5.1.1 no such user");
	e.rcpt[0].orcpt = xstrdup(longest.p);
	memcpy(e.rcpt[0].orcpt, "utf-8;", 6);
	free(e.from);
	e.from = xstrdup(longest.p);
	e.envid = xstrdup(longest.p);
	is_number(make_of(original), 1, "very long words");
	ok(is_utf8(report.p, report.len), "no letter is cut");
	lines_are_good("long words");

	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	for (str_clear(&longest); longest.len < 1100; str_puts(&longest, "xxxxxxxxx")) {
		if (longest.len < 850)
			continue;
		free(e.rcpt[0].to);
		e.rcpt[0].to = xstrdup(longest.p);
		free(e.envid);
		e.envid = xstrdup(longest.p);
		is_number(make_of(original), 1, "a word of %zu octets", longest.len);
		lines_are_good("a long word");
	}

	str_clear(&longest);
	while (longest.len < 480)
		str_puts(&longest, longest.len % 7 == 0 ? "x" : "word (that)  ");
	status_set(&e.rcpt[0].last, PH_RCPT, 5, 1, 1, "550 5.1.1 %s", longest.p);
	e.rcpt[0].last.code = 550;
	is_number(make_of(original), 1, "a long reply");
	lines_are_good("a long reply");
	str_free(&longest);
}

static void
test_returned(void)
{
	struct str big = { 0 };

	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	e.ret = xstrdup("full");
	is_number(make_of(original), 1, "RET=FULL");
	is_in(report.p, "Content-Type: message/rfc822\r\n", "... the whole message");
	is_in(report.p, original, "... as it was");
	entry_wish(&e, "requiretls", NULL);
	(void)make_of(original);
	ok(strstr(report.p, "The text.") == NULL, "REQUIRETLS: no text comes back");
	entry_free(&e);

	begin();
	(void)rcpt("bob@example.org", "450 4.2.0 busy");
	e.ret = xstrdup("FULL");
	how.kind = BOUNCE_DELAYED;
	(void)make_of(original);
	ok(strstr(report.p, "The text.") == NULL, "delay: no text comes back");
	how = (struct bounce){ BOUNCE_FAILED, true, "mail.sender.com", NOW, 0 };

	is_number(make_of(""), 1, "a message without octets");
	is_number((long long)count("Content-Type: "), 3, "... is not returned");
	is_number(make(NULL, 0), 1, "no message");
	is_number((long long)count("Content-Type: "), 3, "... is not returned");
	is_number(make_of("\r\nText.\r\n"), 1, "no header");
	is_in(report.p, "message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\r\nText.\r\n\r\n--",
	    "... whole");
	*e.ret = 'x';
	is_number(make_of("\r\nText.\r\n"), 1, "no header, RET=HDRS");
	is_number((long long)count("Content-Type: "), 3, "... is not returned");
	is_number(make_of("Subject: x\r\n"), 1, "nothing but a header");
	is_in(report.p, "\r\n\r\nSubject: x\r\n\r\n--", "... is returned");
	*e.ret = 'F';

	str_puts(&big, "Subject: x\r\n\r\n");
	while (big.len < BOUNCE_FULL_MAX - 2)
		str_putc(&big, big.len % 100 == 98 ? '\r' : big.len % 100 == 99 ? '\n' : '.');
	memcpy(big.p + big.len - 2, "\r\n", 2);
	big.p[big.len - 3] = '.';
	str_puts(&big, "\r\n");
	(void)make(big.p, big.len);
	is_number((long long)count("Content-Type: message/rfc822"), 1, "the largest that is returned");
	str_puts(&big, "\r\n");
	(void)make(big.p, big.len);
	is_number((long long)count("Content-Type: text/rfc822-headers"), 1, "one that is larger is not");

	str_clear(&big);
	str_puts(&big, "Subject: x\r\n\r\n");
	while (big.len < 1500)
		str_putc(&big, 'x');
	str_puts(&big, "\r\n");
	(void)make(big.p, big.len);
	lines_are_good("a long line of text");
	is_number((long long)count("Content-Type: text/rfc822-headers"), 1, "its header is returned");
	ok(strstr(report.p, "xxxxx") == NULL, "... and nothing else");
	str_free(&big);
}

static void
test_large_header(void)
{
	struct str head = { 0 };
	size_t i;

	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	for (i = 0; head.len < 1024 * 1024 - 60; i++)
		str_printf(&head, "X-Field-%zu: this is a field of a header\r\n", i);
	str_puts(&head, "X-Last: 1\r\n\r\nText.\r\n");
	is_number(make(head.p, head.len), 1, "a header of 1 MiB");
	head.len -= 9;
	head.p[head.len] = '\0';
	is_in(report.p, head.p, "... is returned, all of it");
	ok(strstr(report.p, "Text.") == NULL, "... and nothing else");
	lines_are_good("a large header");

	for (str_clear(&head); head.len < 3 * 1024 * 1024;)
		str_puts(&head, "X-Field: this is a field of a header\r\n");
	is_number(make(head.p, head.len), 1, "a header that has no end");
	ok(report.len > 1024 * 1024 && report.len < 1200 * 1024, "... is returned in part");
	is_in(report.p, "a header\r\n\r\n--=_", "... which ends with a line");

	for (i = 997; i < 1000; i++) {
		str_clear(&head);
		while (head.len < i)
			str_putc(&head, 'x');
		memcpy(head.p, "X: ", 3);
		str_puts(&head, "\r\n\r\n");
		(void)make(head.p, head.len);
		head.len -= 2;
		head.p[head.len] = '\0';
		is_number((long long)count(head.p), i <= 998, "a line of %zu octets is returned as it is", i);
		lines_are_good("a line of that length");
	}

	str_clear(&head);
	str_puts(&head, "X: ");
	while (head.len < 100000)
		str_puts(&head, "\xc3\xbc");
	str_puts(&head, "\r\n\r\n");
	is_number(make(head.p, head.len), 1, "a field that cannot be folded");
	lines_are_good("a field that cannot be folded");
	ok(is_utf8(report.p, report.len), "no letter of it is cut");
	str_free(&head);
}

static void
test_boundary(void)
{
	struct str a = { 0 }, b = { 0 }, first = { 0 }, second = { 0 }, again = { 0 };
	const struct str *const parts[] = { &a, &b };

	bounce_boundary(&first, 7, parts, 2);
	bounce_boundary(&again, 7, parts, 2);
	is_text(again.p, first.p, "it is made of the seed");
	ok(first.len <= 70, "a boundary has at most 70 octets");
	str_printf(&b, "text\r\n--%s--\r\n", first.p);
	bounce_boundary(&second, 7, parts, 2);
	ok(strcmp(first.p, second.p) != 0, "one that is in a part is not taken");
	str_puts(&a, second.p);
	str_clear(&again);
	bounce_boundary(&again, 7, parts, 2);
	ok(strcmp(again.p, first.p) != 0 && strcmp(again.p, second.p) != 0, "nor is the next one");
	str_free(&a);
	str_free(&b);
	str_free(&first);
	str_free(&second);
	str_free(&again);
}

static void
test_many(void)
{
	struct str to = { 0 };
	size_t i;

	begin();
	for (i = 0; i < 2000; i++) {
		str_clear(&to);
		str_printf(&to, "user%zu@example.org", i);
		(void)rcpt(to.p, "550 5.7.1 not here");
	}
	is_number(make_of(original), 1, "2,000 recipients");
	is_number((long long)count("\r\nFinal-Recipient: "), 2000, "programs hear of all");
	is_number((long long)count("\r\n<user"), 50, "people hear of some");
	is_number((long long)count("smtp.example.org said: "), 1, "... and of one reason once");
	is_in(report.p, "And 1950 more;", "... and how many more there are");
	str_free(&to);
}

static void
test_trouble(void)
{
	int fd = open("/", O_RDONLY);
	struct store out;

	begin();
	(void)rcpt("bob@example.org", "550 5.1.1 no such user");
	store_init(&out);
	entry_free(&envelope);
	is_number(bounce_make(&e, &how, fd, &out, &envelope, &st), -1, "a message that cannot be read");
	is_status(&st, "4.3.0", EX_TEMPFAIL, "... says so");
	is_number((long long)envelope.n, 0, "... and there is no envelope");
	store_free(&out);
	(void)close(fd);
}

void
test_bounce(void)
{
	test_who();
	test_envelope_of_it();
	test_words();
	test_returned();
	test_large_header();
	test_boundary();
	test_many();
	test_trouble();
	entry_free(&e);
	entry_free(&envelope);
	str_free(&report);
}
