// Package cab unpacks the cabinets in which symbol stores keep compressed files
// (name.pd_, name.dl_, name.ex_): one file, stored or compressed with MSZIP.
//
// LZX and Quantum are refused with [ErrCompression]: no maintained Go library
// reads the LZX of cabinets, and symbol servers offer the plain file or MSZIP.
// Cabinets that are split over several files are refused too.
//
// It imports internal/bounded only.
//
// A cabinet is taken to be hostile: nothing is allocated because of a declared
// size, and the time taken is bounded by the bytes that are there, each block of
// which gives at most 32 KiB.
//
// The layout is that of Microsoft's "Cabinet Format" and "MSZIP Compression and
// Decompression Data Structure" ([MS-MCI],
// https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-mci).
package cab
