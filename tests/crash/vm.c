#include "tests/crash/vm.h"

#include "cli/control_client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_MS 60000 /* for a launcher to end: five times what its own time limits allow */
#define NAP_US 300

#define DISKS "--disk-fd", "6", "--disk-ro-fd", "7"
#define SIMULATED "--platform", "sim", "--sim-key-fd", "10", "--sim-certs-fd", "10", "--no-vtpm"

const struct setup setups[] = {
	{ .title = "tiny guest with disks", .name = "guest", .plan = "guest", .programs = "real",
	  .stop = STOP_BY_SOCKET, .args = { DISKS, "--no-vtpm", "--log", "vmm:8", "--timings" } },
	{ .title = "images under labels", .name = "off", .plan = "plain", .programs = "stand-ins",
	  .args = { DISKS, "--no-vtpm" } },
	{ .title = "vTPM", .name = "off", .plan = "plain", .programs = "stand-ins",
	  .args = { DISKS } },
	{ .title = "simulated SEV-SNP", .name = "hold", .plan = "snp", .programs = "stand-ins",
	  .stop = STOP_BY_SIGNAL, .args = { SIMULATED, "--tee", "snp" } },
	{ .title = "simulated TDX with its relay", .name = "off", .plan = "tdx",
	  .programs = "stand-ins", .args = { SIMULATED, "--tee", "tdx" } },
	{ .title = "quotes of the host", .name = "off", .plan = "tdx", .programs = "stand-ins",
	  .args = { "--no-vtpm", "--tee", "tdx", "--quote-dir-fd", "11", "--quote-name", "s" } },
	{ .title = "after a crash", .name = "off", .plan = "plain", .programs = "stand-ins",
	  .after_a_crash = true, .args = { DISKS, "--no-vtpm" } },
	{ .title = "--reclaim", .name = "reclaim", .plan = "plain", .after_a_crash = true,
	  .reclaim = true },
	{ .title = "refused: no VMM", .name = "off", .plan = "plain", .programs = "broken",
	  .status = EX_HOST, .args = { DISKS, "--no-vtpm" } },
	{ .title = "refused: the name is taken", .name = "taken", .plan = "plain",
	  .programs = "stand-ins", .name_taken = true, .status = EX_BUSY,
	  .args = { DISKS, "--no-vtpm" } },
	{ .title = "a VMM that dies", .name = "die", .plan = "plain", .programs = "stand-ins",
	  .status = EX_INTERNAL, .args = { DISKS, "--no-vtpm", "--log", "vmm:8" } },
};
const unsigned setup_count = sizeof(setups) / sizeof(setups[0]);

/* It has the disks of the one before: what a crash left on them must not be in its way. */
const struct setup next_setup = { .title = "the next VM", .name = "off", .plan = "plain",
				  .programs = "stand-ins", .args = { DISKS, "--no-vtpm" } };

/* ---- start --------------------------------------------------------------------------------- */

/* What the launcher gets: 5 plan, 6 and 7 disks, 8 log, 9 record, 10 key, 11 folder of quotes. */
static void give(int number, const char *folder, const char *file, int flags)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	int low = open(path, flags | O_CLOEXEC, 0600);
	/* Above all that is given numbers, so that none of it is in the way. */
	int fd = fcntl(low, F_DUPFD_CLOEXEC, 32);
	if (fd < 0 || close(low) != 0 || dup2(fd, number) != number) {
		fprintf(stderr, "crash: %s: %s\n", path, strerror(errno));
		_exit(EX_INTERNAL);
	}
}

static void give_all(const struct scene *s, const struct setup *setup, const char *name)
{
	char file[48];

	snprintf(file, sizeof(file), "%s.err", name);
	give(2, s->work, file, O_WRONLY | O_CREAT | O_APPEND);
	give(0, "/dev", "null", O_RDWR);
	give(1, "/dev", "null", O_RDWR);
	give(5, s->inputs, setup->plan, O_RDONLY);
	give(6, s->disks, "disk", O_RDWR);
	give(7, s->disks, "disk-ro", O_RDONLY);
	give(8, s->work, "vm.log", O_WRONLY | O_CREAT | O_APPEND);
	give(9, s->work, "record", O_WRONLY | O_CREAT | O_APPEND);
	give(10, s->inputs, "key", O_RDONLY);
	if (!s->required)
		give(11, s->inputs, "quotes", O_RDONLY | O_DIRECTORY);
}

static void remove_file(const struct scene *s, const char *name, const char *suffix)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s%s", s->work, name, suffix);
	(void)unlink(path);
}

pid_t vm_start(const struct scene *s, const struct setup *setup, const char *launcher,
	       const char *name, const char *fault)
{
	char programs[128], environment[64];
	const char *argv[16 + SETUP_ARGS] = {
		launcher, name, "--plan-fd", "5", "--memory", "67108864", "--cpus", "1",
		"--isolation", s->required ? "required" : "degraded", "--run-dir", s->place.run,
	};
	const char *const reclaim[] = { launcher, "--reclaim", "--run-dir", s->place.run, NULL };
	char *envp[] = { environment, NULL };

	snprintf(programs, sizeof(programs), "%s/%s", s->inputs,
		 setup->programs != NULL ? setup->programs : "");
	snprintf(environment, sizeof(environment), "PAVISE_FAULT=%s", fault == NULL ? "" : fault);
	memcpy(argv + 12, setup->args, sizeof(setup->args));
	/* Under labels the programs are where the policy expects them, beside the launcher. */
	for (int end = 12; !s->required && end < 12 + SETUP_ARGS; end++)
		if (argv[end] == NULL) {
			argv[end] = "--libexec";
			argv[end + 1] = programs;
			break;
		}
	/* What the one before said must not be taken for this one's word. */
	remove_file(s, name, ".err");
	remove_file(s, "record", "");
	fflush(NULL);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	give_all(s, setup, name);
	execve(launcher, (char *const *)(setup->reclaim ? reclaim : argv), envp);
	_exit(EX_INTERNAL);
}

static size_t read_file(const struct scene *s, const char *name, const char *suffix, void *out,
			size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s%s", s->work, name, suffix);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size);
	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void read_output(const struct scene *s, const char *name, char out[OUTPUT_SIZE])
{
	out[read_file(s, name, ".err", out, OUTPUT_SIZE - 1)] = '\0';
}

/* ---- its end ------------------------------------------------------------------------------- */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool vm_await_running(const struct scene *s, const char *name, pid_t pid, int ms, int *status)
{
	char output[OUTPUT_SIZE];

	for (long end = now_ms() + ms; now_ms() < end; usleep(NAP_US)) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		read_output(s, name, output);
		if (strstr(output, ": running (") != NULL)
			break;
	}
	return false;
}

/* -1 for one that had to be killed. */
static int await_end(pid_t pid)
{
	int status;

	for (long end = now_ms() + END_MS; now_ms() < end; usleep(NAP_US))
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void ask_to_stop(const struct scene *s, const struct setup *setup, pid_t pid)
{
	struct control_record answer;
	struct err ignored = { 0 };
	int fd;

	if (setup->stop == STOP_BY_SIGNAL)
		kill(pid, SIGTERM);
	/* A launcher that dies of its fault does not answer. */
	if (setup->stop != STOP_BY_SOCKET ||
	    control_connect(s->place.run, setup->name, &fd, &ignored) != 0)
		return;
	(void)control_ask(fd, CONTROL_STATUS, &answer, NULL, &ignored);
	(void)control_ask(fd, CONTROL_STOP, &answer, NULL, &ignored);
	close(fd);
}

static void run(const struct scene *s, const struct setup *setup, const char *launcher,
		const char *fault, struct outcome *out)
{
	char record[sizeof(FAULT_HIT)] = "";
	pid_t pid = vm_start(s, setup, launcher, setup->name, fault);

	if (!vm_await_running(s, setup->name, pid, END_MS, &out->status)) {
		ask_to_stop(s, setup, pid);
		out->status = await_end(pid);
	}
	read_output(s, setup->name, out->output);
	out->hit = fault != NULL &&
		   read_file(s, "record", "", record, sizeof(record) - 1) == strlen(FAULT_HIT) &&
		   strcmp(record, FAULT_HIT) == 0;
}

/* A launcher is killed as its VM runs, and leaves what it leaves. */
static void crash_first(const struct scene *s)
{
	static const struct setup first = { .name = "first", .plan = "plain",
					    .programs = "stand-ins",
					    .args = { DISKS, "--no-vtpm" } };
	struct leaks ignored;
	int status;
	pid_t pid = vm_start(s, &first, s->plain, "hold", NULL);

	if (!vm_await_running(s, "hold", pid, END_MS, &status)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	leaks_await(&s->place, END_MS, &ignored);
}

void vm_run(const struct scene *s, const struct setup *setup, const char *fault,
	    struct outcome *out)
{
	char taken[128];

	snprintf(taken, sizeof(taken), "%s/%s", s->place.run, setup->name);
	if (setup->after_a_crash)
		crash_first(s);
	if (setup->name_taken)
		mkdir(taken, 0700);
	run(s, setup, fault == NULL ? s->plain : s->launcher, fault, out);
	if (setup->name_taken)
		rmdir(taken);
}

int vm_record(const struct scene *s, const struct setup *setup, struct passage *out, int most)
{
	struct outcome o;

	vm_run(s, setup, "record:9", &o);
	size_t n = read_file(s, "record", "", out, (size_t)most * sizeof(*out)) / sizeof(*out);
	if (!WIFEXITED(o.status) || WEXITSTATUS(o.status) != setup->status || n == 0) {
		fprintf(stderr, "crash: %s: undisturbed it ended with %#x, not %d:\n%s",
			setup->title, (unsigned)o.status, setup->status, o.output);
		return -1;
	}
	return (int)n;
}

void vm_reclaim(const struct scene *s, struct outcome *out)
{
	const char *const argv[] = { s->plain, "--reclaim", "--run-dir", s->place.run, NULL };
	char *envp[] = { NULL };

	out->hit = false;
	remove_file(s, "reclaim", ".err");
	pid_t pid = fork();
	if (pid == 0) {
		give(0, "/dev", "null", O_RDWR);
		give(1, "/dev", "null", O_RDWR);
		give(2, s->work, "reclaim.err", O_WRONLY | O_CREAT | O_APPEND);
		execve(s->plain, (char *const *)argv, envp);
		_exit(EX_INTERNAL);
	}
	out->status = await_end(pid);
	read_output(s, "reclaim", out->output);
}
