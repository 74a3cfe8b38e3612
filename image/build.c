/* pavise image build: what docs/PROTOCOL.image says an image is. */
#include "attest/measure/size.h"
#include "common/bytes.h"
#include "common/file.h"
#include "image/digest.h"
#include "image/disk.h"
#include "image/initrd.h"
#include "image/libraries.h"
#include "image/modules.h"
#include "image/verbs.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK "disk.img"
#define INITRD "initrd.cpio"
#define CMDLINE "cmdline"
#define JSON "image.json"
#define INIT "pavise-init"
/* A stock kernel's door for 32-bit programs is shut, and root may not change the kernel. */
#define APPEND "console=ttyS0 quiet reboot=a panic=-1 ia32_emulation=off lockdown=integrity"
#define LIMIT "4G"

struct build {
	const char *root, *agent, *modules, *run, *append, *init, *out;
	struct root_rules rules;
	bool has_salt, has_data;
	uint8_t salt[PARAMS_DIGEST], data_id[PARAMS_DIGEST];
	struct disk disk;
	struct initrd initrd;
	char cmdline[PARAMS_CMDLINE_MAX + 1];
};

static int set_hex(const char *option, const char *text, uint8_t out[PARAMS_DIGEST], bool *has,
		   struct err *e)
{
	*has = hex_decode(text, out, PARAMS_DIGEST);
	return *has ? 0 : err_set(e, EX_USAGE_ERROR, "%s: needs 64 hexadecimal digits", option);
}

static int set_option(struct build *b, int c, struct err *e)
{
	switch (c) {
	case 'r':
		b->root = optarg;
		return 0;
	case 'a':
		b->agent = optarg;
		return 0;
	case 'm':
		b->modules = optarg;
		return 0;
	case 'R':
		b->run = optarg;
		return 0;
	case 'A':
		b->append = optarg;
		return 0;
	case 'i':
		b->init = optarg;
		return 0;
	case 'o':
		b->out = optarg;
		return 0;
	case 'O':
		b->rules.all_root = true;
		return 0;
	case 'l':
		return size_parse("--limit", optarg, &b->rules.size_max, e);
	case 's':
		return set_hex("--salt", optarg, b->salt, &b->has_salt, e);
	default:
		return set_hex("--data-key-id", optarg, b->data_id, &b->has_data, e);
	}
}

static int parse(int argc, char **argv, struct build *b, struct err *e)
{
	static const struct option longs[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "agent", required_argument, NULL, 'a' },
		{ "modules", required_argument, NULL, 'm' },
		{ "run", required_argument, NULL, 'R' },
		{ "append", required_argument, NULL, 'A' },
		{ "init", required_argument, NULL, 'i' },
		{ "output", required_argument, NULL, 'o' },
		{ "all-root", no_argument, NULL, 'O' },
		{ "limit", required_argument, NULL, 'l' },
		{ "salt", required_argument, NULL, 's' },
		{ "data-key-id", required_argument, NULL, 'd' },
		{ 0 },
	};
	int c, rc = 0;

	while (rc == 0 && (c = getopt_long(argc, argv, ":o:", longs, NULL)) != -1)
		rc = c == '?' || c == ':' ? verb_bad_option(c, argv, e) : set_option(b, c, e);
	if (rc == 0 && (optind != argc || b->root == NULL || b->agent == NULL || b->out == NULL))
		rc = err_set(e, EX_USAGE_ERROR,
			     "build: needs --root, --agent and -o: see pavise image --help");
	if (rc == 0 && b->rules.run[0] == '\0')
		b->rules.run = b->run != NULL ? b->run : "/sbin/init";
	return rc;
}

/* The words of ours, and a look at the whole with the eyes of the guest's init. */
static int make_cmdline(struct build *b, struct err *e)
{
	char hash[65], salt[65], id[65];
	struct guest_params p;
	struct err why = { 0 };

	if (strstr(b->append, PARAM_PREFIX) != NULL)
		return err_set(e, EX_USAGE_ERROR, "--append: words of " PARAM_PREFIX " are ours");
	for (const char *c = b->append; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			return err_set(e, EX_USAGE_ERROR,
				       "--append: has more than printable ASCII");
	hex_encode(b->disk.root_hash, PARAMS_DIGEST, hash);
	hex_encode(b->disk.salt, PARAMS_DIGEST, salt);
	hex_encode(b->data_id, PARAMS_DIGEST, id);
	int n = snprintf(b->cmdline, sizeof(b->cmdline),
			 "%s%s" PARAM_ROOT_HASH "=%s " PARAM_ROOT_SALT "=%s " PARAM_ROOT_BLOCKS
			 "=%llu%s%s%s%s",
			 b->append, b->append[0] != '\0' ? " " : "", hash, salt,
			 (unsigned long long)b->disk.blocks,
			 b->has_data ? " " PARAM_DATA "=" : "", b->has_data ? id : "",
			 b->run != NULL ? " " PARAM_RUN "=" : "", b->run != NULL ? b->run : "");
	/* Linux itself takes no more than 2047 bytes (COMMAND_LINE_SIZE of x86). */
	if (n < 0 || n > 2047)
		return err_set(e, EX_USAGE_ERROR, "command line: more than 2047 bytes");
	if (guest_params_parse(b->cmdline, &p, &why) < 0 ||
	    strcmp(p.run, b->run != NULL ? b->run : "") != 0)
		return err_set(e, EX_USAGE_ERROR, "%s",
			       why.status != 0 ? why.text : "--run: has a blank");
	return 0;
}

static int fill_initrd(struct build *b, struct err *e)
{
	static const char *const folders[] = { "dev", "proc", "root", "sys" };
	char init[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		rc = initrd_add_folder(&b->initrd, folders[i], e);
	if (rc == 0 && b->init == NULL)
		rc = verb_beside(INIT, init, sizeof(init), e);
	if (rc == 0)
		rc = program_add(&b->initrd, "init", b->init != NULL ? b->init : init, e);
	if (rc == 0)
		rc = program_add(&b->initrd, "bin/pavise-agent", b->agent, e);
	if (rc == 0 && b->modules != NULL)
		rc = modules_add(&b->initrd, b->modules, b->has_data, e);
	return rc;
}

/* A path in the image's folder. */
static const char *in(const struct build *b, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", b->out, name);
	return out;
}

/* What is named file in image.json. */
static json_t *describe_file(const struct build *b, const char *name, struct err *e)
{
	char path[PATH_MAX], hex[2 * DIGEST + 1];
	uint8_t digest[DIGEST];
	struct stat st;

	if (stat(in(b, name, path), &st) != 0) {
		(void)err_errno(e, EX_HOST, errno, "%s", path);
		return NULL;
	}
	if (digest_file(path, "", (uint64_t)st.st_size, digest, e) < 0)
		return NULL;
	hex_encode(digest, DIGEST, hex);
	return json_pack("{s:I, s:s}", "size", (json_int_t)st.st_size, "sha256", hex);
}

static json_t *describe(struct build *b, struct err *e)
{
	char hash[65], salt[65], id[65];

	hex_encode(b->disk.root_hash, PARAMS_DIGEST, hash);
	hex_encode(b->disk.salt, PARAMS_DIGEST, salt);
	hex_encode(b->data_id, PARAMS_DIGEST, id);
	json_t *disk = describe_file(b, DISK, e), *initrd = describe_file(b, INITRD, e);
	if (disk != NULL && initrd != NULL &&
	    json_object_update_new(disk, json_pack("{s:s, s:s, s:I}", "root_hash", hash,
						   "root_salt", salt, "root_blocks",
						   (json_int_t)b->disk.blocks)) == 0 &&
	    json_object_set_new(initrd, "files", initrd_list(&b->initrd)) == 0)
		return json_pack("{s:s, s:i, s:o, s:o, s:s, s:s*}", "format", "pavise-image",
				 "version", 0, DISK, disk, INITRD, initrd, CMDLINE, b->cmdline,
				 "data_key_id", b->has_data ? id : NULL);
	json_decref(disk);
	json_decref(initrd);
	return NULL;
}

static int write_json(struct build *b, struct err *e)
{
	char path[PATH_MAX];
	json_t *j = describe(b, e);
	char *text = j != NULL ? json_dumps(j, JSON_INDENT(2)) : NULL;
	int rc = text != NULL
			 ? file_write("image", in(b, JSON, path), text, strlen(text), 0644, e)
			 : err_set(e, EX_HOST, "image: cannot be described");

	free(text);
	json_decref(j);
	return rc;
}

static int make(struct build *b, struct err *e)
{
	char path[PATH_MAX];
	int rc = fill_initrd(b, e);

	if (rc == 0)
		rc = initrd_write(&b->initrd, in(b, INITRD, path), e);
	if (rc == 0)
		rc = disk_make(b->root, &b->rules, b->has_salt ? b->salt : NULL, in(b, DISK, path),
			       &b->disk, e);
	if (rc == 0)
		rc = make_cmdline(b, e);
	if (rc == 0)
		rc = file_write("image", in(b, CMDLINE, path), b->cmdline, strlen(b->cmdline), 0644,
				e);
	return rc == 0 ? write_json(b, e) : rc;
}

/* The folder is ours: it was not there before. */
static void undo(const struct build *b)
{
	static const char *const names[] = { DISK, INITRD, CMDLINE, JSON };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in(b, names[i], path));
	rmdir(b->out);
}

int verb_build(int argc, char **argv, struct err *e)
{
	static struct build b = { .append = APPEND, .rules = { .run = "" } };
	int rc = size_parse("--limit", LIMIT, &b.rules.size_max, e);

	if (rc == 0)
		rc = parse(argc, argv, &b, e);
	if (rc == 0 && strlen(b.out) > PATH_MAX - 32)
		rc = err_set(e, EX_USAGE_ERROR, "-o: too long");
	if (rc == 0 && mkdir(b.out, 0755) != 0)
		rc = err_errno(e, EX_USAGE_ERROR, errno, "-o %s: name a new folder", b.out);
	if (rc < 0)
		return rc;
	rc = make(&b, e);
	if (rc < 0)
		undo(&b);
	else
		printf("%s: root of %llu blocks, initrd of %zu entries\n%s\n", b.out,
		       (unsigned long long)b.disk.blocks, b.initrd.count, b.cmdline);
	initrd_free(&b.initrd);
	return rc;
}
