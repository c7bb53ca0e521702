/*
 * Chains of functions in which threads wait: each kind of frame that compilers make,
 * and each way to wait. Compiled several times, each time in another way.
 */
#include "chains.h"

#define IMPORT(type) __declspec(dllimport) type __stdcall
#define C_IMPORT(type) __declspec(dllimport) type __cdecl
typedef void *handle;
struct message { word words[12]; };
struct exception { unsigned code, flags; };
struct exceptions { struct exception *record; void *context; };
IMPORT(void) Sleep(unsigned);
IMPORT(unsigned) SleepEx(unsigned, int);
IMPORT(unsigned) WaitForSingleObject(handle, unsigned);
IMPORT(unsigned) WaitForMultipleObjects(unsigned, const handle *, int, unsigned);
IMPORT(unsigned) SignalObjectAndWait(handle, handle, unsigned, int);
IMPORT(int) SleepConditionVariableSRW(void *, void *, unsigned, unsigned);
IMPORT(void) AcquireSRWLockExclusive(void *);
IMPORT(handle) CreateEventW(void *, int, int, const void *);
IMPORT(unsigned) GetCurrentThreadId(void);
IMPORT(void) ExitThread(unsigned);
IMPORT(int) EnumSystemLocalesW(int(__stdcall *)(void *), unsigned);
IMPORT(int) EnumResourceTypesW(handle, int(__stdcall *)(handle, void *, word), word);
IMPORT(int) InitOnceExecuteOnce(void *, int(__stdcall *)(void *, void *, void **), void *, void **);
IMPORT(handle) GetModuleHandleW(const void *);
IMPORT(void *) AddVectoredExceptionHandler(unsigned, int(__stdcall *)(struct exceptions *));
IMPORT(int) PostThreadMessageW(unsigned, unsigned, word, word);
IMPORT(int) GetMessageW(struct message *, handle, unsigned, unsigned);
IMPORT(unsigned) MsgWaitForMultipleObjects(unsigned, const handle *, int, unsigned, unsigned);
C_IMPORT(void) qsort(void *, word, word, int(__cdecl *)(const void *, const void *));
C_IMPORT(void *) bsearch(const void *, const void *, word, word, int(__cdecl *)(const void *, const void *));

static volatile unsigned *milliseconds;
static handle never;
static volatile int sink = 1;
static volatile double real = 1.5;

typedef int wait_function(int);

/* The ways to wait. */
KEEP static int by_sleep(int n)
{
	Sleep(*milliseconds);
	return n + sink;
}

KEEP static int by_sleep_ex(int n)
{
	return (int)SleepEx(*milliseconds, 0) + n;
}

KEEP static int by_object(int n)
{
	return (int)WaitForSingleObject(never, *milliseconds) + n;
}

KEEP static int by_objects(int n)
{
	handle list[2];
	list[0] = never;
	list[1] = CreateEventW(0, 1, 0, 0);
	return (int)WaitForMultipleObjects(2, list, 0, *milliseconds) + n;
}

KEEP static int by_signal(int n)
{
	return (int)SignalObjectAndWait(CreateEventW(0, 1, 0, 0), never, *milliseconds, 0) + n;
}

KEEP static int by_condition(int n)
{
	void *variable = 0, *lock = 0;
	AcquireSRWLockExclusive(&lock);
	return SleepConditionVariableSRW(&variable, &lock, *milliseconds, 0) + n;
}

KEEP static int by_message(int n)
{
	struct message m;
	if (*milliseconds != ~0u)
		PostThreadMessageW(GetCurrentThreadId(), 0x400, 0, 0);
	while (GetMessageW(&m, 0, 0x400, 0x400) && *milliseconds == ~0u)
		;
	return n + (int)m.words[1];
}

KEEP static int by_message_or_object(int n)
{
	return (int)MsgWaitForMultipleObjects(1, &never, 0, *milliseconds, 0) + n;
}

/* The kinds of frames. */
KEEP static int plain(int n, wait_function *wait)
{
	return wait(n) + sink;
}

/* All registers that a function keeps are in use across the call. */
KEEP static int keeps(int n, wait_function *wait)
{
	int a = sink, b = sink * 3, c = sink - n, d = sink ^ n, e = sink + 7, f = sink | n, g = n / sink;
	int r = wait(n);
	return ((((((r * a) ^ b) + c) * d ^ e) - f) * g);
}

KEEP static int large(int n, wait_function *wait)
{
	volatile char buffer[20000];
	buffer[n] = (char)n;
	return plain(n, wait) + buffer[n];
}

KEEP static int dynamic(int n, wait_function *wait)
{
	volatile char *p = __builtin_alloca((word)n * 700);
	p[n] = (char)n;
	return keeps(n, wait) + p[n];
}

KEEP static int large_and_dynamic(int n, wait_function *wait)
{
	volatile char buffer[9000];
	volatile char *p = __builtin_alloca((word)n * 3000);
	p[n] = buffer[n + 1] = (char)n;
	return plain(n, wait) + p[n] + buffer[n + 1];
}

KEEP static int aligned(int n, wait_function *wait)
{
	volatile char buffer[128] __attribute__((aligned(64)));
	buffer[n] = (char)n;
	return keeps(n, wait) + buffer[n];
}

KEEP static int floats(int n, wait_function *wait)
{
	double a = real, b = real * 2, c = real - n, d = real / 3, e = real + 9;
	int r = wait(n);
	return (int)((a * b - c) / d + e) + r;
}

struct big { int list[40]; };

KEEP static int by_value(struct big b, int n, wait_function *wait, int x, int y, int z)
{
	return wait(b.list[n]) + x * y - z;
}

KEEP static int arguments(int n, wait_function *wait)
{
	struct big b;
	int i;
	for (i = 0; i < ARRAY(b.list); i++)
		b.list[i] = i + sink;
	return by_value(b, n, wait, n, sink, n + 1) + by_value(b, sink, by_sleep, 1, 2, 3);
}

KEEP static int __attribute__((stdcall)) cleans(int a, int b, int c, int d, wait_function *wait)
{
	return wait(a + b) * c - d;
}

KEEP static int __attribute__((fastcall)) fast(int a, int b, int c, wait_function *wait)
{
	return cleans(a, b, c, sink, wait) + c;
}

KEEP static int conventions(int n, wait_function *wait)
{
	int i, sum = 0;
	for (i = 0; i < 2; i++)
		sum += fast(n, i, sink, wait);
	return sum;
}

KEEP static int variadic(wait_function *wait, int n, ...)
{
	__builtin_va_list list;
	int sum;
	__builtin_va_start(list, n);
	sum = __builtin_va_arg(list, int) + wait(n);
	__builtin_va_end(list);
	return sum;
}

/* The call is in the rarely used part, before which nothing is saved. */
KEEP static int early(int n, wait_function *wait)
{
	if (__builtin_expect(n != 3, 1))
		return n + sink;
	return keeps(n, wait) + aligned(n + 1, by_sleep);
}

KEEP static int recursion(int n, wait_function *wait)
{
	volatile char buffer[40];
	buffer[n & 31] = (char)n;
	return (n == 0 ? wait(n) : recursion(n - 1, wait)) + buffer[n & 31];
}

KEEP static int odd(int n, wait_function *wait);

KEEP static int even(int n, wait_function *wait)
{
	return n == 0 ? wait(n) : odd(n - 1, wait) * sink + n;
}

KEEP static int odd(int n, wait_function *wait)
{
	int a = sink;
	return n == 0 ? wait(n) : even(n - 1, wait) + a;
}

/* The call of a function that does not return is the last instruction. */
KEEP static void __attribute__((noreturn)) stop(int n, wait_function *wait)
{
	sink = plain(n, wait);
	for (;;)
		ExitThread(0);
}

KEEP static int last(int n, wait_function *wait)
{
	volatile char buffer[30];
	buffer[n] = 1;
	stop(buffer[n] + n, wait);
}

/* Much was called before, and the frame of the one that waits is full of what that left. */
KEEP static int leaves(int n, wait_function *wait)
{
	return even(60, by_sleep) + recursion(40, by_sleep) + large(n, by_sleep) + arguments(n, by_sleep) + large(n, wait);
}

/* Functions of the system call back. */
static wait_function *callback_wait;

static int __cdecl compare(const void *a, const void *b)
{
	return callback_wait(*(const int *)a - *(const int *)b);
}

KEEP static int sorting(int n, wait_function *wait)
{
	int list[] = {3, 1, 2, 5, 4, 9};
	callback_wait = wait;
	qsort(list, (word)n, sizeof *list, compare);
	return list[0];
}

KEEP static int searching(int n, wait_function *wait)
{
	static const int list[] = {1, 2, 3, 4, 5};
	callback_wait = wait;
	return bsearch(&n, list, 5, sizeof *list, compare) != 0;
}

static int __stdcall locale(void *name)
{
	callback_wait(name != 0);
	return 0;
}

KEEP static int locales(int n, wait_function *wait)
{
	callback_wait = wait;
	return EnumSystemLocalesW(locale, 1) + n;
}

static int __stdcall resource(handle module, void *type, word parameter)
{
	callback_wait((module != 0) + (type != 0));
	return parameter == 0;
}

KEEP static int resources(int n, wait_function *wait)
{
	static const unsigned short user32[] = {'u', 's', 'e', 'r', '3', '2', '.', 'd', 'l', 'l', 0};
	callback_wait = wait;
	return EnumResourceTypesW(GetModuleHandleW(user32), resource, 1) + n;
}

static int __stdcall first_time(void *once, void *parameter, void **context)
{
	(void)once, (void)context;
	return sorting(*(int *)parameter, callback_wait);
}

KEEP static int once(int n, wait_function *wait)
{
	void *state = 0;
	callback_wait = wait;
	return InitOnceExecuteOnce(&state, first_time, &n, 0);
}

/* An exception in the middle of functions, whose handler waits. */
static volatile unsigned faulty_thread;

static int __stdcall on_exception(struct exceptions *e)
{
	if (e->record->code != 0xc0000005 || faulty_thread != GetCurrentThreadId())
		return 0;
	by_object(sink);
	ExitThread(0);
	return 0;
}

KEEP static int faulty(int n)
{
	volatile char buffer[50];
	buffer[n] = 7;
	return *(volatile int *)(word)n + buffer[n];
}

static int handled(int n)
{
	faulty_thread = GetCurrentThreadId();
	return dynamic(n, faulty);
}

/* The witness writes the dump for this exception. */
static int crash(int n)
{
	return arguments(n, faulty) + keeps(n, by_sleep);
}

static int shallow(int n) { return by_sleep(n) + sink; }
static int frames(int n) { return plain(n, by_object) + keeps(n, by_sleep); }
static int saved(int n) { return keeps(n, by_sleep_ex) + sink; }
static int big(int n) { return large(n, by_objects) + sink; }
static int allocated(int n) { return dynamic(n, by_object) + sink; }
static int both(int n) { return large_and_dynamic(n, by_signal) + sink; }
static int realigned(int n) { return aligned(n, by_condition) + sink; }
static int doubles(int n) { return floats(n, by_message) + sink; }
static int passed(int n) { return arguments(n, by_message_or_object) + sink; }
static int called(int n) { return conventions(n, by_objects) + sink; }
static int varied(int n) { return variadic(by_sleep, n, sink, real) + sink; }
static int cold(int n) { return early(n, by_object) + sink; }
static int deep(int n) { return recursion(n * 40, by_object) + sink; }
static int mutual(int n) { return even(n * 25, by_message) + sink; }
static int noreturn(int n) { return last(n, by_object) + sink; }
static int stale(int n) { return leaves(n, by_objects) + sink; }
static int sorted(int n) { return sorting(n, by_object) + sink; }
static int searched(int n) { return searching(n, by_sleep) + sink; }
static int listed(int n) { return locales(n, by_object) + sink; }
static int typed(int n) { return resources(n, by_sleep_ex) + sink; }
static int only(int n) { return once(n, by_objects) + sink; }

static const struct chain chains[] = {
	{"shallow", shallow}, {"frames", frames}, {"saved", saved}, {"big", big}, {"allocated", allocated},
	{"both", both}, {"realigned", realigned}, {"doubles", doubles}, {"passed", passed}, {"called", called},
	{"varied", varied}, {"cold", cold}, {"deep", deep}, {"mutual", mutual}, {"noreturn", noreturn},
	{"stale", stale}, {"sorted", sorted}, {"searched", searched}, {"listed", listed}, {"typed", typed},
	{"only", only}, {"handled", handled}, {"crash", crash}, {0, 0},
};

__declspec(dllexport) const struct chain *chains_of(volatile unsigned *time)
{
	milliseconds = time;
	never = CreateEventW(0, 1, 0, 0);
	AddVectoredExceptionHandler(0, on_exception); /* which cannot be stepped through */
	return chains;
}

int __stdcall entry(void *module, unsigned reason, void *reserved)
{
	(void)module, (void)reason, (void)reserved;
	return 1;
}

/* What compilers call without being asked. */
int _fltused;

void *memcpy(void *to, const void *from, word n)
{
	volatile char *t = to;
	const char *f = from;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, word n)
{
	volatile char *t = to;
	while (n--)
		*t++ = (char)c;
	return to;
}
