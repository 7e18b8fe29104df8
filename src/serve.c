/*
 * serve - SMTP towards a local client, passed on live to the server of an account (sendmail -bs).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client.h"
#include "path.h"
#include "relay.h"
#include "serve.h"
#include "wait.h"

#define ERRORS_MAX 20 /* commands that made no sense */
#define IDLE_MAX 1000 /* commands that brought no message on its way */

struct serve {
	struct client client;
	struct relay relay;
	char *name; /* ours */
	bool greeted, over;
	bool useful; /* the last command brought a message on its way */
	unsigned errors, idle;
};

/* ---- answers */

/* A command that makes no sense, and a client that does not stop sending such. */
static void
nonsense(struct serve *v, const char *answer)
{
	client_reply(&v->client, "%s", answer);
	v->errors++;
}

/* ---- commands; `rest` is what stands behind the verb */

static void
helo(struct serve *v, const char *rest)
{
	if (*rest == '\0') {
		nonsense(v, "501 5.5.4 HELO needs your name");
		return;
	}
	relay_reset(&v->relay);
	v->greeted = true;
	client_reply(&v->client, "250 %s", v->name);
}

static void
ehlo(struct serve *v, const char *rest)
{
	static const struct {
		enum ext ext;
		const char *keyword;
	} passed_on[] = { { EXT_8BITMIME, "8BITMIME" }, { EXT_SMTPUTF8, "SMTPUTF8" },
		{ EXT_DSN, "DSN" } };
	const struct caps *caps;
	size_t i;

	if (*rest == '\0') {
		nonsense(v, "501 5.5.4 EHLO needs your name");
		return;
	}
	relay_reset(&v->relay);
	v->greeted = true;
	client_reply(&v->client, "250-%s", v->name);
	/* what the server has, if there is one: a client must not rely on more */
	caps = relay_caps(&v->relay);
	for (i = 0; caps != NULL && i < sizeof passed_on / sizeof passed_on[0]; i++)
		if ((caps->ext & passed_on[i].ext) != 0)
			client_reply(&v->client, "250-%s", passed_on[i].keyword);
	if (caps != NULL && (caps->ext & EXT_SIZE) != 0) {
		if (caps->size > 0)
			client_reply(&v->client, "250-SIZE %" PRIu64, caps->size);
		else
			client_reply(&v->client, "250-SIZE");
	}
	client_reply(&v->client, "250-PIPELINING");
	client_reply(&v->client, "250-ENHANCEDSTATUSCODES");
	client_reply(&v->client, "250 CHUNKING");
}

static void
mail(struct serve *v, const char *rest)
{
	struct path path;
	struct status st;

	if (!v->greeted)
		nonsense(v, "503 5.5.1 say EHLO first");
	else if (v->relay.state != RELAY_IDLE)
		nonsense(v, "503 5.5.1 there is a sender already; RSET takes it back");
	else if (path_parse(rest, "FROM:", &path, &st) == -1) {
		client_reply(&v->client, "%s", st.text);
		v->errors++;
	} else {
		relay_mail(&v->relay, &path, &st);
		client_answer(&v->client, &st);
		path_free(&path);
	}
}

static void
rcpt(struct serve *v, const char *rest)
{
	size_t before = v->relay.mail.accepted;
	struct path path;
	struct status st;

	if (v->relay.state == RELAY_IDLE) /* a client that pipelines did not know */
		client_reply(&v->client, "503 5.5.1 say MAIL first");
	else if (v->relay.state == RELAY_CHUNKS)
		nonsense(v, "503 5.5.1 the message has begun already");
	else if (path_parse(rest, "TO:", &path, &st) == -1) {
		client_reply(&v->client, "%s", st.text);
		v->errors++;
	} else {
		relay_rcpt(&v->relay, &path, &st);
		client_answer(&v->client, &st);
		v->useful = v->relay.mail.accepted > before;
		path_free(&path);
	}
}

/* May the message come now? Else the reason was given; a client that pipelines did not know it. */
static bool
ready_for_message(struct serve *v)
{
	if (v->relay.state == RELAY_IDLE)
		client_reply(&v->client, "503 5.5.1 say MAIL and RCPT first");
	else if (!relay_has_recipients(&v->relay))
		client_reply(&v->client, "554 5.5.1 no valid recipients");
	else
		return true;
	return false;
}

static void
data(struct serve *v, const char *rest)
{
	struct status st;

	if (*rest != '\0')
		nonsense(v, "501 5.5.4 DATA stands alone");
	else if (v->relay.state == RELAY_CHUNKS)
		nonsense(v, "503 5.5.1 the message comes by BDAT");
	else if (ready_for_message(v)) {
		client_reply(&v->client, "354 end the message with CR LF . CR LF");
		client_text_begin(&v->client);
		relay_message(&v->relay, client_text, &v->client, &st);
		client_answer(&v->client, &st);
		v->idle = 0;
	}
}

/* BDAT (RFC 3030 2): a chunk is read whatever is said of it, or commands would be read from it. */
static void
bdat(struct serve *v, const char *rest)
{
	const char *why, *end = rest + strcspn(rest, " ");
	char digits[24] = "";
	long long size;
	struct status st;
	bool last;

	if ((size_t)(end - rest) < sizeof digits)
		memcpy(digits, rest, (size_t)(end - rest));
	size = digits[0] == '-' || digits[0] == '+' ? -1 : strtonum(digits, 0, INT64_MAX, &why);
	last = ascii_eq(end, " LAST");
	if (size == -1 || why != NULL || (*end != '\0' && !last)) {
		/* what follows cannot be told from commands */
		client_last_words(&v->client, "501 5.5.4 BDAT reads: BDAT size [LAST]");
		v->over = true;
		return;
	}
	client_chunk_begin(&v->client, (uint64_t)size);
	if (v->relay.state == RELAY_IDLE || !relay_has_recipients(&v->relay)) {
		relay_discard(client_chunk, &v->client);
		(void)ready_for_message(v);
		return;
	}
	relay_chunk(&v->relay, client_chunk, &v->client, last, &st);
	client_answer(&v->client, &st);
	v->useful = status_ok(&st) && size > 0;
	if (last)
		v->idle = 0;
}

static void
rset(struct serve *v, const char *rest)
{
	(void)rest;
	relay_reset(&v->relay);
	client_reply(&v->client, "250 2.0.0 forgotten");
}

static void
noop(struct serve *v, const char *rest)
{
	(void)rest;
	client_reply(&v->client, "250 2.0.0 here");
}

static void
quit(struct serve *v, const char *rest)
{
	(void)rest;
	client_last_words(&v->client, "221 2.0.0 goodbye");
	v->over = true;
}

static void
help(struct serve *v, const char *rest)
{
	(void)rest;
	client_reply(&v->client, "214 2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT");
}

static void
vrfy(struct serve *v, const char *rest)
{
	(void)rest;
	client_reply(&v->client, "252 2.5.2 RCPT asks the server");
}

static void
absent(struct serve *v, const char *rest)
{
	(void)rest;
	nonsense(v, "502 5.5.1 there is no such command here");
}

static const struct {
	const char *verb;
	void (*run)(struct serve *v, const char *rest);
} verbs[] = {
	{ "AUTH", absent },
	{ "BDAT", bdat },
	{ "DATA", data },
	{ "EHLO", ehlo },
	{ "EXPN", absent },
	{ "HELO", helo },
	{ "HELP", help },
	{ "MAIL", mail },
	{ "NOOP", noop },
	{ "QUIT", quit },
	{ "RCPT", rcpt },
	{ "RSET", rset },
	{ "STARTTLS", absent },
	{ "VRFY", vrfy },
};

static void
command(struct serve *v, const char *line)
{
	size_t n = strcspn(line, " \t"), i;
	const char *rest = line + n + strspn(line + n, " \t");

	for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strlen(verbs[i].verb) == n && ascii_eqn(line, verbs[i].verb, n)) {
			verbs[i].run(v, rest);
			return;
		}
	nonsense(v, "500 5.5.2 that is no command");
}

/* ---- the whole of it */

/* The next command and its answer; `line` is room for it. 0, or -1 with *st: the client is lost. */
static int
one_round(struct serve *v, struct str *line, struct status *st)
{
	v->useful = false;
	switch (client_line(&v->client, line)) {
	case CLIENT_OK:
		while (line->len > 0 && line->p[line->len - 1] == ' ')
			line->p[--line->len] = '\0';
		command(v, str_text(line));
		break;
	case CLIENT_LONG:
		nonsense(v, "500 5.5.2 the line is too long");
		break;
	case CLIENT_BAD:
		nonsense(v, "500 5.5.2 a line ends in CR LF, and there is neither of them in it");
		break;
	case CLIENT_END:
		v->over = true;
		if (v->relay.state != RELAY_IDLE || v->client.cut)
			return status_set(
			    st, PH_LOCAL, 4, 4, 2, "the client left before its message was sent");
		return 0;
	case CLIENT_LOST:
		break;
	}
	if (stream_status(v->client.stream)->class != 0) {
		*st = *stream_status(v->client.stream);
		client_last_words(&v->client, "421 4.%u.%u %s", st->subject, st->detail, st->text);
		return -1;
	}
	v->idle += !v->useful;
	if (!v->over && (v->errors >= ERRORS_MAX || v->idle >= IDLE_MAX)) {
		client_last_words(&v->client, "421 4.7.0 too many commands for nothing");
		status_set(st, PH_LOCAL, 5, 5, 0, "the client sent too many commands for nothing");
		st->exit = EX_PROTOCOL;
		return -1;
	}
	return 0;
}

int
serve(const struct conf *conf, const struct layer *given, const char *account, int in, int out,
    struct status *st)
{
	struct serve v = { .over = false };
	struct str line = { 0 };
	int r = 0;

	client_open(&v.client, in, out);
	v.name = net_ehlo_name(v.client.stream);
	relay_init(&v.relay, conf, given, account);
	client_reply(&v.client, "220 %s ESMTP pneu", v.name);
	while (r == 0 && !v.over)
		r = one_round(&v, &line, st);
	relay_free(&v.relay);
	client_close(&v.client);
	free(v.name);
	str_free(&line);
	return r;
}
