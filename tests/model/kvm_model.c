/* Tier kvm: tiny SEV-SNP guests in the real pavise-vmm-sim, with the real pavise-psp-sim behind it.
 * Everything about SEV-SNP here is simulated. */
#include "attest/measure/snp/plan.h"
#include "model/platform.h"
#include "tests/kvm/harness.h"
#include "tests/model/psp_process.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct harness h;
static struct psp_process psp;

static struct plan_region *add(enum plan_region_type type, uint64_t gpa, uint64_t size)
{
	struct plan_region *r = &h.plan.region[h.plan.region_count++];

	*r = (struct plan_region){ type, gpa, size, NULL };
	return r;
}

/* As `pavise measure snp` would make it, without kernel. */
static void prepare(const char *guest)
{
	struct fw_image_header image;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "snp-%s", guest);
	harness_init(&h, name);
	h.program = "pavise-vmm-sim";
	memcpy(&image, h.image, sizeof(image));
	h.plan.tee = PLAN_TEE_SNP;
	h.plan.vcpu = (struct plan_vcpu){ FW_IMAGE + image.entry, FW_SCRATCH + FW_SCRATCH_SIZE,
					  (FW_IMAGE + image.page_table) | MODEL_C_BIT };
	h.plan.snp = (struct plan_snp){ .cpus = 1, .policy = PLAN_SNP_POLICY,
					.sev_features = PLAN_SNP_FEATURES, .c_bit = SNP_C_BIT,
					.ap_rip = FW_IMAGE + image.ap_entry };
	h.plan.region_count = 1;
	add(PLAN_ZERO, FW_SCRATCH, FW_SCRATCH_SIZE);
	add(PLAN_CPUID_PAGE, FW_CPUID_PAGE, FW_PAGE);
	add(PLAN_SECRETS_PAGE, FW_SECRETS_PAGE, FW_PAGE);
	add(PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, FW_PAGE);
	fd = psp_start(&psp);
	if (fd >= 0)
		harness_add_fd(&h, "psp", fd);
	else
		printf("# pavise-psp-sim does not start\n");
}

static void finish(void)
{
	harness_free(&h);
	psp_stop(&psp);
}

static void run_guest(const char *guest)
{
	prepare(guest);
	harness_run(&h);
}

static void says(const char *text, const char *what)
{
	tap_check(&h, has(h.console_text, text), "%s", what);
}

static void test_accept(void)
{
	run_guest("accept");
	tap_check(&h, h.end == VM_END_POWER_OFF && h.status == 0,
		  "a guest is launched, speaks through its GHCB, powers off");
	says("status=7\ninfo=2000133000001\nfeatures=3081\nregistered=184013\nbad psc=100000015\n",
	     "GHCB MSR protocol and SEV_STATUS");
	says("validate=0\nagain=100000000\nread=1234\nlaunched=100000000\nrescind=0\n"
	     "rescind again=100000000\n", "PVALIDATE of 4 KiB: once, CF when nothing changes");
	says("mismatch=6\nunaligned=1\nlarge=0\nlarge read=5678\nlarge again=100000000\n"
	     "small in large=0\nlarge after split=6\n", "PVALIDATE of 2 MiB: size mismatch, split");
	says("adjust=0\nadjust own level=2\nadjust bad=1\n", "RMPADJUST");
	says("to shared=0\nshared read=77\nto private=0\nvalid again=0\ncontents=0\n",
	     "a page goes shared and comes back empty and not validated");
	says("outside=10000000000\nwrapping=10000000000\n", "the VMM refuses pages that are no RAM");
	says("unknown=6\nmalformed=2\nhv features=3\n", "other calls on the GHCB page");
	tap_check(&h, has(h.log_text, "platform model (simulated): launched"),
		  "the log calls it simulated");
	finish();
}

struct stop_case {
	const char *guest, *said, *never;
	uint32_t end, detail;
	const char *what;
};

static void test_stops(void)
{
	static const struct stop_case row[] = {
		{ "unvalidated", "reading\n", "read=", VM_END_KVM_ERROR, MODEL_STOP_UNVALIDATED,
		  "an access to a page that is not validated stops the run" },
		{ "rescinded", "validated=1\n", "written", VM_END_KVM_ERROR,
		  MODEL_STOP_UNVALIDATED, "so does one after PVALIDATE took it back" },
		{ "replaced", "replaced\n", "read=", VM_END_KVM_ERROR, MODEL_STOP_UNVALIDATED,
		  "so does one to a page the host replaced" },
		{ "wrongprivate", "reading\n", "read=", VM_END_MEMORY_FAULT, 0x190,
		  "a private access to a shared page is refused by the VMM" },
		{ "wrongshared", "reading\n", "read=", VM_END_MEMORY_FAULT, FW_IMAGE / FW_PAGE,
		  "a shared access to a private page is refused by the VMM" },
		{ "directio", "direct\n", "written", VM_END_KVM_ERROR, MODEL_STOP_DIRECT_IO,
		  "an OUT without GHCB stops the run" },
		{ "early", "asking\n", "status=", VM_END_KVM_ERROR, MODEL_STOP_DIRECT_IO,
		  "no report before the fold" },
		{ "terminate", "", "still", VM_END_FIRMWARE_STOP, 7,
		  "a termination request carries the firmware's code" },
		{ "unregistered", "", "x", VM_END_KVM_ERROR, 22,
		  "VMGEXIT with a page never registered fails with EINVAL" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct stop_case *c = &row[i];

		run_guest(c->guest);
		tap_check(&h, has(h.console_text, c->said) && !has(h.console_text, c->never) &&
			  h.end == c->end && h.detail == c->detail, "%s", c->what);
		finish();
	}
}

/* Is the 32-byte canary of tests/model/guests/canary in the shared memory? */
static bool is_shared(const uint8_t *ram)
{
	uint64_t canary[4];

	for (unsigned i = 0; i < 4; i++)
		canary[i] = 0x6b61656c206f4e20ull ^ (0x0101010101010101ull * (i + 1));
	return memmem(ram, h.memory, canary, sizeof(canary)) != NULL;
}

static bool waits_for(const char *text)
{
	for (unsigned ms = 0; ms < HARNESS_TIMEOUT_MS; ms += 10) {
		harness_peek(&h);
		if (has(h.console_text, text))
			return true;
		usleep(10000);
	}
	return false;
}

/* The lines of /proc/PID/smaps about the mapping called `name`; "" when there is none. */
static void read_mapping(const char *name, char *out, size_t size)
{
	char path[64], line[512];
	bool inside = false;
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)h.pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		/* A mapping begins with its address, its properties with a capital. */
		if (line[0] < 'A' || line[0] >= 'a')
			inside = strstr(line, name) != NULL;
		if (inside && strlen(out) + strlen(line) < size)
			memcpy(out + strlen(out), line, strlen(line) + 1);
	}
	if (f)
		fclose(f);
}

/* Descriptors of the VMM whose name contains `name`; -1 when they cannot be looked at. */
static int count_descriptors(const char *name)
{
	char path[64], link[512];
	int count = 0, seen = 0;

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)h.pid, fd);
		n = readlink(path, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		seen++;
		count += strstr(link, name) != NULL;
	}
	return seen > 0 ? count : -1;
}

/* The memory is there, no core will contain it ("dd"), no child inherits it ("dc"), and no
 * descriptor leads to it. */
static void test_private_mapping(void)
{
	static char text[8192];
	int descriptors = count_descriptors("pavise-private-sim");

	read_mapping("pavise-private-sim", text, sizeof(text));
	if (text[0] == '\0' || descriptors < 0) {
		tap_skip("private memory in a core",
			 "this machine does not show another process's mappings");
		return;
	}
	tap_check(&h, descriptors == 0, "no descriptor leads to private memory");
	if (!has(text, "VmFlags:"))
		tap_skip("private memory in a core", "this kernel does not say VmFlags");
	else
		tap_check(&h, has(text, " dd") && has(text, " dc"),
			  "private memory is in no core and no child");
}

static void set_step(uint8_t *ram, uint64_t step)
{
	memcpy(ram + FW_BOOT_BLOCK + 0xF00, &step, sizeof(step));
}

static void test_canary(void)
{
	uint8_t *ram;

	prepare("canary");
	if (harness_start(&h) < 0 || harness_seal(&h) < 0 || harness_send(&h, RECORD_GO) < 0) {
		tap_check(&h, false, "the guest starts");
		finish();
		return;
	}
	ram = mmap(NULL, h.memory, PROT_READ | PROT_WRITE, MAP_SHARED, h.ram, 0);
	tap_check(&h, ram != MAP_FAILED && waits_for("written\n") && !is_shared(ram),
		  "a secret in private memory is not in the memory that devices share");
	test_private_mapping();
	set_step(ram, 1);
	tap_check(&h, waits_for("folded\n") && is_shared(ram),
		  "after the fold it is: private memory ends there");
	set_step(ram, 2);
	harness_finish(&h);
	says("private alias=6a60646d216e4f21\nshared alias=6a60646d216e4f21\nstatus=0\n",
	     "both aliases show it, and the processor is a plain one");
	tap_check(&h, h.end == VM_END_POWER_OFF, "after the fold it is a plain guest");
	munmap(ram, h.memory);
	finish();
}

static void test_fold(void)
{
	run_guest("ccblob");
	says("address=55667788\ntype=1\ntype=2\n",
	     "the fold takes out CC blobs, and only them");
	finish();
}

static void test_devices(void)
{
	run_guest("devices");
	says("write=0\nread=0\nversion=170011\nnobody=ffffffffffffffff\n",
	     "MMIO through the GHCB page reaches the VMM's devices");
	says("too long=5\nrefused=2\n", "a length no access has is refused");
	says("uart status=aaaaaa60\nstring=5\n", "a port is read, a string instruction refused");
	finish();
}

/* Every vCPU is measured; more than the plan says is no launch. */
static void test_processors(void)
{
	prepare("aps");
	h.cpus = 2;
	h.plan.snp.cpus = 2;
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "alone\n") &&
		  has(h.log_text, "2 vCPUs"), "two processors are launched");
	finish();
	prepare("aps");
	h.cpus = 2;
	harness_run(&h);
	tap_check(&h, !h.ready && h.status != 0,
		  "more processors than the plan measures are refused");
	finish();
}

/* The guest printed its report's measurement in twelve words. */
static bool is_measurement(const uint8_t ld[SNP_DIGEST_SIZE])
{
	const char *at = h.console_text;

	for (unsigned i = 0; i < SNP_DIGEST_SIZE / 4; i++) {
		uint32_t word;
		char line[64];

		memcpy(&word, ld + sizeof(word) * i, sizeof(word));
		snprintf(line, sizeof(line), "measurement=%x\n", word);
		at = strstr(at, line);
		if (!at)
			return false;
		at += strlen(line);
	}
	return true;
}

/* The digest that the simulated processor made of the launch, and the one that `pavise measure`
 * makes of the plan: two programs, no code in common. */
static void test_measurement(unsigned cpus)
{
	uint8_t ld[SNP_DIGEST_SIZE] = { 0 };
	struct err e = { 0 };

	prepare("report");
	h.cpus = cpus;
	h.plan.snp.cpus = cpus;
	harness_run(&h);
	tap_check(&h, snp_measure(&h.plan, NULL, NULL, ld, &e) == 0 && is_measurement(ld),
		  "%u processors: the report's measurement is the predicted one", cpus);
	h.plan.vcpu.rsp += 8;
	tap_check(&h, snp_measure(&h.plan, NULL, NULL, ld, &e) == 0 && !is_measurement(ld),
		  "and not that of another start state");
	finish();
}

static void test_report(void)
{
	run_guest("report");
	tap_check(&h, h.end == VM_END_POWER_OFF, "a folded guest asks for a report");
	says("idle=0\nready=1\nlarge enough=1\ncode=0\nreport size=4a0\n", "an answer comes");
	says("first data=40404040\nlast data=4040404f\n", "with the caller's report data");
	says("short=2\nbad level=", "a short request is an error");
	says("reset=0\n", "and reset clears it");
	finish();
}

static void test_without_psp(void)
{
	prepare("accept");
	psp_stop(&psp);
	harness_run(&h);
	tap_check(&h, !h.ready && h.status != 0 && !has(h.console_text, "status"),
		  "without a simulated processor there is no launch");
	harness_free(&h);
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("simulated SEV-SNP guests", reason);
		return tap_done();
	}
	if (psp_chip_make(&psp) < 0) {
		printf("Bail out! pavise-psp-sim init failed\n");
		return 1;
	}
	prepare("accept");
	harness_run(&h);
	finish();
	if (has(h.log_text, "cannot hold address bit")) {
		tap_skip("simulated SEV-SNP guests", "this host's KVM cannot hold the C-bit");
		psp_chip_remove(&psp);
		return tap_done();
	}
	test_accept();
	test_stops();
	test_canary();
	test_fold();
	test_devices();
	test_processors();
	test_report();
	test_measurement(1);
	test_measurement(3);
	test_without_psp();
	psp_chip_remove(&psp);
	return tap_done();
}
