/*
 * stream - buffered bytes both ways over a pair of descriptors, with or without a layer on top.
 *
 * Output goes out -> (layer) -> wire -> kernel. Without a layer `out` stays empty. Everything a
 * caller puts between two reads leaves in as few writes as the kernel allows.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cork.h"
#include "marks.h"
#include "stream.h"
#include "wait.h"

#define RECORD 16384 /* what a full TLS record carries */
#define WIRE_MAX (128 * 1024)
#define READ_SIZE 16384

struct stream {
	int in_fd, out_fd;
	const struct stream_layer *layer;
	void *arg;
	struct str in;
	size_t in_at; /* in.p[in_at..len) is unread */
	char *raw; /* read from the wire for the layer, which has not taken raw[raw_at..raw_len) */
	size_t raw_at, raw_len;
	struct str out;
	struct str wire;
	size_t wire_at; /* wire.p[wire_at..len) is unsent */
	size_t midway;	/* octets that are sent of what write_out() is about */
	size_t keep;
	bool ended;
	bool broken;	    /* writing failed, but there are answers to be read */
	uint64_t got;	    /* octets from the wire */
	uint64_t plain;	    /* octets that were put, since the beginning */
	uint64_t put;	    /* octets for the wire, since the beginning */
	uint64_t run;	    /* of these, those since an answer was awaited */
	uint64_t swallowed; /* of these, those that came too late for it */
	bool corked;	    /* the kernel keeps what makes no full segment */
	bool asked;	    /* the other side has something to answer: we sent, or just connected */
	unsigned turns;
	struct marks marks;
	enum phase phase;
	int64_t ms, read_by, deadline;
	struct status st;
};

static void
set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if ((flags & O_NONBLOCK) == 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct stream *
stream_new(int in, int out)
{
	struct stream *s = xalloc(1, sizeof *s);

	s->in_fd = in;
	s->out_fd = out;
	s->keep = 64 * 1024;
	s->deadline = WAIT_FOREVER;
	s->asked = true;
	s->in.p = xbuffer(READ_SIZE + 1);
	s->in.cap = READ_SIZE + 1;
	stream_phase(s, PH_CONNECT, WAIT_FOREVER);
	set_nonblocking(in);
	if (out != in)
		set_nonblocking(out);
	return s;
}

void
stream_free(struct stream **sp)
{
	struct stream *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	if (s->layer != NULL)
		s->layer->close(s->arg);
	if (s->st.class == 0 && s->wire.len > s->wire_at)
		(void)!write(s->out_fd, s->wire.p + s->wire_at, s->wire.len - s->wire_at);
	(void)close(s->in_fd);
	if (s->out_fd != s->in_fd)
		(void)close(s->out_fd);
	/* what others said is no secret of ours */
	free(s->in.p);
	free(s->raw);
	str_free(&s->out);
	str_free(&s->wire);
	free(s);
}

void
stream_phase(struct stream *s, enum phase ph, int64_t ms)
{
	s->phase = ph;
	s->ms = ms;
	s->read_by = wait_until(ms);
}

void
stream_deadline(struct stream *s, int64_t deadline)
{
	s->deadline = deadline;
}

void
stream_keep(struct stream *s, size_t n)
{
	s->keep = n;
}

int
stream_fd(const struct stream *s)
{
	return s->in_fd;
}

size_t
stream_waiting(const struct stream *s)
{
	return s->in.len - s->in_at;
}

static uint64_t
gone(const struct stream *s)
{
	return s->put - (s->wire.len - s->wire_at) - s->swallowed;
}

bool
stream_passed(const struct stream *s, uint64_t mark)
{
	return marks_passed(&s->marks, mark, gone(s));
}

void
stream_octets(const struct stream *s, uint64_t *sent, uint64_t *received)
{
	*sent = gone(s) + s->midway;
	*received = s->got;
}

unsigned
stream_turns(const struct stream *s)
{
	return s->turns;
}

const struct status *
stream_status(const struct stream *s)
{
	return &s->st;
}

int
stream_fail(struct stream *s, const struct status *st)
{
	if (s->st.class == 0)
		s->st = *st;
	return -1;
}

static int
lost(struct stream *s, const char *why)
{
	struct status st;

	status_set(&st, s->phase, 4, 4, 2, "connection lost: %s", why);
	return stream_fail(s, &st);
}

/* Sleep until one of `events` is possible; what is possible then, or 0 with the failure latched. */
static short
sleep_for(struct stream *s, short events, int64_t by)
{
	struct pollfd fds[2] = {
		{ .fd = s->in_fd, .events = (short)(events & POLLIN) },
		{ .fd = s->out_fd, .events = (short)(events & POLLOUT) },
	};
	nfds_t n = 2;
	struct status st;
	int ready;

	if (s->in_fd == s->out_fd) {
		fds[0].events = events;
		n = 1;
	} else if ((events & POLLIN) == 0)
		fds[0].fd = -1; /* or its end would wake us again and again */
	else if ((events & POLLOUT) == 0)
		fds[1].fd = -1;
	ready = wait_poll(fds, n, wait_least(by, s->deadline));
	/* a side that is always ready and never says anything has its time, too */
	if (ready > 0 && wait_now() > wait_least(by, s->deadline))
		ready = 0;
	if (ready > 0)
		return (short)(fds[0].revents | (n == 2 ? fds[1].revents : 0));
	if (ready == -1)
		status_set(&st, s->phase, 4, 3, 0, "interrupted by %s%s", wait_signal(),
		    s->phase <= PH_BODY ? "; nothing was sent" : "");
	else if (s->deadline < by)
		status_set(&st, s->phase, 4, 4, 2, "not finished within the deadline");
	else
		status_set(&st, s->phase, 4, 4, 2, "no answer within %lld s",
		    (long long)((s->ms + 999) / 1000));
	stream_fail(s, &st);
	return 0;
}

static ssize_t
read_wire(struct stream *s, void *p, size_t n)
{
	ssize_t got;

	do
		got = read(s->in_fd, p, n);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		s->got += (uint64_t)got;
	return got;
}

/* A layer reads little and often; the kernel is asked once, and not before we have spoken. */
ssize_t
stream_wire_read(struct stream *s, void *p, size_t n)
{
	ssize_t got;

	if (s->raw == NULL)
		s->raw = xbuffer(READ_SIZE);
	if (s->raw_at == s->raw_len) {
		errno = EAGAIN;
		got = !s->asked && s->wire.len + s->out.len > s->wire_at
		    ? -1
		    : read_wire(s, s->raw, READ_SIZE);
		if (got <= 0)
			return got;
		s->raw_at = 0;
		s->raw_len = (size_t)got;
	}
	if (n > s->raw_len - s->raw_at)
		n = s->raw_len - s->raw_at;
	memcpy(p, s->raw + s->raw_at, n);
	s->raw_at += n;
	return (ssize_t)n;
}

/* One read without waiting: 1 some came, 0 nothing or the end (s->ended), -1 failed. */
static int
take_in(struct stream *s)
{
	struct status st;
	ssize_t got;

	if (s->ended)
		return 0;
	if (s->in_at == s->in.len)
		s->in_at = s->in.len = 0;
	else if (s->in_at > READ_SIZE) {
		memmove(s->in.p, s->in.p + s->in_at, s->in.len - s->in_at);
		s->in.len -= s->in_at;
		s->in_at = 0;
	}
	str_room(&s->in, READ_SIZE);
	if (s->layer != NULL) {
		do /* a record that is not for us may have others behind it, here already */
			got = s->layer->recv(s->arg, s->in.p + s->in.len, READ_SIZE, &st);
		while (got == STREAM_AGAIN && s->raw_at < s->raw_len);
		st.phase = s->phase; /* whatever the layer calls it */
		if (got == -1)
			return stream_fail(s, &st);
	} else {
		got = read_wire(s, s->in.p + s->in.len, READ_SIZE);
		if (got == -1 && errno != EAGAIN)
			return lost(s, strerror(errno));
		if (got == -1)
			got = STREAM_AGAIN;
	}
	if (got == 0)
		s->ended = true;
	if (got <= 0)
		return 0;
	s->in.len += (size_t)got;
	return 1;
}

size_t
stream_look(struct stream *s)
{
	if (stream_waiting(s) == 0 && s->st.class == 0)
		(void)take_in(s);
	return stream_waiting(s);
}

/* Write p[0..n) to the kernel, waiting as needed and taking in what arrives meanwhile. With NULL it
 * is what lies in the wire, which moves when the layer has an answer to that. */
static size_t
write_out(struct stream *s, const char *p, size_t n)
{
	int64_t by = wait_until(s->ms);
	size_t done = 0;

	s->asked = true;
	while (done < n && s->st.class == 0) {
		const char *from = p != NULL ? p : s->wire.p + s->wire_at;
		ssize_t put = write(s->out_fd, from + done, n - done);
		short can;

		if (put > 0) {
			s->midway = done += (size_t)put;
			by = wait_until(s->ms);
			continue;
		}
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1 && errno != EAGAIN) {
			/* a server that refuses may answer and close before it has read all */
			int e = errno;

			while (stream_waiting(s) < s->keep && take_in(s) == 1)
				;
			if (stream_waiting(s) > 0)
				s->ended = s->broken = true;
			else
				lost(s, strerror(e));
			break;
		}
		cork_draw(s->out_fd, &s->corked);
		can = sleep_for(s,
		    (short)(POLLOUT | (!s->ended && stream_waiting(s) < s->keep ? POLLIN : 0)), by);
		if ((can & POLLIN) != 0)
			take_in(s);
	}
	s->midway = 0;
	return done;
}

static int
flush_wire(struct stream *s)
{
	if (s->wire.len > s->wire_at && s->st.class == 0 && !s->broken)
		s->wire_at += write_out(s, NULL, s->wire.len - s->wire_at);
	cork_draw(s->out_fd, &s->corked);
	if (s->wire_at == s->wire.len)
		s->wire_at = s->wire.len = 0;
	return s->st.class == 0 ? 0 : -1;
}

void
stream_wire_put(struct stream *s, const void *data, size_t n)
{
	const char *p = data;

	s->put += n;
	s->run += n;
	/* a long message goes as it comes while the kernel takes it, but not line by line */
	if (n >= RECORD && s->run > WIRE_MAX && s->wire.len == s->wire_at && !s->broken &&
	    s->st.class == 0) {
		ssize_t done;

		cork_put(s->out_fd, &s->corked);
		done = write(s->out_fd, p, n);
		if (done > 0) {
			s->asked = true;
			p += done;
			n -= (size_t)done;
		}
	}
	if (n > 0)
		str_put(&s->wire, p, n);
}

/* Hand bytes to the layer; the wire is emptied on the way so that it stays small. */
static void
through_layer(struct stream *s, const char *p, size_t n)
{
	struct status st;

	if (s->st.class == 0 && s->layer->send(s->arg, p, n, &st) == -1) {
		st.phase = s->phase;
		stream_fail(s, &st);
	}
	if (s->st.class != 0) {
		s->put += n;
		s->swallowed += n;
	}
	if (s->wire.len - s->wire_at >= WIRE_MAX)
		flush_wire(s);
}

/* What makes no record yet; out has room for one. */
static void
to_out(struct stream *s, const char *p, size_t n)
{
	if (s->out.p == NULL) {
		s->out.p = xbuffer(RECORD);
		s->out.cap = RECORD;
	}
	memcpy(s->out.p + s->out.len, p, n);
	s->out.len += n;
}

void
stream_put(struct stream *s, const void *data, size_t n)
{
	const char *p = data;

	s->plain += n;
	if (s->st.class != 0 || s->broken) {
		s->put += n;
		s->swallowed += n;
		return;
	}
	if (s->layer == NULL) {
		if (n < RECORD) {
			stream_wire_put(s, p, n);
			if (s->wire.len - s->wire_at >= WIRE_MAX)
				flush_wire(s);
		} else {
			size_t done = flush_wire(s) == 0 && s->wire.len == 0 ? write_out(s, p, n)
									     : 0;

			s->put += n;
			s->swallowed += n - done;
		}
		return;
	}
	if (s->out.len > 0) {
		size_t fit = RECORD - s->out.len;

		if (fit > n)
			fit = n;
		to_out(s, p, fit);
		p += fit;
		n -= fit;
		if (s->out.len == RECORD) {
			through_layer(s, s->out.p, s->out.len);
			s->out.len = 0;
			marks_place(&s->marks, s->plain - n, s->put);
		}
	}
	for (; n >= RECORD; p += RECORD, n -= RECORD)
		through_layer(s, p, RECORD);
	if (n > 0)
		to_out(s, p, n);
}

/* All that was put comes to the wire. */
static void
empty_out(struct stream *s)
{
	if (s->layer != NULL && s->out.len > 0) {
		through_layer(s, s->out.p, s->out.len);
		s->out.len = 0;
	}
	marks_place(&s->marks, s->plain, s->put);
}

uint64_t
stream_mark(struct stream *s)
{
	marks_add(&s->marks, s->plain, s->out.len == 0 ? s->put : 0);
	return s->plain;
}

int
stream_flush(struct stream *s)
{
	empty_out(s);
	return flush_wire(s);
}

/* Counted where an answer is needed, here already or not: on a real line it is not. */
static void
count_turn(struct stream *s)
{
	s->turns += s->asked;
	s->asked = false;
	s->run = 0;
}

int
stream_await(struct stream *s)
{
	if (flush_wire(s) == -1)
		return -1;
	count_turn(s);
	return sleep_for(s, POLLIN, s->read_by) != 0 ? 0 : -1;
}

/* Wait for the answer to what was just asked, rather than look whether it is there already; false
 * when that failed. What has been read from the wire is looked at first. */
static bool
await_first(struct stream *s)
{
	return !s->asked || s->ended || s->st.class != 0 || s->raw_at < s->raw_len ||
	    stream_await(s) == 0;
}

enum line
stream_line(struct stream *s, char **line, size_t *len, size_t max)
{
	size_t seen = 0;

	if (stream_flush(s) == -1 && stream_waiting(s) == 0)
		return LINE_FAIL;
	for (;;) {
		char *start = s->in.p + s->in_at;
		size_t n = stream_waiting(s);
		char *lf = n > seen ? memchr(start + seen, '\n', n - seen) : NULL;
		struct status st;

		if ((lf != NULL ? (size_t)(lf - start) : n) > max) {
			status_set(&st, s->phase, 5, 5, 0,
			    "a line of more than %zu octets was sent to us", max);
			stream_fail(s, &st);
			return LINE_FAIL;
		}
		if (lf != NULL) {
			enum line end = lf > start && lf[-1] == '\r' ? LINE_CRLF : LINE_LF;

			*line = start;
			*len = (size_t)(lf - start) - (end == LINE_CRLF);
			start[*len] = '\0';
			s->in_at += (size_t)(lf - start) + 1;
			return end;
		}
		seen = n;
		if (s->st.class != 0 || !await_first(s))
			return LINE_FAIL;
		count_turn(s);
		switch (take_in(s)) {
		case 1:
			continue;
		case 0:
			if (s->ended)
				return LINE_END;
			if (stream_await(s) == 0)
				continue;
		}
		return LINE_FAIL;
	}
}

ssize_t
stream_read(struct stream *s, char *p, size_t n)
{
	if (stream_flush(s) == -1 && stream_waiting(s) == 0)
		return -1;
	while (stream_waiting(s) == 0) {
		if (!await_first(s))
			return -1;
		count_turn(s);
		switch (take_in(s)) {
		case 1:
			break;
		case 0:
			if (s->ended)
				return 0;
			if (stream_await(s) == 0)
				break;
			return -1;
		default:
			return -1;
		}
	}
	if (n > stream_waiting(s))
		n = stream_waiting(s);
	memcpy(p, s->in.p + s->in_at, n);
	s->in_at += n;
	return (ssize_t)n;
}

int
stream_wrap(struct stream *s, const struct stream_layer *layer, void *arg, struct status *st)
{
	if (stream_waiting(s) > 0)
		return status_set(st, s->phase, 5, 5, 0,
		    "%zu octets came after the reply to STARTTLS and before TLS: somebody is "
		    "tampering",
		    stream_waiting(s));
	s->layer = layer;
	s->arg = arg;
	return 0;
}
