// Functions with frames of every kind that compilers of 32-bit x86 make, run by
// the tests' interpreter. thread_start is what a thread begins with.

#define EXPORT __declspec(dllexport) __attribute__((noinline))
#define STDCALL __attribute__((stdcall))
#define FASTCALL __attribute__((fastcall))
#define THISCALL __attribute__((thiscall))

typedef unsigned int u32;
typedef unsigned long long u64;

volatile u32 sink;

// A function that has no frame.
EXPORT u32 leaf(u32 a, u32 b) { return a * 3 + b; }

// It takes its arguments off the stack.
EXPORT u32 STDCALL takes_off(u32 a, u32 b, u32 c) { return leaf(a, b) ^ c; }

EXPORT u32 FASTCALL in_registers(u32 a, u32 b, u32 c) { return takes_off(c, a, b) + a; }

EXPORT u32 THISCALL method(u32 *self, u32 a) {
	*self += a;
	return in_registers(*self, a, 7);
}

// It has to save all registers that callers keep.
EXPORT u32 many_registers(u32 a, u32 b, u32 c, u32 d) {
	u32 e = leaf(a, b), f = leaf(c, d), g = leaf(e, f);
	u32 h = takes_off(e, f, g);
	return leaf(a ^ h, e) + leaf(b ^ g, f) + leaf(c ^ f, g) + leaf(d ^ e, h);
}

// More than a page of locals, which are probed.
EXPORT u32 large(u32 n) {
	volatile u32 room[3000];
	for (u32 i = 0; i < 3000; i += 700)
		room[i] = leaf(i, n);
	return room[700] + takes_off(room[0], room[1400], n);
}

// Room that depends on an argument.
EXPORT u32 dynamic(u32 n) {
	volatile u32 *room = __builtin_alloca(n * 4 + 16);
	for (u32 i = 0; i < n; i++)
		room[i] = leaf(i, n);
	return takes_off(room[0], room[n - 1], n) + room[n / 2];
}

struct aligned {
	u32 v[8];
} __attribute__((aligned(32)));

EXPORT u32 fill(struct aligned *a, u32 n) {
	for (u32 i = 0; i < 8; i++)
		a->v[i] = n + i;
	return a->v[n & 7];
}

// Locals that must be aligned to more than the stack is.
EXPORT u32 aligned_frame(u32 n) {
	struct aligned a;
	u32 r = fill(&a, n);
	return r + takes_off(a.v[0], a.v[1], r);
}

// Aligned, and room that depends on an argument: the frame needs another register.
EXPORT u32 aligned_dynamic(u32 n) {
	struct aligned a;
	volatile u32 *room = __builtin_alloca(n * 4 + 4);
	room[n - 1] = fill(&a, n);
	return takes_off(room[n - 1], a.v[2], n);
}

EXPORT u32 varied(u32 n, ...) {
	__builtin_va_list list;
	u32 sum = 0;
	__builtin_va_start(list, n);
	for (u32 i = 0; i < n; i++)
		sum += leaf(__builtin_va_arg(list, u32), i);
	__builtin_va_end(list);
	return sum;
}

// Epilogs in the middle.
EXPORT u32 early(u32 a) {
	if (a == 0)
		return 1;
	u32 b = takes_off(a, a, a);
	if (b & 1)
		return leaf(b, a);
	sink = b;
	return leaf(a, b) + takes_off(b, b, a);
}

EXPORT u32 recursive(u32 n) {
	if (n == 0)
		return leaf(1, 2);
	return recursive(n - 1) + takes_off(n, n, n);
}

EXPORT u32 tail(u32 a, u32 b) { return leaf(b, a + 1); }

struct large_value {
	u32 v[6];
};

EXPORT struct large_value by_value(u32 n) {
	struct large_value v;
	for (u32 i = 0; i < 6; i++)
		v.v[i] = leaf(n, i);
	return v;
}

EXPORT u32 takes_value(struct large_value v, u32 n) { return leaf(v.v[n], v.v[5 - n]) + takes_off(v.v[1], v.v[2], n); }

EXPORT u32 cases(u32 n) {
	switch (n) {
	case 0: return leaf(n, 1);
	case 1: return takes_off(n, 2, 3) + 1;
	case 2: return early(n);
	case 3: sink = 4; return tail(n, n) + 2;
	case 4: return varied(2, n, n);
	}
	return 0;
}

// Calls through pointers, of functions that take their arguments off and others.
EXPORT u32 indirect(u32 (*f)(u32, u32), u32(STDCALL *g)(u32, u32, u32), u32 n) {
	u32 r = 0;
	for (u32 i = 0; i < n; i++)
		r += f(i, n) ^ g(i, r, n);
	return r;
}

// Not exported.
static __attribute__((noinline)) u32 hidden(u32 n) { return takes_off(n, sink, 3) + leaf(n, 5); }

#ifdef __MINGW32__
#define with_handler(n) (n)
#else
u32 with_handler(u32 n); // below
#endif

EXPORT u32 everything(u32 n) {
	u32 self = n, sum = method(&self, 3);
	sum += many_registers(n, 2, 3, 4) + large(n) + dynamic(n + 3) + aligned_frame(n) + aligned_dynamic(n + 2);
	sum += varied(3, n, 1, 2) + early(0) + early(1) + early(2) + recursive(3) + tail(n, 4);
	sum += takes_value(by_value(n), 2);
	for (u32 i = 0; i < 5; i++)
		sum += cases(i);
	return sum + indirect(leaf, takes_off, 2) + hidden(n) + with_handler(n);
}

EXPORT void thread_start(void) {
	sink = everything(5);
	for (;;)
		sink++;
}

// The probe of large frames, as the library of the compilers has it: it moves the
// stack pointer by eax.
#ifdef __MINGW32__
__asm__(".globl ___chkstk_ms\n___chkstk_ms:\n"
	".cfi_startproc\n pushl %ecx\n.cfi_adjust_cfa_offset 4\n pushl %eax\n.cfi_adjust_cfa_offset 4\n"
	"cmpl $0x1000, %eax\n leal 12(%esp), %ecx\n jb 1f\n"
	"2: subl $0x1000, %ecx\n orl $0, (%ecx)\n subl $0x1000, %eax\n cmpl $0x1000, %eax\n ja 2b\n"
	"1: subl %eax, %ecx\n orl $0, (%ecx)\n popl %eax\n.cfi_adjust_cfa_offset -4\n"
	" popl %ecx\n.cfi_adjust_cfa_offset -4\n ret\n.cfi_endproc\n");
#else
__asm__(".globl __chkstk\n__chkstk:\n"
	"pushl %ecx\n leal 4(%esp), %ecx\n subl %eax, %ecx\n andl $-4, %ecx\n movl %esp, %eax\n andl $-4096, %eax\n"
	"2: cmpl %eax, %ecx\n jae 1f\n subl $0x1000, %eax\n testl %eax, (%eax)\n jmp 2b\n"
	"1: movl %ecx, %eax\n popl %ecx\n xchgl %eax, %esp\n movl (%eax), %eax\n movl %eax, (%esp)\n ret\n");

// A function with an exception handler as Visual C++ makes it, and its helpers, which
// set up the frame of their caller and drop it; without the list of handlers,
// which is another segment.
__asm__(".globl _with_handler\n_with_handler:\n"
	"pushl $0x10\n pushl $0x12345678\n calll __SEH_prolog4\n movl $0, -4(%ebp)\n"
	"pushl 8(%ebp)\n pushl $2\n pushl $1\n calll _takes_off@12\n"
	"movl $-2, -4(%ebp)\n calll __SEH_epilog4\n ret\n"
	".globl __SEH_prolog4\n__SEH_prolog4:\n"
	"pushl $0\n pushl $0\n movl 16(%esp), %eax\n movl %ebp, 16(%esp)\n leal 16(%esp), %ebp\n subl %eax, %esp\n"
	"pushl %ebx\n pushl %esi\n pushl %edi\n movl $0x1234, %eax\n xorl %eax, -4(%ebp)\n xorl %ebp, %eax\n pushl %eax\n"
	"movl %esp, -24(%ebp)\n pushl -8(%ebp)\n movl -4(%ebp), %eax\n movl $-2, -4(%ebp)\n movl %eax, -8(%ebp)\n"
	"leal -16(%ebp), %eax\n ret\n"
	".globl __SEH_epilog4\n__SEH_epilog4:\n"
	"movl -16(%ebp), %ecx\n popl %ecx\n popl %edi\n popl %edi\n popl %esi\n popl %ebx\n movl %ebp, %esp\n popl %ebp\n"
	"pushl %ecx\n ret\n");
#endif
