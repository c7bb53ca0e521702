package analysis

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWinDbgAccess compares with output of WinDbg that has been published.
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
		// No output is known for these: constants of the headers, or nothing.
		{"Token", 0xf01ff, "Delete,ReadControl,WriteDac,WriteOwner", "TOKEN_ASSIGN_PRIMARY,TOKEN_DUPLICATE,TOKEN_IMPERSONATE,TOKEN_QUERY,TOKEN_QUERY_SOURCE,TOKEN_ADJUST_PRIVILEGES,TOKEN_ADJUST_GROUPS,TOKEN_ADJUST_DEFAULT,TOKEN_ADJUST_SESSIONID"},
		{"Gadget", 0x3, "None", "None"},
		{"", 0, "None", "None"},
	} {
		standard, specific := WinDbgAccess(tt.typ, tt.mask)
		if standard != tt.standard || specific != tt.specific {
			t.Errorf("%s %#x:\n got %s\n     %s\nwant %s\n     %s", tt.typ, tt.mask, standard, specific, tt.standard, tt.specific)
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
}

func TestParseAccess(t *testing.T) {
	for _, tt := range []struct {
		typ, text string
		match     []uint32
		not       []uint32
	}{
		{"", "20019", []uint32{0x20019, 0xf003f}, []uint32{0x20018}},
		{"", "=0x20019", []uint32{0x20019}, []uint32{0xf003f, 0x20018}},
		{"Key", "setvalue", []uint32{0x2, 0xf003f}, []uint32{0x20019}},
		{"", "KEY_SET_VALUE,Delete", []uint32{0x10002}, []uint32{0x2, 0x10000}},
		{"Key", "=QueryValue", []uint32{1}, []uint32{3}},
	} {
		p, err := ParseAccess(tt.typ, tt.text)
		if err != nil {
			t.Errorf("%s %s: %v", tt.typ, tt.text, err)
			continue
		}
		for _, mask := range tt.match {
			if !p.Match(mask) {
				t.Errorf("%s %s does not match %#x", tt.typ, tt.text, mask)
			}
		}
		if i := slices.IndexFunc(tt.not, p.Match); i >= 0 {
			t.Errorf("%s %s matches %#x", tt.typ, tt.text, tt.not[i])
		}
	}
	for _, text := range []string{"", "=", "NoSuchRight", "QueryInfo", "1ffffffff"} {
		if _, err := ParseAccess("", text); err == nil {
			t.Errorf("%q is accepted without a type", text)
		}
	}
}
