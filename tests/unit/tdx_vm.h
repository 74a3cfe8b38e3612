/* A struct vm with RAM and a TDX plan on the recording KVM, for the tests of vmm/tee/tdx*.c. */
#ifndef PAVISE_TESTS_TDX_VM_H
#define PAVISE_TESTS_TDX_VM_H

#include "common/plan.h"
#include "firmware/layout.h"
#include "tests/unit/fake_tdx_kvm.h"
#include "vmm/config.h"
#include "vmm/vm.h"

struct tdx_vm {
	struct vm vm;
	struct config config;
	struct plan plan;
	struct fw_boot_block block;
	struct err e;
	int ram_fd;
	int relay; /* our end of quote=, -1 when there is none */
};

extern struct tdx_vm tm;

/* Makes it with that much RAM and a plan of every region type; the fake is reset. */
void tdx_vm_begin(uint64_t memory, unsigned cpus, bool relay);
void tdx_vm_end(void);

/* The steps of machine.c, for all vCPUs. Each returns what the backend did. */
int tdx_vm_create(void);
int tdx_vm_vcpus(void);
int tdx_vm_launch(void);
int tdx_vm_all(void); /* until the first one that fails */

/* What the VM's log holds. */
const char *tdx_vm_log(void);

#endif
