/* guest/kernel.config, so that the program needs no file of its own. */
	.section .rodata
	.globl kernel_config_text, kernel_config_end
kernel_config_text:
	.incbin "guest/kernel.config"
kernel_config_end:
	.section .note.GNU-stack, "", @progbits
