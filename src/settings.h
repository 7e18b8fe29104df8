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

#include "account.h"

enum setting_type {
	T_STRING,
	T_HOST,	    /* a host name; other letters than ASCII become A-labels */
	T_ADDRESS,  /* of IPv4 or IPv6, without brackets */
	T_PATH,	    /* a leading ~ is the home directory */
	T_SECRET,   /* to the end of the line; not on the command line */
	T_COMMAND,  /* to the end of the line, for sh -c */
	T_PROXY,    /* a URL; not on the command line when it has a password */
	T_URLS,	    /* may be given several times */
	T_PATTERNS, /* may be given several times */
	T_PINS,	    /* may be given several times */
	T_AUTH,
	T_NOTIFY, /* never, or some of success, failure, delay */
	T_RETURN, /* headers or full */
	T_FD,
	T_CHOICE,
	T_BOOL,
	T_TIME, /* 30s, 5m, 2h, 500ms; a bare number is seconds */
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;		    /* of the field in struct account */
	const char *initial;	    /* value when nobody says anything, or NULL */
	const char *argument;	    /* how --help calls the value */
	const char *help;	    /* at most 44 characters */
	const char *const *choices; /* T_CHOICE: names in the order of the enum, NULL-terminated */
};
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

const struct setting *setting_find(const char *name); /* or NULL */
const char *setting_nearest(const char *word);	      /* the name that was meant, or NULL */
bool setting_is_raw(const struct setting *set);	      /* takes the rest of the line as it is */
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
