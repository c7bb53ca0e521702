/* Encodes handles, handle operations and threads as dbgcore lays them out in a file. */
#include "streams.h"
#include "native.h"

ULONG tail_add(struct tail *t, const void *p, SIZE_T size)
{
	ULONG rva = t->base + (ULONG)t->used;

	if (t->failed || size > t->room - t->used) {
		t->failed = TRUE;
		return 0;
	}
	if (p)
		memcpy(t->data + t->used, p, size);
	else
		memset(t->data + t->used, 0, size);
	t->used += size;
	return rva;
}

ULONG tail_string(struct tail *t, const WCHAR *s)
{
	ULONG size = lstrlenW(s) * sizeof(WCHAR);
	ULONG rva;

	if (!size)
		return 0;
	rva = tail_add(t, &size, sizeof size);
	tail_add(t, s, size + sizeof(WCHAR));
	return rva;
}

/* MINIDUMP_HANDLE_OBJECT_INFORMATION; the data follows its 12 bytes. */
struct object_information {
	ULONG next;
	ULONG type;
	ULONG size;
};

/* The chain is written last link first, so that its RVAs point backwards: as dbgcore does. */
static ULONG object_chain(struct tail *t, const struct handle_row *row)
{
	ULONG rva = 0;
	DWORD i;

	for (i = row->infos; i-- > 0;) {
		struct object_information head = {rva, row->info[i].type, row->info[i].size};

		rva = tail_add(t, &head, sizeof head);
		tail_add(t, row->info[i].data, row->info[i].size);
	}
	return rva;
}

/* MINIDUMP_HANDLE_DESCRIPTOR_2 */
struct descriptor {
	ULONG64 handle;
	ULONG type_name;
	ULONG object_name;
	ULONG attributes;
	ULONG access;
	ULONG handle_count;
	ULONG pointer_count;
	ULONG object_info;
	ULONG reserved;
};

struct location stream_handles(struct tail *t, const struct handle_row *rows, DWORD n)
{
	struct descriptor *list = (struct descriptor *)t->work;
	ULONG header[4] = {16, sizeof(struct descriptor), n, 0};
	struct location at;
	DWORD i;

	for (i = 0; i < n; i++) {
		const struct handle_row *row = &rows[i];
		struct descriptor *d = &list[i];

		memset(d, 0, sizeof *d);
		d->handle = row->handle;
		d->type_name = tail_string(t, row->type);
		d->object_name = tail_string(t, row->name);
		d->attributes = row->attributes;
		d->access = row->access;
		d->handle_count = row->handle_count;
		d->pointer_count = row->pointer_count;
		d->object_info = object_chain(t, row);
	}
	at.rva = tail_add(t, header, sizeof header);
	tail_add(t, list, n * sizeof *list);
	at.size = sizeof header + n * sizeof *list;
	return at;
}

struct location stream_operations(struct tail *t, const struct handle_operation *ops, DWORD n)
{
	ULONG header[4] = {16, sizeof *ops, n, 0};
	struct location at;

	at.rva = tail_add(t, header, sizeof header);
	tail_add(t, ops, n * sizeof *ops);
	at.size = sizeof header + n * sizeof *ops;
	return at;
}

struct location stream_thread_names(struct tail *t, const struct thread_name *names, DWORD n)
{
#pragma pack(push, 4)
	struct { ULONG id; ULONG64 rva; } list[16]; /* MINIDUMP_THREAD_NAME, 12 bytes */
#pragma pack(pop)
	struct location at;
	DWORD i;

	for (i = 0; i < n && i < ARRAYSIZE(list); i++) {
		list[i].id = names[i].id;
		list[i].rva = tail_string(t, names[i].name);
	}
	at.rva = tail_add(t, &i, sizeof i);
	tail_add(t, list, i * sizeof *list);
	at.size = sizeof i + i * sizeof *list;
	return at;
}

/* MINIDUMP_THREAD_INFO */
struct thread_info {
	ULONG id;
	ULONG flags;
	ULONG error;
	ULONG exit_status;
	FILETIME created;
	FILETIME exited;
	FILETIME kernel;
	FILETIME user;
	ULONG64 start;
	ULONG64 affinity;
};

static void adjust(FILETIME *time, dump_clock clock)
{
	ULARGE_INTEGER u = {.u = {time->dwLowDateTime, time->dwHighDateTime}};

	if (!clock || !u.QuadPart)
		return;
	u.QuadPart = clock(u.QuadPart);
	time->dwLowDateTime = u.u.LowPart;
	time->dwHighDateTime = u.u.HighPart;
}

struct location stream_thread_infos(struct tail *t, const struct thread_name *threads, DWORD n, dump_clock clock)
{
	ULONG header[3] = {12, sizeof(struct thread_info), n};
	struct location at;
	DWORD i;

	at.rva = tail_add(t, header, sizeof header);
	at.size = sizeof header + n * sizeof(struct thread_info);
	for (i = 0; i < n; i++) {
		struct thread_info info;
		struct thread_basic basic;
		PVOID start = NULL;

		memset(&info, 0, sizeof info);
		memset(&basic, 0, sizeof basic);
		info.id = threads[i].id;
		/* MINIDUMP_THREAD_INFO_WRITING_THREAD */
		info.flags = info.id == GetCurrentThreadId() ? 2 : 0;
		GetThreadTimes(threads[i].thread, &info.created, &info.exited, &info.kernel, &info.user);
		adjust(&info.created, clock);
		adjust(&info.exited, clock);
		NtQueryInformationThread(threads[i].thread, THREAD_BASIC, &basic, sizeof basic, NULL);
		NtQueryInformationThread(threads[i].thread, THREAD_START_ADDRESS, &start, sizeof start, NULL);
		info.exit_status = basic.exit_status;
		info.affinity = basic.affinity;
		info.start = (ULONG_PTR)start;
		tail_add(t, &info, sizeof info);
	}
	return at;
}
