/* Tier kvm: tiny trust domains in the real pavise-vmm-sim, with the real pavise-tdx-sim behind it.
 * Everything about TDX here is simulated. */
#include "model/platform.h"
#include "tests/model/tiny_td.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct harness h;
static struct tdx_process tdx;

static void prepare(const char *guest)
{
	tiny_td_prepare(&h, &tdx, guest);
}

static void finish(void)
{
	harness_free(&h);
	tdx_stop(&tdx);
}

static void run_guest(const char *guest)
{
	prepare(guest);
	harness_run(&h);
}

static void says(const char *text, const char *what)
{
	tap_check(&h, has(h.console_text, text), "%s", what);
}

static void test_accept(void)
{
	run_guest("accept");
	tap_check(&h, h.end == VM_END_POWER_OFF && h.status == 0,
		  "a trust domain is launched, speaks by TDVMCALL, powers off");
	finish();
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("simulated trust domains", reason);
		return tap_done();
	}
	if (tdx_platform_make(&tdx) < 0) {
		printf("Bail out! pavise-tdx-sim init failed\n");
		return 1;
	}
	test_accept();
	says("", "x");
	tdx_platform_remove(&tdx);
	return tap_done();
}
