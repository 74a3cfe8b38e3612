/* Replays a launch: the pages in the order in which the VMM adds them, then the VMSAs. */
#include "attest/measure/snp/plan.h"
#include "attest/measure/snp/vmsa.h"
#include "common/start_state.h"

#include <string.h>

struct replay {
	struct snp_digest digest;
	uint32_t pages;
	snp_step_fn *each;
	void *arg;
};

static int add(struct replay *r, enum snp_page_type type, uint64_t gpa, const uint8_t *page,
	       const char *what, uint32_t index, struct err *e)
{
	int status = snp_digest_add(&r->digest, type, gpa, page, e);

	r->pages++;
	if (status < 0 || r->each == NULL)
		return status;
	struct snp_step step = { .number = r->pages,
				 .type = type,
				 .gpa = gpa,
				 .what = what,
				 .index = index,
				 .digest = r->digest.value };
	return r->each(r->arg, &step, e);
}

static enum snp_page_type page_type(enum plan_region_type type)
{
	switch (type) {
	case PLAN_ZERO:
		return SNP_PAGE_ZERO;
	case PLAN_CPUID_PAGE:
		return SNP_PAGE_CPUID;
	case PLAN_SECRETS_PAGE:
		return SNP_PAGE_SECRETS;
	default:
		return SNP_PAGE_NORMAL;
	}
}

static const char *region_name(enum plan_region_type type)
{
	switch (type) {
	case PLAN_FIRMWARE:
		return "firmware";
	case PLAN_HASH_PAGE:
		return "hash page";
	case PLAN_CPUID_PAGE:
		return "CPUID page";
	case PLAN_SECRETS_PAGE:
		return "secrets page";
	default:
		return "zero";
	}
}

static int add_region(struct replay *r, const struct plan_region *g, struct err *e)
{
	uint8_t last[SNP_PAGE_SIZE];
	int status = 0;

	for (uint64_t at = 0; status == 0 && at < g->size; at += SNP_PAGE_SIZE) {
		const uint8_t *page = g->data == NULL ? NULL : g->data + at;

		if (page != NULL && g->size - at < SNP_PAGE_SIZE) {
			memset(last, 0, sizeof(last));
			memcpy(last, page, (size_t)(g->size - at));
			page = last;
		}
		status = add(r, page_type(g->type), g->gpa + at, page, region_name(g->type),
			     (uint32_t)(at / SNP_PAGE_SIZE), e);
	}
	return status;
}

static int add_vcpu(struct replay *r, const struct plan *p, uint32_t cpu, struct err *e)
{
	uint8_t page[SNP_PAGE_SIZE];
	struct start_state start;

	start_state_of(p, cpu, &start);
	snp_vmsa_fill(&start, page);
	return add(r, SNP_PAGE_VMSA, SNP_VMSA_GPA, page, "vcpu", cpu, e);
}

int snp_measure_cpus(const struct plan *p, uint32_t cpus, snp_step_fn *each, void *arg,
		     uint8_t ld[SNP_DIGEST_SIZE], struct err *e)
{
	struct replay r = { .each = each, .arg = arg };

	if (cpus == 0 || cpus > p->max_cpus || (p->snp.cpus != 0 && cpus != p->snp.cpus))
		return err_set(e, EX_USAGE_ERROR, "cpus: %u: the plan serves %s %u", cpus,
			       p->snp.cpus == 0 ? "1 to" : "exactly",
			       p->snp.cpus == 0 ? p->max_cpus : p->snp.cpus);
	int status = snp_digest_open(&r.digest, e);

	for (uint32_t i = 0; status == 0 && i < p->region_count; i++)
		if (plan_is_launched(p->region[i].type))
			status = add_region(&r, &p->region[i], e);
	for (uint32_t cpu = 0; status == 0 && cpu < cpus; cpu++)
		status = add_vcpu(&r, p, cpu, e);
	memcpy(ld, r.digest.value, SNP_DIGEST_SIZE);
	snp_digest_close(&r.digest);
	return status;
}

int snp_measure(const struct plan *p, snp_step_fn *each, void *arg, uint8_t ld[SNP_DIGEST_SIZE],
		struct err *e)
{
	return snp_measure_cpus(p, p->snp.cpus, each, arg, ld, e);
}

static int keep_vmsa(void *arg, const struct snp_step *step, struct err *e)
{
	uint8_t(*ld)[SNP_DIGEST_SIZE] = arg;

	(void)e;
	if (step->type == SNP_PAGE_VMSA)
		memcpy(ld[step->index], step->digest, SNP_DIGEST_SIZE);
	return 0;
}

int snp_measure_sizes(const struct plan *p, uint32_t most, uint8_t (*ld)[SNP_DIGEST_SIZE],
		      struct err *e)
{
	uint8_t last[SNP_DIGEST_SIZE];

	return snp_measure_cpus(p, most, keep_vmsa, ld, last, e);
}
