/*
 * fuzz_reply - whatever a server says, as replies, and what they mean at every step.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "reply.h"

#define INPUT_MAX 100000 /* what a socket keeps */

int
TARGET(fuzz_reply)(const uint8_t *p, size_t n)
{
	struct reply r = { 0 };
	struct status st;
	struct stream *s;
	int fds[2], ph;

	if (n > INPUT_MAX || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		return 0;
	MUST(write(fds[1], p, n) == (ssize_t)n);
	(void)close(fds[1]);
	s = stream_new(fds[0], fds[0]);
	while (reply_read(&r, s, PH_RCPT, &st) == 0) {
		MUST(r.code >= 200 && r.code <= 599);
		MUST(r.lines >= 1 && r.lines <= REPLY_LINES_MAX && r.text.len <= REPLY_MAX);
		MUST(strlen(str_text(&r.text)) == r.text.len);
		for (ph = 0; ph < PH_COUNT; ph++) {
			memset(&st, 0xff, sizeof st);
			reply_status(&r, (enum phase)ph, &st);
			MUST(st.code == r.code && st.phase == (enum phase)ph && st.exit == 0);
			MUST(fuzz_printable(st.text));
			if (st.class != 3)
				fuzz_status(&st);
			MUST(st.class == r.code / 100 || (ph == PH_RCPT && r.code == 552 && st.class == 4));
		}
	}
	fuzz_status(&st);
	MUST((st.class == 4 && st.subject == 4 && st.detail == 2) ||
	    (st.class == 5 && st.subject == 5 && st.detail == 0));
	MUST(stream_status(s)->class == st.class);
	stream_free(&s);
	reply_free(&r);
	return 0;
}
