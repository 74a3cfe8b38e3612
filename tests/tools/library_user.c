/* library_user REPORT TABLE ROOT POLICY TIME [NONCE]: judges an SEV-SNP report as a program of
 * somebody else would, with the public header and nothing else of this repository. Built by
 * tests/unit/library.py against an installed library; prints what it got, exits with the verdict. */
#include <pavise-attest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
	unsigned char data[65536];
	size_t size;
};

static struct file report, table, root;

static void load(const char *path, struct file *out)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		exit(PAVISE_HOST);
	}
	out->size = fread(out->data, 1, sizeof(out->data), f);
	fclose(f);
}

static void must(int status, const struct pavise_error *e)
{
	if (status == PAVISE_OK)
		return;
	printf("error %d %s\n", (int)e->status, e->text);
	exit(status == (int)e->status ? status : PAVISE_INTERNAL);
}

/* What has to be refused before anything is judged. */
static void try_wrong_calls(struct pavise_request *r, const struct pavise_policy *p)
{
	struct pavise_error e;
	struct pavise_result *none = NULL;
	struct pavise_policy *q;
	struct pavise_request *empty = pavise_request_new(PAVISE_KIND_SNP, 0);
	unsigned char measured[PAVISE_SNP_MEASUREMENT_SIZE];
	unsigned refused = 0;

	pavise_request_set_policy(empty, p);
	refused += pavise_verify(empty, &none, &e) == PAVISE_USAGE && none == NULL;
	refused += pavise_request_add(r, PAVISE_IN_EVIDENCE, "x", 1, NULL, &e) == PAVISE_USAGE;
	refused += pavise_request_add(r, PAVISE_IN_CCEL, "x", 1, NULL, &e) == PAVISE_USAGE;
	refused += pavise_request_add(r, PAVISE_IN_REPORT_DATA, "x", 1, NULL, NULL) == PAVISE_USAGE;
	refused += pavise_request_add(r, (enum pavise_input)99, "x", 1, NULL, &e) == PAVISE_USAGE;
	refused += pavise_request_new((enum pavise_kind)9, 0) == NULL;
	refused += pavise_policy_built_in("lax", &q, &e) == PAVISE_USAGE && q == NULL;
	refused += pavise_policy_parse("text", "{", 1, &q, &e) == PAVISE_MALFORMED &&
		   strstr(e.text, "text") != NULL;
	refused += pavise_measure_snp_plan(NULL, "x", 1, measured, &e) == PAVISE_MALFORMED;
	pavise_request_free(empty);
	pavise_result_free(NULL);
	printf("refused %u of 9 wrong calls\n", refused);
}

static void print_result(const struct pavise_result *r)
{
	struct pavise_check k;
	const char *name, *value;
	size_t i;

	printf("verdict %s\nscope %s\n", pavise_result_verdict(r), pavise_result_scope(r));
	for (i = 0; pavise_result_check(r, i, &k) == PAVISE_OK; i++)
		printf("check %d %s: %s\n", (int)k.outcome, k.id, k.note);
	printf("%s %zu checks\n", i == pavise_result_checks(r) ? "all" : "not all", i);
	for (i = 0; pavise_result_claim(r, i, &name, &value) == PAVISE_OK; i++)
		if (strcmp(pavise_result_find_claim(r, name), value) != 0)
			printf("claim %s is not found\n", name);
	printf("%s %zu claims\n", i == pavise_result_claims(r) ? "all" : "not all", i);
	char *json = pavise_result_json(r);
	printf("%s\n", json);
	free(json);
}

/* A verifier that keeps what it saw says the same, each time. */
static void try_verifier(const struct pavise_request *r, const struct pavise_result *result)
{
	struct pavise_verifier *v = pavise_verifier_new();
	char *want = pavise_result_json(result);
	struct pavise_result *again = NULL;
	unsigned same = 0;

	for (unsigned i = 0; v != NULL && want != NULL && i < 3; i++) {
		if (pavise_verify_with(v, r, &again, NULL) != PAVISE_OK)
			break;
		char *have = pavise_result_json(again);
		same += have != NULL && strcmp(have, want) == 0;
		free(have);
		pavise_result_free(again);
	}
	free(want);
	pavise_verifier_free(v);
	pavise_verifier_free(NULL);
	printf("a verifier says the same %u of 3 times\n", same);
}

int main(int argc, char **argv)
{
	struct pavise_policy *policy = NULL;
	struct pavise_result *result = NULL;
	struct pavise_error e;

	if (argc < 6)
		return PAVISE_USAGE;
	load(argv[1], &report);
	load(argv[2], &table);
	load(argv[3], &root);
	struct pavise_request *r = pavise_request_new(PAVISE_KIND_SNP, strtoll(argv[5], NULL, 10));
	if (r == NULL)
		return PAVISE_HOST;
	if (argv[4][0] == '{')
		must(pavise_policy_parse("argument", argv[4], strlen(argv[4]), &policy, &e), &e);
	else
		must(pavise_policy_built_in(argv[4], &policy, &e), &e);
	must(pavise_request_add(r, PAVISE_IN_EVIDENCE, report.data, report.size, "report", &e), &e);
	must(pavise_request_add(r, PAVISE_IN_CERT_TABLE, table.data, table.size, NULL, &e), &e);
	must(pavise_request_add(r, PAVISE_IN_TRUST_ROOT, root.data, root.size, NULL, &e), &e);
	if (argc > 6)
		must(pavise_request_add(r, PAVISE_IN_NONCE, argv[6], strlen(argv[6]), NULL, &e),
		     &e);
	pavise_request_set_policy(r, policy);
	try_wrong_calls(r, policy);
	must(pavise_verify(r, &result, &e), &e);
	try_verifier(r, result);
	char *text = pavise_policy_explain(policy);
	printf("%s", text);
	free(text);
	pavise_request_free(r);
	pavise_policy_free(policy);
	print_result(result);
	int status = (int)pavise_result_status(result);
	pavise_result_free(result);
	return status;
}
