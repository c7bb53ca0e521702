/*
 * w3wp.exe: lets MyCustomDll.dll leak on four waiting threads and dumps itself
 * before (a), during (b) and after (c).
 *
 *   w3wp.exe [full]    with "full", a dump with all memory is written as well
 */
#include "dumpfile.h"
#include "held.h"
#include "native.h"
#include "truth.h"
#include <stdio.h>

enum { WORKERS = 5, WRITER = 4, SCRATCH_SIZE = 48 << 20, HANDLES_MAX = 2048, RECORD_MAX = 4096 };

struct worker {
	HANDLE go;
	HANDLE done;
	BOOL (*task)(void *);
	void *argument;
	BOOL ok;
};

static struct worker workers[WORKERS];

/* The main thread, then the workers. */
static struct thread_name threads[WORKERS + 1] = {
	{0, NULL, L"main"},
	{0, NULL, L"settings loader"},
	{0, NULL, L"event pump"},
	{0, NULL, L"configuration reader"},
	{0, NULL, L"watchdog"},
	{0, NULL, L"dump writer"},
};

/* Which worker runs which path. */
static const int runs_on[PATH_COUNT] = {
	[PATH_SETTINGS] = 0, [PATH_SUBSCRIBE] = 1, [PATH_TIMEZONE] = 2,
	[PATH_RELEASE] = 3, [PATH_HANDOVER] = 3, [PATH_LATECLOSE] = 2,
};

static struct handle_operation *operations;
static struct handle_row *rows;
static BYTE *scratch;

static void fail(const char *what)
{
	fprintf(stderr, "w3wp: %s: error %lu\n", what, GetLastError());
	ExitProcess(1);
}

static DWORD WINAPI worker_main(void *p)
{
	struct worker *w = p;

	for (;;) {
		if (WaitForSingleObject(w->go, INFINITE) != WAIT_OBJECT_0)
			return 1;
		w->ok = w->task(w->argument);
		SetEvent(w->done);
	}
}

/* One worker at a time: the order of the operations is then the same in every run. */
static void run(int which, BOOL (*task)(void *), void *argument, const char *what)
{
	struct worker *w = &workers[which];

	w->task = task;
	w->argument = argument;
	SetEvent(w->go);
	WaitForSingleObject(w->done, INFINITE);
	if (!w->ok)
		fail(what);
}

static void start_workers(void)
{
	int i;

	threads[0].id = GetCurrentThreadId();
	threads[0].thread = OpenThread(THREAD_ALL_ACCESS, FALSE, threads[0].id);
	for (i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		w->go = CreateEventW(NULL, FALSE, FALSE, NULL);
		w->done = CreateEventW(NULL, FALSE, FALSE, NULL);
		threads[i + 1].thread = CreateThread(NULL, 0, worker_main, w, 0, &threads[i + 1].id);
	}
	for (i = 0; i <= WORKERS; i++) {
		UNICODE_STRING name;

		if (!threads[i].thread)
			fail("thread");
		RtlInitUnicodeString(&name, threads[i].name);
		if (NtSetInformationThread(threads[i].thread, THREAD_NAME, &name, sizeof name) < 0)
			fail("thread name");
	}
}

/* A view without a handle, and not private memory: the owner hunt must not find our own books. */
static BYTE *map_room(SIZE_T size)
{
	HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
	BYTE *p = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;

	if (!p)
		fail("MapViewOfFile");
	CloseHandle(section);
	return p;
}

/* The predefined keys are opened on first use and stay open: that belongs to no path. */
static void warm_up(void)
{
	HKEY key;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Classes", 0, KEY_READ, &key) == ERROR_SUCCESS)
		RegCloseKey(key);
}

/* What a path is to do in one turn. */
struct turn {
	DWORD times;
	DWORD forget; /* of the settings, the one whose object is not kept; 0 for none */
};

static BOOL load_settings(void *p)
{
	struct turn *t = p;
	DWORD i;

	for (i = 1; i <= t->times; i++)
		if (!CreateSettings(L"Software\\Classes", i == t->forget))
			return FALSE;
	return TRUE;
}

static BOOL repeat(BOOL (*call)(void), const struct turn *t)
{
	DWORD n = t->times;

	while (n--)
		if (!call())
			return FALSE;
	return TRUE;
}

static BOOL pump_events(void *p)
{
	return repeat(Subscribe, p);
}

static BOOL read_configuration(void *p)
{
	return repeat(ReadTimeZone, p);
}

static BOOL release(void *p)
{
	(void)p;
	return ReleaseTwice();
}

static BOOL hand_over(void *p)
{
	return HandOver(p);
}

static BOOL late_close(void *p)
{
	return LateClose(p);
}

struct dump_order {
	const WCHAR *name;
	enum dump_kind kind;
};

static BOOL write_dump(void *p)
{
	const struct dump_order *order = p;
	struct dump_job job = {0};
	DWORD path_threads[PATH_COUNT];
	WCHAR file[64];
	int i;

	for (i = 0; i < PATH_COUNT; i++)
		path_threads[i] = threads[1 + runs_on[i]].id;
	job.kind = order->kind;
	job.operations = record_all(&job.operation_count);
	job.threads = threads;
	job.thread_count = WORKERS + 1;
	job.own = GetModuleHandleW(L"MyCustomDll.dll");
	job.rows = rows;
	job.row_max = HANDLES_MAX;
	job.scratch = scratch;
	job.scratch_size = SCRATCH_SIZE;
	swprintf(file, ARRAYSIZE(file), L"%ls.dmp", order->name);
	job.path = file;
	if (!dump_write(&job))
		return FALSE;
	swprintf(file, ARRAYSIZE(file), L"%ls.handles.tsv", order->name);
	if (!truth_handles(file, job.rows, job.row_count))
		return FALSE;
	swprintf(file, ARRAYSIZE(file), L"%ls.paths.tsv", order->name);
	return truth_paths(file, path_threads, job.operations, job.operation_count);
}

static void dump(const WCHAR *name, enum dump_kind kind)
{
	struct dump_order order = {name, kind};

	record_on(FALSE);
	run(WRITER, write_dump, &order, "dump");
	record_on(TRUE);
}

/* Ten rounds, spread over some seconds as a load on a server is. */
static void phase(DWORD keys, DWORD events, DWORD reads)
{
	DWORD round;

	for (round = 1; round <= 10; round++) {
		struct turn settings = {keys, round == 3 ? 5 : 0};
		struct turn pump = {events, 0};
		struct turn reader = {reads, 0};

		run(0, load_settings, &settings, "CreateSettings");
		run(1, pump_events, &pump, "Subscribe");
		run(2, read_configuration, &reader, "ReadTimeZone");
		Sleep(250);
	}
}

int main(int argc, char **argv)
{
	int i;

	operations = (struct handle_operation *)map_room(RECORD_MAX * sizeof *operations);
	rows = (struct handle_row *)map_room(HANDLES_MAX * sizeof *rows);
	scratch = map_room(SCRATCH_SIZE);
	if (!held_open())
		fail("held handles");
	start_workers();
	warm_up();
	QueueRequests(200);
	Sleep(1500);
	if (!record_install(operations, RECORD_MAX))
		fail("record_install");
	dump(L"a", DUMP_SMALL);

	run(2, late_close, held.config, "LateClose");
	for (i = 0; i < 2; i++)
		run(3, release, NULL, "ReleaseTwice");
	run(3, hand_over, held.lock, "HandOver");
	phase(25, 4, 12);
	dump(L"b", DUMP_SMALL);

	for (i = 0; i < 3; i++)
		run(3, release, NULL, "ReleaseTwice");
	for (i = 0; i < 2; i++)
		run(3, hand_over, held.lock, "HandOver");
	phase(45, 8, 28);
	dump(L"c", DUMP_SMALL);
	dump(L"c-heap", DUMP_HEAP);
	if (argc > 1 && !lstrcmpA(argv[1], "full"))
		dump(L"c-full", DUMP_FULL);
	SetEvent(held.stop);
	return 0;
}
