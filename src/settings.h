/*
 * settings - the one table of everything that can be configured.
 *
 * The configuration file, the command line, --help and the tests all read it.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "values.h"

extern const struct setting settings[]; /* ends with name NULL */
#define SETTINGS_MAX 64

/*
 * What one source (the command line, an account, the defaults) says: texts, checked already.
 * The first value wins, but for settings that may be given several times.
 */
struct layer {
	char *name; /* of the account, or NULL */
	struct strings value[SETTINGS_MAX];
};

/* What pneu has for a word, in any case, of the programs that people come from; static, or NULL. */
const char *setting_foreign(const char *word);

const struct setting *setting_find(const char *name); /* or NULL */
const char *setting_nearest(const char *word);	      /* the name that was meant, or NULL */
bool setting_is_raw(const struct setting *set);	      /* takes the rest of the line as it is */
bool setting_has_yes(const struct setting *set);      /* "yes" is what the option alone says */
bool setting_is_list(const struct setting *set);

/* Check `value` and add it to the layer. 0, or -1 with 5.3.5 that says what would be right. */
int layer_set(struct layer *l, const struct setting *set, const char *value, struct status *st);
void layer_free(struct layer *l);

/* Is this value of this setting a secret, or does it hold one (a URL with a password)? */
bool setting_is_secret(const struct setting *set, const char *value);

/*
 * Fill *a: each setting from the first of the layers that has it, else its initial value. The ways
 * to give a password are one setting in this: the first layer that has any of them decides. `a` is
 * account_free()d by the caller; its name is that of the last layer that has one.
 */
void account_make(struct account *a, const struct layer *const layers[], size_t n);
void account_free(struct account *a);

#endif
