/*
 * mail - one transaction: MAIL, RCPT..., DATA, the message, and what became of everybody.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef MAIL_H
#define MAIL_H

#include "envelope.h"
#include "message.h"
#include "session.h"

/*
 * Send `m` to everybody in `e` over a usable session (RFC 5321 3.3, pipelined by RFC 2920).
 * `partial`: those who are accepted get it even when others are refused; else nobody does.
 * `last`: no other message follows, so QUIT may travel with the end of this one.
 * On return every recipient is decided; *reply has the server's answer to the end of the
 * message, or class 0 when it did not come to that.
 */
void mail_submit(struct session *s, struct envelope *e, struct message *m, bool partial, bool last,
    struct status *reply);

#endif
