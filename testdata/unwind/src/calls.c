// Functions whose prologs and epilogs a compiler has written, once with the unwind
// data of version 1 and once of version 2 (FN). They are made to spill,
// to allocate, and to return from several places.
#define NAME2(a, b) a##b
#define NAME1(a, b) NAME2(a, b)
#define FN(name) NAME1(name, SUFFIX)

int leaf(int);
int saves(int);

static volatile int sink;

__attribute__((noinline)) int FN(many)(int a, int b, int c, int d, int e, int f, int g) {
	int x = leaf(a), y = leaf(b), z = leaf(c);
	sink = x + y;
	int w = leaf(d) + e, v = leaf(f) + g;
	if (w > 100)
		return leaf(v);
	sink = saves(z);
	return x + y + z + w + v;
}

__attribute__((noinline)) int FN(array)(int n) {
	volatile char buf[6000];
	buf[n] = (char)leaf(n);
	return buf[n] + leaf(n);
}

__attribute__((noinline)) int FN(dynamic)(int n) {
	volatile char *p = __builtin_alloca((unsigned)n * 16 + 16);
	p[0] = (char)leaf(n);
	volatile char *q = __builtin_alloca((unsigned)p[0] * 32);
	q[1] = (char)saves(n);
	return p[0] + q[1];
}

__attribute__((noinline)) int FN(early)(int n) {
	if (n == 0)
		return 7;
	int x = leaf(n);
	if (x == 2)
		return leaf(x) + x;
	return FN(early)(n - 1) + x;
}

__attribute__((noinline)) int FN(tail)(int n) {
	sink = leaf(n);
	return saves(n + 1);
}

__attribute__((noinline)) int FN(vectors)(int n) {
	__asm__ volatile("xorps %%xmm6, %%xmm6\n\txorps %%xmm11, %%xmm11" ::: "xmm6", "xmm11", "rbx", "r14");
	return leaf(n);
}

int FN(calls)(int n) {
	int r = FN(many)(n, 1, 2, 3, 4, 5, 6);
	r += FN(array)(n);
	r += FN(dynamic)(n);
	r += FN(early)(n);
	r += FN(tail)(n);
	return r + FN(vectors)(n);
}
