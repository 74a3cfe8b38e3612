#include "guest/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONTROL "/dev/mapper/control"
#define BUFFER 4096u

/* One call's memory: the header, then a table or what the kernel answers. */
union request {
	struct dm_ioctl head;
	uint64_t align;
	uint8_t bytes[BUFFER];
};

static void begin(union request *r, const char *name, uint32_t flags)
{
	memset(r, 0, sizeof(*r));
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.data_size = sizeof(*r);
	r->head.data_start = sizeof(r->head);
	r->head.flags = flags;
	snprintf(r->head.name, sizeof(r->head.name), "%s", name);
}

static int call(int control, unsigned long number, union request *r, const char *what,
		struct err *e)
{
	char name[sizeof(r->head.name)];

	memcpy(name, r->head.name, sizeof(name));
	if (ioctl(control, number, r) == 0)
		return 0;
	return err_errno(e, EX_HOST, errno, "device mapper: %s: %s", name, what);
}

int dm_open(int *control, struct err *e)
{
	*control = open(CONTROL, O_RDWR | O_CLOEXEC);
	if (*control < 0)
		return err_errno(e, EX_HOST, errno,
				 CONTROL ": cannot open: is dm-mod in the kernel?");
	return 0;
}

static int load(int control, const char *name, const struct dm_table *t, struct err *e)
{
	union request r;
	struct dm_target_spec spec = { .length = t->sectors };
	size_t n = strlen(t->params) + 1, at = sizeof(r.head) + sizeof(spec);

	begin(&r, name,
	      (t->readonly ? DM_READONLY_FLAG : 0) | (t->secret ? DM_SECURE_DATA_FLAG : 0));
	if (n > sizeof(r) - at || strlen(t->target) >= sizeof(spec.target_type))
		return err_set(e, EX_INTERNAL, "device mapper: %s: table too long", name);
	memcpy(spec.target_type, t->target, strlen(t->target) + 1);
	r.head.target_count = 1;
	memcpy(r.bytes + sizeof(r.head), &spec, sizeof(spec));
	memcpy(r.bytes + at, t->params, n);
	int rc = call(control, DM_TABLE_LOAD, &r, "its table was refused", e);
	explicit_bzero(&r, sizeof(r));
	return rc;
}

/* dev as the kernel's huge_encode_dev packs it: the minor is what names the node. */
static unsigned minor_of(uint64_t dev)
{
	return (unsigned)((dev & 0xff) | ((dev >> 12) & 0xfff00));
}

int dm_create(int control, const char *name, const struct dm_table *t, char path[DM_PATH_MAX],
	      struct err *e)
{
	union request r;
	struct err unused = { 0 };

	begin(&r, name, 0);
	int rc = call(control, DM_DEV_CREATE, &r, "cannot be created", e);
	if (rc < 0)
		return rc;
	snprintf(path, DM_PATH_MAX, "/dev/dm-%u", minor_of(r.head.dev));
	rc = load(control, name, t, e);
	/* Without DM_SUSPEND_FLAG this call resumes: the table becomes the active one. */
	begin(&r, name, t->readonly ? DM_READONLY_FLAG : 0);
	if (rc == 0)
		rc = call(control, DM_DEV_SUSPEND, &r, "cannot be activated", e);
	if (rc < 0)
		(void)dm_remove(control, name, &unused);
	return rc;
}

int dm_status(int control, const char *name, char *out, size_t size, struct err *e)
{
	union request r;
	const size_t at = sizeof(r.head) + sizeof(struct dm_target_spec);

	begin(&r, name, 0);
	int rc = call(control, DM_TABLE_STATUS, &r, "no status", e);
	if (rc < 0)
		return rc;
	r.bytes[sizeof(r) - 1] = '\0';
	if (r.head.target_count != 1 || (r.head.flags & DM_BUFFER_FULL_FLAG) != 0)
		return err_set(e, EX_HOST, "device mapper: %s: %u targets instead of one", name,
			       r.head.target_count);
	snprintf(out, size, "%s", (const char *)r.bytes + at);
	return 0;
}

int dm_remove(int control, const char *name, struct err *e)
{
	union request r;

	begin(&r, name, 0);
	return call(control, DM_DEV_REMOVE, &r, "cannot be removed", e);
}
