package minidump

import "fmt"

// A LUID is a number that is unique on a machine until it is started again
// (LUID of winnt.h). Those of privileges are the same on all machines.
type LUID uint64

// PrivilegeName returns the name of the privilege that the number stands for,
// for example "SeDebugPrivilege", or "" if it has none (SE_*_PRIVILEGE of wdm.h
// and SE_*_NAME of winnt.h).
func (l LUID) PrivilegeName() string {
	if l < firstPrivilege || l-firstPrivilege >= LUID(len(privilegeNames)) {
		return ""
	}
	return privilegeNames[l-firstPrivilege]
}

// String returns the number in hexadecimal, as tools for tokens write it:
// "0x0:0x3e7", the high half first.
func (l LUID) String() string { return fmt.Sprintf("%#x:%#x", uint64(l)>>32, uint32(l)) }

const firstPrivilege = 2

var privilegeNames = [...]string{
	"SeCreateTokenPrivilege", "SeAssignPrimaryTokenPrivilege", "SeLockMemoryPrivilege", "SeIncreaseQuotaPrivilege",
	"SeMachineAccountPrivilege", "SeTcbPrivilege", "SeSecurityPrivilege", "SeTakeOwnershipPrivilege",
	"SeLoadDriverPrivilege", "SeSystemProfilePrivilege", "SeSystemtimePrivilege", "SeProfileSingleProcessPrivilege",
	"SeIncreaseBasePriorityPrivilege", "SeCreatePagefilePrivilege", "SeCreatePermanentPrivilege", "SeBackupPrivilege",
	"SeRestorePrivilege", "SeShutdownPrivilege", "SeDebugPrivilege", "SeAuditPrivilege",
	"SeSystemEnvironmentPrivilege", "SeChangeNotifyPrivilege", "SeRemoteShutdownPrivilege", "SeUndockPrivilege",
	"SeSyncAgentPrivilege", "SeEnableDelegationPrivilege", "SeManageVolumePrivilege", "SeImpersonatePrivilege",
	"SeCreateGlobalPrivilege", "SeTrustedCredManAccessPrivilege", "SeRelabelPrivilege", "SeIncreaseWorkingSetPrivilege",
	"SeTimeZonePrivilege", "SeCreateSymbolicLinkPrivilege", "SeDelegateSessionUserImpersonatePrivilege",
}

// PrivilegeAttributes say whether a token may use a privilege now
// (SE_PRIVILEGE_* of winnt.h).
type PrivilegeAttributes uint32

// The attributes of a privilege.
const (
	PrivilegeEnabledByDefault PrivilegeAttributes = 0x1
	PrivilegeEnabled          PrivilegeAttributes = 0x2
	PrivilegeRemoved          PrivilegeAttributes = 0x4
	PrivilegeUsedForAccess    PrivilegeAttributes = 0x80000000
)

var privilegeAttributeNames = [...]string{
	"SE_PRIVILEGE_ENABLED_BY_DEFAULT", "SE_PRIVILEGE_ENABLED", "SE_PRIVILEGE_REMOVED", 31: "SE_PRIVILEGE_USED_FOR_ACCESS",
}

// String returns the names in winnt.h, joined by "|". Bits without a name come
// last, as one hexadecimal number; none is "0".
func (a PrivilegeAttributes) String() string { return bitString(uint64(a), privilegeAttributeNames[:]) }

// GroupAttributes say what a group of a token is good for (SE_GROUP_* of
// winnt.h).
type GroupAttributes uint32

// The attributes of a group.
const (
	GroupMandatory        GroupAttributes = 0x1
	GroupEnabledByDefault GroupAttributes = 0x2
	GroupEnabled          GroupAttributes = 0x4
	GroupOwner            GroupAttributes = 0x8
	GroupUseForDenyOnly   GroupAttributes = 0x10
	GroupIntegrity        GroupAttributes = 0x20 // the integrity level of the token
	GroupIntegrityEnabled GroupAttributes = 0x40
	GroupResource         GroupAttributes = 0x20000000
	GroupLogonID          GroupAttributes = 0xc0000000 // both bits
)

var groupAttributeNames = [...]string{
	"SE_GROUP_MANDATORY", "SE_GROUP_ENABLED_BY_DEFAULT", "SE_GROUP_ENABLED", "SE_GROUP_OWNER",
	"SE_GROUP_USE_FOR_DENY_ONLY", "SE_GROUP_INTEGRITY", "SE_GROUP_INTEGRITY_ENABLED", 29: "SE_GROUP_RESOURCE",
}

// String returns the names in winnt.h, joined by "|". Bits without a name come
// last, as one hexadecimal number; none is "0".
func (a GroupAttributes) String() string {
	if a&GroupLogonID != GroupLogonID {
		return bitString(uint64(a), groupAttributeNames[:])
	}
	const logon = "SE_GROUP_LOGON_ID"
	if a == GroupLogonID {
		return logon
	}
	return bitString(uint64(a&^GroupLogonID), groupAttributeNames[:]) + "|" + logon
}
