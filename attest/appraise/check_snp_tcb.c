/* Which firmware runs, is committed and launched the guest, against the least that the policy
 * takes. */
#include "attest/appraise/check_snp.h"

#include <stdio.h>
#include <string.h>

#define VERSION_SIZE 16u
#define LIST_SIZE 400u

static const char *const tcb_names[SNP_TCBS] = {
	[SNP_TCB_REPORTED] = "REPORTED_TCB",
	[SNP_TCB_LAUNCH] = "LAUNCH_TCB",
	[SNP_TCB_COMMITTED] = "COMMITTED_TCB",
	[SNP_TCB_CURRENT] = "CURRENT_TCB",
};

static const uint8_t *tcb_of(const struct snp_report *r, enum snp_tcb which)
{
	const uint8_t *const all[SNP_TCBS] = {
		[SNP_TCB_REPORTED] = r->reported_tcb,
		[SNP_TCB_LAUNCH] = r->launch_tcb,
		[SNP_TCB_COMMITTED] = r->committed_tcb,
		[SNP_TCB_CURRENT] = r->current_tcb,
	};

	return all[which];
}

static void version_text(struct snp_version v, char out[VERSION_SIZE])
{
	snprintf(out, VERSION_SIZE, "%u.%u.%u", v.major, v.minor, v.build);
}

/* Firmware never reports what it has not committed, nor commits what it does not run. */
static void check_order(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.tcb.order";
	static const enum snp_tcb pairs[][2] = { { SNP_TCB_REPORTED, SNP_TCB_COMMITTED },
						 { SNP_TCB_COMMITTED, SNP_TCB_CURRENT },
						 { SNP_TCB_LAUNCH, SNP_TCB_CURRENT } };
	const struct snp_report *r = &s->report;
	char have[160], need[160];
	unsigned byte;

	if (!snp_judged(a, id))
		return;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const uint8_t *low = tcb_of(r, pairs[i][0]), *high = tcb_of(r, pairs[i][1]);
		if (snp_tcb_at_least(high, low, &byte))
			continue;
		const char *name = snp_component_name(snp_tcb_component(s->product, byte));
		snp_tcb_text(s->product, low, have, sizeof(have));
		snp_tcb_text(s->product, high, need, sizeof(need));
		check_fail(a->checks, id, EX_REFUSED, have, need, "%s is above %s in \"%s\"",
			   tcb_names[pairs[i][0]], tcb_names[pairs[i][1]], name);
		check_tell(a->checks, name, NULL, NULL);
		return;
	}
	if (snp_version_compare(r->committed, r->current) > 0) {
		version_text(r->committed, have);
		version_text(r->current, need);
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "the committed firmware is newer than the one that runs");
		check_tell(a->checks, "firmware", NULL, NULL);
		return;
	}
	snp_tcb_text(s->product, r->reported_tcb, have, sizeof(have));
	check_pass(a->checks, id, have,
		   "REPORTED_TCB <= COMMITTED_TCB <= CURRENT_TCB, LAUNCH_TCB <= CURRENT_TCB");
}

/* What of the policy's minimum is not reached, as text; the first one apart. */
struct shortfall {
	char list[LIST_SIZE], have[32], need[32], component[48];
	size_t used;
};

static void add_shortfall(struct shortfall *f, const char *tcb, const char *name, int have,
			  uint64_t need)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", have);
	if (have < 0)
		snprintf(value, sizeof(value), "not defined");
	if (f->used == 0) {
		snprintf(f->have, sizeof(f->have), "%s %s", name, value);
		snprintf(f->need, sizeof(f->need), "%s %llu", name, (unsigned long long)need);
		snprintf(f->component, sizeof(f->component), "%s %s", tcb, name);
	}
	if (f->used >= sizeof(f->list))
		return;
	int n = snprintf(f->list + f->used, sizeof(f->list) - f->used, "%s%s %s %s < %llu",
			 f->used == 0 ? "" : "; ", tcb, name, value, (unsigned long long)need);
	f->used += n > 0 ? (size_t)n : 0;
}

static void compare(const struct snp_subject *s, enum snp_tcb which,
		    const struct policy_numbers *least, struct shortfall *f)
{
	for (unsigned i = 0; i < SNP_COMPONENTS; i++) {
		enum snp_component c = (enum snp_component)i;
		if ((least->given >> i & 1) == 0)
			continue;
		int byte = snp_product_known(s->product) ? snp_tcb_byte(s->product, c) : -1;
		int have = byte < 0 ? -1 : tcb_of(&s->report, which)[byte];
		if (have < 0 || (uint64_t)have < least->value[i])
			add_shortfall(f, tcb_names[which], snp_component_name(c), have,
				      least->value[i]);
	}
}

static bool any_minimum(const struct snp_policy *p)
{
	uint32_t given = p->min_tcb.given;

	for (unsigned i = 0; i < SNP_TCBS; i++)
		given |= p->min_of[i].given;
	return given != 0;
}

/* Component by component: a newer one never makes up for an older one. */
static void check_minimum(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.tcb.minimum";
	const struct snp_policy *p = a->policy;
	struct shortfall f = { .used = 0 };

	if (!snp_stated(a, id, p != NULL && any_minimum(p)))
		return;
	compare(s, SNP_TCB_REPORTED, &p->min_tcb, &f);
	compare(s, SNP_TCB_LAUNCH, &p->min_tcb, &f);
	for (unsigned i = 0; i < SNP_TCBS; i++)
		compare(s, (enum snp_tcb)i, &p->min_of[i], &f);
	if (f.used == 0) {
		check_pass(a->checks, id, NULL,
			   "every component that the policy names is at least its minimum");
		return;
	}
	check_fail(a->checks, id, EX_REFUSED, f.have, f.need,
		   "below the policy's minimum on %s: %s", snp_product_name(s->product), f.list);
	check_tell(a->checks, f.component, NULL,
		   strncmp(f.component, tcb_names[SNP_TCB_LAUNCH], 10) == 0
			   ? "have the firmware updated, then launch the guest anew"
			   : "have the firmware updated, committed and reported (SNP_CONFIG)");
}

static struct snp_version wanted_version(const struct policy_numbers *n)
{
	return (struct snp_version){ .major = (uint8_t)n->value[SNP_VERSION_MAJOR],
				     .minor = (uint8_t)n->value[SNP_VERSION_MINOR],
				     .build = (uint8_t)n->value[SNP_VERSION_BUILD] };
}

static void check_version(const struct snp_appraisal *a, const char *id, const char *what,
			  struct snp_version v, const struct policy_numbers *least)
{
	char have[VERSION_SIZE], need[VERSION_SIZE];

	if (!snp_stated(a, id, least != NULL && least->given != 0))
		return;
	version_text(v, have);
	version_text(wanted_version(least), need);
	if (snp_version_compare(v, wanted_version(least)) >= 0) {
		check_pass(a->checks, id, have, "%s is at least the policy's minimum", what);
		return;
	}
	check_fail(a->checks, id, EX_REFUSED, have, need, "%s is below the policy's minimum", what);
	check_tell(a->checks, what, NULL, NULL);
}

/* What runs without being committed can be replaced by what was committed before. */
static void check_provisional(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char id[] = "snp.provisional";
	const struct snp_report *r = &s->report;
	bool firmware = snp_version_compare(r->current, r->committed) != 0;
	bool tcb = memcmp(r->current_tcb, r->committed_tcb, SNP_TCB_SIZE) != 0;
	char have[160], need[160];

	if (!snp_judged(a, id))
		return;
	version_text(r->current, have);
	version_text(r->committed, need);
	if (!firmware) {
		snp_tcb_text(s->product, r->current_tcb, have, sizeof(have));
		snp_tcb_text(s->product, r->committed_tcb, need, sizeof(need));
	}
	if (!tcb && !firmware) {
		check_pass(a->checks, id, have, "what runs is committed");
	} else if (a->policy->allow_provisional) {
		check_pass(a->checks, id, have,
			   "what runs is not all committed, and can be rolled back; the policy "
			   "allows it");
	} else {
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "what runs is not committed: the host can roll it back");
		check_tell(a->checks, firmware ? "firmware" : "CURRENT_TCB", NULL,
			   "have the host's operator commit the firmware (SNP_COMMIT)");
	}
}

static void check_mitigation(const struct snp_appraisal *a, const struct snp_subject *s,
			     const char *id, uint64_t value, uint64_t wanted)
{
	char have[24], need[24], missing[40];

	if (!snp_stated(a, id, wanted != 0))
		return;
	snprintf(have, sizeof(have), "0x%llx", (unsigned long long)value);
	snprintf(need, sizeof(need), "0x%llx", (unsigned long long)wanted);
	if (!s->report.has_mitigation) {
		check_fail(a->checks, id, EX_REFUSED, "not defined", need,
			   "a report of version %u tells of no mitigations: version 5 does",
			   s->report.version);
		check_tell(a->checks, "mitigations", NULL,
			   "have the firmware updated to one that makes reports of version 5");
		return;
	}
	if ((value & wanted) == wanted) {
		check_pass(a->checks, id, have, "every mitigation that the policy wants");
		return;
	}
	snprintf(missing, sizeof(missing), "mitigations 0x%llx",
		 (unsigned long long)(wanted & ~value));
	check_fail(a->checks, id, EX_REFUSED, have, need, "mitigations of the policy are missing");
	check_tell(a->checks, missing, NULL, NULL);
}

void check_snp_tcb(const struct snp_appraisal *a, const struct snp_subject *s)
{
	const struct snp_policy *p = a->policy;
	const struct snp_report *r = &s->report;

	check_order(a, s);
	check_minimum(a, s);
	check_version(a, "snp.firmware.current", "the firmware that runs", r->current,
		      p != NULL ? &p->min_firmware : NULL);
	check_version(a, "snp.firmware.committed", "the committed firmware", r->committed,
		      p != NULL ? &p->min_committed_firmware : NULL);
	check_provisional(a, s);
	check_mitigation(a, s, "snp.mitigation.launch", r->launch_mitigation,
			 p != NULL ? p->launch_mitigations : 0);
	check_mitigation(a, s, "snp.mitigation.current", r->current_mitigation,
			 p != NULL ? p->current_mitigations : 0);
}
