/* Reads the own handle table: NtQuerySystemInformation lists it, NtQueryObject and its kin describe it. */
#include "handles.h"
#include "native.h"
#include <stdio.h>

static void query_string(HANDLE h, OBJECT_INFORMATION_CLASS what, WCHAR *out, DWORD max)
{
	union {
		UNICODE_STRING s; /* OBJECT_NAME_INFORMATION and OBJECT_TYPE_INFORMATION begin with it */
		BYTE room[2048];
	} u;
	DWORD n;

	out[0] = 0;
	if (NtQueryObject(h, what, &u, sizeof u, NULL) < 0 || !u.s.Buffer)
		return;
	n = min(u.s.Length / sizeof(WCHAR), max - 1);
	memcpy(out, u.s.Buffer, n * sizeof(WCHAR));
	out[n] = 0;
}

static void add(struct handle_row *row, ULONG type, const void *data, ULONG size)
{
	struct handle_info *info = &row->info[row->infos++];

	info->type = type;
	info->size = size;
	memcpy(info->data, data, size);
}

static void describe_mutant(HANDLE h, struct handle_row *row)
{
	struct mutant_basic basic = {0};
	struct mutant_owner owner = {0};
	int n;

	if (NtQueryMutant(h, 0, &basic, sizeof basic, NULL) < 0)
		return;
	n = snprintf(row->object, sizeof row->object, "count=%ld abandoned=%d", basic.count, basic.abandoned);
	/* dbgcore lets the owner come first in the chain, the state second. */
	if (NtQueryMutant(h, 1, &owner, sizeof owner, NULL) >= 0) {
		add(row, INFO_MUTANT2, &owner, sizeof owner);
		snprintf(row->object + n, sizeof row->object - n, " owner=%x.%x",
		         (unsigned)(ULONG_PTR)owner.process, (unsigned)(ULONG_PTR)owner.thread);
	}
	add(row, INFO_MUTANT1, &basic, sizeof basic);
}

static void describe(HANDLE h, struct handle_row *row)
{
	union {
		struct event_basic event;
		struct semaphore_basic semaphore;
		struct section_basic section;
		struct thread_basic thread;
		struct process_basic process;
	} u;
	char *out = row->object;
	size_t max = sizeof row->object;

	memset(&u, 0, sizeof u);
	if (!lstrcmpW(row->type, L"Mutant")) {
		describe_mutant(h, row);
	} else if (!lstrcmpW(row->type, L"Event")) {
		if (NtQueryEvent(h, 0, &u.event, sizeof u.event, NULL) < 0)
			return;
		add(row, INFO_EVENT1, &u.event, sizeof u.event);
		snprintf(out, max, "reset=%s set=%ld", u.event.type ? "auto" : "manual", u.event.state);
	} else if (!lstrcmpW(row->type, L"Semaphore")) {
		if (NtQuerySemaphore(h, 0, &u.semaphore, sizeof u.semaphore, NULL) < 0)
			return;
		add(row, INFO_SEMAPHORE1, &u.semaphore, sizeof u.semaphore);
		snprintf(out, max, "count=%ld limit=%ld", u.semaphore.count, u.semaphore.maximum);
	} else if (!lstrcmpW(row->type, L"Section")) {
		if (NtQuerySection(h, 0, &u.section, sizeof u.section, NULL) < 0)
			return;
		add(row, INFO_SECTION1, &u.section, sizeof u.section);
		snprintf(out, max, "attributes=%lx size=%lx", u.section.attributes, u.section.size.u.LowPart);
	} else if (!lstrcmpW(row->type, L"Thread")) {
		if (NtQueryInformationThread(h, THREAD_BASIC, &u.thread, sizeof u.thread, NULL) < 0)
			return;
		add(row, INFO_THREAD1, &u.thread, sizeof u.thread);
		snprintf(out, max, "id=%x.%x exit=%lx", (unsigned)(ULONG_PTR)u.thread.process,
		         (unsigned)(ULONG_PTR)u.thread.thread, u.thread.exit_status);
	} else if (!lstrcmpW(row->type, L"Process")) {
		if (NtQueryInformationProcess(h, PROCESS_BASIC, &u.process, sizeof u.process, NULL) < 0)
			return;
		add(row, INFO_PROCESS1, &u.process, sizeof u.process);
		snprintf(out, max, "id=%x parent=%x exit=%lx", (unsigned)u.process.process,
		         (unsigned)u.process.parent, u.process.exit_status);
	}
}

static void read_row(const struct system_handle *entry, struct handle_row *row)
{
	HANDLE h = (HANDLE)entry->handle;
	struct object_basic basic = {0};

	memset(row, 0, sizeof *row);
	row->handle = entry->handle;
	row->attributes = entry->attributes;
	if (NtQueryObject(h, OBJECT_BASIC, &basic, sizeof basic, NULL) >= 0) {
		row->attributes |= basic.attributes; /* always 0 under Wine */
		row->access = basic.access;
		row->handle_count = basic.handle_count;
		row->pointer_count = basic.pointer_count;
	}
	query_string(h, OBJECT_TYPE, row->type, ARRAYSIZE(row->type));
	query_string(h, OBJECT_NAME, row->name, ARRAYSIZE(row->name));
	describe(h, row);
}

/* The entry of this process with the lowest handle above after; NULL at the end. */
static const struct system_handle *next_handle(const struct system_handles *list, ULONG_PTR after)
{
	const struct system_handle *best = NULL;
	ULONG_PTR i;

	for (i = 0; i < list->count; i++) {
		const struct system_handle *e = &list->entry[i];

		if (e->process_id == GetCurrentProcessId() && e->handle > after && (!best || e->handle < best->handle))
			best = e;
	}
	return best;
}

DWORD handles_read(struct handle_row *rows, DWORD max, BYTE *scratch)
{
	struct system_handles *list = (struct system_handles *)scratch;
	const struct system_handle *entry;
	ULONG_PTR value = 0;
	DWORD n = 0;

	if (NtQuerySystemInformation(SYSTEM_EXTENDED_HANDLE_INFORMATION, list, 1 << 20, NULL) < 0)
		return 0;
	while (n < max && (entry = next_handle(list, value)) != NULL) {
		value = entry->handle;
		read_row(entry, &rows[n++]);
	}
	return n;
}
