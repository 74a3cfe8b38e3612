/* Counting, and the judgement that every part of the suite ends with: is anything left? */
#ifndef PAVISE_TESTS_CRASH_SUITE_H
#define PAVISE_TESTS_CRASH_SUITE_H

#include "tests/crash/points.h"
#include "tests/crash/vm.h"

#define WHERE_MAX 16

struct suite {
	struct scene scene;
	struct points points;
	const char *where[WHERE_MAX]; /* only points of files that begin so; none: all */
	unsigned where_count;
	unsigned faults;  /* that came about */
	unsigned missed;  /* that did not */
	unsigned leaks;   /* that were found */
	unsigned judged;
	int slowest;      /* ms that what dies with a launcher took to be gone */
};

/* Says what was found, after which fault, and counts it. */
void suite_report(struct suite *s, const char *after, const struct leaks *l);

/* After a fault: the living are gone by themselves, and all the rest is after the next command, in
 * turn --reclaim and the launch of another VM, which then runs. `in_order`: the launcher lived on
 * and has to have cleared up itself. */
void suite_judge(struct suite *s, const char *after, bool in_order);

/* A fault at each point that is reached while a VM of this setup starts and stops. */
void suite_points(struct suite *s, const struct setup *setup);

/* Twenty VMs at once, they and their processes killed at random times. False: too few were. */
bool suite_swarm(struct suite *s, uint32_t seed, unsigned rounds);

/* Leaks made on purpose: true when each was found and named, and counted by the suite. */
bool suite_planted(struct suite *s);

#endif
