package sweep

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folderOf lays out a folder of results with a plan and a journal of version test.
func folderOf(t *testing.T, plan, journal string) (dir, journalName string) {
	t.Helper()
	dir = t.TempDir()
	folder := versionFolder(dir, "test")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	journalName = filepath.Join(folder, "shard-1-of-1-1.jsonl")
	for name, text := range map[string]string{filepath.Join(folder, planFile): plan, journalName: journal} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, journalName
}

// lines puts checksums before JSON texts.
func lines(t *testing.T, texts ...string) string {
	t.Helper()
	var b strings.Builder
	for _, text := range texts {
		l, err := line(rawText(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(l)
	}
	return b.String()
}

// rawText is JSON that is written as it is.
type rawText string

func (r rawText) MarshalJSON() ([]byte, error) { return []byte(r), nil }

const (
	aKey       = "c6d6f14454643b174a7386d69225d853"
	aHeader    = `{"schema":"accelsim.sweep/1","version":"test","shard":{"index":0,"count":1},"plan":"` + aKey + `"}`
	aRecord    = `{"key":"` + aKey + `","status":"ok","values":[["x",1]]}`
	planHead   = `{"schema":"accelsim.sweep/1","version":"test","inputs":["net","k","n"],"points":1,"subjects":[]}`
	planPoint  = `{"key":"` + aKey + `","values":["a","1","2"]}`
	wholePlan  = planHead + "\n" + planPoint
	otherPoint = `{"key":"d6d6f14454643b174a7386d69225d853","status":"ok","values":[["x",2]]}`
)

// A line whose checksum is right may still say what no sweep wrote: it is named,
// the others are used.
func TestRecordsThatNoSweepWrote(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{"null", "no key"},
		{"[]", "cannot unmarshal"},
		{"{}", "no key"},
		{`{"key":null,"status":"ok"}`, "no key"},
		{`{"key":"12","status":"ok"}`, `"12" is not a point's key`},
		{`{"key":"zzd6f14454643b174a7386d69225d853","status":"ok"}`, "invalid byte"},
		{`{"key":"` + aKey + `"}`, `status "" is none of`},
		{`{"key":"` + aKey + `","status":"fine"}`, `status "fine" is none of`},
		{`{"key":"` + aKey + `","status":"ok"}`, "has no values"},
		{`{"key":"` + aKey + `","status":"ok","values":null}`, "has no values"},
		{`{"key":"` + aKey + `","status":"ok","values":[null]}`, "null is not a name and a value"},
		{`{"key":"` + aKey + `","status":"ok","values":[["x",null]]}`, "x is null; it must be a number or a truth"},
		{`{"key":"` + aKey + `","status":"ok","values":[["x","1"]]}`, `x is "1"; it must be`},
		{`{"key":"` + aKey + `","status":"ok","values":[["x",[1]]]}`, "x is [1]; it must be"},
		{`{"key":"` + aKey + `","status":"ok","values":[["x",{}]]}`, "x is {}; it must be"},
		{`{"key":"` + aKey + `","status":"ok","values":[[null,1]]}`, "null is not the name of a value"},
		{`{"key":"` + aKey + `","status":"ok","values":[["",1]]}`, "is not the name of a value"},
		{`{"key":"` + aKey + `","status":"ok","values":[["a,b",1]]}`, "is not the name of a value"},
		{`{"key":"` + aKey + `","status":"ok","values":[["x"]]}`, "is not a name and a value"},
		{`{"key":"` + aKey + `","status":"ok","values":[["x",1,2]]}`, "is not a name and a value"},
	} {
		dir, name := folderOf(t, lines(t, planHead, planPoint), lines(t, aHeader, c.record, otherPoint))
		m, err := Merge([]string{dir}, "test")
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Corrupt) != 1 || !strings.HasPrefix(m.Corrupt[0], name+":2: ") || !strings.Contains(m.Corrupt[0], c.want) {
			t.Errorf("%s: corrupt %q; want line 2 named, with %q", c.record, m.Corrupt, c.want)
		}
		if m.Records.Len() != 1 || len(m.Missing) != 1 {
			t.Errorf("%s: %d records, %d missing; want the other one, and one missing", c.record, m.Records.Len(), len(m.Missing))
		}
	}
}

func TestHeadersThatNoSweepWrote(t *testing.T) {
	head := func(old, new string) string { return strings.Replace(aHeader, old, new, 1) }
	for _, c := range []struct{ header, want string }{
		{"null", "not a journal"},
		{head(`{"index":0,"count":1}`, "null"), "not a journal"},
		{head(`"count":1`, `"count":0`), "no shard 1 of 0"},
		{head(`"count":1`, `"count":-8`), "no shard 1 of -8"},
		{head(`"count":1`, `"count":1000000000`), "no shard"},
		{head(`"index":0`, `"index":1`), "no shard 2 of 1"},
		{head(`"index":0`, `"index":-1`), "no shard 0 of 1"},
		{head(aKey, "1"), "not a point's key"},
	} {
		dir, name := folderOf(t, lines(t, planHead, planPoint), lines(t, c.header, aRecord))
		m, err := Merge([]string{dir}, "test")
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Corrupt) != 1 || !strings.HasPrefix(m.Corrupt[0], name+":1: ") || !strings.Contains(m.Corrupt[0], c.want) || m.Records.Len() != 0 {
			t.Errorf("%s: corrupt %q, %d records; want line 1 named, with %q", c.header, m.Corrupt, m.Records.Len(), c.want)
		}
	}
}

func TestPlansThatNoSweepWrote(t *testing.T) {
	replaced := func(old, new string) string { return strings.Replace(wholePlan, old, new, 1) }
	for _, c := range []struct{ plan, want string }{
		{"null\n" + planPoint, "plan.jsonl:1: this is not a plan"},
		{planHead, "0 points of 1"},
		{replaced(`"points":1`, `"points":-1`), "1 points of -1"},
		{replaced(`["net","k","n"]`, "null"), "plan.jsonl:1: the inputs are []; the last must be k and n"},
		{replaced(`["net","k","n"]`, `["net","n","k"]`), "the last must be k and n"},
		{replaced(`["a","1","2"]`, "null"), "plan.jsonl:2: 0 values for 3 inputs"},
		{replaced(`["a","1","2"]`, `["a","x","2"]`), "plan.jsonl:2: "},
		{replaced(`"2"]`, `"2"],"subject":1`), "plan.jsonl:2: subject 1 of 0"},
		{replaced(`"2"]`, `"2"],"subject":-1`), "plan.jsonl:2: subject -1 of 0"},
		{replaced(`"subjects":[]`, `"subjects":[null]`), "plan.jsonl:1: the network"},
		{replaced(`"subjects":[]`, `"subjects":[{"net":"a"}]`), "plan.jsonl:1: the network a has no layers"},
		{replaced(`"subjects":[]`, `"subjects":[{"net":"a","unit_ends":[1,1]}]`), "plan.jsonl:1: the network a: a unit of layer 2 of 2 ends at 1"},
		{replaced(`"subjects":[]`, `"subjects":[{"net":"a","unit_ends":[3,2]}]`), "plan.jsonl:1: the network a: a unit of layer 1 of 2 ends at 3"},
		{planHead + "\nnull", "plan.jsonl:2: 0 values"},
	} {
		dir, _ := folderOf(t, lines(t, strings.Split(c.plan, "\n")...), lines(t, aHeader, aRecord))
		if _, err := Merge([]string{dir}, "test"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.plan, err, c.want)
		}
	}
}

// The journal that once ended a merge with a panic.
func TestNullInAJournalIsNamed(t *testing.T) {
	name := filepath.Join("testdata", "journal-null.jsonl")
	all := &Finished{Records: NewRecords(), Shards: map[Shard]bool{}}
	if err := all.read(name, "45a290b442ab"); err != nil {
		t.Fatal(err)
	}
	if len(all.Corrupt) != 1 || !strings.HasPrefix(all.Corrupt[0], name+":4: ") || !strings.Contains(all.Corrupt[0], "is null; it must be a number or a truth") || all.Records.Len() != 3 {
		t.Errorf("corrupt %q, %d records; want line 4 named and 3 records", all.Corrupt, all.Records.Len())
	}
}
