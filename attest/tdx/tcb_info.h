/* TCB info, version 3, of TDX platforms: which security versions Intel calls what (Provisioning
 * Certification Service, "Get TDX TCB Info"). */
#ifndef PAVISE_ATTEST_TDX_TCB_INFO_H
#define PAVISE_ATTEST_TDX_TCB_INFO_H

#include "common/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TCB_COMPONENTS 16u
#define TCB_LEVELS_MAX 64u
#define TCB_MODULES_MAX 16u
#define TCB_ADVISORIES_MAX 64u
#define TCB_ADVISORY_SIZE 32u /* with its NUL */

/* Intel's words for a level, in no order of severity. The last one is nobody's word: no level of
 * the list is met. */
enum tcb_status {
	TCB_UP_TO_DATE,
	TCB_SW_HARDENING_NEEDED,
	TCB_CONFIGURATION_NEEDED,
	TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
	TCB_OUT_OF_DATE,
	TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
	TCB_TD_RELAUNCH_ADVISED,
	TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
	TCB_REVOKED,
	TCB_NOT_SUPPORTED,
	TCB_STATUSES
};

/* Their names, in this order, NULL at the end: also the words that a policy may use. */
extern const char *const tcb_status_names[TCB_STATUSES + 1];

/* What a level of any of the lists says of whoever meets it. advisories borrows from the document
 * that it was read from: an array of strings shorter than TCB_ADVISORY_SIZE; NULL: none. */
struct tcb_verdict {
	enum tcb_status status;
	time_t date; /* tcbDate */
	const json_t *advisories;
};

struct tcb_level {
	uint8_t sgx[TCB_COMPONENTS], tdx[TCB_COMPONENTS];
	uint16_t pce_svn;
	struct tcb_verdict verdict;
};

/* A level of a module or of an enclave: of one number only. */
struct tcb_svn_level {
	uint16_t isv_svn;
	struct tcb_verdict verdict;
};

struct tcb_module {
	uint8_t major; /* TEE_TCB_SVN[1] whom it is for; of tdxModule 0 */
	uint8_t mrsigner[48];
	uint8_t attributes[8], attributes_mask[8];
	struct tcb_svn_level level[TCB_LEVELS_MAX]; /* latest first */
	size_t levels;				    /* of tdxModule 0 */
};

struct tcb_info {
	json_t *document; /* owned; tcb_info_free */
	uint8_t fmspc[6], pce_id[2];
	uint32_t evaluation; /* tcbEvaluationDataNumber */
	time_t issued, next_update;
	struct tcb_module module; /* tdxModule */
	struct tcb_module identity[TCB_MODULES_MAX];
	size_t identities;
	struct tcb_level level[TCB_LEVELS_MAX]; /* latest first, at least one */
	size_t levels;
};

/* Reads the text that the signature covers. -EX_MALFORMED: not for TDX, another version or type,
 * an unknown or missing key (in a component unknown keys are let through: Intel annotates those
 * with "category" and "type"), twice the same key, a list that is not of 16, a number out of
 * bounds, an unknown status, two identities of one module. *out is then empty. */
int tcb_info_parse(const char *object, const char *text, size_t size, struct tcb_info *out,
		   struct err *e);
void tcb_info_free(struct tcb_info *t);

/* The identity of the module with this major version; NULL: none. */
const struct tcb_module *tcb_info_module(const struct tcb_info *t, uint8_t major);

/* Shared with qe_identity.c. allowed: bits of the statuses that may stand there. */
int tcb_read_time(const char *path, const json_t *j, const char *key, time_t *out, struct err *e);
int tcb_read_verdict(const char *path, const json_t *level, uint32_t allowed,
		     struct tcb_verdict *out, struct err *e);
int tcb_read_svn_levels(const char *path, const json_t *object, struct tcb_svn_level *out,
			size_t *count, struct err *e);

#endif
