/* The bus of the machine: the pure part behind the ports, and the VM's interrupt routes. */
#include "vmm/bus/pci.h"

#include "vmm/bus/routes.h"
#include "vmm/vm.h"

#include <stdlib.h>

struct pci {
	struct pci_bus bus;
	struct routes routes;
};

static uint64_t port_read(void *ctx, uint64_t offset, unsigned size)
{
	struct pci *pci = ctx;

	return pci_port_read(&pci->bus, (uint16_t)(PCI_CONFIG_ADDRESS + offset), size);
}

static void port_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci *pci = ctx;

	pci_port_write(&pci->bus, (uint16_t)(PCI_CONFIG_ADDRESS + offset), size, (uint32_t)value);
}

int pci_init(struct vm *vm, struct err *e)
{
	struct pci *pci = calloc(1, sizeof(*pci));

	if (pci == NULL)
		return err_set(e, EX_HOST, "PCI bus: out of memory: free some");
	pci_bus_init(&pci->bus);
	vm->pci = pci; /* lives as long as the process */
	return dispatch_add_pio(vm, PCI_CONFIG_ADDRESS, 8, port_read, port_write, pci, e);
}

int pci_plug(struct vm *vm, unsigned slot, struct pci_function *f, struct err *e)
{
	return pci_bus_plug(&vm->pci->bus, slot, f, e);
}

struct routes *pci_routes(struct vm *vm)
{
	return &vm->pci->routes;
}
