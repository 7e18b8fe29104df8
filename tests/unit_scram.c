/*
 * unit_scram - tests of SCRAM beyond the examples of its RFCs: all hashes, bindings, names and
 * passwords that are not ASCII, and servers that lie.
 *
 * The values that no RFC has were computed by another implementation of PBKDF2 and HMAC (Python's
 * hashlib).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sasl.h"
#include "unit.h"

#define OURS "rOprNGfwEbeRWgbNEkqO"
#define BOTH OURS "02431b08-2f0c-4c5f-a5c0-9d2c0f0d7f3a"
#define SALT ",s=AAECAwQFBgcICQoLDA0ODw==" /* octets 0 to 15 */
#define CHALLENGE "r=" BOTH SALT ",i=4096"
#define SIGNED \
	"v=dd3Os8b39T4yZFSBy5UzYNjOI4zRZLY/" \
	"6cuWIU6p4t0G6NBI0H3t7Yln5ZJfUSKIzixMcnoS4UDW5Uj3A0CC+g=="

/* ---- whole exchanges */

struct exchange {
	const char *what, *mech, *user, *password;
	const char *binding; /* its name, with octets 0 to 31; NULL: the channel has none */
	bool plus_offered;
	const char *first, *challenge, *final, *server;
};

static const struct exchange exchanges[] = {
	{ "SHA-512", "SCRAM-SHA-512", "user", "pencil", NULL, false, "n,,n=user,r=" OURS, CHALLENGE,
	    "c=biws,r=" BOTH
	    ",p=R9d+75fO1g0F6RUss/bkSFFYnYAjDgGHd4PxN+EvXo4svtw89+QmJQAowqItKRs/fuN51GM91cCm"
	    "VPRKlqVGlg==",
	    SIGNED },
	{ "y: we could bind, and the server said that it cannot", "SCRAM-SHA-512", "user", "pencil",
	    "tls-exporter", false, "y,,n=user,r=" OURS, CHALLENGE,
	    "c=eSws,r=" BOTH
	    ",p=uctbyW7I9ziyguDYQL1UevcnnmUfre99pBVI7wqYrbv81FllCxae+4/91rUMeHfOgbXihA3DKV+B"
	    "ENJ+70K+Dw==",
	    "v=2xkDGwrvi9/"
	    "IZnGltkf6KLyFFMo5OngRooM423nivXOnAk05hwXMQfkJS2Z5gRRpKJ+iF2EYN3GMYXMBe+vlGA==" },
	{ "bound", "SCRAM-SHA-1-PLUS", "user", "pencil", "tls-exporter", true,
	    "p=tls-exporter,,n=user,r=" OURS, CHALLENGE,
	    "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=" BOTH
	    ",p=LFIEpMvYAZcTZbv2ZxGBFn+9Rrw=",
	    "v=d3h6EFWDD3WK1Xk2xN55wZvb38c=" },
	{ "bound", "SCRAM-SHA-256-PLUS", "user", "pencil", "tls-exporter", true,
	    "p=tls-exporter,,n=user,r=" OURS, CHALLENGE,
	    "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=" BOTH
	    ",p=+QgXhtdzJByBYBlteUmEylRYdujfFaX7NUDUnB8SMmI=",
	    "v=2bOgoOdBe5/t47VbSiJwje9hn+6v2BuiLVqNOhsm70s=" },
	{ "bound to the certificate", "SCRAM-SHA-512-PLUS", "user", "pencil",
	    "tls-server-end-point", true, "p=tls-server-end-point,,n=user,r=" OURS, CHALLENGE,
	    "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,r=" BOTH
	    ",p=K6K0Pek3hEZU6TTdutpidLAHhQwxR8uDaEeeTZ+WzsCNLgkIa/"
	    "s8SLAgchULmAAVzrnHm9oO1OWeyeZm4ZySSg==",
	    "v=PCC4kEkVqqe/"
	    "zndtN20KXlXLpLIWIbw7zIeUjmbTsXPNQ8bCzUGD5uaEKIkD7fqG4JX3e6ecKH1Mf6iJ3lW3aA==" },
	{ "a name with , and =, a composed letter in the password", "SCRAM-SHA-256", "a,b=c",
	    "p\303\251ncil", NULL, false, "n,,n=a=2Cb=3Dc,r=" OURS, "r=" BOTH SALT ",i=5000",
	    "c=biws,r=" BOTH ",p=t5aKziuErWgcsaRlf7B/yqo1cwr965hXvs8gO1/nCHA=",
	    "v=Xcaq0xlU++1UrO1pRMFyxXZJRcGrfATtGxn7Dh3Ux3U=" },
	{ "the same letter in two parts", "SCRAM-SHA-256", "a,b=c", "pe\314\201ncil", NULL, false,
	    "n,,n=a=2Cb=3Dc,r=" OURS, "r=" BOTH SALT ",i=5000",
	    "c=biws,r=" BOTH ",p=t5aKziuErWgcsaRlf7B/yqo1cwr965hXvs8gO1/nCHA=",
	    "v=Xcaq0xlU++1UrO1pRMFyxXZJRcGrfATtGxn7Dh3Ux3U=" },
	/* RFC 8265 4.2.2: any space of Unicode is the one of ASCII */
	{ "a space that is not ASCII's", "SCRAM-SHA-256", "user", "a\302\240b\303\274", NULL, false,
	    "n,,n=user,r=" OURS, CHALLENGE,
	    "c=biws,r=" BOTH ",p=/iHoKSRNdPbtuXC7TO6N8ejGxD35VsfzEGwSkXrpEto=",
	    "v=/vuZJdwIUQagsnKK/aqBkuxyQ9fT4hPbRBEJKF6y1X0=" },
	{ "extensions at the end of the challenge and of the last word", "SCRAM-SHA-256", "user",
	    "a b\303\274", NULL, false, "n,,n=user,r=" OURS, CHALLENGE,
	    "c=biws,r=" BOTH ",p=/iHoKSRNdPbtuXC7TO6N8ejGxD35VsfzEGwSkXrpEto=",
	    "v=/vuZJdwIUQagsnKK/aqBkuxyQ9fT4hPbRBEJKF6y1X0=,x=y" },
};

/* One response; -1 when there is none. It is in *out then, or what went wrong in *st. */
static int
step(struct sasl *x, const char *challenge, struct str *out, struct status *st)
{
	struct str in = { 0 };
	int r;

	str_puts(&in, challenge);
	str_clear(out);
	str_puts(out, "");
	memset(st, 0, sizeof *st);
	r = sasl_step(x, &in, out, st);
	str_free(&in);
	return r;
}

static void
cred_init(struct credentials *cred, const char *user, const char *password, const char *binding)
{
	char octet;

	memset(cred, 0, sizeof *cred);
	cred->user = user;
	cred->host = "smtp.example.org";
	cred->port = "587";
	str_puts(&cred->secret, password);
	cred->binding_type = binding;
	for (octet = 0; binding != NULL && octet < 32; octet++)
		str_putc(&cred->binding, octet);
}

static void
test_exchanges(void)
{
	struct str out = { 0 };
	struct status st;
	size_t i;

	for (i = 0; i < COUNT(exchanges); i++) {
		const struct exchange *e = &exchanges[i];
		struct credentials cred;
		struct sasl x;

		cred_init(&cred, e->user, e->password, e->binding);
		sasl_start(&x, sasl_mech(e->mech), &cred);
		x.nonce = OURS;
		x.plus_offered = e->plus_offered;
		is_number(step(&x, "", &out, &st), 0, "%s: %s", e->mech, e->what);
		is_text(out.p, e->first, "the first message");
		is_number(step(&x, e->challenge, &out, &st), 0, "is answered");
		is_text(out.p, e->final, "the second one");
		is_number(sasl_finish(&x, &st), -1, "success now would be too early");
		is_status(&st, "5.7.5", 76, "which is an impostor");
		is_number(step(&x, e->server, &out, &st), 0, "the server proves itself");
		is_text(out.p, "", "which is answered with nothing");
		is_number(sasl_finish(&x, &st), 0, "and that is success");
		sasl_end(&x);
		credentials_free(&cred);
	}
	str_free(&out);
}

static void
test_nonce(void)
{
	struct credentials cred;
	struct str out[2] = { { 0 }, { 0 } };
	struct status st;
	size_t i, n;

	cred_init(&cred, "user", "pencil", NULL);
	for (i = 0; i < 2; i++) {
		struct sasl x;

		sasl_start(&x, sasl_mech("SCRAM-SHA-256"), &cred);
		(void)step(&x, "", &out[i], &st);
		ok(strncmp(out[i].p, "n,,n=user,r=", 12) == 0, "a nonce of our own");
		n = strlen(out[i].p + 12);
		ok(n >= 24, "of at least 18 octets");
		ok(strspn(out[i].p + 12,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == n,
		    "that has no comma in it");
		sasl_end(&x);
	}
	ok(strcmp(out[0].p, out[1].p) != 0, "and is another one each time");
	str_free(&out[0]);
	str_free(&out[1]);
	credentials_free(&cred);
}

/* ---- servers that lie */

static const struct {
	const char *challenge, *enhanced;
} lies[] = {
	/* the nonce */
	{ "r=" OURS SALT ",i=4096", "5.5.0" },		     /* not extended */
	{ "r=rOprNGfwEbeRWgbNEkq" SALT ",i=4096", "5.5.0" }, /* shortened */
	{ "r=xOprNGfwEbeRWgbNEkqOmore" SALT ",i=4096", "5.5.0" },
	{ "r=ROPRNGFWEBERWGBNEKQOmore" SALT ",i=4096", "5.5.0" }, /* another case */
	{ "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j" SALT ",i=4096",
	    "5.5.0" }, /* of another exchange */
	{ "r=" SALT ",i=4096", "5.5.0" },
	{ "r=more" OURS SALT ",i=4096", "5.5.0" },
	/* the count */
	{ "r=" BOTH SALT ",i=0", "5.5.0" },
	{ "r=" BOTH SALT ",i=1", "5.5.0" },
	{ "r=" BOTH SALT ",i=4095", "5.5.0" },
	{ "r=" BOTH SALT ",i=2147483648", "5.5.0" },
	{ "r=" BOTH SALT ",i=4294971392", "5.5.0" },	       /* 4096 in 32 bits */
	{ "r=" BOTH SALT ",i=18446744073709555712", "5.5.0" }, /* 4096 in 64 */
	{ "r=" BOTH SALT ",i=-1", "5.5.0" },
	{ "r=" BOTH SALT ",i=+4096", "5.5.0" },
	{ "r=" BOTH SALT ",i=0x2000", "5.5.0" },
	{ "r=" BOTH SALT ",i=8e3", "5.5.0" },
	{ "r=" BOTH SALT ",i=4096 ", "5.5.0" },
	{ "r=" BOTH SALT ",i=many", "5.5.0" },
	{ "r=" BOTH SALT ",i=", "5.5.0" },
	{ "r=" BOTH SALT ",i", "5.5.0" },
	{ "r=" BOTH SALT, "5.5.0" },
	/* what is missing, in the wrong place, or too much */
	{ "s=AAECAwQFBgcICQoLDA0ODw==,i=4096", "5.5.0" },
	{ "r=" BOTH ",i=4096", "5.5.0" },
	{ "r=" BOTH ",s=,i=4096", "5.5.0" },
	{ "r=" BOTH ",s=AAECAwQFBgcICQoLDA0ODw=,i=4096", "5.5.0" },
	{ "r=" BOTH ",s=****,i=4096", "5.5.0" },
	{ "i=4096" SALT ",r=" BOTH, "5.5.0" },
	{ "m=ext,r=" BOTH SALT ",i=4096", "5.5.0" },
	{ "R=" BOTH SALT ",i=4096", "5.5.0" },
	{ "r:" BOTH SALT ",i=4096", "5.5.0" },
	{ ",r=" BOTH SALT ",i=4096", "5.5.0" },
	{ SIGNED, "5.5.0" },
	{ "r", "5.5.0" },
	{ "=", "5.5.0" },
	{ ",", "5.5.0" },
	{ "", "5.5.0" },
};

static void
test_lies(void)
{
	struct credentials cred;
	struct str out = { 0 };
	struct status st;
	struct sasl x;
	size_t i;

	cred_init(&cred, "user", "pencil", NULL);
	for (i = 0; i < COUNT(lies); i++) {
		sasl_start(&x, sasl_mech("SCRAM-SHA-512"), &cred);
		x.nonce = OURS;
		(void)step(&x, "", &out, &st);
		is_number(step(&x, lies[i].challenge, &out, &st), -1, "a challenge: %s",
		    lies[i].challenge);
		is_status(&st, lies[i].enhanced, 76, "is refused");
		ok(strstr(out.p, "p=") == NULL, "and no proof is given");
		is_number(sasl_finish(&x, &st), -1, "nor is success believed");
		sasl_end(&x);
	}
	credentials_free(&cred);
	str_free(&out);
}

static const struct {
	const char *word, *enhanced, *says;
	int exit;
} last_words[] = {
	{ "v=AAAA", "5.7.5", "signature", 76 },
	{ "v=", "5.7.5", "signature", 76 },
	{ "v=****", "5.7.5", "signature", 76 },
	/* one bit */
	{ "v=dt3Os8b39T4yZFSBy5UzYNjOI4zRZLY/"
	  "6cuWIU6p4t0G6NBI0H3t7Yln5ZJfUSKIzixMcnoS4UDW5Uj3A0CC+g==",
	    "5.7.5", "signature", 76 },
	/* all but the last octet, and one more */
	{ "v=dd3Os8b39T4yZFSBy5UzYNjOI4zRZLY/6cuWIU6p4t0G6NBI0H3t7Yln5ZJfUSKIzixMcnoS4UDW5Uj3A0CC",
	    "5.7.5", "signature", 76 },
	{ "v=dd3Os8b39T4yZFSBy5UzYNjOI4zRZLY/"
	  "6cuWIU6p4t0G6NBI0H3t7Yln5ZJfUSKIzixMcnoS4UDW5Uj3A0CC+gA=",
	    "5.7.5", "signature", 76 },
	/* our own proof, sent back */
	{ "v=R9d+75fO1g0F6RUss/bkSFFYnYAjDgGHd4PxN+EvXo4svtw89+QmJQAowqItKRs/"
	  "fuN51GM91cCmVPRKlqVGlg==",
	    "5.7.5", "signature", 76 },
	{ "", "5.5.0", "v=", 76 },
	{ "v", "5.5.0", "v=", 76 },
	{ CHALLENGE, "5.5.0", "v=", 76 },
	{ "m=x,v=AAAA", "5.5.0", "v=", 76 },
	{ "e=invalid-proof", "5.7.8", "invalid-proof", 77 },
	{ "e=channel-bindings-dont-match", "5.7.8", "channel-bindings-dont-match", 77 },
	{ "e=server-does-support-channel-binding", "5.7.8", "server-does-support-channel-binding",
	    77 },
	{ "e=unknown-user,v=AAAA", "5.7.8", "unknown-user", 77 },
	{ "e=\033[2J\r\nbell\a", "5.7.8", "\\", 77 },
	{ "e=", "5.7.8", "refuses", 77 },
};

static void
test_last_words(void)
{
	struct credentials cred;
	struct str out = { 0 };
	struct status st;
	struct sasl x;
	size_t i;

	cred_init(&cred, "user", "pencil", NULL);
	for (i = 0; i < COUNT(last_words); i++) {
		sasl_start(&x, sasl_mech("SCRAM-SHA-512"), &cred);
		x.nonce = OURS;
		(void)step(&x, "", &out, &st);
		(void)step(&x, CHALLENGE, &out, &st);
		is_number(step(&x, last_words[i].word, &out, &st), -1, "a last word: %s",
		    last_words[i].word);
		is_status(&st, last_words[i].enhanced, last_words[i].exit, "is refused");
		is_in(st.text, last_words[i].says, "and said to be");
		ok(ascii_clean(st.text) && !has_8bit(st.text, strlen(st.text)),
		    "in a printable line");
		is_number(sasl_finish(&x, &st), -1, "success after it is not believed");
		sasl_end(&x);
	}
	credentials_free(&cred);
	str_free(&out);
}

/* ---- every mechanism */

/* Whatever a server says, and however often, each mechanism ends by itself, after this many
 * answers. */
static void
test_rounds(void)
{
	static const struct {
		const char *mech;
		unsigned answers;
	} rounds[] = {
		{ "SCRAM-SHA-512-PLUS", 1 },
		{ "SCRAM-SHA-256-PLUS", 1 },
		{ "SCRAM-SHA-1-PLUS", 1 },
		{ "SCRAM-SHA-512", 1 },
		{ "SCRAM-SHA-256", 1 },
		{ "SCRAM-SHA-1", 1 },
		{ "CRAM-MD5", 1 },
		{ "PLAIN", 1 },
		{ "LOGIN", 2 },
		{ "OAUTHBEARER", 2 },
		{ "XOAUTH2", 2 },
		{ "EXTERNAL", 1 },
	};
	struct credentials cred;
	struct str out = { 0 };
	struct status st;
	struct sasl x;
	unsigned answers;
	size_t i;

	cred_init(&cred, "user", "pencil", "tls-exporter");
	for (i = 0; i < COUNT(rounds); i++) {
		const struct mech *m = sasl_mech(rounds[i].mech);

		if (!ok(m != NULL && m == &sasl_mechs[i], "%s is in its place", rounds[i].mech))
			continue;
		sasl_start(&x, m, &cred);
		for (answers = 0; answers < 10 && step(&x, "junk", &out, &st) == 0; answers++)
			;
		is_number(answers, rounds[i].answers, "%s: answers to junk", m->name);
		is_status(&st, "5.5.0", 76, "and then no more");
		is_number(step(&x, "junk", &out, &st), -1, "nor does asking again help");
		sasl_end(&x);
	}
	ok(sasl_mechs[i].name == NULL, "and that is all of them");
	/* one that went well has nothing to add, either */
	sasl_start(&x, sasl_mech("SCRAM-SHA-512"), &cred);
	x.nonce = OURS;
	x.plus_offered = true;
	(void)step(&x, "", &out, &st);
	(void)step(&x, CHALLENGE, &out, &st);
	(void)step(&x, SIGNED, &out, &st);
	is_number(step(&x, "", &out, &st), -1, "SCRAM is over when the server has proved itself");
	is_status(&st, "5.5.0", 76, "and a fourth question is out of turn");
	sasl_end(&x);
	credentials_free(&cred);
	str_free(&out);
}

static void
test_names(void)
{
	static const struct {
		const char *mech, *user, *secret, *response;
		size_t len;
	} rows[] = {
		{ "PLAIN", "tim", "tanstaaftanstaaf",
		    BYTES("\0tim\0tanstaaftanstaaf") }, /* RFC 4616 4 */
		{ "PLAIN", "a,b=c", " x=\" ,", BYTES("\0a,b=c\0 x=\" ,") },
		{ "PLAIN", "\303\274ser", "p\303\244ss", BYTES("\0\303\274ser\0p\303\244ss") },
		{ "LOGIN", "a,b=c", "x", BYTES("a,b=c") },
		{ "EXTERNAL", "", "", BYTES("") },
		{ "EXTERNAL", "tim@example.org", "", BYTES("tim@example.org") },
		{ "OAUTHBEARER", "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
		    BYTES(
			"n,a=user@example.com,\001host=smtp.example.org\001port=587\001"
			"auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001") }, /* RFC
												7628 4.1
											      */
		{ "OAUTHBEARER", "a,=b", "t",
		    BYTES("n,a=a=2C=3Db,\001host=smtp.example.org\001port=587\001auth=Bearer "
			  "t\001\001") },
		{ "XOAUTH2", "someuser@example.com",
		    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
		    BYTES("user=someuser@example.com\001"
			  "auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\001\001") },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct credentials cred;
		struct str out = { 0 };
		struct status st;
		struct sasl x;

		cred_init(&cred, rows[i].user, rows[i].secret, NULL);
		sasl_start(&x, sasl_mech(rows[i].mech), &cred);
		is_number(step(&x, "", &out, &st), 0, "%s as %s", rows[i].mech, rows[i].user);
		is_bytes(out.p, out.len, rows[i].response, rows[i].len, "says");
		sasl_end(&x);
		credentials_free(&cred);
		str_free(&out);
	}
}

/* RFC 2104 and 2195: keys around the block length, and challenges with anything in them. */
static void
test_cram(void)
{
	static const struct {
		const char *secret, *challenge, *response;
	} rows[] = {
		{ "tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>",
		    "tim b913a602c7eda7a495b4e6e7334d3890" },
		{ "x", "", "tim 197cf37961819444d1a46c8d4e7c2fdc" },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789", "<a@b>",
		    "tim 5e7746590ebad2cf3d16eb6c9d658b4e" },
	};
	struct credentials cred;
	struct str out = { 0 };
	struct status st;
	struct sasl x;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		cred_init(&cred, "tim", rows[i].secret, NULL);
		sasl_start(&x, sasl_mech("cram-md5"), &cred);
		is_number(step(&x, rows[i].challenge, &out, &st), 0, "CRAM-MD5 of \"%s\"",
		    rows[i].challenge);
		is_text(out.p, rows[i].response, "says");
		sasl_end(&x);
		credentials_free(&cred);
	}
	str_free(&out);
}

/* The error of RFC 7628 3.2.2 is kept for the report, made harmless. */
static void
test_bearer_error(void)
{
	static const char *const mechs[] = { "OAUTHBEARER", "XOAUTH2" };
	struct credentials cred;
	struct str out = { 0 };
	struct status st;
	struct sasl x;
	size_t i;

	cred_init(&cred, "tim", "token", NULL);
	for (i = 0; i < COUNT(mechs); i++) {
		sasl_start(&x, sasl_mech(mechs[i]), &cred);
		(void)step(&x, "", &out, &st);
		is_number(
		    step(&x, "{\"status\":\"invalid_token\",\n\"scope\":\"\033[2J\"}", &out, &st),
		    0, "%s: an error", mechs[i]);
		is_text(out.p, i == 0 ? "\001" : "", "is answered with as good as nothing");
		is_in(str_text(&x.detail), "invalid_token", "and kept");
		ok(ascii_clean(str_text(&x.detail)), "as a printable line");
		sasl_end(&x);
		ok(x.detail.p == NULL, "until the end");
	}
	credentials_free(&cred);
	str_free(&out);
}

/* ---- the choice, over all there is */

struct offer {
	unsigned set; /* bit i: sasl_mechs[i] is offered */
};

static bool
in_set(void *arg, const char *mech)
{
	const struct offer *o = arg;
	const struct mech *m = sasl_mech(mech);

	return m != NULL && ((o->set >> (m - sasl_mechs)) & 1) != 0;
}

/* May mechanism `m` be used under these conditions, if it is offered and wished? From the words of
 * sasl.h. */
static bool
usable(const struct mech *m, const struct sasl_choice *c)
{
	bool plus = strstr(m->name, "-PLUS") != NULL, scram = strncmp(m->name, "SCRAM-", 6) == 0;
	bool external = strcmp(m->name, "EXTERNAL") == 0;

	return (!plus || c->binding) && (scram || external || c->safe) && c->secret == !external;
}

static void
test_choices(void)
{
	unsigned n = 0, wrong = 0, mode, set;
	struct offer offer;
	size_t w, i;

	while (sasl_mechs[n].name != NULL)
		n++;
	for (mode = 0; mode < 8; mode++)
		for (w = 0; w <= n; w++)
			for (set = 0; set < 1u << n; set += w == n ? 1 : 7) {
				struct sasl_choice c = {
					.offered = in_set,
					.arg = &offer,
					.wish = w < n ? sasl_mechs[w].name : NULL,
					.safe = (mode & 1) != 0,
					.binding = (mode & 2) != 0,
					.secret = (mode & 4) != 0,
				};
				const struct mech *want = NULL;
				struct status st = { 0 };
				char buf[16];

				offer.set = set;
				for (i = 0; i < n && want == NULL; i++)
					if (((set >> i) & 1) != 0 && (w == n || w == i) &&
					    usable(&sasl_mechs[i], &c))
						want = &sasl_mechs[i];
				if (sasl_pick(&c, &st) != want)
					wrong++;
				else if (want == NULL &&
				    (st.class != 5 || st.phase != PH_AUTH ||
					(strcmp(status_enhanced(&st, buf), "5.7.4") != 0 &&
					    (c.safe || strcmp(buf, "5.7.11") != 0))))
					wrong++;
			}
	is_number(wrong, 0, "wrong choices among all offers, wishes and conditions");
}

void
test_scram(void)
{
	test_exchanges();
	test_nonce();
	test_lies();
	test_last_words();
	test_rounds();
	test_names();
	test_cram();
	test_bearer_error();
	test_choices();
}
