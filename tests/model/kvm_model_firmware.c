/* Tier kvm: a plan of `pavise measure snp` around the SEV-SNP firmware image, in the real
 * pavise-vmm-sim with the real pavise-psp-sim behind it. Everything about SEV-SNP is simulated;
 * image, plan and VMM are what hardware would get. */
#include "common/file.h"
#include "firmware/layout.h"
#include "firmware/sha2.h"
#include "firmware/stop.h"
#include "firmware/tpmcmd.h"
#include "tests/kvm/harness.h"
#include "tests/model/psp_process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 24

static struct harness h;
static struct psp_process psp;
static char folder[] = "/tmp/pavise-model-XXXXXX";
static void *plan;

static const char *in_build(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	const char *build = getenv("PAVISE_BUILD");
	char *out = path[turn++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", build ? build : "build", name);
	return out;
}

static const char *in_folder(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	char *out = path[turn++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
	return out;
}

/* Runs a program with its standard output away; its exit status. */
static int run(const char *const *arg)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(126);
		execv(arg[0], (char *const *)(uintptr_t)arg);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool make_plan(const char *cpus, bool tpm)
{
	const char *arg[ARGS_MAX] = { in_build("bin/pavise-measure"), "snp", "--firmware",
				      in_build("firmware/pavise-fw-snp.bin"), "--kernel",
				      in_build("tests/guests/fakekernel.bin"), "--initrd",
				      in_folder("initrd"), "--append", "quiet x", "--memory",
				      "192M", "--cpus", cpus, "--plan", in_folder("plan"),
				      tpm ? NULL : "--no-vtpm", NULL };

	return run(arg) == 0;
}

/* Starts what lies in the plan file. */
static void start(const char *name, unsigned cpus, int tpm_fd)
{
	struct err e = { 0 };
	size_t size;
	int fd;

	harness_init(&h, "longmode"); /* its plan is replaced */
	h.program = "pavise-vmm-sim";
	h.memory = 192u << 20;
	h.cpus = cpus;
	h.tpm_fd = tpm_fd;
	if (file_read(name, in_folder(name), 64u << 20, 0, &plan, &size, &e) < 0) {
		printf("Bail out! %s\n", e.text);
		exit(1);
	}
	h.raw_plan = plan;
	h.raw_plan_size = size;
	fd = psp_start(&psp);
	if (fd >= 0)
		harness_add_fd(&h, "psp", fd);
	else
		printf("# pavise-psp-sim does not start\n");
	harness_run(&h);
}

static void finish(void)
{
	harness_free(&h);
	psp_stop(&psp);
	free(plan);
	plan = NULL;
}

static bool logged(const char *text)
{
	return strstr(h.log_text, text) != NULL;
}

/* After the fold the guest's memory is plain: the event log lies where the firmware put it. */
static bool log_names_the_image(void)
{
	static uint8_t log[FW_EVENT_LOG_SIZE];
	struct fw_digests digest;
	struct err e = { 0 };
	void *image;
	size_t size;
	bool found;

	if (file_read("firmware", in_build("firmware/pavise-fw-snp.bin"), FW_IMAGE_MAX, 0, &image,
		      &size, &e) < 0)
		return false;
	fw_digest(image, size, &digest);
	free(image);
	found = pread(h.ram, log, sizeof(log), FW_EVENT_LOG) == (ssize_t)sizeof(log) &&
		memmem(log, sizeof(log), digest.sha384, sizeof(digest.sha384)) != NULL;
	return found;
}

static void test_boot(const char *cpus, unsigned count)
{
	if (!make_plan(cpus, false)) {
		tap_ok(false, "pavise measure snp makes a plan for %s processors", cpus);
		return;
	}
	start("plan", count, -1);
	tap_check(&h, h.end == VM_END_POWER_OFF && h.status == 0 &&
		  strstr(h.console_text, "fake kernel runs") != NULL,
		  "the plan of %s processors boots to its kernel", cpus);
	tap_check(&h, logged("hands over") && logged("1 CC blob unlinked"),
		  "the firmware hands over with a CC blob");
	tap_check(&h, log_names_the_image(),
		  "the event log names the image of the plan, not the patched one");
	finish();
}

static void test_changed(const char *part, enum fw_stop code)
{
	const char *arg[] = { in_build("tests/plan-flip"), in_folder("plan"), in_folder("flipped"),
			      part, "7", NULL };

	if (run(arg) != 0) {
		tap_ok(false, "plan-flip changes the %s", part);
		return;
	}
	start("flipped", 1, -1);
	tap_check(&h, h.end == VM_END_FIRMWARE_STOP && h.detail == (uint32_t)code &&
		  strstr(h.console_text, "fake kernel runs") == NULL,
		  "a changed %s stops the firmware with 0x%02x", part, (unsigned)code);
	finish();
}

static unsigned extends;

static void *tpm_main(void *arg)
{
	static const uint8_t accepted[TPM_EXTEND_RESPONSE] = { 0x80, 2, 0, 0, 0, 19 };
	const int *fd = arg;
	uint8_t command[4096];
	ssize_t n;

	while ((n = read(*fd, command, sizeof(command))) > 0) {
		extends += n == TPM_EXTEND_SIZE;
		if (write(*fd, accepted, sizeof(accepted)) < 0)
			break;
	}
	return NULL;
}

static void test_tpm(void)
{
	pthread_t thread;
	int pair[2];

	if (!make_plan("1", true) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    pthread_create(&thread, NULL, tpm_main, &pair[0]) != 0) {
		tap_ok(false, "a plan with a vTPM");
		return;
	}
	start("plan", 1, pair[1]);
	shutdown(pair[0], SHUT_RDWR);
	pthread_join(thread, NULL);
	tap_check(&h, h.end == VM_END_POWER_OFF && extends == 15,
		  "the vTPM is extended through GHCB calls: %u events", extends);
	finish();
	close(pair[0]);
}

static bool make_initrd(void)
{
	uint8_t data[5000];
	FILE *f = fopen(in_folder("initrd"), "we");
	bool good;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	good = f != NULL && fwrite(data, 1, sizeof(data), f) == sizeof(data);
	return f != NULL && fclose(f) == 0 && good;
}

int main(void)
{
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("the firmware in a simulated SEV-SNP guest", reason);
		return tap_done();
	}
	if (mkdtemp(folder) == NULL || !make_initrd() || psp_chip_make(&psp) < 0) {
		printf("Bail out! no folder, or pavise-psp-sim init failed\n");
		return 1;
	}
	test_boot("2", 2);
	test_boot("1", 1);
	test_changed("kernel", STOP_KERNEL_HASH);
	test_changed("initrd", STOP_INITRD_HASH);
	test_changed("cmdline", STOP_CMDLINE_HASH);
	test_tpm();
	psp_chip_remove(&psp);
	unlink(in_folder("initrd"));
	unlink(in_folder("plan"));
	unlink(in_folder("flipped"));
	rmdir(folder);
	return tap_done();
}
