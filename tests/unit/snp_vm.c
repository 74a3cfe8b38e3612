#include "tests/unit/snp_vm.h"

#include "vmm/tee/tee.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct snp_vm sm;

static _Alignas(4096) uint8_t firmware[8192], hash_page[4096], kernel[12288];

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "snp_vm: %s: %s\n", what, sm.e.text);
	abort();
}

static int make_ram(uint64_t size)
{
	int fd = memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
	     fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0, "RAM");
	return fd;
}

static void make_plan(unsigned cpus)
{
	static const struct plan_region regions[] = {
		{ PLAN_FIRMWARE, FW_IMAGE, 5000, firmware },
		{ PLAN_ZERO, FW_SCRATCH, FW_SCRATCH_SIZE, NULL },
		{ PLAN_HASH_PAGE, FW_HASH_PAGE, 4096, hash_page },
		{ PLAN_CPUID_PAGE, FW_CPUID_PAGE, 4096, NULL },
		{ PLAN_SECRETS_PAGE, FW_SECRETS_PAGE, 4096, NULL },
		{ PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, 4096, NULL },
		{ PLAN_KERNEL, FW_STAGING, 9000, kernel },
		{ PLAN_INITRD, FW_STAGING + 0x200000, 0x200001, NULL },
	};
	static uint8_t *initrd;

	if (!initrd)
		initrd = aligned_alloc(4096, 0x201000);
	memset(initrd, 0x33, 0x201000);
	memset(firmware, 0x11, 5000);
	memset(hash_page, 0x22, sizeof(hash_page));
	memset(kernel, 0x44, sizeof(kernel));
	sm.plan = (struct plan){
		.tee = PLAN_TEE_SNP, .min_ram = 1, .max_cpus = 4,
		.vcpu = { FW_IMAGE + 0x40, FW_SCRATCH + 0x1000, FW_IMAGE + 0x1000 + (1ull << 51) },
		.snp = { cpus, PLAN_SNP_POLICY, PLAN_SNP_FEATURES, SNP_C_BIT, FW_IMAGE + 0x80 },
		.region_count = sizeof(regions) / sizeof(regions[0]),
	};
	memcpy(sm.plan.region, regions, sizeof(regions));
	sm.plan.region[7].data = initrd;
}

void snp_vm_begin(uint64_t memory, unsigned cpus)
{
	fake_reset();
	memset(&sm, 0, sizeof(sm));
	sm.ram_fd = make_ram(memory);
	must(memory_map(&sm.vm.memory, sm.ram_fd, memory, &sm.e) == 0, "memory");
	make_plan(cpus);
	memcpy(sm.block.magic, FW_BOOT_MAGIC, 8);
	sm.config.sev = SNP_SEV_FD;
	sm.config.psp = sm.config.certs = sm.config.id_block = sm.config.id_auth = sm.config.tpm = -1;
	memcpy(sm.config.host_data, "host data of thirty-two bytes  .", 32);
	sm.vm.kvm_fd = 8;
	sm.vm.cpu_count = cpus;
	sm.vm.tee = &tee_snp;
	sm.vm.log_fd = memfd_create("log", MFD_CLOEXEC);
	sm.vm.end_fd = memfd_create("end", MFD_CLOEXEC);
	for (unsigned i = 0; i < cpus; i++) {
		sm.vm.vcpu[i].vm = &sm.vm;
		sm.vm.vcpu[i].index = i;
		sm.vm.vcpu[i].fd = (int)(50 + i);
		sm.vm.vcpu[i].run = calloc(1, 4096);
	}
}

void snp_vm_end(void)
{
	for (unsigned i = 0; i < sm.vm.cpu_count; i++)
		free(sm.vm.vcpu[i].run);
	free(sm.vm.private_memory.shared);
	munmap((void *)(uintptr_t)sm.vm.memory.map, sm.vm.memory.size);
	close(sm.ram_fd);
	close(sm.vm.log_fd);
	close(sm.vm.end_fd);
}

int snp_vm_create(void)
{
	return sm.vm.tee->create_vm(&sm.vm, &sm.plan, &sm.config, &sm.e);
}

int snp_vm_cpuid(void)
{
	static union kvm_cpuid_table t;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < sm.vm.cpu_count; i++) {
		memset(&t, 0, sizeof(t));
		t.head.nent = 2;
		t.head.entries[0] = (struct kvm_cpuid_entry2){ .function = 1, .eax = 0xA00F11,
							       .ebx = i << 24 };
		t.head.entries[1] = (struct kvm_cpuid_entry2){ .function = 0x8000001F,
							       .ebx = SNP_C_BIT };
		fake_note("vcpu %u", i);
		rc = sm.vm.tee->adjust_cpuid(&sm.vm, &t, &sm.e);
	}
	return rc;
}

int snp_vm_launch(void)
{
	return sm.vm.tee->load(&sm.vm, &sm.plan, &sm.block, &sm.e);
}

int snp_vm_all(void)
{
	int rc = snp_vm_create();

	if (rc == 0)
		rc = snp_vm_cpuid();
	return rc == 0 ? snp_vm_launch() : rc;
}

const char *snp_vm_log(void)
{
	static char text[16384];
	ssize_t n = pread(sm.vm.log_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}
