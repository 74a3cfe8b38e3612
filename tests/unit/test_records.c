/* The texts of audit records: what a reader of them finds, and that no value ends its field. */
#include "sandbox/records_dead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UUID "01234567-89ab-4cde-8f01-23456789abcd"

static const struct records_subject web = { .name = "web", .uuid = UUID };
static const char subject[] = " vm=\"web\" uuid=" UUID;

static char text[RECORDS_TEXT_MAX];

static void expect(int rc, const char *head, const char *tail)
{
	char want[RECORDS_TEXT_MAX];

	assert_int_equal(rc, 0);
	snprintf(want, sizeof(want), "%s%s%s", head, subject, tail);
	assert_string_equal(text, want);
}

static void start_and_stop(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect(records_text_control(&web, "start", "booted", 4711, text, &e),
	       "virt=kvm op=start reason=booted", " vm-pid=4711");
	expect(records_text_control(&web, "stop", "shutdown", 0, text, &e),
	       "virt=kvm op=stop reason=shutdown", " vm-pid=0");
}

static void amounts(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect(records_text_amount(&web, "mem", 0, 524288, text, &e),
	       "virt=kvm resrc=mem reason=start", " old-mem=0 new-mem=524288");
	expect(records_text_amount(&web, "vcpu", 0, 2, text, &e),
	       "virt=kvm resrc=vcpu reason=start", " old-vcpu=0 new-vcpu=2");
	expect(records_text_amount(&web, "mem", 0, UINT64_MAX, text, &e),
	       "virt=kvm resrc=mem reason=start", " old-mem=0 new-mem=18446744073709551615");
}

/* As ausearch(8) reads them: quoted when harmless, else hexadecimal of every byte. */
static void values(void **state)
{
	static const struct {
		const char *value, *field;
	} rows[] = {
		{ "/var/lib/pavise/a.img", "\"/var/lib/pavise/a.img\"" },
		{ "?", "\"?\"" },
		{ "a b", "612062" },
		{ "a\" res=failed vm=\"x", "6122207265733D6661696C656420766D3D2278" },
		{ "a\nb", "610A62" },
		{ "a\tb\x7f", "6109627F" },
		{ "\xc3\xa9", "C3A9" },
		{ "\xff", "FF" },
		{ "a'b", "\"a'b\"" },
	};
	char tail[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };

		snprintf(tail, sizeof(tail), " old-disk=\"?\" new-disk=%s", rows[i].field);
		expect(records_text_resource(&web, "disk", "?", rows[i].value, text, &e),
		       "virt=kvm resrc=disk reason=start", tail);
	}
}

static void labels(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect(records_text_machine(&web, "u:r:pavise_vmm_t:s0:c1,c2",
				    "u:object_r:pavise_image_t:s0:c1,c2", text, &e),
	       "virt=kvm", " vm-ctx=u:r:pavise_vmm_t:s0:c1,c2"
	       " img-ctx=u:object_r:pavise_image_t:s0:c1,c2 model=selinux");
	expect(records_text_machine(&web, "u:r:t:s0 res=failed", "a\nb", text, &e),
	       "virt=kvm", " vm-ctx=753A723A743A7330207265733D6661696C6564 img-ctx=610A62"
	       " model=selinux");
}

/* Every byte that may stand in a path: one field, one value. */
static void no_byte_ends_a_field(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char value[4] = { 'a', (char)c, 'b', '\0' };
		struct err e = { 0 };

		assert_int_equal(records_text_resource(&web, "disk", "?", value, text, &e), 0);
		const char *field = strstr(text, " new-disk=") + strlen(" new-disk=");
		size_t size = strlen(field);
		if (field[0] == '"') {
			assert_int_equal(size, 5);
			assert_memory_equal(field + 1, value, 3);
			assert_int_equal(field[4], '"');
			assert_true(c != '"' && c > 0x20 && c < 0x7F);
		} else {
			char want[8];
			snprintf(want, sizeof(want), "61%02X62", (unsigned)c);
			assert_string_equal(field, want);
		}
	}
}

static void too_long(void **state)
{
	char value[RECORDS_PATH_MAX + 1];
	struct err e = { 0 };

	(void)state;
	memset(value, ' ', sizeof(value));
	value[RECORDS_PATH_MAX - 1] = '\0';
	assert_int_equal(records_text_resource(&web, "disk", "?", value, text, &e), 0);
	value[RECORDS_PATH_MAX - 1] = ' ';
	value[RECORDS_PATH_MAX] = '\0';
	assert_int_equal(records_text_resource(&web, "disk", "?", value, text, &e), -EX_INTERNAL);
	assert_string_equal(text, "");
	e = (struct err){ 0 };
	assert_int_equal(records_text_machine(&web, value, "x", text, &e), -EX_INTERNAL);
	/* Two that fit alone. */
	e = (struct err){ 0 };
	value[RECORDS_PATH_MAX - 1] = '\0';
	assert_int_equal(records_text_resource(&web, "disk", value, value, text, &e),
			 -EX_INTERNAL);
}

static void subjects_differ(void **state)
{
	struct records_subject a, b;
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(records_subject_make(&a, "web", &e), 0);
		assert_int_equal(records_subject_make(&b, "web", &e), 0);
		assert_string_not_equal(a.uuid, b.uuid);
		assert_int_equal(strlen(a.uuid), 36);
		assert_int_equal(strspn(a.uuid, "0123456789abcdef-"), 36);
		for (size_t at = 0; at < 36; at++)
			assert_int_equal(a.uuid[at] == '-',
					 at == 8 || at == 13 || at == 18 || at == 23);
		assert_int_equal(a.uuid[14], '4');
		assert_non_null(strchr("89ab", a.uuid[19]));
	}
}

/* The folder of a VM that was killed: its UUID, once; anything else is not written anywhere. */
static void the_dead(void **state)
{
	static const char *const odd[] = { "x", "01234567-89ab-4cde-8f01-23456789abc\"",
					   UUID "0", "01234567-89ab-4cde-8f01-23456789ab d" };
	char path[] = "/tmp/pavise-records.XXXXXX", read[64];
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(path));
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(records_dead(folder, "web", &e), 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(symlinkat(odd[i], folder, "uuid"), 0);
		assert_int_equal(records_dead(folder, "web", &e), 0);
		assert_int_equal(readlinkat(folder, "uuid", read, sizeof(read)), strlen(odd[i]));
		assert_int_equal(unlinkat(folder, "uuid", 0), 0);
	}
	assert_int_equal(records_dead_prepare(folder, &web, &e), 0);
	assert_int_equal(readlinkat(folder, "uuid", read, sizeof(read)), 36);
	assert_memory_equal(read, UUID, 36);
	assert_int_equal(records_dead_prepare(folder, &web, &e), -EX_HOST);
	unlinkat(folder, "uuid", 0);
	close(folder);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_and_stop),
		cmocka_unit_test(amounts),
		cmocka_unit_test(values),
		cmocka_unit_test(labels),
		cmocka_unit_test(no_byte_ends_a_field),
		cmocka_unit_test(too_long),
		cmocka_unit_test(subjects_differ),
		cmocka_unit_test(the_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
