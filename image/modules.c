#include "image/modules.h"

#include "common/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum when { ALWAYS, IF_THERE, FOR_DATA, FOR_DATA_IF_THERE };

/* A kernel after guest/kernel.config has all of these built in and needs no --modules. */
static const struct {
	const char *name;
	enum when when;
} table[] = {
	{ "virtio_pci", IF_THERE },
	{ "virtio_blk", ALWAYS },
	{ "dm_mod", ALWAYS },
	{ "dm_verity", ALWAYS },
	{ "squashfs", ALWAYS },
	{ "vmw_vsock_virtio_transport", ALWAYS },
	{ "configfs", IF_THERE },
	{ "tsm", IF_THERE },
	{ "sev_guest", IF_THERE },
	{ "tdx_guest", IF_THERE },
	{ "tpm_crb", IF_THERE },
	{ "sha256_ssse3", IF_THERE },
	{ "dm_integrity", FOR_DATA },
	{ "dm_crypt", FOR_DATA },
	{ "authenc", FOR_DATA },
	{ "xts", FOR_DATA },
	{ "aesni_intel", FOR_DATA_IF_THERE },
};

struct list {
	struct initrd *initrd;
	unsigned count;
	char added[INITRD_FILES_MAX][64];
};

/* A module's bytes as the kernel takes them: libarchive undoes the compression. */
static int unpack(const char *path, void **data, size_t *size, struct err *e)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	uint8_t *out = malloc(INITRD_FILE_MAX);
	la_ssize_t n = -1;

	if (a != NULL && out != NULL) {
		archive_read_support_filter_all(a);
		archive_read_support_format_raw(a);
		if (archive_read_open_filename(a, path, 65536) == ARCHIVE_OK &&
		    archive_read_next_header(a, &entry) == ARCHIVE_OK)
			n = archive_read_data(a, out, INITRD_FILE_MAX);
	}
	archive_read_free(a);
	if (n <= 0 || n == INITRD_FILE_MAX) {
		free(out);
		return err_set(e, EX_HOST, "module %s: cannot be unpacked", path);
	}
	void *fitting = realloc(out, (size_t)n);
	if (fitting != NULL)
		out = fitting;
	*data = out;
	*size = (size_t)n;
	return 0;
}

static bool is_added(const struct list *l, const char *name)
{
	for (unsigned n = 0; n < l->count; n++)
		if (strcmp(l->added[n], name) == 0)
			return true;
	return false;
}

static int add_one(struct list *l, struct kmod_module *module, struct err *e)
{
	const char *name = kmod_module_get_name(module), *from = kmod_module_get_path(module);
	char path[128];
	void *data = NULL;
	size_t size = 0;

	if (from == NULL || is_added(l, name)) /* no path: built in */
		return 0;
	if (strlen(name) >= sizeof(l->added[0]) || l->count == 99)
		return err_set(e, EX_HOST, "module %.100s: too many, or its name is too long",
			       name);
	int rc = unpack(from, &data, &size, e);
	if (rc < 0)
		return rc;
	/* Two digits: init inserts them in the order of their names. */
	snprintf(path, sizeof(path), "lib/modules/%02u-%s.ko", l->count + 1, name);
	memcpy(l->added[l->count++], name, strlen(name) + 1);
	return initrd_add(l->initrd, path, 0644, data, size, e);
}

/* What it needs first. depmod refuses loops; depth is for a modules.dep that it did not make. */
static int add_with_needs(struct list *l, struct kmod_module *module, int depth, struct err *e)
{
	struct kmod_list *needs = kmod_module_get_dependencies(module), *at;
	int rc = depth > 16 ? err_set(e, EX_HOST, "modules.dep: too deep") : 0;

	kmod_list_foreach(at, needs)
	{
		struct kmod_module *need = kmod_module_get_module(at);
		if (rc == 0)
			rc = add_with_needs(l, need, depth + 1, e);
		kmod_module_unref(need);
	}
	kmod_module_unref_list(needs);
	return rc == 0 ? add_one(l, module, e) : rc;
}

static int add_named(struct list *l, struct kmod_ctx *ctx, const char *name, bool needed,
		     struct err *e)
{
	struct kmod_list *found = NULL, *at;
	int rc = 0, r = kmod_module_new_from_lookup(ctx, name, &found);

	if (r < 0 || (found == NULL && needed))
		rc = err_set(e, EX_HOST, "module %s: not in --modules, nor built into its kernel",
			     name);
	kmod_list_foreach(at, found)
	{
		struct kmod_module *module = kmod_module_get_module(at);
		if (rc == 0)
			rc = add_with_needs(l, module, 0, e);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(found);
	return rc;
}

int modules_add(struct initrd *i, const char *folder, bool data, struct err *e)
{
	const char *const no_config[] = { NULL };
	struct list *l = calloc(1, sizeof(*l));
	char dep[4096];
	int rc = 0;

	if (l == NULL)
		return err_set(e, EX_HOST, "out of memory");
	l->initrd = i;
	snprintf(dep, sizeof(dep), "%s/modules.dep", folder);
	if (access(dep, R_OK) != 0)
		rc = err_errno(e, EX_USAGE_ERROR, errno, "--modules: %s", dep);
	struct kmod_ctx *ctx = rc == 0 ? kmod_new(folder, no_config) : NULL;
	if (rc == 0 && ctx == NULL)
		rc = err_set(e, EX_HOST, "out of memory");
	for (size_t n = 0; rc == 0 && n < sizeof(table) / sizeof(table[0]); n++)
		if (data || table[n].when < FOR_DATA)
			rc = add_named(l, ctx, table[n].name,
				       table[n].when == ALWAYS || table[n].when == FOR_DATA, e);
	if (ctx != NULL)
		kmod_unref(ctx);
	free(l);
	return rc;
}
