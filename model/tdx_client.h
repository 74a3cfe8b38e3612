/* The platform model's side of pavise-tdx-sim (tdx_wire.h): what the TDX module would keep and
 * compute. Each function returns 0 when an answer came: *status is then the module's completion
 * status. Negative -EX_INTERNAL: the connection is gone, as a module that shut down would be. */
#ifndef PAVISE_MODEL_TDX_CLIENT_H
#define PAVISE_MODEL_TDX_CLIENT_H

#include "common/err.h"
#include "model/tdx_wire.h"

int tdx_mng_init(int fd, const struct tdx_mng_init *init, uint64_t *status, struct err *e);
int tdx_page_add(int fd, uint64_t gpa, uint64_t *status, struct err *e);
int tdx_mr_extend(int fd, uint64_t gpa, const uint8_t data[256], uint64_t *status, struct err *e);
int tdx_mr_finalize(int fd, uint64_t *status, struct err *e);
int tdx_rtmr_extend(int fd, uint32_t index, const uint8_t data[48], uint64_t *status,
		    struct err *e);
int tdx_mr_report(int fd, const uint8_t report_data[64], uint8_t report[TDX_WIRE_REPORT_SIZE],
		  uint64_t *status, struct err *e);

#endif
