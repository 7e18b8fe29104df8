/*
 * unit_conf - tests of the settings and of the configuration file.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "state.h"
#include "unit.h"

/* ---- values */

static const struct {
	const char *name, *value;
	const char *why; /* what the complaint says; NULL: none */
} values[] = {
	{ "server", "submissions://alice@smtp.example.org", NULL },
	{ "SERVER", "smtp://x", NULL },
	{ "server", "smtp.example.org", "submissions://user@host" },
	{ "server", "", "missing" },
	{ "user", "alice@example.org", NULL },
	{ "user", "j\303\266rg", NULL },
	{ "user", "al\rice", "control" },
	{ "user", "al\tice", "control" },
	{ "ehlo", "mail.example.org", NULL },
	{ "ehlo", "a\nMAIL FROM:<x>", "control" },
	{ "password", "a b # \" c", NULL },
	{ "password", "a\nb", "control" },
	{ "password-command", "pass show \"x\" | head -1", NULL },
	{ "password-command", "a\tb", NULL },
	{ "password-file", "~/secret", NULL },
	{ "auth", "auto", NULL },
	{ "auth", "PLAIN", NULL },
	{ "auth", "login", NULL },
	{ "auth", "plian", "did you mean PLAIN?" },
	{ "auth", "kerberos", "auto, none, or a mechanism" },
	{ "auth", "scram-sha-256", NULL },
	{ "password-fd", "3", NULL },
	{ "password-fd", "x", "descriptor" },
	{ "password-fd", "-1", "descriptor" },
	{ "source-address", "192.0.2.1", NULL },
	{ "source-address", "2001:db8::1", NULL },
	{ "source-address", "[2001:db8::1]", "address" },
	{ "source-address", "fe80::1%lo", "address" },
	{ "source-address", "127.1", "address" },
	{ "source-address", "localhost", "address" },
	{ "proxy", "socks5://localhost", NULL },
	{ "proxy", "socks5://alice:secret@[::1]:9050", NULL },
	{ "proxy", "localhost:1080", "socks5://" },
	{ "proxy", "", "missing" },
	{ "tunnel", "ssh mail.example.org \"nc localhost 587\" # there", NULL },
	{ "tls-pin", "abc", "tls-pin" },
	{ "tls", "none", NULL },
	{ "tls", "Verify", NULL },
	{ "tls", "verfy", "did you mean verify?" },
	{ "tls", "starttls", "none, may, encrypt, " },
	{ "tls", "", "missing" },
	{ "partial", "yes", NULL },
	{ "partial", "off", NULL },
	{ "partial", "maybe", "no, yes" },
	{ "pipelining", "1", "no, yes" },
	{ "timeout", "30", NULL },
	{ "timeout", "30s", NULL },
	{ "timeout", "5M", NULL },
	{ "timeout", "500ms", NULL },
	{ "timeout", "0", "30s, 5m" },
	{ "timeout", "0s", "30s, 5m" },
	{ "timeout", "-1", "30s, 5m" },
	{ "timeout", "+1", "30s, 5m" },
	{ "timeout", "s", "30s, 5m" },
	{ "timeout", "1 s", "30s, 5m" },
	{ "timeout", "1.5s", "30s, 5m" },
	{ "timeout", "1w", "30s, 5m" },
	{ "timeout", "1m30s", "30s, 5m" },
	{ "timeout", "99999999999999999999", "30s, 5m" },
	{ "timeout", "10000001", "30s, 5m" },
	{ "deadline", "10000000d", NULL },
	{ "from", "*@example.org", NULL },
	{ "from", "Bob <bob@example.org>", "*@domain" },
	{ "from", "bob smith@example.org", "*@domain" },
};

static const struct {
	const char *value;
	long long ms;
} times[] = {
	{ "1", 1000 },
	{ "007", 7000 },
	{ "30s", 30000 },
	{ "5m", 300000 },
	{ "2h", 7200000 },
	{ "1d", 86400000 },
	{ "500ms", 500 },
	{ "10000000d", 864000000000000 },
};

static const struct {
	const char *value;
	bool on;
} switches[] = {
	{ "yes", true },
	{ "no", false },
	{ "on", true },
	{ "off", false },
	{ "true", true },
	{ "false", false },
	{ "YES", true },
};

static void
set(struct layer *l, const char *name, const char *value)
{
	struct status st;

	if (layer_set(l, setting_find(name), value, &st) == -1)
		ok(false, "%s takes %s: %s", name, value, st.text);
}

static void
test_values(void)
{
	struct account a;
	struct layer l;
	const struct layer *layers[] = { &l };
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(values); i++) {
		const struct setting *s = setting_find(values[i].name);
		int r;

		memset(&l, 0, sizeof l);
		memset(&st, 0, sizeof st);
		r = layer_set(&l, s, values[i].value, &st);
		if (values[i].why == NULL)
			ok(r == 0 && l.value[s - settings].n == 1, "%s %s", values[i].name,
			    values[i].value);
		else if (!ok(r == -1 && l.value[s - settings].n == 0 && status_exit(&st) == 78 &&
				 strstr(st.text, values[i].why) != NULL &&
				 (strstr(st.text, s->name) != NULL || s->type == T_URLS),
			     "not %s %s", values[i].name, values[i].value))
			note("%d: %s", r, st.text);
		layer_free(&l);
	}
	for (i = 0; i < COUNT(times); i++) {
		memset(&l, 0, sizeof l);
		set(&l, "timeout", times[i].value);
		account_make(&a, layers, 1);
		is_number(a.timeout, times[i].ms, "timeout %s in ms", times[i].value);
		account_free(&a);
		layer_free(&l);
	}
	for (i = 0; i < COUNT(switches); i++) {
		memset(&l, 0, sizeof l);
		set(&l, "partial", switches[i].value);
		account_make(&a, layers, 1);
		ok(a.partial == switches[i].on, "partial %s", switches[i].value);
		account_free(&a);
		layer_free(&l);
	}
}

static void
test_table(void)
{
	const struct setting *s;
	size_t n = 0;

	ok(setting_find("Password-Command") == setting_find("password-command"), "names in any case");
	ok(setting_find("") == NULL && setting_find("pass") == NULL && setting_find("passwords") == NULL,
	    "and whole ones only");
	for (s = settings; s->name != NULL; s++, n++) {
		ok(setting_find(s->name) == s, "%s is found", s->name);
		is_text(setting_nearest(s->name), s->name, "and nearest to itself");
		ok(s->help != NULL && strlen(s->help) <= 44, "its help fits its column");
	}
	ok(n > 10 && n <= SETTINGS_MAX, "there are %zu", n);
	is_text(setting_nearest("sever"), "server", "the one that was meant");
	ok(setting_nearest("a word that means nothing") == NULL, "or none");
}

static void
test_layers(void)
{
	struct layer line = { 0 }, account = { 0 }, defaults = { 0 };
	const struct layer *layers[] = { &line, &account, &defaults };
	struct account a;

	account_make(&a, layers, 3);
	ok(a.tls == TLS_VERIFY && a.auth == NULL && !a.no_auth && a.partial && a.pipelining &&
		a.timeout == 0 && a.connect_timeout == 30000 && a.deadline == 1800000 && a.server.n == 0 &&
		a.from.n == 0 && a.user == NULL && a.ehlo == NULL && a.name == NULL && a.password_fd == -1,
	    "what holds when nobody says anything");
	account_free(&a);

	account.name = xstrdup("work");
	set(&defaults, "tls", "none");
	set(&defaults, "server", "smtp://a");
	set(&defaults, "ehlo", "of.defaults");
	set(&defaults, "user", "of-defaults");
	set(&account, "server", "smtp://b");
	set(&account, "server", "smtp://c");
	set(&account, "user", "of-account");
	set(&account, "user", "second");
	set(&account, "tls", "encrypt");
	set(&line, "tls", "may");
	account_make(&a, layers, 3);
	is_text(a.name, "work", "the name is the account's");
	is_number(a.tls, TLS_MAY, "the command line goes first");
	is_text(a.user, "of-account", "then the account, and its first value");
	is_text(a.ehlo, "of.defaults", "then the defaults");
	ok(a.server.n == 2 && strcmp(a.server.v[0], "smtp://b") == 0 &&
		strcmp(a.server.v[1], "smtp://c") == 0,
	    "a list is that of one layer, all of it and in order");
	account_free(&a);

	ok(!setting_is_secret(setting_find("server"), "smtp://u@d"), "no secret here");
	ok(setting_is_secret(setting_find("server"), "smtp://u:p@d"), "a password in a URL is one");
	ok(setting_is_secret(setting_find("password"), "x"), "so is a password");
	ok(!setting_is_secret(setting_find("password-command"), "echo x") &&
		!setting_is_secret(setting_find("password-file"), "/x"),
	    "a file or a command for one is not");
	layer_free(&line);
	layer_free(&account);
	layer_free(&defaults);
	ok(account.name == NULL && account.value[0].n == 0, "freed is empty");
}

static void
test_home(void)
{
	char *home = getenv("HOME") != NULL ? xstrdup(getenv("HOME")) : NULL;
	struct layer l = { 0 };
	const struct layer *layers[] = { &l };
	struct account a;

	(void)setenv("HOME", "/home/x", 1);
	is_text(home_directory(), "/home/x", "home is what HOME says");
	set(&l, "password-file", "~/secret");
	account_make(&a, layers, 1);
	is_text(a.password_file, "/home/x/secret", "~ is home");
	account_free(&a);
	layer_free(&l);
	set(&l, "password-file", "~bob/secret");
	account_make(&a, layers, 1);
	is_text(a.password_file, "~bob/secret", "of nobody else");
	account_free(&a);
	layer_free(&l);
	(void)setenv("HOME", "relative", 1);
	ok(home_directory() == NULL || strcmp(home_directory(), "relative") != 0,
	    "home is an absolute path");
	(void)unsetenv("HOME");
	ok(home_directory() == NULL || home_directory()[0] == '/',
	    "without HOME it is the password file's");
	if (home != NULL)
		(void)setenv("HOME", home, 1);
	free(home);
}

void
test_settings(void)
{
	test_table();
	test_values();
	test_layers();
	test_home();
}

/* ---- the file */

static int
read_text(struct conf *c, const char *text, size_t n, struct status *st)
{
	FILE *f = tmpfile();
	int r;

	memset(c, 0, sizeof *c);
	memset(st, 0, sizeof *st);
	if (f == NULL || fwrite(text, 1, n, f) != n || fflush(f) != 0) {
		printf("Bail out! no temporary file\n");
		exit(1);
	}
	rewind(f);
	r = conf_read(c, f, "conf", st);
	(void)fclose(f);
	return r;
}

/* The n-th value of a setting of the defaults. */
static const char *
value_of(const struct layer *l, const char *name, size_t n)
{
	const struct strings *v = &l->value[setting_find(name) - settings];

	return n < v->n ? v->v[n] : NULL;
}

static const struct {
	const char *text, *name, *value;
} good_lines[] = {
	{ "user alice", "user", "alice" },
	{ "user alice\n", "user", "alice" },
	{ "user alice\r\n", "user", "alice" },
	{ " \t user \t alice \t \n", "user", "alice" },
	{ "USER alice\n", "user", "alice" },
	{ "\n\n# comment\n \t# comment\n \t\nuser alice\n", "user", "alice" },
	{ "user alice # comment\n", "user", "alice" },
	{ "user alice\t# comment\n", "user", "alice" },
	{ "user alice#1\n", "user", "alice#1" },
	{ "user alice smith\n", "user", "alice smith" },
	{ "user \"alice\"\n", "user", "alice" },
	{ "user \" alice # \" \t\n", "user", " alice # " },
	{ "user \"alice\" # comment\n", "user", "alice" },
	{ "user \"alice\"# comment\n", "user", "alice" },
	{ "user \"a\\\"b\\\\c\\d\"\n", "user", "a\"b\\c\\d" },
	{ "user a\"b\"\n", "user", "a\"b\"" },
	{ "user a\\b\n", "user", "a\\b" },
	{ "user alice\nuser bob\n", "user", "alice" }, /* the first value counts */
	{ "user j\303\266rg\n", "user", "j\303\266rg" },
	/* the rest of the line, whatever is in it */
	{ "password a # b \" c\n", "password", "a # b \" c" },
	{ "password #a\n", "password", "#a" },
	{ "password \"a # b\"\n", "password", "a # b" },
	{ "password \"a\\\"b\"\n", "password", "a\"b" },
	{ "password \"a\"b\n", "password", "\"a\"b" },
	{ "password \"a\" # b\n", "password", "\"a\" # b" },
	{ "password \"a\n", "password", "\"a" },
	{ "password  a b \t\n", "password", "a b" },
	{ "password \"a\" b \t\n", "password", "\"a\" b" },
	{ "password-command pass show \"a b\" | sed 's/#//' # x\n", "password-command",
	    "pass show \"a b\" | sed 's/#//' # x" },
	{ "password-command \"pass show a\"\n", "password-command", "pass show a" },
	{ "password-command \"/opt/my tool\" --now\n", "password-command", "\"/opt/my tool\" --now" },
	{ "password-command a\tb\n", "password-command", "a\tb" },
};

static const struct {
	const char *text;
	size_t len;
	const char *why;
} bad_lines[] = {
	{ BYTES("sever smtp://x\n"), "conf:1: unknown keyword \"sever\"; did you mean \"server\"?" },
	{ BYTES("user a\n\n# x\ntsl none\n"), "conf:4: unknown keyword \"tsl\"" },
	{ BYTES("acount work\n"), "did you mean \"account\"?" },
	{ BYTES("inclde x\n"), "did you mean \"include\"?" },
	{ BYTES("colour green\n"), "conf:1: unknown keyword \"colour\"" },
	{ BYTES("server\n"), "conf:1: server does not take \"\": a value is missing" },
	{ BYTES("server # smtp://x\n"), "a value is missing" },
	{ BYTES("user \"\"\n"), "a value is missing" },
	{ BYTES("password\n"), "conf:1: password does not take" },
	{ BYTES("user \"alice\n"), "conf:1: user: a quoted value must end with \"" },
	{ BYTES("user \"alice\\\"\n"), "a quoted value must end with \"" },
	{ BYTES("user \"alice\" bob\n"), "nothing may follow" },
	{ BYTES("user al\0ice\n"), "conf:1: a NUL" },
	{ BYTES("user alice\n\0"), "conf:2: a NUL" },
	{ BYTES("\0user alice\n"), "conf:1: a NUL" },
	{ BYTES("user a\rb\n"), "conf:1: user: the value holds a control character" },
	{ BYTES("user a\033[2J\n"), "control character" },
	{ BYTES("password a\rb\n"), "control character" },
	{ BYTES("tls fast\n"), "conf:1: tls does not take \"fast\"" },
	{ BYTES("server x\n"), "conf:1: server URL x" },
	{ BYTES("account\n"), "conf:1: an account needs a name" },
	{ BYTES("account \"\"\n"), "an account needs a name" },
	{ BYTES("account a b\n"), "an account needs a name of one word" },
	{ BYTES("account \"a\n"), "conf:1: account: a quoted value must end" },
	{ BYTES("account a\naccount b\naccount a\n"), "conf:3: there is an account a already" },
	{ BYTES("include\n"), "conf:1: include needs a file name" },
	{ BYTES("include /nonexistent/file\n"), "conf:1: include /nonexistent/file: No such file" },
	{ BYTES("include /\n"), "conf:1: include /: Is a directory" },
	{ BYTES("\377\376u\0"), "conf:1: " },
};

static void
test_lines(void)
{
	struct conf c;
	struct status st;
	struct str text = { 0 };
	size_t i;

	for (i = 0; i < COUNT(good_lines); i++) {
		if (read_text(&c, good_lines[i].text, strlen(good_lines[i].text), &st) == -1)
			note("%s", st.text);
		is_text(value_of(&c.defaults, good_lines[i].name, 0), good_lines[i].value, "line %s",
		    good_lines[i].text);
		conf_free(&c);
	}
	for (i = 0; i < COUNT(bad_lines); i++) {
		int r = read_text(&c, bad_lines[i].text, bad_lines[i].len, &st);

		if (!ok(r == -1 && st.class == 5 && st.subject == 3 && st.detail == 5 &&
			    status_exit(&st) == 78 && strstr(st.text, bad_lines[i].why) != NULL,
			"bad line %s", bad_lines[i].text))
			note("%d: %s", r, st.text);
		conf_free(&c);
	}
	str_puts(&text, "user ");
	for (i = 0; i < 100000; i++)
		str_putc(&text, 'x');
	is_number(read_text(&c, text.p, text.len, &st), 0, "a line of any length");
	is_text(value_of(&c.defaults, "user", 0), text.p + 5, "is read whole");
	conf_free(&c);
	str_free(&text);
	is_number(read_text(&c, "", 0, &st), 0, "an empty file is one");
	conf_free(&c);
}

/* Which account conf_account() takes. */
static const char *
taken(const struct conf *c, const char *name, const char *a, const char *b)
{
	const char *senders[] = { a, b };
	const struct layer *found;
	struct status st;

	if (conf_account(c, name, senders, 2, &found, &st) == -1)
		return "none";
	return found == NULL ? "defaults" : found->name;
}

static void
test_accounts(void)
{
	static const char
	    text[] = "tls none\nserver smtp://x\n"
		     "account home\nfrom *@home.example\nuser h\n"
		     "account work\nfrom bob@work.example\nfrom *@team.work.example\nserver smtp://w\n";
	struct conf c;
	struct status st;

	is_number(read_text(&c, text, strlen(text), &st), 0, "two accounts and defaults");
	is_text(value_of(&c.defaults, "tls", 0), "none", "what stands first is for all");
	ok(c.n == 2 && value_of(&c.account[0], "tls", 0) == NULL &&
		value_of(&c.account[0], "server", 0) == NULL && value_of(&c.defaults, "user", 0) == NULL,
	    "what stands in an account is for that one");
	is_text(value_of(&c.account[1], "from", 1), "*@team.work.example", "of lists each value is kept");
	is_text(taken(&c, "work", NULL, NULL), "work", "by name");
	is_text(taken(&c, "home", "bob@work.example", NULL), "home", "by name, whoever sends");
	is_text(taken(&c, "Work", NULL, NULL), "none", "a name that there is not");
	is_text(taken(&c, NULL, "bob@work.example", NULL), "work", "by sender");
	is_text(taken(&c, NULL, "x@TEAM.work.example", NULL), "work", "by pattern");
	is_text(taken(&c, NULL, NULL, "x@team.work.example"), "work", "by the other sender");
	is_text(
	    taken(&c, NULL, "y@home.example", "bob@work.example"), "home", "the first sender goes first");
	is_text(taken(&c, NULL, "y@elsewhere", "bob@work.example"), "work", "where it leads anywhere");
	is_text(taken(&c, NULL, "y@elsewhere", NULL), "home", "else the first account");
	is_text(taken(&c, NULL, NULL, NULL), "home", "also without any sender");
	conf_free(&c);

	is_number(
	    read_text(&c, BYTES("account a\nfrom x@y\naccount default\nuser d\n"), &st), 0, "a default");
	is_text(taken(&c, NULL, "z@y", NULL), "default", "goes before the first");
	is_text(taken(&c, NULL, "x@y", NULL), "a", "but not before one that matches");
	conf_free(&c);
	is_number(read_text(&c, BYTES("user d\n"), &st), 0, "no account");
	is_text(taken(&c, NULL, "z@y", NULL), "defaults", "leaves the defaults");
	is_text(taken(&c, "a", NULL, NULL), "none", "and no name is known");
	conf_free(&c);
}

static int
load(struct conf *c, const char *file, struct status *st)
{
	memset(st, 0, sizeof *st);
	return conf_load(c, file, st);
}

static void
test_files(void)
{
	const char *main_file = scratch("main", "account a\nuser u\ninclude part\nserver smtp://z\n");
	const char *part = scratch("part", "server smtp://x\naccount b\nserver smtp://y\n");
	const char *secret, *open_part, *loop;
	struct conf c;
	struct status st;

	is_number(load(&c, main_file, &st), 0, "a file includes another");
	ok(c.n == 2, "with its accounts");
	if (c.n == 2) {
		is_text(value_of(&c.account[0], "server", 0), "smtp://x",
		    "what it says belongs to the account");
		is_text(
		    value_of(&c.account[1], "server", 1), "smtp://z", "one it begins goes on behind it");
	}
	conf_free(&c);

	loop = scratch("loop", "user x\ninclude loop\n");
	is_number(load(&c, loop, &st), -1, "a file that includes itself");
	is_in(st.text, "loop:2: ", "is told with its line");
	conf_free(&c);

	secret = scratch("secret", "password x\nserver smtp://x\n");
	(void)chmod(secret, 0600);
	ok(load(&c, secret, &st) == 0 && c.secret, "a password in a file of one's own");
	conf_free(&c);
	(void)chmod(secret, 0644);
	is_number(load(&c, secret, &st), -1, "a password in a file for all");
	is_status(&st, "5.3.5", 78, "is refused");
	is_in(st.text, "chmod 600", "with the remedy");
	conf_free(&c);
	(void)chmod(secret, 0602);
	is_number(load(&c, secret, &st), -1, "nor may others change it");
	conf_free(&c);

	open_part = scratch("outer", "server smtp://x\ninclude secret\n");
	(void)chmod(open_part, 0644);
	is_number(load(&c, open_part, &st), -1, "an included file counts for itself");
	is_in(st.text, secret, "and is named");
	conf_free(&c);
	(void)chmod(secret, 0600);
	is_number(load(&c, open_part, &st), 0, "the one that includes it may be read by all");
	conf_free(&c);

	/* the other way round: what is open to all is included where the password stands */
	(void)scratch("keeper", "password x\ninclude open\n");
	(void)chmod(scratch("open", "server smtp://x\n"), 0644);
	is_number(load(&c, scratch("keeper", NULL), &st), 0, "so may one that holds none itself");
	if (st.class != 0)
		note("%s", st.text);
	conf_free(&c);

	is_number(load(&c, scratch("missing", NULL), &st), -1, "a file that was named must be there");
	is_status(&st, "5.3.5", 78, "or all ends");
	conf_free(&c);
	(void)part;
}

void
test_conf(void)
{
	test_lines();
	test_accounts();
	test_files();
}
