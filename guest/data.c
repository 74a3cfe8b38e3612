#include "guest/data.h"

#include "common/bytes.h"
#include "guest/dm.h"
#include "guest/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR "4096" /* of both layers; a power of two, at most a page */
#define BLOCK 4096u
#define PROBE_SECTORS (BLOCK / DM_SECTOR)
#define CHUNK (1u << 20)
#define INTEGRITY "pavise-data-tags"
#define CRYPT "pavise-data"
#define TAG "32" /* HMAC-SHA256 */

static int whole_write(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

/* Zeros over [0, size) of a device, on the disk when it returns. */
static int zero(const char *path, uint64_t size, struct err *e)
{
	static const uint8_t zeros[CHUNK];
	int fd = open(path, O_WRONLY | O_CLOEXEC), bad = fd < 0;

	for (uint64_t done = 0; !bad && done < size;) {
		size_t n = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
		bad = whole_write(fd, zeros, n) != 0;
		done += n;
	}
	bad = bad || fsync(fd) != 0;
	int cause = errno;
	if (fd >= 0)
		close(fd);
	return bad ? err_errno(e, EX_HOST, cause, "data disk: %s: cannot be written", path) : 0;
}

/* Reads the first block: 1 when it is all zero, 0 when not. Past the cache, which hides EILSEQ:
 * that is how dm-crypt says that the authentication failed. */
static int first_block(const char *path, struct err *e)
{
	static const uint8_t zeros[BLOCK];
	static uint8_t block[BLOCK] __attribute__((aligned(BLOCK)));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "data disk: %s", path);
	ssize_t n = read(fd, block, sizeof(block));
	int cause = errno;
	close(fd);
	if (n < 0 && cause == EILSEQ)
		return err_set(e, EX_UNAUTHENTIC, "data disk: its first block was not written "
						  "under this key, or was changed");
	if (n != BLOCK)
		return err_errno(e, EX_HOST, n < 0 ? cause : EIO, "data disk: %s", path);
	return memcmp(block, zeros, sizeof(block)) == 0;
}

/* The kernel formats a disk that begins with zeros. That such a disk is refused is for people: a
 * host that plays with it gains nothing, since nothing on it would be authentic. */
static int prepare(const struct data_key_message *m, struct err *e)
{
	if (m->create != 0)
		return zero(DATA_DISK, BLOCK, e);
	int blank = first_block(DATA_DISK, e);
	if (blank > 0)
		return err_set(e, EX_HOST, "data disk: blank: wrap the key with --create to make "
					   "it");
	return blank;
}

/* Documentation/admin-guide/device-mapper/dm-integrity.rst: device, reserved sectors, size of a
 * tag, mode (journal: a tag and its sector change together), options. Its own data on the disk is
 * not authenticated: false sizes or tags make reads fail in the layer above. */
static int make_tags(int control, uint64_t sectors, char path[DM_PATH_MAX], struct err *e)
{
	const struct dm_table t = { .target = "integrity",
				    .params = DATA_DISK " 0 " TAG " J 2 block_size:" SECTOR
							" fix_padding",
				    .sectors = sectors };

	return dm_create(control, INTEGRITY, &t, path, e);
}

/* How many sectors fit beside the tags is what the kernel says once it has read or made its data:
 * "MISMATCHES PROVIDED ...". */
static int provided(int control, uint64_t *sectors, struct err *e)
{
	char path[DM_PATH_MAX], text[256];
	char *at = text, *end = text;
	int rc = make_tags(control, PROBE_SECTORS, path, e);

	if (rc < 0)
		return rc;
	rc = dm_status(control, INTEGRITY, text, sizeof(text), e);
	int removed = dm_remove(control, INTEGRITY, e);
	if (rc < 0 || removed < 0)
		return -EX_HOST;
	(void)strtoull(at, &end, 10);
	if (end != at && *end == ' ')
		*sectors = strtoull(at = end, &end, 10);
	if (end == at || *sectors < PROBE_SECTORS || *sectors > UINT64_MAX / DM_SECTOR)
		return err_set(e, EX_HOST, "data disk: too small, or \"%.64s\" is no status", text);
	*sectors -= *sectors % PROBE_SECTORS;
	return 0;
}

/* dm-crypt.rst: cipher, key, IV offset, device, first sector, options. The authentication covers
 * a sector's content and its number. */
static int make_crypt(int control, const struct data_key_message *m, const char *below,
		      uint64_t sectors, char path[DM_PATH_MAX], struct err *e)
{
	char key[2 * DATA_DISK_KEY + 1], params[512];
	const struct dm_table t = {
		.target = "crypt", .params = params, .sectors = sectors, .secret = true
	};

	hex_encode(m->key, DATA_DISK_KEY, key);
	snprintf(params, sizeof(params),
		 "capi:authenc(hmac(sha256),xts(aes))-plain64 %s 0 %s 0 2 integrity:" TAG
		 ":aead sector_size:" SECTOR,
		 key, below);
	int rc = dm_create(control, CRYPT, &t, path, e);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(params, sizeof(params));
	return rc;
}

static int stack(int control, const struct data_key_message *m, char path[DM_PATH_MAX],
		 uint64_t *size, struct err *e)
{
	char below[DM_PATH_MAX];
	uint64_t sectors = 0;
	int rc = provided(control, &sectors, e);

	if (rc == 0)
		rc = make_tags(control, sectors, below, e);
	if (rc == 0)
		rc = make_crypt(control, m, below, sectors, path, e);
	*size = sectors * DM_SECTOR;
	return rc;
}

int data_open(const struct data_key_message *m, uint64_t *size, struct err *e)
{
	char path[DM_PATH_MAX] = "";
	uint64_t disk;
	int control = -1, rc = disk_wait(DATA_DISK, &disk, e);

	if (rc == 0)
		rc = prepare(m, e);
	if (rc == 0)
		rc = dm_open(&control, e);
	if (rc == 0)
		rc = stack(control, m, path, size, e);
	if (control >= 0)
		close(control);
	/* Tags of sectors that were never written match nothing: all of them are. */
	if (rc == 0 && m->create != 0)
		rc = zero(path, *size, e);
	if (rc == 0)
		rc = first_block(path, e);
	if (rc < 0)
		return rc;
	return symlink(path, DATA_LINK) == 0 ? 0 : err_errno(e, EX_HOST, errno, DATA_LINK);
}

void data_flush(void)
{
	int fd = open(DATA_LINK, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}
