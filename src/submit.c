/*
 * submit - a message to the servers of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "submit.h"
#include "wait.h"

/* ---- whom another server may serve */

/* Did this recipient fail because the session as a whole did, for now, and before the message? */
static bool
by_session(const struct rcpt *r)
{
	const struct status *st = &r->status;

	return status_retry(st) && !r->unknown && st->phase < PH_BODY && st->phase != PH_LOCAL &&
	    (st->phase < PH_MAIL || st->code == 0 || st->code == 421);
}

static bool
lost_with_session(const struct envelope *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (by_session(&e->rcpt[i]))
			return true;
	return false;
}

/*
 * Give those another chance whom a lost session failed, and make them undecided again: on a new
 * session with the same server, where this one had served before and only ended too early, else
 * with the next server. False when there is nobody, or no server left. When it is all or nothing,
 * one who is decided otherwise decides for all.
 */
static bool
once_more(struct link *l, struct envelope *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		n += by_session(&e->rcpt[i]);
	if (n == 0 || wait_signal() != NULL || (!l->account->partial && n < e->n))
		return false;
	if (l->used < 2 && !link_next(l))
		return false;
	link_down(l);
	for (i = 0; i < e->n; i++)
		if (by_session(&e->rcpt[i])) {
			memset(&e->rcpt[i].status, 0, sizeof e->rcpt[i].status);
			e->rcpt[i].stranded = false;
		}
	return true;
}

/* ---- as many recipients as a server takes at a time */

static const char *
domain_of(const struct rcpt *r)
{
	const char *at = strrchr(r->to, '@');

	return at != NULL ? at + 1 : "";
}

static bool
has_domain(const struct envelope *e, const char *domain)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		if (ascii_eq(domain_of(&e->rcpt[i]), domain))
			return true;
	return false;
}

/* The first of the undecided, as many as fit into one transaction. Borrows from `e`. */
static void
take_batch(const struct envelope *e, const struct caps *caps, struct envelope *batch)
{
	uint64_t domains = 0;
	size_t i;

	*batch = *e;
	batch->rcpt = xalloc(e->n, sizeof *batch->rcpt);
	for (batch->n = i = 0; i < e->n; i++) {
		const struct rcpt *r = &e->rcpt[i];

		if (r->status.class != 0)
			continue;
		if (caps->rcpt_max > 0 && batch->n >= caps->rcpt_max)
			break;
		if (caps->domains > 0 && !has_domain(batch, domain_of(r)) &&
		    ++domains > caps->domains)
			break;
		batch->rcpt[batch->n++] = *r;
	}
}

/* Those who were too many this time are undecided, when others went. Returns how many there are. */
static size_t
next_time(struct envelope *e)
{
	bool some = envelope_accepted(e) > 0;
	size_t i, n = 0;

	for (i = 0; i < e->n; i++)
		if (some && mail_too_many(&e->rcpt[i])) {
			memset(&e->rcpt[i].status, 0, sizeof e->rcpt[i].status);
			n++;
		}
	return n;
}

/* What became of them. */
static void
give_back(struct envelope *e, struct envelope *batch)
{
	size_t i, k = 0;

	(void)next_time(batch);
	for (i = 0; i < e->n && k < batch->n; i++)
		if (e->rcpt[i].status.class == 0)
			e->rcpt[i] = batch->rcpt[k++];
	free(batch->rcpt);
}

/* ---- one message */

/* The form of the message that this server can have, and what MAIL says of it; NULL with *st. */
static const struct form *
admissible(const struct session *s, struct envelope *e, struct message *m, bool partial,
    struct content *c, struct status *st)
{
	unsigned ext = session_caps(s)->ext;
	const struct form *f = message_form(m,
	    ((ext & EXT_8BITMIME) != 0 ? TAKES_8BIT : 0) |
		((ext & EXT_SMTPUTF8) != 0 ? TAKES_UTF8 : 0),
	    st);

	if (f == NULL)
		return NULL;
	c->size = form_size(f);
	c->eight = (f->flags & MSG_8BIT) != 0;
	c->utf8 = (f->flags & MSG_UTF8) != 0 || params_utf8(e);
	if (params_check(e, c, s, st) == -1)
		return NULL;
	if (!partial && envelope_undecided(e) < e->n) {
		status_set(st, PH_RCPT, 5, 0, 0,
		    "not sent, as another recipient was refused (partial no)");
		st->exit = (unsigned char)envelope_exit(e);
		return NULL;
	}
	return f;
}

/*
 * What one transaction says of those who are still to come: nothing, or why they need not come.
 * `each`: every recipient has had a reply of his own.
 */
static bool
holds_for_all(
    const struct envelope *batch, bool each, const struct status *reply, struct status *st)
{
	bool heard = reply->class != 0 && !each;

	*st = heard ? *reply : batch->rcpt[0].status;
	if (!heard && st->phase != PH_MAIL && st->phase != PH_DATA)
		return false; /* only these were refused, one by one */
	return !status_ok(st);
}

void
submit_batch(struct session *s, struct envelope *e, struct message *m, bool partial, bool last,
    struct status *reply)
{
	const struct form *f;
	struct envelope batch;
	struct content c;
	struct status st;
	bool all;

	memset(reply, 0, sizeof *reply);
	if ((f = admissible(s, e, m, partial, &c, &st)) == NULL)
		envelope_settle(e, &st);
	if (envelope_undecided(e) == 0)
		return;
	take_batch(e, session_caps(s), &batch);
	all = batch.n == envelope_undecided(e);
	if (!partial && !all) {
		status_set(&st, PH_RCPT, 5, 5, 3,
		    "the server takes %zu recipients at a time, so it cannot be all or nothing "
		    "(partial no)",
		    batch.n);
		st.exit = EX_UNAVAILABLE;
		free(batch.rcpt);
		envelope_settle(e, &st);
		return;
	}
	mail_submit(s, &batch, f, &c, partial, last && all, reply);
	all = holds_for_all(&batch, session_lmtp(s), reply, &st);
	give_back(e, &batch);
	if (all)
		envelope_settle(e, &st);
}

/* No session can be had for those who are left. */
static void
strand(struct envelope *e, const struct status *st)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		e->rcpt[i].stranded |= e->rcpt[i].status.class == 0;
	envelope_settle(e, st);
}

static void
tell(const struct link *l, struct submission *sub)
{
	sub->server = l->name != NULL ? xstrdup(l->name) : NULL;
	sub->user = l->user != NULL ? xstrdup(l->user) : NULL;
	sub->info = l->info;
}

void
submit(struct link *l, struct envelope *e, struct message *m, bool last, struct submission *sub)
{
	int64_t start = wait_now();
	struct status reply;

	memset(sub, 0, sizeof *sub);
	do {
		while (envelope_undecided(e) > 0) {
			if (link_up(l) == NULL) {
				strand(e, &l->st);
				break;
			}
			submit_batch(l->session, e, m, l->account->partial, last, &reply);
			if (reply.class != 0)
				sub->reply = reply;
		}
	} while (once_more(l, e));
	if (last)
		link_down(l);
	tell(l, sub);
	sub->tally = link_tally(l);
	sub->ms = wait_now() - start;
}

/* ---- one message after the other */

/* The first message that waits for its answer has it, or has no session any more. */
static void
hear_first(struct ahead *h)
{
	struct ahead_slot *slot = &h->slot[0];
	struct status reply = { 0 };

	mail_hear(&slot->mail, &reply);
	h->unended = slot->mail.open;
	(void)next_time(slot->e);
	/* what another session is to do waits until all of this one is heard */
	if (envelope_undecided(slot->e) > 0 || lost_with_session(slot->e))
		h->again[h->nagain++] = *slot;
	else
		h->heard(h->arg, slot->e);
	h->octets -= slot->octets;
	memmove(slot, slot + 1, --h->n * sizeof *slot);
}

static void
hear_all(struct ahead *h)
{
	while (h->n > 0)
		hear_first(h);
}

/* The transaction that was heard last may go on at the server, which would refuse MAIL in it. */
static void
end_transaction(struct ahead *h)
{
	struct session *s = h->link->session;
	struct status st;

	if (h->unended && s != NULL && status_ok(session_status(s)))
		(void)chat_ask(session_chat(s), PH_RSET, &st, "RSET");
	h->unended = false;
}

/* Those who need another session, or another transaction, get it; nothing is open then. */
static void
do_again(struct ahead *h)
{
	struct link *l = h->link;
	struct submission sub;
	size_t i, n = h->nagain;

	if (n > 0)
		end_transaction(h);
	/* all first, for the session is given up with the first one that it had failed */
	for (i = 0; i < n; i++)
		h->again[i].retry = once_more(l, h->again[i].e);
	h->nagain = 0;
	for (i = 0; i < n; i++) {
		struct ahead_slot *slot = &h->again[i];

		if (slot->retry || envelope_undecided(slot->e) > 0) {
			submit(l, slot->e, slot->m, false, &sub);
			submission_free(&sub);
		}
		h->heard(h->arg, slot->e);
	}
}

void
submit_drain(struct ahead *h)
{
	hear_all(h);
	do_again(h);
}

/* The form for a message that goes to all of `e` in one transaction; NULL when it cannot. */
static const struct form *
in_one(const struct link *l, struct envelope *e, struct message *m, struct content *c)
{
	const struct caps *caps = session_caps(l->session);
	const struct form *f;
	struct status st;

	if (!l->account->partial || caps->domains > 0 ||
	    (caps->rcpt_max > 0 && e->n > caps->rcpt_max))
		return NULL;
	f = admissible(l->session, e, m, true, c, &st);
	return f != NULL && envelope_undecided(e) == e->n ? f : NULL;
}

/* Begin behind what is open. True when it is sent and its answer is open. */
static bool
begin_behind(struct ahead *h, struct ahead_slot *next)
{
	struct link *l = h->link;
	const struct form *f;
	struct content c;

	if (!session_chat(l->session)->pipelining || (f = in_one(l, next->e, next->m, &c)) == NULL)
		return false;
	l->used++;
	mail_start(&next->mail, l->session, next->e, &c);
	/* a chunk that is refused does not end its transaction (RFC 3030 2), a final dot does */
	next->mail.reset = h->n > 0 ? h->slot[h->n - 1].mail.chunk : h->unended;
	if (mail_content(&next->mail, f, true, false)) {
		next->mail.reset |= h->n > 0;
		next->octets = (size_t)c.size;
		return mail_send(&next->mail);
	}
	if (h->n > 0)
		mail_ahead(&next->mail);
	hear_all(h);
	h->unended = false;
	/* where the session ended with the message before, nothing of this one was heard */
	if (!status_ok(session_status(l->session)))
		return false;
	if (!mail_send(&next->mail)) {
		mail_abort(&next->mail);
		return false;
	}
	return true;
}

void
submit_ahead(struct ahead *h, struct envelope *e, struct message *m)
{
	struct ahead_slot next = { .e = e, .m = m };
	struct link *l = h->link;

	if (h->n == AHEAD_MOST || (h->n > 0 && !link_ready(l)) || h->octets >= AHEAD_OCTETS)
		submit_drain(h);
	if (h->n == 0 && !link_ready(l)) {
		if (link_up(l) == NULL) {
			strand(e, &l->st);
			h->heard(h->arg, e);
			return;
		}
		l->used--; /* that was no transaction yet */
		h->unended = false;
	}
	if (begin_behind(h, &next)) {
		h->slot[h->n++] = next;
		h->octets += next.octets;
		/* with DATA some may be known to be too many already: nothing can begin behind */
		if (h->nagain > 0 || !mail_is_last(&next.mail))
			submit_drain(h);
		return;
	}
	hear_all(h);
	if (envelope_undecided(e) > 0 || lost_with_session(e))
		h->again[h->nagain++] = next;
	else
		h->heard(h->arg, e);
	do_again(h);
}

void
submission_free(struct submission *sub)
{
	free(sub->server);
	free(sub->user);
	memset(sub, 0, sizeof *sub);
}
