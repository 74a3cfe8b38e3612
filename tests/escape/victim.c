/* A process of the VM that is attacked: the secret in its memory and its guest's, then sealed
 * like every other. */
#include "tests/escape/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

static char secret[128], scratch[16];

static size_t learn_secret(void)
{
	const char *backwards = target("TERCES");
	const size_t length = strlen(backwards);

	for (size_t i = 0; i < length && length < sizeof(secret); i++)
		secret[i] = backwards[length - 1 - i];
	return length < sizeof(secret) ? length : 0;
}

static int prepare_vmm(struct err *e)
{
	const size_t length = learn_secret();
	const int ram = own_descriptor("ram");

	if (length == 0)
		return err_set(e, EX_USAGE_ERROR, "the secret: none, or too long");
	if (pwrite(ram, secret, length, 0) != (ssize_t)length)
		return err_errno(e, EX_HOST, errno, "guest memory");
	int vm = ioctl(own_descriptor("kvm"), KVM_CREATE_VM, 0);
	dprintf(STDOUT_FILENO, "victim SECRET_AT=%p SCRATCH_AT=%p RAM_FD=%d VM_FD=%d\n",
		(void *)secret, (void *)scratch, ram, vm);
	/* For who reads its log. */
	dprintf(STDOUT_FILENO, "victim secret %s\n", secret);
	return 0;
}

/* Nobody outside of our domains may write it, and in its empty root the stand-in of swtpm does not
 * know the path. */
int plant_state(const char *path, const char *label)
{
	static char data[16384];
	const size_t length = learn_secret();
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	memcpy(data, secret, length);
	if (fd < 0 || write(fd, data, sizeof(data)) != (ssize_t)sizeof(data) ||
	    (strcmp(label, "none") != 0 &&
	     fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) != 0)) {
		perror(path);
		return EX_HOST;
	}
	return 0;
}

int victim_prepare(enum role role, struct err *e)
{
	int rc = role == ROLE_VMM ? prepare_vmm(e) : 0;

	if (role == ROLE_BLK)
		dprintf(STDOUT_FILENO, "victim DISK_FD=%d\n", own_descriptor("disk"));
	return rc == 0 ? seal_as(role, e) : rc;
}
