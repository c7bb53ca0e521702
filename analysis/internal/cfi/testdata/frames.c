// Functions with frames of several kinds, for call frame information of ELF.
unsigned leaf(unsigned a, unsigned b);

__attribute__((noinline)) unsigned leaf(unsigned a, unsigned b) { return a * 3 + b; }

__attribute__((noinline)) unsigned many(unsigned a, unsigned b, unsigned c, unsigned d) {
	unsigned e = leaf(a, b), f = leaf(c, d), g = leaf(e, f), h = leaf(g, a);
	return leaf(a ^ h, e) + leaf(b ^ g, f) + leaf(c ^ f, g) + leaf(d ^ e, h);
}

__attribute__((noinline)) unsigned dynamic(unsigned n) {
	volatile unsigned *room = __builtin_alloca(n * 4 + 16);
	for (unsigned i = 0; i < n; i++)
		room[i] = leaf(i, n);
	return room[n / 2];
}

struct aligned {
	unsigned v[16];
} __attribute__((aligned(64)));

__attribute__((noinline)) unsigned fill(struct aligned *a, unsigned n) {
	a->v[n & 15] = n;
	return n;
}

__attribute__((noinline)) unsigned aligned_frame(unsigned n) {
	struct aligned a;
	return fill(&a, n) + leaf(a.v[0], n);
}

__attribute__((noinline)) unsigned large(unsigned n) {
	volatile unsigned room[40000];
	room[n] = leaf(n, n);
	return room[n + 1];
}

unsigned main_function(unsigned n) {
	if (n > 5)
		return leaf(n, 1);
	return many(n, 1, 2, 3) + dynamic(n) + aligned_frame(n) + large(n);
}
