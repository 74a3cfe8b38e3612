#include "sandbox/timings.h"

#include <stdio.h>
#include <time.h>

static const char *const phase_text[TIMING_COUNT] = {
	[TIMING_PREPARE] = "prepare",  [TIMING_VTPM] = "vtpm",     [TIMING_DEVICES] = "devices",
	[TIMING_PLATFORM] = "platform", [TIMING_READY] = "launch",   [TIMING_SEALED] = "seal",
	[TIMING_GUEST] = "guest",      [TIMING_CLEANUP] = "clean-up",
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void timings_start(struct timings *t)
{
	*t = (struct timings){ .start = now_us() };
}

void timings_mark(struct timings *t, enum timing phase)
{
	t->at[phase] = now_us();
}

bool timings_take(struct timings *t, uint32_t moment, uint32_t value)
{
	if (moment < VM_MOMENT_MADE || moment >= VM_MOMENTS)
		return false;
	t->vmm[moment] = value;
	return true;
}

/* Inside launch and guest, by the VMM's clock. */
static void print_vmm(const struct timings *t, const char *name)
{
	static const char *const text[VM_MOMENTS] = {
		[VM_MOMENT_MADE] = "machine made",
		[VM_MOMENT_LOADED] = "plan loaded",
		[VM_MOMENT_RUNS] = "guest runs",
		[VM_MOMENT_HANDED_OVER] = "firmware handed over",
		[VM_MOMENT_ENDED] = "guest ended",
	};

	for (int m = VM_MOMENT_MADE; m < VM_MOMENTS; m++)
		if (t->vmm[m] != 0 && text[m] != NULL)
			fprintf(stderr, "%s: timing: VMM at   %9.3f s %s\n", name, t->vmm[m] / 1e6,
				text[m]);
	if (t->vmm[VM_MOMENT_PAGES] != 0)
		fprintf(stderr, "%s: timing: pages encrypted by the launch: %u\n", name,
			t->vmm[VM_MOMENT_PAGES]);
}

void timings_print(const struct timings *t, const char *name)
{
	int64_t before = t->start, last = t->start;

	for (int i = 0; i < TIMING_COUNT; i++)
		last = t->at[i] > last ? t->at[i] : last;
	double whole = last > t->start ? (double)(last - t->start) / 1e6 : 1e-6;
	for (int i = 0; i < TIMING_COUNT; i++) {
		if (t->at[i] == 0)
			continue;
		double s = (double)(t->at[i] - before) / 1e6;
		fprintf(stderr, "%s: timing: %-8s %9.3f s %5.1f %%\n", name, phase_text[i], s,
			100 * s / whole);
		before = t->at[i];
	}
	fprintf(stderr, "%s: timing: %-8s %9.3f s\n", name, "all", whole);
	print_vmm(t, name);
}
