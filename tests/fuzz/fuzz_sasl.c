/*
 * fuzz_sasl - challenges of a server, a line each, to the mechanism that the first octet picks.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <string.h>

#include "fuzz.h"
#include "sasl.h"

/* Many iterations are slow on purpose. */
static bool
slow(const char *p, size_t n)
{
	const char *count = memmem(p, n, ",i=", 3);

	return count != NULL && n - (size_t)(count - p) > 7 && strspn(count + 3, "0123456789") > 4;
}

int
TARGET(fuzz_sasl)(const uint8_t *input, size_t n)
{
	struct credentials cred = {
		.user = "user", .host = "smtp.example.org", .port = "587", .binding_type = "tls-exporter"
	};
	char *text = fuzz_text(input, n);
	const char *p = text + 1, *end = text + n;
	const struct mech *m;
	struct status st;
	struct sasl x;
	int r = 0;

	for (m = sasl_mechs;
	     n > 0 && m->name != NULL && m - sasl_mechs < (unsigned char)*text % SASL_MECHS_MAX;)
		m++;
	if (n > 0 && m->name != NULL) {
		str_puts(&cred.secret, "pencil");
		str_puts(&cred.binding, "binding");
		sasl_start(&x, m, &cred);
		x.nonce = "abc";
		while (r == 0 && p < end) {
			const char *lf = memchr(p, '\n', (size_t)(end - p));
			struct str in = { 0 }, out = { 0 };

			str_put(&in, p, (size_t)((lf != NULL ? lf : end) - p));
			p += in.len + 1;
			r = slow(str_text(&in), in.len) ? 1 : sasl_step(&x, &in, &out, &st);
			str_free(&in);
			str_free(&out);
		}
		if (r == -1)
			fuzz_status(&st);
		MUST(r != -1 || (st.class == 5 && st.phase == PH_AUTH));
		/* whoever proves himself would have had to know the password */
		MUST(!x.proven || (m->flags & SASL_MUTUAL) != 0);
		sasl_end(&x);
	}
	credentials_free(&cred);
	free(text);
	return 0;
}
