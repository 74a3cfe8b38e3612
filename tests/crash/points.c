#include "tests/crash/points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool points_read(const char *path, struct points *p)
{
	char line[256];
	FILE *f = fopen(path, "re");

	p->count = 0;
	while (f != NULL && p->count < POINTS_MAX && fgets(line, sizeof(line), f) != NULL) {
		struct point *next = &p->point[p->count];
		*next = (struct point){ 0 };
		char *rest;
		next->offset = (uint32_t)strtoul(line, &rest, 16);
		if (sscanf(rest, " %39s %47s %39s", next->called, next->where, next->function) == 3)
			p->count++;
	}
	bool all = f != NULL && feof(f) && p->count > 0;
	if (!all)
		fprintf(stderr, "crash: %s: no list of fault points: %s\n", path, strerror(errno));
	if (f != NULL)
		fclose(f);
	return all;
}

struct point *points_find(struct points *p, uint32_t offset)
{
	for (unsigned i = 0; i < p->count; i++)
		if (p->point[i].offset == offset)
			return &p->point[i];
	return NULL;
}

unsigned points_reached(const struct points *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < p->count; i++)
		count += p->point[i].reached[0] || p->point[i].reached[1];
	return count;
}

bool points_write_others(const struct points *p, const char *path)
{
	FILE *f = fopen(path, "we");

	if (f == NULL) {
		fprintf(stderr, "crash: %s: %s\n", path, strerror(errno));
		return false;
	}
	for (unsigned i = 0; i < p->count; i++)
		if (!p->point[i].reached[0] && !p->point[i].reached[1])
			fprintf(f, "%s %s %s\n", p->point[i].where, p->point[i].function,
				p->point[i].called);
	return fclose(f) == 0;
}
