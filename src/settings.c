/*
 * settings - the one table of everything that can be configured.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"
#include "url.h"

#define AT(field) offsetof(struct account, field)
/* clang-format off */
const struct setting settings[] = {
	{ "server", T_URLS, AT(server), NULL, "URL",
	  "where to submit: submissions://user@host", NULL },
	{ "user", T_STRING, AT(user), NULL, "NAME",
	  "user name, instead of the one in the URL", NULL },
	{ "password", T_SECRET, AT(password), NULL, NULL,
	  "the password (in a file of mode 600 only)", NULL },
	{ "password-file", T_PATH, AT(password_file), NULL, "FILE",
	  "read the password from FILE", NULL },
	{ "password-command", T_COMMAND, AT(password_command), NULL, "CMD",
	  "run CMD, which prints the password", NULL },
	{ "password-fd", T_FD, AT(password_fd), NULL, "N",
	  "read the password from descriptor N", NULL },
	{ "auth", T_AUTH, AT(auth), NULL, "MECHANISM",
	  "auto, none, or the mechanism to use", NULL },
	{ "from", T_PATTERNS, AT(from), NULL, "ADDRESS",
	  "the sender; patterns choose the account", NULL },
	{ "allow-from-override", T_BOOL, AT(from_override), "yes", "yes|no",
	  "may -f and From name another sender", value_bool_names },
	{ "rewrite-from", T_REWRITE, AT(rewrite_from), "yes", "yes|always|no",
	  "mend From, and names without a domain", value_rewrite_names },
	{ "domain", T_HOST, AT(domain), NULL, "NAME",
	  "the domain of addresses that have none", NULL },
	{ "aliases", T_PATH, AT(aliases), NULL, "FILE",
	  "who gets mail to root and the like", NULL },
	{ "dsn-notify", T_NOTIFY, AT(wish.notify), NULL, "WHEN",
	  "report never, or on success,failure,delay", NULL },
	{ "dsn-return", T_RETURN, AT(wish.ret), NULL, "WHAT",
	  "headers or full message in a report", NULL },
	{ "dsn-envid", T_ENVID, AT(wish.envid), NULL, "ID",
	  "name this sending in reports", NULL },
	{ "at", T_AT, AT(wish.hold), NULL, "WHEN",
	  "the server keeps it until then: 2h, 08:30", NULL },
	{ "deliver-by", T_BY, AT(wish.by), NULL, "TIME",
	  "deliver within this time, or return it", NULL },
	{ "priority", T_PRIORITY, AT(wish.priority), NULL, "N",
	  "-9 to 9: before or after other mail", NULL },
	{ "require-tls", T_BOOL, AT(wish.require_tls), "no", "yes|no",
	  "demand TLS of every server on the way", value_bool_names },
	{ "ehlo", T_HOST, AT(ehlo), NULL, "NAME",
	  "the name that we give to the server", NULL },
	{ "source-address", T_ADDRESS, AT(source_address), NULL, "ADDR",
	  "connect from this address of ours", NULL },
	{ "proxy", T_PROXY, AT(proxy), NULL, "URL",
	  "go through socks5://user@host:port", NULL },
	{ "tunnel", T_COMMAND, AT(tunnel), NULL, "CMD",
	  "talk to CMD, which leads to the server", NULL },
	{ "tls", T_CHOICE, AT(tls), "verify", "LEVEL",
	  "none may encrypt tofu fingerprint verify", value_tls_names },
	{ "tls-ca", T_PATH, AT(tls_ca), NULL, "FILE",
	  "trust these CAs instead of the system's", NULL },
	{ "tls-pin", T_PINS, AT(tls_pin), NULL, "PIN",
	  "trust this certificate or key", NULL },
	{ "tls-crl", T_PATH, AT(tls_crl), NULL, "FILE",
	  "certificates that were revoked", NULL },
	{ "tls-cert", T_PATH, AT(tls_cert), NULL, "FILE",
	  "our own certificate; or a PKCS#11 URI", NULL },
	{ "tls-key", T_PATH, AT(tls_key), NULL, "FILE",
	  "its key, when it is not in the same file", NULL },
	{ "tls-name", T_HOST, AT(tls_name), NULL, "NAME",
	  "the certificate is for NAME, not the host", NULL },
	{ "tls-priority", T_STRING, AT(tls_priority), NULL, "STRING",
	  "GnuTLS priority string", NULL },
	{ "tls-resume", T_BOOL, AT(tls_resume), "no", "yes|no",
	  "go on with the last TLS session", value_bool_names },
	{ "sandbox", T_BOOL, AT(sandbox), "yes", "yes|no",
	  "give up rights before a server is heard", value_bool_names },
	{ "log", T_LOG, AT(log), NULL, "FILE|syslog|journal",
	  "record there how each message ended", NULL },
	{ "timeout", T_TIME, AT(timeout), NULL, "TIME",
	  "longest wait for any one reply", NULL },
	{ "connect-timeout", T_TIME, AT(connect_timeout), "30s", "TIME",
	  "longest wait for a connection", NULL },
	{ "deadline", T_TIME, AT(deadline), "30m", "TIME",
	  "give up after this long, all in all", NULL },
	{ "queue", T_QUEUE, AT(queue), "no", "yes|only|DIR",
	  "what can be sent later waits in the spool", NULL },
	{ "queue-lifetime", T_TIME, AT(queue_lifetime), "5d", "TIME",
	  "what waited so long goes back", NULL },
	{ "notify-delay", T_BOOL, AT(notify_delay), "no", "yes|no",
	  "tell senders what waited for 4 hours", value_bool_names },
	{ "per-session", T_COUNT, AT(per_session), "0", "N",
	  "messages over one session, 0 for all", NULL },
	{ "partial", T_BOOL, AT(partial), "yes", "yes|no",
	  "send to some when others are refused", value_bool_names },
	{ "pipelining", T_BOOL, AT(pipelining), "yes", "yes|no",
	  "use PIPELINING where offered", value_bool_names },
	{ "chunking", T_BOOL, AT(chunking), "yes", "yes|no",
	  "use CHUNKING where offered", value_bool_names },
	{ NULL, T_STRING, 0, NULL, NULL, NULL, NULL },
};
/* clang-format on */
_Static_assert(sizeof settings / sizeof settings[0] <= SETTINGS_MAX, "SETTINGS_MAX is too small");

const char *
setting_nearest(const char *word)
{
	const char *names[SETTINGS_MAX];
	size_t i = 0;

	do
		names[i] = settings[i].name;
	while (settings[i++].name != NULL);
	return nearest(word, names);
}

const struct setting *
setting_find(const char *name)
{
	const struct setting *set;

	for (set = settings; set->name != NULL; set++)
		if (ascii_eq(set->name, name))
			return set;
	return NULL;
}

const char *
setting_foreign(const char *word)
{
	static const char *const foreign[][2] = {
		{ "host", "write server submissions://user@host" },
		{ "mailhub", "write server submissions://user@host" },
		{ "port", "write server submission://user@host:port" },
		{ "username", "the user name stands in server, or is user" },
		{ "authuser", "the user name stands in server, or is user" },
		{ "authpass", "it is password, or better password-command" },
		{ "passwordeval", "it is password-command" },
		{ "defaults", "what stands before the first account are the defaults" },
		{ "tls-starttls", "write submission:// (STARTTLS) or submissions:// in server" },
		{ "usestarttls", "write submission:// (STARTTLS) or submissions:// in server" },
		{ "starttls", "write submission:// (STARTTLS) or submissions:// in server" },
		{ "usetls", "there is always TLS; write submissions:// in server" },
		{ "ssl", "there is always TLS; write submissions:// in server" },
		{ "tls-trust-file", "it is tls-ca, or nothing for the system's" },
		{ "tls-certcheck", "it is tls; what is trusted besides is in tls-ca or tls-pin" },
		{ "tls-verify", "it is tls; what is trusted besides is in tls-ca or tls-pin" },
		{ "tls-fingerprint", "it is tls fingerprint and tls-pin" },
		{ "logfile", "it is log" },
		{ "syslog", "it is log syslog" },
		{ "maildomain", "it is domain" },
		{ "auto-from", "it is from, which may hold %U and %H" },
		{ "set-from-header", "it is rewrite-from" },
		{ "source-ip", "it is source-address" },
		{ "protocol", "LMTP is server lmtp://" },
		{ "read-envelope-from", "`from` settings choose the account by the From field" },
		{ "file", "it is config" },
		{ "serverinfo", "it is --check" },
		{ "pretend", "it is --check" },
		{ "debug", "it is --verbose" },
		{ "subject", "the subject is a line of the message: Subject: ..." },
		{ "to", "recipients stand alone, as in pneu bob@example.org" },
	};
	size_t i, k;

	for (i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		const char *own = foreign[i][0];

		/* some write _ where others write - */
		for (k = 0; own[k] != '\0'; k++)
			if (!ascii_eqn(word[k] == '_' ? "-" : word + k, own + k, 1))
				break;
		if (own[k] == '\0' && word[k] == '\0')
			return foreign[i][1];
	}
	return NULL;
}

bool
setting_is_raw(const struct setting *set)
{
	return set->type == T_SECRET || set->type == T_COMMAND;
}

bool
setting_has_yes(const struct setting *set)
{
	return set->type == T_BOOL || set->type == T_QUEUE;
}

bool
setting_is_list(const struct setting *set)
{
	return set->type == T_URLS || set->type == T_PATTERNS || set->type == T_PINS;
}

/* ---- layers and accounts */

int
layer_set(struct layer *l, const struct setting *set, const char *value, struct status *st)
{
	struct strings *own = &l->value[set - settings];
	struct account scratch;
	int r;

	if (!ascii_clean(value) && set->type != T_COMMAND)
		return status_set(
		    st, PH_LOCAL, 5, 3, 5, "%s: the value holds a control character", set->name);
	memset(&scratch, 0, sizeof scratch);
	r = value_put(set, value, &scratch, st);
	account_free(&scratch);
	if (r == 0 && (own->n == 0 || setting_is_list(set)))
		strings_add(own, value);
	return r;
}

bool
setting_is_secret(const struct setting *set, const char *value)
{
	struct status st;
	struct url u;
	bool found;

	if (set->type != T_URLS && set->type != T_PROXY)
		return set->type == T_SECRET;
	found = set->type == T_URLS ? url_parse(value, &u, &st) == 0
				    : url_parse_proxy(value, &u, &st) == 0;
	found = found && u.password != NULL;
	url_free(&u);
	return found;
}

void
layer_free(struct layer *l)
{
	size_t i;

	for (i = 0; i < SETTINGS_MAX; i++)
		strings_free(&l->value[i]);
	free(l->name);
	memset(l, 0, sizeof *l);
}

/* Is this one of the ways to give a password? */
static bool
gives_password(const struct setting *set)
{
	return strncmp(set->name, "password", 8) == 0;
}

/* The first layer that says anything of this setting, or NULL. */
static const struct strings *
first_word(const struct setting *set, const struct layer *const layers[], size_t n)
{
	const struct setting *any;
	size_t i;

	for (i = 0; i < n; i++) {
		if (layers[i]->value[set - settings].n > 0)
			return &layers[i]->value[set - settings];
		if (!gives_password(set))
			continue;
		for (any = settings; any->name != NULL; any++)
			if (gives_password(any) && layers[i]->value[any - settings].n > 0)
				return NULL;
	}
	return NULL;
}

static void
expand_patterns(struct strings *from)
{
	struct strings expanded = { 0 };
	struct str one = { 0 };
	size_t i;

	for (i = 0; i < from->n; i++) {
		str_clear(&one);
		value_expand(from->v[i], &one);
		strings_add(&expanded, one.p);
	}
	str_free(&one);
	strings_free(from);
	*from = expanded;
}

/* Whether and where are said apart: "--queue=only" leaves the directory as the file has it. */
static void
make_queue(
    struct account *a, const struct setting *set, const struct layer *const layers[], size_t n)
{
	const struct strings *said;
	struct status st;

	for (; n > 0; n--) {
		said = &layers[n - 1]->value[set - settings];
		if (said->n > 0)
			(void)value_put(set, said->v[0], a, &st);
	}
}

void
account_make(struct account *a, const struct layer *const layers[], size_t n)
{
	const struct setting *set;
	struct status st;
	size_t i, k;

	memset(a, 0, sizeof *a);
	a->password_fd = -1;
	for (set = settings; set->name != NULL; set++) {
		const struct strings *said = first_word(set, layers, n);

		if (set->type == T_QUEUE) {
			make_queue(a, set, layers, n);
			continue;
		}
		/* checked when they were read, so nothing can go wrong here */
		for (k = 0; said != NULL && k < said->n; k++)
			(void)value_put(set, said->v[k], a, &st);
		if (said == NULL && set->initial != NULL)
			(void)value_put(set, set->initial, a, &st);
	}
	expand_patterns(&a->from);
	for (i = 0; i < n; i++)
		if (layers[i]->name != NULL && a->name == NULL)
			a->name = xstrdup(layers[i]->name);
}

static bool
holds_string(const struct setting *set)
{
	return set->type <= T_COMMAND || (set->type >= T_AUTH && set->type <= T_PRIORITY);
}

void
account_free(struct account *a)
{
	const struct setting *set;

	for (set = settings; set->name != NULL; set++) {
		void *at = (char *)a + set->offset;

		if (setting_is_list(set))
			strings_free(at);
		else if (set->type == T_PROXY)
			proxy_free(at);
		else if (set->type == T_QUEUE)
			free(((struct queue *)at)->path);
		else if (holds_string(set) && *(char **)at != NULL)
			freezero(*(char **)at, strlen(*(char **)at));
	}
	free(a->name);
	memset(a, 0, sizeof *a);
}
