/* Tier kvm: the SEV-SNP firmware image, as it is measured, on the simulated platform, from its
 * first instruction through the fold into a kernel of a few instructions. */
#include "attest/measure/snp/plan.h"
#include "common/file.h"
#include "firmware/staging.h"
#include "firmware/stop.h"
#include "model/platform.h"
#include "tests/kvm/harness.h"
#include "tests/model/psp_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM (192u << 20)

static struct harness h;
static struct psp_process psp;
static struct plain_plan plan;
static uint8_t *firmware, *kernel, initrd[5000];
static size_t firmware_size, kernel_size;

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

static void prepare(unsigned cpus)
{
	const struct plain_input in = {
		.firmware = { "firmware", firmware, firmware_size },
		.kernel = { "kernel", kernel, kernel_size },
		.initrd = { "initrd", initrd, sizeof(initrd) },
		.cmdline = "quiet x",
		.max_cpus = cpus,
	};
	struct err e = { 0 };
	int fd;

	if (snp_plan_build(&in, PLAN_SNP_POLICY, &plan, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	harness_init(&h, "snp-aps");
	h.program = "pavise-vmm-sim";
	h.plan = plan.plan;
	h.memory = RAM;
	h.cpus = cpus;
	fd = psp_start(&psp);
	if (fd >= 0)
		harness_add_fd(&h, "psp", fd);
}

static void finish(void)
{
	harness_free(&h);
	psp_stop(&psp);
}

/* False: this machine cannot run it. */
static bool test_boot(void)
{
	prepare(2);
	harness_run(&h);
	if (has(h.log_text, "cannot hold address bit")) {
		tap_skip("the SEV-SNP firmware on the platform model",
			 "this host's KVM cannot hold the C-bit");
		finish();
		return false;
	}
	tap_check(&h, h.end == VM_END_POWER_OFF && strcmp(h.console_text, "fake kernel runs\n") == 0,
		  "the firmware accepts its memory, checks the blobs, and the kernel runs");
	tap_check(&h, has(h.log_text, "fold: ") && has(h.log_text, "1 CC blob unlinked"),
		  "folded on the way, without the CC blob");
	finish();
	return true;
}

/* A host that has no large pages for the first 16 MiB: PVALIDATE of 2 MiB does not fit there. */
static void test_small_pages(void)
{
	setenv("PAVISE_SIM_SMALL_BELOW", "0x1000000", 1);
	prepare(1);
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "fake kernel runs\n"),
		  "the same where 2 MiB pages do not fit");
	finish();
	unsetenv("PAVISE_SIM_SMALL_BELOW");
}

static void test_refusals(void)
{
	static const struct {
		enum plan_region_type type;
		uint32_t stop;
		const char *what;
	} row[] = {
		{ PLAN_KERNEL, STOP_KERNEL_HASH, "a changed kernel is refused by the firmware" },
		{ PLAN_INITRD, STOP_INITRD_HASH, "a changed initrd is refused by the firmware" },
		{ PLAN_CMDLINE, STOP_CMDLINE_HASH,
		  "a changed command line is refused by the firmware" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		static uint8_t changed[1 << 20];

		prepare(1);
		for (uint32_t k = 0; k < h.plan.region_count; k++) {
			struct plan_region *r = &h.plan.region[k];

			if (r->type != row[i].type)
				continue;
			memcpy(changed, r->data, (size_t)r->size);
			changed[0] ^= 1;
			r->data = changed;
		}
		harness_run(&h);
		tap_check(&h, h.end == VM_END_FIRMWARE_STOP && h.detail == row[i].stop, "%s",
			  row[i].what);
		finish();
	}
}

/* The firmware's own word, with nothing after it: neither Linux nor the fold. */
static bool firmware_stopped(uint32_t code)
{
	return h.end == VM_END_FIRMWARE_STOP && h.detail == code && h.console_text[0] == '\0' &&
	       !has(h.log_text, "fold: ") && !has(h.log_text, "hands over");
}

/* A host that attacks once all RAM is accepted and the blobs are checked: see fault/fault.c. */
static void test_attacks(void)
{
	static const struct {
		const char *fault, *what;
		uint64_t gpa; /* of the first page; 0: of the private kernel */
		uint32_t stop;
		bool pages; /* its operands are two pages, or one and a zero */
	} row[] = {
		{ "swap", "two private pages swapped", 0, STOP_SNP_VC, true },
		{ "remap", "another page put in place of one", 0, STOP_SNP_VC, true },
		{ "drop", "a page left without validation", 0, STOP_SNP_VC, true },
		{ "drop", "one that is read in ring 3", FW_CMDLINE, STOP_SNP_VC, true },
		{ "drop", "one that is written", FW_EVENT_LOG, STOP_SNP_VC, true },
		{ "vector:1d", "#VC where no instruction can raise it", 0, STOP_SNP_VC, false },
		{ "vector:2", "an NMI", 0, STOP_TRAP, false },
		{ "vector:e", "a page fault that none is", 0, STOP_TRAP, false },
		{ "vector:20", "the first interrupt vector", 0, STOP_TRAP, false },
		{ "vector:80", "vector 0x80", 0, STOP_TRAP, false },
		{ "vector:ff", "the last vector", 0, STOP_TRAP, false },
	};
	struct fw_staging staging;

	if (fw_staging(kernel_size, sizeof(initrd), sizeof("quiet x"), &staging) != 0) {
		tap_ok(false, "the staging area is known");
		return;
	}
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		/* The firmware puts its private copy of the kernel behind the staging area. */
		unsigned long long at = row[i].gpa != 0 ? row[i].gpa : staging.end;

		prepare(1);
		h.program = "../tests/vmm-fault";
		if (row[i].pages)
			harness_add_arg(&h, "fault=%s:%llx:%llx", row[i].fault, at, at + FW_PAGE);
		else
			harness_add_arg(&h, "fault=%s", row[i].fault);
		harness_run(&h);
		tap_check(&h, has(h.log_text, "fault: done") && firmware_stopped(row[i].stop) &&
			  has(h.log_text, "after the instruction") == row[i].pages,
			  "%s: the firmware stops with 0x%02x, nothing boots", row[i].what,
			  (unsigned)row[i].stop);
		finish();
	}
}

/* What the attacks cannot be blamed on: the same program boots when no fault is asked for, and no
 * program that users run knows the argument. */
static void test_fault_is_a_tests(void)
{
	static const char *const program[] = { "pavise-vmm", "pavise-vmm-sim" };

	prepare(1);
	h.program = "../tests/vmm-fault";
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "fake kernel runs\n"),
		  "the VMM of the attacks boots the guest without one");
	finish();
	for (size_t i = 0; i < sizeof(program) / sizeof(program[0]); i++) {
		prepare(1);
		h.program = program[i];
		harness_add_arg(&h, "fault=drop:0");
		harness_run(&h);
		tap_check(&h, !h.ready && h.status == EX_USAGE_ERROR &&
			  has(h.error_text, "fault=drop:0: unknown argument"),
			  "%s does not know fault=", program[i]);
		finish();
	}
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("the SEV-SNP firmware on the platform model", reason);
		return tap_done();
	}
	if (psp_chip_make(&psp) < 0) {
		printf("Bail out! pavise-psp-sim init failed\n");
		return 1;
	}
	load("firmware/pavise-fw-snp.bin", &firmware, &firmware_size);
	load("tests/guests/fakekernel.bin", &kernel, &kernel_size);
	for (size_t i = 0; i < sizeof(initrd); i++)
		initrd[i] = (uint8_t)(i * 7);
	if (test_boot()) {
		test_small_pages();
		test_refusals();
		test_attacks();
		test_fault_is_a_tests();
	}
	psp_chip_remove(&psp);
	free(firmware);
	free(kernel);
	return tap_done();
}
