/* Devices, by the names the host has for them and by nodes of its own. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BIOS 0xf0000 /* readable even where /dev/mem is strict */

static bool reads_at(int fd, off_t at)
{
	char data[512];

	return fd >= 0 && pread(fd, data, sizeof(data), at) == (ssize_t)sizeof(data);
}

static bool make_node(void)
{
	bool done = mknod("/tmp/escape-mem", S_IFCHR | 0600, makedev(1, 1)) == 0 &&
		    reads_at(open("/tmp/escape-mem", O_RDONLY), BIOS);

	unlink("/tmp/escape-mem");
	return done;
}

static bool physical_memory(void)
{
	return reads_at(open("/dev/mem", O_RDONLY), BIOS);
}

static bool disk(void)
{
	return reads_at(open("/dev/vda", O_RDONLY), 0);
}

static bool kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR);

	return fd >= 0 && ioctl(fd, KVM_CREATE_VM, 0) >= 0;
}

static bool tunnel(void)
{
	return open("/dev/net/tun", O_RDWR) >= 0;
}

static bool vhost(void)
{
	return open("/dev/vhost-vsock", O_RDWR) >= 0;
}

static bool loop(void)
{
	return open("/dev/loop-control", O_RDWR) >= 0;
}

static bool kernel_message(void)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	return fd >= 0 && write(fd, "escape\n", 7) == 7;
}

static bool console(void)
{
	return open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_NONBLOCK) >= 0;
}

static const struct attempt attempts[] = {
	{ "dev-mknod", "makes a node for physical memory and reads it", VM_ROLES, make_node },
	{ "dev-mem", "reads physical memory", VM_ROLES, physical_memory },
	{ "dev-disk", "reads the host's disk", VM_ROLES, disk },
	{ "dev-kvm", "opens /dev/kvm and makes a VM", VM_ROLES, kvm },
	{ "dev-tun", "opens the network tunnel", VM_ROLES, tunnel },
	{ "dev-vhost", "opens the kernel's vsock device", VM_ROLES, vhost },
	{ "dev-loop", "opens the control of loop devices", VM_ROLES, loop },
	{ "dev-kmsg", "writes to the kernel's log", VM_ROLES, kernel_message },
	{ "dev-console", "opens the host's console", VM_ROLES, console },
};

const struct class class_devices = CLASS("devices", attempts);
