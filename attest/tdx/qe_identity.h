/* The identity of the quoting enclave for TDX, version 2 (Provisioning Certification Service, "Get
 * TDX QE Identity"): what its report must show, and which versions Intel calls what. */
#ifndef PAVISE_ATTEST_TDX_QE_IDENTITY_H
#define PAVISE_ATTEST_TDX_QE_IDENTITY_H

#include "attest/tdx/tcb_info.h"
#include "common/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct qe_identity {
	json_t *document; /* owned; qe_identity_free */
	uint32_t evaluation;
	time_t issued, next_update;
	/* Bytes in the report's order; a mask says which bits count. */
	uint8_t misc_select[4], misc_select_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint16_t isv_prod_id;
	struct tcb_svn_level level[TCB_LEVELS_MAX]; /* latest first, at least one */
	size_t levels;
};

/* What a report says, as far as the identity compares it. */
struct qe_claims {
	const uint8_t *misc_select; /* 4 bytes */
	const uint8_t *attributes;  /* 16 */
	const uint8_t *mrsigner;    /* 32 */
	uint16_t isv_prod_id, isv_svn;
};

/* Reads the text that the signature covers. -EX_MALFORMED as tcb_info_parse, also for the identity
 * of an enclave of SGX ("QE", "QVE"). *out is then empty. */
int qe_identity_parse(const char *object, const char *text, size_t size, struct qe_identity *out,
		      struct err *e);
void qe_identity_free(struct qe_identity *q);

/* Is the report that enclave's, whatever its version? -EX_UNAUTHENTIC names the field. */
int qe_identity_check(const struct qe_identity *q, const struct qe_claims *report, struct err *e);

#endif
