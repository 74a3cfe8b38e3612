#include "tests/unit/tdx_vm.h"

#include "vmm/bus/pci.h"
#include "vmm/tee/tee.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct tdx_vm tm;

/* tee.c names every backend; only that of trust domains is under test. */
const struct tee_ops tee_plain = { .name = "plain" }, tee_snp = { .name = "SEV-SNP" };

static _Alignas(4096) uint8_t firmware[8192], hash_page[4096], reset_page[4096], kernel[12288],
	initrd[0x201000];

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "tdx_vm: %s: %s\n", what, tm.e.text);
	abort();
}

static int make_ram(uint64_t size)
{
	int fd = memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
	     fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0, "RAM");
	return fd;
}

static void make_plan(void)
{
	static const struct plan_region regions[] = {
		{ PLAN_FIRMWARE, FW_IMAGE, 5000, firmware },
		{ PLAN_ZERO, FW_SCRATCH, FW_SCRATCH_SIZE, NULL },
		{ PLAN_HASH_PAGE, FW_HASH_PAGE, 4096, hash_page },
		{ PLAN_MAILBOX, FW_MAILBOX, 4096, NULL },
		{ PLAN_RESET_PAGE, FW_RESET_PAGE, 4096, reset_page },
		{ PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, 4096, NULL },
		{ PLAN_KERNEL, FW_STAGING, 9000, kernel },
		{ PLAN_INITRD, FW_STAGING + 0x200000, 0x200001, initrd },
	};

	memset(initrd, 0x33, sizeof(initrd));
	memset(firmware, 0x11, 5000);
	memset(hash_page, 0x22, sizeof(hash_page));
	memset(reset_page, 0x55, sizeof(reset_page));
	memset(kernel, 0x44, sizeof(kernel));
	tm.plan = (struct plan){
		.tee = PLAN_TEE_TDX, .min_ram = 1, .max_cpus = 4,
		.vcpu = { .rip = FW_RESET_VECTOR },
		.tdx = { PLAN_TDX_ATTRIBUTES, PLAN_TDX_XFAM, TDX_GPAW },
		.region_count = sizeof(regions) / sizeof(regions[0]),
	};
	memcpy(tm.plan.region, regions, sizeof(regions));
}

static void make_config(bool relay)
{
	int s[2] = { -1, -1 };

	if (relay)
		must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) == 0, "relay");
	tm.config.quote = s[0];
	tm.relay = s[1];
	tm.config.sev = tm.config.psp = tm.config.certs = tm.config.tpm = -1;
	tm.config.id_block = tm.config.id_auth = -1;
	memset(tm.config.mrconfigid, 0xC1, 48);
	memset(tm.config.mrowner, 0xC2, 48);
	memset(tm.config.mrownerconfig, 0xC3, 48);
}

void tdx_vm_begin(uint64_t memory, unsigned cpus, bool relay)
{
	fake_tdx_reset();
	memset(&tm, 0, sizeof(tm));
	tm.ram_fd = make_ram(memory);
	must(memory_map(&tm.vm.memory, tm.ram_fd, memory, &tm.e) == 0, "memory");
	make_plan();
	make_config(relay);
	memcpy(tm.block.magic, FW_BOOT_MAGIC, 8);
	tm.vm.kvm_fd = 8;
	tm.vm.next_gsi = VM_GSI_FIRST;
	tm.vm.cpu_count = cpus;
	tm.vm.tee = &tee_tdx;
	tm.vm.log_fd = memfd_create("log", MFD_CLOEXEC);
	tm.vm.end_fd = memfd_create("end", MFD_CLOEXEC);
	must(pthread_mutex_init(&tm.vm.lock, NULL) == 0, "lock");
	must(pci_init(&tm.vm, &tm.e) == 0, "bus");
}

void tdx_vm_end(void)
{
	for (unsigned i = 0; i < tm.vm.cpu_count && tm.vm.vcpu[i].run; i++) {
		munmap(tm.vm.vcpu[i].run, tm.vm.vcpu[i].run_size);
		close(tm.vm.vcpu[i].fd);
	}
	free(tm.vm.private_memory.shared);
	free(tm.vm.pci);
	munmap((void *)(uintptr_t)tm.vm.memory.map, tm.vm.memory.size);
	if (tm.config.quote >= 0)
		close(tm.config.quote);
	if (tm.vm.tdx.quotes.notify_fd > 0)
		close(tm.vm.tdx.quotes.notify_fd);
	if (tm.relay >= 0)
		close(tm.relay);
	close(tm.ram_fd);
	close(tm.vm.log_fd);
	close(tm.vm.end_fd);
}

int tdx_vm_create(void)
{
	return tm.vm.tee->create_vm(&tm.vm, &tm.plan, &tm.config, &tm.e);
}

int tdx_vm_vcpus(void)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < tm.vm.cpu_count; i++)
		rc = vcpu_create(&tm.vm, i, &tm.e);
	return rc;
}

int tdx_vm_launch(void)
{
	return tm.vm.tee->load(&tm.vm, &tm.plan, &tm.block, &tm.e);
}

int tdx_vm_all(void)
{
	int rc = tdx_vm_create();

	if (rc == 0)
		rc = tdx_vm_vcpus();
	return rc == 0 ? tdx_vm_launch() : rc;
}

const char *tdx_vm_log(void)
{
	static char text[16384];
	ssize_t n = pread(tm.vm.log_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}
