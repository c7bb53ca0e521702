/* The handles of this process, read from the system. */
#ifndef HANDLES_H
#define HANDLES_H

#include <windows.h>

enum { NAME_MAX_CHARS = 260, INFO_MAX = 64 };

/* One object information: MINIDUMP_HANDLE_OBJECT_INFORMATION_TYPE and the bytes of the query. */
struct handle_info {
	ULONG type;
	ULONG size;
	BYTE data[INFO_MAX];
};

enum {
	INFO_THREAD1 = 1, INFO_MUTANT1 = 2, INFO_MUTANT2 = 3, INFO_PROCESS1 = 4,
	INFO_EVENT1 = 6, INFO_SECTION1 = 7, INFO_SEMAPHORE1 = 8
};

struct handle_row {
	ULONG_PTR handle;
	ULONG attributes;
	ULONG access;
	ULONG handle_count;
	ULONG pointer_count;
	WCHAR type[32];
	WCHAR name[NAME_MAX_CHARS];
	DWORD infos;
	struct handle_info info[2];
	char object[96]; /* the information in words, for the table of truth */
};

/* handles_read fills rows in ascending order and returns how many; scratch is 1 MiB of room. */
DWORD handles_read(struct handle_row *rows, DWORD max, BYTE *scratch);

#endif
