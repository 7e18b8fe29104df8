/*
 * check - what would happen, step by step, with nothing sent.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "durable.h"
#include "json.h"
#include "link.h"
#include "mail.h"
#include "net.h"
#include "parties.h"
#include "queue.h"
#include "say.h"
#include "secret.h"
#include "srv.h"
#include "wait.h"

#define DAYS_FEW 14 /* a certificate that expires within so many is a warning */

#define INDENT 22 /* the width of a verdict and its step */

enum verdict { V_OK, V_WARNING, V_FAILURE };

struct check {
	const struct check_wish *wish;
	const struct account *account;
	bool colour;
	size_t columns;	 /* of the terminal, or 0 */
	struct str json; /* the steps so far */
	int exit;	 /* of the first failure */
	bool unwritten;	 /* it was said already that the report cannot be written */
	bool for_good;	 /* one of them does not pass by itself, so no other server is tried */
};

/* ---- what is said */

static void
out(struct check *c, const char *p, size_t n)
{
	if (!c->unwritten && durable_write(c->wish->fd, p, n) == -1) {
		say("cannot write the report: %s", strerror(errno));
		c->unwritten = true;
	}
}

/* Behind verdict and step; a word that is too long for a line stays whole, as a pin is copied. */
static void
put_folded(struct str *line, const char *text, size_t columns)
{
	size_t at = INDENT, n;

	for (; *text != '\0'; text += n, at += n) {
		n = strcspn(text, " ");
		if (columns > 0 && at > INDENT && at + n >= columns) {
			line->len--; /* the blank that it is folded at */
			str_printf(line, "\n%*s", INDENT, "");
			at = INDENT;
		}
		n += text[n] == ' ';
		str_put(line, text, n);
	}
}

/* A step and its verdict; `st` is why, when there is a status for it, or NULL; a failure has one.
 */
static void say_step(struct check *c, enum verdict v, const char *step, const struct status *st,
    const char *fmt, ...) PRINTF(5, 6);

static void
say_step(struct check *c, enum verdict v, const char *step, const struct status *st,
    const char *fmt, ...)
{
	static const char *const names[] = { "ok", "warning", "failure" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	const char *hint = st != NULL ? status_hint(st) : NULL;
	struct str text = { 0 }, line = { 0 }, found = { 0 };
	char enhanced[16];
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	if (v == V_FAILURE) {
		if (c->exit == 0)
			c->exit = status_exit(st);
		c->for_good |= !status_retry(st);
	}
	if (st != NULL)
		str_printf(&text, "%s%s%s", text.len > 0 ? ": " : "",
		    st->code != 0 ? "the server said: " : "", st->text);
	if (c->wish->format == REPORT_JSON) {
		str_puts(&c->json, c->json.len > 0 ? ",{" : "{");
		json_member(&c->json, "step", step);
		json_member(&c->json, "verdict", names[v]);
		json_member(
		    &c->json, "enhanced", st != NULL ? status_enhanced(st, enhanced) : NULL);
		json_member(&c->json, "text", str_text(&text));
		json_member(&c->json, "remedy", hint);
		str_putc(&c->json, '}');
	} else {
		str_printf(&line, "%s%-8s%s %-12s ", c->colour ? colours[v] : "", names[v],
		    c->colour ? "\033[0m" : "", step);
		if (st != NULL)
			str_printf(&found, "%s ", status_enhanced(st, enhanced));
		str_printable(&found, str_text(&text), text.len);
		if (hint != NULL)
			str_printf(&found, " (%s)", hint);
		put_folded(&line, str_text(&found), c->columns);
		str_putc(&line, '\n');
		out(c, line.p, line.len);
	}
	str_free(&text);
	str_free(&line);
	str_free(&found);
}

static void
begin(struct check *c, const struct check_wish *wish)
{
	const char *none = getenv("NO_COLOR");

	memset(c, 0, sizeof *c);
	c->wish = wish;
	c->account = wish->account;
	c->columns = say_width(wish->fd);
	c->colour = c->columns > 0 && (none == NULL || *none == '\0');
}

static int
end(struct check *c)
{
	struct str line = { 0 };

	if (c->wish->format == REPORT_JSON) {
		str_printf(&line, "{\"version\":1,\"exit\":%d", c->exit);
		json_member(&line, "account", c->account != NULL ? c->account->name : NULL);
		str_printf(&line, ",\"steps\":[%s]}\n", str_text(&c->json));
		out(c, line.p, line.len);
	}
	str_free(&line);
	str_free(&c->json);
	return c->exit;
}

int
check_failed(const struct check_wish *wish, const struct status *why)
{
	struct check c;

	begin(&c, wish);
	say_step(&c, V_FAILURE, "settings", why, "%s", "");
	return end(&c);
}

/* ---- the settings, without a network */

static void
look_at_secrets(struct check *c)
{
	const struct account *a = c->account;

	if (a->password != NULL && a->password_fd == -1)
		say_step(c, V_WARNING, "password", NULL,
		    "it stands in the configuration as it is: password-command can ask a keyring "
		    "for it");
	if (a->no_auth &&
	    (a->password != NULL || a->password_file != NULL || a->password_command != NULL))
		say_step(
		    c, V_WARNING, "password", NULL, "it is never used, as there is `auth none`");
}

static void
look_at_tls(struct check *c)
{
	const struct account *a = c->account;

	if (a->tls < TLS_VERIFY && (a->tls_ca != NULL || a->tls_name != NULL))
		say_step(c, V_WARNING, "tls", NULL,
		    "%s decides nothing below `tls verify`, which is the default",
		    a->tls_ca != NULL ? "tls-ca" : "tls-name");
	if (a->tls == TLS_MAY || a->tls == TLS_ENCRYPT)
		say_step(c, V_WARNING, "tls", NULL,
		    "whoever is in between can read the mail%s: `tls verify`, or `tls tofu` where "
		    "the certificate cannot be verified",
		    a->no_auth ? "" : " and the login");
}

/* Nothing can be put into a directory whose disk is full. */
static bool
is_full(int dir)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) == -1)
		return false;
	/* where there are none at all, they are not counted */
	return (fs.f_blocks > 0 && (geteuid() == 0 ? fs.f_bfree : fs.f_bavail) == 0) ||
	    (fs.f_files > 0 && fs.f_favail == 0);
}

static void
look_at_queue(struct check *c)
{
	struct status st;
	struct spool q;

	if (c->account->queue.mode == QUEUE_NO)
		return;
	if (queue_open(&q, c->account, true, &st) == -1)
		say_step(c, V_FAILURE, "spool", &st, "%s", "");
	else if (is_full(q.dir)) {
		status_set(&st, PH_LOCAL, 4, 3, 1,
		    "no space is left where %s is, so nothing can wait there", q.path);
		say_step(c, V_FAILURE, "spool", &st, "%s", "");
	} else
		say_step(c, V_OK, "spool", NULL, "it can be written");
	spool_shut(&q);
}

/* Ports have their customs, and the wrong scheme for one is the most common mistake. */
static void
look_at_port(struct check *c, const struct url *u)
{
	if (u->lmtp || u->path != NULL)
		return;
	if (u->implicit && strcmp(u->port, "587") == 0)
		say_step(c, V_WARNING, "server", NULL,
		    "port 587 is for STARTTLS: submission://%s:587 is more likely", u->host);
	else if (!u->implicit && strcmp(u->port, "465") == 0)
		say_step(c, V_WARNING, "server", NULL,
		    "port 465 is for TLS from the first octet: submissions://%s", u->host);
	else if (strcmp(u->port, "25") == 0)
		say_step(c, V_WARNING, "server", NULL,
		    "port 25 is between servers, and providers close it: 465 and 587 are for "
		    "submission");
	if (u->password != NULL)
		say_step(c, V_WARNING, "password", NULL,
		    "it stands in the URL of the server: password-command can ask a keyring for "
		    "it");
}

/* ---- the network */

/* Of several addresses each is connected to by itself; a submission takes what answers first. */
static void
try_addresses(struct check *c, const struct url *u)
{
	const struct account *a = c->account;
	const struct endpoint to = { .host = u->host, .port = u->port };
	struct strings found = { 0 };
	struct status st;
	size_t i;
	char peer[128];

	if (u->path != NULL || a->tunnel != NULL || a->proxy.host != NULL)
		return;
	if (net_addresses(&to, wait_until(a->connect_timeout), &found, &st) == -1) {
		say_step(c, V_FAILURE, "address", &st, "%s", "");
		return;
	}
	if (strcmp(found.v[0], u->host) != 0)
		for (i = 0; i < found.n; i++)
			say_step(c, V_OK, "address", NULL, "%s", found.v[i]);
	/* the only one shows when the session is opened */
	for (i = 0; found.n > 1 && i < found.n; i++) {
		const struct endpoint one = { .host = found.v[i], .port = u->port };
		int fd = net_connect(&one, a->source_address, wait_until(a->connect_timeout), NULL,
		    peer, sizeof peer, &st);

		if (fd != -1)
			(void)close(fd);
		if (fd == -1 && wait_signal() != NULL)
			break;
		say_step(c, fd != -1 ? V_OK : V_WARNING, "connect", fd != -1 ? NULL : &st,
		    "%s port %s, over %s", found.v[i], u->port,
		    strchr(found.v[i], ':') != NULL ? "IPv6" : "IPv4");
	}
	strings_free(&found);
}

/* Does text have this line, behind the first? */
static bool
has_line(const char *text, const char *line, size_t n)
{
	const char *p = text;

	while ((p = strchr(p, '\n')) != NULL) {
		size_t len = strcspn(++p, "\n");

		if (len == n && strncmp(p, line, n) == 0)
			return true;
	}
	return false;
}

/* The lines of `text`, behind the first, that are (not) in `other`; in one line. */
static void
list_lines(const char *text, const char *other, bool there, struct str *to)
{
	const char *p = strchr(text, '\n');

	for (; p != NULL; p = strchr(p, '\n')) {
		size_t n = strcspn(++p, "\n");

		if (n > 0 && has_line(other, p, n) == there)
			str_printf(to, "%s%.*s", to->len > 0 ? ", " : "", (int)n, p);
	}
}

static void
say_capabilities(struct check *c, const struct link *l)
{
	const char *before = link_hello(l, false), *after = link_hello(l, true);
	struct str both = { 0 }, gone = { 0 }, come = { 0 };

	if (after == NULL && before == NULL)
		return; /* it did not come to that */
	if (after == NULL || before == NULL) {
		const char *only = after != NULL ? after : before;

		list_lines(only, "", false, &both);
		say_step(c, V_OK, "offers", NULL, "%s", both.len > 0 ? both.p : "nothing");
	} else {
		list_lines(before, after, true, &both);
		list_lines(before, after, false, &gone);
		list_lines(after, before, false, &come);
		say_step(c, V_OK, "offers", NULL, "before TLS and in it: %s", str_text(&both));
		if (gone.len > 0)
			say_step(c, V_OK, "offers", NULL, "only before TLS: %s", gone.p);
		if (come.len > 0)
			say_step(c, V_OK, "offers", NULL, "only in TLS: %s", come.p);
	}
	str_free(&both);
	str_free(&gone);
	str_free(&come);
}

static void
say_tls(struct check *c, const struct tls_info *tls)
{
	const struct cert_info *cert = &tls->cert;
	const char *how = cert_standing(cert);
	long long days = (long long)(cert->expires - time(NULL)) / 86400;
	char from[16], until[16];

	if (!tls->on) {
		say_step(c, V_WARNING, "tls", NULL, "there is none: all of it goes in the clear");
		return;
	}
	say_step(c, V_OK, "tls", NULL, "%s, %s", tls->version, tls->cipher);
	say_step(c, how != NULL ? V_OK : V_WARNING, "certificate", NULL,
	    "%s: %s, for %s, issued by %s, valid %s to %s", how != NULL ? how : "NOT verified",
	    cert->subject, cert->names[0] != '\0' ? cert->names : "no name", cert->issuer,
	    cert_date(cert->starts, from), cert_date(cert->expires, until));
	if (how == NULL)
		say_step(c, V_WARNING, "certificate", NULL, "%s", cert->complaint);
	if (days >= 0 && days < DAYS_FEW)
		say_step(c, V_WARNING, "certificate", NULL,
		    "it expires in %lld day%s: whoever runs the server should renew it", days,
		    days == 1 ? "" : "s");
	say_step(c, V_OK, "pin", NULL, "tls-pin %s", cert->pin);
}

/* MAIL and RCPT for the recipients that were given, and RSET instead of the message. All taken? */
static bool
try_envelope(struct check *c, struct link *l)
{
	bool works = false;
	const struct account *a = c->account;
	struct envelope e = { 0 };
	struct str from = { 0 };
	struct content content = { 0 };
	struct status st;
	struct mail t;
	size_t i;

	if (parties_sender(a, c->wish->sender, "", &from, &st) == -1)
		say_step(c, V_FAILURE, "sender", &st, "%s", "");
	else if (parties_recipients(a, c->wish->recipients, c->wish->n, NULL, &e, &st) == -1)
		say_step(c, V_FAILURE, "recipient", &st, "%s", "");
	else {
		e.from = xstrdup(str_text(&from));
		mail_start(&t, l->session, &e, &content);
		works = mail_upto(&t, e.n + 1) == 0 && t.open && t.refused == 0;
		if (t.open)
			say_step(c, V_OK, "sender", NULL, "<%s> is accepted", e.from);
		for (i = 0; i < e.n; i++)
			if (e.rcpt[i].status.class == 0)
				say_step(
				    c, V_OK, "recipient", NULL, "<%s> is accepted", e.rcpt[i].to);
			else
				say_step(c, V_FAILURE, t.open ? "recipient" : "sender",
				    &e.rcpt[i].status, "<%s>", t.open ? e.rcpt[i].to : e.from);
		mail_abort(&t);
	}
	envelope_free(&e);
	str_free(&from);
	return works;
}

static void
say_login(struct check *c, const struct link *l)
{
	if (l->info.mech[0] != '\0')
		say_step(c, V_OK, "login", NULL, "AUTH %s as %s", l->info.mech, l->user);
	else if (c->account->no_auth)
		say_step(c, V_OK, "login", NULL, "none, as `auth none` has it");
	else
		say_step(c, V_WARNING, "login", NULL,
		    "none, as there is no user: set `user`, or put it into `server`, when the "
		    "server "
		    "wants one");
}

/* Where a session failed. What was never sent for want of a password is not the network's doing. */
static const char *
step_of(const struct status *st)
{
	if (st->phase != PH_LOCAL)
		return phase_name(st->phase);
	return st->subject == 7 ? "password" : "settings";
}

/* What is asked of one server. Did it do all of it? */
static bool
try_server(struct check *c, char *text)
{
	bool works = false;
	struct account one = *c->account;
	struct status st;
	struct link l;
	struct url u;

	if (url_parse(text, &u, &st) == -1) {
		say_step(c, V_FAILURE, "server", &st, "%s", "");
		url_free(&u);
		return false;
	}
	look_at_port(c, &u);
	try_addresses(c, &u);
	one.server = (struct strings){ &text, 1, 1 };
	link_init(&l, &one);
	l.facts = true;
	if (link_up(&l) != NULL)
		l.info = *session_info(l.session);
	if (l.info.peer[0] != '\0')
		say_step(c, V_OK, "connect", NULL, "%s, %s", l.name, l.info.peer);
	if (l.info.greeting[0] != '\0' && (l.session != NULL || l.st.phase != PH_GREETING))
		say_step(c, V_OK, "greeting", NULL, "%s", l.info.greeting);
	if (l.info.tls.on || l.session != NULL)
		say_tls(c, &l.info.tls);
	say_capabilities(c, &l);
	if (l.session == NULL)
		say_step(c, V_FAILURE, step_of(&l.st), &l.st, "%s", "");
	else {
		say_login(c, &l);
		works = c->wish->n == 0 || try_envelope(c, &l);
	}
	link_free(&l);
	url_free(&u);
	return works;
}

/* The URLs of all servers, with those of domains looked up. */
static void
find_servers(struct check *c, struct strings *found)
{
	const struct account *a = c->account;
	struct status st;
	struct url u;
	size_t i, k;
	bool is_srv;

	for (i = 0; i < a->server.n; i++) {
		k = found->n;
		is_srv = url_parse(a->server.v[i], &u, &st) == 0 && u.srv;
		if (!is_srv)
			strings_add(found, a->server.v[i]);
		else if (srv_find(&u, a->tls_name != NULL, found, &st) == -1)
			say_step(c, V_FAILURE, "domain", &st, "%s", "");
		url_free(&u);
		for (; is_srv && k < found->n; k++) {
			const char *at = strrchr(found->v[k], '@'),
				   *scheme = strstr(found->v[k], "://");

			say_step(c, V_OK, "domain", NULL, "%.*s://%s", (int)(scheme - found->v[k]),
			    found->v[k], at != NULL ? at + 1 : scheme + 3);
		}
	}
}

int
check(const struct check_wish *wish)
{
	struct strings found = { 0 };
	struct check c;
	size_t i;
	int before;

	begin(&c, wish);
	say_step(&c, V_OK, "settings", NULL, "%s%s can be read",
	    c.account->name != NULL ? "account " : "they",
	    c.account->name != NULL ? c.account->name : "");
	look_at_secrets(&c);
	look_at_tls(&c);
	look_at_queue(&c);
	before = c.exit;
	find_servers(&c, &found);
	for (i = 0; i < found.n && wait_signal() == NULL; i++) {
		bool works;

		if (found.n > 1)
			say_step(&c, V_OK, "server", NULL, "%zu of %zu", i + 1, found.n);
		works = try_server(&c, found.v[i]);
		/* a submission goes on to the next one where the trouble may pass */
		if (works && !c.for_good)
			c.exit = before;
	}
	strings_free(&found);
	return end(&c);
}
