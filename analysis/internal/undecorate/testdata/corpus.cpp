// Names of every kind that the parser knows, and some that it does not, for the golden. Compiled, never run.
typedef decltype(sizeof 0) size_type;
typedef int (*Callback)(const char *, ...);
typedef void (*Plain)();

int global_int;
const char *global_text = "x";
const int *const constant_pointer = &global_int;
volatile unsigned long flags;
int matrix[3][4];
int (*pointer_to_array)[7];
Callback callback;
Plain plain_table[5];
extern "C" int c_function(int x) { return x; }

namespace a {
namespace {
int hidden;
struct Inner {
  Inner();
  void poke(Inner *other);
};
Inner::Inner() {}
void Inner::poke(Inner *other) { hidden += other != this; }
} // namespace
void touch() {
  Inner inner;
  inner.poke(&inner);
}

enum Color { Red, Green };
enum class Big : unsigned long long { One };
union Either {
  int i;
  float f;
  int get() const;
};
int Either::get() const { return i; }

class Base {
public:
  Base();
  explicit Base(int);
  Base(const Base &);
  virtual ~Base();
  virtual void run();
  virtual int size() const volatile;
  static Base *make(Color color, Big big, Either either);
  static int counter;
  static const char *const names[2];
  int operator[](int) const;
  int operator()(int, int);
  Base &operator=(const Base &);
  Base &operator=(Base &&);
  Base &operator++();
  Base operator++(int);
  Base &operator--();
  Base operator-() const;
  Base operator~() const;
  bool operator!() const;
  Base *operator->();
  Base &operator*();
  int Base::*operator->*(int Base::*);
  Base operator+(const Base &) const;
  Base operator-(const Base &) const;
  Base operator*(const Base &) const;
  Base operator/(const Base &) const;
  Base operator%(const Base &) const;
  Base operator&(const Base &) const;
  Base operator|(const Base &) const;
  Base operator^(const Base &) const;
  Base operator<<(int) const;
  Base operator>>(int) const;
  Base &operator+=(int);
  Base &operator-=(int);
  Base &operator*=(int);
  Base &operator/=(int);
  Base &operator%=(int);
  Base &operator&=(int);
  Base &operator|=(int);
  Base &operator^=(int);
  Base &operator<<=(int);
  Base &operator>>=(int);
  bool operator==(const Base &) const;
  bool operator!=(const Base &) const;
  bool operator<(const Base &) const;
  bool operator<=(const Base &) const;
  bool operator>(const Base &) const;
  bool operator>=(const Base &) const;
  bool operator&&(const Base &) const;
  bool operator||(const Base &) const;
  Base &operator,(const Base &);
  operator int() const;
  operator const char *() const;
  operator a::Either *();
  static void *operator new(size_type);
  static void operator delete(void *);
  static void *operator new[](size_type);
  static void operator delete[](void *);
  void lvalue() &;
  void rvalue() &&;
  void constant() const &;

protected:
  void guarded(Base *, Base *, const Base &, Base &&);
  static void guarded_static(void *const *, char ***);
  virtual void guarded_virtual(int (&)[4]);
  int member;

private:
  void secret(long double, wchar_t, bool, signed char, unsigned char, short, unsigned short);
  static long long secret_static(unsigned long long, char16_t, char32_t, decltype(nullptr));
  virtual void secret_virtual();
};
int Base::counter;
const char *const Base::names[2] = {"a", "b"};
Base::Base() {}
Base::Base(int) {}
Base::Base(const Base &) {}
Base::~Base() {}
void Base::run() {}
int Base::size() const volatile { return 0; }
Base *Base::make(Color, Big, Either) { return new Base[2]; }
int Base::operator[](int) const { return 0; }
int Base::operator()(int, int) { return 0; }
Base &Base::operator=(const Base &) { return *this; }
Base &Base::operator=(Base &&) { return *this; }
Base &Base::operator++() { return *this; }
Base Base::operator++(int) { return *this; }
Base &Base::operator--() { return *this; }
Base Base::operator-() const { return *this; }
Base Base::operator~() const { return *this; }
bool Base::operator!() const { return true; }
Base *Base::operator->() { return this; }
Base &Base::operator*() { return *this; }
int Base::*Base::operator->*(int Base::*p) { return p; }
Base Base::operator+(const Base &) const { return *this; }
Base Base::operator-(const Base &) const { return *this; }
Base Base::operator*(const Base &) const { return *this; }
Base Base::operator/(const Base &) const { return *this; }
Base Base::operator%(const Base &) const { return *this; }
Base Base::operator&(const Base &) const { return *this; }
Base Base::operator|(const Base &) const { return *this; }
Base Base::operator^(const Base &) const { return *this; }
Base Base::operator<<(int) const { return *this; }
Base Base::operator>>(int) const { return *this; }
Base &Base::operator+=(int) { return *this; }
Base &Base::operator-=(int) { return *this; }
Base &Base::operator*=(int) { return *this; }
Base &Base::operator/=(int) { return *this; }
Base &Base::operator%=(int) { return *this; }
Base &Base::operator&=(int) { return *this; }
Base &Base::operator|=(int) { return *this; }
Base &Base::operator^=(int) { return *this; }
Base &Base::operator<<=(int) { return *this; }
Base &Base::operator>>=(int) { return *this; }
bool Base::operator==(const Base &) const { return true; }
bool Base::operator!=(const Base &) const { return true; }
bool Base::operator<(const Base &) const { return true; }
bool Base::operator<=(const Base &) const { return true; }
bool Base::operator>(const Base &) const { return true; }
bool Base::operator>=(const Base &) const { return true; }
bool Base::operator&&(const Base &) const { return true; }
bool Base::operator||(const Base &) const { return true; }
Base &Base::operator,(const Base &) { return *this; }
Base::operator int() const { return 0; }
Base::operator const char *() const { return 0; }
Base::operator a::Either *() { return 0; }
void *Base::operator new(size_type) { return 0; }
void Base::operator delete(void *) {}
void *Base::operator new[](size_type) { return 0; }
void Base::operator delete[](void *) {}
void Base::lvalue() & {}
void Base::rvalue() && {}
void Base::constant() const & {}
void Base::guarded(Base *, Base *, const Base &, Base &&) {}
void Base::guarded_static(void *const *, char ***) {}
void Base::guarded_virtual(int (&)[4]) {}
void Base::secret(long double, wchar_t, bool, signed char, unsigned char, short, unsigned short) {}
long long Base::secret_static(unsigned long long, char16_t, char32_t, decltype(nullptr)) { return 0; }
void Base::secret_virtual() {}

struct Left : virtual Base {
  void run() override;
  int left;
};
struct Right : virtual Base {
  int right;
  virtual void turn();
};
struct Both : Left, Right {
  Both();
  ~Both();
  void run() override;
  void turn() override;
};
void Left::run() {}
void Right::turn() {}
Both::Both() {}
Both::~Both() {}
void Both::run() {}
void Both::turn() {}
struct Second {
  virtual ~Second();
  virtual void two();
};
Second::~Second() {}
void Second::two() {}
struct Joined : Base, Second {
  ~Joined();
  void two() override;
};
Joined::~Joined() {}
void Joined::two() {}

template <typename T, typename U = T> struct Pair {
  T first;
  U second;
  Pair();
  template <typename V> explicit Pair(V value);
  ~Pair();
  T get() const;
  template <typename V> V as(const Pair<V, T> &);
  Pair &operator=(const Pair &);
  bool operator<(const Pair &) const;
  static Pair *instance;
};
template <typename T, typename U> Pair<T, U>::Pair() {}
template <typename T, typename U> template <typename V> Pair<T, U>::Pair(V) {}
template <typename T, typename U> Pair<T, U>::~Pair() {}
template <typename T, typename U> T Pair<T, U>::get() const { return first; }
template <typename T, typename U> template <typename V> V Pair<T, U>::as(const Pair<V, T> &p) { return p.first; }
template <typename T, typename U> Pair<T, U> &Pair<T, U>::operator=(const Pair &) { return *this; }
template <typename T, typename U> bool Pair<T, U>::operator<(const Pair &) const { return true; }
template <typename T, typename U> Pair<T, U> *Pair<T, U>::instance;
template struct Pair<int>;
template struct Pair<char, Pair<short, Pair<long>>>;
template struct Pair<const char *, Either *>;
template Pair<int>::Pair(Color);
template int Pair<int>::as<int>(const Pair<int, int> &);

template <int N, bool B, unsigned long long L> int numbers() { return N; }
template int numbers<0, true, 0>();
template int numbers<-1, false, 18446744073709551615ull>();
template int numbers<10, true, 4096>();
template <typename... T> void pack(T...) {}
template void pack<>();
template void pack<int, char *, Pair<int>>(int, char *, Pair<int>);
template <typename... T> struct Tuple {
  void set();
};
template <typename... T> void Tuple<T...>::set() {}
template struct Tuple<>;
template struct Tuple<int, Tuple<>, Tuple<char, Tuple<Base>>>;
template <int *P> int *by_address() { return P; }
template int *by_address<&global_int>();
template <int (*F)(int)> int by_function() { return F(1); }
template int by_function<&c_function>();
template <template <typename, typename> class T> void by_template() {}
template void by_template<Pair>();
template <typename T> void by_type() {}
template void by_type<const int>();
template void by_type<int[3]>();
template void by_type<const char[8]>();
template void by_type<int &>();
template void by_type<int &&>();
template void by_type<void(int)>();
template void by_type<void (*)(int)>();
template void by_type<int (Base::*)(int) const>();
template void by_type<int Base::*>();
template void by_type<decltype(nullptr)>();
template void by_type<const volatile Base>();
template void by_type<Base *const>();
template void by_type<Color>();
template <typename T> T variable = T();
template int variable<int>;
template Pair<int> variable<Pair<int>>;

void pointers(int *, const int *, int *const, const int *const, volatile int *, int **, int *const *, const int **) {}
void references(int &, const int &, int &&, Base &, const Base &, Base *&, int (&)(int)) {}
void functions(void (*)(), int (*)(int, char), Callback, void (**)(int), void (*(*)(int))(char)) {}
void members(int Base::*, void (Base::*)(), int (Base::*)(int) const, const int Base::*) {}
void arrays(int[], int[3], int[3][4], int (*)[5], const char *[2], int (*)[2][3], const int (*)[6]) {}
void repeated(Base, Base, Base *, Base *, Either, Either *, Color, Base, Pair<Base>, Pair<Base> *) {}
void many(char *, short *, int *, long *, float *, double *, bool *, Base *, Either *, Color *, Big *, char *, Big *) {}
void variadic(const char *, ...) {}
void only_variadic(...) {}
void no_throw() noexcept {}
void __restrict_pointer(int *__restrict, const char *__restrict) {}
void __vectorcall vector_call(int, int) {}
const int *returns_const_pointer() { return 0; }
const Base returns_const() { return Base(); }
void (*returns_function(int))(char) { return 0; }
int (*returns_array())[3] { return 0; }
int Base::*returns_member() { return 0; }
Color returns_enum() { return Red; }
auto lambda_global = [](int x) { return x + 1; };

int locals(int n) {
  static int count;
  static Base guarded;
  struct Local {
    int get(int) { return 1; }
    static int twice(Local *) { return 2; }
  };
  auto lambda = [n](Local *l) { return l->get(n); };
  Local local;
  for (int i = 0; i < n; ++i) {
    static Pair<int> nested;
    count += i + (nested < nested);
  }
  return count + lambda(&local) + Local::twice(&local) + lambda_global(n);
}
inline int inline_locals(Base *) {
  static int once = c_function(3);
  static thread_local int thread = c_function(4);
  return once + thread;
}
int use_inline_locals() { return inline_locals(0); }
Base dynamic(9);
static Base dynamic_static(9);
Pair<Pair<int>> dynamic_template;
} // namespace a

#ifdef __i386__
void __stdcall std_call(int) {}
void __fastcall fast_call(int, int) {}
struct This {
  void __stdcall method(int);
  static void __fastcall quick(This *);
};
void __stdcall This::method(int) {}
void __fastcall This::quick(This *) {}
void takes_std(void(__stdcall *)(int), int (__fastcall *)(int), void (__stdcall This::*)(int)) {}
#endif

inline namespace v1 {
struct Deep {
  struct Deeper {
    struct Deepest {
      Deepest *self(Deep, Deeper, Deepest);
      enum Level { Low };
      Level level(Level);
    };
  };
};
Deep::Deeper::Deepest *Deep::Deeper::Deepest::self(Deep, Deeper, Deepest) { return this; }
Deep::Deeper::Deepest::Level Deep::Deeper::Deepest::level(Level l) { return l; }
long double operator""_metres(long double x) { return x; }
} // namespace v1
