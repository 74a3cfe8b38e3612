/* pavise doctor on hosts that have everything, nothing, or all but one thing. */
#include "tests/unit/fake_host.h"

#include "common/kvm_uapi.h"

#include <errno.h>
#include <jansson.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#define ROWS_MAX 64

static struct doctor_finding finding[ROWS_MAX];

static struct doctor_result examine(struct fake_host *f, unsigned kinds, bool degraded)
{
	struct doctor_host h = fake_doctor_host(f);
	struct doctor_result r = { .kinds = kinds, .degraded = degraded, .finding = finding };

	assert_true(doctor_row_count <= ROWS_MAX);
	doctor_examine(&h, &r);
	assert_int_equal(f->descriptors, 0);
	return r;
}

static size_t row_named(const char *id)
{
	for (size_t i = 0; i < doctor_row_count; i++)
		if (strcmp(doctor_rows[i].id, id) == 0)
			return i;
	fail_msg("no row %s", id);
	return 0;
}

static enum doctor_state state_of(const char *id)
{
	return finding[row_named(id)].state;
}

/* Exactly these rows of the kinds are not found; ids divided by blanks. */
static void assert_lacking(unsigned kinds, const char *ids)
{
	char padded[1024], one[64];

	snprintf(padded, sizeof(padded), " %s ", ids);
	for (size_t i = 0; i < doctor_row_count; i++) {
		if ((doctor_rows[i].kinds & kinds) == 0)
			continue;
		snprintf(one, sizeof(one), " %s ", doctor_rows[i].id);
		bool expected = strstr(padded, one) != NULL;
		if (expected != (finding[i].state != DOCTOR_FOUND))
			fail_msg("%s: %s", doctor_rows[i].id, finding[i].detail);
	}
}

static char *text_of(const struct doctor_result *r)
{
	char *text = NULL;
	size_t size = 0;
	struct err e = { 0 };
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(doctor_print_text(r, out, &e), 0);
	fclose(out);
	return text;
}

/* ---- whole hosts --------------------------------------------------------------------------- */

static void amd_host_is_ready(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	struct doctor_result r = examine(&f, KIND_PLAIN | KIND_SNP | KIND_SIM, false);
	assert_lacking(r.kinds, "");
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 0);
	assert_int_equal(doctor_lacks(&r, KIND_SNP), 0);
	assert_int_equal(doctor_lacks(&r, KIND_SIM), 0);
	char *text = text_of(&r);
	assert_non_null(strstr(text, "\nplain: ready\nsnp: ready\nsim: ready\n"));
	assert_null(strstr(text, "missing"));
	free(text);
}

static void intel_host_is_ready(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_INTEL);
	struct doctor_result r = examine(&f, KIND_PLAIN | KIND_TDX, false);
	assert_lacking(r.kinds, "");
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 0);
	assert_int_equal(doctor_lacks(&r, KIND_TDX), 0);
}

static void host_with_nothing(void **state)
{
	struct fake_host f = { .api = -ENOTTY, .vendor = FAKE_INTEL,
			       .feature = { -ENOSYS, -ENOSYS, -ENOSYS, -ENOSYS } };

	(void)state;
	struct doctor_result r = examine(&f, KINDS_ALL, false);
	for (size_t i = 0; i < doctor_row_count; i++)
		if (strcmp(doctor_rows[i].id, "tdx-hibernation") != 0)
			assert_int_equal(finding[i].state, DOCTOR_MISSING);
	for (unsigned k = 0; k < KIND_COUNT; k++)
		assert_true(doctor_lacks(&r, 1u << k) > 0);
}

/* Linux 6.1 as Debian 12 has it, on a processor with SEV-SNP. */
static void old_kernel(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	f.feature[FEATURE_LSM_SELF] = -ENOSYS;
	f.feature[FEATURE_MEMFD_NOEXEC] = -EINVAL;
	f.feature[FEATURE_LANDLOCK] = 2;
	for (unsigned i = 231; i < FAKE_CAPS; i++)
		f.caps[i] = 0;
	fake_file(&f, "/sys/module/kvm_amd/parameters/sev_snp")->rc = -ENOENT;
	f.platform_rc = -EINVAL;
	struct doctor_result r = examine(&f, KIND_PLAIN | KIND_SNP, false);
	assert_lacking(r.kinds, "memfd-noexec lsm-self-attr vm-guest-memfd vm-attributes "
				"snp-parameters snp-vm-type snp-platform");
}

/* CPUID still says SEV-SNP, the kernel found no RMP. */
static void snp_disabled_in_bios(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	fake_file(&f, "/sys/module/kvm_amd/parameters/sev_snp")->text = "N\n";
	f.caps[UAPI_CAP_VM_TYPES] = 0x0d;
	f.state = f.rmp = 0;
	struct doctor_result r = examine(&f, KIND_PLAIN | KIND_SNP, false);
	assert_lacking(r.kinds, "snp-parameters snp-vm-type snp-platform");
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 0);
	char *text = text_of(&r);
	assert_non_null(strstr(text, "the RMP is not set up; fix: enable SEV-SNP in the BIOS"));
	free(text);
}

static void without_root(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	fake_file(&f, "/dev/kvm")->rc = -EACCES;
	fake_file(&f, "/dev/sev")->rc = -EACCES;
	f.knows = -EACCES;
	struct doctor_result r = examine(&f, KIND_PLAIN | KIND_SNP | KIND_SIM, false);
	static const char *const unseen[] = { "kvm-device", "kvm-api", "kvm-capabilities",
					      "snp-device", "snp-platform", "snp-vm-type",
					      "sim-address-bit", "selinux-policy" };
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		assert_int_equal(state_of(unseen[i]), DOCTOR_UNKNOWN);
	/* What could not be seen is not ready. */
	assert_true(doctor_lacks(&r, KIND_PLAIN) > 0);
	char *text = text_of(&r);
	assert_non_null(strstr(text, "  unknown  kvm-device: /dev/kvm: Permission denied; "
				     "run doctor as root to look"));
	free(text);
}

static void degraded_does_without_selinux(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	f.selinux = SELINUX_ABSENT;
	struct doctor_result r = examine(&f, KIND_PLAIN, false);
	assert_lacking(r.kinds, "selinux selinux-mcs selinux-policy selinux-walls selinux-labels");
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 5);
	r = examine(&f, KIND_PLAIN, true);
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 0);
	char *text = text_of(&r);
	assert_non_null(strstr(text, "missing  selinux (advised): SELinux is not active; fix: boot "
				     "with SELinux enforcing, or start machines with --isolation "
				     "degraded\n"));
	assert_non_null(strstr(text, "\nplain: ready (isolation degraded)\n"));
	free(text);
	/* It excuses nothing else. */
	f.feature[FEATURE_LANDLOCK] = -EOPNOTSUPP;
	r = examine(&f, KIND_PLAIN, true);
	assert_int_equal(doctor_lacks(&r, KIND_PLAIN), 1);
}

/* ---- each row ------------------------------------------------------------------------------ */

/* One thing that is wrong, by which the row must be missing. */
static const struct fault {
	const char *id;
	enum { GONE, TEXT, LABEL, MODE, CAP, NUMBER, TYPE } what;
	const char *path, *text;
	size_t place; /* of a number in struct fake_host, or which capability */
	int value;
	enum fake_vendor vendor;
} faults[] = {
#define NUMBER_AT(member) NUMBER, NULL, NULL, offsetof(struct fake_host, member)
	{ "kvm-device", GONE, "/dev/kvm", NULL, 0, -ENODEV, FAKE_AMD },
	{ "kvm-api", NUMBER_AT(api), 11, FAKE_AMD },
	{ "kvm-api", NUMBER_AT(api), -ENOTTY, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_USER_MEMORY, 0, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_SPLIT_IRQCHIP, 0, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_SIGNAL_MSI, 0, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_IRQFD, 0, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_IOEVENTFD, 0, FAKE_AMD },
	{ "kvm-capabilities", CAP, NULL, NULL, KVM_CAP_IMMEDIATE_EXIT, 0, FAKE_AMD },
	{ "programs", GONE, "/p/pavise-launch", NULL, 0, -ENOENT, FAKE_AMD },
	{ "programs", GONE, "/p/pavise-dev", NULL, 0, -ENOENT, FAKE_AMD },
	{ "programs", MODE, "/p/pavise-vmm", NULL, 0, S_IFREG | 0644, FAKE_AMD },
	{ "memfd-noexec", NUMBER_AT(feature[FEATURE_MEMFD_NOEXEC]), -EINVAL, FAKE_AMD },
	{ "landlock", NUMBER_AT(feature[FEATURE_LANDLOCK]), -EOPNOTSUPP, FAKE_AMD },
	{ "landlock", NUMBER_AT(feature[FEATURE_LANDLOCK]), 0, FAKE_AMD },
	{ "seccomp", NUMBER_AT(feature[FEATURE_SECCOMP]), -EOPNOTSUPP, FAKE_AMD },
	{ "namespaces", GONE, "/proc/self/ns/user", NULL, 0, -ENOENT, FAKE_AMD },
	{ "namespaces", TEXT, "/proc/sys/user/max_user_namespaces", "0\n", 0, 0, FAKE_AMD },
	{ "swtpm", GONE, "/usr/bin/swtpm", NULL, 0, -ENOENT, FAKE_AMD },
	{ "merged-usr", GONE, "/usr/lib64/ld-linux-x86-64.so.2", NULL, 0, -ENOENT, FAKE_AMD },
	{ "memory", TEXT, "/proc/meminfo", "MemAvailable: 524287 kB\n", 0, 0, FAKE_AMD },
	{ "memory", TEXT, "/proc/meminfo", "nothing\n", 0, 0, FAKE_AMD },
	{ "cgroup-v2", GONE, "/sys/fs/cgroup/cgroup.controllers", NULL, 0, -ENOENT, FAKE_AMD },
	{ "cgroup-v2", TEXT, "/sys/fs/cgroup/cgroup.controllers", "cpu io pids\n", 0, 0, FAKE_AMD },
	{ "cgroup-v2", TEXT, "/sys/fs/cgroup/cgroup.controllers", "memory\n", 0, 0, FAKE_AMD },
	{ "selinux", NUMBER_AT(selinux), SELINUX_ABSENT, FAKE_AMD },
	{ "selinux", NUMBER_AT(selinux), SELINUX_PERMISSIVE, FAKE_AMD },
	{ "selinux-mcs", NUMBER_AT(mcs), 0, FAKE_AMD },
	{ "lsm-self-attr", NUMBER_AT(feature[FEATURE_LSM_SELF]), -ENOSYS, FAKE_AMD },
	{ "selinux-policy", TYPE, NULL, "pavise_launch_t", 0, 0, FAKE_AMD },
	{ "selinux-policy", TYPE, NULL, "pavise_vtpm_t", 0, 0, FAKE_AMD },
	{ "selinux-walls", NUMBER_AT(walls), 1, FAKE_AMD },
	{ "selinux-walls", TYPE, NULL, "pavise_vmm_t", 0, 0, FAKE_AMD },
	{ "selinux-labels", LABEL, "/p/pavise-vmm", "u:r:bin_t:s0", 0, 0, FAKE_AMD },
	{ "selinux-labels", LABEL, "/usr/bin/swtpm", "u:r:bin_t:s0", 0, 0, FAKE_AMD },
	{ "vm-guest-memfd", CAP, NULL, NULL, UAPI_CAP_GUEST_MEMFD, 0, FAKE_AMD },
	{ "vm-attributes", CAP, NULL, NULL, UAPI_CAP_MEMORY_ATTRIBUTES, 1, FAKE_AMD },
	{ "vm-hypercall", CAP, NULL, NULL, UAPI_CAP_EXIT_HYPERCALL, 1, FAKE_AMD },
	{ "snp-cpu", NUMBER_AT(vendor), FAKE_INTEL, FAKE_AMD },
	{ "snp-cpu", NUMBER_AT(sev_eax), 0x0f, FAKE_AMD },
	{ "snp-asids", NUMBER_AT(sev_edx), 1, FAKE_AMD },
	{ "snp-iommu", TEXT, "/proc/cmdline", "ro iommu=pt\n", 0, 0, FAKE_AMD },
	{ "snp-iommu", TEXT, "/proc/cmdline", "amd_iommu=force_enable,pgtbl_v2", 0, 0, FAKE_AMD },
	{ "snp-iommu", TEXT, "/proc/cmdline", "a iommu.passthrough=1 b", 0, 0, FAKE_AMD },
	{ "snp-parameters", TEXT, "/sys/module/kvm_amd/parameters/npt", "N\n", 0, 0, FAKE_AMD },
	{ "snp-parameters", TEXT, "/sys/module/kvm_amd/parameters/sev_es", "0\n", 0, 0, FAKE_AMD },
	{ "snp-parameters", TEXT, "/sys/module/kvm_amd/parameters/sev_snp", "", 0, 0, FAKE_AMD },
	{ "snp-vm-type", CAP, NULL, NULL, UAPI_CAP_VM_TYPES, 0x0f, FAKE_AMD },
	{ "snp-device", GONE, "/dev/sev", NULL, 0, -ENOENT, FAKE_AMD },
	{ "snp-platform", NUMBER_AT(platform_rc), -EIO, FAKE_AMD },
	{ "snp-platform", NUMBER_AT(api_minor), 50, FAKE_AMD },
	{ "snp-platform", NUMBER_AT(state), 0, FAKE_AMD },
	{ "snp-platform", NUMBER_AT(rmp), 0, FAKE_AMD },
	{ "tdx-cpu", NUMBER_AT(vendor), FAKE_AMD, FAKE_INTEL },
	{ "tdx-cpu", TEXT, "/proc/cpuinfo", "a\nflags\t: movdir64b\nx : ss\n", 0, 0, FAKE_INTEL },
	{ "tdx-bios", TEXT, "/proc/cpuinfo", "a\nflags\t: ss movdir64b\n", 0, 0, FAKE_INTEL },
	{ "tdx-hibernation", TEXT, "/sys/power/state", "mem disk\n", 0, 0, FAKE_INTEL },
	{ "tdx-parameter", TEXT, "/sys/module/kvm_intel/parameters/tdx", "N", 0, 0, FAKE_INTEL },
	{ "tdx-vm-type", CAP, NULL, NULL, UAPI_CAP_VM_TYPES, 0x1f, FAKE_INTEL },
	{ "tdx-capabilities", NUMBER_AT(create_td), -EINVAL, FAKE_INTEL },
	{ "tdx-capabilities", NUMBER_AT(tdx_entries), 257, FAKE_INTEL },
	{ "tdx-capabilities", NUMBER_AT(tdx_attributes), 1, FAKE_INTEL },
	{ "tdx-apic-bus", CAP, NULL, NULL, 237, 0, FAKE_INTEL },
	{ "tdx-quotes", GONE, "/var/run/tdx-qgs/qgs.socket", NULL, 0, -ENOENT, FAKE_INTEL },
	{ "tdx-quotes", MODE, "/var/run/tdx-qgs/qgs.socket", NULL, 0, S_IFREG, FAKE_INTEL },
	{ "tdx-quotes", MODE, "/var/run/tdx-qgs/qgs.socket", NULL, 0, S_IFSOCK | 0700, FAKE_INTEL },
	{ "programs", GONE, "/p/pavise-quote", NULL, 0, -ENOENT, FAKE_AMD },
	{ "selinux-policy", TYPE, NULL, "pavise_quote_t", 0, 0, FAKE_AMD },
	{ "selinux-labels", LABEL, "/p/pavise-quote", "u:r:bin_t:s0", 0, 0, FAKE_AMD },
	{ "sim-programs", GONE, "/p/pavise-tdx-sim", NULL, 0, -ENOENT, FAKE_AMD },
	{ "sim-labels", LABEL, "/p/pavise-tdx-sim", "u:r:bin_t:s0", 0, 0, FAKE_AMD },
	{ "sim-programs", GONE, "/p/pavise-psp-sim", NULL, 0, -ENOENT, FAKE_AMD },
	{ "sim-msr-exits", CAP, NULL, NULL, KVM_CAP_X86_USER_SPACE_MSR, 0, FAKE_AMD },
	{ "sim-address-bit", NUMBER_AT(slot), -EINVAL, FAKE_AMD },
	{ "sim-address-bit", NUMBER_AT(create_vm), -EBUSY, FAKE_AMD },
	{ "sim-policy", TYPE, NULL, "pavise_psp_t", 0, 0, FAKE_AMD },
	{ "sim-labels", LABEL, "/p/pavise-vmm-sim", "u:r:pavise_vmm_exec_t:s0", 0, 0, FAKE_AMD },
};

static void inject(struct fake_host *f, const struct fault *x)
{
	struct fake_file none = { 0 }, *file = x->path == NULL ? NULL : fake_file(f, x->path);

	assert_int_equal(file == NULL, x->path == NULL);
	if (file == NULL)
		file = &none;
	switch (x->what) {
	case GONE:
		file->rc = x->value;
		break;
	case TEXT:
		file->text = x->text;
		break;
	case LABEL:
		file->label = x->text;
		break;
	case MODE:
		file->mode = (unsigned)x->value;
		break;
	case CAP:
		f->caps[x->place] = (unsigned)x->value;
		break;
	case NUMBER:
		memcpy((uint8_t *)f + x->place, &x->value, sizeof(x->value));
		break;
	case TYPE:
		f->unknown_type = x->text;
		break;
	}
}

/* The row's line says that it is missing and how to fix it. */
static void assert_line(const struct doctor_result *r, size_t row)
{
	char start[96], end[512], *text = text_of(r);

	snprintf(start, sizeof(start), "  missing  %s%s: ", doctor_rows[row].id,
		 doctor_required(&doctor_rows[row], false) ? "" : " (advised)");
	snprintf(end, sizeof(end), "; fix: %s\n", doctor_rows[row].fix);
	char *line = strstr(text, start);
	assert_non_null(line);
	char *fix = strstr(line, end);
	assert_non_null(fix);
	assert_true(memchr(line, '\n', (size_t)(fix - line)) == NULL);
	free(text);
}

static void every_row_can_be_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *x = &faults[i];
		size_t row = row_named(x->id);
		unsigned kind = doctor_rows[row].kinds & -doctor_rows[row].kinds; /* its first */
		struct fake_host f;

		fake_host_init(&f, x->vendor);
		struct doctor_result r = examine(&f, KINDS_ALL, false);
		unsigned before = doctor_lacks(&r, kind);
		assert_int_equal(finding[row].state, DOCTOR_FOUND); /* the control */
		inject(&f, x);
		r = examine(&f, KINDS_ALL, false);
		if (finding[row].state != DOCTOR_MISSING)
			fail_msg("fault %zu: %s: %s", i, x->id, finding[row].detail);
		assert_line(&r, row);
		if (doctor_required(&doctor_rows[row], false))
			assert_true(doctor_lacks(&r, kind) > before);
		else
			assert_int_equal(doctor_lacks(&r, kind), before);
	}
}

static void every_row_has_a_fault(void **state)
{
	(void)state;
	for (size_t row = 0; row < doctor_row_count; row++) {
		bool has = false;

		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			has = has || strcmp(faults[i].id, doctor_rows[row].id) == 0;
		if (!has)
			fail_msg("%s: no test makes it missing", doctor_rows[row].id);
		for (size_t other = 0; other < row; other++)
			assert_string_not_equal(doctor_rows[row].id, doctor_rows[other].id);
	}
}

/* ---- details ------------------------------------------------------------------------------- */

static void virtual_machine_is_named(void **state)
{
	struct fake_host f;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	f.sev_eax = 0;
	f.family_ecx = 1u << 31;
	examine(&f, KIND_SNP, false);
	assert_non_null(strstr(finding[row_named("snp-cpu")].detail, "a virtual machine"));
}

/* What a program prints drives no terminal and breaks no JSON. */
static void text_of_the_host_is_harmless(void **state)
{
	struct fake_host f;
	struct err e = { 0 };
	char *text = NULL;
	size_t size = 0;

	(void)state;
	fake_host_init(&f, FAKE_AMD);
	fake_file(&f, "/usr/bin/swtpm")->text = "\x1b[2Jversion \xff\xfe\" 1";
	struct doctor_result r = examine(&f, KIND_PLAIN, false);
	assert_string_equal(finding[row_named("swtpm")].detail,
			    "/usr/bin/swtpm: ?[2Jversion ??\" 1");
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(doctor_print_json(&r, KIND_PLAIN, out, &e), 0);
	fclose(out);
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_true(json_is_true(json_object_get(j, "good")));
	assert_null(json_object_get(json_object_get(j, "ready"), "snp"));
	json_decref(j);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amd_host_is_ready),
		cmocka_unit_test(intel_host_is_ready),
		cmocka_unit_test(host_with_nothing),
		cmocka_unit_test(old_kernel),
		cmocka_unit_test(snp_disabled_in_bios),
		cmocka_unit_test(without_root),
		cmocka_unit_test(degraded_does_without_selinux),
		cmocka_unit_test(every_row_can_be_missing),
		cmocka_unit_test(every_row_has_a_fault),
		cmocka_unit_test(virtual_machine_is_named),
		cmocka_unit_test(text_of_the_host_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
