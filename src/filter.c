/*
 * filter - which system calls the process may still make, on Linux.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include "filter.h"

#if !defined(PNEU_SANDBOX)
/* confine.c does not ask */
#elif defined(__x86_64__) && defined(__LP64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__LP64__) && !defined(__AARCH64EB__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#endif

#ifdef MACHINE
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#define PROGRAM_MAX 512
struct program {
	struct sock_filter v[PROGRAM_MAX];
	unsigned short n;
};

static void
put(struct program *p, unsigned code, uint32_t k, unsigned hit, unsigned miss)
{
	p->v[p->n++] = (struct sock_filter){ .code = (unsigned short)code,
		.jt = (unsigned char)hit,
		.jf = (unsigned char)miss,
		.k = k };
}

static void
look_at(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void
answer(struct program *p, int error)
{
	put(p, BPF_RET | BPF_K,
	    error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

/* The answer to a call whose arguments do not matter. */
static void
settle(struct program *p, long call, int error)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
	answer(p, error);
}

/* The low half of an argument: these machines have the least significant octet first. */
#define ARGUMENT(i) (offsetof(struct seccomp_data, args) + (i) * sizeof(uint64_t))

/*
 * A call that depends on an argument: between these two, what is allowed; anything else is refused.
 * Every way ends with an answer, so that behind it what is looked at is the number again.
 */
static unsigned short
begin(struct program *p, long call, unsigned argument)
{
	unsigned short at = p->n;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 0);
	look_at(p, ARGUMENT(argument));
	return at;
}

static void
end(struct program *p, unsigned short at)
{
	answer(p, EPERM);
	p->v[at].jf = (unsigned char)(p->n - at - 1);
}

static void
allow_value(struct program *p, uint32_t k)
{
	settle(p, (long)k, 0);
}

/* One of these bits, or none of them. */
static void
allow_bits(struct program *p, uint32_t k, bool set)
{
	put(p, BPF_JMP | BPF_JSET | BPF_K, k, set ? 0 : 1, set ? 1 : 0);
	answer(p, 0);
}

/* ---- the calls */

/* What every session does, and what a C library does on its own; nothing of it opens a file. */
static const long always[] = {
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_close,
	SYS_lseek,
	SYS_fstat,
	SYS_newfstatat, /* fstat(3), and the next one */
#ifdef SYS_statx
	SYS_statx,
#endif
	SYS_ppoll,
	SYS_pselect6,
	SYS_dup,
	SYS_dup3,
	SYS_pipe2,
	SYS_ftruncate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_flock,
#ifdef SYS_poll
	SYS_poll,
	SYS_select,
	SYS_pipe,
	SYS_dup2,
#endif
#ifdef SYS_close_range
	SYS_close_range,
#endif
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
#ifdef SYS_memfd_create
	SYS_memfd_create,
#endif
	SYS_futex,
	SYS_set_robust_list,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_membarrier,
#ifdef SYS_rseq
	SYS_rseq,
#endif
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
#ifdef SYS_time
	SYS_time,
	SYS_getpgrp,
#endif
	SYS_getrandom,
	SYS_uname,
	SYS_sysinfo,
	SYS_getrusage,
	SYS_umask,
	SYS_getpid,
	SYS_gettid,
	SYS_getppid,
	SYS_getpgid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_wait4,
	SYS_waitid,
	SYS_exit,
	SYS_exit_group,
	SYS_getsockopt,
	SYS_getsockname,
	SYS_getpeername,
	SYS_shutdown,
	/* to give up more */
	SYS_seccomp,
#ifdef SYS_landlock_create_ruleset
	SYS_landlock_create_ruleset,
	SYS_landlock_add_rule,
	SYS_landlock_restrict_self,
#endif
};

/* Which files, is Landlock's to say. */
static const long paths[] = {
	SYS_openat,
	SYS_faccessat,
	SYS_readlinkat,
	SYS_getdents64,
	SYS_getcwd,
	SYS_mkdirat,
	SYS_unlinkat,
	SYS_renameat2,
	SYS_linkat,
	SYS_sync,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_open
	SYS_open,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
	SYS_mkdir,
	SYS_unlink,
	SYS_rename,
	SYS_link,
#endif
};

static const long logs[] = { SYS_connect, SYS_sendto, SYS_sendmsg };
static const long net[] = { SYS_bind, SYS_setsockopt, SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg,
	SYS_recvmmsg };

/*
 * Refused as something that is not permitted. To everything else the answer is that there is no
 * such call, upon which a library takes an older one.
 */
static const long refused[] = {
	SYS_execve,
	SYS_execveat,
	SYS_clone,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_openat,
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_sendto,
	SYS_sendmsg,
	SYS_fchmod,
	SYS_fchmodat,
	SYS_fchown,
	SYS_fchownat,
	SYS_truncate,
	SYS_mount,
	SYS_unshare,
	SYS_setns,
	SYS_chroot,
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
	SYS_open,
	SYS_chmod,
	SYS_chown,
#endif
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
_Static_assert(
    2 * (COUNT(always) + COUNT(paths) + COUNT(logs) + COUNT(net) + COUNT(refused)) + 120 <
	PROGRAM_MAX,
    "PROGRAM_MAX is too small");

static void
settle_all(struct program *p, const long *list, size_t n, int error)
{
	size_t i;

	for (i = 0; i < n; i++)
		settle(p, list[i], error);
}

/* Memory; that can be run only where libraries may have to be loaded. */
static void
allow_memory(struct program *p, bool run)
{
	static const long calls[] = { SYS_mmap, SYS_mprotect };
	unsigned short at;
	size_t i;

	for (i = 0; i < COUNT(calls); i++)
		if (run)
			settle(p, calls[i], 0);
		else {
			at = begin(p, calls[i], 2);
			allow_bits(p, PROT_EXEC, false);
			end(p, at);
		}
}

/*
 * Files and terminals: but not who is told of what happens there (F_SETOWN, F_SETSIG), which is a
 * way to signal others, and nothing is typed (TIOCSTI).
 */
static void
allow_descriptors(struct program *p, bool prompt)
{
	static const uint32_t files[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD,
		F_DUPFD_CLOEXEC };
	/* the second of each is of a newer C library: TCGETS2, TCSETS2, TCSETSW2, TCSETSF2 */
	static const uint32_t ask[] = { TCGETS, 0x802c542a, TIOCGWINSZ, TIOCGPGRP, TIOCOUTQ,
		FIONREAD };
	static const uint32_t change[] = { TCSETS, 0x402c542b, TCSETSW, 0x402c542c, TCSETSF,
		0x402c542d };
	unsigned short at = begin(p, SYS_fcntl, 1);
	size_t i;

	for (i = 0; i < COUNT(files); i++)
		allow_value(p, files[i]);
	end(p, at);
	at = begin(p, SYS_ioctl, 1);
	for (i = 0; i < COUNT(ask); i++)
		allow_value(p, ask[i]);
	for (i = 0; prompt && i < COUNT(change); i++)
		allow_value(p, change[i]);
	end(p, at);
}

/* What is said of a process may be said of ourselves only. */
static void
allow_processes(struct program *p, const struct confine *needs)
{
	unsigned short at;
	size_t i;

	at = begin(p, SYS_prlimit64, 0);
	allow_value(p, 0);
	end(p, at);
	at = begin(p, SYS_prctl, 0);
	allow_value(p, PR_SET_NO_NEW_PRIVS);
	allow_value(p, PR_SET_DUMPABLE);
	end(p, at);
	if (needs->parent) {
		settle(p, SYS_kill, 0);
		return;
	}
	at = begin(p, SYS_kill, 0);
	for (i = 0; i < CONFINE_CHILDREN; i++)
		if (needs->children[i] > 0)
			allow_value(p, (uint32_t)needs->children[i]);
	if (needs->prompt) /* Ctrl-C, which readpassphrase(3) passes on to us */
		allow_value(p, (uint32_t)getpid());
	end(p, at);
}

static void
allow_sockets(struct program *p, enum confine_sockets sockets)
{
	unsigned short at;

	if (sockets == SOCKETS_NONE)
		return;
	settle_all(p, logs, COUNT(logs), 0);
	at = begin(p, SYS_socket, 0);
	if (sockets >= SOCKETS_NET) {
		allow_value(p, AF_INET);
		allow_value(p, AF_INET6);
		allow_value(
		    p, AF_NETLINK); /* which addresses there are, getaddrinfo(3) wants to know */
	}
	/* by a connection, others of the same user could be asked to start programs */
	if (sockets == SOCKETS_LOCAL)
		allow_value(p, AF_UNIX);
	else {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 4);
		look_at(p, ARGUMENT(1));
		put(p, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), 0, 0);
		allow_value(p, SOCK_DGRAM);
	}
	end(p, at);
	if (sockets < SOCKETS_NET)
		return;
	settle_all(p, net, COUNT(net), 0);
	at = begin(p, SYS_clone, 0);
	allow_bits(p, CLONE_THREAD, true);
	end(p, at);
}

/* See cork.h; of a socket that is there already. */
static void
allow_cork(struct program *p)
{
	unsigned short at = begin(p, SYS_setsockopt, 1);

	put(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3);
	look_at(p, ARGUMENT(2));
	allow_value(p, TCP_CORK);
	end(p, at);
}

bool
filter_calls(const struct confine *needs)
{
	struct program p = { .n = 0 };
	struct sock_fprog whole = { .filter = p.v };
	bool named = needs->read || needs->state != NULL || needs->spool != NULL || needs->prompt ||
	    needs->sockets >= SOCKETS_NET;
	size_t i;

	for (i = 0; i < CONFINE_FILES; i++)
		named |= needs->files[i] != NULL;
	/* the same calls have other numbers elsewhere: in programs of 32 bits */
	look_at(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	answer(&p, ENOSYS);
	look_at(&p, offsetof(struct seccomp_data, nr));
	settle_all(&p, always, COUNT(always), 0);
	if (named)
		settle_all(&p, paths, COUNT(paths), 0);
	allow_memory(&p, needs->read || needs->sockets >= SOCKETS_NET);
	allow_descriptors(&p, needs->prompt);
	allow_processes(&p, needs);
	allow_sockets(&p, needs->sockets);
	if (needs->sockets < SOCKETS_NET)
		allow_cork(&p);
	settle_all(&p, refused, COUNT(refused), EPERM);
	answer(&p, ENOSYS);
	whole.len = p.n;
	/* all threads, as one that looks up a name may have been left behind */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole) ==
	    0;
}
#else
bool
filter_calls(const struct confine *needs)
{
	(void)needs;
	return false;
}
#endif
