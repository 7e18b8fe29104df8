/*
 * fuzz_conf - text as a configuration file.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "conf.h"
#include "fuzz.h"
#include "url.h"

/* Other files are no input of ours: what could name one is left alone. */
static bool
includes(const char *p, size_t n)
{
	for (; n >= 7; p++, n--)
		if (ascii_eqn(p, "include", 7))
			return true;
	return false;
}

static void
check(const struct conf *c, const struct layer *chosen)
{
	const struct layer *layers[] = { chosen != NULL ? chosen : &c->defaults, &c->defaults };
	struct account a;
	struct status st;
	struct url u;
	size_t i;

	account_make(&a, layers, 2);
	MUST(a.tls <= TLS_VERIFY && a.timeout >= 0 && a.connect_timeout > 0 && a.deadline > 0);
	for (i = 0; i < a.server.n; i++) {
		MUST(url_parse(a.server.v[i], &u, &st) == 0);
		url_free(&u);
	}
	for (i = 0; i < a.from.n; i++)
		MUST(*a.from.v[i] != '\0' && ascii_clean(a.from.v[i]));
	MUST(a.user == NULL || (*a.user != '\0' && ascii_clean(a.user)));
	MUST(a.ehlo == NULL || (*a.ehlo != '\0' && ascii_clean(a.ehlo)));
	MUST(a.password == NULL || *a.password != '\0');
	account_free(&a);
}

int
TARGET(fuzz_conf)(const uint8_t *p, size_t n)
{
	static const char *const senders[] = { "bob@example.org", NULL };
	const struct layer *chosen;
	struct conf c = { 0 };
	struct status st;
	FILE *f;
	size_t i;

	if (n == 0 || includes((const char *)p, n) || (f = fmemopen((void *)(uintptr_t)p, n, "r")) == NULL)
		return 0;
	memset(&st, 0, sizeof st);
	if (conf_read(&c, f, "conf", &st) == -1) {
		fuzz_status(&st);
		MUST(status_exit(&st) == 78 && strncmp(st.text, "conf:", 5) == 0);
	} else {
		MUST(conf_account(&c, NULL, senders, 2, &chosen, &st) == 0);
		check(&c, chosen);
		for (i = 0; i < c.n; i++) {
			MUST(conf_account(&c, c.account[i].name, senders, 2, &chosen, &st) == 0);
			MUST(chosen == &c.account[i]);
			check(&c, chosen);
		}
	}
	(void)fclose(f);
	conf_free(&c);
	return 0;
}
