/* id_sign BLOCK AUTH [author]: what the owner of an SEV-SNP guest does with the ID block that
 * `pavise measure snp --id-block` wrote: signs it with a new P-384 key (that key with an author's,
 * if so asked), writes the ID authentication information, and prints the keys' digests as a policy
 * names them. The private keys end with the process. */
#include "tests/model/id_auth.h"

#include "common/bytes.h"
#include "common/file.h"

#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>

static int print_digest(const char *name, const uint8_t *auth, enum id_key which)
{
	uint8_t digest[ID_DIGEST_SIZE];
	char hex[2 * ID_DIGEST_SIZE + 1];

	if (id_auth_key_digest(auth, which, digest) < 0)
		return -1;
	hex_encode(digest, sizeof(digest), hex);
	printf("%s %s\n", name, hex);
	return 0;
}

static int sign(const uint8_t *block, const char *out, bool with_author, struct err *e)
{
	static uint8_t auth[ID_AUTH_SIZE];
	EVP_PKEY *id = EVP_EC_gen("P-384");
	EVP_PKEY *author = with_author ? EVP_EC_gen("P-384") : NULL;
	bool good = id != NULL && (author != NULL) == with_author &&
		    id_auth_fill(auth, id, author, block) == 0;

	EVP_PKEY_free(id);
	EVP_PKEY_free(author);
	if (!good || print_digest("id", auth, ID_KEY_OWNER) < 0 ||
	    (with_author && print_digest("author", auth, ID_KEY_AUTHOR) < 0))
		return err_set(e, EX_INTERNAL, "libcrypto: no key or no signature");
	return file_write("ID authentication information", out, auth, sizeof(auth), 0644, e);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	void *block = NULL;
	size_t size = 0;
	int rc;

	if (argc != 3 && argc != 4)
		return EX_USAGE_ERROR;
	rc = file_read("ID block", argv[1], ID_BLOCK_SIZE, 0, &block, &size, &e);
	if (rc == 0 && size != ID_BLOCK_SIZE)
		rc = err_set(&e, EX_MALFORMED, "ID block: %zu bytes, not %u", size, ID_BLOCK_SIZE);
	if (rc == 0)
		rc = sign(block, argv[2], argc == 4, &e);
	free(block);
	return rc < 0 ? err_report(&e, "id_sign") : EX_OK;
}
