/*
 * values - what may be said in a setting: each kind of value is checked and stored here.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef VALUES_H
#define VALUES_H

#include "account.h"

enum setting_type {
	T_STRING,
	T_HOST,	    /* a host name; other letters than ASCII become A-labels */
	T_ADDRESS,  /* of IPv4 or IPv6, without brackets */
	T_PATH,	    /* a leading ~ is the home directory */
	T_LOG,	    /* no, syslog, journal, or a file with its whole path */
	T_SECRET,   /* to the end of the line; not on the command line */
	T_COMMAND,  /* to the end of the line, for sh -c */
	T_PROXY,    /* a URL; not on the command line when it has a password */
	T_URLS,	    /* may be given several times */
	T_PATTERNS, /* may be given several times */
	T_PINS,	    /* may be given several times */
	T_AUTH,
	T_NOTIFY, /* never, or some of success, failure, delay */
	T_RETURN, /* headers or full */
	T_ENVID,
	T_AT,	    /* a point of time, see when_point() */
	T_BY,	    /* a time, and what happens then */
	T_PRIORITY, /* -9 to 9 */
	T_FD,
	T_QUEUE, /* no, yes, only, or a directory */
	T_COUNT, /* 0 to a million */
	T_CHOICE,
	T_BOOL,
	T_REWRITE, /* yes, no, or always */
	T_TIME,	   /* 30s, 5m, 2h, 500ms; a bare number is seconds */
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

/* The names of T_CHOICE and T_BOOL settings; a bool is true where its number is odd. */
extern const char *const value_tls_names[], *const value_bool_names[], *const value_rewrite_names[];

/*
 * Check `value` and store it into the field of *a that the setting is for; lists are added to. 0,
 * or -1 with 5.3.5 that says what would be right, *a unchanged.
 */
int value_put(const struct setting *set, const char *value, struct account *a, struct status *st);

/*
 * Append a value of `from` with %U (the login name), %H (net_mail_domain(), asked for once in a
 * run, and only where it is there) and %% replaced.
 */
void value_expand(const char *from, struct str *out);

#endif
