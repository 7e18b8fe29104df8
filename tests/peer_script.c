/*
 * peer_script - the notation of dialogues, from a file into steps. Lines that are for the one who
 * runs the client (tests/dialogue) are passed over.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

struct parser {
	struct script *script;
	const char *file; /* the one being read: the script, or what it includes */
	int line, depth;
	long split, drip; /* from a line of their own, for the next one that sends */
};

static _Noreturn void
wrong(const struct parser *p, const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s\n", p->file, p->line, what);
	exit(2);
}

static struct step *
add(struct parser *p, enum what what)
{
	struct script *s = p->script;
	struct step *step;

	if (s->n == s->cap) {
		s->cap = 2 * s->cap + 32;
		if ((s->steps = reallocarray(s->steps, s->cap, sizeof *s->steps)) == NULL)
			broken("no memory");
	}
	step = &s->steps[s->n++];
	memset(step, 0, sizeof *step);
	step->what = what;
	step->file = p->file;
	step->line = p->line;
	step->n = -1;
	return step;
}

/* If `*text` begins with `word` and a blank or nothing behind it: true, and *text is what follows. */
static bool
word(const char **text, const char *what)
{
	size_t n = strlen(what);

	if (strncmp(*text, what, n) != 0 || ((*text)[n] != '\0' && (*text)[n] != ' '))
		return false;
	*text += n + strspn(*text + n, " ");
	return true;
}

/* A number at *text, which then is what follows it. */
static long
number(const struct parser *p, const char **text)
{
	size_t n = strspn(*text, "0123456789");
	char digits[12];
	const char *why;
	long value;

	if (n == 0 || n >= sizeof digits)
		wrong(p, "a number is wanted here");
	(void)strlcpy(digits, *text, n + 1);
	value = (long)strtonum(digits, 0, INT_MAX, &why);
	if (why != NULL)
		wrong(p, "a smaller number is wanted here");
	*text += n + strspn(*text + n, " ");
	return value;
}

static char
escaped(const struct parser *p, const char **text)
{
	static const char letters[] = "rntbeavf\\\"", values[] = "\r\n\t\b\033\a\v\f\\\"";
	const char *t = *text, *at;
	unsigned value = 0;
	size_t n = 0;

	if (*t == 'x' && isxdigit((unsigned char)t[1]) && isxdigit((unsigned char)t[2])) {
		char hex[3] = { t[1], t[2], '\0' };

		*text += 3;
		return (char)strtoul(hex, NULL, 16);
	}
	for (; n < 3 && t[n] >= '0' && t[n] <= '7'; n++)
		value = value * 8 + (unsigned)(t[n] - '0');
	if (n > 0) {
		*text += n;
		return (char)value;
	}
	if (*t == '\0' || (at = strchr(letters, *t)) == NULL)
		wrong(p, "unknown escape: there are \\r \\n \\t \\b \\e \\a \\v \\f \\\\ \\\" \\ooo \\xhh");
	*text += 1;
	return values[at - letters];
}

/* "text with escapes" and nothing behind it. */
static void
quoted(const struct parser *p, const char *text, struct bytes *to)
{
	if (*text++ != '"')
		wrong(p, "\"text\" is wanted here");
	while (*text != '"' && *text != '\0') {
		char c = *text++;

		if (c == '\\')
			c = escaped(p, &text);
		bytes_put(to, &c, 1);
	}
	if (text[0] != '"' || text[1] != '\0')
		wrong(p, "\" is wanted at the end of the line");
}

/* "<name, N octets>" or "<name>": true, and *n is N or -1. */
static bool
octets(const struct parser *p, const char *text, const char *name, long *n)
{
	size_t len = strlen(name);

	if (*text != '<' || strncmp(text + 1, name, len) != 0)
		return false;
	text += len + 1;
	*n = -1;
	if (strncmp(text, ", ", 2) == 0) {
		text += 2;
		*n = number(p, &text);
		if (strncmp(text, "octets", 6) != 0)
			wrong(p, "\"octets>\" is wanted at the end of the line");
		text += 6;
	}
	return strcmp(text, ">") == 0;
}

static void
client_line(struct parser *p, const char *text)
{
	static const struct {
		const char *name;
		enum what what;
	} data[] = {
		{ "message", W_MESSAGE },
		{ "chunk", W_CHUNK },
		{ "part", W_PART },
		{ "aborted message", W_ABORTED },
	};
	struct step *step;
	size_t i;
	long n;

	for (i = 0; i < sizeof data / sizeof data[0]; i++)
		if (octets(p, text, data[i].name, &n)) {
			if (n == -1 && (data[i].what == W_CHUNK || data[i].what == W_PART))
				wrong(p, "how many octets?");
			add(p, data[i].what)->n = n;
			return;
		}
	step = add(p, W_HEAR);
	bytes_put(&step->text, text, strlen(text));
}

static void
regex_line(struct parser *p, const char *text)
{
	struct step *step = add(p, W_REGEX);

	bytes_put(&step->text, text, strlen(text));
	if (regcomp(&step->regex, text, REG_EXTENDED | REG_NOSUB) != 0)
		wrong(p, "this is no extended regular expression");
}

static void
say_line(struct parser *p, const char *text, bool raw)
{
	struct step *step = add(p, W_SAY);

	if (raw)
		quoted(p, text, &step->text);
	else {
		bytes_put(&step->text, text, strlen(text));
		bytes_put(&step->text, "\r\n", 2);
	}
	step->split = p->split;
	step->drip = p->drip;
	p->split = p->drip = 0;
}

/* The last one counts. */
static void
set_word(char **word, const char *p, size_t n)
{
	free(*word);
	*word = strndup(p, n);
}

static void
tls_line(struct parser *p, const char *text)
{
	struct step *step = add(p, W_TLS);

	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (strncmp(text, "cert=", 5) == 0)
			set_word(&step->cert, text + 5, n - 5);
		else if (strncmp(text, "priority=", 9) == 0)
			set_word(&step->priority, text + 9, n - 9);
		else if (strncmp(text, "tickets=", 8) == 0)
			set_word(&step->tickets, text + 8, n - 8);
		else if (n == 7 && strncmp(text, "resumed", 7) == 0)
			step->resumed = true;
		else if (n == 3 && strncmp(text, "try", 3) == 0)
			step->try = true;
		else
			wrong(p, "TLS takes cert=NAME, priority=STRING, tickets=WORD, resumed and try");
		text += n + strspn(text + n, " ");
	}
}

static long
signal_number(const struct parser *p, const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "TERM", SIGTERM },
		{ "INT", SIGINT },
		{ "HUP", SIGHUP },
		{ "KILL", SIGKILL },
		{ "STOP", SIGSTOP },
		{ "CONT", SIGCONT },
		{ "USR1", SIGUSR1 },
	};
	size_t i;

	for (i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (strcmp(name, signals[i].name) == 0)
			return signals[i].number;
	wrong(p, "SIGNAL takes TERM, INT, HUP, KILL, STOP, CONT or USR1");
}

static void
done_line(struct parser *p)
{
	struct step *step = add(p, W_DONE);
	size_t i = p->script->n - 1, open = 1;

	while (open > 0) {
		if (i-- == 0)
			wrong(p, "DONE without REPEAT");
		open += p->script->steps[i].what == W_DONE;
		open -= p->script->steps[i].what == W_REPEAT;
	}
	step->partner = i;
	p->script->steps[i].partner = p->script->n - 1;
}

static void read_lines(struct parser *p, const char *file);

/* INCLUDE part: a file beside the one that says so. */
static void
include(struct parser *p, const char *name)
{
	const char *file = p->file, *slash = strrchr(file, '/');
	int line = p->line, dir = slash != NULL ? (int)(slash + 1 - file) : 0;
	char *path;

	if (p->depth++ == 8)
		wrong(p, "an INCLUDE that includes itself");
	if (asprintf(&path, "%.*s%s", dir, file, name) == -1) /* the steps keep it */
		broken("no memory");
	read_lines(p, path);
	p->file = file;
	p->line = line;
	p->depth--;
}

/* The lines that are one word, or one word and a number. */
static bool
plain_line(struct parser *p, const char *text)
{
	static const struct {
		const char *word;
		enum what what;
		bool number;
	} plain[] = {
		{ "CLOSE", W_CLOSE, false },
		{ "CUT", W_CUT, false },
		{ "RESET", W_RESET, false },
		{ "STALL", W_STALL, false },
		{ "NEXT", W_NEXT, false },
		{ "GONE", W_GONE, false },
		{ "NOBODY", W_NOBODY, false },
		{ "PAUSE", W_PAUSE, true },
		{ "REPEAT", W_REPEAT, true },
		{ "FLIGHTS", W_FLIGHTS, true },
	};
	size_t i;

	for (i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if (!word(&text, plain[i].word))
			continue;
		add(p, plain[i].what)->n = plain[i].number ? number(p, &text) : -1;
		if (*text != '\0')
			wrong(p, "nothing more is wanted on this line");
		return true;
	}
	return false;
}

static void
parse(struct parser *p, const char *text)
{
	bool split = false, drip = false;

	if (*text == '\0' || strchr("#?!<>=~|", *text) != NULL)
		return;
	if ((split = word(&text, "SPLIT")) || (drip = word(&text, "DRIP"))) {
		p->split = split && !isdigit((unsigned char)*text) ? 1 : split ? number(p, &text) : 1;
		p->drip = drip ? number(p, &text) : 0;
		if (*text == '\0')
			return;
	}
	if (strcmp(text, "S:") == 0 || strncmp(text, "S: ", 3) == 0)
		say_line(p, text + (text[2] == ' ' ? 3 : 2), false);
	else if (word(&text, "RAW"))
		say_line(p, text, true);
	else if (split || drip)
		wrong(p, "SPLIT and DRIP are for S: and RAW");
	else if (strncmp(text, "C: ", 3) == 0)
		client_line(p, text + 3);
	else if (strncmp(text, "C~ ", 3) == 0)
		regex_line(p, text + 3);
	else if (strncmp(text, "C? ", 3) == 0) {
		struct step *step = add(p, W_MAYBE);

		bytes_put(&step->text, text + 3, strlen(text + 3));
	} else if (word(&text, "TLS"))
		tls_line(p, text);
	else if (word(&text, "SIGNAL")) {
		struct step *step = add(p, W_SIGNAL);

		step->n = signal_number(p, text);
		bytes_put(&step->text, text, strlen(text));
	} else if (word(&text, "FLOOD")) {
		struct step *step = add(p, W_FLOOD);

		step->n = number(p, &text);
		quoted(p, text, &step->text);
		if (step->text.len == 0)
			wrong(p, "FLOOD with what?");
	} else if (word(&text, "INCLUDE"))
		include(p, text);
	else if (strcmp(text, "DONE") == 0)
		done_line(p);
	else if (!plain_line(p, text))
		wrong(p, "unknown line; tests/README has the notation");
}

static void
read_lines(struct parser *p, const char *file)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL) {
		(void)fprintf(stderr, "peer: %s: %s\n", file, strerror(errno));
		exit(2);
	}
	p->file = file;
	p->line = 0;
	while ((n = getline(&line, &cap, f)) > 0) {
		p->line++;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		parse(p, line);
	}
	free(line);
	(void)fclose(f);
}

void
script_read(struct script *s, const char *file)
{
	struct parser p = { .script = s };
	size_t i;

	read_lines(&p, file);
	for (i = 0; i < s->n; i++)
		if (s->steps[i].what == W_REPEAT && s->steps[i].partner == 0) {
			p.line = s->steps[i].line;
			wrong(&p, "REPEAT without DONE");
		}
}
