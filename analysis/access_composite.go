package analysis

// A compositeRight is a constant of the headers that stands for several rights
// of one type.
type compositeRight struct {
	typeName string
	constant string
	mask     uint32
}

// compositeRights have the values of winnt.h and winuser.h of the Windows 10
// SDK, and of the native headers for the types that only these describe.
// Before Windows Vista PROCESS_ALL_ACCESS was 0x1f0fff and THREAD_ALL_ACCESS
// 0x1f03ff; before Windows 8 JOB_OBJECT_ALL_ACCESS was 0x1f001f.
var compositeRights = [...]compositeRight{
	{"ALPC Port", "PORT_ALL_ACCESS", 0x1f0001},
	{"DebugObject", "DEBUG_ALL_ACCESS", 0x1f000f},
	{"Directory", "DIRECTORY_ALL_ACCESS", 0xf000f},
	{"Event", "EVENT_ALL_ACCESS", 0x1f0003},
	{"File", "FILE_ALL_ACCESS", 0x1f01ff},
	{"File", "FILE_GENERIC_READ", 0x120089},
	{"File", "FILE_GENERIC_WRITE", 0x120116},
	{"File", "FILE_GENERIC_EXECUTE", 0x1200a0},
	{"IoCompletion", "IO_COMPLETION_ALL_ACCESS", 0x1f0003},
	{"Job", "JOB_OBJECT_ALL_ACCESS", 0x1f003f},
	{"Key", "KEY_ALL_ACCESS", 0xf003f},
	{"Key", "KEY_READ", 0x20019},
	{"Key", "KEY_WRITE", 0x20006},
	{"Key", "KEY_EXECUTE", 0x20019},
	{"KeyedEvent", "KEYEDEVENT_ALL_ACCESS", 0xf0003},
	{"Mutant", "MUTANT_ALL_ACCESS", 0x1f0001},
	{"Mutant", "MUTEX_ALL_ACCESS", 0x1f0001},
	{"Mutant", "MUTEX_MODIFY_STATE", 1},
	{"Port", "PORT_ALL_ACCESS", 0x1f0001},
	{"Process", "PROCESS_ALL_ACCESS", 0x1fffff},
	{"Section", "SECTION_ALL_ACCESS", 0xf001f},
	{"Section", "FILE_MAP_ALL_ACCESS", 0xf001f},
	{"Section", "FILE_MAP_READ", 4},
	{"Section", "FILE_MAP_WRITE", 2},
	{"Semaphore", "SEMAPHORE_ALL_ACCESS", 0x1f0003},
	{"SymbolicLink", "SYMBOLIC_LINK_ALL_ACCESS", 0xf0001},
	{"Thread", "THREAD_ALL_ACCESS", 0x1fffff},
	{"Timer", "TIMER_ALL_ACCESS", 0x1f0003},
	{"Token", "TOKEN_ALL_ACCESS", 0xf01ff},
	{"Token", "TOKEN_READ", 0x20008},
	{"Token", "TOKEN_WRITE", 0x200e0},
	{"Token", "TOKEN_EXECUTE", 0x20000},
	{"WindowStation", "WINSTA_ALL_ACCESS", 0x37f},
	{"TpWorkerFactory", "WORKER_FACTORY_ALL_ACCESS", 0xf003f},
}

// A genericMapping is what the generic rights become when a handle to an
// object of a type is opened (GENERIC_MAPPING).
type genericMapping struct{ read, write, execute, all uint32 }

// genericMappings are those that Windows 10 reports of its types
// (OBJECT_TYPE_INFORMATION, as https://github.com/mtth-bfft/nt-object-types
// has listed them); those of files, window stations and desktops are
// documented too.
var genericMappings = map[string]genericMapping{
	"ALPC Port":            {0x20001, 0x10001, 0, 0x1f0001},
	"DebugObject":          {0x20001, 0x20002, 0x120000, 0x1f000f},
	"Desktop":              {0x20041, 0x200be, 0x20100, 0xf01ff},
	"Directory":            {0x20003, 0x2000c, 0x20003, 0xf000f},
	"EtwConsumer":          {0x2000d, 0x20062, 0x21e90, 0x21eff},
	"EtwRegistration":      {0x2000d, 0x20062, 0x21e90, 0x21eff},
	"Event":                {0x20001, 0x20002, 0x120000, 0x1f0003},
	"File":                 {0x120089, 0x120116, 0x1200a0, 0x1f01ff},
	"IoCompletion":         {0x20001, 0x20002, 0x120000, 0x1f0003},
	"IRTimer":              {0x20001, 0x20002, 0x120000, 0x1f0003},
	"Job":                  {0x20004, 0x2000b, 0x120000, 0x1f003f},
	"Key":                  {0x20019, 0x20006, 0x20039, 0xf003f},
	"KeyedEvent":           {0x20001, 0x20002, 0x20000, 0xf0003},
	"Mutant":               {0x20001, 0x20000, 0x120000, 0x1f0001},
	"Partition":            {0x20001, 0x20002, 0x120001, 0x1f0003},
	"Process":              {0x20410, 0x20bea, 0x121001, 0x1fffff},
	"Profile":              {0x20001, 0x20001, 0x20001, 0xf0001},
	"Section":              {0x20005, 0x20002, 0x20008, 0xf001f},
	"Semaphore":            {0x20001, 0x20002, 0x120000, 0x1f0003},
	"Session":              {0x20001, 0x20002, 0x120001, 0xf0003},
	"SymbolicLink":         {0x20001, 0x20000, 0x20001, 0xf0001},
	"Thread":               {0x20048, 0x20437, 0x121800, 0x1fffff},
	"Timer":                {0x20001, 0x20002, 0x120000, 0x1f0003},
	"Token":                {0x2001a, 0x201e0, 0x20005, 0xf01ff},
	"TpWorkerFactory":      {0x20008, 0x20004, 0x20003, 0xf00ff},
	"Type":                 {0x20000, 0x20000, 0x20000, 0xf0001},
	"WaitCompletionPacket": {0x20001, 0x20001, 0x20001, 0xf0001},
	"WindowStation":        {0x20303, 0x2001c, 0x20060, 0xf037f},
}
