/* Checks against what the policy accepts: PCR values and log that the plan's files lead to, or
 * values that the policy states. */
#include "attest/appraise/appraise.h"

#include "attest/appraise/log_compare.h"
#include "common/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The best machine found among those the policy allows. */
struct found {
	struct machine machine;
	struct expectation *expected; /* of that machine */
	unsigned matches;	      /* PCR values that agree */
	size_t likeness;	      /* between equals: bytes of the log that agree */
};

static size_t bank_size(enum expect_bank bank)
{
	return tpm_alg_size(expect_bank_alg(bank));
}

static bool pcr_matches(const struct appraisal *a, enum expect_bank bank, unsigned pcr,
			const uint8_t *want)
{
	const struct pcr_values *have = &a->evidence->pcrs[bank];

	return (have->given >> pcr & 1) != 0 &&
	       memcmp(have->value[pcr], want, bank_size(bank)) == 0;
}

static unsigned count_matches(const struct appraisal *a, const struct expectation *x)
{
	unsigned n = 0;

	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++)
		for (unsigned pcr = 0; a->policy->bank[bank] && pcr < EXPECT_PCRS; pcr++)
			n += pcr_matches(a, (enum expect_bank)bank, pcr, x->pcr[bank][pcr]);
	return n;
}

/* When a file differs, PCR 1 differs for every machine: the hash page is in it, too. The log still
 * tells which machine it was, so that the values named as needed are those of the right one.
 * A hint for the text only: the verdict rests on the PCR values. */
static size_t log_likeness(const struct evidence *ev, const struct expectation *x)
{
	size_t n = 0;

	for (size_t i = 0; i < ev->event_log_size && i < x->log_size; i++)
		n += ev->event_log[i] == x->log[i];
	return n;
}

static int try_machine(const struct appraisal *a, const struct machine *m,
		       struct expectation **spare, struct found *best, struct err *e)
{
	int r = expect_machine(a->base, m, *spare, e);

	if (r < 0) {
		/* A machine that the plan forbids is a mistake of the policy. */
		if (e->status == EX_USAGE_ERROR)
			e->status = EX_MALFORMED;
		return -e->status;
	}
	unsigned n = count_matches(a, *spare);
	size_t likeness = log_likeness(a->evidence, *spare);
	if (best->expected == NULL || n > best->matches ||
	    (n == best->matches && likeness > best->likeness)) {
		struct expectation *old = best->expected;
		*best = (struct found){
			.machine = *m, .expected = *spare, .matches = n, .likeness = likeness
		};
		*spare = old != NULL ? old : malloc(sizeof(**spare));
		if (*spare == NULL)
			return err_set(e, EX_HOST, "out of memory");
	}
	return 0;
}

static int search(const struct appraisal *a, struct found *best, struct err *e)
{
	const struct policy *p = a->policy;
	struct expectation *spare = malloc(sizeof(*spare));
	int r = 0;

	if (spare == NULL)
		return err_set(e, EX_HOST, "out of memory");
	for (size_t s = 0; s < p->pci_slots_count; s++)
		for (size_t m = 0; m < p->memory_count; m++)
			for (size_t c = 0; c < p->cpus_count && spare != NULL && r == 0; c++) {
				struct machine machine = { .memory = p->memory[m],
							   .cpus = p->cpus[c],
							   .pci_slots = p->pci_slots[s] };
				r = try_machine(a, &machine, &spare, best, e);
			}
	free(spare);
	return r;
}

static void check_pcrs(const struct appraisal *a, enum expect_bank bank, const uint8_t (*want)[48])
{
	const struct pcr_values *given = &a->evidence->pcrs[bank];
	char id[32], have[97], need[97];

	for (unsigned i = 0; i < EXPECT_PCRS; i++) {
		check_id(id, "pcr", bank, i);
		hex_encode(given->value[i], bank_size(bank), have);
		hex_encode(want[i], bank_size(bank), need);
		if (pcr_matches(a, bank, i, want[i]))
			check_pass(a->checks, id, have, "%s", expect_pcr_meaning(i));
		else if ((given->given >> i & 1) == 0)
			check_fail(a->checks, id, EX_REFUSED, "not given", need,
				   "PCR %u (%s): not in the evidence: %s", i,
				   tpm_alg_name(expect_bank_alg(bank)), expect_pcr_meaning(i));
		else
			check_fail(a->checks, id, EX_REFUSED, have, need,
				   "PCR %u (%s) differs: it measures the %s", i,
				   tpm_alg_name(expect_bank_alg(bank)), expect_pcr_meaning(i));
	}
}

static void check_log(const struct appraisal *a, const struct expectation *x)
{
	const struct evidence *v = a->evidence;
	struct log_difference d;
	enum log_answer answer = log_compare(v->event_log, v->event_log_size, x->log, x->log_size,
					     TPM_ALG_SHA256, NULL, &d);

	check_log_answer(a->checks, answer, &d, false,
			 "byte for byte what the plan's files lead to");
}

static int check_plan(const struct appraisal *a, struct err *e)
{
	struct found best = { 0 };
	int r = search(a, &best, e);
	char have[96];

	if (r < 0 || best.expected == NULL) {
		free(best.expected);
		return r < 0 ? r : err_set(e, EX_INTERNAL, "policy: allows no machine");
	}
	unsigned banks = (unsigned)a->policy->bank[0] + (unsigned)a->policy->bank[1];
	snprintf(have, sizeof(have), "cpus %u, memory %lluM, pci_slots %u", best.machine.cpus,
		 (unsigned long long)(best.machine.memory >> 20), best.machine.pci_slots);
	if (best.matches == banks * EXPECT_PCRS)
		check_pass(a->checks, "reference.machine", have, "the machine that matches");
	else
		check_fail(a->checks, "reference.machine", EX_REFUSED, have, NULL,
			   "no machine that the policy allows has these PCR values; the values "
			   "below are for this one");
	for (unsigned i = 0; i < EXPECT_BANKS; i++)
		if (a->policy->bank[i])
			check_pcrs(a, (enum expect_bank)i,
				   (const uint8_t(*)[48])best.expected->pcr[i]);
	check_log(a, best.expected);
	free(best.expected);
	return 0;
}

/* Nothing to compare with: for the strict a failure, for others a gap that the verdict names. */
static void note_absence(const struct appraisal *a)
{
	static const char why[] = "no reference values: what was booted was not judged";

	check_skip(a->checks, "reference.machine", why);
	if (a->policy->tpm.require_reference) {
		check_fail(a->checks, "reference.pcrs", EX_REFUSED, "none", "a plan or PCR values",
			   "the policy demands reference values and has none");
	} else {
		check_skip(a->checks, "reference.pcrs", why);
		a->checks->no_reference = true;
	}
	check_skip(a->checks, "reference.log", why);
}

int check_reference(const struct appraisal *a, struct err *e)
{
	if (a->policy->has_plan)
		return check_plan(a, e);
	if (!a->policy->bank[EXPECT_SHA256] && !a->policy->bank[EXPECT_SHA384]) {
		note_absence(a);
		return 0;
	}
	check_skip(a->checks, "reference.machine", "the policy states PCR values, no machine");
	for (unsigned i = 0; i < EXPECT_BANKS; i++)
		if (a->policy->bank[i])
			check_pcrs(a, (enum expect_bank)i,
				   (const uint8_t(*)[48])a->policy->reference[i].value);
	check_skip(a->checks, "reference.log", "the policy states PCR values, no files");
	return 0;
}
