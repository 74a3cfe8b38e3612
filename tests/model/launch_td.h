/* launch_one.h's second half for a trust domain: in a file of its own, because it needs the
 * simulated TDX platform. */
#ifndef PAVISE_TESTS_MODEL_LAUNCH_TD_H
#define PAVISE_TESTS_MODEL_LAUNCH_TD_H

#include "tests/model/launch_one.h"
#include "tests/model/tdx_process.h"

/* As launch_execute; the report is the TDREPORT that the simulated module makes. */
void launch_execute_td(struct launch *l, struct tdx_process *platform);

#endif
