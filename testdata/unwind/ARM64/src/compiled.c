// Functions as the compiler makes them; built twice, plain and with signed return
// addresses. Each is called with a small number.

#ifdef SIGNED
#define NAME(name) t_signed_##name
#else
#define NAME(name) t_c_##name
#endif
#define FUNCTION __declspec(dllexport) __attribute__((noinline))

typedef long long i64;
typedef __builtin_va_list va_list;

i64 t_leaf(i64);
i64 t_stack_leaf(i64);

FUNCTION i64 NAME(chain)(i64 n) { return t_leaf(n) + 1; }

FUNCTION i64 NAME(saved)(i64 n) {
	i64 a = t_leaf(n), b = t_leaf(a), c = t_leaf(b), d = t_leaf(c), e = t_leaf(d), f = t_leaf(e), g = t_leaf(f);
	i64 h = t_leaf(g), i = t_leaf(h), j = t_leaf(i), k = t_leaf(j);
	t_stack_leaf(k);
	return a + b + c + d + e + f + g + h + i + j + k;
}

FUNCTION double NAME(floats)(double n, i64 m) {
	double a = n + 1, b = n + 2, c = n + 3, d = n + 4;
	t_leaf(m);
	double e = a + b, f = c + d;
	t_leaf(m);
	return a + b + c + d + e + f;
}

FUNCTION i64 NAME(large)(i64 n) {
	volatile char page[10000];
	page[7] = 1;
	return t_leaf(page[7] + n);
}

FUNCTION i64 NAME(huge)(i64 n) {
	volatile char pages[300000];
	pages[7] = 1;
	t_stack_leaf(n);
	return pages[7];
}

FUNCTION i64 NAME(alloca)(i64 n) {
	volatile char *p = __builtin_alloca((n & 7) * 16 + 16);
	p[0] = 1;
	t_leaf(n);
	volatile char *q = __builtin_alloca((n & 3) * 32 + 16);
	q[1] = 2;
	t_stack_leaf(n);
	return p[0] + q[1];
}

FUNCTION i64 NAME(varargs)(i64 n, ...) {
	va_list list;
	__builtin_va_start(list, n);
	i64 sum = 0;
	for (i64 i = 0; i < (n & 3); i++)
		sum += __builtin_va_arg(list, i64);
	__builtin_va_end(list);
	return t_leaf(sum);
}

FUNCTION i64 NAME(tail)(i64 n) {
	i64 a = t_leaf(n);
	if (a > 3)
		t_stack_leaf(a);
	return NAME(chain)(a + n);
}

FUNCTION i64 NAME(early)(i64 n) {
	if (n < 2)
		return n;
	i64 a = t_leaf(n);
	if (a == 100)
		return t_stack_leaf(a) + 1;
	t_leaf(a);
	return t_stack_leaf(a + n) + a;
}

FUNCTION i64 NAME(recursion)(i64 n) {
	volatile i64 local[20];
	local[3] = n;
	if (n <= 0)
		return t_leaf(n);
	return NAME(recursion)(n - 1) + local[3];
}

FUNCTION i64 NAME(pointer)(i64 n) {
	i64 (*volatile f)(i64) = n & 1 ? t_leaf : t_stack_leaf;
	return f(n) + f(n + 1) + n;
}
