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

	policy_snp_base(POLICY_STRICT, &policy);
	memset(&result, 0, sizeof(result));
	check_snp(&a);
	snp_certs_free(&certs);
	if (result.overflow || result.count < 28 || result.private_root)
		abort();
	if (checks_verdict(&result) == EX_OK && !(passed("snp.root") && passed("snp.signature")))
		abort();
	return 0;
}
