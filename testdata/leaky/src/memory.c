/* Memory for the owner hunt: a dump that holds the heap and little else. */
#include "streams.h"
#include "native.h"
#include <psapi.h>

/* MINIDUMP_MEMORY_DESCRIPTOR */
#pragma pack(push, 4)
struct range {
	ULONG64 start;
	ULONG size;
	ULONG rva;
};
#pragma pack(pop)

enum { RANGES_MAX = 16384 };

struct ranges {
	struct range *list;
	DWORD n;
};

static BOOL writable(DWORD protect)
{
	if (protect & (PAGE_GUARD | PAGE_NOACCESS))
		return FALSE;
	return (protect & (PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY)) != 0;
}

static BOOL covered(const struct ranges *r, ULONG64 start, ULONG64 size)
{
	DWORD i;

	for (i = 0; i < r->n; i++)
		if (start >= r->list[i].start && start + size <= r->list[i].start + r->list[i].size)
			return TRUE;
	return FALSE;
}

static void add_range(struct ranges *r, struct tail *t, const void *p, SIZE_T size)
{
	struct range *range;

	if (r->n == RANGES_MAX || covered(r, (ULONG_PTR)p, size))
		return;
	range = &r->list[r->n++];
	range->start = (ULONG_PTR)p;
	range->size = (ULONG)size;
	range->rva = tail_add(t, p, size);
}

/* What of [p, p+size) can be read, region by region. */
static void add_readable(struct ranges *r, struct tail *t, BYTE *p, SIZE_T size)
{
	BYTE *end = p + size;

	while (p < end) {
		MEMORY_BASIC_INFORMATION info;
		BYTE *stop;

		if (!VirtualQuery(p, &info, sizeof info))
			return;
		stop = min(end, (BYTE *)info.BaseAddress + info.RegionSize);
		if (info.State == MEM_COMMIT && !(info.Protect & (PAGE_GUARD | PAGE_NOACCESS)))
			add_range(r, t, p, stop - p);
		p = stop;
	}
}

/* The whole of private memory, or with heap that heap; it must be one of fixed size, which is one allocation. */
static void add_private(struct ranges *r, struct tail *t, HANDLE heap)
{
	MEMORY_BASIC_INFORMATION info;
	BYTE *p = NULL;

	for (; VirtualQuery(p, &info, sizeof info); p = (BYTE *)info.BaseAddress + info.RegionSize)
		if (info.State == MEM_COMMIT && info.Type == MEM_PRIVATE && writable(info.Protect) &&
		    (!heap || info.AllocationBase == heap))
			add_range(r, t, info.BaseAddress, info.RegionSize);
}

static BOOL on_a_stack(const IMAGE_NT_HEADERS *nt, ULONG64 base, const struct handle_operation *ops, DWORD n)
{
	DWORD i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < ops[i].depth; j++)
			if (ops[i].address[j] - base < nt->OptionalHeader.SizeOfImage)
				return TRUE;
	return FALSE;
}

static BOOL is_own(HMODULE module, HMODULE own)
{
	return module == own || module == GetModuleHandleW(NULL);
}

/* Our own images whole; of the system's the headers, and the exports where a stack runs through. */
static void add_modules(struct ranges *r, struct tail *t, HMODULE own, BOOL system, const struct handle_operation *ops,
                        DWORD n)
{
	HMODULE modules[64];
	DWORD size = 0, i;

	EnumProcessModules(GetCurrentProcess(), modules, sizeof modules, &size);
	for (i = 0; i < size / sizeof *modules && i < ARRAYSIZE(modules); i++) {
		BYTE *base = (BYTE *)modules[i];
		IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
		IMAGE_DATA_DIRECTORY *exports =
			&nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];

		if (is_own(modules[i], own)) {
			add_readable(r, t, base, nt->OptionalHeader.SizeOfImage);
			continue;
		}
		if (!system)
			continue;
		add_readable(r, t, base, nt->OptionalHeader.SizeOfHeaders);
		if (on_a_stack(nt, (ULONG_PTR)base, ops, n))
			add_readable(r, t, base + exports->VirtualAddress, exports->Size);
	}
}

/* Enough before a return address to decode the call, enough after it to see what follows. */
static void add_code(struct ranges *r, struct tail *t, const struct handle_operation *ops, DWORD n)
{
	DWORD i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < ops[i].depth; j++)
			if (!covered(r, ops[i].address[j] - 16, 32))
				add_readable(r, t, (BYTE *)(ULONG_PTR)ops[i].address[j] - 16, 32);
}

/* dbghelp's x64 part writes the unwind data of every function of every module, in thousands of pieces. */
static BOOL of_the_system(const struct range *range, HMODULE own)
{
	MEMORY_BASIC_INFORMATION info;

	return VirtualQuery((void *)(ULONG_PTR)range->start, &info, sizeof info) && info.Type == MEM_IMAGE &&
	       !is_own((HMODULE)info.AllocationBase, own);
}

struct location stream_memory(struct tail *t, const BYTE *old, DWORD n, HMODULE own, HANDLE heap,
                              const struct handle_operation *ops, DWORD nops)
{
	struct range *list = (struct range *)t->work;
	struct ranges r = {list, 0};
	const struct range *was = (const struct range *)old;
	struct location at;
	DWORD i;

	add_private(&r, t, heap);
	add_modules(&r, t, own, !heap, ops, nops);
	/* What dbghelp wrote stays, unless it is in there already. */
	for (i = 0; i < n && r.n < RANGES_MAX; i++)
		if (!covered(&r, was[i].start, was[i].size) && !(heap && of_the_system(&was[i], own)))
			list[r.n++] = was[i];
	add_code(&r, t, ops, nops);
	at.rva = tail_add(t, &r.n, sizeof r.n);
	tail_add(t, list, r.n * sizeof *list);
	at.size = sizeof r.n + r.n * sizeof *list;
	return at;
}

/* MINIDUMP_MEMORY_INFO */
struct memory_info {
	ULONG64 base;
	ULONG64 allocation_base;
	ULONG allocation_protect;
	ULONG pad1;
	ULONG64 size;
	ULONG state;
	ULONG protect;
	ULONG type;
	ULONG pad2;
};

struct location stream_memory_info(struct tail *t)
{
	struct { ULONG header; ULONG entry; ULONG64 n; } head = {16, sizeof(struct memory_info), 0};
	MEMORY_BASIC_INFORMATION info;
	struct location at;
	SIZE_T header_at = t->used;
	BYTE *p = NULL;

	at.rva = tail_add(t, &head, sizeof head);
	for (; VirtualQuery(p, &info, sizeof info); p = (BYTE *)info.BaseAddress + info.RegionSize) {
		struct memory_info m = {
			(ULONG_PTR)info.BaseAddress, (ULONG_PTR)info.AllocationBase, info.AllocationProtect, 0,
			info.RegionSize, info.State, info.Protect, info.Type, 0,
		};

		tail_add(t, &m, sizeof m);
		head.n++;
	}
	if (!t->failed)
		memcpy(t->data + header_at, &head, sizeof head);
	at.size = (ULONG)(sizeof head + head.n * sizeof(struct memory_info));
	return at;
}
