/* A struct vm with RAM and an SEV-SNP plan on the fake KVM, for the tests of vmm/tee/snp*.c. */
#ifndef PAVISE_TESTS_SNP_VM_H
#define PAVISE_TESTS_SNP_VM_H

#include "common/plan.h"
#include "firmware/layout.h"
#include "tests/unit/fake_sev.h"
#include "vmm/config.h"
#include "vmm/vm.h"

#define SNP_SEV_FD 9

struct snp_vm {
	struct vm vm;
	struct config config;
	struct plan plan;
	struct fw_boot_block block;
	struct err e;
	int ram_fd;
};

extern struct snp_vm sm;

/* Makes it with that much RAM and one plan of every region type; the fake is reset. */
void snp_vm_begin(uint64_t memory, unsigned cpus);
void snp_vm_end(void);

/* The steps of machine.c, for all vCPUs. Each returns what the backend did. */
int snp_vm_create(void);
int snp_vm_cpuid(void);
int snp_vm_launch(void);
int snp_vm_all(void); /* until the first one that fails */

/* What the VM's log holds. */
const char *snp_vm_log(void);

#endif
