/* Functions of the test build's launcher wrapped by the linker, for what leaving a call out
 * alone would not do. What "off" means for each layer: README.md. */
#include "common/err.h"
#include "sandbox/layers.h"
#include "sandbox/vm_manifest.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENVIRONMENT_MAX 96
#define DESCRIPTOR_MAX 256

int __real_jail_capabilities(void);
int __wrap_jail_capabilities(void);
int __real_vtpm_boot(int control_fd, int data_fd, const void *image, size_t image_size,
		     struct err *e);
int __wrap_vtpm_boot(int control_fd, int data_fd, const void *image, size_t image_size,
		     struct err *e);
int __wrap_vm_check_sealed(const struct vm *vm, struct err *e);
int __real_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int __wrap_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);

/* Outside a user namespace the change of ids took every capability but the bounding set, and the
 * launcher's domain has no setpcap there; no_new_privs, which follows, makes that set mean
 * nothing. */
int __wrap_jail_capabilities(void)
{
	return layer_on(LAYER_NAMESPACES) ? __real_jail_capabilities() : 0;
}

/* The payload in place of swtpm does not speak its protocol. */
int __wrap_vtpm_boot(int control_fd, int data_fd, const void *image, size_t image_size,
		     struct err *e)
{
	if (getenv("ESCAPE_REAL_VTPM") == NULL)
		return 0;
	return __real_vtpm_boot(control_fd, data_fd, image, image_size, e);
}

/* The payload seals a process for each attempt; the one that starts them it does not, and the
 * launcher would rightly refuse that. */
int __wrap_vm_check_sealed(const struct vm *vm, struct err *e)
{
	(void)vm;
	(void)e;
	return 0;
}

/* A program that is not root's loses what it holds at exec, whatever the launcher does: ambient
 * capabilities stay, so "off" is what it says. */
static void keep_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return;
	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &header, data) != 0)
		return;
	for (int cap = 0; cap <= 63; cap++)
		(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* All that the launcher has open goes along, but for its own two: the program, and the pipe whose
 * end says that exec succeeded. */
static void keep_descriptors(int binary)
{
	const int sync = binary + 1;

	for (int fd = sync + 1; fd < DESCRIPTOR_MAX; fd++)
		if (!same_file(fd, sync) && !same_file(fd, binary))
			(void)fcntl(fd, F_SETFD, 0);
}

/* The targets, and what is off, reach the payload by its environment, which is empty otherwise. */
int __wrap_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	char *passed[ENVIRONMENT_MAX + 1];
	size_t count = 0;

	(void)envp;
	for (char **e = environ; *e != NULL && count < ENVIRONMENT_MAX; e++)
		if (strncmp(*e, "ESCAPE_", 7) == 0 || strncmp(*e, "PAVISE_LAYERS_OFF=", 18) == 0)
			passed[count++] = *e;
	passed[count] = NULL;
	if (!layer_on(LAYER_CAPABILITIES))
		keep_capabilities();
	if (!layer_on(LAYER_DESCRIPTORS))
		keep_descriptors(fd);
	return __real_execveat(fd, path, argv, passed, flags);
}
