/* The streams that Wine's dbghelp does not write. */
#ifndef STREAMS_H
#define STREAMS_H

#include "handles.h"
#include "record.h"
#include "tail.h"

/* Where a stream is in the file: the two fields of its directory entry. */
struct location {
	ULONG size;
	ULONG rva;
};

/* Turns a FILETIME of the system into the one that the dump is to show. */
typedef ULONG64 (*dump_clock)(ULONG64 system);

struct thread_name {
	DWORD id;
	HANDLE thread;
	const WCHAR *name;
};

struct location stream_handles(struct tail *t, const struct handle_row *rows, DWORD n);
struct location stream_operations(struct tail *t, const struct handle_operation *ops, DWORD n);
struct location stream_thread_names(struct tail *t, const struct thread_name *names, DWORD n);
struct location stream_thread_infos(struct tail *t, const struct thread_name *threads, DWORD n, dump_clock clock);
struct location stream_memory_info(struct tail *t);

/*
 * stream_memory is a new MemoryList: the n old descriptors, then the private
 * writable memory of the process, the images of the program and of own, the
 * headers of the other modules, the export tables of those on the stacks of
 * ops and the code around the return addresses there. With heap it is small: of
 * private memory that heap alone, of the system's modules that code alone.
 */
struct location stream_memory(struct tail *t, const BYTE *old, DWORD n, HMODULE own, HANDLE heap,
                              const struct handle_operation *ops, DWORD nops);

#endif
