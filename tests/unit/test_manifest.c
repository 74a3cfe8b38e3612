/* sandbox/manifest*.c and fd_facts.c: what is written is read back, and nothing else is read; what
 * a descriptor is. */
#include "sandbox/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct manifest made(void)
{
	struct manifest m = {
		.name = "web",
		.pair = "c1,c1023",
		.missing = 5,
		.launcher = 70,
		.launcher_start = 1234567,
		.host_namespace = { 1, 2, 3, 4, 5, 6, 4026531835u },
		.cgroup = { .path = "/pavise/c1.c1023" },
		.count = 2,
	};
	struct manifest_process *p = &m.process[1];

	manifest_limits(&m.cgroup, "memory.max", "134217728");
	manifest_limits(&m.cgroup, "memory.swap.max", "0");
	m.process[0] = (struct manifest_process){ .role = "vtpm",
						  .pid = 71,
						  .start = 1,
						  .foreign = true,
						  .program = "fe00:1",
						  .uid = 0xfffffffe };
	*p = (struct manifest_process){
		.role = "vmm",
		.pid = 72,
		.start = 99,
		.uid = 1879048192,
		.gid = 1879048192,
		.label = "system_u:system_r:pavise_vmm_t:s0:c1,c1023",
		.program = "fe00:ffffffffffffffff",
		.filters = 2,
		.rlimit = { 1ull << 62, 64, 4, 0, 65536, 0 },
		.fd_count = 2,
		.fd = { { 0,
			  { "regular", "a", "fe00:2",
			    "system_u:object_r:pavise_log_t:s0:c1,c1023" } },
			{ 4, { "kvm", "rw", "6:52", "" } } },
	};
	snprintf(p->cgroup.path, sizeof(p->cgroup.path), "/pavise/c1.c1023/vmm");
	manifest_makes(p, "kvm-vm", 1, "");
	manifest_makes(p, "memfd", 8, "1:2");
	return m;
}

static char folder[] = "/tmp/pavise-manifest.XXXXXX";

static char *text_of(const struct manifest *m)
{
	char *text = calloc(1, MANIFEST_SIZE_MAX + 1);
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };
	struct stat st;

	assert_int_equal(manifest_write(m, dir, &e), 0);
	int fd = openat(dir, MANIFEST_FILE, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	assert_true(read(fd, text, MANIFEST_SIZE_MAX) > 0);
	/* Never over another: a folder that has one is not new. */
	assert_int_equal(manifest_write(m, dir, &e), -EX_HOST);
	assert_int_equal(unlinkat(dir, MANIFEST_FILE, 0), 0);
	close(fd);
	close(dir);
	return text;
}

static void round_trip(void **state)
{
	static struct manifest m, back;
	struct err e = { 0 };

	(void)state;
	m = made();
	char *text = text_of(&m);
	assert_int_equal(manifest_parse(text, strlen(text), &back, &e), 0);
	assert_memory_equal(&m, &back, sizeof(m));
	free(text);
}

/* Every key, taken away or given twice or of another type, and one too many: in every object. */
static void refused(json_t *whole, const char *what)
{
	static struct manifest back;
	struct err e = { 0 };
	char *text = json_dumps(whole, 0);

	if (manifest_parse(text, strlen(text), &back, &e) != -EX_MALFORMED)
		fail_msg("%s: taken", what);
	free(text);
}

static bool optional(const char *key)
{
	return strcmp(key, "label") == 0 || strcmp(key, "cgroup") == 0 ||
	       strcmp(key, "file") == 0 || strncmp(key, "memory.", 7) == 0;
}

static void change(json_t *whole, json_t *at)
{
	char *keys[32] = { NULL };
	size_t count = 0;

	if (json_is_array(at))
		for (size_t i = 0; i < json_array_size(at); i++)
			change(whole, json_array_get(at, i));
	if (!json_is_object(at))
		return;
	for (void *it = json_object_iter(at); it != NULL; it = json_object_iter_next(at, it))
		keys[count++] = strdup(json_object_iter_key(it));
	for (size_t i = 0; i < count; i++) {
		char *name = keys[i];
		json_t *value = json_incref(json_object_get(at, name));
		change(whole, value);
		json_object_del(at, name);
		if (!optional(name))
			refused(whole, name);
		json_object_set_new(at, name, json_null());
		refused(whole, name);
		json_object_set_new(at, name, json_real(1.5));
		refused(whole, name);
		json_object_set_new(at, name, json_integer(-1));
		refused(whole, name);
		json_object_set(at, name, value);
		json_decref(value);
		free(name);
	}
}

static void every_key_counts(void **state)
{
	static struct manifest m;

	(void)state;
	m = made();
	char *text = text_of(&m);
	json_t *whole = json_loads(text, 0, NULL);
	change(whole, whole);
	json_object_set_new(whole, "more", json_integer(1));
	refused(whole, "unknown key");
	json_decref(whole);
	free(text);
}

static void wrong_values(void **state)
{
	static const char *const changes[][2] = {
		{ "\"web\"", "\"../web\"" },
		{ "\"web\"", "\"\"" },
		{ "\"c1,c1023\"", "\"c1023,c1\"" },
		{ "\"c1,c1023\"", "\"c1\"" },
		{ "\"degraded\"", "\"auto\"" },
		{ "\"labels\"", "\"walls\"" },
		{ "\"version\": 0", "\"version\": 1" },
		{ "pavise-manifest", "pavise-other" },
		{ "\"pid\": 72", "\"pid\": 71" },
		{ "\"pid\": 72", "\"pid\": 0" },
		{ "\"pid\": 72", "\"pid\": 4294967296" },
		{ "\"number\": 4", "\"number\": 0" },
		{ "\"memory.max\"", "\"../../evil\"" },
		{ "\"memory.max\"", "\".\"" },
		{ "/pavise/c1.c1023/vmm", "/pavise/../vmm" },
		{ "/pavise/c1.c1023/vmm", "pavise" },
		{ "\"kvm\"", "\"kvm\\u001b\"" },
		{ "\"kvm\"", "\"a kind that is far too long\"" },
		{ "\"kvm\"", "\"k v\"" },
	};
	static struct manifest m, back;

	(void)state;
	m = made();
	char *text = text_of(&m);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct err e = { 0 };
		char *at = strstr(text, changes[i][0]), *other;
		assert_non_null(at);
		assert_true(asprintf(&other, "%.*s%s%s", (int)(at - text), text, changes[i][1],
				     at + strlen(changes[i][0])) > 0);
		if (manifest_parse(other, strlen(other), &back, &e) != -EX_MALFORMED)
			fail_msg("%s taken", changes[i][1]);
		free(other);
	}
	for (size_t n = 0; n < strlen(text) - 1; n += 7) {
		struct err e = { 0 };
		assert_int_equal(manifest_parse(text, n, &back, &e), -EX_MALFORMED);
	}
	free(text);
}

/* ---- descriptors of this process ------------------------------------------------------------- */

static void is(int self, int fd, const char *kind, const char *access)
{
	struct err e = { 0 };
	struct fd_facts f;
	struct stat st;
	char id[FILE_ID_MAX];

	assert_true(fd >= 0);
	assert_int_equal(fd_facts_read(self, (unsigned)fd, false, &f, &e), 0);
	assert_string_equal(f.kind, kind);
	assert_string_equal(f.access, access);
	assert_int_equal(fstat(fd, &st), 0);
	file_id(&st, id);
	assert_string_equal(f.file, id);
	assert_string_equal(f.label, "");
	close(fd);
}

static void kinds(void **state)
{
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC), pair[2], ends[2];
	char path[80];

	(void)state;
	is(self, memfd_create("anon_inode:[eventfd]", 0), "memfd", "rw");
	is(self, memfd_create("x\nflags:\t02\n", 0), "memfd", "rw");
	is(self, eventfd(0, 0), "eventfd", "rw");
	is(self, epoll_create1(0), "eventpoll", "rw");
	is(self, open("/dev/null", O_RDONLY), "null", "r");
	is(self, open("/dev/zero", O_WRONLY), "device", "w");
	is(self, open("/tmp", O_RDONLY | O_DIRECTORY), "directory", "r");
	is(self, open("/tmp", O_PATH), "directory", "-");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	is(self, pair[0], "socket", "rw");
	close(pair[1]);
	assert_int_equal(pipe(ends), 0);
	is(self, ends[0], "pipe", "r");
	is(self, ends[1], "pipe", "w");
	snprintf(path, sizeof(path), "%s/memfd:x", folder);
	is(self, open(path, O_WRONLY | O_APPEND | O_CREAT, 0600), "regular", "a");
	unlink(path);
	/* A name may hold what it likes. */
	snprintf(path, sizeof(path), "%s/x\nflags:\t0", folder);
	is(self, open(path, O_RDWR | O_CREAT, 0600), "regular", "rw");
	unlink(path);

	struct err e = { 0 };
	struct fd_facts f;
	assert_int_equal(fd_facts_read(self, 900, false, &f, &e), -EX_BUSY);
	close(self);
}

static void flags_of_a_descriptor(void **state)
{
	char out[4];

	(void)state;
	assert_true(fd_access("pos:\t0\nflags:\t0102002\nmnt_id:\t1\n", out));
	assert_string_equal(out, "rw");
	assert_false(fd_access("pos:\t0\nflags:\tx\n", out));
	assert_false(fd_access("pos:\t0\n", out));
	assert_false(fd_access("xflags:\t0\n", out));
	assert_false(fd_access("flags:\t02", out));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_key_counts),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(kinds),
		cmocka_unit_test(flags_of_a_descriptor),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
