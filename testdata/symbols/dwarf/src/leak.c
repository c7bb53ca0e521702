/* A C library without a run-time library: plain, static and inlined functions. */
static volatile int opened;

static inline int count(int n)
{
	opened += n;
	return opened;
}

static inline __attribute__((always_inline)) int twice(int n)
{
	int a = count(n);
	return a + count(n + 1);
}

static __attribute__((noinline)) int open_key(int n)
{
	if (n > 3)
		return twice(n);
	return count(n);
}

__declspec(dllexport) int CreateSettings(int n)
{
	int sum = 0;
	for (int i = 0; i < n; i++)
		sum += open_key(i);
	return sum;
}

int DllMainCRTStartup(void *instance, unsigned reason, void *reserved)
{
	(void)instance;
	(void)reserved;
	return CreateSettings((int)reason) >= 0;
}
