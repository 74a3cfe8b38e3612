/* A trust domain on KVM (Documentation/virt/kvm/x86/intel-tdx.rst): what lives as long as the
 * VM. */
#ifndef PAVISE_VMM_TEE_TDX_H
#define PAVISE_VMM_TEE_TDX_H

#include "vmm/kvm/tdx.h"
#include "vmm/tee/tdx_quote.h"

#include <stdint.h>

struct tdx {
	struct tdx_capabilities caps;
	struct tdx_init_vm init;
	unsigned gpaw;           /* bits of a guest-physical address */
	struct tdx_quotes quotes;
};

#endif
