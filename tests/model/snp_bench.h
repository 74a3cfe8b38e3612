/* An SEV-SNP guest in the model's launch states, against a scripted secure processor. KVM below is
 * a fake: no vCPU runs here. */
#ifndef PAVISE_TESTS_MODEL_SNP_BENCH_H
#define PAVISE_TESTS_MODEL_SNP_BENCH_H

#include "common/kvm_uapi.h"
#include "model/platform.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMORY   (8u << 20) /* of the guest, from address 0, private */
#define VM_FD    1000

enum step { CREATED, INITED, STARTED, UPDATED, FINISHED };

extern uint8_t *bench_ram;
/* What bench_update adds; the first page is an image with one site. */
extern uint8_t bench_source[2][4096];
extern int bench_gmem;         /* the guest's private memory */
extern int bench_psp_end;      /* the processor's end of its socket */
extern uint8_t bench_last_data[4096]; /* the page that it saw last */

/* Once, before anything else. */
bool bench_make_ram(void);

/* From CREATED (a VM of type 4 and its memory) to that state; a vCPU from INITED on. Fails the test
 * when a step does not succeed. bench_leave undoes it. */
void bench_reach(enum step step);
void bench_leave(void);

/* The processor answers this command with this code, all others with success; or only after so many
 * of that kind have succeeded. */
void bench_answer(uint32_t command, uint32_t code);
void bench_answer_after(uint32_t command, unsigned good, uint32_t code);
/* How many commands reached it since this was asked last. */
int bench_commands(void);

/* Private memory's page at gpa, from bench_source. */
struct uapi_snp_update bench_update(uint64_t gpa, uint64_t pages, uint8_t type);
void bench_add_vcpu(void);

/* From a fresh `step`, `call` answers rc with the firmware's code, after so many commands. */
#define EXPECT(step, call, rc, code, sent) do { \
	uint32_t fw = 0x5A5A5A5A; \
	bench_reach(step); \
	int got = (call); \
	int seen = bench_commands(); \
	if (got != (rc) || fw != (uint32_t)(code) || seen != (sent)) \
		fail_msg("%s in state %d: %d, firmware %#x, %d commands", #call, (int)(step), got, \
			 fw, seen); \
	bench_leave(); \
} while (0)

#endif
