#include "tests/crash/suite.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GONE_MS 5000 /* for children of a dead launcher to follow it */

void suite_report(struct suite *s, const char *after, const struct leaks *l)
{
	for (unsigned i = 0; i < l->count && i < LEAKS_KEPT; i++)
		printf("LEAK after %s: %s\n", after, l->text[i]);
	s->leaks += l->count;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	if (where->level > 0 && strcmp(path + where->base, ".pairs") != 0)
		(void)remove(path);
	return 0;
}

/* One leak is one finding: not another one after each fault that follows. */
static void scrub(const struct place *p)
{
	for (unsigned i = 0; i < p->disk_count; i++)
		if (p->disk[i].label[0] != '\0')
			(void)place_set_label(p, i, p->disk[i].label);
	nftw(p->run, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool nothing_left(struct suite *s, const char *after, const char *when)
{
	char text[256];
	struct leaks l;

	leaks_of_all(&s->scene.place, &l);
	if (l.count == 0)
		return true;
	snprintf(text, sizeof(text), "%s, %s", after, when);
	suite_report(s, text, &l);
	scrub(&s->scene.place);
	return false;
}

static void must_work(struct suite *s, const char *after, const char *what,
		      const struct outcome *o)
{
	if (WIFEXITED(o->status) && WEXITSTATUS(o->status) == EX_OK)
		return;
	printf("LEAK after %s: %s: status %#x: %s\n", after, what, (unsigned)o->status, o->output);
	s->leaks++;
}

void suite_judge(struct suite *s, const char *after, bool in_order)
{
	struct place *p = &s->scene.place;
	struct outcome o;
	struct leaks l;

	place_note_pairs(p);
	int ms = leaks_await(p, GONE_MS, &l);
	if (ms < 0)
		suite_report(s, after, &l);
	if (ms > s->slowest)
		s->slowest = ms;
	if (in_order)
		nothing_left(s, after, "as the launcher ended in order");
	/* The next command is the one as often as the other. */
	if (s->scene.reclaims && s->judged++ % 2 == 0) {
		vm_reclaim(&s->scene, &o);
		must_work(s, after, "--reclaim", &o);
		nothing_left(s, after, "when --reclaim was done");
	} else {
		vm_run(&s->scene, &next_setup, NULL, &o);
		must_work(s, after, "the next VM", &o);
		nothing_left(s, after, "when the next VM was done");
	}
}
