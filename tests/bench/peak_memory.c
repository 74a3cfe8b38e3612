/* peak-memory COMMAND...: runs it, with its output thrown away, and prints the largest resident set
 * it ever had, in KiB (VmHWM). Small, for a child's count begins with what its parent has. Without a
 * command: a program that has pavise-verify's libraries, and does nothing with them. */
#include "attest/snp/report.h"

#include <fcntl.h>
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
	pid_t child = vfork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDOUT_FILENO);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) < 0 || !WIFEXITED(status))
		return 70;
	printf("%ld\n", used.ru_maxrss);
	return WEXITSTATUS(status);
}
