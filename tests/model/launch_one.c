#include "tests/model/launch_one.h"

#include "common/bytes.h"
#include "common/file.h"
#include "model/psp_client.h"

#include <fcntl.h>
#include <jansson.h>
#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32

const char *launch_pavise;

const char *launch_in_build(const char *name)
{
	static char path[4][512];
	static unsigned turn;
	const char *build = getenv("PAVISE_BUILD");
	char *out = path[turn++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", build ? build : "build", name);
	return out;
}

int launch_run(const char *const *arg, const char *out)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(126);
		execv(arg[0], (char *const *)(uintptr_t)arg);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int make_initrd(const char *path, size_t size)
{
	struct err e = { 0 };
	uint8_t *data = malloc(size);
	int rc = -1;

	for (size_t i = 0; data != NULL && i < size; i++)
		data[i] = (uint8_t)(i * 7 + 1);
	if (data != NULL)
		rc = file_write("initrd", path, data, size, 0600, &e);
	if (rc < 0)
		printf("%s\n", e.text);
	free(data);
	return rc < 0 ? -1 : 0;
}

void launch_fill(uint8_t *out, size_t size, uint8_t seed)
{
	for (size_t i = 0; i < size; i++)
		out[i] = seed != 0 ? (uint8_t)(seed + i) : 0;
}

struct command {
	const char *arg[ARGS_MAX + 1];
	unsigned count;
	char cpus[16], max_cpus[16], memory[16], policy[32], xfam[32], kernel[64];
};

static void add(struct command *m, const char *option, const char *value)
{
	m->arg[m->count++] = option;
	if (value != NULL)
		m->arg[m->count++] = value;
}

/* What one kind of guest has and the other has not. */
static void add_own(struct command *m, const struct launch_config *c, const char *block)
{
	snprintf(m->policy, sizeof(m->policy), "%llx", (unsigned long long)c->policy);
	snprintf(m->xfam, sizeof(m->xfam), "%llx", (unsigned long long)c->xfam);
	if (c->tee == LAUNCH_TDX) {
		add(m, "--pci-slots", "0"); /* the harness gives the guest no device */
		if (c->xfam != 0)
			add(m, "--xfam", m->xfam);
		return;
	}
	if (c->policy != 0)
		add(m, "--policy", m->policy);
	if (c->id_block)
		add(m, "--id-block", block);
}

/* `pavise measure`, with the options that a user of this configuration would give. */
static int measure(const struct launch *l, const char *initrd, const char *block, const char *out)
{
	const struct launch_config *c = &l->config;
	struct command m = { .count = 0 };
	bool tdx = c->tee == LAUNCH_TDX;

	snprintf(m.cpus, sizeof(m.cpus), "%u", c->cpus);
	snprintf(m.max_cpus, sizeof(m.max_cpus), "%u", c->max_cpus);
	snprintf(m.memory, sizeof(m.memory), "%uM", c->memory);
	snprintf(m.kernel, sizeof(m.kernel), "tests/guests/%s",
		 c->kernel ? c->kernel : "fakekernel.bin");
	add(&m, launch_pavise ? launch_pavise : launch_in_build("bin/pavise"), "measure");
	add(&m, tdx ? "tdx" : "snp", "--json");
	add(&m, "--no-vtpm", NULL);
	add(&m, "--firmware", launch_in_build(tdx ? "firmware/pavise-fw-tdx.bin"
						  : "firmware/pavise-fw-snp.bin"));
	add(&m, "--kernel", launch_in_build(m.kernel));
	add(&m, "--plan", l->plan);
	add(&m, "--cpus", m.cpus);
	add(&m, "--memory", m.memory);
	if (c->max_cpus != 0)
		add(&m, "--max-cpus", m.max_cpus);
	if (c->initrd != 0)
		add(&m, "--initrd", initrd);
	if (c->append != NULL)
		add(&m, "--append", c->append);
	add_own(&m, c, block);
	return launch_run(m.arg, out) == 0 ? 0 : -1;
}

static bool read_digest(const json_t *j, const char *key, uint8_t digest[LAUNCH_MR])
{
	const char *text = json_string_value(json_object_get(j, key));

	return text != NULL && hex_decode(text, digest, LAUNCH_MR);
}

/* What it printed. */
static int read_prediction(struct launch *l, const char *path)
{
	json_t *j = json_load_file(path, 0, NULL);
	bool good = l->config.tee == LAUNCH_SNP
			    ? read_digest(j, "measurement", l->predicted)
			    : read_digest(j, "mrtd", l->predicted) &&
				      read_digest(j, "rtmr0", l->predicted_rtmr[0]) &&
				      read_digest(j, "rtmr1", l->predicted_rtmr[1]);

	json_decref(j);
	return good ? 0 : -1;
}

/* Only the public halves of the keys outlive this. */
static int sign(struct launch *l, const char *path)
{
	struct err e = { 0 };
	void *block = NULL;
	size_t size = 0;
	EVP_PKEY *key = EVP_EC_gen("P-384");
	EVP_PKEY *author = l->config.author ? EVP_EC_gen("P-384") : NULL;
	int rc = -1;

	if (file_read("ID block", path, ID_BLOCK_SIZE, 0, &block, &size, &e) < 0)
		printf("%s\n", e.text);
	else if (size == ID_BLOCK_SIZE && key != NULL && (author != NULL || !l->config.author)) {
		memcpy(l->id_block, block, ID_BLOCK_SIZE);
		rc = id_auth_fill(l->id_auth, key, author, l->id_block);
	}
	free(block);
	EVP_PKEY_free(key);
	EVP_PKEY_free(author);
	return rc;
}

int launch_predict(struct launch *l, const struct launch_config *c, const char *folder)
{
	char initrd[128], block[128], out[128];

	memset(l, 0, sizeof(*l));
	l->config = *c;
	l->folder = folder;
	launch_fill(l->host_data, sizeof(l->host_data), c->host_data);
	snprintf(l->plan, sizeof(l->plan), "%s/plan", folder);
	snprintf(initrd, sizeof(initrd), "%s/initrd", folder);
	snprintf(block, sizeof(block), "%s/idblock", folder);
	snprintf(out, sizeof(out), "%s/prediction", folder);
	if (c->initrd != 0 && make_initrd(initrd, c->initrd) < 0)
		return -1;
	if (measure(l, initrd, block, out) < 0 || read_prediction(l, out) < 0) {
		printf("pavise measure makes no prediction\n");
		return -1;
	}
	if (c->id_block && sign(l, block) < 0) {
		printf("the ID block cannot be signed\n");
		return -1;
	}
	return 0;
}

static int file_of(const char *name, const void *data, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd >= 0 && write(fd, data, size) == (ssize_t)size ? fd : -1;
}

static void add_identity(struct launch *l)
{
	char hex[2 * sizeof(l->host_data) + 1];

	if (l->config.host_data != 0) {
		hex_encode(l->host_data, sizeof(l->host_data), hex);
		harness_add_arg(&l->h, "host_data=%s", hex);
	}
	if (l->config.id_block) {
		harness_add_fd(&l->h, "id_block", file_of("id-block", l->id_block, ID_BLOCK_SIZE));
		harness_add_fd(&l->h, "id_auth", file_of("id-auth", l->id_auth, ID_AUTH_SIZE));
	}
}

/* The guest is gone, its context in the processor is not: that ends with the connection. */
static void ask_for_report(struct launch *l, int psp)
{
	static uint8_t answer[PSP_PAYLOAD_MAX];
	const struct psp_report_request request = { .report_data = { 'm' } };
	struct psp_report_answer a = { 0 };
	struct err e = { 0 };
	uint32_t status = 0;
	size_t size = 0;

	if (psp_guest_report(psp, &request, sizeof(request), answer, sizeof(answer), &size,
			     &status, &e) < 0 || status != PSP_SUCCESS || size < sizeof(a))
		return;
	memcpy(&a, answer, sizeof(a));
	l->reported = a.status == PSP_SUCCESS && a.report_size == PSP_REPORT_SIZE;
	memcpy(l->report, a.report, sizeof(l->report));
}

void *launch_prepare(struct launch *l)
{
	struct err e = { 0 };
	void *plan = NULL;

	l->reported = false;
	l->executed = true;
	harness_init(&l->h, "longmode"); /* its plan is replaced */
	l->h.program = l->config.fault ? "../tests/vmm-fault" : "pavise-vmm-sim";
	if (l->config.fault)
		harness_add_arg(&l->h, "fault=%s", l->config.fault);
	l->h.memory = (uint64_t)l->config.memory << 20;
	l->h.cpus = l->config.cpus;
	if (file_read("plan", l->plan, PLAN_FILE_MAX, 0, &plan, &l->h.raw_plan_size, &e) < 0) {
		printf("%s\n", e.text);
		return NULL;
	}
	l->h.raw_plan = plan;
	return plan;
}

void launch_execute(struct launch *l, struct psp_process *chip)
{
	void *plan = launch_prepare(l);
	int psp, ours;

	if (!plan)
		return;
	psp = psp_start(chip);
	ours = psp < 0 ? -1 : fcntl(psp, F_DUPFD_CLOEXEC, 0);
	if (ours < 0) {
		printf("pavise-psp-sim does not start\n");
	} else {
		harness_add_fd(&l->h, "psp", psp);
		add_identity(l);
		harness_run(&l->h);
		ask_for_report(l, ours);
		close(ours);
	}
	psp_stop(chip);
	free(plan);
	l->h.raw_plan = NULL;
}

void launch_end(struct launch *l)
{
	if (l->executed)
		harness_free(&l->h);
	l->executed = false;
}
