/* Tier kvm: tiny guests in the real pavise-vmm, one property each. */
#include "tests/kvm/harness.h"

#include "firmware/stop.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
	tap_check(&h, has(h.console_text, "paging=1\nwrite protect=1\ncr3=110000\npae=1\nefer=d00\n"),
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
	tap_check(&h, has(h.log_text, "firmware stop 0x40: "), "a firmware stop is logged as a sentence");
	harness_free(&h);
	run_guest("handover");
	tap_check(&h, h.end == VM_END_POWER_OFF && has(h.console_text, "still here\n"),
		  "after the hand-over the stop port is ignored");
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
	return tap_done();
}
