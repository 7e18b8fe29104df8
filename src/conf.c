/*
 * conf - the configuration file: accounts, in lines of "keyword value".
 *
 *     file    = *( [ line ] LF )
 *     line    = "#" text / "account" name / "include" path / keyword value
 *     value   = DQUOTE *( char / "\" char ) DQUOTE / text without "#" after a blank
 *
 * Commands and passwords are the rest of their line, whatever is in it, unless all of it is quoted.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "conf.h"
#include "secret.h"
#include "state.h"

#define INCLUDE_MAX 8

struct reader {
	struct conf *c;
	const char *file;
	unsigned line, depth;
	bool secret; /* this very file holds one */
	struct layer *current;
	struct status *st;
};

static int read_file(struct conf *c, struct reader *up, const char *file, struct status *st);

/* Put "file:line: " in front of what *st says; always -1. */
static int
at_line(struct reader *r)
{
	char why[300];

	(void)strlcpy(why, r->st->text, sizeof why);
	return status_set(r->st, PH_LOCAL, 5, 3, 5, "%s:%u: %s", r->file, r->line, why);
}

static int wrong(struct reader *r, const char *fmt, ...) PRINTF(2, 3);

static int
wrong(struct reader *r, const char *fmt, ...)
{
	struct str why = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&why, fmt, ap);
	va_end(ap);
	(void)status_set(r->st, PH_LOCAL, 5, 3, 5, "%s", why.p);
	str_free(&why);
	return at_line(r);
}

/* Cut off blanks at the end. */
static char *
trim(char *p)
{
	char *end = p + strlen(p);

	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return p;
}

/*
 * Take quotes and comment off a value, in place. `raw`: keep everything unless all of it is one
 * quoted string. NULL when a quote does not end, or something follows it.
 */
static char *
unquote(char *p, bool raw)
{
	char *from = p, *to = p, *end;

	if (*p != '"') {
		while (!raw && *from != '\0' &&
		    !(*from == '#' && (from == p || from[-1] == ' ' || from[-1] == '\t')))
			from++;
		if (!raw)
			*from = '\0';
		return trim(p);
	}
	for (from++; *from != '"'; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		if (*from == '\0')
			return raw ? trim(p) : NULL;
	}
	end = from + 1 + strspn(from + 1, " \t");
	if (*end != '\0' && (raw || *end != '#'))
		return raw ? trim(p) : NULL;
	for (from = p + 1; *from != '"'; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return p;
}

static int
begin_account(struct reader *r, const char *name)
{
	struct conf *c = r->c;
	size_t i;

	if (*name == '\0' || strpbrk(name, " \t") != NULL)
		return wrong(r, "an account needs a name of one word: account work");
	for (i = 0; i < c->n; i++)
		if (strcmp(c->account[i].name, name) == 0)
			return wrong(r, "there is an account %s already", name);
	c->account = xgrow(c->account, &c->cap, c->n + 1, sizeof *c->account);
	r->current = &c->account[c->n++];
	memset(r->current, 0, sizeof *r->current);
	r->current->name = xstrdup(name);
	return 0;
}

static int
include(struct reader *r, const char *value)
{
	struct str path = { 0 };
	const char *home, *slash;
	int result;

	if (*value == '\0')
		return wrong(r, "include needs a file name");
	if (r->depth >= INCLUDE_MAX)
		return wrong(r, "files include each other more than %d deep", INCLUDE_MAX);
	if (strncmp(value, "~/", 2) == 0 && (home = home_directory()) != NULL)
		str_printf(&path, "%s%s", home, value + 1);
	else if (*value != '/' && (slash = strrchr(r->file, '/')) != NULL)
		str_printf(&path, "%.*s/%s", (int)(slash - r->file), r->file, value);
	else
		str_puts(&path, value);
	result = read_file(r->c, r, path.p, r->st);
	str_free(&path);
	return result;
}

static int
one_setting(struct reader *r, const char *word, char *rest)
{
	static const char *const others[] = { "account", "include", NULL };
	const struct setting *set = setting_find(word);
	const char *near, *value;

	if (set == NULL && (near = setting_foreign(word)) != NULL)
		return wrong(r, "there is no \"%s\" here: %s", word, near);
	if (set == NULL) {
		if ((near = setting_nearest(word)) == NULL)
			near = nearest(word, others);
		if (near != NULL)
			return wrong(
			    r, "unknown keyword \"%.60s\"; did you mean \"%s\"?", word, near);
		return wrong(r, "unknown keyword \"%.60s\"; pneu.conf(5) lists them all", word);
	}
	if ((value = unquote(rest, setting_is_raw(set))) == NULL)
		return wrong(
		    r, "%s: a quoted value must end with \" and nothing may follow it", word);
	if (layer_set(r->current, set, value, r->st) == -1)
		return at_line(r);
	r->secret |= setting_is_secret(set, value);
	return 0;
}

static int
one_line(struct reader *r, char *line, size_t n)
{
	char *word = line + strspn(line, " \t"), *rest, sign;
	const struct setting *set;

	if (strlen(line) != n)
		return wrong(r, "a NUL in a configuration file");
	if (*word == '\0' || *word == '#')
		return 0;
	rest = word + strcspn(word, " \t=:");
	sign = *rest;
	if (*rest != '\0')
		*rest++ = '\0';
	/* but a password may begin like that */
	if (strncmp(rest + strspn(rest, " \t"), "= ", 2) == 0 &&
	    ((set = setting_find(word)) == NULL || !setting_is_raw(set)))
		sign = '=';
	if (sign == '=' || sign == ':') /* and do not repeat what may be a password */
		return wrong(r, "write a blank instead of \"%c\" after \"%.60s\"", sign, word);
	rest += strspn(rest, " \t");
	if (ascii_eq(word, "account") || ascii_eq(word, "include")) {
		char *value = unquote(rest, false);

		if (value == NULL)
			return wrong(r, "%s: a quoted value must end with \"", word);
		return ascii_eq(word, "account") ? begin_account(r, value) : include(r, value);
	}
	return one_setting(r, word, rest);
}

static int
read_lines(struct reader *r, FILE *f)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int result = 0;

	while (result == 0 && (n = getline(&line, &size, f)) != -1) {
		size_t mark = 0;

		r->line++;
		if (n > 0 && line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > 0 && line[n - 1] == '\r')
			line[--n] = '\0';
		/* some editors put a byte order mark there, which nobody sees */
		if (r->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
			mark = 3;
		result = one_line(r, line + mark, (size_t)n - mark);
	}
	/* a line that there is no memory for is no error of the file's, and no end of it either */
	if (result == 0 && (ferror(f) || !feof(f)))
		result = status_file(r->st, 3, 5, NULL, r->file);
	if (line != NULL)
		freezero(line, size);
	return result;
}

int
conf_read(struct conf *c, FILE *f, const char *file, struct status *st)
{
	struct reader r = { .c = c, .file = file, .current = &c->defaults, .st = st };

	return read_lines(&r, f);
}

/* `up`: the file that includes this one, whose account goes on in it; or NULL. */
static int
read_file(struct conf *c, struct reader *up, const char *file, struct status *st)
{
	struct reader r = { .c = c,
		.file = file,
		.st = st,
		.current = up != NULL ? up->current : &c->defaults,
		.depth = up != NULL ? up->depth + 1 : 0 };
	size_t open_account = c->n;
	struct stat sb;
	FILE *f = fopen(file, "re");
	char buf[4096]; /* of stdio, which would ask the file for the size of its own */
	int result;

	result = f == NULL ? -1 : fstat(fileno(f), &sb);
	if (result == 0 && S_ISDIR(sb.st_mode)) {
		errno = EISDIR;
		result = -1;
	}
	if (result == -1) {
		if (up != NULL && status_passes(errno))
			status_errno(st, PH_LOCAL, "%s:%u: include %s", up->file, up->line, file);
		else if (up != NULL)
			wrong(up, "include %s: %s", file, strerror(errno));
		else
			status_file(st, 3, 5, NULL, file);
		if (f != NULL)
			(void)fclose(f);
		return -1;
	}
	(void)setvbuf(f, buf, _IOFBF, sizeof buf);
	result = read_lines(&r, f);
	(void)fclose(f);
	explicit_bzero(buf, sizeof buf);
	c->secret |= r.secret;
	if (result == 0 && r.secret)
		result = secret_mode(&sb, file, st);
	/* an account that began in the included file ends with it only when another begins; the
	 * array may have moved */
	if (result == 0 && up != NULL)
		up->current = c->n > open_account ? &c->account[c->n - 1] : r.current;
	return result;
}

char *
conf_user_file(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home;
	struct str path = { 0 };

	if (xdg != NULL && *xdg == '/')
		str_printf(&path, "%s/pneu/config", xdg);
	else if ((home = home_directory()) != NULL)
		str_printf(&path, "%s/.config/pneu/config", home);
	return path.p;
}

int
conf_load(struct conf *c, const char *file, struct status *st)
{
	const char *env = getenv("PNEU_CONFIG");
	char *user;
	int r = 0;

	memset(c, 0, sizeof *c);
	if (file == NULL && env != NULL && *env != '\0')
		file = env;
	if (file != NULL)
		return read_file(c, NULL, file, st);
	user = conf_user_file();
	/* only a file that is not there is passed over; one that cannot be read is an error */
	if (user != NULL &&
	    (access(user, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR && errno != EACCES)))
		r = read_file(c, NULL, user, st);
	else if (access(SYSTEM_CONFIG, F_OK) == 0)
		r = read_file(c, NULL, SYSTEM_CONFIG, st);
	free(user);
	return r;
}

static bool
sends_for(const struct layer *l, const char *sender)
{
	const struct strings *from = &l->value[setting_find("from") - settings];
	struct str pattern = { 0 };
	bool found = false;
	size_t i;

	for (i = 0; !found && i < from->n; i++) {
		str_clear(&pattern);
		value_expand(from->v[i], &pattern);
		found = address_match(pattern.p, sender);
	}
	str_free(&pattern);
	return found;
}

int
conf_account(const struct conf *c, const char *name, const char *const senders[], size_t n,
    const struct layer **found, struct status *st)
{
	size_t i, k;

	*found = NULL;
	if (name != NULL) {
		for (i = 0; i < c->n; i++)
			if (strcmp(c->account[i].name, name) == 0)
				*found = &c->account[i];
		if (*found != NULL)
			return 0;
		if (c->n == 0)
			return status_set(st, PH_LOCAL, 5, 3, 5,
			    "there is no account %s: the configuration has none", name);
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "there is no account %s; the first one is called %s", name, c->account[0].name);
	}
	for (k = 0; k < n; k++)
		for (i = 0; senders[k] != NULL && i < c->n; i++)
			if (sends_for(&c->account[i], senders[k])) {
				*found = &c->account[i];
				return 0;
			}
	if (c->n > 0)
		*found = &c->account[0];
	for (i = 0; i < c->n; i++)
		if (strcmp(c->account[i].name, "default") == 0)
			*found = &c->account[i];
	return 0;
}

int
conf_make(const struct conf *c, const struct layer *given, const struct layer *chosen,
    struct account *a, struct status *st)
{
	const struct layer *layers[3] = { given, chosen != NULL ? chosen : &c->defaults,
		&c->defaults };
	char *file;

	account_make(a, layers, 3);
	if (a->server.n > 0)
		return 0;
	file = conf_user_file();
	status_set(st, PH_LOCAL, 5, 3, 5,
	    "no server is set: write \"server submissions://user@host\" into %s, or use --server",
	    file != NULL ? file : SYSTEM_CONFIG);
	free(file);
	return -1;
}

void
conf_free(struct conf *c)
{
	size_t i;

	layer_free(&c->defaults);
	for (i = 0; i < c->n; i++)
		layer_free(&c->account[i]);
	free(c->account);
	memset(c, 0, sizeof *c);
}
