/* pavise image data-key and wrap-key: docs/PROTOCOL.key. */
#include "attest/appraise/evidence.h"
#include "attest/key/wrapped_key.h"
#include "common/bytes.h"
#include "common/file.h"
#include "common/json.h"
#include "image/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERIFY "pavise-verify"
#define VERIFY_ARGS 64
#define VERDICT_MAX (4u << 20) /* bytes */

static int print_id(const uint8_t key[DATA_KEY], struct err *e)
{
	uint8_t id[DATA_KEY_ID];
	char hex[2 * DATA_KEY_ID + 1];
	int rc = data_key_id(key, id, e);

	hex_encode(id, sizeof(id), hex);
	if (rc == 0 && puts(hex) == EOF)
		rc = err_set(e, EX_HOST, "standard output: cannot be written");
	return rc;
}

static int read_key(const char *path, uint8_t out[DATA_KEY], struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int rc = file_read("key", path, DATA_KEY, 0, &data, &size, e);

	if (rc == 0 && size != DATA_KEY)
		rc = err_set(e, EX_MALFORMED, "key %s: %zu bytes instead of %u: make one with "
			     "pavise image data-key", path, size, DATA_KEY);
	if (rc == 0)
		memcpy(out, data, DATA_KEY);
	if (data != NULL)
		explicit_bzero(data, size);
	free(data);
	return rc;
}

/* Never over a file that is there: it may be the only copy of a key. */
static int make_key(const char *path, uint8_t out[DATA_KEY], struct err *e)
{
	if (getrandom(out, DATA_KEY, 0) != DATA_KEY)
		return err_errno(e, EX_HOST, errno, "getrandom");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "-o %s: name a new file", path);
	int bad = write(fd, out, DATA_KEY) != (ssize_t)DATA_KEY || fsync(fd) != 0, cause = errno;
	if (close(fd) != 0 || bad) {
		unlink(path);
		return err_errno(e, EX_HOST, cause, "%s: cannot be written", path);
	}
	return 0;
}

int verb_data_key(int argc, char **argv, struct err *e)
{
	static const struct option longs[] = { { "output", required_argument, NULL, 'o' },
					       { "id", required_argument, NULL, 'i' },
					       { 0 } };
	const char *out = NULL, *of = NULL;
	uint8_t key[DATA_KEY];
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, ":o:", longs, NULL)) != -1) {
		if (c == 'o')
			out = optarg;
		else if (c == 'i')
			of = optarg;
		else
			rc = verb_bad_option(c, argv, e);
	}
	if (rc == 0 && (optind != argc || (out == NULL) == (of == NULL)))
		rc = err_set(e, EX_USAGE_ERROR, "data-key: needs either -o or --id");
	if (rc == 0)
		rc = out != NULL ? make_key(out, key, e) : read_key(of, key, e);
	if (rc == 0)
		rc = print_id(key, e);
	explicit_bzero(key, sizeof(key));
	return rc;
}

struct wrap {
	const char *evidence, *policy, *nonce, *key, *out;
	bool create;
	char **verify; /* further options of the verifier */
	int verify_count;
};

static int parse_wrap(int argc, char **argv, struct wrap *w, struct err *e)
{
	static const struct option longs[] = { { "evidence", required_argument, NULL, 'e' },
					       { "policy", required_argument, NULL, 'p' },
					       { "nonce", required_argument, NULL, 'n' },
					       { "key", required_argument, NULL, 'k' },
					       { "create", no_argument, NULL, 'c' },
					       { "output", required_argument, NULL, 'o' },
					       { 0 } };
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, "+:o:", longs, NULL)) != -1) {
		if (c == 'c')
			w->create = true;
		else if (c == '?' || c == ':')
			rc = verb_bad_option(c, argv, e);
		else
			*(c == 'e'   ? &w->evidence
			  : c == 'p' ? &w->policy
			  : c == 'n' ? &w->nonce
			  : c == 'k' ? &w->key
				     : &w->out) = optarg;
	}
	w->verify = argv + optind;
	w->verify_count = argc - optind;
	if (rc == 0 && w->verify_count > 0 && strcmp(argv[optind - 1], "--") != 0)
		rc = err_set(e, EX_USAGE_ERROR, "%s: options of verify come after --",
			     argv[optind]);
	if (rc == 0 && (w->evidence == NULL || w->policy == NULL || w->nonce == NULL ||
			w->key == NULL || w->out == NULL || w->verify_count > VERIFY_ARGS - 9))
		rc = err_set(e, EX_USAGE_ERROR,
			     "wrap-key: needs --evidence, --policy, --nonce, --key and -o: see "
			     "pavise image --help");
	return rc;
}

/* The very bytes that are used are judged: a file could be another one at the second look. */
static int hold(const void *data, size_t size, int *fd, struct err *e)
{
	*fd = memfd_create("evidence", MFD_ALLOW_SEALING);
	if (*fd < 0 || write(*fd, data, size) != (ssize_t)size ||
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
		return err_errno(e, EX_HOST, errno, "evidence: cannot be held in memory");
	return 0;
}

static void __attribute__((noreturn)) become_verifier(const struct wrap *w, const char *program,
						      int fd, int out)
{
	char evidence[32];
	char *argv[VERIFY_ARGS] = { VERIFY,	       "bundle",  evidence,	    "--policy",
				    (char *)w->policy, "--nonce", (char *)w->nonce, "--json" };

	snprintf(evidence, sizeof(evidence), "/proc/self/fd/%d", fd);
	for (int i = 0; i < w->verify_count; i++)
		argv[8 + i] = w->verify[i];
	if (dup2(out, STDOUT_FILENO) == STDOUT_FILENO)
		execv(program, argv);
	_exit(EX_HOST);
}

/* What the verifier says, to its end; the caller frees. NULL: too much, or no memory. */
static char *read_verdict(int fd, size_t *size)
{
	char *text = malloc(VERDICT_MAX);
	ssize_t n = 1;

	*size = 0;
	while (text != NULL && n > 0 && *size < VERDICT_MAX) {
		n = read(fd, text + *size, VERDICT_MAX - *size);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL && n == 0)
		return text;
	free(text);
	return NULL;
}

/* Affirmed by what was booted: a verdict that rests on less is good for much, not for a key. */
static int check_verdict(const struct wrap *w, const char *text, size_t size, int status,
			 struct err *e)
{
	static const char *const enough[] = { "affirming",
					      "affirming (simulated or private root)" };
	const char *verdict = "no verdict";
	struct err unused = { 0 };
	json_t *j = NULL;
	bool good = false;

	if (json_parse("verdict", text, size, &j, &unused) == 0)
		(void)json_get_string("verdict", j, "verdict", 1, &verdict, &unused);
	for (size_t i = 0; i < sizeof(enough) / sizeof(enough[0]); i++)
		good |= strcmp(verdict, enough[i]) == 0;
	if (status != 0 || !good)
		(void)err_set(e, status != 0 ? (enum exit_status)status : EX_REFUSED,
			      "evidence %s: %s: no key was wrapped: pavise verify bundle says why",
			      w->evidence, verdict);
	json_decref(j);
	return e->status == EX_OK ? 0 : -e->status;
}

static int judge(const struct wrap *w, int fd, struct err *e)
{
	char program[PATH_MAX];
	int ends[2], status = 0, rc = verb_beside(VERIFY, program, sizeof(program), e);
	size_t size = 0;

	if (rc < 0)
		return rc;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, EX_HOST, errno, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		become_verifier(w, program, fd, ends[1]);
	close(ends[1]);
	char *text = read_verdict(ends[0], &size);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		rc = err_errno(e, EX_HOST, errno, "%s", program);
	else if (text == NULL || !WIFEXITED(status))
		rc = err_set(e, EX_INTERNAL, "%s: ended by a signal, or said too much", program);
	else
		rc = check_verdict(w, text, size, WEXITSTATUS(status), e);
	free(text);
	return rc;
}

/* The agent's key, out of evidence that was affirmed. */
static int agent_key(const char *text, size_t size, EVP_PKEY **out, struct err *e)
{
	static struct evidence ev; /* large */
	int rc = evidence_parse("evidence", text, size, &ev, e);

	if (rc == 0) {
		const uint8_t *at = ev.public_key;
		*out = d2i_PUBKEY(NULL, &at, (long)ev.public_key_size);
		if (*out == NULL || at != ev.public_key + ev.public_key_size)
			rc = err_set(e, EX_MALFORMED, "evidence: agent.public_key is no key");
	}
	evidence_free(&ev);
	return rc;
}

static int wrap(const struct wrap *w, EVP_PKEY *agent, struct err *e)
{
	struct data_key k = { .flags = w->create ? WRAPPED_KEY_CREATE : 0 };
	uint8_t wrapped[WRAPPED_KEY];
	int rc = read_key(w->key, k.key, e);

	if (rc == 0)
		rc = wrapped_key_make(&k, agent, wrapped, e);
	explicit_bzero(&k, sizeof(k));
	return rc == 0 ? file_write("wrapped key", w->out, wrapped, sizeof(wrapped), 0644, e) : rc;
}

int verb_wrap_key(int argc, char **argv, struct err *e)
{
	struct wrap w = { 0 };
	EVP_PKEY *agent = NULL;
	void *text = NULL;
	size_t size = 0;
	int fd = -1, rc = parse_wrap(argc, argv, &w, e);

	if (rc == 0)
		rc = file_read("evidence", w.evidence, EVIDENCE_FILE_MAX, 0, &text, &size, e);
	if (rc == 0)
		rc = hold(text, size, &fd, e);
	if (rc == 0)
		rc = judge(&w, fd, e);
	if (rc == 0)
		rc = agent_key(text, size, &agent, e);
	if (rc == 0)
		rc = wrap(&w, agent, e);
	if (rc == 0)
		printf("%s: for the agent of this evidence alone%s\n", w.out,
		       w.create ? "; it may make the disk anew" : "");
	EVP_PKEY_free(agent);
	if (fd >= 0)
		close(fd);
	free(text);
	return rc;
}
