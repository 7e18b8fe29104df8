/*
 * unit_sasl - tests of the SASL mechanisms, with the examples of their RFCs.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sasl.h"
#include "unit.h"

/* ---- steps */

#define NONCE1 "fyko+d2lbbFgONRv9qkxdawL"
#define NONCE256 "rOprNGfwEbeRWgbNEkqO"
#define FIRST1 "r=" NONCE1 "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
#define FINAL1 "c=biws,r=" NONCE1 "3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
#define PROOF1 "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="

/* Challenges and their responses, in turn; a response of NULL is the failure of that step. */
static const struct {
	const char *mech, *user, *secret, *nonce;
	struct {
		const char *challenge, *response;
		size_t len;
	} steps[4];
	const char *enhanced; /* of the failure */
	bool proven;
} rows[] = {
	/* RFC 4616 4 */
	{ "PLAIN", "tim", "tanstaaftanstaaf", NULL,
	    { { "", BYTES("\0tim\0tanstaaftanstaaf") }, { "", NULL, 0 } }, "5.5.0", false },
	{ "LOGIN", "tim", "tanstaaftanstaaf", NULL,
	    { { "Username:", BYTES("tim") }, { "whatever", BYTES("tanstaaftanstaaf") }, { "", NULL, 0 } },
	    "5.5.0", false },
	/* RFC 2195 2 */
	{ "CRAM-MD5", "tim", "tanstaaftanstaaf", NULL,
	    { { "<1896.697170952@postoffice.reston.mci.net>",
		  BYTES("tim b913a602c7eda7a495b4e6e7334d3890") },
		{ "", NULL, 0 } },
	    "5.5.0", false },
	/* RFC 7628 4.1, with a name that has to be quoted there */
	{ "OAUTHBEARER", "a=b,c@example.org", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", NULL,
	    { { "",
		  BYTES("n,a=a=3Db=2Cc@example.org,\001host=smtp.example.org\001port=587\001"
			"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001") },
		{ "{\"status\":\"invalid_token\"}", BYTES("\001") }, { "", NULL, 0 } },
	    "5.5.0", false },
	{ "XOAUTH2", "tim@example.org", "token", NULL,
	    { { "", BYTES("user=tim@example.org\001auth=Bearer token\001\001") },
		{ "{\"status\":\"400\"}", BYTES("") }, { "", NULL, 0 } },
	    "5.5.0", false },
	/* RFC 5802 5 */
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) }, { PROOF1, BYTES("") },
		{ "", NULL, 0 } },
	    "5.5.0", true },
	/* RFC 7677 3 */
	{ "SCRAM-SHA-256", "user", "pencil", NONCE256,
	    { { "", BYTES("n,,n=user,r=" NONCE256) },
		{ "r=" NONCE256 "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		    BYTES("c=biws,r=" NONCE256 "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
			  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=") },
		{ "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", BYTES("") }, { "", NULL, 0 } },
	    "5.5.0", true },
	{ "SCRAM-SHA-1", "a,b=c", "pencil", NONCE1, { { "", BYTES("n,,n=a=2Cb=3Dc,r=" NONCE1) } }, NULL,
	    false },
	/* servers that are none */
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) },
		{ "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", NULL, 0 } },
	    "5.7.5", false },
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) }, { "v=", NULL, 0 } }, "5.7.5",
	    false },
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) }, { "v=rmF9", NULL, 0 } },
	    "5.7.5", false },
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) }, { "", NULL, 0 } }, "5.5.0",
	    false },
	{ "SCRAM-SHA-1", "user", "pencil", NONCE1,
	    { { "", BYTES("n,,n=user,r=" NONCE1) }, { FIRST1, BYTES(FINAL1) },
		{ "e=invalid-proof", NULL, 0 } },
	    "5.7.8", false },
};

static void
test_rows(void)
{
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		struct credentials cred = {
			.user = rows[i].user, .host = "smtp.example.org", .port = "587"
		};
		const struct mech *m = sasl_mech(rows[i].mech);
		struct str in = { 0 }, out = { 0 };
		struct status st;
		struct sasl x;

		if (!ok(m != NULL, "there is %s", rows[i].mech))
			continue;
		str_puts(&cred.secret, rows[i].secret);
		sasl_start(&x, m, &cred);
		x.nonce = rows[i].nonce;
		for (k = 0; k < COUNT(rows[i].steps) && rows[i].steps[k].challenge != NULL; k++) {
			int r;

			str_clear(&in);
			str_clear(&out);
			str_puts(&in, rows[i].steps[k].challenge);
			memset(&st, 0, sizeof st);
			r = sasl_step(&x, &in, &out, &st);
			if (rows[i].steps[k].response == NULL) {
				is_number(r, -1, "%s fails at step %zu", m->name, k + 1);
				is_status(&st, rows[i].enhanced,
				    strcmp(rows[i].enhanced, "5.7.8") == 0 ? 77 : 76, "as it should");
			} else if (ok(r == 0, "%s, step %zu", m->name, k + 1))
				is_bytes(out.p, out.len, rows[i].steps[k].response, rows[i].steps[k].len,
				    "is what it should be");
			else
				note("%s", st.text);
		}
		if ((m->flags & SASL_MUTUAL) != 0) {
			is_number(sasl_finish(&x, &st), rows[i].proven ? 0 : -1,
			    "the server has %sproved itself", rows[i].proven ? "" : "not ");
			if (!rows[i].proven)
				is_status(&st, "5.7.5", 76, "so this is an impostor");
		} else
			is_number(sasl_finish(&x, &st), 0, "there is nothing to prove");
		sasl_end(&x);
		credentials_free(&cred);
		str_free(&in);
		str_free(&out);
	}
}

/* What a server may not say first; each is 5.5.0. */
static void
test_scram_challenges(void)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ BYTES("") },
		{ BYTES("r=" NONCE1) },
		{ BYTES("r=" NONCE1 ",s=QSXCR+Q6sek8bf92,i=4096") }, /* nothing of its own */
		{ BYTES("r=other,s=QSXCR+Q6sek8bf92,i=4096") },
		{ BYTES("m=x,r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=4096") },
		{ BYTES("r=" NONCE1 "x,i=4096,s=QSXCR+Q6sek8bf92") },
		{ BYTES("r=" NONCE1 "x,s=,i=4096") },
		{ BYTES("r=" NONCE1 "x,s=!!!,i=4096") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=1") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=4095") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=-4096") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=4096x") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i= 4096") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=99999999999") },
		{ BYTES("r=" NONCE1 "x,s=QSXCR+Q6sek8bf92,i=99999999999999999999999999") },
		{ BYTES("r=" NONCE1 "x\0,s=QSXCR+Q6sek8bf92,i=4096") },
	};
	struct credentials cred = { .user = "user" };
	size_t i;

	str_puts(&cred.secret, "pencil");
	for (i = 0; i < COUNT(bad); i++) {
		struct str in = { 0 }, out = { 0 };
		struct status st;
		struct sasl x;

		sasl_start(&x, sasl_mech("SCRAM-SHA-1"), &cred);
		x.nonce = NONCE1;
		(void)sasl_step(&x, &in, &out, &st);
		str_clear(&out);
		str_put(&in, bad[i].text, bad[i].len);
		memset(&st, 0, sizeof st);
		is_number(sasl_step(&x, &in, &out, &st), -1, "SCRAM is asked %s", bad[i].text);
		is_status(&st, "5.5.0", 76, "which is no challenge");
		sasl_end(&x);
		str_free(&in);
		str_free(&out);
	}
	credentials_free(&cred);
	ok(cred.secret.p == NULL && cred.binding.p == NULL, "freed is empty");
}

static void
test_binding(void)
{
	static char type[] = "tls-exporter";
	struct credentials cred = { .user = "user" };
	struct str in = { 0 }, out = { 0 };
	struct status st;
	struct sasl x;

	str_puts(&cred.secret, "pencil");
	cred.binding_type = type;
	str_puts(&cred.binding, "BIND");
	sasl_start(&x, sasl_mech("SCRAM-SHA-1-PLUS"), &cred);
	x.nonce = NONCE1;
	x.plus_offered = true;
	(void)sasl_step(&x, &in, &out, &st);
	is_text(out.p, "p=tls-exporter,,n=user,r=" NONCE1, "a login that is bound to its channel");
	str_clear(&out);
	str_puts(&in, FIRST1);
	is_number(sasl_step(&x, &in, &out, &st), 0, "goes on");
	/* base64 of p=tls-exporter,,BIND */
	is_in(out.p, "c=cD10bHMtZXhwb3J0ZXIsLEJJTkQ=,r=", "with the binding in it");
	sasl_end(&x);

	str_clear(&out);
	sasl_start(&x, sasl_mech("SCRAM-SHA-1"), &cred);
	x.nonce = NONCE1;
	(void)sasl_step(&x, &in, &out, &st);
	is_text(out.p, "y,,n=user,r=" NONCE1, "one that could be, had the server offered it, says so");
	sasl_end(&x);
	str_clear(&out);
	sasl_start(&x, sasl_mech("SCRAM-SHA-1"), &cred);
	x.nonce = NONCE1;
	x.plus_offered = true;
	(void)sasl_step(&x, &in, &out, &st);
	is_text(out.p, "n,,n=user,r=" NONCE1, "and does not when it has");
	sasl_end(&x);
	str_free(&in);
	str_free(&out);
	credentials_free(&cred);
}

/* ---- choice */

static bool
offers(void *arg, const char *mech)
{
	struct str list = { 0 }, word = { 0 };
	bool found;

	str_printf(&list, " %s ", (const char *)arg);
	str_printf(&word, " %s ", mech);
	found = strstr(list.p, word.p) != NULL;
	str_free(&list);
	str_free(&word);
	return found;
}

enum { SAFE = 1, BINDING = 2, SECRET = 4 };
static const struct {
	const char *offered, *wish;
	int conditions;
	const char *name, *enhanced;
} picks[] = {
	{ "LOGIN PLAIN", NULL, SAFE | SECRET, "PLAIN", NULL },
	{ "LOGIN", NULL, SAFE | SECRET, "LOGIN", NULL },
	{ "LOGIN PLAIN", "LOGIN", SAFE | SECRET, "LOGIN", NULL },
	{ "LOGIN PLAIN", "login", SAFE | SECRET, "LOGIN", NULL },
	{ "PLAIN", "LOGIN", SAFE | SECRET, NULL, "5.7.4" },
	{ "GSSAPI", NULL, SAFE | SECRET, NULL, "5.7.4" },
	{ "", NULL, SAFE | SECRET, NULL, "5.7.4" },
	{ "PLAINER LOGINS", NULL, SAFE | SECRET, NULL, "5.7.4" },
	{ "PLAIN CRAM-MD5 LOGIN SCRAM-SHA-1 SCRAM-SHA-256", NULL, SAFE | SECRET, "SCRAM-SHA-256", NULL },
	{ "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", NULL, SAFE | SECRET | BINDING, "SCRAM-SHA-1-PLUS", NULL },
	{ "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", NULL, SAFE | SECRET, "SCRAM-SHA-256", NULL },
	{ "SCRAM-SHA-1-PLUS", NULL, SAFE | SECRET, NULL, "5.7.4" },
	{ "SCRAM-SHA-1 PLAIN", NULL, SECRET, "SCRAM-SHA-1", NULL }, /* gives nothing away */
	{ "LOGIN PLAIN", NULL, SECRET, NULL, "5.7.11" },
	{ "LOGIN PLAIN", "PLAIN", SECRET, NULL, "5.7.11" },
	{ "CRAM-MD5", NULL, SECRET, NULL, "5.7.11" },
	{ "OAUTHBEARER XOAUTH2", NULL, SECRET, NULL, "5.7.11" },
	{ "GSSAPI", NULL, SECRET, NULL, "5.7.4" },
	{ "PLAIN EXTERNAL", NULL, SAFE | SECRET, "PLAIN", NULL },
	{ "PLAIN EXTERNAL", NULL, SAFE, "EXTERNAL", NULL },
	{ "PLAIN", NULL, SAFE, NULL, "5.7.4" },
};

static void
test_picks(void)
{
	size_t i;

	for (i = 0; i < COUNT(picks); i++) {
		char *list = xstrdup(picks[i].offered);
		struct sasl_choice c = {
			.offered = offers,
			.arg = list,
			.wish = picks[i].wish,
			.safe = (picks[i].conditions & SAFE) != 0,
			.binding = (picks[i].conditions & BINDING) != 0,
			.secret = (picks[i].conditions & SECRET) != 0,
		};
		const struct mech *m;
		struct status st;

		memset(&st, 0, sizeof st);
		m = sasl_pick(&c, &st);
		is_text(m != NULL ? m->name : NULL, picks[i].name, "of %s, %s wanted,%s%s%s",
		    picks[i].offered, picks[i].wish != NULL ? picks[i].wish : "any", c.safe ? " safe" : "",
		    c.binding ? " bound" : "", c.secret ? " with a secret" : "");
		if (m == NULL && picks[i].enhanced != NULL)
			is_status(&st, picks[i].enhanced, 77, "there is none");
		free(list);
	}
}

void
test_sasl(void)
{
	test_rows();
	test_scram_challenges();
	test_binding();
	test_picks();
}
