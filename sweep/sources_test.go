package sweep

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
)

// pipe makes a named pipe in a folder of its own that gives a text to whoever
// opens it first, and nobody else.
func pipe(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	go func() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		_, _ = f.WriteString(text)
		f.Close()
		_ = os.Remove(name) // a second reader finds nothing, rather than wait for ever
	}()
	return name
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func memoryAccess(t *testing.T, p *Plan) (words []string) {
	t.Helper()
	table, _ := NewTable(p, evaluateAll(t, p, 1))
	for i := range table.Len() {
		words = append(words, table.Cell(i, columnMemoryAccess))
	}
	return words
}

// What comes through a pipe is read once, and known by what it said: the same
// name stands for another network the next time.
func TestPipesAreReadOnceAndKnownByTheirContent(t *testing.T) {
	const cut = "\nk: 4\nn: 2\nbatch: [2, 4]\n"
	a, b := untimed(t, "net: "+pipe(t, testdata(t, "na.yaml"))+cut), untimed(t, "net: "+pipe(t, testdata(t, "nb.yaml"))+cut)
	if got := memoryAccess(t, a); got[0] == got[1] {
		t.Errorf("na.yaml at batch 2 and 4 moves %v words", got)
	}
	for _, p := range b.Points {
		if slices.ContainsFunc(a.Points, func(q *Point) bool { return p.Key == q.Key }) {
			t.Error("points of two networks have the same key")
		}
	}
	for name, text := range map[string]string{
		"hardware": "{net: lenet1, k: 4, n: [1, 2], batch: [2, 4], set: {pe.rows: [8, 16]}, hw: " + pipe(t, testdata(t, "../../hardware/presets/zcu102.yaml")) + "}",
		"activity": "{net: lenet1, k: 4, n: [1, 2], batch: [2, 4], activity: " + pipe(t, "input: 0.2\n") + "}",
	} {
		if p := untimed(t, text); len(memoryAccess(t, p)) != len(p.Points) {
			t.Errorf("%s: the pipe was not read", name)
		}
	}
}

// A network of another content in a file of the same name is another point.
func TestFileThatChangesBetweenSweepsIsAnotherPoint(t *testing.T) {
	t.Chdir(t.TempDir())
	of := func(text string) *Plan {
		if err := os.WriteFile("net.yaml", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return untimed(t, "{net: net.yaml, k: 4, n: 2}")
	}
	const a = "input: {channels: 2, height: 6, width: 6, encoding: event}\nlayers: 2C3-2AP2-4FC-5FC\ntimesteps: 4\nbatch: 2\n"
	first := of(a)
	for name, c := range map[string]struct {
		text string
		same bool
	}{
		"a comment":         {"# my net\n" + a, true},
		"layers":            {strings.Replace(a, "4FC", "400FC", 1), false},
		"a neuron's leak":   {a + "neuron: {leak: 0.5}\n", false},
		"a density":         {a + "activity: 0.2\n", false},
		"the default batch": {strings.Replace(a, "batch: 2", "batch: 4", 1), false},
	} {
		if got := of(c.text).Points[0].Key == first.Points[0].Key; got != c.same {
			t.Errorf("%s: the same point is %v", name, got)
		}
	}
}

// na.yaml and nb.yaml move 3560 and 90680 words.
func TestWordsOfTwoNetworks(t *testing.T) {
	for name, want := range map[string]string{"na.yaml": "3560", "nb.yaml": "90680"} {
		if got := memoryAccess(t, untimed(t, "{net: testdata/"+name+", k: 1, n: 1}")); got[0] != want {
			t.Errorf("%s moves %v words, want %s", name, got, want)
		}
	}
}

// An energy table that a hardware file names is read with it: if it changes
// while the sweep runs, the point fails rather than have another's number.
func TestEnergyTableThatChangesWhileTheSweepRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	text, _, err := hardware.Source("zcu102")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("hw.yaml", string(text)+"\nenergy: table.yaml\n")
	write("table.yaml", "sram:\n  read: {32KiB: 20pJ}\n")
	p := untimed(t, "{net: lenet1, k: 4, n: 2, hw: hw.yaml}")
	write("table.yaml", "sram:\n  read: {32KiB: 30pJ}\n")
	r, _ := evaluateAll(t, p, 1).Get(p.Points[0].Key)
	if r.Status != Failed || !strings.Contains(r.Reason, "has changed since the sweep began") {
		t.Errorf("%s: %s", r.Status, r.Reason)
	}
}

// Keys are of plain data only: a function or a map would have no content.
func TestAllThatKeysHashIsPlainData(t *testing.T) {
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(typ.Elem(), path)
		case reflect.Struct:
			for f := range typ.Fields() {
				walk(f.Type, path+"."+f.Name)
			}
		case reflect.Func, reflect.Map, reflect.Chan, reflect.Interface, reflect.UnsafePointer:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[network.Workload](), reflect.TypeFor[hardware.Hardware](), reflect.TypeFor[energy.Table]()} {
		walk(typ, typ.String())
	}
}

func TestContentTellsValuesApart(t *testing.T) {
	type pair struct{ A, b string }
	seen := map[Key]int{}
	one := 1
	for i, v := range []any{
		nil, 1, 2, -1, 1.5, true, false, "", "a", "1",
		[]string{},
		[]string{""},
		[]string{"", ""},
		[]string{"a;", "b"},
		[]string{"a", ";b"},
		pair{"a", "b"},
		pair{"ab", ""},
		pair{"", "ab"},
		[]pair{{"a", "b"}},
		[][]int{{1}, {2}},
		[][]int{{1, 2}},
		(*int)(nil),
	} {
		if before, twice := seen[content(v)]; twice && i != 21 {
			t.Errorf("values %d and %d have the same content", before, i)
		}
		seen[content(v)] = i
	}
	if content(&one) != content(1) {
		t.Error("a pointer counts, not what it points to")
	}
}
