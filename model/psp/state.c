#include "model/psp/state.h"

#include "common/file.h"
#include "model/psp/chain.h"
#include "model/state_folder.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

static int make_chip(const char *folder, struct err *e)
{
	uint8_t *key = NULL, *table = NULL;
	size_t key_size = 0, table_size = 0;
	int rc = chain_make(&key, &key_size, &table, &table_size, e);

	if (rc != 0)
		return rc;
	/* The key last: its presence says that all is there. */
	rc = state_folder_write(folder, STATE_CERTS, "certificates", table, table_size, e);
	if (rc == 0)
		rc = state_folder_write(folder, STATE_KEY, "chip key", key, key_size, e);
	OPENSSL_clear_free(key, key_size);
	OPENSSL_free(table);
	return rc;
}

int state_init(const char *folder, int *made, struct err *e)
{
	int dir = -1, rc = state_folder_open(folder, 1, &dir, e);

	if (rc != 0)
		return rc;
	int key = state_folder_look(folder, dir, STATE_KEY, e);
	int certs = key >= 0 ? state_folder_look(folder, dir, STATE_CERTS, e) : key;
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
	int dir = -1, rc = state_folder_open(folder, 0, &dir, e);

	if (rc != 0)
		return rc;
	rc = state_folder_path(folder, STATE_CERTS, certs, e);
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
