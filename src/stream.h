/*
 * stream - buffered bytes both ways over a pair of descriptors, with or without a layer on top.
 *
 * The first failure sticks: from then on reads fail, writes are swallowed, and stream_status()
 * says what happened, so callers check where they read and nowhere else. While a stream waits to
 * write it also takes in what has arrived, so neither side can block the other.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "status.h"

struct stream;

/*
 * A layer turns bytes into other bytes: TLS. Both functions work on the wire side with
 * stream_wire_put() and stream_wire_read() and never wait.
 *   send: takes all of p[0..n); 0, or -1 with *st.
 *   recv: up to n bytes; 0 at the end, STREAM_AGAIN when nothing has arrived, -1 with *st.
 */
enum { STREAM_AGAIN = -2 };
struct stream_layer {
	int (*send)(void *arg, const void *p, size_t n, struct status *st);
	ssize_t (*recv)(void *arg, void *p, size_t n, struct status *st);
	void (*close)(void *arg); /* says goodbye on the wire if it can, and frees arg */
};

enum line { LINE_FAIL = -1, LINE_END, LINE_CRLF, LINE_LF };

/* Takes over the descriptors (which may be the same) and makes them non-blocking. */
struct stream *stream_new(int in, int out);

/* Sends what is left without waiting, closes everything, and clears the caller's pointer. */
void stream_free(struct stream **sp);

/*
 * Puts a layer on top. Refused with 5.5.0 (-1, *st set, the stream unharmed) while input lies
 * unread: whoever sent it did so before the layer was there (RFC 3207 6, CVE-2011-0411).
 */
int stream_wrap(struct stream *s, const struct stream_layer *layer, void *arg, struct status *st);

/*
 * What a failure from now on is called, and for how long one wait may last, in milliseconds.
 * Reading has until then in all, however slowly the bytes drip; writing, for every step forward.
 */
void stream_phase(struct stream *s, enum phase ph, int64_t ms);

/* No wait goes beyond this point of wait_now(), whatever the phase. */
void stream_deadline(struct stream *s, int64_t deadline);

/* How many unread bytes may be kept while writing; more stays in the kernel. */
void stream_keep(struct stream *s, size_t n);

/*
 * The next line, without its end, NUL-terminated at *line, valid until the next call that
 * reads. LINE_END: the other side closed. LINE_FAIL: see stream_status(); a line of more than
 * `max` bytes is one such failure (5.5.0).
 */
enum line stream_line(struct stream *s, char **line, size_t *len, size_t max);

/*
 * Up to n octets, as soon as there are any, after everything put has been flushed: how many, 0 at
 * the end, -1: see stream_status().
 */
ssize_t stream_read(struct stream *s, char *p, size_t n);

void stream_put(struct stream *s, const void *p, size_t n);
int stream_flush(struct stream *s); /* 0, or -1: see stream_status() */

/*
 * A mark behind everything put so far; and whether the kernel has taken all that lies before it,
 * so that the other side may have it. What a broken connection swallowed never passes. Of the last
 * 32 marks this is known.
 */
uint64_t stream_mark(struct stream *s);
bool stream_passed(const struct stream *s, uint64_t mark);

int stream_fd(const struct stream *s); /* the descriptor that is read, for looking at */
size_t stream_waiting(
    const struct stream *s);	      /* input that was read from the wire and not from us */
size_t stream_look(struct stream *s); /* the same, after one look at the wire if there is none */

/* Octets that went out on the wire, and that came in, so far. */
void stream_octets(const struct stream *s, uint64_t *sent, uint64_t *received);

unsigned stream_turns(const struct stream *s); /* times we waited for the other side to answer */
const struct status *stream_status(const struct stream *s); /* class 0: alive */
int stream_fail(struct stream *s, const struct status *st); /* latch this failure; -1 */

/* For layers: bytes to and from the wire; and one wait for input, flushing first (0 or -1). */
void stream_wire_put(struct stream *s, const void *p, size_t n);
ssize_t stream_wire_read(struct stream *s, void *p, size_t n); /* as recv(2); EAGAIN: not yet */
int stream_await(struct stream *s);

#endif
