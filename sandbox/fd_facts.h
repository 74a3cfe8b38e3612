/* What an open descriptor of a process is, seen from outside: /proc/PID/fd and fdinfo. The launcher
 * writes down what it hands out, the audit what it finds; both by this one reader. */
#ifndef PAVISE_SANDBOX_FD_FACTS_H
#define PAVISE_SANDBOX_FD_FACTS_H

#include "common/err.h"
#include "sandbox/lsm.h"

#include <stdbool.h>
#include <sys/stat.h>

#define FD_KIND_MAX 16
#define FILE_ID_MAX 36 /* "DEVICE:INODE", hexadecimal */

struct fd_facts {
	/* "regular", "memfd", "directory", "socket", "pipe", "kvm", "null", "device", "other";
	 * of an anonymous inode the kernel's name for it: "eventfd", "kvm-vm", "kvm-vcpu"... */
	char kind[FD_KIND_MAX];
	char access[4];         /* "r", "w", "rw", "a" (append), "-" (O_PATH) */
	char file[FILE_ID_MAX]; /* which one; many anonymous inodes have the same */
	char label[LABEL_MAX];  /* "": none, or not asked for */
};

/* Descriptor `number` of the process whose folder is open at `process`; its label too when it is
 * asked for. -EX_BUSY: it is closed. -EX_HOST: it cannot be seen. */
int fd_facts_read(int process, unsigned number, bool label, struct fd_facts *out, struct err *e);

/* Its label alone; out holds LABEL_MAX bytes. -EX_HOST. */
int fd_label(int process, unsigned number, char *out, struct err *e);

/* The kind by stat(2) and the link's text, which for files is the process's choice in parts. */
void fd_kind(const struct stat *st, const char *link, char out[FD_KIND_MAX]);

void file_id(const struct stat *st, char out[FILE_ID_MAX]);

/* The access mode in a text of fdinfo (proc(5)); out holds 4 bytes. False: no flags in it. */
bool fd_access(const char *fdinfo, char *out);

#endif
