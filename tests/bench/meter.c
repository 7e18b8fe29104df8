/*
 * meter - how long a command takes, how much memory, and how much of a processor.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 *
 * usage: meter [-n TIMES] FILE COMMAND ...
 *
 * Runs it with standard input from FILE, TIMES times one after the other, and prints: milliseconds
 * of all of them, the largest resident size in KiB, and milliseconds of processor time of all of
 * them. Fails when the command fails.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	struct rusage use = { 0 };
	long times = 1, rss = 0, i;
	double start, cpu = 0;
	int status, c;
	pid_t pid;

	while ((c = getopt(argc, argv, "+n:")) != -1)
		if (c == 'n')
			times = strtol(optarg, NULL, 10);
		else
			return 64;
	argv += optind;
	if (argc - optind < 2)
		return 64;
	start = now();
	for (i = 0; i < times; i++) {
		if ((pid = fork()) == 0) {
			int in = open(argv[0], O_RDONLY);

			(void)dup2(in, STDIN_FILENO);
			(void)close(in);
			(void)dup2(STDERR_FILENO, STDOUT_FILENO);
			(void)execvp(argv[1], argv + 1);
			perror(argv[1]);
			_exit(127);
		}
		if (wait4(pid, &status, 0, &use) == -1 || status != 0)
			return 1;
		if (use.ru_maxrss > rss)
			rss = use.ru_maxrss;
		cpu += ms(use.ru_utime) + ms(use.ru_stime);
	}
	printf("%.1f %ld %.1f\n", now() - start, rss, cpu);
	return 0;
}
