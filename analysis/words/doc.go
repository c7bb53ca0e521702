// Package words has one way to say each thing that reports, findings and
// messages say again and again: numbers, shares, times, sizes, names of
// handles, commands to paste. It knows nothing of dumps and imports nothing of the
// module, so that every package above minidump can use it.
//
// Numbers for people:
//
//	a count                          Count       "65,602"
//	how much a count has changed     Growth      "+40,000", "-3", "0"
//	a number that is not whole       Decimal     "12.5", "0.034"
//	a number in a time               Rate        "12.5 an hour"
//	a part of a whole, of counts     Share       "98.9 %", "over 99.9 %"
//	the same, if it is computed      Percent     "98.9 %"
//	how sure something is            Confidence  "99.9997 %"
//	bytes                            Bytes       "1.5 GiB", "823 B"
//	a span of time                   Duration    "1 year 35 d", "under 1 s"
//	a point in time                  Time        "2024-03-05 17:08:09 UTC"
//
// Counts with what they count, and lists:
//
//	a number of things               Plural      "1 handle", "65,602 entries"
//	how often                        Times       "once", "1,234 times"
//	some of so many things           Of          "235 of 1,639 operations"
//	what a list leaves out           More        "… and 3 more groups"
//	all of these                     List        "a, b and c"
//	one of these                     Choice      "a, b or c"
//	the first few numbers of many    HexList     "0x4, 0x8, 0xc …"
//
// Names:
//
//	a handle's type                  Type        "Key", "None"
//	an object's name                 Name        `\Device\Afd`, "<none>"
//	both, in a sentence              Kind        "Key without name"
//	a mask, an id, a handle, an RVA  Hex         "0x7e0"
//	a field in an object             Offset      "+0x18"
//	an address without a function    InModule    "MyCustomDll+0x3070"
//	a word of a command to paste     ShellQuote  'my dump.dmp'
//	a whole command to paste         Command     dumpscan handles 'my dump.dmp'
//
// For programs that read the output, and for what must not reach a terminal:
//
//	a point in time, JSON and CSV    Timestamp   "2024-03-05T17:08:09Z", ""
//	an id or address, JSON and CSV   Hex         "0x7e0"
//	text of a dump, for a terminal   Escape      "a<U+001B>[2Jb"
//	text of a dump, a cell of CSV    CSVCell     "'=1+1"
//	text of a dump, a JSON string    JSONText    "a\ufffdD800b"
//	encoded JSON                     EscapeJSON  `"a\u202eb"`
//
// Programs get plain numbers, not Count, Share, Bytes or Duration. Text of a
// dump (names, comments, paths) passes Escape, CSVCell or EscapeJSON once, where
// it is written. The functions above that take such text return it as it is;
// only ShellQuote and Command escape, in the way of the shell, and Escape
// changes nothing of what they return.
package words
