/*
 * replay - gives stored inputs to the fuzz targets, without a fuzzer.
 *
 *     replay                        everything in tests/fuzz/corpus, as TAP
 *     replay TARGET FILE|DIR ...    these
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static const struct {
	const char *name;
	int (*run)(const uint8_t *p, size_t n);
} targets[] = {
	{ "address", fuzz_address },
	{ "aliases", fuzz_aliases },
	{ "anchors", fuzz_anchors },
	{ "conf", fuzz_conf },
	{ "ehlo", fuzz_ehlo },
	{ "entry", fuzz_entry },
	{ "message", fuzz_message },
	{ "netrc", fuzz_netrc },
	{ "repair", fuzz_repair },
	{ "reply", fuzz_reply },
	{ "rewrite", fuzz_rewrite },
	{ "sasl", fuzz_sasl },
	{ "serve", fuzz_serve },
	{ "session", fuzz_session },
	{ "socks", fuzz_socks },
	{ "srv", fuzz_srv },
	{ "ticket", fuzz_ticket },
	{ "url", fuzz_url },
};
#define NTARGETS (sizeof targets / sizeof targets[0])
#define INPUT_SECONDS 60

static unsigned points;

static void
give_up(const char *path)
{
	printf("Bail out! %s: %s\n", path, strerror(errno));
	exit(1);
}

static void
replay_file(size_t target, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct str text = { 0 };
	FILE *f = fopen(path, "r");
	uint8_t *exact;
	char buf[4096];
	size_t n;

	if (f == NULL)
		give_up(path);
	while ((n = fread(buf, 1, sizeof buf, f)) > 0)
		str_put(&text, buf, n);
	(void)fclose(f);
	/* told beforehand, for when it is the last thing that happens */
	printf("# %s\n", path);
	(void)fflush(stdout);
	exact = xalloc(text.len > 0 ? text.len : 1, 1); /* one octet more would be one too many */
	memcpy(exact, str_text(&text), text.len);
	(void)alarm(INPUT_SECONDS);
	(void)targets[target].run(exact, text.len);
	(void)alarm(0);
	printf("ok %u - %s/%s\n", ++points, targets[target].name, slash != NULL ? slash + 1 : path);
	free(exact);
	str_free(&text);
}

static void
replay(size_t target, const char *path)
{
	struct dirent **list;
	struct str file = { 0 };
	struct stat sb;
	int i, n;

	if (stat(path, &sb) == -1)
		give_up(path);
	if (!S_ISDIR(sb.st_mode)) {
		replay_file(target, path);
		return;
	}
	if ((n = scandir(path, &list, NULL, alphasort)) == -1)
		give_up(path);
	for (i = 0; i < n; i++) {
		str_clear(&file);
		str_printf(&file, "%s/%s", path, list[i]->d_name);
		if (list[i]->d_name[0] != '.')
			replay_file(target, file.p);
		free(list[i]);
	}
	free(list);
	str_free(&file);
}

int
main(int argc, char **argv)
{
	const char *src = getenv("PNEU_SRC") != NULL ? getenv("PNEU_SRC") : getenv("srcdir");
	struct str path = { 0 };
	size_t i;
	int k;

	for (i = 0; i < NTARGETS; i++) {
		str_clear(&path);
		str_printf(&path, "%s/tests/fuzz/corpus/%s", src != NULL ? src : ".", targets[i].name);
		if (argc < 2)
			replay(i, path.p);
		else if (strcmp(argv[1], targets[i].name) == 0)
			for (k = 2; k < argc; k++)
				replay(i, argv[k]);
	}
	printf("1..%u\n", points);
	str_free(&path);
	return points == 0;
}
