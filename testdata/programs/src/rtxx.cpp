// What C++ programs need besides: memory of the program's heap, and no exceptions.
#include "rt.h"
#include <new>

void *operator new(std::size_t size) { return rt_alloc(size); }
void *operator new[](std::size_t size) { return rt_alloc(size); }
void operator delete(void *p) noexcept { rt_free(p); }
void operator delete[](void *p) noexcept { rt_free(p); }
void operator delete(void *p, std::size_t) noexcept { rt_free(p); }
void operator delete[](void *p, std::size_t) noexcept { rt_free(p); }

namespace std {
void __throw_length_error(const char *what) { rt_must(FALSE, what); __builtin_unreachable(); }
void __throw_bad_alloc() { rt_must(FALSE, "memory"); __builtin_unreachable(); }
void __throw_bad_array_new_length() { rt_must(FALSE, "memory"); __builtin_unreachable(); }
}

// Global objects live as long as the process.
extern "C" int atexit(void (*)()) { return 0; }
extern "C" void __cxa_pure_virtual() { rt_must(FALSE, "pure virtual"); }
