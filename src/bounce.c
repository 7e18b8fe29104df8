/*
 * bounce - what a sender is told of a message that did not arrive: a report (RFC 3464), made of an
 * envelope that waits and of the message itself.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounce.h"
#include "chance.h"
#include "lines.h"
#include "message.h"
#include "when.h"

#define NAMED_MAX 50 /* recipients that people are told of; programs hear of all */
#define READ_MAX (HEADER_MAX + 64 * 1024) /* a header, and what was added to it at the door */

struct draft {
	const struct entry *e;
	const struct bounce *how;
	struct str text, status, back; /* the parts */
	bool whole;		       /* back is the message and not its header */
	bool utf8_header;	       /* back begins with fields that are UTF-8 */
};

/* ---- words */

static void
put_field(struct str *out, const char *name, const char *type, const char *value)
{
	struct str text = { 0 };
	size_t line = out->len;

	str_printf(&text, "%s%s", type, value);
	str_printf(out, "%s: ", name);
	lines_fold(out, line, " ", text.p);
	str_free(&text);
}

static void
put_date(struct str *out, const char *name, long long when)
{
	char date[64];

	if (when > 0 && *when_mail((time_t)when, date) != '\0')
		str_printf(out, "%s: %s\r\n", name, date);
}

/* Append an address: letters of UTF-8 are shown, whatever else is no text is made printable. */
static void
put_address(struct str *out, const char *z)
{
	size_t n = strlen(z);

	if (is_utf8(z, n) && ascii_clean(z))
		str_put(out, z, n);
	else
		str_printable(out, z, n);
}

/* A Message-ID (RFC 5322 3.6.4) that a field and a text can hold. */
static bool
good_id(const char *id)
{
	size_t n = id != NULL ? strlen(id) : 0;

	return n > 2 && n < LINE_PIECE && id[0] == '<' && id[n - 1] == '>' && ascii_clean(id) &&
	    !has_8bit(id, n) && strchr(id, ' ') == NULL;
}

/* ---- recipients */

/* Does NOTIFY ask for a report of this kind? */
static bool
asked(const char *notify, enum bounce_kind kind)
{
	const char *word = kind == BOUNCE_FAILED ? "FAILURE" : "DELAY";
	size_t n;

	if (notify == NULL)
		return true;
	for (;; notify += n + 1) {
		n = strcspn(notify, ",");
		if (n == strlen(word) && ascii_eqn(notify, word, n))
			return true;
		if (notify[n] == '\0')
			return false;
	}
}

/* The next recipient from `i` on that the report is about; e->n: there is none. */
static size_t
next_one(const struct draft *d, size_t i)
{
	for (; i < d->e->n; i++) {
		const struct entry_rcpt *r = &d->e->rcpt[i];
		bool waits = r->last.class == 0 || status_retry(&r->last);

		if ((d->how->kind == BOUNCE_DELAYED
			    ? waits
			    : r->last.class == 5 || (waits && d->how->expired)) &&
		    asked(r->notify, d->how->kind))
			break;
	}
	return i;
}

/* How it ended, also for those with whom nothing was begun. */
static struct status
how_it_ended(const struct draft *d, const struct entry_rcpt *r)
{
	struct status st = r->last;

	if (st.class == 0 && d->how->kind == BOUNCE_FAILED)
		status_set(&st, PH_LOCAL, 4, 4, 7, "there was no try that came to this recipient");
	else if (st.class == 0)
		status_set(&st, PH_LOCAL, 4, 0, 0, "no try has come to this recipient yet");
	return st;
}

/* The server whose words these are, when they are a server's and it has a name in the DNS. */
static const char *
server_of(const struct entry_rcpt *r)
{
	return r->last.code != 0 && r->server != NULL && *r->server != '/' ? r->server : NULL;
}

/* ---- for people */

static void
put_paragraph(struct str *out, const char *indent, const char *text)
{
	size_t line = out->len;

	str_puts(out, indent);
	lines_fold(out, line, indent, text);
}

static void
put_beginning(struct draft *d)
{
	const struct entry *e = d->e;
	char queued[64] = "", until[64] = "";
	struct str text = { 0 };

	str_printf(&text, "This is pneu on %s.", d->how->name);
	put_paragraph(&d->text, "", text.p);
	str_clear(&text);
	str_puts(&text, "Your message ");
	if (good_id(e->id))
		str_printf(&text, "%s ", e->id);
	if (d->how->kind == BOUNCE_FAILED)
		str_puts(&text, "was not delivered to those below. It will not be tried again.");
	else {
		str_puts(&text,
		    "is late: it was not delivered yet to those below. It is still being tried");
		if (d->how->until > 0 && *when_mail((time_t)d->how->until, until) != '\0')
			str_printf(&text, ", until %s", until);
		str_puts(&text, "; there is no need to send it again.");
	}
	if (e->queued > 0 && *when_mail((time_t)e->queued, queued) != '\0') {
		str_printf(&text, " It was queued on %s", queued);
		if (e->tries > 0)
			str_printf(&text, " and tried %s", e->tries == 1 ? "once" : "");
		if (e->tries > 1)
			str_printf(&text, "%lld times", e->tries);
		str_putc(&text, '.');
	}
	str_puts(&d->text, "\r\n");
	put_paragraph(&d->text, "", text.p);
	str_puts(&d->text, "\r\n");
	str_free(&text);
}

/* Why those above did not get it. */
static void
put_reason(struct draft *d, const struct entry_rcpt *r)
{
	static const char indent[] = "    ";
	const struct status st = how_it_ended(d, r);
	const char *hint = status_hint(&st);
	struct str text = { 0 };
	char enhanced[16];

	str_printf(&text, "%s", status_enhanced(&st, enhanced));
	if (st.phase != PH_LOCAL)
		str_printf(&text, " (%s)", phase_name(st.phase));
	if (server_of(r) != NULL) {
		str_puts(&text, ", ");
		put_address(&text, r->server);
		str_puts(&text, " said");
	} else if (st.code != 0)
		str_puts(&text, ", the server said");
	str_printf(&text, ": %s", st.text);
	put_paragraph(&d->text, indent, text.p);
	if (r->unknown)
		put_paragraph(&d->text, indent,
		    "It may have been delivered all the same: the server was given the whole "
		    "message, and its answer never came.");
	else if (d->how->kind == BOUNCE_FAILED && st.class == 4)
		put_paragraph(&d->text, indent,
		    "This was a temporary failure, and the time for it is over. The same message "
		    "may go through later.");
	if (hint != NULL) {
		str_clear(&text);
		str_printf(&text, "What may help: %s", hint);
		put_paragraph(&d->text, indent, text.p);
	}
	str_free(&text);
}

/* Is one reason enough for both? */
static bool
same_reason(const struct entry_rcpt *a, const struct entry_rcpt *b)
{
	const char *one = server_of(a), *two = server_of(b);

	return a->last.class == b->last.class && a->last.subject == b->last.subject &&
	    a->last.detail == b->last.detail && a->last.code == b->last.code &&
	    a->last.phase == b->last.phase && strcmp(a->last.text, b->last.text) == 0 &&
	    a->unknown == b->unknown && strcmp(one != NULL ? one : "", two != NULL ? two : "") == 0;
}

static void
put_text(struct draft *d)
{
	const struct entry_rcpt *last = NULL;
	size_t i, named = 0, more = 0;
	struct str to = { 0 };

	put_beginning(d);
	for (i = next_one(d, 0); i < d->e->n; i = next_one(d, i + 1)) {
		const struct entry_rcpt *r = &d->e->rcpt[i];

		if (named++ >= NAMED_MAX) {
			more++;
			continue;
		}
		if (last != NULL && !same_reason(last, r)) {
			put_reason(d, last);
			str_puts(&d->text, "\r\n");
		}
		last = r;
		str_clear(&to);
		str_putc(&to, '<');
		put_address(&to, r->to);
		str_putc(&to, '>');
		put_paragraph(&d->text, "", to.p);
	}
	if (last != NULL)
		put_reason(d, last);
	str_free(&to);
	if (more > 0)
		str_printf(&d->text,
		    "\r\nAnd %zu more; the second part of this report has them all.\r\n", more);
	if (d->back.len > 0)
		str_printf(&d->text, "\r\n%s follows.\r\n",
		    d->whole ? "Your message" : "The header of your message");
}

/* ---- for programs (RFC 3464 2) */

/* The type of an address and what follows it (RFC 6533 3). */
static void
put_recipient(struct str *out, const char *name, const char *address)
{
	struct str text = { 0 };

	put_address(&text, address);
	put_field(out, name, has_8bit(text.p, text.len) ? "utf-8; " : "rfc822; ", text.p);
	str_free(&text);
}

/* ORCPT as it was given, "rfc822;a+2Bb@example.org": xtext, but for "utf-8", which has its own. */
static void
put_orcpt(struct str *out, const char *orcpt)
{
	size_t n = strcspn(orcpt, ";");
	bool utf8;
	struct str type = { 0 }, raw = { 0 }, address = { 0 };

	if (orcpt[n] == '\0')
		return;
	str_printable(&type, orcpt, n);
	str_puts(&type, "; ");
	utf8 = ascii_eq(type.p, "utf-8; ");
	if (utf8 || str_unxtext(&raw, orcpt + n + 1) == -1) {
		str_clear(&raw);
		str_puts(&raw, orcpt + n + 1);
	}
	if (utf8)
		put_address(&address, str_text(&raw));
	else
		str_printable(&address, str_text(&raw), raw.len);
	put_field(out, "Original-Recipient", type.p, str_text(&address));
	str_free(&type);
	str_free(&raw);
	str_free(&address);
}

static void
put_group(struct draft *d, const struct entry_rcpt *r)
{
	bool late = d->how->kind == BOUNCE_DELAYED;
	const struct status st = how_it_ended(d, r);
	struct str *out = &d->status;
	struct str server = { 0 };
	char enhanced[16];

	str_puts(out, "\r\n");
	if (r->orcpt != NULL)
		put_orcpt(out, r->orcpt);
	put_recipient(out, "Final-Recipient", r->to);
	str_printf(out, "Action: %s\r\n", late ? "delayed" : "failed");
	str_printf(out, "Status: %s\r\n", status_enhanced(&st, enhanced));
	if (server_of(r) != NULL) {
		put_address(&server, server_of(r));
		put_field(out, "Remote-MTA", "dns; ", server.p);
		str_free(&server);
	}
	put_field(out, "Diagnostic-Code", st.code != 0 ? "smtp; " : "x-pneu; ", st.text);
	if (r->last.class != 0)
		put_date(out, "Last-Attempt-Date", d->e->tried);
	if (late)
		put_date(out, "Will-Retry-Until", d->how->until);
}

static void
put_status(struct draft *d)
{
	struct str text = { 0 };
	size_t i;

	put_field(&d->status, "Reporting-MTA", "dns; ", d->how->name);
	if (d->e->envid != NULL) {
		str_printable(&text, d->e->envid, strlen(d->e->envid));
		put_field(&d->status, "Original-Envelope-Id", "", str_text(&text));
	}
	put_date(&d->status, "Arrival-Date", d->e->queued);
	for (i = next_one(d, 0); i < d->e->n; i = next_one(d, i + 1))
		put_group(d, &d->e->rcpt[i]);
	str_free(&text);
}

/* ---- the message */

static int
read_message(int fd, struct str *to, struct status *st)
{
	char buf[16384];
	ssize_t n = 1;

	while (n != 0 && to->len <= READ_MAX) {
		n = pread(fd, buf, sizeof buf, (off_t)to->len);
		if (n == -1 && errno != EINTR)
			return status_errno(st, PH_LOCAL, "cannot read the message for the report");
		if (n > 0)
			str_put(to, buf, (size_t)n);
	}
	return 0;
}

/* Octets of the header. One that is longer than any that was taken ends with a line of it. */
static size_t
header_length(const char *p, size_t n)
{
	const char *end;

	if (strncmp(p, "\r\n", 2) == 0)
		return 0;
	if ((end = memmem(p, n, "\r\n\r\n", 4)) != NULL)
		return (size_t)(end - p) + 2;
	while (n > 0 && p[n - 1] != '\n')
		n--;
	return n;
}

static int
put_back(struct draft *d, int fd, struct status *st)
{
	const struct entry *e = d->e;
	struct str message = { 0 };
	size_t header;

	if (fd == -1)
		return 0;
	if (read_message(fd, &message, st) == -1) {
		str_free(&message);
		return -1;
	}
	header = header_length(str_text(&message), message.len);
	d->utf8_header = has_8bit(message.p, header) && is_utf8(message.p, header);
	d->whole = d->how->kind == BOUNCE_FAILED && e->ret != NULL && ascii_eq(e->ret, "FULL") &&
	    entry_wished(e, "requiretls") == NULL && message.len <= BOUNCE_FULL_MAX;
	if (d->whole && lines_cut(&d->back, message.p, message.len)) {
		d->whole = false; /* folding is for headers */
		str_clear(&d->back);
	}
	if (!d->whole)
		(void)lines_cut(&d->back, message.p, header);
	str_free(&message);
	return 0;
}

/* ---- all of it */

void
bounce_boundary(struct str *to, unsigned long long seed, const struct str *const *parts, size_t n)
{
	char word[32];
	size_t i;

	do {
		seed = seed * 6364136223846793005U + 1442695040888963407U;
		(void)snprintf(word, sizeof word, "=_%016llx", seed); /* no encoding makes "=_" */
		for (i = 0; i < n; i++)
			if (parts[i]->len > 0 &&
			    memmem(parts[i]->p, parts[i]->len, word, strlen(word)) != NULL)
				break;
	} while (i < n);
	str_puts(to, word);
}

static const char *
encoding(const struct str *part)
{
	return has_8bit(str_text(part), part->len) ? "8bit" : "7bit";
}

static void
put_header(const struct draft *d, const char *boundary, struct str *id, struct str *out)
{
	static const char *const subjects[] = {
		[BOUNCE_FAILED] = "Your message was not delivered",
		[BOUNCE_DELAYED] = "Your message is late, and still being tried",
	};
	bool eight = has_8bit(str_text(&d->text), d->text.len) ||
	    has_8bit(d->status.p, d->status.len) || has_8bit(str_text(&d->back), d->back.len);
	struct str to = { 0 };
	struct message own;

	memset(&own, 0, sizeof own);
	str_printf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n", d->how->name);
	put_address(&to, d->e->from);
	str_putc(&to, '>');
	put_field(out, "To", "<", to.p);
	str_free(&to);
	str_printf(out, "Subject: %s\r\n", subjects[d->how->kind]);
	message_add_date(out, d->how->now);
	message_add_id(&own, out, d->how->now, d->how->name);
	*id = own.id;
	if (good_id(d->e->id))
		put_field(out, "References", "", d->e->id);
	str_printf(out,
	    "Auto-Submitted: auto-replied\r\n" /* RFC 3834 5 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    " boundary=\"%s\"\r\n"
	    "Content-Transfer-Encoding: %s\r\n",
	    boundary, eight ? "8bit" : "7bit");
}

static int
put_part(const char *boundary, const char *type, const struct str *part, struct store *out,
    struct status *st)
{
	struct str head = { 0 };
	int r;

	str_printf(&head, "\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n",
	    boundary, type, encoding(part));
	r = store_put(out, head.p, head.len, st);
	if (r == 0)
		r = store_put(out, str_text(part), part->len, st);
	str_free(&head);
	return r;
}

static int
put_all(const struct draft *d, struct store *out, struct str *id, struct status *st)
{
	const struct str *parts[] = { &d->text, &d->status, &d->back };
	struct str boundary = { 0 }, text = { 0 };
	unsigned long long seed;
	int r;

	chance(&seed, sizeof seed);
	bounce_boundary(&boundary, seed, parts, sizeof parts / sizeof parts[0]);
	put_header(d, boundary.p, id, &text);
	r = store_put(out, text.p, text.len, st);
	if (r == 0)
		r = put_part(boundary.p,
		    has_8bit(d->text.p, d->text.len) ? "text/plain; charset=utf-8"
						     : "text/plain; charset=us-ascii",
		    &d->text, out, st);
	if (r == 0)
		r = put_part(boundary.p,
		    has_8bit(d->status.p, d->status.len) ? "message/global-delivery-status"
							 : "message/delivery-status",
		    &d->status, out, st);
	if (r == 0 && d->back.len > 0)
		r = put_part(boundary.p,
		    d->whole		 ? d->utf8_header ? "message/global" : "message/rfc822"
			: d->utf8_header ? "message/global-headers"
					 : "text/rfc822-headers",
		    &d->back, out, st);
	str_clear(&text);
	str_printf(&text, "\r\n--%s--\r\n", boundary.p);
	if (r == 0)
		r = store_put(out, text.p, text.len, st);
	str_free(&text);
	str_free(&boundary);
	return r;
}

int
bounce_make(const struct entry *e, const struct bounce *how, int fd, struct store *out,
    struct entry *envelope, struct status *st)
{
	struct draft d = { .e = e, .how = how };
	struct str id = { 0 };
	int r;

	if (*e->from == '\0' || next_one(&d, 0) == e->n)
		return 0;
	r = put_back(&d, fd, st);
	if (r == 0) {
		put_text(&d);
		put_status(&d);
		r = put_all(&d, out, &id, st);
	}
	if (r == 0) {
		envelope->account = e->account != NULL ? xstrdup(e->account) : NULL;
		envelope->from = xstrdup("");
		envelope->id = xstrdup(id.p);
		(void)entry_add(envelope, e->from);
		r = 1;
	}
	str_free(&id);
	str_free(&d.text);
	str_free(&d.status);
	str_free(&d.back);
	return r;
}
