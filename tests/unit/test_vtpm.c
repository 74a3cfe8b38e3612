/* The vTPM's start with the real swtpm; with peers that misbehave: test_vtpm_peers.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/bytes.h"
#include "sandbox/vtpm/channel.h"
#include "sandbox/vtpm/control.h"
#include "sandbox/vtpm/tpm.h"
#include "sandbox/vtpm/vtpm.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SWTPM "/usr/bin/swtpm"
#define ANSWER_MS 5000 /* for swtpm */

/* TPM 2.0 part 2, 6.6.3: response codes. */
#define RC_INITIALIZE 0x100u
#define RC_LOCALITY   0x907u
#define RC_HIERARCHY_1 (0x085u | 0x100u) /* TPM_RC_HIERARCHY, handle 1 */

struct swtpm {
	pid_t pid;
	int control, data;
	char dir[32];
};

/* Not a multiple of a chunk, and more than several. */
static unsigned char image[10007];

static void cloexec_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

/* The launcher's command line, with descriptors 10 and 11. */
static void exec_swtpm(int control, int data, const char *dir)
{
	char state[64];

	snprintf(state, sizeof(state), "dir=%s,mode=0600", dir);
	if (dup2(data, 10) < 0 || dup2(control, 11) < 0)
		_exit(126);
	execl(SWTPM, "swtpm", "socket", "--tpm2", "--fd=10", "--ctrl", "type=unixio,clientfd=11",
	      "--tpmstate", state, "--locality", "reject-locality-4", "--seccomp", "action=kill",
	      (char *)NULL);
	_exit(127);
}

static void start(struct swtpm *s)
{
	int control[2], data[2];

	if (access(SWTPM, X_OK) != 0) {
		print_message("# SKIP no swtpm on this machine\n");
		skip();
	}
	cloexec_pair(control);
	cloexec_pair(data);
	strcpy(s->dir, "/tmp/pavise-vtpm-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		exec_swtpm(control[1], data[1], s->dir);
	close(control[1]);
	close(data[1]);
	s->control = control[0];
	s->data = data[0];
}

static int still_runs(const struct swtpm *s)
{
	int status;

	return waitpid(s->pid, &status, WNOHANG) == 0;
}

static void remove_state(const char *dir)
{
	static const char *const names[] = { ".lock", "tpm2-00.permall", "tpm2-00.volatilestate" };
	char path[80];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* swtpm ends when the last holder of its data channel is gone: that is the tear-down. */
static void stop(struct swtpm *s)
{
	int status;

	close(s->data);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(s->control);
	remove_state(s->dir);
}

static void start_booted(struct swtpm *s)
{
	struct err e = { 0 };

	start(s);
	if (vtpm_boot(s->control, s->data, image, sizeof(image), &e) < 0)
		fail_msg("%s", e.text);
}

/* ---- the guest's side: bare commands on the data channel ------------------------------------ */

struct reply {
	uint8_t bytes[4096];
	uint32_t size, code;
};

/* Sends command bytes and receives one response, with bytes before and behind it to skip. */
static void exchange(int fd, const void *command, size_t size, size_t prefix, size_t suffix,
		     struct reply *out)
{
	int64_t deadline = channel_deadline(ANSWER_MS);
	uint8_t skipped[8];
	struct err e = { 0 };
	struct reader r;

	assert_true(prefix <= sizeof(skipped) && suffix <= sizeof(skipped));
	if (channel_send(fd, "guest", command, size, deadline, &e) < 0 ||
	    channel_receive(fd, "guest", skipped, prefix, deadline, &e) < 0 ||
	    channel_receive(fd, "guest", out->bytes, 10, deadline, &e) < 0)
		fail_msg("%s", e.text);
	r = reader_over(out->bytes, 10);
	read_be16(&r);
	out->size = read_be32(&r);
	out->code = read_be32(&r);
	assert_true(out->size >= 10 && out->size <= sizeof(out->bytes));
	if (channel_receive(fd, "guest", out->bytes + 10, out->size - 10, deadline, &e) < 0 ||
	    channel_receive(fd, "guest", skipped, suffix, deadline, &e) < 0)
		fail_msg("%s", e.text);
}

static struct writer begin(uint8_t *buffer, size_t size, uint16_t tag, uint32_t code)
{
	struct writer w = writer_over(buffer, size);

	write_be16(&w, tag);
	write_be32(&w, 0);
	write_be32(&w, code);
	return w;
}

static void finish(struct writer *w)
{
	struct writer size = writer_over(w->data + 2, 4);

	assert_false(w->bad);
	write_be32(&size, (uint32_t)w->pos);
}

static uint32_t guest(int fd, struct writer *w, struct reply *out)
{
	finish(w);
	exchange(fd, w->data, w->pos, 0, 0, out);
	return out->code;
}

static void write_empty_password(struct writer *w)
{
	write_be32(w, 9);
	write_be32(w, TPM2_RS_PW);
	write_be16(w, 0);
	write_u8(w, 0);
	write_be16(w, 0);
}

static uint32_t guest_startup(int fd)
{
	uint8_t b[64];
	struct writer w = begin(b, sizeof(b), TPM2_ST_NO_SESSIONS, TPM2_CC_Startup);
	struct reply r;

	write_be16(&w, TPM2_SU_CLEAR);
	return guest(fd, &w, &r);
}

static uint32_t guest_allocate_sha1(int fd)
{
	uint8_t b[64];
	struct writer w = begin(b, sizeof(b), TPM2_ST_SESSIONS, TPM2_CC_PCR_Allocate);
	struct reply r;

	write_be32(&w, TPM2_RH_PLATFORM);
	write_empty_password(&w);
	write_be32(&w, 1);
	write_be16(&w, TPM2_ALG_SHA1);
	write_u8(&w, 3);
	write_copy(&w, "\xff\xff\xff", 3);
	return guest(fd, &w, &r);
}

/* TPM2_PCR_Read of one PCR: bytes of its value into out, their number returned. */
static size_t guest_pcr(int fd, uint16_t alg, unsigned pcr, uint8_t out[64])
{
	uint8_t b[64], select[3] = { 0 };
	struct writer w = begin(b, sizeof(b), TPM2_ST_NO_SESSIONS, TPM2_CC_PCR_Read);
	struct reader r;
	struct reply a;
	uint16_t size;

	select[pcr / 8] = (uint8_t)(1u << pcr % 8);
	write_be32(&w, 1);
	write_be16(&w, alg);
	write_u8(&w, 3);
	write_copy(&w, select, 3);
	assert_int_equal(guest(fd, &w, &a), 0);
	r = reader_over(a.bytes, a.size);
	read_view(&r, 10 + 4 + 4 + 2 + 1 + 3); /* header, counter, selection */
	if (read_be32(&r) == 0)
		return 0;
	size = read_be16(&r);
	assert_true(size <= 64);
	read_copy(&r, out, size);
	assert_false(r.bad);
	return size;
}

/* H(00..04 || H(image)), by OpenSSL alone. */
static size_t formula(const EVP_MD *md, uint8_t out[64])
{
	size_t n = (size_t)EVP_MD_get_size(md);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t start_value[64] = { 0 }, digest[64];

	start_value[n - 1] = 4;
	assert_int_equal(EVP_Digest(image, sizeof(image), digest, NULL, md, NULL), 1);
	assert_true(c != NULL && EVP_DigestInit_ex(c, md, NULL) == 1 &&
		    EVP_DigestUpdate(c, start_value, n) == 1 &&
		    EVP_DigestUpdate(c, digest, n) == 1 && EVP_DigestFinal_ex(c, out, NULL) == 1);
	EVP_MD_CTX_free(c);
	return n;
}

static void assert_measured(int fd)
{
	uint8_t want[64], is[64];
	size_t n = formula(EVP_sha256(), want);

	assert_int_equal(guest_pcr(fd, TPM2_ALG_SHA256, 0, is), n);
	assert_memory_equal(is, want, n);
	n = formula(EVP_sha384(), want);
	assert_int_equal(guest_pcr(fd, TPM2_ALG_SHA384, 0, is), n);
	assert_memory_equal(is, want, n);
}

/* ---- with the real swtpm ------------------------------------------------------------------- */

static void pcr0_is_the_firmwares(void **state)
{
	struct swtpm s;

	(void)state;
	start_booted(&s);
	assert_measured(s.data);
	assert_true(still_runs(&s));
	stop(&s);
}

static void only_two_banks_exist(void **state)
{
	uint8_t value[64];
	struct swtpm s;

	(void)state;
	start_booted(&s);
	for (unsigned pcr = 0; pcr < 24; pcr++) {
		assert_int_equal(guest_pcr(s.data, TPM2_ALG_SHA256, pcr, value), 32);
		assert_int_equal(guest_pcr(s.data, TPM2_ALG_SHA384, pcr, value), 48);
		assert_int_equal(guest_pcr(s.data, TPM2_ALG_SHA1, pcr, value), 0);
		assert_int_equal(guest_pcr(s.data, TPM2_ALG_SHA512, pcr, value), 0);
	}
	stop(&s);
}

static void the_guest_cannot_start_it_again(void **state)
{
	struct swtpm s;

	(void)state;
	start_booted(&s);
	assert_int_equal(guest_startup(s.data), RC_INITIALIZE);
	assert_measured(s.data);
	stop(&s);
}

static void the_guest_cannot_allocate_banks(void **state)
{
	struct swtpm s;

	(void)state;
	start_booted(&s);
	assert_int_equal(guest_allocate_sha1(s.data), RC_HIERARCHY_1);
	stop(&s);
}

/* What a control command looks like, sent where the guest can send: swtpm takes it for a TPM
 * command with an unknown tag. */
static void the_data_channel_takes_no_control_command(void **state)
{
	struct swtpm s;

	(void)state;
	start_booted(&s);
	for (uint32_t command = 0; command < 0x20; command++) {
		uint8_t b[64];
		struct writer w = begin(b, sizeof(b), 0, command);
		struct reply r;

		write_be32(&w, 0);
		assert_int_not_equal(guest(s.data, &w, &r), 0);
	}
	assert_measured(s.data);
	assert_true(still_runs(&s));
	stop(&s);
}

static void write_pcr_reset(struct writer *w, unsigned pcr)
{
	write_be32(w, pcr);
	write_empty_password(w);
	finish(w);
}

/* The prefix of the TPM simulator's protocol chooses a locality, and swtpm takes it on the data
 * channel. The VMM does not let it through; if it did, what was measured would still stand. */
static void no_locality_reaches_the_measured_pcrs(void **state)
{
	struct swtpm s;

	(void)state;
	start_booted(&s);
	for (uint8_t locality = 0; locality <= 4; locality++)
		for (unsigned pcr = 0; pcr < 16; pcr++) {
			uint8_t b[64], framed[80];
			struct writer w = begin(b, sizeof(b), TPM2_ST_SESSIONS, TPM2_CC_PCR_Reset);
			struct writer f = writer_over(framed, sizeof(framed));
			struct reply r;

			write_pcr_reset(&w, pcr);
			write_be32(&f, 8);
			write_u8(&f, locality);
			write_be32(&f, (uint32_t)w.pos);
			write_copy(&f, b, w.pos);
			exchange(s.data, framed, f.pos, 4, 4, &r);
			assert_int_equal(r.code, RC_LOCALITY);
		}
	assert_measured(s.data);
	stop(&s);
}

/* Runs in a process of its own, where an assertion would have nowhere to jump to. */
static int is_measured(int fd, const uint8_t want[32])
{
	struct err e = { 0 };
	struct tpm t;
	int rc = tpm_open(&t, fd, ANSWER_MS, &e);

	if (rc == 0)
		rc = tpm_check_pcr0(&t, TPM2_ALG_SHA256, want, 32, &e);
	tpm_close(&t);
	return rc == 0;
}

/* The data channel alone, in another process; then with the control channel closed, too. */
static void the_data_channel_can_be_handed_over(void **state)
{
	uint8_t want[64];
	struct swtpm s;
	int status;
	pid_t vmm;

	(void)state;
	start_booted(&s);
	assert_int_equal(formula(EVP_sha256(), want), 32);
	vmm = fork();
	assert_true(vmm >= 0);
	if (vmm == 0) {
		close(s.control);
		_exit(is_measured(s.data, want) ? 0 : 1);
	}
	assert_int_equal(waitpid(vmm, &status, 0), vmm);
	assert_int_equal(status, 0);
	shutdown(s.control, SHUT_RDWR);
	assert_measured(s.data);
	stop(&s);
}

static void another_image_is_noticed(void **state)
{
	struct err e = { 0 };
	struct swtpm s;
	struct tpm t;

	(void)state;
	start_booted(&s);
	assert_int_equal(tpm_open(&t, s.data, ANSWER_MS, &e), 0);
	assert_int_equal(tpm_check_pcr0(&t, TPM2_ALG_SHA256, image, 32, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "PCR 0 of bank 0xb is "));
	tpm_close(&t);
	stop(&s);
}

static void banks_that_were_not_chosen_are_noticed(void **state)
{
	struct err e = { 0 };
	struct swtpm s;
	struct tpm t;

	(void)state;
	start(&s);
	assert_int_equal(control_reset(s.control, ANSWER_MS, &e), 0);
	assert_int_equal(tpm_open(&t, s.data, ANSWER_MS, &e), 0);
	assert_int_equal(tpm_startup_clear(&t, &e), 0);
	assert_int_equal(tpm_check_banks(&t, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "switched off"));
	tpm_close(&t);
	stop(&s);
}

static void hcrtm_before_a_reset_is_an_error(void **state)
{
	struct err e = { 0 };
	struct swtpm s;

	(void)state;
	start(&s);
	assert_int_equal(control_hcrtm(s.control, image, 1, ANSWER_MS, &e), -EX_HOST);
	assert_non_null(strstr(e.text, "CMD_HASH_START: swtpm answered"));
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcr0_is_the_firmwares),
		cmocka_unit_test(only_two_banks_exist),
		cmocka_unit_test(the_guest_cannot_start_it_again),
		cmocka_unit_test(the_guest_cannot_allocate_banks),
		cmocka_unit_test(the_data_channel_takes_no_control_command),
		cmocka_unit_test(no_locality_reaches_the_measured_pcrs),
		cmocka_unit_test(the_data_channel_can_be_handed_over),
		cmocka_unit_test(another_image_is_noticed),
		cmocka_unit_test(banks_that_were_not_chosen_are_noticed),
		cmocka_unit_test(hcrtm_before_a_reset_is_an_error),
	};

	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (unsigned char)(i * 7 + i / 256);
	return cmocka_run_group_tests_name("vtpm", tests, NULL, NULL);
}
