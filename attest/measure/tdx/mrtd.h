/* MRTD: what the TDX module measures while a trust domain is built (Intel TDX Module ABI,
 * TDH.MEM.PAGE.ADD and TDH.MR.EXTEND). The order of the two is the VMM's choice. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_MRTD_H
#define PAVISE_ATTEST_MEASURE_TDX_MRTD_H

#include "attest/measure/tdx/tdvf.h"
#include "common/err.h"

#include <stdint.h>

#define MRTD_SIZE 48u /* SHA-384 */

enum mrtd_order {
	MRTD_SINGLE,   /* each page is added, then extended: KVM's TDX_INIT_MEM_REGION */
	MRTD_TWO_PASS, /* all pages of a section are added, then all are extended: KVM before it
			* was in Linux, and what was built on it */
};

/* What happened to one page, in its order. */
struct mrtd_step {
	uint32_t number; /* from 1 */
	int added, extended;
	uint64_t gpa;
	const char *what;      /* type of the section */
	uint32_t section;      /* its number, from 0 */
	const uint8_t *digest; /* MRTD_SIZE bytes: MRTD if it ended here */
};
/* A negative return ends the measurement with it. */
typedef int mrtd_step_fn(void *arg, const struct mrtd_step *step, struct err *e);

/* -EX_MALFORMED for a section whose measured bytes the VMM makes up, -EX_INTERNAL when libcrypto
 * fails. each: NULL, or told of every page. */
int mrtd_measure(const char *object, const struct tdvf *t, enum mrtd_order order,
		 mrtd_step_fn *each, void *arg, uint8_t mrtd[MRTD_SIZE], struct err *e);

#endif
