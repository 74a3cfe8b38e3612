/* Reference values out of what `pavise measure` makes: launch plans and its JSON output. */
#ifndef PAVISE_ATTEST_MEASURE_BUNDLE_ITEMS_H
#define PAVISE_ATTEST_MEASURE_BUNDLE_ITEMS_H

#include "attest/measure/references.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUNDLE_CHOICES_MAX 256u

/* The machines that plans are predicted for: every combination of what reaches their measurements.
 * cpus_count 0: one processor; all that an SEV-SNP plan serves, if it leaves the number open. */
struct bundle_machines {
	uint64_t cpus[BUNDLE_CHOICES_MAX], pci_slots[BUNDLE_CHOICES_MAX];
	uint64_t memory[BUNDLE_CHOICES_MAX]; /* bytes */
	size_t cpus_count, pci_slots_count, memory_count;
};

/* Values under way: r->value has room for REFERENCES_VALUES_MAX. */
struct bundle_items {
	struct references *r;
	const struct bundle_machines *machines;
	const char *label; /* for all; NULL: each file's name */
	bool has_svn;	   /* r->svn was given, or taken from an earlier plan: all must agree */
};

/* Adds the values of a file: a plan (its security version must be the bundle's), or the output of
 * `pavise measure --json`. -EX_MALFORMED for a file, -EX_USAGE_ERROR for one value too many or a
 * version that differs. */
int bundle_add_file(struct bundle_items *items, const char *path, struct err *e);

/* Adds "snp:HEX" or "tdx:HEX". -EX_USAGE_ERROR. */
int bundle_add_text(struct bundle_items *items, const char *text, struct err *e);

#endif
