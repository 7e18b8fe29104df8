/*
 * words - header fields with 8-bit text, remade with encoded words (RFC 2047).
 *
 *     encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "base64.h"
#include "header.h"
#include "idn.h"
#include "words.h"

/* Octets of a line with an encoded word, which for its part may have 75 (RFC 2047 2). */
#define LINE_END 76
#define BLANKS " \t\r\n"

/* What a stretch of a field is made of. */
enum mode {
	TEXT,	 /* words between blanks */
	COMMENT, /* the same, with backslashes; inside of ( ) */
	PHRASE,	 /* atoms, quoted strings and comments */
	LOCAL,	 /* the same, which are an address up to its @ */
	DOMAIN,	 /* the same behind the @ */
};

struct words {
	struct str *out;
	size_t value; /* where the value begins in it */
	size_t line;  /* where the last line begins */
	const char *name;
	size_t name_len;
	const char *end; /* of the field that is read */
	bool encoded;	 /* the last word is an encoded one */
	struct status *st;
};

/* A word, with the blanks before it. In COMMENT mode and below it may be a comment. */
struct token {
	const char *blanks, *p;
	size_t nblanks, n;
};

static void
put(struct words *w, const char *p, size_t n)
{
	const char *lf = memrchr(p, '\n', n);

	if (lf != NULL)
		w->line = w->out->len + (size_t)(lf + 1 - p);
	str_put(w->out, p, n);
}

static size_t
column(const struct words *w)
{
	return w->out->len - w->line;
}

/* Is there anything on this line that may stand there alone, when what follows goes to the next? */
static bool
may_fold(const struct words *w)
{
	const char *p = w->out->p + (w->line > w->value ? w->line : w->value);

	return p[strspn(p, " \t")] != '\0' && w->out->p[w->out->len - 1] != '\\';
}

static size_t
span(const char *p, const char *end, const char *set)
{
	const char *q = p;

	while (q < end && *q != '\0' && strchr(set, *q) != NULL)
		q++;
	return (size_t)(q - p);
}

static size_t
cspan(const char *p, const char *end, const char *set)
{
	const char *q = p;

	while (q < end && strchr(set, *q) == NULL)
		q++;
	return (size_t)(q - p);
}

/* Length of the quoted string or the comment at p; one that is not closed goes to the end. */
static size_t
enclosed(const char *p, const char *end)
{
	const char *q = p + 1;
	size_t depth = 1;

	for (; q < end && depth > 0; q++)
		if (*q == '\\' && q + 1 < end)
			q++;
		else if (*p == '"')
			depth -= *q == '"';
		else if (*q == '(')
			depth++;
		else if (*q == ')')
			depth--;
	return (size_t)(q - p);
}

/* ---- encoding */

static bool
q_safe(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
q_cost(const char *p, size_t n)
{
	size_t cost = 0;

	for (; n > 0; p++, n--)
		cost += *p == ' ' || q_safe(*p) ? 1 : 3;
	return cost;
}

static void
put_q(struct str *out, const char *p, size_t n)
{
	for (; n > 0; p++, n--)
		if (*p == ' ')
			str_putc(out, '_');
		else if (q_safe(*p))
			str_putc(out, *p);
		else
			str_printf(out, "=%02X", (unsigned char)*p);
}

/* Length of the character at p. */
static size_t
character(const char *p, size_t n, bool utf8)
{
	size_t k = 1;

	while (utf8 && k < n && (p[k] & 0xc0) == 0x80)
		k++;
	return k;
}

/* How much of p[0..n) fits into `room` octets of encoded text, in whole characters. */
static size_t
fitting(const char *p, size_t n, bool utf8, bool b, size_t room)
{
	size_t at = 0, used = 0;

	while (at < n) {
		size_t k = character(p + at, n - at, utf8);

		used += b ? k : q_cost(p + at, k);
		if (used > (b ? room / 4 * 3 : room))
			break;
		at += k;
	}
	return at;
}

/*
 * p[0..n) as encoded words, as many as it takes, with `blanks` before the first. In Q while more of
 * it can be read as it is than not.
 */
static void
put_words(struct words *w, const char *blanks, size_t nblanks, const char *p, size_t n)
{
	bool utf8 = is_utf8(p, n), b = q_cost(p, n) > 2 * n;
	size_t frame, k, room;
	struct str start = { 0 };

	str_printf(&start, "=?%s?%c?", utf8 ? "utf-8" : "unknown-8bit", b ? 'B' : 'Q');
	frame = start.len + 2;
	for (; n > 0; p += k, n -= k) {
		size_t at = column(w) + nblanks;

		/* a character has up to four octets, and each of them may become three */
		if (memchr(blanks, '\n', nblanks) == NULL && at > 1 && at + frame + 12 > LINE_END)
			put(w, "\r\n ", nblanks > 0 ? 2 : 3);
		put(w, blanks, nblanks);
		at = column(w);
		room = at + frame + 12 > LINE_END ? 12 : LINE_END - at - frame;
		k = fitting(p, n, utf8, b, room);
		str_put(w->out, start.p, start.len);
		if (b)
			base64_put(w->out, p, k);
		else
			put_q(w->out, p, k);
		str_puts(w->out, "?=");
		blanks = " ";
		nblanks = 1;
	}
	str_free(&start);
	w->encoded = true;
}

/* ---- stretches of words */

static bool
next_token(struct token *t, const char **p, const char *end, enum mode mode)
{
	t->blanks = *p;
	t->nblanks = span(*p, end, BLANKS);
	t->p = *p + t->nblanks;
	if (mode <= COMMENT)
		t->n = cspan(t->p, end, BLANKS);
	else if (t->p < end && (*t->p == '"' || *t->p == '('))
		t->n = enclosed(t->p, end);
	else
		t->n = cspan(t->p, end, BLANKS "\"(");
	*p = t->p + t->n;
	return t->n > 0;
}

/* What a word says: without quotes and backslashes where the mode has them. */
static void
put_content(struct str *to, const struct token *t, enum mode mode)
{
	bool quoted = mode >= PHRASE && t->p[0] == '"', escapes = quoted || mode == COMMENT;
	size_t i = quoted, n = t->n;

	if (quoted && n > 1 && t->p[n - 1] == '"')
		n--;
	for (; i < n; i++) {
		if (escapes && t->p[i] == '\\' && i + 1 < n)
			i++;
		if (t->p[i] != '\r' && t->p[i] != '\n')
			str_putc(to, t->p[i]);
	}
}

static bool
looks_encoded(const struct token *t)
{
	return t->n > 6 && memcmp(t->p, "=?", 2) == 0 && memcmp(t->p + t->n - 2, "?=", 2) == 0;
}

/* A word in ASCII, as it is; on a new line when that is where it belongs. */
static void
put_plain(struct words *w, const struct token *t, size_t len)
{
	bool folded = memchr(t->blanks, '\n', t->nblanks) != NULL;

	if (!folded && t->nblanks > 0 && column(w) + t->nblanks + len > LINE_END && may_fold(w))
		put(w, "\r\n", 2);
	put(w, t->blanks, t->nblanks);
	put(w, t->p, t->n);
	w->encoded = looks_encoded(t);
}

/*
 * Words with 8-bit octets that follow each other, of which `t` is the first: together, for what is
 * between two encoded words is lost (RFC 2047 6.2). Returns where they end.
 */
static const char *
put_run(struct words *w, const struct token *t, const char *p, const char *end, enum mode mode)
{
	bool open = t->nblanks == 0 && mode == COMMENT && str_text(w->out)[w->out->len - 1] == '(';
	struct token next;
	struct str text = { 0 };
	const char *q = p;
	size_t i;

	if (w->encoded)
		str_putc(&text, ' ');
	put_content(&text, t, mode);
	while (next_token(&next, &q, end, mode) && has_8bit(next.p, next.n) &&
	    !(mode >= PHRASE && *next.p == '(')) {
		for (i = 0; i < next.nblanks; i++)
			if (next.blanks[i] != '\r' && next.blanks[i] != '\n')
				str_putc(&text, next.blanks[i]);
		put_content(&text, &next, mode);
		p = q;
	}
	if (next.n > 0 && looks_encoded(&next))
		str_putc(&text, ' ');
	if (t->nblanks > 0 || open)
		put_words(w, t->blanks, t->nblanks, text.p, text.len);
	else
		put_words(w, " ", 1, text.p, text.len);
	/* it stands alone */
	if (mode >= PHRASE && p < end && strchr(BLANKS, *p) == NULL)
		str_putc(w->out, ' ');
	str_free(&text);
	return p;
}

static int put_stretch(struct words *w, const char *p, const char *end, enum mode mode);

/* A comment, with those in it. */
static int
put_comment(struct words *w, const struct token *t)
{
	const char *p = t->p, *end = p + t->n, *q;

	put(w, t->blanks, t->nblanks);
	while (p < end) {
		w->encoded = false;
		for (q = p; q < end && *q != '(' && *q != ')'; q++)
			q += *q == '\\' && q + 1 < end;
		if (put_stretch(w, p, q, COMMENT) == -1)
			return -1;
		if (q < end)
			str_putc(w->out, *q++);
		p = q;
	}
	w->encoded = false;
	return 0;
}

static int
put_domain(struct words *w, const struct token *t)
{
	put(w, t->blanks, t->nblanks);
	if (idn_ascii(t->p, t->n, w->out) == -1)
		return status_set(w->st, PH_MAIL, 5, 6, 7, "%.*s: there is no domain %.*s",
		    (int)w->name_len, w->name, (int)(t->n < 100 ? t->n : 100), t->p);
	return 0;
}

/* The words of p..end, and the blanks behind the last. */
static int
put_stretch(struct words *w, const char *p, const char *end, enum mode mode)
{
	struct token t;
	bool first = true;

	for (; next_token(&t, &p, end, mode); first = false) {
		if (mode >= PHRASE && *t.p == '(') {
			if (put_comment(w, &t) == -1)
				return -1;
		} else if (!has_8bit(t.p, t.n)) {
			/* an address stays in one piece */
			put_plain(w, &t,
			    mode < LOCAL		 ? t.n
				: mode == LOCAL && first ? cspan(t.p, w->end, ",;")
							 : 0);
		} else if (mode == LOCAL)
			return status_set(w->st, PH_MAIL, 5, 6, 7,
			    "%.*s has an address with letters outside of ASCII before the @, and "
			    "the server does not offer SMTPUTF8",
			    (int)w->name_len, w->name);
		else if (mode == DOMAIN) {
			if (put_domain(w, &t) == -1)
				return -1;
		} else
			p = put_run(w, &t, p, end, mode);
	}
	put(w, t.blanks, t.nblanks);
	return 0;
}

/* ---- fields with addresses */

/* The end of the words at p: where a special stands that says what they were. */
static const char *
words_end(const char *p, const char *end)
{
	while (p < end && strchr("<>,;:@[", *p) == NULL)
		p += *p == '"' || *p == '(' ? enclosed(p, end) : 1;
	return p;
}

/* An address in < > comes: on a new line, when it would leave this one; apart from the words. */
static void
before_special(struct words *w, const char *p)
{
	size_t n = *p == '<' ? cspan(p, w->end, ">") + 2 : 0;
	char last = w->out->p[w->out->len - 1];

	if (last != ' ' && last != '\t' && w->encoded)
		str_putc(w->out, last = ' ');
	if ((last == ' ' || last == '\t') && column(w) + n > LINE_END) {
		w->out->p[--w->out->len] = '\0';
		if (may_fold(w))
			put(w, "\r\n", 2);
		str_putc(w->out, last);
	}
}

/*
 * A list of addresses (RFC 5322 3.4). `phrases`: words that no address follows are text, too, as in
 * Keywords.
 */
static int
put_addresses(struct words *w, const char *p, const char *end, bool phrases)
{
	bool angle = false, domain = false;

	while (p < end) {
		const char *q = words_end(p, end);
		char special = q < end ? *q : '\0';
		enum mode mode = domain					      ? DOMAIN
		    : !angle && (phrases || special == '<' || special == ':') ? PHRASE
									      : LOCAL;

		if (q > p && put_stretch(w, p, q, mode) == -1)
			return -1;
		if (q == end)
			break;
		if (special == '[') {
			const char *close = memchr(q, ']', (size_t)(end - q));

			p = close != NULL ? close + 1 : end;
			put(w, q, (size_t)(p - q));
			continue;
		}
		before_special(w, q);
		if (special == '<' || special == '>')
			angle = special == '<';
		domain = special == '@';
		w->encoded = false;
		str_putc(w->out, special);
		p = q + 1;
	}
	return 0;
}

/* ---- fields */

enum kind { K_TEXT, K_ADDRESSES, K_PHRASES, K_CLOSED };

/* What is not here is text; so are the fields that nobody knows. */
static const struct {
	const char *name;
	enum kind kind;
} kinds[] = {
	{ "From", K_ADDRESSES },
	{ "Sender", K_ADDRESSES },
	{ "Reply-To", K_ADDRESSES },
	{ "To", K_ADDRESSES },
	{ "Cc", K_ADDRESSES },
	{ "Resent-From", K_ADDRESSES },
	{ "Resent-Sender", K_ADDRESSES },
	{ "Resent-Reply-To", K_ADDRESSES },
	{ "Resent-To", K_ADDRESSES },
	{ "Resent-Cc", K_ADDRESSES },
	{ "Mail-Followup-To", K_ADDRESSES },
	{ "Mail-Reply-To", K_ADDRESSES },
	{ "Errors-To", K_ADDRESSES },
	{ "Disposition-Notification-To", K_ADDRESSES },
	{ "Return-Receipt-To", K_ADDRESSES },
	{ "Keywords", K_PHRASES },
	{ "List-Id", K_PHRASES },
	{ "Date", K_CLOSED },
	{ "Resent-Date", K_CLOSED },
	{ "Message-ID", K_CLOSED },
	{ "Resent-Message-ID", K_CLOSED },
	{ "In-Reply-To", K_CLOSED },
	{ "References", K_CLOSED },
	{ "Received", K_CLOSED },
	{ "MIME-Version", K_CLOSED },
	{ "Content-Type", K_CLOSED },
	{ "Content-Disposition", K_CLOSED },
	{ "Content-Transfer-Encoding", K_CLOSED },
	{ "Content-ID", K_CLOSED },
	{ "Content-Language", K_CLOSED },
	{ "Content-Location", K_CLOSED },
	{ "List-Help", K_CLOSED },
	{ "List-Subscribe", K_CLOSED },
	{ "List-Unsubscribe", K_CLOSED },
	{ "List-Post", K_CLOSED },
	{ "List-Owner", K_CLOSED },
	{ "List-Archive", K_CLOSED },
	{ "Auto-Submitted", K_CLOSED },
	{ "Authentication-Results", K_CLOSED },
	{ "Autocrypt", K_CLOSED },
};

static enum kind
kind_of(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (header_is(name, n, kinds[i].name))
			return kinds[i].kind;
	return K_TEXT;
}

int
words_field(const char *p, size_t n, struct str *out, struct status *st)
{
	const char *end = p + n, *value = memchr(p, ':', n);
	struct words w = { .out = out, .line = out->len, .name = p, .st = st };
	size_t before = out->len;
	enum kind kind;
	int r = 0;

	w.name_len = header_name(p);
	kind = kind_of(p, w.name_len);
	if (n > 1 && memcmp(end - 2, "\r\n", 2) == 0)
		end -= 2;
	value = value != NULL ? value + 1 : end;
	w.end = end;
	put(&w, p, (size_t)(value - p));
	w.value = out->len;
	if (kind == K_CLOSED)
		put(&w, value, (size_t)(end - value));
	else if (kind == K_TEXT)
		r = put_stretch(&w, value, end, TEXT);
	else
		r = put_addresses(&w, value, end, kind == K_PHRASES);
	str_puts(out, "\r\n");
	if (r == 0 && has_8bit(out->p + before, out->len - before))
		r = status_set(st, PH_MAIL, 5, 6, 9,
		    "%.*s has 8-bit text where only ASCII may stand, and the server does not take "
		    "it",
		    (int)w.name_len, w.name);
	if (r == -1) {
		out->len = before;
		out->p[before] = '\0';
	}
	return r;
}
