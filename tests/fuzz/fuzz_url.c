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

static void
check(const struct url *u)
{
	struct str text = { 0 };
	struct status st;
	struct url again;
	char *name = url_name(u);
	const char *why;

	MUST(u->host != NULL && *u->host != '\0' && fuzz_printable(u->host));
	MUST(strpbrk(u->host, " /@[]%\"<>\\") == NULL);
	MUST(strtonum(u->port, 1, 65535, &why) > 0 && why == NULL);
	MUST(u->user == NULL || (*u->user != '\0' && ascii_clean(u->user)));
	MUST(u->password == NULL || (u->user != NULL && ascii_clean(u->password)));
	MUST(u->path == NULL ||
	    (u->lmtp && u->path[0] == '/' && strlen(u->path) < 108 && ascii_clean(u->path)));
	/* its name leads to the same place, but for what is escaped in a path */
	if (u->path == NULL || (strchr(u->path, '%') == NULL && strcmp(name, u->path) == 0)) {
		str_printf(&text, "%s://%s",
		    u->lmtp	      ? "lmtp"
			: u->implicit ? "submissions"
				      : "smtp",
		    name);
		MUST(url_parse(text.p, &again, &st) == 0);
		MUST(strcmp(again.host, u->host) == 0 && strcmp(again.port, u->port) == 0 &&
		    again.implicit == u->implicit && again.lmtp == u->lmtp &&
		    (u->path != NULL) == (again.path != NULL) &&
		    (u->path == NULL || strcmp(again.path, u->path) == 0));
		url_free(&again);
	}
	free(name);
	str_free(&text);
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
