/* An answer of Intel's service from anyone: cut, then read; what is accepted holds its bounds. */
#include "attest/tdx/qe_identity.h"
#include "attest/tdx/signed_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct qe_identity qe;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[32];
	struct qe_claims claims = { zero, zero, zero, 2, 4 };
	struct signed_json s;
	struct err e = { 0 };

	int r = signed_json_split("input", (const char *)data, size, "enclaveIdentity", &s, &e);
	if (r == 0)
		r = qe_identity_parse("input", s.body, s.body_size, &qe, &e);
	if (r < 0) {
		if (e.status != EX_MALFORMED || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (qe.levels == 0 || qe.levels > TCB_LEVELS_MAX)
		abort();
	if (qe_identity_check(&qe, &claims, &e) < 0 && e.status != EX_UNAUTHENTIC)
		abort();
	qe_identity_free(&qe);
	return 0;
}
