/* Writes dumps and truth for the programs, with the recorder and the writer of ../../leaky/src. */
#define WITNESS_BUILD
#include "witness.h"
#include "dumpfile.h"
#include <stdio.h>

enum { OPERATIONS_MAX = 4096, ROWS_MAX = 6000, MARKS_MAX = 1 << 16, SCRATCH_SIZE = 24 << 20 };

/* When it was so late on the clock of the system, the program's clock showed that. */
struct mark {
	ULONG64 system;
	ULONG64 shown;
};

static struct handle_operation *operations;
static struct handle_row *rows;
static BYTE *scratch;
static struct mark *marks;
static DWORD mark_count;

/* Types and numbers of the handles that were there before. */
static struct { WCHAR type[32]; DWORD n; } before[32];

/* A view without a handle, and not private memory: the books are to be in no dump. */
static BYTE *map_room(SIZE_T size)
{
	HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
	BYTE *p = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;

	if (section)
		CloseHandle(section);
	return p;
}

void witness_time(ULONG64 now)
{
	FILETIME t;

	if (!marks)
		marks = (struct mark *)map_room(MARKS_MAX * sizeof *marks);
	if (!marks || mark_count == MARKS_MAX)
		return;
	GetSystemTimeAsFileTime(&t);
	marks[mark_count].system = (ULONG64)t.dwHighDateTime << 32 | t.dwLowDateTime;
	marks[mark_count++].shown = now;
}

static ULONG64 shown_time(ULONG64 system)
{
	DWORD i = mark_count;

	while (i > 1 && marks[i - 1].system > system)
		i--;
	return i ? marks[i - 1].shown : system;
}

static DWORD count_type(const WCHAR *type, DWORD n)
{
	DWORD found = 0, i;

	for (i = 0; i < n; i++)
		found += !lstrcmpW(rows[i].type, type);
	return found;
}

BOOL witness_begin(void)
{
	DWORD n, i, j;

	operations = (struct handle_operation *)map_room(OPERATIONS_MAX * sizeof *operations);
	rows = (struct handle_row *)map_room(ROWS_MAX * sizeof *rows);
	scratch = map_room(SCRATCH_SIZE);
	if (!operations || !rows || !scratch)
		return FALSE;
	n = handles_read(rows, ROWS_MAX, scratch);
	for (i = 0; i < n; i++) {
		for (j = 0; before[j].n && lstrcmpW(before[j].type, rows[i].type); j++)
			;
		lstrcpyW(before[j].type, rows[i].type);
		before[j].n++;
	}
	if (!record_install(operations, OPERATIONS_MAX))
		return FALSE;
	record_on(TRUE);
	return TRUE;
}

/* The numbers of the program against those of the system. */
static BOOL agree(const struct witness_order *order, DWORD n)
{
	BOOL ok = TRUE;
	DWORD i, j;

	for (i = 0; i < order->tally_count; i++) {
		DWORD want = 0, have;
		WCHAR type[32];

		MultiByteToWideChar(CP_UTF8, 0, order->tallies[i].type, -1, type, ARRAYSIZE(type));
		for (j = 0; before[j].n; j++)
			if (!lstrcmpW(before[j].type, type))
				want += before[j].n;
		for (j = 0; j < order->tally_count; j++)
			if (!lstrcmpA(order->tallies[j].type, order->tallies[i].type))
				want += order->tallies[j].opened - order->tallies[j].closed;
		want += !lstrcmpW(type, L"File"); /* the dump itself */
		have = count_type(type, n);
		if (have != want)
			fprintf(stderr, "%ls: %lu handles, the program makes it %lu\n", type, have, want);
		ok = ok && have == want;
	}
	return ok;
}

static BOOL write_counts(const struct witness_order *order, DWORD number)
{
	FILETIME system;
	SYSTEMTIME t;
	ULONG64 now;
	FILE *f = fopen("counts.tsv", "ab");
	DWORD i;

	if (!f)
		return FALSE;
	GetSystemTimeAsFileTime(&system);
	now = shown_time((ULONG64)system.dwHighDateTime << 32 | system.dwLowDateTime);
	system.dwHighDateTime = now >> 32;
	system.dwLowDateTime = (DWORD)now;
	FileTimeToSystemTime(&system, &t);
	for (i = 0; i < order->tally_count; i++) {
		const struct tally *y = &order->tallies[i];

		fprintf(f, "%lu\t%04d-%02d-%02dT%02d:%02d:%02dZ\t%s\t%s\t%s\t%lu\t%lu\t%lu\n", number, t.wYear, t.wMonth, t.wDay,
		        t.wHour, t.wMinute, t.wSecond, y->type, y->opener, y->holder, y->opened, y->closed, y->lost);
	}
	return fclose(f) == 0;
}

BOOL witness_dump(const struct witness_order *order)
{
	static struct thread_name names[16];
	static DWORD number;
	struct dump_job job = {0};
	WCHAR path[32];
	DWORD i;
	BOOL ok;

	record_on(FALSE);
	_snwprintf(path, ARRAYSIZE(path), L"%u.dmp", ++number);
	for (i = 0; i < order->thread_count && i < ARRAYSIZE(names); i++) {
		names[i].id = order->threads[i].id;
		names[i].thread = order->threads[i].thread;
		names[i].name = order->threads[i].name;
	}
	job.path = path;
	job.kind = DUMP_HEAP;
	job.operations = record_all(&job.operation_count);
	job.threads = names;
	job.thread_count = i;
	job.heap = order->heap;
	job.clock = shown_time;
	job.rows = rows;
	job.row_max = ROWS_MAX;
	job.scratch = scratch;
	job.scratch_size = SCRATCH_SIZE;
	ok = dump_write(&job) && agree(order, job.row_count) && write_counts(order, number);
	record_on(TRUE);
	return ok;
}
