/* One dump: MiniDumpWriteDump, then the streams that it lacks. */
#ifndef DUMPFILE_H
#define DUMPFILE_H

#include "streams.h"

enum dump_kind {
	DUMP_SMALL, /* MiniDumpNormal with handles, thread information and names */
	DUMP_HEAP,  /* and private writable memory, the own images, memory information */
	DUMP_FULL   /* full memory */
};

struct dump_job {
	const WCHAR *path;
	enum dump_kind kind;
	const struct handle_operation *operations;
	DWORD operation_count;
	const struct thread_name *threads;
	DWORD thread_count;
	HMODULE own;             /* the module whose image a DUMP_HEAP holds whole */
	HANDLE heap;             /* not NULL: a DUMP_HEAP holds this heap, stacks and own images alone */
	dump_clock clock;        /* NULL: times are as the system has them */
	struct handle_row *rows; /* room for row_max; filled */
	DWORD row_max;
	DWORD row_count;
	BYTE *scratch;           /* room, used for the list of handles and then for the tail */
	SIZE_T scratch_size;
};

BOOL dump_write(struct dump_job *job);

#endif
