/* PCR 0 of its own VM, which holds what the platform measured: by the vTPM's control channel, if
 * the launcher's end of it were here. The one attempt that a real swtpm has to answer. */
#include "sandbox/child.h"
#include "tests/escape/attempt.h"

#include <endian.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static bool exchange(int fd, const void *ask, size_t size, void *answer, size_t room)
{
	const struct timespec patience = { .tv_sec = 2 };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	memset(answer, 0xff, room);
	/* As either thread's filters allow it. */
	return write(fd, ask, size) == (ssize_t)size && ppoll(&p, 1, &patience, NULL) == 1 &&
	       (read(fd, answer, room) > 0 || recv(fd, answer, room, MSG_DONTWAIT) > 0);
}

/* TPM2_Startup(CLEAR), then TPM2_PCR_Read of PCR 0 in the SHA-256 bank (TPM 2.0 part 3). */
static bool pcr0_is_zero(int tpm)
{
	static const unsigned char startup[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0 };
	static const unsigned char pcr_read[] = { 0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7e,
						  0, 0, 0, 1, 0, 11, 3, 1, 0, 0 };
	static const unsigned char nothing[32];
	unsigned char answer[256];

	return exchange(tpm, startup, sizeof(startup), answer, sizeof(answer)) &&
	       exchange(tpm, pcr_read, sizeof(pcr_read), answer, sizeof(answer)) &&
	       answer[9] == 0 && memcmp(answer + 30, nothing, sizeof(nothing)) == 0;
}

/* CMD_INIT of swtpm's control channel (swtpm_ioctls(3)): the TPM starts anew, without the
 * platform's measurement. Which descriptor that channel is, an attacker finds by trying: from its
 * own last one to where child.c keeps copies of its own, in which a wrong record would end the VM.
 */
static bool reset_pcr0(void)
{
	const uint32_t init[2] = { htobe32(2), 0 };
	const int tpm = own_descriptor("tpm");
	uint32_t answer;

	for (int fd = tpm + (int)target_number("DEVICES") + 1; fd < 3 + CHILD_FD_MAX + 3; fd++)
		if (exchange(fd, init, sizeof(init), &answer, sizeof(answer)) && answer == 0 &&
		    pcr0_is_zero(tpm))
			return true;
	return false;
}

static const struct attempt attempts[] = {
	{ "pcr0", "resets PCR 0 by the vTPM's control channel", KVM_ROLES, reset_pcr0 },
};

const struct class class_pcr0 = { "passing", attempts, 1, true };
