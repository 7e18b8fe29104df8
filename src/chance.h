/*
 * chance - random numbers, of the kernel.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <stddef.h>
#include <stdint.h>

/*
 * `n` octets that nobody can guess, 256 at most. As with memory (str.h): when the system has none,
 * this ends the process with status 75 and a line saying so.
 */
void chance(void *p, size_t n);

/* A number below `n`, which is not 0; each is as likely as the others. */
uint32_t chance_below(uint32_t n);

#endif
