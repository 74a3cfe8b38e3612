/* Tier kvm: tiny trust domains in the real pavise-vmm-sim, with the real pavise-tdx-sim behind it.
 * Everything about TDX here is simulated. */
#include "attest/measure/tdx/plan.h"
#include "model/platform.h"
#include "tests/model/tiny_td.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct harness h;
static struct tdx_process tdx;

static void prepare(const char *guest)
{
	tiny_td_prepare(&h, &tdx, guest);
}

static void finish(void)
{
	harness_free(&h);
	tdx_stop(&tdx);
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
		  "a trust domain is launched, speaks by TDVMCALL, powers off");
	says("gpaw=30\nattributes=10000000\nvcpus=1\nindex=0\nno ve=c000070400000000\n"
	     "unknown leaf=c000010000000000\ntd ctls=1\nve back on=c0000c0100000002\n",
	     "TDG.VP.INFO, TDG.VM.RD, TDG.VM.WR");
	says("accept=0\nagain=b0a00000000\nread=1234\nlaunched=b0a00000000\n"
	     "shared operand=c000010000000001\nbad level=c000010000000001\n"
	     "unaligned=c000010000000001\n", "a page of 4 KiB is accepted once");
	says("mismatch=c0000b0b00000001\nlarge=0\nlarge read=5678\nlarge again=b0a00000000\n"
	     "small in large=c0000b0b00000001\nhuge=c0000b0b00000001\n",
	     "pages of 2 MiB and 1 GiB: size mismatch");
	says("extend=0\nno such=c000010000000002\nbad data=c000010000000001\n"
	     "shared data=c000010000000001\n", "TDG.MR.RTMR.EXTEND");
	says("to shared=0\nwas=0\nshared read=77\nto private=0\naccept again=0\ncontents=0\n"
	     "chunks=0\nlast chunk=99\n", "MapGPA both ways, and in chunks");
	says("outside=8000000000000000\nrefused at=10000000000\nnot aligned=8000000000000002\n"
	     "wrapping=8000000000000000\nacross=8000000000000000\nempty=8000000000000000\n",
	     "MapGPA of what is no RAM is refused");
	says("bad mask=c000010000000001\nhypercall=ffffffffffffffda\n"
	     "unknown call=8000000000000003\nleaf 0=0\nleaf 1=0\nleaf 2=8000000000000000\n"
	     "cpuid=0\nmsr=0\nmsr value=1\nno msr=8000000000000000\n"
	     "bad vector=8000000000000000\n", "other TDVMCALLs");
	says("uart=0\nuart status=60\nbad size=8000000000000000\n"
	     "bad direction=8000000000000000\nbad port=8000000000000000\nselect=0\nwindow=0\n"
	     "ioapic version=170011\nprivate mmio=8000000000000000\n"
	     "mmio size=8000000000000000\n", "ports and MMIO reach the VMM's devices");
	tap_check(&h, has(h.log_text, "platform model (simulated): trust domain finalized"),
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
		{ "unaccepted", "reading\n", "read=", VM_END_KVM_ERROR, EIO,
		  "an access to a page that is not accepted ends the trust domain" },
		{ "replaced", "replaced\n", "read=", VM_END_KVM_ERROR, EIO,
		  "so does one to a page that went shared and came back" },
		{ "wrongprivate", "reading\n", "read=", VM_END_MEMORY_FAULT,
		  FW_BOOT_BLOCK / FW_PAGE,
		  "a private access to a shared page is refused by the VMM" },
		{ "wrongshared", "reading\n", "read=", VM_END_MEMORY_FAULT, FW_IMAGE / FW_PAGE,
		  "a shared access to a private page is refused by the VMM" },
		{ "outside", "reading\n", "read=", VM_END_MEMORY_FAULT, PCI_WINDOW_BASE / FW_PAGE,
		  "so is a private access where there is no RAM" },
		{ "acceptshared", "accepting\n", "accept=", VM_END_MEMORY_FAULT,
		  FW_BOOT_BLOCK / FW_PAGE, "and the acceptance of a shared page" },
		{ "directio", "direct\n", "written", VM_END_KVM_ERROR, MODEL_STOP_DIRECT_IO,
		  "an OUT without TDVMCALL stops the run" },
		{ "directmmio", "direct\n", "read=", VM_END_KVM_ERROR, MODEL_STOP_DIRECT_IO,
		  "so does MMIO without TDVMCALL" },
		{ "fatal", "", "still", VM_END_FIRMWARE_STOP, 0xA2,
		  "ReportFatalError carries the firmware's code" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct stop_case *c = &row[i];

		run_guest(c->guest);
		tap_check(&h, has(h.console_text, c->said) && !has(h.console_text, c->never) &&
			  h.end == c->end && h.detail == c->detail, "%s", c->what);
		finish();
	}
}

static void test_processors(void)
{
	prepare("aps");
	h.cpus = 3;
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.log_text, "3 vCPUs"),
		  "three processors are launched, though the plan names none");
	says("alone\nbefore the fold=0\nafter the fold=5ec0\ncommand=0\n",
	     "the mailbox starts the second one, after the fold");
	finish();
}

/* The guest printed its report's MRTD in twelve words. */
static bool is_mrtd(const uint8_t mrtd[MRTD_SIZE])
{
	const char *at = h.console_text;

	for (unsigned i = 0; i < MRTD_SIZE / 4; i++) {
		uint32_t word;
		char line[64];

		memcpy(&word, mrtd + sizeof(word) * i, sizeof(word));
		snprintf(line, sizeof(line), "mrtd=%x\n", word);
		at = strstr(at, line);
		if (!at)
			return false;
		at += strlen(line);
	}
	return true;
}

static bool predicted_is_shown(void)
{
	struct tdx_measured m;
	struct err e = { 0 };

	return tdx_measure(&h.plan, NULL, NULL, &m, &e) == 0 && is_mrtd(m.mrtd);
}

/* What the simulated module made of the launch, and what `pavise measure` makes of the plan: two
 * programs, no code in common. */
static void test_measurement(unsigned cpus)
{
	prepare("report");
	h.cpus = cpus;
	harness_run(&h);
	says("report=0\ntype=81\nfirst data=40404040\nlast data=4040404f\nattributes=10000000\n",
	     "a report with the caller's data");
	says("unaligned=c000010000000001\nsubtype=c000010000000008\n", "bad operands are refused");
	tap_check(&h, predicted_is_shown(),
		  "%u processors: the report's MRTD is the predicted one", cpus);
	h.plan.region_count--; /* the boot block is not measured */
	tap_check(&h, predicted_is_shown(),
		  "which the boot block is no part of");
	h.plan.region[1].size -= FW_PAGE;
	tap_check(&h, !predicted_is_shown(),
		  "but each page that is added, measured or not");
	finish();
}

static void test_quote(void)
{
	int channel;

	prepare("quote");
	channel = tdx_quote_start(&tdx);
	if (channel >= 0)
		harness_add_fd(&h, "quote", channel);
	harness_run(&h);
	tap_check(&h, h.end == VM_END_POWER_OFF, "a guest asks for quotes");
	says("private buffer=8000000000000000\nno size=8000000000000000\n"
	     "odd size=8000000000000000\nhalf shared=8000000000000000\n"
	     "outside=8000000000000000\n", "GetQuote with a bad buffer is refused");
	tap_check(&h, has(h.console_text, "quote=0\nstatus=0\n") &&
		  !has(h.console_text, "length=0\n"), "GetQuote gives a quote");
	says("identified=1\nbytes=4\nkind=3\n", "the agent learns that it is a trust domain");
	says("ready=1\nlarge=1\nagent status=0\n",
	     "and gets a quote through the VMM and its relay");
	says("short=2\nreset=0\n", "a short request is an error");
	finish();
	run_guest("quote");
	says("quote=0\nstatus=8000000000000001\nlength=0\n",
	     "without a relay the quote service is not available");
	says("ready=1\nlarge=0\nagent status=80000001\nagent size=0\n", "for the agent, too");
	finish();
}

static void test_without_module(void)
{
	prepare("accept");
	tdx_stop(&tdx);
	harness_run(&h);
	tap_check(&h, !h.ready && h.status != 0 && !has(h.console_text, "gpaw"),
		  "without a simulated module there is no launch");
	harness_free(&h);
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("simulated trust domains", reason);
		return tap_done();
	}
	if (tdx_platform_make(&tdx) < 0) {
		printf("Bail out! pavise-tdx-sim init failed\n");
		return 1;
	}
	run_guest("fatal");
	finish();
	if (has(h.log_text, "cannot hold address bit")) {
		tap_skip("simulated trust domains", "this host's KVM cannot hold the S-bit");
		tdx_platform_remove(&tdx);
		return tap_done();
	}
	test_accept();
	test_stops();
	test_processors();
	test_measurement(1);
	test_measurement(3);
	test_quote();
	test_without_module();
	tdx_platform_remove(&tdx);
	return tap_done();
}
