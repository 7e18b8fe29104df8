/*
 * unit_session - tests of sessions and of transactions, with a server whose every word was written down.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "submit.h"
#include "puppet.h"
#include "unit.h"
#include "wait.h"

/* ---- one connection */

struct dialogue {
	struct puppet server;
	bool hangs_up; /* it does, once it has said all */
	struct account account;
	struct credentials cred;
	struct session *session;
};

static char ehlo_name[] = "me.example";

/* What is not set otherwise. */
static void
dialogue_init(struct dialogue *d)
{
	memset(d, 0, sizeof *d);
	d->account.ehlo = ehlo_name;
	d->account.tls = TLS_NONE;
	d->account.partial = d->account.pipelining = true;
	d->account.password_fd = -1;
	d->cred.user = "tim";
	d->cred.host = "smtp.example.org";
	d->cred.port = "25";
	str_puts(&d->cred.secret, "tanstaaftanstaaf");
}

static void
dialogue_start(struct dialogue *d, const char *says, bool auth, const char *peer)
{
	struct session_target to = { .account = &d->account,
		.server = { "smtp.example.org", "25", NULL },
		.cred = auth ? &d->cred : NULL,
		.deadline = wait_until(20000) };
	int fd = puppet_start(&d->server, says, strlen(says), d->hangs_up);

	if (fd == -1)
		exit(1);
	d->session = session_over(stream_new(fd, fd), &to, peer);
}

/* Ends it; what the server was told is in heard. */
static const char *
dialogue_end(struct dialogue *d)
{
	session_close(&d->session);
	puppet_end(&d->server);
	credentials_free(&d->cred);
	return str_text(&d->server.heard);
}

static void
dialogue_free(struct dialogue *d)
{
	str_free(&d->server.heard);
}

#define HI "220 hi\r\n"
#define EHLO "EHLO me.example\r\n"
#define QUIT "QUIT\r\n"
#define LOGINS "250-x\r\n250 AUTH LOGIN PLAIN\r\n"
#define TIM "dGlt"			    /* tim */
#define SECRET "dGFuc3RhYWZ0YW5zdGFhZg=="   /* tanstaaftanstaaf */
#define BOTH "AHRpbQB0YW5zdGFhZnRhbnN0YWFm" /* the example of RFC 4616 */

enum {
	AUTH = 1,
	BY_LOGIN = 2, /* whatever else there is */
	MAY = 4,      /* of `tls`, which is none otherwise */
	NEEDS_TLS = 8,
	NEEDS_VERIFY = 16,
	STRANGER = 32, /* the server is on another machine */
	LOOKALIKE = 64,
	LOOPBACK6 = 128,
};

static const struct {
	const char *name, *says, *hears;
	const char *enhanced;
	int exit;
	unsigned how;
} sessions[] = {
	{ "nothing but a greeting", HI "250 x\r\n", EHLO QUIT, "2.0.0", 0, 0 },
	{ "a long greeting", "220-hi\r\n220-there\r\n220 you\r\n250-x\r\n250 HELP\r\n", EHLO QUIT, "2.0.0",
	    0, 0 },
	{ "busy", "421 4.3.2 busy\r\n", "", "4.3.2", 75, 0 },
	{ "busy, no code", "450 busy\r\n", QUIT, "4.3.2", 75, 0 },
	{ "not for us", "554 go away\r\n", QUIT, "5.3.2", 69, 0 },
	{ "a greeting that is none", "250 ok\r\n", QUIT, "5.5.0", 76, 0 },
	{ "a greeting that asks", "354 go\r\n", QUIT, "5.5.0", 76, 0 },
	{ "silence", "", "", "4.4.2", 75, 0 },
	{ "half a greeting", "220-hi\r\n", "", "4.4.2", 75, 0 },
	{ "another protocol", "* OK IMAP4rev1\r\n", "", "5.5.0", 76, 0 },
	{ "EHLO refused", HI "502 5.5.1 what\r\n250 x\r\n", EHLO "HELO me.example\r\n" QUIT, "2.0.0", 0,
	    0 },
	{ "EHLO and HELO refused", HI "502 what\r\n502 what\r\n", EHLO "HELO me.example\r\n" QUIT, "5.5.1",
	    69, 0 },
	{ "EHLO refused, AUTH wanted", HI "502 5.5.1 what\r\n", EHLO QUIT, "5.5.1", 69, AUTH },
	{ "EHLO refused for now", HI "421 later\r\n", EHLO, "4.5.0", 75, 0 },
	{ "EHLO answered by a question", HI "354 go\r\n", EHLO QUIT, "5.5.0", 76, 0 },
	{ "lost after EHLO", HI, EHLO, "4.4.2", 75, 0 },

	{ "PLAIN", HI LOGINS "235 2.7.0 ok\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT, "2.0.0", 0, AUTH },
	{ "LOGIN", HI LOGINS "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n",
	    EHLO "AUTH LOGIN\r\n" TIM "\r\n" SECRET "\r\n" QUIT, "2.0.0", 0, AUTH | BY_LOGIN },
	{ "LOGIN, no prompts", HI LOGINS "334 \r\n334\r\n235 ok\r\n",
	    EHLO "AUTH LOGIN\r\n" TIM "\r\n" SECRET "\r\n" QUIT, "2.0.0", 0, AUTH | BY_LOGIN },
	{ "AUTH refused", HI LOGINS "535 no\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT, "5.7.8", 77, AUTH },
	{ "AUTH refused for now", HI LOGINS "454 4.7.0 no\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT,
	    "4.7.0", 75, AUTH },
	{ "a new password is needed", HI LOGINS "432 no\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT, "4.7.12",
	    77, AUTH },
	{ "LOGIN refused half way", HI LOGINS "334 VXNlcm5hbWU6\r\n535 5.7.8 no\r\n",
	    EHLO "AUTH LOGIN\r\n" TIM "\r\n" QUIT, "5.7.8", 77, AUTH | BY_LOGIN },
	{ "a challenge that is not base64", HI LOGINS "334 ?!\r\n501 ok\r\n",
	    EHLO "AUTH LOGIN\r\n*\r\n" QUIT, "5.5.0", 76, AUTH | BY_LOGIN },
	{ "a challenge too many", HI LOGINS "334 \r\n501 ok\r\n", EHLO "AUTH PLAIN " BOTH "\r\n*\r\n" QUIT,
	    "5.5.0", 76, AUTH },
	{ "challenges without end", HI LOGINS "334 \r\n334 \r\n334 \r\n334 \r\n334 \r\n",
	    EHLO "AUTH LOGIN\r\n" TIM "\r\n" SECRET "\r\n*\r\n" QUIT, "5.5.0", 76, AUTH | BY_LOGIN },
	{ "AUTH answered by 354", HI LOGINS "354 go\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT, "5.5.0", 76,
	    AUTH },
	{ "lost in AUTH", HI LOGINS, EHLO "AUTH PLAIN " BOTH "\r\n", "4.4.2", 75, AUTH },
	{ "no AUTH offered", HI "250 x\r\n", EHLO QUIT, "5.7.4", 77, AUTH },
	{ "not the AUTH wanted", HI "250-x\r\n250 AUTH PLAIN\r\n", EHLO QUIT, "5.7.4", 77,
	    AUTH | BY_LOGIN },
	{ "AUTH to a stranger", HI LOGINS "235 ok\r\n", EHLO QUIT, "5.7.11", 77, AUTH | STRANGER },
	{ "AUTH to another stranger", HI LOGINS "235 ok\r\n", EHLO QUIT, "5.7.11", 77, AUTH | LOOKALIKE },
	{ "AUTH to this machine", HI LOGINS "235 ok\r\n", EHLO "AUTH PLAIN " BOTH "\r\n" QUIT, "2.0.0", 0,
	    AUTH | LOOPBACK6 },

	{ "no TLS", HI "250 x\r\n", EHLO QUIT, "4.7.4", 75, NEEDS_VERIFY },
	{ "no TLS, and encrypt is enough", HI "250 x\r\n", EHLO QUIT, "4.7.4", 75, NEEDS_TLS },
	{ "no TLS, and none is needed", HI "250 x\r\n", EHLO QUIT, "2.0.0", 0, MAY },
	{ "no TLS, and a password", HI LOGINS "235 ok\r\n", EHLO QUIT, "4.7.4", 75, AUTH | MAY },
	{ "no TLS for now", HI "250-x\r\n250 STARTTLS\r\n454 not now\r\n", EHLO "STARTTLS\r\n" QUIT,
	    "4.7.0", 75, NEEDS_VERIFY },
	{ "TLS answered by 354", HI "250-x\r\n250 STARTTLS\r\n354 go\r\n", EHLO "STARTTLS\r\n" QUIT,
	    "5.5.0", 76, NEEDS_VERIFY },
	{ "input before TLS", HI "250-x\r\n250 STARTTLS\r\n220 go\r\n+250-x\r\n250 AUTH PLAIN\r\n",
	    EHLO "STARTTLS\r\n", "5.5.0", 76, AUTH | NEEDS_VERIFY },
};

void
test_session(void)
{
	static char login[] = "LOGIN";
	struct dialogue d;
	size_t i;

	for (i = 0; i < COUNT(sessions); i++) {
		unsigned how = sessions[i].how;

		dialogue_init(&d);
		d.account.auth = (how & BY_LOGIN) != 0 ? login : NULL;
		d.account.tls = (how & MAY) != 0 ? TLS_MAY
		    : (how & NEEDS_TLS) != 0	 ? TLS_ENCRYPT
		    : (how & NEEDS_VERIFY) != 0	 ? TLS_VERIFY
						 : TLS_NONE;
		dialogue_start(&d, sessions[i].says, (how & AUTH) != 0,
		    (how & STRANGER) != 0	 ? "192.0.2.1"
			: (how & LOOKALIKE) != 0 ? "1127.0.0.1"
			: (how & LOOPBACK6) != 0 ? "::1"
						 : "127.0.0.1");
		is_status(session_status(d.session), sessions[i].enhanced, sessions[i].exit, "%s",
		    sessions[i].name);
		is_text(dialogue_end(&d), sessions[i].hears, "what it hears");
		dialogue_free(&d);
	}
	dialogue_init(&d);
	dialogue_start(&d, HI "250-x\r\n250-SIZE 1000\r\n250 8BITMIME\r\n", false, "127.0.0.1");
	is_number(session_caps(d.session)->ext, EXT_SIZE | EXT_8BITMIME, "what it offers");
	is_number((long long)session_caps(d.session)->size, 1000, "and how much it takes");
	is_text(session_info(d.session)->greeting, "220 hi", "how it greets");
	is_text(session_info(d.session)->peer, "127.0.0.1", "where it is");
	ok(chat_may_send(session_chat(d.session)), "and it may be told something");
	(void)dialogue_end(&d);
	dialogue_free(&d);
}

/* ---- transactions */

#define PIPE HI "250-x\r\n250 PIPELINING\r\n"
#define STEP HI "250 x\r\n"
#define OK "250 2.1.0 ok\r\n"
#define GO "354 go\r\n"
#define QUEUED "250 2.0.0 queued\r\n"
#define MAIL "MAIL FROM:<me@example.org>\r\n"
#define A "RCPT TO:<a@x.example>\r\n"
#define B "RCPT TO:<b@x.example>\r\n"
#define DATA "DATA\r\n"
#define TEXT "S: x\r\n\r\n..\r\nhello\r\n.\r\n"

static const struct {
	const char *name, *says, *hears;
	const char *a, *b; /* what becomes of these recipients; "?" behind it: unknown */
	int exit;
	const char *reply; /* to the end of the message */
	bool all;	   /* or nothing */
} mails[] = {
	{ "accepted", PIPE OK OK OK GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "2.0.0", "2.0.0", 0, "2.0.0",
	    0 },
	{ "accepted in step", STEP OK OK OK GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "2.0.0", "2.0.0", 0,
	    "2.0.0", 0 },
	{ "one refused", PIPE OK "550 5.1.1 no\r\n" OK GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "5.1.1",
	    "2.0.0", 67, "2.0.0", 0 },
	{ "one deferred", STEP OK OK "450 4.2.0 busy\r\n" GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "2.0.0",
	    "4.2.0", 69, "2.0.0", 0 },
	{ "one too many", PIPE OK OK "552 too many\r\n" GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "2.0.0",
	    "0.0.0", 0, "2.0.0", 0 },
	{ "one refused of all", PIPE OK "550 5.1.1 no\r\n" OK, EHLO MAIL A B QUIT, "5.1.1", "", 67, "0.0.0",
	    1 },
	{ "one deferred of all", STEP OK OK "450 4.2.0 busy\r\n", EHLO MAIL A B QUIT, "", "4.2.0", 75,
	    "0.0.0", 1 },
	{ "none refused of all", PIPE OK OK OK GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "2.0.0", "2.0.0", 0,
	    "2.0.0", 1 },
	{ "both refused", PIPE OK "550 5.1.1 no\r\n550 5.7.1 no\r\n554 nobody\r\n", EHLO MAIL A B DATA QUIT,
	    "5.1.1", "5.7.1", 77, "0.0.0", 0 },
	{ "both refused in step", STEP OK "550 5.1.1 no\r\n550 5.7.1 no\r\n", EHLO MAIL A B QUIT, "5.1.1",
	    "5.7.1", 77, "0.0.0", 0 },
	{ "both refused, and 354", PIPE OK "550 5.1.1 no\r\n550 5.7.1 no\r\n" GO "554 nobody\r\n",
	    EHLO MAIL A B DATA ".\r\n" QUIT, "5.1.1", "5.7.1", 77, "0.0.0", 0 },
	{ "sender refused", PIPE "550 5.1.8 no\r\n503 x\r\n503 x\r\n503 x\r\n", EHLO MAIL A B DATA QUIT,
	    "5.1.8", "5.1.8", 65, "0.0.0", 0 },
	{ "sender refused in step", STEP "451 4.3.0 no\r\n", EHLO MAIL QUIT, "4.3.0", "4.3.0", 75, "0.0.0",
	    0 },
	/* an empty message would reach those whom it took */
	{ "sender refused, others not", PIPE "550 5.1.8 no\r\n" OK OK GO "554 x\r\n", EHLO MAIL A B DATA,
	    "5.1.8", "5.1.8", 65, "0.0.0", 0 },
	{ "DATA refused", STEP OK OK OK "451 4.3.0 no\r\n", EHLO MAIL A B DATA QUIT, "4.3.0", "4.3.0", 75,
	    "0.0.0", 0 },
	{ "message refused", PIPE OK OK OK GO "554 5.7.1 spam\r\n", EHLO MAIL A B DATA TEXT QUIT, "5.7.1",
	    "5.7.1", 77, "5.7.1", 0 },
	{ "message refused, one before", PIPE OK "550 5.1.1 no\r\n" OK GO "452 4.3.1 full\r\n",
	    EHLO MAIL A B DATA TEXT QUIT, "5.1.1", "4.3.1", 67, "4.3.1", 0 },
	{ "lost at MAIL", STEP, EHLO MAIL, "4.4.2", "4.4.2", 75, "0.0.0", 0 },
	{ "lost at RCPT", STEP OK OK, EHLO MAIL A B, "4.4.2", "4.4.2", 75, "0.0.0", 0 },
	{ "lost at DATA", STEP OK "550 5.1.1 no\r\n" OK, EHLO MAIL A B DATA, "5.1.1", "4.4.2", 67, "0.0.0",
	    0 },
	{ "lost at the end", STEP OK OK OK GO, EHLO MAIL A B DATA TEXT, "4.4.2?", "4.4.2?", 75, "0.0.0",
	    0 },
	{ "lost at the end, one before", STEP OK "550 5.1.1 no\r\n" OK GO, EHLO MAIL A B DATA TEXT, "5.1.1",
	    "4.4.2?", 67, "0.0.0", 0 },
	{ "rubbish at the end", STEP OK OK OK GO "what?\r\n", EHLO MAIL A B DATA TEXT, "4.5.0?", "4.5.0?",
	    75, "0.0.0", 0 },
	{ "421 at MAIL", STEP "421 4.3.2 bye\r\n", EHLO MAIL, "4.3.2", "4.3.2", 75, "0.0.0", 0 },
	{ "421 at RCPT", STEP OK OK "421 4.3.2 bye\r\n", EHLO MAIL A B, "4.3.2", "4.3.2", 75, "0.0.0", 0 },
	{ "421 at the end", STEP OK OK OK GO "421 4.3.2 bye\r\n", EHLO MAIL A B DATA TEXT, "4.3.2", "4.3.2",
	    75, "4.3.2", 0 },
	{ "354 at MAIL", STEP GO, EHLO MAIL QUIT, "5.5.0", "5.5.0", 76, "0.0.0", 0 },
	{ "354 at RCPT", STEP OK GO OK GO QUEUED, EHLO MAIL A B DATA TEXT QUIT, "5.5.0", "2.0.0", 76,
	    "2.0.0", 0 },
	{ "250 at DATA", STEP OK OK OK OK, EHLO MAIL A B DATA QUIT, "5.5.0", "5.5.0", 76, "0.0.0", 0 },
	{ "354 at the end", STEP OK OK OK GO GO, EHLO MAIL A B DATA TEXT QUIT, "5.5.0", "5.5.0", 76,
	    "5.5.0", 0 },
};

static void
make_message(struct message *m, const char *text)
{
	struct str none = { 0 };
	struct status st;
	struct peer p;

	feed_start(&p, text, strlen(text), 0);
	if (message_open(m, p.fd, false, &st) == -1 || message_finish(m, &none, &st) == -1)
		note("%s", st.text);
	(void)peer_end(&p);
}

static void
became(const struct rcpt *r, const char *wanted, struct str *found)
{
	char buf[16];

	/* nothing wanted: anything but success */
	str_printf(found, "%s%s ",
	    *wanted == '\0' && !status_ok(&r->status) && r->status.class != 0
		? ""
		: status_enhanced(&r->status, buf),
	    r->unknown ? "?" : "");
}

static void
test_mails(void)
{
	struct str found = { 0 }, wanted = { 0 };
	const char *heard;
	struct status reply;
	struct message m;
	struct dialogue d;
	char buf[16];
	size_t i;

	make_message(&m, "S: x\n\n.\nhello\n");
	for (i = 0; i < COUNT(mails); i++) {
		struct envelope e = { .from = xstrdup("me@example.org") };

		envelope_add(&e, "a@x.example");
		envelope_add(&e, "b@x.example");
		dialogue_init(&d);
		dialogue_start(&d, mails[i].says, false, "127.0.0.1");
		submit_batch(d.session, &e, &m, !mails[i].all, true, &reply);
		heard = dialogue_end(&d);
		str_clear(&found);
		became(&e.rcpt[0], mails[i].a, &found);
		became(&e.rcpt[1], mails[i].b, &found);
		str_printf(&found, "exit %d, reply %s", envelope_exit(&e), status_enhanced(&reply, buf));
		str_clear(&wanted);
		str_printf(&wanted, "%s %s exit %d, reply %s", mails[i].a, mails[i].b, mails[i].exit,
		    mails[i].reply);
		is_text(found.p, wanted.p, "%s", mails[i].name);
		is_text(heard, mails[i].hears, "what the server hears");
		dialogue_free(&d);
		envelope_free(&e);
	}
	message_free(&m);
	str_free(&found);
	str_free(&wanted);
}

static const struct {
	const char *name, *offers, *text, *from;
	const char *mail; /* the command, or NULL: it is not sent, and this is why */
	const char *enhanced;
} params[] = {
	{ "SIZE", "SIZE 1000", "S: x\n\nx\n", "me@x", "MAIL FROM:<me@x> SIZE=11\r\n", "2.0.0" },
	{ "SIZE without a limit", "SIZE", "S: x\n\nx\n", "me@x", "MAIL FROM:<me@x> SIZE=11\r\n", "2.0.0" },
	{ "SIZE that just fits", "SIZE 11", "S: x\n\nx\n", "me@x", "MAIL FROM:<me@x> SIZE=11\r\n",
	    "2.0.0" },
	{ "SIZE that does not", "SIZE 10", "S: x\n\nx\n", "me@x", NULL, "5.3.4" },
	{ "SIZE counts no dots twice", "SIZE 12", "S: x\n\n..\n", "me@x", "MAIL FROM:<me@x> SIZE=12\r\n",
	    "2.0.0" },
	{ "8BITMIME", "8BITMIME", "S: x\n\n\303\274\n", "me@x", "MAIL FROM:<me@x> BODY=8BITMIME\r\n",
	    "2.0.0" },
	{ "8BITMIME that is not needed", "8BITMIME", "S: x\n\nx\n", "me@x", "MAIL FROM:<me@x>\r\n",
	    "2.0.0" },
	{ "8BITMIME that is missing", "SIZE", "S: x\n\n\303\274\n", "me@x",
	    "MAIL FROM:<me@x> SIZE=121\r\n", "2.0.0" },
	{ "SIZE of what is sent", "SIZE 100", "S: x\n\n\303\274\n", "me@x", NULL, "5.3.4" },
	{ "8BITMIME that is missing and has to be", "SIZE", "Content-Type: image/x\n\n\303\274\n", "me@x",
	    NULL, "5.6.3" },
	{ "SMTPUTF8", "8BITMIME\r\n250-SMTPUTF8", "S: \303\274\n\nx\n", "me@x",
	    "MAIL FROM:<me@x> BODY=8BITMIME SMTPUTF8\r\n", "2.0.0" },
	{ "SMTPUTF8 that is missing", "8BITMIME", "S: \303\274\n\nx\n", "me@x", "MAIL FROM:<me@x>\r\n",
	    "2.0.0" },
	{ "no sender", "HELP", "S: x\n\nx\n", "", "MAIL FROM:<>\r\n", "2.0.0" },
};

static void
test_params(void)
{
	struct str says = { 0 }, begin = { 0 };
	const char *heard;
	struct status reply;
	struct dialogue d;
	size_t i;

	for (i = 0; i < COUNT(params); i++) {
		struct envelope e = { .from = xstrdup(params[i].from) };
		struct message m;

		envelope_add(&e, "a@x.example");
		make_message(&m, params[i].text);
		str_clear(&says);
		str_printf(&says, HI "250-x\r\n250-%s\r\n250 HELP\r\n" OK OK GO QUEUED, params[i].offers);
		dialogue_init(&d);
		dialogue_start(&d, says.p, false, "127.0.0.1");
		submit_batch(d.session, &e, &m, true, true, &reply);
		heard = dialogue_end(&d);
		is_status(&e.rcpt[0].status, params[i].enhanced, params[i].mail != NULL ? 0 : 65, "%s",
		    params[i].name);
		str_clear(&begin);
		str_printf(&begin, EHLO "%s", params[i].mail != NULL ? params[i].mail : QUIT);
		ok(strncmp(heard, begin.p, begin.len) == 0 &&
			(params[i].mail != NULL || strlen(heard) == begin.len),
		    "the server hears %s", begin.p);
		dialogue_free(&d);
		envelope_free(&e);
		message_free(&m);
	}
	str_free(&says);
	str_free(&begin);
}

/* Yes to a message that was never sent is not a yes: it comes with the 354, and nobody reads on. */
static void
test_hasty(void)
{
	struct envelope e = { .from = xstrdup("me@x") };
	struct str text = { 0 };
	struct status reply;
	struct message m;
	struct dialogue d;

	str_puts(&text, "S: x\n\n");
	while (text.len < 4 * 1024 * 1024)
		str_puts(&text, "a line of text\n");
	make_message(&m, text.p);
	envelope_add(&e, "a@x.example");
	dialogue_init(&d);
	d.hangs_up = true;
	dialogue_start(&d, STEP OK OK GO "+" QUEUED, false, "127.0.0.1");
	submit_batch(d.session, &e, &m, true, true, &reply);
	(void)dialogue_end(&d);
	dialogue_free(&d);
	if (!ok(!status_ok(&e.rcpt[0].status) && e.rcpt[0].status.class != 0,
		"a yes to a message that could not be sent is none"))
		note("%s", e.rcpt[0].status.text);
	envelope_free(&e);
	message_free(&m);
	str_free(&text);
}

/* A session whose connection was given up is not for the next message, whatever it says of itself. */
static void
test_dead_link(void)
{
	struct envelope e = { .from = xstrdup("me@x") };
	struct submission sub;
	struct message m;
	struct dialogue d;
	struct link l;

	make_message(&m, "S: x\n\n");
	envelope_add(&e, "a@x.example");
	dialogue_init(&d);
	strings_add(&d.account.server, "lmtp:///nowhere/at/all");
	/* MAIL is refused, and the message wanted all the same */
	dialogue_start(&d, PIPE "550 5.7.1 no\r\n" OK GO, false, "127.0.0.1");
	link_init(&l, &d.account);
	l.session = d.session;
	d.session = NULL;
	submit(&l, &e, &m, false, &sub);
	is_status(&e.rcpt[0].status, "5.7.1", 77, "what was said of the sender counts");
	ok(link_up(&l) == NULL, "the connection is not used any more");
	is_status(&l.st, "4.4.1", 75, "but a new one is tried");
	link_free(&l);
	(void)dialogue_end(&d);
	submission_free(&sub);
	strings_free(&d.account.server);
	dialogue_free(&d);
	envelope_free(&e);
	message_free(&m);
}

void
test_mail(void)
{
	test_mails();
	test_params();
	test_hasty();
	test_dead_link();
}
