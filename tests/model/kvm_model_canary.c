/* Tier kvm: a secret that a simulated confidential guest writes to private memory before the fold.
 * The model keeps private memory in a mapping of the VMM's, so "private" is shown as what it can
 * mean there: nothing that another process maps, reads or is sent contains the secret, the VMM
 * itself holds it in that one mapping only, and no core of the VMM contains it. After the fold it
 * is in shared memory: the claim ends there, and the scan that found nothing finds it.
 *
 * The scans look for either half of the secret, 16 bytes, at any offset. */
#include "firmware/layout.h"
#include "tests/model/tiny_guest.h"
#include "tests/model/tiny_td.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HALF ((size_t)16)
#define CHUNK (1u << 20)
#define PRIVATE_NAME "pavise-private-sim"

static struct harness h;
static struct psp_process psp;
static struct tdx_process tdx;
static bool is_td; /* the kind under test */
static uint8_t *ram; /* the shared memory, mapped as a device process does */
static uint8_t canary[2 * HALF];
static const uint8_t marker[HALF] = "in shared memory"; /* written by the test: scans work */

/* As tests/model/guests/canary computes it. */
static void make_canary(void)
{
	for (size_t i = 0; i < sizeof(canary) / 8; i++) {
		uint64_t word = 0x6b61656c206f4e20ull ^ (0x0101010101010101ull * (i + 1));

		memcpy(canary + sizeof(word) * i, &word, sizeof(word));
	}
}

static bool holds_canary(const void *data, size_t size)
{
	return memmem(data, size, canary, HALF) != NULL ||
	       memmem(data, size, &canary[HALF], HALF) != NULL;
}

struct scan {
	bool secret, marked;
	uint64_t bytes;
};

/* [from, to) of a file; what cannot be read there ends it. */
static void scan_range(int fd, uint64_t from, uint64_t to, struct scan *s)
{
	static uint8_t buffer[HALF + CHUNK];
	size_t kept = 0;

	while (from < to) {
		size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t n = pread(fd, buffer + kept, want, (off_t)from);

		if (n <= 0)
			return;
		size_t have = kept + (size_t)n;
		s->secret |= holds_canary(buffer, have);
		s->marked |= memmem(buffer, have, marker, sizeof(marker)) != NULL;
		s->bytes += (uint64_t)n;
		from += (uint64_t)n;
		kept = have < HALF - 1 ? have : HALF - 1; /* a hit across two reads */
		memmove(buffer, buffer + have - kept, kept);
	}
}

static struct scan scan_file(int fd)
{
	struct scan s = { 0 };
	struct stat st;

	if (fstat(fd, &st) == 0)
		scan_range(fd, 0, (uint64_t)st.st_size, &s);
	return s;
}

/* Every readable mapping of a process; apart[0] is the private memory, apart[1] the rest. False:
 * this machine does not show it. */
static bool scan_process(pid_t pid, struct scan apart[2])
{
	char path[64], line[512];
	int memory;
	FILE *maps;

	memset(apart, 0, 2 * sizeof(apart[0]));
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (memory >= 0 && maps != NULL && fgets(line, sizeof(line), maps)) {
		char *end = NULL;
		uint64_t from = strtoull(line, &end, 16), to = 0;

		if (*end == '-')
			to = strtoull(end + 1, &end, 16);
		if (end[0] == ' ' && end[1] == 'r')
			scan_range(memory, from, to, &apart[strstr(line, PRIVATE_NAME) == NULL]);
	}
	if (maps != NULL)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	return apart[0].bytes + apart[1].bytes > 0;
}

/* What another process could have been handed by now: the files the VMM writes, its records to the
 * launcher. */
static bool outputs_hold_canary(void)
{
	const int fd[] = { h.log, h.console, h.error };
	static uint8_t record[65536];
	ssize_t n = recv(h.control, record, sizeof(record), MSG_PEEK | MSG_DONTWAIT);
	bool found = n > 0 && holds_canary(record, (size_t)n);

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		found |= scan_file(fd[i]).secret;
	return found;
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

static void set_step(uint64_t step)
{
	memcpy(ram + FW_BOOT_BLOCK + 0xF00, &step, sizeof(step));
}

static void prepare(const char *guest)
{
	if (is_td)
		tiny_td_prepare(&h, &tdx, guest);
	else
		tiny_guest_prepare(&h, &psp, guest);
}

/* Runs the guest until it has written the secret. */
static bool start(const char *program)
{
	prepare("canary");
	h.program = program;
	ram = MAP_FAILED;
	if (harness_start(&h) < 0 || harness_seal(&h) < 0 || harness_send(&h, RECORD_GO) < 0 ||
	    (ram = mmap(NULL, h.memory, PROT_READ | PROT_WRITE, MAP_SHARED, h.ram, 0)) ==
		    MAP_FAILED ||
	    !waits_for("written\n")) {
		tap_check(&h, false, "the guest writes its secret");
		return false;
	}
	memcpy(ram + FW_BOOT_BLOCK + 0xE00, marker, sizeof(marker));
	return true;
}

static void finish(void)
{
	if (ram != MAP_FAILED)
		munmap(ram, h.memory);
	harness_free(&h);
	if (is_td)
		tdx_stop(&tdx);
	else
		psp_stop(&psp);
}

/* The lines of /proc/PID/smaps about the private memory; "" when there is none. */
static void read_mapping(char *out, size_t size)
{
	char path[64], line[512];
	bool inside = false;
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)h.pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		/* A mapping begins with its address, its properties with a capital. */
		if (line[0] < 'A' || line[0] >= 'a')
			inside = strstr(line, PRIVATE_NAME) != NULL;
		if (inside && strlen(out) + strlen(line) < size)
			memcpy(out + strlen(out), line, strlen(line) + 1);
	}
	if (f)
		fclose(f);
}

/* Descriptors of the VMM that lead to private memory; -1 when they cannot be looked at. */
static int count_descriptors(void)
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
		count += strstr(link, PRIVATE_NAME) != NULL;
	}
	return seen > 0 ? count : -1;
}

/* "dd": in no core; "dc": in no child. */
static void test_mapping(void)
{
	static char text[8192];
	int descriptors = count_descriptors();

	read_mapping(text, sizeof(text));
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
			  "private memory is flagged to be in no core and no child");
}

static void test_processes(void)
{
	struct scan vmm[2], chip[2];

	if (!scan_process(h.pid, vmm) || !scan_process(is_td ? tdx.pid : psp.pid, chip)) {
		tap_skip("private memory in a core",
			 "this machine does not show another process's mappings");
		return;
	}
	tap_check(&h, vmm[0].secret && !vmm[1].secret && vmm[1].marked,
		  "in all of the VMM's memory the secret is in the private mapping alone "
		  "(%llu of %llu MiB)", (unsigned long long)vmm[0].bytes >> 20,
		  (unsigned long long)(vmm[0].bytes + vmm[1].bytes) >> 20);
	tap_check(&h, !chip[0].secret && !chip[1].secret && chip[1].bytes > 0,
		  "and nowhere in the simulated processor");
}

static void test_life(void)
{
	if (!start("pavise-vmm-sim")) {
		finish();
		return;
	}
	tap_check(&h, !holds_canary(ram, h.memory) && scan_file(h.ram).marked &&
		  !scan_file(h.ram).secret,
		  "the secret is nowhere in the memory that devices map");
	tap_check(&h, !outputs_hold_canary(),
		  "nor in log, console, standard error or the records to the launcher");
	test_mapping();
	test_processes();
	set_step(1);
	tap_check(&h, waits_for("folded\n") && holds_canary(ram, h.memory),
		  "after the fold it is in shared memory: private memory ends there");
	set_step(2);
	harness_finish(&h);
	tap_check(&h, has(h.console_text, "private alias=6a60646d216e4f21\n"
			  "shared alias=6a60646d216e4f21\n") &&
		  (is_td || has(h.console_text, "status=0\n")),
		  "both aliases show it, and the processor is a plain one");
	tap_check(&h, h.end == VM_END_POWER_OFF, "after the fold it is a plain guest");
	finish();
}

/* ---- cores ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/pavise-core-XXXXXX";

/* The first core in the working folder, removed from it; -1: none. */
static int take_core(void)
{
	DIR *d = opendir(".");
	struct dirent *entry;
	int fd = -1;

	while (d != NULL && fd < 0 && (entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, "core", 4) != 0)
			continue;
		fd = open(entry->d_name, O_RDONLY | O_CLOEXEC);
		unlink(entry->d_name);
	}
	if (d != NULL)
		closedir(d);
	return fd;
}

/* Every kind of mapping shall be in the core (core(5)); only MADV_DONTDUMP keeps one out then. */
static bool dump_everything(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/coredump_filter", (int)pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, "0x7f", 4) == 4;

	if (fd >= 0)
		close(fd);
	return good;
}

/* SIGABRT; true when the kernel says that it wrote a core. */
static bool abort_vmm(void)
{
	int status = 0;

	if (kill(h.pid, SIGABRT) < 0 || waitpid(h.pid, &status, 0) != h.pid)
		return false;
	h.pid = 0;
	return WIFSIGNALED(status) && WCOREDUMP(status);
}

/* Some hosts pipe cores to a program or keep them elsewhere: none is to be left there. */
static bool cores_come_here(void)
{
	char pattern[256] = "";
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");
	bool known = f != NULL && fgets(pattern, sizeof(pattern), f) != NULL;

	if (f != NULL)
		fclose(f);
	return known && strncmp(pattern, "core", 4) == 0 && strchr(pattern, '/') == NULL;
}

static void test_own_settings(void)
{
	if (start("pavise-vmm-sim")) {
		bool dumped = abort_vmm();
		int core = take_core();

		tap_check(&h, !dumped && core < 0,
			  "a VMM that dies of SIGABRT leaves no core, whatever the limit is");
		if (core >= 0)
			close(core);
	}
	finish();
}

static void test_forced_core(void)
{
	bool all, dumped;
	struct scan s;
	int core;

	if (!cores_come_here()) {
		tap_skip("private memory in a core", "this machine writes no cores to files");
		return;
	}
	if (!start("../tests/vmm-dumpable")) {
		finish();
		return;
	}
	all = dump_everything(h.pid);
	dumped = abort_vmm();
	core = take_core();
	s = scan_file(core);
	if (core >= 0)
		close(core);
	tap_check(&h, all && dumped && core >= 0 && s.marked && s.bytes > h.memory,
		  "a core that is forced contains the memory shared with devices (%llu MiB)",
		  (unsigned long long)s.bytes >> 20);
	tap_check(&h, !s.secret, "and not the secret");
	finish();
}

/* Programs are found relative to where the test was started. */
static bool enter_folder(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	const char *build = getenv("PAVISE_BUILD");
	char *absolute = realpath(build ? build : "build", NULL);
	bool good = absolute != NULL && setenv("PAVISE_BUILD", absolute, 1) == 0 &&
		    setrlimit(RLIMIT_CORE, &none) == 0 && mkdtemp(folder) != NULL &&
		    chdir(folder) == 0;

	free(absolute);
	return good;
}

/* False: this KVM cannot hold the C-bit or S-bit. */
static bool usable(void)
{
	prepare("accept");
	harness_run(&h);
	ram = MAP_FAILED;
	finish();
	return !has(h.log_text, "cannot hold address bit");
}

int main(void)
{
	const char *reason;

	make_canary();
	if (harness_usable(&reason) < 0) {
		tap_skip("a secret in private memory", reason);
		return tap_done();
	}
	if (!enter_folder() || psp_chip_make(&psp) < 0 || tdx_platform_make(&tdx) < 0) {
		printf("Bail out! no folder, or a simulated platform cannot be made\n");
		return 1;
	}
	for (int kind = 0; kind < 2; kind++) {
		is_td = kind == 1;
		printf("# %s\n", is_td ? "a trust domain" : "an SEV-SNP guest");
		if (usable()) {
			test_life();
			test_own_settings();
			test_forced_core();
		} else {
			tap_skip("a secret in private memory",
				 "this host's KVM cannot hold the C-bit or S-bit");
		}
	}
	psp_chip_remove(&psp);
	tdx_platform_remove(&tdx);
	if (chdir("/") == 0)
		rmdir(folder);
	return tap_done();
}
