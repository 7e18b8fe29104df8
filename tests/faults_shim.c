/*
 * faults_shim - a system that fails at one call; to be preloaded.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Counts the calls of the kind FAULT_KIND, spoils the one with the number FAULT_AT (1: the first) and
 * with FAULT_STAYS=1 all that follow, and writes what it did into the file FAULT_BOARD (faults.h):
 *
 *	memory		allocations by the program, and by the C library and libbsd for it: ENOMEM
 *	library		allocations by all other libraries: ENOMEM
 *	EINTR		whatever waits is interrupted
 *	short		reads and writes take one octet
 *	EIO		the disk is broken
 *	ENOSPC		the disk is full
 *	EMFILE		no more descriptors
 *	ECONNRESET	the network is cut
 *	EAI_AGAIN	the resolver does not answer; getnameinfo() likewise
 *	EAGAIN		no more processes and threads
 *	ENOMEM		the kernel has no memory: mmap(), sockets, poll, files
 *
 * Programs that are run by the program are left alone; so is standard error, for there is no other place
 * for words of explanation. Reads by stdio that are to fail find another file in the place of theirs.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "faults.h"

/* What the C library has under this name, whatever stands between. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif
#define CALLER __builtin_return_address(0)

enum kind {
	OFF = 0,
	MEMORY = 1 << 0,
	LIBRARY = 1 << 1,
	INTERRUPT = 1 << 2,
	SHORT = 1 << 3,
	DISK = 1 << 4,
	ROOM = 1 << 5,
	DESCRIPTOR = 1 << 6,
	NETWORK = 1 << 7,
	RESOLVER = 1 << 8,
	PROCESS = 1 << 9,
	KERNEL = 1 << 10,
};

static const struct {
	const char *name;
	enum kind kind;
	int error;
} kinds[] = {
	{ "memory", MEMORY, ENOMEM },
	{ "library", LIBRARY, ENOMEM },
	{ "EINTR", INTERRUPT, EINTR },
	{ "short", SHORT, 0 },
	{ "EIO", DISK, EIO },
	{ "ENOSPC", ROOM, ENOSPC },
	{ "EMFILE", DESCRIPTOR, EMFILE },
	{ "ECONNRESET", NETWORK, ECONNRESET },
	{ "EAI_AGAIN", RESOLVER, 0 },
	{ "EAGAIN", PROCESS, EAGAIN },
	{ "ENOMEM", KERNEL, ENOMEM },
};

static struct board *board;
static enum kind wanted;
static int error;
static unsigned at;
static bool stays;
static __thread bool resolving;	    /* the C library is */
static volatile sig_atomic_t state; /* 0: not set up; 1: being so; 2: done */

/* Code of the program and of what allocates on its behalf. */
static struct range {
	uintptr_t from, to;
} own[32];
static size_t nown;

/* ---- setting up */

static int
add_module(struct dl_phdr_info *info, size_t size, void *arg)
{
	static const char *const names[] = { "/libc.so", "/libbsd.so", "/libresolv.so", "/ld-linux" };
	bool mine = info->dlpi_name[0] == '\0';
	size_t i;

	(void)size;
	(void)arg;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		mine |= strstr(info->dlpi_name, names[i]) != NULL;
	for (i = 0; mine && i < info->dlpi_phnum && nown < sizeof own / sizeof own[0]; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && (ph->p_flags & PF_X) != 0) {
			own[nown].from = info->dlpi_addr + ph->p_vaddr;
			own[nown].to = own[nown].from + ph->p_memsz;
			nown++;
		}
	}
	return 0;
}

static const char *
module(const void *address, unsigned long *offset)
{
	Dl_info info;
	const char *slash;

	if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
		return "?";
	*offset = (unsigned long)((uintptr_t)address - (uintptr_t)info.dli_fbase);
	slash = strrchr(info.dli_fname, '/');
	return slash != NULL ? slash + 1 : info.dli_fname;
}

static void
crashed(int number)
{
	void *frames[40];
	int n = backtrace(frames, 40), i;
	size_t len;

	len = (size_t)snprintf(
	    board->crash, sizeof board->crash, "signal %d:%s", number, resolving ? " getaddrinfo" : "");
	for (i = 1; i < n && len < sizeof board->crash; i++) {
		unsigned long offset = 0;
		const char *name = module(frames[i], &offset);

		len += (size_t)snprintf(
		    board->crash + len, sizeof board->crash - len, " %s+%#lx", name, offset);
	}
	(void)raise(number); /* which is the default now */
}

static void
watch_signals(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };
	struct sigaction sa = { .sa_handler = crashed, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };
	void *frame;
	size_t i;

	(void)backtrace(&frame, 1); /* loads what it needs */
	for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		(void)sigaction(numbers[i], &sa, NULL);
}

static bool
set_up(void)
{
	const char *kind, *path, *number;
	size_t i;
	long fd;
	void *map;

	/* some allocate before there is an environment */
	if (state != 0 || environ == NULL)
		return state == 2;
	state = 1;
	kind = getenv("FAULT_KIND");
	path = getenv("FAULT_BOARD");
	number = getenv("FAULT_AT");
	stays = getenv("FAULT_STAYS") != NULL;
	if (kind == NULL || path == NULL || number == NULL)
		return false;
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	map = (void *)syscall(MMAP, NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
	(void)syscall(SYS_close, fd);
	if (map == MAP_FAILED)
		return false;
	board = map;
	(void)dl_iterate_phdr(add_module, NULL);
	watch_signals();
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, kind) == 0) {
			wanted = kinds[i].kind;
			error = kinds[i].error;
		}
	at = (unsigned)strtoul(number, NULL, 10);
	state = 2;
	return true;
}

/* What the program runs is not to be spoiled. */
__attribute__((constructor)) static void
begin(void)
{
	(void)set_up();
	(void)unsetenv("LD_PRELOAD");
}

/* ---- one call */

/* A call of these kinds is about to be made: is it the one? Then errno says how it ends. */
static bool
spoiled(int these, const char *name, const void *caller)
{
	int e = errno;
	unsigned n;

	if (!set_up() || (these & (int)wanted) == 0)
		return false;
	n = __atomic_add_fetch(&board->count, 1, __ATOMIC_RELAXED);
	if (at == 0 || n < at || (n > at && !stays))
		return false;
	if (__atomic_add_fetch(&board->fired, 1, __ATOMIC_RELAXED) == 1) {
		unsigned long offset = 0;
		const char *who = module(caller, &offset);

		(void)snprintf(board->what, sizeof board->what, "%s called by %s+%#lx", name, who, offset);
	}
	errno = error != 0 ? error : e;
	return true;
}

/* The kinds of a call that reads or writes: 0 for standard error. */
static int
kinds_of(int fd, bool writes)
{
	struct stat sb;
	int e = errno, r;

	r = fd == STDERR_FILENO ? -1 : (int)syscall(SYS_fstat, fd, &sb);
	errno = e;
	if (r == -1)
		return 0;
	if (S_ISSOCK(sb.st_mode))
		return INTERRUPT | SHORT | NETWORK | KERNEL;
	return INTERRUPT | SHORT | DISK | (writes && S_ISREG(sb.st_mode) ? ROOM : 0);
}

static bool
one_octet(void)
{
	return wanted == SHORT;
}

/* ---- memory */

static bool
no_memory(const char *name, const void *caller)
{
	uintptr_t a = (uintptr_t)caller;
	size_t i;

	if (!set_up() || (wanted & (MEMORY | LIBRARY)) == 0)
		return false;
	for (i = 0; i < nown; i++)
		if (a >= own[i].from && a < own[i].to)
			return spoiled(MEMORY, name, caller);
	return spoiled(LIBRARY, name, caller);
}

#define ALLOCATES(name, declaration, arguments) \
	declaration \
	{ \
		static __typeof__(&name) real; \
\
		if (real == NULL) \
			real = REAL(name); \
		return no_memory(#name, CALLER) ? NULL : real arguments; \
	}

ALLOCATES(malloc, void *malloc(size_t n), (n))
ALLOCATES(calloc, void *calloc(size_t n, size_t size), (n, size))
ALLOCATES(realloc, void *realloc(void *p, size_t n), (p, n))
ALLOCATES(reallocarray, void *reallocarray(void *p, size_t n, size_t size), (p, n, size))
ALLOCATES(aligned_alloc, void *aligned_alloc(size_t align, size_t n), (align, n))

int
posix_memalign(void **p, size_t align, size_t n)
{
	return no_memory("posix_memalign", CALLER) ? ENOMEM : REAL(posix_memalign)(p, align, n);
}

/* ---- octets */

#define MOVES(name, result, declaration, fd, writes, octets, arguments, arguments_short) \
	result declaration \
	{ \
		if (!spoiled(kinds_of(fd, writes), #name, CALLER)) \
			return REAL(name) arguments; \
		return one_octet() && (octets) > 1 ? REAL(name) arguments_short \
		    : one_octet()		   ? REAL(name) arguments \
						   : -1; \
	}

MOVES(read, ssize_t, read(int fd, void *p, size_t n), fd, false, n, (fd, p, n), (fd, p, 1))
MOVES(recv, ssize_t, recv(int fd, void *p, size_t n, int flags), fd, false, n, (fd, p, n, flags),
    (fd, p, 1, flags))
MOVES(pread, ssize_t, pread(int fd, void *p, size_t n, off_t o), fd, false, n, (fd, p, n, o), (fd, p, 1, o))
MOVES(write, ssize_t, write(int fd, const void *p, size_t n), fd, true, n, (fd, p, n), (fd, p, 1))
MOVES(pwrite, ssize_t, pwrite(int fd, const void *p, size_t n, off_t o), fd, true, n, (fd, p, n, o),
    (fd, p, 1, o))
MOVES(send, ssize_t, send(int fd, const void *p, size_t n, int flags), fd, true, n, (fd, p, n, flags),
    (fd, p, 1, flags))
MOVES(sendto, ssize_t,
    sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len), fd, true, n,
    (fd, p, n, flags, to, len), (fd, p, 1, flags, to, len))
MOVES(writev, ssize_t, writev(int fd, const struct iovec *v, int n), fd, true, n, (fd, v, n), (fd, v, 1))

/* Makes a read by stdio fail with EIO: no process has memory at 0. The descriptor it was, for after(). */
static int
before(FILE *f, const char *name, const void *caller)
{
	int fd = fileno(f), kept, broken;

	if (!spoiled(kinds_of(fd, false) & DISK, name, caller))
		return -1;
	kept = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3);
	broken = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0);
	if (broken == -1) /* it is not for us once a password is there: EISDIR, then */
		broken = (int)syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	(void)syscall(SYS_dup3, broken, fd, O_CLOEXEC);
	(void)syscall(SYS_close, broken);
	return kept;
}

static void
after(FILE *f, int kept)
{
	int e = errno;

	if (kept != -1) {
		(void)syscall(SYS_dup3, kept, fileno(f), O_CLOEXEC);
		(void)syscall(SYS_close, kept);
	}
	errno = e;
}

#define READS(name, result, declaration, f, arguments) \
	result declaration \
	{ \
		int kept = before(f, #name, CALLER); \
		result r = REAL(name) arguments; \
\
		after(f, kept); \
		return r; \
	}

extern ssize_t __getdelim(char **line, size_t *size, int end, FILE *f);
READS(__getdelim, ssize_t, __getdelim(char **line, size_t *size, int end, FILE *f), f, (line, size, end, f))
READS(getline, ssize_t, getline(char **line, size_t *size, FILE *f), f, (line, size, f))
READS(fgets, char *, fgets(char *line, int n, FILE *f), f, (line, n, f))
READS(fread, size_t, fread(void *p, size_t size, size_t n, FILE *f), f, (p, size, n, f))

/* ---- everything else */

/* A call that fails with -1, or as `bad`. */
#define FAILS(these, name, result, bad, declaration, arguments) \
	result declaration \
	{ \
		return spoiled(these, #name, CALLER) ? (bad) : REAL(name) arguments; \
	}

#define FILE_KINDS (DISK | DESCRIPTOR | KERNEL)
static int
made(int flags)
{
	return FILE_KINDS | INTERRUPT | ((flags & O_CREAT) != 0 ? ROOM : 0);
}

#define OPENS(name, declaration, dirfd) \
	int declaration \
	{ \
		mode_t mode = 0; \
		va_list ap; \
\
		if ((flags & (O_CREAT | __O_TMPFILE)) != 0) { \
			va_start(ap, flags); \
			mode = (mode_t)va_arg(ap, int); \
			va_end(ap); \
		} \
		if (spoiled(made(flags), #name, CALLER)) \
			return -1; \
		return (int)syscall(SYS_openat, dirfd, path, flags, mode); \
	}

OPENS(open, open(const char *path, int flags, ...), AT_FDCWD)
OPENS(openat, openat(int dirfd, const char *path, int flags, ...), dirfd)

FAILS(FILE_KINDS, fopen, FILE *, NULL, fopen(const char *path, const char *mode), (path, mode))
FAILS(FILE_KINDS, opendir, DIR *, NULL, opendir(const char *path), (path))
FAILS(KERNEL, fdopendir, DIR *, NULL, fdopendir(int fd), (fd))
FAILS(DISK, readdir, struct dirent *, NULL, readdir(DIR *d), (d))
FAILS(FILE_KINDS | ROOM, mkostemp, int, -1, mkostemp(char *path, int flags), (path, flags))
FAILS(DISK | ROOM, fsync, int, -1, fsync(int fd), (fd))
FAILS(DISK | ROOM, mkdir, int, -1, mkdir(const char *path, mode_t mode), (path, mode))
FAILS(DISK | ROOM, mkdirat, int, -1, mkdirat(int fd, const char *path, mode_t mode), (fd, path, mode))
FAILS(DISK | ROOM, renameat, int, -1, renameat(int a, const char *from, int b, const char *to),
    (a, from, b, to))
FAILS(DISK, unlink, int, -1, unlink(const char *path), (path))
FAILS(DISK, unlinkat, int, -1, unlinkat(int fd, const char *path, int flags), (fd, path, flags))
FAILS(DISK | INTERRUPT, ftruncate, int, -1, ftruncate(int fd, off_t size), (fd, size))
FAILS(DISK | KERNEL, stat, int, -1, stat(const char *path, struct stat *sb), (path, sb))
FAILS(DISK | KERNEL, fstat, int, -1, fstat(int fd, struct stat *sb), (fd, sb))
FAILS(DISK | KERNEL, fstatat, int, -1, fstatat(int fd, const char *path, struct stat *sb, int flags),
    (fd, path, sb, flags))
FAILS(INTERRUPT | KERNEL, flock, int, -1, flock(int fd, int how), (fd, how))
FAILS(KERNEL, mmap, void *, MAP_FAILED, mmap(void *p, size_t n, int prot, int flags, int fd, off_t o),
    (p, n, prot, flags, fd, o))
FAILS(DESCRIPTOR, dup, int, -1, dup(int fd), (fd))
FAILS(DESCRIPTOR, pipe, int, -1, pipe(int fds[2]), (fds))

/* The descriptor is gone all the same, as it is on Linux. */
int
close(int fd)
{
	bool bad = spoiled(kinds_of(fd, false) & (DISK | INTERRUPT), "close", CALLER);
	int e = errno, r = (int)syscall(SYS_close, fd);

	if (bad)
		errno = e;
	return bad ? -1 : r;
}

FAILS(DESCRIPTOR | KERNEL, socket, int, -1, socket(int family, int type, int protocol),
    (family, type, protocol))
FAILS(INTERRUPT | NETWORK | KERNEL, connect, int, -1, connect(int fd, const struct sockaddr *to, socklen_t n),
    (fd, to, n))
FAILS(NETWORK | KERNEL, setsockopt, int, -1,
    setsockopt(int fd, int level, int option, const void *p, socklen_t n), (fd, level, option, p, n))
FAILS(NETWORK, getsockopt, int, -1, getsockopt(int fd, int level, int option, void *p, socklen_t *n),
    (fd, level, option, p, n))
static int
once(int these)
{
	return set_up() && stays && board->fired > 0 ? 0 : these;
}

/* Never for ever: who waits without bound would wait so. */
FAILS(INTERRUPT | once(KERNEL), ppoll, int, -1,
    ppoll(struct pollfd *fds, nfds_t n, const struct timespec *ts, const sigset_t *mask), (fds, n, ts, mask))
FAILS(INTERRUPT | once(KERNEL), poll, int, -1, poll(struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))
FAILS(INTERRUPT, getrandom, ssize_t, -1, getrandom(void *p, size_t n, unsigned flags), (p, n, flags))
FAILS(KERNEL, getentropy, int, -1, getentropy(void *p, size_t n), (p, n))
FAILS(INTERRUPT, nanosleep, int, -1, nanosleep(const struct timespec *a, struct timespec *b), (a, b))

int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **list)
{
	int r;

	if (spoiled(RESOLVER, "getaddrinfo", CALLER))
		return EAI_AGAIN;
	resolving = true;
	r = REAL(getaddrinfo)(host, port, hints, list);
	resolving = false;
	return r;
}

FAILS(RESOLVER, getnameinfo, int, EAI_AGAIN,
    getnameinfo(const struct sockaddr *sa, socklen_t n, char *host, socklen_t nhost, char *port,
	socklen_t nport, int flags),
    (sa, n, host, nhost, port, nport, flags))
FAILS(RESOLVER, gethostname, int, -1, gethostname(char *name, size_t n), (name, n))

FAILS(PROCESS | KERNEL, fork, pid_t, -1, fork(void), ())
FAILS(INTERRUPT, waitpid, pid_t, -1, waitpid(pid_t pid, int *status, int options), (pid, status, options))
FAILS(PROCESS, pthread_create, int, EAGAIN,
    pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg), (t, a, run, arg))
FAILS(PROCESS, setenv, int, -1, setenv(const char *name, const char *value, int over), (name, value, over))
