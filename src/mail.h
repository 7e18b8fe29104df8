/*
 * mail - one transaction: MAIL, RCPT..., the message, and what became of everybody.
 *
 * Commands are numbered: 0 is MAIL, 1..n are the RCPTs, n+1 is DATA or BDAT. One cursor sends, one
 * hears; whether the server pipelines decides only how far apart they may be. With BDAT (RFC 3030)
 * the message is part of the command, so that everything can be sent before anything is heard.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MAIL_H
#define MAIL_H

#include "message.h"
#include "params.h"

struct mail {
	struct session *session;
	struct chat *chat;
	struct envelope *e;
	struct content content;	 /* of the message, for MAIL */
	const struct form *form; /* the message, as soon as it is known */
	bool last;		 /* no other transaction follows in this session */
	size_t sent, answered;
	size_t accepted; /* RCPTs answered with 2xx */
	size_t refused;
	bool chunk;	/* BDAT, not DATA */
	bool reset;	/* RSET goes first, as nobody knows how the transaction before ended */
	bool resetting; /* ... and is not answered yet */
	bool stop;	/* nothing that is not yet sent makes sense any more */
	bool go;	/* 354 was said */
	bool open;	/* the server has a transaction of ours that has not ended */
	uint64_t end;	/* stream_mark() behind the message; 0: it has not all been put */
};

/* Begin one over a usable session. Nothing is sent yet. All of it is borrowed. */
void mail_start(struct mail *t, struct session *s, struct envelope *e, const struct content *c);

/*
 * This is the message. `last`: no other transaction follows, so QUIT may travel with the end of
 * this one. `partial`: those who are accepted get it even when others are refused. True, when
 * called before anything is sent, when all of the transaction may be sent at once: by BDAT, where
 * that is offered and the message is small enough to be risked.
 */
bool mail_content(struct mail *t, const struct form *f, bool partial, bool last);

/*
 * Send and hear the commands numbered below n. What is refused is settled. 0, or -1: the session
 * is lost and everybody is settled. Undecided recipients may be added to the envelope between
 * calls, as long as neither DATA nor BDAT was sent.
 */
int mail_upto(struct mail *t, size_t n);

/*
 * What is left of the commands, and the message of mail_content(); every recipient is decided then
 * (with LMTP by a reply for each, RFC 2033 4.2). *reply has the server's answer to the end of the
 * message, or class 0 when it did not come to that.
 */
void mail_body(struct mail *t, struct status *reply);

/*
 * The same in two steps, so that another transaction can begin in between (RFC 2920 3.1):
 * mail_send() ends with the end of the message and is true when its answer is due, which
 * mail_hear() hears, with those to the commands that have not been heard. False: everybody is
 * decided. mail_ahead() sends what may be sent of the commands of the other one, without hearing
 * anything; what is due to the one before is heard first. mail_hear() leaves everybody undecided
 * when the server had taken its leave before it came to this transaction.
 */
bool mail_send(struct mail *t);
void mail_hear(struct mail *t, struct status *reply);
void mail_ahead(struct mail *t);

/* RSET, when the server has an unfinished transaction and the session lives (RFC 5321 4.1.1.5). */
void mail_abort(struct mail *t);

/* Was this one refused for no other reason than that there were too many before (4.5.3)? */
bool mail_too_many(const struct rcpt *r);

/* Does the message end with this transaction? Those who were too many go on in another. */
bool mail_is_last(const struct mail *t);

/*
 * All of it: send `f`, of which `c` tells, to everybody in `e`, who are all undecided (RFC 5321
 * 3.3, pipelined by RFC 2920). `partial`: those who are accepted get it even when others are
 * refused; else nobody does. `last` and *reply as with mail_body().
 */
void mail_submit(struct session *s, struct envelope *e, const struct form *f,
    const struct content *c, bool partial, bool last, struct status *reply);

#endif
