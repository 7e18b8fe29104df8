/*
 * mail - one transaction: MAIL, RCPT..., DATA, the message, and what became of everybody.
 *
 * Commands are numbered: 0 is MAIL, 1..n are the RCPTs, n+1 is DATA. One cursor sends, one hears;
 * whether the server pipelines decides only how far apart they may be.
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
#include "say.h"
#include "wait.h"

/* How long a signal waits for the answer to a message that was sent. */
#define ANSWER_MS 10000

struct mail {
	struct chat *chat;
	const struct caps *caps;
	struct envelope *e;
	struct message *m;
	const struct form *form; /* of it, for this server */
	size_t sent, answered;
	size_t accepted; /* RCPTs answered with 2xx */
	size_t refused;
	bool stop; /* nothing that is not yet sent makes sense any more */
	bool go;   /* 354 was said */
};

/* xtext (RFC 3461 4): what would end a parameter, or is not printable, as "+" and two digits. */
static void
put_xtext(struct str *to, const char *z)
{
	for (; *z != '\0'; z++)
		if (*z > ' ' && *z < 0x7f && *z != '+' && *z != '=')
			str_putc(to, *z);
		else
			str_printf(to, "+%02X", (unsigned char)*z);
}

/* The parameters of RCPT: when to report, and on whom it was meant for. */
static void
rcpt_params(const struct envelope *e, const struct rcpt *r, struct str *params)
{
	if (e->notify == NULL)
		return;
	str_printf(params, " NOTIFY=%s ORCPT=rfc822;", e->notify);
	put_xtext(params, r->to);
}

static void
send_command(struct mail *t, size_t i)
{
	unsigned ext = t->caps->ext;
	struct str params = { 0 };

	if (i > t->e->n) {
		chat_send(t->chat, PH_DATA, "DATA");
	} else if (i > 0) {
		rcpt_params(t->e, &t->e->rcpt[i - 1], &params);
		chat_send(
		    t->chat, PH_RCPT, "RCPT TO:<%s>%s", t->e->rcpt[i - 1].to, str_text(&params));
		str_free(&params);
	} else {
		if ((ext & EXT_SIZE) != 0)
			str_printf(&params, " SIZE=%" PRIdMAX, (intmax_t)form_size(t->form));
		if ((t->form->flags & MSG_8BIT) != 0)
			str_puts(&params, " BODY=8BITMIME");
		if ((t->form->flags & MSG_UTF8) != 0)
			str_puts(&params, " SMTPUTF8");
		if (t->e->ret != NULL)
			str_printf(&params, " RET=%s", t->e->ret);
		if (t->e->envid != NULL) {
			str_puts(&params, " ENVID=");
			put_xtext(&params, t->e->envid);
		}
		chat_send(t->chat, PH_MAIL, "MAIL FROM:<%s>%s", t->e->from, str_text(&params));
		str_free(&params);
	}
}

/* The reply to command i has come. */
static void
hear(struct mail *t, size_t i, struct status *st)
{
	bool intermediate = st->class == 3;

	if (i > t->e->n) {
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

/* Send and hear the commands numbered below n. 0, or -1: the session is lost, everybody is settled.
 */
static int
upto(struct mail *t, size_t n)
{
	struct status st;

	while (t->answered < n) {
		while (t->sent < n && !t->stop && chat_may_send(t->chat)) {
			/* in step with the server, DATA for nobody can still be spared */
			if (t->sent > t->e->n && t->answered == t->sent && t->accepted == 0)
				t->stop = true;
			else
				send_command(t, t->sent++);
		}
		if (t->answered == t->sent)
			return 0;
		if (chat_reply(t->chat, &st) == -1) {
			envelope_settle(t->e, &st);
			return -1;
		}
		hear(t, t->answered++, &st);
	}
	return 0;
}

/* What the server announced decides about the form of the message, or rules it out: -1 with *st. */
static int
admissible(struct mail *t, struct status *st)
{
	unsigned ext = t->caps->ext, takes = 0;
	uint64_t limit = t->caps->size, size;

	if ((ext & EXT_8BITMIME) != 0)
		takes |= TAKES_8BIT;
	if ((ext & EXT_SMTPUTF8) != 0)
		takes |= TAKES_UTF8;
	if ((t->form = message_form(t->m, takes, st)) == NULL)
		return -1;
	size = (uint64_t)form_size(t->form);
	if (limit > 0 && size > limit)
		return status_set(st, PH_MAIL, 5, 3, 4,
		    "the message has %" PRIu64 " octets and the server takes %" PRIu64, size,
		    limit);
	if ((t->e->notify != NULL || t->e->ret != NULL || t->e->envid != NULL) &&
	    (ext & EXT_DSN) == 0)
		return status_set(st, PH_MAIL, 5, 3, 3,
		    "the server does not offer DSN, which dsn-notify, dsn-return and dsn-envid "
		    "(-N, -R, "
		    "-V) need");
	return 0;
}

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

/* The message itself, and the one reply that decides for everybody who is left. */
static void
body(struct mail *t, bool last, struct status *reply)
{
	struct stream *stream = chat_body(t->chat, PH_BODY, 1);
	struct status st;
	uint64_t dot;
	size_t i;
	bool whole;

	if (t->chat->st.class != 2) {
		envelope_settle(t->e, &t->chat->st);
		return;
	}
	if (t->stop && t->accepted > 0) {
		/* MAIL was refused, and still there are recipients: an empty message would reach
		 * them */
		status_set(&st, PH_DATA, 5, 5, 0, "the server refused MAIL and wants the message");
		(void)stream_fail(stream, &st);
		return;
	}
	if (t->accepted == 0) {
		/* 354 although nobody is there to get it: end it empty (RFC 2920 3.1) */
		say_line('C', ".", 1);
		stream_put(stream, ".\r\n", 3);
		(void)chat_reply(t->chat, &st);
		return;
	}
	if (say_dialogue_on()) {
		struct str line = { 0 };

		str_printf(&line, "<message, %" PRIdMAX " octets>", (intmax_t)form_size(t->form));
		say_line('C', line.p, line.len);
		str_free(&line);
	}
	if (message_send(t->form, stream, &st) == -1 || answered_early(t, stream, &st)) {
		/* the connection must go before the server takes the half for the whole */
		(void)stream_fail(stream, &st);
		envelope_settle(t->e, &st);
		return;
	}
	stream_put(stream, ".\r\n", 3);
	dot = stream_mark(stream);
	if (last && t->chat->pipelining)
		chat_send(t->chat, PH_QUIT, "QUIT");
	(void)stream_flush(stream);
	whole = stream_passed(stream, dot);
	if (whole)
		wait_finish(ANSWER_MS); /* the truth is worth a few seconds */
	if (chat_reply(t->chat, &st) == 0) {
		/* a yes to what it has not read is none, whatever it stands for */
		if (st.class == 3 || (st.class == 2 && !whole))
			(void)chat_out_of_step(PH_END, &st);
		*reply = st;
	} else if (whole) {
		struct status why = st;
		const char *signal = wait_signal();

		status_set(&st, PH_END, 4, why.subject, why.detail,
		    "%s%.300s after the end of the message: it may have been delivered",
		    signal != NULL ? "interrupted by " : "", signal != NULL ? signal : why.text);
		for (i = 0; i < t->e->n; i++)
			t->e->rcpt[i].unknown = t->e->rcpt[i].status.class == 0;
	}
	wait_finish(0);
	envelope_settle(t->e, &st);
}

void
mail_submit(struct session *s, struct envelope *e, struct message *m, bool partial, bool last,
    struct status *reply)
{
	struct mail t = { .chat = session_chat(s), .caps = session_caps(s), .e = e, .m = m };
	struct status st;

	memset(reply, 0, sizeof *reply);
	if (admissible(&t, &st) == -1) {
		envelope_settle(e, &st);
		return;
	}
	if (!partial) {
		if (upto(&t, e->n + 1) == -1 || t.stop)
			return;
		if (t.refused > 0) {
			int worst = envelope_exit(e);

			status_set(&st, PH_DATA, worst == EX_TEMPFAIL ? 4 : 5, 0, 0,
			    "not sent, as another recipient was refused (partial no)");
			st.exit = (unsigned char)worst; /* those who were refused decide */
			envelope_settle(e, &st);
			return;
		}
	}
	if (upto(&t, e->n + 2) == 0 && t.go)
		body(&t, last, reply);
}
