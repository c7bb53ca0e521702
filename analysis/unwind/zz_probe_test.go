package unwind
import ("testing";"os";"fmt"
"github.com/dumpscan/dumpscan/minidump"
"github.com/dumpscan/dumpscan/analysis/symbol")
func TestProbe(t *testing.T){
 p:=os.Getenv("PROBE"); if p=="" {t.Skip()}
 f,err:=minidump.Open(p); if err!=nil {t.Fatal(err)}
 mods,_:=f.Modules(); m:=symbol.NewModules(mods)
 th,_:=f.Threads(); mem,_:=f.Memory()
 for i,x:=range th { c,err:=f.Context(x.ThreadContext); if err!=nil {fmt.Println(err);continue}
  fmt.Printf("thread %d pc=%v esp=%x ebp=%x code %v %x\n",i,c.PC,c.R[4],c.R[5], mem.Contains(c.PC), func() []byte { b:=make([]byte,40); n,_:=mem.ReadAt(b,c.PC-16); return b[:n]}())
  w:=window{r:mem}
  for k:=0;k<60;k++{ a:=minidump.VA(c.R[4])+minidump.VA(4*k); b,ok:=w.at(a,4); if !ok {fmt.Println("end",a);break}
   v:=minidump.VA(uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16|uint32(b[3])<<24)
   l,_:=m.Resolve(t.Context(),[]minidump.VA{v}); s:=""; if l.At(v).Module!="" {s=l.At(v).String()}
   fmt.Printf("  %v: %v %s\n",a,v,s) }
 }
}
