/* Tier kvm: the virtio transport in the real VMM, with the real block back end behind it. */
#include "tests/guests/lib/virtio_places.h"
#include "tests/kvm/device.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECTORS 64

static struct harness h;
static struct device disk;

static bool run_guest(const char *guest)
{
	bool good;

	harness_init(&h, guest);
	device_start_disk(&disk, &h, SECTORS);
	good = device_go(&disk, &h) == 0 && harness_finish(&h) == 0;
	device_free(&disk);
	return good && h.end == VM_END_POWER_OFF && h.status == 0;
}

static void test_pci(void)
{
	bool good = run_guest("pci");

	tap_check(&h, good && has(h.console_text, "bridge class=60000\ndevices=1\n"
				  "beyond=ffffffff\nfound=1\nslot=1\nid=10421af4\nrevision=1\n"
				  "pin=0\nbar=c0008000\n"), "PCI enumeration finds the device");
	tap_check(&h, has(h.console_text, "size=8000\nmoved to=c0008000\nmoved to=c0008000\n"
			  "moved to=c0008000\nmoved to=c0008000\nthere=ffffffff\nqueues=1\n"),
		  "the BAR can be sized and not moved");
	tap_check(&h, has(h.console_text, "status=0\nsectors=40\n"),
		  "the BAR answers with memory decoding off, and shows the disk's size");
	harness_free(&h);
}

static void test_read(void)
{
	bool good = run_guest("blkread");

	tap_check(&h, good && has(h.console_text, "negotiated=b\nstatus=f\nused=1\nlength=201\n"
				  "result=0\nsector 0........\n"),
		  "the legal order reads sector 0 of the disk");
	tap_check(&h, has(h.console_text, "again=f\nused=1\nsector 1........\n"),
		  "after a reset the device works again");
	harness_free(&h);
}

static void test_msix(void)
{
	bool good = run_guest("msix");

	tap_check(&h, good && has(h.console_text, "control=1\nstatus=f\nopen\nused=1\n"
				  "interrupts=1\n"), "a request raises its vector");
	tap_check(&h, has(h.console_text, "masked\nused=1\npending=0\ninterrupts=1\n"),
		  "a masked vector raises nothing");
	tap_check(&h, has(h.console_text, "unmasked\ninterrupts=2\n"),
		  "an interrupt missed while masked comes at unmasking");
	tap_check(&h, has(h.console_text, "astray\nused=1\npending=0\ninterrupts=2\n"),
		  "a message astray is not sent and breaks nothing");
	tap_check(&h, has(h.console_text, "changes=0\nchanges=1\nstatus=4f\n"),
		  "NEEDS_RESET under a running device raises the configuration vector");
	harness_free(&h);
}

static void test_order(void)
{
#define AFTER_IT "served=0\nuntouched=1\nafter reset=0\n"
	bool good = run_guest("virtioorder");

	tap_check(&h, good && has(h.console_text, "driver ok without features ok\nstatus=43\n"
				  "status=43\n" AFTER_IT),
		  "DRIVER_OK without FEATURES_OK: NEEDS_RESET and nothing else");
	tap_check(&h, has(h.console_text, "features after features ok\nstatus=4b\nstatus=4b\n"
			  AFTER_IT), "features after FEATURES_OK: NEEDS_RESET and nothing else");
	tap_check(&h, has(h.console_text, "ring moved while running\nstatus=f\nstatus=4f\n"
			  "ring=402000\nstatus=4f\n" AFTER_IT),
		  "a ring moved while running: NEEDS_RESET and nothing else");
	tap_check(&h, has(h.console_text, "legal\nstatus=f\nserved=1\n"),
		  "after a reset the legal order works");
	tap_check(&h, has(h.log_text, "virtio-blk slot 1: illegal write at 0x14: needs reset\n"),
		  "an illegal step is logged");
	harness_free(&h);
#undef AFTER_IT
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		n++;
	return n;
}

static void test_chains(void)
{
	static const char *const chains[] = { "loop", "long", "outside", "mmio", "crossing",
					      "wrapping" };
	bool good = run_guest("badchain");

	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "%s\nstatus=f\nused=0\nuntouched=1\n"
			 "used later=0\nuntouched=1\n", chains[i]);
		tap_check(&h, has(h.console_text, expected),
			  "chain '%s': nothing is written and the queue is broken", chains[i]);
	}
	tap_check(&h, good && has(h.console_text, "legal\nstatus=f\nused=1\n"),
		  "after them a reset mends the device, and the VM powers off");
	tap_ok(count(disk.log_text, "queue 0: descriptor chain loops") == 2 &&
	       count(disk.log_text, "queue 0: descriptor outside memory") == 4,
	       "the back end saw and logged each of them");
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

/* Silenced: a back end that hangs. The reset must come back all the same. */
static void lose_back_end(bool silenced, const char *cause)
{
	const uint8_t go = GUEST_GO_VALUE;
	bool good;

	harness_init(&h, "deadback");
	device_start_disk(&disk, &h, SECTORS);
	good = device_go(&disk, &h) == 0 && wait_console("running\n");
	if (silenced)
		kill(disk.pid, SIGSTOP);
	else
		device_kill(&disk);
	good = good && pwrite(h.ram, &go, 1, GUEST_GO_GPA) == 1 && harness_finish(&h) == 0;
	device_free(&disk);
	tap_check(&h, good && h.end == VM_END_POWER_OFF &&
		  has(h.console_text, "running\nafter reset=40\nafter reset=40\n"),
		  "a back end that is %s costs the device, not the VM",
		  silenced ? "silent" : "gone");
	tap_check(&h, has(h.log_text, "virtio-blk slot 1: device lost: ") &&
		  has(h.log_text, cause), "and the log says '%s'", cause);
	harness_free(&h);
}

/* The agent's way out: three queues, a connection to the host, a byte each way. */
static void test_vsock(void)
{
	char byte = 0;
	bool good;

	harness_init(&h, "vsock");
	device_start_vsock(&disk, &h, 42, 1024);
	good = device_go(&disk, &h) == 0 && read(disk.backing, &byte, 1) == 1 &&
	       harness_finish(&h) == 0;
	device_free(&disk);
	tap_check(&h, good && h.end == VM_END_POWER_OFF &&
		  has(h.console_text, "queues=3\ncid=2a\nstatus=f\nanswered=1\nop=2\n"),
		  "a guest connects over vsock");
	tap_check(&h, byte == '!', "and what it sends arrives at the host's end");
	harness_free(&h);
}

static void test_refusals(void)
{
	harness_init(&h, "pci");
	device_start_disk(&disk, &h, SECTORS);
	device_kill(&disk);
	tap_check(&h, harness_start(&h) < 0 && h.status == EX_INTERNAL &&
		  has(h.error_text, "vhost-user back end"), "a dead back end: the VM never runs");
	device_free(&disk);
	harness_free(&h);
	int pair[2];
	harness_init(&h, "pci");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	harness_add_device(&h, "floppy", pair[0]);
	tap_check(&h, harness_start(&h) < 0 && h.status == EX_USAGE_ERROR &&
		  has(h.error_text, "device type floppy: unknown"),
		  "an unknown device type is refused");
	close(pair[1]);
	harness_free(&h);
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	test_pci();
	test_read();
	test_msix();
	test_order();
	test_chains();
	lose_back_end(false, "cannot be sent");
	lose_back_end(true, "no answer in time");
	test_vsock();
	test_refusals();
	return tap_done();
}
