// A function in pieces, as linkers lay it out to keep what is seldom run away
// from the rest. The assembler has no directives for that: the tables are
// written out.

	.text
	.globl	t_fragments
	.p2align 2
t_fragments:			// a prolog, and no epilog
	stp	x19, x20, [sp, #-16]!
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	mov	x19, #1
	bl	t_leaf
	b	body
	.p2align 2
end_of_prolog:

	.globl	t_other		// lies between the pieces, and has no frame
t_other:
	mov	x0, #2
	ret

body:				// neither prolog nor epilog: packed
	mov	x20, #2
	bl	t_stack_leaf
	b	inner
end_of_body:

inner:				// saves two more in the frame of the first piece
	stp	x21, x22, [sp, #16]
	mov	x21, #3
	mov	x22, #4
	bl	t_stack_leaf
	ldp	x21, x22, [sp, #16]
	b	outer
end_of_inner:

outer:				// an epilog, and no prolog
	bl	t_leaf
	sub	sp, sp, #32	// alloca
	bl	t_leaf
	mov	sp, x29
	ldp	x29, x30, [sp], #32
	ldp	x19, x20, [sp], #16
	ret
end_of_outer:

	.globl	t_long		// more than 255 words: no fragment of it has room for that in packed form
t_long:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	.rept	2048
	nop
	.endr
	bl	t_leaf
end_of_long:
rest_of_long:
	bl	t_stack_leaf
	ldp	x29, x30, [sp], #16
	ret
end_of_rest:

	.macro	record name, begin, end, header
\name:	.long	(\end - \begin) / 4 + \header
	.endm

	.section .xdata,"dr"
	.p2align 2
	record	x_prolog, t_fragments, end_of_prolog, (1 << 27)
	.byte	0xe1, 0x83, 0x22, 0xe4			// set_fp, save_fplr_x, save_r19r20_x, end
	record	x_inner, inner, end_of_inner, (2 << 27) + (1 << 22)
	.long	(end_of_inner - 8 - inner) / 4		// an epilog from the load on, codes from 0 on
	.byte	0xc8, 0x82, 0xe5, 0xe1, 0x83, 0x22, 0xe4, 0	// save_regp, end_c, set_fp, save_fplr_x, save_r19r20_x, end
	record	x_outer, outer, end_of_outer, (2 << 27) + (1 << 22) + (1 << 21)	// the epilog's codes from 1 on
	.byte	0xe5, 0xe1, 0x83, 0x22, 0xe4, 0, 0, 0	// end_c, set_fp, save_fplr_x, save_r19r20_x, end
	record	x_long, t_long, end_of_long, (1 << 27)
	.byte	0xe1, 0x81, 0xe4, 0			// set_fp, save_fplr_x, end
	record	x_rest, rest_of_long, end_of_rest, (1 << 27) + (2 << 22) + (1 << 21)
	.byte	0xe5, 0xe1, 0x81, 0xe4			// end_c, set_fp, save_fplr_x, end

	.section .pdata,"dr"
	.rva	t_fragments, x_prolog
	.rva	body
	.long	(end_of_body - body) + 2 + (2 << 16) + (3 << 21) + (3 << 23)	// two registers, fp and lr, 48 bytes
	.rva	inner, x_inner, outer, x_outer, t_long, x_long, rest_of_long, x_rest

	.section .drectve,"yni"
	.ascii	" /export:t_fragments /export:t_other /export:t_long"
