#include "model/psp/state.h"

#include "common/file.h"
#include "model/psp/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ours, and nobody else's to touch. */
static int check_private(const char *what, const char *path, int fd, mode_t type, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, EX_HOST, errno, "%s %s", what, path);
	if ((st.st_mode & S_IFMT) != type)
		return err_set(e, EX_HOST, "%s %s: of the wrong kind: name another", what, path);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(e, EX_HOST, "%s %s: owner %u, mode %03o: others could read or "
			       "change it: chown to %u, chmod go=", what, path, st.st_uid,
			       st.st_mode & 0777u, geteuid());
	return 0;
}

/* Opens and locks; two first starts at once make one chip. */
static int open_folder(const char *folder, int make, int *fd, struct err *e)
{
	if (make && mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_errno(e, EX_HOST, errno, "state folder %s: cannot be made", folder);
	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "state folder %s", folder);
	int rc = check_private("state folder", folder, *fd, S_IFDIR, e);
	if (rc == 0 && flock(*fd, LOCK_EX) != 0)
		rc = err_errno(e, EX_HOST, errno, "state folder %s: cannot be locked", folder);
	if (rc != 0)
		close(*fd);
	return rc;
}

static int file_path(const char *folder, const char *name, char out[PATH_MAX], struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	if (n > 0 && n < PATH_MAX)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "%.40s: path too long", folder);
}

/* 1: there and private; 0: not there. */
static int look(const char *folder, int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s/%s", folder, name);
	int rc = check_private("chip file", name, fd, S_IFREG, e);
	close(fd);
	return rc == 0 ? 1 : rc;
}

static int make_chip(const char *folder, struct err *e)
{
	char path[PATH_MAX];
	uint8_t *key = NULL, *table = NULL;
	size_t key_size = 0, table_size = 0;
	int rc = chain_make(&key, &key_size, &table, &table_size, e);

	if (rc != 0)
		return rc;
	/* The key last: its presence says that all is there. */
	rc = file_path(folder, STATE_CERTS, path, e);
	if (rc == 0)
		rc = file_write("certificates", path, table, table_size, 0600, e);
	if (rc == 0)
		rc = file_path(folder, STATE_KEY, path, e);
	if (rc == 0)
		rc = file_write("chip key", path, key, key_size, 0600, e);
	OPENSSL_clear_free(key, key_size);
	OPENSSL_free(table);
	return rc;
}

int state_init(const char *folder, int *made, struct err *e)
{
	int dir = -1, rc = open_folder(folder, 1, &dir, e);

	if (rc != 0)
		return rc;
	int key = look(folder, dir, STATE_KEY, e);
	int certs = key >= 0 ? look(folder, dir, STATE_CERTS, e) : key;
	*made = 0;
	if (key < 0 || certs < 0) {
		rc = key < 0 ? key : certs;
	} else if (key == 0) {
		*made = 1;
		rc = make_chip(folder, e);
	} else if (certs == 0) {
		rc = err_set(e, EX_HOST, "state folder %s: a chip key without certificates: remove "
			     "the folder to make a new chip", folder);
	}
	close(dir);
	return rc;
}

int state_root(const char *folder, const char *path, struct err *e)
{
	char certs[PATH_MAX];
	void *table = NULL;
	char *text;
	size_t size = 0;
	int dir = -1, rc = open_folder(folder, 0, &dir, e);

	if (rc != 0)
		return rc;
	rc = file_path(folder, STATE_CERTS, certs, e);
	if (rc == 0)
		rc = file_read("certificates", certs, PSP_CERTS_MAX, 0, &table, &size, e);
	close(dir);
	if (rc != 0)
		return rc;
	X509 *ark = chain_certificate(table, size, CHAIN_ARK);
	BIO *pem = BIO_new(BIO_s_mem());
	if (ark == NULL || pem == NULL || PEM_write_bio_X509(pem, ark) != 1)
		rc = err_set(e, EX_MALFORMED, "%s: no root certificate in it", certs);
	if (rc == 0) {
		long n = BIO_get_mem_data(pem, &text);
		rc = file_write("root", path, text, (size_t)n, 0644, e);
	}
	BIO_free(pem);
	X509_free(ark);
	free(table);
	return rc;
}
