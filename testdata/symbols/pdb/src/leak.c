// Plain C, and one function with no line information at all.
static volatile int opened;

static __attribute__((noinline)) int open_one(int kind) {
  opened += kind;
  return opened;
}

static inline int twice(int kind) {
  int first = open_one(kind);
  return first + open_one(kind + 1);
}

__declspec(dllexport) int leak_some(int rounds) {
  int sum = 0;
  while (rounds-- > 0) {
    sum += twice(rounds);
    if (sum & 4)
      sum -= open_one(rounds);
  }
  return sum;
}

__attribute__((noinline, cold)) int leak_all(int rounds) {
  return twice(twice(rounds));
}

__asm__(".text\n.globl no_debug_info\nno_debug_info:\n"
#ifdef __i386__
        ".globl _no_debug_info\n_no_debug_info:\n"
#endif
        "nop\nnop\nret\n");
