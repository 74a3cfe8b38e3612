/* A KVM for tests of vmm/tee/: records every call of vmm/kvm/sev.h (and of the few of kvm.h
 * that a launch makes) as a line of text, and fails where a test says so. */
#ifndef PAVISE_TESTS_FAKE_SEV_H
#define PAVISE_TESTS_FAKE_SEV_H

#include "vmm/kvm/kvm.h"
#include "vmm/kvm/private.h"
#include "vmm/kvm/sev.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_SCRIPT_MAX 8
#define FAKE_TRACE_MAX  (256 * 1024)

/* One disturbance: the next `times` calls whose trace line begins with `call` answer rc and fw.
 * LAUNCH_UPDATE does `pages` first, which may be all, none, or (negative) harm. */
struct fake_answer {
	const char *call;
	unsigned times;
	int rc;
	uint64_t fw; /* of the firmware; of the TDX module: its completion status */
	int pages;
	bool correct_cpuid; /* the firmware changes two fields of the first entry */
};

struct fake_sev {
	char trace[FAKE_TRACE_MAX];
	size_t used;
	struct fake_answer script[FAKE_SCRIPT_MAX];
	unsigned types, hypercalls, attributes, gmem; /* what capabilities answer */
	unsigned max_vcpus;
	uint64_t vmsa_features;
	struct uapi_snp_finish finish;    /* the last one */
	uint8_t id_block[96], id_auth[4096];
	struct kvm_sregs sregs;           /* the last ones set */
	struct kvm_regs regs;
	bool signals_seen;                /* LAUNCH_UPDATE ran with a signal not blocked */
	void (*on_attributes)(void);      /* NULL, or called by each SET_MEMORY_ATTRIBUTES */
};

extern struct fake_sev fake;

/* A host with SEV-SNP, nothing recorded, nothing disturbed. */
void fake_reset(void);
void fake_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What disturbs the call that was noted last, NULL: nothing. */
const struct fake_answer *fake_disturbance(void);
/* Lines that begin with that text. */
unsigned fake_count(const char *begin);

#endif
