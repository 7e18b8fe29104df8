/*
 * status - how something ended: an RFC 3463 code, who said it, at which step, in what words.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <vis.h>

#include "status.h"

static void put_text(struct status *st, const char *fmt, va_list ap) PRINTF(2, 0);

static void
put_text(struct status *st, const char *fmt, va_list ap)
{
	struct str raw = { 0 }, safe = { 0 };

	str_vprintf(&raw, fmt, ap);
	str_printable(&safe, str_text(&raw), raw.len);
	(void)strlcpy(st->text, str_text(&safe), sizeof st->text);
	str_free(&raw);
	str_free(&safe);
}

int
status_set(struct status *st, enum phase ph, unsigned class, unsigned subject, unsigned detail,
    const char *fmt, ...)
{
	va_list ap;

	memset(st, 0, sizeof *st);
	st->class = (unsigned char)class;
	st->subject = (unsigned short)subject;
	st->detail = (unsigned short)detail;
	st->phase = ph;
	va_start(ap, fmt);
	put_text(st, fmt, ap);
	va_end(ap);
	return -1;
}

int
status_errno(struct status *st, enum phase ph, const char *fmt, ...)
{
	struct str text = { 0 };
	int e = errno;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	status_set(st, ph, 4, 3, e == ENOSPC || e == EDQUOT || e == EFBIG || e == EROFS ? 1 : 0,
	    "%s: %s", str_text(&text), strerror(e));
	str_free(&text);
	return -1;
}

bool
status_passes(int error)
{
	static const int passing[] = { ENOMEM, EMFILE, ENFILE, EIO, EINTR, EAGAIN, ESTALE,
		ETIMEDOUT };
	size_t i;

	for (i = 0; i < sizeof passing / sizeof passing[0]; i++)
		if (passing[i] == error)
			return true;
	return false;
}

int
status_file(
    struct status *st, unsigned subject, unsigned detail, const char *what, const char *file)
{
	const char *space = what != NULL ? " " : "", *why = strerror(errno);
	int e = errno;
	const struct passwd *pw = e == EACCES ? getpwuid(geteuid()) : NULL;

	if (what == NULL)
		what = "";
	if (status_passes(e))
		return status_set(st, PH_LOCAL, 4, 3, 0, "%s%s%s: %s", what, space, file, why);
	if (e == EACCES)
		return status_set(st, PH_LOCAL, 5, subject, detail,
		    "%s%s%s: %s; let the user %s read it, and enter its directories", what, space,
		    file, why, pw != NULL ? pw->pw_name : "that runs this");
	return status_set(st, PH_LOCAL, 5, subject, detail, "%s%s%s: %s%s", what, space, file, why,
	    e == ENOENT	      ? "; is the name right?"
		: e == EISDIR ? "; a file is wanted here"
			      : "");
}

size_t
status_parse(const char *text, struct status *st)
{
	unsigned n[3];
	const char *p = text;
	int i;

	for (i = 0; i < 3; i++) {
		const char *start = p;

		for (n[i] = 0; isdigit((unsigned char)*p) && p - start < 3; p++)
			n[i] = n[i] * 10 + (unsigned)(*p - '0');
		if (p == start || (i < 2 && *p++ != '.'))
			return 0;
	}
	if ((*p != '\0' && *p != ' ' && *p != '\t' && *p != '\n') ||
	    (n[0] != 2 && n[0] != 4 && n[0] != 5))
		return 0;
	st->class = (unsigned char)n[0];
	st->subject = (unsigned short)n[1];
	st->detail = (unsigned short)n[2];
	return (size_t)(p - text);
}

bool
status_ok(const struct status *st)
{
	return st->class == 2;
}

bool
status_retry(const struct status *st)
{
	return st->class == 4;
}

enum scope
status_scope(const struct status *st)
{
	if (st->phase == PH_RCPT)
		return SC_RECIPIENT;
	return st->phase == PH_LOCAL || st->phase >= PH_MAIL ? SC_MESSAGE : SC_SESSION;
}

const char *
status_enhanced(const struct status *st, char buf[static 16])
{
	(void)snprintf(buf, 16, "%u.%u.%u", st->class, st->subject, st->detail);
	return buf;
}

static const char *const phase_names[PH_COUNT] = {
	[PH_LOCAL] = "local",
	[PH_CONNECT] = "connect",
	[PH_GREETING] = "greeting",
	[PH_EHLO] = "EHLO",
	[PH_STARTTLS] = "STARTTLS",
	[PH_TLS] = "TLS",
	[PH_AUTH] = "AUTH",
	[PH_MAIL] = "MAIL",
	[PH_RCPT] = "RCPT",
	[PH_DATA] = "DATA",
	[PH_BODY] = "message",
	[PH_END] = "end of message",
	[PH_RSET] = "RSET",
	[PH_QUIT] = "QUIT",
};

const char *
phase_name(enum phase ph)
{
	return phase_names[ph];
}

/*
 * The table of class 5: the first row whose phase range, origin, subject and detail fit. A
 * subject or detail of -1 fits all. Class 4 never comes here.
 */
enum { ANY = -1 };
enum origin { LOCAL = 1, SERVER = 2, BOTH = 3 };
static const struct {
	enum phase first, last;
	enum origin origin;
	int subject, detail, exit;
} exits[] = {
	{ PH_LOCAL, PH_LOCAL, LOCAL, 5, ANY, EX_USAGE },
	{ PH_LOCAL, PH_LOCAL, LOCAL, 3, 5, EX_CONFIG },
	{ PH_LOCAL, PH_LOCAL, LOCAL, 7, 0, EX_CONFIG }, /* a secret that cannot be had */
	{ PH_LOCAL, PH_LOCAL, LOCAL, 3, 0, EX_NOINPUT },
	{ PH_LOCAL, PH_LOCAL, LOCAL, 1, ANY, EX_DATAERR },
	{ PH_LOCAL, PH_LOCAL, LOCAL, 6, ANY, EX_DATAERR },
	{ PH_CONNECT, PH_QUIT, LOCAL, 5, ANY, EX_PROTOCOL }, /* the server broke the rules */
	{ PH_CONNECT, PH_TLS, LOCAL, 3, 5, EX_CONFIG },
	{ PH_CONNECT, PH_CONNECT, BOTH, 4, 4, EX_NOHOST },
	{ PH_CONNECT, PH_CONNECT, LOCAL, 7, ANY, EX_NOPERM }, /* a proxy that does not take us */
	{ PH_CONNECT, PH_STARTTLS, BOTH, ANY, ANY, EX_UNAVAILABLE },
	{ PH_AUTH, PH_AUTH, LOCAL, 7, 5, EX_PROTOCOL }, /* the server did not prove itself */
	{ PH_TLS, PH_AUTH, BOTH, ANY, ANY, EX_NOPERM },
	{ PH_MAIL, PH_MAIL, BOTH, 1, 7, EX_DATAERR },
	{ PH_MAIL, PH_MAIL, BOTH, 1, 8, EX_DATAERR },
	{ PH_MAIL, PH_MAIL, SERVER, 5, ANY, EX_DATAERR },
	{ PH_RCPT, PH_RCPT, BOTH, 1, 1, EX_NOUSER },
	{ PH_RCPT, PH_RCPT, BOTH, 1, 3, EX_NOUSER },
	{ PH_RCPT, PH_RCPT, BOTH, 1, 6, EX_NOUSER },
	{ PH_RCPT, PH_RCPT, BOTH, 1, 10, EX_NOUSER },
	{ PH_RCPT, PH_RCPT, BOTH, 2, ANY, EX_NOUSER },
	{ PH_RCPT, PH_RCPT, BOTH, 1, 2, EX_NOHOST },
	{ PH_RCPT, PH_RCPT, BOTH, 4, 4, EX_NOHOST },
	{ PH_DATA, PH_END, BOTH, 2, 3, EX_DATAERR },
	{ PH_MAIL, PH_END, BOTH, 3, 4, EX_DATAERR },
	{ PH_MAIL, PH_END, LOCAL, 6, ANY, EX_DATAERR },
	{ PH_DATA, PH_END, BOTH, 6, ANY, EX_DATAERR },
	{ PH_MAIL, PH_MAIL, LOCAL, 7, 30, EX_UNAVAILABLE },
	{ PH_MAIL, PH_END, BOTH, 7, ANY, EX_NOPERM },
	{ PH_MAIL, PH_QUIT, BOTH, ANY, ANY, EX_UNAVAILABLE },
};

int
status_exit(const struct status *st)
{
	enum origin who = st->code == 0 ? LOCAL : SERVER;
	size_t i;

	if (st->exit != 0)
		return st->exit;
	if (status_ok(st))
		return EX_OK;
	if (status_retry(st)) /* 4.7.12: only a person can change the password */
		return st->subject == 7 && st->detail == 12 ? EX_NOPERM : EX_TEMPFAIL;
	for (i = 0; i < sizeof exits / sizeof exits[0]; i++)
		if (st->phase >= exits[i].first && st->phase <= exits[i].last &&
		    (exits[i].origin & who) != 0 &&
		    (exits[i].subject == ANY || exits[i].subject == st->subject) &&
		    (exits[i].detail == ANY || exits[i].detail == st->detail))
			return exits[i].exit;
	return EX_SOFTWARE;
}

/*
 * Mostly for what servers say; what we say ourselves carries its remedy in its text. The first row
 * that fits counts. `word`: the reply must have it, in any case, as codes alone do not tell; or
 * NULL.
 */
static const char set_from[] = "the server does not take this sender: set `from`, or use -f";
static const char
    no_relay[] = "the server does not relay for you: is a user name missing in `server`?";
static const char set_ehlo[] = "the server does not take the name we gave: set `ehlo`";
static const char secret_wrong[] = "check the user name in `server` or `user`, and the password or "
				   "token; many providers want an "
				   "application password";
static const char switched_off[] = "the provider has switched this kind of login off: see `auth` "
				   "for tokens, or ask its administrator";
static const char log_in[] = "the server wants authentication: put a user name in `server`";
static const struct {
	enum phase first, last;
	int code; /* reply code, ANY of a server, or 0: our own words */
	int class, subject, detail;
	const char *word, *hint;
} hints[] = {
	{ PH_AUTH, PH_AUTH, ANY, 5, 7, 139, "credentials", secret_wrong },
	{ PH_AUTH, PH_AUTH, ANY, 5, 7, 139, NULL, switched_off },
	{ PH_AUTH, PH_AUTH, ANY, 5, 7, 30, NULL, switched_off },
	{ PH_AUTH, PH_AUTH, 535, ANY, ANY, ANY, NULL, secret_wrong },
	{ PH_AUTH, PH_AUTH, 534, ANY, ANY, ANY, "browser",
	    "log in at the provider with a browser, or make an application password there" },
	{ PH_AUTH, PH_AUTH, 534, ANY, ANY, ANY, "application",
	    "make an application password at the provider, and use it instead of your own" },
	{ PH_AUTH, PH_AUTH, 534, ANY, ANY, ANY, NULL,
	    "the server wants another mechanism or an application password; see `auth`" },
	{ PH_AUTH, PH_AUTH, 454, ANY, ANY, ANY, NULL,
	    "the login service of the server does not work now: try again later" },
	{ PH_AUTH, PH_AUTH, 525, ANY, ANY, ANY, NULL, "the account is disabled at the provider" },
	{ PH_AUTH, PH_AUTH, 432, ANY, ANY, ANY, NULL,
	    "the password must be changed at the provider first" },
	{ PH_AUTH, PH_AUTH, 538, ANY, ANY, ANY, NULL,
	    "the server takes this mechanism only over TLS; see `tls`" },
	{ PH_GREETING, PH_RCPT, ANY, 5, ANY, ANY, "client host",
	    "the server takes no mail from this address: submit to your provider, on port 465 or "
	    "587" },
	{ PH_GREETING, PH_GREETING, ANY, 5, ANY, ANY, NULL,
	    "the server takes no mail from here: submit to your provider, on port 465 or 587" },
	{ PH_MAIL, PH_RCPT, 530, ANY, ANY, ANY, "STARTTLS",
	    "the server wants TLS first: take `tls none` out" },
	{ PH_MAIL, PH_RCPT, 530, ANY, ANY, ANY, NULL, log_in },
	{ PH_MAIL, PH_RCPT, 535, ANY, ANY, ANY, NULL, log_in },
	{ PH_EHLO, PH_RCPT, ANY, ANY, ANY, ANY, "helo ", set_ehlo },
	{ PH_EHLO, PH_EHLO, ANY, 5, 5, 2, NULL, set_ehlo },
	{ PH_EHLO, PH_EHLO, 501, ANY, ANY, ANY, NULL, set_ehlo },
	{ PH_EHLO, PH_EHLO, 504, ANY, ANY, ANY, NULL, set_ehlo },
	{ PH_MAIL, PH_RCPT, ANY, ANY, ANY, ANY, "sender address", set_from },
	{ PH_MAIL, PH_MAIL, ANY, 5, ANY, ANY, "sender", set_from },
	{ PH_RCPT, PH_RCPT, ANY, 5, 7, 1, NULL, no_relay },
	{ PH_RCPT, PH_RCPT, ANY, 5, ANY, ANY, "relay", no_relay },
	{ PH_RCPT, PH_RCPT, ANY, 4, ANY, ANY, "greylist",
	    "the server takes it at a later try: `queue yes` makes it, or send it again in some "
	    "minutes" },
	{ PH_MAIL, PH_MAIL, ANY, 5, 1, ANY, NULL, set_from },
	{ PH_MAIL, PH_MAIL, ANY, 5, 7, ANY, NULL, set_from },
	{ PH_MAIL, PH_END, ANY, 5, 3, 4, NULL,
	    "the server takes no message of this size: make it smaller" },
	{ PH_DATA, PH_END, ANY, 5, ANY, ANY, "not verified", set_from },
	{ PH_MAIL, PH_END, ANY, 5, ANY, ANY, "send as", set_from },
	{ PH_DATA, PH_END, ANY, 5, ANY, ANY, "from header",
	    "the From of the message has to be yours: set `from`, and `rewrite-from always`" },
};

const char *
status_hint(const struct status *st)
{
	size_t i;

	for (i = 0; i < sizeof hints / sizeof hints[0]; i++)
		if (st->phase >= hints[i].first && st->phase <= hints[i].last &&
		    (hints[i].code == ANY ? st->code != 0 : hints[i].code == st->code) &&
		    (hints[i].class == ANY || hints[i].class == st->class) &&
		    (hints[i].subject == ANY || hints[i].subject == st->subject) &&
		    (hints[i].detail == ANY || hints[i].detail == st->detail) &&
		    (hints[i].word == NULL || strcasestr(st->text, hints[i].word) != NULL))
			return hints[i].hint;
	return NULL;
}
