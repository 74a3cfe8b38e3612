/* pavise-tdx-sim: the simulated TDX module, quoting enclave and quote generation service.
 *   pavise-tdx-sim init --state DIR                makes the host's simulated platform, once
 *   pavise-tdx-sim root --state DIR -o FILE        writes its root certificate
 *   pavise-tdx-sim collateral --state DIR -o FILE  writes collateral for its quotes, as of now
 *   pavise-tdx-sim label=L control=FD psp=FD qgs=FD log=FD key=FD certs=FD  by the launcher only */
#include "model/sim_program.h"
#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/serve.h"
#include "model/tdx_sim/state.h"

#include <linux/filter.h>

#include "seccomp/tdx_sim.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(TDX_SIM_CHAIN_MAX <= SIM_CERTS_MAX, "certificates of the platform");

static struct tdx_sim sim;

/* The module keeps the chain, which it puts into every quote. */
static int open_module(const uint8_t *key, size_t key_size, const uint8_t *certs, size_t certs_size,
		       struct err *e)
{
	static EVP_PKEY *pck; /* lives as long as the process */
	static uint8_t quote[TDX_SIM_QUOTE_MAX];
	const uint8_t data[64] = { 0 };
	uint8_t report[TDX_WIRE_REPORT_SIZE];
	int rc = tdx_chain_load(key, key_size, certs, certs_size, &pck, e);

	if (rc == 0)
		rc = tdx_sim_open(&sim, pck, certs, certs_size, e);
	if (rc == 0 && (tdx_report_make(&sim, data, report) != 0 ||
			!tdx_report_check(&sim, report) || tdx_quote_make(&sim, report, quote) <= 0))
		rc = err_set(e, EX_INTERNAL, "tdx: cannot sign with the platform's keys");
	return rc;
}

static int serve_vmm(const struct sim_fds *fds, struct err *e)
{
	const struct tdx_serve s = { .sim = &sim, .psp = fds->psp, .listener = fds->qgs,
				     .control = fds->control };
	int rc = tdx_serve(&s, e);

	tdx_sim_close(&sim);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct sim_tool tools[] = { { "root", tdx_state_root },
						 { "collateral", tdx_state_collateral } };
	static const struct sim_program program = {
		.name = "pavise-tdx-sim",
		.usage = "usage: pavise-tdx-sim init --state DIR\n"
			 "       pavise-tdx-sim root --state DIR -o FILE\n"
			 "       pavise-tdx-sim collateral --state DIR -o FILE\n"
			 "A simulated TDX platform: it proves nothing of hardware.\n",
		.made = "a simulated TDX platform",
		.listens = true,
		.init = tdx_state_init,
		.tool = tools,
		.tools = COUNT(tools),
		.open = open_module,
		.serve = serve_vmm,
		.filter = tdx_sim_filter,
		.filter_count = COUNT(tdx_sim_filter),
	};

	sim_program_run(&program, argc, argv);
}
