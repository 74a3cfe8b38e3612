/* Tier kvm: SEV-SNP launches of the real firmware image by a kernel and a secure processor that are
 * short of everything, or lie (fault/launch_snp.h), and guests to whom the host lies in the boot
 * block. Each ends with the digest that `pavise measure snp` predicts, or in its own sentence, or
 * in a report that says another digest, or in a numbered stop of the firmware. Simulated. */
#include "firmware/layout.h"
#include "firmware/stop.h"
#include "tests/model/launch_compare.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct launch launch;
static struct psp_process chip;
static char folder[] = "/tmp/pavise-snp-launch-XXXXXX";

#define CPUS 2u
#define RAM_MIB 192u

static const struct launch_config base = { .cpus = CPUS, .memory = RAM_MIB, .initrd = 5000,
					   .append = "quiet x", .host_data = 9 };

/* What differs from the prediction, or NULL. */
static const char *run(const char *fault)
{
	struct launch_config c = base;

	c.fault = fault;
	if (launch_predict(&launch, &c, folder) < 0)
		return "no prediction";
	launch_execute(&launch, &chip);
	return launch_difference(&launch, &c);
}

static bool is(const char *text, const char *other)
{
	return text != NULL && strcmp(text, other) == 0;
}

/* Each page once, in order, whatever the kernel makes of it. */
static void test_strain(void)
{
	static const struct {
		const char *fault, *log, *what;
	} row[] = {
		{ "snp:again", "launched", "EAGAIN at every other LAUNCH_UPDATE" },
		{ "snp:intr", "launched", "EINTR at every other one" },
		{ "snp:signal", "launched", "EIO without a firmware code, as a signal gives it" },
		{ "snp:partial", "launched", "one page at a time" },
		{ "snp:late", "launched", "one page done, and EAGAIN" },
		{ "snp:cpuid", "the firmware corrected the CPUID page:",
		  "a corrected CPUID page, which the log tells" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *what = run(row[i].fault);

		tap_check(&launch.h, what == NULL && has(launch.h.log_text, row[i].log),
			  "%s: %s: boots, with the digest predicted (%s)", row[i].fault,
			  row[i].what, what ? what : "equal");
		launch_end(&launch);
	}
}

/* No patience helps: no guest, and the sentence names the step. */
static void test_no_launch(void)
{
	static const struct {
		const char *fault, *says;
	} row[] = {
		{ "snp:full", "no SEV-ES/SNP address space id is free" },
		{ "snp:off", "SNP is off" },
		{ "snp:dead", "SNP_LAUNCH_UPDATE" },
		{ "snp:flush", "DFFLUSH_REQUIRED" },
		{ "snp:asid", "INVALID_ASID" },
		{ "snp:forever", "SNP_LAUNCH_UPDATE" },
		{ "snp:signals", "SNP_LAUNCH_UPDATE" },
		{ "snp:idle", "SNP_LAUNCH_UPDATE" },
		{ "snp:ahead", "SNP_LAUNCH_UPDATE" },
		{ "snp:ragged", "SNP_LAUNCH_UPDATE" },
		{ "snp:twice", "refuses a value of the CPUID page" },
		{ "snp:creating", "SNP_LAUNCH_FINISH" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)run(row[i].fault);
		tap_check(&launch.h, launch.executed && !launch.reported && !launch.h.ready &&
			  launch.h.status != 0 && launch.h.console_text[0] == '\0' &&
			  has(launch.h.error_text, row[i].says),
			  "%s: no launch: %s", row[i].fault, row[i].says);
		launch_end(&launch);
	}
}

/* A kernel that adds other pages than it was given: the VMM cannot see it, the processor can. */
static void test_other_pages(void)
{
	static const char *const fault[] = { "snp:skip", "snp:repeat", "snp:elsewhere" };

	for (size_t i = 0; i < sizeof(fault) / sizeof(fault[0]); i++) {
		const char *what = run(fault[i]);

		tap_check(&launch.h, is(what, "launch digest"),
			  "%s: the report says another digest than the one predicted", fault[i]);
		launch_end(&launch);
	}
}

#define BOOT(field) (FW_BOOT_BLOCK + offsetof(struct fw_boot_block, field))

/* What the host says before the guest runs, eight bytes of it. */
static void test_lies(void)
{
	static const struct {
		uint64_t gpa, value;
		uint32_t end, detail;
		const char *what;
	} row[] = {
		{ BOOT(magic), 0, VM_END_FIRMWARE_STOP, STOP_BOOT_BLOCK,
		  "a boot block of another kind" },
		{ BOOT(size), 1345, VM_END_FIRMWARE_STOP, STOP_BOOT_BLOCK, "one of another size" },
		{ BOOT(reserved), 1, VM_END_FIRMWARE_STOP, STOP_BOOT_BLOCK,
		  "one with a reserved bit" },
		{ BOOT(ram_count), (uint64_t)(CPUS + 1) << 32 | 2, VM_END_FIRMWARE_STOP,
		  STOP_BOOT_CPUS, "more processors than the plan allows" },
		{ BOOT(apic_id), 0, VM_END_FIRMWARE_STOP, STOP_BOOT_CPUS,
		  "two processors of one id" },
		{ BOOT(ram[1].size), 0x100000000ull - 0x100000, VM_END_FIRMWARE_STOP, STOP_BOOT_RAM,
		  "RAM inside the MMIO hole" },
		{ BOOT(ram[1].size), 0x10000000 - 0x100000, VM_END_FIRMWARE_STOP, STOP_PSC_REFUSED,
		  "RAM that is not there" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char fault[64];

		snprintf(fault, sizeof(fault), "poke:%llx:%llx", (unsigned long long)row[i].gpa,
			 (unsigned long long)row[i].value);
		(void)run(fault);
		tap_check(&launch.h, has(launch.h.log_text, "fault: done") &&
			  launch.h.console_text[0] == '\0' && !has(launch.h.log_text, "fold: ") &&
			  launch.h.end == row[i].end && launch.h.detail == row[i].detail,
			  "%s: stop 0x%02x, nothing boots (0x%02x)", row[i].what, row[i].detail,
			  launch.h.detail);
		launch_end(&launch);
	}
}

static void remove_folder(void)
{
	static const char *const names[] = { "plan", "initrd", "prediction" };
	char path[sizeof(folder) + 16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void test_all(void)
{
	const char *what = run(NULL);

	if (has(launch.h.log_text, "cannot hold address bit")) {
		tap_skip("SEV-SNP launches under strain", "this host's KVM cannot hold the C-bit");
		launch_end(&launch);
		return;
	}
	tap_check(&launch.h, what == NULL, "without a fault it boots, with the digest predicted");
	launch_end(&launch);
	test_strain();
	test_no_launch();
	test_other_pages();
	test_lies();
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("SEV-SNP launches under strain", reason);
		return tap_done();
	}
	if (!mkdtemp(folder) || psp_chip_make(&chip) < 0) {
		printf("Bail out! no folder or no simulated processor\n");
		return 1;
	}
	test_all();
	psp_chip_remove(&chip);
	remove_folder();
	return tap_done();
}
