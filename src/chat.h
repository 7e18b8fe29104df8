/*
 * chat - commands to a server and its replies, in step or ahead of it (RFC 5321 4.1, 2920).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CHAT_H
#define CHAT_H

#include "reply.h"

struct chat {
	struct stream *stream;
	struct reply reply; /* the last one heard */
	struct status st;   /* class 2: usable; else why not */
	bool pipelining;    /* commands may run ahead of replies */
	bool quit;	    /* QUIT was sent */
	long long timeout;  /* upper bound of every wait in milliseconds, 0: RFC 5321 4.5.3.2 */
	const struct str *secret; /* never shown, even when the server repeats it; or NULL */
	struct str proof;	  /* nor what was sent of it last */
	/* The steps whose replies have not come, oldest first: a queue in an array. */
	unsigned char *due;
	size_t due_at, due_len, due_cap;
};

/* Takes over the stream. chat_free() sends QUIT first, when that still makes sense. */
void chat_init(struct chat *c, struct stream *s, long long timeout);
void chat_free(struct chat *c);

/* How long one wait at this step may last, in milliseconds. */
int64_t chat_patience(const struct chat *c, enum phase ph);

/* May another command be sent before the replies to those under way have come? */
bool chat_may_send(const struct chat *c);

/*
 * Queue a command, without its CRLF; it is on the wire at the latest when a reply is awaited. The
 * dialogue shows it, at PH_AUTH with no more than the mechanism. Input that lies unread when
 * nothing was asked is a server out of step: the chat is lost then, with 5.5.0.
 */
void chat_send(struct chat *c, enum phase ph, const char *fmt, ...) PRINTF(3, 4);

/*
 * Announce that what is put into the returned stream from now on belongs to step `ph`, and that
 * `replies` replies answer it. Used for the message itself, which is not a command. Whether the
 * chat still lives shows in st.
 */
struct stream *chat_body(struct chat *c, enum phase ph, unsigned replies);

/*
 * The reply to the oldest unanswered command. 0 with *st, whatever its class; -1 when there is
 * none because the server is lost, *st saying so. A 421 is returned as it is and ends the chat.
 */
int chat_reply(struct chat *c, struct status *st);

/* Hear a reply that no command of ours asked for: the greeting. As chat_reply(). */
int chat_hear(struct chat *c, enum phase ph, struct status *st);

/* chat_send() and chat_reply() in one. */
int chat_ask(struct chat *c, enum phase ph, struct status *st, const char *fmt, ...) PRINTF(4, 5);

/* A reply whose code does not belong to this step: 5.5.0 in *st, which is made from it. Always -1.
 */
int chat_out_of_step(enum phase ph, struct status *st);

#endif
