/* Tier kvm: tiny SEV-SNP guests in the real pavise-vmm-sim, with the real pavise-psp-sim behind it.
 * Everything about SEV-SNP here is simulated. */
#include "attest/measure/snp/plan.h"
#include "model/platform.h"
#include "tests/model/tiny_guest.h"

#include <stdio.h>
#include <string.h>

static struct harness h;
static struct psp_process psp;

static void prepare(const char *guest)
{
	tiny_guest_prepare(&h, &psp, guest);
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

/* One plan for any number of processors: each launch of it measures what was predicted for its
 * number, and nothing else. */
static void test_any_number(void)
{
	uint8_t ld[3][SNP_DIGEST_SIZE] = { 0 };

	for (unsigned cpus = 1; cpus <= 3; cpus++) {
		struct err e = { 0 };

		prepare("report");
		h.cpus = cpus;
		h.plan.max_cpus = 3;
		h.plan.snp.cpus = 0;
		harness_run(&h);
		tap_check(&h, snp_measure_sizes(&h.plan, 3, ld, &e) == 0 &&
			  is_measurement(ld[cpus - 1]) && !is_measurement(ld[cpus % 3]),
			  "%u of 1 to 3 processors: the predicted measurement", cpus);
		finish();
	}
	prepare("report");
	h.cpus = 4;
	h.plan.max_cpus = 3;
	h.plan.snp.cpus = 0;
	harness_run(&h);
	tap_check(&h, !h.ready && h.status != 0, "4 processors are refused");
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
	test_fold();
	test_devices();
	test_processors();
	test_report();
	test_measurement(1);
	test_measurement(3);
	test_any_number();
	test_without_psp();
	psp_chip_remove(&psp);
	return tap_done();
}
