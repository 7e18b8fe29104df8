/*
 * faults_scenes - what pneu does while the system fails it, and what has to be so afterwards.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "faults_scenes.h"
#include "spool.h"

#define MAIL(from, to) \
	"C: MAIL FROM:<" from ">***\nS: 250 2.1.0 Ok\nC: RCPT TO:<" to ">***\nS: 250 2.1.5 Ok\n" \
	"C: DATA\nS: 354 go\nC: <message>\nS: 250 2.0.0 Ok: queued as X\n"
#define REFUSED(reply) \
	"C: MAIL FROM:<alice@sender.com>***\nS: 250 2.1.0 Ok\nC: RCPT TO:<bob@example.org>***\nS: " reply \
	"\nC: DATA\nS: 503 5.5.1 nobody\nC? RSET\nS: 250 2.0.0 Ok\n"
#define BYE "C? QUIT\nS: 221 2.0.0 Bye\n"
#define LOGIN "INCLUDE parts/auth-plain\n"
#define ONE MAIL("alice@sender.com", "bob@example.org")

const struct scene scenes[] = {
	{ "a submission", ONE BYE, "", { "bob@example.org" }, IN_SMALL, 0, P_SENT, false, false },
	{ "STARTTLS and AUTH", LOGIN ONE BYE, "password-file @/password\ntls-resume yes\n",
	    { "--report=json", "bob@example.org" }, IN_SMALL, 0, P_SENT, true, false },
	{ "a message from a pipe", ONE BYE, "", { "bob@example.org" }, IN_PIPE, 0, P_SENT, false, true },
	{ "a large file", ONE BYE, "", { "--message=large", "bob@example.org" }, IN_NONE, 0, P_SENT, false,
	    true },
	{ "a message for the spool", NULL, "queue @/spool\n", { "-odq", "bob@example.org" }, IN_SMALL, 0,
	    P_QUEUED, false, false },
	{ "a recipient who has to wait", REFUSED("450 4.2.0 later") BYE, "queue @/spool\n",
	    { "bob@example.org" }, IN_SMALL, 0, P_QUEUED, false, false },
	{ "a flush of two", ONE ONE BYE, "queue @/spool\n", { "--flush" }, IN_NONE, 2, P_FLUSH, false,
	    false },
	{ "a bounce", REFUSED("550 5.1.1 unknown") MAIL("", "alice@sender.com") BYE, "queue @/spool\n",
	    { "--flush" }, IN_NONE, 1, P_BOUNCE, false, false },
	{ "-bs", ONE BYE, "", { "-bs" }, IN_DIALOGUE, 0, P_SERVED, false, true },
	{ "--check", LOGIN BYE, "password-file @/password\n", { "--check" }, IN_NONE, 0, P_NONE, true, true },
	{ "a configuration with everything", LOGIN ONE BYE,
	    "password-command cat @/password\ninclude @/more\naliases @/aliases\nlog @/log\n",
	    { "--report=text", "-t" }, IN_SMALL, 0, P_SENT, false, false },
	{ "a list", NULL, "queue @/spool\n", { "--list" }, IN_NONE, 2, P_NONE, false, true },
};
const unsigned nscenes = sizeof scenes / sizeof scenes[0];

/* What a run without faults left. */
static struct str arrived, stored, printed;

/* ---- files */

int
slurp(const char *path, struct str *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[16384];
	ssize_t n;

	str_clear(to);
	if (fd == -1)
		return -1;
	while ((n = read(fd, buf, sizeof buf)) > 0)
		str_put(to, buf, (size_t)n);
	(void)close(fd);
	return n == 0 ? 0 : -1;
}

_Noreturn void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

void
spill(const char *path, const char *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || write(fd, p, n) != (ssize_t)n)
		give_up(path);
	(void)close(fd);
}

void
spill_text(const char *path, const char *text)
{
	spill(path, text, strlen(text));
}

void
empty(const char *path, bool itself)
{
	struct dirent *entry;
	DIR *d = opendir(path);

	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct str name = { 0 };

		str_printf(&name, "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    unlink(name.p) == -1)
			empty(name.p, true);
		str_free(&name);
	}
	if (d != NULL)
		(void)closedir(d);
	if (itself)
		(void)rmdir(path);
}

void
copy_files(const char *from, const char *to)
{
	struct dirent *entry;
	DIR *d = opendir(from);

	(void)mkdir(to, 0700);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		struct str a = { 0 }, b = { 0 }, text = { 0 };

		str_printf(&a, "%s/%s", from, entry->d_name);
		str_printf(&b, "%s/%s", to, entry->d_name);
		if (entry->d_name[0] != '.' && slurp(a.p, &text) == 0)
			spill(b.p, str_text(&text), text.len);
		str_free(&a);
		str_free(&b);
		str_free(&text);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* ---- looking */

static bool
same(const struct str *a, const struct str *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/* Is it the same text but for numbers, such as ages? */
static bool
alike(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	for (; *a != '\0' && *b != '\0'; a++, b++) {
		size_t m = strspn(a, digits), n = strspn(b, digits);

		if ((m > 0) != (n > 0) || (m == 0 && *a != *b))
			return false;
		a += m > 0 ? m - 1 : 0;
		b += n > 0 ? n - 1 : 0;
	}
	return *a == *b;
}

/* A report whole: it says what failed, quotes the message, and ends with its last boundary. */
static bool
is_report(const struct str *text)
{
	return text->len > 8 && strstr(text->p, "Action: failed") != NULL &&
	    strstr(text->p, "test.1@sender.com") != NULL && memcmp(text->p + text->len - 4, "--\r\n", 4) == 0;
}

struct count {
	unsigned entries, reports, unknown;
};

/* What is in the spool, whole; false, and *why, when something is not. */
static bool
look(bool measure, struct count *n, struct str *why)
{
	struct spool q = { NULL, -1, -1 };
	struct spool_ids l = { 0 };
	struct status st;
	struct item it;
	size_t i;
	bool good = true;
	int r = spool_open(&q, "spool", false, &st);

	if (r == 1)
		return true;
	if (r == 0)
		(void)spool_clean(&q, -1);
	if (r == -1 || spool_ids(&q, SPOOL_ACTIVE, &l, &st) == -1) {
		str_printf(why, "the spool cannot be read: %s", st.text);
		return false;
	}
	for (i = 0; i < l.n; i++) {
		struct str text = { 0 };
		char buf[4096];
		ssize_t got;

		enum take taken = spool_take(&q, SPOOL_ACTIVE, l.v[i], &it, &st);

		if (taken == TAKE_GONE) /* its end was marked only; what is set aside is lost below */
			;
		else if (taken != TAKE_OK) {
			str_printf(why, "entry %s cannot be had", l.v[i]);
			good = false;
		} else {
			n->unknown += it.entry.n == 1 && it.entry.rcpt[0].unknown;
			while ((got = read(it.fd, buf, sizeof buf)) > 0)
				str_put(&text, buf, (size_t)got);
			if (measure && i == 0)
				str_put(&stored, text.p, text.len);
			if (*it.entry.from == '\0' && is_report(&text))
				n->reports++;
			else if (it.entry.n == 1 && strcmp(it.entry.rcpt[0].to, "bob@example.org") == 0 &&
			    (stored.len == 0 || same(&text, &stored)))
				n->entries++;
			else {
				str_printf(why, "entry %s is not whole", l.v[i]);
				good = false;
			}
		}
		spool_close(&q, &it);
		str_free(&text);
	}
	spool_ids_free(&l);
	spool_shut(&q);
	return good;
}

/* What the server got. */
static bool
got(const struct scene *s, bool measure, struct count *n, struct str *why)
{
	struct str text = { 0 };
	char name[32];
	unsigned i;

	for (i = 1; snprintf(name, sizeof name, "message.%u", i) > 0 && slurp(name, &text) == 0; i++) {
		if (measure && i == 1)
			str_put(&arrived, text.p, text.len);
		if (s->promise == P_BOUNCE ? is_report(&text) : same(&text, &arrived))
			n->entries++;
		else {
			str_printf(why, "%s is not what was sent", name);
			break;
		}
	}
	str_free(&text);
	return why->len == 0;
}

bool
is_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	bool empty = true;

	while (d != NULL && (entry = readdir(d)) != NULL)
		empty &= entry->d_name[0] == '.';
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

/* ---- judging */

/* Each line on standard error is ours, and says why when something failed. */
static void
judge_words(const struct scene *s, const struct ended *e, int status, struct str *why)
{
	static const char *const secrets[] = { "s3cret-word", "czNjcmV0LXdvcm", "AGFsaWNlAHMzY3JldC13b3Jk" };
	const char *line = str_text(&e->err), *end;
	bool explained = false;
	regex_t code;
	size_t i;

	(void)regcomp(&code, "(^|[ :])[245]\\.[0-9]+\\.[0-9]+ ", REG_EXTENDED | REG_NOSUB);
	for (; *line != '\0'; line = end) {
		char *copy;

		end = strchrnul(line, '\n');
		copy = xstrndup(line, (size_t)(end - line));
		end += *end == '\n';
		if (strncmp(copy, "pneu: ", 6) != 0 &&
		    strncmp(copy, "Error in GnuTLS initialization: ", 32) != 0)
			str_printf(why, "unexplained on standard error: \"%s\"", copy);
		explained |= regexec(&code, copy, 0, NULL, 0) == 0;
		free(copy);
	}
	regfree(&code);
	/* a client of -bs has ears of its own */
	if (s->promise == P_SERVED || s->promise == P_NONE)
		explained |= strstr(str_text(&e->out), " 4.") != NULL ||
		    strstr(str_text(&e->out), " 5.") != NULL;
	/* the steps of --check are on an output that may be broken */
	if (s->promise == P_NONE)
		explained |= strstr(str_text(&e->err), "cannot write the report") != NULL;
	if (status != 0 && !explained)
		str_printf(why, "status %d and no reason: \"%s\"", status, str_text(&e->err));
	for (i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
		if (strstr(str_text(&e->err), secrets[i]) != NULL ||
		    strstr(str_text(&e->out), secrets[i]) != NULL)
			str_puts(why, "the password is shown");
}

static void
judge_status(int status, struct str *why)
{
	static const int known[] = { EX_OK, EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_NOUSER, EX_NOHOST,
		EX_UNAVAILABLE, EX_IOERR, EX_TEMPFAIL, EX_PROTOCOL, EX_NOPERM, EX_CONFIG };
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i] == status)
			return;
	str_printf(why, "exit status %d", status);
}

static void
judge_promise(const struct scene *s, const struct ended *e, int status, struct str *why)
{
	struct count sent = { 0 }, left = { 0 };
	bool uncertain = strstr(str_text(&e->err), "all the same") != NULL;
	bool accepted = strstr(str_text(&e->out), "250 2.0.0 Ok: queued as X") != NULL;
	bool measure = arrived.len + stored.len + printed.len == 0;

	if (!look(measure, &left, why) || !got(s, measure, &sent, why))
		return;
	if (measure)
		str_puts(&printed, str_text(&e->out));
	switch (s->promise) {
	case P_SENT:
		if ((status == 0 && sent.entries != 1) || sent.entries > 1 || left.entries > 0)
			str_printf(why, "status %d, %u sent", status, sent.entries);
		break;
	case P_QUEUED:
		if (status == 0 ? left.entries != 1 : left.entries != 0 && !uncertain)
			str_printf(why, "status %d, %u in the spool", status, left.entries);
		break;
	case P_FLUSH:
		if (left.entries + sent.entries < s->entries || left.reports > 0 ||
		    (left.entries + sent.entries > s->entries + left.unknown && status == 0 &&
			e->err.len == 0))
			str_printf(
			    why, "status %d, %u in the spool, %u sent", status, left.entries, sent.entries);
		break;
	case P_BOUNCE:
		if (left.entries + left.reports + sent.entries < 1)
			str_printf(why, "status %d, entry and report are gone", status);
		break;
	case P_SERVED:
		if (accepted && sent.entries != 1)
			str_printf(why, "250, and %u sent", sent.entries);
		break;
	case P_NONE:
		if (sent.entries > 0 || left.entries != s->entries)
			str_printf(why, "%u sent, %u in the spool", sent.entries, left.entries);
		if (s->script == NULL && status == 0 && !alike(str_text(&printed), str_text(&e->out)))
			str_puts(why, "status 0, and not all of it was printed");
		break;
	}
}

int
judge(const struct scene *s, const struct ended *e, bool measure, struct str *why)
{
	int status = WIFEXITED(e->status) ? WEXITSTATUS(e->status) : -1;

	str_clear(why);
	if (measure) {
		str_clear(&arrived);
		str_clear(&stored);
		str_clear(&printed);
	}
	if (e->hung)
		str_puts(why, "it hung");
	else if (WIFSIGNALED(e->status))
		str_printf(why, "signal %d", WTERMSIG(e->status));
	if (why->len == 0)
		judge_status(status, why);
	if (why->len == 0)
		judge_words(s, e, status, why);
	if (measure && why->len == 0 && status != 0)
		str_printf(why, "status %d without any fault: %s", status, str_text(&e->err));
	/* what was promised counts even when it crashed */
	if (why->len == 0 || e->hung || status == -1) {
		struct str more = { 0 };

		judge_promise(s, e, status, &more);
		str_printf(why, "%s%s", why->len > 0 && more.len > 0 ? "; " : "", str_text(&more));
		str_free(&more);
	}
	return why->len == 0 ? 0 : -1;
}
