/* The tail: what is appended to a dump once MiniDumpWriteDump has written it. */
#ifndef TAIL_H
#define TAIL_H

#include <windows.h>

enum { WORK_SIZE = 1 << 20 };

struct tail {
	BYTE *data;
	SIZE_T used;
	SIZE_T room;
	ULONG base;  /* file offset of data[0] */
	BOOL failed; /* the room did not suffice; nothing more is added */
	BYTE *work;  /* WORK_SIZE of room for lists that are being put together; not part of the tail */
};

/* Each returns the file offset (RVA) of what it added; p may be NULL for zeros. */
ULONG tail_add(struct tail *t, const void *p, SIZE_T size);
ULONG tail_string(struct tail *t, const WCHAR *s); /* as a MINIDUMP_STRING; 0 for an empty one */

#endif
