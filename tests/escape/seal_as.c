/* As the programs seal themselves (vmm/main.c and vmm/run.c, devices/main.c,
 * attest/quote/main.c): the same calls in the same order, with filters that refuse where theirs
 * kill (sandbox/seccomp/README.md). */
#include "common/seal.h"
#include "common/seal_abi.h"
#include "sandbox/layers.h"
#include "tests/escape/payload.h"

#include <linux/filter.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "seccomp-batch/dev_blk.h"
#include "seccomp-batch/dev_setup.h"
#include "seccomp-batch/dev_vsock.h"
#include "seccomp-batch/quote_unix.h"
#include "seccomp-batch/vmm_main.h"
#include "seccomp-batch/vmm_setup.h"
#include "seccomp-batch/vmm_vcpu.h"

#define FILTER(name) \
	{ name##_batch_filter, sizeof(name##_batch_filter) / sizeof(name##_batch_filter[0]) }
#define NO_FILTER { NULL, 0 }

/* That of the set-up, then the narrower one on top of it; what serves as it was set up has one. */
static const struct {
	const struct sock_filter *code;
	size_t count;
} filters[ROLES][SEAL_FILTERS] = {
	[ROLE_VMM] = { FILTER(vmm_setup), FILTER(vmm_main) },
	[ROLE_VCPU] = { FILTER(vmm_setup), FILTER(vmm_vcpu) },
	[ROLE_BLK] = { FILTER(dev_setup), FILTER(dev_blk) },
	[ROLE_VSOCK] = { FILTER(dev_setup), FILTER(dev_vsock) },
	[ROLE_QUOTE] = { FILTER(quote_unix), NO_FILTER },
};

/* swtpm's own list, read out of a running one by run.sh: hexadecimal, eight bytes an
 * instruction. It does the same as common/seal.c's before it (libseccomp sets no_new_privs). */
static int seal_as_swtpm(struct err *e)
{
	static struct sock_filter code[4096];
	const char *hex = target("SWTPM_FILTER");
	char digits[17] = { 0 };
	size_t count = 0;

	for (; *hex != '\0' && count < sizeof(code) / sizeof(code[0]); hex += 16, count++) {
		for (int i = 0; i < 16; i++) {
			if (hex[i] == '\0')
				return err_set(e, EX_MALFORMED, "swtpm's filter: cut");
			digits[i] = hex[i];
		}
		const uint64_t all = strtoull(digits, NULL, 16);
		code[count] = (struct sock_filter){ (uint16_t)(all >> 48), (uint8_t)(all >> 40),
						    (uint8_t)(all >> 32), (uint32_t)all };
		if (code[count].code == (BPF_RET | BPF_K) && code[count].k != 0x7fff0000u)
			code[count].k = 0x00050001u; /* refuse with EPERM */
	}
	if (count == 0)
		return err_set(e, EX_MALFORMED, "swtpm's filter: not given");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, EX_HOST, "no_new_privs");
	return seal_seccomp(code, count, 0, e);
}

int seal_as(enum role role, struct err *e)
{
	int rc = 0;

	if (role == ROLE_LAUNCHER || role == ROLE_ROOT)
		return 0;
	if (role == ROLE_VTPM)
		return layer_on(LAYER_SECCOMP) ? seal_as_swtpm(e) : 0;
	/* Of the host's own namespaces the bounding set stays (layers.c): seal_process would
	 * rightly refuse it, so what it does beside looking is done here. */
	if (layer_on(LAYER_CAPABILITIES) && layer_on(LAYER_NAMESPACES))
		rc = seal_process(e);
	else if (layer_on(LAYER_CAPABILITIES) &&
		 (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
		  prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0))
		rc = err_set(e, EX_HOST, "process: cannot be sealed");
	/* Landlock and filters ask for it, so the programs set it themselves as well. */
	if (rc == 0 && (layer_on(LAYER_LANDLOCK) || layer_on(LAYER_SECCOMP)) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = err_set(e, EX_HOST, "no_new_privs");
	if (rc == 0 && layer_on(LAYER_LANDLOCK))
		rc = seal_landlock(e);
	for (int i = 0; rc == 0 && i < SEAL_FILTERS && layer_on(LAYER_SECCOMP); i++)
		if (filters[role][i].code != NULL)
			rc = seal_seccomp(filters[role][i].code, filters[role][i].count, 0, e);
	return rc;
}
