/*
 * words - the options and settings of pneu, for shells that complete them and editors that colour
 * them, from the tables that the program itself reads.
 *
 * usage: words bash|zsh|fish|vim <template >file
 *
 * A line @options@ of the template becomes a line for each option, settings among them, @values@ in
 * that for bash what the values of each can be, and @settings@ in that for vim a line for each
 * setting; @system-config@ becomes the path of the system's configuration.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "sasl.h"

/* What is completed besides words. The names are those of functions in the templates. */
enum kind { TEXT, ACCOUNTS, COMMANDS, DIRECTORIES, FILES, HOSTS, IDS };
static const char *const kind_names[] = { "text", "accounts", "commands", "directories", "files",
	"hosts", "ids" };

/* An option, which may be a setting. All borrowed but `words`. */
struct word {
	const char *name;
	char letter; /* or NUL */
	const char *argument, *help;
	bool takes, bare; /* it takes a value; it may stand without one */
	bool again;	  /* it may be given several times */
	bool list;	  /* several words with commas between them are a value, too */
	enum kind kind;
	struct str words; /* what its value may be, with a blank before each */
};

/* Of "text|json" the words; a FILE is one. */
static void
from_argument(struct word *w)
{
	const char *p = w->argument;
	size_t n;

	if (strcmp(p, "FILE") == 0)
		w->kind = FILES;
	for (n = strcspn(p, "|"); strchr(w->argument, '|') != NULL; n = strcspn(p, "|")) {
		str_printf(&w->words, " %.*s", (int)n, p);
		if (p[n] == '\0')
			break;
		p += n + 1;
	}
}

static void
from_option(struct word *w, const struct own_option *own)
{
	memset(w, 0, sizeof *w);
	w->name = own->name;
	w->letter = own->value < 1000 ? (char)own->value : '\0';
	w->argument = own->argument;
	w->help = own->help;
	w->takes = own->argument != NULL;
	w->bare = own->argument == NULL || own->argument[0] == '[';
	w->again = strcmp(own->name, "verbose") == 0;
	if (own->argument == NULL)
		return;
	if (strstr(own->argument, "ID") != NULL)
		w->kind = IDS;
	else if (strcmp(own->name, "account") == 0)
		w->kind = ACCOUNTS;
	else
		from_argument(w);
}

static void
from_setting(struct word *w, const struct setting *set)
{
	size_t i;

	memset(w, 0, sizeof *w);
	w->name = set->name;
	w->argument = set->argument;
	w->help = set->help;
	w->takes = true;
	w->bare = setting_has_yes(set);
	w->again = setting_is_list(set);
	switch (set->type) {
	case T_CHOICE:
		for (i = 0; set->choices[i] != NULL; i++)
			str_printf(&w->words, " %s", set->choices[i]);
		break;
	case T_AUTH:
		str_puts(&w->words, " auto none");
		for (i = 0; sasl_mechs[i].name != NULL; i++)
			str_printf(&w->words, " %s", sasl_mechs[i].name);
		break;
	case T_NOTIFY:
		str_puts(&w->words, " never success failure delay");
		w->list = true;
		break;
	case T_RETURN:
		str_puts(&w->words, " headers full");
		break;
	case T_URLS:
		str_puts(&w->words, " submissions:// submission:// smtp:// lmtp:// srv:");
		break;
	case T_PROXY:
		str_puts(&w->words, " socks5://");
		break;
	case T_QUEUE:
		str_puts(&w->words, " no yes only");
		w->kind = DIRECTORIES;
		break;
	case T_LOG:
		str_puts(&w->words, " no syslog journal");
		w->kind = FILES;
		break;
	case T_COMMAND:
		w->kind = COMMANDS;
		break;
	case T_HOST:
		w->kind = HOSTS;
		break;
	default:
		if (w->argument != NULL)
			from_argument(w);
	}
}

/* ---- one line for each option, in the language of each shell; of a help text only ' needs care */

/* "--tls=" needs a value, "--queue" and "--queue=" may have one. */
static void
bash_option(const struct word *w)
{
	if (w->bare)
		printf("\t--%s\n", w->name);
	if (w->takes)
		printf("\t--%s=\n", w->name);
	if (w->letter != '\0')
		printf("\t-%c\n", w->letter);
}

static void
bash_values(const struct word *w)
{
	if (!w->takes || (w->kind == TEXT && w->words.len == 0))
		return;
	printf("\t--%s", w->name);
	if (w->letter != '\0')
		printf(" | -%c", w->letter);
	printf(") kind=%s", kind_names[w->kind]);
	if (w->words.len > 0)
		printf(" words=(%s)", w->words.p + 1);
	printf("%s ;;\n", w->list ? " list=yes" : "");
}

static void
quoted(const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (strchr(special, *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

static void
zsh_option(const struct word *w)
{
	fputs("\t\t", stdout);
	if (w->again)
		fputs("'*'", stdout);
	else if (w->letter != '\0')
		printf("'(-%c --%s)'", w->letter, w->name);
	if (w->letter != '\0')
		printf(
		    "{-%c%s,--%s%s}", w->letter, w->takes ? "+" : "", w->name, w->takes ? "=" : "");
	else
		printf("--%s%s", w->name, w->takes ? w->bare ? "=-" : "=" : "");
	fputs("'[", stdout);
	quoted(w->help, "[]:");
	putchar(']');
	if (w->takes) {
		printf("%s", w->bare ? "::" : ":");
		quoted(w->argument, ":");
		printf(": _pneu_%s", w->list ? "list" : kind_names[w->kind]);
		quoted(str_text(&w->words), ":");
	}
	fputs("' \\\n", stdout);
}

static void
fish_option(const struct word *w)
{

	printf("complete -c pneu -l %s", w->name);
	if (w->letter != '\0')
		printf(" -s %c", w->letter);
	if (w->takes && !w->bare)
		printf(" -r%s", w->kind == FILES || w->kind == DIRECTORIES ? "F" : "f");
	if (w->takes)
		printf(" -a '(__pneu_%s%s)'", w->list ? "list" : kind_names[w->kind],
		    str_text(&w->words));
	fputs(" -d '", stdout);
	quoted(w->help, "");
	fputs("'\n", stdout);
}

/* ---- and for each setting, in the configuration */

/* "value" is anything, "raw" the rest of the line, "choice" one of the words, "words" mostly one.
 */
static void
vim_setting(const struct word *w)
{
	const struct setting *set = setting_find(w->name);
	size_t i;

	printf("call s:Setting('%s', '%s', '", w->name,
	    setting_is_raw(set)	       ? "raw"
		: set->choices != NULL ? "choice"
		: w->words.len > 0     ? "words"
				       : "value");
	for (i = 0; set->choices != NULL && set->choices[i] != NULL; i++)
		printf("%s%s", i > 0 ? " " : "", set->choices[i]);
	if (set->choices == NULL && w->words.len > 0)
		fputs(w->words.p + 1, stdout);
	fputs("')\n", stdout);
}

/* ---- the template */

static const struct {
	const char *format, *line;
	void (*put)(const struct word *);
	bool settings_only;
} lines[] = {
	{ "bash", "@options@\n", bash_option, false },
	{ "bash", "@values@\n", bash_values, false },
	{ "zsh", "@options@\n", zsh_option, false },
	{ "fish", "@options@\n", fish_option, false },
	{ "vim", "@settings@\n", vim_setting, true },
};
#define NLINES (sizeof lines / sizeof lines[0])

static void
put_all(void (*put)(const struct word *), bool settings_only)
{
	const struct own_option *own;
	const struct setting *set;
	struct word w;

	for (own = own_options; own->name != NULL && !settings_only; own++) {
		from_option(&w, own);
		put(&w);
		str_free(&w.words);
	}
	for (set = settings; set->name != NULL; set++) {
		if (set->argument == NULL && !settings_only)
			continue; /* the password is no option */
		from_setting(&w, set);
		put(&w);
		str_free(&w.words);
	}
}

static void
put_line(const char *format, const char *line)
{
	static const char system_config[] = "@system-config@";
	const char *mark = strstr(line, system_config);
	size_t i;

	for (i = 0; i < NLINES; i++)
		if (strcmp(lines[i].format, format) == 0 && strcmp(lines[i].line, line) == 0) {
			put_all(lines[i].put, lines[i].settings_only);
			return;
		}
	if (mark == NULL)
		fputs(line, stdout);
	else
		printf("%.*s%s%s", (int)(mark - line), line, SYSTEM_CONFIG,
		    mark + sizeof system_config - 1);
}

int
main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	if (argc != 2) {
		fputs("usage: words bash|zsh|fish|vim <template >file\n", stderr);
		return 64;
	}
	while (getline(&line, &size, stdin) != -1)
		put_line(argv[1], line);
	free(line);
	return ferror(stdin) || fflush(stdout) == EOF || ferror(stdout) ? 74 : 0;
}
