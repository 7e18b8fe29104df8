/*
 * peer - a mail server that plays a written dialogue: what its parts share. tests/README is about
 * the notation.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef PEER_H
#define PEER_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

#define PATIENCE_MS 20000 /* the longest wait for anything that the client has to do */

/* ---- bytes (peer.c) */

struct bytes {
	char *p; /* p[len] is NUL once there is something */
	size_t len, cap;
};

void bytes_put(struct bytes *b, const void *p, size_t n);
void bytes_free(struct bytes *b);

/* "text" made fit for one line of a terminal; static, overwritten by the fourth call after it. */
const char *visible(const char *p, size_t n);

/* Say what is wrong, "SCRIPT:LINE: ..." when a script is being played, and exit with 1. */
_Noreturn void fail(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

/* Trouble with the machine, and not with the client: say so and exit with 2. */
_Noreturn void broken(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

long now_ms(void);
void pause_ms(long ms);

/* Path of a file in the working directory of the peer; static, overwritten by the next call. */
const char *in_dir(const char *name);

/* ---- the script (peer_script.c) */

enum what {
	W_SAY,	    /* S: text, and RAW "text" with ends of its own */
	W_HEAR,	    /* C: text; *** stands for anything */
	W_MAYBE,    /* C? text */
	W_REGEX,    /* C~ regex */
	W_MESSAGE,  /* C: <message[, N octets]> */
	W_CHUNK,    /* C: <chunk, N octets> */
	W_PART,	    /* C: <part, N octets> */
	W_ABORTED,  /* C: <aborted message> */
	W_TLS,	    /* TLS [cert=NAME] [priority=STRING] [tickets=WORD] [resumed] [try] */
	W_CLOSE,
	W_CUT,
	W_RESET,
	W_STALL,
	W_PAUSE,
	W_FLOOD,
	W_REPEAT,
	W_DONE,
	W_NEXT,
	W_GONE,
	W_SIGNAL,
	W_FLIGHTS,
	W_NOBODY,
};

struct step {
	enum what what;
	const char *file; /* where it stands */
	int line;
	struct bytes text;
	long n;		/* octets, milliseconds, repetitions, flights, a signal; -1: not said */
	long split;	/* W_SAY: octets in a segment, 0: all at once */
	long drip;	/* W_SAY: milliseconds between two segments */
	size_t partner; /* W_REPEAT, W_DONE: the index of the other */
	regex_t regex;
	char *cert, *priority, *tickets; /* W_TLS */
	bool resumed, try;
};

struct script {
	struct step *steps;
	size_t n, cap;
};

/* Read a script, or exit with 2. */
void script_read(struct script *s, const char *file);

/* ---- one connection (peer_net.c, and peer_tls.c for what is in TLS) */

extern int grace_ms; /* see conn_need() */

struct conn {
	int fd;
	gnutls_session_t tls;
	gnutls_certificate_credentials_t cred;
	struct bytes in; /* from the client, without TLS; in.p[at..len) is unread */
	size_t at;
	struct bytes out;  /* for the wire, not sent yet */
	bool spoke;	   /* we sent since the client did: what comes next is a new flight */
	bool ended;	   /* nothing more will come from the client */
	bool ours;	   /* we closed our direction, or all of it */
	bool unexpected;   /* the client did not leave in peace: reset, or a TLS alert */
	unsigned flights;
};

void conn_start(struct conn *c, int fd);
void conn_free(struct conn *c);

/* Queue for sending; leaves when the client has nothing more to say, or by conn_flush(). */
void conn_put(struct conn *c, const void *p, size_t n);
void conn_flush(struct conn *c);

/* Send, `split` octets at a time, with `drip` milliseconds in between; stops when the client has left. */
void conn_put_slowly(struct conn *c, const char *p, size_t n, long split, long drip);

/* Octets from the wire, without TLS: as recv(2), but it waits. */
ssize_t wire_recv(struct conn *c, void *p, size_t n);
void wire_put(struct conn *c, const void *p, size_t n);

/* Take in more: false at the end. */
bool conn_fill(struct conn *c);

/* The next line, CRLF included and checked, still unread; NULL at the end. conn_taken() eats it. */
const char *conn_line(struct conn *c, size_t *len);
void conn_taken(struct conn *c, size_t n);

/* Has the client sent something that no step has read? */
bool conn_unread(struct conn *c);

/* Our end of the connection: with close_notify where there is TLS; without; by a reset. */
void conn_close(struct conn *c);
void conn_cut(struct conn *c);
void conn_reset(struct conn *c);

void conn_tls(struct conn *c, const struct step *step);
void conn_tls_free(struct conn *c);
bool conn_tls_fill(struct conn *c);

/* ---- certificates (peer_cert.c) */

/* Make ca.pem, cert.pem and key.pem where they are missing. */
void cert_make(void);

/*
 * Credentials for NAME (NULL: cert.pem and key.pem): NAME.pem and NAME.key when they are there; else one
 * made on the spot, "wrong-name", "expired", "future" or "stranger", which is of another CA.
 */
gnutls_certificate_credentials_t cert_credentials(const char *name);

/* ---- playing (peer_play.c) */

/* The step that is being played, or NULL; for fail(). */
extern const struct step *playing;

/* Listen on 127.0.0.1 and ::1, on `port` or one that the kernel chooses; the port. */
unsigned short serve_listen(unsigned short port);

/* Listen on a socket of the file system, too. */
void serve_listen_socket(const char *path);

/* Wait for a client, for `ms` at most: a socket, or -1 when none came or none will come any more. */
int serve_accept(long ms);

/* Is a client waiting, or does one come before a signal does? For --hold. */
bool serve_wait(void);

/* No client will come that has not come yet: for a signal handler. */
void serve_no_more(int sig);

/* Play the script to clients, or exit with 1. */
void play(const struct script *s, FILE *transcript);

#endif
