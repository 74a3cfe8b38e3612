#include "cli/control_client.h"
#include "cli/status.h"

#include <stdlib.h>
#include <unistd.h>

#define ANSWER_SECONDS 3

int status_ask(const char *run_dir, const char *name, struct status *out, bool *reached,
	       struct err *e)
{
	char *text = malloc(CONTROL_TEXT_MAX);
	size_t size = 0;
	int fd = -1;

	*out = (struct status){ .json = NULL };
	*reached = false;
	if (text == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = control_connect(run_dir, name, &fd, e);
	*reached = r == 0;
	if (r == 0)
		r = control_describe(fd, ANSWER_SECONDS, text, &size, e);
	if (r == 0)
		r = status_parse(text, size, name, out, e);
	if (fd >= 0)
		close(fd);
	free(text);
	return r;
}
