package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/analytic"
)

// accuracies reads texts as files f0, f1 ..
func accuracies(t *testing.T, p *Plan, texts ...string) *Accuracies {
	t.Helper()
	all := &Accuracies{}
	for i, text := range texts {
		if err := all.Add([]byte(text), fmt.Sprint("f", i), p.Inputs); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// rate simulates a plan without time and returns the column of a table that has
// been rated, in the plan's order.
func rate(t *testing.T, p *Plan, all *Accuracies, column string) []string {
	t.Helper()
	table, _ := NewTable(p, evaluateAll(t, p, 2), columnAccuracy, columnFoM)
	if _, err := table.Merit(all, analytic.PaperWeights); err != nil {
		t.Fatal(err)
	}
	var cells []string
	for i := range table.Len() {
		cells = append(cells, table.Cell(i, column))
	}
	return cells
}

func untimed(t *testing.T, text string) *Plan {
	t.Helper()
	spec, err := ReadSpec([]byte(text), "grid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := fixed(t)
	f.Options.Untimed = true
	p, err := NewPlan(spec, f, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shared(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../internal/accuracy/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const mnist = "{net: lenet1, dataset: mnist, timesteps: 2, k: all, n: [1, 4], batch: 16}" // (1,1) (1,4) (2,1) (2,4)

// The unit of an accuracy is its file's: 77 % of BPTT is 0.77 in a training's
// result and 77 in a table.
func TestFigureOfMeritIsTheSameInEveryUnit(t *testing.T) {
	p := untimed(t, mnist)
	const table = "net,dataset,timesteps,k,n,accuracy\nlenet1,mnist,2,1,1,%s\n"
	for name, files := range map[string][]string{
		"a training and percent":   {shared(t, "accuracy-fraction.json"), shared(t, "accuracy-percent.csv")},
		"a training and fractions": {shared(t, "accuracy-fraction.json"), fmt.Sprintf(table, "0.8")},
		"a training and a sign":    {shared(t, "accuracy-fraction.json"), fmt.Sprintf(table, "80%")},
		"a table of percent":       {"k,n,accuracy\n2,4,77\n1,1,80\n"},
		"a list of fractions":      {`[{"k": 2.0, "n": 4.0, "accuracy": 0.77}, {"k": 1.0, "n": 1.0, "accuracy": 0.8}]`},
	} {
		if got := strings.Join(rate(t, p, accuracies(t, p, files...), columnFoM), " "); got != "0.44670476350631116   1" {
			t.Errorf("%s: figures of merit %q; (1,1) has 0.44670476350631116, BPTT 1", name, got)
		}
	}
}

func TestAccuraciesWithoutAPointAreCounted(t *testing.T) {
	p := untimed(t, mnist)
	all := accuracies(t, p, "k,n,accuracy\n2,4,90\n1,1,88\n", "net,k,n,accuracy\nlenet1,5,4,90\nlenet2,1,1,90\n")
	if got := strings.Join(rate(t, p, all, columnAccuracy), " "); got != "88   90" {
		t.Errorf("accuracies %q", got)
	}
	if unused, of, first := all.Unused(); unused != 2 || of != 4 || first != "f1:2" {
		t.Errorf("%d of %d fit no point, the first is %s; want 2 of 4, f1:2", unused, of, first)
	}
}

func TestTwoAccuraciesOfOneDesign(t *testing.T) {
	p := untimed(t, mnist)
	table, _ := NewTable(p, evaluateAll(t, p, 2), columnAccuracy, columnFoM)
	_, err := table.Merit(accuracies(t, p, shared(t, "accuracy-fraction.json"), "k,n,accuracy\n2,4,84\n"), analytic.PaperWeights)
	if err == nil || !strings.Contains(err.Error(), "two accuracies fit net lenet1, k = 2, n = 4: 77 % (f0) and 84 % (f1:2)") {
		t.Error(err)
	}
}

// inFolders writes workload files of the same base name in two folders, enters
// the folder above and returns the plan of both.
func inFolders(t *testing.T, a, b, nets string) *Plan {
	t.Helper()
	t.Chdir(t.TempDir())
	for folder, layers := range map[string]string{"a": a, "b": b} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "input: {channels: 2, height: 6, width: 6, encoding: event}\nlayers: " + layers + "\ntimesteps: 4\nbatch: 2\n"
		if err := os.WriteFile(filepath.Join(folder, "net.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return untimed(t, "{net: ["+nets+"], k: max, n: max}")
}

// Files of the same name in different folders are different networks.
func TestAccuraciesGoToTheNetworkThatIsMeant(t *testing.T) {
	const small, large = "2C3-2AP2-4FC-5FC", "2C3-2AP2-8FC-5FC"
	trained := func(layers string) string {
		return `{"schema": "accelsim.train/1", "settings": {"network": "net", "layers": "` + layers + `", "timesteps": 4, "k": 4,
			"blocks": [[1, 2]], "classifier": "trainable"}, "epochs": [{"test_accuracy": 0.9}]}`
	}
	here := func() string {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for _, c := range []struct{ name, nets, b, text, want string }{
		{"by path", "a/net.yaml, b/net.yaml", large, "net,accuracy\na/net.yaml,90\n", "90 "},
		{"by another spelling of the path", "a/net.yaml, b/net.yaml", large, "net,accuracy\n./b/../b/net.yaml,90\n", " 90"},
		{"by absolute path", "a/net.yaml, b/net.yaml", large, "net,accuracy\nHERE/b/net.yaml,90\n", " 90"},
		{"of one that is not swept", "b/net.yaml", large, "net,accuracy\na/net.yaml,90\n", ""},
		{"by the name of the only one", "b/net.yaml", large, "net,accuracy\nnet,90\n", "90"},
		{"by a name that two files of the same content have", "a/net.yaml, b/net.yaml", small, "net,accuracy\nnet,90\n", "90 90"},
		{"of a training, by its layers", "a/net.yaml, b/net.yaml", large, trained(large), " 90"},
		{"of a training of another", "b/net.yaml", large, trained(small), ""},
		{"of a built-in and a file", "lenet1, a/net.yaml", large, "net,accuracy\nlenet1,90\n", "90 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := inFolders(t, small, c.b, c.nets)
			got := strings.Join(rate(t, p, accuracies(t, p, strings.ReplaceAll(c.text, "HERE", here())), columnAccuracy), " ")
			if got != c.want {
				t.Errorf("accuracies %q, want %q", got, c.want)
			}
		})
	}
	for name, text := range map[string]string{"by name": "net,accuracy\nnet,90\n", "a training without layers": trained("")} {
		p := inFolders(t, small, large, "a/net.yaml, b/net.yaml")
		table, _ := NewTable(p, evaluateAll(t, p, 1), columnAccuracy, columnFoM)
		_, err := table.Merit(accuracies(t, p, text), analytic.PaperWeights)
		if err == nil || !strings.Contains(err.Error(), "net may be a/net.yaml or b/net.yaml") {
			t.Errorf("%s: %v; two networks have it", name, err)
		}
	}
}

// A merged sweep knows its networks from the plan, not from files that may be
// gone or others by now.
func TestMergedPlanKnowsItsNetworks(t *testing.T) {
	p := inFolders(t, "2C3-2AP2-4FC-5FC", "2C3-2AP2-8FC-5FC", "a/net.yaml, b/net.yaml")
	all := accuracies(t, p, "net,accuracy\nb/net.yaml,90\n")
	records := evaluateAll(t, p, 1)
	if err := p.Save("out"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("b/net.yaml"); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadPlan("out", "test")
	if err != nil {
		t.Fatal(err)
	}
	table, missing := NewTable(loaded, records, columnAccuracy, columnFoM)
	if n, err := table.Merit(all, analytic.PaperWeights); err != nil || n != 1 || len(missing) != 0 || table.Cell(1, columnFoM) != "1" {
		t.Errorf("%d rated (%v), %d missing", n, err, len(missing))
	}
}
