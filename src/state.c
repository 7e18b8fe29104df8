/*
 * state - what one run leaves behind for the next: small files below $XDG_STATE_HOME/pneu.
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
#include <unistd.h>

#include "state.h"

const char *
home_directory(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	/* cron runs us as the user with the environment of its daemon, often without any HOME */
	if (home != NULL && *home == '/')
		return home;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_dir : NULL;
}

char *
login_name(void)
{
	const struct passwd *pw = getpwuid(getuid());
	struct str name = { 0 };

	if (pw != NULL)
		return xstrdup(pw->pw_name);
	str_printf(&name, "uid%lu", (unsigned long)getuid());
	return name.p;
}

char *
state_path(const char *name)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home;
	struct str path = { 0 };

	if (xdg != NULL && *xdg == '/')
		str_printf(&path, "%s/pneu/%s", xdg, name);
	else if ((home = home_directory()) != NULL)
		str_printf(&path, "%s/.local/state/pneu/%s", home, name);
	return path.p;
}

void
state_directories(const char *path)
{
	char *copy = xstrdup(path), *slash = copy;

	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		(void)mkdir(copy, 0700);
		*slash = '/';
	}
	free(copy);
}

static enum state_line
find(const char *path, const char *start, bool whole)
{
	FILE *f = path != NULL ? fopen(path, "re") : NULL;
	char *own = NULL;
	size_t size = 0, n = strlen(start);
	bool found = false;
	int e = 0;

	if (f == NULL)
		return path == NULL || errno == ENOENT || errno == ENOTDIR ? STATE_NO
									   : STATE_UNKNOWN;
	while (!found && getline(&own, &size, f) != -1) {
		own[strcspn(own, "\n")] = '\0';
		found = strncmp(own, start, n) == 0 && (!whole || own[n] == '\0');
	}
	if (!found && (ferror(f) || !feof(f)))
		e = errno;
	free(own);
	(void)fclose(f);
	errno = e;
	return found ? STATE_YES : e != 0 ? STATE_UNKNOWN : STATE_NO;
}

enum state_line
state_has(const char *path, const char *line)
{
	return find(path, line, true);
}

enum state_line
state_begins(const char *path, const char *start)
{
	return find(path, start, false);
}

void
state_add(const char *path, const char *line)
{
	struct str text = { 0 };
	char last;
	off_t end;
	int fd;

	if (path == NULL || state_has(path, line) != STATE_NO)
		return;
	state_directories(path);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return;
	/* a last line that was cut short must not spoil this one */
	if ((end = lseek(fd, 0, SEEK_END)) > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n')
		str_putc(&text, '\n');
	str_printf(&text, "%s\n", line);
	(void)!write(fd, text.p, text.len); /* one write, so that lines of two runs do not mix */
	(void)close(fd);
	str_free(&text);
}
