package analysis

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWinDbgAccess compares with output of WinDbg that has been published. It
// is the same with and without the constants of the headers, where nothing else
// is said.
func TestWinDbgAccess(t *testing.T) {
	const all = "Delete,ReadControl,WriteDac,WriteOwner,Synch"
	for _, tt := range []struct {
		typ      string
		mask     uint32
		standard string
		specific string
	}{
		{"Event", 0x1f0003, all, "QueryState,ModifyState"},
		{"Event", 0x100003, "Synch", "QueryState,ModifyState"},
		{"Event", 0x120001, "ReadControl,Synch", "QueryState"},
		{"Event", 0x100000, "Synch", "None"},
		{"Mutant", 0x1f0001, all, "QueryState"},
		{"Semaphore", 0x1f0003, all, "QueryState,ModifyState"},
		{"Section", 0xf001f, "Delete,ReadControl,WriteDac,WriteOwner", "Query,MapWrite,MapRead,MapExecute,Extend"},
		{"Section", 0xe, "None", "MapWrite,MapRead,MapExecute"},
		{"File", 0x120196, "ReadControl,Synch", "Write/Add,Append/SubDir/CreatePipe,WriteEA,ReadAttr,WriteAttr"},
		{"File", 0x16019f, "ReadControl,WriteDac,Synch", "Read/List,Write/Add,Append/SubDir/CreatePipe,ReadEA,WriteEA,ReadAttr,WriteAttr"},
		{"File", 0x120089, "ReadControl,Synch", "Read/List,ReadEA,ReadAttr"},
		{"File", 0x100020, "Synch", "Execute/Traverse"},
		{"Key", 0xf003f, "Delete,ReadControl,WriteDac,WriteOwner", "QueryValue,SetValue,CreateSubKey,EnumSubKey,Notify,CreateLink"},
		{"Key", 0x20019, "ReadControl", "QueryValue,EnumSubKey,Notify"},
		{"Key", 0x1, "None", "QueryValue"},
		{"Key", 0x2, "None", "SetValue"},
		// The bit without a name leaves its comma, those above are dropped.
		{"Process", 0x1fffff, all, "Terminate,CreateThread,,VMOp,VMRead,VMWrite,DupHandle,CreateProcess,SetQuota,SetInfo,QueryInfo,SetPort"},
		{"Thread", 0x1fffff, all, "Terminate,Suspend,Alert,GetContext,SetContext,SetInfo,QueryInfo,SetToken,Impersonate,DirectImpersonate"},
		{"IoCompletion", 0x1f0003, all, "Query,Modify"},
		{"Timer", 0x100002, "Synch", "ModifyState"},
		{"Timer", 0x100003, "Synch", "QueryState,ModifyState"},
		{"Directory", 0x3, "None", "Query,Traverse"},
		{"Directory", 0xf, "None", "Query,Traverse,Create,CreateSubdir"},
		{"WindowStation", 0xf037f, "Delete,ReadControl,WriteDac,WriteOwner", "EnumDesktops,ReadAttr,Clipboard,CreateDesktop,WriteAttr,GlobalAtom,ExitWindows,Enumerate,ReadScreen"},
		{"Desktop", 0xf01ff, "Delete,ReadControl,WriteDac,WriteOwner", "ReadObjects,CreateWindow,CreateMenu,HookControl,JournalRecord,JournalPlayback,Enumerate,WriteObjects,SwitchDesktop"},
		{"TpWorkerFactory", 0xf00ff, "Delete,ReadControl,WriteDac,WriteOwner", "Release,Wait,SetInfo,Query,WorkerReady,Shutdown,Post,Bind"},
		{"ALPC Port", 0x1f0000, all, "None"},
		{"Section", 0x6, "None", "MapWrite,MapRead"},
		{"Section", 0xf0007, "Delete,ReadControl,WriteDac,WriteOwner", "Query,MapWrite,MapRead"},
		{"Key", 0x2001f, "ReadControl", "QueryValue,SetValue,CreateSubKey,EnumSubKey,Notify"},
		{"File", 0x100003, "Synch", "Read/List,Write/Add"},
		// It has a table, but its words have not been seen.
		{"Token", 0xf01ff, "Delete,ReadControl,WriteDac,WriteOwner", "TOKEN_ASSIGN_PRIMARY,TOKEN_DUPLICATE,TOKEN_IMPERSONATE,TOKEN_QUERY,TOKEN_QUERY_SOURCE,TOKEN_ADJUST_PRIVILEGES,TOKEN_ADJUST_GROUPS,TOKEN_ADJUST_DEFAULT,TOKEN_ADJUST_SESSIONID"},
		// It has no table.
		{"Gadget", 0x3, "None", ""},
		{"", 0, "None", ""},
		{"", 0x804, "None", ""},
	} {
		for _, constants := range []bool{false, true} {
			standard, specific := WinDbgAccess(tt.typ, tt.mask, constants)
			if standard != tt.standard || specific != tt.specific {
				t.Errorf("%s %#x:\n got %s\n     %s\nwant %s\n     %s", tt.typ, tt.mask, standard, specific, tt.standard, tt.specific)
			}
		}
	}
	for _, tt := range []struct {
		typ       string
		mask      uint32
		constants string
	}{
		{"IRTimer", 0x100002, "TIMER_MODIFY_STATE"},
		{"WaitCompletionPacket", 1, "WAIT_COMPLETION_PACKET_SET_STATE"},
		{"EtwRegistration", 0x804, "WMIGUID_NOTIFICATION,TRACELOG_REGISTER_GUIDS"},
	} {
		if _, specific := WinDbgAccess(tt.typ, tt.mask, false); specific != "" {
			t.Errorf("%s: WinDbg has no table, but prints %s", tt.typ, specific)
		}
		if _, specific := WinDbgAccess(tt.typ, tt.mask, true); specific != tt.constants {
			t.Errorf("%s: %s, want %s", tt.typ, specific, tt.constants)
		}
	}
}

func TestAccessNames(t *testing.T) {
	for _, tt := range []struct {
		typ  string
		mask uint32
		want []string
	}{
		{"Key", 0x20019, []string{"ReadControl", "QueryValue", "EnumSubKey", "Notify"}},
		{"Process", 0x1004, []string{"PROCESS_SET_SESSIONID", "PROCESS_QUERY_LIMITED_INFORMATION"}},
		{"Event", 0x80000010, []string{"GENERIC_READ", "0x10"}},
		{"Gadget", 0x10001, []string{"Delete", "0x1"}},
		{"EtwRegistration", 0x804, []string{"WMIGUID_NOTIFICATION", "TRACELOG_REGISTER_GUIDS"}},
		{"TpWorkerFactory", 0x41, []string{"Release", "Post"}},
		{"Key", 0, []string{}},
	} {
		if diff := cmp.Diff(tt.want, DecodeAccess(tt.typ, tt.mask).Names()); diff != "" {
			t.Errorf("%s %#x (-want +got):\n%s", tt.typ, tt.mask, diff)
		}
	}
}

// TestAccessTables checks what the code takes for granted of the tables.
func TestAccessTables(t *testing.T) {
	for typ, rights := range specificRights {
		for i, r := range rights {
			if r.bit == 0 || r.bit&(r.bit-1) != 0 || r.bit > 0xffff {
				t.Errorf("%s: %s is not one specific bit: %#x", typ, r.constant, r.bit)
			}
			if i > 0 && r.bit <= rights[i-1].bit {
				t.Errorf("%s: %s is out of order", typ, r.constant)
			}
		}
	}
	for _, typ := range windbgTypes[1:] {
		if _, ok := specificRights[typ]; !ok {
			t.Errorf("no rights for %s", typ)
		}
	}
	// What stands for several rights is made of those that the type has.
	valid := func(typ string, mask uint32) bool {
		for _, r := range slices.Concat(standardRights[:], specificRights[typ]) {
			mask &^= r.bit
		}
		return mask == 0 || typ == "Process" || typ == "Thread" // all bits, also those without a name
	}
	for _, c := range compositeRights {
		if !valid(c.typeName, c.mask) {
			t.Errorf("%s: %#x has bits that no right has", c.constant, c.mask)
		}
	}
	for typ, m := range genericMappings {
		if !valid(typ, m.read|m.write|m.execute) || m.read&^m.all != 0 || m.write&^m.all&^0x10000 != 0 {
			t.Errorf("%s: %+v has bits that no right has", typ, m)
		}
	}
}
