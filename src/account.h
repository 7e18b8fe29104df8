/*
 * account - everything that is decided about a submission before it starts: plain data.
 *
 * The settings table (settings.c) says which line of the configuration fills which field.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "socks.h"
#include "str.h"
#include "tls.h"

/* What is asked of a server besides delivery, in the words of SMTP; NULL: nothing. */
struct wishes {
	char *notify, *ret, *envid; /* delivery reports (RFC 3461) */
	char *hold;		    /* "2026-12-01T08:30:00Z", not before then (RFC 4865) */
	char *by;		    /* "7200;R", in so many seconds or back (RFC 2852) */
	char *priority;		    /* "-9" to "9" (RFC 6710) */
	bool require_tls;	    /* all the way (RFC 8689) */
};

enum rewrite_from {
	REWRITE_NO,
	REWRITE_YES,	/* addresses that nobody could answer to */
	REWRITE_ALWAYS, /* and those in From that are not the account's */
};

/* What waits, and where. */
struct queue {
	int mode; /* enum queue_mode */
	char *path; /* the directory, or NULL: spool_path() */
};
enum queue_mode {
	QUEUE_NO,
	QUEUE_YES,  /* recipients who can be tried again wait in the spool */
	QUEUE_ONLY, /* everybody does, and nobody is tried now */
};

struct account {
	char *name;	       /* NULL: made of defaults and the command line alone */
	struct strings server; /* URLs, in the order in which they are tried */
	struct strings from; /* addresses and patterns this account sends for, without %U and %H */
	bool from_override;  /* -f and From may name another sender than the first address there */
	int rewrite_from;    /* enum rewrite_from */
	char *user;	     /* beats the one in the URL */
	char *password, *password_file, *password_command;
	int password_fd; /* -1: none */
	char *auth;	 /* a mechanism, or NULL: the best both sides have */
	bool no_auth;	 /* `auth none` */
	char *domain;	 /* of addresses that have none, or NULL */
	char *aliases;	 /* file of aliases, or NULL */
	struct wishes wish;
	char *ehlo;	      /* NULL: net_ehlo_name() */
	char *source_address; /* to connect from, or NULL */
	struct proxy proxy;   /* host NULL: none */
	char *tunnel;	      /* a command to speak to, or NULL */
	enum tls_level tls;
	struct strings tls_pin; /* certificates or keys that are good */
	char *tls_ca, *tls_crl, *tls_cert, *tls_key, *tls_name, *tls_priority;
	bool tls_resume; /* begin with the ticket of an earlier session */
	bool sandbox;	 /* give up what a session does not need */
	char *log; /* a file, "syslog" or "journal"; NULL: none */
	long long timeout, connect_timeout,
	    deadline;	 /* milliseconds; timeout 0: RFC 5321 4.5.3.2 */
	struct queue queue;
	long long queue_lifetime; /* milliseconds */
	bool notify_delay;	  /* tell the sender of what is late */
	long long per_session;	  /* messages over one session, 0: as many as there are */
	bool partial;	 /* the accepted recipients get the mail even when others were refused */
	bool pipelining; /* use PIPELINING where it is offered */
	bool chunking;	 /* and CHUNKING */
};

#endif
