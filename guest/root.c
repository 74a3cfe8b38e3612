#include "guest/root.h"

#include "common/bytes.h"
#include "common/checked.h"
#include "guest/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define TRIES 500
#define DIGESTS_PER_BLOCK (PARAMS_BLOCK / PARAMS_DIGEST)

int disk_wait(const char *path, uint64_t *size, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int fd = -1;

	for (int i = 0; i < TRIES && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0; i++)
		nanosleep(&pause, NULL);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s: no such disk", path);
	int bad = ioctl(fd, BLKGETSIZE64, size) != 0, cause = errno;
	close(fd);
	return bad ? err_errno(e, EX_HOST, cause, "%s: no size", path) : 0;
}

/* Blocks of a hash tree over so many data blocks: each level has a digest for each block below. */
static uint64_t tree_blocks(uint64_t data)
{
	uint64_t all = 0;

	for (uint64_t level = data; level > 1; all += level)
		level = (level + DIGESTS_PER_BLOCK - 1) / DIGESTS_PER_BLOCK;
	return all;
}

/* Documentation/admin-guide/device-mapper/verity.rst: version, data device, hash device, block
 * sizes, data blocks, first hash block, algorithm, root hash, salt, options. */
static int make_verity(const struct guest_params *p, char path[DM_PATH_MAX], struct err *e)
{
	char hash[2 * PARAMS_DIGEST + 1], salt[2 * PARAMS_DIGEST + 1], params[512];
	const struct dm_table t = { .target = "verity",
				    .params = params,
				    .sectors = p->root_blocks * (PARAMS_BLOCK / DM_SECTOR),
				    .readonly = true };
	int control, rc = dm_open(&control, e);

	if (rc < 0)
		return rc;
	hex_encode(p->root_hash, PARAMS_DIGEST, hash);
	hex_encode(p->root_salt, PARAMS_DIGEST, salt);
	snprintf(params, sizeof(params),
		 "1 " ROOT_DISK " " ROOT_DISK " %u %u %llu %llu sha256 %s %s 1 panic_on_corruption",
		 PARAMS_BLOCK, PARAMS_BLOCK, (unsigned long long)p->root_blocks,
		 (unsigned long long)p->root_blocks, hash, salt);
	rc = dm_create(control, "pavise-root", &t, path, e);
	close(control);
	return rc;
}

int root_mount(const struct guest_params *p, struct err *e)
{
	uint64_t size = 0, blocks = p->root_blocks + tree_blocks(p->root_blocks);
	char path[DM_PATH_MAX];
	int rc = disk_wait(ROOT_DISK, &size, e);

	if (rc == 0 && size / PARAMS_BLOCK < blocks)
		rc = err_set(e, EX_MALFORMED, ROOT_DISK ": %llu bytes, the image has %llu",
			     (unsigned long long)size, (unsigned long long)blocks * PARAMS_BLOCK);
	if (rc == 0)
		rc = make_verity(p, path, e);
	if (rc == 0 && mount(path, ROOT_PLACE, "squashfs", MS_RDONLY | MS_NODEV, NULL) != 0)
		rc = err_errno(e, EX_HOST, errno, "root file system: cannot be mounted");
	return rc;
}

static int at(const char *place, int failed, struct err *e)
{
	return failed ? err_errno(e, EX_HOST, errno, "root file system: %s", place) : 0;
}

int root_enter(struct err *e)
{
	static const char *const moved[] = { "/dev", "/proc", "/sys" };
	static const char *const fresh[] = { "/run", "/tmp" };
	char place[32];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(moved) / sizeof(moved[0]); i++) {
		snprintf(place, sizeof(place), ROOT_PLACE "%s", moved[i]);
		rc = at(place, mount(moved[i], place, NULL, MS_MOVE, NULL) != 0, e);
	}
	for (size_t i = 0; rc == 0 && i < sizeof(fresh) / sizeof(fresh[0]); i++) {
		snprintf(place, sizeof(place), ROOT_PLACE "%s", fresh[i]);
		rc = at(place, mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV,
				     i == 0 ? "mode=0755" : "mode=1777") != 0, e);
	}
	if (rc == 0)
		rc = at(ROOT_PLACE, chdir(ROOT_PLACE) != 0, e);
	/* rootfs cannot be pivoted away; what is mounted over it hides it. */
	if (rc == 0)
		rc = at("/", mount(".", "/", NULL, MS_MOVE, NULL) != 0, e);
	if (rc == 0)
		rc = at("/", chroot(".") != 0 || chdir("/") != 0, e);
	return rc;
}
