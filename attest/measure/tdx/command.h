/* `pavise measure tdx`. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_COMMAND_H
#define PAVISE_ATTEST_MEASURE_TDX_COMMAND_H

#include "attest/measure/options.h"
#include "common/err.h"

/* Reads the image, measures and prints. The errors of the parts. */
int tdx_command(const struct measure_options *o, struct err *e);

#endif
