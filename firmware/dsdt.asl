/* The machine's one DSDT, compiled twice at build time: with and without -D HAVE_TPM.
 * It names no device that could be plugged: virtio devices sit on PCI and are found there.
 * Numbers repeat firmware/layout.h; tests/unit/test_fw_acpi.c holds them together. */
DefinitionBlock ("", "DSDT", 2, "PAVISE", "PAVISEFW", 1)
{
	/* SLP_TYP 5 for power off: the value PORT_SLEEP_CONTROL expects. */
	Name (\_S5, Package () { 0x05, Zero, Zero, Zero })

	Scope (\_SB)
	{
		/* Under hardware-reduced ACPI Linux has no legacy interrupts, so user space
		 * output needs the UART with its interrupt here. */
		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, Zero)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x3F8, 0x3F8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
			})
		}

#ifdef HAVE_TPM
		Device (TPM)
		{
			Name (_HID, "MSFT0101")
			Name (_CID, "MSFT0101")
			Name (_UID, Zero)
			Name (_STA, 0x0F)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0xFED40000, 0x5000)
			})
		}
#endif

		/* Bus 0 only; MSI-X only, hence no _PRT. */
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, Zero)
			Name (_CCA, One)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					       0, 0, 0, 0, 1)
				IO (Decode16, 0xCF8, 0xCF8, 1, 8)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					     NonCacheable, ReadWrite, 0,
					     0xC0000000, 0xCFFFFFFF, 0, 0x10000000)
			})
		}

		Device (PWRB)
		{
			Name (_HID, EisaId ("PNP0C0C"))
			Name (_UID, Zero)
		}
	}
}
