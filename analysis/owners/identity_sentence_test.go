package owners

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIdentitySentences(t *testing.T) {
	class := Owner{Kind: KindObject, Module: "a", ModuleOffset: 0x3080}
	got := []string{
		KeptSentence("in both dumps", 150, 100, 50),
		KeptSentence("in both dumps", 1158, 1, 0),
		KeptSentence("in a.dmp and b.dmp", 2, 0, 1),
		KeptSentence("in both dumps", 1, 0, 0),
		(&HolderIdentity{Owner: class}).Sentence(),
		(&HolderIdentity{Owner: class, Replaced: 3}).Sentence(),
		(&HolderIdentity{Owner: class, Marks: []Mark{{-8, 4}, {16, 0}}}).Sentence(),
		(&HolderIdentity{Owner: class, Marks: []Mark{{8, 4}}, Changed: 40}).Sentence(),
	}
	want := []string{
		"of 150 values in both dumps, 100 are the same handle and 50 were replaced, by what holds them",
		"of 1,158 values in both dumps, 1 is the same handle, by what holds them; of 1,157 it is not known",
		"of 2 values in a.dmp and b.dmp, 1 was replaced, by what holds them; of 1 it is not known",
		"of 1 value in both dumps, what holds them does not say whether they are the same handles",
		"a+0x3080: nothing distinguishes its objects",
		"a+0x3080: by where its objects are; nothing else distinguishes them",
		"a+0x3080: by what differs between its objects, at -0x8, the text that +0x10 leads to",
		"a+0x3080: by what differs between its objects, at +0x8; 40 have changed there, replaced or used",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
