#include "attest/collateral/files.h"

#include "attest/x509/pem.h"
#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 0; 1: not collateral. */
static int add_file(struct collateral *c, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	void *data = NULL;
	size_t size = 0;
	int r = file_read("collateral", path, COLLATERAL_MAX, 1, &data, &size, e);

	if (r == 0)
		r = collateral_add(c, slash != NULL ? slash + 1 : path, data,
				   pem_without_text(data, size), e);
	free(data);
	return r;
}

static int add_entry(struct collateral *c, const char *folder, const char *name,
		     files_skipped *skipped, struct err *e)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (name[0] == '.')
		return 0;
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, EX_HOST, "%s: the path is too long", folder);
	if (stat(path, &st) < 0)
		return err_errno(e, EX_HOST, errno, "collateral %s: cannot look at it", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	int r = add_file(c, path, e);
	if (r == 1 && skipped != NULL)
		skipped(path);
	return r < 0 ? r : 0;
}

static int add_folder(struct collateral *c, const char *folder, files_skipped *skipped,
		      struct err *e)
{
	struct dirent **entry;
	int r = 0, n = scandir(folder, &entry, NULL, alphasort);

	if (n < 0)
		return err_errno(e, EX_HOST, errno, "collateral %s: cannot read the folder",
				 folder);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = add_entry(c, folder, entry[i]->d_name, skipped, e);
		free(entry[i]);
	}
	free(entry);
	return r;
}

int files_add(struct collateral *c, const char *path, files_skipped *skipped, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(c, path, skipped, e);
	int r = add_file(c, path, e);
	if (r == 1)
		return err_set(e, EX_MALFORMED,
			       "%s: neither a bundle of collateral nor TCB info, a QE identity, "
			       "certificates or a revocation list",
			       path);
	return r;
}
