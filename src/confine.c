/*
 * confine - the process gives up what it does not need any more, before it reads what a server
 * says.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include "confine.h"

static int width_now; /* of what is in force, see width(); 0: nothing is given up */

bool
confined(void)
{
	return width_now != 0;
}

/*
 * With sanitizers nothing is given up: they open files of /proc to report, and LeakSanitizer starts
 * a thread beside us that stops the others by ptrace(2).
 */
#if defined(PNEU_SANDBOX) && !defined(PNEU_SANITIZERS)
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "filter.h"
#include "say.h"
#include "state.h"

/* ---- files, by Landlock */

#if defined(SYS_landlock_create_ruleset) && defined(SYS_landlock_add_rule) && \
    defined(SYS_landlock_restrict_self)

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define CHANGE \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define FIRST \
	(CHANGE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	    LANDLOCK_ACCESS_FS_MAKE_SYM)
/* What later versions have, where the header may be older. */
#define MOVE (UINT64_C(1) << 13)    /* LANDLOCK_ACCESS_FS_REFER, without which nobody moves */
#define CUT (UINT64_C(1) << 14)	    /* LANDLOCK_ACCESS_FS_TRUNCATE */
#define CONTROL (UINT64_C(1) << 15) /* LANDLOCK_ACCESS_FS_IOCTL_DEV */
#define TCP UINT64_C(3)		    /* LANDLOCK_ACCESS_NET_BIND_TCP, CONNECT_TCP */
#define ABSTRACT UINT64_C(1)	    /* LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET */
#define SIGNALS (UINT64_C(1) << 1)  /* LANDLOCK_SCOPE_SIGNAL */

/* struct landlock_ruleset_attr as of version 6; older kernels take its beginning. */
struct rules {
	uint64_t files, net, scopes;
};

/* The newest rules that the kernel has: their descriptor, and in *r what they are about. */
static int
new_rules(const struct confine *needs, struct rules *r)
{
	static const struct {
		uint64_t files;
		size_t size;
	} versions[] = {
		{ FIRST | MOVE | CUT | CONTROL, sizeof(struct rules) },
		{ FIRST | MOVE | CUT | CONTROL, sizeof(uint64_t) },
		{ FIRST | MOVE | CUT, sizeof(uint64_t) },
		{ FIRST | MOVE, sizeof(uint64_t) },
		{ FIRST, sizeof(uint64_t) },
	};
	/* the first version lets nothing move between directories */
	size_t i, n = sizeof versions / sizeof versions[0] - (needs->spool != NULL);
	int fd = -1;

	r->net = needs->sockets >= SOCKETS_NET ? 0 : TCP;
	r->scopes = ABSTRACT;
	/* who was there before is out of reach then, our own children among them */
	if (!needs->parent && needs->children[0] == 0 && needs->children[1] == 0)
		r->scopes |= SIGNALS;
	for (i = 0; fd == -1 && i < n; i++) {
		r->files = versions[i].files;
		fd = (int)syscall(SYS_landlock_create_ruleset, r, versions[i].size, 0);
		if (fd == -1 && errno != EINVAL && errno != E2BIG)
			break;
	}
	return fd;
}

/* Allow this at `path` and below. -1 with errno: there is no such file, or no such rule. */
static int
allow_path(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	int r, e;

	if ((rule.parent_fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return -1;
	r = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	e = errno;
	(void)close(rule.parent_fd);
	errno = e;
	return r;
}

/* To read a directory with all that is in it, or a file, of which the kernel takes fewer rights. */
static void
allow_reading(int rules, const char *path)
{
	if (allow_path(rules, path, READ) == -1 && errno == EINVAL)
		(void)allow_path(rules, path, LANDLOCK_ACCESS_FS_READ_FILE);
}

static void
allow_state(int rules, const char *dir, uint64_t access)
{
	if (allow_path(rules, dir, access) == 0 || errno != ENOENT)
		return;
	state_directories(dir);
	(void)allow_path(rules, dir, access);
}

/*
 * What getaddrinfo(3) and getpwuid(3) read. A file that is replaced by another one is no longer the
 * one that was allowed, so for a long time it takes the whole directory.
 */
static void
allow_resolver(int rules, bool lasting)
{
	static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
		"/etc/gai.conf", "/etc/host.conf", "/etc/services", "/etc/protocols", "/etc/passwd",
		"/etc/localtime", "/etc/ld.so.cache", "/etc/mailname", "/usr", "/lib", "/lib64",
		"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/nix/store",
		"/gnu/store", NULL };
	size_t i;

	for (i = 0; files[i] != NULL; i++)
		allow_reading(rules, files[i]);
	if (lasting)
		allow_reading(rules, "/etc");
}

static bool
confine_files(const struct confine *needs)
{
	struct rules r;
	int rules = new_rules(needs, &r);
	size_t i;
	bool done;

	if (rules == -1)
		return false;
	if (needs->read)
		allow_reading(rules, "/");
	else if (needs->sockets >= SOCKETS_NET)
		allow_resolver(rules, needs->lasting);
	for (i = 0; i < CONFINE_FILES; i++)
		if (needs->files[i] != NULL && !needs->read)
			(void)allow_path(rules, needs->files[i], LANDLOCK_ACCESS_FS_READ_FILE);
	if (needs->state != NULL)
		allow_state(rules, needs->state, r.files & (CHANGE | CUT));
	if (needs->spool != NULL)
		(void)allow_path(rules, needs->spool, r.files & (CHANGE | CUT | MOVE));
	if (needs->prompt)
		(void)allow_path(rules, "/dev/tty",
		    r.files &
			(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | CONTROL));
	done = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	(void)close(rules);
	return done;
}
#else
static bool
confine_files(const struct confine *needs)
{
	(void)needs;
	return false;
}
#endif

/* How much these needs leave, for comparing. */
static int
width(const struct confine *needs)
{
	return 1 + (int)needs->sockets + 4 * needs->read;
}

void
confine(const struct confine *needs)
{
	bool files, calls;

	if ((width_now != 0 && width_now <= width(needs)) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return;
	width_now = width(needs);
	if (needs->sockets == SOCKETS_LOG)
		tzset(); /* syslog(3) has the time in its lines */
	files = confine_files(needs);
	calls = filter_calls(needs);
	say_event("confined from here on: %s, %s%s",
	    !files				? "files as before"
		: needs->read			? "files for reading"
		: needs->sockets >= SOCKETS_NET ? "files of ours and of the resolver"
						: "no files but our own",
	    !calls				? "system calls as before"
		: needs->sockets >= SOCKETS_NET ? "connections, no programs"
						: "no connections, no programs",
	    !files && !calls ? " (this kernel has nothing for it)" : "");
}

#else

void
confine(const struct confine *needs)
{
	(void)needs;
}
#endif
