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

#define ARGS_MAX 24

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

/* `pavise measure snp`, with the options that a user of this configuration would give. */
static int measure(const struct launch *l, const char *initrd, const char *block, const char *out)
{
	const struct launch_config *c = &l->config;
	char cpus[16], memory[16], policy[32];
	const char *arg[ARGS_MAX] = { launch_pavise ? launch_pavise : launch_in_build("bin/pavise"),
				      "measure", "snp", "--json",
				      "--no-vtpm", "--firmware",
				      launch_in_build("firmware/pavise-fw-snp.bin"), "--kernel",
				      launch_in_build("tests/guests/fakekernel.bin"), "--plan",
				      l->plan, "--cpus", cpus, "--memory", memory };
	unsigned n = 15;

	snprintf(cpus, sizeof(cpus), "%u", c->cpus);
	snprintf(memory, sizeof(memory), "%uM", c->memory);
	snprintf(policy, sizeof(policy), "%llx", (unsigned long long)c->policy);
	if (c->initrd != 0) {
		arg[n++] = "--initrd";
		arg[n++] = initrd;
	}
	if (c->append != NULL) {
		arg[n++] = "--append";
		arg[n++] = c->append;
	}
	if (c->policy != 0) {
		arg[n++] = "--policy";
		arg[n++] = policy;
	}
	if (c->id_block) {
		arg[n++] = "--id-block";
		arg[n++] = block;
	}
	arg[n] = NULL;
	return launch_run(arg, out) == 0 ? 0 : -1;
}

/* What it printed. */
static int read_prediction(const char *path, uint8_t digest[SNP_DIGEST_SIZE])
{
	json_t *j = json_load_file(path, 0, NULL);
	const char *text = json_string_value(json_object_get(j, "measurement"));
	bool good = text != NULL && hex_decode(text, digest, SNP_DIGEST_SIZE);

	json_decref(j);
	return good ? 0 : -1;
}

/* Only the public half of the owner's key outlives this. */
static int sign(struct launch *l, const char *path)
{
	struct err e = { 0 };
	void *block = NULL;
	size_t size = 0;
	EVP_PKEY *key = EVP_EC_gen("P-384");
	int rc = -1;

	if (file_read("ID block", path, ID_BLOCK_SIZE, 0, &block, &size, &e) < 0)
		printf("%s\n", e.text);
	else if (size == ID_BLOCK_SIZE && key != NULL) {
		memcpy(l->id_block, block, ID_BLOCK_SIZE);
		rc = id_auth_fill(l->id_auth, key, NULL, l->id_block);
	}
	free(block);
	EVP_PKEY_free(key);
	return rc;
}

int launch_predict(struct launch *l, const struct launch_config *c, const char *folder)
{
	char initrd[128], block[128], out[128];

	memset(l, 0, sizeof(*l));
	l->config = *c;
	l->folder = folder;
	for (unsigned i = 0; c->host_data != 0 && i < sizeof(l->host_data); i++)
		l->host_data[i] = (uint8_t)(c->host_data + i);
	snprintf(l->plan, sizeof(l->plan), "%s/plan", folder);
	snprintf(initrd, sizeof(initrd), "%s/initrd", folder);
	snprintf(block, sizeof(block), "%s/idblock", folder);
	snprintf(out, sizeof(out), "%s/prediction", folder);
	if (c->initrd != 0 && make_initrd(initrd, c->initrd) < 0)
		return -1;
	if (measure(l, initrd, block, out) < 0 || read_prediction(out, l->predicted) < 0) {
		printf("pavise measure snp makes no prediction\n");
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

void launch_execute(struct launch *l, struct psp_process *chip)
{
	struct err e = { 0 };
	void *plan = NULL;
	int psp, ours;

	l->reported = false;
	l->executed = true;
	harness_init(&l->h, "longmode"); /* its plan is replaced */
	l->h.program = "pavise-vmm-sim";
	l->h.memory = (uint64_t)l->config.memory << 20;
	l->h.cpus = l->config.cpus;
	if (file_read("plan", l->plan, PLAN_FILE_MAX, 0, &plan, &l->h.raw_plan_size, &e) < 0) {
		printf("%s\n", e.text);
		return;
	}
	l->h.raw_plan = plan;
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
