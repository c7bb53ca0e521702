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

/* Room for all operations of a run; the recorder stops when it is full. */
enum { RECORD_MAX = 4096 };

/* record_install routes the handle calls of the loaded system modules through the recorder. */
BOOL record_install(struct handle_operation *room);
void record_on(BOOL on);

/* The operations so far, oldest first. */
const struct handle_operation *record_all(DWORD *n);

#endif
