package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/input"
	"github.com/accelsim-dev/accelsim/internal/spelling"
	"github.com/accelsim-dev/accelsim/units"
)

// NamedRule is a training rule as a file of its own describes it: what it does not
// give stays the workload's.
type NamedRule struct {
	Name, Summary, Paper string
	Year                 int
	K, N                 Extent // not given: all steps, all layers

	doc                                *config.Document
	file                               ruleFile
	classifier, readout, resetGradient *config.Node
}

// Extent is a number of steps or of layers, or all of them; 0 is not given.
type Extent int

// All stands for all steps, or all layers.
const All Extent = -1

// Of returns the number where there are so many, and so many where it is not given.
func (e Extent) Of(all int) int {
	if e <= 0 {
		return all
	}
	return int(e)
}

// String prints the number, or all, and - if it is not given.
func (e Extent) String() string {
	switch e {
	case 0:
		return "-"
	case All:
		return "all"
	}
	return fmt.Sprint(int(e))
}

// namedRuleFile is the YAML form of a rule file.
type namedRuleFile struct {
	Name    string       `yaml:"name"`
	Summary string       `yaml:"summary"`
	Paper   string       `yaml:"paper"`
	Year    *config.Node `yaml:"year" is:"year"`
	K       *config.Node `yaml:"k" is:"extent"`
	N       *config.Node `yaml:"n" is:"extent"`

	Update        *config.Node `yaml:"update" is:"update"`
	Trace         *config.Node `yaml:"trace" is:"trace"`
	Feedback      *config.Node `yaml:"feedback" is:"feedback"`
	BackwardSteps *config.Node `yaml:"backward_steps" is:"extent"`
	Classifier    *config.Node `yaml:"classifier" is:"classifier"`
	Readout       *config.Node `yaml:"readout" is:"readout"`
	ResetGradient *config.Node `yaml:"reset_gradient" is:"flag"`
}

// Rules returns the names of the built-in rules, sorted.
func Rules() []string { return builtinNames("rules") }

// OpenRule returns the built-in rule of that name, or reads a rule file. A name with
// a path separator or an extension is a file.
func OpenRule(name string) (*NamedRule, error) {
	text, filename, err := RuleSource(name)
	if err != nil {
		return nil, err
	}
	return ReadRule(text, filename)
}

// RuleSource returns the text of the built-in rule of that name, or of a rule file,
// and the file's name for errors.
func RuleSource(name string) (text []byte, filename string, err error) {
	if text, err = builtin.ReadFile("rules/" + name + ".yaml"); err == nil {
		return text, name + ".yaml", nil
	}
	text, err = input.Text(name)
	switch {
	case err == nil:
		return text, name, nil
	case strings.ContainsAny(name, `/\.`) || !errors.Is(err, os.ErrNotExist):
		return nil, "", fmt.Errorf("rule file: %w", err)
	}
	return nil, "", fmt.Errorf("no rule %q%s; there are %s, or name a rule file", name, spelling.Suggest(name, Rules()), strings.Join(Rules(), ", "))
}

// ReadRule parses a rule file (YAML, of which JSON is a part). Errors name file, line
// and key.
func ReadRule(text []byte, filename string) (*NamedRule, error) {
	var f namedRuleFile
	doc, err := decode(text, filename, "a rule file", &f)
	if err != nil {
		return nil, err
	}
	r := &NamedRule{Name: f.Name, Summary: input.Printable(f.Summary), Paper: input.Printable(f.Paper), doc: doc}
	if r.Name == "" {
		base := filepath.Base(filename)
		r.Name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	r.Name = input.Printable(strings.TrimSpace(r.Name))
	for _, x := range []struct {
		key  string
		node *config.Node
		to   *Extent
	}{{"k", f.K, &r.K}, {"n", f.N, &r.N}} {
		if *x.to, err = readExtent(doc, x.node, x.key); err != nil {
			return nil, err
		}
	}
	if n := f.Year; n != nil {
		year, err := units.ParseInteger(n.Text)
		if err != nil || n.Kind != config.Scalar || n.Quoted || year < 0 || year > maxNumber {
			return nil, doc.At(n.Line, "year", "is %q, not a year", n.Text)
		}
		r.Year = int(year)
	}
	r.file = ruleFile{f.Update, f.Trace, f.Feedback, f.BackwardSteps}
	r.classifier, r.readout, r.resetGradient = f.Classifier, f.Readout, f.ResetGradient
	return r, r.apply(&Workload{Net: &Network{}}) // what is wrong with its keys is wrong with any workload
}

// Choices lists in what the rule differs from the paper's, beside k, n and the
// classifier.
func (r *NamedRule) Choices() string {
	w := Workload{Net: &Network{}}
	if err := r.apply(&w); err != nil {
		return err.Error() // a rule that was read has none
	}
	var list []string
	if !w.Training.Rule.IsPaper() {
		list = append(list, w.Training.Rule.String())
	}
	if r := w.Training.Readout; r != RateReadout {
		list = append(list, "readout: "+string(r))
	}
	if w.Neuron.ConstantReset {
		list = append(list, "reset_gradient: false")
	}
	return strings.Join(list, ", ")
}

// Classifier returns the kind of classifier that the rule asks for, "" if it does
// not.
func (r *NamedRule) Classifier() string {
	if r.classifier == nil {
		return ""
	}
	return r.classifier.Text
}

// readExtent reads a number of steps or layers, or all; nothing is not given.
func readExtent(d *config.Document, n *config.Node, key string) (Extent, error) {
	if n == nil {
		return 0, nil
	}
	if n.Kind == config.Scalar && n.Text == "all" {
		return All, nil
	}
	v, err := units.ParseInteger(n.Text)
	if n.Kind != config.Scalar || n.Quoted || err != nil || v < 1 || v > maxNumber {
		return 0, d.At(n.Line, key, "is %q; write a whole number of at least 1, or all", n.Text)
	}
	return Extent(v), nil
}

// Apply has a workload learn by the rule.
func (r *NamedRule) Apply(w *Workload) error {
	if err := r.apply(w); err != nil {
		return err
	}
	w.Training.RuleName = r.Name
	if err := w.Check(); err != nil {
		return fmt.Errorf("%s by rule %s: %w", w.Name, r.Name, err)
	}
	return nil
}

func (r *NamedRule) apply(w *Workload) error {
	t := &w.Training
	if err := r.file.fill(r.doc, "", &t.Rule); err != nil {
		return err
	}
	if n := r.classifier; n != nil {
		name, err := pick(r.doc, n, "classifier", classifiers)
		if err != nil {
			return err
		}
		t.Classifier = name
	}
	if n := r.readout; n != nil {
		name, err := pick(r.doc, n, "readout", readouts())
		if err != nil {
			return err
		}
		t.Readout = readoutOf(name)
	}
	if n := r.resetGradient; n != nil {
		on, err := readFlag(r.doc, n, "reset_gradient")
		if err != nil {
			return err
		}
		w.setResetGradient(on)
	}
	return nil
}

// setResetGradient has errors flow through resets of all neurons, or of none.
func (w *Workload) setResetGradient(on bool) {
	w.Neuron.ConstantReset = !on
	for i := range w.Net.Layers {
		if l := &w.Net.Layers[i]; l.Neuron != nil {
			n := *l.Neuron
			n.ConstantReset = !on
			l.Neuron = &n
		}
	}
}
