package clrmeta

// A table of metadata, by its number in the bits of the header (II.22).
type table uint8

const (
	tableModule       table = 0x00
	tableTypeRef      table = 0x01
	tableTypeDef      table = 0x02
	tableField        table = 0x04
	tableMethodDef    table = 0x06
	tableParam        table = 0x08
	tableInterface    table = 0x09
	tableMemberRef    table = 0x0a
	tableDeclSecurity table = 0x0e
	tableStandAlone   table = 0x11
	tableEvent        table = 0x14
	tableProperty     table = 0x17
	tableModuleRef    table = 0x1a
	tableTypeSpec     table = 0x1b
	tableAssembly     table = 0x20
	tableAssemblyRef  table = 0x23
	tableFile         table = 0x26
	tableExportedType table = 0x27
	tableResource     table = 0x28
	tableNestedClass  table = 0x29
	tableGenericParam table = 0x2a
	tableMethodSpec   table = 0x2b
	tableConstraint   table = 0x2c

	tableCount = 0x2d // those with a number from here on have no rows anybody describes
	noTable    = table(0xff)
)

// A column is how one cell of a row is laid out: so many bytes, an index into a
// heap, or one into a table or several.
type column struct {
	bytes int     // of a number; 0 for an index
	heap  uint8   // bit of HeapSizes that makes an index into a heap wide; 0 for an index into tables
	tag   int     // bits of an index that say which table
	to    []table // the tables, by tag
}

const (
	heapStrings = 1
	heapGUID    = 2
	heapBlob    = 4
)

var (
	u16  = column{bytes: 2}
	u32  = column{bytes: 4}
	str  = column{heap: heapStrings}
	guid = column{heap: heapGUID}
	blob = column{heap: heapBlob}
)

func index(t table) column { return column{to: []table{t}} }

// The coded indexes of II.24.2.6.
var (
	typeDefOrRef       = column{tag: 2, to: []table{tableTypeDef, tableTypeRef, tableTypeSpec}}
	hasConstant        = column{tag: 2, to: []table{tableField, tableParam, tableProperty}}
	hasCustomAttribute = column{tag: 5, to: []table{
		tableMethodDef, tableField, tableTypeRef, tableTypeDef, tableParam, tableInterface, tableMemberRef, tableModule,
		tableDeclSecurity, tableProperty, tableEvent, tableStandAlone, tableModuleRef, tableTypeSpec, tableAssembly, tableAssemblyRef,
		tableFile, tableExportedType, tableResource, tableGenericParam, tableConstraint, tableMethodSpec,
	}}
	hasFieldMarshal = column{tag: 1, to: []table{tableField, tableParam}}
	hasDeclSecurity = column{tag: 2, to: []table{tableTypeDef, tableMethodDef, tableAssembly}}
	memberRefParent = column{tag: 3, to: []table{tableTypeDef, tableTypeRef, tableModuleRef, tableMethodDef, tableTypeSpec}}
	hasSemantics    = column{tag: 1, to: []table{tableEvent, tableProperty}}
	methodDefOrRef  = column{tag: 1, to: []table{tableMethodDef, tableMemberRef}}
	memberForwarded = column{tag: 1, to: []table{tableField, tableMethodDef}}
	implementation  = column{tag: 2, to: []table{tableFile, tableAssemblyRef, tableExportedType}}
	attributeType   = column{tag: 3, to: []table{noTable, noTable, tableMethodDef, tableMemberRef}}
	resolutionScope = column{tag: 2, to: []table{tableModule, tableModuleRef, tableAssemblyRef, tableTypeRef}}
	typeOrMethodDef = column{tag: 1, to: []table{tableTypeDef, tableMethodDef}}
)

// schema has the columns of all tables. The tables 03, 05, 07, 13 and 16 and
// those of edit and continue, 1e and 1f, are not in ECMA-335: the uncompressed
// form of the tables, "#-", has them.
var schema = [tableCount][]column{
	tableModule:       {u16, str, guid, guid, guid},
	tableTypeRef:      {resolutionScope, str, str},
	tableTypeDef:      {u32, str, str, typeDefOrRef, index(tableField), index(tableMethodDef)},
	0x03:              {index(tableField)},
	tableField:        {u16, str, blob},
	0x05:              {index(tableMethodDef)},
	tableMethodDef:    {u32, u16, u16, str, blob, index(tableParam)},
	0x07:              {index(tableParam)},
	tableParam:        {u16, u16, str},
	tableInterface:    {index(tableTypeDef), typeDefOrRef},
	tableMemberRef:    {memberRefParent, str, blob},
	0x0b:              {u16, hasConstant, blob},
	0x0c:              {hasCustomAttribute, attributeType, blob},
	0x0d:              {hasFieldMarshal, blob},
	tableDeclSecurity: {u16, hasDeclSecurity, blob},
	0x0f:              {u16, u32, index(tableTypeDef)},
	0x10:              {u32, index(tableField)},
	tableStandAlone:   {blob},
	0x12:              {index(tableTypeDef), index(tableEvent)},
	0x13:              {index(tableEvent)},
	tableEvent:        {u16, str, typeDefOrRef},
	0x15:              {index(tableTypeDef), index(tableProperty)},
	0x16:              {index(tableProperty)},
	tableProperty:     {u16, str, blob},
	0x18:              {u16, index(tableMethodDef), hasSemantics},
	0x19:              {index(tableTypeDef), methodDefOrRef, methodDefOrRef},
	tableModuleRef:    {str},
	tableTypeSpec:     {blob},
	0x1c:              {u16, memberForwarded, str, index(tableModuleRef)},
	0x1d:              {u32, index(tableField)},
	0x1e:              {u32, u32},
	0x1f:              {u32},
	tableAssembly:     {u32, u16, u16, u16, u16, u32, blob, str, str},
	0x21:              {u32},
	0x22:              {u32, u32, u32},
	tableAssemblyRef:  {u16, u16, u16, u16, u32, blob, str, str, blob},
	0x24:              {u32, index(tableAssemblyRef)},
	0x25:              {u32, u32, u32, index(tableAssemblyRef)},
	tableFile:         {u32, str, blob},
	tableExportedType: {u32, u32, str, str, implementation},
	tableResource:     {u32, u32, str, implementation},
	tableNestedClass:  {index(tableTypeDef), index(tableTypeDef)},
	tableGenericParam: {u16, u16, typeOrMethodDef, str},
	tableMethodSpec:   {methodDefOrRef, blob},
	tableConstraint:   {index(tableGenericParam), typeDefOrRef},
}
