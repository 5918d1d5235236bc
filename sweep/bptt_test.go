package sweep

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/analytic"
)

// byRule are points of named rules at their own k and n: (2,4), (1,4), (1,4), (1,1), (1,4).
const byRule = "{net: lenet1, dataset: mnist, timesteps: 2, rule: [bptt, sltt, ottt-a, decolle, e-prop], batch: 16}"

// trainedBy is the result of a training of lenet1 by some rule.
func trainedBy(k int, blocks, settings string, accuracy float64) string {
	return fmt.Sprintf(`{"schema": "accelsim.train/1", "settings": {"network": "lenet1", "dataset": "mnist", "timesteps": 2,
		"k": %d, "blocks": %s, %s}, "epochs": [{"test_accuracy": %v}]}`, k, blocks, settings, accuracy)
}

const (
	whole = "[[1,2,3,4]]"
	local = "[[1],[2],[3],[4]]"
	plain = `"classifier": "trainable"`

	ofEProp = plain + `, "rule": "update: iteration, trace: leak, feedback: direct-all", "neuron": {"ConstantReset": true}`
)

// Rules at the same (k, n) have accuracies of their own, in a table or as
// trainings, and every one is compared with BPTT.
func TestFigureOfMeritByRule(t *testing.T) {
	p := untimed(t, byRule)
	trainings := []string{
		trainedBy(2, whole, plain, 0.9),
		trainedBy(1, whole, plain+`, "rule": "update: iteration"`, 0.8),
		trainedBy(1, whole, plain+`, "rule": "update: iteration, trace: leak"`, 0.85),
		trainedBy(1, local, `"classifier": "random", "rule": "trace: leak"`, 0.7),
		trainedBy(1, whole, ofEProp, 0.75),
	}
	var inBoth [2][]string
	for i, files := range [][]string{
		{"rule,accuracy\nbptt,90\nsltt,80\nottt-a,85\ndecolle,70\ne-prop,75\n"}, trainings,
	} {
		all := accuracies(t, p, files...)
		inBoth[i] = rate(t, p, all, columnFoM)
		if got := strings.Join(rate(t, p, all, columnAccuracy), " "); got != "90 80 85 70 75" {
			t.Errorf("accuracies %q of %q", got, files)
		}
	}
	for i, merit := range inBoth[0] {
		if merit == "" || merit != inBoth[1][i] {
			t.Errorf("point %d has %q by table, %q by trainings", i, merit, inBoth[1][i])
		}
	}
	if inBoth[0][0] != "1" {
		t.Errorf("BPTT has %q", inBoth[0][0])
	}
}

// Accuracies that only other rules have are none.
func TestAccuraciesOfAnotherRule(t *testing.T) {
	p := untimed(t, "{net: lenet1, dataset: mnist, timesteps: 2, rule: [sltt, e-prop], batch: 16}")
	for name, text := range map[string]string{
		"a training that updates at every step":       trainedBy(1, whole, plain, 0.8),
		"one without e-prop's constant resets":        trainedBy(1, whole, plain+`, "rule": "update: iteration, trace: leak, feedback: direct-all"`, 0.8),
		"one of potentials":                           trainedBy(1, whole, plain+`, "rule": "update: iteration", "readout": "potential"`, 0.8),
		"a table of a rule that is not of this sweep": "rule,accuracy\nottt-a,80\n",
	} {
		if got := strings.Join(rate(t, p, accuracies(t, p, text), columnAccuracy), ""); got != "" {
			t.Errorf("%s: accuracies %q", name, got)
		}
	}
	if got := strings.Join(rate(t, p, accuracies(t, p, trainedBy(1, whole, ofEProp, 0.8)), columnAccuracy), " "); got != " 80" {
		t.Errorf("e-prop's own training: accuracies %q", got)
	}
}

// BPTT's accuracy may come under the name of any rule that is BPTT at (T, N),
// the rule's own first, and with the trainable classifier that a rule took away.
func TestNamesOfBPTT(t *testing.T) {
	for _, c := range []struct{ name, grid, text, want string }{
		{"the rule itself", "rule: lbp, k: [1, 2], n: 4", "rule,k,accuracy\nlbp,1,80\nlbp,2,90\n", "y 1"},
		{"another of the sweep", "rule: [lbp, sltt], k: [1, 2], n: 4", "rule,k,accuracy\nsltt,1,80\nlbp,2,90\n", " 1 y "},
		{"the built-in one", "rule: sltt, k: 1, n: 4", "rule,k,accuracy\nsltt,1,80\nbptt,2,90\n", "y"},
		{"a rule that is not", "rule: [ottt-a, sltt], k: [1, 2], n: 4", "rule,k,accuracy\nottt-a,1,80\nsltt,2,90\n", "   "},
		{"two names, two accuracies", "rule: lbp, k: [1, 2], n: 4", "rule,k,accuracy\nlbp,1,80\nlbp,2,90\nbptt,2,91\n", "y 1"},
		{"a trainable classifier", "rule: decolle, k: 1, n: 1", "rule,classifier,k,accuracy\ndecolle,random,1,80\nbptt,trainable,2,90\n", "y"},
		{"random classifiers without a rule", "classifier: random, k: [1, 2], n: 4", "classifier,k,accuracy\nrandom,1,80\ntrainable,2,90\n", " "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := untimed(t, "{net: lenet1, dataset: mnist, timesteps: 2, batch: 16, "+c.grid+"}")
			cells := rate(t, p, accuracies(t, p, c.text), columnFoM)
			for i := range cells {
				if cells[i] != "" && cells[i] != "1" {
					cells[i] = "y"
				}
			}
			if got := strings.Join(cells, " "); got != c.want {
				t.Errorf("rated %q, want %q", got, c.want)
			}
		})
	}
}

// A plan that was read again knows networks that are lists of layers, their units
// and by what rule they learn.
func TestMergedPlanKnowsListsAndRules(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = `
input: {channels: 4, height: 1, width: 1, encoding: event}
layers:
  - {fc: {out: 3}, unit: a}
  - {fc: {out: 3}, unit: a}
  - inputs: [{fc: {out: 3}}, {from: self, delay: 1, fc: {}}]
  - fc: {out: 2}
timesteps: 2
batch: 1
activity: 0.5
`
	if err := os.WriteFile("list.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := untimed(t, "{net: list.yaml, rule: [bptt, e-prop], n: [1, 3]}")
	if err := p.Save("out"); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadPlan("out", "test")
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Subjects) != 2 || loaded.Subjects[0].Learning != p.Subjects[0].Learning || loaded.Subjects[1].Learning.String() !=
		"update: iteration, trace: leak, feedback: direct-all, reset_gradient: false" {
		t.Errorf("rules are lost: %+v", loaded.Subjects)
	}
	if got := fmt.Sprint(loaded.Subjects[0].blocks(1)); got != "[[1 2] [3]]" {
		t.Errorf("blocks %s", got)
	}
	table, _ := NewTable(loaded, evaluateAll(t, p, 1), columnAccuracy, columnFoM)
	if n, err := table.Merit(accuracies(t, p, "rule,n,accuracy\nbptt,3,90\ne-prop,1,85\n"), analytic.PaperWeights); err != nil || n != 2 {
		t.Errorf("%d rated (%v), want 2", n, err)
	}
}

// BPTT of a workload file that has a rule and a readout has its readout.
func TestBPTTKeepsTheWorkloadsReadout(t *testing.T) {
	t.Chdir(t.TempDir())
	const text = `
input: {channels: 4, height: 1, width: 1, encoding: event}
layers: 3FC-2FC
timesteps: 2
batch: 1
activity: 0.5
training: {rule: {update: iteration}, readout: potential}
`
	if err := os.WriteFile("own.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	trained := func(k int, rule string) string {
		return fmt.Sprintf(`{"schema": "accelsim.train/1", "settings": {"network": "own", "layers": "3FC-2FC", "timesteps": 2, "k": %d,
			"blocks": [[1]], "classifier": "trainable", "readout": "potential"%s}, "epochs": [{"test_accuracy": 0.9}]}`, k, rule)
	}
	p := untimed(t, "{net: own.yaml, k: 1, n: 1}")
	all := accuracies(t, p, trained(1, `, "rule": "update: iteration"`), trained(2, ""))
	if got := rate(t, p, all, columnFoM)[0]; got == "" {
		t.Error("no figure of merit")
	}
}
