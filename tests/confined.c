/*
 * confined - tries all that a process gives up by confine(), and says what was refused.
 *
 * usage: confined MODE DIR
 *
 * MODE is one of the table below and says what is given up before, DIR has what the attempts are
 * about. A line on standard output for each attempt: its name, and "done" or the error.
 *
 * Built with HOOK it is to be preloaded, and makes the program itself misbehave: when a server, in
 * the clear or over TLS, has said "misbehave", everything is tried from within whoever reads what
 * it says, and the lines are on standard error, with "misbehaved: " before them. The directory is
 * the one that the program was started in.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/ptrace.h>
#endif

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef HOOK
#include <dlfcn.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#else
#include "confine.h"
#include "say.h"
#ifdef PNEU_SANDBOX
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <stddef.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#endif
#endif

/* 0, or -1 with errno. */
static int
opened(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0600);

	return fd == -1 ? -1 : close(fd);
}

static int
made(const char *file)
{
	return opened(file, O_WRONLY | O_CREAT | O_EXCL);
}

static int
read_key(void)
{
	return opened("home/key", O_RDONLY);
}

static int
append_to_rc(void)
{
	return opened("home/rc", O_WRONLY | O_APPEND);
}

static int
make_in_home(void)
{
	return made("home/new");
}

static int
remove_key(void)
{
	return unlink("home/old");
}

static int
open_key(void)
{
	return chmod("home/key", 0644);
}

static int
read_passwd(void)
{
	return opened("/etc/passwd", O_RDONLY);
}

static int
change_memory(void)
{
	return opened("/proc/self/mem", O_RDWR);
}

static int
read_trust(void)
{
	return opened("trust", O_RDONLY);
}

static int
make_state(void)
{
	return made("state/new");
}

static int
move_in_spool(void)
{
	return made("spool/new") == -1 ? -1 : rename("spool/new", "spool/failed/new");
}

static int
make_temporary(void)
{
	char name[] = "temp/XXXXXX";
	int fd = mkstemp(name);

	return fd == -1 || close(fd) == -1 ? -1 : unlink(name);
}

static int
append_to_log(void)
{
	return opened("log", O_WRONLY | O_APPEND | O_CREAT);
}

static int
socket_of(int family, int type)
{
	int fd = socket(family, type, 0);

	return fd == -1 ? -1 : close(fd);
}

static int
inet_socket(void)
{
	return socket_of(AF_INET, SOCK_STREAM);
}

static int
local_socket(void)
{
	return socket_of(AF_UNIX, SOCK_STREAM);
}

static int
log_socket(void)
{
	return socket_of(AF_UNIX, SOCK_DGRAM);
}

static int
wait_for_clients(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd == -1 ? -1 : listen(fd, 1);
}

/* On what is no socket: ENOTSOCK, where it comes to that. */
static int
set_up(int level, int option)
{
	int fds[2], value = 1, r;

	if (pipe(fds) == -1)
		return -1;
	r = setsockopt(fds[0], level, option, &value, sizeof value);
	return r == -1 && errno == ENOTSOCK ? 0 : r;
}

/* All but what go_on() does. */
static int
shape_socket(void)
{
	int one = set_up(SOL_SOCKET, SO_REUSEADDR), other = set_up(IPPROTO_TCP, TCP_MAXSEG);

	return one == 0 || other == 0 ? 0 : set_up(SOL_SOCKET, TCP_CORK);
}

static int
have_child(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child == -1 ? -1 : waitpid(child, NULL, 0) == child ? 0 : -1;
}

static void *
beside(void *arg)
{
	return arg;
}

static int
have_thread(void)
{
	pthread_t thread;
	int e = pthread_create(&thread, NULL, beside, NULL);

	if (e == 0)
		return pthread_join(thread, NULL) == 0 ? 0 : -1;
	errno = e;
	return -1;
}

static int
signal_parent(void)
{
	return kill(getppid(), 0);
}

/* What becomes readable would send our parent any signal (F_SETSIG), once it is asked for. */
static int
signal_by_file(void)
{
	int fds[2];

	return pipe(fds) == -1 ? -1 : fcntl(fds[0], F_SETOWN, getppid());
}

/* A limit that is low enough is a signal, too. */
static int
limit_parent(void)
{
#ifdef __linux__
	struct rlimit limit;

	return prlimit(getppid(), RLIMIT_CPU, NULL, &limit);
#else
	return 0;
#endif
}

/* Code of our own. */
static int
run_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

/* Nobody: ESRCH, where it comes to that. */
static int
trace(void)
{
#ifdef __linux__
	return ptrace(PTRACE_CONT, -1, NULL, NULL) == -1 && errno == ESRCH ? 0 : -1;
#else
	return 0;
#endif
}

/* Into what is no terminal: ENOTTY, where it comes to that. */
static int
type(void)
{
	int fds[2], r;

	if (pipe(fds) == -1)
		return -1;
	r = ioctl(fds[0], TIOCSTI, "x");
	return r == -1 && errno == ENOTTY ? 0 : r;
}

/* What every session does. */
static int
go_on(void)
{
	struct timespec now;
	int fds[2];
	struct pollfd pfd = { .events = POLLIN };
	char c;

	if (pipe(fds) == -1 || write(fds[1], "x", 1) != 1)
		return -1;
	pfd.fd = fds[0];
	if (poll(&pfd, 1, 1000) != 1 || read(fds[0], &c, 1) != 1)
		return -1;
	if (set_up(IPPROTO_TCP, TCP_CORK) == -1)
		return -1;
	free(malloc(10000000));
	return clock_gettime(CLOCK_REALTIME, &now);
}

/* The last: it comes back only when it was refused. */
static int
run_program(void)
{
	(void)execl("/bin/echo", "echo", "run-program", "done", (char *)NULL);
	return -1;
}

static const struct {
	const char *name;
	int (*try)(void);
} attempts[] = {
	{ "go-on", go_on },
	{ "read-key", read_key },
	{ "append-to-rc", append_to_rc },
	{ "make-in-home", make_in_home },
	{ "remove-key", remove_key },
	{ "open-key", open_key },
	{ "read-passwd", read_passwd },
	{ "change-memory", change_memory },
	{ "read-trust", read_trust },
	{ "make-state", make_state },
	{ "move-in-spool", move_in_spool },
	{ "make-temporary", make_temporary },
	{ "append-to-log", append_to_log },
	{ "inet-socket", inet_socket },
	{ "local-socket", local_socket },
	{ "log-socket", log_socket },
	{ "shape-socket", shape_socket },
	{ "wait-for-clients", wait_for_clients },
	{ "have-child", have_child },
	{ "have-thread", have_thread },
	{ "signal-parent", signal_parent },
	{ "signal-by-file", signal_by_file },
	{ "limit-parent", limit_parent },
	{ "run-memory", run_memory },
	{ "type", type },
	{ "trace", trace },
	{ "run-program", run_program },
};

static void
try_all(int fd, const char *before)
{
	size_t i;

	for (i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
		(void)dprintf(fd, "%s%s %s\n", before, attempts[i].name,
		    attempts[i].try() == 0 ? "done" : strerror(errno));
}

#ifdef HOOK

/* What the C library, or GnuTLS, has under this name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void
look(const void *p, ssize_t n)
{
	static bool done;

	if (done || n <= 0 || memmem(p, (size_t)n, "misbehave", 9) == NULL)
		return;
	done = true;
	try_all(STDERR_FILENO, "misbehaved: ");
}

ssize_t
read(int fd, void *p, size_t size)
{
	ssize_t n = REAL(read)(fd, p, size);

	look(p, n);
	return n;
}

ssize_t
gnutls_record_recv(gnutls_session_t session, void *p, size_t size)
{
	ssize_t n = REAL(gnutls_record_recv)(session, p, size);

	look(p, n);
	return n;
}

#else

static struct {
	const char *name;
	struct confine needs;
} modes[] = {
	{ "nothing", { .sockets = SOCKETS_NONE } },
	{ "one", { .state = "state/", .files = { "trust" } } },
	{ "log", { .sockets = SOCKETS_LOG, .state = "state/" } },
	{ "spool", { .state = "state/", .spool = "spool" } },
	{ "again",
	    { .sockets = SOCKETS_NET,
		.prompt = true,
		.files = { NULL, "trust" },
		.state = "state/",
		.spool = "spool" } },
	{ "others", { .sockets = SOCKETS_LOCAL, .read = true, .state = "state/" } },
	{ "parent", { .sockets = SOCKETS_NET, .parent = true } },
	{ "child", { .sockets = SOCKETS_NONE } }, /* which our parent is to be, then */
};

/* The kernel answers with this when it is asked for Landlock. */
static int
without_landlock(int error)
{
#if defined(PNEU_SANDBOX) && defined(SYS_landlock_create_ruleset)
	struct sock_filter look[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog whole = { sizeof look / sizeof look[0], look };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole);
#else
	errno = error;
	return 0;
#endif
}

static int
give_up(const char *mode)
{
	size_t i;

	if (strcmp(mode, "ENOSYS") == 0)
		return without_landlock(ENOSYS) == -1 ? -1 : give_up("one");
	if (strcmp(mode, "EOPNOTSUPP") == 0)
		return without_landlock(EOPNOTSUPP) == -1 ? -1 : give_up("one");

	for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(mode, modes[i].name) == 0) {
			if (strcmp(mode, "child") == 0)
				modes[i].needs.children[1] = getppid();
			confine(&modes[i].needs);
			return 0;
		}
	return -1;
}

int
main(int argc, char **argv)
{
	if (argc != 3 || chdir(argv[2]) == -1)
		return 64;
	say_dialogue(true);
	if (strcmp(argv[1], "steps") == 0)
		(void)(give_up("again") == 0 && give_up("one") == 0 && give_up("again") == 0);
	else if (strcmp(argv[1], "none") != 0 && give_up(argv[1]) == -1)
		return 64;
	try_all(STDOUT_FILENO, "");
	return 0;
}

#endif
