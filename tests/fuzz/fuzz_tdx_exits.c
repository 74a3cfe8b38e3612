/* Any sequence of exits that a trust domain can cause, and any answers of the quote relay: 33 bytes
 * of input each: kind, then four numbers. Promises checked beside memory safety: attributes change
 * only inside RAM and as asked, a refused request changes nothing, the TDREPORT that leaves is what
 * lay in a shared buffer, and no request is left in flight once the relay is gone. */
#include "common/bytes.h"
#include "common/record.h"
#include "tests/unit/tdx_vm.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tdx_exits.h"
#include "vmm/tee/tdx_quote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY ((3ull << 30) + (64u << 20)) /* sparse */
#define BUFFER 0x400000ull                  /* shared: [BUFFER, BUFFER + 256 KiB) */
#define BUFFER_PAGES 64
#define STEPS_MAX 64

static void must(int good)
{
	if (!good)
		abort();
}

static void begin(void)
{
	static bool made;
	int s[2];

	if (!made) {
		tdx_vm_begin(MEMORY, 1, true);
		must(tdx_vm_create() == 0 && tdx_vm_vcpus() == 0);
		made = true;
	}
	memset(tm.vm.private_memory.shared, 0, MEMORY / PRIVATE_PAGE / 8);
	must(private_memory_convert(&tm.vm.private_memory, BUFFER, BUFFER_PAGES, false) == 0);
	close(tm.config.quote);
	close(tm.relay);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s) == 0);
	tm.config.quote = tm.vm.tdx.quotes.fd = s[0];
	tm.relay = s[1];
	memset(tm.vm.tdx.quotes.request, 0, sizeof(tm.vm.tdx.quotes.request));
	tm.vm.tdx.quotes.next_id = 0;
	tm.vm.power.handed_over = false;
	atomic_store(&tm.vm.stopping, false);
	atomic_store(&tm.vm.end, 0);
	must(ftruncate(tm.vm.log_fd, 0) == 0 && ftruncate(tm.vm.end_fd, 0) == 0);
}

static void hypercall(struct vcpu *v, const uint64_t x[4])
{
	uint64_t ret;

	v->run->exit_reason = KVM_EXIT_HYPERCALL;
	v->run->hypercall.nr = x[3] % 4 == 0 ? x[3] : UAPI_HC_MAP_GPA_RANGE;
	memcpy((void *)&v->run->hypercall.args, x, 3 * sizeof(x[0]));
	must(tdx_exit(v, 0));
	ret = v->run->hypercall.ret;
	if (ret != 0 || v->run->hypercall.nr != UAPI_HC_MAP_GPA_RANGE) {
		must(ret != 0 && fake.used == 0);
		return;
	}
	must(x[1] >= 1 && x[1] <= PRIVATE_CONVERT_PAGES_MAX);
	must(gpa_is_ram(&tm.vm.memory, x[0], x[1] * PRIVATE_PAGE));
	must(private_memory_is_shared(&tm.vm.private_memory, x[0]) ==
	     ((x[2] & UAPI_MAP_GPA_PRIVATE) == 0));
}

static void memory_fault(struct vcpu *v, const uint64_t x[4])
{
	const struct uapi_memory_fault f = { x[0], x[1], x[2] };

	v->run->exit_reason = UAPI_EXIT_MEMORY_FAULT;
	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	must(tdx_exit(v, x[3] & 1 ? -EFAULT : -EHWPOISON));
	must(fake.used == 0);
}

/* x: two bits of page, header of the buffer, gpa and size as they come. */
static void quote(struct vcpu *v, const uint64_t x[4], bool sane)
{
	struct uapi_tdx_exit call = { .nr = UAPI_TDVMCALL_GET_QUOTE };
	struct quote_request out;
	struct { uint64_t version, status; uint32_t in_len, out_len; uint8_t report[1024]; } b = {
		.version = sane ? 1 : x[2],
		.in_len = sane ? QUOTE_REPORT_SIZE : (uint32_t)x[3],
	};

	memset(b.report, (int)(x[2] & 0xFF), sizeof(b.report));
	call.quote.gpa = sane ? BUFFER + x[0] % BUFFER_PAGES * PRIVATE_PAGE : x[0];
	call.quote.size = sane ? (x[1] % 4 + 1) * PRIVATE_PAGE : x[1];
	(void)gpa_write(&tm.vm.memory, call.quote.gpa, &b, sizeof(b));
	v->run->exit_reason = UAPI_EXIT_TDX;
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, &call, sizeof(call));
	must(tdx_exit(v, 0));
	if (recv(tm.relay, &out, sizeof(out), MSG_DONTWAIT) != (ssize_t)sizeof(out))
		return;
	must(private_memory_all_shared(&tm.vm.private_memory, call.quote.gpa, call.quote.size));
	must(memcmp(out.report, b.report, sizeof(out.report)) == 0);
}

static void other_call(struct vcpu *v, const uint64_t x[4])
{
	struct uapi_tdx_exit call = { .nr = x[3] & 1 ? UAPI_TDVMCALL_SETUP_NOTIFY : x[2] };

	call.quote.gpa = x[0];
	call.quote.size = x[1];
	v->run->exit_reason = UAPI_EXIT_TDX;
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, &call, sizeof(call));
	must(tdx_exit(v, 0));
}

static void relay_speaks(const uint64_t x[4], bool sane)
{
	static struct { struct quote_answer head; uint8_t quote[QUOTE_SIZE_MAX + 8]; } a;
	size_t size = sizeof(a.head) + x[1] % sizeof(a.quote);

	a.head = (struct quote_answer){ sane ? QUOTE_MAGIC : (uint32_t)x[0],
					(uint32_t)x[2] % 8, (uint32_t)x[3],
					(uint32_t)(size - sizeof(a.head)) };
	if (send(tm.relay, &a, sane ? size : x[1] % sizeof(a), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	tdx_quote_wake(&tm.vm);
	if (tdx_quote_fd(&tm.vm) < 0)
		for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
			must(!tm.vm.tdx.quotes.request[i].busy);
}

static void system_event(struct vcpu *v, const uint64_t x[4])
{
	v->run->exit_reason = x[3] & 2 ? KVM_EXIT_INTERNAL_ERROR : KVM_EXIT_SYSTEM_EVENT;
	v->run->system_event.type = x[3] & 1 ? UAPI_SYSTEM_EVENT_TDX_FATAL : (uint32_t)x[1];
	v->run->system_event.ndata = (uint32_t)x[2];
	v->run->system_event.data[0] = v->run->system_event.data[14] = x[0];
	v->run->system_event.data[12] = x[1];
	if (tdx_exit(v, 0))
		must(atomic_load(&tm.vm.end) != 0);
}

static bool step(struct vcpu *v, struct reader *r)
{
	uint8_t kind = read_u8(r);
	uint64_t x[4];

	for (unsigned i = 0; i < 4; i++)
		x[i] = read_le64(r);
	if (r->bad)
		return false;
	memset(v->run, 0, 4096);
	fake.used = 0;
	fake.trace[0] = '\0';
	switch (kind % 7) {
	case 0: hypercall(v, x); break;
	case 1: memory_fault(v, x); break;
	case 2: quote(v, x, kind >= 128); break;
	case 3: other_call(v, x); break;
	case 4: relay_speaks(x, kind >= 128); break;
	case 5: system_event(v, x); break;
	default: quote(v, x, true);
	}
	return !atomic_load(&tm.vm.stopping);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);

	begin();
	for (unsigned i = 0; i < STEPS_MAX && step(&tm.vm.vcpu[0], &r); i++)
		;
	return 0;
}
