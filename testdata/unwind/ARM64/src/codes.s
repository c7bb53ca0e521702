// Functions for the unwind codes and records that compilers use seldom or never.
// All that is called t_* is run by the test, instruction by instruction, and
// clobbers the registers that it has saved.

	.macro	function name
	.globl	\name
	.p2align 2
\name:
	.seh_proc \name
	.endm

	.text

	.globl	t_leaf
	.p2align 2
t_leaf:				// a leaf has no unwind data
	add	x0, x0, #3
	sub	x0, x0, #2
	ret

	function t_stack_leaf	// one with a frame, and without lr
	sub	sp, sp, #48
	.seh_stackalloc 48
	.seh_endprologue
	str	x0, [sp, #8]
	ldr	x0, [sp, #8]
	.seh_startepilogue
	add	sp, sp, #48
	.seh_stackalloc 48
	.seh_endepilogue
	ret
	.seh_endproc

	.globl	chkstk
	.p2align 2
chkstk:				// the real one touches the pages
	mov	x16, sp
	ret

	function t_next		// save_r19r20_x, save_next, over to the floating-point pairs
	stp	x19, x20, [sp, #-160]!
	.seh_save_r19r20_x 160
	stp	x21, x22, [sp, #16]
	.seh_save_next
	stp	x23, x24, [sp, #32]
	.seh_save_next
	stp	x25, x26, [sp, #48]
	.seh_save_next
	stp	x27, x28, [sp, #64]
	.seh_save_next
	stp	d8, d9, [sp, #80]
	.seh_save_next
	stp	x29, x30, [sp, #144]
	.seh_save_fplr 144
	add	x29, sp, #144
	.seh_add_fp 144
	.seh_endprologue
	mov	x19, #1
	mov	x22, #2
	mov	x28, #3
	bl	t_leaf
	sub	sp, sp, #64	// alloca
	bl	t_stack_leaf
	.seh_startepilogue
	sub	sp, x29, #144
	.seh_add_fp 144
	ldp	x29, x30, [sp, #144]
	.seh_save_fplr 144
	ldp	d8, d9, [sp, #80]
	.seh_save_next
	ldp	x27, x28, [sp, #64]
	.seh_save_next
	ldp	x25, x26, [sp, #48]
	.seh_save_next
	ldp	x23, x24, [sp, #32]
	.seh_save_next
	ldp	x21, x22, [sp, #16]
	.seh_save_next
	ldp	x19, x20, [sp], #160
	.seh_save_r19r20_x 160
	.seh_endepilogue
	ret
	.seh_endproc

	function t_pairs	// save_regp_x with save_next, save_fregp_x with save_next
	stp	x29, x30, [sp, #-16]!
	.seh_save_fplr_x 16
	stp	x21, x22, [sp, #-64]!
	.seh_save_regp_x x21, 64
	stp	x23, x24, [sp, #16]
	.seh_save_next
	stp	d10, d11, [sp, #-48]!
	.seh_save_fregp_x d10, 48
	stp	d12, d13, [sp, #16]
	.seh_save_next
	stp	x25, x26, [sp, #32]
	.seh_save_regp x25, 32
	.seh_endprologue
	mov	x21, #1
	mov	x24, #2
	mov	x26, #3
	bl	t_leaf
	.seh_startepilogue
	ldp	x25, x26, [sp, #32]
	.seh_save_regp x25, 32
	ldp	d12, d13, [sp, #16]
	.seh_save_next
	ldp	d10, d11, [sp], #48
	.seh_save_fregp_x d10, 48
	ldp	x23, x24, [sp, #16]
	.seh_save_next
	ldp	x21, x22, [sp], #64
	.seh_save_regp_x x21, 64
	ldp	x29, x30, [sp], #16
	.seh_save_fplr_x 16
	.seh_endepilogue
	ret
	.seh_endproc

	function t_singles	// save_reg_x, save_reg, save_lrpair, save_freg, save_freg_x
	str	x20, [sp, #-80]!
	.seh_save_reg_x x20, 80
	str	x28, [sp, #8]
	.seh_save_reg x28, 8
	stp	x27, x30, [sp, #16]
	.seh_save_lrpair x27, 16
	str	d9, [sp, #32]
	.seh_save_freg d9, 32
	str	d15, [sp, #-16]!
	.seh_save_freg_x d15, 16
	.seh_endprologue
	mov	x20, #1
	mov	x27, #2
	mov	x28, #3
	bl	t_leaf
	.seh_startepilogue
	ldr	d15, [sp], #16
	.seh_save_freg_x d15, 16
	ldr	d9, [sp, #32]
	.seh_save_freg d9, 32
	ldp	x27, x30, [sp, #16]
	.seh_save_lrpair x27, 16
	ldr	x28, [sp, #8]
	.seh_save_reg x28, 8
	ldr	x20, [sp], #80
	.seh_save_reg_x x20, 80
	.seh_endepilogue
	ret
	.seh_endproc

	function t_lr_alone	// x19 and lr in a place of their own, alloc_m
	sub	sp, sp, #16
	.seh_stackalloc 16
	stp	x19, x30, [sp]
	.seh_save_lrpair x19, 0
	sub	sp, sp, #2048
	.seh_stackalloc 2048
	.seh_endprologue
	mov	x19, #1
	bl	t_leaf
	.seh_startepilogue
	add	sp, sp, #2048
	.seh_stackalloc 2048
	ldp	x19, x30, [sp]
	.seh_save_lrpair x19, 0
	add	sp, sp, #16
	.seh_stackalloc 16
	.seh_endepilogue
	ret
	.seh_endproc

	function t_large	// alloc_l, by way of a call in the prolog
	stp	x29, x30, [sp, #-32]!
	.seh_save_fplr_x 32
	str	x19, [sp, #16]
	.seh_save_reg x19, 16
	mov	x29, sp
	.seh_set_fp
	mov	x15, #0x1000
	.seh_nop
	bl	chkstk
	.seh_nop
	sub	sp, sp, x15, lsl #4
	.seh_stackalloc 65536
	.seh_endprologue
	mov	x19, #1
	bl	t_stack_leaf
	.seh_startepilogue
	mov	sp, x29
	.seh_set_fp
	ldr	x19, [sp, #16]
	.seh_save_reg x19, 16
	ldp	x29, x30, [sp], #32
	.seh_save_fplr_x 32
	.seh_endepilogue
	ret
	.seh_endproc

	function t_epilogs	// three of them, one shorter than the prolog, one that leaves by a jump
	stp	x29, x30, [sp, #-48]!
	.seh_save_fplr_x 48
	stp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	mov	x29, sp
	.seh_set_fp
	sub	sp, sp, #32
	.seh_stackalloc 32
	.seh_endprologue
	mov	x19, x0
	mov	x20, #2
	bl	t_leaf
	cbz	x19, 1f
	cmp	x19, #1
	b.eq	2f
	bl	t_stack_leaf
	.seh_startepilogue
	mov	sp, x29
	.seh_set_fp
	ldp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	ldp	x29, x30, [sp], #48
	.seh_save_fplr_x 48
	.seh_endepilogue
	b	t_stack_leaf
1:	mov	x0, #5
	.seh_startepilogue
	add	sp, sp, #32
	.seh_stackalloc 32
	ldp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	ldp	x29, x30, [sp], #48
	.seh_save_fplr_x 48
	.seh_endepilogue
	ret
2:	bl	t_leaf
	.seh_startepilogue
	mov	sp, x29
	.seh_set_fp
	ldp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	ldp	x29, x30, [sp], #48
	.seh_save_fplr_x 48
	.seh_endepilogue
	ret
	.seh_endproc

	function t_middle	// the only epilog is not at the end; a call that never returns is
	stp	x29, x30, [sp, #-32]!
	.seh_save_fplr_x 32
	str	x21, [sp, #16]
	.seh_save_reg x21, 16
	.seh_endprologue
	mov	x21, x0
	bl	t_leaf
	cmp	x21, #3
	b.eq	1f
	.seh_startepilogue
	ldr	x21, [sp, #16]
	.seh_save_reg x21, 16
	ldp	x29, x30, [sp], #32
	.seh_save_fplr_x 32
	.seh_endepilogue
	ret
1:	bl	t_exit
	.seh_endproc

	function t_exit		// never returns; follows the call directly
	stp	x29, x30, [sp, #-64]!
	.seh_save_fplr_x 64
	.seh_endprologue
	bl	t_leaf
	brk	#1
	.seh_endproc

	function t_many		// 40 epilogs and more than 124 bytes of codes: the longer header
	stp	x29, x30, [sp, #-64]!
	.seh_save_fplr_x 64
	stp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	stp	x21, x22, [sp, #32]
	.seh_save_regp x21, 32
	.seh_endprologue
	mov	x19, #1
	mov	x22, #2
	bl	t_leaf
	.set	number, 0
	.rept	40
	cmp	x0, #number
	b.ne	1f
	.seh_startepilogue
	nop
	.seh_nop
	.rept	number % 7
	nop
	.seh_nop
	.endr
	ldp	x21, x22, [sp, #32]
	.seh_save_regp x21, 32
	.rept	number / 7
	nop
	.seh_nop
	.endr
	ldp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	ldp	x29, x30, [sp], #64
	.seh_save_fplr_x 64
	.seh_endepilogue
	ret
1:
	.set	number, number + 1
	.endr
	.seh_startepilogue
	ldp	x21, x22, [sp, #32]
	.seh_save_regp x21, 32
	ldp	x19, x20, [sp, #16]
	.seh_save_regp x19, 16
	ldp	x29, x30, [sp], #64
	.seh_save_fplr_x 64
	.seh_endepilogue
	ret
	.seh_endproc

	function t_signed	// pac_sign_lr in a full record, with a handler
	.seh_handler t_leaf, @unwind, @except
	pacibsp
	.seh_pac_sign_lr
	stp	x29, x30, [sp, #-32]!
	.seh_save_fplr_x 32
	str	x19, [sp, #16]
	.seh_save_reg x19, 16
	.seh_endprologue
	mov	x19, #1
	bl	t_stack_leaf
	.seh_startepilogue
	ldr	x19, [sp, #16]
	.seh_save_reg x19, 16
	ldp	x29, x30, [sp], #32
	.seh_save_fplr_x 32
	autibsp
	.seh_pac_sign_lr
	.seh_endepilogue
	ret
	.seh_handlerdata
	.long	1
	.text
	.seh_endproc

	function t_any		// save_any_reg in all its forms
	stp	x29, x30, [sp, #-272]!
	.seh_save_any_reg_px x29, 272
	str	x19, [sp, #24]
	.seh_save_any_reg x19, 24
	stp	x9, x10, [sp, #32]
	.seh_save_any_reg_p x9, 32
	stp	q6, q7, [sp, #48]
	.seh_save_any_reg_p q6, 48
	str	q8, [sp, #80]
	.seh_save_any_reg q8, 80
	str	d9, [sp, #96]
	.seh_save_any_reg d9, 96
	stp	d10, d11, [sp, #112]
	.seh_save_any_reg_p d10, 112
	stp	x20, x21, [sp, #128]
	.seh_save_any_reg_p x20, 128
	stp	x22, x23, [sp, #144]
	.seh_save_next
	stp	x24, x25, [sp, #-32]!
	.seh_save_any_reg_px x24, 32
	str	x26, [sp, #-16]!
	.seh_save_any_reg_x x26, 16
	str	q12, [sp, #-16]!
	.seh_save_any_reg_x q12, 16
	str	d13, [sp, #-16]!
	.seh_save_any_reg_x d13, 16
	.seh_endprologue
	mov	x19, #1
	mov	x20, #2
	mov	x22, #3
	mov	x24, #4
	mov	x26, #5
	bl	t_stack_leaf
	.seh_startepilogue
	ldr	d13, [sp], #16
	.seh_save_any_reg_x d13, 16
	ldr	q12, [sp], #16
	.seh_save_any_reg_x q12, 16
	ldr	x26, [sp], #16
	.seh_save_any_reg_x x26, 16
	ldp	x24, x25, [sp], #32
	.seh_save_any_reg_px x24, 32
	ldp	x22, x23, [sp, #144]
	.seh_save_next
	ldp	x20, x21, [sp, #128]
	.seh_save_any_reg_p x20, 128
	ldp	d10, d11, [sp, #112]
	.seh_save_any_reg_p d10, 112
	ldr	d9, [sp, #96]
	.seh_save_any_reg d9, 96
	ldr	q8, [sp, #80]
	.seh_save_any_reg q8, 80
	ldp	q6, q7, [sp, #48]
	.seh_save_any_reg_p q6, 48
	ldp	x9, x10, [sp, #32]
	.seh_save_any_reg_p x9, 32
	ldr	x19, [sp, #24]
	.seh_save_any_reg x19, 24
	ldp	x29, x30, [sp], #272
	.seh_save_any_reg_px x29, 272
	.seh_endepilogue
	ret
	.seh_endproc

// What the kernel enters with a frame of its own on the stack. The test puts it
// there.
	function k_context
	.seh_context
	.seh_endprologue
	mov	x0, sp
	bl	t_stack_leaf
	nop
	.seh_endproc

	function k_machine_frame
	.seh_pushframe
	sub	sp, sp, #32
	.seh_stackalloc 32
	.seh_endprologue
	bl	t_leaf
	nop
	.seh_endproc

	function k_ec_context
	.seh_ec_context
	.seh_endprologue
	bl	t_leaf
	nop
	.seh_endproc

	function k_interrupted	// lr is where the caller was interrupted
	.seh_clear_unwound_to_call
	stp	x29, x30, [sp, #-16]!
	.seh_save_fplr_x 16
	.seh_endprologue
	bl	t_leaf
	nop
	.seh_endproc

	.section .drectve,"yni"
	.irp	name, t_leaf, t_stack_leaf, t_next, t_pairs, t_singles, t_lr_alone, t_large, t_epilogs, t_middle, t_many, t_signed, t_any
	.ascii	" /export:\name"
	.endr
	.irp	name, k_context, k_machine_frame, k_ec_context, k_interrupted
	.ascii	" /export:\name"
	.endr
