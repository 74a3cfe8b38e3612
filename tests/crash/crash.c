/* crash: kill -9 at every fault point of pavise-launch and at random times; what is left?
 *
 *   crash --launcher PROGRAM --plain PROGRAM --points FILE --inputs DIR --disks DIR --work DIR
 *         [--run-dir DIR] [--cgroup DIR] [--required] [--only SETUP] [--where FILE.c]...
 *         [--not-reached FILE] [--seed N] [--rounds N] points|planted|swarm
 *
 * Prints what leaked after which fault; the last line is "crash: N faults, N leaks", and the status
 * is 0 when nothing leaked. `planted` ends with "crash: N leaks planted, N named". */
#include "tests/crash/suite.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct arguments {
	const char *points, *run, *cgroup, *not_reached, *only;
	uint32_t seed;
	unsigned rounds;
};

static bool read_arguments(int argc, char **argv, struct suite *suite, struct arguments *a)
{
	struct scene *s = &suite->scene;
	static const struct option options[] = {
		{ "launcher", 1, NULL, 'l' }, { "plain", 1, NULL, 'p' },
		{ "points", 1, NULL, 'f' },   { "inputs", 1, NULL, 'i' },
		{ "disks", 1, NULL, 'd' },    { "work", 1, NULL, 'w' },
		{ "run-dir", 1, NULL, 'r' },  { "cgroup", 1, NULL, 'c' },
		{ "required", 0, NULL, 'R' }, { "seed", 1, NULL, 's' },
		{ "only", 1, NULL, 'o' },     { "not-reached", 1, NULL, 'n' },
		{ "where", 1, NULL, 'W' },    { "rounds", 1, NULL, 'N' },
		{ NULL, 0, NULL, 0 },
	};
	int code;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (code) {
		case 'l': s->launcher = optarg; break;
		case 'p': s->plain = optarg; break;
		case 'f': a->points = optarg; break;
		case 'i': s->inputs = optarg; break;
		case 'd': s->disks = optarg; break;
		case 'w': snprintf(s->work, sizeof(s->work), "%s", optarg); break;
		case 'r': a->run = optarg; break;
		case 'c': a->cgroup = optarg; break;
		case 'R': s->required = true; break;
		case 's': a->seed = (uint32_t)strtoul(optarg, NULL, 0); break;
		case 'o': a->only = optarg; break;
		case 'n': a->not_reached = optarg; break;
		case 'N': a->rounds = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'W':
			if (suite->where_count == WHERE_MAX)
				return false;
			suite->where[suite->where_count++] = optarg;
			break;
		default: return false;
		}
	return optind == argc - 1 && s->launcher != NULL && s->plain != NULL && s->inputs != NULL &&
	       s->disks != NULL && s->work[0] != '\0' && a->points != NULL;
}

static void make_place(struct scene *s, const struct arguments *a)
{
	char path[96];
	struct outcome o;

	snprintf(path, sizeof(path), "%s/run", s->work);
	place_init(&s->place, a->run != NULL ? a->run : path, a->cgroup);
	snprintf(path, sizeof(path), "%s/disk", s->disks);
	place_add_disk(&s->place, path);
	snprintf(path, sizeof(path), "%s/disk-ro", s->disks);
	place_add_disk(&s->place, path);
	vm_reclaim(s, &o);
	s->reclaims = WIFEXITED(o.status) && WEXITSTATUS(o.status) == EX_OK;
}

static bool all_points(struct suite *s, const struct arguments *a)
{
	for (unsigned i = 0; i < setup_count; i++)
		if (a->only == NULL || strstr(setups[i].title, a->only) != NULL)
			suite_points(s, &setups[i]);
	unsigned reached = points_reached(&s->points);
	printf("crash: %u fault points in the program, %u reached, %u not (error paths; what only "
	       "labels or cgroups reach)%s%s\n",
	       s->points.count, reached, s->points.count - reached,
	       a->not_reached != NULL ? ": " : "", a->not_reached != NULL ? a->not_reached : "");
	printf("crash: what dies with a launcher was gone after %d ms at most\n", s->slowest);
	return s->faults >= reached && s->missed == 0 &&
	       (a->not_reached == NULL || points_write_others(&s->points, a->not_reached));
}

int main(int argc, char **argv)
{
	static struct suite s;
	struct arguments a = { .cgroup = "/sys/fs/cgroup/pavise", .seed = 1, .rounds = 3 };
	bool good = false;

	if (!read_arguments(argc, argv, &s, &a) || !points_read(a.points, &s.points)) {
		fprintf(stderr, "crash: see the head of tests/crash/crash.c\n");
		return EX_USAGE_ERROR;
	}
	/* Whatever loses its parent becomes this process's child: no process can hide. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	make_place(&s.scene, &a);
	if (strcmp(argv[optind], "planted") == 0)
		return suite_planted(&s) ? EX_OK : EX_INTERNAL;
	if (strcmp(argv[optind], "points") == 0)
		good = all_points(&s, &a);
	if (strcmp(argv[optind], "swarm") == 0)
		good = suite_swarm(&s, a.seed, a.rounds);
	printf("crash: %u faults, %u leaks\n", s.faults, s.leaks);
	return good && s.leaks == 0 ? EX_OK : EX_INTERNAL;
}
