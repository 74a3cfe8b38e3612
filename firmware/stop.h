/* Numbered stop codes: the firmware's last word. It writes the 32-bit value
 * STOP_MAGIC | code to PORT_STOP and halts for ever. STOP_HANDED_OVER is written once,
 * just before Linux is entered: after it the VMM ignores the port, since the guest owns it.
 *
 * An SEV-SNP guest says its last word by the GHCB MSR protocol instead (0x100: termination), with
 * reason set 3 and the code as the reason; a trust domain by TDG.VP.VMCALL<ReportFatalError> with
 * STOP_MAGIC | code in R12. Only STOP_HANDED_OVER goes to the port (TDX: by TDG.VP.VMCALL). */
#ifndef PAVISE_FIRMWARE_STOP_H
#define PAVISE_FIRMWARE_STOP_H

#define STOP_MAGIC 0x50560000u
#define STOP_MAGIC_MASK 0xFFFF0000u

enum fw_stop {
	STOP_HANDED_OVER = 0,
	/* 1x: the machine */
	STOP_TRAP = 0x10,             /* an exception or interrupt in the firmware */
	STOP_TRAP_USER = 0x11,        /* an unexpected trap in its ring-3 part */
	STOP_VARIANT = 0x12,          /* image of one machine started as another */
	STOP_SCRATCH_DIRTY = 0x13,    /* memory that must be zero at entry is not */
	/* 2x: boot block */
	STOP_BOOT_BLOCK = 0x20,       /* magic, size or reserved bytes */
	STOP_BOOT_RAM = 0x21,         /* a rule of RAM ranges is broken */
	STOP_BOOT_CPUS = 0x22,        /* processor list, or more than the plan allows */
	STOP_BOOT_RAM_SMALL = 0x23,   /* less RAM than the plan demands */
	STOP_BOOT_NO_TPM = 0x24,      /* the plan demands a TPM, the host offers none */
	/* 3x: hash page */
	STOP_HASH_TABLE = 0x30,       /* GUIDs, sizes or padding of the table */
	STOP_HASH_RECORD = 0x31,      /* magic, size, limits or reserved bytes of the record */
	/* 4x: blobs against the hash page */
	STOP_KERNEL_HASH = 0x40,
	STOP_INITRD_HASH = 0x41,
	STOP_CMDLINE_HASH = 0x42,
	STOP_BLOB_BOUNDS = 0x43,      /* a staged blob does not lie inside RAM */
	STOP_INITRD_PLACE = 0x44,     /* no room for the initrd below its highest address */
	STOP_CMDLINE_FORM = 0x45,     /* NUL inside, none at its end, or too long for the kernel */
	/* 5x: kernel image */
	STOP_KERNEL_MAGIC = 0x50,     /* neither a bzImage nor an ELF file */
	STOP_KERNEL_PROTOCOL = 0x51,  /* boot protocol too old or no 64-bit entry */
	STOP_KERNEL_BOUNDS = 0x52,    /* payload, init_size or preferred address do not fit */
	STOP_KERNEL_ELF = 0x53,       /* no 64-bit x86 executable, or one that wants a loader */
	STOP_KERNEL_SEGMENT = 0x54,   /* a segment lies outside file or memory, or over another */
	STOP_KERNEL_ENTRY = 0x55,     /* its entry is no byte of a segment, or a note is malformed */
	STOP_KERNEL_PVH = 0x56,       /* only a PVH entry, which SEV-SNP cannot use */
	/* 6x: TPM */
	STOP_TPM_ABSENT = 0x60,       /* promised by the boot block but not there */
	STOP_TPM_TIMEOUT = 0x61,
	STOP_TPM_RESPONSE = 0x62,     /* malformed response */
	STOP_TPM_ERROR = 0x63,        /* an extend was refused */
	/* 7x: own limits */
	STOP_LOG_FULL = 0x70,
	STOP_ACPI_FULL = 0x71,
	/* 8x: SEV-SNP, the processor and what the host says of it */
	STOP_SNP_ABSENT = 0x80,       /* SEV_STATUS: no SEV-SNP guest */
	STOP_SNP_FEATURES = 0x81,     /* SEV_STATUS: features that Linux may not know are on */
	STOP_SNP_VMPL = 0x82,         /* not at VMPL0 */
	STOP_SNP_CPUID = 0x83,        /* the CPUID page breaks a rule */
	STOP_SNP_C_BIT = 0x84,        /* CPUID page or host name another C-bit than the image's */
	STOP_SNP_VC = 0x85,           /* #VC: host intercepts or injects what it must not */
	STOP_SNP_SITES = 0x86,        /* the image's own table of sites is damaged */
	STOP_GHCB_VERSION = 0x88,     /* the host does not speak version 2 */
	STOP_GHCB_FEATURES = 0x89,    /* the host lacks SEV-SNP or AP creation */
	STOP_GHCB_REGISTER = 0x8A,    /* the host refuses our GHCB page */
	STOP_GHCB_RESPONSE = 0x8B,    /* wrong response code or an error in answer to a sound call */
	/* 9x: SEV-SNP, memory; 95, 96 and 86 above of every confidential guest */
	STOP_PSC_REFUSED = 0x90,      /* the host refuses a page state change */
	STOP_PSC_PROGRESS = 0x91,     /* its index goes backwards, beyond the end, or stands still */
	STOP_PVALIDATE_UNCHANGED = 0x92, /* a page was valid already: somebody plays with the RMP */
	STOP_PVALIDATE_FAILED = 0x93, /* any other failure of the instruction */
	STOP_PVALIDATE_SIZE = 0x94,   /* size mismatch even for a 4 KiB page */
	STOP_ACCEPT_TWICE = 0x95,     /* a page would be validated a second time */
	STOP_RAM_LARGE = 0x96,        /* RAM beyond what the image can keep a record of */
	/* Ax: TDX, the trust domain and what module and host say of it */
	STOP_TDX_ABSENT = 0xA0,       /* TDG.VP.INFO fails: no trust domain */
	STOP_TDX_GPAW = 0xA1,         /* another width of addresses than the image's */
	STOP_TDX_ATTRIBUTES = 0xA2,   /* debug, or any attribute but those of the plan */
	STOP_TDX_SEPT_VE = 0xA3,      /* #VE on private memory can be turned off neither here nor there */
	STOP_TDX_VE = 0xA4,           /* #VE: nothing in the image may cause one */
	STOP_TDX_MAILBOX = 0xA5,      /* the wakeup mailbox is not zero at entry */
	STOP_TDX_CALL = 0xA6,         /* the module refuses a sound TDCALL */
	STOP_TDX_RTMR = 0xA7,         /* an RTMR cannot be extended */
	STOP_TDVMCALL_RESPONSE = 0xA8,/* the host answers a sound TDVMCALL with an error */
	STOP_MAP_GPA_REFUSED = 0xA9,  /* the host refuses to change the state of memory */
	STOP_MAP_GPA_PROGRESS = 0xAA, /* its progress goes backwards, beyond the end, or stands still */
	STOP_TDX_ACCEPTED = 0xAB,     /* a page was accepted already: somebody plays with the SEPT */
	STOP_TDX_ACCEPT = 0xAC,       /* any other failure of TDG.MEM.PAGE.ACCEPT */
	STOP_TDX_ACCEPT_SIZE = 0xAD,  /* size mismatch even for a 4 KiB page */
};

#endif
