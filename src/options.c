/*
 * options - the command line.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "options.h"
#include "url.h"
#include "when.h"

enum {
	OPT_SETTING = 1000, /* + index in the table */
	OPT_ALL = 2000,
	OPT_CHECK,
	OPT_CONFIG,
	OPT_DROP,
	OPT_FLUSH,
	OPT_HOLD,
	OPT_LIST,
	OPT_RELEASE,
	OPT_SHOW,
	OPT_HELP,
	OPT_MESSAGE,
	OPT_REPORT,
	OPT_REPORT_FD,
	OPT_VERSION,
};

const struct own_option own_options[] = {
	{ "account", 'a', "NAME", "use this account of the configuration" },
	{ "all-or-nothing", OPT_ALL, NULL, "the same as --partial=no" },
	{ "check", OPT_CHECK, NULL, "try the account step by step, sending nothing" },
	{ "config", OPT_CONFIG, "FILE", "read this configuration" },
	{ "drop", OPT_DROP, "ID", "forget a message of the spool" },
	{ "flush", OPT_FLUSH, "[ID]", "send what is due in the spool, or this" },
	{ "help", OPT_HELP, NULL, "print this, and exit" },
	{ "hold", OPT_HOLD, "ID", "keep a message in the spool" },
	{ "list", OPT_LIST, NULL, "show what waits in the spool" },
	{ "message", OPT_MESSAGE, "FILE", "the message, instead of standard input" },
	{ "read-recipients", 't', NULL, "recipients from To, Cc and Bcc, too" },
	{ "release", OPT_RELEASE, "ID", "no longer hold it; try it, or try it anew" },
	{ "report", OPT_REPORT, "text|json", "say on standard output how it ended" },
	{ "report-fd", OPT_REPORT_FD, "N", "write that report to descriptor N instead" },
	{ "sender", 'f', "ADDRESS", "the envelope sender; <> for none" },
	{ "show", OPT_SHOW, "ID", "print a message of the spool" },
	{ "verbose", 'v', NULL, "show the dialogue on standard error" },
	{ "version", OPT_VERSION, NULL, "print the version, and exit" },
	{ NULL, 0, NULL, NULL },
};
#define NOWN (sizeof own_options / sizeof own_options[0] - 1)

/*
 * The single letters are sendmail's, all that any caller is known to use. Those which set_own()
 * does not know mean nothing here: character sets (-B), error modes (-e), hops (-h), queue ids
 * (-L), -m, aliasing (-n), options (-O), protocols (-p), user submission (-U), logs (-X), and more.
 */
static const char short_options[] = "+:A:B:C:F:GIL:N:O:R:UV:X:a:b:d::e:f:h:imno:p:q::r:tvx";

static void
make_table(struct option table[NOWN + SETTINGS_MAX + 1], const char *names[NOWN + SETTINGS_MAX + 1])
{
	const struct own_option *own;
	size_t i, n = 0;

	for (own = own_options; own->name != NULL; own++, n++) {
		table[n].name = own->name;
		table[n].has_arg = own->argument == NULL ? no_argument
		    : own->argument[0] == '['		 ? optional_argument
							 : required_argument;
		table[n].val = own->value;
	}
	for (i = 0; settings[i].name != NULL; i++, n++) {
		table[n].name = settings[i].name;
		table[n].has_arg = setting_has_yes(&settings[i]) ? optional_argument
								 : required_argument;
		table[n].val = OPT_SETTING + (int)i;
	}
	for (i = 0; i <= n; i++)
		names[i] = table[i].name;
}

static int usage(struct status *st, const char *fmt, ...) PRINTF(2, 3);

static int
usage(struct status *st, const char *fmt, ...)
{
	struct str text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	status_set(st, PH_LOCAL, 5, 5, 4, "%s; see %s --help", text.p, getprogname());
	str_free(&text);
	return -1;
}

static int
unknown(struct status *st, char **argv, int short_option, const char *const *names)
{
	const char *word = argv[optind - 1], *near;
	char letter[2] = { (char)short_option, '\0' };
	struct str name = { 0 };

	if (short_option == 's') /* of mail(1) */
		return status_set(
		    st, PH_LOCAL, 5, 5, 4, "there is no option -s: %s", setting_foreign("subject"));
	if (short_option != 0)
		return usage(st, "there is no option -%s", letter);
	str_put(&name, word + 2, strcspn(word + 2, "="));
	near = nearest(str_text(&name), names);
	if (setting_foreign(str_text(&name)) != NULL)
		status_set(st, PH_LOCAL, 5, 5, 4, "there is no option --%s: %s", str_text(&name),
		    setting_foreign(str_text(&name)));
	else if (near != NULL)
		status_set(st, PH_LOCAL, 5, 5, 4, "there is no option --%s; did you mean --%s?",
		    str_text(&name), near);
	else
		usage(st, "there is no option --%s", str_text(&name));
	str_free(&name);
	return -1;
}

/* getopt_long() did not take something: a letter, a long name, or a value where none belongs. */
static int
refused(struct status *st, char **argv, const char *const *names)
{
	const char *word = argv[optind - 1];
	const char *value = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	const struct own_option *own = own_options;

	for (; optopt != 0 && value != NULL && own->name != NULL; own++)
		if (own->value == optopt && strncmp(word + 2, own->name, strlen(own->name)) == 0)
			return usage(st, "--%s takes no value", own->name);
	return unknown(st, argv, optopt, names);
}

/* Everybody on the machine can read an argument list, so secrets do not belong there. */
static int
set_setting(struct options *o, const struct setting *set, const char *value, struct status *st)
{
	struct strings *before = &o->settings.value[set - settings];

	if (setting_has_yes(set) && value == NULL)
		value = "yes";
	/* on a command line the last word counts, so that a script's options can be added to */
	if (!setting_is_list(set))
		strings_free(before);
	if (layer_set(&o->settings, set, value, st) == -1) {
		st->exit = EX_USAGE;
		st->subject = 5;
		st->detail = 4;
		return -1;
	}
	if (setting_is_secret(set, value))
		return status_set(st, PH_LOCAL, 5, 5, 4,
		    "a password on the command line can be read by everybody: %s",
		    set->type == T_PROXY ? "put the proxy into a configuration file"
					 : "use --password-file or --password-command");
	return 0;
}

/* -b and a letter: what to do at all. */
static int
set_mode(struct options *o, struct status *st)
{
	switch (optarg[0]) {
	case 'i':
		o->mode = MODE_ALIASES;
		return 0;
	case 'm':
		o->mode = MODE_SEND;
		return 0;
	case 'p':
		o->mode = MODE_LIST;
		return 0;
	case 's':
		o->mode = MODE_SERVE;
		return 0;
	case 'v':
		o->mode = MODE_VERIFY;
		return 0;
	default:
		return usage(st, "there is no mode -b%s", optarg);
	}
}

/* A bad value in a sendmail's -N, -R or -V costs the wish for a notice, not the mail. */
static int
set_dsn(struct options *o, const char *name, struct status *st)
{
	return set_setting(o, setting_find(name), optarg, st) == 0 || o->as_sendmail ? 0 : -1;
}

/* The modes that have an option of their own. False when it is none of these. */
static bool
set_long_mode(struct options *o, int value)
{
	static const struct {
		int value;
		enum mode mode;
	} modes[] = {
		{ OPT_CHECK, MODE_CHECK },
		{ OPT_DROP, MODE_DROP },
		{ OPT_FLUSH, MODE_FLUSH },
		{ OPT_HOLD, MODE_HOLD },
		{ OPT_LIST, MODE_LIST },
		{ OPT_RELEASE, MODE_RELEASE },
		{ OPT_SHOW, MODE_SHOW },
	};
	size_t i;

	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (modes[i].value == value) {
			o->mode = modes[i].mode;
			o->id = optarg;
			return true;
		}
	return false;
}

/* -q: once, again and again (-q30m), or a part (-qI, -qS, -qR). */
static void
set_flush(struct options *o)
{
	const char *what = optarg != NULL ? optarg : "";
	const char **parts[] = { &o->some_ids, &o->some_senders, &o->some_recipients };
	static const char letters[] = "ISR";
	const char *letter = strchr(letters, *what);

	o->mode = MODE_FLUSH;
	if (*what != '\0' && letter != NULL)
		*parts[letter - letters] = what + 1;
	else if (when_span(what, &o->every) == -1)
		o->every = 0;
}

static int
set_own(struct options *o, int value, struct status *st)
{
	const char *why;

	if (set_long_mode(o, value))
		return 0;
	switch (value) {
	case 'C':
		/* sendmail's own configuration is not for us */
		o->config = o->as_sendmail ? o->config : optarg;
		return 0;
	case 'F':
		o->full_name = optarg;
		return 0;
	case 'I':
		o->mode = MODE_ALIASES;
		return 0;
	case 'N':
		return set_dsn(o, "dsn-notify", st);
	case 'R':
		return set_dsn(o, "dsn-return", st);
	case 'V':
		return set_dsn(o, "dsn-envid", st);
	case 'a':
		o->account = optarg;
		return 0;
	case 'b':
		return set_mode(o, st);
	case 'f':
	case 'r':
		o->sender = optarg;
		return 0;
	case 'i':
		o->no_dot = true;
		return 0;
	case 'o':
		o->no_dot |= strcmp(optarg, "i") == 0;
		o->queue_only |= strcmp(optarg, "dq") == 0;
		o->background |= strcmp(optarg, "db") == 0;
		return 0;
	case 'q':
		set_flush(o);
		return 0;
	case 't':
		o->from_header = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_ALL:
		return set_setting(o, setting_find("partial"), "no", st);
	case OPT_CONFIG:
		o->config = optarg;
		return 0;
	case OPT_HELP:
		o->mode = MODE_HELP;
		return 0;
	case OPT_MESSAGE:
		o->message = optarg;
		return 0;
	case OPT_REPORT:
		if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
			return usage(st, "--report is text or json, not \"%s\"", optarg);
		o->report = strcmp(optarg, "text") == 0 ? REPORT_TEXT : REPORT_JSON;
		return 0;
	case OPT_REPORT_FD:
		o->report_fd = (int)strtonum(optarg, 0, INT_MAX, &why);
		if (why == NULL && fcntl(o->report_fd, F_GETFD) != -1)
			return 0;
		o->report_fd = -1;
		return usage(st, "--report-fd: there is no open descriptor \"%s\"", optarg);
	case OPT_VERSION:
		o->mode = MODE_VERSION;
		return 0;
	default: /* a letter without meaning here */
		return 0;
	}
}

/* The same binary by other names; the path before it says nothing. */
static void
called_as(struct options *o, const char *argv0)
{
	const char *slash = argv0 != NULL ? strrchr(argv0, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : argv0 != NULL ? argv0 : "";

	if (strcmp(name, "mailq") == 0)
		o->mode = MODE_LIST;
	else if (strcmp(name, "newaliases") == 0)
		o->mode = MODE_ALIASES;
	o->as_sendmail = o->mode != MODE_SEND || strcmp(name, "sendmail") == 0;
}

int
options_parse(struct options *o, int argc, char **argv, struct status *st)
{
	struct option table[NOWN + SETTINGS_MAX + 1];
	const char *names[NOWN + SETTINGS_MAX + 1];
	int c, r = 0;

	memset(o, 0, sizeof *o);
	memset(table, 0, sizeof table);
	o->report_fd = -1;
	called_as(o, argv[0]);
	make_table(table, names);
	opterr = 0;
	/* the leading "+" ends options at the first recipient; our own name lets them mix */
	while (r == 0 && o->mode != MODE_HELP && o->mode != MODE_VERSION &&
	    (c = getopt_long(argc, argv, short_options + !o->as_sendmail, table, NULL)) != -1) {
		if ((c == ':' || c == '?') && o->as_sendmail)
			continue;
		if (c == ':')
			r = usage(st, "%s needs a value", argv[optind - 1]);
		else if (c == '?')
			r = refused(st, argv, names);
		else if (c >= OPT_SETTING && c < OPT_ALL)
			r = set_setting(o, &settings[c - OPT_SETTING], optarg, st);
		else
			r = set_own(o, c, st);
	}
	if (o->report_fd != -1 && o->report == REPORT_NONE)
		o->report = REPORT_JSON;
	if (r == 0 && o->mode == MODE_SERVE && o->report != REPORT_NONE)
		r = usage(st,
		    "with -bs every message is reported to the client, and --report does not fit");
	/* "--flush ID" looks as if it were about one message, and would send all of them */
	if (r == 0 && o->mode >= MODE_LIST && optind < argc && !o->as_sendmail)
		r = usage(st, "\"%s\" is one word too many: write --flush=ID for one message",
		    argv[optind]);
	o->recipients = argv + optind;
	o->nrecipients = (size_t)(argc - optind);
	return r;
}

void
options_free(struct options *o)
{
	layer_free(&o->settings);
}

static void
help_line(
    struct str *out, int short_option, const char *name, const char *argument, const char *help)
{
	struct str left = { 0 };

	if (short_option != 0)
		str_printf(&left, "  -%c, ", short_option);
	else
		str_puts(&left, "      ");
	str_printf(&left, "--%s", name);
	if (argument != NULL && argument[0] == '[') /* it may be left out */
		str_printf(&left, "[=%s", argument + 1);
	else if (argument != NULL)
		str_printf(&left, "=%s", argument);
	str_printf(out, "%-31s %s\n", left.p, help);
	str_free(&left);
}

char *
options_help(void)
{
	const struct own_option *own;
	struct str out = { 0 };
	size_t i;

	str_puts(&out,
	    "usage: pneu [options] [--] recipient ...      the message is on standard input\n"
	    "       pneu [options] --message=FILE recipient ...\n"
	    "       pneu --check [account|URL] [recipient] what works, and what does not\n"
	    "       pneu --flush | --list                  what waits in the spool\n\n"
	    "Submits one mail message, and says who did not get it, and why.\n\n");
	for (own = own_options; own->name != NULL; own++)
		help_line(&out, own->value < OPT_SETTING ? own->value : 0, own->name, own->argument,
		    own->help);
	str_printf(&out, "%-31s %s\n", "  -bs", "speak SMTP on standard input and output");
	str_printf(&out, "%-31s %s\n", "  -i, -oi", "a lone dot typed on a terminal is text");
	str_puts(&out, "\nSettings, each also a line of the configuration file:\n");
	for (i = 0; settings[i].name != NULL; i++)
		if (settings[i].argument != NULL)
			help_line(
			    &out, 0, settings[i].name, settings[i].argument, settings[i].help);
	str_puts(&out,
	    "\nTwo lines in ~/.config/pneu/config are a whole configuration:\n"
	    "    server            submissions://alice@smtp.example.org\n"
	    "    password-command  pass show mail/example\n"
	    "Whole configurations for Gmail, Microsoft 365, cron, PHP: pneu-recipes(7).\n"
	    "\nExit status: 0 accepted, 75 try again later; the others are in pneu(1).\n");
	return out.p;
}
