// Functions for the unwind codes and records that packed unwind data cannot say.
// All that is called t_* is run by the test, instruction by instruction, and
// clobbers the registers that it has saved.

	.syntax unified
	.thumb

	.macro	function name
	.globl	\name
	.p2align 1
	.thumb_func
\name:
	.seh_proc \name
	.endm

	.text
	.globl	t_leaf
	.thumb_func
t_leaf:				// a leaf has no unwind data
	adds	r0, #3
	subs	r0, #2
	bx	lr

	function t_stack_leaf	// one with a frame, and without lr
	sub	sp, #48
	.seh_stackalloc 48
	.seh_endprologue
	str	r0, [sp, #8]
	ldr	r0, [sp, #8]
	.seh_startepilogue
	add	sp, #48
	.seh_stackalloc 48
	bx	lr
	.seh_nop
	.seh_endepilogue
	.seh_endproc

	.globl	chkstk
	.thumb_func
chkstk:				// the real one touches the pages
	mov	r12, sp
	bx	lr

	function t_low		// pop {r0-r7, lr}, mov sp
	push	{r2, r3, r4, r5, r7, lr}
	.seh_save_regs {r2, r3, r4, r5, r7, lr}
	mov	r7, sp
	.seh_save_sp r7
	sub	sp, #32
	.seh_stackalloc 32
	.seh_endprologue
	movs	r4, #4
	movs	r5, #5
	bl	t_leaf
	sub	sp, #64		// alloca
	bl	t_stack_leaf
	.seh_startepilogue
	mov	sp, r7
	.seh_save_sp r7
	pop	{r2, r3, r4, r5, r7, pc}
	.seh_save_regs {r2, r3, r4, r5, r7, lr}
	.seh_endepilogue
	.seh_endproc

	function t_wide		// pop {r0-r12, lr}, vpop of others, addw
	push.w	{r1, r4, r6, r8, r10, lr}
	.seh_save_regs_w {r1, r4, r6, r8, r10, lr}
	vpush	{d10-d12}
	.seh_save_fregs {d10-d12}
	vpush	{d16-d17}
	.seh_save_fregs {d16-d17}
	subw	sp, sp, #2000
	.seh_stackalloc_w 2000
	.seh_endprologue
	movs	r4, #4
	movs	r6, #6
	mov.w	r8, #8
	mov.w	r10, #10
	bl	t_leaf
	.seh_startepilogue
	addw	sp, sp, #2000
	.seh_stackalloc_w 2000
	vpop	{d16-d17}
	.seh_save_fregs {d16-d17}
	vpop	{d10-d12}
	.seh_save_fregs {d10-d12}
	pop.w	{r1, r4, r6, r8, r10, lr}
	.seh_save_regs_w {r1, r4, r6, r8, r10, lr}
	b.w	t_stack_leaf
	.seh_nop_w
	.seh_endepilogue
	.seh_endproc

	function t_large	// an allocation by way of a call in the prolog
	push.w	{r4, r11, lr}
	.seh_save_regs_w {r4, r11, lr}
	add.w	r11, sp, #4
	.seh_nop_w
	movw	r4, #0x4000
	.seh_nop_w
	bl	chkstk
	.seh_nop_w
	sub.w	sp, sp, r4
	.seh_stackalloc_w 0x4000
	.seh_endprologue
	movs	r4, #4
	bl	t_stack_leaf
	.seh_startepilogue
	add.w	sp, sp, #0x4000
	.seh_stackalloc_w 0x4000
	pop.w	{r4, r11, pc}
	.seh_save_regs_w {r4, r11, lr}
	.seh_endepilogue
	.seh_endproc

	function t_larger	// the same in a short instruction, and with three bytes
	push	{r4, r7, lr}
	.seh_save_regs {r4, r7, lr}
	mov	r7, sp
	.seh_save_sp r7
	movw	r4, #0
	.seh_nop_w
	movt	r4, #5
	.seh_nop_w
	bl	chkstk
	.seh_nop_w
	sub.w	sp, sp, r4
	.seh_stackalloc_w 0x50000
	.seh_endprologue
	movs	r4, #4
	bl	t_stack_leaf
	.seh_startepilogue
	mov	sp, r7
	.seh_save_sp r7
	pop	{r4, r7, pc}
	.seh_save_regs {r4, r7, lr}
	.seh_endepilogue
	.seh_endproc

	function t_epilogs	// three of them, one that leaves by a jump, one with a handler's data behind it
	.seh_handler t_leaf, %unwind, %except
	push	{r4, r5, r6, lr}
	.seh_save_regs {r4-r6, lr}
	sub	sp, #16
	.seh_stackalloc 16
	.seh_endprologue
	mov	r4, r0
	movs	r5, #5
	bl	t_leaf
	cbz	r4, 1f
	cmp	r4, #1
	beq	2f
	bl	t_stack_leaf
	.seh_startepilogue
	add	sp, #16
	.seh_stackalloc 16
	pop.w	{r4, r5, r6, lr}
	.seh_save_regs_w {r4-r6, lr}
	b.w	t_stack_leaf
	.seh_nop_w
	.seh_endepilogue
1:	movs	r0, #5
	.seh_startepilogue
	add	sp, #16
	.seh_stackalloc 16
	pop	{r4, r5, r6, pc}
	.seh_save_regs {r4-r6, lr}
	.seh_endepilogue
2:	bl	t_leaf
	.seh_startepilogue
	add	sp, #16
	.seh_stackalloc 16
	pop	{r4, r5, r6, pc}
	.seh_save_regs {r4-r6, lr}
	.seh_endepilogue
	.seh_handlerdata
	.long	1
	.text
	.seh_endproc

	function t_middle	// the only epilog is not at the end; a call that never returns is
	push	{r4, r5, r6, lr}
	.seh_save_regs {r4-r6, lr}
	.seh_endprologue
	mov	r4, r0
	bl	t_leaf
	cmp	r4, #3
	beq	1f
	.seh_startepilogue
	pop	{r4, r5, r6, pc}
	.seh_save_regs {r4-r6, lr}
	.seh_endepilogue
1:	bl	t_exit
	.seh_endproc

	function t_exit		// never returns; follows the call directly
	push	{r2, r3, r7, lr}
	.seh_save_regs {r2, r3, r7, lr}
	.seh_endprologue
	bl	t_leaf
	udf	#1
	.seh_endproc

	function t_many		// 21 epilogs and more than 63 bytes of codes: the longer header
	push	{r4, r5, r7, lr}
	.seh_save_regs {r4-r5, r7, lr}
	sub	sp, #8
	.seh_stackalloc 8
	.seh_endprologue
	movs	r4, #4
	bl	t_leaf
	.set	number, 0
	.rept	20
	cmp	r0, #number
	bne	1f
	.seh_startepilogue
	nop
	.seh_nop
	.rept	number % 7
	nop
	.seh_nop
	.endr
	add	sp, #8
	.seh_stackalloc 8
	.rept	number / 7
	nop.w
	.seh_nop_w
	.endr
	pop	{r4, r5, r7, pc}
	.seh_save_regs {r4-r5, r7, lr}
	.seh_endepilogue
1:
	.set	number, number + 1
	.endr
	.seh_startepilogue
	add	sp, #8
	.seh_stackalloc 8
	pop	{r4, r5, r7, pc}
	.seh_save_regs {r4-r5, r7, lr}
	.seh_endepilogue
	.seh_endproc

	function t_fragments	// the prolog alone; the rest is elsewhere
	push	{r4, r5, r7, lr}
	.seh_save_regs {r4-r5, r7, lr}
	sub	sp, #8
	.seh_stackalloc 8
	.seh_endprologue
	movs	r4, #4
	bl	t_leaf
	b	rest
	.seh_endproc

	.globl	t_other		// lies between the pieces, and has no frame
	.thumb_func
t_other:
	movs	r0, #2
	bx	lr

	.thumb_func
rest:
	.seh_proc rest		// an epilog, and no prolog
	.seh_save_regs {r4-r5, r7, lr}
	.seh_stackalloc 8
	.seh_endprologue_fragment
	bl	t_stack_leaf
	movs	r5, #5
	.seh_startepilogue
	add	sp, #8
	.seh_stackalloc 8
	pop	{r4, r5, r7, pc}
	.seh_save_regs {r4-r5, r7, lr}
	.seh_endepilogue
	.seh_endproc

// What the kernel enters with a frame of its own on the stack. The test puts it
// there.
	function k_machine_frame
	.seh_custom 0xee, 0x01
	sub	sp, #32
	.seh_stackalloc 32
	.seh_endprologue
	bl	t_leaf
	nop
	.seh_endproc

	function k_context
	.seh_custom 0xee, 0x02
	.seh_endprologue
	mov	r0, sp
	bl	t_stack_leaf
	nop
	.seh_endproc

	.section .drectve,"yn"
	.irp	name, t_leaf, t_stack_leaf, t_low, t_wide, t_large, t_larger, t_epilogs, t_middle, t_many, t_fragments, t_other
	.ascii	" /export:\name"
	.endr
	.irp	name, k_context, k_machine_frame
	.ascii	" /export:\name"
	.endr
