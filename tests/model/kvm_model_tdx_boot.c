/* Tier kvm: the TDX firmware image, as it is measured, on the simulated platform, from the reset
 * vector through the fold into a kernel of a few instructions; with a kernel that is short of
 * everything while the trust domain is launched, and with a host that attacks it. */
#include "attest/measure/tdx/plan.h"
#include "common/file.h"
#include "firmware/staging.h"
#include "firmware/stop.h"
#include "model/platform.h"
#include "tests/kvm/harness.h"
#include "tests/model/tdx_process.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RAM (192u << 20)
#define CPUS 2u

static struct harness h;
static struct tdx_process tdx;
static struct plain_plan plan;
static uint8_t *firmware, *kernel, initrd[5000];
static size_t firmware_size, kernel_size;
static int module_fd; /* our copy of the VMM's end */

static void load(const char *name, uint8_t **data, size_t *size)
{
	const char *folder = getenv("PAVISE_BUILD");
	struct err e = { 0 };
	char path[512];
	void *bytes;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "build", name);
	if (file_read(name, path, 1 << 20, 0, &bytes, size, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	*data = bytes;
}

static void prepare(void)
{
	const struct plain_input in = {
		.firmware = { "firmware", firmware, firmware_size },
		.kernel = { "kernel", kernel, kernel_size },
		.initrd = { "initrd", initrd, sizeof(initrd) },
		.cmdline = "quiet x",
		.max_cpus = CPUS,
	};
	struct err e = { 0 };
	int fd;

	if (tdx_plan_build(&in, PLAN_TDX_XFAM, &plan, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	harness_init(&h, "tdx-aps");
	h.program = "../tests/vmm-fault";
	h.plan = plan.plan;
	h.memory = RAM;
	h.cpus = CPUS;
	fd = tdx_start(&tdx);
	module_fd = dup(fd);
	if (fd >= 0)
		harness_add_fd(&h, "psp", fd);
}

static void finish(void)
{
	harness_free(&h);
	close(module_fd);
	tdx_stop(&tdx);
}

static bool boots(void)
{
	return h.end == VM_END_POWER_OFF && strcmp(h.console_text, "fake kernel runs\n") == 0;
}

/* False: this machine cannot run it. Without an attack, and where 2 MiB pages do not fit: up to 6.16 KVM gives none. */
static bool test_boot(void)
{
	prepare();
	harness_run(&h);
	if (has(h.log_text, "cannot hold address bit")) {
		tap_skip("the TDX firmware on the platform model",
			 "this host's KVM cannot hold the S-bit");
		finish();
		return false;
	}
	tap_check(&h, boots() && has(h.log_text, "fold: "),
		  "the firmware accepts its memory, checks the blobs, and the kernel runs");
	finish();
	setenv("PAVISE_SIM_SMALL_BELOW", "0x1000000", 1);
	prepare();
	harness_run(&h);
	tap_check(&h, boots(), "the same where 2 MiB pages do not fit");
	finish();
	unsetenv("PAVISE_SIM_SMALL_BELOW");
	return true;
}

static bool is_mrtd(void)
{
	struct tdx_registers r = { 0 };
	struct tdx_measured m = { 0 };
	struct err e = { 0 };

	return tdx_read_registers(module_fd, &r) == 0 &&
	       tdx_measure(&plan.plan, NULL, NULL, &m, &e) == 0 &&
	       memcmp(r.mrtd, m.mrtd, sizeof(r.mrtd)) == 0;
}

/* Each page once, in order, however often the kernel sends the VMM back. */
static void test_strain(void)
{
	static const char *const name[] = { "room", "entropy", "again", "busy", "intr", "partial",
					    "final" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		prepare();
		harness_add_arg(&h, "fault=launch:%s", name[i]);
		harness_run(&h);
		tap_check(&h, boots() && is_mrtd(), "launch:%s: boots, with the same MRTD",
			  name[i]);
		finish();
	}
}

static void test_no_launch(void)
{
	static const struct {
		const char *name, *says;
	} row[] = {
		{ "forever", "KVM_TDX_INIT_MEM_REGION" },
		{ "idle", "KVM_TDX_INIT_MEM_REGION" },
		{ "ahead", "KVM_TDX_INIT_MEM_REGION" },
		{ "full", "KVM_TDX_CAPABILITIES" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare();
		harness_add_arg(&h, "fault=launch:%s", row[i].name);
		harness_run(&h);
		tap_check(&h, !h.ready && h.status != 0 && has(h.error_text, row[i].says),
			  "launch:%s: no launch, and the step is named", row[i].name);
		finish();
	}
}

/* Neither Linux nor the fold. */
static bool nothing_ran(void)
{
	return h.console_text[0] == '\0' && !has(h.log_text, "fold: ") &&
	       !has(h.log_text, "hands over");
}

/* Pages that the host takes away, and events that cannot come, once all RAM is accepted and the
 * blobs are checked: see fault/fault.c. */
static void test_attacks(void)
{
	static const struct {
		const char *fault, *what;
		uint64_t gpa; /* of the first page; 0: of the private kernel */
		uint32_t stop; /* 0: the module ends the trust domain */
	} row[] = {
		{ "swap", "two private pages swapped", 0, 0 },
		{ "remap", "an older page put in place of one", 0, 0 },
		{ "drop", "a page taken back", 0, 0 },
		{ "drop", "one that is read in ring 3", FW_CMDLINE, 0 },
		{ "drop", "one that is written", FW_EVENT_LOG, 0 },
		{ "vector:14", "#VE where no instruction can raise it", 0, STOP_TDX_VE },
		{ "vector:2", "an NMI", 0, STOP_TRAP },
		{ "vector:e", "a page fault that none is", 0, STOP_TRAP },
		{ "vector:20", "the first interrupt vector", 0, STOP_TRAP },
		{ "vector:80", "vector 0x80", 0, STOP_TRAP },
		{ "vector:ff", "the last vector", 0, STOP_TRAP },
	};
	struct fw_staging staging;

	if (fw_staging(kernel_size, sizeof(initrd), sizeof("quiet x"), &staging) != 0) {
		tap_ok(false, "the staging area is known");
		return;
	}
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		unsigned long long at = row[i].gpa != 0 ? row[i].gpa : staging.end;
		uint32_t end = row[i].stop != 0 ? VM_END_FIRMWARE_STOP : VM_END_KVM_ERROR;
		uint32_t detail = row[i].stop != 0 ? row[i].stop : EIO;

		prepare();
		if (row[i].stop == 0)
			harness_add_arg(&h, "fault=%s:%llx:%llx", row[i].fault, at, at + FW_PAGE);
		else
			harness_add_arg(&h, "fault=%s", row[i].fault);
		harness_run(&h);
		tap_check(&h, has(h.log_text, "fault: done") && nothing_ran() && h.end == end &&
			  h.detail == detail, "%s: the end, nothing boots", row[i].what);
		finish();
	}
}

#define BOOT(field) (FW_BOOT_BLOCK + offsetof(struct fw_boot_block, field))

/* What the host says before the guest runs. */
static void test_lies(void)
{
	static const struct {
		uint64_t gpa, value;
		uint32_t end, detail;
		const char *what;
	} row[] = {
		{ FW_MAILBOX, 1ull << 32 | 1, VM_END_FIRMWARE_STOP, STOP_TDX_MAILBOX,
		  "a mailbox that starts a processor" },
		{ FW_MAILBOX + 0xFF8, 1, VM_END_FIRMWARE_STOP, STOP_TDX_MAILBOX,
		  "one with a bit in its last bytes" },
		{ FW_SCRATCH + 0x100, 1, VM_END_FIRMWARE_STOP, STOP_SCRATCH_DIRTY,
		  "scratch memory that is not zero" },
		{ BOOT(magic), 0, VM_END_FIRMWARE_STOP, STOP_BOOT_BLOCK,
		  "a boot block of another kind" },
		{ BOOT(apic_id), 1, VM_END_FIRMWARE_STOP, STOP_BOOT_CPUS,
		  "processors with other ids than the module gives" },
		{ BOOT(ram_count), (uint64_t)(CPUS + 1) << 32 | 2, VM_END_FIRMWARE_STOP,
		  STOP_BOOT_CPUS,
		  "more processors than the plan allows" },
		{ BOOT(ram[1].size), 0x100000000ull - 0x100000, VM_END_FIRMWARE_STOP, STOP_BOOT_RAM,
		  "RAM inside the MMIO hole" },
		{ BOOT(ram[1].size), 0x10000000 - 0x100000, VM_END_MEMORY_FAULT, RAM / FW_PAGE,
		  "RAM that is not there" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare();
		harness_add_arg(&h, "fault=poke:%llx:%llx", (unsigned long long)row[i].gpa,
				(unsigned long long)row[i].value);
		harness_run(&h);
		tap_check(&h, has(h.log_text, "fault: done") && nothing_ran() &&
			  h.end == row[i].end && h.detail == row[i].detail,
			  "%s: the end, nothing boots", row[i].what);
		finish();
	}
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("the TDX firmware on the platform model", reason);
		return tap_done();
	}
	if (tdx_platform_make(&tdx) < 0) {
		printf("Bail out! pavise-tdx-sim init failed\n");
		return 1;
	}
	load("firmware/pavise-fw-tdx.bin", &firmware, &firmware_size);
	load("tests/guests/fakekernel.bin", &kernel, &kernel_size);
	for (size_t i = 0; i < sizeof(initrd); i++)
		initrd[i] = (uint8_t)(i * 7);
	if (test_boot()) {
		test_strain();
		test_no_launch();
		test_attacks();
		test_lies();
	}
	tdx_platform_remove(&tdx);
	free(firmware);
	free(kernel);
	return tap_done();
}
