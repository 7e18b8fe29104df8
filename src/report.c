/*
 * report - how it ended, for people and for programs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "report.h"
#include "say.h"
#include "when.h"

/* ---- standard error */

/* Was it the whole session, and not this recipient, that failed? */
static bool
of_session(const struct status *st)
{
	if (st->code == 0 && st->phase == PH_RCPT && st->subject == 6)
		return false; /* we did not ask the server for this one: 5.6.7 */
	return (st->code == 0 && st->subject != 0) || st->code == 421 ||
	    status_scope(st) == SC_SESSION;
}

static bool
same(const struct status *a, const struct status *b)
{
	return a->class == b->class && a->subject == b->subject && a->detail == b->detail &&
	    a->code == b->code && a->phase == b->phase && strcmp(a->text, b->text) == 0;
}

void
report_failures(const struct outcome *o)
{
	const struct status *said = NULL;
	const char *server = o->submission != NULL ? o->submission->server : NULL;
	size_t i;

	if (o->error != NULL) {
		say_status(NULL, o->error);
		return;
	}
	for (i = 0; i < o->envelope->n; i++) {
		const struct rcpt *r = &o->envelope->rcpt[i];

		if (status_ok(&r->status))
			continue;
		if (!of_session(&r->status))
			say_status(r->to, &r->status);
		else if (said == NULL || !same(said, &r->status)) {
			said = &r->status;
			say_status(r->status.phase == PH_LOCAL ? NULL : server, &r->status);
		}
	}
}

/* ---- text */

static const char *
result_name(const struct rcpt *r)
{
	if (r->unknown)
		return "unknown";
	if (r->queued)
		return "queued";
	return status_ok(&r->status)   ? "accepted"
	    : status_retry(&r->status) ? "deferred"
				       : "refused";
}

void
report_text(const struct outcome *o, struct str *out)
{
	const struct submission *sub = o->submission;
	const char *standing = sub != NULL ? cert_standing(&sub->info.tls.cert) : NULL;
	char enhanced[16];
	size_t i;

	if (o->error != NULL) {
		str_printf(
		    out, "error: %s %s\n", status_enhanced(o->error, enhanced), o->error->text);
		return;
	}
	for (i = 0; i < o->envelope->n; i++) {
		const struct rcpt *r = &o->envelope->rcpt[i];

		str_printable(out, r->to, strlen(r->to));
		str_printf(out, ": %s %s: %s\n", status_enhanced(&r->status, enhanced),
		    result_name(r), r->status.text);
	}
	if (o->message == NULL)
		return;
	str_printf(out, "message: ");
	str_printable(out, str_text(&o->message->id), o->message->id.len);
	str_printf(out, ", %" PRIdMAX " octets, from <", (intmax_t)message_size(o->message));
	str_printable(out, o->envelope->from, strlen(o->envelope->from));
	str_puts(out, ">\n");
	if (sub == NULL || sub->server == NULL || sub->info.peer[0] == '\0')
		return;
	str_printf(out, "server: %s [%s]", sub->server, sub->info.peer);
	if (sub->info.tls.on)
		str_printf(out, ", %s %s %s", sub->info.tls.version, sub->info.tls.cipher,
		    standing != NULL ? standing : "NOT verified");
	else
		str_puts(out, ", no TLS");
	if (sub->info.mech[0] != '\0') {
		str_printf(out, ", AUTH %s as ", sub->info.mech);
		str_printable(out, sub->user, strlen(sub->user));
	}
	str_printf(out, ", %u round trips, %" PRId64 ".%03" PRId64 " s\n", sub->tally.turns,
	    sub->ms / 1000, sub->ms % 1000);
}

/* ---- JSON */

static void
put_tls(struct str *out, const struct tls_info *tls)
{
	char expires[32];

	str_puts(out, ",\"tls\":");
	if (!tls->on) {
		str_puts(out, "null");
		return;
	}
	str_putc(out, '{');
	json_member(out, "version", tls->version);
	json_member(out, "cipher", tls->cipher);
	str_printf(out, ",\"verified\":%s", tls->cert.verified ? "true" : "false");
	json_member(out, "standing", cert_standing(&tls->cert));
	json_member(out, "subject", tls->cert.subject);
	json_member(out, "expires", when_text(tls->cert.expires, expires));
	str_putc(out, '}');
}

/* "host:port", "[address]:port", or the path of a socket, which has no port. */
static void
put_server(struct str *out, const struct submission *sub)
{
	const char *colon = sub->server[0] != '/' ? strrchr(sub->server, ':') : NULL;
	size_t len = colon != NULL ? (size_t)(colon - sub->server) : strlen(sub->server);
	bool literal = sub->server[0] == '[';
	struct str host = { 0 };

	str_put(&host, sub->server + literal, len - 2 * literal);
	str_puts(out, ",\"server\":{");
	json_member(out, "host", host.p);
	json_member(out, "port", colon != NULL ? colon + 1 : NULL);
	json_member(out, "address", sub->info.peer);
	json_member(out, "greeting", sub->info.greeting);
	str_putc(out, '}');
	str_free(&host);
}

static void
put_seconds(struct str *out, const char *name, int64_t ms)
{
	str_printf(out, ",\"%s\":%" PRId64 ".%03" PRId64, name, ms / 1000, ms % 1000);
}

static void
put_submission(struct str *out, const struct submission *sub)
{
	if (sub->server != NULL && sub->info.peer[0] != '\0')
		put_server(out, sub);
	else
		str_puts(out, ",\"server\":null");
	put_tls(out, &sub->info.tls);
	if (sub->info.mech[0] != '\0') {
		str_puts(out, ",\"auth\":{");
		json_member(out, "mechanism", sub->info.mech);
		json_member(out, "user", sub->user);
		str_putc(out, '}');
	} else
		str_puts(out, ",\"auth\":null");
	str_printf(out,
	    ",\"round_trips\":%u,\"octets_sent\":%" PRIu64 ",\"octets_received\":%" PRIu64,
	    sub->tally.turns, sub->tally.sent, sub->tally.received);
	put_seconds(out, "seconds", sub->ms);
	put_seconds(out, "seconds_connect", sub->info.connect_ms);
	put_seconds(out, "seconds_tls", sub->info.tls_ms);
	put_seconds(out, "seconds_login", sub->info.login_ms);
	json_member(out, "reply", sub->reply.class != 0 ? sub->reply.text : NULL);
}

void
report_json(const struct outcome *o, struct str *out)
{
	static const struct submission none;
	size_t i;

	str_printf(out, "{\"version\":1,\"exit\":%d", o->exit);
	json_member(out, "account", o->account != NULL ? o->account->name : NULL);
	json_member(out, "sender", o->envelope != NULL ? o->envelope->from : NULL);
	json_member(out, "message_id",
	    o->message != NULL && o->message->id.len > 0 ? o->message->id.p : NULL);
	str_printf(out, ",\"size\":%" PRIdMAX,
	    o->message != NULL ? (intmax_t)message_size(o->message) : 0);
	put_submission(out, o->submission != NULL ? o->submission : &none);
	str_puts(out, ",\"recipients\":[");
	for (i = 0; o->error == NULL && o->envelope != NULL && i < o->envelope->n; i++) {
		const struct rcpt *r = &o->envelope->rcpt[i];

		str_puts(out, i > 0 ? ",{" : "{");
		json_member(out, "address", r->to);
		json_member(out, "result", result_name(r));
		json_status(out, &r->status);
		str_putc(out, '}');
	}
	str_puts(out, "],\"error\":");
	if (o->error != NULL) {
		str_putc(out, '{');
		json_status(out, o->error);
		str_putc(out, '}');
	} else
		str_puts(out, "null");
	str_puts(out, "}\n");
}
