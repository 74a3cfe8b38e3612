/* pavise stop NAME: ends a running VM in order; returns when nothing of it is left. */
#include "cli/control_client.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STOP_SECONDS 90 /* above what the launcher gives its children */

static const char USAGE[] = "usage: pavise stop NAME [--run-dir DIR]";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "run-dir", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *run_dir = NULL;
	struct control_record answer;
	struct err e = { 0 };
	int code, fd = -1;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == 'h')
			return puts(USAGE) < 0 ? EX_HOST : EX_OK;
		if (code != 'r')
			return EX_USAGE_ERROR;
		run_dir = optarg;
	}
	if (optind != argc - 1) {
		fprintf(stderr, "%s\n", USAGE);
		return EX_USAGE_ERROR;
	}
	if (control_connect(run_dir, argv[optind], &fd, &e) == 0 &&
	    control_ask(fd, CONTROL_STOP, &answer, NULL, &e) == 0)
		control_await_close(fd, STOP_SECONDS, &e);
	return e.status == EX_OK ? EX_OK : err_report(&e, "pavise stop");
}
