/* A report from anyone, with a certificate table behind it: nothing is taken that no root of AMD's
 * vouches for, and nothing is affirmed that has no signature. */
#include "attest/appraise/check_snp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct checks result;

static bool passed(const char *id)
{
	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return result.item[i].status == CHECK_PASS;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snp_policy policy;
	size_t report = size < SNP_REPORT_SIZE ? size : SNP_REPORT_SIZE;
	struct snp_certs certs = { 0 };
	struct snp_appraisal a = { .report = data,
				   .report_size = report,
				   .cert_table = data + report,
				   .cert_table_size = size - report,
				   .certs = &certs,
				   .now = 1800000000,
				   .policy = &policy,
				   .checks = &result };

	/* Every rule there is, the strict ones first: a byte nobody else uses says which. */
	policy_snp_base(size > 0x4C ? (enum policy_base)(data[0x4C] % POLICY_BASES) : POLICY_STRICT,
			&policy);
	policy.min_tcb.given = policy.min_of[SNP_TCB_CURRENT].given = (1u << SNP_COMPONENTS) - 1;
	policy.min_firmware.given = policy.min_guest_abi.given = 3;
	policy.products.given = policy.signing_keys.given = policy.require_guest_policy.given =
		true;
	policy.launch_mitigations = policy.current_mitigations = 1;
	memset(&result, 0, sizeof(result));
	check_snp(&a);
	snp_certs_free(&certs);
	if (result.overflow || result.count < SNP_CHECKS || result.private_root)
		abort();
	if (checks_verdict(&result) == EX_OK && !(passed("snp.root") && passed("snp.signature")))
		abort();
	return 0;
}
