/* Tier kvm: plans of `pavise measure snp` and `pavise measure tdx` around the firmware images, in
 * the real pavise-vmm-sim with the real pavise-psp-sim or pavise-tdx-sim behind it. Everything
 * about SEV-SNP and TDX is simulated; images, plans and VMM are what hardware would get. */
#include "common/file.h"
#include "firmware/layout.h"
#include "firmware/sha2.h"
#include "firmware/stop.h"
#include "firmware/tpmcmd.h"
#include "tests/kvm/harness.h"
#include "tests/model/psp_process.h"
#include "tests/model/tdx_process.h"

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
static struct tdx_process tdx;
static const char *kind; /* "snp" or "tdx" */
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

static bool is_tdx(void)
{
	return strcmp(kind, "tdx") == 0;
}

static const char *image(void)
{
	return in_build(is_tdx() ? "firmware/pavise-fw-tdx.bin" : "firmware/pavise-fw-snp.bin");
}

/* Runs a program with its standard output in a file; its exit status. */
static int run(const char *const *arg)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int out = open(in_folder("output"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (out < 0 || dup2(out, STDOUT_FILENO) < 0)
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
	const char *arg[ARGS_MAX] = { in_build("bin/pavise-measure"), kind, "--firmware",
				      image(), "--kernel",
				      in_build("tests/guests/fakekernel.bin"), "--initrd",
				      in_folder("initrd"), "--append", "quiet x", "--memory",
				      "192M", "--cpus", cpus, "--plan", in_folder("plan"),
				      NULL };
	size_t n = 0;

	while (arg[n])
		n++;
	if (!tpm)
		arg[n++] = "--no-vtpm";
	if (is_tdx())
		arg[n++] = "--pci-slots=0"; /* they reach RTMR0 */
	arg[n] = NULL;
	return run(arg) == 0;
}

static int module_fd; /* our copy of the VMM's end: it may ask when the VMM has gone */

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
	fd = is_tdx() ? tdx_start(&tdx) : psp_start(&psp);
	module_fd = is_tdx() ? dup(fd) : -1;
	if (fd >= 0)
		harness_add_fd(&h, "psp", fd);
	else
		printf("# the simulated processor does not start\n");
	harness_run(&h);
}

static void finish(void)
{
	harness_free(&h);
	if (is_tdx()) {
		close(module_fd);
		tdx_stop(&tdx);
	} else {
		psp_stop(&psp);
	}
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
	void *bytes;
	size_t size;
	bool found;

	if (file_read("firmware", image(), FW_IMAGE_MAX, 0, &bytes, &size, &e) < 0)
		return false;
	fw_digest(bytes, size, &digest);
	free(bytes);
	found = pread(h.ram, log, sizeof(log), FW_EVENT_LOG) == (ssize_t)sizeof(log) &&
		memmem(log, sizeof(log), digest.sha384, sizeof(digest.sha384)) != NULL;
	return found;
}

/* The line of `pavise measure` that starts with name. */
static bool is_predicted(const char *name, const uint8_t value[48])
{
	char hex[2 * 48 + 1], text[4096] = "", line[128];
	FILE *f = fopen(in_folder("output"), "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		(void)fclose(f);
	text[n] = '\0';
	for (unsigned i = 0; i < 48; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", value[i]);
	snprintf(line, sizeof(line), "%s %s ", name, hex);
	return strstr(text, line) != NULL;
}

static void check_registers(void)
{
	struct tdx_registers r = { 0 };

	if (tdx_read_registers(module_fd, &r) < 0)
		printf("# the simulated module does not answer\n");
	tap_check(&h, is_predicted("mrtd  ", r.mrtd), "MRTD is what pavise measure predicts");
	tap_check(&h, is_predicted("rtmr 0", r.rtmr[0]), "and RTMR0");
	tap_check(&h, is_predicted("rtmr 1", r.rtmr[1]), "and RTMR1");
}

static void test_boot(const char *cpus, unsigned count)
{
	if (!make_plan(cpus, false)) {
		tap_ok(false, "pavise measure %s makes a plan for %s processors", kind, cpus);
		return;
	}
	start("plan", count, -1);
	tap_check(&h, h.end == VM_END_POWER_OFF && h.status == 0 &&
		  strstr(h.console_text, "fake kernel runs") != NULL,
		  "%s: the plan of %s processors boots to its kernel", kind, cpus);
	tap_check(&h, logged("hands over") && logged("1 CC blob unlinked") == !is_tdx(),
		  "the firmware hands over, an SEV-SNP one with a CC blob");
	tap_check(&h, log_names_the_image(),
		  "the event log names the image of the plan, not the patched one");
	if (is_tdx())
		check_registers();
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
		  "%s: the vTPM is extended through calls of the host: %u events", kind, extends);
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

static void test_all(const char *which)
{
	kind = which;
	extends = 0;
	test_boot("2", 2);
	test_boot("1", 1);
	test_changed("kernel", STOP_KERNEL_HASH);
	test_changed("initrd", STOP_INITRD_HASH);
	test_changed("cmdline", STOP_CMDLINE_HASH);
	test_tpm();
}

int main(void)
{
	static const char *const files[] = { "initrd", "plan", "flipped", "output" };
	const char *reason;

	if (harness_usable(&reason) < 0) {
		tap_skip("the firmware in simulated confidential guests", reason);
		return tap_done();
	}
	if (mkdtemp(folder) == NULL || !make_initrd() || psp_chip_make(&psp) < 0 ||
	    tdx_platform_make(&tdx) < 0) {
		printf("Bail out! no folder, or a simulated platform cannot be made\n");
		return 1;
	}
	test_all("snp");
	test_all("tdx");
	psp_chip_remove(&psp);
	tdx_platform_remove(&tdx);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(in_folder(files[i]));
	rmdir(folder);
	return tap_done();
}
