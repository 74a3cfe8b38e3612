/* pavise image: disks, initrds and keys of workloads (docs/PROTOCOL.image, docs/PROTOCOL.key).
 * Needs no root, no KVM and no network; everything it reads may be hostile. */
#include "image/verbs.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: pavise image build --root DIR|TAR --agent FILE [--modules DIR] [--run PATH]\n"
	"                    [--data-key-id HEX] [--append TEXT] [--salt HEX] [--limit SIZE]\n"
	"                    [--all-root] [--init FILE] -o FOLDER\n"
	"       pavise image data-key -o FILE\n"
	"       pavise image data-key --id FILE\n"
	"       pavise image wrap-key --evidence FILE --policy POLICY --nonce HEX --key FILE\n"
	"                    [--create] -o FILE [-- OPTION-OF-VERIFY ...]\n"
	"       pavise image check-config [--allow-modules] [--json] FILE\n"
	"       pavise image check-config --print\n\n"
	"build makes disk.img, initrd.cpio, cmdline and image.json in a new folder, the same\n"
	"bytes for the same files. wrap-key judges the evidence first: no key for what is not\n"
	"affirmed.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct err *e);
} verbs[] = {
	{ "build", verb_build },
	{ "data-key", verb_data_key },
	{ "wrap-key", verb_wrap_key },
	{ "check-config", verb_check_config },
};

int verb_bad_option(int c, char **argv, struct err *e)
{
	return err_set(e, EX_USAGE_ERROR, "%s: %s: see pavise image --help", argv[optind - 1],
		       c == ':' ? "needs a value" : "unknown option");
}

int verb_beside(const char *program, char *out, unsigned long size, struct err *e)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return err_errno(e, EX_HOST, errno, "/proc/self/exe: cannot read: mount /proc");
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: unusable path");
	*slash = '\0';
	if ((unsigned long)snprintf(out, size, "%s/%s", path, program) >= size)
		return err_set(e, EX_HOST, "%s: its path is too long", program);
	return 0;
}

static int run(int argc, char **argv, struct err *e)
{
	if (argc < 2)
		return err_set(e, EX_USAGE_ERROR, "needs a verb: see pavise image --help");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1, e);
	return err_set(e, EX_USAGE_ERROR, "%s: unknown verb: see pavise image --help", argv[1]);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return fputs(USAGE, stdout) < 0 ? EX_HOST : EX_OK;
	/* Names of members are UTF-8, whatever this machine speaks. */
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	opterr = 0;
	return run(argc, argv, &e) < 0 ? err_report(&e, "pavise image") : EX_OK;
}
