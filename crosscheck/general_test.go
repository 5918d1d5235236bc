package crosscheck

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/golden/plain"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/internal/vectortest"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
	"github.com/accelsim-dev/accelsim/tensors"
)

// A general is a random network with what Table 2's notation cannot write: kinds of
// projection, delays and recurrence, neurons, pooling, readouts and rules.
type general struct {
	r      *rand.Rand
	text   strings.Builder
	delays int // of the network's input: 0 if it is encoded directly
	// own says which parameters differ from neuron to neuron; nil for none.
	own *rand.Rand
}

func (g *general) one(of ...string) string { return of[g.r.IntN(len(of))] }

func (g *general) neuron() string {
	keys := []string{fmt.Sprintf("leak: 0.%d", 5+g.r.IntN(5)), fmt.Sprintf("threshold: 0.%d", 3+g.r.IntN(3))}
	for _, k := range []string{
		"hard_reset: 0", "synapse_leak: 0.5", "input_gain: 0.75", "offset: 0.01",
		"adaptation: {decay: 0.9, strength: 0.1}", "surrogate: " + g.one("triangle", "sigmoid", "atan", "fast-sigmoid"), "reset_gradient: false",
	} {
		if g.r.IntN(4) == 0 {
			keys = append(keys, k)
		}
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// arrays lets some of a layer's parameters differ from neuron to neuron. Pooling neurons
// would need values, too.
func (g *general) arrays(neuron string, pool string) string {
	if g.own == nil || strings.Contains(pool, "fire") {
		return neuron
	}
	for _, key := range []string{"leak", "threshold", "hard_reset", "synapse_leak", "input_gain", "offset"} {
		at := strings.Index(neuron, key+": ")
		if at > 0 && neuron[at-1] != '_' && g.own.IntN(2) == 0 {
			end := at + len(key) + 2
			neuron = neuron[:end] + "array" + strings.TrimLeft(neuron[end:], "-.0123456789")
		}
	}
	return neuron
}

// layers are maps of 4 channels and 4x6 values, so that all can be added and read.
func (g *general) layers() {
	n := 1 + g.r.IntN(4)
	for l := 1; l <= n; l++ {
		from := "input"
		if l > 1 {
			from = fmt.Sprintf("l%d", 1+g.r.IntN(l-1))
		}
		var inputs []string
		conv := fmt.Sprintf("conv: {out: 4, kernel: %s%s%s}", g.one("3", "[3, 1]", "[1, 3]"), g.one("", ", groups: 2"), g.one("", ", dilation: 2"))
		if g.r.IntN(3) == 0 {
			conv = strings.Replace(conv, "}", ", bias: true}", 1)
		}
		inputs = append(inputs, fmt.Sprintf("{from: %s, %s}", from, conv))
		if l > 1 && g.r.IntN(3) == 0 {
			inputs = append(inputs, fmt.Sprintf("{from: l%d, delay: %d, identity: true}", 1+g.r.IntN(l-1), g.r.IntN(2)))
		}
		if l > 1 && g.r.IntN(3) == 0 {
			inputs = append(inputs, fmt.Sprintf("{from: l%d, delay: %d, conv: {out: 4, kernel: %s}}", 1+g.r.IntN(l-1), g.r.IntN(2), g.one("1", "3", "[1, 3]")))
		}
		if l > 1 && g.r.IntN(4) == 0 {
			inputs = append(inputs, fmt.Sprintf("{from: input, delay: %d, conv: {out: 4, kernel: 3}}", g.r.IntN(2)*g.delays))
		}
		if g.r.IntN(3) == 0 {
			inputs = append(inputs, "{from: self, delay: 1, "+g.one("conv: {kernel: 3}", "identity: true")+"}")
		}
		parts := []string{fmt.Sprintf("name: l%d", l), "inputs: [" + strings.Join(inputs, ", ") + "]"}
		if !strings.Contains(conv, "bias") && g.r.IntN(4) == 0 {
			parts = append(parts, "norm: batch")
		}
		if l > 1 && g.r.IntN(3) == 0 {
			parts = append(parts, fmt.Sprintf("add: l%d", 1+g.r.IntN(l-1)))
		}
		if g.r.IntN(3) == 0 {
			parts = append(parts, fmt.Sprintf("pool: {kind: %s, window: 3, stride: 1, padding: 1}", g.one("fire", "average", "sum", "max")))
		}
		if g.r.IntN(3) == 0 {
			parts = append(parts, "neuron: "+g.arrays(g.neuron(), parts[len(parts)-1]))
		}
		fmt.Fprintf(&g.text, "  - {%s}\n", strings.Join(parts, ", "))
	}
	g.tail(n)
	g.text.WriteString("  - fc: {out: 3}\n")
}

// tail is layers after n that nobody adds to another: a smaller map, and fully
// connected ones, which may read any map before.
func (g *general) tail(n int) {
	last := n
	neuron := func() string {
		if g.r.IntN(3) == 0 {
			return ", neuron: " + g.neuron()
		}
		return ""
	}
	if g.r.IntN(3) == 0 {
		last++
		pool := g.one("", ", pool: {kind: "+g.one("fire", "average", "sum", "max")+", window: 2}")
		groups := g.one("", "", ", groups: 4")
		fmt.Fprintf(&g.text, "  - {name: l%d, conv: {out: 8, kernel: 3, stride: %d%s}%s%s}\n", last, 1+g.r.IntN(2), groups, pool, neuron())
	}
	for range g.r.IntN(3) {
		last++
		inputs := []string{fmt.Sprintf("{fc: {out: 5%s}}", g.one("", ", bias: true"))}
		if g.r.IntN(3) == 0 {
			inputs = append(inputs, "{from: self, delay: 1, "+g.one("fc: {}", "identity: true")+"}")
		}
		if g.r.IntN(4) == 0 {
			inputs = append(inputs, fmt.Sprintf("{from: l%d, delay: %d, fc: {out: 5}}", 1+g.r.IntN(n), g.r.IntN(2)))
		}
		fmt.Fprintf(&g.text, "  - {name: l%d, inputs: [%s]%s}\n", last, strings.Join(inputs, ", "), neuron())
	}
}

// draw returns a workload and (k, n) that its rule allows.
func drawGeneral(t *testing.T, seed uint64) (w *network.Workload, k, n int, text string) {
	t.Helper()
	g := &general{r: rand.New(rand.NewPCG(seed, 17))}
	if seed%2 == 0 {
		g.own = rand.New(rand.NewPCG(seed, 18))
	}
	encoding := g.one("event", "event", "direct")
	if encoding == "event" {
		g.delays = 1
	}
	fmt.Fprintf(&g.text, "input: {channels: 2, height: 4, width: 6, encoding: %s}\ntimesteps: 6\nbatch: %d\nlayers:\n", encoding, 1+g.r.IntN(3))
	g.layers()
	fmt.Fprintf(&g.text, "neuron: %s\n", g.neuron())
	k = []int{1, 2, 3, 6}[g.r.IntN(4)]
	training := []string{"loss: " + g.one("mse", "ce"), "optimizer: " + g.one("sgd", "adam", "rmsprop"), "readout: " + g.one("spikes", "potential", "current")}
	if g.r.IntN(3) == 0 {
		training = append(training, "classifier: random")
	} else if g.r.IntN(2) == 0 {
		training = append(training, "classifier_bias: true")
	}
	var rule []string
	for _, choice := range []string{"update: iteration", "feedback: direct-all", "feedback: direct", fmt.Sprintf("backward_steps: %d", 1+g.r.IntN(k)), "trace: " + g.one("0.7", "leak")} {
		if strings.Contains(g.text.String(), " leak: array") || strings.Contains(g.text.String(), "{leak: array") {
			choice = strings.Replace(choice, "trace: leak", "trace: 0.7", 1) // one for each neuron that reads
		}
		if g.r.IntN(3) == 0 && (k == 1 || !strings.HasPrefix(choice, "trace")) && !(strings.HasPrefix(choice, "feedback") && strings.Contains(strings.Join(rule, ""), "feedback")) {
			rule = append(rule, choice)
		}
	}
	if len(rule) > 0 {
		training = append(training, "rule: {"+strings.Join(rule, ", ")+"}")
	}
	fmt.Fprintf(&g.text, "training: {%s}\n", strings.Join(training, ", "))
	fmt.Fprintf(&g.text, "activity: {input: 0.3, layers: [0.1, 0.25, 0.35, 0.5, 0.2, 0.4, 0.15]}\n")
	text = g.text.String()
	w, err := network.Read([]byte(text), "random.yaml")
	if err != nil { // the list of densities is as long as there are layers
		layers := strings.Count(text, "name: l")
		text = strings.Replace(text, "[0.1, 0.25, 0.35, 0.5, 0.2, 0.4, 0.15]", "["+strings.Join([]string{"0.1", "0.25", "0.35", "0.5", "0.2", "0.4", "0.15"}[:layers], ", ")+"]", 1)
		if w, err = network.Read([]byte(text), "random.yaml"); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	n = 1 + g.r.IntN(w.Net.N())
	return w, k, n, text
}

// allowed tells whether the rule goes with k and n.
func allowed(w *network.Workload, k, n int) bool {
	blocks, err := w.Net.Blocks(n)
	return err == nil && w.Training.Rule.Check(k, blocks) == nil
}

// What moves and executes on the machine is what the equations say of any network
// and rule, in both traffic modes.
func TestRandomGraphsAndRulesMoveWhatTheEquationsSay(t *testing.T) {
	hw, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for seed := range generalCases() {
		w, k, n, text := drawGeneral(t, seed)
		if !allowed(w, k, n) {
			continue
		}
		cases++
		for _, traffic := range []schedule.Traffic{schedule.All, schedule.Equations} {
			p, err := schedule.New(w, k, n, traffic)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			r, err := sim.Run(p, hw, sim.Options{Untimed: seed%4 != 0, Energy: energy.Default()})
			if err != nil {
				t.Fatalf("(%d, %d): %v\n%s", k, n, err, text)
			}
			c, _, err := Equations(r, false)
			if err != nil {
				t.Fatalf("(%d, %d): %v\n%s", k, n, err, text)
			}
			for _, row := range c.Rows {
				if row.Difference != 0 {
					t.Errorf("seed %d (%d, %d), %v: %s: %d simulated, %d by the equations\n%s", seed, k, n, traffic, row.Quantity, row.Simulated, row.Analytic, text)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if cases < int(generalCases())/2 {
		t.Errorf("%d cases only", cases)
	}
}

// What the machine computes of any network and rule is what the plain trainer
// computes, to the bit, whatever stays on chip and however many PE groups work.
func TestRandomGraphsAndRulesComputeWhatThePlainTrainerDoes(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	chip, err := hardware.Open("zcu102")
	if err != nil {
		t.Fatal(err)
	}
	cases, spiking, pipelined := 0, 0, 0
	for seed := range generalCases() {
		w, k, n, text := drawGeneral(t, seed)
		if !allowed(w, k, n) {
			continue
		}
		cases++
		p, err := schedule.New(w, k, n, schedule.All)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		in := RandomInput(w, p.Blocks, seed)
		want, err := plain.Run(w, k, n, in)
		if err != nil {
			t.Fatalf("(%d, %d): %v\n%s", k, n, err, text)
		}
		if want["spikes1"].Int64[0] > 0 {
			spiking++
		}
		for i, way := range []struct {
			hw        *hardware.Hardware
			residency sim.Residency
			order     schedule.Order
		}{
			{hw: paper},
			{hw: chip},
			{hw: paper, residency: sim.Residency{Resident: true}},
			{hw: chip, residency: sim.Residency{Resident: true, SkipUnread: true}},
			{hw: paper, order: schedule.Pipelined, residency: sim.Residency{SkipUnread: true}},
			{hw: paper, order: schedule.Pipelined},
		} {
			if uint64(i)%2 != seed%2 {
				continue // every other way, for the time that it takes
			}
			plan, err := way.residency.Plan(p, way.hw, way.order, nil)
			if errors.Is(err, sim.ErrAcross) {
				continue
			}
			if err != nil {
				t.Fatalf("(%d, %d), %+v: %v\n%s", k, n, way, err, text)
			}
			if way.order == schedule.Pipelined && len(p.Blocks) > 1 {
				pipelined++
			}
			r, err := plan.Run(sim.Options{Untimed: seed%4 != 0 && way.order == schedule.Sequential, Energy: energy.Default(), Tensors: in})
			if err != nil {
				t.Fatalf("(%d, %d), %+v: %v\n%s", k, n, way, err, text)
			}
			if diff := differs(r.Tensors, want); diff != "" {
				t.Fatalf("seed %d (%d, %d), %+v: %s\n%s", seed, k, n, way, diff, text)
			}
		}
	}
	if cases < int(generalCases())/2 || spiking < cases*3/4 || pipelined < cases/8 {
		t.Errorf("%d cases, %d of them with spikes, %d pipelined", cases, spiking, pipelined)
	}
}

// differs names the first value in which two sets of tensors differ.
func differs(got, want tensors.Set) string {
	if len(got) != len(want) {
		return fmt.Sprintf("tensors are %v, want %v", got.Names(), want.Names())
	}
	for _, name := range want.Names() {
		a, b := got[name], want[name]
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s has %d values, want %d", name, a.Len(), b.Len())
		}
		for i := range b.Len() {
			if a.At(i) != b.At(i) {
				return fmt.Sprintf("%s is %v at %d on the machine, %v in the trainer", name, a.At(i), i, b.At(i))
			}
		}
	}
	return ""
}

// generalCases are the random networks; `make test` runs all of them without the race
// detector, too.
func generalCases() uint64 {
	if raceEnabled {
		return 40
	}
	return 600
}

// Every published case is verified on the paper's machine and on a chip's: equal in
// every value.
func TestGeneralCasesAreVerified(t *testing.T) {
	for _, file := range vectortest.General(t) {
		c := vectortest.Read(t, file)
		w := c.Workload
		for _, name := range []string{"paper", "zcu102"} {
			hw, err := hardware.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			p, err := schedule.New(w, c.K, c.N, schedule.All)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := sim.NewPlan(p, hw, schedule.Sequential, nil)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Verify(plan, RandomInput(w, p.Blocks, 1), sim.Options{Untimed: true, Energy: energy.Default()})
			if err != nil {
				t.Fatalf("%s on %s: %v", file, name, err)
			}
			if !v.Pass || v.Values < 500 {
				t.Errorf("%s on %s: pass %v, %d values", file, name, v.Pass, v.Values)
			}
		}
	}
}
