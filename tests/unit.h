/*
 * unit - tests of the parts, in one program that speaks TAP.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef UNIT_H
#define UNIT_H

#include <sys/types.h>

#include "status.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BYTES(z) z, sizeof(z) - 1 /* a literal that may hold NULs, and its length */

/* One test point each; what was found is told when it is not what is wanted. Returned: was it? */
bool ok(bool good, const char *fmt, ...) PRINTF(2, 3);
bool is_number(long long found, long long wanted, const char *fmt, ...) PRINTF(3, 4);
bool is_text(const char *found, const char *wanted, const char *fmt, ...) PRINTF(3, 4);
bool is_bytes(const void *found, size_t n, const void *wanted, size_t m, const char *fmt, ...) PRINTF(5, 6);
/* `text` holds `part`. */
bool is_in(const char *text, const char *part, const char *fmt, ...) PRINTF(3, 4);
void note(const char *fmt, ...) PRINTF(1, 2); /* a comment in the output */

/* "5.1.1" and exit code of a status; a test point for both. */
bool is_status(const struct status *st, const char *enhanced, int code, const char *fmt, ...) PRINTF(4, 5);

/*
 * A process at the other end of a socket. peer_start() runs `run` in it with that end and ends it when
 * it returns; what its end code was is what peer_end() gives, which also closes ours unless it is -1.
 */
struct peer {
	int fd;
	pid_t pid;
};
void peer_start(struct peer *p, int (*run)(int fd, const void *arg), const void *arg);
int peer_end(struct peer *p);

/* A descriptor that hands over `n` octets, `piece` of them with every read (0: as many as are asked for).
 */
void feed_start(struct peer *p, const void *bytes, size_t n, size_t piece);

/* All of p[0..n), or the process ends. */
void write_all(int fd, const void *p, size_t n);

/* Reads until the end and appends. */
void read_all(int fd, struct str *to);

/* A file of its own in the directory of this run; borrowed. It is written when `text` is given. */
const char *scratch(const char *name, const char *text);

/* A new spool of this name, opened; its path is borrowed. And all that is in a directory, removed. */
struct spool;
const char *new_spool(struct spool *q, const char *name);
void wipe(const char *path);

void test_text(void);
void test_when(void);
void test_status(void);
void test_envelope(void);
void test_reply(void);
void test_caps(void);
void test_address(void);
void test_list(void);
void test_aliases(void);
void test_rewrite(void);
void test_url(void);
void test_settings(void);
void test_conf(void);
void test_store(void);
void test_message(void);
void test_large(void);
void test_repair(void);
void test_dots(void);
void test_stream(void);
void test_flow(void);
void test_sasl(void);
void test_scram(void);
void test_cork(void);
void test_crlf(void);
void test_raw(void);
void test_trust(void);
void test_anchors(void);
void test_alike(void);
void test_session(void);
void test_mail(void);
void test_entry(void);
void test_spool(void);
void test_pace(void);
void test_bounce(void);
void test_progress(void);

#endif
