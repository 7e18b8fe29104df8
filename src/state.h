/*
 * state - what one run leaves behind for the next: small files below $XDG_STATE_HOME/pneu.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef STATE_H
#define STATE_H

#include "str.h"

/*
 * The file `name` below $XDG_STATE_HOME/pneu, else ~/.local/state/pneu. Allocated; NULL when there
 * is no home directory. Nothing is made.
 */
char *state_path(const char *name);

/* Make the directories above `path`, for us alone. Whether that worked shows when it is opened. */
void state_directories(const char *path);

/*
 * A file of lines, each a fact ("scram smtp.example.org 587 alice"). state_has(): is this one
 * there? state_begins(): is one there that begins like this? STATE_UNKNOWN, with errno, when the
 * file cannot be read; one that is not there has no lines, and neither has one whose path is NULL.
 * state_add(): it is there from now on; a file that cannot be written is no error, as what it
 * remembers only ever makes us stricter.
 */
enum state_line { STATE_NO, STATE_YES, STATE_UNKNOWN };
enum state_line state_has(const char *path, const char *line);
enum state_line state_begins(const char *path, const char *start);
void state_add(const char *path, const char *line);

/* The home directory: $HOME, else the password file's; NULL when there is none. Static storage. */
const char *home_directory(void);

/* Who runs this, by the password file and not by $USER; "uid1000" when it does not say. Allocated.
 */
char *login_name(void);

#endif
