// A pretend handle table: enough C++ to give the PDB nested inlining, templates, overloads and statics.
#pragma once

namespace store {

typedef unsigned long long u64;

inline u64 mix(u64 seed, u64 value) {
  seed ^= value + 0x9e3779b97f4a7c15ull + (seed << 6);
  return seed * 31;
}

template <typename T, unsigned N> class Ring {
public:
  Ring() : head_(0) {
    for (unsigned i = 0; i < N; ++i)
      slots_[i] = T();
  }
  void push(T value) {
    slots_[head_ % N] = value;
    head_ = next(head_);
  }
  u64 digest() const {
    u64 sum = 0;
    for (unsigned i = 0; i < N; ++i)
      sum = mix(sum, static_cast<u64>(slots_[i]));
    return sum;
  }

private:
  static unsigned next(unsigned at) { return at + 1; }
  T slots_[N];
  unsigned head_;
};

class Table {
public:
  enum class Access : unsigned { Read = 1, Write = 2 };
  struct Entry {
    unsigned handle;
    Access access;
    bool matches(unsigned wanted) const { return handle == wanted; }
  };

  explicit Table(unsigned first);
  virtual ~Table();
  virtual unsigned open(Access access);
  bool close(unsigned handle);
  unsigned operator[](unsigned index) const;
  static unsigned count(const Table &table);

private:
  Entry *find(unsigned handle);
  Entry entries_[32];
  unsigned used_;
};

} // namespace store
