// A C++ library without a run-time library: namespaces, templates, an
// anonymous namespace, and code in several sections.
namespace leak {
namespace {
volatile int opened;

struct Guard {
	explicit Guard(int k) : n(k) { opened += k; }
	~Guard() { opened -= n; }
	int n;
};
} // namespace

template <typename T> class Task {
public:
	explicit Task(T t) : v(t) {}
	__attribute__((noinline)) T run(int n)
	{
		Guard g(n);
		return v + T(opened);
	}

private:
	T v;
};

int start(int n)
{
	Task<int> a(n);
	Task<long long> b(n);
	return a.run(1) + int(b.run(2));
}
} // namespace leak

__attribute__((section(".text2"))) int elsewhere(int n)
{
	return leak::start(n) + 1;
}

extern "C" __declspec(dllexport) int DllMainCRTStartup(void *, unsigned reason, void *)
{
	return elsewhere(int(reason)) > 0;
}
