/* What the program takes from ntdll and winternl.h does not declare. */
#ifndef NATIVE_H
#define NATIVE_H

#include <windows.h>
#include <winternl.h>

#define STATUS_INVALID_HANDLE_ ((NTSTATUS)0xC0000008)

/* SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX and its list, information class 64. */
struct system_handle {
	PVOID object;
	ULONG_PTR process_id;
	ULONG_PTR handle;
	ULONG access;
	USHORT backtrace_index;
	USHORT type_index;
	ULONG attributes;
	ULONG reserved;
};

struct system_handles {
	ULONG_PTR count;
	ULONG_PTR reserved;
	struct system_handle entry[1];
};

#define SYSTEM_EXTENDED_HANDLE_INFORMATION ((SYSTEM_INFORMATION_CLASS)64)

/* OBJECT_BASIC_INFORMATION */
struct object_basic {
	ULONG attributes;
	ACCESS_MASK access;
	ULONG handle_count;
	ULONG pointer_count;
	ULONG reserved[10];
};

#define OBJECT_BASIC ((OBJECT_INFORMATION_CLASS)0)
#define OBJECT_NAME ((OBJECT_INFORMATION_CLASS)1)
#define OBJECT_TYPE ((OBJECT_INFORMATION_CLASS)2)

/* EVENT_, MUTANT_, SEMAPHORE_, SECTION_ and THREAD_BASIC_INFORMATION, MUTANT_OWNER_INFORMATION */
struct event_basic { ULONG type; LONG state; };
struct mutant_basic { LONG count; BOOLEAN owned_by_caller; BOOLEAN abandoned; };
struct mutant_owner { HANDLE process; HANDLE thread; };
struct semaphore_basic { LONG count; LONG maximum; };
struct section_basic { PVOID base; ULONG attributes; LARGE_INTEGER size; };
struct thread_basic {
	NTSTATUS exit_status;
	PVOID teb;
	HANDLE process;
	HANDLE thread;
	ULONG_PTR affinity;
	LONG priority;
	LONG base_priority;
};
struct process_basic {
	NTSTATUS exit_status;
	PVOID peb;
	ULONG_PTR affinity;
	LONG base_priority;
	ULONG_PTR process;
	ULONG_PTR parent;
};

#define THREAD_BASIC ((THREADINFOCLASS)0)
#define THREAD_START_ADDRESS ((THREADINFOCLASS)9)
#define THREAD_NAME ((THREADINFOCLASS)38)
#define PROCESS_BASIC ((PROCESSINFOCLASS)0)

NTSTATUS NTAPI NtQueryEvent(HANDLE, ULONG, PVOID, ULONG, PULONG);
NTSTATUS NTAPI NtQueryMutant(HANDLE, ULONG, PVOID, ULONG, PULONG);
NTSTATUS NTAPI NtQuerySemaphore(HANDLE, ULONG, PVOID, ULONG, PULONG);
NTSTATUS NTAPI NtQuerySection(HANDLE, ULONG, PVOID, SIZE_T, PSIZE_T);
NTSTATUS NTAPI NtSetInformationThread(HANDLE, THREADINFOCLASS, PVOID, ULONG);

#endif
