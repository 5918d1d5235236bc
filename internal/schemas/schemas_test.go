package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/config"
	"github.com/accelsim-dev/accelsim/internal/design"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/report"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/sweep"
	"github.com/accelsim-dev/accelsim/units"
)

// compiled returns a schema as another program reads it.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := Write(name)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("x.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("x.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain turns a node into what an editor sees, by the core schema of YAML 1.2.
func plain(n *config.Node) any {
	switch n.Kind {
	case config.Null:
		return nil
	case config.Mapping:
		m := map[string]any{}
		for _, p := range n.Pairs {
			m[p.Name] = plain(p.Value)
		}
		return m
	case config.Sequence:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, plain(item))
		}
		return list
	}
	if !n.Quoted {
		if v, err := units.ParseInteger(n.Text); err == nil {
			return json.Number(fmt.Sprint(v))
		}
		if v, err := units.ParseNumber(n.Text); err == nil {
			return v
		}
		if n.Text == "true" || n.Text == "false" {
			return n.Text == "true"
		}
	}
	return n.Text
}

// Files that the readers accept are right by the schemas.
func TestFilesAreValid(t *testing.T) {
	for name, patterns := range map[string][]string{
		"workload": {"../../network/nets/*.yaml", "../../testdata/*/*.yaml", "../../network/testdata/*.yaml"},
		"hardware": {"../../hardware/presets/*.yaml"},
		"energy":   {"../../energy/*.yaml"},
		"rule":     {"../../network/rules/*.yaml"},
	} {
		s, files := compiled(t, name), 0
		for _, pattern := range patterns {
			found, err := filepath.Glob(pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range found {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if name == "workload" {
					if _, err := network.Read(text, file); err != nil {
						continue // no workload
					}
				}
				d, err := config.Parse(text, file, "a file")
				if err != nil {
					t.Fatal(err)
				}
				files++
				if err := s.Validate(plain(d.Root)); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
		if files < 1 {
			t.Errorf("no %s file was tried", name)
		}
	}
}

// example is a file that has every mapping that its schema describes, and what
// reads it.
type example struct {
	text string
	read func(text []byte) error
}

var examples = map[string]example{
	"workload": {`{"input": {"channels": 2, "height": 8, "width": 8, "encoding": "event"}, "timesteps": 4, "batch": 2, "dropout": 0.1,
		"layers": [
			{"name": "a", "conv": {"out": 4, "kernel": [3, 1]}, "pool": {"kind": "max", "window": 2}, "neuron": {"leak": 0.5, "adaptation": {"decay": 0.5, "strength": 0.1}}},
			{"inputs": [{"from": "a", "fc": {"out": 6}}, {"from": "self", "delay": 1, "fc": {"bias": true}}]},
			{"fc": {"out": 3, "bias": false}}],
		"neuron": {"reset": 0.3, "surrogate": "rectangle", "adaptation": {"decay": 0.5, "strength": 0.1}},
		"training": {"loss": "ce", "optimizer": "rmsprop", "rule": {"update": "iteration", "trace": "leak", "feedback": "direct-all"}},
		"activity": {"input": 0.1, "layers": [0.2, 0.1], "classifiers": 0.5}}`, func(text []byte) error {
		_, err := network.Read(text, "f")
		return err
	}},
	"hardware": {`{"name": "x", "pe": {"rows": 4, "columns": 4, "lanes": 4, "clock": "200 MHz", "groups": "block", "precision": "fp16", "dataflow": "gated"},
		"onchip": {"weights": {"capacity": "64KiB"}, "states": {"capacity": "64KiB", "bank": "4KiB"}, "gradients": {"capacity": "64KiB", "banks": 2}, "spikes": {"capacity": "64KiB", "ports": 2}},
		"dma": {"engines": 2}, "dram": {"device": "ddr4-2400", "rate": "2400MT/s", "channels": 1, "ranks": 1}, "energy": "45nm"}`, func(text []byte) error {
		_, err := hardware.Read(text, "f")
		return err
	}},
	"energy": {energyExample(), func(text []byte) error {
		_, err := energy.Load(bytes.NewReader(text), "f")
		return err
	}},
	"rule": {`{"k": 1, "trace": 0.5, "backward_steps": "all", "readout": "current", "year": 2020}`, func(text []byte) error {
		_, err := network.ReadRule(text, "f")
		return err
	}},
	"grid": {`{"net": "lenet1", "k": [1, "max"], "set": {"dram.device": ["hbm2", "ddr4-2400"], "pe": {"rows": 4}}, "points": [{"n": 2, "set": {"onchip.capacity": "2MiB"}}]}`, func(text []byte) error {
		_, err := sweep.ReadSpec(text, "f")
		return err
	}},
}

// energyExample gives every value of a table a source.
func energyExample() string {
	sections := map[string]map[string]any{"pe": {}, "sram": {"read": map[string]any{"32 KiB": map[string]any{"value": "10 pJ"}}, "write": map[string]any{"32 KiB": "10 pJ"}}}
	for _, e := range energy.Default().Entries() {
		section, name, _ := strings.Cut(e.Key, ".")
		if !strings.HasPrefix(name, "read.") && !strings.HasPrefix(name, "write.") {
			sections[section][name] = map[string]any{"value": "1 " + string(e.Unit), "source": "a paper"}
		}
	}
	text, _ := json.Marshal(map[string]any{"technology": "45 nm", "pe": sections["pe"], "sram": sections["sram"]})
	return string(text)
}

// In every mapping a reader accepts the keys of the schema and no other: told of one
// that is none, it lists them.
func TestReadersAndSchemasHaveTheSameKeys(t *testing.T) {
	for _, s := range all {
		x, ok := examples[s.name]
		if !ok {
			continue // nothing reads a result
		}
		if err := x.read([]byte(x.text)); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		var value any
		decoder := json.NewDecoder(strings.NewReader(x.text))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if err := compiled(t, s.name).Validate(value); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		root := s.of()
		w := &walker{t: t, name: s.name, root: root, document: value, read: x.read, seen: map[*config.Schema]bool{}}
		w.walk(root, value, "")
		w.complete(root, "")
	}
}

// walker goes through a schema and a file that it describes.
type walker struct {
	t        *testing.T
	name     string
	root     *config.Schema
	document any
	read     func([]byte) error
	seen     map[*config.Schema]bool
}

// form returns the form of a schema that fits a value.
func (w *walker) form(s *config.Schema, kind string) *config.Schema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return w.form(w.root.Definitions.Get(name), kind)
	}
	for _, e := range s.Either {
		if f := w.form(e, kind); f != nil {
			return f
		}
	}
	if s.Type == kind {
		return s
	}
	return nil
}

func (w *walker) walk(s *config.Schema, value any, path string) {
	switch value := value.(type) {
	case []any:
		if s := w.form(s, "array"); s != nil {
			for i, item := range value {
				w.walk(s.Items, item, fmt.Sprintf("%s[%d]", path, i))
			}
		}
	case map[string]any:
		s := w.form(s, "object")
		if s == nil {
			w.t.Errorf("%s: %s is no mapping in the schema", w.name, path)
			return
		}
		w.seen[s] = true
		if s.Others == config.None {
			w.probe(s, value, path)
		}
		for name, inner := range value {
			of := s.Properties.Get(name)
			if of == nil && s.Others != config.None {
				if of = s.Properties.Get(name); s.Others != nil {
					of = s.Others.Schema
				}
			}
			if of != nil {
				w.walk(of, inner, path+"."+name)
			}
		}
	}
}

// probe reads the file with one key more.
func (w *walker) probe(s *config.Schema, at map[string]any, path string) {
	const unknown = "zzzzzz"
	at[unknown] = 1
	text, err := json.Marshal(w.document)
	delete(at, unknown)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.read(text)
	if err == nil {
		w.t.Errorf("%s: %s may have any key", w.name, path)
		return
	}
	_, list, ok := strings.Cut(err.Error(), "there are ")
	if !ok || !strings.Contains(err.Error(), unknown+": is not a key") {
		w.t.Errorf("%s: %s: %v", w.name, path, err)
		return
	}
	accepted := strings.Split(list, ", ")
	for i, name := range accepted {
		accepted[i] = name[strings.LastIndexByte(name, '.')+1:]
	}
	keys := s.Properties.Names()
	slices.Sort(accepted)
	slices.Sort(keys)
	if !slices.Equal(accepted, keys) {
		w.t.Errorf("%s: %s has the keys %v, by the schema %v", w.name, path, accepted, keys)
	}
}

// complete finds mappings of the schema that the example has not.
func (w *walker) complete(s *config.Schema, path string) {
	if s == nil {
		return
	}
	if s.Type == "object" && s.Others == config.None && !w.seen[s] {
		w.t.Errorf("%s: the example has no %s", w.name, path)
	}
	for _, p := range s.Properties {
		w.complete(p.Schema, path+"."+p.Name)
	}
	for _, p := range s.Definitions {
		w.complete(p.Schema, path+" $defs."+p.Name)
	}
	for _, e := range s.Either {
		w.complete(e, path)
	}
	w.complete(s.Items, path+"[]")
}

// What the readers refuse is not right by the schemas, either.
func TestMistakesAreInvalid(t *testing.T) {
	for name, texts := range map[string][]string{
		"workload": {
			"layers: 4FC-2FC\ntimesteps: 2", "input: {channels: 1, height: 1, width: 1, encoding: spikes}\nlayers: 2FC\ntimesteps: 1",
			"input: {channels: 1, height: 1, width: 1}\nlayers: [{conv: {out: 3}}]\ntimesteps: 1", "input: {channels: 1.5}\nlayers: 2FC\ntimesteps: 1",
			"input: {channels: 1}\nlayers: 2FC\ntimesteps: 1\nneuron: {surrogate: sigmoidal}",
		},
		"hardware": {
			"pe: {columns: 4, lanes: 4, clock: 200MHz}\nonchip: {capacity: 2MiB}\ndram: {device: hbm2, channels: 1, ranks: 1}",
			"pe: {rows: 4, columns: 4, lanes: 4, clock: 200MHz}\nonchip: {capacity: 2MiB}",
			"pe: {rows: 4, columns: 4, lanes: 4, clock: 200}\nonchip: {capacity: 2MiB}\ndram: {device: hbm2, channels: 1, ranks: 1}",
		},
		"energy": {"pe: {add_fp32: 1 mW}", "pe: {add_fp32: {source: x}}", "dram: {read: 1 pJ}"},
		"grid":   {"nets: lenet1", "net: {a: 1}"},
		"rule":   {"update: never", "trace: 1.5", "backward_steps: 0", "k: some"},
	} {
		s := compiled(t, name)
		for _, text := range texts {
			d, err := config.Parse([]byte(text), "f", "a file")
			if err != nil {
				t.Fatal(err)
			}
			if s.Validate(plain(d.Root)) == nil {
				t.Errorf("%s: %q is valid", name, text)
			}
		}
	}
}

// A result of a run, with everything that it may have, is right.
func TestResultsAreValid(t *testing.T) {
	w, err := network.Open("lenet1")
	if err != nil {
		t.Fatal(err)
	}
	w.Batch = 2
	for _, name := range []string{"paper", "zcu102"} {
		hw, err := hardware.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		e, err := design.Evaluate(design.Point{Workload: w, Hardware: hw, K: 4, N: 2, Help: true, Options: sim.Options{Energy: hw.Energy}})
		if err != nil {
			t.Fatal(err)
		}
		r, seed := report.NewRun(e), uint64(7)
		r.Attribute(e)
		r.RecordSeed(&seed)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		s := compiled(t, "result")
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		value.(map[string]any)["zzzzzz"] = 1
		if s.Validate(value) == nil {
			t.Error("a result may have any key")
		}
	}
}

func TestNames(t *testing.T) {
	if _, err := Write("hardwear"); err == nil || !strings.Contains(err.Error(), `did you mean "hardware"?`) {
		t.Error(err)
	}
	for _, name := range Names() {
		text, err := Write(name)
		if err != nil || !bytes.Contains(text, []byte(`"$id": "urn:accelsim:`)) || !json.Valid(text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
