// Package store finds symbol and image files by name and identity where a
// symbol path says: in folders, in symbol stores, and on symbol servers.
//
// It imports cab, for compressed files, openfile and ctxlock. It does not import the
// network: who wants servers asked brings a Fetcher.
//
// A symbol path is what _NT_SYMBOL_PATH holds: elements separated by
// semicolons, of which [ParsePath] understands
//
//	DIR                    a folder: the file itself in it, or a store
//	srv*CACHE*URL          a server, whose files are kept in the store CACHE
//	srv*URL                the same with the default cache
//	srv*DIR                a store
//	symsrv*symsrv.dll*...  the same as srv*...
//	cache*DIR              a store that keeps what the elements behind it give
//	URL                    the same as srv*URL
//
// A store keeps a file as NAME/KEY/NAME, or as NA/NAME/KEY/NAME if it has an
// index2.txt. In place of the file may be a compressed one, NAME with an
// underscore for its last letter, or a file.ptr that says where it is. A folder
// that is no store may hold the compressed one, too. On
// file systems that distinguish case, names in folders are found in any case.
//
// Names come from dumps, which are not to be trusted: a name that is more than
// the name of a file is refused, so nothing is read or written outside the
// folders of the path. A file of another identity than asked for is refused by the
// caller's check before it reaches a cache. Downloads are written to a temporary
// file and renamed when they are complete and checked; such files that a killed run
// left behind a day ago are removed. Only regular files are opened. What failed is not tried
// again by the same [Store].
package store
