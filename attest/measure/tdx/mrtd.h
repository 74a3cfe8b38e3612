/* MRTD: what the TDX module measures while a trust domain is built (Intel TDX Module ABI,
 * TDH.MEM.PAGE.ADD and TDH.MR.EXTEND). Pages of 4 KiB, as KVM adds them. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_MRTD_H
#define PAVISE_ATTEST_MEASURE_TDX_MRTD_H

#include "common/err.h"

#include <openssl/evp.h>
#include <stdint.h>

#define MRTD_SIZE 48u /* SHA-384 */
#define MRTD_PAGE 4096u

/* What happened to one page, in its order. */
struct mrtd_step {
	uint32_t number; /* from 1; set by mrtd_page */
	int added, extended;
	uint64_t gpa;
	const char *what;      /* name of the region, or type of the section */
	uint32_t index;	       /* of a plan: page of the region; of TDVF: number of the section; from 0 */
	const uint8_t *digest; /* MRTD_SIZE bytes: MRTD if it ended here; set by mrtd_page */
};
/* A negative return ends the measurement with it. */
typedef int mrtd_step_fn(void *arg, const struct mrtd_step *step, struct err *e);

/* A measurement under way. */
struct mrtd {
	EVP_MD_CTX *hash, *copy;
	mrtd_step_fn *each;
	void *arg;
	uint32_t number; /* steps so far */
	uint32_t pages;	 /* of these, pages that were added */
};

/* each: NULL, or told of every page. mrtd_close it whatever this returns. -EX_INTERNAL when
 * libcrypto fails, here and below. */
int mrtd_open(struct mrtd *m, mrtd_step_fn *each, void *arg, struct err *e);
void mrtd_close(struct mrtd *m);

/* One page: TDH.MEM.PAGE.ADD when page->added, then TDH.MR.EXTEND of its 16 chunks when
 * page->extended, which reads MRTD_PAGE bytes at `bytes`. Returns what `each` does, if negative. */
int mrtd_page(struct mrtd *m, const struct mrtd_step *page, const uint8_t *bytes, struct err *e);

/* The value if it ended here: TDH.MR.FINALIZE. */
int mrtd_value(struct mrtd *m, uint8_t out[MRTD_SIZE], struct err *e);

#endif
