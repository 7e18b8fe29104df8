/*
 * peer - a mail server that plays a written dialogue to a client and says whether it did its part.
 *
 * usage: peer [--dir DIR] [--port N] [--socket PATH] [--hold] [--grace MS] SCRIPT
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/wait.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vis.h>

#include "peer.h"

#define BOUND_S 60 /* no dialogue takes longer */

static const char *dir = ".";
static struct script script;

/* ---- what everybody needs */

void
bytes_put(struct bytes *b, const void *p, size_t n)
{
	if (b->len + n + 1 > b->cap) {
		b->cap = 2 * b->cap + n + 64;
		if ((b->p = realloc(b->p, b->cap)) == NULL)
			broken("no memory");
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof *b);
}

const char *
visible(const char *p, size_t n)
{
	static char texts[4][4 * 300 + 8];
	static unsigned turn;
	char *text = texts[turn++ % 4];

	strvisx(text, p, n < 300 ? n : 300, VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL);
	if (n > 300)
		memcpy(text + strlen(text), "...", 4);
	return text;
}

static void complain(const char *fmt, va_list ap) __attribute__((__format__(__printf__, 1, 0)));

static void
complain(const char *fmt, va_list ap)
{
	if (playing != NULL)
		(void)fprintf(stderr, "%s:%d: ", playing->file, playing->line);
	else
		(void)fputs("peer: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
}

void
fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	_exit(1);
}

void
broken(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	_exit(2);
}

long
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
pause_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

const char *
in_dir(const char *name)
{
	static char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		broken("the name of the directory is too long");
	return path;
}

/* ---- the program */

static void
usage(void)
{
	(void)fputs(
	    "usage: peer [--dir DIR] [--port N] [--socket PATH] [--hold] [--grace MS] SCRIPT\n", stderr);
	exit(2);
}

static void
out_of_time(int sig)
{
	static const char text[] = "peer: the dialogue took too long\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(1);
}

static void
signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &sa, NULL);
	sa.sa_handler = serve_no_more;
	(void)sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = out_of_time;
	(void)sigaction(SIGALRM, &sa, NULL);
}

/* What a run before this one has left behind would be taken for ours. */
static void
clean(void)
{
	static const char *const files[] = { "port", "transcript", "flights" };
	char name[32];
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(in_dir(files[i]));
	for (i = 1; snprintf(name, sizeof name, "message.%zu", i) > 0 && unlink(in_dir(name)) == 0; i++)
		;
}

static void
announce(unsigned short port)
{
	char written[4096];
	FILE *f;

	(void)strlcpy(written, in_dir("port.new"), sizeof written);
	if ((f = fopen(written, "w")) == NULL || fprintf(f, "%hu\n", port) < 0 || fclose(f) == EOF ||
	    rename(written, in_dir("port")) == -1)
		broken("%s: %s", in_dir("port"), strerror(errno));
	(void)printf("port %hu\n", port);
	(void)fflush(stdout);
}

static void
play_once(const char *mode)
{
	FILE *transcript = fopen(in_dir("transcript"), mode);

	if (transcript == NULL)
		broken("%s: %s", in_dir("transcript"), strerror(errno));
	(void)setvbuf(transcript, NULL, _IOLBF, 0);
	(void)alarm(BOUND_S);
	play(&script, transcript);
	(void)fclose(transcript);
}

/* One client after the other, each with a process of its own, until somebody ends it. */
static void
hold(void)
{
	while (serve_wait()) {
		pid_t child = fork();

		if (child == 0) {
			play_once("a");
			exit(0);
		}
		while (child > 0 && waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "port", required_argument, NULL, 'p' },
		{ "socket", required_argument, NULL, 's' },
		{ "hold", no_argument, NULL, 'h' },
		{ "grace", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned short port = 0;
	const char *why = NULL, *path = NULL;
	bool again = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'p')
			port = (unsigned short)strtonum(optarg, 1, 65535, &why);
		else if (c == 's')
			path = optarg;
		else if (c == 'h')
			again = true;
		else if (c == 'g')
			grace_ms = (int)strtonum(optarg, 0, 1000, &why);
		else
			usage();
	}
	if (optind != argc - 1 || why != NULL)
		usage();
	script_read(&script, argv[optind]);
	signals();
	clean();
	cert_make();
	if (path != NULL)
		serve_listen_socket(path);
	announce(serve_listen(port));
	if (again)
		hold();
	else
		play_once("w");
	return 0;
}
