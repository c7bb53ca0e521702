#include "handles.h"

extern "C" int leak_some(int rounds);
extern "C" int CloseHandle(void *handle);
extern "C" int _fltused = 0;
void operator delete(void *, decltype(sizeof 0)) noexcept {}

extern "C" void *memset(void *to, int value, store::u64 count) {
  volatile char *at = static_cast<volatile char *>(to);
  while (count--)
    *at++ = static_cast<char>(value);
  return to;
}

static store::Ring<int, 8> small;
static store::Ring<unsigned char, 16> bytes;

static inline store::u64 fill(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    small.push(i);
    bytes.push(static_cast<unsigned char>(i));
  }
  return store::mix(small.digest(), bytes.digest());
}

// Two functions of the same code: the linker folds them into one.
__attribute__((noinline)) int same(int x) { return x * 77 + 5; }
__attribute__((noinline)) int alike(int x) { return x * 77 + 5; }

extern "C" int entry(void) {
  store::Table table(0x100);
  store::u64 digest = fill(leak_some(7));
  for (unsigned i = 0; i < 9; ++i) {
    unsigned handle = table.open(i & 1 ? store::Table::Access::Write : store::Table::Access::Read);
    if (handle & 2)
      table.close(handle);
    else
      CloseHandle(reinterpret_cast<void *>(static_cast<store::u64>(handle)));
  }
  return same(static_cast<int>(digest)) + alike(9) +
         static_cast<int>(table[3] + store::Table::count(table));
}
