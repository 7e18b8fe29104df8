/*
 * serve - SMTP towards a local client, passed on live to the server of an account (sendmail -bs).
 *
 * Every recipient is answered with what the server says of him, and the message with what the
 * server says of it, so nothing is taken here that somebody else has not taken.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVE_H
#define SERVE_H

#include "conf.h"

/*
 * Serve a client on two descriptors, which are closed at the end. The account for each message is
 * `account` of the configuration, or when NULL the one for its sender; `given` are the settings of
 * the command line. 0 when the client ended it (QUIT, or by leaving between messages); -1 with *st:
 * 4.4.2 it left in the middle or was silent for too long, 4.3.0 a signal, 5.5.0 it did not stop
 * sending nonsense.
 */
int serve(const struct conf *conf, const struct layer *given, const char *account, int in, int out,
    struct status *st);

#endif
