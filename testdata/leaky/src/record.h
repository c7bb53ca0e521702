/* The recorder: who opened and closed which handle, from where. */
#ifndef RECORD_H
#define RECORD_H

#include <windows.h>

/* AVRF_HANDLE_OPERATION, the same 288 bytes in 32-bit and 64-bit processes. */
struct handle_operation {
	ULONG64 handle;
	ULONG process_id;
	ULONG thread_id;
	ULONG type;
	ULONG spare;
	ULONG depth;
	ULONG index;
	ULONG64 address[32];
};

enum { OPERATION_OPEN = 1, OPERATION_CLOSE = 2, OPERATION_BADREF = 3 };

/*
 * record_install routes the handle calls of the loaded system modules through
 * the recorder. The room is a ring, as the kernel's is: when max operations are
 * in it, the oldest gives way.
 */
BOOL record_install(struct handle_operation *room, LONG max);
void record_on(BOOL on);

/* The operations in the ring, oldest first; while the recorder is off. */
const struct handle_operation *record_all(DWORD *n);

#endif
