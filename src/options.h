/*
 * options - the command line.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "settings.h"

enum mode {
	MODE_SEND,
	MODE_HELP,
	MODE_VERSION,
	MODE_SERVE,   /* -bs: SMTP on standard input and output */
	MODE_VERIFY,  /* -bv: look at the recipients and send nothing */
	MODE_CHECK,   /* --check: look at everything and send nothing */
	MODE_ALIASES, /* -bi, newaliases: there is no database to rebuild */
	MODE_LIST,    /* -bp, mailq */
	MODE_FLUSH,   /* --flush, -q: send what is due */
	MODE_SHOW,    /* --show: one message of the spool */
	MODE_DROP,    /* --drop: forget one */
	MODE_HOLD,    /* --hold, */
	MODE_RELEASE, /* --release: not to be sent, and to be sent again */
};
enum format { REPORT_NONE, REPORT_TEXT, REPORT_JSON };

struct options {
	enum mode mode;
	bool as_sendmail;				 /* called by that name */
	struct layer settings;				 /* those given here beat every file */
	const char *config, *account, *message, *sender; /* borrowed from argv; NULL: not given */
	const char *full_name; /* -F: for a From field that has to be made */
	bool from_header;      /* -t: recipients from To, Cc, Bcc */
	bool verbose;
	bool no_dot; /* -i: a lone dot on a terminal is not the end */
	enum format report;
	int report_fd;	   /* -1: standard output */
	bool queue_only;   /* -odq, where there is a spool */
	bool background;   /* -odb, likewise */
	/* The spool: which message, or which messages; NULL: all. Borrowed. */
	const char *id;			    /* of --flush, --show, --drop, --hold, --release */
	const char *some_ids, *some_senders, *some_recipients; /* parts of them: -qI, -qS, -qR */
	long long every;		    /* -q30m: flush again and again, in milliseconds; 0: once */
	char **recipients; /* argv's rest */
	size_t nrecipients;
};

/* An option that is no setting. */
struct own_option {
	const char *name;
	int value; /* its letter, or a number from 1000 on */
	/* how --help calls its value, in brackets when that may be left out; NULL: none */
	const char *argument;
	const char *help;
};
extern const struct own_option own_options[]; /* ends with name NULL */

/*
 * Parse argv. Called as sendmail, mailq or newaliases (by whatever path) options end at the first
 * recipient and unknown ones are passed over, as no caller of that name should lose a mail over
 * one. 0, or -1 with 5.5.4 or, for values of settings, 5.3.5. options_free() in any case.
 */
int options_parse(struct options *o, int argc, char **argv, struct status *st);
void options_free(struct options *o);

/* What --help prints; allocated. */
char *options_help(void);

#endif
