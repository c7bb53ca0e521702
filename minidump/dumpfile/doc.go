// Package dumpfile opens minidumps in the wrappings in which people hand them
// on: as they are, compressed with gzip or zstd, alone or among other files in
// a zip archive, and piped into standard input.
//
//	f, err := dumpfile.Open(ctx, "w3wp.dmp.gz", dumpfile.Options{})
//	if err != nil {
//		return err
//	}
//	defer f.Close()
//	dump, err := f.Dump()
//
// What a file is decides its content, not its name: a zip archive may be called
// anything. Wrappings are taken off until something else appears, so a gzip file
// within a zip archive opens too.
//
// # Names
//
// "-" is standard input. "FILE.zip:NAME" is the file NAME of an archive, to
// choose where it holds several dumps; NAME may leave folders out as long as
// one file fits. A file whose own name has a colon comes first, and the colon of
// a Windows drive is none: C:\dumps\w3wp.zip:w3wp.dmp.
//
// # Spooling
//
// A dump is read here and there, which a compressed stream does not allow. What
// is compressed, and what comes from a pipe, is therefore unpacked once into a
// temporary file, never into memory. The file is deleted at once where the
// system lets an open file be deleted, otherwise by [File.Close], so that on
// Unix nothing stays behind whatever happens to the process. Cancelling the
// context ends the unpacking and removes the file. An uncompressed file, and
// standard input that is redirected from one, is read in place.
//
// # Damaged input
//
// Half a download is still half a dump. When the input breaks after something
// has been unpacked, Open returns what there is and [File.Truncated] says why it
// ends. The bytes that are there are right, except where the error is a failed
// checksum at the very end. What follows a gzip file that is whole is ignored, and
// is such an error unless it is zeros.
//
// The unpacked size is limited by the space on the disk, and by a [Limit] if there
// is one. When either is used up, what was unpacked before is kept like half a
// download. The memory that a zstd stream may demand
// is limited by its size: see [Open].
package dumpfile
