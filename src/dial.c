/*
 * dial - a stream to a server: directly, by way of a proxy, or over a command.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "dial.h"
#include "wait.h"

#define WHY_MS 1000 /* between the end of a command's output and its own */
#define END_MS 3000 /* for a command to end once nobody talks to it any more */

int
dial_check(const struct endpoint *to, const struct route *by, struct status *st)
{
	if (by->tunnel == NULL)
		return 0;
	if (by->proxy != NULL || by->source != NULL)
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "`tunnel` and `%s` do not go together: the command makes the connection",
		    by->proxy != NULL ? "proxy" : "source-address");
	if (to->path != NULL)
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "`tunnel` does not lead to %s, a socket on this machine: name the host in "
		    "`server`",
		    to->path);
	return 0;
}

/* Put `before` and `behind` around what *st says; always -1. */
static int
around(const char *before, const char *behind, struct status *st)
{
	char text[sizeof st->text];

	(void)strlcpy(text, st->text, sizeof text);
	(void)strlcpy(st->text, before, sizeof st->text);
	(void)strlcat(st->text, text, sizeof st->text);
	(void)strlcat(st->text, behind, sizeof st->text);
	return -1;
}

static bool
no_such_host(const struct status *st)
{
	return st->subject == 4 && st->detail == 4;
}

static bool
no_connection(const struct status *st)
{
	return st->subject == 4 && st->detail == 1;
}

static int
direct(const struct endpoint *to, const struct route *by, int64_t deadline, struct call *c,
    struct status *st)
{
	int fd;

	c->early = by->first;
	fd = net_connect(to, by->source, deadline, &c->early, c->peer, sizeof c->peer, st);

	if (fd != -1) {
		c->stream = stream_new(fd, fd);
		return 0;
	}
	if (no_such_host(st))
		return around("", ": check the name in `server`", st);
	if (no_connection(st) && by->source == NULL && to->path == NULL)
		return around("",
		    strcmp(to->port, "25") == 0
			? "; many networks block port 25: use submission:// or submissions://"
			: "; are host and port in `server` right? 465 and 587 are for submission",
		    st);
	return -1;
}

static int
through_proxy(const struct endpoint *to, const struct route *by, int64_t deadline, struct call *c,
    struct status *st)
{
	const struct endpoint proxy = { .host = by->proxy->host, .port = by->proxy->port };
	char peer[sizeof c->peer - sizeof PEER_PROXY];
	int fd = net_connect(&proxy, by->source, deadline, NULL, peer, sizeof peer, st);

	if (fd == -1)
		return around("the proxy: ",
		    no_such_host(st)	    ? ": check the name in `proxy`"
			: no_connection(st) ? "; are host and port in `proxy` right?"
					    : "",
		    st);
	if (socks_connect(fd, by->proxy, to->host, to->port, deadline, st) == -1) {
		(void)close(fd);
		return -1;
	}
	(void)snprintf(c->peer, sizeof c->peer, PEER_PROXY "%s", peer);
	c->stream = stream_new(fd, fd);
	return 0;
}

static int
over_command(const char *command, struct call *c, struct status *st)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, kept = -1;
	struct child_job job = { .command = command };
	size_t i;

	if (pipe(in) == -1 || pipe(out) == -1 || (kept = dup(out[0])) == -1)
		status_errno(st, PH_CONNECT, "tunnel: cannot make a pipe");
	else {
		job.in = in[0];
		job.out = out[1];
		if ((c->child = child_start(&job)) == -1)
			status_errno(st, PH_CONNECT, "tunnel: cannot start it");
		else {
			c->tunnel = command;
			c->output = kept;
			c->stream = stream_new(out[0], in[1]);
			(void)strlcpy(c->peer, PEER_TUNNEL, sizeof c->peer);
			(void)close(in[0]);
			(void)close(out[1]);
			return 0;
		}
	}
	for (i = 0; i < 2; i++) {
		(void)close(in[i]);
		(void)close(out[i]);
	}
	if (kept != -1)
		(void)close(kept);
	return -1;
}

int
dial(const struct endpoint *to, const struct route *by, int64_t deadline, struct call *c,
    struct status *st)
{
	memset(c, 0, sizeof *c);
	if (dial_check(to, by, st) == -1)
		return -1;
	if (by->tunnel != NULL)
		return over_command(by->tunnel, c, st);
	if (by->proxy != NULL && to->path == NULL)
		return through_proxy(to, by, deadline, c, st);
	return direct(to, by, deadline, c, st);
}

void
dial_why(struct call *c, struct status *st)
{
	char how[40];
	int status;

	if (c->tunnel == NULL || st->subject != 4 ||
	    !child_wait(c->child, wait_until(WHY_MS), &status))
		return;
	c->child = 0;
	status_set(st, PH_CONNECT, 4, 4, 1,
	    "`tunnel` ended before the server said anything: %s%s: %s", child_status(status, how),
	    WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ", a command that was not found" : "",
	    c->tunnel);
}

void
dial_end(struct call *c)
{
	int status;

	if (c->tunnel == NULL)
		return;
	c->tunnel = NULL;
	if (c->child != 0)
		(void)child_end(c->child, wait_until(END_MS), &status);
	(void)close(c->output);
}
