/* guest/kernel.config, so that the program needs no file of its own. */
	.section .rodata
	.globl kernel_config_text, kernel_config_size
kernel_config_text:
	.incbin "guest/kernel.config"
1:
	.balign 8
kernel_config_size:
	.quad 1b - kernel_config_text
	.section .note.GNU-stack, "", @progbits
