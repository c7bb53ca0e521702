// Package peimage reads what names addresses from a PE image: the headers that
// identify it, its sections and its export table. The image is a file, or the
// memory of a process that has it loaded, as a full-memory dump keeps it.
//
// It imports internal/bounded only.
//
// Addresses are relative virtual addresses (RVA): bytes from the start of the
// loaded image.
//
// An image is taken to be hostile. Every declared offset and count is checked
// against the bytes that can be read; tables are read piece by piece, so that
// a count alone allocates nothing. The 16-bit ordinals of the format bound an
// export table to 65,536 functions. Errors are *bounded.Error and carry the
// RVA or file offset.
//
// The layout is that of Microsoft's "PE Format"
// (https://learn.microsoft.com/windows/win32/debug/pe-format).
package peimage
