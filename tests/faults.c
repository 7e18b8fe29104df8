/*
 * faults - whatever call fails: no crash, no hang, a reason, and no message lost or torn.
 *
 *	faults [--all]		every kind of fault in every scene; TAP on standard output
 *	faults SCENE KIND [N]	one kind in one scene, at each call or the Nth; says what happens
 *
 * In each scene (faults_scenes.c) the program runs once for each call of a kind, which fails
 * (faults_shim.c); a "+" behind the kind: and so do all that follow. Without --all a sample of the
 * calls: the first ones, and others spread over the rest. PNEU, PEER, PNEU_SRC and PNEU_BUILD are
 * as in tests/helper.bash.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"
#include "faults_scenes.h"

#define HANG_S 20
#ifdef PNEU_SANITIZERS
#define SAMPLE 12
#else
#define SAMPLE 40 /* calls of a kind, without --all */
#endif
#define SHOWN 20   /* failures of a kind that are told of */
#define LARGE 6000 /* lines of the large message */

static const char *const kinds[] = { "memory", "memory+", "library", "library+", "EINTR", "short", "EIO",
	"EIO+", "ENOSPC", "ENOSPC+", "EMFILE", "EMFILE+", "ECONNRESET", "EAI_AGAIN", "EAGAIN", "ENOMEM",
	"ENOMEM+" };
#define NKINDS (sizeof kinds / sizeof kinds[0])

/*
 * Crashes that are not the program's: where the innermost frames outside of the C library are in
 * these. They are counted and shown; what was promised has to be so all the same.
 */
static const struct {
	const char *first, *second, *why;
} excused[] = {
	{ "libgmp.so", "", "GMP ends the process" },
	{ "libgnutls.so", "libgmp.so", "GnuTLS ends the process for GMP" },
	{ "libtasn1.so", "", "libtasn1 uses what it did not get" },
	{ "getaddrinfo", "", "the C library's resolver uses what it did not get" },
};
#define NEXCUSED (sizeof excused / sizeof excused[0])

static char *dir, *shim, *top;
static bool all, talk;
static struct board *board;
static pid_t server;

/* ---- messages */

#define HEADER \
	"Date: Mon, 24 Nov 2025 10:00:00 +0000\nFrom: Alice <alice@sender.com>\nTo: bob@example.org\n" \
	"Subject: test\nMessage-ID: <test.1@sender.com>\n\n"

static void
write_messages(void)
{
	struct str text = { 0 }, dialogue = { 0 };
	unsigned i;

	str_puts(&text, HEADER "Hello Bob.\n");
	spill("message", text.p, text.len);
	str_puts(&dialogue,
	    "EHLO client\r\nMAIL FROM:<alice@sender.com>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
	    "From: alice@sender.com\r\nDate: Mon, 24 Nov 2025 10:00:00 +0000\r\n"
	    "Message-ID: <test.1@sender.com>\r\n\r\nHello Bob.\r\n.\r\nQUIT\r\n");
	spill("dialogue", dialogue.p, dialogue.len);
	for (i = 0; i < LARGE; i++)
		str_printf(
		    &text, "%06u: a line of a message that is larger than what memory is used for\n", i);
	spill("large", text.p, text.len);
	str_free(&text);
	str_free(&dialogue);
}

/* ---- the server */

static void
start_server(const struct scene *s)
{
	struct str script = { 0 }, link = { 0 }, port = { 0 };
	int i;

	if (s->script == NULL)
		return;
	str_printf(&script, "INCLUDE parts/%s\n%s",
	    s->login && s->promise != P_SERVED ? "ready" : "ready-clear", s->script);
	spill("script", script.p, script.len);
	str_printf(&link, "%s/tests/dialogues/parts", top);
	if (symlink(link.p, "parts") == -1 && errno != EEXIST)
		give_up(link.p);
	if ((server = fork()) == 0) {
		int fd = open("peer.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
		(void)execl(getenv("PEER"), "peer", "--hold", "--grace", "0", "script", (char *)NULL);
		_exit(127);
	}
	for (i = 0; slurp("port", &port) == -1; i++) {
		struct timespec ts = { .tv_nsec = 10000000 };

		if (i > 2000 || waitpid(server, NULL, WNOHANG) != 0)
			give_up("tests/peer did not start");
		(void)nanosleep(&ts, NULL);
	}
	str_free(&script);
	str_free(&link);
	str_free(&port);
}

static void
end_server(void)
{
	if (server <= 0)
		return;
	(void)kill(server, SIGTERM);
	(void)waitpid(server, NULL, 0);
	server = 0;
}

static void
configure(const struct scene *s)
{
	struct str text = { 0 }, port = { 0 };
	const char *c;
	unsigned number = slurp("port", &port) == 0 ? (unsigned)strtoul(port.p, NULL, 10) : 1;
	bool login = s->script != NULL && strstr(s->script, "auth-plain") != NULL;

	str_printf(&text, "server smtp://%s127.0.0.1:%u\nehlo mail.sender.com\nfrom alice@sender.com\n",
	    login ? "alice@" : "", number);
	str_printf(&text, "timeout 5s\nconnect-timeout 5s\n");
	if (s->login)
		str_printf(&text, "tls-ca %s/ca.pem\n", dir);
	else
		str_puts(&text, "tls none\n");
	for (c = s->config; *c != '\0'; c++)
		if (*c == '@')
			str_puts(&text, dir);
		else
			str_putc(&text, *c);
	spill("config", text.p, text.len);
	spill_text("password", "s3cret-word\n");
	spill_text("more", "domain example.org\n");
	spill_text("aliases", "root: bob@example.org\n");
	str_free(&text);
	str_free(&port);
}

/*
 * A client that was gone before its end may still be listened to, and the server has one client after
 * the other: once it greets us that is over.
 */
static void
await_server(void)
{
	struct str port = { 0 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	char greeting;
	int fd;

	if (server <= 0)
		return;
	if (slurp("port", &port) == -1)
		give_up("port");
	in.sin_port = htons((uint16_t)strtoul(port.p, NULL, 10));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in) == -1 || read(fd, &greeting, 1) != 1)
		give_up("tests/peer");
	(void)close(fd);
	str_free(&port);
}

/* ---- one run */

static void
be_child(const struct scene *s, const char *kind, unsigned at)
{
	const char *args[16] = { "pneu", "--config=config" };
	int out = open("out", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = open("err", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	int in = open(s->input == IN_SMALL ? "message"
		: s->input == IN_DIALOGUE  ? "dialogue"
					   : "/dev/null",
	    O_RDONLY | O_CLOEXEC);
	char number[16], name[16];
	int fds[2], i;

	if (s->input == IN_PIPE && pipe(fds) == 0) {
		if (fork() == 0) {
			struct str text = { 0 };

			(void)close(fds[0]);
			(void)slurp("large", &text);
			(void)!write(fds[1], text.p, text.len);
			_exit(0);
		}
		(void)close(fds[1]);
		in = fds[0];
	}
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	for (i = 3; i < 20; i++)
		(void)close(i);
	for (i = 0; i < 8 && s->args[i] != NULL; i++)
		args[2 + i] = s->args[i];
	(void)snprintf(number, sizeof number, "%u", at);
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(kind, "+"), kind);
	(void)setenv("FAULT_KIND", name, 1);
	(void)setenv("FAULT_AT", number, 1);
	if (strchr(kind, '+') != NULL)
		(void)setenv("FAULT_STAYS", "1", 1);
	(void)setenv("LD_PRELOAD", shim, 1);
	(void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0:handle_segv=0", 1);
	(void)execv(getenv("PNEU"), (char **)(uintptr_t)args);
	_exit(127);
}

/* Waits for the end of a child, within a time that only a hanging one takes. */
static bool
wait_end(pid_t pid, int *status)
{
	sigset_t child;
	struct timespec ts = { .tv_sec = HANG_S };

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (sigtimedwait(&child, NULL, &ts) == -1 && errno == EAGAIN) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, status, 0);
			return false;
		}
	}
	return true;
}

static void
run(const struct scene *s, const char *kind, unsigned at, struct ended *e)
{
	static const char *const rests[] = { "message.1", "message.2", "message.3", "log" };
	size_t i;
	pid_t pid;

	for (i = 0; i < sizeof rests / sizeof rests[0]; i++)
		(void)unlink(rests[i]);
	empty("spool", true);
	empty("state", true);
	if (s->entries > 0)
		copy_files("queued", "spool");
	empty("tmp", false);
	memset(board, 0, sizeof *board);
	if ((pid = fork()) == -1)
		give_up("fork");
	if (pid == 0)
		be_child(s, kind, at);
	e->hung = !wait_end(pid, &e->status);
	await_server();
	(void)slurp("out", &e->out);
	(void)slurp("err", &e->err);
}

/* Entries for a flush, and those that it must not change. */
static bool
fill_spool(const struct scene *s, struct str *why)
{
	static const struct scene fill = { "", NULL, "queue @/spool\n", { "-odq", "bob@example.org" },
		IN_SMALL, 0, P_QUEUED, false, false };
	struct ended e = { 0 };
	unsigned i;
	bool good = true;

	empty("queued", true);
	configure(&fill);
	for (i = 0; good && i < s->entries; i++) {
		run(&fill, "none", 0, &e);
		if (!(good = WIFEXITED(e.status) && WEXITSTATUS(e.status) == 0))
			str_printf(why, "the spool cannot be filled: %s", str_text(&e.err));
		copy_files("spool", "queued");
	}
	str_free(&e.out);
	str_free(&e.err);
	return good;
}

/* ---- all runs of one kind in one scene */

static bool
begins(const char *z, const char *with)
{
	return strncmp(z, with, strlen(with)) == 0;
}

/* Which of `excused` a crash is; NEXCUSED: none. */
static size_t
excuse(void)
{
	const char *frame = strchr(board->crash, ' '), *seen[2] = { "", "" };
	size_t n = 0, i;

	/* past "signal N:"; of the frames those that are neither the C library's nor the kernel's */
	for (frame = frame != NULL ? strchr(frame + 1, ' ') : NULL; frame != NULL && n < 2;
	     frame = strchr(frame, ' ')) {
		frame++;
		if (!begins(frame, "libc.so") && !begins(frame, "faults_shim") &&
		    !begins(frame, "linux-gate.so"))
			seen[n++] = frame;
	}
	for (i = 0; i < NEXCUSED; i++)
		if (begins(seen[0], excused[i].first) && begins(seen[1], excused[i].second))
			break;
	return i;
}

/* What fails for want of something may work later, so that only 75 will do; what libraries make of it
 * is their affair, and a server that nobody can name gets no password. */
static bool
lasting(const char *kind, int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 75 &&
	    WEXITSTATUS(status) != 74 && !begins(kind, "library") && !begins(kind, "EAI_AGAIN");
}

struct tally {
	unsigned runs, spoiled, bad, crashes[NEXCUSED], status[128];
};

/* One fault; false when there was no such call. */
static bool
fault(const struct scene *s, const char *kind, unsigned at, struct tally *t, struct str *said)
{
	struct ended e = { 0 };
	struct str why = { 0 };
	bool fired;

	run(s, kind, at, &e);
	fired = board->fired > 0;
	t->runs++;
	t->spoiled += fired;
	if (WIFEXITED(e.status))
		t->status[WEXITSTATUS(e.status) & 127]++;
	(void)judge(s, &e, false, &why);
	/* but for one that could not be removed */
	if (!is_empty("tmp") && !begins(board->what, "unlink"))
		str_puts(&why, "; a temporary file is left");
	if (why.len == 0 && lasting(kind, e.status))
		str_printf(
		    &why, "status %d, as if it were for ever: %s", WEXITSTATUS(e.status), str_text(&e.err));
	if (why.len > 0) {
		size_t x = WIFSIGNALED(e.status) ? excuse() : NEXCUSED;

		if (x < NEXCUSED && strchr(why.p, ';') == NULL)
			t->crashes[x]++;
		else if (t->bad++ < SHOWN)
			str_printf(said, "# %s %u: %s: %s%s%s\n", kind, at, board->what, why.p,
			    board->crash[0] != '\0' ? "; " : "", board->crash);
	}
	if (talk)
		printf("%s %u: %s: %s %d: %s\n", kind, at, board->what,
		    WIFEXITED(e.status) ? "status" : "signal",
		    WIFEXITED(e.status) ? WEXITSTATUS(e.status) : WTERMSIG(e.status), str_text(&e.err));
	str_free(&e.out);
	str_free(&e.err);
	str_free(&why);
	return fired;
}

/* The call after `at` that is looked at, of about `total`. */
static unsigned
after(unsigned at, unsigned total)
{
	unsigned step = total > SAMPLE ? total / SAMPLE : 1;

	return all || at < SAMPLE / 3 ? at + 1 : at + step;
}

static void
walk(const struct scene *s, const char *kind, unsigned only)
{
	struct tally t = { 0 };
	struct str said = { 0 }, why = { 0 };
	struct ended e = { 0 };
	unsigned at, total = 0, i;

	if (fill_spool(s, &why)) {
		start_server(s);
		configure(s);
		run(s, kind, 0, &e);
		total = board->count;
		if (judge(s, &e, true, &why) == 0)
			for (at = only > 0 ? only : 1; fault(s, kind, at, &t, &said) && only == 0;
			     at = after(at, total))
				;
		end_server();
	}
	/* every scene has some of these */
	if (why.len == 0 && total == 0 && (begins(kind, "memory") || begins(kind, "EIO")))
		str_puts(&why, "no call is seen");
	if (why.len > 0) {
		str_printf(&said, "# without any fault: %s\n", why.p);
		t.bad++;
		str_clear(&why);
	}
	for (i = 0; i < 128; i++)
		if (t.status[i] > 0)
			str_printf(&why, " %u:%u", i, t.status[i]);
	str_printf(&said, "%s - %s: %s at %u of %u calls; statuses%s",
	    t.bad == 0 && t.runs > 0 ? "ok" : "not ok", s->name, kind, t.spoiled, total, str_text(&why));
	for (i = 0; i < NEXCUSED; i++)
		if (t.crashes[i] > 0)
			str_printf(&said, "; %u times %s", t.crashes[i], excused[i].why);
	str_putc(&said, '\n');
	(void)!write(STDOUT_FILENO, said.p, said.len);
	str_free(&said);
	str_free(&why);
	str_free(&e.out);
	str_free(&e.err);
}

/* A directory with everything in it, and the environment. */
static void
move_in(const char *base, unsigned number)
{
	struct str path = { 0 };
	int fd;

	str_printf(&path, "%s/%u", base, number);
	if (mkdir(path.p, 0700) == -1 || chdir(path.p) == -1)
		give_up(path.p);
	free(dir);
	dir = path.p;
	copy_files("../cert", ".");
	(void)mkdir("tmp", 0700);
	write_messages();
	if ((fd = open("board", O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1 ||
	    ftruncate(fd, sizeof *board) == -1)
		give_up("board");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		give_up("board");
	(void)close(fd);
	(void)setenv("HOME", dir, 1);
	path = (struct str){ 0 };
	str_printf(&path, "%s/board", dir);
	(void)setenv("FAULT_BOARD", path.p, 1);
	str_clear(&path);
	str_printf(&path, "%s/state", dir);
	(void)setenv("XDG_STATE_HOME", path.p, 1);
	str_clear(&path);
	str_printf(&path, "%s/tmp", dir);
	(void)setenv("TMPDIR", path.p, 1);
	str_free(&path);
}

static bool
skipped(const struct scene *s, const char *kind)
{
	bool again = strchr(kind, '+') != NULL, network = strcmp(kind, "ECONNRESET") == 0;

	if (s->script == NULL && network)
		return true;
	/* --check and a submission do the same in TLS */
	if (begins(kind, "library") && (!s->login || s->promise == P_NONE))
		return true;
	return !all && (again || s->slow) && strcmp(kind, "memory") != 0 && strcmp(kind, "short") != 0;
}

/* Every pair, some at the same time. */
static void
walk_all(const char *base)
{
	unsigned i, k, jobs = 0, running = 0, most = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) + (all ? 0 : 1);

	for (k = 0; k < NKINDS; k++)
		for (i = 0; i < nscenes; i++) {
			if (skipped(&scenes[i], kinds[k]))
				continue;
			while (running >= most)
				running -= wait(NULL) > 0;
			jobs++;
			running++;
			if (fork() == 0) {
				move_in(base, jobs);
				walk(&scenes[i], kinds[k], 0);
				empty(dir, true);
				_exit(0);
			}
		}
	while (wait(NULL) > 0)
		;
	printf("1..%u\n", jobs);
}

int
main(int argc, char **argv)
{
	char base[] = "/tmp/pneu-faults.XXXXXX", shared[] = "/dev/shm/pneu-faults.XXXXXX", *work;
	struct str path = { 0 };
	sigset_t child;
	unsigned i;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	(void)umask(077);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	all = argc == 2 && strcmp(argv[1], "--all") == 0;
	if (getenv("PNEU") == NULL || getenv("PEER") == NULL || getenv("PNEU_SRC") == NULL ||
	    getenv("PNEU_BUILD") == NULL || (argc != 1 && !all && (argc < 3 || argc > 4))) {
		(void)fputs(
		    "usage: faults [--all | SCENE KIND [N]], with PNEU, PEER, PNEU_SRC and PNEU_BUILD set\n",
		    stderr);
		return 64;
	}
	top = getenv("PNEU_SRC");
	str_printf(&path, "%s/tests/faults_shim.so", getenv("PNEU_BUILD"));
	shim = xstrdup(path.p);
	work = mkdtemp(shared);
	if (work == NULL && (work = mkdtemp(base)) == NULL)
		give_up("mkdtemp");
	/* the keys are made once */
	move_in(work, 0);
	start_server(&scenes[0]);
	end_server();
	str_clear(&path);
	str_printf(&path, "%s/cert", work);
	(void)mkdir(path.p, 0700);
	for (i = 0; i < 3; i++) {
		static const char *const files[] = { "ca.pem", "cert.pem", "key.pem" };

		struct str to = { 0 };

		str_printf(&to, "%s/%s", path.p, files[i]);
		if (rename(files[i], to.p) == -1)
			give_up(to.p);
		str_free(&to);
	}
	if (argc < 3)
		walk_all(work);
	else
		for (i = 0; i < nscenes; i++)
			if (strcmp(scenes[i].name, argv[1]) == 0) {
				talk = all = true;
				move_in(work, 1);
				walk(&scenes[i], argv[2],
				    argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0);
			}
	(void)!chdir("/");
	empty(work, true);
	str_free(&path);
	free(shim);
	free(dir);
	return 0;
}
