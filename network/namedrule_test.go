package network

import (
	"strings"
	"testing"
)

// Every built-in rule says what it is and where it is from, and can train a network.
func TestBuiltInRules(t *testing.T) {
	if len(Rules()) < 10 {
		t.Fatalf("%d rules", len(Rules()))
	}
	for _, name := range Rules() {
		r, err := OpenRule(name)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != name || r.Summary == "" || r.Paper == "" || r.Year < 1980 || r.K == 0 || r.N == 0 {
			t.Errorf("%s: %+v", name, r)
		}
		w, err := Open("alexnet")
		if err != nil {
			t.Fatal(err)
		}
		w.Training.Rule = Rule{OnceAnIteration: true, Trace: LeakTrace, Feedback: DirectToAll, BackwardSteps: 1}
		if err := r.Apply(w); err != nil {
			t.Error(err)
		}
		// A built-in rule says all of itself: nothing of the workload's is left.
		fresh, err := Open("alexnet")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Apply(fresh); err != nil {
			t.Error(err)
		}
		if w.Training.Rule != fresh.Training.Rule {
			t.Errorf("%s: %v of one workload, %v of another", name, w.Training.Rule, fresh.Training.Rule)
		}
		blocks, err := w.Net.Blocks(r.N.Of(w.Net.N()))
		if err != nil {
			t.Error(err)
		}
		k := r.K.Of(w.Timesteps)
		if err := w.CheckInterval(k); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := w.Training.Rule.Check(k, blocks); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What NETWORKS.md calls each rule.
func TestRulesAreWhatTheirPapersSay(t *testing.T) {
	for name, want := range map[string]struct {
		k, n    Extent
		choices string
	}{
		"bptt":    {All, All, ""},
		"tbptt":   {10, All, ""},
		"lbp":     {10, 1, ""},
		"sltt":    {1, All, "update: iteration"},
		"ottt-a":  {1, All, "update: iteration, trace: leak"},
		"ottt-o":  {1, All, "trace: leak"},
		"decolle": {1, 1, "trace: leak"},
		"dfa":     {All, All, "feedback: direct"},
		"e-prop":  {1, All, "update: iteration, trace: leak, feedback: direct-all, reset_gradient: false"},
	} {
		r, err := OpenRule(name)
		if err != nil {
			t.Fatal(err)
		}
		if r.K != want.k || r.N != want.n || r.Choices() != want.choices {
			t.Errorf("%s: k %v, n %v, %q", name, r.K, r.N, r.Choices())
		}
	}
	if r, err := OpenRule("decolle"); err != nil || r.Classifier() != Random {
		t.Errorf("decolle has %q classifiers (%v)", r.Classifier(), err)
	}
}

// A rule gives what it names; the rest stays the workload's.
func TestARuleKeepsWhatItDoesNotName(t *testing.T) {
	r, err := ReadRule([]byte("k: 4\nfeedback: direct-all\nreset_gradient: false\nreadout: current\nclassifier: random\n"), "mine.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := Read([]byte(`
input: {channels: 2, height: 4, width: 4, encoding: event}
timesteps: 8
layers: [{conv: {out: 3, kernel: 3}}, {conv: {out: 3, kernel: 3}, neuron: {leak: 0.5}}, {fc: {out: 2}}]
training: {rule: {update: iteration, backward_steps: 2}}
`), "net.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before := w.Net.Layer(2).Neuron
	if err := r.Apply(w); err != nil {
		t.Fatal(err)
	}
	want := Rule{OnceAnIteration: true, BackwardSteps: 2, Feedback: DirectToAll}
	if w.Training.Rule != want || w.Training.RuleName != "mine" || w.Training.Readout != CurrentReadout || w.Training.Classifier != Random {
		t.Errorf("%+v", w.Training)
	}
	if !w.Neuron.ConstantReset || !w.Net.Layer(2).Neuron.ConstantReset || before.ConstantReset {
		t.Error("reset_gradient is of all layers, and changes no other workload's")
	}
	if r.K != 4 || r.N != 0 || r.N.Of(7) != 7 || r.K.Of(8) != 4 || All.Of(8) != 8 {
		t.Errorf("k %v, n %v", r.K, r.N)
	}
}

func TestRuleFilesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"K: 3":                 "K: is not a key",
		"updates: iteration":   `did you mean "update"`,
		"k: 0":                 `k: is "0"; write a whole number of at least 1, or all`,
		"k: some":              "or all",
		"n: [1]":               "n:",
		"n: \"1\"":             "n:",
		"k: 1e99":              "k:",
		"trace: 1.5":           "trace:",
		"trace: leaky":         "or none",
		"feedback: dfa":        "feedback:",
		"update: never":        "update:",
		"backward_steps: 0":    "backward_steps:",
		"classifier: rand":     `did you mean "random"`,
		"readout: rates":       "readout:",
		"reset_gradient: none": "reset_gradient:",
		"year: soon":           "year:",
		"leak: 0.5":            "leak: is not a key",
	} {
		_, err := ReadRule([]byte(text+"\n"), "bad.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), "bad.yaml") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, name := range []string{"slt", "rules/none.yaml", "", "../network"} {
		if _, err := OpenRule(name); err == nil {
			t.Errorf("%q was opened", name)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, name := range Rules() {
		text, _, err := RuleSource(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("k: all\nn: 3\ntrace: 0.5\nreadout: potential\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRule([]byte(text), "fuzz.yaml")
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		if r.K < All || r.N < All || strings.Contains(r.Choices(), "\n") {
			t.Errorf("%+v", r)
		}
		w, err := Open("lenet1")
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Apply(w) // may not fit
	})
}
