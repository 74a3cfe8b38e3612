/* The host's side of the GHCB protocols, version 2 (AMD 56421), as KVM speaks them (Linux 6.12,
 * arch/x86/kvm/svm/sev.c): what a request means and what the answer looks like. Pure functions over
 * a copy of the page; what to do with the meaning is for exits.c. */
#ifndef PAVISE_MODEL_GHCB_H
#define PAVISE_MODEL_GHCB_H

#include <stdbool.h>
#include <stdint.h>

#define GHCB_SIZE 4096u

/* A page state change towards the VMM: adjacent entries of one kind make one. */
struct ghcb_change {
	uint64_t gpa, pages; /* 4 KiB each */
	bool private, large;
};

enum ghcb_kind {
	GHCB_ANSWERED,   /* the answer is there already */
	GHCB_REGISTER,   /* `value` is the GPA of a GHCB page */
	GHCB_CHANGE,     /* `change` */
	GHCB_TERMINATE,  /* `value` is the word for the VMM */
	GHCB_PORT,       /* `value` at port `address`, size bytes; in or out */
	GHCB_MMIO,       /* size bytes at `address`, `offset` of the page's buffer */
	GHCB_UNKNOWN,    /* KVM_RUN fails with EINVAL */
};

struct ghcb_call {
	enum ghcb_kind kind;
	uint64_t value, address;
	unsigned size, offset;
	bool write;
	struct ghcb_change change;
	unsigned entries; /* of the buffer that `change` stands for */
};

/* VMGEXIT with a request in the GHCB MSR. GHCB_ANSWERED, GHCB_REGISTER: *answer is the new MSR. */
struct ghcb_call ghcb_msr_request(uint64_t msr, uint64_t *answer);
/* The MSR after a page state change that the VMM answered with ret. */
uint64_t ghcb_msr_psc_answer(uint64_t ret);

/* VMGEXIT with a page. page is the model's copy, changed where an answer is written; gpa is where
 * the guest has it. */
struct ghcb_call ghcb_page_request(uint8_t page[GHCB_SIZE], uint64_t gpa);
/* After GHCB_CHANGE: notes what the VMM said, then the next change or GHCB_ANSWERED. */
struct ghcb_call ghcb_page_psc_next(uint8_t page[GHCB_SIZE], const struct ghcb_call *done,
				    uint64_t ret);
/* After GHCB_PORT with write false: the value read, into RAX. */
void ghcb_page_port_answer(uint8_t page[GHCB_SIZE], const struct ghcb_call *c, uint64_t value);

/* Bytes of the page that the host writes back: exit information and shared buffer, and RAX. */
void ghcb_write_back(uint8_t *guest_page, const uint8_t page[GHCB_SIZE]);

#endif
