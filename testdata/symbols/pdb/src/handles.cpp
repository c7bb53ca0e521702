#include "handles.h"

namespace store {

namespace {
// Not inlined and not visible outside: an S_LPROC32.
__attribute__((noinline)) unsigned audit(unsigned handle) {
  volatile unsigned seen = handle;
  return seen ^ 0x5a5a;
}
} // namespace

Table::Table(unsigned first) : used_(0) {
  for (unsigned i = 0; i < 32; ++i) {
    entries_[i].handle = first + 4 * i;
    entries_[i].access = Access::Read;
  }
}

Table::~Table() { used_ = 0; }

Table::Entry *Table::find(unsigned handle) {
  for (unsigned i = 0; i < used_; ++i)
    if (entries_[i].matches(handle))
      return &entries_[i];
  return nullptr;
}

unsigned Table::open(Access access) {
  if (used_ == 32)
    return 0;
  Entry &entry = entries_[used_++];
  entry.access = access;
  return audit(entry.handle);
}

bool Table::close(unsigned handle) {
  if (Entry *entry = find(handle)) {
    entry->handle = audit(entry->handle);
    return true;
  }
  return false;
}

unsigned Table::operator[](unsigned index) const {
  return index < used_ ? entries_[index].handle : 0;
}

unsigned Table::count(const Table &table) { return table.used_; }

} // namespace store
