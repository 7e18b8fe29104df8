/*
 * pneu - submit a mail message.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "conf.h"
#include "options.h"
#include "report.h"
#include "say.h"
#include "secret.h"
#include "url.h"
#include "wait.h"

/* Everything of one run, so that the end can give it all back and report on it. */
struct run {
	struct options options;
	struct conf conf;
	struct account account;
	struct message message;
	struct envelope envelope;
	struct submission submission;
	bool stdin_closed, account_made, message_open;
};

/*
 * A socket must never become descriptor 0, 1 or 2, where a stray line of ours would go into the
 * dialogue; callers do start us with those closed. Remembers whether there was an input at all.
 */
static void
open_standard(struct run *run)
{
	int fd;

	run->stdin_closed = fcntl(STDIN_FILENO, F_GETFD) == -1 && errno == EBADF;
	while ((fd = open("/dev/null", O_RDWR)) != -1 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

/* ---- who sends, who receives */

struct recipients {
	struct envelope *envelope;
	size_t seen; /* addresses in this argument, those that were there already among them */
};

static int
add_recipient(void *arg, const char *addr, struct status *st)
{
	struct recipients *to = arg;
	struct str path = { 0 };
	int r = address_path(addr, &path, st);

	if (r == 0)
		envelope_add(to->envelope, path.p);
	to->seen++;
	str_free(&path);
	return r;
}

static int
take_recipients(struct run *run, struct status *st)
{
	const struct options *o = &run->options;
	struct recipients to = { .envelope = &run->envelope };
	size_t i;

	if (o->nrecipients == 0)
		return status_set(st, PH_LOCAL, 5, 5, 1,
		    "no recipient: say who gets the message, as in %s bob@example.org",
		    getprogname());
	for (i = 0; i < o->nrecipients; i++) {
		to.seen = 0;
		if (!ascii_clean(o->recipients[i]))
			return status_set(st, PH_LOCAL, 5, 1, 3,
			    "recipient \"%.100s\": an address holds no control characters",
			    o->recipients[i]);
		if (address_list(o->recipients[i], add_recipient, &to, st) == -1)
			return -1;
		if (to.seen == 0)
			return status_set(st, PH_LOCAL, 5, 1, 3,
			    "recipient \"%.100s\": there is no address in it", o->recipients[i]);
	}
	return 0;
}

static int
keep_first(void *arg, const char *addr, struct status *st)
{
	struct str *first = arg;

	(void)st;
	if (first->len == 0)
		str_puts(first, addr);
	return 0;
}

/* The first address of the From field, ready for the envelope, or nothing. */
static void
from_header(const struct message *m, struct str *out)
{
	struct str first = { 0 };
	struct status st = { 0 };

	(void)address_list(str_text(&m->from), keep_first, &first, &st);
	if (first.len > 0 && address_path(first.p, out, &st) == -1)
		str_clear(out);
	str_free(&first);
}

static char *
login_name(void)
{
	const struct passwd *pw = getpwuid(getuid());
	struct str name = { 0 };

	if (pw != NULL)
		return xstrdup(pw->pw_name);
	str_printf(&name, "uid%lu", (unsigned long)getuid());
	return name.p;
}

/*
 * The address to send as when nobody gave one with -f: From when the account is for it, the
 * account's first plain address, From as it is, a login that is an address, login@host.
 */
static void
default_sender(const struct account *a, const char *header, struct str *out)
{
	struct str path = { 0 };
	struct status st;
	struct url u;
	size_t i;
	char *login, *domain;

	for (i = 0; *header != '\0' && i < a->from.n; i++)
		if (address_match(a->from.v[i], header)) {
			str_puts(out, header);
			return;
		}
	for (i = 0; i < a->from.n; i++)
		if (strpbrk(a->from.v[i], "*?[") == NULL &&
		    address_path(a->from.v[i], out, &st) == 0)
			return;
	if (*header != '\0') {
		str_puts(out, header);
		return;
	}
	if (url_parse(a->server.v[0], &u, &st) == 0 &&
	    address_path(a->user != NULL ? a->user
		    : u.user != NULL	 ? u.user
					 : "",
		&path, &st) == 0)
		str_puts(out, path.p);
	url_free(&u);
	str_free(&path);
	if (out->len > 0)
		return;
	login = login_name();
	domain = net_mail_domain();
	str_printf(out, "%s@%s", login, domain);
	free(login);
	free(domain);
}

static int
choose_sender(struct run *run, const char *header, struct status *st)
{
	const char *given = run->options.sender;
	struct str path = { 0 }, own = { 0 };
	int r = 0;

	if (given != NULL && (*given == '\0' || strcmp(given, "<>") == 0)) {
		run->envelope.from = xstrdup("");
		return 0;
	}
	if (given == NULL) {
		default_sender(&run->account, header, &own);
		given = own.p;
	}
	if (!ascii_clean(given))
		r = status_set(st, PH_LOCAL, 5, 1, 7, "the sender holds a control character");
	else if ((r = address_path(given, &path, st)) == -1 && st->subject == 1) {
		char why[300];

		(void)strlcpy(why, st->text, sizeof why);
		status_set(st, PH_LOCAL, 5, 1, 7, "sender %s; set `from`, or use -f", why);
	}
	run->envelope.from = path.p != NULL ? path.p : xstrdup("");
	str_free(&own);
	return r;
}

/* ---- the message */

static int
open_message(struct run *run, int *fd, struct status *st)
{
	const char *file = run->options.message;
	struct stat sb;
	bool typed;

	*fd = STDIN_FILENO;
	if (file != NULL && strcmp(file, "-") != 0) {
		/* not waiting here for the writer of a pipe; that is wait_read()'s */
		*fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (*fd == -1)
			return status_set(
			    st, PH_LOCAL, 5, 3, 0, "--message %s: %s", file, strerror(errno));
	} else if (run->stdin_closed)
		return status_set(
		    st, PH_LOCAL, 5, 3, 0, "standard input is closed: there is no message");
	if (fstat(*fd, &sb) == 0 && S_ISDIR(sb.st_mode))
		return status_set(st, PH_LOCAL, 5, 3, 0, "%s is a directory, not a message",
		    file != NULL ? file : "standard input");
	typed = isatty(*fd) == 1;
	if (typed)
		say("type the message; it ends with %s",
		    run->options.no_dot ? "Ctrl-D" : "Ctrl-D, or a line of one dot");
	run->message_open = true;
	return message_open(&run->message, *fd, typed && !run->options.no_dot, st);
}

/* The fields that a message must have (RFC 5322 3.6) and this one has not. */
static void
missing_fields(struct run *run, const char *header, struct str *fields)
{
	struct message *m = &run->message;
	time_t now = time(NULL);
	struct str from = { 0 };
	const char *domain;

	if (run->envelope.from[0] != '\0')
		str_puts(&from, run->envelope.from);
	else
		default_sender(&run->account, header, &from);
	domain = strrchr(from.p, '@');
	if (!m->has_date)
		message_add_date(fields, now);
	if (!m->has_from)
		str_printf(fields, "From: %s\r\n", from.p);
	if (!m->has_id)
		message_add_id(m, fields, now, domain != NULL ? domain + 1 : "localhost");
	str_free(&from);
}

/* ---- the account */

static int
choose_account(struct run *run, const char *header, struct status *st)
{
	const char *senders[] = { run->options.sender, *header != '\0' ? header : NULL };
	const struct layer *layers[3] = { &run->options.settings, NULL, &run->conf.defaults };
	const struct layer *chosen;
	char *file;

	if (conf_account(&run->conf, run->options.account, senders, 2, &chosen, st) == -1)
		return -1;
	if (chosen != NULL)
		layers[1] = chosen;
	else
		layers[1] = &run->conf.defaults;
	account_make(&run->account, layers, 3);
	run->account_made = true;
	if (run->account.password_fd == STDIN_FILENO && run->options.message == NULL)
		return status_set(st, PH_LOCAL, 5, 5, 4,
		    "--password-fd=0: standard input is the message already; use --message");
	if (secret_take_fd(&run->account, st) == -1)
		return -1;
	if (run->account.server.n == 0) {
		file = conf_user_file();
		status_set(st, PH_LOCAL, 5, 3, 5,
		    "no server is set: write \"server submissions://user@host\" into %s, or use "
		    "--server",
		    file != NULL ? file : SYSTEM_CONFIG);
		free(file);
		return -1;
	}
	return 0;
}

/* ---- one run */

/* Everything up to the network: 0 when there is something to submit, -1 with *st. */
static int
get_ready(struct run *run, struct status *st)
{
	struct str header = { 0 }, fields = { 0 };
	int fd = -1, r;

	r = take_recipients(run, st);
	if (r == 0)
		r = conf_load(&run->conf, run->options.config, st);
	if (r == 0)
		r = open_message(run, &fd, st);
	if (r == 0) {
		from_header(&run->message, &header);
		r = choose_account(run, str_text(&header), st);
	}
	if (r == 0)
		r = choose_sender(run, str_text(&header), st);
	if (r == 0) {
		missing_fields(run, str_text(&header), &fields);
		r = message_finish(&run->message, &fields, st);
	}
	if (fd > STDERR_FILENO)
		(void)close(fd);
	str_free(&header);
	str_free(&fields);
	return r;
}

static void
write_report(const struct run *run, const struct outcome *o)
{
	int fd = run->options.report_fd != -1 ? run->options.report_fd : STDOUT_FILENO;
	struct str out = { 0 };
	size_t done = 0;

	if (run->options.report == REPORT_NONE)
		return;
	if (run->options.report == REPORT_JSON)
		report_json(o, &out);
	else
		report_text(o, &out);
	while (done < out.len) {
		ssize_t n = write(fd, out.p + done, out.len - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* what became of the mail is decided and does not change any more */
			say("cannot write the report: %s", strerror(errno));
			break;
		}
		done += (size_t)n;
	}
	str_free(&out);
}

static int
finish(struct run *run, const struct status *error)
{
	struct outcome o = {
		.account = run->account_made ? &run->account : NULL,
		.envelope = &run->envelope,
		.message = run->message_open ? &run->message : NULL,
		.submission = error == NULL ? &run->submission : NULL,
		.error = error,
	};

	o.exit = error != NULL ? status_exit(error) : envelope_exit(&run->envelope);
	report_failures(&o);
	write_report(run, &o);
	submission_free(&run->submission);
	envelope_free(&run->envelope);
	if (run->message_open)
		message_free(&run->message);
	if (run->account_made)
		account_free(&run->account);
	conf_free(&run->conf);
	options_free(&run->options);
	return o.exit;
}

static int
print(char *text)
{
	int failed = fputs(text, stdout) == EOF || fflush(stdout) == EOF;

	free(text);
	return failed ? EX_IOERR : EX_OK;
}

int
main(int argc, char **argv)
{
	struct run run = { 0 };
	struct status st;

	open_standard(&run);
	wait_signals();
	if (options_parse(&run.options, argc, argv, &st) == -1)
		return finish(&run, &st);
	if (run.options.mode == MODE_HELP)
		return print(options_help());
	if (run.options.mode == MODE_VERSION)
		return print(xstrdup(PACKAGE_STRING "\n"));
	say_dialogue(run.options.verbose);
	if (get_ready(&run, &st) == -1)
		return finish(&run, &st);
	submit(&run.account, &run.envelope, &run.message, &run.submission);
	return finish(&run, NULL);
}
