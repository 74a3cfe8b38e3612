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

static void print_phase(const char *name, const char *phase, double seconds, double whole)
{
	fprintf(stderr, "%s: timing: %-12s %9.3f s %5.1f %%\n", name, phase, seconds,
		100 * seconds / whole);
}

/* What launch, seal and guest are made of, by the VMM's clock. Each phase begins with a moment and
 * ends with the next that came: a guest that the firmware stopped was in the firmware to its end. */
static void print_vmm(const struct timings *t, const char *name, double whole)
{
	static const char *const text[VM_MOMENT_ENDED] = {
		"VMM start",
		[VM_MOMENT_MADE] = "VMM load",
		[VM_MOMENT_LOADED] = "VMM seal",
		[VM_MOMENT_RUNS] = "firmware",
		[VM_MOMENT_HANDED_OVER] = "kernel",
	};
	int begun = 0; /* t->vmm[0]: the VMM's own start, 0 */

	for (int m = VM_MOMENT_MADE; m <= VM_MOMENT_ENDED; m++) {
		if (t->vmm[m] == 0)
			continue;
		print_phase(name, text[begun], (t->vmm[m] - (double)t->vmm[begun]) / 1e6, whole);
		begun = m;
	}
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
		print_phase(name, phase_text[i], (double)(t->at[i] - before) / 1e6, whole);
		before = t->at[i];
	}
	print_phase(name, "all", whole, whole);
	print_vmm(t, name, whole);
}
