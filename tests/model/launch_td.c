#include "tests/model/launch_td.h"

#include "common/bytes.h"
#include "model/tdx_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void add_mr(struct harness *h, const char *key, uint8_t seed)
{
	uint8_t value[LAUNCH_MR];
	char hex[2 * sizeof(value) + 1];

	if (seed == 0)
		return; /* not given: zero, as the report will say */
	launch_fill(value, sizeof(value), seed);
	hex_encode(value, sizeof(value), hex);
	harness_add_arg(h, "%s=%s", key, hex);
}

/* The guest is gone, its trust domain in the module is not: that ends with the connection. */
static void ask_for_report(struct launch *l, int module)
{
	const uint8_t report_data[64] = { 'm' };
	struct err e = { 0 };
	uint64_t status = 0;

	l->reported = tdx_mr_report(module, report_data, l->td_report, &status, &e) == 0 &&
		      status == TDX_ST_SUCCESS;
}

void launch_execute_td(struct launch *l, struct tdx_process *platform)
{
	void *plan = launch_prepare(l);
	int module, ours;

	if (!plan)
		return;
	module = tdx_start(platform);
	ours = module < 0 ? -1 : fcntl(module, F_DUPFD_CLOEXEC, 0);
	if (ours < 0) {
		printf("pavise-tdx-sim does not start\n");
	} else {
		harness_add_fd(&l->h, "psp", module);
		add_mr(&l->h, "mrconfigid", l->config.mrconfigid);
		add_mr(&l->h, "mrowner", l->config.mrowner);
		add_mr(&l->h, "mrownerconfig", l->config.mrownerconfig);
		harness_run(&l->h);
		ask_for_report(l, ours);
		close(ours);
	}
	tdx_stop(platform);
	free(plan);
	l->h.raw_plan = NULL;
}
