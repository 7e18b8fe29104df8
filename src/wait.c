/*
 * wait - monotonic time, and the one place where the process sleeps.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "wait.h"

static volatile sig_atomic_t caught, times;
static int64_t finish_ms, finish_by; /* see wait_finish(); finish_by counts from the first signal */
static int64_t (*meanwhile)(int64_t now);
static int64_t meanwhile_at = WAIT_FOREVER;
static sigset_t open_mask; /* in force inside ppoll() only */
static sigset_t caller_mask;
static sigset_t shut_mask; /* in force everywhere else */

static const struct {
	int number;
	const char *name;
} ending[] = {
	{ SIGINT, "SIGINT" },
	{ SIGTERM, "SIGTERM" },
	{ SIGHUP, "SIGHUP" },
};
#define NENDING (sizeof ending / sizeof ending[0])

static void
on_signal(int number)
{
	caught = number;
	times++;
}

int64_t
wait_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
wait_until(int64_t ms)
{
	return ms == WAIT_FOREVER ? WAIT_FOREVER : wait_now() + ms;
}

int64_t
wait_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void
wait_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_IGN }, old;
	sigset_t block;
	size_t i;

	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigaction(SIGXFSZ, &sa, NULL);
	/* a caller that ignores its children must not make us lose ours */
	sa.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &sa, NULL);
	(void)sigemptyset(&block);
	sa.sa_handler = on_signal;
	for (i = 0; i < NENDING; i++) {
		if (sigaction(ending[i].number, &sa, &old) == -1)
			continue;
		if (old.sa_handler == SIG_IGN)
			(void)sigaction(ending[i].number, &old, NULL);
		else
			(void)sigaddset(&block, ending[i].number);
	}
	(void)sigprocmask(SIG_BLOCK, &block, &caller_mask);
	shut_mask = caller_mask;
	for (i = 0; i < NENDING; i++)
		if (sigismember(&block, ending[i].number) == 1)
			(void)sigaddset(&shut_mask, ending[i].number);
	/* a mask that the caller forgot to lift must not make us deaf */
	open_mask = caller_mask;
	for (i = 0; i < NENDING; i++)
		(void)sigdelset(&open_mask, ending[i].number);
	(void)sigdelset(&open_mask, SIGCHLD);
}

void
wait_admit(bool on)
{
	(void)sigprocmask(SIG_SETMASK, on ? &open_mask : &shut_mask, NULL);
}

void
wait_child(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int i;

	for (i = 1; i < 32; i++)
		(void)sigaction(i, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

const char *
wait_signal(void)
{
	size_t i;

	for (i = 0; i < NENDING; i++)
		if (caught == ending[i].number)
			return ending[i].name;
	return NULL;
}

void
wait_finish(int64_t ms)
{
	finish_ms = ms;
	finish_by = 0;
}

bool
wait_asked(void)
{
	return wait_poll(NULL, 0, 0) == -1;
}

void
wait_meanwhile(int64_t (*tick)(int64_t now), int64_t at)
{
	meanwhile = tick;
	meanwhile_at = at;
}

/* What is to be done meanwhile, if it is time; returns when it will be. */
static int64_t
do_meanwhile(void)
{
	int64_t now;

	if (meanwhile_at != WAIT_FOREVER && (now = wait_now()) >= meanwhile_at)
		meanwhile_at = meanwhile(now);
	return meanwhile_at;
}

/* Has a signal ended this wait? If it only shortened it, *deadline is drawn in. */
static bool
interrupted(int64_t *deadline)
{
	if (caught == 0)
		return false;
	if (finish_ms == 0 || times > 1)
		return true;
	if (finish_by == 0)
		finish_by = wait_until(finish_ms);
	*deadline = wait_least(*deadline, finish_by);
	return wait_now() >= finish_by;
}

int
wait_poll(struct pollfd *fds, nfds_t n, int64_t deadline)
{
	for (;;) {
		struct timespec ts, *limit = NULL;
		int64_t by = deadline;
		int ready;

		if (interrupted(&by)) /* also by what came in a wait that finished all the same */
			return -1;
		by = wait_least(by, do_meanwhile());
		if (by != WAIT_FOREVER) {
			int64_t left = by - wait_now();

			if (left < 0)
				left = 0;
			ts.tv_sec = (time_t)(left / 1000);
			ts.tv_nsec = (long)(left % 1000) * 1000000;
			limit = &ts;
		}
		ready = ppoll(fds, n, limit, &open_mask);
		if (interrupted(&by))
			return -1;
		/* else EINTR from a signal that changes nothing, or the kernel lacks memory */
		if (ready > 0)
			return ready;
		if (wait_now() >= deadline)
			return 0;
		if (ready == -1 && errno != EINTR)
			(void)nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
}

ssize_t
wait_read(int fd, void *p, size_t n, int64_t deadline)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int ready = wait_poll(&pfd, 1, deadline);
		ssize_t got;

		if (ready <= 0) {
			errno = ready == 0 ? ETIMEDOUT : EINTR;
			return -1;
		}
		got = read(fd, p, n);
		if (got != -1 || (errno != EAGAIN && errno != EINTR))
			return got;
	}
}
