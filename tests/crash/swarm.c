/* Twenty VMs at once; launchers, and processes of VMs, are killed at random times, some VMs started
 * again under their names while the others run. What is chosen follows from the seed; when a kill
 * meets a VM does not, and need not: no time may be a bad one. */
#include "tests/crash/suite.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VMS 20
#define EVENTS 60
#define PAUSE_US 40000 /* between two events, at most */
#define END_MS 60000

/* A tiny guest; the read-only disk is one for all of them. */
static const struct setup kind = {
	.title = "swarm", .plan = "guest", .programs = "real",
	.args = { "--no-vtpm", "--disk-ro-fd", "7" },
};

struct swarm {
	uint32_t state; /* of the generator */
	pid_t launcher[VMS]; /* 0: ended */
	unsigned kills;
};

/* xorshift32 (Marsaglia 2003): the same choices for the same seed. */
static uint32_t draw(struct swarm *w, uint32_t below)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 17;
	w->state ^= w->state << 5;
	return w->state % below;
}

static void start_one(struct suite *s, struct swarm *w, unsigned i)
{
	char name[16];

	snprintf(name, sizeof(name), "vm-%u", i);
	w->launcher[i] = vm_start(&s->scene, &kind, s->scene.plain, name, NULL);
}

static void reap(struct swarm *w)
{
	for (unsigned i = 0; i < VMS; i++)
		if (w->launcher[i] > 0 && waitpid(w->launcher[i], NULL, WNOHANG) != 0)
			w->launcher[i] = 0;
}

/* One of the children of a launcher; 0: it has none now. */
static pid_t some_child(struct swarm *w, pid_t launcher)
{
	char path[64], text[256] = "", *rest = text, *end;
	long child[16];
	unsigned count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)launcher, (int)launcher);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	fclose(f);
	for (; count < 16 && (child[count] = strtol(rest, &end, 10)) > 0; rest = end)
		count++;
	return count == 0 ? 0 : (pid_t)child[draw(w, count)];
}

static void one_event(struct suite *s, struct swarm *w)
{
	unsigned i = draw(w, VMS), what = draw(w, 5);

	reap(w);
	if (w->launcher[i] == 0) {
		start_one(s, w, i);
		return;
	}
	pid_t victim = what < 2 ? w->launcher[i] : what < 4 ? some_child(w, w->launcher[i]) : 0;
	if (victim > 0 && kill(victim, SIGKILL) == 0)
		w->kills++;
}

static void stop_all(struct suite *s, struct swarm *w)
{
	for (unsigned i = 0; i < VMS; i++)
		if (w->launcher[i] > 0)
			kill(w->launcher[i], SIGTERM);
	for (int ms = 0; ms < END_MS; ms++) {
		unsigned left = 0;
		reap(w);
		for (unsigned i = 0; i < VMS; i++)
			left += w->launcher[i] > 0;
		if (left == 0)
			return;
		usleep(1000);
	}
	printf("LEAK after the swarm: a launcher that does not end\n");
	s->leaks++;
}

bool suite_swarm(struct suite *s, uint32_t seed, unsigned rounds)
{
	struct swarm w = { .state = seed != 0 ? seed : 1 };
	char after[64];

	printf("swarm: seed %u\n", seed);
	for (unsigned round = 1; round <= rounds; round++) {
		unsigned before = w.kills;
		for (unsigned i = 0; i < VMS; i++)
			start_one(s, &w, i);
		for (unsigned event = 0; event < EVENTS; event++) {
			usleep(draw(&w, PAUSE_US));
			one_event(s, &w);
		}
		place_note_pairs(&s->scene.place);
		stop_all(s, &w);
		snprintf(after, sizeof(after), "%d VMs, seed %u, round %u", VMS, seed, round);
		suite_judge(s, after, false);
		printf("swarm: round %u: %d VMs, %u processes killed\n", round, VMS,
		       w.kills - before);
	}
	s->faults += w.kills;
	return w.kills >= rounds * VMS / 2;
}
