// Package clrmeta reads the names of classes from the metadata of .NET
// assemblies: the tables that ECMA-335, 6th edition, describes in partition II,
// chapters 22 to 24 (https://ecma-international.org/publications-and-standards/standards/ecma-335/).
//
// It reads only what it is asked for, so that an image of many megabytes in a
// dump costs a few reads, and whatever the bytes say it neither panics nor loops
// nor makes room for what is not there.
package clrmeta
