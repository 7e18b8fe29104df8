/*
 * log - how each message ended, noted where the account's `log` says.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "confine.h"
#include "log.h"
#include "say.h"
#include "wait.h"

#define JOURNAL "/run/systemd/journal/socket"

/* The line for people, where there is a field for it. */
static void
summary(const struct outcome *o, struct str *out)
{
	const struct envelope *e = o->envelope;
	char enhanced[16];
	size_t i, good = 0;

	for (i = 0; o->error == NULL && i < e->n; i++)
		good += status_ok(&e->rcpt[i].status);
	if (o->error != NULL)
		str_printf(out, "%s %s", status_enhanced(o->error, enhanced), o->error->text);
	else
		str_printf(out, "from=<%s>, %zu of %zu recipients", e->from != NULL ? e->from : "",
		    good, e->n);
	for (i = 0; o->error == NULL && i < e->n; i++)
		if (!status_ok(&e->rcpt[i].status)) {
			str_printf(out, ", to=<%s> %s", e->rcpt[i].to, e->rcpt[i].status.text);
			break;
		}
}

/* Close it and keep errno, which says what happened before. */
static void
shut(int fd)
{
	int error = errno;

	(void)close(fd);
	errno = error;
}

static int
open_file(const char *file)
{
	return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
}

/* What was opened for a time when it cannot be, or why that failed. */
static struct held {
	char *file;
	int fd, error;
} * held;
static size_t nheld, held_cap;

static const struct held *
find_held(const char *file)
{
	size_t i;

	for (i = 0; i < nheld; i++)
		if (strcmp(held[i].file, file) == 0)
			return &held[i];
	return NULL;
}

void
log_hold(const struct account *a)
{
	struct held *h;

	if (!a->sandbox || a->log == NULL || *a->log != '/' || find_held(a->log) != NULL)
		return;
	held = xgrow(held, &held_cap, nheld + 1, sizeof *held);
	h = &held[nheld++];
	h->file = xstrdup(a->log);
	h->fd = open_file(a->log);
	h->error = errno;
}

static int
to_file(const char *file, const struct str *record)
{
	const struct held *h = confined() ? find_held(file) : NULL;
	int fd = h != NULL ? h->fd : open_file(file);
	ssize_t n;

	if (fd == -1) {
		if (h != NULL)
			errno = h->error;
		return -1;
	}
	n = write(fd, record->p, record->len);
	if (n != -1 && (size_t)n < record->len)
		errno = ENOSPC;
	if (h == NULL)
		shut(fd);
	return n == (ssize_t)record->len ? 0 : -1;
}

static void
to_syslog(const struct outcome *o, const struct str *record)
{
	openlog("pneu", LOG_PID, LOG_MAIL);
	syslog(o->exit == 0 ? LOG_INFO : LOG_ERR, "%.*s", (int)record->len - 1, record->p);
	closelog();
}

/*
 * The journal's own protocol: a datagram of lines "FIELD=value". None of the values has a line end,
 * as all of a record is printable.
 */
static int
to_journal(const struct outcome *o, const struct str *record)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct str text = { 0 }, words = { 0 };
	int fd, r = -1;

	summary(o, &words);
	str_puts(&text, "MESSAGE=");
	str_printable(&text, str_text(&words), words.len);
	str_printf(&text,
	    "\nPRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=pneu\nSYSLOG_PID=%ld\nPNEU_EXIT=%"
	    "d\n",
	    o->exit == 0 ? LOG_INFO : LOG_ERR, LOG_MAIL >> 3, (long)getpid(), o->exit);
	if (o->account != NULL && o->account->name != NULL)
		str_printf(&text, "PNEU_ACCOUNT=%s\n", o->account->name);
	str_puts(&text, "PNEU_REPORT=");
	str_put(&text, record->p, record->len);
	(void)strlcpy(un.sun_path, JOURNAL, sizeof un.sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1) {
		if (sendto(fd, text.p, text.len, 0, (const struct sockaddr *)&un, sizeof un) ==
		    (ssize_t)text.len)
			r = 0;
		shut(fd);
	}
	str_free(&words);
	str_free(&text);
	return r;
}

void
log_record(const struct outcome *o, const struct str *record)
{
	const char *to = o->account != NULL ? o->account->log : NULL;
	int r = 0;

	if (to == NULL)
		return;
	if (strcmp(to, "syslog") == 0)
		to_syslog(o, record);
	else if (strcmp(to, "journal") == 0)
		r = to_journal(o, record);
	else
		r = to_file(to, record);
	if (r == -1)
		say("cannot write the log, %s: %s", strcmp(to, "journal") == 0 ? JOURNAL : to,
		    strerror(errno));
}

void
log_message(const struct account *a, struct link *l, const struct envelope *e,
    const struct message *m, int64_t start)
{
	struct submission sub = { .server = l->name, .user = l->user, .info = l->info };
	struct outcome o = { .account = a, .envelope = e, .message = m, .submission = &sub };
	struct str record = { 0 };

	if (a->log == NULL)
		return;
	if (l->session != NULL)
		sub.info = *session_info(l->session);
	sub.tally = link_tally(l);
	sub.ms = wait_now() - start;
	o.exit = envelope_exit(e);
	report_json(&o, &record);
	log_record(&o, &record);
	str_free(&record);
}
