/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A library whose call_back(f) has a frame of FRAME_BYTES. Built twice, with
 * sizes that differ and code addresses that do not.
 */
void call_back(void (*f)(void));

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

#if defined(__x86_64__)
__asm__(".text\n.globl call_back\n.type call_back, @function\n"
	"call_back:\n.cfi_startproc\n"
	"sub $" NUMBER(
		FRAME_BYTES) ", %rsp\n"
			     ".cfi_def_cfa_offset 8 + " NUMBER(
				     FRAME_BYTES) "\n"
						  "call *%rdi\n"
						  "add $" NUMBER(
							  FRAME_BYTES) ", %rsp\n"
								       ".cfi_def_cfa_offset 8\n"
								       "ret\n.cfi_endproc\n.size call_back, .-call_back\n");
#elif defined(__aarch64__)
__asm__(".text\n.globl call_back\n.type call_back, %function\n"
	"call_back:\n.cfi_startproc\n"
	"stp x29, x30, [sp, -" NUMBER(
		FRAME_BYTES) " - 8]!\n"
			     ".cfi_def_cfa_offset 8 + " NUMBER(
				     FRAME_BYTES) "\n"
						  ".cfi_offset 29, -8 - " NUMBER(
							  FRAME_BYTES) "\n"
								       ".cfi_offset 30, -" NUMBER(
									       FRAME_BYTES) "\n"
											    "blr x0\n"
											    "ldp x29, x30, [sp], 8 + " NUMBER(
												    FRAME_BYTES) "\n"
														 ".cfi_restore 29\n.cfi_restore 30\n.cfi_def_cfa_offset 0\n"
														 "ret\n.cfi_endproc\n.size call_back, .-call_back\n");
#endif
