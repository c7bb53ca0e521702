#!/usr/bin/env python3
"""Writes functions with the canonical prologs and epilogs of packed unwind data.

The assembler decides by their directives which it can pack; the table that
llvm-readobj prints says so. Each clobbers the registers that it has saved.
"""


def function(ints, floats, cr, local, homes=False):
    int_size = 8 * ints + (8 if cr == 1 else 0)
    saved = (int_size + 8 * floats + (64 if homes else 0) + 15) & ~15
    name = f"t_packed_i{ints}_f{floats}_c{cr}_{'h_' if homes else ''}{local}"
    pro, epi = [], []

    def both(store, load, directive):
        pro.append((store, directive))
        epi.append((load, directive))

    if cr == 2:
        both("pacibsp", "autibsp", ".seh_pac_sign_lr")
    grown = False
    for i in range(0, ints, 2):
        first = f"x{19 + i}"
        if i + 1 < ints:
            second, kind = f"x{20 + i}", "regp"
        elif cr == 1:
            second, kind = "x30", "lrpair"
        else:
            second, kind = None, "reg"
        op = f"{first}, {second}" if second else first
        st, ld = ("stp", "ldp") if second else ("str", "ldr")
        if not grown:
            assert kind != "lrpair"
            both(f"{st} {op}, [sp, #-{saved}]!", f"{ld} {op}, [sp], #{saved}", f".seh_save_{kind}_x {first}, {saved}")
            grown = True
        else:
            both(f"{st} {op}, [sp, #{8 * i}]", f"{ld} {op}, [sp, #{8 * i}]", f".seh_save_{kind} {first}, {8 * i}")
    if cr == 1 and ints % 2 == 0:
        if not grown:
            both(f"str x30, [sp, #-{saved}]!", f"ldr x30, [sp], #{saved}", f".seh_save_reg_x x30, {saved}")
            grown = True
        else:
            both(f"str x30, [sp, #{int_size - 8}]", f"ldr x30, [sp, #{int_size - 8}]", f".seh_save_reg x30, {int_size - 8}")
    for i in range(0, floats, 2):
        at = int_size + 8 * i
        op, kind, st, ld = f"d{8 + i}, d{9 + i}", "fregp", "stp", "ldp"
        if i + 1 == floats:
            op, kind, st, ld = f"d{8 + i}", "freg", "str", "ldr"
        if not grown:
            both(f"{st} {op}, [sp, #-{saved}]!", f"{ld} {op}, [sp], #{saved}", f".seh_save_{kind}_x d{8 + i}, {saved}")
            grown = True
        else:
            both(f"{st} {op}, [sp, #{at}]", f"{ld} {op}, [sp, #{at}]", f".seh_save_{kind} d{8 + i}, {at}")
    if homes:
        for i in range(0, 8, 2):
            pro.append((f"stp x{i}, x{i + 1}, [sp, #{int_size + 8 * floats + 8 * i}]", ".seh_nop"))

    def alloc(n):
        if n > 4080:
            both("sub sp, sp, #4080", "add sp, sp, #4080", ".seh_stackalloc 4080")
            n -= 4080
        if n:
            both(f"sub sp, sp, #{n}", f"add sp, sp, #{n}", f".seh_stackalloc {n}")

    if cr < 2:
        alloc(local)
    elif local <= 512:
        both(f"stp x29, x30, [sp, #-{local}]!", f"ldp x29, x30, [sp], #{local}", f".seh_save_fplr_x {local}")
        pro.append(("mov x29, sp", ".seh_set_fp"))
    else:
        alloc(local)
        both("stp x29, x30, [sp]", "ldp x29, x30, [sp]", ".seh_save_fplr 0")
        pro.append(("mov x29, sp", ".seh_set_fp"))

    # The assembler does not pack functions that store their parameters; their
    # entry in the table is written out.
    seh = (lambda text: None) if homes else print
    print(f"\t.globl {name}\n\t.p2align 2\n{name}:")
    seh(f"\t.seh_proc {name}")
    for inst, directive in pro:
        print(f"\t{inst}")
        seh(f"\t{directive}")
    seh("\t.seh_endprologue")
    if cr:
        print("\tbl t_leaf")
    for i in range(ints):
        print(f"\tmov x{19 + i}, #{i + 1}")
    if cr == 0:
        print("\tmov x0, #1")
    else:
        print("\tbl t_stack_leaf")
    seh("\t.seh_startepilogue")
    for inst, directive in reversed(epi):
        print(f"\t{inst}")
        seh(f"\t{directive}")
    seh("\t.seh_endepilogue")
    print("\tret")
    seh("\t.seh_endproc\n")
    if homes:
        word = 1 | max(floats - 1, 0) << 13 | ints << 16 | 1 << 20 | cr << 21 | (saved + local) // 16 << 23
        print(f"end_{name}:\n\t.section .pdata,\"dr\"\n\t.rva {name}\n\t.long (end_{name} - {name}) + {word:#x}\n\t.text\n")
    return name


print("\t.text\n")
names = []
for ints in range(11):
    for cr in range(4):
        if cr == 1 and ints == 1:
            continue  # has no unwind code
        for floats in {ints % 3 * 2, 8 if ints == 10 else 0, 3 if ints > 2 else 0}:
            local = 16 + 16 * ints if cr >= 2 else 16 * ints
            if ints + floats + local + (cr == 1) == 0:
                continue
            names.append(function(ints, floats, cr, local))
for cr in range(4):
    for local in 496, 528, 4064, 4080, 4096, 6000 // 16 * 16:
        names.append(function(2, 2, cr, local))
    names.append(function(4, 2, cr, 32, homes=True))
    names.append(function(0, 2, cr, 32))
print('\t.section .drectve,"yni"')
for name in names:
    print(f'\t.ascii " /export:{name}"')
