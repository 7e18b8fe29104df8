/*
 * fuzz_entry - octets as an envelope of the spool, and as what is remembered of an account.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "entry.h"
#include "fuzz.h"

#define PREFIXES 4096 /* octets of a text of which each beginning is tried */

/* What is between < and > must never end a command. */
static void
check_words(const struct entry *e)
{
	size_t i;

	MUST(e->from != NULL && ascii_clean(e->from));
	MUST(e->account == NULL || (*e->account != '\0' && ascii_clean(e->account)));
	MUST(e->ret == NULL || ascii_clean(e->ret));
	MUST(e->envid == NULL || ascii_clean(e->envid));
	MUST(e->id == NULL || ascii_clean(e->id));
	MUST(e->size >= 0 && e->queued >= 0 && e->next >= 0 && e->tried >= 0 && e->tries >= 0);
	for (i = 0; i < e->wishes; i++)
		MUST(*e->wish[i].name != '\0' && ascii_clean(e->wish[i].name) &&
		    ascii_clean(e->wish[i].value));
	for (i = 0; i < e->n; i++) {
		const struct entry_rcpt *r = &e->rcpt[i];

		MUST(*r->to != '\0' && ascii_clean(r->to));
		MUST(r->notify == NULL || ascii_clean(r->notify));
		MUST(r->orcpt == NULL || ascii_clean(r->orcpt));
		MUST(r->server == NULL || ascii_clean(r->server));
		MUST(r->last.class == 0 || r->last.class == 2 || r->last.class == 4 || r->last.class == 5);
		if (r->last.class != 0)
			fuzz_status(&r->last);
	}
}

/* Written and read again it is the same, and no beginning of it is anything. */
static void
check_again(const struct entry *e)
{
	struct str text = { 0 }, again = { 0 };
	struct entry copy;
	size_t n;

	MUST(entry_write(e, &text) == 0);
	MUST(entry_parse(text.p, text.len, &copy) == NULL);
	MUST(copy.n == e->n && copy.wishes == e->wishes);
	MUST(entry_write(&copy, &again) == 0);
	MUST(again.len == text.len && memcmp(again.p, text.p, text.len) == 0);
	entry_free(&copy);
	for (n = 0; n < text.len && n < PREFIXES; n++) {
		MUST(entry_parse(text.p, n, &copy) != NULL);
		entry_free(&copy);
	}
	str_free(&text);
	str_free(&again);
}

static void
check_account(const struct entry_account *a)
{
	struct str text = { 0 };
	struct entry_account copy;
	size_t n;

	MUST(entry_account_write(a, &text) == 0);
	MUST(entry_account_parse(text.p, text.len, &copy) == NULL);
	MUST(copy.next == a->next && copy.failures == a->failures && copy.told == a->told);
	MUST(copy.refused == a->refused && strcmp(copy.last.text, a->last.text) == 0);
	for (n = 0; n < text.len; n++)
		MUST(entry_account_parse(text.p, n, &copy) != NULL);
	str_free(&text);
}

int
TARGET(fuzz_entry)(const uint8_t *p, size_t n)
{
	struct entry e;
	struct entry_account a;
	const char *why = entry_parse((const char *)p, n, &e);
	size_t i;

	if (why == NULL) {
		check_words(&e);
		check_again(&e);
	} else
		MUST(*why != '\0' && fuzz_printable(why));
	entry_free(&e);
	for (i = 0; why == NULL && i < n && i < PREFIXES; i++) {
		MUST(entry_parse((const char *)p, i, &e) != NULL);
		entry_free(&e);
	}
	if (entry_account_parse((const char *)p, n, &a) == NULL)
		check_account(&a);
	return 0;
}
