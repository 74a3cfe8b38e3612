/* The platform model's side of the simulated secure processor: what KVM and the ccp driver would
 * ask the real one, in the same order. Each function returns 0 when an answer came: *status is
 * then the firmware's code (enum psp_status). Negative -EX_INTERNAL: the connection is gone,
 * as a dead secure processor would be. */
#ifndef PAVISE_MODEL_PSP_CLIENT_H
#define PAVISE_MODEL_PSP_CLIENT_H

#include "common/err.h"
#include "model/psp_wire.h"

#include <stddef.h>
#include <stdint.h>

/* GCTX_CREATE: the context page is FIRMWARE, 4 KiB. */
int psp_gctx_create(int fd, uint32_t *status, struct err *e);

int psp_launch_start(int fd, uint64_t policy, const uint8_t gosvw[16], uint32_t *status,
		     struct err *e);

int psp_activate(int fd, uint32_t asid, uint32_t *status, struct err *e);

/* One 4 KiB page, PRE_GUEST, owned by asid. `page` (4096 bytes) is replaced when the firmware
 * writes it: SECRETS, and a corrected CPUID page with *status PSP_INVALID_PARAM; *replaced says
 * so. */
int psp_launch_update(int fd, uint64_t gpa, enum psp_page_type type, uint32_t asid,
		      uint8_t page[PSP_PAGE], int *replaced, uint32_t *status, struct err *e);

/* id_block: 96 bytes, id_auth: 4096 bytes, both NULL or both given. */
int psp_launch_finish(int fd, const uint8_t *id_block, const uint8_t *id_auth, int author,
		      int vcek_disabled, const uint8_t host_data[32], uint32_t *status,
		      struct err *e);

/* Relays request bytes (as they came through the model's ports) and stores at most max bytes
 * of answer (struct psp_report_answer and certificates). */
int psp_guest_report(int fd, const void *request, size_t size, void *answer, size_t max,
		     size_t *answer_size, uint32_t *status, struct err *e);

int psp_decommission(int fd, uint32_t *status, struct err *e);

#endif
