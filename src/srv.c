/*
 * srv - from a domain to the submission servers that it names in the DNS (RFC 6186, 8314 5.1).
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/types.h>

#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "srv.h"

#define TRY_SECONDS 3 /* for one answer of one name server, of which there are two tries */

#if !HAVE_DECL_RES_NINIT
/* musl keeps no state: its resolver reads resolv.conf each time, and waits as long as that says. */
static int
res_ninit(res_state state)
{
	(void)state;
	return 0;
}

static int
res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int size)
{
	int n = res_query(name, class, type, answer, size);

	state->res_h_errno = n < 0 ? h_errno : 0;
	return n;
}

static void
res_nclose(res_state state)
{
	(void)state;
}
#endif

/* The services, the better one first. */
static const struct {
	const char *service, *scheme;
} services[] = {
	{ "_submissions._tcp", "submissions" },
	{ "_submission._tcp", "submission" },
};

/* An answer (RFC 1035 4.1), and how far it is read. */
struct answer {
	const unsigned char *start, *end, *at;
};

static unsigned
number(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Step over a name and `n` octets behind it; the octets, or NULL when they are not all there. */
static const unsigned char *
step(struct answer *a, size_t n)
{
	int name = dn_skipname(a->at, a->end);
	const unsigned char *p;

	if (name < 0 || (size_t)(a->end - a->at) < (size_t)name + n)
		return NULL;
	p = a->at + name;
	a->at = p + n;
	return p;
}

/* The next record. 1 when it is one that can be used, 0 when not, -1 when there is none. */
static int
read_record(struct answer *a, struct srv_record *r)
{
	const unsigned char *p = step(a, 10); /* type, class, time to live, length */
	size_t len;

	if (p == NULL || (len = number(p + 8)) > (size_t)(a->end - a->at))
		return -1;
	a->at += len;
	if (number(p) != T_SRV || len < 7)
		return 0;
	p += 10;
	r->priority = number(p);
	r->weight = number(p + 2);
	r->port = number(p + 4);
	if (dn_expand(a->start, a->end, p + 6, r->target, (int)sizeof r->target) < 0)
		return 0;
	/* the root is how a domain says that it has no such service */
	return r->port > 0 && r->target[0] != '\0' && strcmp(r->target, ".") != 0;
}

int
srv_answer(const unsigned char *p, size_t len, struct srv_record *records)
{
	struct answer a = { p, p + len, p };
	unsigned questions, answers;
	int n = 0, got;

	if (len < NS_HFIXEDSZ)
		return 0;
	a.at += NS_HFIXEDSZ;
	questions = number(p + 4);
	answers = number(p + 6);
	while (questions-- > 0)
		if (step(&a, 4) == NULL)
			return 0;
	while (answers-- > 0 && n < SRV_MAX && (got = read_record(&a, &records[n])) != -1)
		n += got;
	return n;
}

/* How many records there are; -1: the DNS does not answer. */
static int
ask(res_state state, const char *service, const char *domain, struct srv_record *records)
{
	unsigned char answer[NS_PACKETSZ * 8];
	struct str name = { 0 };
	int len;

	str_printf(&name, "%s.%s", service, domain);
	len = res_nquery(state, name.p, C_IN, T_SRV, answer, (int)sizeof answer);
	str_free(&name);
	if (len < 0)
		return state->res_h_errno == HOST_NOT_FOUND || state->res_h_errno == NO_DATA ? 0
											     : -1;
	return srv_answer(
	    answer, (size_t)len < sizeof answer ? (size_t)len : sizeof answer, records);
}

/* Move the one that is to be tried next to the front: by priority, and by lot among equals. */
static void
draw(struct srv_record *r, int n)
{
	unsigned sum = 0, lot;
	struct srv_record first;
	int i, best = 0;

	for (i = 1; i < n; i++)
		if (r[i].priority < r[best].priority)
			best = i;
	for (i = 0; i < n; i++)
		if (r[i].priority == r[best].priority)
			sum += r[i].weight;
	lot = chance_below(sum + 1);
	for (i = 0; i < n; i++) {
		if (r[i].priority != r[best].priority)
			continue;
		if (lot <= r[i].weight) {
			best = i;
			break;
		}
		lot -= r[i].weight;
	}
	first = r[best];
	memmove(r + 1, r, (size_t)best * sizeof *r);
	r[0] = first;
}

/* Is `target` the domain, or below it? */
static bool
is_within(const char *target, const char *domain)
{
	size_t n = strlen(target), m = strlen(domain);

	return n >= m && ascii_eq(target + n - m, domain) && (n == m || target[n - m - 1] == '.');
}

static void
put_escaped(struct str *to, const char *z)
{
	for (; *z != '\0'; z++)
		if (strchr("%:@/", *z) != NULL)
			str_printf(to, "%%%02x", (unsigned char)*z);
		else
			str_putc(to, *z);
}

static void
add_url(const struct url *of, const char *scheme, const struct srv_record *r, struct strings *urls)
{
	struct str url = { 0 };

	str_printf(&url, "%s://", scheme);
	if (of->user != NULL) {
		put_escaped(&url, of->user);
		if (of->password != NULL) {
			str_putc(&url, ':');
			put_escaped(&url, of->password);
		}
		str_putc(&url, '@');
	}
	str_printf(&url, "%s:%u", r->target, r->port);
	strings_add(urls, url.p);
	str_free(&url);
}

int
srv_find(const struct url *of, bool anywhere, struct strings *urls, struct status *st)
{
	struct srv_record records[SRV_MAX];
	struct __res_state state = { 0 };
	char refused[SRV_NAME] = "";
	size_t k, before = urls->n;
	int n, i;

	if (res_ninit(&state) == -1)
		return status_set(st, PH_CONNECT, 4, 4, 3, "the resolver cannot be started");
	state.retrans = TRY_SECONDS;
	state.retry = 2;
	for (k = 0; k < sizeof services / sizeof services[0]; k++) {
		n = ask(&state, services[k].service, of->host, records);
		if (n == -1 && urls->n == before && k == 0) {
			res_nclose(&state);
			return status_set(st, PH_CONNECT, 4, 4, 3,
			    "the DNS does not answer for the servers of %s", of->host);
		}
		for (i = 0; i < n; i++) {
			draw(records + i, n - i);
			if (anywhere || is_within(records[i].target, of->host))
				add_url(of, services[k].scheme, &records[i], urls);
			else
				(void)strlcpy(refused, records[i].target, sizeof refused);
		}
	}
	res_nclose(&state);
	if (urls->n > before)
		return 0;
	if (refused[0] != '\0')
		return status_set(st, PH_CONNECT, 5, 4, 4,
		    "%s has its servers at %.150s, of another domain, and anybody could have said "
		    "so: "
		    "write that name into `server` or `tls-name`",
		    of->host, refused);
	return status_set(st, PH_CONNECT, 5, 4, 4,
	    "%s names no submission server in the DNS: write the name of the server into `server`",
	    of->host);
}
