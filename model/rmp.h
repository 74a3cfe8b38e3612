/* PVALIDATE and RMPADJUST on the page record, which is the reverse map table of an SEV-SNP guest
 * (AMD APM vol. 2 §15.36, vol. 3). Pure, as pages.h. */
#ifndef PAVISE_MODEL_RMP_H
#define PAVISE_MODEL_RMP_H

#include "model/pages.h"

/* EAX of both instructions. */
enum rmp_code {
	RMP_SUCCESS = 0,
	RMP_FAIL_INPUT = 1,
	RMP_FAIL_PERMISSION = 2,
	RMP_FAIL_SIZEMISMATCH = 6,
};

/* Outcome of an instruction: its code and CF, or a nested page fault because the host holds the
 * page for shared. */
struct rmp_answer {
	bool fault;
	enum rmp_code code;
	bool unchanged; /* CF of PVALIDATE */
};

/* page: the number of the operand's page inside the region; aligned says that the operand's virtual
 * and physical address suit the size. */
struct rmp_answer rmp_pvalidate(struct pages *p, uint64_t page, bool large, bool aligned,
				bool validate);
/* attributes: RDX (target VMPL 7:0, permissions 15:8, VMSA 16). The caller runs at VMPL0. */
struct rmp_answer rmp_adjust(struct pages *p, uint64_t page, bool large, bool aligned,
			     uint64_t attributes);

#endif
