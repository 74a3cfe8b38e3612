/* tdx_files FOLDER: quotes of a made-up TDX platform and its root into the folder: quote4.bin,
 * quote5.bin (TD 1.0), quote5td15.bin (certificates in DER, bytes behind), root.pem, sgx.der
 * (Intel's extension of the PCK), tdreport.bin. The seeds of fuzz_tdx_quote, fuzz_pck and
 * fuzz_tdreport. */
#include "tests/unit/fake_tdx.h"

#include "common/file.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static void save(const char *name, const void *data, size_t size)
{
	char path[4096];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write("file", path, data, size, 0644, &e) < 0)
		exit(err_report(&e, "tdx_files"));
}

static void save_root(const struct fake_tdx *f)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *p;

	if (text == NULL || !PEM_write_bio_X509(text, f->chain.cert[TDX_ROLE_ROOT]))
		abort();
	long n = BIO_get_mem_data(text, &p);
	save("root.pem", p, (size_t)n);
	BIO_free(text);
}

static void save_report(void)
{
	uint8_t raw[1024] = { 0x81, 0, 1, 0 };

	for (unsigned i = 128; i < sizeof(raw); i++)
		raw[i] = (uint8_t)i;
	if (!EVP_Digest(raw + 256, 239, raw + 32, NULL, EVP_sha384(), NULL) ||
	    !EVP_Digest(raw + 512, 512, raw + 80, NULL, EVP_sha384(), NULL))
		abort();
	save("tdreport.bin", raw, sizeof(raw));
}

int main(int argc, char **argv)
{
	static struct fake_tdx f;
	uint8_t sgx[1024];

	if (argc != 2) {
		fprintf(stderr, "tdx_files: give one folder\n");
		return EX_USAGE_ERROR;
	}
	folder = argv[1];
	fake_tdx_make(&f, 4, TDX_BODY_TD_1_0);
	save("quote4.bin", f.quote, f.quote_size);
	save_root(&f);
	f.version = 5;
	fake_tdx_sign(&f);
	save("quote5.bin", f.quote, f.quote_size);
	f.body_type = TDX_BODY_TD_1_5;
	f.der = true;
	f.trailing = 70;
	fake_tdx_sign(&f);
	save("quote5td15.bin", f.quote, f.quote_size);
	struct fake_tdx_how how = fake_tdx_how(&f, TDX_ROLE_PCK);
	save("sgx.der", sgx, fake_tdx_sgx(&how, sgx));
	save_report();
	fake_tdx_free(&f);
	return 0;
}
