/*
 * fuzz_url - text as the URL of a server, and of a proxy.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "url.h"

/* Its name leads to the same place. */
static void
check_name(const struct url *u, const char *name)
{
	const char *scheme = u->srv ? "" : u->lmtp ? "lmtp://" : u->implicit ? "submissions://" : "smtp://";
	struct str text = { 0 };
	struct status st;
	struct url again;

	str_printf(&text, "%s%s", scheme, name);
	MUST(url_parse(text.p, &again, &st) == 0);
	MUST(strcmp(again.host, u->host) == 0 && again.srv == u->srv && again.implicit == u->implicit &&
	    again.lmtp == u->lmtp);
	MUST(u->srv ? again.port == NULL : strcmp(again.port, u->port) == 0);
	MUST((u->path != NULL) == (again.path != NULL));
	MUST(u->path == NULL || strcmp(again.path, u->path) == 0);
	url_free(&again);
	str_free(&text);
}

static void
check(const struct url *u)
{
	char *name = url_name(u);
	const char *why;

	MUST(u->host != NULL && *u->host != '\0' && fuzz_printable(u->host));
	MUST(strpbrk(u->host, " /@[]%\"<>\\") == NULL);
	if (u->srv)
		MUST(u->port == NULL && u->path == NULL && !u->lmtp);
	else
		MUST(strtonum(u->port, 1, 65535, &why) > 0 && why == NULL);
	MUST(u->user == NULL || (*u->user != '\0' && ascii_clean(u->user)));
	MUST(u->password == NULL || (u->user != NULL && ascii_clean(u->password)));
	MUST(u->path == NULL || (!u->implicit && u->path[0] == '/' && strlen(u->path) < 108));
	MUST(u->path == NULL || ascii_clean(u->path));
	/* but for what is escaped in a path, or cannot be shown */
	if (u->path == NULL || (strchr(u->path, '%') == NULL && strcmp(name, u->path) == 0))
		check_name(u, name);
	free(name);
}

static void
check_proxy(const struct url *u)
{
	MUST(u->host != NULL && *u->host != '\0' && fuzz_printable(u->host));
	MUST(u->port != NULL && u->path == NULL && !u->lmtp && !u->implicit);
	MUST(u->user == NULL || (*u->user != '\0' && strlen(u->user) <= 255));
	MUST(u->password == NULL || (u->user != NULL && strlen(u->password) <= 255));
}

int
TARGET(fuzz_url)(const uint8_t *p, size_t n)
{
	char *text = fuzz_text(p, n);
	struct status st;
	struct url u;

	memset(&st, 0, sizeof st);
	if (url_parse(text, &u, &st) == 0)
		check(&u);
	else {
		fuzz_status(&st);
		MUST(status_exit(&st) == 78);
	}
	url_free(&u);
	if (url_parse_proxy(text, &u, &st) == 0)
		check_proxy(&u);
	url_free(&u);
	free(text);
	return 0;
}
