/* What every confidential guest does at run time: it asks for pages to be private or shared, and it
 * uses pages as they are not. */
#ifndef PAVISE_VMM_TEE_PRIVATE_EXITS_H
#define PAVISE_VMM_TEE_PRIVATE_EXITS_H

struct vcpu;

/* The most one request may convert. SEV-SNP: what a page state change request can hold, 253 entries
 * of 2 MiB (GHCB specification, "SNP page state change"); a trust domain's requests reach us in
 * pieces of 2 MiB. More comes only from a guest that means harm. */
#define PRIVATE_CONVERT_PAGES_MAX (253ull * 512)

/* Answers a KVM_EXIT_HYPERCALL in v->run: the conversion, or an error to the guest. */
void private_hypercall(struct vcpu *v);

/* Judges a KVM_EXIT_MEMORY_FAULT in v->run (rc of KVM_RUN: -EFAULT or -EHWPOISON): nothing is ever
 * converted that the guest did not ask for. Ends the VM, or returns for the vCPU to try again. */
void private_fault(struct vcpu *v, int rc);

#endif
