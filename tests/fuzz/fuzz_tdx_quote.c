/* A quote from anyone: every check is made whatever it is, and nothing is affirmed that Intel's
 * root does not vouch for. What parses holds its own rules. */
#include "attest/appraise/check_tdx.h"

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

/* Every part lies within the quote, and they add up to it. */
static void check_parts(const uint8_t *data, size_t size)
{
	struct tdx_quote q;
	struct err e = { 0 };

	if (tdx_quote_parse(data, size, &q, &e) < 0)
		return;
	if (q.signed_size + 4 + 64 + 64 + 6 + 384 + 64 + 2 + q.qe_auth_size + 6 + q.certs_size +
		    q.trailing !=
	    size)
		abort();
	if (q.certs + q.certs_size + q.trailing != data + size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tdx_policy policy;
	static struct log_policy log;
	struct tdx_appraisal a = { .quote = data,
				   .quote_size = size,
				   .now = 1800000000,
				   .policy = &policy,
				   .unjudged = "policy none: not judged",
				   .log = &log,
				   .checks = &result };
	size_t count;

	policy_tdx_base(POLICY_PERMISSIVE, &policy);
	policy_log_base(POLICY_PERMISSIVE, &log);
	check_parts(data, size);
	memset(&result, 0, sizeof(result));
	check_tdx(&a);
	count = result.count;
	if (result.overflow || count < 40 || result.private_root)
		abort();
	if (checks_verdict(&result) == EX_OK &&
	    !(passed("tdx.root") && passed("tdx.signature") && passed("tdx.qe.signature") &&
	      passed("tdx.qe.binding")))
		abort();
	a.policy = NULL;
	memset(&result, 0, sizeof(result));
	check_tdx(&a);
	if (result.overflow || result.count != count)
		abort();
	return 0;
}
