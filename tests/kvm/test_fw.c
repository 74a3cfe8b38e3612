/* Tier kvm: the firmware image in the real pavise-vmm, with a fake kernel. */
#include "tests/kvm/fw_machine.h"

#include "firmware/acpi.h"
#include "firmware/bzimage.h"
#include "firmware/zeropage.h"

#include "common/boot_block.h"
#include "common/file.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fw_machine m;

static void check_registers(void)
{
	static const uint8_t zero[16 * 16];
	struct fake_saved s;

	fw_machine_read(&m, FAKE_SAVED, &s, sizeof(s));
	tap_check(&m.h, s.rsi == FW_ZERO_PAGE, "RSI points to the zero page");
	tap_check(&m.h, (s.rax | s.rbx | s.rcx | s.rdx | s.rdi | s.rbp | s.rsp | s.r8 | s.r9 |
			 s.r10 | s.r11 | s.r12 | s.r13 | s.r14 | s.r15) == 0,
		  "all other registers are zero");
	tap_check(&m.h, memcmp(s.fxsave + 160, zero, sizeof(zero)) == 0 && (s.cr4 & 0x200) == 0,
		  "so are the vector registers, and SSE is off as at the start");
	tap_check(&m.h, s.cs == 0x10 && s.ds == 0x18 && s.es == 0x18 && s.ss == 0x18,
		  "flat selectors 0x10 and 0x18");
	tap_check(&m.h, (s.rflags & 0x200) == 0 && (s.cr4 & 0x20) != 0 && (s.efer & 0x500) == 0x500,
		  "interrupts off, 64-bit mode");
	tap_check(&m.h, s.cr3 >= FW_SCRATCH && s.cr3 < FW_SCRATCH + 0x6000,
		  "page tables are the hand-over ones");
}

static bool same_memory(uint64_t gpa, const uint8_t *want, size_t size)
{
	uint8_t got[FW_PAGE];

	for (size_t at = 0; at < size; at += FW_PAGE) {
		size_t n = size - at < FW_PAGE ? size - at : FW_PAGE;

		fw_machine_read(&m, gpa + at, got, n);
		if (memcmp(got, want + at, n) != 0)
			return false;
	}
	return true;
}

static void check_memory(void)
{
	static uint8_t got[FW_ACPI_SIZE], want[FW_ACPI_SIZE];
	struct fw_initrd_place place;
	struct fw_boot_block b;
	struct fw_kernel k;
	struct err e = { 0 };

	fw_machine_read(&m, FW_IMAGE, got, m.firmware_size);
	tap_check(&m.h, memcmp(got, m.firmware, m.firmware_size) == 0,
		  "the image in memory is still the file");
	tap_check(&m.h, fw_machine_is_zero(&m, FW_SCRATCH + 0x6000, FW_HASH_PAGE),
		  "scratch memory is scrubbed");
	tap_check(&m.h, fw_machine_is_zero(&m, FAKE_LOAD + m.kernel_size - 1024,
					   FAKE_LOAD + FAKE_INIT_SIZE),
		  "memory behind the kernel is zero up to init_size");
	if (boot_block_fill(&b, m.h.memory, m.h.cpus, m.has_tpm, 0, &e) < 0 ||
	    fw_kernel_parse(m.kernel, m.kernel_size, FW_VARIANT_PLAIN, &k) != STOP_HANDED_OVER ||
	    fw_initrd_place(&b, k.initrd_addr_max, 0, m.initrd_size, &place) != 0)
		abort();
	fw_zero_page_build(want, m.kernel, &k, &b, &place);
	fw_machine_read(&m, FW_ZERO_PAGE, got, FW_PAGE);
	tap_check(&m.h, memcmp(got, want, FW_PAGE) == 0, "zero page as computed from the files");
	tap_check(&m.h, same_memory(place.base, m.initrd, m.initrd_size),
		  "initrd lies at the top of RAM");
	/* Its first page holds its own notes and stack. */
	if (m.kernel_size / 2 > FW_PAGE)
		tap_check(&m.h, same_memory(FAKE_LOAD + FW_PAGE, m.kernel + 1024 + FW_PAGE,
					    m.kernel_size - 1024 - FW_PAGE), "the kernel lies whole at its address");
	fw_machine_read(&m, FW_CMDLINE, got, m.cmdline_size);
	tap_check(&m.h, memcmp(got, m.cmdline, m.cmdline_size) == 0 &&
		  fw_machine_is_zero(&m, FW_CMDLINE + m.cmdline_size, FW_CMDLINE + FW_PAGE),
		  "command line is there and nothing behind it");
}

static void check_log(void)
{
	static uint8_t got[FW_EVENT_LOG_SIZE], want[FW_EVENT_LOG_SIZE], acpi[FW_ACPI_SIZE];
	struct fw_log_inputs in;
	struct fw_event ev;
	size_t size = 0;
	unsigned n = 0;
	bool same = true;

	memset(acpi, 0, sizeof(acpi));
	fw_machine_predict(&m, &in, acpi, &size);
	fw_machine_read(&m, FW_ACPI, got, sizeof(got));
	tap_check(&m.h, memcmp(got, acpi, sizeof(acpi)) == 0, "ACPI tables as predicted");
	memset(want, 0, sizeof(want));
	if (fw_log_build(&in, want, sizeof(want), &size) != 0)
		abort();
	fw_machine_read(&m, FW_EVENT_LOG, got, sizeof(got));
	tap_check(&m.h, memcmp(got, want, sizeof(want)) == 0, "event log as predicted, then zeros");
	for (unsigned i = 0; fw_log_event(&in, i, &ev); i++) {
		if (!ev.extended)
			continue;
		same = same && n < m.extends && m.extend[n].pcr == ev.pcr &&
		       memcmp(&m.extend[n].digest, &ev.digest, sizeof(ev.digest)) == 0;
		n++;
	}
	if (m.has_tpm)
		tap_check(&m.h, same && n == m.extends && n >= 14,
			  "the TPM got exactly the events of the log, in order");
	else
		tap_check(&m.h, m.extends == 0, "nothing is extended without a TPM");
}

static void grow(uint8_t **data, size_t *size, size_t more)
{
	*data = realloc(*data, *size + more);
	if (*data == NULL)
		abort();
	for (size_t i = 0; i < more; i++)
		(*data)[*size + i] = (uint8_t)(i * 13 + (i >> 8) + 1);
	*size += more;
}

/* Boots the machine that fw_machine_init and the caller made. */
static void boots(const char *name)
{
	fw_machine_run(&m);
	tap_check(&m.h, m.h.end == VM_END_POWER_OFF && has(m.h.console_text, "fake kernel runs\n"),
		  "kernel runs and powers off: %s", name);
	if (m.h.end == VM_END_POWER_OFF) {
		check_registers();
		check_memory();
		check_log();
	}
	fw_machine_free(&m);
}

static void test_boot(void)
{
	fw_machine_init(&m);
	boots("without TPM");

	fw_machine_init(&m);
	m.h.cpus = 4;
	fw_machine_add_tpm(&m);
	boots("with TPM and 4 processors");

	fw_machine_init(&m);
	m.initrd_size = 0;
	fw_machine_hash(&m);
	fw_machine_add_tpm(&m);
	boots("without initrd");

	/* Blobs over many 2 MiB pages with odd ends, RAM on both sides of the hole. */
	fw_machine_init(&m);
	m.h.memory = 5ull << 30;
	grow(&m.kernel, &m.kernel_size, (3u << 20) + 777);
	grow(&m.initrd, &m.initrd_size, (7u << 20) + 5);
	fw_machine_hash(&m);
	boots("large blobs, 5 GiB");
}

/* Runs pavise-measure for the fake kernel; it writes plan and log into folder. 0 when it did. */
static int measure(const char *folder)
{
	const char *build = getenv("PAVISE_BUILD");
	char program[256], firmware[256], kernel[256], plan[64], log[64];
	int status = -1;
	pid_t pid;

	build = build ? build : "build";
	snprintf(program, sizeof(program), "%s/bin/pavise-measure", build);
	snprintf(firmware, sizeof(firmware), "%s/firmware/pavise-fw-plain.bin", build);
	snprintf(kernel, sizeof(kernel), "%s/tests/guests/fakekernel.bin", build);
	snprintf(plan, sizeof(plan), "%s/plan", folder);
	snprintf(log, sizeof(log), "%s/log", folder);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO); /* its table is no TAP */
		execl(program, program, "plain", "--firmware", firmware, "--kernel", kernel,
		      "--append", "quiet x", "--plan", plan, "--log", log, "--memory", "192M",
		      "--cpus", "2", "--pci-slots", "0", (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Reads folder/name and removes it. */
static void *take_file(const char *folder, const char *name, size_t *size)
{
	struct err e = { 0 };
	void *data = NULL;
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_read(name, path, 1 << 20, 0, &data, size, &e) < 0)
		printf("# %s\n", e.text);
	unlink(path);
	return data;
}

/* The plan that `pavise measure` writes boots, and leaves the very log that it predicted. */
static void test_measured_plan(void)
{
	char folder[] = "/tmp/pavise-fw-XXXXXX";
	size_t plan_size = 0, log_size = 0;
	uint8_t *plan, *log;

	if (mkdtemp(folder) == NULL)
		abort();
	tap_ok(measure(folder) == 0, "pavise measure makes a plan for the fake kernel");
	plan = take_file(folder, "plan", &plan_size);
	log = take_file(folder, "log", &log_size);
	rmdir(folder);
	if (plan == NULL || log == NULL) {
		tap_ok(false, "plan and log are there");
	} else {
		fw_machine_init(&m);
		m.h.cpus = 2;
		m.h.raw_plan = plan;
		m.h.raw_plan_size = plan_size;
		fw_machine_add_tpm(&m);
		fw_machine_run(&m);
		tap_check(&m.h, m.h.end == VM_END_POWER_OFF, "its plan boots");
		tap_check(&m.h, log_size <= FW_EVENT_LOG_SIZE &&
			  same_memory(FW_EVENT_LOG, log, log_size) &&
			  fw_machine_is_zero(&m, FW_EVENT_LOG + log_size,
					     FW_EVENT_LOG + FW_EVENT_LOG_SIZE),
			  "the log is the one predicted");
		fw_machine_free(&m);
	}
	free(plan);
	free(log);
}

/* ---- what must stop ----------------------------------------------------------------------- */

static void stops(const char *name, enum fw_stop code)
{
	fw_machine_run(&m);
	tap_check(&m.h, m.h.end == VM_END_FIRMWARE_STOP && m.h.detail == (uint32_t)code &&
		  !has(m.h.console_text, "fake kernel"), "%s: stop 0x%02x (got end %u, 0x%02x)",
		  name, (unsigned)code, m.h.end, m.h.detail);
	fw_machine_free(&m);
}

#define STOPS(name, code, ...) \
	do { \
		fw_machine_init(&m); \
		__VA_ARGS__; \
		stops(name, code); \
	} while (0)

/* Spoils a part before it is hashed: the plan is honest about a bad kernel. */
static void put(size_t offset, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		m.kernel[offset + i] = (uint8_t)(value >> (8 * i));
	fw_machine_hash(&m);
}

static void test_blobs(void)
{
	struct fw_hash_record *r = &m.hash_page.record;

	STOPS("kernel, first byte flipped", STOP_KERNEL_HASH, m.kernel[0] ^= 1);
	STOPS("kernel, last byte flipped", STOP_KERNEL_HASH, m.kernel[m.kernel_size - 1] ^= 0x80);
	STOPS("kernel one byte shorter than promised", STOP_KERNEL_HASH, r->kernel_size++);
	STOPS("kernel one byte longer than promised", STOP_KERNEL_HASH, r->kernel_size--);
	STOPS("initrd byte flipped", STOP_INITRD_HASH, m.initrd[4999] ^= 1);
	STOPS("initrd size promised smaller", STOP_INITRD_HASH, r->initrd_size = 4999);
	STOPS("initrd where none was promised", STOP_INITRD_HASH, r->initrd_size = 0);
	STOPS("command line byte flipped", STOP_CMDLINE_HASH, m.cmdline[0] ^= 1);
	STOPS("SHA-256 of the kernel alone wrong", STOP_KERNEL_HASH,
	      m.hash_page.table.kernel.sha256[31] ^= 1);
	STOPS("SHA-384 of the kernel alone wrong", STOP_KERNEL_HASH, r->kernel_sha384[47] ^= 1);
	STOPS("SHA-256 of the initrd alone wrong", STOP_INITRD_HASH,
	      m.hash_page.table.initrd.sha256[0] ^= 1);
	STOPS("SHA-384 of the command line alone wrong", STOP_CMDLINE_HASH,
	      r->cmdline_sha384[0] ^= 1);
	STOPS("command line with an inner NUL", STOP_CMDLINE_FORM, m.cmdline[2] = 0;
	      fw_machine_hash(&m));
	STOPS("command line without NUL at the end", STOP_CMDLINE_FORM, m.cmdline_size = 7;
	      fw_machine_hash(&m));
	STOPS("command line longer than the kernel takes", STOP_CMDLINE_FORM,
	      put(BZ_CMDLINE_SIZE, 6, 4));
}

/* ---- a host that changes a blob while the firmware copies it -------------------------------- */

#define RACES 12

static _Atomic bool racing;

/* Flips the last byte of the staged kernel to and fro. */
static void *flip_staged(void *arg)
{
	volatile uint8_t *last = arg;

	while (racing)
		*last ^= 1;
	return NULL;
}

static bool race_once(uint32_t *stop)
{
	static uint8_t got[8192];
	pthread_t thread;
	uint8_t *ram;
	bool good;

	fw_machine_init(&m);
	if (harness_start(&m.h) < 0 || harness_seal(&m.h) < 0)
		return false;
	ram = mmap(NULL, m.h.memory, PROT_READ | PROT_WRITE, MAP_SHARED, m.h.ram, 0);
	if (ram == MAP_FAILED)
		return false;
	racing = true;
	if (pthread_create(&thread, NULL, flip_staged, ram + m.staging.kernel + m.kernel_size - 1))
		return false;
	harness_send(&m.h, RECORD_GO);
	harness_finish(&m.h);
	racing = false;
	pthread_join(thread, NULL);
	munmap(ram, m.h.memory);
	*stop = m.h.detail;
	/* Its own stack and notes lie before the last byte of the file, which nothing writes. */
	fw_machine_read(&m, FAKE_LOAD, got, m.kernel_size - 1024);
	good = m.h.end == VM_END_POWER_OFF ?
		       got[m.kernel_size - 1025] == m.kernel[m.kernel_size - 1] :
		       m.h.end == VM_END_FIRMWARE_STOP && m.h.detail == STOP_KERNEL_HASH;
	fw_machine_free(&m);
	return good;
}

static void test_race(void)
{
	unsigned good = 0, stopped = 0;

	for (unsigned i = 0; i < RACES; i++) {
		uint32_t stop = 0;

		good += race_once(&stop);
		stopped += stop != 0;
	}
	tap_ok(good == RACES, "a blob changed meanwhile is the promised one or a stop "
	       "(%u of %u stopped)", stopped, RACES);
}

static void test_kernel_header(void)
{
	STOPS("not a bzImage", STOP_KERNEL_MAGIC, put(BZ_MAGIC, 0, 4));
	STOPS("boot protocol 2.11", STOP_KERNEL_PROTOCOL, put(BZ_VERSION, 0x20B, 2));
	STOPS("no 64-bit entry", STOP_KERNEL_PROTOCOL, put(BZ_XLOADFLAGS, 0, 2));
	STOPS("payload outside the file", STOP_KERNEL_BOUNDS, put(BZ_PAYLOAD_LENGTH, 0x10000, 4));
	STOPS("kernel over the firmware", STOP_KERNEL_BOUNDS, put(BZ_PREF_ADDRESS, 0, 8));
	STOPS("initrd_addr_max below the staged blobs", STOP_INITRD_PLACE,
	      put(BZ_INITRD_ADDR_MAX, 0x7FFFFFF, 4));
}

static void use_own_boot_block(uint8_t *page)
{
	struct err e = { 0 };

	/* A plan may leave the boot block out and load other bytes there: a hostile host could. */
	memset(page, 0, FW_PAGE);
	if (boot_block_fill((struct fw_boot_block *)(void *)page, m.h.memory, 1, 0, 0, &e) < 0)
		abort();
	m.initrd_size = 0;
	fw_machine_hash(&m);
	m.h.plan.region[2] = (struct plan_region){ PLAN_INITRD, FW_BOOT_BLOCK, FW_PAGE, page };
}

static void test_machine(void)
{
	static _Alignas(8) uint8_t page[FW_PAGE];
	static const uint8_t dirt[1] = { 1 };
	struct fw_boot_block *b = (void *)page;
	struct fw_hash_record *r = &m.hash_page.record;

	STOPS("plan for another variant", STOP_VARIANT, r->variant = FW_VARIANT_SNP);
	STOPS("hash table GUID wrong", STOP_HASH_TABLE, m.hash_page.table.guid[0] ^= 1);
	STOPS("hash record longer", STOP_HASH_RECORD, r->size++);
	STOPS("byte behind the record", STOP_HASH_RECORD, m.hash_page.zero1[3000] = 1);
	STOPS("more processors than promised", STOP_BOOT_CPUS, r->max_cpus = 1; m.h.cpus = 2);
	STOPS("less RAM than promised", STOP_BOOT_RAM_SMALL, r->min_ram = m.h.memory + 1);
	STOPS("TPM promised, none offered", STOP_BOOT_NO_TPM, r->require_tpm = 1);
	STOPS("too little RAM for private copies", STOP_BLOB_BOUNDS, m.h.memory = 134u << 20;
	      r->min_ram = 0);
	STOPS("scratch memory not zero", STOP_SCRATCH_DIRTY, m.initrd_size = 0; fw_machine_hash(&m);
	      m.h.plan.region[m.h.plan.region_count++] =
		      (struct plan_region){ PLAN_INITRD, FW_SCRATCH + 0x7000, 1, dirt });
	STOPS("boot block with wrong magic", STOP_BOOT_BLOCK, use_own_boot_block(page);
	      b->magic[0] = 'X');
	STOPS("RAM over the MMIO hole", STOP_BOOT_RAM, use_own_boot_block(page);
	      b->ram[1].size = 0xE0000000u - FW_HIGH_RAM_BASE);
	STOPS("RAM sizes that wrap", STOP_BOOT_RAM, use_own_boot_block(page); b->ram_count = 3;
	      b->ram[2].base = MMIO_HOLE_END; b->ram[2].size = 0 - MMIO_HOLE_END);
	STOPS("TPM offered, none there", STOP_TPM_ABSENT, use_own_boot_block(page);
	      b->flags = FW_BOOT_HAS_TPM);
}

/* Replaces every 32-bit constant of the privileged code. */
static unsigned replace_constant(uint32_t from, uint32_t to)
{
	size_t end = fw_machine_symbol("user_enter");
	unsigned n = 0;

	for (size_t i = fw_machine_symbol("fw_entry"); i + sizeof(from) <= end; i++) {
		if (memcmp(m.firmware + i, &from, sizeof(from)) == 0) {
			memcpy(m.firmware + i, &to, sizeof(to));
			n++;
		}
	}
	fw_machine_hash(&m);
	return n;
}

/* A TPM that stays busy: the start register is replaced by one whose bit 0 is always set. The
 * bound on polls (firmware/tpm.c) is lowered, since each costs tens of microseconds here. */
static void make_tpm_busy(void)
{
	fw_machine_add_tpm(&m);
	tap_ok(replace_constant(1000000, 10000) > 0, "waits for the TPM are bounded by a constant");
	tap_ok(replace_constant(TPM_CRB_BASE + 0x4C, TPM_CRB_BASE + 0x30) > 0,
	       "the start register is polled");
}

static void test_tpm(void)
{
	STOPS("TPM refuses an extend", STOP_TPM_ERROR, fw_machine_add_tpm(&m);
	      m.tpm_header[1] = 1; m.tpm_header[5] = 10; m.tpm_header[8] = 1; m.tpm_header[9] = 1;
	      m.tpm_response_size = 10);
	STOPS("TPM answers with another size", STOP_TPM_RESPONSE, fw_machine_add_tpm(&m);
	      m.tpm_header[5] = 20; m.tpm_response_size = 20);
	STOPS("TPM answers with another tag", STOP_TPM_RESPONSE, fw_machine_add_tpm(&m);
	      m.tpm_header[1] = 1);
	STOPS("TPM stays busy", STOP_TPM_TIMEOUT, make_tpm_busy());
}

/* ---- page protections: code of ours put into the image, at places that run ------------------ */

static void patch(const char *symbol, const void *code, size_t size)
{
	memcpy(m.firmware + fw_machine_symbol(symbol), code, size);
	fw_machine_hash(&m);
}

#define PATCH(symbol, bytes) patch(symbol, bytes, sizeof(bytes) - 1)

/* What follows each forbidden act, so that its success shows as another end: ring 0 stops with code
 * 0x99 (mov, out %eax,$0x80, hlt), ring 3 returns 0 (xor, ret), and the boot goes on. */
#define SAY_0x99 "\xB8\x99\x00\x56\x50\xE7\x80\xF4"
#define RETURN_0 "\x31\xC0\xC3"

static void test_protection(void)
{
	STOPS("ring 0 writes code", STOP_TRAP, /* mov %eax,(0x105000) */
	      PATCH("fw_main", "\xBF\x00\x50\x10\x00\x89\x07" SAY_0x99));
	STOPS("ring 0 writes constants", STOP_TRAP, /* mov %eax,(0x100000) */
	      PATCH("fw_main", "\xBF\x00\x00\x10\x00\x89\x07" SAY_0x99));
	STOPS("ring 0 runs its stack", STOP_TRAP, /* push the code, jmp *%rsp */
	      PATCH("fw_main", "\x48\xB8" SAY_0x99 "\x50\xFF\xE4"));
	STOPS("ring 0 runs constants", STOP_TRAP, PATCH("version_text", SAY_0x99);
	      PATCH("fw_main", "\xB8\x40\x00\x10\x00\xFF\xE0")); /* jmp 0x100040 */
	STOPS("ring 0 reads page 0", STOP_TRAP, /* mov (0),%eax */
	      PATCH("fw_main", "\x31\xFF\x8B\x07" SAY_0x99));
	STOPS("ring 3 reads through ring 0's mapping", STOP_TRAP_USER, /* mov (0x181000),%eax */
	      PATCH("fw_hash_page_check", "\xB8\x00\x10\x18\x00\x8B\x00" RETURN_0));
	STOPS("ring 3 writes code in its window", STOP_TRAP_USER, /* window + 0x107000, same value */
	      PATCH("fw_hash_page_check",
		    "\x48\xB8\x00\x70\x10\x00\x80\x00\x00\x00\x8B\x08\x89\x08" RETURN_0));
	STOPS("ring 3 writes what it may only read", STOP_TRAP_USER, /* mov %eax,(%rdi) */
	      PATCH("fw_hash_page_check", "\x89\x07" RETURN_0));
	STOPS("ring 3 reads ring 0's data", STOP_TRAP_USER, /* window + 0x11f000 */
	      PATCH("fw_hash_page_check",
		    "\x48\xB8\x00\xF0\x11\x00\x80\x00\x00\x00\x8B\x00" RETURN_0));
	STOPS("ring 3 runs its buffers", STOP_TRAP_USER, /* window + 0x118000: stores and calls ret */
	      PATCH("fw_hash_page_check", "\x48\xBF\x00\x80\x11\x00\x80\x00\x00\x00\xC6\x07\xC3"
		    "\xFF\xD7" RETURN_0));
	STOPS("ring 3 reaches a port", STOP_TRAP_USER, /* out %al,$0x80 */
	      PATCH("fw_hash_page_check", "\xE6\x80" RETURN_0));
	STOPS("ring 3 leaves at another place", STOP_TRAP_USER,
	      PATCH("fw_hash_page_check", "\x0F\x0B" RETURN_0)); /* ud2 */
}

/* No input fills log or tables: what builds them is made to say so. */
static void test_own_limits(void)
{
#define RETURN_MINUS_1 "\x31\xC0\xFF\xC8\xC3" /* xor, dec %eax, ret */
	STOPS("the event log is full", STOP_LOG_FULL, PATCH("fw_log_build", RETURN_MINUS_1));
	STOPS("the ACPI tables do not fit", STOP_ACPI_FULL, PATCH("fw_acpi_build", RETURN_MINUS_1));
}

/* ---- SHA instructions: both ways of hashing boot, and each is the one that runs -------------- */

#define RETURN_TRUE "\xB8\x01\x00\x00\x00\xC3"
#define UD2 "\x0F\x0B"

static bool has_instructions(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & 1u << 29) != 0;
}

static void test_sha(void)
{
	fw_machine_init(&m);
	PATCH("has_sha", RETURN_0);
	PATCH("fw_sha256_blocks_ni", UD2);
	boots("without SHA instructions");
	if (!has_instructions()) {
		tap_skip("with SHA instructions", "this processor has no SHA instructions");
		return;
	}
	fw_machine_init(&m);
	PATCH("has_sha", RETURN_TRUE);
	PATCH("plain_blocks", UD2);
	boots("with SHA instructions");
	STOPS("an image that lets no SHA instruction run", STOP_TRAP_USER,
	      PATCH("has_sha", RETURN_TRUE); PATCH("fw_sha256_blocks_ni", UD2));
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) != 0) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	test_boot();
	test_measured_plan();
	test_blobs();
	test_race();
	test_kernel_header();
	test_machine();
	test_tpm();
	test_protection();
	test_own_limits();
	test_sha();
	return tap_done();
}
