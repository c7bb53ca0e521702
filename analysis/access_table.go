package analysis

// emptySlot marks a bit that WinDbg prints as nothing, comma included.
const emptySlot = "\x00"

var standardRights = [...]right{
	{0x10000, "DELETE", "Delete"},
	{0x20000, "READ_CONTROL", "ReadControl"},
	{0x40000, "WRITE_DAC", "WriteDac"},
	{0x80000, "WRITE_OWNER", "WriteOwner"},
	{0x100000, "SYNCHRONIZE", "Synch"},
}

// The generic rights, which stand for others in each type.
const (
	genericAll     = 0x10000000
	genericExecute = 0x20000000
	genericWrite   = 0x40000000
	genericRead    = 0x80000000
)

// genericRights do not occur in masks that the kernel has granted; they are
// named in case a writer put them there.
var genericRights = [...]right{
	{0x1000000, "ACCESS_SYSTEM_SECURITY", ""},
	{0x2000000, "MAXIMUM_ALLOWED", ""},
	{genericAll, "GENERIC_ALL", ""},
	{genericExecute, "GENERIC_EXECUTE", ""},
	{genericWrite, "GENERIC_WRITE", ""},
	{genericRead, "GENERIC_READ", ""},
}

// specificRights are the rights of each object type in ascending order. The
// numbers are those of winnt.h, winuser.h, evntrace.h and the native headers;
// WinDbg's words are those seen in its output. A table without any of WinDbg's
// words belongs to a type for which none is known.
var specificRights = map[string][]right{
	"Event":     {{1, "EVENT_QUERY_STATE", "QueryState"}, {2, "EVENT_MODIFY_STATE", "ModifyState"}},
	"Mutant":    {{1, "MUTANT_QUERY_STATE", "QueryState"}},
	"Semaphore": {{1, "SEMAPHORE_QUERY_STATE", "QueryState"}, {2, "SEMAPHORE_MODIFY_STATE", "ModifyState"}},
	"Timer":     {{1, "TIMER_QUERY_STATE", "QueryState"}, {2, "TIMER_MODIFY_STATE", "ModifyState"}},
	"IRTimer":   {{1, "TIMER_QUERY_STATE", ""}, {2, "TIMER_MODIFY_STATE", ""}},
	"IoCompletion": {
		{1, "IO_COMPLETION_QUERY_STATE", "Query"}, {2, "IO_COMPLETION_MODIFY_STATE", "Modify"},
	},
	"Section": {
		{1, "SECTION_QUERY", "Query"}, {2, "SECTION_MAP_WRITE", "MapWrite"},
		{4, "SECTION_MAP_READ", "MapRead"}, {8, "SECTION_MAP_EXECUTE", "MapExecute"},
		{0x10, "SECTION_EXTEND_SIZE", "Extend"}, {0x20, "SECTION_MAP_EXECUTE_EXPLICIT", ""},
	},
	"File": {
		{1, "FILE_READ_DATA", "Read/List"}, {2, "FILE_WRITE_DATA", "Write/Add"},
		{4, "FILE_APPEND_DATA", "Append/SubDir/CreatePipe"}, {8, "FILE_READ_EA", "ReadEA"},
		{0x10, "FILE_WRITE_EA", "WriteEA"}, {0x20, "FILE_EXECUTE", "Execute/Traverse"},
		{0x40, "FILE_DELETE_CHILD", ""}, {0x80, "FILE_READ_ATTRIBUTES", "ReadAttr"},
		{0x100, "FILE_WRITE_ATTRIBUTES", "WriteAttr"},
	},
	"Key": {
		{1, "KEY_QUERY_VALUE", "QueryValue"}, {2, "KEY_SET_VALUE", "SetValue"},
		{4, "KEY_CREATE_SUB_KEY", "CreateSubKey"}, {8, "KEY_ENUMERATE_SUB_KEYS", "EnumSubKey"},
		{0x10, "KEY_NOTIFY", "Notify"}, {0x20, "KEY_CREATE_LINK", "CreateLink"},
		{0x100, "KEY_WOW64_64KEY", ""}, {0x200, "KEY_WOW64_32KEY", ""},
	},
	"Process": {
		{1, "PROCESS_TERMINATE", "Terminate"}, {2, "PROCESS_CREATE_THREAD", "CreateThread"},
		{4, "PROCESS_SET_SESSIONID", emptySlot}, {8, "PROCESS_VM_OPERATION", "VMOp"},
		{0x10, "PROCESS_VM_READ", "VMRead"}, {0x20, "PROCESS_VM_WRITE", "VMWrite"},
		{0x40, "PROCESS_DUP_HANDLE", "DupHandle"}, {0x80, "PROCESS_CREATE_PROCESS", "CreateProcess"},
		{0x100, "PROCESS_SET_QUOTA", "SetQuota"}, {0x200, "PROCESS_SET_INFORMATION", "SetInfo"},
		{0x400, "PROCESS_QUERY_INFORMATION", "QueryInfo"}, {0x800, "PROCESS_SUSPEND_RESUME", "SetPort"},
		{0x1000, "PROCESS_QUERY_LIMITED_INFORMATION", ""}, {0x2000, "PROCESS_SET_LIMITED_INFORMATION", ""},
	},
	"Thread": {
		{1, "THREAD_TERMINATE", "Terminate"}, {2, "THREAD_SUSPEND_RESUME", "Suspend"},
		{4, "THREAD_ALERT", "Alert"}, {8, "THREAD_GET_CONTEXT", "GetContext"},
		{0x10, "THREAD_SET_CONTEXT", "SetContext"}, {0x20, "THREAD_SET_INFORMATION", "SetInfo"},
		{0x40, "THREAD_QUERY_INFORMATION", "QueryInfo"}, {0x80, "THREAD_SET_THREAD_TOKEN", "SetToken"},
		{0x100, "THREAD_IMPERSONATE", "Impersonate"}, {0x200, "THREAD_DIRECT_IMPERSONATION", "DirectImpersonate"},
		{0x400, "THREAD_SET_LIMITED_INFORMATION", ""}, {0x800, "THREAD_QUERY_LIMITED_INFORMATION", ""},
		{0x1000, "THREAD_RESUME", ""},
	},
	"Directory": {
		{1, "DIRECTORY_QUERY", "Query"}, {2, "DIRECTORY_TRAVERSE", "Traverse"},
		{4, "DIRECTORY_CREATE_OBJECT", "Create"}, {8, "DIRECTORY_CREATE_SUBDIRECTORY", "CreateSubdir"},
	},
	"SymbolicLink": {{1, "SYMBOLIC_LINK_QUERY", ""}, {2, "SYMBOLIC_LINK_SET", ""}},
	"Port":         {{1, "PORT_CONNECT", ""}},
	"ALPC Port":    {{1, "PORT_CONNECT", ""}},
	"WaitablePort": {{1, "PORT_CONNECT", ""}},
	"Token": {
		{1, "TOKEN_ASSIGN_PRIMARY", ""}, {2, "TOKEN_DUPLICATE", ""}, {4, "TOKEN_IMPERSONATE", ""},
		{8, "TOKEN_QUERY", ""}, {0x10, "TOKEN_QUERY_SOURCE", ""}, {0x20, "TOKEN_ADJUST_PRIVILEGES", ""},
		{0x40, "TOKEN_ADJUST_GROUPS", ""}, {0x80, "TOKEN_ADJUST_DEFAULT", ""}, {0x100, "TOKEN_ADJUST_SESSIONID", ""},
	},
	"WindowStation": {
		{1, "WINSTA_ENUMDESKTOPS", "EnumDesktops"}, {2, "WINSTA_READATTRIBUTES", "ReadAttr"}, {4, "WINSTA_ACCESSCLIPBOARD", "Clipboard"},
		{8, "WINSTA_CREATEDESKTOP", "CreateDesktop"}, {0x10, "WINSTA_WRITEATTRIBUTES", "WriteAttr"}, {0x20, "WINSTA_ACCESSGLOBALATOMS", "GlobalAtom"},
		{0x40, "WINSTA_EXITWINDOWS", "ExitWindows"}, {0x100, "WINSTA_ENUMERATE", "Enumerate"}, {0x200, "WINSTA_READSCREEN", "ReadScreen"},
	},
	"Desktop": {
		{1, "DESKTOP_READOBJECTS", "ReadObjects"}, {2, "DESKTOP_CREATEWINDOW", "CreateWindow"}, {4, "DESKTOP_CREATEMENU", "CreateMenu"},
		{8, "DESKTOP_HOOKCONTROL", "HookControl"}, {0x10, "DESKTOP_JOURNALRECORD", "JournalRecord"}, {0x20, "DESKTOP_JOURNALPLAYBACK", "JournalPlayback"},
		{0x40, "DESKTOP_ENUMERATE", "Enumerate"}, {0x80, "DESKTOP_WRITEOBJECTS", "WriteObjects"}, {0x100, "DESKTOP_SWITCHDESKTOP", "SwitchDesktop"},
	},
	"Job": {
		{1, "JOB_OBJECT_ASSIGN_PROCESS", ""}, {2, "JOB_OBJECT_SET_ATTRIBUTES", ""}, {4, "JOB_OBJECT_QUERY", ""},
		{8, "JOB_OBJECT_TERMINATE", ""}, {0x10, "JOB_OBJECT_SET_SECURITY_ATTRIBUTES", ""}, {0x20, "JOB_OBJECT_IMPERSONATE", ""},
	},
	"KeyedEvent": {{1, "KEYEDEVENT_WAIT", ""}, {2, "KEYEDEVENT_WAKE", ""}},
	"Profile":    {{1, "PROFILE_CONTROL", ""}},
	"TpWorkerFactory": {
		{1, "WORKER_FACTORY_RELEASE_WORKER", "Release"}, {2, "WORKER_FACTORY_WAIT", "Wait"},
		{4, "WORKER_FACTORY_SET_INFORMATION", "SetInfo"}, {8, "WORKER_FACTORY_QUERY_INFORMATION", "Query"},
		{0x10, "WORKER_FACTORY_READY_WORKER", "WorkerReady"}, {0x20, "WORKER_FACTORY_SHUTDOWN", "Shutdown"},
		{0x40, "", "Post"}, {0x80, "", "Bind"},
	},
	"WaitCompletionPacket": {{1, "WAIT_COMPLETION_PACKET_SET_STATE", ""}},
	"DebugObject": {
		{1, "DEBUG_READ_EVENT", ""}, {2, "DEBUG_PROCESS_ASSIGN", ""},
		{4, "DEBUG_SET_INFORMATION", ""}, {8, "DEBUG_QUERY_INFORMATION", ""},
	},
	"EtwRegistration": etwRights,
	"EtwConsumer":     etwRights,
	"Partition":       {{1, "MEMORY_PARTITION_QUERY_ACCESS", ""}, {2, "MEMORY_PARTITION_MODIFY_ACCESS", ""}},
	"Session":         {{1, "SESSION_QUERY_ACCESS", ""}, {2, "SESSION_MODIFY_ACCESS", ""}},
	"Type":            {{1, "OBJECT_TYPE_CREATE", ""}},
}

var etwRights = []right{
	{1, "WMIGUID_QUERY", ""}, {2, "WMIGUID_SET", ""}, {4, "WMIGUID_NOTIFICATION", ""},
	{8, "WMIGUID_READ_DESCRIPTION", ""}, {0x10, "WMIGUID_EXECUTE", ""}, {0x20, "TRACELOG_CREATE_REALTIME", ""},
	{0x40, "TRACELOG_CREATE_ONDISK", ""}, {0x80, "TRACELOG_GUID_ENABLE", ""}, {0x100, "TRACELOG_ACCESS_KERNEL_LOGGER", ""},
	{0x200, "TRACELOG_LOG_EVENT", ""}, {0x400, "TRACELOG_ACCESS_REALTIME", ""}, {0x800, "TRACELOG_REGISTER_GUIDS", ""},
	{0x1000, "TRACELOG_JOIN_GROUP", ""},
}
