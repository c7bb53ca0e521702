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
	struct handle_row *rows; /* room for HANDLES_MAX; filled */
	DWORD row_count;
	BYTE *scratch;           /* room, used for the list of handles and then for the tail */
	SIZE_T scratch_size;
};

BOOL dump_write(struct dump_job *job);

#endif
