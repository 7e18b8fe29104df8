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

#endif
