/* snp_files FOLDER NONCE MEASUREMENT POLICY: writes what an SEV-SNP guest of a chip with a private
 * root shows for that nonce, launched with that digest (hexadecimal) and guest policy (number):
 * evidence.json, report.bin, table.bin, vek.der, chain.pem, root.pem; the root's revocation lists:
 * good.crl, revoking.crl (the ASK); later.bin, the report in a version of the future. */
#include "tests/unit/fake_snp_world.h"
#include "tests/unit/fake_x509.h"

#include "common/bytes.h"
#include "common/file.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_snp_world world;

static void save(const char *folder, const char *name, const void *data, size_t size)
{
	char path[4096];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write("file", path, data, size, 0644, &e) < 0)
		exit(err_report(&e, "snp_files"));
}

static void save_pem(const char *folder, const char *name, X509 *first, X509 *second)
{
	BIO *text = BIO_new(BIO_s_mem());
	char *data;

	if (text == NULL || !PEM_write_bio_X509(text, first) ||
	    (second != NULL && !PEM_write_bio_X509(text, second)))
		abort();
	long size = BIO_get_mem_data(text, &data);
	save(folder, name, data, (size_t)size);
	BIO_free(text);
}

/* A list that is current for a year, with n serial numbers. */
static void save_crl(const char *folder, const char *name, const long *serial, size_t n)
{
	static uint8_t der[4096];
	const struct fake_crl how = { .issuer = "ARK-Test",
				      .key = world.chip.ark_key,
				      .serial = serial,
				      .count = n,
				      .pss = true,
				      .salt = 48,
				      .md = EVP_sha384() };
	X509_CRL *list = fake_x509_crl(&how);

	save(folder, name, der, fake_crl_der(list, der, sizeof(der)));
	X509_CRL_free(list);
}

int main(int argc, char **argv)
{
	struct evidence *ev = &world.plain.evidence;
	uint8_t *report = world.chip.report;
	unsigned char *der = NULL;

	if (argc != 5) {
		fputs("usage: snp_files FOLDER NONCE MEASUREMENT POLICY\n", stderr);
		return EX_USAGE_ERROR;
	}
	fake_snp_world_make(&world);
	ev->nonce_size = strlen(argv[2]) / 2;
	if (ev->nonce_size > BINDING_NONCE_MAX || !hex_decode(argv[2], ev->nonce, ev->nonce_size) ||
	    !hex_decode(argv[3], report + 0x90, SNP_MEASUREMENT_SIZE))
		return EX_USAGE_ERROR;
	struct writer w = writer_over(report + 8, 8);
	write_le64(&w, strtoull(argv[4], NULL, 0));
	fake_world_sign(&world.plain);
	fake_snp_world_sign(&world);
	char *text = fake_snp_world_json(&world);
	save(argv[1], "evidence.json", text, strlen(text));
	free(text);
	save(argv[1], "report.bin", ev->report, ev->report_size);
	save(argv[1], "table.bin", ev->cert_table, ev->cert_table_size);
	int n = i2d_X509(world.chip.vek, &der);
	if (n <= 0)
		return EX_INTERNAL;
	save(argv[1], "vek.der", der, (size_t)n);
	OPENSSL_free(der);
	save_pem(argv[1], "chain.pem", world.chip.ask, world.chip.ark);
	save_pem(argv[1], "root.pem", world.chip.ark, NULL);
	save_crl(argv[1], "good.crl", NULL, 0);
	save_crl(argv[1], "revoking.crl", &(long){ 2 }, 1);
	report[0] = 6;
	fake_snp_sign(&world.chip);
	save(argv[1], "later.bin", report, SNP_REPORT_SIZE);
	fake_snp_world_free(&world);
	return EX_OK;
}
