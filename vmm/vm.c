#include "vmm/vm.h"

#include "vmm/kvm/kvm.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_LINES_MAX 1000 /* some lines are the guest's doing: it may not fill the host's disk */

struct needed_cap {
	unsigned cap;
	const char *name;
};

static int check_caps(int kvm_fd, struct err *e)
{
	static const struct needed_cap needed[] = {
		{ KVM_CAP_USER_MEMORY, "USER_MEMORY" },
		{ KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP" },
		{ KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI" },
		{ KVM_CAP_IRQFD, "IRQFD" },
		{ KVM_CAP_IOEVENTFD, "IOEVENTFD" },
		{ KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT" },
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (kvm_check_cap(kvm_fd, needed[i].cap) <= 0)
			return err_set(e, EX_HOST, "kvm: this host's KVM lacks KVM_CAP_%s: "
				       "use Linux 5.10 or newer", needed[i].name);
	}
	return 0;
}

int vm_check_kvm(const struct vm *vm, struct err *e)
{
	int rc = kvm_check_api(vm->kvm_fd, e);

	return rc == 0 ? check_caps(vm->kvm_fd, e) : rc;
}

int vm_alloc_gsi(struct vm *vm, uint32_t *gsi, struct err *e)
{
	if (vm->next_gsi >= VM_GSI_MAX)
		return err_set(e, EX_INTERNAL, "vm: more than %u interrupt vectors", VM_GSI_MAX);
	*gsi = vm->next_gsi++;
	return 0;
}

static uint64_t us_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - start->tv_sec) * 1000000 +
			  (now.tv_nsec - start->tv_nsec) / 1000);
}

void vm_mark(struct vm *vm, enum vm_moment moment)
{
	uint64_t us = us_since(&vm->start);
	unsigned never = 0;

	/* Zero says never: the first microsecond is the second. */
	atomic_compare_exchange_strong(&vm->moment[moment], &never,
				       us == 0 ? 1 : us < UINT32_MAX ? (unsigned)us : UINT32_MAX);
}

void vm_end(struct vm *vm, enum vm_end end, uint32_t detail)
{
	static const uint64_t one = 1;
	unsigned none = 0;

	/* stopping first: whoever loses the race below must not enter the guest again either. */
	atomic_store(&vm->stopping, true);
	if (!atomic_compare_exchange_strong(&vm->end, &none, end))
		return;
	atomic_store(&vm->end_detail, detail);
	vm_mark(vm, VM_MOMENT_ENDED);
	if (write(vm->end_fd, &one, sizeof(one)) < 0)
		vm_log(vm, "cannot wake the main thread");
}

void vm_log(struct vm *vm, const char *fmt, ...)
{
	static atomic_uint lines;
	unsigned line = atomic_fetch_add(&lines, 1);
	char text[512];
	va_list args;
	uint64_t ms;
	int n, m;

	if (line > LOG_LINES_MAX) {
		atomic_store(&lines, LOG_LINES_MAX + 1); /* never wraps */
		return;
	}
	ms = us_since(&vm->start) / 1000;
	n = snprintf(text, sizeof(text), "[%5llu.%03llu] pavise-vmm: %s: ",
		     (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000), vm->name);
	if (n < 0 || (size_t)n >= sizeof(text) - 1)
		return;
	va_start(args, fmt);
	m = vsnprintf(text + n, sizeof(text) - 1 - (size_t)n, fmt, args);
	va_end(args);
	if (m < 0)
		return;
	n += m;
	if ((size_t)n > sizeof(text) - 2)
		n = (int)sizeof(text) - 2;
	text[n++] = '\n';
	/* A log that cannot be written is no reason to end a guest. */
	if (write(vm->log_fd, text, (size_t)n) < 0)
		return;
}
