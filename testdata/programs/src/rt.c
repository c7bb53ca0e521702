#include "rt.h"
#include <stdio.h>

enum { WORKERS_MAX = 8, EVENTS_MAX = 8192, HEAP_SIZE = 8 << 20 };

#define MINUTE 600000000ULL

struct worker {
	HANDLE go;
	HANDLE done;
	void (*f)(void *);
	void *arg;
};

struct later {
	DWORD due;
	DWORD order; /* of two that are due in one minute, the earlier comes first */
	void (*f)(void *);
	void *arg;
};

static const struct program *program;
static struct worker workers[WORKERS_MAX + 1]; /* the last one writes the dumps */
static struct witness_thread threads[WORKERS_MAX + 2];
static struct later *pending;
static DWORD pending_count, pending_order;
static HANDLE heap;
static ULONG64 start_time;
static DWORD minute;
static DWORD seed = 20231120;

void rt_must(BOOL ok, const char *what)
{
	char text[100];
	DWORD put;

	if (ok)
		return;
	_snprintf(text, sizeof text, "%s: error %lu\n", what, GetLastError());
	WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, lstrlenA(text), &put, NULL);
	ExitProcess(1);
}

int main(void);

/*
 * The entry of a program, in place of the C library's: the images are to be
 * small and their code ours. What a C++ program makes before main is in the list.
 */
void rt_entry(void)
{
	ExitProcess(main());
}

void __main(void)
{
	extern void (*__CTOR_LIST__[])(void);
	int i;

	for (i = 1; __CTOR_LIST__[i]; i++)
		__CTOR_LIST__[i]();
}

/* Marsaglia's xorshift, for the same numbers everywhere. */
DWORD rt_random(DWORD below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return below ? seed % below : 0;
}

DWORD rt_minute(void)
{
	return minute;
}

void *rt_alloc(SIZE_T size)
{
	void *p = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);

	rt_must(p != NULL, "memory");
	return p;
}

void rt_free(void *p)
{
	if (p)
		HeapFree(heap, 0, p);
}

HANDLE rt_opened(struct tally *t, HANDLE h)
{
	rt_must(h && h != INVALID_HANDLE_VALUE, t->opener);
	t->opened++;
	return h;
}

void rt_close(struct tally *t, HANDLE h)
{
	rt_must(CloseHandle(h), "CloseHandle");
	t->closed++;
}

static DWORD WINAPI worker_main(void *p)
{
	struct worker *w = p;

	while (WaitForSingleObject(w->go, INFINITE) == WAIT_OBJECT_0) {
		w->f(w->arg);
		SetEvent(w->done);
	}
	return 1;
}

/* One at a time: the handles are then the same in every run. */
static void run_on(struct worker *w, void (*f)(void *), void *arg)
{
	w->f = f;
	w->arg = arg;
	SetEvent(w->go);
	WaitForSingleObject(w->done, INFINITE);
}

void rt_run(void (*f)(void *), void *arg)
{
	run_on(&workers[rt_random(program->workers)], f, arg);
}

void rt_later(DWORD minutes, void (*f)(void *), void *arg)
{
	struct later *l = &pending[pending_count++];

	rt_must(pending_count < EVENTS_MAX, "too much is pending");
	l->due = minute + (minutes ? minutes : 1);
	l->order = pending_order++;
	l->f = f;
	l->arg = arg;
}

static void run_due(void)
{
	for (;;) {
		struct later *best = NULL, l;
		DWORD i;

		for (i = 0; i < pending_count; i++)
			if (pending[i].due <= minute && (!best || pending[i].order < best->order))
				best = &pending[i];
		if (!best)
			return;
		l = *best;
		*best = pending[--pending_count];
		rt_run(l.f, l.arg);
	}
}

static void call(void *work)
{
	((void (*)(void))work)();
}

static void show_time(void)
{
	witness_time(start_time + minute * MINUTE + rt_random(600) * 1000000ULL);
}

void rt_load(DWORD minutes, DWORD rate, void (*work)(void))
{
	while (minutes--) {
		DWORD n = rate / 60 + (rt_random(60) < rate % 60);

		minute++;
		show_time();
		run_due();
		for (n = n > 1 ? n / 2 + rt_random(n + 1) : n; n > 0; n--)
			rt_run(call, (void *)work);
	}
}

static void write_dump(void *arg)
{
	const struct witness_order order = {
		program->tallies, program->tally_count, threads, program->workers + 2, heap,
	};

	(void)arg;
	rt_must(witness_dump(&order), "dump");
}

void rt_dump(void)
{
	run_on(&workers[program->workers], write_dump, NULL);
}

/* Some things are opened on first use and stay open; they are nobody's. */
static void warm_up(void *arg)
{
	HKEY key;
	HANDLE token;
	WCHAR path[MAX_PATH];

	(void)arg;
	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == ERROR_SUCCESS)
		RegCloseKey(key);
	if (RegOpenKeyExW(HKEY_CURRENT_USER, L"Software", 0, KEY_READ, &key) == ERROR_SUCCESS)
		RegCloseKey(key);
	if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		CloseHandle(token);
	GetTempPathW(ARRAYSIZE(path), path);
}

void rt_start(const struct program *p)
{
	static const WCHAR *const names[] = {L"worker 1", L"worker 2", L"worker 3", L"worker 4",
	                                     L"worker 5", L"worker 6", L"worker 7", L"worker 8"};
	SYSTEMTIME t = {2023, 11, 1, 20, p->hour, 0, 0, 0};
	FILETIME f;
	DWORD i;

	program = p;
	SystemTimeToFileTime(&t, &f);
	start_time = (ULONG64)f.dwHighDateTime << 32 | f.dwLowDateTime;
	show_time();
	heap = HeapCreate(0, 0, HEAP_SIZE);
	rt_must(heap != NULL, "heap");
	pending = rt_alloc(EVENTS_MAX * sizeof *pending);
	threads[0].id = GetCurrentThreadId();
	threads[0].thread = OpenThread(THREAD_ALL_ACCESS, FALSE, threads[0].id);
	threads[0].name = L"main";
	for (i = 0; i <= p->workers; i++) {
		struct worker *w = &workers[i];

		w->go = CreateEventW(NULL, FALSE, FALSE, NULL);
		w->done = CreateEventW(NULL, FALSE, FALSE, NULL);
		threads[i + 1].thread = CreateThread(NULL, 0, worker_main, w, 0, &threads[i + 1].id);
		threads[i + 1].name = i < p->workers ? names[i] : L"dump writer";
		rt_must(w->go && w->done && threads[i + 1].thread, "worker");
	}
	rt_run(warm_up, NULL);
	rt_must(witness_begin(), "witness");
}
