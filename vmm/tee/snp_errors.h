/* Why a step of an SEV-SNP launch failed, and what to do about it: one table from (step, errno,
 * firmware code) to a sentence. */
#ifndef PAVISE_VMM_TEE_SNP_ERRORS_H
#define PAVISE_VMM_TEE_SNP_ERRORS_H

#include "common/err.h"

#include <stdint.h>

enum snp_step {
	SNP_CREATE_VM,     /* KVM_CREATE_VM, type 4 */
	SNP_INIT2,         /* KVM_SEV_INIT2 */
	SNP_REQ_CERTS,     /* KVM_SEV_SNP_ENABLE_REQ_CERTS */
	SNP_LAUNCH_START,
	SNP_LAUNCH_UPDATE,
	SNP_LAUNCH_FINISH,
	SNP_RUN,           /* KVM_RUN, which also carries out the guest's requests */
	SNP_STEPS,
};

/* rc: the negative errno of that step; fw: the firmware's code (SEV_FW_NONE: the command never
 * reached the firmware; 0: none). Fills *e with step, cause, next step and both numbers, and
 * returns -EX_HOST; for an ID block that the firmware refuses -EX_UNAUTHENTIC or -EX_MALFORMED. */
int snp_error(enum snp_step step, int rc, uint32_t fw, struct err *e);

/* The firmware ABI's name of a code, or "unknown". */
const char *snp_firmware_name(uint32_t fw);

#endif
