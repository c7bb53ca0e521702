#!/usr/bin/env python3
"""Writes functions with the canonical prologs and epilogs of packed unwind data.

The assembler decides by their directives which it can pack; the table that
llvm-readobj prints says so. Each clobbers the registers that it has saved.
"""


def group(regs):
    name = {11: "r11", 14: "lr", 15: "pc"}
    return "{" + ", ".join(name.get(r, f"r{r}") for r in sorted(regs)) + "}"


def saved(directive, regs):
    wide = any(8 <= r <= 12 for r in regs)
    return wide, f".seh_save_regs{'_w' if wide else ''} {group({14 if r == 15 else r for r in regs})}"


def function(chain, link, floats, reg, fold, homes, ret, words):
    """words is the stack that is taken beside the registers; fold says where by them."""
    pro, epi = [], []
    regs = set() if floats else set(range(4, 5 + reg))
    regs |= {11} if chain else set()
    regs |= {14} if link else set()
    extra = set(range(4 - words, 4))
    if homes:
        pro.append(("push {r0-r3}", ".seh_save_regs {r0-r3}"))
    push = regs | (extra if "p" in fold else set())
    if push:
        wide, directive = saved("", push)
        pro.append((f"push{'.w' if wide else ''} {group(push)}", directive))
    if chain:
        below = 4 * len({r for r in push if r < 11})
        if below:
            pro.append((f"add.w r11, sp, #{below}", ".seh_nop_w"))
        else:
            pro.append(("mov r11, sp", ".seh_nop"))
    vector = f"{{d8-d{8 + reg}}}"
    if floats and reg != 7:
        pro.append((f"vpush {vector}", f".seh_save_fregs {vector}"))
    wide = "_w" if words > 0x7f else ""
    if words and "p" not in fold:
        pro.append((f"{'subw sp, sp,' if wide else 'sub sp,'} #{4 * words}", f".seh_stackalloc{wide} {4 * words}"))

    if words and "e" not in fold:
        epi.append((f"{'addw sp, sp,' if wide else 'add sp,'} #{4 * words}", f".seh_stackalloc{wide} {4 * words}"))
    if floats and reg != 7:
        epi.append((f"vpop {vector}", f".seh_save_fregs {vector}"))
    pop = regs | (extra if "e" in fold else set())
    last = homes and link and ret == 0
    if last:
        pop -= {14}
    elif ret == 0:
        pop = pop - {14} | {15}
    if pop:
        wide, directive = saved("", pop)
        if 14 in pop:
            wide, directive = True, directive.replace("regs ", "regs_w ")
        epi.append((f"pop{'.w' if wide else ''} {group(pop)}", directive))
    if last:
        epi.append(("ldr pc, [sp], #20", ".seh_save_lr 20"))
    elif homes:
        epi.append(("add sp, #16", ".seh_stackalloc 16"))
    if ret == 1:
        epi.append(("bx lr", ".seh_nop"))
    elif ret == 2:
        epi.append(("b.w t_leaf", ".seh_nop_w"))

    name = f"t_packed_{'c' if chain else ''}{'l' if link else ''}{'f' if floats else 'r'}{reg}{fold}{'h' if homes else ''}_{ret}_{words}"
    print(f"\t.globl {name}\n\t.thumb_func\n{name}:\n\t.seh_proc {name}")
    for inst, directive in pro:
        print(f"\t{inst}\n\t{directive}")
    print("\t.seh_endprologue")
    if link:
        print("\tbl t_leaf")
    for r in sorted(regs - {11, 14}):
        print(f"\tmov{'.w' if r > 7 else 's'} r{r}, #{r}")
    if link:
        print("\tbl t_stack_leaf")
    else:
        print("\tnop")
    print("\t.seh_startepilogue")
    for inst, directive in epi:
        print(f"\t{inst}\n\t{directive}")
    print("\t.seh_endepilogue\n\t.seh_endproc\n")
    return name


print("\t.syntax unified\n\t.thumb\n\t.text\n")
names = []
for chain in (False, True):
    for link in (False, True):
        if chain and not link:
            continue
        for floats, reg in (False, 0), (False, 3), (False, 4), (False, 6), (False, 7), (True, 0), (True, 3), (True, 7):
            if chain and reg == 7 and not floats:
                continue
            for fold, words in ("", 0), ("", 3), ("", 127), ("", 200), ("p", 1), ("e", 2), ("pe", 4):
                if fold in ("p", "e", "pe") and reg not in (3, 4, 7):
                    continue
                for homes in (False, True):
                    if homes and words > 100:
                        continue
                    for ret in range(3):
                        if ret == 0 and not link:
                            continue
                        if not link and floats and reg == 7 and not words and not homes:
                            continue
                        if ret and (reg, words) not in ((0, 0), (3, 3), (7, 3), (4, 4), (7, 0)):
                            continue
                        names.append(function(chain, link, floats, reg, fold, homes, ret, words))
print('\t.section .drectve,"yn"')
for name in names:
    print(f'\t.ascii " /export:{name}"')
