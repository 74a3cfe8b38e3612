/* What Intel calls a platform: its security versions against the levels of TCB info and of the
 * quoting enclave's identity (Intel TDX DCAP Quoting Library API, "TCB recovery"; Provisioning
 * Certification Service, "Get TDX TCB Info", comparison algorithm; Intel's quote verification
 * library where they are silent). */
#ifndef PAVISE_ATTEST_TDX_TCB_MATCH_H
#define PAVISE_ATTEST_TDX_TCB_MATCH_H

#include "attest/tdx/qe_identity.h"
#include "attest/tdx/tcb_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TCB_ADVISORY_TEXT 512u
#define TCB_SHORT_MAX 8u

/* Of the PCK certificate and of the quote's body. */
struct tcb_platform {
	const uint8_t *sgx; /* 16 components */
	uint16_t pce_svn;
	const uint8_t *tee_tcb_svn;  /* 16 bytes: [0] module's SVN, [1] its major version */
	const uint8_t *tee_tcb_svn2; /* of TD 1.5: those now loaded; NULL: the body has none */
};

/* One of the things that are compared. judged false: it does not exist here, or its list was not
 * given. */
struct tcb_part {
	bool judged;
	enum tcb_status status;
	int level; /* place in its list, from 0; -1: none is met */
	time_t date;
};

/* A number that keeps the platform from the level to reach. */
struct tcb_short {
	char component[40]; /* "sgx component 2", "PCE SVN", "module TDX_01 SVN", "QE SVN" */
	unsigned have, need;
};

struct tcb_result {
	enum tcb_status status; /* of all parts together */
	struct tcb_part platform, module, qe;
	time_t date; /* the earliest tcbDate of the parts; 0: none */
	/* Ids of all parts, each once, blanks between; more_advisories: some did not fit. */
	char advisories[TCB_ADVISORY_TEXT];
	bool more_advisories;
	/* Against the first level that is UpToDate, of each list; more than fit are not told. */
	struct tcb_short shortfall[TCB_SHORT_MAX];
	size_t shortfalls;
};

/* Compares. qe NULL: the identity was not given, and its part is not judged. The names borrow from
 * nothing: out stands alone. */
void tcb_match(const struct tcb_info *t, const struct tcb_platform *p, const struct qe_identity *qe,
	       uint16_t qe_svn, struct tcb_result *out);

/* What the platform's status becomes with the module's, or the quoting enclave's (UpToDate,
 * OutOfDate, Revoked or NotSupported). */
enum tcb_status tcb_converge(enum tcb_status platform, enum tcb_status software);

/* May a policy that names no status take it? For Revoked and NotSupported none ever may: the first
 * is withdrawn, of the second nothing is known. */
bool tcb_status_may_be_allowed(enum tcb_status s);

/* "sgx component 2: have 7, need 9; PCE SVN: have 11, need 13", or "". */
void tcb_shortfall_text(const struct tcb_result *r, char *out, size_t size);

/* Is the module of the quote Intel's, by TCB info: MRSIGNERSEAM and SEAMATTRIBUTES against the
 * identity for its major version, or tdxModule for version 0? -EX_UNAUTHENTIC; -EX_COLLATERAL when
 * there is no identity of that version. */
int tcb_check_module(const struct tcb_info *t, const uint8_t tee_tcb_svn[16],
		     const uint8_t mrsignerseam[48], const uint8_t seam_attributes[8],
		     struct err *e);

#endif
