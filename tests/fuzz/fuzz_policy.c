/* Any text as a policy: what is taken keeps every bound that the appraisal relies on. */
#include "attest/appraise/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_machines(const struct policy *p)
{
	if (p->cpus_count == 0 || p->memory_count == 0 || p->pci_slots_count == 0 ||
	    p->cpus_count > POLICY_LIST_MAX || p->memory_count > POLICY_LIST_MAX ||
	    p->pci_slots_count > POLICY_LIST_MAX || p->plan[0] == '\0')
		abort();
	for (size_t i = 0; i < p->cpus_count; i++)
		if (p->cpus[i] == 0 || p->cpus[i] > FW_BOOT_CPU_MAX)
			abort();
	for (size_t i = 0; i < p->pci_slots_count; i++)
		if (p->pci_slots[i] > PCI_SLOT_MAX)
			abort();
}

static void check_snp(const struct policy *p)
{
	const struct snp_policy *s = &p->snp;

	if ((p->has_plan && s->measurements.count > 0) || s->vmpl.value > 3 ||
	    s->measurements.count > POLICY_LIST_MAX || s->id_key_digests.count > POLICY_LIST_MAX ||
	    s->author_key_digests.count > POLICY_LIST_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy p;
	struct err e = { 0 };

	if (policy_parse("input", (const char *)data, size, &p, &e) < 0) {
		if (e.status != EX_MALFORMED || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (p.ak_count > POLICY_LIST_MAX)
		abort();
	if (p.tee == EVIDENCE_SNP) {
		check_snp(&p);
		return 0;
	}
	if (p.any_tee || p.tee == EVIDENCE_TDX)
		return 0;
	if (p.has_plan && !p.bank[EXPECT_SHA256] && !p.bank[EXPECT_SHA384])
		abort();
	if (p.has_plan)
		check_machines(&p);
	else
		for (unsigned i = 0; i < EXPECT_BANKS; i++)
			if (p.bank[i] && p.reference[i].given != 0xFF)
				abort();
	return 0;
}
