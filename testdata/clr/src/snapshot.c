/* Writes a dump with full memory of this process: what the managed program calls. */
#include "dumpfile.h"
#include <stdio.h>

enum { ROWS_MAX = 6000, SCRATCH_SIZE = 24 << 20 };

/* A view without a handle, and not private memory: the books are to be in no dump. */
static BYTE *map_room(SIZE_T size)
{
	HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, NULL);
	BYTE *p = section ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;

	if (section)
		CloseHandle(section);
	return p;
}

__declspec(dllexport) BOOL Snapshot(const WCHAR *path)
{
	struct dump_job job = {0};

	job.path = path;
	job.kind = DUMP_FULL;
	job.row_max = ROWS_MAX;
	job.rows = (struct handle_row *)map_room(ROWS_MAX * sizeof *job.rows);
	job.scratch_size = SCRATCH_SIZE;
	job.scratch = map_room(SCRATCH_SIZE);
	return job.rows && job.scratch && dump_write(&job);
}
