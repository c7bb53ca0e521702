# Calls the functions of calls.c, as each compiler has made them.
	.intel_syntax noprefix
	.text
	.globl calls_c
	.def calls_c; .scl 2; .type 32; .endef
	.seh_proc calls_c
calls_c:
	push rbx
	.seh_pushreg rbx
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	.irp f, calls_clang0, calls_clang2, calls_v2, calls_gcc0, calls_gcc2
	mov ecx, 3
	call \f
	.endr
	nop
	add rsp, 0x20
	pop rbx
	ret
	.seh_endproc

# What compilers call before they allocate more than a page: rax bytes.
	.globl __chkstk
	.globl ___chkstk_ms
	.def ___chkstk_ms; .scl 2; .type 32; .endef
	.seh_proc ___chkstk_ms
__chkstk:
___chkstk_ms:
	push rcx
	.seh_stackalloc 8
	.seh_endprologue
	lea rcx, [rsp+0x10]
	test [rcx], ecx
	pop rcx
	ret
	.seh_endproc
