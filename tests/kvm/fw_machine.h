/* A machine that boots through the firmware, for the kvm tier: a plan made from parts that a test
 * may spoil, a prediction of everything the firmware leaves behind, and a TPM that is this test
 * itself. */
#ifndef PAVISE_TESTS_KVM_FW_MACHINE_H
#define PAVISE_TESTS_KVM_FW_MACHINE_H

#include "tests/kvm/harness.h"

#include "firmware/events.h"
#include "firmware/hashpage.h"
#include "firmware/staging.h"
#include "firmware/stop.h"

#include <pthread.h>

/* Where tests/guests/fakekernel keeps the registers it was entered with. */
#define FAKE_LOAD  0x1000000u
#define FAKE_SAVED (FAKE_LOAD + 0x800u)
#define FAKE_INIT_SIZE 0x400000u
struct fake_saved {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, cs, ds, es, ss, cr0, cr3, cr4, efer;
	uint64_t unused[7];
	uint8_t fxsave[512]; /* SDM vol. 1 §10.5.1: XMM0 to XMM15 from byte 160 */
};

#define FW_MACHINE_EXTENDS 32

struct fw_machine {
	struct harness h;
	uint8_t *firmware, *kernel, *initrd;  /* private copies, to spoil before fw_machine_seal */
	size_t firmware_size, kernel_size, initrd_size;
	uint8_t cmdline[64];
	size_t cmdline_size;                  /* NUL included */
	struct fw_hash_page hash_page;        /* made by fw_machine_hash, may be spoiled after it */
	struct fw_staging staging;

	/* The TPM: answers every command with this header, padded with zeros. */
	bool has_tpm;
	uint8_t tpm_header[10];
	uint32_t tpm_response_size;
	int tpm_end;
	pthread_t tpm_thread;
	unsigned extends;
	struct {
		uint32_t pcr;
		struct fw_digests digest;
	} extend[FW_MACHINE_EXTENDS];
};

/* Firmware, fake kernel, initrd of 5000 bytes, command line "quiet x"; 192 MiB, 1 processor. */
void fw_machine_init(struct fw_machine *m);
/* Another image or kernel, a file of the build folder; hashed at once. */
void fw_machine_use_firmware(struct fw_machine *m, const char *path);
void fw_machine_use_kernel(struct fw_machine *m, const char *path);
/* Hash page and regions from the parts as they are now. */
void fw_machine_hash(struct fw_machine *m);
/* A TPM that accepts every extend, unless the tpm_ members are changed after this. */
void fw_machine_add_tpm(struct fw_machine *m);
/* Runs to the end, over memory that is not zero where the firmware will write. */
void fw_machine_run(struct fw_machine *m);
void fw_machine_free(struct fw_machine *m);

/* Copies guest memory out of the RAM memfd, after the run. */
void fw_machine_read(const struct fw_machine *m, uint64_t gpa, void *out, size_t size);
bool fw_machine_is_zero(const struct fw_machine *m, uint64_t from, uint64_t to);

/* What the log must say, from files alone. acpi: at least FW_ACPI_SIZE bytes for the tables. */
void fw_machine_predict(const struct fw_machine *m, struct fw_log_inputs *in, uint8_t *acpi,
			size_t *acpi_size);

/* Offset in the image of a symbol of the firmware's ELF file. */
size_t fw_machine_symbol(const char *name);

#endif
