// # JSON of streams
//
// "dumpscan.streams/1", a [StreamsReport]:
//
//	dump             see DumpHeader
//	version          of the header; the high half belongs to the writer
//	numberOfStreams  as the header declares them
//	flags            {value, names}: what the writer was asked to save, as in info
//	streams          in the order of the directory, unused entries too:
//	  index          from 0
//	  type, name     19 and "TokenStream"; without a name "StreamType(0xfff0)"
//	  size           bytes
//	  offset         in the file
//	  ignored        true if another stream of the type is read instead; absent
//	                 for all others
//	  recovered      true if the directory is damaged and the stream was found by
//	                 its shape; absent for all others
//	  what, count    a record of a list, "thread", and how many of them are in the
//	                 file; absent for a stream that is no list
//	  fields         [{name, value}]: facts about the stream, with the
//	                 specification's names and for people: a value is a number with
//	                 its unit, or text of the dump. Other answers have the same for
//	                 programs
//	  error          why not all of it could be read; absent if it could
//	notes            [sentence]
//	errors           [sentence]
//
// # JSON of token
//
// "dumpscan.token/1", a [TokenReport]:
//
//	dump     see DumpHeader
//	tokens   in the order of the file:
//	  owner         "process", "thread", or "" if the dump does not say whose id it
//	                is
//	  processId, threadId
//	                of the owner; absent if it is none of these
//	  tokenId       the same number, as the dump has it
//	  handle        of the token, in the process that wrote the dump
//	  type          "TokenPrimary" or "TokenImpersonation"
//	  user          {sid, name, attributes, set}; absent if it cannot be read. sid
//	                is "S-1-5-18"; name is that of a SID that means the same on
//	                every machine, `NT AUTHORITY\SYSTEM`, else ""; set are the names
//	                of the attributes, SE_GROUP_*
//	  groups        the same for each group
//	  primaryGroup  likewise
//	  privileges    [{luid, name, enabled, attributes, set}]; name is
//	                "SeDebugPrivilege", or "" if it has none; set are the names of
//	                the attributes, SE_PRIVILEGE_*
//	  statistics    {tokenLuid, authenticationLuid, modifiedLuid, expires, type,
//	                impersonationLevel, dynamicCharged, dynamicAvailable,
//	                groupCount, privilegeCount}, as TOKEN_STATISTICS has them;
//	                authenticationLuid is the logon session, expires absent if
//	                never; absent if the dump does not have them
//	  integrity     "Medium Mandatory Level"; absent if no group says it
//	  seventh       the seventh part of the token in hexadecimal, which nobody has
//	                described; absent without
//	notes    [sentence]
//	errors   [sentence]
package render
