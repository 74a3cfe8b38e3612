#include "model/tdx_sim/state.h"

#include "common/file.h"
#include "model/sim_program.h"
#include "model/state_folder.h"
#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/collateral.h"
#include "model/tdx_sim/module.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int make_platform(const char *folder, struct err *e)
{
	struct tdx_chain_made c;
	int rc = tdx_chain_make(&c, e);

	if (rc != 0)
		return rc;
	/* The key last: its presence says that all is there. */
	rc = state_folder_write(folder, TDX_STATE_CERTS, "certificates", c.certs, c.certs_size, e);
	if (rc == 0)
		rc = state_folder_write(folder, TDX_STATE_SIGNING, "signing certificate",
					c.signing, c.signing_size, e);
	if (rc == 0)
		rc = state_folder_write(folder, TDX_STATE_SIGNING_KEY, "signing key",
					c.signing_key, c.signing_key_size, e);
	if (rc == 0)
		rc = state_folder_write(folder, TDX_STATE_KEY, "platform key", c.pck_key,
					c.pck_key_size, e);
	tdx_chain_made_free(&c);
	return rc;
}

int tdx_state_init(const char *folder, int *made, struct err *e)
{
	static const char *const others[] = { TDX_STATE_CERTS, TDX_STATE_SIGNING,
					      TDX_STATE_SIGNING_KEY };
	int dir = -1, there = 1, rc = state_folder_open(folder, 1, &dir, e);

	if (rc != 0)
		return rc;
	int key = state_folder_look(folder, dir, TDX_STATE_KEY, e);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && key >= 0 && there > 0; i++)
		there = state_folder_look(folder, dir, others[i], e);
	*made = 0;
	if (key < 0 || there < 0) {
		rc = key < 0 ? key : there;
	} else if (key == 0) {
		*made = 1;
		rc = make_platform(folder, e);
	} else if (there == 0) {
		rc = err_set(e, EX_HOST, "state folder %s: a platform key without certificates: "
			     "remove the folder to make a new platform", folder);
	}
	close(dir);
	return rc;
}

/* Locked meanwhile: a platform that is being made is read whole or not at all. */
static int read_part(const char *folder, const char *name, size_t max, void **data, size_t *size,
		     struct err *e)
{
	char path[PATH_MAX];
	int dir = -1, rc = state_folder_path(folder, name, path, e);

	if (rc == 0)
		rc = state_folder_open(folder, 0, &dir, e);
	if (rc != 0)
		return rc;
	rc = state_folder_look(folder, dir, name, e);
	if (rc == 0)
		rc = err_set(e, EX_HOST, "%s: not there: pavise-tdx-sim init makes it", path);
	if (rc > 0)
		rc = file_read("state", path, max, 0, data, size, e);
	close(dir);
	return rc;
}

int tdx_state_root(const char *folder, const char *path, struct err *e)
{
	void *certs = NULL;
	char *text;
	size_t size = 0;
	int rc = read_part(folder, TDX_STATE_CERTS, TDX_SIM_CHAIN_MAX, &certs, &size, e);

	if (rc != 0)
		return rc;
	X509 *root = tdx_chain_certificate(certs, size, TDX_CHAIN_ROOT);
	BIO *pem = BIO_new(BIO_s_mem());
	if (root == NULL || pem == NULL || PEM_write_bio_X509(pem, root) != 1) {
		rc = err_set(e, EX_MALFORMED, "%s: no root certificate in it", folder);
	} else {
		long n = BIO_get_mem_data(pem, &text);
		rc = file_write("root", path, text, (size_t)n, 0644, e);
	}
	BIO_free(pem);
	X509_free(root);
	free(certs);
	return rc;
}

int tdx_state_collateral(const char *folder, const char *path, struct err *e)
{
	static char text[COLLATERAL_TEXT_MAX];
	void *certs = NULL, *signing = NULL, *key = NULL;
	struct tdx_collateral_from from = { .now = time(NULL) };
	size_t size = 0;
	int rc = read_part(folder, TDX_STATE_CERTS, TDX_SIM_CHAIN_MAX, &certs, &from.certs_size, e);

	if (rc == 0)
		rc = read_part(folder, TDX_STATE_SIGNING, CHAIN_SIGNING_MAX, &signing,
			       &from.signing_size, e);
	if (rc == 0)
		rc = read_part(folder, TDX_STATE_SIGNING_KEY, SIM_KEY_MAX, &key,
			       &from.key_size, e);
	from.certs = certs;
	from.signing = signing;
	from.key = key;
	if (rc == 0)
		rc = tdx_collateral_make(&from, text, &size, e);
	if (rc == 0)
		rc = file_write("collateral", path, text, size, 0644, e);
	free(certs);
	free(signing);
	if (key != NULL)
		OPENSSL_cleanse(key, from.key_size);
	free(key);
	return rc;
}
