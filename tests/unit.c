/*
 * unit - tests of the parts, in one program that speaks TAP.
 *
 *     unit [GROUP ...]
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "text", test_text },
	{ "when", test_when },
	{ "status", test_status },
	{ "envelope", test_envelope },
	{ "reply", test_reply },
	{ "caps", test_caps },
	{ "address", test_address },
	{ "list", test_list },
	{ "aliases", test_aliases },
	{ "rewrite", test_rewrite },
	{ "url", test_url },
	{ "settings", test_settings },
	{ "conf", test_conf },
	{ "store", test_store },
	{ "message", test_message },
	{ "large", test_large },
	{ "repair", test_repair },
	{ "dots", test_dots },
	{ "stream", test_stream },
	{ "flow", test_flow },
	{ "sasl", test_sasl },
	{ "scram", test_scram },
	{ "cork", test_cork },
	{ "crlf", test_crlf },
	{ "raw", test_raw },
	{ "trust", test_trust },
	{ "anchors", test_anchors },
	{ "alike", test_alike },
	{ "session", test_session },
	{ "mail", test_mail },
	{ "entry", test_entry },
	{ "spool", test_spool },
	{ "pace", test_pace },
	{ "bounce", test_bounce },
	{ "progress", test_progress },
};

/*
 * One takes a few; whoever waits for ever is ended, and the plan is missing. Where all is slower
 * the environment says what is for ever.
 */
#define GROUP_SECONDS 300

static const char *group = "unit";
static unsigned points, failed;
static struct str directory;
static struct strings files;

/* ---- TAP */

/* A line of its own; "#" begins a directive there, and what is no letter would break the line. */
static void PRINTF(2, 0) tap_text(struct str *out, const char *fmt, va_list ap)
{
	struct str raw = { 0 };
	size_t i = out->len;

	str_vprintf(&raw, fmt, ap);
	str_printable(out, str_text(&raw), raw.len);
	for (; i < out->len; i++)
		if (out->p[i] == '#')
			out->p[i] = '%';
	str_free(&raw);
}

static bool PRINTF(2, 0) point(bool good, const char *fmt, va_list ap)
{
	struct str line = { 0 };

	str_printf(&line, "%s %u - %s: ", good ? "ok" : "not ok", ++points, group);
	tap_text(&line, fmt, ap);
	puts(line.p);
	str_free(&line);
	failed += !good;
	return good;
}

void
note(const char *fmt, ...)
{
	struct str line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_puts(&line, "#   ");
	tap_text(&line, fmt, ap);
	va_end(ap);
	puts(line.p);
	str_free(&line);
}

bool
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	point(good, fmt, ap);
	va_end(ap);
	return good;
}

bool
is_number(long long found, long long wanted, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	point(found == wanted, fmt, ap);
	va_end(ap);
	if (found != wanted)
		note("found %lld, wanted %lld", found, wanted);
	return found == wanted;
}

static void
note_bytes(const char *what, const char *p, size_t n)
{
	struct str text = { 0 };

	str_printable(&text, p, n > 300 ? 300 : n);
	note("%s %zu octets: %s%s", what, n, text.p, n > 300 ? "..." : "");
	str_free(&text);
}

static bool PRINTF(5, 0)
    bytes(const void *found, size_t n, const void *wanted, size_t m, const char *fmt, va_list ap)
{
	const char *p = found, *q = wanted;
	bool good = n == m && (n == 0 || memcmp(p, q, n) == 0);
	size_t i;

	point(good, fmt, ap);
	if (good)
		return true;
	for (i = 0; i < n && i < m && p[i] == q[i]; i++)
		;
	i -= i > 20 ? 20 : i; /* a little before the difference */
	note("from octet %zu on:", i);
	note_bytes("found ", p + i, n - i);
	note_bytes("wanted", q + i, m - i);
	return false;
}

bool
is_bytes(const void *found, size_t n, const void *wanted, size_t m, const char *fmt, ...)
{
	va_list ap;
	bool good;

	va_start(ap, fmt);
	good = bytes(found, n, wanted, m, fmt, ap);
	va_end(ap);
	return good;
}

bool
is_text(const char *found, const char *wanted, const char *fmt, ...)
{
	const char *none = "(null)";
	va_list ap;
	bool good;

	found = found != NULL ? found : none;
	wanted = wanted != NULL ? wanted : none;
	va_start(ap, fmt);
	good = bytes(found, strlen(found), wanted, strlen(wanted), fmt, ap);
	va_end(ap);
	return good;
}

bool
is_in(const char *text, const char *part, const char *fmt, ...)
{
	bool good = strstr(text, part) != NULL;
	va_list ap;

	va_start(ap, fmt);
	point(good, fmt, ap);
	va_end(ap);
	if (!good)
		note("\"%s\" is not in \"%s\"", part, text);
	return good;
}

bool
is_status(const struct status *st, const char *enhanced, int code, const char *fmt, ...)
{
	char own[16];
	va_list ap;
	bool good = strcmp(status_enhanced(st, own), enhanced) == 0 && status_exit(st) == code;

	va_start(ap, fmt);
	point(good, fmt, ap);
	va_end(ap);
	if (!good)
		note("found %s, exit %d, wanted %s, exit %d: %s", own, status_exit(st), enhanced,
		    code, st->text);
	return good;
}

/* ---- the world around */

static void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	(void)fflush(stdout);
	_exit(1);
}

void
write_all(int fd, const void *bytes_, size_t n)
{
	const char *p = bytes_;

	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put == -1 && errno == EINTR)
			continue;
		if (put <= 0)
			_exit(1);
		p += put;
		n -= (size_t)put;
	}
}

void
read_all(int fd, struct str *to)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0 || (n == -1 && errno == EINTR))
		if (n > 0)
			str_put(to, buf, (size_t)n);
}

static void
start(struct peer *p, int type, int (*run)(int fd, const void *arg), const void *arg)
{
	int fds[2], r = socketpair(AF_UNIX, type, 0, fds);

	if (r == -1 &&
	    type == SOCK_SEQPACKET) /* where there is none, the pieces come in larger ones */
		r = socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	(void)fflush(stdout);
	if (r == -1 || (p->pid = fork()) == -1)
		give_up("a process with a socket");
	if (p->pid == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)close(fds[0]);
		_exit(run(fds[1], arg));
	}
	(void)close(fds[1]);
	p->fd = fds[0];
}

void
peer_start(struct peer *p, int (*run)(int fd, const void *arg), const void *arg)
{
	start(p, SOCK_STREAM, run, arg);
}

int
peer_end(struct peer *p)
{
	int status = 0;

	if (p->fd != -1)
		(void)close(p->fd);
	p->fd = -1;
	while (waitpid(p->pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct feed {
	const char *p;
	size_t n, piece;
};

static int
feed(int fd, const void *arg)
{
	const struct feed *f = arg;
	size_t at, n;

	for (at = 0; at < f->n; at += n) {
		n = f->piece > 0 && f->piece < f->n - at ? f->piece : f->n - at;
		write_all(fd, f->p + at, n);
	}
	return 0;
}

void
feed_start(struct peer *p, const void *octets, size_t n, size_t piece)
{
	struct feed f = { octets, n, piece };

	/* a socket of packets gives the reader one of them at a time */
	start(p, piece > 0 ? SOCK_SEQPACKET : SOCK_STREAM, feed, &f);
}

const char *
scratch(const char *name, const char *text)
{
	struct str path = { 0 };
	int fd;

	str_printf(&path, "%s/%s", directory.p, name);
	strings_add(&files, path.p);
	str_free(&path);
	if (text != NULL) {
		fd = open(files.v[files.n - 1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd == -1)
			give_up(name);
		write_all(fd, text, strlen(text));
		(void)close(fd);
	}
	return files.v[files.n - 1];
}

static unsigned
group_seconds(void)
{
	const char *text = getenv("UNIT_SECONDS"), *why = NULL;
	long long n = text != NULL ? strtonum(text, 1, 86400, &why) : GROUP_SECONDS;

	if (why != NULL) {
		errno = EINVAL;
		give_up("UNIT_SECONDS");
	}
	return (unsigned)n;
}

int
main(int argc, char **argv)
{
	const unsigned seconds = group_seconds();
	size_t i;
	int k;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setenv("TZ", "UTC", 1);
	str_printf(&directory, "%s/pneu-unit.XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	if (mkdtemp(directory.p) == NULL)
		give_up(directory.p);
	for (i = 0; i < COUNT(groups); i++) {
		bool wanted = argc < 2;

		for (k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], groups[i].name) == 0;
		group = groups[i].name;
		if (!wanted)
			continue;
		(void)alarm(seconds);
		groups[i].run();
	}
	printf("1..%u\n", points);
	for (i = files.n; i > 0; i--)
		if (unlink(files.v[i - 1]) == -1)
			(void)rmdir(files.v[i - 1]);
	(void)rmdir(directory.p);
	str_free(&directory);
	strings_free(&files);
	return failed > 0;
}
