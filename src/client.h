/*
 * client - a local SMTP client on two descriptors: its command lines, its messages, our replies.
 *
 * Nothing but CR LF ends a line (RFC 5321 2.3.8). What a client means as one line or one message
 * can therefore not become two further on.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "stream.h"

/* RFC 5321 4.5.3.1.4 has 512, and extensions make it longer; with CR LF. */
#define CLIENT_LINE_MAX 4096

struct client {
	struct stream *stream;
	int out;	 /* for last words, when the stream has failed */
	char buf[16384]; /* what has come and was not taken */
	size_t at, len;
	int text;	/* where we are in a message after DATA; see client_text() */
	uint64_t chunk; /* octets that are left of a chunk */
	bool cut;	/* the client left in the middle of a message */
};

enum client_line {
	CLIENT_LOST = -1, /* an error, a signal, or too long a wait: see stream_status() */
	CLIENT_END,	  /* the client has left */
	CLIENT_OK,
	CLIENT_LONG, /* above CLIENT_LINE_MAX; all of it was read, nothing was kept */
	CLIENT_BAD,  /* a CR, an LF or a NUL in it */
};

void client_open(struct client *c, int in, int out);
void client_close(struct client *c); /* the descriptors, too */

/* The next command line without its end. Replies that are due leave before anybody waits. */
enum client_line client_line(struct client *c, struct str *line);

/*
 * What follows DATA, with the dots undone that the client doubled (RFC 5321 4.5.2); 0 behind the
 * final dot. For message_open_from(), with a struct client. client_text_begin() comes first. -1
 * with *st (4.4.2, 4.3.0) when the client left, said nothing for too long, or a signal came. With
 * room for fewer than two octets nothing is read, and 0 would mean nothing.
 */
void client_text_begin(struct client *c);
ssize_t client_text(void *arg, char *p, size_t n, struct status *st);

/* The `size` octets of a chunk (RFC 3030), in the same way. */
void client_chunk_begin(struct client *c, uint64_t size);
ssize_t client_chunk(void *arg, char *p, size_t n, struct status *st);

/* One reply, cut to the length of a line; it leaves when the client has to say something. */
void client_reply(struct client *c, const char *fmt, ...) PRINTF(2, 3);

/*
 * Tell the client: the server's reply as it was said, or our own words. What ends our session with
 * the server does not end the client's with us, and is "for now" (451) to it.
 */
void client_answer(struct client *c, const struct status *st);

/* A reply with which we leave, even when the stream has failed on our side. */
void client_last_words(struct client *c, const char *fmt, ...) PRINTF(2, 3);

#endif
