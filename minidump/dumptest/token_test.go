package dumptest

import "testing"

func TestTokens(t *testing.T) {
	d := Dump{
		NoSystemInfo: true, Padding: 0xee,
		Tokens: &TokenList{Tokens: []Token{
			{
				ID: 0xd28, Handle: 0x338, User: Group{SID: "S-1-5-21-1-2-3-1000"},
				Groups:       []Group{{"S-1-1-0", 7}, {"S-1-16-8192", 0x60}},
				PrimaryGroup: "S-1-5-18", Privileges: []Privilege{{19, 0}, {23, 3}},
				Statistics: &TokenStatistics{TokenID: 1, AuthenticationID: 2, TokenType: 1, ImpersonationLevel: 4, DynamicCharged: 5,
					DynamicAvailable: 6, GroupCount: 7, PrivilegeCount: 8, ModifiedID: 9},
				Seventh: make([]byte, 8),
			},
			{ID: 7, Type: 2},
		}},
	}
	equal(t, body(t, d, "Token", "End"), literal(t, `
		b0010000 02000000 10000000 48000000
		# the token of the process
		18010000 280d0000 3803000000000000
		48000000 04000000  50000000 24000000  78000000 2c000000  a8000000 10000000
		b8000000 1c000000  d8000000 38000000  10010000 08000000
		01000000 eeeeeeee
		08000000 00000000 0105 000000000005 15000000 01000000 02000000 03000000 e8030000 eeeeeeee
		02000000 14000000 07000000 20000000 60000000 0101 000000000001 00000000 0101 000000000010 00200000 eeeeeeee
		08000000 0101 000000000005 12000000
		02000000 1300000000000000 00000000 1700000000000000 03000000 eeeeeeee
		0100000000000000 0200000000000000 ffffffffffffff7f 01000000 04000000 05000000 06000000 07000000 08000000 0900000000000000
		0000000000000000
		# that of a thread
		88000000 07000000 0000000000000000
		48000000 04000000  50000000 14000000  68000000 04000000  70000000 10000000
		80000000 04000000  00000000 00000000  00000000 00000000
		02000000 eeeeeeee
		08000000 00000000 0101 000000000000 00000000 eeeeeeee
		00000000 eeeeeeee
		08000000 0101 000000000000 00000000
		00000000 eeeeeeee
	`))
	for _, sid := range []string{"S", "S-1", "S-1-x", "X-1-5", "1-5-18"} {
		if _, err := (Dump{Tokens: &TokenList{Tokens: []Token{{PrimaryGroup: sid}}}}).Layout(); err == nil {
			t.Errorf("%q is taken for a SID", sid)
		}
	}
}
