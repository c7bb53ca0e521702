/*
 * Writes a dump. Strings and object information are found by file offset, and
 * a user stream does not know where in the file it will be. So each stream is
 * passed to MiniDumpWriteDump as a placeholder, which reserves its entry in the
 * directory; the data is appended to the finished file, where its offsets are
 * known, and the entry is changed to point to it.
 */
#include "dumpfile.h"
#include "native.h"
#include <dbghelp.h>

enum { PLACEHOLDERS_MAX = 8 };

static DWORD placeholders(enum dump_kind kind, MINIDUMP_USER_STREAM *list)
{
	static ULONG nothing;
	static const ULONG types[] = {HandleDataStream, HandleOperationListStream, ThreadInfoListStream,
	                              24 /* ThreadNamesStream */, MemoryInfoListStream};
	DWORD n = kind == DUMP_SMALL ? 4 : 5;
	DWORD i;

	for (i = 0; i < n; i++) {
		list[i].Type = types[i];
		list[i].BufferSize = sizeof nothing;
		list[i].Buffer = &nothing;
	}
	return n;
}

static MINIDUMP_TYPE dump_type(enum dump_kind kind)
{
	/* dbghelp notes these in the header; Wine's writes none of the streams they ask for. */
	int type = MiniDumpWithHandleData | MiniDumpWithThreadInfo;

	if (kind != DUMP_SMALL)
		type |= MiniDumpWithFullMemoryInfo;
	if (kind == DUMP_HEAP)
		type |= MiniDumpWithPrivateReadWriteMemory;
	if (kind == DUMP_FULL)
		type |= MiniDumpWithFullMemory;
	return (MINIDUMP_TYPE)type;
}

static BOOL read_at(HANDLE file, ULONG at, void *p, DWORD size)
{
	DWORD got;

	return SetFilePointer(file, at, NULL, FILE_BEGIN) == at &&
	       ReadFile(file, p, size, &got, NULL) && got == size;
}

static BOOL write_at(HANDLE file, ULONG at, const void *p, DWORD size)
{
	DWORD put;

	return SetFilePointer(file, at, NULL, FILE_BEGIN) == at &&
	       WriteFile(file, p, size, &put, NULL) && put == size;
}

static ULONG64 ticks(FILETIME t)
{
	ULARGE_INTEGER u = {.u = {t.dwLowDateTime, t.dwHighDateTime}};

	return u.QuadPart;
}

static ULONG seconds(FILETIME t)
{
	return (ULONG)(ticks(t) / 10000000);
}

/* Seconds since 1970, as MINIDUMP_MISC_INFO has them. */
static ULONG unix_time(FILETIME t, dump_clock clock)
{
	ULONG64 time = clock ? clock(ticks(t)) : ticks(t);

	return (ULONG)(time / 10000000 - 11644473600ULL);
}

/* Wine leaves the process times out of MINIDUMP_MISC_INFO and clears their flag. */
static BOOL add_process_times(HANDLE file, ULONG at, dump_clock clock)
{
	MINIDUMP_MISC_INFO misc;
	FILETIME created, exited, kernel, user;

	if (!read_at(file, at, &misc, sizeof misc) ||
	    !GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &user))
		return FALSE;
	misc.Flags1 |= MINIDUMP_MISC1_PROCESS_TIMES;
	misc.ProcessCreateTime = unix_time(created, clock);
	misc.ProcessUserTime = seconds(user);
	misc.ProcessKernelTime = seconds(kernel);
	return write_at(file, at, &misc, sizeof misc);
}

static BOOL set_time(HANDLE file, MINIDUMP_HEADER *header, dump_clock clock)
{
	FILETIME now;

	if (!clock)
		return TRUE;
	GetSystemTimeAsFileTime(&now);
	header->TimeDateStamp = unix_time(now, clock);
	return write_at(file, 0, header, sizeof *header);
}

static BOOL listed(const MINIDUMP_MEMORY_DESCRIPTOR *list, DWORD n, ULONG rva)
{
	while (n--)
		if (list[n].Memory.Rva == rva)
			return TRUE;
	return FALSE;
}

static BOOL blank(HANDLE file, ULONG at, ULONG size)
{
	static const BYTE zeros[1 << 12];

	for (; size > sizeof zeros; size -= sizeof zeros, at += sizeof zeros)
		if (!write_at(file, at, zeros, sizeof zeros))
			return FALSE;
	return write_at(file, at, zeros, size);
}

/* Writes zeros over the old list, and over the memory that the new one has not: nothing refers to them any longer. */
static BOOL blank_old(HANDLE file, struct location at, const MINIDUMP_MEMORY_DESCRIPTOR *old, DWORD n,
                      const MINIDUMP_MEMORY_DESCRIPTOR *list, DWORD listed_count)
{
	DWORD i;

	for (i = 0; i < n; i++)
		if (!listed(list, listed_count, old[i].Memory.Rva) &&
		    !blank(file, old[i].Memory.Rva, old[i].Memory.DataSize))
			return FALSE;
	return blank(file, at.rva, at.size);
}

static struct location extend_memory(HANDLE file, struct dump_job *job, struct tail *t, struct location old)
{
	BYTE *descriptors = t->work + WORK_SIZE / 2;
	DWORD size = old.size > 4 ? old.size - 4 : 0;
	struct location at;

	if (size > WORK_SIZE / 2 || !read_at(file, old.rva + 4, descriptors, size)) {
		t->failed = TRUE;
		return old;
	}
	at = stream_memory(t, descriptors, size / 16, job->own, job->heap, job->operations, job->operation_count);
	/* A thread's stack may be in the new list as part of private memory; only a small dump is sure to keep the old one. */
	if (job->heap && !blank_old(file, old, (MINIDUMP_MEMORY_DESCRIPTOR *)descriptors, size / 16,
	                            (MINIDUMP_MEMORY_DESCRIPTOR *)t->work, (at.size - 4) / 16))
		t->failed = TRUE;
	return at;
}

static BOOL patch(HANDLE file, struct dump_job *job)
{
	struct tail t = {.data = job->scratch + WORK_SIZE, .room = job->scratch_size - WORK_SIZE, .work = job->scratch};
	MINIDUMP_HEADER header;
	DWORD i;

	/* Nothing needs the alignment, but it spares the readers of hex dumps trouble. */
	t.base = (GetFileSize(file, NULL) + 15) & ~15u;
	if (!read_at(file, 0, &header, sizeof header) || !set_time(file, &header, job->clock))
		return FALSE;
	for (i = 0; i < header.NumberOfStreams; i++) {
		ULONG at = header.StreamDirectoryRva + i * sizeof(MINIDUMP_DIRECTORY);
		MINIDUMP_DIRECTORY entry;
		struct location where;

		if (!read_at(file, at, &entry, sizeof entry))
			return FALSE;
		where.size = entry.Location.DataSize;
		where.rva = entry.Location.Rva;
		switch (entry.StreamType) {
		case HandleDataStream:
			where = stream_handles(&t, job->rows, job->row_count);
			break;
		case HandleOperationListStream:
			where = stream_operations(&t, job->operations, job->operation_count);
			break;
		case ThreadInfoListStream:
			where = stream_thread_infos(&t, job->threads, job->thread_count, job->clock);
			break;
		case 24:
			where = stream_thread_names(&t, job->threads, job->thread_count);
			break;
		case MemoryInfoListStream:
			where = stream_memory_info(&t);
			break;
		case MemoryListStream:
			if (job->kind == DUMP_HEAP)
				where = extend_memory(file, job, &t, where);
			break;
		case MiscInfoStream:
			if (!add_process_times(file, where.rva, job->clock))
				return FALSE;
			break;
		}
		entry.Location.DataSize = where.size;
		entry.Location.Rva = where.rva;
		if (!write_at(file, at, &entry, sizeof entry))
			return FALSE;
	}
	return !t.failed && write_at(file, t.base, t.data, (DWORD)t.used);
}

BOOL dump_write(struct dump_job *job)
{
	MINIDUMP_USER_STREAM list[PLACEHOLDERS_MAX];
	MINIDUMP_USER_STREAM_INFORMATION streams = {placeholders(job->kind, list), list};
	HANDLE file = CreateFileW(job->path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
	BOOL ok;

	if (file == INVALID_HANDLE_VALUE)
		return FALSE;
	job->row_count = handles_read(job->rows, job->row_max, job->scratch);
	ok = MiniDumpWriteDump(GetCurrentProcess(), GetCurrentProcessId(), file, dump_type(job->kind),
	                       NULL, &streams, NULL) &&
	     patch(file, job);
	CloseHandle(file);
	return ok;
}
