/* Any bytes as a plan: what is taken is written back the same, byte for byte, keeps the rules its
 * readers rely on, and what opens as a plan of some kind of machine can be measured. */
#include "attest/measure/expect.h"
#include "attest/measure/plain.h"
#include "attest/measure/snp/plan.h"
#include "attest/measure/tdx/expect.h"
#include "attest/measure/tdx/plan.h"
#include "common/start_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_back(const struct plan *p, const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	uint8_t *copy = malloc(size);

	if (copy == NULL || plan_file_size(p) != size || plan_write(p, copy, size, &e) < 0 ||
	    memcmp(copy, data, size) != 0)
		abort();
	free(copy);
}

static void keep_region_rules(const struct plan *p)
{
	int shared = 0, confidential = p->tee != PLAN_TEE_PLAIN;

	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *g = &p->region[i];
		if ((g->data != NULL) != plan_has_bytes(g->type) || g->size == 0 ||
		    g->gpa % PLAN_PAGE != 0 || g->gpa + g->size > 1ull << 46)
			abort();
		if (g->data == NULL && g->size % PLAN_PAGE != 0)
			abort();
		if (!confidential && g->type > PLAN_CMDLINE)
			abort();
		if ((g->type == PLAN_CPUID_PAGE || g->type == PLAN_SECRETS_PAGE) &&
		    p->tee != PLAN_TEE_SNP)
			abort();
		if ((g->type == PLAN_RESET_PAGE || g->type == PLAN_MAILBOX) &&
		    p->tee != PLAN_TEE_TDX)
			abort();
		shared |= !plan_is_launched(g->type);
		if (confidential && shared && plan_is_launched(g->type))
			abort();
	}
}

static void keep_snp_rules(const struct plan *p)
{
	struct start_state start;

	if (p->tee != PLAN_TEE_SNP) {
		if ((p->snp.cpus | p->snp.policy | p->snp.ap_rip) != 0)
			abort();
		return;
	}
	start_state_of(p, 1, &start);
	if (p->snp.cpus > p->max_cpus || start.sev_features != 1 ||
	    (start.cr3 >> 51) != 1 || start.rip - p->region[0].gpa >= p->region[0].size)
		abort();
}

static void keep_tdx_rules(const struct plan *p)
{
	const struct plan_region *reset = plan_find(p, PLAN_RESET_PAGE);

	if (p->tee != PLAN_TEE_TDX) {
		if ((p->tdx.attributes | p->tdx.xfam | p->tdx.gpaw) != 0)
			abort();
		return;
	}
	if (p->tdx.attributes != PLAN_TDX_ATTRIBUTES || (p->tdx.xfam & 3) != 3 ||
	    p->tdx.gpaw != TDX_GPAW || p->vcpu.rip != FW_RESET_VECTOR || reset == NULL ||
	    reset->gpa != FW_RESET_PAGE || reset->size != FW_PAGE)
		abort();
}

/* What loaders and the launch digest take for granted of a parsed plan. */
static void keep_rules(const struct plan *p)
{
	keep_region_rules(p);
	keep_snp_rules(p);
	keep_tdx_rules(p);
}

static void measure_plain(const struct plan *p)
{
	static struct expectation x;
	struct plain_contents contents;
	struct expect_base base;
	struct err e = { 0 };

	if (plain_plan_open("input", p, &contents, &e) < 0)
		return;
	if (p->tee != PLAN_TEE_PLAIN || expect_base_make(&contents, &base, &e) < 0)
		abort();
	struct machine m = { .memory = 1u << 30, .cpus = 1, .pci_slots = 2 };
	if (expect_machine(&base, &m, &x, &e) < 0 && e.status != EX_USAGE_ERROR)
		abort();
}

static int count_step(void *arg, const struct snp_step *step, struct err *e)
{
	uint32_t *pages = arg;

	(void)e;
	if (step->number != ++*pages)
		abort();
	return 0;
}

static void measure_snp(const struct plan *p)
{
	uint32_t cpus = p->snp.cpus == 0 ? p->max_cpus : p->snp.cpus;
	uint32_t pages = 0, need = cpus + (FW_SCRATCH_SIZE / FW_PAGE) + 3;
	uint8_t ld[SNP_DIGEST_SIZE];
	struct plain_contents contents;
	struct err e = { 0 };

	if (snp_plan_open("input", p, &contents, &e) < 0)
		return;
	need += (uint32_t)(p->region[0].size / FW_PAGE);
	if (p->tee != PLAN_TEE_SNP || snp_measure_cpus(p, cpus, count_step, &pages, ld, &e) < 0 ||
	    pages != need)
		abort();
}

static int count_td_step(void *arg, const struct mrtd_step *step, struct err *e)
{
	uint32_t *pages = arg;

	(void)e;
	if (step->number != ++*pages || !step->added)
		abort();
	return 0;
}

static void measure_tdx(const struct plan *p)
{
	static struct tdx_expectation x;
	uint32_t pages = 0, need = (FW_SCRATCH_SIZE / FW_PAGE) + 3;
	struct plain_contents contents;
	struct tdx_measured measured;
	struct expect_base base;
	struct err e = { 0 };

	if (tdx_plan_open("input", p, &contents, &e) < 0)
		return;
	need += (uint32_t)(p->region[0].size / FW_PAGE);
	if (p->tee != PLAN_TEE_TDX || tdx_measure(p, count_td_step, &pages, &measured, &e) < 0 ||
	    pages != need || measured.pages != need ||
	    measured.extended != need - FW_SCRATCH_SIZE / FW_PAGE ||
	    expect_base_make(&contents, &base, &e) < 0)
		abort();
	struct machine m = { .memory = 1u << 30, .cpus = 1, .pci_slots = 2 };
	if (tdx_expect(&base, &m, &x, &e) < 0 && e.status != EX_USAGE_ERROR)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct plan p;

	if (plan_parse("input", data, size, &p, &e) < 0)
		return 0;
	write_back(&p, data, size);
	keep_rules(&p);
	measure_plain(&p);
	measure_snp(&p);
	measure_tdx(&p);
	return 0;
}
