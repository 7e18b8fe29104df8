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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "check.h"
#include "conf.h"
#include "dispatch.h"
#include "list.h"
#include "log.h"
#include "options.h"
#include "parties.h"
#include "progress.h"
#include "report.h"
#include "rewrite.h"
#include "say.h"
#include "serve.h"
#include "secret.h"
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
		if (*fd == -1 && status_passes(errno))
			return status_errno(st, PH_LOCAL, "--message %s", file);
		if (*fd == -1)
			return status_file(st, 3, 0, "--message", file);
	} else if (run->stdin_closed)
		return status_set(st, PH_LOCAL, 5, 3, 0,
		    "there is no message: standard input is closed; name a file with --message");
	if (fstat(*fd, &sb) == -1)
		return status_errno(st, PH_LOCAL, "cannot read the message");
	if (S_ISDIR(sb.st_mode))
		return status_set(st, PH_LOCAL, 5, 3, 0,
		    "%s is a directory, not a message; name a file",
		    file != NULL ? file : "standard input");
	typed = S_ISCHR(sb.st_mode) && isatty(*fd) == 1;
	if (typed)
		say("type the message; it ends with %s",
		    run->options.no_dot ? "Ctrl-D" : "Ctrl-D, or a line of one dot");
	run->message_open = true;
	return message_open(&run->message, *fd, typed && !run->options.no_dot, st);
}

/* ---- the account */

static int
choose_account(struct run *run, const char *header, struct status *st)
{
	const char *senders[] = { run->options.sender, *header != '\0' ? header : NULL };
	const struct layer *chosen;

	if (conf_account(&run->conf, run->options.account, senders, 2, &chosen, st) == -1)
		return -1;
	run->account_made = true;
	if (conf_make(&run->conf, &run->options.settings, chosen, &run->account, st) == -1)
		return -1;
	if (run->account.password_fd == STDIN_FILENO && run->options.message == NULL)
		return status_set(st, PH_LOCAL, 5, 5, 4,
		    "--password-fd=0: standard input is the message already; use --message");
	return secret_take_fd(&run->account, st);
}

/* ---- one run */

/* Everything up to the network: 0 when there is something to submit, -1 with *st. */
static int
get_ready(struct run *run, struct status *st)
{
	const struct options *o = &run->options;
	const struct strings *to = NULL;
	struct str header = { 0 }, fields = { 0 }, from = { 0 };
	int fd = -1, r = 0;

	if (o->nrecipients == 0 && !o->from_header)
		r = status_set(st, PH_LOCAL, 5, 5, 1,
		    "no recipient: say who gets the message, as in %s bob@example.org, or -t",
		    getprogname());
	if (r == 0)
		r = conf_load(&run->conf, o->config, st);
	if (r == 0)
		r = open_message(run, &fd, st);
	if (r == 0) {
		parties_from(&run->message, NULL, &header);
		r = choose_account(run, str_text(&header), st);
	}
	if (r == 0) {
		str_clear(&header);
		parties_from(&run->message, &run->account, &header);
		r = parties_sender(&run->account, o->sender, str_text(&header), &from, st);
		run->envelope.from = xstrdup(str_text(&from));
		run->envelope.wish = &run->account.wish;
	}
	if (r == 0) {
		if (o->from_header)
			to = run->message.resent_to.n > 0 ? &run->message.resent_to
							  : &run->message.to;
		r = parties_recipients(
		    &run->account, o->recipients, o->nrecipients, to, &run->envelope, st);
	}
	if (r == 0)
		r = rewrite_message(&run->message, &run->account, run->envelope.from,
		    o->sender != NULL, o->full_name, &fields, st);
	if (r == 0)
		r = message_finish(&run->message, &fields, st);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	str_free(&header);
	str_free(&fields);
	str_free(&from);
	return r;
}

/* -bv: would these recipients do? Nothing is read or sent. */
static int
verify(struct run *run, struct status *st)
{
	if (conf_load(&run->conf, run->options.config, st) == -1 ||
	    choose_account(run, "", st) == -1)
		return -1;
	return parties_recipients(&run->account, run->options.recipients, run->options.nrecipients,
	    NULL, &run->envelope, st);
}

static void
write_report(const struct run *run, const struct outcome *o, const struct str *record)
{
	int fd = run->options.report_fd != -1 ? run->options.report_fd : STDOUT_FILENO;
	struct str out = { 0 };
	size_t done = 0;

	if (run->options.report == REPORT_NONE)
		return;
	if (run->options.report == REPORT_JSON)
		str_put(&out, record->p, record->len);
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

	struct str record = { 0 };

	o.exit = error != NULL ? status_exit(error) : envelope_exit(&run->envelope);
	xdecided(o.exit);
	report_failures(&o);
	if (run->options.report == REPORT_JSON || (o.account != NULL && o.account->log != NULL))
		report_json(&o, &record);
	/* the spool and the client of -bs have their own */
	if (run->options.mode == MODE_SEND)
		log_record(&o, &record);
	write_report(run, &o, &record);
	str_free(&record);
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

/* What stands on the command line of --check: recipients have an @, URLs a scheme. */
static int
sort_arguments(struct run *run, struct strings *recipients, struct status *st)
{
	struct options *o = &run->options;
	const struct setting *server = setting_find("server");
	size_t i;

	for (i = 0; i < o->nrecipients; i++) {
		char *word = o->recipients[i];

		if (strstr(word, "://") != NULL) {
			if (layer_set(&o->settings, server, word, st) == -1)
				return -1;
		} else if (strchr(word, '@') != NULL || o->account != NULL)
			strings_add(recipients, word);
		else
			o->account = word;
	}
	return 0;
}

static int
check_account(struct run *run)
{
	struct options *o = &run->options;
	struct check_wish wish = {
		.sender = o->sender,
		.format = o->report,
		.fd = o->report_fd != -1 ? o->report_fd : STDOUT_FILENO,
	};
	struct strings recipients = { 0 };
	struct status st;
	int status;

	if (sort_arguments(run, &recipients, &st) == -1 ||
	    conf_load(&run->conf, o->config, &st) == -1 || choose_account(run, "", &st) == -1)
		status = check_failed(&wish, &st);
	else {
		wish.account = &run->account;
		wish.recipients = recipients.v;
		wish.n = recipients.n;
		status = check(&wish);
	}
	strings_free(&recipients);
	if (run->account_made)
		account_free(&run->account);
	conf_free(&run->conf);
	options_free(o);
	return status;
}

/* -bs: the client hears what becomes of its mail, and standard error only of what it cannot hear.
 */
static int
serve_client(struct run *run)
{
	struct status st;
	struct str words = { 0 };
	int r = conf_load(&run->conf, run->options.config, &st);

	if (r == -1) {
		str_printf(&words, "421 4.3.5 %s\r\n", st.text);
		(void)!write(STDOUT_FILENO, words.p, words.len);
		str_free(&words);
	} else
		r = serve(&run->conf, &run->options.settings, run->options.account, STDIN_FILENO,
		    STDOUT_FILENO, &st);
	return finish(run, r == -1 ? &st : NULL);
}

static int
flush_spool(struct run *run, struct status *st)
{
	const struct options *o = &run->options;
	struct flush_wish wish = { o->id, o->some_ids, o->some_senders, o->some_recipients,
		o->every > 0 };
	int r = secret_take_fd(&run->account, st);
	bool again = false;

	if (r == -1)
		return -1;
	do {
		r = flush(&run->conf, &o->settings, &run->account, &wish, st);
		/* what worked once may work again, and nobody would start the rounds anew */
		if (r == -1 && again) {
			say_status(NULL, st);
			r = 0;
		}
		again = true;
	} while (r == 0 && o->every > 0 && wait_poll(NULL, 0, wait_until(o->every)) == 0);
	return r;
}

/* What is asked for is the report then, unless it does not come to it. */
static int
look_into_spool(struct run *run, struct status *st)
{
	struct options *o = &run->options;
	int r;

	if (o->mode == MODE_SHOW)
		r = list_show(&run->account, o->id, o->verbose, STDOUT_FILENO, st);
	else
		r = list_all(&run->account, o->report == REPORT_JSON,
		    o->report_fd != -1 ? o->report_fd : STDOUT_FILENO, st);
	if (r == 0 || st->exit == EX_IOERR)
		o->report = REPORT_NONE;
	return r;
}

/* The modes that are about the spool as a whole. */
static int
use_spool(struct run *run)
{
	const struct options *o = &run->options;
	const struct account *a = &run->account;
	const struct layer *chosen = NULL;
	struct status st;
	int r = conf_load(&run->conf, o->config, &st);

	if (r == 0)
		r = conf_account(&run->conf, o->account, NULL, 0, &chosen, &st);
	if (r == -1)
		return finish(run, &st);
	/* where the spool is counts, whether or not there is a server yet */
	(void)conf_make(&run->conf, &o->settings, chosen, &run->account, &st);
	run->account_made = true;
	switch (o->mode) {
	case MODE_LIST:
	case MODE_SHOW:
		r = look_into_spool(run, &st);
		break;
	case MODE_DROP:
		r = list_change(a, LIST_DROP, o->id, &st);
		break;
	case MODE_HOLD:
		r = list_change(a, LIST_HOLD, o->id, &st);
		break;
	case MODE_RELEASE:
		r = list_change(a, LIST_RELEASE, o->id, &st);
		break;
	default:
		r = flush_spool(run, &st);
		break;
	}
	return finish(run, r == -1 ? &st : NULL);
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
	struct dispatch how = { .later = false };
	struct status st;

	open_standard(&run);
	wait_signals();
	if (options_parse(&run.options, argc, argv, &st) == -1)
		return finish(&run, &st);
	if (run.options.mode == MODE_HELP)
		return print(options_help());
	if (run.options.mode == MODE_VERSION)
		return print(xstrdup(PACKAGE_STRING "\n"));
	if (run.options.mode == MODE_ALIASES) { /* there is no database of them */
		options_free(&run.options);
		return EX_OK;
	}
	if (run.options.mode == MODE_VERIFY) {
		bool good = verify(&run, &st) == 0;

		envelope_free(&run.envelope);
		return finish(&run, good ? NULL : &st);
	}
	say_dialogue(run.options.verbose);
	/* a client of -bs has the terminal to itself */
	progress_allow(run.options.mode != MODE_SERVE);
	if (run.options.mode == MODE_CHECK)
		return check_account(&run);
	if (run.options.mode == MODE_SERVE)
		return serve_client(&run);
	if (run.options.mode >= MODE_LIST)
		return use_spool(&run);
	if (get_ready(&run, &st) == -1)
		return finish(&run, &st);
	how.later = run.options.queue_only;
	how.background = run.options.background;
	how.conf = &run.conf;
	how.given = &run.options.settings;
	dispatch(&run.account, &run.envelope, &run.message, &how, &run.submission);
	return finish(&run, NULL);
}
