/* The vTPM's start with peers on its channels that misbehave; none is a TPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sandbox/vtpm/channel.h"
#include "sandbox/vtpm/control.h"
#include "sandbox/vtpm/tpm.h"
#include "sandbox/vtpm/vtpm.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SHORT_MS 50    /* for us, who wait for peers that never answer */
#define ANSWER_MS 5000 /* for a peer that waits for us */

static const unsigned char image[100];

static void cloexec_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void refuse_control(const void *answer, size_t size, int hang_up, const char *cause)
{
	struct err e = { 0 };
	int pair[2];

	cloexec_pair(pair);
	if (size > 0)
		assert_int_equal(write(pair[1], answer, size), (ssize_t)size);
	if (hang_up)
		close(pair[1]);
	assert_int_equal(control_reset(pair[0], SHORT_MS, &e), -EX_HOST);
	if (strstr(e.text, cause) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, cause);
	close(pair[0]);
	if (!hang_up)
		close(pair[1]);
}

static void control_peer_silent_or_gone(void **state)
{
	(void)state;
	refuse_control(NULL, 0, 0, "does not answer in time");
	refuse_control(NULL, 0, 1, "closed the connection");
	refuse_control("early", 5, 0, "nobody asked for");
}

/* A peer that reads one request and answers with fixed bytes. */
struct script {
	int fd;
	size_t request, answer_size;
	const void *answer;
};

static void *play(void *arg)
{
	const struct script *s = arg;
	struct err e = { 0 };
	uint8_t request[64];

	if (channel_receive(s->fd, "peer", request, s->request, channel_deadline(ANSWER_MS), &e) == 0)
		channel_send(s->fd, "peer", s->answer, s->answer_size, channel_deadline(ANSWER_MS),
			     &e);
	return NULL;
}

static void control_says(const void *answer, size_t size, const char *cause)
{
	struct script s = { .request = 8, .answer = answer, .answer_size = size };
	struct err e = { 0 };
	pthread_t t;
	int pair[2];

	cloexec_pair(pair);
	s.fd = pair[1];
	assert_int_equal(pthread_create(&t, NULL, play, &s), 0);
	assert_int_equal(control_reset(pair[0], SHORT_MS, &e), -EX_HOST);
	if (strstr(e.text, cause) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, cause);
	pthread_join(t, NULL);
	close(pair[0]);
	close(pair[1]);
}

static void control_peer_answers_wrongly(void **state)
{
	(void)state;
	control_says("\0\0", 2, "does not answer in time");
	control_says("\0\0\0\0\0", 5, "nobody asked for");
	control_says("\0\0\0\x9", 4, "answered 0x9");
	control_says("HTTP", 4, "answered 0x48545450");
}

static void tpm_says(const void *answer, size_t size, const char *cause)
{
	struct script s = { .request = 12, .answer = answer, .answer_size = size };
	struct err e = { 0 };
	struct tpm tpm;
	pthread_t t;
	int pair[2];

	cloexec_pair(pair);
	s.fd = pair[1];
	assert_int_equal(tpm_open(&tpm, pair[0], SHORT_MS, &e), 0);
	assert_int_equal(pthread_create(&t, NULL, play, &s), 0);
	assert_int_equal(tpm_startup_clear(&tpm, &e), -EX_HOST);
	if (strstr(e.text, cause) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, cause);
	pthread_join(t, NULL);
	tpm_close(&tpm);
	close(pair[0]);
	close(pair[1]);
}

#define BYTES(text) text, sizeof(text) - 1

static void tpm_answers_wrongly(void **state)
{
	(void)state;
	tpm_says(BYTES(""), "in time");
	tpm_says(BYTES("\x80\x01\0\0"), "in time");
	tpm_says(BYTES("\x80\x01\0\0\0\x0c\0\0\0\0"), "in time");
	tpm_says(BYTES("\x12\x34\0\0\0\x0a\0\0\0\0"), "no TPM response header");
	tpm_says(BYTES("\x80\x01\0\0\0\x09\0\0\0\0"), "no TPM response header");
	tpm_says(BYTES("\x80\x01\xff\xff\xff\xff\0\0\0\0"), "no TPM response header");
	tpm_says(BYTES("\x80\x01\0\0\0\x0a\0\0\1\1"), "TPM2_Startup");
}

static void a_boot_with_a_dead_peer_ends(void **state)
{
	struct err e = { 0 };
	int control[2], data[2];

	(void)state;
	cloexec_pair(control);
	cloexec_pair(data);
	close(control[1]);
	close(data[1]);
	assert_int_equal(vtpm_boot(control[0], data[0], image, sizeof(image), &e), -EX_HOST);
	assert_non_null(strstr(e.text, "CMD_INIT: swtpm closed the connection"));
	e = (struct err){ 0 };
	assert_int_equal(vtpm_boot(control[0], data[0], image, 0, &e), -EX_INTERNAL);
	close(control[0]);
	close(data[0]);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_peer_silent_or_gone),
		cmocka_unit_test(control_peer_answers_wrongly),
		cmocka_unit_test(tpm_answers_wrongly),
		cmocka_unit_test(a_boot_with_a_dead_peer_ends),
	};

	return cmocka_run_group_tests_name("vtpm_peers", tests, NULL, NULL);
}
