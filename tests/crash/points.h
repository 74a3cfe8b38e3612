/* The fault points that the build found in the launcher (find_points.py). */
#ifndef PAVISE_TESTS_CRASH_POINTS_H
#define PAVISE_TESTS_CRASH_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#define POINTS_MAX 2048

struct point {
	uint32_t offset; /* of the call's return address */
	char called[40];
	char where[48];  /* sandbox/child.c:120 */
	char function[40];
	bool reached[2]; /* by the launcher; by a child */
};

struct points {
	unsigned count;
	struct point point[POINTS_MAX];
};

/* False, with a word on standard error, for a list that cannot be read. */
bool points_read(const char *path, struct points *p);

struct point *points_find(struct points *p, uint32_t offset); /* NULL: no point of the list */

unsigned points_reached(const struct points *p);

/* Writes those that no run reached. */
bool points_write_others(const struct points *p, const char *path);

#endif
