/* Tier kvm: the plain image with ELF kernels, small as tests/guests/fakeelf makes them: a vmlinux
 * entered in 64-bit mode and a kernel entered by PVH. Then kernels and images that must not start. */
#include "tests/kvm/fw_machine.h"

#include "firmware/startinfo.h"

#include "common/boot_block.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINUX_ELF "tests/guests/fakeelf-linux.elf"
#define PVH_ELF   "tests/guests/fakeelf-pvh.elf"
#define PVH_SAVED 0x1200000u /* its data segment: tests/guests/fakeelf/pvh.S */

struct pvh_saved {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp;
	uint32_t eflags, cr0, cr4, cs, ds, ss, tr, efer;
};

static struct fw_machine m;

/* The start page as computed from the file, and the initrd where it says. */
static void check_memory(const char *name)
{
	uint8_t want[FW_PAGE], got[FW_PAGE];
	static uint8_t initrd[5000];
	struct fw_initrd_place place;
	struct fw_boot_block b;
	struct fw_kernel k;
	struct err e = { 0 };
	size_t size = FW_PAGE;

	if (boot_block_fill(&b, m.h.memory, m.h.cpus, false, 0, &e) < 0 ||
	    fw_kernel_parse(m.kernel, m.kernel_size, FW_VARIANT_PLAIN, &k) != STOP_HANDED_OVER ||
	    fw_initrd_place(&b, k.initrd_addr_max, 0, m.initrd_size, &place) != 0)
		abort();
	if (k.kind == FW_ENTRY_PVH) {
		fw_start_info_build(want, &k, &b, &place);
		size -= 16; /* pvh.S had two words of stack there */
		want[PVH_GDT + PVH_SEL_TSS + 5] |= 2; /* its LTR marked the task busy */
	} else {
		fw_zero_page_build(want, m.kernel, &k, &b, &place);
	}
	fw_machine_read(&m, FW_ZERO_PAGE, got, FW_PAGE);
	tap_check(&m.h, memcmp(got, want, size) == 0, "%s: start page as computed", name);
	fw_machine_read(&m, place.base, initrd, sizeof(initrd));
	tap_check(&m.h, memcmp(initrd, m.initrd, sizeof(initrd)) == 0, "%s: initrd is there", name);
	tap_check(&m.h, fw_machine_is_zero(&m, FW_SCRATCH + 0x6000, FW_HASH_PAGE),
		  "%s: scratch memory is scrubbed", name);
}

static void run_elf(const char *path, const char *text)
{
	fw_machine_init(&m);
	fw_machine_use_kernel(&m, path);
	fw_machine_run(&m);
	tap_check(&m.h, m.h.end == VM_END_POWER_OFF && has(m.h.console_text, text),
		  "%s: it runs, its segments as in the file, zeros behind them", path);
	check_memory(path);
}

static void test_linux(void)
{
	run_elf(LINUX_ELF, "fake vmlinux runs\n");
	fw_machine_free(&m);
}

static void test_pvh(void)
{
	struct pvh_saved s;

	run_elf(PVH_ELF, "fake PVH kernel runs\n");
	fw_machine_read(&m, PVH_SAVED, &s, sizeof(s));
	tap_check(&m.h, s.ebx == FW_ZERO_PAGE, "PVH: EBX points to the start info");
	tap_check(&m.h, (s.eax | s.ecx | s.edx | s.esi | s.edi | s.ebp | s.esp) == 0,
		  "PVH: the other registers are zero");
	tap_check(&m.h, (s.cr0 & 0x80010001) == 1 && s.cr4 == 0 && s.efer == 0 &&
		  (s.eflags & 0x20200) == 0,
		  "PVH: protected mode without paging, interrupts off (cr0 0x%x cr4 0x%x)", s.cr0,
		  s.cr4);
	tap_check(&m.h, s.cs == PVH_SEL_CODE && s.ds == PVH_SEL_DATA && s.ss == PVH_SEL_DATA &&
		  s.tr == PVH_SEL_TSS, "PVH: flat segments and a task");
	fw_machine_free(&m);
}

/* 40 MiB (more takes too long here), for a kernel that takes it anywhere: the least memory, where the
 * initrd ends at the top, and more than 2 GiB, where it ends above what old headers name. */
static void test_large_initrd(void)
{
	static const uint64_t more[] = { 0, 2100ull << 20 };
	static const size_t size = (40u << 20) + 5;

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		uint8_t got[16];
		uint64_t base;

		fw_machine_init(&m);
		free(m.initrd);
		m.initrd = calloc(size, 1);
		if (m.initrd == NULL)
			abort();
		memcpy(m.initrd, "the first bytes", sizeof(got));
		memcpy(m.initrd + size - sizeof(got), "and the last 16", sizeof(got));
		m.initrd_size = size;
		fw_machine_use_kernel(&m, LINUX_ELF);
		m.h.memory = m.hash_page.record.min_ram + more[i];
		fw_machine_run(&m);
		tap_check(&m.h, m.h.end == VM_END_POWER_OFF, "an initrd of 40 MiB in %llu MiB",
			  (unsigned long long)(m.h.memory >> 20));
		base = (m.h.memory - size) & ~(uint64_t)(FW_PAGE - 1);
		fw_machine_read(&m, base, got, sizeof(got));
		tap_check(&m.h, memcmp(got, "the first bytes", sizeof(got)) == 0,
			  "it begins where it should");
		fw_machine_read(&m, base + size - sizeof(got), got, sizeof(got));
		tap_check(&m.h, memcmp(got, "and the last 16", sizeof(got)) == 0,
			  "and ends at the top of memory");
		fw_machine_free(&m);
	}
}

/* The plan is honest about a kernel that must not be started. */
static void stops(const char *path, const char *name, unsigned offset, uint8_t value,
		  enum fw_stop code)
{
	fw_machine_init(&m);
	fw_machine_use_kernel(&m, path);
	m.kernel[offset] = value;
	fw_machine_hash(&m);
	fw_machine_run(&m);
	tap_check(&m.h, m.h.end == VM_END_FIRMWARE_STOP && m.h.detail == (uint32_t)code &&
		  !has(m.h.console_text, "fake"), "%s: stop 0x%02x (got end %u, 0x%02x)", name,
		  (unsigned)code, m.h.end, m.h.detail);
	fw_machine_free(&m);
}

/* Images of confidential guests, which speak a language that nobody here understands: they cannot even
 * say why, but they end. */
static void test_other_images(void)
{
	static const char *const path[] = { "firmware/pavise-fw-snp.bin",
					    "firmware/pavise-fw-tdx.bin" };

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		fw_machine_init(&m);
		fw_machine_use_firmware(&m, path[i]);
		fw_machine_run(&m);
		tap_check(&m.h, (m.h.end == VM_END_TRIPLE_FAULT || m.h.end == VM_END_KVM_ERROR ||
				 m.h.end == VM_END_TERMINATED) && m.h.console_text[0] == '\0',
			  "%s does not start as a plain guest (end %u)", path[i], m.h.end);
		fw_machine_free(&m);
	}
}

static void test_stops(void)
{
	/* Offsets: gABI; program headers follow the file header. */
	stops(LINUX_ELF, "no magic of any kernel", 0, 'X', STOP_KERNEL_MAGIC);
	stops(LINUX_ELF, "a 32-bit ELF file", 4, 1, STOP_KERNEL_ELF);
	stops(LINUX_ELF, "a segment outside the file", 64 + 56 + 8 + 5, 1, STOP_KERNEL_SEGMENT);
	stops(LINUX_ELF, "a segment over the firmware", 64 + 24 + 3, 0, STOP_KERNEL_SEGMENT);
	stops(LINUX_ELF, "segments that overlap", 64 + 56 + 24 + 2, 0, STOP_KERNEL_SEGMENT);
	stops(LINUX_ELF, "an entry outside the segments", 24 + 3, 0, STOP_KERNEL_ENTRY);
	stops(PVH_ELF, "a note longer than its segment", 64 + 112 + 32, 19, STOP_KERNEL_ENTRY);
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) != 0) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	test_linux();
	test_pvh();
	test_large_initrd();
	test_other_images();
	test_stops();
	return tap_done();
}
