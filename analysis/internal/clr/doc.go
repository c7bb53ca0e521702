// Package clr names the classes of managed objects in the memory of a process: a
// managed object begins with the address of its MethodTable, the runtime's own
// description of the class.
//
// The runtime's structures differ from version to version, and nothing in a dump
// says how they lie. So what is read is believed only if all of it fits: the
// MethodTable leads to a Module, the Module to the metadata of an assembly that
// is in memory, and the row of the class in that metadata says what the class is
// derived from; the parent of the MethodTable must be a class of that name, and
// so on up to System.Object of the core library. A wrong guess about a layout
// gives no name instead of a wrong one.
//
// The layouts are those of methodtable.h, ceeload.h and class.h of
// https://github.com/dotnet/runtime and https://github.com/dotnet/coreclr (MIT),
// and of docs/design/datacontracts in the former. Checked against real processes
// of Windows programs (under Wine) are .NET Core 2.1.8 with 32 bits, 2.1.30, 2.2.2
// and 3.1.23 with 64, and .NET 10.0.9 in a single file with 64. By documentation
// alone, and unchecked, are .NET 5 to 9, .NET Framework 4 and the 32-bit forms of
// all but 2.1.
package clr
