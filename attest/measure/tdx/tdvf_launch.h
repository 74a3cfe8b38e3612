/* MRTD of a trust domain that some VMM starts with TDVF. The order of additions and extensions is
 * the VMM's choice. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_TDVF_LAUNCH_H
#define PAVISE_ATTEST_MEASURE_TDX_TDVF_LAUNCH_H

#include "attest/measure/tdx/mrtd.h"
#include "attest/measure/tdx/tdvf.h"
#include "common/err.h"

#include <stdint.h>

enum tdvf_order {
	TDVF_SINGLE,   /* each page is added, then extended: KVM's TDX_INIT_MEM_REGION */
	TDVF_TWO_PASS, /* all pages of a section are added, then all are extended: KVM before it
			* was in Linux, and what was built on it */
};

struct tdvf_measured {
	uint8_t mrtd[MRTD_SIZE];
	uint32_t pages; /* added before the launch */
};

/* -EX_MALFORMED for a section whose measured bytes the VMM makes up, -EX_INTERNAL when libcrypto
 * fails. each: NULL, or told of every page. */
int tdvf_measure(const char *object, const struct tdvf *t, enum tdvf_order order,
		 mrtd_step_fn *each, void *arg, struct tdvf_measured *out, struct err *e);

#endif
