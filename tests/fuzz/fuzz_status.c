/* What a launcher says of its VM: whatever is accepted holds the reader's own rules, and can be
 * shown without a byte that moves a terminal. */
#include "cli/status.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_printable(const char *text, size_t max)
{
	if (strlen(text) >= max)
		abort();
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void must_hold(const struct status *s)
{
	char isolation[STATUS_ISOLATION], tee[STATUS_TEE];

	if (strcmp(s->name, "web") != 0 || s->process_count > STATUS_PROCESS_MAX ||
	    s->disk_count > STATUS_DISK_MAX || s->missing > 7 || (s->required && s->missing != 0))
		abort();
	must_be_printable(s->uuid, 37);
	must_be_printable(s->pair, 16);
	for (size_t i = 0; i < s->process_count; i++) {
		must_be_printable(s->process[i].name, 33);
		must_be_printable(s->process[i].label, 256);
	}
	for (size_t i = 0; i < s->disk_count; i++)
		must_be_printable(s->disk[i].path, 2048);
	status_isolation(s, isolation);
	status_tee(s, tee);
	must_be_printable(isolation, sizeof(isolation));
	must_be_printable(tee, sizeof(tee));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status s;
	struct err e = { 0 };

	if (status_parse((const char *)data, size, "web", &s, &e) == 0)
		must_hold(&s);
	else if (e.status != EX_MALFORMED)
		abort();
	status_free(&s);
	return 0;
}
