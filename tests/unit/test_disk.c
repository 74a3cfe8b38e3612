/* Taking disk images. Locks are the kernel's; labels are real extended attributes, which root may
 * write on a kernel without SELinux too: nothing is enforced here, what counts is what is written. */
#include "sandbox/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#define XATTR "security.selinux"
#define PRIVATE "system_u:object_r:pavise_image_t:s0"
#define SHARED "system_u:object_r:pavise_image_ro_t:s0"

static char folder[64], image[128];
static bool labels_work;

/* Labels of the VM with this level. */
static struct labels labels_at(const char *level)
{
	struct labels l;

	memset(&l, 0, sizeof(l));
	l.on = true;
	snprintf(l.image, LABEL_MAX, "unconfined_u:object_r:pavise_image_t:%s", level);
	snprintf(l.image_ro, LABEL_MAX, "unconfined_u:object_r:pavise_image_ro_t:%s", level);
	return l;
}

static void set_label(const char *label)
{
	assert_int_equal(setxattr(image, XATTR, label, strlen(label) + 1, 0), 0);
}

static void assert_label(const char *label)
{
	char now[LABEL_MAX] = "";

	assert_true(getxattr(image, XATTR, now, sizeof(now) - 1) > 0);
	assert_string_equal(now, label);
}

static int make_image(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pavise-disk.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(image, sizeof(image), "%s/image", folder);
	int fd = open(image, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return 1;
	close(fd);
	labels_work = setxattr(image, XATTR, PRIVATE, sizeof(PRIVATE), 0) == 0;
	return 0;
}

static int drop_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int drop_image(void **state)
{
	(void)state;
	return nftw(folder, drop_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void need_labels(void)
{
	if (!labels_work) {
		print_message("# SKIP security labels cannot be written by this user, or on this kernel\n");
		skip();
	}
}

static struct disk opened(bool readonly)
{
	struct disk d = { .fd = open(image, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC),
			  .readonly = readonly };
	struct err e = { 0 };

	assert_int_equal(disk_check("disk 0", &d, &e), 0);
	return d;
}

/* What disk_take says of it, and in `say` why. */
static int take(struct disk *d, const struct labels *l, const char *say)
{
	struct mcs_table t;
	struct err e = { 0 };
	char pairs[96];

	snprintf(pairs, sizeof(pairs), "%s/.pairs", folder);
	assert_int_equal(mcs_open(pairs, MCS_CATEGORIES, &t, &e), 0);
	int rc = disk_take("disk 0", d, l, &t, &e);
	mcs_close(&t);
	if (rc != 0 && strstr(e.text, say) == NULL)
		fail_msg("wanted '%s', got '%s'", say, e.text);
	return rc;
}

static int label(struct disk *d, const struct labels *l)
{
	struct err e = { 0 };

	return disk_label("disk 0", d, l, &e);
}

static void restore(struct disk *d, const struct labels *l)
{
	struct err e = { 0 };

	assert_int_equal(disk_restore("disk 0", d, l, &e), 0);
	close(d->fd);
}

static void the_same_file_by_any_way(void **state)
{
	struct disk a = opened(false), b = opened(true), c;
	char link_path[160];

	(void)state;
	assert_true(disk_same(&a, &b));
	snprintf(link_path, sizeof(link_path), "%s/hard", folder);
	assert_int_equal(link(image, link_path), 0);
	c = (struct disk){ .fd = open(link_path, O_RDWR | O_CLOEXEC) };
	assert_int_equal(disk_check("disk 1", &c, &(struct err){ 0 }), 0);
	assert_true(disk_same(&a, &c));
	close(c.fd);
	snprintf(link_path, sizeof(link_path), "%s/other", folder);
	c.fd = open(link_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(c.fd, 4096), 0);
	assert_int_equal(disk_check("disk 1", &c, &(struct err){ 0 }), 0);
	assert_false(disk_same(&a, &c));
	close(a.fd);
	close(b.fd);
	close(c.fd);
}

/* Without labels: many readers or one writer, whoever comes first. */
static void locks_without_labels(void **state)
{
	struct labels none;
	struct disk a = opened(true), b = opened(true), w = opened(false), w2 = opened(false);

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(take(&a, &none, ""), 0);
	assert_int_equal(take(&b, &none, ""), 0);
	assert_int_equal(take(&w, &none, "in use"), -EX_BUSY);
	restore(&a, &none);
	restore(&b, &none);
	assert_int_equal(take(&w, &none, ""), 0);
	assert_int_equal(take(&w2, &none, "in use"), -EX_BUSY);
	a = opened(true);
	assert_int_equal(take(&a, &none, "in use"), -EX_BUSY);
	close(a.fd);
	restore(&w, &none);
	close(w2.fd);
}

/* The lock is the opening's, which is the caller's and may live on. */
static void the_lock_goes_with_the_vm(void **state)
{
	struct labels none;
	struct disk a = opened(false), b = opened(false);
	struct err e = { 0 };

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(take(&a, &none, ""), 0);
	assert_int_equal(disk_restore("disk 0", &a, &none, &e), 0);
	assert_int_equal(take(&b, &none, ""), 0);
	/* One that was refused has no lock to lose either. */
	assert_int_equal(take(&a, &none, "in use"), -EX_BUSY);
	restore(&a, &none);
	assert_int_equal(flock(b.fd, LOCK_EX | LOCK_NB), 0);
	restore(&b, &none);
}

static void labelled_and_back(void **state)
{
	struct labels l = labels_at("s0:c1,c2");
	struct disk d = opened(false);

	(void)state;
	need_labels();
	assert_int_equal(take(&d, &l, ""), 0);
	assert_label(PRIVATE); /* not before its record is written */
	assert_int_equal(label(&d, &l), 0);
	assert_label(l.image);
	restore(&d, &l);
	assert_label(PRIVATE);
	d = opened(true);
	assert_int_equal(take(&d, &l, ""), 0);
	assert_int_equal(label(&d, &l), 0);
	assert_label(l.image_ro);
	restore(&d, &l);
	assert_label(PRIVATE);
}

/* A private image bears one VM's label: so it is one VM's, if it only reads. */
static void a_private_image_has_one_vm(void **state)
{
	struct labels l = labels_at("s0:c1,c2"), other = labels_at("s0:c3,c4");

	(void)state;
	need_labels();
	for (int first = 0; first < 2; first++)
		for (int second = 0; second < 2; second++) {
			struct disk a = opened(first != 0), b = opened(second != 0);
			assert_int_equal(take(&a, &l, ""), 0);
			assert_int_equal(take(&b, &other, "in use"), -EX_BUSY);
			assert_false(b.locked);
			assert_int_equal(label(&b, &other), 0);
			assert_label(PRIVATE); /* by neither */
			restore(&a, &l);
			close(b.fd);
		}
}

static void shared_content_keeps_its_label(void **state)
{
	struct labels l = labels_at("s0:c1,c2"), other = labels_at("s0:c3,c4");

	(void)state;
	need_labels();
	set_label(SHARED);
	struct disk a = opened(true), b = opened(true), w = opened(false);
	assert_int_equal(take(&a, &l, ""), 0);
	assert_int_equal(take(&b, &other, ""), 0);
	assert_int_equal(label(&a, &l), 0);
	assert_int_equal(label(&b, &other), 0);
	assert_label(SHARED);
	restore(&a, &l);
	restore(&b, &other);
	assert_int_equal(take(&w, &l, "content that VMs share"), -EX_USAGE_ERROR);
	close(w.fd);
	assert_label(SHARED);
}

/* A pair that nobody holds is what a crash left; one that somebody holds is a VM. */
static void stale_categories(void **state)
{
	struct labels l = labels_at("s0:c1,c2");
	char pairs[96], text[LABEL_MAX];
	struct mcs_table t;
	struct mcs_pair held;
	struct err e = { 0 };

	(void)state;
	need_labels();
	struct disk d = opened(false);
	snprintf(pairs, sizeof(pairs), "%s/.pairs", folder);
	assert_int_equal(mcs_open(pairs, MCS_CATEGORIES, &t, &e), 0);
	assert_int_equal(mcs_allocate(&t, "vm", NULL, NULL, &held, &e), 0);
	snprintf(text, sizeof(text), "system_u:object_r:pavise_image_t:s0:c%u,c%u", held.low,
		 held.high);
	set_label(text);
	assert_int_equal(take(&d, &l, "another VM uses it"), -EX_BUSY);
	assert_false(d.locked);
	assert_label(text);
	mcs_release(&t, &held);
	mcs_close(&t);
	snprintf(text, sizeof(text), "system_u:object_r:pavise_image_ro_t:s0:c%u,c%u", held.low,
		 held.high);
	set_label(text);
	assert_int_equal(take(&d, &l, ""), 0);
	restore(&d, &l);
	assert_label(PRIVATE);
}

static void other_labels_are_refused(void **state)
{
	static const char *const wrong[] = {
		"system_u:object_r:var_lib_t:s0", "system_u:object_r:pavise_ram_t:s0", "nonsense",
	};
	static const char *const taken[] = {
		"system_u:object_r:pavise_image_t:s0-s0:c0.c1023",
		"system_u:object_r:pavise_image_t:s0:c1", "system_u:object_r:pavise_image_t:s0:c2,c1",
		"system_u:object_r:pavise_image_t:s0:c1,c2,c3",
	};
	struct labels l = labels_at("s0:c1,c2");

	(void)state;
	need_labels();
	struct disk d = opened(false);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_label(wrong[i]);
		assert_int_equal(take(&d, &l, "not pavise_image_t"), -EX_HOST);
		assert_label(wrong[i]);
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		set_label(taken[i]);
		assert_int_equal(take(&d, &l, "another VM uses it"), -EX_BUSY);
		assert_label(taken[i]);
	}
	close(d.fd);
}

#define WITH_IMAGE(f) cmocka_unit_test_setup_teardown(f, make_image, drop_image)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_IMAGE(the_same_file_by_any_way),
		WITH_IMAGE(locks_without_labels),
		WITH_IMAGE(the_lock_goes_with_the_vm),
		WITH_IMAGE(labelled_and_back),
		WITH_IMAGE(a_private_image_has_one_vm),
		WITH_IMAGE(shared_content_keeps_its_label),
		WITH_IMAGE(stale_categories),
		WITH_IMAGE(other_labels_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
