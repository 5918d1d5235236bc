package crosscheck

import (
	"math/rand/v2"
	"testing"

	"github.com/accelsim-dev/accelsim/energy"
	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

// Small networks for rules: a chain, one with a residual block, a recurrent one.
const (
	chain = `
input: {channels: 2, height: 4, width: 4, encoding: event}
layers: 3C3-3AP2-4FC-3FC
timesteps: 20
batch: 2
neuron: {leak: 0.8, reset: 0.3, threshold: 0.3, surrogate_width: 2}
`
	residual = `
input: {channels: 2, height: 4, width: 4, encoding: event}
layers: 3C3-3RB-BN-4FC-3FC
timesteps: 10
batch: 2
neuron: {leak: 0.8, reset: 0.3, threshold: 0.3, surrogate_width: 2}
`
	recurrent = `
input: {channels: 6, height: 1, width: 1, encoding: event}
layers:
  - inputs: [{fc: {out: 5, bias: true}}, {from: self, delay: 1, fc: {}}]
  - inputs: [{fc: {out: 4}}, {from: self, delay: 1, fc: {}}]
  - fc: {out: 3}
timesteps: 10
batch: 2
neuron: {leak: 0.8, threshold: 0.3, surrogate: triangle, surrogate_width: 2, adaptation: {decay: 0.9, strength: 0.1}}
`
)

// byRule returns the program that trains a network by a named rule.
func byRule(t *testing.T, text, name string) *schedule.Program {
	t.Helper()
	w, err := network.Read([]byte(text), "small.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return named(t, w, name)
}

func named(t *testing.T, w *network.Workload, name string) *schedule.Program {
	t.Helper()
	rule, err := network.OpenRule(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := rule.Apply(w); err != nil {
		t.Fatal(err)
	}
	p, err := schedule.New(w, rule.K.Of(w.Timesteps), rule.N.Of(w.Net.N()), schedule.All)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

// Whatever the rule, the machine's values are the trainer's: of lenet1, of a residual
// and of a recurrent network, in a large layer buffer and in small ones.
func TestNamedRulesAreVerified(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range network.Rules() {
		lenet, err := network.Open("lenet1")
		if err != nil {
			t.Fatal(err)
		}
		lenet.Batch, lenet.Timesteps = 1, 10
		for what, p := range map[string]*schedule.Program{
			"lenet1": named(t, lenet, name), "a residual network": byRule(t, residual, name), "a recurrent network": byRule(t, recurrent, name),
		} {
			in := RandomInput(p.Workload(), p.Blocks, 3)
			large, err := sim.NewPlan(p, paper, schedule.Sequential, nil)
			if err != nil {
				t.Fatal(err)
			}
			small, _, err := narrow(t, rand.New(rand.NewPCG(1, 31)), paper, p, sim.Residency{}, schedule.Sequential)
			if err != nil {
				t.Fatalf("%s by %s: %v", what, name, err)
			}
			for _, plan := range []*sim.Plan{large, small} {
				v, err := Verify(plan, in, sim.Options{Untimed: true, Energy: energy.Default()})
				if err != nil {
					t.Fatalf("%s by %s: %v", what, name, err)
				}
				if !v.Pass || v.Values == 0 {
					t.Errorf("%s by %s: pass %v, %d values", what, name, v.Pass, v.Values)
				}
			}
		}
	}
}

// changed is a program with one step changed.
type changed struct {
	*schedule.Cursor
	number, at int
	change     func(*schedule.Step)
}

func (c *changed) Next(s *schedule.Step) bool {
	if !c.Cursor.Next(s) {
		return false
	}
	if c.number == c.at {
		c.change(s)
	}
	c.number++
	return true
}

// carried is one transfer of a program.
type carried struct {
	schedule.Transfer
	step, index int
	write       bool
}

func (c *carried) list(s *schedule.Step) *[]schedule.Transfer {
	if c.write {
		return &s.Writes
	}
	return &s.Reads
}

func carriedBy(p *schedule.Program) (list []carried) {
	var s schedule.Step
	c := p.Start()
	for i := 0; c.Next(&s); i++ {
		for j, t := range s.Reads {
			list = append(list, carried{t, i, j, false})
		}
		for j, t := range s.Writes {
			list = append(list, carried{t, i, j, true})
		}
	}
	return list
}

// isNeeded tells whether something reads what a transfer brings: a step what it loads,
// a later step or the host what is stored.
func isNeeded(p *schedule.Program, list []carried, c carried) bool {
	if !c.write {
		return true
	}
	for _, later := range list {
		if !later.write && later.step > c.step && later.Tensor == c.Tensor {
			return true
		}
	}
	row := c.Tensor.Class.Row()
	switch {
	case !row.Outcome || row.Kept: // moments are not among the tensors that are compared
		return false
	case row.Lifetime == role.PerInterval:
		return c.Tensor.Step == p.Updates()
	}
	return c.Tensor.Step == p.Workload().Timesteps
}

// Whatever the rule, a transfer that is left out or moved twice is noticed: by an
// error, in values, or in what is counted.
func TestEveryTransferOfEveryRuleIsNeededOnce(t *testing.T) {
	paper, err := hardware.Open("paper")
	if err != nil {
		t.Fatal(err)
	}
	transfers := 0
	for _, name := range network.Rules() {
		for what, text := range map[string]string{"chain": chain, "recurrent": recurrent} {
			p := byRule(t, text, name)
			in := RandomInput(p.Workload(), p.Blocks, 5)
			whole, err := sim.Run(p, paper, sim.Options{Untimed: true, Tensors: in})
			if err != nil {
				t.Fatal(err)
			}
			list := carriedBy(p)
			if len(list) > mostTransfers { // of every kind of step there are some among the first and the last
				list = append(list[:mostTransfers/2:mostTransfers/2], list[len(list)-mostTransfers/2:]...)
			}
			all := carriedBy(p)
			for _, c := range list {
				transfers++
				run := func(change func(list []schedule.Transfer) []schedule.Transfer) (*sim.Result, error) {
					source := &changed{Cursor: p.Start(), at: c.step, change: func(s *schedule.Step) { *c.list(s) = change(*c.list(s)) }}
					return sim.Run(p, paper, sim.Options{Untimed: true, Tensors: in, Source: source})
				}
				r, err := run(func(l []schedule.Transfer) []schedule.Transfer { return append(l[:c.index:c.index], l[c.index+1:]...) })
				if err == nil && isNeeded(p, all, c) && differs(r.Tensors, whole.Tensors) == "" {
					t.Errorf("%s by %s: nothing notices that %v is not moved in step %d", what, name, c.Tensor, c.step)
				}
				r, err = run(func(l []schedule.Transfer) []schedule.Transfer { return append(l[:len(l):len(l)], l[c.index]) })
				if err == nil && r.Words == whole.Words {
					t.Errorf("%s by %s: nothing notices that %v is moved twice in step %d", what, name, c.Tensor, c.step)
				}
			}
		}
	}
	if transfers < 1000 {
		t.Errorf("%d transfers only", transfers)
	}
	t.Logf("%d transfers left out, and doubled, one at a time", transfers)
}

// mostTransfers bounds how many transfers of a program are changed.
const mostTransfers = 160
