/* Tier kvm: tiny guests in the real pavise-vmm, one property each. */
#include "tests/kvm/harness.h"

#include "firmware/layout.h"
#include "firmware/stop.h"
#include "common/kvm_uapi.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct harness h;

static void run_guest(const char *guest)
{
	harness_init(&h, guest);
	harness_run(&h);
}

static void test_start_state(void)
{
	run_guest("longmode");
	tap_check(&h, h.end == VM_END_POWER_OFF && h.status == 0, "a guest starts and powers off");
	tap_check(&h, strncmp(h.console_text, "hello\n", 6) == 0, "serial output arrives");
	tap_check(&h, has(h.console_text, "paging=1\nwrite protect=1\ncr3=110000\n"
			  "pae=1\nefer=d00\n"),
		  "64-bit mode on the plan's page tables");
	tap_check(&h, has(h.console_text, "block size=540\nflags=0\ncpus=1\nslots=0\n"
			  "base=0\nsize=a0000\nbase=100000\nsize=f00000\napic=0\n"),
		  "the boot block says what the host chose");
	harness_free(&h);
}

static void test_protection(void)
{
	run_guest("wxcode");
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "write\ntrap e error 3\n") &&
		  !has(h.console_text, "written"), "writing code is a page fault");
	harness_free(&h);
	run_guest("nxdata");
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "call\ntrap e error 11\n"),
		  "running data is a page fault");
	harness_free(&h);
}

static void test_exits(void)
{
	run_guest("exits");
	tap_check(&h, has(h.console_text, "in8=ff\nin16=ffff\nin32=ffffffff\n"),
		  "ports nobody answers read all ones");
	tap_check(&h, has(h.console_text, "in16 across the end of the uart=ffff\n"),
		  "an access across the end of a device reads all ones");
	tap_check(&h, has(h.console_text, "read8=ff\nread16=ffff\nread32=ffffffff\n"
			  "read64=ffffffffffffffff\n"), "memory nobody answers reads all ones");
	tap_check(&h, has(h.console_text, "read64 across a page=ffffffffffffffff\n"),
		  "so does an access that KVM cuts into odd pieces");
	tap_check(&h, has(h.console_text, "ioapic version=170011\n"), "the IOAPIC is there");
	tap_check(&h, has(h.console_text, "tpm=ffffffff\n"), "no TPM when none was given");
	harness_free(&h);
}

static void test_ends(void)
{
	run_guest("triplefault");
	tap_check(&h, h.end == VM_END_TRIPLE_FAULT && h.status == EX_GUEST &&
		  has(h.console_text, "fault\n") && has(h.log_text, "triple fault"),
		  "a triple fault ends the VM and is logged");
	harness_free(&h);
	run_guest("reset");
	tap_check(&h, h.end == VM_END_RESET && h.status == EX_GUEST &&
		  has(h.console_text, "reset\n"), "a reset ends the VM");
	harness_free(&h);
	run_guest("stopcode");
	tap_check(&h, h.end == VM_END_FIRMWARE_STOP && h.detail == STOP_KERNEL_HASH &&
		  h.status == EX_FIRMWARE && has(h.console_text, "stop\n"),
		  "a firmware stop carries its code");
	tap_check(&h, has(h.log_text, "detail 0x40: the kernel"),
		  "a firmware stop is logged as a sentence");
	harness_free(&h);
	run_guest("mmiocode");
	tap_check(&h, h.end == VM_END_KVM_ERROR && h.status == EX_HOST &&
		  has(h.log_text, "rip d0000000"),
		  "what KVM cannot run ends the VM, with its registers in the log");
	harness_free(&h);
	run_guest("handover");
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "still here\n") &&
		  has(h.log_text, "hands over"),
		  "after the hand-over the stop port is ignored");
	tap_check(&h, h.moment[VM_MOMENT_MADE] > 0 &&
		  h.moment[VM_MOMENT_MADE] <= h.moment[VM_MOMENT_LOADED] &&
		  h.moment[VM_MOMENT_LOADED] <= h.moment[VM_MOMENT_RUNS] &&
		  h.moment[VM_MOMENT_RUNS] <= h.moment[VM_MOMENT_HANDED_OVER] &&
		  h.moment[VM_MOMENT_HANDED_OVER] <= h.moment[VM_MOMENT_ENDED] &&
		  h.moment[VM_MOMENT_PAGES] == 0 && has(h.log_text, "times: made 0."),
		  "the moments of its life are told, in their order");
	harness_free(&h);
}

static void test_platform(void)
{
	run_guest("irq");
	tap_check(&h, has(h.console_text, "masked=0\n"), "a masked pin delivers nothing");
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "123\ninterrupts=4\n"),
		  "UART interrupts come through the IOAPIC");
	harness_free(&h);
	run_guest("cpuid");
	tap_check(&h, has(h.console_text, "apic=0\nhypervisor=1\npmu=0\nkvm=1\n"),
		  "CPUID names a KVM guest without PMU");
	tap_check(&h, has(h.console_text, "misc enable=1\nmtrr=806\n"),
		  "MSRs are as a BIOS leaves them");
	harness_free(&h);
}

static void test_smp(void)
{
	harness_init(&h, "smp");
	h.cpus = 2;
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "wake\nsecond=1\n"),
		  "INIT and SIPI start a second processor");
	harness_free(&h);
}

static bool wait_console(const char *part)
{
	for (int ms = 0; ms < HARNESS_TIMEOUT_MS; ms++) {
		harness_peek(&h);
		if (has(h.console_text, part))
			return true;
		usleep(1000);
	}
	return false;
}

/* Starts a guest that never ends by itself, and waits until it is at it. */
static bool start_endless(const char *guest, const char *sign, unsigned cpus)
{
	harness_init(&h, guest);
	h.cpus = cpus;
	return harness_start(&h) == 0 && harness_seal(&h) == 0 &&
	       harness_send(&h, RECORD_GO) == 0 && wait_console(sign);
}

static void test_stop(void)
{
	static const struct { const char *guest, *sign; } endless[] = {
		{ "spin", "spin\n" }, { "halted", "halt\n" },
	};

	for (size_t i = 0; i < 2; i++) {
		bool going = start_endless(endless[i].guest, endless[i].sign, 3);

		harness_send(&h, RECORD_STOP);
		harness_finish(&h);
		tap_check(&h, going && h.end == VM_END_STOPPED && h.status == 0 &&
			  !has(h.log_text, "did not stop"),
			  "RECORD_STOP ends a guest that does %s on 3 vCPUs", endless[i].guest);
		harness_free(&h);
	}
	tap_ok(start_endless("spin", "spin\n", 1), "a guest runs until its launcher dies");
	close(h.control);
	h.control = -1;
	harness_finish(&h);
	tap_check(&h, h.pid == 0 && h.status == 0, "the VMM ends with its launcher");
	harness_free(&h);
}

/* Plays swtpm for one command on the far end: answers when `answer` is set, else keeps silent. */
static pid_t fake_swtpm(int *vmm_end, bool answer)
{
	static const uint8_t response[27] = { 0x80, 0x01, 0, 0, 0, 27, [26] = 0x5C };
	uint8_t command[4096];
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		while (read(pair[1], command, sizeof(command)) > 0) {
			if (answer && write(pair[1], response, sizeof(response)) < 0)
				break;
		}
		_exit(0);
	}
	close(pair[1]);
	*vmm_end = pair[0];
	return pid;
}

static void test_tpm(void)
{
	pid_t pid;

	harness_init(&h, "tpm");
	pid = fake_swtpm(&h.tpm_fd, true);
	harness_run(&h);
	tap_check(&h, has(h.console_text, "flags=1\ngranted=1\nstatus=0\n"),
		  "a TPM is announced in the boot block and grants locality 0");
	tap_check(&h, has(h.console_text, "busy=0\nsize=1b\ncode=0\nlast=5c\n"),
		  "a command reaches swtpm and its response the guest");
	harness_free(&h);
	waitpid(pid, NULL, 0);

	harness_init(&h, "tpm");
	pid = fake_swtpm(&h.tpm_fd, false);
	tap_ok(harness_start(&h) == 0 && harness_seal(&h) == 0 &&
	       harness_send(&h, RECORD_GO) == 0 && wait_console("start\n"),
	       "a guest waits for a TPM that says nothing");
	harness_send(&h, RECORD_STOP);
	harness_finish(&h);
	tap_check(&h, h.end == VM_END_STOPPED && !has(h.log_text, "did not stop"),
		  "RECORD_STOP ends a vCPU that waits for the TPM");
	harness_free(&h);
	waitpid(pid, NULL, 0);
}

/* In /proc/PID/task/TID/status of every thread: how many threads have the line, how many not. */
static void count_threads(const char *line, unsigned *with, unsigned *without)
{
	char path[300], text[4096];
	struct dirent *entry;
	DIR *tasks;

	*with = *without = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)h.pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *f;
		size_t n;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)h.pid, entry->d_name);
		f = fopen(path, "r");
		n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
		text[n] = '\0';
		*(has(text, line) ? with : without) += 1;
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
}

static void test_sealed(void)
{
	unsigned with, without;

	harness_init(&h, "longmode");
	h.cpus = 3;
	harness_start(&h);
	count_threads("Seccomp_filters:\t1\n", &with, &without);
	tap_check(&h, with == 1 && without == 0,
		  "when it says READY, its one thread has the filter of set-up (%u, %u not)", with,
		  without);
	harness_seal(&h);
	count_threads("Seccomp_filters:\t2\n", &with, &without);
	tap_check(&h, h.sealed && with == 4 && without == 0,
		  "when it says SEALED, main and 3 vCPU threads have two each (%u, %u not)",
		  with, without);
	count_threads("NoNewPrivs:\t1\n", &with, &without);
	tap_check(&h, with == 4 && without == 0, "and no_new_privs (%u, %u not)", with, without);
	harness_send(&h, RECORD_GO);
	harness_finish(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF, "a sealed VMM runs a guest on 3 vCPUs");
	harness_free(&h);
}

/* The launcher's order of records is fixed: anything else ends the VMM before the guest runs. */
static void test_records(void)
{
	harness_init(&h, "longmode");
	tap_ok(harness_start(&h) == 0, "ready");
	harness_send(&h, RECORD_GO);
	harness_finish(&h);
	tap_check(&h, h.status == EX_INTERNAL && h.console_text[0] == '\0',
		  "no guest runs in an unsealed VMM");
	harness_free(&h);
	harness_init(&h, "longmode");
	harness_start(&h);
	harness_seal(&h);
	harness_send(&h, RECORD_STOP);
	harness_finish(&h);
	tap_check(&h, h.sealed && h.end == VM_END_STOPPED && h.console_text[0] == '\0',
		  "RECORD_STOP before RECORD_GO: the guest never ran");
	harness_free(&h);
	harness_init(&h, "spin");
	harness_start(&h);
	harness_seal(&h);
	harness_send(&h, RECORD_GO);
	harness_send(&h, RECORD_GO);
	harness_finish(&h);
	tap_check(&h, h.status == EX_INTERNAL, "a record out of order ends the VMM");
	harness_free(&h);
}

/* The VMM must end before RECORD_READY, with this status and text. */
static void refused(int status, const char *text, const char *name)
{
	bool started = harness_start(&h) == 0;

	tap_check(&h, !started && !h.ready && h.status == status && has(h.error_text, text), "%s",
		  name);
	harness_free(&h);
}

static void test_limits(void)
{
	harness_init(&h, "longmode");
	h.plan.min_ram = 32u << 20;
	refused(EX_USAGE_ERROR, "the plan demands 33554432", "less memory than the plan demands");
	harness_init(&h, "longmode");
	h.plan.max_cpus = 1;
	h.cpus = 2;
	refused(EX_USAGE_ERROR, "the plan allows 1", "more processors than the plan allows");
	harness_init(&h, "longmode");
	h.plan.region[1].gpa = h.memory - FW_PAGE + FW_PAGE;
	refused(EX_MALFORMED, "does not lie in the guest's RAM", "a region behind the end of RAM");
	harness_init(&h, "longmode");
	h.plan.region[1].gpa = FW_LOW_RAM_END;
	refused(EX_MALFORMED, "does not lie in the guest's RAM",
		"a region where no RAM is offered");
	harness_init(&h, "longmode");
	h.plan.region[1].gpa = PCI_WINDOW_BASE;
	refused(EX_MALFORMED, "does not lie in the guest's RAM", "a region in the MMIO hole");
	harness_init(&h, "longmode");
	h.memory = (16u << 20) + FW_PAGE;
	refused(EX_USAGE_ERROR, "not a multiple of 2 MiB", "memory that is no multiple of 2 MiB");
	harness_init(&h, "longmode");
	h.memory = 2u << 20;
	refused(EX_USAGE_ERROR, "from 4 MiB", "memory too small for any firmware");
	harness_init(&h, "longmode");
	h.cpus = 0;
	refused(EX_USAGE_ERROR, "at least one", "no processor at all");
	harness_init(&h, "longmode");
	h.cpus = FW_BOOT_CPU_MAX + 1;
	refused(EX_USAGE_ERROR, "cpus=257: too large", "more processors than a boot block holds");
}

static void test_high_memory(void)
{
	harness_init(&h, "longmode");
	h.memory = 3ull * 1024 * 1024 * 1024 + (64u << 20); /* sparse: costs nothing */
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF &&
		  has(h.console_text, "base=100000\nsize=bff00000\nbase=100000000\nsize=4000000\n"),
		  "RAM above 3 GiB continues at 4 GiB");
	harness_free(&h);
}

static void test_bad_plans(void)
{
	static const char garbage[4096] = "PVPLAN01 and nothing that makes sense";

	harness_init(&h, "longmode");
	h.raw_plan = garbage;
	h.raw_plan_size = sizeof(garbage);
	refused(EX_MALFORMED, "plan", "a garbage plan");
	harness_init(&h, "longmode");
	h.raw_plan = garbage;
	h.raw_plan_size = 1;
	refused(EX_MALFORMED, "plan", "a plan of one byte");
	harness_init(&h, "longmode");
	h.plan.tee = PLAN_TEE_TDX;
	refused(EX_MALFORMED, "start state", "a plain machine's plan for TDX");
	harness_init(&h, "longmode");
	h.unsealed_plan = true;
	refused(EX_HOST, "not a sealed memfd", "a plan that could still change");
}

static void init_snp(void)
{
	harness_init(&h, "longmode");
	h.plan.tee = PLAN_TEE_SNP;
	h.plan.vcpu.cr3 |= 1ull << SNP_C_BIT;
	h.plan.snp = (struct plan_snp){ .cpus = h.cpus,
					.policy = PLAN_SNP_POLICY,
					.sev_features = PLAN_SNP_FEATURES,
					.c_bit = SNP_C_BIT,
					.ap_rip = h.plan.vcpu.rip };
}

static void test_snp_refusals(void)
{
	bool has_snp;
	int file;

	init_snp();
	has_snp = ioctl(h.kvm_fd, KVM_CHECK_EXTENSION, (unsigned long)UAPI_CAP_VM_TYPES) >>
			  UAPI_VM_TYPE_SNP & 1;
	if (has_snp)
		refused(EX_USAGE_ERROR, "sev=: missing", "an SEV-SNP plan without /dev/sev");
	else
		refused(EX_HOST, "/dev/kvm: no SEV-SNP", "an SEV-SNP plan on a host without");
	init_snp();
	h.cpus = 2;
	h.plan.max_cpus = 4;
	refused(EX_USAGE_ERROR, "the plan's measurement covers 1",
		"other processors than the SEV-SNP plan measures");
	init_snp();
	harness_add_arg(&h, "psp=%d", h.kvm_fd);
	refused(EX_USAGE_ERROR, "only pavise-vmm-sim", "a simulated processor in the real VMM");
	init_snp();
	file = memfd_create("sev", 0); /* the child inherits it */
	harness_add_arg(&h, "sev=%d", file);
	refused(EX_HOST, "is not /dev/sev", "a /dev/sev that is none");
	close(file);
	init_snp();
	harness_add_arg(&h, "host_data=0123");
	refused(EX_USAGE_ERROR, "not 64 hexadecimal digits", "host data of another size");
	init_snp();
	harness_add_arg(&h, "id_block=%d", h.kvm_fd);
	refused(EX_USAGE_ERROR, "one without the other", "an ID block without its signature");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "host_data=%064d", 0);
	refused(EX_USAGE_ERROR, "an SEV-SNP guest, which alone", "host data for a plain guest");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "mrconfigid=%064d", 0);
	refused(EX_USAGE_ERROR, "mrconfigid=: not 96", "MRCONFIGID of another size");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "quote=%d", h.kvm_fd);
	refused(EX_HOST, "quote", "a relay of quotes that is no socket");
}

/* A sound TDX plan of the tiny image, whose reset page is its last page. */
static void init_tdx(void)
{
	static uint8_t page[FW_PAGE];
	const struct plan_region *image;
	uint64_t last;

	harness_init(&h, "longmode");
	image = &h.plan.region[0];
	last = (image->size - 1) / FW_PAGE * FW_PAGE;
	memset(page, 0, sizeof(page));
	memcpy(page, image->data + last, image->size - last);
	h.plan.tee = PLAN_TEE_TDX;
	h.plan.vcpu = (struct plan_vcpu){ .rip = FW_RESET_VECTOR };
	h.plan.tdx = (struct plan_tdx){ PLAN_TDX_ATTRIBUTES, PLAN_TDX_XFAM, TDX_GPAW };
	h.plan.region[2] = h.plan.region[1];
	h.plan.region[1] = (struct plan_region){ PLAN_RESET_PAGE, FW_RESET_PAGE, FW_PAGE, page };
	h.plan.region_count = 3;
}

static void test_tdx_refusals(void)
{
	bool has_tdx;

	init_tdx();
	has_tdx = ioctl(h.kvm_fd, KVM_CHECK_EXTENSION, (unsigned long)UAPI_CAP_VM_TYPES) >>
			  UAPI_VM_TYPE_TDX & 1;
	if (has_tdx)
		printf("# this host has TDX: what it says of the tiny plan is not tested\n");
	else
		refused(EX_HOST, "/dev/kvm: no TDX", "a TDX plan on a host without");
	init_tdx();
	harness_add_arg(&h, "host_data=%064d", 0);
	refused(EX_USAGE_ERROR, "an SEV-SNP guest, which alone", "host data for a trust domain");
}

static void test_bad_arguments(void)
{
	harness_init(&h, "longmode");
	close(h.kvm_fd);
	h.kvm_fd = -1;
	refused(EX_USAGE_ERROR, "kvm=: missing", "no KVM descriptor named");
	harness_init(&h, "longmode");
	close(h.kvm_fd);
	h.kvm_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	refused(EX_HOST, "KVM_GET_API_VERSION", "a KVM descriptor that is not /dev/kvm");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "kernel=5");
	refused(EX_USAGE_ERROR, "kernel=5: unknown", "an unknown argument");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "cpus=1");
	refused(EX_USAGE_ERROR, "cpus=: given twice", "an argument given twice");
	harness_init(&h, "longmode");
	harness_add_arg(&h, "dev=blk");
	refused(EX_USAGE_ERROR, "not TYPE:DESCRIPTOR", "a device without descriptor");
	harness_init(&h, "longmode");
	h.unsealed_ram = true;
	refused(EX_HOST, "can change its size", "RAM that could still shrink");
	harness_init(&h, "longmode");
	h.ram_excess = FW_PAGE;
	refused(EX_HOST, "is not a memfd of", "RAM of another size than memory=");
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	test_start_state();
	test_protection();
	test_exits();
	test_ends();
	test_platform();
	test_smp();
	test_stop();
	test_tpm();
	test_sealed();
	test_records();
	test_limits();
	test_high_memory();
	test_bad_plans();
	test_snp_refusals();
	test_tdx_refusals();
	test_bad_arguments();
	return tap_done();
}
