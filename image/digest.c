#include "image/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

static int failed(struct err *e)
{
	return err_set(e, EX_INTERNAL, "SHA-256: libcrypto failed");
}

static int feed(EVP_MD_CTX *ctx, int fd, const char *path, uint64_t size, struct err *e)
{
	uint8_t block[65536];

	for (uint64_t done = 0; done < size;) {
		uint64_t left = size - done;
		ssize_t n = read(fd, block, left < sizeof(block) ? (size_t)left : sizeof(block));
		if (n <= 0)
			return err_errno(e, EX_HOST, n < 0 ? errno : EIO, "%s: cannot be read",
					 path);
		if (EVP_DigestUpdate(ctx, block, (size_t)n) != 1)
			return failed(e);
		done += (uint64_t)n;
	}
	return 0;
}

int digest_file(const char *path, const char *label, uint64_t size, uint8_t out[DIGEST],
		struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s", path);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
				 EVP_DigestUpdate(ctx, label, strlen(label)) == 1
			 ? feed(ctx, fd, path, size, e)
			 : failed(e);
	if (rc == 0 && EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		rc = failed(e);
	EVP_MD_CTX_free(ctx);
	close(fd);
	return rc;
}

int digest_bytes(const void *data, size_t size, uint8_t out[DIGEST], struct err *e)
{
	return EVP_Digest(data, size, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : failed(e);
}
