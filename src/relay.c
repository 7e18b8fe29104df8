/*
 * relay - transactions of a client of our own, passed on live to the server of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "parties.h"
#include "relay.h"
#include "rewrite.h"
#include "secret.h"
#include "wait.h"

#define RECIPIENTS_MAX 10000

void
relay_init(struct relay *r, const struct conf *conf, const struct layer *given, const char *name)
{
	memset(r, 0, sizeof *r);
	r->conf = conf;
	r->given = given;
	r->name = name;
	store_init(&r->chunks);
}

static void
unlink_account(struct relay *r)
{
	if (!r->linked)
		return;
	link_free(&r->link);
	account_free(&r->account);
	r->linked = false;
}

static void
forget_password(struct relay *r)
{
	if (r->password != NULL)
		freezero(r->password, strlen(r->password));
	r->password = NULL;
}

void
relay_free(struct relay *r)
{
	relay_reset(r);
	unlink_account(r);
	forget_password(r);
}

/* ---- the account and its server */

/* The password of a descriptor, which can be read once, for an account that may be chosen again. */
static int
take_password(struct relay *r, struct status *st)
{
	struct account *a = &r->account;

	if (a->password_fd == -1 || a->password != NULL)
		return 0;
	if (a->password_fd == STDIN_FILENO)
		return status_set(st, PH_LOCAL, 5, 3, 5,
		    "--password-fd=0: standard input is the client's already");
	if (r->password != NULL && r->password_fd == a->password_fd) {
		a->password = xstrdup(r->password);
		return 0;
	}
	if (secret_take_fd(a, st) == -1)
		return -1;
	forget_password(r);
	r->password = xstrdup(a->password);
	r->password_fd = a->password_fd;
	return 0;
}

/* Does what becomes of us do for all accounts that may be chosen next? */
static bool
all_may_confine(const struct relay *r)
{
	struct account a;
	struct status ignored;
	bool all = true;
	size_t i;

	for (i = 0; all && i < r->conf->n; i++) {
		all = conf_make(r->conf, r->given, &r->conf->account[i], &a, &ignored) == -1 ||
		    link_may_confine(&a); /* one that cannot be made is not used either */
		log_hold(&a);
		account_free(&a);
	}
	return all;
}

/* Make the account for `sender` (or NULL) the one in use. 0, or -1 with *st. */
static int
use_account(struct relay *r, const char *sender, struct status *st)
{
	const struct layer *chosen;

	if (conf_account(r->conf, r->name, &sender, 1, &chosen, st) == -1)
		return -1;
	if (r->linked && chosen == r->chosen)
		return 0;
	unlink_account(r);
	if (conf_make(r->conf, r->given, chosen, &r->account, st) == -1 ||
	    take_password(r, st) == -1) {
		account_free(&r->account);
		return -1;
	}
	link_init(&r->link, &r->account);
	r->plan = (struct link_plan){ .again = true, .lasting = true, .large = true };
	log_hold(&r->account);
	r->plan.others = r->name == NULL && r->conf->n > 1;
	r->link.plan = !r->plan.others || all_may_confine(r) ? &r->plan : NULL;
	r->chosen = chosen;
	r->linked = true;
	return 0;
}

const struct caps *
relay_caps(struct relay *r)
{
	struct status st;

	if (!r->linked && use_account(r, NULL, &st) == -1)
		return NULL;
	link_renew(&r->link);
	if (link_up(&r->link) == NULL)
		return NULL;
	r->link.used--; /* that was no transaction */
	return session_caps(r->link.session);
}

/* What the server has just said, at step `ph`. */
static void
last_reply(const struct relay *r, enum phase ph, struct status *st)
{
	reply_status(&session_chat(r->link.session)->reply, ph, st);
	if (st->class == 3)
		(void)chat_out_of_step(ph, st);
}

/* The session is lost in the middle of a transaction, which cannot go on then. */
static void
lose(struct relay *r, struct status *st)
{
	*st = r->lost = *session_status(r->link.session);
}

/* ---- MAIL */

/* What MAIL will say of a message that is not there yet: as far as the server goes, whatever the
 * client believes; one that does not say is allowed eight bits. */
static struct content
expected_content(const struct relay *r, const struct path *path)
{
	unsigned ext = session_caps(r->link.session)->ext;

	return (struct content){
		.size = (off_t)path->size,
		.eight = (ext & EXT_8BITMIME) != 0 && (path->eight || !path->body_given),
		.utf8 = (ext & EXT_SMTPUTF8) != 0 && path->utf8,
	};
}

/* RFC 6531 3.4: what is beyond ASCII is for a transaction that says so. */
static int
needs_utf8(const char *text, const struct content *c, enum phase ph, struct status *st)
{
	if (c->utf8 || !has_8bit(text, strlen(text)))
		return 0;
	return status_set(st, ph, 5, 6, 7, "this address needs SMTPUTF8");
}

/* MAIL over the session that there is. 0: *st is the answer; -1: another session may do better. */
static int
try_mail(struct relay *r, const struct path *path, struct status *st)
{
	struct content c = expected_content(r, path);

	if (params_check(&r->envelope, &c, r->link.session, st) == -1 ||
	    needs_utf8(r->envelope.from, &c, PH_MAIL, st) == -1)
		return 0;
	mail_start(&r->mail, r->link.session, &r->envelope, &c);
	if (mail_upto(&r->mail, 1) == -1) {
		*st = *session_status(r->link.session);
		return -1;
	}
	last_reply(r, PH_MAIL, st);
	/* a server that does not want to go on may take a new session */
	return st->code == 421 ? -1 : 0;
}

/* MAIL over a session that is alive, for which a new one or another server may be needed. */
static void
ask_for_mail(struct relay *r, const struct path *path, struct status *st)
{
	/* one that has waited may have ended without our noticing */
	bool waited = r->link.session != NULL, again;

	do {
		link_renew(&r->link);
		if (link_up(&r->link) == NULL) {
			*st = r->link.st;
			return;
		}
		again = try_mail(r, path, st) == -1 &&
		    (waited || (status_retry(st) && link_next(&r->link)));
		if (again)
			link_down(&r->link);
		waited = false;
	} while (again);
}

void
relay_mail(struct relay *r, const struct path *path, struct status *st)
{
	struct str sender = { 0 };
	char *bare = xstrndup(path->address + 1, strlen(path->address) - 2);

	*st = (struct status){ 0 };
	if (use_account(r, bare, st) == 0 &&
	    parties_sender(&r->account, bare, "", &sender, st) == 0) {
		r->wish = r->account.wish;
		if (path->ret != NULL)
			r->wish.ret = r->ret = xstrdup(path->ret);
		if (path->envid != NULL)
			r->wish.envid = r->envid = xstrdup(path->envid);
		r->envelope.from = xstrdup(str_text(&sender));
		r->envelope.wish = &r->wish;
		ask_for_mail(r, path, st);
	}
	free(bare);
	str_free(&sender);
	if (status_ok(st))
		r->state = RELAY_MAIL;
	else
		relay_reset(r);
}

/* ---- RCPT */

/* Those of `meant` who are not there yet, with what the client wants for them. */
static void
add_recipients(struct relay *r, const struct envelope *meant, const struct path *path)
{
	struct rcpt *added;
	size_t i;

	for (i = 0; i < meant->n; i++)
		if (envelope_add(&r->envelope, meant->rcpt[i].to)) {
			added = &r->envelope.rcpt[r->envelope.n - 1];
			added->notify = path->notify != NULL ? xstrdup(path->notify) : NULL;
			added->orcpt = path->orcpt != NULL ? xstrdup(path->orcpt) : NULL;
		}
}

/* Only those numbered below n who were accepted stay in the envelope. */
static void
keep_accepted(struct envelope *e, size_t n)
{
	struct envelope old = *e;
	size_t i;

	memset(e, 0, sizeof *e);
	e->from = old.from;
	e->wish = old.wish;
	old.from = NULL;
	for (i = 0; i < n; i++) {
		struct rcpt *from = &old.rcpt[i], *to;

		if (from->status.class != 0)
			continue;
		(void)envelope_add(e, from->to);
		to = &e->rcpt[e->n - 1];
		to->notify = from->notify;
		to->orcpt = from->orcpt;
		from->notify = from->orcpt = NULL;
	}
	envelope_free(&old);
}

/*
 * The client hears that nobody was taken, and the server has taken some: it would send them what
 * others get, or nothing at all under a pipelined DATA. A recipient cannot be taken back but with
 * the whole transaction, so it begins anew with those who were there before.
 */
static void
take_back(struct relay *r, size_t before)
{
	const struct content content = r->mail.content;
	struct status st;

	mail_abort(&r->mail);
	keep_accepted(&r->envelope, before);
	mail_start(&r->mail, r->link.session, &r->envelope, &content);
	r->link.used++;
	if (mail_upto(&r->mail, r->envelope.n + 1) == -1)
		lose(r, &st);
	else if (!r->mail.open || r->mail.refused > 0)
		status_set(&r->lost, PH_MAIL, 4, 5, 0,
		    "the server has changed its mind about the sender or a recipient");
}

/* The answer for all who are meant; those numbered `before` and up have just been asked for. */
static void
answer_for(struct relay *r, const struct envelope *meant, size_t before, struct status *st)
{
	bool some = false;
	size_t i;

	if (r->envelope.n > before)
		last_reply(r, PH_RCPT, st);
	else
		status_set(st, PH_RCPT, 2, 1, 5, "this one is there already");
	for (i = 0; i < meant->n; i++) {
		const struct rcpt *one = envelope_find(&r->envelope, meant->rcpt[i].to);

		if (one->status.class > st->class)
			*st = one->status;
	}
	for (i = before; i < r->envelope.n; i++)
		some |= r->envelope.rcpt[i].status.class == 0;
	if (some && !status_ok(st))
		take_back(r, before);
}

/* May this be asked for at all? */
static int
allowed(const struct relay *r, const struct path *path, struct status *st)
{
	const struct caps *caps = session_caps(r->link.session);

	if (r->lost.class != 0) {
		*st = r->lost;
		return -1;
	}
	if (r->envelope.n >= RECIPIENTS_MAX ||
	    (caps->rcpt_max > 0 && r->envelope.n >= caps->rcpt_max))
		return status_set(st, PH_RCPT, 4, 5, 3, "too many recipients for one message");
	if ((path->notify != NULL || path->orcpt != NULL) && (caps->ext & EXT_DSN) == 0)
		return status_set(st, PH_RCPT, 5, 3, 3, "the server does not offer DSN");
	if (path->orcpt != NULL && needs_utf8(path->orcpt, &r->mail.content, PH_RCPT, st) == -1)
		return -1;
	return needs_utf8(path->address, &r->mail.content, PH_RCPT, st);
}

/* Those for whom the address stands. 0, or -1 with *st. */
static int
look_up(const struct relay *r, const struct path *path, struct envelope *meant, struct status *st)
{
	char *address = path->address;
	size_t i;
	int result = parties_recipients(&r->account, &address, 1, NULL, meant, st);

	for (i = 0; result == 0 && i < meant->n; i++)
		result = needs_utf8(meant->rcpt[i].to, &r->mail.content, PH_RCPT, st);
	return result;
}

void
relay_rcpt(struct relay *r, const struct path *path, struct status *st)
{
	struct envelope meant = { 0 };
	size_t before = r->envelope.n;

	if (allowed(r, path, st) == 0 && look_up(r, path, &meant, st) == 0) {
		add_recipients(r, &meant, path);
		link_renew(&r->link);
		/* after a 421 the server closes, too */
		if (mail_upto(&r->mail, r->envelope.n + 1) == -1 ||
		    !status_ok(session_status(r->link.session)))
			lose(r, st);
		else
			answer_for(r, &meant, before, st);
	}
	envelope_free(&meant);
}

bool
relay_has_recipients(const struct relay *r)
{
	return r->mail.accepted > 0 || r->lost.class != 0;
}

/* ---- the message */

void
relay_discard(source_read_fn *read, void *arg)
{
	struct status st;
	char buf[4096];

	while (read(arg, buf, sizeof buf, &st) > 0)
		;
}

/* Read it, mend it, and find the form that the server takes. NULL with *st. */
static const struct form *
take_message(struct relay *r, struct message *m, source_read_fn *read, void *arg, struct status *st)
{
	const struct caps *caps = session_caps(r->link.session);
	struct str fields = { 0 };
	const struct form *f;
	int result = message_open_from(m, read, arg, st);

	if (result == 0)
		result = rewrite_message(m, &r->account, r->envelope.from, true, NULL, &fields, st);
	if (result == 0)
		result = message_finish(m, &fields, st);
	str_free(&fields);
	if (result == -1) {
		relay_discard(read, arg);
		return NULL;
	}
	f = message_form(m,
	    (r->mail.content.eight ? TAKES_8BIT : 0) | (r->mail.content.utf8 ? TAKES_UTF8 : 0), st);
	if (f != NULL && caps->size > 0 && (uint64_t)form_size(f) > caps->size) {
		status_set(st, PH_MAIL, 5, 3, 4, "the message is too large for the server");
		return NULL;
	}
	return f;
}

/* What became of the message as a whole, for a client that hears one answer. */
static void
sum_up(const struct relay *r, const struct status *reply, struct status *st)
{
	size_t i;

	*st = *reply;
	/* those who were refused at RCPT have been answered; who failed since then decides */
	for (i = 0; i < r->envelope.n; i++) {
		const struct status *own = &r->envelope.rcpt[i].status;

		if (own->phase != PH_RCPT && own->class > st->class)
			*st = *own;
	}
	if (st->class == 0)
		*st = *session_status(r->link.session);
}

void
relay_message(struct relay *r, source_read_fn *read, void *arg, struct status *st)
{
	int64_t start = wait_now();
	struct message m;
	struct status reply;
	const struct form *f;

	if (r->lost.class != 0) {
		relay_discard(read, arg);
		*st = r->lost;
		relay_reset(r);
		return;
	}
	if ((f = take_message(r, &m, read, arg, st)) != NULL) {
		link_renew(&r->link);
		r->mail.content.size = form_size(f);
		(void)mail_content(&r->mail, f, true, false);
		mail_body(&r->mail, &reply);
		sum_up(r, &reply, st);
		log_message(&r->account, &r->link, &r->envelope, &m, start);
	}
	message_free(&m);
	relay_reset(r);
}

/* ---- the message in chunks */

struct stored {
	const struct store *store;
	off_t at;
	char buf[STORE_CHUNK];
};

static ssize_t
read_stored(void *arg, char *p, size_t n, struct status *st)
{
	struct stored *s = arg;
	const char *view;
	ssize_t got = store_view(s->store, s->at, s->buf, &view, st);

	if (got <= 0)
		return got;
	if ((size_t)got > n)
		got = (ssize_t)n;
	memcpy(p, view, (size_t)got);
	s->at += got;
	return got;
}

/* Keep what comes. 0, or -1 with *st when there is no room, or more than the server takes. */
static int
keep_chunk(struct relay *r, source_read_fn *read, void *arg, struct status *st)
{
	uint64_t limit = session_caps(r->link.session)->size;
	char buf[4096];
	ssize_t n;

	while ((n = read(arg, buf, sizeof buf, st)) > 0) {
		if (store_put(&r->chunks, buf, (size_t)n, st) == -1)
			return -1;
		if (limit > 0 && (uint64_t)store_size(&r->chunks) > limit)
			return status_set(
			    st, PH_MAIL, 5, 3, 4, "the message is too large for the server");
	}
	return n == 0 ? 0 : -1;
}

void
relay_chunk(struct relay *r, source_read_fn *read, void *arg, bool last, struct status *st)
{
	struct stored *stored;

	r->state = RELAY_CHUNKS;
	if (r->spoilt.class == 0 && r->lost.class == 0 && keep_chunk(r, read, arg, st) == -1)
		r->spoilt = *st;
	if (r->spoilt.class != 0 || r->lost.class != 0) {
		*st = r->lost.class != 0 ? r->lost : r->spoilt;
		relay_discard(read, arg);
		if (last)
			relay_reset(r);
		return;
	}
	if (!last) {
		status_set(st, PH_BODY, 2, 0, 0, "so far");
		return;
	}
	stored = xalloc(1, sizeof *stored);
	stored->store = &r->chunks;
	relay_message(r, read_stored, stored, st);
	free(stored);
}

void
relay_reset(struct relay *r)
{
	if (r->linked && r->link.session != NULL && r->mail.open)
		mail_abort(&r->mail);
	envelope_free(&r->envelope);
	free(r->ret);
	free(r->envid);
	r->ret = r->envid = NULL;
	store_free(&r->chunks);
	memset(&r->mail, 0, sizeof r->mail);
	memset(&r->wish, 0, sizeof r->wish);
	r->lost.class = r->spoilt.class = 0;
	r->state = RELAY_IDLE;
}
