#include "attest/appraise/tdx_reference.h"

#include "attest/tpm/alg.h"

#include <stdlib.h>
#include <string.h>

/* The best machine so far. */
struct search {
	const struct tdx_reference_from *from;
	struct tdx_expectation *best, *spare;
	struct machine machine;
	bool found, matches;
	size_t likeness; /* between equals: bytes of the log that agree */
};

/* When a file differs, RTMR0 differs for every machine: the hash page is in it, too. The log still
 * tells which machine it was. A hint for the text only: the verdict rests on the registers. */
static size_t log_likeness(const struct tdx_reference_from *f, const struct tdx_expectation *x)
{
	size_t n = 0;

	for (size_t i = 0; i < f->log_size && i < x->log_size; i++)
		n += f->log[i] == x->log[i];
	return n;
}

static int try_machine(struct search *s, const struct machine *m, struct err *e)
{
	const struct tdx_reference_from *f = s->from;
	int r = tdx_expect(f->base, m, s->spare, e);

	if (r < 0) {
		if (e->status == EX_USAGE_ERROR)
			e->status = EX_MALFORMED;
		return -e->status;
	}
	bool matches = f->quote != NULL &&
		       memcmp(s->spare->rtmr[0], f->quote->rtmr[0], MRTD_SIZE) == 0;
	size_t likeness = log_likeness(f, s->spare);
	if (!s->found || (matches && !s->matches) ||
	    (matches == s->matches && likeness > s->likeness)) {
		struct tdx_expectation *old = s->best;
		s->best = s->spare;
		s->spare = old;
		s->machine = *m;
		s->found = true;
		s->matches = matches;
		s->likeness = likeness;
	}
	return 0;
}

/* With a vTPM and, where the plan does not demand one, without: no policy says. */
static int try_both(struct search *s, struct machine m, struct err *e)
{
	int r = try_machine(s, &m, e);

	if (r == 0 && !s->from->base->require_tpm) {
		m.no_tpm = true;
		r = try_machine(s, &m, e);
	}
	return r;
}

static int search(struct search *s, struct err *e)
{
	const struct policy *p = s->from->policy;
	int r = 0;

	for (size_t k = 0; k < p->pci_slots_count; k++)
		for (size_t m = 0; m < p->memory_count; m++)
			for (size_t c = 0; c < p->cpus_count && r == 0; c++) {
				const struct machine machine = { .memory = p->memory[m],
								 .cpus = p->cpus[c],
								 .pci_slots = p->pci_slots[k] };
				r = try_both(s, machine, e);
			}
	return r;
}

/* What no machine changes: RTMR1, and the log but for two digests. */
static int expect_any(const struct expect_base *base, struct tdx_expectation *x, struct err *e)
{
	struct fw_log_inputs in = base->inputs;
	struct fw_event ev;

	memset(&in.boot_block, 0, sizeof(in.boot_block));
	memset(&in.acpi, 0, sizeof(in.acpi));
	if (fw_cc_log_build(&in, x->log, sizeof(x->log), &x->log_size) != 0)
		return err_set(e, EX_INTERNAL, "measurement: the event log does not fit");
	memset(x->rtmr, 0, sizeof(x->rtmr));
	for (unsigned i = 0; fw_cc_event(&in, i, &ev); i++)
		if (ev.pcr == 1 &&
		    tpm_pcr_extend(TPM_ALG_SHA384, x->rtmr[1], ev.digest.sha384) != 0)
			return err_set(e, EX_INTERNAL, "measurement: libcrypto refuses to hash");
	return 0;
}

int tdx_reference_make(const struct tdx_reference_from *from, struct tdx_reference *out,
		       struct err *e)
{
	struct search s = { .from = from };
	int r;

	*out = (struct tdx_reference){ .mrtd = from->mrtd };
	if (from->base == NULL)
		return 0;
	s.best = malloc(sizeof(*s.best));
	s.spare = malloc(sizeof(*s.spare));
	if (s.best == NULL || s.spare == NULL)
		r = err_set(e, EX_HOST, "out of memory");
	else if (from->policy->cpus_count > 0)
		r = search(&s, e);
	else
		r = expect_any(from->base, s.best, e);
	free(s.spare);
	if (r < 0) {
		free(s.best);
		return r;
	}
	out->has_machine = s.found;
	out->machine = s.machine;
	out->expected = s.best;
	return 0;
}

void tdx_reference_free(struct tdx_reference *r)
{
	free(r->expected);
	r->expected = NULL;
}
