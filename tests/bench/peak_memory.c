/* peak-memory COMMAND...: runs it, with its output thrown away, and prints the largest resident set
 * it ever had, in KiB (VmHWM). Small, for a child's count begins with what its parent has. Without a
 * command: a program that has pavise-verify's libraries, and does nothing with them. */
#include "attest/snp/report.h"

#include <fcntl.h>
#include <spawn.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage used;
	int status;

	if (argc < 2)
		return OPENSSL_init_crypto(0, NULL) == 1 && jansson_version_str() != NULL ? 0 : 70;
	posix_spawn_file_actions_t quiet;
	pid_t child;
	if (posix_spawn_file_actions_init(&quiet) != 0 ||
	    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) !=
		    0 ||
	    posix_spawn(&child, argv[1], &quiet, NULL, argv + 1, environ) != 0)
		return 70;
	if (wait4(child, &status, 0, &used) < 0 || !WIFEXITED(status))
		return 70;
	printf("%ld\n", used.ru_maxrss);
	return WEXITSTATUS(status);
}
