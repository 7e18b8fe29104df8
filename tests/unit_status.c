/*
 * unit_status - tests of status and envelope: codes, and what a process ends with because of them.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "envelope.h"
#include "unit.h"

static void
test_parse(void)
{
	static const struct {
		const char *text;
		size_t len;
		unsigned class, subject, detail;
	} rows[] = {
		{ "5.1.1 unknown user", 5, 5, 1, 1 },
		{ "2.0.0", 5, 2, 0, 0 },
		{ "4.7.12\tpassword", 6, 4, 7, 12 },
		{ "5.1.10\nsecond line", 6, 5, 1, 10 },
		{ "5.999.999 ok", 9, 5, 999, 999 },
		{ "4.0.0 ", 5, 4, 0, 0 },
		{ "", 0, 0, 0, 0 },
		{ "5", 0, 0, 0, 0 },
		{ "5.1", 0, 0, 0, 0 },
		{ "5.1.", 0, 0, 0, 0 },
		{ "5..1 x", 0, 0, 0, 0 },
		{ ".1.1 x", 0, 0, 0, 0 },
		{ "5.1.1.1 x", 0, 0, 0, 0 }, /* an address */
		{ "5.1.1: x", 0, 0, 0, 0 },
		{ "5.1.1, x", 0, 0, 0, 0 },
		{ "5.1.1x", 0, 0, 0, 0 },
		{ "5.1000.1 x", 0, 0, 0, 0 },
		{ "5.1.1000 x", 0, 0, 0, 0 },
		{ "1.0.0 x", 0, 0, 0, 0 },
		{ "3.0.0 x", 0, 0, 0, 0 },
		{ "6.0.0 x", 0, 0, 0, 0 },
		{ "55.1.1 x", 0, 0, 0, 0 },
		{ " 5.1.1 x", 0, 0, 0, 0 },
		{ "-5.1.1 x", 0, 0, 0, 0 },
		{ "5.-1.1 x", 0, 0, 0, 0 },
		{ "5.1.+1 x", 0, 0, 0, 0 },
		{ "#5.1.1 x", 0, 0, 0, 0 },
		{ "<bob@example.org> unknown", 0, 0, 0, 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct status st = { .class = 9, .subject = 8, .detail = 7 };
		size_t n = status_parse(rows[i].text, &st);
		bool good = n == rows[i].len;

		if (rows[i].len > 0)
			good = good && st.class == rows[i].class && st.subject == rows[i].subject &&
			    st.detail == rows[i].detail;
		else
			good = good && st.class == 9 && st.subject == 8 && st.detail == 7;
		ok(good, "enhanced code of \"%s\"", rows[i].text);
	}
}

static void
test_set(void)
{
	struct status st;
	char long_text[1000], buf[16];

	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	is_number(status_set(&st, PH_RCPT, 5, 1, 1, "no %s\r\n\033", "user"), -1, "saying why is leaving");
	is_text(st.text, "no user\\r\\n^[", "the text is printable");
	ok(st.phase == PH_RCPT && st.code == 0 && st.exit == 0, "phase, and nothing else");
	status_set(&st, PH_LOCAL, 5, 3, 5, "%s", long_text);
	ok(strlen(st.text) == sizeof st.text - 1, "a long text is cut to fit");
	st.class = 255;
	st.subject = st.detail = 65535;
	is_text(status_enhanced(&st, buf), "255.65535.65535", "the largest code fits its buffer");
	status_set(&st, PH_LOCAL, 5, 1, 1, "%s", "");
	is_text(st.text, "", "there may be no text");

	errno = ENOSPC;
	is_number(status_errno(&st, PH_LOCAL, "cannot write %s", "it"), -1, "a failed call");
	is_status(&st, "4.3.1", 75, "no space");
	is_in(st.text, "cannot write it: No space left", "with the words of the system");
	errno = EFBIG;
	status_errno(&st, PH_LOCAL, "x");
	is_status(&st, "4.3.1", 75, "a file too large");
	errno = EIO;
	status_errno(&st, PH_LOCAL, "x");
	is_status(&st, "4.3.0", 75, "any other trouble");
	ok(!status_ok(&st) && status_retry(&st), "and it may go well later");
}

static void
test_scope(void)
{
	static const enum scope scopes[PH_COUNT] = {
		[PH_LOCAL] = SC_MESSAGE,
		[PH_CONNECT] = SC_SESSION,
		[PH_GREETING] = SC_SESSION,
		[PH_EHLO] = SC_SESSION,
		[PH_STARTTLS] = SC_SESSION,
		[PH_TLS] = SC_SESSION,
		[PH_AUTH] = SC_SESSION,
		[PH_MAIL] = SC_MESSAGE,
		[PH_RCPT] = SC_RECIPIENT,
		[PH_DATA] = SC_MESSAGE,
		[PH_BODY] = SC_MESSAGE,
		[PH_END] = SC_MESSAGE,
		[PH_RSET] = SC_MESSAGE,
		[PH_QUIT] = SC_MESSAGE,
	};
	int ph;

	for (ph = 0; ph < PH_COUNT; ph++) {
		struct status st = { .phase = (enum phase)ph };

		is_number(status_scope(&st), scopes[ph], "whom %s strikes", phase_name((enum phase)ph));
	}
}

/* What we say ourselves: step, code, exit code. */
static const struct {
	const char *what;
	enum phase phase;
	unsigned class, subject, detail;
	int exit;
} local[] = {
	{ "usage", PH_LOCAL, 5, 5, 4, 64 },
	{ "no recipient", PH_LOCAL, 5, 5, 1, 64 },
	{ "configuration", PH_LOCAL, 5, 3, 5, 78 },
	{ "no secret", PH_LOCAL, 5, 7, 0, 78 },
	{ "no secret for now", PH_LOCAL, 4, 7, 0, 75 },
	{ "no message file", PH_LOCAL, 5, 3, 0, 66 },
	{ "input cannot be read", PH_LOCAL, 4, 3, 0, 75 },
	{ "bad recipient", PH_LOCAL, 5, 1, 3, 65 },
	{ "bad sender", PH_LOCAL, 5, 1, 7, 65 },
	{ "bad message", PH_LOCAL, 5, 6, 0, 65 },
	{ "8-bit text, no 8BITMIME", PH_MAIL, 5, 6, 3, 65 },
	{ "address needs SMTPUTF8", PH_LOCAL, 5, 6, 7, 65 },
	{ "address needs SMTPUTF8, not offered", PH_MAIL, 5, 6, 7, 65 },
	{ "header needs SMTPUTF8, not offered", PH_MAIL, 5, 6, 9, 65 },
	{ "larger than SIZE", PH_MAIL, 5, 3, 4, 65 },
	{ "an extension is missing", PH_MAIL, 5, 3, 3, 69 },
	{ "REQUIRETLS is missing", PH_MAIL, 5, 7, 30, 69 },
	{ "no memory", PH_LOCAL, 4, 3, 0, 75 },
	{ "disk full", PH_LOCAL, 4, 3, 1, 75 },
	{ "no such host", PH_CONNECT, 5, 4, 4, 68 },
	{ "resolver fails", PH_CONNECT, 4, 4, 3, 75 },
	{ "connection refused", PH_CONNECT, 4, 4, 1, 75 },
	{ "a proxy that speaks rubbish", PH_CONNECT, 5, 4, 0, 69 },
	{ "not SMTP", PH_GREETING, 5, 5, 0, 76 },
	{ "malformed reply to EHLO", PH_EHLO, 5, 5, 0, 76 },
	{ "input before TLS", PH_STARTTLS, 5, 5, 0, 76 },
	{ "malformed reply to AUTH", PH_AUTH, 5, 5, 0, 76 },
	{ "malformed reply to MAIL", PH_MAIL, 5, 5, 0, 76 },
	{ "malformed reply to RCPT", PH_RCPT, 5, 5, 0, 76 },
	{ "malformed reply to DATA", PH_DATA, 5, 5, 0, 76 },
	{ "malformed reply to the message", PH_END, 5, 5, 0, 76 },
	{ "connection lost", PH_MAIL, 4, 4, 2, 75 },
	{ "reply to the message lost", PH_END, 4, 4, 2, 75 },
	{ "TLS not offered", PH_TLS, 4, 7, 4, 75 },
	{ "handshake fails", PH_TLS, 4, 7, 5, 75 },
	{ "TLS cannot be set up", PH_TLS, 5, 3, 5, 78 },
	{ "no AUTH offered", PH_AUTH, 5, 7, 4, 77 },
	{ "AUTH without TLS", PH_AUTH, 5, 7, 11, 77 },
	{ "server does not prove itself", PH_AUTH, 5, 7, 5, 76 },
	{ "accepted", PH_END, 2, 0, 0, 0 },
};

/* What a server says, with its code there. The codes that its replies imply are tested with replies. */
static const struct {
	enum phase phase;
	unsigned code, class, subject, detail;
	int exit;
} server[] = {
	{ PH_GREETING, 421, 4, 3, 2, 75 },
	{ PH_GREETING, 554, 5, 3, 2, 69 },
	{ PH_GREETING, 554, 5, 7, 1, 69 },
	{ PH_EHLO, 502, 5, 5, 1, 69 },
	{ PH_EHLO, 421, 4, 5, 0, 75 },
	{ PH_STARTTLS, 454, 4, 7, 0, 75 },
	{ PH_AUTH, 535, 5, 7, 8, 77 },
	{ PH_AUTH, 534, 5, 7, 9, 77 },
	{ PH_AUTH, 530, 5, 7, 0, 77 },
	{ PH_AUTH, 504, 5, 5, 4, 77 },
	{ PH_AUTH, 454, 4, 7, 0, 75 },
	{ PH_AUTH, 432, 4, 7, 12, 77 },
	{ PH_MAIL, 451, 4, 0, 0, 75 },
	{ PH_MAIL, 550, 5, 1, 7, 65 },
	{ PH_MAIL, 550, 5, 1, 8, 65 },
	{ PH_MAIL, 501, 5, 5, 4, 65 },
	{ PH_MAIL, 552, 5, 3, 4, 65 },
	{ PH_MAIL, 530, 5, 7, 0, 77 },
	{ PH_MAIL, 550, 5, 7, 1, 77 },
	{ PH_MAIL, 550, 5, 0, 0, 69 },
	{ PH_MAIL, 550, 5, 1, 0, 69 },
	{ PH_RCPT, 450, 4, 2, 0, 75 },
	{ PH_RCPT, 452, 4, 5, 3, 75 },
	{ PH_RCPT, 550, 5, 1, 1, 67 },
	{ PH_RCPT, 501, 5, 1, 3, 67 },
	{ PH_RCPT, 551, 5, 1, 6, 67 },
	{ PH_RCPT, 556, 5, 1, 10, 67 },
	{ PH_RCPT, 550, 5, 2, 1, 67 },
	{ PH_RCPT, 552, 5, 2, 2, 67 },
	{ PH_RCPT, 550, 5, 1, 2, 68 },
	{ PH_RCPT, 550, 5, 4, 4, 68 },
	{ PH_RCPT, 550, 5, 7, 1, 77 },
	{ PH_RCPT, 550, 5, 0, 0, 69 },
	{ PH_RCPT, 550, 5, 1, 0, 69 },
	{ PH_RCPT, 550, 5, 4, 1, 69 },
	{ PH_RCPT, 503, 5, 5, 1, 69 },
	{ PH_DATA, 451, 4, 0, 0, 75 },
	{ PH_DATA, 554, 5, 0, 0, 69 },
	{ PH_DATA, 554, 5, 7, 1, 77 },
	{ PH_DATA, 503, 5, 5, 1, 69 },
	{ PH_END, 451, 4, 3, 0, 75 },
	{ PH_END, 552, 5, 3, 4, 65 },
	{ PH_END, 552, 5, 2, 3, 65 },
	{ PH_END, 554, 5, 6, 0, 65 },
	{ PH_END, 550, 5, 7, 1, 77 },
	{ PH_END, 554, 5, 0, 0, 69 },
	{ PH_END, 552, 5, 2, 2, 69 },
	{ PH_END, 250, 2, 0, 0, 0 },
};

static void
test_exit(void)
{
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(local); i++) {
		status_set(&st, local[i].phase, local[i].class, local[i].subject, local[i].detail, "x");
		is_number(status_exit(&st), local[i].exit, "exit code of %u.%u.%u at %s: %s",
		    local[i].class, local[i].subject, local[i].detail, phase_name(local[i].phase),
		    local[i].what);
	}
	for (i = 0; i < COUNT(server); i++) {
		status_set(&st, server[i].phase, server[i].class, server[i].subject, server[i].detail, "x");
		st.code = (unsigned short)server[i].code;
		is_number(status_exit(&st), server[i].exit, "exit code of %u %u.%u.%u to %s",
		    server[i].code, server[i].class, server[i].subject, server[i].detail,
		    phase_name(server[i].phase));
	}
	status_set(&st, PH_LOCAL, 5, 1, 3, "no domain");
	st.exit = 67;
	is_number(status_exit(&st), 67, "an exit code of its own goes first");
}

static void
test_hint(void)
{
	struct status st;

	status_set(&st, PH_AUTH, 5, 7, 8, "535 no");
	ok(status_hint(&st) == NULL, "our own words need no hint");
	st.code = 535;
	is_in(status_hint(&st) != NULL ? status_hint(&st) : "", "password", "a refused login");
	status_set(&st, PH_RCPT, 5, 7, 1, "550 relaying denied");
	st.code = 550;
	is_in(status_hint(&st) != NULL ? status_hint(&st) : "", "relay", "a refused relay");
	status_set(&st, PH_RCPT, 5, 1, 1, "550 unknown");
	st.code = 550;
	ok(status_hint(&st) == NULL, "an unknown user is nothing to set");
}

void
test_status(void)
{
	test_parse();
	test_set();
	test_scope();
	test_exit();
	test_hint();
}

/* ---- envelope */

/* What a server said of up to four recipients, and the exit code. */
static const struct {
	const char *outcomes[4];
	int exit;
} mixes[] = {
	{ { "2.0.0" }, 0 },
	{ { "2.0.0", "2.6.0", "2.1.5" }, 0 },
	{ { "4.2.0" }, 75 },
	{ { "4.2.0", "4.5.3" }, 75 },
	{ { "4.2.0", "2.0.0" }, 69 }, /* never 75 when somebody has it */
	{ { "4.2.0", "2.0.0", "4.5.3", "2.0.0" }, 69 },
	{ { "5.1.1" }, 67 },
	{ { "5.1.1", "2.0.0" }, 67 },
	{ { "5.1.1", "4.2.0" }, 67 },
	{ { "5.1.1", "4.2.0", "2.0.0" }, 67 },
	{ { "5.1.1", "5.1.2" }, 68 },
	{ { "5.1.1", "5.1.2", "5.7.1", "5.0.0" }, 77 },
	{ { "5.7.1", "4.2.0", "2.0.0" }, 77 },
	{ { "5.0.0", "4.2.0" }, 69 },
	{ { "4.7.12", "4.2.0" }, 77 },
	{ { "4.7.12", "2.0.0" }, 77 },
};

static int
exit_of(const char *const outcomes[4], const size_t order[4], size_t n)
{
	struct envelope e = { 0 };
	char to[40];
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		(void)snprintf(to, sizeof to, "user%zu@example.org", i);
		envelope_add(&e, to);
		e.rcpt[i].status.phase = PH_RCPT;
		e.rcpt[i].status.code = 500;
		(void)status_parse(outcomes[order[i]], &e.rcpt[i].status);
	}
	r = envelope_exit(&e);
	envelope_free(&e);
	return r;
}

/* All orders of the first n of 0..3; the exit code of each must be that of the first. */
static bool
all_orders(const char *const outcomes[4], size_t order[4], size_t at, size_t n, int wanted)
{
	bool good = true;
	size_t i, t;

	if (at == n)
		return exit_of(outcomes, order, n) == wanted;
	for (i = at; i < n; i++) {
		t = order[at], order[at] = order[i], order[i] = t;
		good = all_orders(outcomes, order, at + 1, n, wanted) && good;
		t = order[at], order[at] = order[i], order[i] = t;
	}
	return good;
}

static void
test_mixes(void)
{
	size_t i;

	for (i = 0; i < COUNT(mixes); i++) {
		const char *const *o = mixes[i].outcomes;
		size_t n = 0, order[4] = { 0, 1, 2, 3 };

		while (n < 4 && o[n] != NULL)
			n++;
		is_number(exit_of(o, order, n), mixes[i].exit, "exit code of %s %s %s %s",
		    n > 0 ? o[0] : "", n > 1 ? o[1] : "", n > 2 ? o[2] : "", n > 3 ? o[3] : "");
		ok(all_orders(o, order, 0, n, mixes[i].exit), "in whatever order");
	}
}

void
test_envelope(void)
{
	struct envelope e = { 0 };
	struct status st;

	test_mixes();
	is_number(envelope_exit(&e), 0, "nobody has failed where there is nobody");
	envelope_add(&e, "bob@example.org");
	envelope_add(&e, "bob@EXAMPLE.org");
	envelope_add(&e, "bob@example.org");
	is_number((long long)e.n, 1, "the same address is there once, the case of the domain counts not");
	envelope_add(&e, "Bob@example.org");
	is_number((long long)e.n, 2, "the case of the local part does");
	envelope_add(&e, "bob@example.com");
	envelope_add(&e, "\"bob@example.org\"@example.org");
	is_number((long long)e.n, 4, "others are others");

	status_set(&st, PH_RCPT, 5, 1, 1, "first");
	e.rcpt[1].status = st;
	status_set(&st, PH_END, 2, 0, 0, "second");
	envelope_settle(&e, &st);
	ok(e.rcpt[0].status.class == 2 && e.rcpt[1].status.class == 5 && e.rcpt[3].status.class == 2,
	    "who is decided stays so");
	is_number((long long)envelope_accepted(&e), 3, "how many got it");
	status_set(&st, PH_END, 4, 0, 0, "third");
	envelope_settle(&e, &st);
	is_number((long long)envelope_accepted(&e), 3, "and that does not change any more");
	envelope_free(&e);
	ok(e.n == 0 && e.rcpt == NULL && e.from == NULL, "freed is empty");
}
