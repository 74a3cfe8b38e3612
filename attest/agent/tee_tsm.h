/* Reports through configfs-tsm (Documentation/ABI/testing/configfs-tsm). */
#ifndef PAVISE_ATTEST_AGENT_TEE_TSM_H
#define PAVISE_ATTEST_AGENT_TEE_TSM_H

#include "attest/agent/tee.h"

#define TSM_REPORT "/sys/kernel/config/tsm/report"

/* As agent_tee_open, with the folder of reports at path (borrowed). */
int tsm_open(const char *path, struct agent_tee *out, struct err *e);

#endif
