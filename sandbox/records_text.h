/* The texts of a VM's records in the kernel's audit trail. The field names, and the words of op, are
 * those that ausearch(8) and auvirt(8) look for (libvirt's; audit's field dictionary). A value that
 * holds a blank, a quote, a control character or a byte above ASCII is written in hexadecimal, as
 * libaudit does it and its readers undo it: no value can end its field and begin another. */
#ifndef PAVISE_SANDBOX_RECORDS_TEXT_H
#define PAVISE_SANDBOX_RECORDS_TEXT_H

#include "common/err.h"

#include <stddef.h>
#include <sys/types.h>

#define RECORDS_TEXT_MAX 6144 /* what the kernel keeps of a record is longer (8560) */
#define RECORDS_PATH_MAX 2048 /* of one value, before it doubles in hexadecimal */
#define RECORDS_UUID 37

/* Of which VM. */
struct records_subject {
	const char *name;
	char uuid[RECORDS_UUID]; /* of this run: auvirt tells two runs of one name apart by it */
};

/* A UUID of random bits (RFC 9562 5.4) for the subject. -EX_HOST. */
int records_subject_make(struct records_subject *s, const char *name, struct err *e);

/* Each writes one text into out, which holds RECORDS_TEXT_MAX bytes. -EX_INTERNAL: it does not fit,
 * or there is no memory. */

/* AUDIT_VIRT_CONTROL. op "start" or "stop", reason one word, pid of the VMM (0: there is none). */
int records_text_control(const struct records_subject *s, const char *op, const char *reason,
			 pid_t pid, char *out, struct err *e);

/* AUDIT_VIRT_RESOURCE: a resource of kind "disk", "dev", "chardev" ... had a value, and has another
 * ("?": none). */
int records_text_resource(const struct records_subject *s, const char *kind, const char *before,
			  const char *after, char *out, struct err *e);

/* The same of an amount: "vcpu" a number, "mem" in KiB. */
int records_text_amount(const struct records_subject *s, const char *kind,
			unsigned long long before, unsigned long long after, char *out,
			struct err *e);

/* AUDIT_VIRT_MACHINE_ID: the labels of the VM's VMM and of its writable images. */
int records_text_machine(const struct records_subject *s, const char *process, const char *image,
			 char *out, struct err *e);

#endif
