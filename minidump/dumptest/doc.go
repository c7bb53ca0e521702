// Package dumptest builds synthetic minidumps from struct literals, for tests.
//
//	dump := dumptest.Dump{
//		HandleData: &dumptest.HandleData{Handles: []dumptest.Handle{
//			{Value: 0x7e0, Type: "Key", Name: `\REGISTRY\MACHINE\SOFTWARE\Classes`, GrantedAccess: 0x20019},
//			{Value: 0x7e4, Type: "Event", GrantedAccess: 0x1f0003, Info: []dumptest.ObjectInformation{dumptest.EventInformation{}}},
//		}},
//	}
//	data := dump.Bytes()
//
// The package is a second transcription of the file format, independent of the
// parser: it never imports package minidump, so that one misreading of the
// format does not cancel out on both sides. Sources of the layouts are the
// public headers minidumpapiset.h and winnt.h, those of Breakpad and Crashpad,
// and, where these are silent (object information, tokens), what real dumps show.
//
// # Right by default
//
// A zero field takes the value a Windows writer would have written: sizes,
// counts, RVAs, signatures, versions and flags are computed. A stream is
// present when its field in [Dump] is not nil; a list that is present but empty
// is an empty slice that is not nil. SystemInfo alone is written without being
// asked for, because no reader can do without it.
//
// # Wrong on request
//
// [Dump.Patches] overwrites bytes after everything has been laid out. A patch
// is placed by a named anchor, so a test does not compute offsets:
//
//	Patches: []dumptest.Patch{
//		dumptest.DeclareCount(dumptest.HandleDataStream, 0xffffffff),
//		dumptest.PointTo("HandleData[1]", 32, "HandleData[0].ObjectInfo[0]"),
//	}
//
// [Dump.Layout] lists the anchors of a dump. [Dump.TruncateAt] cuts the file,
// [Dump.Directory] adds entries that no writer would.
//
// # Large dumps
//
// [Dump.WriteTo] writes in one pass without holding the file. Handles and handle
// operations may come from an iterator ([HandleData.Each]), so ten million
// handles need no memory. [Dump.Reader] answers reads of a dump with gigabytes
// of zeros in its memory, and counts the bytes that were asked for.
package dumptest
