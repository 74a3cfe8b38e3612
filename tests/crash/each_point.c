/* A fault at each point that one kind of VM reaches. */
#include "tests/crash/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define PASSAGES_MAX 65536
#define ATTEMPTS 4
#define LABEL_WRITER "fsetfilecon_raw"

/* Passages of one call by the launcher, or by its children. */
struct group {
	uint32_t offset, child;
	uint32_t first, last; /* numbers among all passages of the call */
};

static unsigned group_passages(const struct passage *p, int count, struct group *out)
{
	static uint32_t passed[POINTS_MAX]; /* by group of either kind */
	unsigned groups = 0;

	for (int i = 0; i < count; i++) {
		uint32_t number = 0;
		unsigned mine = groups;
		for (unsigned g = 0; g < groups; g++)
			if (out[g].offset == p[i].offset) {
				number += passed[g];
				if (out[g].child == p[i].child)
					mine = g;
			}
		if (mine == groups && groups < POINTS_MAX) {
			out[groups] = (struct group){ p[i].offset, p[i].child, number + 1, 0 };
			passed[groups++] = 0;
		}
		if (mine < groups) {
			out[mine].last = number + 1;
			passed[mine]++;
		}
	}
	return groups;
}

static const char *who(bool child, bool kill_launcher)
{
	return !child ? "launcher killed" : kill_launcher ? "launcher killed as a child was" :
							    "child killed";
}

/* False when the run never came to it. A wait may be passed once less the next time: then it is the
 * passage before. */
static bool one_fault(struct suite *s, const struct setup *setup, const struct group *g,
		      uint32_t number, bool kill_launcher)
{
	const struct point *point = points_find(&s->points, g->offset);
	char fault[64], after[256];
	struct outcome o = { .hit = false };

	for (int i = 0; i < ATTEMPTS && !o.hit; i++) {
		snprintf(fault, sizeof(fault), "%s:9:%x:%u", kill_launcher ? "launcher" : "kill",
			 g->offset, number);
		snprintf(after, sizeof(after), "%s: %s at %s (%s, %s), passage %u", setup->title,
			 who(g->child, kill_launcher), point->called, point->where,
			 point->function, number);
		vm_run(&s->scene, setup, fault, &o);
		const bool killed = WIFSIGNALED(o.status) && WTERMSIG(o.status) == SIGKILL;
		/* A launcher that was killed as its child was cannot say so. */
		o.hit = o.hit || (killed && o.status != -1);
		if (o.status == -1)
			printf("LEAK after %s: the launcher hangs: %s\n", after, o.output);
		s->leaks += o.status == -1;
		suite_judge(s, after, !killed);
		if (number > g->first)
			number--;
	}
	s->faults += o.hit;
	return o.hit;
}

static bool is_wanted(const struct suite *s, const struct point *point)
{
	for (unsigned i = 0; i < s->where_count; i++)
		if (strncmp(point->where, s->where[i], strlen(s->where[i])) == 0)
			return true;
	return s->where_count == 0;
}

/* The lab is slow: the last passage alone, but each of the call that writes labels, for what it is
 * that it writes to is what counts. No helper: in the launcher's domain it may not kill. */
static unsigned faults_in_the_lab(struct suite *s, const struct setup *setup,
				  const struct group *g, const struct point *point)
{
	const bool each = strcmp(point->called, LABEL_WRITER) == 0;
	unsigned missed = 0;

	for (uint32_t n = each ? g->first : g->last; n <= g->last; n++)
		missed += !one_fault(s, setup, g, n, false);
	return missed;
}

/* The first passage and the last; of a call that a setup before had its faults at, the launcher's
 * last alone. Returns how many did not come about. */
static unsigned faults_of(struct suite *s, const struct setup *setup, const struct group *g,
			  struct point *point)
{
	const bool again = point->reached[g->child];
	unsigned missed = 0;

	point->reached[g->child] = true;
	if (again && g->child)
		return 0;
	if (s->scene.required)
		return faults_in_the_lab(s, setup, g, point);
	if (!again && g->first != g->last) {
		missed += !one_fault(s, setup, g, g->first, false);
		if (g->child)
			missed += !one_fault(s, setup, g, g->first, true);
	}
	missed += !one_fault(s, setup, g, g->last, false);
	if (g->child)
		missed += !one_fault(s, setup, g, g->last, true);
	return missed;
}

void suite_points(struct suite *s, const struct setup *setup)
{
	static struct passage passage[PASSAGES_MAX];
	static struct group group[POINTS_MAX];
	unsigned missed = 0, before = s->faults;
	int count = vm_record(&s->scene, setup, passage, PASSAGES_MAX);

	if (count < 0) {
		s->leaks++;
		return;
	}
	suite_judge(s, setup->title, true);
	unsigned groups = group_passages(passage, count, group);
	for (unsigned i = 0; i < groups; i++) {
		struct point *point = points_find(&s->points, group[i].offset);
		if (point != NULL && is_wanted(s, point))
			missed += faults_of(s, setup, &group[i], point);
	}
	printf("%s: %d passages of %u calls, %u faults, %u that did not come about\n", setup->title,
	       count, groups, s->faults - before, missed);
	s->missed += missed;
	fflush(stdout);
}
