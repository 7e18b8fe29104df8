/*
 * marks - places in what is sent, and where they end up on the wire.
 *
 * Copyright (c) 2026 The pneu authors
 * SPDX-License-Identifier: ISC
 */
#include "config.h"

#include "marks.h"

void
marks_add(struct marks *m, uint64_t plain, uint64_t wire)
{
	m->v[m->n++ % MARKS] = (struct mark){ plain, wire };
}

static size_t
oldest(const struct marks *m)
{
	return m->n > MARKS ? m->n - MARKS : 0;
}

void
marks_place(struct marks *m, uint64_t plain, uint64_t wire)
{
	size_t i;

	for (i = oldest(m); i < m->n; i++) {
		struct mark *one = &m->v[i % MARKS];

		if (one->wire == 0 && one->plain <= plain)
			one->wire = wire;
	}
}

bool
marks_passed(const struct marks *m, uint64_t plain, uint64_t gone)
{
	size_t i;

	for (i = oldest(m); i < m->n; i++) {
		const struct mark *one = &m->v[i % MARKS];

		if (one->plain == plain)
			return one->wire != 0 && gone >= one->wire;
	}
	return false;
}
