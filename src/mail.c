/*
 * mail - one transaction: MAIL, RCPT..., the message, and what became of everybody.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mail.h"
#include "progress.h"
#include "say.h"
#include "wait.h"

/* How long a signal waits for the answer to a message that was sent. */
#define ANSWER_MS 10000

/* What is sent on the chance that it is refused: a message of so many octets, ... */
#define RISKED_MAX 65536
/* ... and QUIT, with so many recipients, whom every server takes (RFC 5321 4.5.3.1.8). */
#define RECIPIENTS_GOOD 100

void
mail_start(struct mail *t, struct session *s, struct envelope *e, const struct content *c)
{
	memset(t, 0, sizeof *t);
	t->session = s;
	t->chat = session_chat(s);
	t->e = e;
	t->content = *c;
}

/* May BDAT be said where DATA could be? */
static bool
has_chunking(const struct mail *t)
{
	return (session_caps(t->session)->ext & EXT_CHUNKING) != 0;
}

bool
mail_content(struct mail *t, const struct form *f, bool partial, bool last)
{
	t->form = f;
	t->last = last;
	/* with LMTP it would not be known how many replies are due */
	t->chunk = t->sent == 0 && (partial || t->e->n == 1) && t->chat->pipelining &&
	    has_chunking(t) && !session_lmtp(t->session) && form_size(f) <= RISKED_MAX;
	return t->chunk;
}

/* ---- commands */

static bool
is_message(const struct mail *t, size_t i)
{
	return i > t->e->n;
}

static void
show_message(const struct mail *t, const char *what)
{
	struct str line = { 0 };

	if (!say_dialogue_on())
		return;
	str_printf(&line, "<%s, %" PRIdMAX " octets>", what, (intmax_t)form_size(t->form));
	say_line('C', line.p, line.len);
	str_free(&line);
}

/* Could the session be used for another one behind this? Those who were too many go on there. */
static bool
may_quit(const struct mail *t)
{
	return t->last && t->chat->pipelining &&
	    (t->answered > t->e->n ? mail_is_last(t) : t->e->n <= RECIPIENTS_GOOD);
}

static void
send_chunk(struct mail *t)
{
	unsigned replies = session_lmtp(t->session) && t->accepted > 1 ? (unsigned)t->accepted : 1;
	struct stream *stream;
	struct status st;

	chat_send(t->chat, PH_END, "BDAT %" PRIdMAX " LAST", (intmax_t)form_size(t->form));
	stream = chat_body(t->chat, PH_BODY, replies - 1);
	show_message(t, "chunk");
	/* one behind others goes in their time */
	if (!t->reset)
		progress_begin(stream, (uint64_t)form_size(t->form));
	/* a chunk that is announced and does not come must not be followed by anything else */
	if (message_send_plain(t->form, stream, &st) == 0)
		t->end = stream_mark(stream);
	else
		(void)stream_fail(stream, &st);
	if (may_quit(t))
		chat_send(t->chat, PH_QUIT, "QUIT");
}

static void
send_command(struct mail *t, size_t i)
{
	struct str params = { 0 };

	if (is_message(t, i)) {
		if (t->chunk)
			send_chunk(t);
		else
			chat_send(t->chat, PH_DATA, "DATA");
	} else if (i > 0) {
		params_rcpt(&params, t->e, &t->e->rcpt[i - 1]);
		chat_send(
		    t->chat, PH_RCPT, "RCPT TO:<%s>%s", t->e->rcpt[i - 1].to, str_text(&params));
	} else {
		if (t->reset)
			chat_send(t->chat, PH_RSET, "RSET");
		t->resetting = t->reset;
		params_mail(&params, t->e, &t->content, session_caps(t->session));
		chat_send(t->chat, PH_MAIL, "MAIL FROM:<%s>%s", t->e->from, str_text(&params));
	}
	str_free(&params);
}

/* The reply to command i has come. */
static void
hear(struct mail *t, size_t i, struct status *st)
{
	bool intermediate = st->class == 3;

	if (is_message(t, i)) {
		t->go = intermediate;
		if (t->go)
			return;
		if (st->class == 2)
			(void)chat_out_of_step(PH_DATA, st);
		envelope_settle(t->e, st);
		return;
	}
	if (intermediate)
		(void)chat_out_of_step(i == 0 ? PH_MAIL : PH_RCPT, st);
	if (i == 0) {
		t->open = status_ok(st);
		if (!status_ok(st)) {
			envelope_settle(t->e, st);
			t->stop = true;
		}
	} else if (status_ok(st))
		t->accepted++;
	else if (!t->stop) { /* after a refused MAIL, what is said of recipients decides nothing */
		t->e->rcpt[i - 1].status = *st;
		t->refused++;
	}
}

/* Send what may be sent of the commands numbered below n. */
static void
send_ahead(struct mail *t, size_t n)
{
	while (t->sent < n && !t->stop && chat_may_send(t->chat)) {
		/* in step with the server, a message for nobody can still be spared */
		if (is_message(t, t->sent) && t->answered == t->sent && t->accepted == 0)
			t->stop = true;
		else
			send_command(t, t->sent++);
	}
}

int
mail_upto(struct mail *t, size_t n)
{
	struct status st;

	while (t->answered < n) {
		send_ahead(t, n);
		if (t->answered == t->sent)
			return 0;
		if (chat_reply(t->chat, &st) == -1) {
			if (t->resetting)
				st.phase = PH_MAIL; /* nothing of this one was answered */
			envelope_settle(t->e, &st);
			return -1;
		}
		if (t->resetting)
			t->resetting = false;
		else
			hear(t, t->answered++, &st);
	}
	return 0;
}

void
mail_abort(struct mail *t)
{
	struct status st;

	if (t->open && t->chat->st.class == 2)
		(void)chat_ask(t->chat, PH_RSET, &st, "RSET");
	t->open = false;
}

bool
mail_too_many(const struct rcpt *r)
{
	const struct status *st = &r->status;

	return st->phase == PH_RCPT && st->code != 0 && st->class == 4 && st->subject == 5 &&
	    st->detail == 3;
}

/* ---- the message */

/*
 * An answer that is here before the final dot is not one to the message: a yes is a server out of
 * step, a no may be believed, and either way the message must not be completed.
 */
static bool
answered_early(struct mail *t, struct stream *stream, struct status *st)
{
	if (stream_status(stream)->class != 0 || stream_look(stream) == 0)
		return false;
	if (chat_reply(t->chat, st) == 0 && st->class < 4)
		(void)chat_out_of_step(PH_END, st);
	return true;
}

/* 354 was said and nothing is to be sent: whatever comes now must not deliver an empty message. */
static void
nothing_to_send(struct mail *t, struct stream *stream)
{
	struct status st;

	if (t->accepted > 0) {
		/* MAIL was refused, and still there are recipients: an empty message would reach
		 * them */
		status_set(&st, PH_DATA, 5, 5, 0, "the server refused MAIL and wants the message");
		(void)stream_fail(stream, &st);
		return;
	}
	/* although nobody is there to get it: end it empty (RFC 2920 3.1) */
	say_line('C', ".", 1);
	stream_put(stream, ".\r\n", 3);
	(void)chat_reply(t->chat, &st);
}

/* The server is lost, and it may have the whole message: nobody can tell. */
static void
left_open(struct mail *t, struct status *st)
{
	struct status why = *st;
	const char *signal = wait_signal();
	size_t i;

	status_set(st, PH_END, 4, why.subject, why.detail,
	    "%s%.300s after the end of the message: it may have been delivered",
	    signal != NULL ? "interrupted by " : "", signal != NULL ? signal : why.text);
	for (i = 0; i < t->e->n; i++)
		if (t->e->rcpt[i].status.class == 0)
			t->e->rcpt[i].unknown = true;
}

/*
 * The final dot is sent (`whole`: and has left). One reply decides for everybody who is left, or
 * with LMTP one for each, in the order of their RCPTs.
 */
static void
hear_the_end(struct mail *t, bool whole, struct status *reply)
{
	bool each = session_lmtp(t->session);
	struct status st;
	size_t i;

	for (i = 0; i < t->e->n; i++) {
		if (t->e->rcpt[i].status.class != 0)
			continue;
		if (chat_reply(t->chat, &st) == -1) {
			/* a server that had taken its leave before has not read it */
			if (whole && (each || t->chat->st.code != 421))
				left_open(t, &st);
			each = false;
		} else {
			/* a yes to what it has not read is none, whatever it stands for */
			if (st.class == 3 || (st.class == 2 && !whole))
				(void)chat_out_of_step(PH_END, &st);
			*reply = st;
			/* after a chunk that failed RSET is due (RFC 3030 2) */
			t->open = t->chunk && !status_ok(&st);
		}
		if (!each)
			break;
		t->e->rcpt[i].status = st;
	}
	envelope_settle(t->e, &st);
}

bool
mail_is_last(const struct mail *t)
{
	size_t i;

	for (i = 0; i < t->e->n; i++)
		if (mail_too_many(&t->e->rcpt[i]))
			return false;
	return true;
}

/* DATA was said. */
static bool
send_after_data(struct mail *t)
{
	struct stream *stream;
	struct status st;

	if (mail_upto(t, t->e->n + 2) == -1 || !t->go)
		return false;
	stream = chat_body(t->chat, PH_BODY,
	    session_lmtp(t->session) && t->accepted > 0 ? (unsigned)t->accepted : 1);
	if (t->chat->st.class != 2) {
		envelope_settle(t->e, &t->chat->st);
		return false;
	}
	if (t->accepted == 0 || t->stop) {
		nothing_to_send(t, stream);
		return false;
	}
	show_message(t, "message");
	progress_begin(stream, (uint64_t)form_size(t->form));
	if (message_send(t->form, stream, &st) == -1 || answered_early(t, stream, &st)) {
		progress_end();
		/* the connection must go before the server takes the half for the whole */
		(void)stream_fail(stream, &st);
		envelope_settle(t->e, &st);
		return false;
	}
	stream_put(stream, ".\r\n", 3);
	t->end = stream_mark(stream);
	if (may_quit(t))
		chat_send(t->chat, PH_QUIT, "QUIT");
	return true;
}

bool
mail_send(struct mail *t)
{
	struct status st;

	/* where all is heard, and DATA was not said, the message needs no permission of its own */
	if (!t->chat->pipelining && has_chunking(t) && mail_upto(t, t->e->n + 1) == -1)
		return false;
	if (t->sent == t->e->n + 1 && t->answered == t->sent && has_chunking(t))
		t->chunk = true;
	if (!t->chunk)
		return send_after_data(t);
	if (wait_asked()) {
		status_set(
		    &st, PH_BODY, 4, 3, 0, "interrupted by %s; nothing was sent", wait_signal());
		envelope_settle(t->e, &st);
		return false;
	}
	send_ahead(t, t->e->n + 2);
	return t->sent == t->e->n + 2;
}

/* The server is lost before all of a transaction was heard whose message is sent. */
static void
lost_in_between(struct mail *t, bool whole, struct status *st)
{
	if (t->chat->st.code == 421) {
		/* nothing that came behind that was read: another session may have all of it */
		if (t->answered == 0)
			return;
	} else if (whole)
		left_open(t, st);
	else
		st->phase = PH_DATA; /* the message cannot have been accepted */
	envelope_settle(t->e, st);
}

/* The replies to what was sent before the message; 0, or -1: the session is lost. */
static int
hear_commands(struct mail *t, bool whole)
{
	struct status st;

	if (t->resetting && chat_reply(t->chat, &st) == -1) {
		lost_in_between(t, whole, &st);
		return -1;
	}
	t->resetting = false;
	while (t->answered < t->e->n + 1) {
		if (chat_reply(t->chat, &st) == -1) {
			lost_in_between(t, whole, &st);
			return -1;
		}
		hear(t, t->answered++, &st);
	}
	return 0;
}

void
mail_hear(struct mail *t, struct status *reply)
{
	struct status st;
	bool whole;

	(void)stream_flush(t->chat->stream);
	progress_sent();
	whole = stream_passed(t->chat->stream, t->end);
	if (whole)
		wait_finish(ANSWER_MS); /* the truth is worth a few seconds */
	if (hear_commands(t, whole) == 0) {
		if (t->accepted > 0 && !t->stop)
			hear_the_end(t, whole, reply);
		else /* it went to nobody, and what is said of that decides nothing */
			(void)chat_reply(t->chat, &st);
	}
	progress_end();
	wait_finish(0);
}

void
mail_ahead(struct mail *t)
{
	send_ahead(t, t->e->n + 2);
}

void
mail_body(struct mail *t, struct status *reply)
{
	memset(reply, 0, sizeof *reply);
	if (mail_send(t))
		mail_hear(t, reply);
}

/* Nobody unless everybody (partial no): 0 when all recipients were accepted. */
static int
all_accepted(struct mail *t)
{
	bool lost = mail_upto(t, t->e->n + 1) == -1 || t->stop, for_good = false;
	struct status st;
	size_t i;

	if (t->refused == 0)
		return lost ? -1 : 0;
	for (i = 0; i < t->e->n; i++)
		for_good |= t->e->rcpt[i].status.class == 5;
	status_set(&st, PH_DATA, for_good ? 5 : 4, 0, 0,
	    "not sent, as another recipient was refused (partial no)");
	st.exit = (unsigned char)envelope_exit(t->e); /* those who were refused decide */
	envelope_settle(t->e, &st);
	/* nor may a later try reach those who had to wait, when it cannot reach all */
	for (i = 0; for_good && i < t->e->n; i++)
		if (status_retry(&t->e->rcpt[i].status))
			t->e->rcpt[i].status = st;
	return -1;
}

void
mail_submit(struct session *s, struct envelope *e, const struct form *f, const struct content *c,
    bool partial, bool last, struct status *reply)
{
	struct mail t;

	memset(reply, 0, sizeof *reply);
	mail_start(&t, s, e, c);
	if (mail_content(&t, f, partial, last) || partial || all_accepted(&t) == 0)
		mail_body(&t, reply);
	if (!last)
		mail_abort(&t);
}
