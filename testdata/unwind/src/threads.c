/*
 * threads.exe: threads that wait where stacks are interesting. It writes a dump
 * of itself with all memory (threads.dmp) and then the file "ready", and waits for
 * a debugger: what that shows is what an unwinder has to find.
 */
#define _WIN32_WINNT 0x0600
#include <windows.h>
#include <dbghelp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP __attribute__((noinline, noipa))

static HANDLE never, waiting;

KEEP static int wait_here(int n)
{
	ReleaseSemaphore(waiting, 1, NULL);
	WaitForSingleObject(never, INFINITE);
	return n + 1;
}

KEEP static int deep(int n)
{
	volatile char buf[100];
	buf[n] = 1;
	return n == 0 ? wait_here(n) : deep(n - 1) + buf[n];
}

static DWORD WINAPI recursion(void *p)
{
	(void)p;
	return deep(30);
}

KEEP static int dynamic(int n)
{
	volatile char *p = _alloca(n * 1000);
	volatile char big[20000];
	p[n] = big[n] = 1;
	return wait_here(n) + p[n] + big[n];
}

static DWORD WINAPI allocation(void *p)
{
	(void)p;
	return dynamic(9);
}

/* An exception, in the middle of functions, whose handler waits. */
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *e)
{
	wait_here(e->ExceptionRecord->ExceptionCode == EXCEPTION_ACCESS_VIOLATION);
	return EXCEPTION_CONTINUE_SEARCH;
}

KEEP static int faulty(volatile int *p, int n)
{
	volatile int a[50];
	a[n] = 7;
	return p[n] + a[n];
}

static DWORD WINAPI fault(void *p)
{
	return faulty(p, 3) + 1;
}

/* The null pointer is called: the innermost address is in no code at all. */
KEEP static int call_null(int (*volatile f)(void))
{
	return f() + 1;
}

static DWORD WINAPI null_call(void *p)
{
	return call_null((int (*)(void))p) + 1;
}

static DWORD WINAPI raised(void *p)
{
	(void)p;
	RaiseException(0xe0000001, 0, 0, NULL);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return wait_here(*(const int *)a - *(const int *)b);
}

static DWORD WINAPI sorting(void *p)
{
	int list[] = {3, 1, 2};
	(void)p;
	qsort(list, 3, sizeof list[0], compare);
	return list[0];
}

static void CALLBACK apc(ULONG_PTR n)
{
	wait_here((int)n);
}

static DWORD WINAPI alertable(void *p)
{
	(void)p;
	QueueUserAPC(apc, GetCurrentThread(), 1);
	SleepEx(INFINITE, TRUE);
	return 0;
}

static void CALLBACK pool(TP_CALLBACK_INSTANCE *i, void *p)
{
	(void)i, (void)p;
	wait_here(1);
}

static void CALLBACK fiber_main(void *p)
{
	(void)p;
	deep(3);
}

static DWORD WINAPI fiber(void *p)
{
	ConvertThreadToFiber(NULL);
	SwitchToFiber(CreateFiber(0, fiber_main, p));
	return 0;
}

/* Code made at run time: push rbp; mov rbp, rsp; sub rsp, 0x20; call rcx; nop;
 * add rsp, 0x20; pop rbp; ret */
static const BYTE jitted[] = {
	0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0xff, 0xd1, 0x90, 0x48, 0x83, 0xc4, 0x20, 0x5d, 0xc3,
};
typedef int (*jit_function)(int (*)(int));

static DWORD WINAPI jit(void *p)
{
	BYTE *code = VirtualAlloc(NULL, 0x1000, MEM_COMMIT, PAGE_EXECUTE_READWRITE);
	(void)p;
	memcpy(code + 0x100, jitted, sizeof jitted);
	return ((jit_function)(code + 0x100))(wait_here);
}

int main(void)
{
	static DWORD (WINAPI *const run[])(void *) = {
		recursion, allocation, fault, null_call, raised, sorting, alertable, fiber, jit,
	};
	int i, n = sizeof run / sizeof run[0];
	HANDLE file;

	never = CreateEventW(NULL, TRUE, FALSE, NULL);
	waiting = CreateSemaphoreW(NULL, 0, 100, NULL);
	AddVectoredExceptionHandler(1, on_exception);
	for (i = 0; i < n; i++) {
		CreateThread(NULL, 0, run[i], NULL, 0, NULL);
		WaitForSingleObject(waiting, INFINITE);
	}
	if (TrySubmitThreadpoolCallback(pool, NULL, NULL))
		WaitForSingleObject(waiting, INFINITE);
	Sleep(500);
	file = CreateFileW(L"threads.dmp", GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	if (!MiniDumpWriteDump(GetCurrentProcess(), GetCurrentProcessId(), file, MiniDumpWithFullMemory, NULL, NULL, NULL))
		return 1;
	CloseHandle(file);
	CloseHandle(CreateFileW(L"ready", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL));
	Sleep(INFINITE);
	return 0;
}
