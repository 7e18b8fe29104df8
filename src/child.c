/*
 * child - commands of the configuration, run by a shell.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "child.h"
#include "wait.h"

#define LOOK_MS 20
#define GRACE_MS 500 /* between SIGTERM and SIGKILL */

static void
run(const struct child_job *job)
{
	int in;

	wait_child();
	in = job->in != -1 ? job->in : open("/dev/null", O_RDONLY);
	if (in == -1 || dup2(in, STDIN_FILENO) == -1 || dup2(job->out, STDOUT_FILENO) == -1)
		_exit(EX_TEMPFAIL);
	closefrom(STDERR_FILENO + 1);
	if (job->name != NULL &&
	    (job->value != NULL ? setenv(job->name, job->value, 1) : unsetenv(job->name)) == -1)
		_exit(EX_TEMPFAIL);
	(void)execl("/bin/sh", "sh", "-c", job->command, (char *)NULL);
	_exit(127);
}

pid_t
child_start(const struct child_job *job)
{
	pid_t child = fork();

	if (child == 0)
		run(job);
	return child;
}

/* The child when it has ended, 0 when it has not by the deadline, -1 when there is no such child.
 */
static pid_t
ended(pid_t child, int64_t deadline, int *status)
{
	pid_t got;

	/* whoever waits here expects it to end at once: looking 50 times a second is cheap */
	for (;;) {
		got = waitpid(child, status, WNOHANG);
		if (got == -1 && errno == EINTR)
			continue;
		if (got != 0 || wait_now() >= deadline ||
		    wait_poll(NULL, 0, wait_least(wait_until(LOOK_MS), deadline)) != 0)
			return got;
	}
}

bool
child_wait(pid_t child, int64_t deadline, int *status)
{
	return ended(child, deadline, status) == child;
}

bool
child_end(pid_t child, int64_t deadline, int *status)
{
	pid_t got = ended(child, deadline, status);

	if (got != 0)
		return got == child;
	(void)kill(child, SIGTERM);
	if (ended(child, wait_until(GRACE_MS), status) == 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, status, 0);
	}
	return false;
}

const char *
child_status(int status, char text[static 40])
{
	if (WIFSIGNALED(status))
		(void)snprintf(text, 40, "signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, 40, "exit status %d", WEXITSTATUS(status));
	return text;
}
