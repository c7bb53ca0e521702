/*
 * The recorder. On Windows, Application Verifier and the kernel's handle
 * tracing keep this log; Wine has neither. So the import tables of the system
 * modules are changed: their calls of ntdll go through the functions below,
 * which note handle, thread and stack as the kernel would. Stacks therefore
 * begin in the module that called ntdll (kernelbase), not in ntdll itself.
 */
#include "record.h"
#include "native.h"

static struct handle_operation *operations;
static LONG operations_max;
static volatile LONG used; /* ever, not only those still there */
static volatile LONG enabled;

extern BYTE __ImageBase[]; /* of the program or DLL that the recorder is linked into */

static BOOL in_this_image(PVOID address)
{
	BYTE *base = __ImageBase;
	IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);

	return (BYTE *)address >= base && (BYTE *)address < base + nt->OptionalHeader.SizeOfImage;
}

static void record(ULONG type, HANDLE handle)
{
	PVOID frames[40] = {0};
	struct handle_operation *op;
	ULONG hash = 2166136261u;
	USHORT n, i = 0;

	if (!enabled)
		return;
	n = RtlCaptureStackBackTrace(0, ARRAYSIZE(frames), frames, NULL);
	op = &operations[(InterlockedIncrement(&used) - 1) % operations_max];
	memset(op, 0, sizeof *op);
	op->handle = (ULONG_PTR)handle;
	op->process_id = GetCurrentProcessId();
	op->thread_id = GetCurrentThreadId();
	op->type = type;
	/* Hooks are called from system modules alone: this image's own frames on top are the recorder. */
	while (i < n && in_this_image(frames[i]))
		i++;
	/* Wine walks past the first frame of a thread and finds 0 there: the end. */
	for (; i < n && frames[i] && op->depth < ARRAYSIZE(op->address); i++) {
		op->address[op->depth++] = (ULONG_PTR)frames[i];
		hash = (hash ^ (ULONG)(ULONG_PTR)frames[i]) * 16777619u;
	}
	op->index = hash;
}

static NTSTATUS opened(NTSTATUS status, const HANDLE *handle)
{
	if (status >= 0 && handle && *handle)
		record(OPERATION_OPEN, *handle);
	return status;
}

/* HOOK defines hook_NAME, which calls NAME and notes the handle that it put into *h. */
#define HOOK(name, parameters, arguments)                    \
	NTSTATUS NTAPI name parameters;                      \
	static NTSTATUS NTAPI hook_##name parameters         \
	{                                                    \
		return opened(name arguments, h);            \
	}

HOOK(NtOpenKey, (PHANDLE h, ACCESS_MASK a, POBJECT_ATTRIBUTES o), (h, a, o))
HOOK(NtOpenKeyEx, (PHANDLE h, ACCESS_MASK a, POBJECT_ATTRIBUTES o, ULONG x), (h, a, o, x))
HOOK(NtCreateKey, (PHANDLE h, ACCESS_MASK a, POBJECT_ATTRIBUTES o, ULONG t, const UNICODE_STRING *c,
                   ULONG x, PULONG d), (h, a, o, t, c, x, d))
HOOK(NtCreateEvent, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, ULONG t, BOOLEAN s),
     (h, a, o, t, s))
HOOK(NtCreateMutant, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, BOOLEAN s), (h, a, o, s))
HOOK(NtCreateSemaphore, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, LONG s, LONG m),
     (h, a, o, s, m))
HOOK(NtCreateFile, (PHANDLE h, ACCESS_MASK a, POBJECT_ATTRIBUTES o, PIO_STATUS_BLOCK s, PLARGE_INTEGER l,
                    ULONG f, ULONG sh, ULONG d, ULONG x, PVOID ea, ULONG n),
     (h, a, o, s, l, f, sh, d, x, ea, n))
HOOK(NtOpenFile, (PHANDLE h, ACCESS_MASK a, POBJECT_ATTRIBUTES o, PIO_STATUS_BLOCK s, ULONG sh, ULONG x),
     (h, a, o, s, sh, x))
HOOK(NtDuplicateObject, (HANDLE sp, HANDLE sh, HANDLE tp, PHANDLE h, ACCESS_MASK a, ULONG t, ULONG x),
     (sp, sh, tp, h, a, t, x))

HOOK(NtOpenProcess, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, const CLIENT_ID *c), (h, a, o, c))
HOOK(NtOpenThread, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, const CLIENT_ID *c), (h, a, o, c))
HOOK(NtOpenProcessToken, (HANDLE p, DWORD a, HANDLE *h), (p, a, h))
HOOK(NtOpenThreadToken, (HANDLE p, DWORD a, BOOLEAN s, HANDLE *h), (p, a, s, h))
HOOK(NtDuplicateToken, (HANDLE t, ACCESS_MASK a, POBJECT_ATTRIBUTES o, BOOLEAN e, ULONG k, PHANDLE h),
     (t, a, o, e, k, h))
HOOK(NtCreateSection, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, const LARGE_INTEGER *s, ULONG p,
                       ULONG x, HANDLE f), (h, a, o, s, p, x, f))
HOOK(NtCreateTimer, (PHANDLE h, ACCESS_MASK a, const OBJECT_ATTRIBUTES *o, ULONG t), (h, a, o, t))
HOOK(RtlCreateUserThread, (HANDLE p, PVOID d, BOOLEAN s, ULONG z, SIZE_T r, SIZE_T c, PVOID e, PVOID x, HANDLE *h,
                           CLIENT_ID *i), (p, d, s, z, r, c, e, x, h, i))

/* The one call that gives two handles. */
NTSTATUS NTAPI NtCreateUserProcess(PHANDLE, PHANDLE, ACCESS_MASK, ACCESS_MASK, POBJECT_ATTRIBUTES,
                                   POBJECT_ATTRIBUTES, ULONG, ULONG, PVOID, PVOID, PVOID);

static NTSTATUS NTAPI hook_NtCreateUserProcess(PHANDLE p, PHANDLE t, ACCESS_MASK pa, ACCESS_MASK ta,
                                               POBJECT_ATTRIBUTES po, POBJECT_ATTRIBUTES to, ULONG pf, ULONG tf,
                                               PVOID par, PVOID info, PVOID attr)
{
	return opened(opened(NtCreateUserProcess(p, t, pa, ta, po, to, pf, tf, par, info, attr), p), t);
}

static NTSTATUS NTAPI hook_NtClose(HANDLE h)
{
	NTSTATUS status = NtClose(h);

	if (status >= 0)
		record(OPERATION_CLOSE, h);
	else if (status == STATUS_INVALID_HANDLE_)
		record(OPERATION_BADREF, h);
	return status;
}

static const struct hook {
	const char *name;
	void *function;
} hooks[] = {
	{"NtOpenKey", hook_NtOpenKey},
	{"NtOpenKeyEx", hook_NtOpenKeyEx},
	{"NtCreateKey", hook_NtCreateKey},
	{"NtCreateEvent", hook_NtCreateEvent},
	{"NtCreateMutant", hook_NtCreateMutant},
	{"NtCreateSemaphore", hook_NtCreateSemaphore},
	{"NtCreateFile", hook_NtCreateFile},
	{"NtOpenFile", hook_NtOpenFile},
	{"NtDuplicateObject", hook_NtDuplicateObject},
	{"NtOpenProcess", hook_NtOpenProcess},
	{"NtOpenThread", hook_NtOpenThread},
	{"NtOpenProcessToken", hook_NtOpenProcessToken},
	{"NtOpenThreadToken", hook_NtOpenThreadToken},
	{"NtDuplicateToken", hook_NtDuplicateToken},
	{"NtCreateSection", hook_NtCreateSection},
	{"NtCreateTimer", hook_NtCreateTimer},
	{"RtlCreateUserThread", hook_RtlCreateUserThread},
	{"NtCreateUserProcess", hook_NtCreateUserProcess},
	{"NtClose", hook_NtClose},
};

static void hook_slot(const char *name, void **slot)
{
	DWORD old;
	SIZE_T i;

	for (i = 0; i < ARRAYSIZE(hooks); i++) {
		if (lstrcmpA(name, hooks[i].name))
			continue;
		if (!VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &old))
			return;
		*slot = hooks[i].function;
		VirtualProtect(slot, sizeof *slot, old, &old);
	}
}

/* hook_imports changes what one module has bound from ntdll. */
static BOOL hook_imports(const WCHAR *module)
{
	BYTE *base = (BYTE *)GetModuleHandleW(module);
	IMAGE_NT_HEADERS *nt;
	IMAGE_DATA_DIRECTORY *dir;
	IMAGE_IMPORT_DESCRIPTOR *imp;

	if (!base)
		return FALSE;
	nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
	dir = &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
	if (!dir->VirtualAddress)
		return FALSE;
	for (imp = (IMAGE_IMPORT_DESCRIPTOR *)(base + dir->VirtualAddress); imp->Name; imp++) {
		IMAGE_THUNK_DATA *name, *slot;

		if (lstrcmpiA((char *)base + imp->Name, "ntdll.dll"))
			continue;
		name = (IMAGE_THUNK_DATA *)(base + imp->OriginalFirstThunk);
		slot = (IMAGE_THUNK_DATA *)(base + imp->FirstThunk);
		for (; name->u1.AddressOfData; name++, slot++) {
			if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal))
				continue;
			hook_slot(((IMAGE_IMPORT_BY_NAME *)(base + name->u1.AddressOfData))->Name,
			          (void **)&slot->u1.Function);
		}
	}
	return TRUE;
}

BOOL record_install(struct handle_operation *room, LONG max)
{
	operations = room;
	operations_max = max;
	/* The rest may be absent; without kernelbase there is nothing to record. */
	hook_imports(L"kernel32.dll");
	hook_imports(L"advapi32.dll");
	hook_imports(L"sechost.dll");
	return hook_imports(L"kernelbase.dll");
}

void record_on(BOOL on)
{
	InterlockedExchange(&enabled, on);
}

static void reverse(struct handle_operation *first, struct handle_operation *end)
{
	while (first < end) {
		struct handle_operation op = *first;

		*first++ = *--end;
		*end = op;
	}
}

const struct handle_operation *record_all(DWORD *n)
{
	LONG oldest = used % operations_max;

	if (used < operations_max) {
		*n = (DWORD)used;
		return operations;
	}
	reverse(operations, operations + oldest);
	reverse(operations + oldest, operations + operations_max);
	reverse(operations, operations + operations_max);
	used = operations_max; /* the next one takes the first place, where the oldest is now */
	*n = (DWORD)operations_max;
	return operations;
}
