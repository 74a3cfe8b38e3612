/* pavise-psp-sim: the simulated secure processor.
 *   pavise-psp-sim init --state DIR          makes the host's simulated chip, once
 *   pavise-psp-sim root --state DIR -o FILE  writes its root certificate
 *   pavise-psp-sim label=L control=FD psp=FD log=FD key=FD certs=FD    by the launcher only */
#include "model/psp/chain.h"
#include "model/psp/serve.h"
#include "model/psp/state.h"
#include "model/sim_program.h"

#include <linux/filter.h>

#include "seccomp/psp_sim.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(PSP_CERTS_MAX <= SIM_CERTS_MAX, "certificates of the chip");

static struct psp psp;

static int open_chip(const uint8_t *key, size_t key_size, const uint8_t *certs, size_t certs_size,
		     struct err *e)
{
	const struct psp_report_request r = { .vmpl = 0 };
	uint8_t report[PSP_REPORT_SIZE];

	psp_init(&psp);
	int rc = chain_load(key, key_size, certs, certs_size, &psp.chip, e);
	if (rc == 0 && psp_report(&psp, &r, report) != PSP_SUCCESS)
		rc = err_set(e, EX_INTERNAL, "psp: cannot sign with the chip key");
	return rc;
}

static int serve_vmm(const struct sim_fds *fds, struct err *e)
{
	return serve(&psp, fds->psp, fds->control, e);
}

int main(int argc, char **argv)
{
	static const struct sim_tool tools[] = { { "root", state_root } };
	static const struct sim_program program = {
		.name = "pavise-psp-sim",
		.usage = "usage: pavise-psp-sim init --state DIR\n"
			 "       pavise-psp-sim root --state DIR -o FILE\n"
			 "A simulated secure processor: it proves nothing of hardware.\n",
		.made = "a simulated chip",
		.init = state_init,
		.tool = tools,
		.tools = COUNT(tools),
		.open = open_chip,
		.serve = serve_vmm,
		.filter = psp_sim_filter,
		.filter_count = COUNT(psp_sim_filter),
	};

	sim_program_run(&program, argc, argv);
}
