package owners

import "github.com/dumpscan/dumpscan/minidump"

// Kind says what an owner is, and so what shows it. In this order handles are
// claimed: those of a surer kind are not looked for again.
type Kind string

// The kinds of owners.
const (
	KindObject Kind = "object" // objects with a pointer that is the same in all of them
	KindGlobal Kind = "global" // an array in the variables of a module
	KindRecord Kind = "record" // objects with a number or text that is the same in all of them
	KindArray  Kind = "array"  // an array in the heap
)

// An Owner is a place in memory where many handles of one set are kept.
//
// Objects and records have a word that is the same in all of them, and the
// handle always at the same distance from it. The word of an object is an
// address; if it is that of a vtable, it begins a C++ object. The word of a
// record has 4 bytes and is any number, or text. Arrays and globals hold the
// handles in cells that follow one another.
type Owner struct {
	Kind  Kind
	Type  string
	Label string // from Options.Group

	// Address is the value of an object's word, and the place of the first
	// cell of an array or a global; 0 for a record.
	Address      minidump.VA
	Module       string // the module Address points into; "" for other memory
	ModuleOffset uint64 // from the base of Module, bytes
	Target       Target // what an object's word points to; "" for other kinds
	Class        string // from RTTI, the symbol of a vtable, or the metadata of .NET; "" without
	ClassModule  string // the file of a class of the CLR, by its metadata: "orders.dll"; "" for other classes
	Symbol       string // what symbols call the place, "MyCustomDll!Settings::`vftable'"; "" without
	Constant     uint32 // the word of a record; 0 for other kinds
	Text         string // the word of a record as text; "" if it is none

	// FieldOffset is where an object or a record holds the handle, in bytes
	// from its start; WordOffset is where its word stands. Where nothing shows
	// the start it is taken to be the word: WordOffset is 0, and FieldOffset
	// negative if the word of a record stands behind the handle.
	FieldOffset int
	WordOffset  int
	Start       bool // pointers show the start

	Width  int // bytes of a handle: 8, or 4 for half a word or a 32-bit process
	Stride int // bytes from a cell of an array or global to the next; 0 for other kinds
	Arrays int // how many such arrays there are, the first at Address; 0 for other kinds

	Handles int // distinct handles of the set that were found there
	Of      int // handles in the set
	Objects int // places that hold a handle of the set; more than Handles if two hold the same

	// Earlier is how many handles of the set it held in an earlier dump; nil if
	// none was compared. See [Report.Compare].
	Earlier *int

	// Instances counts all words that have the object's or record's value,
	// whatever is in the field, or all cells; Empty are those whose field is 0
	// or -1 (INVALID_HANDLE_VALUE).
	Instances int
	Empty     int

	// Referrers are the places whose pointers lead to the owner: by descending
	// count, at most eight; to objects of the CLR, those of a class come first.
	Referrers []Referrer

	// Chain goes on from the objects of the CLR that most referrers of a class of
	// .NET are: the first step leads to these, each other one to the objects of
	// the step before. It ends with the first class that is not .NET's own.
	Chain []Referrer
	// Keeper is that class, and KeeperModule its file: what keeps the objects, if
	// their own class is one of .NET; "" if it is not known.
	Keeper       string
	KeeperModule string

	// ExpectedByChance is an estimate of Handles for a field that holds no
	// handles, but numbers of that size: from how many of the numbers that are
	// no handles of the set were found in the field.
	ExpectedByChance float64
	// Confidence is 1 less a bound of the number of constellations in the
	// whole scan, holding anything but handles, that would look like this:
	// 0.99 or more, rounded down to six digits.
	Confidence float64

	Examples []Example // those at the lowest addresses
}

// An Example is one place that holds a handle.
type Example struct {
	Object minidump.VA // the start of the object if it is known, else its word; the cell of an array or global
	Handle uint64
}

// Target says what the word before a handle points to.
type Target string

// What a word can point to.
const (
	TargetVtable Target = "vtable" // constant data of a module that begins with the address of code
	TargetData   Target = "data"   // other data of a module
	TargetCode   Target = "code"   // code of a module: a function pointer or return address
	TargetModule Target = "module" // a module of which the dump holds no more
	TargetClass  Target = "class"  // a class of the CLR, wherever that is: the MethodTable of managed objects
	TargetMemory Target = "memory" // memory outside all modules: another object, or a class of the CLR that cannot be read
)

// A Referrer is a place with pointers to the start of an owner's objects, or to
// the first cell of an array.
type Referrer struct {
	Kind ReferrerKind
	// Address is the lowest place of a pointer; Module and ModuleOffset say
	// where that is, for a global.
	Address      minidump.VA
	Module       string
	ModuleOffset uint64
	Symbol       string // of a global; "" without
	Class        string // of objects of the CLR, and of arrays of these; "" without
	ClassModule  string // the file of the class, or of that of the elements
	Offset       int    // of a link or an object: from its start to the pointer, bytes
	Stride       int    // of a global or an array: bytes between the pointers; 0 without order
	Objects      int    // of those that were followed, so many are led to
	Of           int    // objects that were followed
}

// ReferrerKind says what the pointers belong to.
type ReferrerKind string

// What pointers to an owner can belong to.
const (
	ReferrerGlobal ReferrerKind = "global" // variables of a module
	ReferrerLink   ReferrerKind = "link"   // the objects themselves: a list or tree
	ReferrerArray  ReferrerKind = "array"  // an array of pointers in the heap
	ReferrerObject ReferrerKind = "object" // objects of a class of the CLR
	ReferrerMemory ReferrerKind = "memory" // other objects
)
