/* collateral_files FOLDER: a simulated vendor's files, good in January 2027, with keys
 * that are gone when it ends. good/: what Intel's service answers, as a folder; other/: the same
 * as one file in each form, and what must be refused; seeds/: what the fuzzers start from. */
#include "attest/collateral/collateral.h"
#include "common/file.h"
#include "tests/unit/fake_collateral.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static void put(const char *name, const void *data, size_t size)
{
	char path[4096];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write("test file", path, data, size, 0644, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void make_folder(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (mkdir(path, 0755) < 0) {
		perror(path);
		exit(1);
	}
}

static void put_good(const struct fake_collateral *f)
{
	put_text("good/tcb_info.json", f->tcb);
	put_text("good/qe_identity.json", f->qe);
	put_text("good/signing_chain.pem", f->signer_chain);
	put_text("good/pck_ca_chain.pem", f->ca_chain);
	put("good/root_ca_crl.der", f->root_crl, f->root_crl_size);
	put("good/pck_crl.der", f->pck_crl, f->pck_crl_size);
	put_text("good/notes.txt", "not collateral\n");
}

static void put_seeds(const struct fake_collateral *f, const char *bundle)
{
	uint8_t seed[2 + 2 * FAKE_DER_SIZE];
	size_t n = fake_cert_der(f->root, seed + 2, FAKE_DER_SIZE);

	seed[0] = (uint8_t)(n >> 8);
	seed[1] = (uint8_t)n;
	memcpy(seed + 2 + n, f->root_crl, f->root_crl_size);
	put("seeds/crl", seed, 2 + n + f->root_crl_size);
	put_text("seeds/tcb_info", f->tcb);
	put_text("seeds/qe_identity", f->qe);
	put_text("seeds/collateral", bundle);
}

/* The bundle of the good files. */
static char *make_bundle(const struct fake_collateral *f)
{
	struct collateral *c = calloc(1, sizeof(*c));
	struct err e = { 0 };
	char *text = NULL, *form = fake_collateral_form(f, "hex");
	size_t size;

	if (c == NULL || collateral_parse("form", (uint8_t *)form, strlen(form), c, &e) < 0 ||
	    collateral_write(c, FAKE_X509_NOW, &text, &size, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		exit(1);
	}
	collateral_free(c);
	free(c);
	free(form);
	return text;
}

static void put_other(struct fake_collateral *f)
{
	static const long signer[] = { 3 };
	struct fake_tcb sgx = fake_tcb();
	char root[FAKE_PEM_SIZE] = "", *form = fake_collateral_form(f, "base64");

	fake_cert_pem(f->root, root, sizeof(root));
	put_text("other/root.pem", root);
	put_text("other/form.json", form);
	free(form);
	sgx.id = "SGX";
	fake_collateral_tcb(f, &sgx);
	put_text("other/sgx_tcb_info.json", f->tcb);
	fake_collateral_root_crl(f, &(struct fake_crl){ .serial = signer, .count = 1 });
	put("other/revoking.der", f->root_crl, f->root_crl_size);
}

int main(int argc, char **argv)
{
	static struct fake_collateral f;

	if (argc != 2)
		return 64;
	folder = argv[1];
	make_folder("good");
	make_folder("other");
	make_folder("seeds");
	fake_collateral_make(&f);
	put_good(&f);
	char *bundle = make_bundle(&f);
	put_seeds(&f, bundle);
	free(bundle);
	put_other(&f);
	fake_collateral_free(&f);
	return 0;
}
