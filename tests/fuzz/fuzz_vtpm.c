/* swtpm's side of both channels, as bytes: whatever it answers, the vTPM's start ends, and it ends
 * well only if every answer was there. The channel below stands in for sandbox/vtpm/channel.c. */
#include "sandbox/vtpm/channel.h"
#include "sandbox/vtpm/vtpm.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *answers;
static size_t left;
static unsigned sent, received;

int64_t channel_deadline(int timeout_ms)
{
	return timeout_ms;
}

int channel_send(int fd, const char *what, const void *data, size_t size, int64_t deadline,
		 struct err *e)
{
	(void)fd, (void)what, (void)data, (void)deadline, (void)e;
	if (size == 0 || size > 4096)
		abort();
	sent++;
	return 0;
}

int channel_receive(int fd, const char *what, void *data, size_t size, int64_t deadline,
		    struct err *e)
{
	(void)fd, (void)deadline;
	if (size > left)
		return err_set(e, EX_HOST, "vtpm: %s: no more", what);
	memcpy(data, answers, size);
	answers += size;
	left -= size;
	received++;
	return 0;
}

int channel_quiet(int fd, const char *what, struct err *e)
{
	(void)fd, (void)what, (void)e;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	int rc;

	setenv("TSS2_LOG", "all+none", 0);
	answers = data;
	left = size;
	sent = received = 0;
	rc = vtpm_boot(3, 4, "image", 5, &e);
	if (rc != -e.status || (rc == 0 && received < sent))
		abort();
	return 0;
}
