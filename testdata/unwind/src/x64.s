# Functions for every kind of unwind data of x64 but version 3 (v3.s). Each saves
# registers, overwrites them, and calls something. all calls every one; the test
# stops at every instruction.
	.intel_syntax noprefix
	.text

# fn and end: a function with unwind data.
	.macro fn name
	.p2align 4, 0xcc
	.globl \name
	.def \name; .scl 2; .type 32; .endef
	.seh_proc \name
\name:
	.endm
	.macro end
	.seh_endproc
	.endm
# bare: a function without.
	.macro bare name
	.p2align 4, 0xcc
	.globl \name
\name:
	.endm
	.macro pushes regs:vararg
	.irp r, \regs
	push \r
	.seh_pushreg \r
	.endr
	.endm
	.macro pops regs:vararg
	.irp r, \regs
	pop \r
	.endr
	.endm
	.macro clobber regs:vararg
	.irp r, \regs
	mov \r, 0x5a5a5a5a
	.endr
	.endm

fn all
	pushes rbx
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	.irp f, leaf, repleaf, thunk, saves, eightbytes, small, large, huge, hugefixed, frame, frame0, framer13, framepush, movnear, movfar, home, xmmnear, xmmfar
	mov ecx, 3
	call \f
	.endr
	.irp f, chained, twicechained, epilogs, tailjump, tailpointer, tailregister, nothing, split, pushflags, v2pops, v2several, v2none, v2chained
	mov ecx, 3
	call \f
	.endr
	mov ecx, 2
	call itself
	mov ecx, 3
	call calls_c
	nop
	add rsp, 0x20
	pop rbx
	ret
end

bare leaf
	mov eax, ecx
	add eax, 1
	ret

bare repleaf
	lea eax, [rcx+2]
	rep ret

# A jump and nothing else: neither a prolog nor unwind data.
bare thunk
	jmp qword ptr [rip + pointer]

fn saves
	pushes rbx, rbp, rsi, rdi, r12, r13, r14, r15
	sub rsp, 0x28
	.seh_stackalloc 0x28
	.seh_endprologue
	clobber rbx, rbp, rsi, rdi, r12, r13, r14, r15
	call leaf
	clobber rbx, r15
	add rsp, 0x28
	pops r15, r14, r13, r12, rdi, rsi, rbp, rbx
	ret
end

# The smallest allocation, by a push of a volatile register.
fn eightbytes
	push rax
	.seh_stackalloc 8
	.seh_endprologue
	call leaf
	pop rcx
	ret
end

fn small
	sub rsp, 0x80
	.seh_stackalloc 0x80
	.seh_endprologue
	call leaf
	sub rsp, -0x80
	ret
end

fn large
	pushes rdi, r14
	sub rsp, 0x7fff8
	.seh_stackalloc 0x7fff8
	.seh_endprologue
	clobber rdi, r14
	call leaf
	add rsp, 0x7fff8
	pops r14, rdi
	ret
end

# A call in the prolog.
fn huge
	pushes rsi
	mov eax, 0x80008
	call probe
	sub rsp, rax
	.seh_stackalloc 0x80008
	.seh_endprologue
	clobber rsi
	call leaf
	add rsp, 0x80008
	pops rsi
	ret
end

fn probe
	push rcx
	.seh_stackalloc 8
	.seh_endprologue
	lea rcx, [rsp+0x10]
	test dword ptr [rcx], ecx
	pop rcx
	ret
end

fn hugefixed
	sub rsp, 0x80000
	.seh_stackalloc 0x80000
	mov [rsp+0x7fff8], rbx
	.seh_savereg rbx, 0x7fff8
	.seh_endprologue
	clobber rbx
	call leaf
	mov rbx, [rsp+0x7fff8]
	add rsp, 0x80000
	ret
end

# A frame pointer into the middle of the frame, and a stack pointer that moves.
fn frame
	pushes rbp, rbx
	sub rsp, 0x68
	.seh_stackalloc 0x68
	lea rbp, [rsp+0x40]
	.seh_setframe rbp, 0x40
	mov [rbp+0x10], rsi
	.seh_savereg rsi, 0x50
	.seh_endprologue
	clobber rbx, rsi
	mov eax, ecx
	shl rax, 8
	sub rsp, rax
	call leaf
	sub rsp, 0x40
	call leaf
	mov rsi, [rbp+0x10]
	lea rsp, [rbp+0x28]
	pops rbx, rbp
	ret
end

fn frame0
	pushes rbp
	mov rbp, rsp
	.seh_setframe rbp, 0
	sub rsp, 0x30
	.seh_stackalloc 0x30
	.seh_endprologue
	sub rsp, 0x50
	call saves
	mov rsp, rbp
	pops rbp
	ret
end

fn framer13
	pushes r13
	sub rsp, 0x100
	.seh_stackalloc 0x100
	lea r13, [rsp+0xf0]
	.seh_setframe r13, 0xf0
	.seh_endprologue
	sub rsp, 0x200
	call saves
	lea rsp, [r13+0x10]
	pops r13
	ret
end

# Registers pushed below the frame pointer, and the stack pointer moved after.
fn framepush
	pushes rbp
	mov rbp, rsp
	.seh_setframe rbp, 0
	pushes rbx, r12
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rbx, r12
	sub rsp, 0x70
	call leaf
	lea rsp, [rbp-0x10]
	pops r12, rbx, rbp
	ret
end

fn movnear
	sub rsp, 0x58
	.seh_stackalloc 0x58
	mov [rsp+0x50], rbx
	.seh_savereg rbx, 0x50
	mov [rsp+0x48], r15
	.seh_savereg r15, 0x48
	.seh_endprologue
	clobber rbx, r15
	call leaf
	mov r15, [rsp+0x48]
	mov rbx, [rsp+0x50]
	add rsp, 0x58
	ret
end

fn movfar
	pushes rdi
	sub rsp, 0x90000
	.seh_stackalloc 0x90000
	mov [rsp+0x88000], rsi
	.seh_savereg rsi, 0x88000
	.seh_endprologue
	clobber rdi, rsi
	call leaf
	mov rsi, [rsp+0x88000]
	add rsp, 0x90000
	pops rdi
	ret
end

# Registers in the home of the caller's frame, before anything is allocated.
fn home
	mov [rsp+8], rbx
	mov [rsp+0x10], rsi
	push rdi
	.seh_pushreg rdi
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_savereg rbx, 0x30
	.seh_savereg rsi, 0x38
	.seh_endprologue
	clobber rbx, rsi, rdi
	call leaf
	mov rbx, [rsp+0x30]
	mov rsi, [rsp+0x38]
	add rsp, 0x20
	pop rdi
	ret
end

fn xmmnear
	pushes rbx
	sub rsp, 0x40
	.seh_stackalloc 0x40
	movaps [rsp+0x20], xmm6
	.seh_savexmm xmm6, 0x20
	movaps [rsp+0x30], xmm15
	.seh_savexmm xmm15, 0x30
	.seh_endprologue
	clobber rbx
	xorps xmm6, xmm6
	xorps xmm15, xmm15
	call leaf
	movaps xmm15, [rsp+0x30]
	movaps xmm6, [rsp+0x20]
	add rsp, 0x40
	pops rbx
	ret
end

fn xmmfar
	sub rsp, 0x100008
	.seh_stackalloc 0x100008
	movups [rsp+0x100000-0x10], xmm7
	.seh_savexmm xmm7, 0xffff0
	movups [rsp+0x100000-8], xmm8
	.seh_savexmm xmm8, 0x100000
	.seh_endprologue
	xorps xmm7, xmm7
	call leaf
	movups xmm8, [rsp+0x100000-8]
	movups xmm7, [rsp+0x100000-0x10]
	add rsp, 0x100008
	ret
end

# Registers saved only where they are used: a fragment with unwind data of its own.
fn chained
	pushes rdi
	sub rsp, 0x30
	.seh_stackalloc 0x30
	.seh_endprologue
	clobber rdi
	call leaf
	.seh_startchained
	mov [rsp+0x28], rbx
	.seh_savereg rbx, 0x28
	.seh_endprologue
	clobber rbx
	call leaf
	mov rbx, [rsp+0x28]
	add rsp, 0x30
	pops rdi
	ret
	.seh_endchained
end

fn twicechained
	pushes r12
	sub rsp, 0x40
	.seh_stackalloc 0x40
	.seh_endprologue
	clobber r12
	call leaf
	.seh_startchained
	mov [rsp+0x38], rbx
	.seh_savereg rbx, 0x38
	.seh_endprologue
	clobber rbx
	call leaf
	.seh_startchained
	mov [rsp+0x30], rsi
	.seh_savereg rsi, 0x30
	.seh_endprologue
	clobber rsi
	call leaf
	mov rsi, [rsp+0x30]
	mov rbx, [rsp+0x38]
	add rsp, 0x40
	pops r12
	ret
	.seh_endchained
	.seh_endchained
end

# Epilogs in the middle.
fn epilogs
	pushes rbx, rsi
	sub rsp, 0x28
	.seh_stackalloc 0x28
	.seh_endprologue
	mov ebx, ecx
	cmp ecx, 1
	je 1f
	cmp ecx, 2
	je 2f
	lea ecx, [rbx-2]
	call epilogs
	lea ecx, [rbx-1]
	call epilogs
	clobber rsi
	add rsp, 0x28
	pops rsi, rbx
	ret
1:	clobber rsi
	call leaf
	add rsp, 0x28
	pops rsi, rbx
	ret
2:	call repleaf
	add rsp, 0x28
	pops rsi, rbx
	jmp leaf
end

fn tailjump
	pushes rbp
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rbp
	call leaf
	add rsp, 0x20
	pops rbp
	jmp saves
end

fn tailpointer
	pushes r12, r13
	sub rsp, 0x28
	.seh_stackalloc 0x28
	.seh_endprologue
	clobber r12, r13
	call leaf
	add rsp, 0x28
	pops r13, r12
	jmp qword ptr [rip + pointer]
end

fn tailregister
	pushes rdi
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rdi
	lea rax, [rip + leaf]
	add rsp, 0x20
	pops rdi
	rex64 jmp rax
end

# A tail call of the function itself.
fn itself
	pushes rbx
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	mov ebx, ecx
	call leaf
	lea ecx, [rbx-1]
	test ecx, ecx
	je 1f
	add rsp, 0x20
	pops rbx
	jmp itself
1:	add rsp, 0x20
	pops rbx
	ret
end

# Unwind data that says there is nothing to undo.
fn nothing
	.seh_endprologue
	mov eax, ecx
	jmp 1f
1:	xor eax, eax
	ret
end

# Its cold part lies elsewhere: jumps there and back are no tail calls.
fn split
	pushes rbx
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rbx
	jmp split_cold
split_back:
	add rsp, 0x20
	pops rbx
	ret
	.seh_startchained
	.seh_endprologue
split_cold:
	call leaf
	jmp split_back
	.seh_endchained
end

# Flags are pushed, which is an allocation, and volatile registers.
fn pushflags
	pushfq
	.seh_stackalloc 8
	push r10
	.seh_stackalloc 8
	pushes rbx
	.seh_endprologue
	clobber rbx
	call leaf
	pops rbx, r10, rax
	ret
end

# Version 2: where the epilogs are.
fn v2pops
	.seh_unwindversion 2
	pushes rbx, r14, r15
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rbx, r14, r15
	call leaf
	.seh_startepilogue
	add rsp, 0x20
	.seh_unwindv2start
	pops r15, r14, rbx
	.seh_endepilogue
	ret
end

fn v2several
	.seh_unwindversion 2
	pushes rbp, r12
	sub rsp, 0x28
	.seh_stackalloc 0x28
	.seh_endprologue
	clobber rbp, r12
	test ecx, ecx
	je 1f
	xor ecx, ecx
	call v2several
	.seh_startepilogue
	add rsp, 0x28
	.seh_unwindv2start
	pops r12, rbp
	.seh_endepilogue
	ret
1:	call leaf
	.seh_startepilogue
	add rsp, 0x28
	.seh_unwindv2start
	pops r12, rbp
	.seh_endepilogue
	jmp leaf
	int3
end

fn v2none
	.seh_unwindversion 2
	sub rsp, 0x28
	.seh_stackalloc 0x28
	.seh_endprologue
	call leaf
	.seh_startepilogue
	add rsp, 0x28
	.seh_unwindv2start
	.seh_endepilogue
	ret
end

# Its second half has its own unwind data, which adds nothing but epilogs. No
# assembler writes this one.
bare v2chained
	push rdi
	sub rsp, 0x30
	clobber rdi
	test ecx, ecx
	je v2chained_2
	lea ecx, [rcx-1]
	call v2chained
	add rsp, 0x30
	pop rdi
	ret
v2chained_2:
	call leaf
	test eax, eax
	je v2chained_3
	add rsp, 0x30
v2chained_e1:
	pop rdi
	ret
v2chained_3:
	add rsp, 0x30
v2chained_e2:
	pop rdi
	jmp leaf
v2chained_end:
	.section .pdata, "dr"
	.rva v2chained, v2chained_2, v2chained_info
	.rva v2chained_2, v2chained_end, v2chained_more
	.section .xdata, "dr"
	.p2align 2
v2chained_info:
	.byte 2, 5, 4, 0
	.byte 2, 0x16, 0, 0x06 # one epilog of two bytes, at the end
	.byte 5, 0x52, 1, 0x70
v2chained_more:
	.byte 2 | 4 << 3, 0, 4, 0
	.byte 2, 0x06, v2chained_end - v2chained_e1, 0x06 # two that are not
	.byte v2chained_end - v2chained_e2, 0x06, 0, 0x06
	.rva v2chained, v2chained_2, v2chained_info
	.text

# What the kernel enters on an exception: above the machine frame is where the
# registers were saved, here rbx and rsi.
fn dispatcher
	.seh_pushframe
	.seh_stackalloc 0x40
	.seh_savereg rbx, 0x20
	.seh_savereg rsi, 0x28
	.seh_endprologue
	clobber rbx, rsi
	call saves
	nop
	int3
end

fn dispatchercode
	.seh_pushframe @code
	.seh_stackalloc 0x40
	.seh_savereg rbx, 0x20
	.seh_savereg rsi, 0x28
	.seh_endprologue
	clobber rbx, rsi
	call saves
	nop
	int3
end

fn callsnoreturn
	pushes rsi
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rsi
	call noreturn
	int3
end

# A call that does not return ends it, and what follows it is another function.
fn noreturn
	pushes rbx
	sub rsp, 0x20
	.seh_stackalloc 0x20
	.seh_endprologue
	clobber rbx
	call saves
	call stops
end
	.seh_proc behind
behind:
	pushes rsi, rdi
	.seh_endprologue
	pops rdi, rsi
	ret
end
bare stops
	nop
	int3

	.data
	.p2align 3
pointer:
	.quad leaf
