/*
 * say - the few lines that go to a person on standard error.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SAY_H
#define SAY_H

#include "status.h"

/* "pneu: ..." and a line end, made printable, in one write(2). errno is kept. */
void say(const char *fmt, ...) PRINTF(1, 2);

/* "pneu: WHO: 5.1.1 RCPT: the server said: ... (hint)"; WHO is left out when NULL. */
void say_status(const char *who, const struct status *st);

/*
 * The dialogue, when asked for by say_dialogue(true): `mark` is 'C', 'S' or '*', and the line
 * comes out as "C: EHLO ..." ('*' without the colon), made printable. Callers mask secrets.
 */
void say_dialogue(bool on);
bool say_dialogue_on(void);
void say_line(char mark, const char *p, size_t n);
void say_event(const char *fmt, ...) PRINTF(1, 2); /* a '*' line */

/*
 * The one line that changes: say_live() puts `text`, of printable ASCII and no more than
 * say_columns(), in the place of what was there, without a line end. Whatever else is said here
 * takes it away first, as does say_wipe(), which may be called by the handler of a signal.
 */
void say_live(const char *text, size_t n);
void say_wipe(void);

/* The columns of the terminal that fd is; 80 when it does not tell; 0: it is none. */
size_t say_width(int fd);

/*
 * How wide such a line may be; 0: there is none now, as standard error is not the terminal of our
 * session, or we are not in its foreground, and what is on it is not ours.
 */
size_t say_columns(void);

#endif
