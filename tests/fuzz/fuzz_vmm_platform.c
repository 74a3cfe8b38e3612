/* Any sequence of guest accesses to UART, IOAPIC, power ports and TPM, through the dispatch.
 * Each access is 12 bytes of input: kind, size, offset (2), value (8). Promises checked beside
 * memory safety: interrupts are well-formed MSIs, a wide UART access puts nothing out, a stop
 * code ends the VM only before the hand-over. */
#include "common/bytes.h"
#include "firmware/layout.h"
#include "firmware/stop.h"
#include "vmm/vm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool handed_over;
static unsigned access_size;

static void check_message(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	if ((address & ~0xFF004ull) != 0xFEE00000 || data > 0x7FF)
		abort();
}

static void set_line(void *ctx, int level)
{
	ioapic_set_line(ctx, UART_GSI, level);
}

static void put(void *ctx, uint8_t byte)
{
	(void)ctx;
	(void)byte;
	if (access_size != 1)
		abort();
}

static void end(void *ctx, enum vm_end how, uint32_t detail)
{
	(void)ctx;
	if (how == VM_END_FIRMWARE_STOP && (handed_over || detail == STOP_HANDED_OVER))
		abort();
}

static void hand_over(void *ctx)
{
	(void)ctx;
	if (handed_over)
		abort();
}

static void log_text(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void must(int rc)
{
	if (rc < 0)
		abort();
}

static void build(struct vm *vm, int tpm_fd)
{
	struct err e = { 0 };

	uart_init(&vm->uart, put, NULL, set_line, &vm->ioapic);
	ioapic_init(&vm->ioapic, check_message, NULL);
	power_init(&vm->power, end, hand_over, NULL);
	must(tpm_crb_init(&vm->tpm, tpm_fd, &vm->stopping, log_text, NULL, &e));
	vm->tpm.timeout_ms = 0;
	must(dispatch_add_pio(vm, UART_PORT, UART_PORTS, uart_read, uart_write, &vm->uart, &e));
	must(dispatch_add_pio(vm, PORT_SLEEP_CONTROL, 2, power_sleep_read, power_sleep_write,
			      &vm->power, &e));
	must(dispatch_add_pio(vm, PORT_STOP, 4, power_stop_read, power_stop_write, &vm->power, &e));
	must(dispatch_add_mmio(vm, IOAPIC_BASE, IOAPIC_MMIO_SIZE, ioapic_read, ioapic_write,
			       &vm->ioapic, &e));
	must(dispatch_add_mmio(vm, TPM_CRB_BASE, TPM_CRB_SIZE, tpm_crb_read, tpm_crb_write,
			       &vm->tpm, &e));
}

static void access_one(struct vm *vm, struct reader *r)
{
	static const uint64_t base[4] = { UART_PORT, PORT_STOP, IOAPIC_BASE, TPM_CRB_BASE };
	uint8_t kind = read_u8(r);
	uint8_t width = read_u8(r) & 3;
	uint64_t address = base[kind & 3] + read_le16(r) % TPM_CRB_SIZE;
	uint64_t value = read_le64(r);
	const struct dispatch *d = (kind & 3) < 2 ? &vm->pio : &vm->mmio;

	if (d == &vm->pio && width == 3)
		width = 2;
	access_size = 1u << width;
	if (kind & 4) {
		uint64_t got = dispatch_read(d, address, access_size);

		if (access_size < 8 && got >> (8 * access_size) != 0)
			abort();
	} else {
		dispatch_write(d, address, access_size, value);
	}
	handed_over = vm->power.handed_over;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct vm *vm = aligned_alloc(_Alignof(struct vm), sizeof(*vm)); /* holds whole pages */
	int pair[2];

	if (!vm || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	memset(vm, 0, sizeof(*vm));
	handed_over = false;
	build(vm, pair[0]);
	while (reader_left(&r) >= 12)
		access_one(vm, &r);
	close(pair[0]);
	close(pair[1]);
	free(vm);
	return 0;
}
