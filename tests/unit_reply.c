/*
 * unit_reply - tests of replies: their lines, what they mean at each step, and what EHLO announces.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "unit.h"

/* ---- lines */

static const struct {
	const char *line;
	size_t len;
	int wanted;
	unsigned code;
	const char *text;
} lines[] = {
	{ BYTES("250 ok"), 1, 250, "ok" },
	{ BYTES("250-ok"), 0, 250, "ok" },
	{ BYTES("250"), 1, 250, "" },
	{ BYTES("250 "), 1, 250, "" },
	{ BYTES("250-"), 0, 250, "" },
	{ BYTES("250  two blanks "), 1, 250, " two blanks " },
	{ BYTES("354 go"), 1, 354, "go" },
	{ BYTES("260 odd second digit"), 1, 260, "odd second digit" },
	{ BYTES("571 odd second digit"), 1, 571, "odd second digit" },
	{ BYTES("599 x"), 1, 599, "x" },
	{ BYTES("200 x"), 1, 200, "x" },
	{ BYTES("250 a\0b"), 1, 250, "a b" },
	{ BYTES("250 \303\244\033["), 1, 250, "\303\244\033[" },
	{ BYTES(""), -1, 0, NULL },
	{ BYTES("2"), -1, 0, NULL },
	{ BYTES("25"), -1, 0, NULL },
	{ BYTES("25 ok"), -1, 0, NULL },
	{ BYTES("2500 ok"), -1, 0, NULL },
	{ BYTES("250ok"), -1, 0, NULL },
	{ BYTES("250\tok"), -1, 0, NULL },
	{ BYTES("250_ok"), -1, 0, NULL },
	{ BYTES("250\0ok"), -1, 0, NULL },
	{ BYTES(" 250 ok"), -1, 0, NULL },
	{ BYTES("+250 ok"), -1, 0, NULL },
	{ BYTES("150 ok"), -1, 0, NULL },
	{ BYTES("650 ok"), -1, 0, NULL },
	{ BYTES("000 ok"), -1, 0, NULL },
	{ BYTES("2x0 ok"), -1, 0, NULL },
	{ BYTES("25x ok"), -1, 0, NULL },
	{ BYTES("HTTP/1.1 400 Bad Request"), -1, 0, NULL },
	{ BYTES("\025\003\001\000\002\002"), -1, 0, NULL },
	{ BYTES("* OK IMAP4rev1"), -1, 0, NULL },
};

static void
test_lines(void)
{
	struct reply r = { 0 };
	char *big = xalloc(1, REPLY_LINE_MAX);
	int k, n;
	size_t i;

	for (i = 0; i < COUNT(lines); i++) {
		bool good;

		reply_clear(&r);
		n = reply_line(&r, lines[i].line, lines[i].len);
		good = n == lines[i].wanted;
		if (good && n != -1)
			good = r.code == lines[i].code && strcmp(str_text(&r.text), lines[i].text) == 0;
		ok(good, "reply line \"%s\"", lines[i].line);
	}
	reply_clear(&r);
	ok(reply_line(&r, BYTES("250-a")) == 0 && reply_line(&r, BYTES("250-")) == 0 &&
		reply_line(&r, BYTES("250 c")) == 1,
	    "three lines are one reply");
	is_text(str_text(&r.text), "a\n\nc", "joined");
	is_number(r.lines, 3, "counted");
	reply_clear(&r);
	ok(reply_line(&r, BYTES("250-a")) == 0 && reply_line(&r, BYTES("251 b")) == -1,
	    "a code that changes within a reply is none");

	reply_clear(&r);
	for (k = n = 0; n == 0 && k <= REPLY_LINES_MAX; k++)
		n = reply_line(&r, BYTES("250-x"));
	ok(n == -1 && k == REPLY_LINES_MAX + 1, "a reply has so many lines at most");
	reply_clear(&r);
	memset(big, 'x', REPLY_LINE_MAX);
	memcpy(big, "250-", 4);
	for (k = n = 0; n == 0 && k < REPLY_LINES_MAX; k++)
		n = reply_line(&r, big, REPLY_LINE_MAX);
	ok(n == -1 && r.text.len <= REPLY_MAX, "and so many octets");
	free(big);
	reply_free(&r);
	ok(r.code == 0 && r.lines == 0 && r.text.p == NULL, "freed is empty");
}

/* ---- whole replies from a stream */

static const struct {
	const char *input;
	size_t len;
	const char *replies;  /* each as "code text", joined by "|" */
	const char *enhanced; /* how it goes on: the failure of the reply after these */
	const char *why;
} inputs[] = {
	{ BYTES("220 hi\r\n250-a\r\n250-b c\r\n250 d\r\n"), "220 hi|250 a\nb c\nd", "4.4.2", "closed it" },
	{ BYTES("220 hi\n250 a\r\n"), "220 hi|250 a", "4.4.2", "closed it" },
	{ BYTES("250 a\r\r\n250 \rb\r\n"), "250 a\r|250 \rb", "4.4.2", "closed it" },
	{ BYTES("250\r\n250-\r\n250\r\n"), "250 |250 \n", "4.4.2", "closed it" },
	{ BYTES("250 a\0b\r\n"), "250 a b", "4.4.2", "closed it" },
	{ BYTES("250 ok\r\n250 cut"), "250 ok", "4.4.2", "closed it" },
	{ BYTES("250-ok\r\n"), "", "4.4.2", "in the middle of a reply" },
	{ BYTES(""), "", "4.4.2", "closed it" },
	{ BYTES("\r\n"), "", "5.5.0", "does not speak SMTP" },
	{ BYTES("250-ok\r\n\r\n"), "", "5.5.0", "in the middle of a reply" },
	{ BYTES("250-ok\r\n550 no\r\n"), "", "5.5.0", "in the middle of a reply" },
	{ BYTES("250 ok\r\nHTTP/1.1 400 Bad Request\r\n"), "250 ok", "5.5.0", "web server" },
	{ BYTES("\025\003\001\000\002\002\012"), "", "5.5.0", "submissions://" },
	{ BYTES("SSH-2.0-OpenSSH\r\n"), "", "5.5.0", "SSH-2.0-OpenSSH" },
	{ BYTES("\033[2J\r\n"), "", "5.5.0", "^[[2J" },
};

/* What comes out of input i when every read gives `piece` octets, in the form of the table. */
static void
hear_all(size_t i, size_t piece, struct str *heard, struct status *st)
{
	struct reply r = { 0 };
	struct stream *s;
	struct peer p;

	feed_start(&p, inputs[i].input, inputs[i].len, piece);
	s = stream_new(p.fd, p.fd);
	stream_phase(s, PH_MAIL, 10000);
	str_clear(heard);
	while (reply_read(&r, s, PH_MAIL, st) == 0)
		str_printf(heard, "%s%u %s", heard->len > 0 ? "|" : "", r.code, str_text(&r.text));
	reply_free(&r);
	stream_free(&s);
	p.fd = -1;
	(void)peer_end(&p);
}

static void
test_read(void)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 0 };
	struct str heard = { 0 }, line = { 0 };
	struct status st;
	struct stream *s;
	struct reply r = { 0 };
	struct peer p;
	size_t i, k;

	for (i = 0; i < COUNT(inputs); i++)
		for (k = 0; k < COUNT(pieces); k++) {
			char code[16];
			bool good;

			hear_all(i, pieces[k], &heard, &st);
			good = strcmp(str_text(&heard), inputs[i].replies) == 0 &&
			    strcmp(status_enhanced(&st, code), inputs[i].enhanced) == 0 &&
			    strstr(st.text, inputs[i].why) != NULL && st.phase == PH_MAIL;
			if (!ok(good, "replies in \"%s\" by %zu octets", inputs[i].input, pieces[k])) {
				note("found \"%s\", wanted \"%s\"", str_text(&heard), inputs[i].replies);
				note("then %s %s", code, st.text);
			}
		}
	/* a line of the longest length, and one more */
	for (i = 0; i < 2; i++) {
		str_clear(&line);
		str_puts(&line, "250 ");
		while (line.len < REPLY_LINE_MAX + i)
			str_putc(&line, 'x');
		str_puts(&line, "\n");
		feed_start(&p, line.p, line.len, 0);
		s = stream_new(p.fd, p.fd);
		stream_phase(s, PH_MAIL, 10000);
		is_number(
		    reply_read(&r, s, PH_MAIL, &st), i == 0 ? 0 : -1, "a line of %zu octets", line.len - 1);
		if (i > 0)
			is_status(&st, "5.5.0", 76, "is too long");
		stream_free(&s);
		p.fd = -1;
		(void)peer_end(&p);
	}
	reply_free(&r);
	str_free(&line);
	str_free(&heard);
}

/* ---- meaning */

static const struct {
	enum phase phase;
	const char *reply;
	const char *enhanced;
	int exit;
	const char *text;
} meanings[] = {
	{ PH_MAIL, "250 2.1.0 ok", "2.1.0", 0, "250 2.1.0 ok" },
	{ PH_MAIL, "250 ok", "2.0.0", 0, "250 ok" },
	{ PH_DATA, "354 go", "3.0.0", 70, "354 go" },
	/* the server's own code counts when it fits */
	{ PH_RCPT, "550 5.7.1 relaying denied", "5.7.1", 77, "550 5.7.1 relaying denied" },
	{ PH_RCPT, "450 4.2.0 busy", "4.2.0", 75, "450 4.2.0 busy" },
	{ PH_RCPT, "550 4.2.0 busy", "5.0.0", 69, "550 4.2.0 busy" },
	{ PH_RCPT, "550 2.0.0 what", "5.0.0", 69, "550 2.0.0 what" },
	{ PH_RCPT, "450 5.1.1 what", "4.0.0", 75, "450 5.1.1 what" },
	{ PH_RCPT, "250 5.1.1 what", "2.0.0", 0, "250 5.1.1 what" },
	/* and what the step says when there is none */
	{ PH_RCPT, "550 no", "5.1.1", 67, "550 no" },
	{ PH_RCPT, "550", "5.1.1", 67, "550 " },
	{ PH_RCPT, "450 busy", "4.0.0", 75, "450 busy" },
	{ PH_RCPT, "530 login first", "5.7.0", 77, "530 login first" },
	{ PH_MAIL, "530 login first", "5.7.0", 77, "530 login first" },
	{ PH_MAIL, "550 no", "5.0.0", 69, "550 no" },
	{ PH_MAIL, "451 no", "4.0.0", 75, "451 no" },
	{ PH_DATA, "554 no", "5.0.0", 69, "554 no" },
	{ PH_END, "554 no", "5.0.0", 69, "554 no" },
	{ PH_END, "552 too much", "5.0.0", 69, "552 too much" },
	{ PH_END, "451 later", "4.0.0", 75, "451 later" },
	{ PH_GREETING, "421 busy", "4.3.2", 75, "421 busy" },
	{ PH_GREETING, "450 busy", "4.3.2", 75, "450 busy" },
	{ PH_GREETING, "554 go away", "5.3.2", 69, "554 go away" },
	{ PH_GREETING, "521 no mail here", "5.3.2", 69, "521 no mail here" },
	{ PH_GREETING, "554 5.7.1 go away", "5.7.1", 69, "554 5.7.1 go away" },
	{ PH_EHLO, "502 what", "5.5.1", 69, "502 what" },
	{ PH_EHLO, "450 what", "4.5.0", 75, "450 what" },
	{ PH_STARTTLS, "454 not now", "4.7.0", 75, "454 not now" },
	{ PH_AUTH, "535 wrong", "5.7.8", 77, "535 wrong" },
	{ PH_AUTH, "534 too weak", "5.7.9", 77, "534 too weak" },
	{ PH_AUTH, "538 needs TLS", "5.7.11", 77, "538 needs TLS" },
	{ PH_AUTH, "530 what", "5.7.0", 77, "530 what" },
	{ PH_AUTH, "454 not now", "4.7.0", 75, "454 not now" },
	{ PH_AUTH, "432 new password", "4.7.12", 77, "432 new password" },
	{ PH_AUTH, "535 5.7.139 disabled", "5.7.139", 77, "535 5.7.139 disabled" },
	/* RFC 5321 4.5.3.1.10: too many recipients, with the code it had before */
	{ PH_RCPT, "552 too many", "4.5.3", 75, "552 too many" },
	{ PH_RCPT, "552 5.5.3 too many", "4.5.3", 75, "552 5.5.3 too many" },
	{ PH_RCPT, "552 5.2.2 full", "5.2.2", 67, "552 5.2.2 full" },
	{ PH_RCPT, "452 4.5.3 too many", "4.5.3", 75, "452 4.5.3 too many" },
	{ PH_RCPT, "550 5.5.3 too many", "5.5.3", 69, "550 5.5.3 too many" },
	/* what is no code */
	{ PH_RCPT, "550 5.1.1.1 is no code", "5.1.1", 67, "550 5.1.1.1 is no code" },
	{ PH_RCPT, "550 <a@b>: 5.2.1 no", "5.1.1", 67, "550 <a@b>: 5.2.1 no" },
	/* several lines */
	{ PH_RCPT, "550-5.7.1 one\n550 5.7.1 two", "5.7.1", 77, "550 5.7.1 one two" },
	{ PH_RCPT, "550-5.7.1 one\n550-\n550 5.7.1 two", "5.7.1", 77, "550 5.7.1 one  two" },
	{ PH_RCPT, "550-one\n550 5.7.1 two", "5.1.1", 67, "550 one 5.7.1 two" },
	{ PH_RCPT, "550-5.7.1 one\n550 two", "5.7.1", 77, "550 5.7.1 one two" },
	{ PH_RCPT, "550 5.7.1 a\tb\033[2J\303\244", "5.7.1", 77, "550 5.7.1 a\\tb^[[2JM-CM-$" },
};

static void
test_meaning(void)
{
	struct reply r = { 0 };
	struct status st;
	char buf[16], *p, *copy;
	size_t i;

	for (i = 0; i < COUNT(meanings); i++) {
		bool good = true;

		reply_clear(&r);
		copy = xstrdup(meanings[i].reply);
		for (p = copy; p != NULL;) {
			char *line = strsep(&p, "\n");

			good = good && reply_line(&r, line, strlen(line)) == (p == NULL);
		}
		free(copy);
		memset(&st, 0xff, sizeof st);
		reply_status(&r, meanings[i].phase, &st);
		good = good && strcmp(status_enhanced(&st, buf), meanings[i].enhanced) == 0 &&
		    st.code == r.code && st.phase == meanings[i].phase &&
		    strcmp(st.text, meanings[i].text) == 0;
		if (st.class != 3)
			good = good && status_exit(&st) == meanings[i].exit;
		if (!ok(good, "%s is answered \"%s\"", phase_name(meanings[i].phase), meanings[i].reply))
			note("found %s, exit %d, \"%s\"", buf, status_exit(&st), st.text);
	}
	reply_free(&r);
}

void
test_reply(void)
{
	test_lines();
	test_read();
	test_meaning();
}

/* ---- EHLO */

static const struct {
	const char *lines; /* behind the line with the server's name */
	unsigned ext;
	unsigned long long size;
	const char *mechs;
} offers[] = {
	{ "", 0, 0, "" },
	{ "STARTTLS", EXT_STARTTLS, 0, "" },
	{ "starttls\nPipelining\n8bitMIME\nEnhancedStatusCodes",
	    EXT_STARTTLS | EXT_PIPELINING | EXT_8BITMIME, 0, "" },
	{ "SIZE 35882577", EXT_SIZE, 35882577, "" },
	{ "size 1", EXT_SIZE, 1, "" },
	{ "SIZE", EXT_SIZE, 0, "" },
	{ "SIZE ", EXT_SIZE, 0, "" },
	{ "SIZE 0", EXT_SIZE, 0, "" },
	{ "SIZE 00100", EXT_SIZE, 100, "" },
	{ "SIZE 9223372036854775807", EXT_SIZE, 9223372036854775807ULL, "" },
	{ "SIZE 9223372036854775808", EXT_SIZE, 0, "" }, /* larger than any message limits none */
	{ "SIZE 99999999999999999999", EXT_SIZE, 0, "" },
	{ "SIZE 999999999999999999999999999999999999999999", EXT_SIZE, 0, "" },
	{ "SIZE -1", EXT_SIZE, 0, "" },
	{ "SIZE 1k", EXT_SIZE, 0, "" },
	{ "SIZE unlimited", EXT_SIZE, 0, "" },
	{ "SIZE 100\nSIZE 200", EXT_SIZE, 200, "" },
	{ "SIZE=100", 0, 0, "" },
	{ "AUTH PLAIN LOGIN", EXT_AUTH, 0, " PLAIN LOGIN " },
	{ "AUTH plain Login", EXT_AUTH, 0, " PLAIN LOGIN " },
	{ "AUTH=PLAIN", EXT_AUTH, 0, " PLAIN " },
	{ "AUTH PLAIN\nAUTH=PLAIN LOGIN", EXT_AUTH, 0, " PLAIN PLAIN LOGIN " },
	{ "AUTH  PLAIN\tLOGIN  ", EXT_AUTH, 0, " PLAIN LOGIN " },
	{ "AUTH", EXT_AUTH, 0, " " },
	{ "auth SCRAM-SHA-256-PLUS", EXT_AUTH, 0, " SCRAM-SHA-256-PLUS " },
	/* whole words only */
	{ "STARTTLSX", 0, 0, "" },
	{ "XSTARTTLS", 0, 0, "" },
	{ "START TLS", 0, 0, "" },
	{ "X-STARTTLS", 0, 0, "" },
	{ "STARTTLS=yes", 0, 0, "" },
	{ "STARTTLS yes", EXT_STARTTLS, 0, "" },
	{ " STARTTLS", 0, 0, "" },
	{ "AUTHX PLAIN", 0, 0, "" },
	{ "HELP\nVRFY\nETRN", 0, 0, "" },
	{ "DSN", EXT_DSN, 0, "" },
	{ "dsn", EXT_DSN, 0, "" },
	{ "DSNX", 0, 0, "" },
	{ "PIPELINING\n\nSTARTTLS", EXT_PIPELINING | EXT_STARTTLS, 0, "" },
	{ "STARTTLS\001", 0, 0, "" },
	{ "8BITMIME\tx", EXT_8BITMIME, 0, "" },
};

static const struct {
	const char *line;
	uint64_t rcpt, mail, domains, hold, by;
} numbers[] = {
	{ "LIMITS RCPTMAX=100", 100, 0, 0, 0, 0 },
	{ "limits mailmax=7 RcptMax=20  RCPTDOMAINMAX=1", 20, 7, 1, 0, 0 },
	{ "LIMITS", 0, 0, 0, 0, 0 },
	{ "LIMITS RCPTMAX MAILMAX= RCPTDOMAINMAX=x", 0, 0, 0, 0, 0 },
	{ "LIMITS RCPTMAX=0 MAILMAX=-1 RCPTDOMAINMAX=1x", 0, 0, 0, 0, 0 },
	{ "LIMITS XRCPTMAX=5 RCPTMAX=99999999999999999999999", 0, 0, 0, 0, 0 },
	{ "LIMITS RCPTMAX=\tMAILMAX=3", 0, 3, 0, 0, 0 },
	{ "FUTURERELEASE 86400 2030-01-01T00:00:00Z", 0, 0, 0, 86400, 0 },
	{ "FUTURERELEASE", 0, 0, 0, 0, 0 },
	{ "DELIVERBY 240", 0, 0, 0, 0, 240 },
	{ "DELIVERBY", 0, 0, 0, 0, 0 },
	{ "MT-PRIORITY MIXER", 0, 0, 0, 0, 0 },
};

static void
offer(struct caps *c, const char *text)
{
	struct reply r = { .code = 250, .lines = 1 };

	str_puts(&r.text, text);
	caps_parse(c, &r);
	reply_free(&r);
}

void
test_caps(void)
{
	struct caps c = { 0 };
	struct reply r = { 0 };
	struct str text = { 0 };
	size_t i;

	for (i = 0; i < COUNT(offers); i++) {
		str_clear(&text);
		str_printf(
		    &text, "smtp.example.org%s%s", offers[i].lines[0] != '\0' ? "\n" : "", offers[i].lines);
		offer(&c, text.p);
		if (!ok(c.ext == offers[i].ext && c.size == offers[i].size &&
			    strcmp(str_text(&c.mechs), offers[i].mechs) == 0,
			"EHLO announces \"%s\"", offers[i].lines))
			note("found %#x, size %llu, mechanisms \"%s\"", c.ext, (unsigned long long)c.size,
			    str_text(&c.mechs));
	}
	str_free(&text);

	for (i = 0; i < COUNT(numbers); i++) {
		str_clear(&text);
		str_printf(&text, "smtp.example.org\n%s", numbers[i].line);
		offer(&c, text.p);
		if (!ok(c.rcpt_max == numbers[i].rcpt && c.mail_max == numbers[i].mail &&
			    c.domains == numbers[i].domains && c.hold_max == numbers[i].hold &&
			    c.by_min == numbers[i].by,
			"the numbers of \"%s\"", numbers[i].line))
			note("found %llu %llu %llu %llu %llu", (unsigned long long)c.rcpt_max,
			    (unsigned long long)c.mail_max, (unsigned long long)c.domains,
			    (unsigned long long)c.hold_max, (unsigned long long)c.by_min);
	}
	str_free(&text);

	offer(&c, "STARTTLS PIPELINING\nHELP");
	is_number(c.ext, 0, "the first line is a name, whatever it is");
	offer(&c, "x\nAUTH PLAIN LOGIN CRAM-MD5");
	ok(caps_mech(&c, "PLAIN") && caps_mech(&c, "LOGIN") && caps_mech(&c, "CRAM-MD5"),
	    "mechanisms offered");
	ok(!caps_mech(&c, "CRAM") && !caps_mech(&c, "MD5") && !caps_mech(&c, "LAIN") &&
		!caps_mech(&c, "PLAI"),
	    "and parts of their names");
	offer(&c, "x\nHELP");
	ok(c.ext == 0 && c.size == 0 && !caps_mech(&c, "PLAIN"), "what was learned before is forgotten");

	/* a NUL does not hide what follows it, nor does it join words */
	(void)reply_line(&r, BYTES("250-x"));
	(void)reply_line(&r, BYTES("250-AUTH\0PLAIN\0LOGIN"));
	(void)reply_line(&r, BYTES("250-START\0TLS"));
	(void)reply_line(&r, BYTES("250 PIPELINING\0"));
	caps_parse(&c, &r);
	is_number(c.ext, EXT_AUTH | EXT_PIPELINING, "NULs among the keywords");
	is_text(str_text(&c.mechs), " PLAIN LOGIN ", "are blanks");
	reply_free(&r);
	caps_free(&c);
	ok(c.ext == 0 && c.mechs.p == NULL && !caps_mech(&c, "PLAIN"), "freed is empty");
}
