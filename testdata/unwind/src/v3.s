# Unwind data of version 3 by hand ("x64 unwind information v3" of Microsoft's
# documentation): no assembler that Debian has writes it.
	.intel_syntax noprefix
	.text

	.macro bare name
	.p2align 4, 0xcc
	.globl \name
\name:
	.endm

# function: its entry in the table. info: its unwind data: flags, size of the
# prolog, operations, epilogs, then the payload up to done.
	.macro function begin, end, data
	.section .pdata, "dr"
	.rva \begin, \end, \data
	.text
	.endm
	.macro info name, flags, prolog, ops, epilogs
	.section .xdata, "dr"
	.p2align 2
\name:
	.byte 3 | \flags << 3
	.byte \prolog
	.byte (\name\()_end - \name - 4 + 1) / 2
	.byte \ops | \epilogs << 5
	.endm
	.macro done name
\name\()_end:
	.p2align 2, 0
	.text
	.endm
	.macro wpush reg
	.byte 4 | \reg << 3
	.endm
	.macro wsmall n
	.byte 8 | (\n / 8 - 1) << 4
	.endm

bare leaf
	mov eax, ecx
	add eax, 1
	ret

bare v3all
	push rbx
	sub rsp, 0x20
v3all_body:
	.irp f, v3push, v3large, v3huge, v3frame, v3saves, v3two, v3egpr, v3chained, v3mirror
	mov ecx, 3
	call \f
	.endr
v3all_epilog:
	add rsp, 0x20
v3all_1:
	pop rbx
v3all_ret:
	ret
v3all_end:
	function v3all, v3all_end, v3all_info
	info v3all_info, 0, v3all_body - v3all, 2, 1
	.byte 1, 0
	.byte 2 << 3
	.short v3all_epilog - v3all_end
	.short 0
	.byte v3all_ret - v3all_epilog, 0, v3all_1 - v3all_epilog
	wsmall 0x20
	wpush 3
	done v3all_info

# Two epilogs, the second like the first, counted from the start.
bare v3push
	push r15
	push rsi
	sub rsp, 0x18
v3push_body:
	mov esi, 0x5a5a5a5a
	mov r15, 0x5a5a5a5a
	test ecx, ecx
	je v3push_2
	xor ecx, ecx
	call v3push
v3push_e1:
	add rsp, 0x18
	pop rsi
	pop r15
	ret
v3push_2:
	call leaf
v3push_e2:
	add rsp, 0x18
	pop rsi
	pop r15
	ret
v3push_end:
	function v3push, v3push_end, v3push_info
	info v3push_info, 0, v3push_body - v3push, 3, 2
	.byte 3, 2, 0
	.byte 3 << 3
	.short v3push_e1 - v3push
	.short 0
	.byte 7, 0, 4, 5
	.byte 0
	.short v3push_e2 - v3push_e1
	wsmall 0x18
	wpush 6
	wpush 15
	done v3push_info

bare v3large
	push rdi
	sub rsp, 0x7fff8
v3large_body:
	mov edi, 0x5a5a5a5a
	call leaf
v3large_e:
	add rsp, 0x7fff8
v3large_1:
	pop rdi
	jmp leaf
v3large_end:
	function v3large, v3large_end, v3large_info
	info v3large_info, 0, v3large_body - v3large, 2, 1
	.byte 1, 0
	.byte 2 << 3
	.short v3large_e - v3large_end
	.short 0
	.byte v3large_1 + 1 - v3large_e, 0, v3large_1 - v3large_e
	.byte 2
	.short 0x7fff8 / 8
	wpush 7
	done v3large_info

# The large forms: a prolog that says so, and an epilog.
bare v3huge
	.rept 300
	nop
	.endr
	push rdi
v3huge_1:
	sub rsp, 0x80008
v3huge_body:
	mov edi, 0x5a5a5a5a
	call leaf
v3huge_e:
	add rsp, 0x80008
	.rept 300
	nop
	.endr
v3huge_2:
	pop rdi
v3huge_ret:
	ret
v3huge_end:
	function v3huge, v3huge_end, v3huge_info
	info v3huge_info, 8, (v3huge_body - v3huge) & 255, 2, 1
	.byte (v3huge_body - v3huge) >> 8
	.short 301, 300
	.byte 2 << 3 | 2
	.short v3huge_e - v3huge_end
	.short 0
	.short v3huge_ret - v3huge_e, 0, v3huge_2 - v3huge_e
	.byte 1
	.long 0x80008
	wpush 7
	done v3huge_info

bare v3frame
	push rbp
	sub rsp, 0x40
v3frame_1:
	lea rbp, [rsp+0x20]
v3frame_2:
	mov [rsp+0x28], rbx
v3frame_body:
	mov ebx, 0x5a5a5a5a
	sub rsp, 0x100
	call leaf
	mov rbx, [rbp+8]
v3frame_e:
	lea rsp, [rbp-0x20]
v3frame_3:
	add rsp, 0x40
v3frame_4:
	pop rbp
v3frame_ret:
	ret
v3frame_end:
	function v3frame, v3frame_end, v3frame_info
	info v3frame_info, 0, v3frame_body - v3frame, 4, 1
	.byte v3frame_2 - v3frame, v3frame_1 - v3frame, 1, 0
	.byte 3 << 3
	.short v3frame_e - v3frame_end
	.short 3
	.byte v3frame_ret - v3frame_e, 0, v3frame_3 - v3frame_e, v3frame_4 - v3frame_e
	.byte 6 | 3 << 3
	.short 0x28 / 8
	.byte 0, 5 | 2 << 4
	wsmall 0x40
	wpush 5
	done v3frame_info

# Saves near and far, of XMM registers too, before more is allocated.
bare v3saves
	sub rsp, 0x90008
v3saves_1:
	mov [rsp+0x80000], rsi
v3saves_2:
	mov [rsp+0x40], r12
v3saves_3:
	movups [rsp+0x50], xmm6
v3saves_4:
	movups [rsp+0x80010], xmm9
v3saves_5:
	sub rsp, 0x20
v3saves_body:
	mov esi, 0x5a5a5a5a
	mov r12d, 0x5a5a5a5a
	call leaf
v3saves_e:
	add rsp, 0x20
v3saves_e1:
	movups xmm9, [rsp+0x80010]
v3saves_e2:
	movups xmm6, [rsp+0x50]
v3saves_e3:
	mov r12, [rsp+0x40]
v3saves_e4:
	mov rsi, [rsp+0x80000]
v3saves_e5:
	add rsp, 0x90008
v3saves_ret:
	ret
v3saves_end:
	function v3saves, v3saves_end, v3saves_info
	info v3saves_info, 0, v3saves_body - v3saves, 6, 1
	.byte v3saves_5 - v3saves, v3saves_4 - v3saves, v3saves_3 - v3saves, v3saves_2 - v3saves, v3saves_1 - v3saves, 0
	.byte 6 << 3
	.short v3saves_e - v3saves_end
	.short 0
	.byte v3saves_ret - v3saves_e, 0, v3saves_e1 - v3saves_e, v3saves_e2 - v3saves_e, v3saves_e3 - v3saves_e, v3saves_e4 - v3saves_e, v3saves_e5 - v3saves_e
	wsmall 0x20
	.byte 9 | 9 << 4
	.long 0x80010
	.byte 10 | 6 << 4
	.short 0x50 / 16
	.byte 6 | 12 << 3 & 255
	.short 0x40 / 8
	.byte 5 | 6 << 3
	.long 0x80000
	.byte 1
	.long 0x90008
	done v3saves_info

# Pairs: r12 and r13 are consecutive, r15 and rbx are not.
bare v3two
	push rax
v3two_1:
	push2 r12, r13
v3two_2:
	push2 r15, rbx
v3two_body:
	mov r12d, 0x5a5a5a5a
	mov r13d, 0x5a5a5a5a
	mov r15d, 0x5a5a5a5a
	mov ebx, 0x5a5a5a5a
	call leaf
v3two_e:
	pop2 rbx, r15
v3two_e1:
	pop2 r13, r12
v3two_e2:
	add rsp, 8
v3two_ret:
	ret
v3two_end:
	function v3two, v3two_end, v3two_info
	info v3two_info, 0, v3two_body - v3two, 3, 1
	.byte v3two_2 - v3two, v3two_1 - v3two, 0
	.byte 3 << 3
	.short v3two_e - v3two_end
	.short 0
	.byte v3two_ret - v3two_e, 0, v3two_e1 - v3two_e, v3two_e2 - v3two_e
	.byte 32 | (15 & 3) << 6, 15 >> 2 | 3 << 3
	.byte 7 | 12 << 3
	wsmall 8
	done v3two_info

# The registers of APX.
bare v3egpr
	push r30
v3egpr_1:
	push r31
v3egpr_2:
	sub rsp, 0x28
v3egpr_body:
	mov r30, 0x5a5a5a5a
	mov r31, 0x5a5a5a5a
	call leaf
v3egpr_e:
	add rsp, 0x28
v3egpr_e1:
	pop r31
v3egpr_e2:
	pop r30
v3egpr_ret:
	ret
v3egpr_end:
	function v3egpr, v3egpr_end, v3egpr_info
	info v3egpr_info, 0, v3egpr_body - v3egpr, 3, 1
	.byte v3egpr_2 - v3egpr, v3egpr_1 - v3egpr, 0
	.byte 3 << 3
	.short v3egpr_e - v3egpr_end
	.short 0
	.byte v3egpr_ret - v3egpr_e, 0, v3egpr_e1 - v3egpr_e, v3egpr_e2 - v3egpr_e
	wsmall 0x28
	wpush 31
	wpush 30
	done v3egpr_info

# A fragment whose epilog ends in the main one.
bare v3chained
	push rdi
	sub rsp, 0x30
v3chained_body:
	mov edi, 0x5a5a5a5a
	call leaf
	jmp v3chained_sub
v3chained_back:
	call leaf
v3chained_e:
	add rsp, 0x30
v3chained_1:
	pop rdi
v3chained_ret:
	ret
v3chained_end:
	.p2align 4, 0xcc
v3chained_sub:
	push rbx
	sub rsp, 0x18
v3chained_sub_body:
	mov ebx, 0x5a5a5a5a
	call leaf
v3chained_sub_e:
	add rsp, 0x18
v3chained_sub_1:
	pop rbx
v3chained_sub_2:
	jmp v3chained_back
v3chained_sub_end:
	function v3chained, v3chained_end, v3chained_info
	info v3chained_info, 0, v3chained_body - v3chained, 2, 1
	.byte 1, 0
	.byte 2 << 3
	.short v3chained_e - v3chained_end
	.short 0
	.byte v3chained_ret - v3chained_e, 0, v3chained_1 - v3chained_e
	wsmall 0x30
	wpush 7
	done v3chained_info
	function v3chained_sub, v3chained_sub_end, v3chained_sub_info
	info v3chained_sub_info, 4, v3chained_sub_body - v3chained_sub, 2, 1
	.byte 1, 0
	.byte 2 << 3 | 1
	.short v3chained_sub_e - v3chained_sub_end
	.short 0
	.byte v3chained_sub_2 - v3chained_sub_e, 0, v3chained_sub_1 - v3chained_sub_e
	wsmall 0x18
	wpush 3
	done v3chained_sub_info
	.section .xdata, "dr"
	.rva v3chained, v3chained_end, v3chained_info
	.text

# An epilog that is no mirror of the prolog: it loads what was pushed.
bare v3mirror
	push rbx
	push rsi
	sub rsp, 0x28
v3mirror_body:
	mov ebx, 0x5a5a5a5a
	mov esi, 0x5a5a5a5a
	call leaf
v3mirror_e:
	mov rsi, [rsp+0x28]
v3mirror_1:
	mov rbx, [rsp+0x30]
v3mirror_2:
	lea eax, [rcx+1]
	add rsp, 0x38
v3mirror_ret:
	ret
v3mirror_end:
	function v3mirror, v3mirror_end, v3mirror_info
	info v3mirror_info, 0, v3mirror_body - v3mirror, 3, 1
	.byte 2, 1, 0
	.byte 3 << 3
	.short v3mirror_e - v3mirror_end
	.short v3mirror_ops - v3mirror_pool
	.byte v3mirror_ret - v3mirror_e, 0, v3mirror_1 - v3mirror_e, v3mirror_2 + 3 - v3mirror_e
v3mirror_pool:
	wsmall 0x28
	wpush 6
	wpush 3
v3mirror_ops:
	.byte 6 | 6 << 3
	.short 0x28 / 8
	.byte 6 | 3 << 3
	.short 0x30 / 8
	wsmall 0x38
	done v3mirror_info
