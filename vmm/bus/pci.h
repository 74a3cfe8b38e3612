/* The PCI bus: configuration mechanism 1 (PCI Local Bus 3.0 §3.2.2.3.2), bus 0 only, a host
 * bridge at 0:0.0 and single-function devices at 0:1.0 and up.
 *
 * BAR 0 of every device is placed here for good: the guest may size it, never move it, so the
 * regions registered with KVM before sealing stay true. For the same reason the memory-enable
 * and bus-master bits of the command register are kept but decide nothing: a BAR lies where
 * nothing else does and always answers. */
#ifndef PAVISE_VMM_BUS_PCI_H
#define PAVISE_VMM_BUS_PCI_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stdbool.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE  256u
#define PCI_SLOTS        (PCI_SLOT_MAX + 1) /* the host bridge included */

/* Offsets of the type 0 header (§6.1) that more than one file uses. */
#define PCI_AT_VENDOR    0x00u
#define PCI_AT_DEVICE    0x02u
#define PCI_AT_COMMAND   0x04u
#define PCI_AT_STATUS    0x06u
#define PCI_AT_REVISION  0x08u
#define PCI_AT_CLASS     0x09u /* three bytes */
#define PCI_AT_BAR0      0x10u
#define PCI_AT_SUBVENDOR 0x2Cu
#define PCI_AT_SUBSYSTEM 0x2Eu
#define PCI_AT_CAP       0x34u
#define PCI_CAP_FIRST    0x40u

struct pci_function {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE]; /* bits a guest write may change */
	unsigned cap_end;                  /* first byte after the last capability */
	unsigned cap_last;                 /* offset of the last capability; 0: none yet */
	uint32_t bar_base, bar_size;       /* BAR 0; size 0: no BAR, else a power of two */
	bool sizing;                       /* the guest wrote all ones to BAR 0 */
	/* Called after a write that touched a writable byte; may be NULL. */
	void (*written)(void *context, unsigned offset, unsigned size);
	void *context;
};

struct pci_bus {
	uint32_t address;                        /* the CONFIG_ADDRESS latch */
	struct pci_function bridge;
	struct pci_function *slot[PCI_SLOTS];    /* NULL: empty; borrowed from the devices */
};

/* Identity of a function; class is the 24-bit class code. */
struct pci_identity {
	uint16_t vendor, device, subvendor, subsystem;
	uint32_t class;
	uint8_t revision;
};

/* --- pure part --- */

void pci_function_init(struct pci_function *f, const struct pci_identity *id);
void pci_function_set_bar(struct pci_function *f, uint32_t base, uint32_t size);

/* Appends a capability of size bytes (its first two, ID and next, included; body follows them)
 * and links it in. Returns its offset, or 0 when it does not fit. */
unsigned pci_function_add_cap(struct pci_function *f, uint8_t id, const void *body, unsigned size);

void pci_put16(struct pci_function *f, unsigned offset, uint16_t value);
uint16_t pci_get16(const struct pci_function *f, unsigned offset);

void pci_bus_init(struct pci_bus *bus);

/* Puts f at a slot. -EX_INTERNAL when there is no such slot or it is taken. */
int pci_bus_plug(struct pci_bus *bus, unsigned slot, struct pci_function *f, struct err *e);

/* Guest accesses to ports 0xCF8..0xCFF; size 1, 2 or 4 bytes. What nobody answers reads ones. */
uint32_t pci_port_read(struct pci_bus *bus, uint16_t port, unsigned size);
void pci_port_write(struct pci_bus *bus, uint16_t port, unsigned size, uint32_t value);

/* --- the machine's bus --- */

struct vm;

/* Makes the VM's bus with its host bridge and registers the ports. Before vdev_create. */
int pci_init(struct vm *vm, struct err *e);

/* Plugs f into the VM's bus; f must live as long as the VM. */
int pci_plug(struct vm *vm, unsigned slot, struct pci_function *f, struct err *e);

struct routes;
/* The VM's interrupt routes; under the big lock at run time. */
struct routes *pci_routes(struct vm *vm);

#endif
