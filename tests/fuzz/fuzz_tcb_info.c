/* An answer of Intel's service from anyone: cut, then read; what is accepted holds its bounds. */
#include "attest/tdx/tcb_info.h"
#include "attest/tdx/signed_json.h"
#include "attest/tdx/tcb_match.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tcb_info info;

static void use(void)
{
	static const uint8_t sgx[16] = { 4, 4, 4, 4, 4, 4, 4, 4 }, svn[16] = { 5, 1, 7 },
			     old[16] = { 5, 0, 2 };
	struct tcb_platform p = { sgx, 13, svn, svn };
	struct tcb_result r;
	char text[256];

	if (info.levels == 0 || info.levels > TCB_LEVELS_MAX || info.identities > TCB_MODULES_MAX)
		abort();
	for (unsigned i = 0; i < 2; i++) {
		tcb_match(&info, &p, NULL, 0, &r);
		if (r.status >= TCB_STATUSES || r.platform.level >= (int)info.levels ||
		    (r.status == TCB_UP_TO_DATE && r.platform.status != TCB_UP_TO_DATE))
			abort();
		tcb_shortfall_text(&r, text, sizeof(text));
		p.tee_tcb_svn = old;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct signed_json s;
	struct err e = { 0 };

	int r = signed_json_split("input", (const char *)data, size, "tcbInfo", &s, &e);
	if (r == 0 && (s.body_size < 2 || s.body < (const char *)data ||
		       s.body + s.body_size > (const char *)data + size))
		abort();
	if (r == 0)
		r = tcb_info_parse("input", s.body, s.body_size, &info, &e);
	if (r < 0 && (e.status != EX_MALFORMED || e.text[0] == '\0'))
		abort();
	if (r == 0) {
		use();
		tcb_info_free(&info);
	}
	return 0;
}
