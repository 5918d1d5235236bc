package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// program returns the program of a workload on 2x8x8 events.
func program(t testing.TB, layers string, timesteps, k, n int, traffic schedule.Traffic, edit ...func(*network.Workload)) *schedule.Program {
	t.Helper()
	w, err := network.Read(fmt.Appendf(nil,
		"input: {channels: 2, height: 8, width: 8, encoding: event}\nlayers: %s\ntimesteps: %d\nbatch: 3\n", layers, timesteps), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edit {
		e(w)
	}
	p, err := schedule.New(w, k, n, traffic)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func random(w *network.Workload) { w.Training.Classifier = network.Random }

func direct(w *network.Workload) { w.Net.Encoding = network.Direct }

// residual has every kind of layer: batch norm, pooling, both shortcuts.
const residual = "2RB-BN-4RB-BN-4AP2-3FC-5FC"

// each visits all steps.
func each(p *schedule.Program, visit func(*schedule.Step)) {
	var s schedule.Step
	for c := p.Start(); c.Next(&s); {
		visit(&s)
	}
}

// order writes the steps of an iteration, one letter and number each: forward
// and backward layers F and B, classifiers f and b, updates U and u; a new line
// for each time step and pass.
func order(p *schedule.Program) string {
	var b strings.Builder
	row := ""
	each(p, func(s *schedule.Step) {
		pass := fmt.Sprintf("%d backward", s.Time)
		switch {
		case s.Kind == schedule.UpdateLayer || s.Kind == schedule.UpdateClassifier:
			pass = "update"
		case s.End:
			pass = fmt.Sprintf("%d=t_k", s.Time)
		case s.Kind.Forward():
			pass = fmt.Sprintf("%d forward", s.Time)
		}
		if pass != row {
			fmt.Fprintf(&b, "\n%s:", pass)
			row = pass
		}
		number := s.Layer
		if number == 0 {
			number = s.Block
		}
		fmt.Fprintf(&b, " %c%d", "FfbBUu"[s.Kind], number)
	})
	return strings.TrimSpace(b.String())
}

func TestFigure8OrderOfSteps(t *testing.T) {
	for _, c := range []struct {
		what string
		p    *schedule.Program
		want string
	}{
		{"two blocks, k = 2", program(t, "2FC-3FC-4FC-5FC", 4, 2, 2, schedule.All), `
1 forward: F1 F2 f1 F3 f2
2=t_k: F1 F2 f1 b1 B2 B1 F3 f2 b2 B3
1 backward: b2 B3 b1 B2 B1
update: U1 U2 u1 U3 u2
3 forward: F1 F2 f1 F3 f2
4=t_k: F1 F2 f1 b1 B2 B1 F3 f2 b2 B3
3 backward: b2 B3 b1 B2 B1
update: U1 U2 u1 U3 u2`},
		{"k = 1 has only t_k", program(t, "2FC-3FC-5FC", 2, 1, 1, schedule.All), `
1=t_k: F1 f1 b1 B1 F2 f2 b2 B2
update: U1 u1 U2 u2
2=t_k: F1 f1 b1 B1 F2 f2 b2 B2
update: U1 u1 U2 u2`},
		{"BPTT is one interval and one block", program(t, "2FC-3FC-5FC", 3, 3, 2, schedule.All), `
1 forward: F1 F2 f1
2 forward: F1 F2 f1
3=t_k: F1 F2 f1 b1 B2 B1
2 backward: b1 B2 B1
1 backward: b1 B2 B1
update: U1 U2 u1`},
		{"random classifiers are not updated", program(t, "2FC-3FC-5FC", 1, 1, 1, schedule.All, random), `
1=t_k: F1 f1 b1 B1 F2 f2 b2 B2
update: U1 U2`},
		{"the equations know no optimizer", program(t, "2FC-3FC-5FC", 1, 1, 1, schedule.Equations), `
1=t_k: F1 f1 b1 B1 F2 f2 b2 B2`},
	} {
		if diff := cmp.Diff(strings.TrimSpace(c.want), order(c.p)); diff != "" {
			t.Errorf("%s, want -, got +:\n%s", c.what, diff)
		}
	}
}

// text writes what a step reads, has on chip and writes.
func text(s *schedule.Step) string {
	var b strings.Builder
	for _, x := range s.Reads {
		fmt.Fprintf(&b, "%v ", x.Tensor)
	}
	for _, x := range s.Uses {
		fmt.Fprintf(&b, "[%v] ", x)
	}
	b.WriteString("->")
	for _, x := range s.Writes {
		fmt.Fprintf(&b, " %v", x.Tensor)
	}
	return b.String()
}

// TestFigure8Transfers lists the traffic of the equations of one interval,
// symbol by symbol.
func TestFigure8Transfers(t *testing.T) {
	p := program(t, "2FC-3FC-4FC-5FC", 4, 2, 2, schedule.Equations)
	var got []string
	each(p, func(s *schedule.Step) {
		if s.Interval == 2 {
			got = append(got, text(s))
		}
	})
	want := []string{
		// Eq. 11 at t = 3.
		"W^1 U^{2,1} -> U^{3,1}",
		"W^2 U^{2,2} [S^{3,1}] -> U^{3,2}",
		"W_c^1 U_c^{2,1} [S^{3,2}] -> U_c^{3,1}",
		"W^3 U^{2,3} [S^{3,2}] -> U^{3,3}",
		"W_c^2 U_c^{2,2} [S^{3,3}] -> U_c^{3,2}",
		// t_k = 4: block 1 forward, then Eq. 14; block 2 likewise.
		"W^1 U^{3,1} -> U^{4,1}",
		"W^2 U^{3,2} [S^{4,1}] -> U^{4,2}",
		"W_c^1 U_c^{3,1} [S^{4,2}] [ΣS_c^1] -> U_c^{4,1}",
		"[U_c^{4,1}] [δ_c^{4,1}] [S^{4,2}] -> dW_c^1 γ_c^{4,1}",
		"W_c^1 [U^{4,2}] [γ_c^{4,1}] [S^{4,1}] -> γ^{4,2} dW^2",
		"U^{4,1} W^2 [γ^{4,2}] -> γ^{4,1} dW^1",
		"W^3 U^{3,3} [S^{4,2}] -> U^{4,3}",
		"W_c^2 U_c^{3,2} [S^{4,3}] [ΣS_c^2] -> U_c^{4,2}",
		"[U_c^{4,2}] [δ_c^{4,2}] [S^{4,3}] -> dW_c^2 γ_c^{4,2}",
		"W_c^2 [U^{4,3}] [γ_c^{4,2}] [S^{4,2}] -> γ^{4,3} dW^3",
		// Eqs. 12 and 13 at t = 3.
		"U_c^{3,2} δ_c^{4,2} γ_c^{4,2} dW_c^2 -> dW_c^2 γ_c^{3,2}",
		"U^{3,3} γ^{4,3} dW^3 W_c^2 [γ_c^{3,2}] -> γ^{3,3} dW^3",
		"U_c^{3,1} δ_c^{4,1} γ_c^{4,1} dW_c^1 -> dW_c^1 γ_c^{3,1}",
		"U^{3,2} γ^{4,2} dW^2 W_c^1 [γ_c^{3,1}] -> γ^{3,2} dW^2",
		"U^{3,1} γ^{4,1} dW^1 W^2 [γ^{3,2}] -> γ^{3,1} dW^1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestFigure8Operations lists what is computed for one layer with everything.
func TestFigure8Operations(t *testing.T) {
	p := program(t, residual, 2, 2, 6, schedule.All)
	got := map[string]string{}
	each(p, func(s *schedule.Step) {
		var ops []string
		for _, k := range s.Kernels {
			ops = append(ops, k.Op.String())
		}
		key := fmt.Sprintf("%v %d", s.Kind, s.Layer)
		if s.End {
			key += " at t_k"
		}
		got[key] = strings.Join(ops, "; ")
	})
	for key, want := range map[string]string{
		"forward 1":           "sum W·s (Eq. 1); batch norm; fire (Eqs. 1, 2)",
		"forward 2":           "sum W·s (Eq. 1); batch norm; fire (Eqs. 1, 2); add spikes",
		"forward 4":           "sum W·s (Eq. 1); batch norm; fire (Eqs. 1, 2)",
		"forward 5":           "sum W·s (Eq. 1); batch norm; fire (Eqs. 1, 2); add spikes; pool",
		"classify 0":          "sum W·s (Eq. 1); fire (Eqs. 1, 2); count spikes",
		"classify 0 at t_k":   "sum W·s (Eq. 1); fire (Eqs. 1, 2); count spikes; loss, δ_c (Eq. 3)",
		"backward 6 at t_k":   "Wᵀγ (Eq. 4); δ·Θ' (Eq. 5); dW += γ·s (Eq. 7)",
		"backward 5":          "Wᵀγ (Eq. 4); pool back (Eqs. 4, 5); −θγ, +τγ (Eqs. 4, 5); δ·Θ' (Eq. 5); batch norm back; dW += γ·s (Eq. 7)",
		"backward 4":          "−θγ, +τγ (Eqs. 4, 5); δ·Θ' (Eq. 5); batch norm back; dW += γ·s (Eq. 7)",
		"backward 2":          "Wᵀγ (Eq. 4); Wᵀγ (Eq. 4); −θγ, +τγ (Eqs. 4, 5); δ·Θ' (Eq. 5); batch norm back; dW += γ·s (Eq. 7)",
		"backward 1 at t_k":   "Wᵀγ (Eq. 4); δ·Θ' (Eq. 5); batch norm back; dW += γ·s (Eq. 7)",
		"update 1":            "optimizer; optimizer",
		"update 6":            "optimizer",
		"update classifier 0": "optimizer",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}

// TestStatesOfTheTopStayOnChipAtTk: at t_k the backward step of a block's top
// layer and classifier read nothing of what their forward steps left.
func TestStatesOfTheTopStayOnChipAtTk(t *testing.T) {
	for _, c := range []struct{ k, n int }{{1, 1}, {2, 2}, {4, 6}} {
		p := program(t, residual, 4, c.k, c.n, schedule.All)
		var held []role.Tensor // after the step before
		each(p, func(s *schedule.Step) {
			for _, x := range s.Reads {
				if slices.Contains(held, x.Tensor) && s.End {
					t.Errorf("(%d,%d): t = %d, %v of layer %d reads %v, which is on chip", c.k, c.n, s.Time, s.Kind, s.Layer, x.Tensor)
				}
			}
			for _, used := range s.Uses {
				if !slices.Contains(held, used) && !slices.ContainsFunc(s.Products, func(made schedule.Product) bool { return made.Tensor == used }) {
					t.Errorf("(%d,%d): t = %d, %v of layer %d uses %v, which nothing kept", c.k, c.n, s.Time, s.Kind, s.Layer, used)
				}
			}
			if s.End && !s.Kind.Forward() && s.Layer == p.Blocks[s.Block-1].Last {
				for _, x := range s.Reads {
					if x.Tensor.Step == s.Time && x.Tensor.Class != role.Weight && x.Tensor.Class != role.ClassifierWeight && x.Beyond == schedule.Covered {
						t.Errorf("(%d,%d): top layer %d reads %v at t_k", c.k, c.n, s.Layer, x.Tensor)
					}
				}
			}
			held = slices.Clone(s.Keeps)
		})
	}
}

func TestGammaIsNeverWrittenWhereKIsOne(t *testing.T) {
	errors := map[role.Role]bool{role.PotentialError: true, role.ClassifierError: true, role.PoolError: true, role.ClassifierDelta: true}
	for _, traffic := range []schedule.Traffic{schedule.All, schedule.Equations} {
		for _, k := range []int{1, 2} {
			p := program(t, residual, 4, k, 2, traffic)
			writes := map[role.Role]int{}
			each(p, func(s *schedule.Step) {
				for _, x := range s.Writes {
					writes[x.Tensor.Class]++
				}
				for _, x := range s.Reads {
					if k == 1 && errors[x.Tensor.Class] {
						t.Errorf("k = 1 reads %v", x.Tensor)
					}
				}
			})
			wrote := writes[role.PotentialError] + writes[role.ClassifierError] + writes[role.PoolError] + writes[role.ClassifierDelta]
			if k == 1 && wrote != 0 {
				t.Errorf("k = 1 writes %d errors", wrote)
			}
			// With k > 1 each of 6 layers' at every one of 4 steps.
			if k == 2 && writes[role.PotentialError] != 6*4 {
				t.Errorf("k = 2 writes %d errors of layers, want 24", writes[role.PotentialError])
			}
			for _, e := range p.Extents() {
				if k == 1 && errors[e.Class] {
					t.Errorf("k = 1 has an address for %v", e.Class)
				}
			}
		}
	}
}

func TestRandomClassifiersNeverCrossTheMemoryPort(t *testing.T) {
	for _, k := range []int{1, 2} {
		p := program(t, residual, 4, k, 2, schedule.All, random)
		regenerated := 0
		each(p, func(s *schedule.Step) {
			for _, x := range slices.Concat(s.Reads, s.Writes) {
				switch x.Tensor.Class {
				case role.ClassifierWeight, role.ClassifierGradient, role.ClassifierMoment:
					t.Errorf("%v moves", x.Tensor)
				}
			}
			for _, kernel := range s.Kernels {
				if kernel.Op == schedule.Regenerate {
					regenerated++
				}
				if kernel.Op == schedule.Gradient && kernel.Classifier {
					t.Error("a frozen classifier has a gradient")
				}
			}
		})
		// Once forward and once backward, per step and block.
		if want := 2 * 4 * len(p.Blocks); regenerated != want {
			t.Errorf("regenerated %d times, want %d", regenerated, want)
		}
		for _, e := range p.Extents() {
			if e.Class == role.ClassifierWeight || e.Class == role.ClassifierGradient || e.Class == role.ClassifierMoment {
				t.Errorf("an address for %v", e.Class)
			}
		}
	}
}

func TestEquationsTrafficIsTheCoveredPartOfAll(t *testing.T) {
	for _, k := range []int{1, 2, 4} {
		covered := func(p *schedule.Program) (list []string) {
			each(p, func(s *schedule.Step) {
				for _, x := range slices.Concat(s.Reads, s.Writes) {
					if x.Beyond == schedule.Covered {
						list = append(list, fmt.Sprint(s.Kind, s.Time, x))
					}
				}
			})
			return list
		}
		all := covered(program(t, residual, 4, k, 2, schedule.All))
		equations := program(t, residual, 4, k, 2, schedule.Equations)
		only := covered(equations)
		if diff := cmp.Diff(all, only); diff != "" {
			t.Errorf("k = %d, covered among all -, alone +:\n%s", k, diff)
		}
		each(equations, func(s *schedule.Step) {
			for _, x := range slices.Concat(s.Reads, s.Writes) {
				if x.Beyond != schedule.Covered {
					t.Errorf("%v is %v and moves", x.Tensor, x.Beyond)
				}
			}
		})
		for _, e := range equations.Extents() {
			switch e.Class {
			case role.Weight, role.WeightGradient, role.Potential, role.PotentialError, role.ClassifierWeight,
				role.ClassifierGradient, role.ClassifierPotential, role.ClassifierError, role.ClassifierDelta:
			default:
				t.Errorf("%v has an address", e.Class)
			}
		}
	}
}

// TestSlots: "separate locations" for what backward reads of each step.
func TestSlots(t *testing.T) {
	for _, c := range []struct{ k, history int }{{1, 2}, {2, 2}, {4, 4}} {
		p := program(t, residual, 4, c.k, 2, schedule.All)
		for _, e := range p.Extents() {
			want := 1
			switch e.Class {
			case role.Potential, role.ClassifierPotential, role.PoolPotential, role.Spikes, role.NormSaved:
				want = c.history
			case role.Input:
				want = 4 // a frame per time step
			}
			if e.Slots != want {
				t.Errorf("k = %d: %v has %d slots, want %d", c.k, e.Class, e.Slots, want)
			}
		}
	}
	for _, e := range program(t, "2C3-3FC-5FC", 4, 2, 2, schedule.All, direct).Extents() {
		if e.Class == role.Input && (e.Slots != 1 || e.Words != 3*2*8*8) {
			t.Errorf("direct input: %+v, want one frame of words", e)
		}
	}
}

func TestFramesArePacked(t *testing.T) {
	for _, e := range program(t, "3FC-5FC", 2, 2, 1, schedule.All).Extents() {
		if e.Class == role.Input && e.Words != 3*2*8*8/32 {
			t.Errorf("a batch of frames takes %d words, want a bit per pixel", e.Words)
		}
	}
}

// TestMoments: one word of state per weight for momentum, two for Adam,
// one for RMSprop, none
// for plain SGD.
func TestMoments(t *testing.T) {
	for _, c := range []struct {
		optimizer string
		momentum  float64
		words     units.Words // per weight
	}{{network.SGD, 0.9, 1}, {network.SGD, 0, 0}, {network.Adam, 0.9, 2}, {network.Adam, 0, 2}, {network.RMSprop, 0, 1}} {
		p := program(t, "4C3-BN-5FC", 2, 2, 1, schedule.All, func(w *network.Workload) {
			w.Training.Optimizer, w.Training.Momentum = c.optimizer, c.momentum
		})
		got := map[role.Role]units.Words{}
		for _, e := range p.Extents() {
			got[e.Class] += e.Words * units.Words(e.Slots)
		}
		for of, moments := range map[role.Role]role.Role{
			role.Weight: role.Moment, role.ClassifierWeight: role.ClassifierMoment, role.NormParameter: role.NormMoment,
		} {
			if got[moments] != c.words*got[of] {
				t.Errorf("%s with momentum %v: %d words of %v for %d of %v", c.optimizer, c.momentum, got[moments], moments, got[of], of)
			}
		}
	}
}

func TestSpikesArePacked(t *testing.T) {
	p := program(t, "3C3-3AP2-2RBx3-5FC", 2, 2, 7, schedule.All)
	packed := func(values, bits units.Words) units.Words { return (3*values*bits + 31) / 32 } // batch 3
	want := map[int]units.Words{
		1: packed(3*4*4, 1), // after pooling
		2: packed(2*2*2, 1),
		4: packed(2*2*2, 2), // with the shortcut: 0..2
		6: packed(2*2*2, 2), // and another operand: 0..3
		8: packed(2*2*2, 3), // 0..4
	}
	for _, e := range p.Extents() {
		if e.Class != role.Spikes {
			continue
		}
		if w, ok := want[e.Index]; ok && e.Words != w {
			t.Errorf("spikes of layer %d take %d words, want %d", e.Index, e.Words, w)
		}
		if e.Index == 3 {
			t.Error("the second convolution's own spikes have an address")
		}
	}
}

func TestStepsAreCounted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		timesteps := rapid.SampledFrom([]int{1, 2, 6}).Draw(r, "T")
		k := rapid.SampledFrom(network.Divisors(timesteps)).Draw(r, "k")
		traffic := schedule.Traffic(rapid.Bool().Draw(r, "only equations"))
		p := program(t, residual, timesteps, k, rapid.IntRange(1, 6).Draw(r, "n"), traffic)
		count := int64(0)
		var s schedule.Step
		c := p.Start()
		for c.Next(&s) {
			count++
		}
		if count != p.Steps() {
			r.Errorf("%d steps, Steps says %d", count, p.Steps())
		}
		if c.Next(&s) {
			r.Error("a step after the last")
		}
	})
}

// TestNextAllocatesNothing: a program of any length takes the same memory.
func TestNextAllocatesNothing(t *testing.T) {
	for _, timesteps := range []int{8, 8192} {
		p := program(t, residual, timesteps, 8, 2, schedule.All)
		var s schedule.Step
		c := p.Start()
		for range p.Steps() / int64(p.Intervals()) { // warm up with an interval
			c.Next(&s)
		}
		c.Rewind()
		if n := testing.AllocsPerRun(200, func() {
			if !c.Next(&s) {
				c.Rewind()
			}
		}); n != 0 {
			t.Errorf("T = %d: Next allocates %v times", timesteps, n)
		}
	}
}

func TestProgramSizeDoesNotDependOnT(t *testing.T) {
	allocated := func(timesteps int) float64 {
		p := program(t, residual, timesteps, 4, 2, schedule.All)
		w := p.Workload()
		return testing.AllocsPerRun(10, func() {
			if _, err := schedule.New(w, 4, 2, schedule.All); err != nil {
				t.Fatal(err)
			}
		})
	}
	if short, long := allocated(4), allocated(4096); short != long {
		t.Errorf("%v allocations for 4 time steps, %v for 4096", short, long)
	}
}

// TestWorkingSet is the room that loading one step ahead takes, no more.
func TestWorkingSet(t *testing.T) {
	p := program(t, residual, 8, 4, 3, schedule.All)
	var largest, kept, held units.Words
	sizes := map[role.Tensor]units.Words{}
	each(p, func(s *schedule.Step) {
		own := s.Demand()
		for _, x := range s.Reads {
			sizes[x.Tensor] = x.Words
		}
		for _, made := range s.Products {
			sizes[made.Tensor] = made.Words
		}
		largest = max(largest, held+own, kept+own)
		held, kept = kept+own, 0
		for _, x := range s.Keeps {
			kept += sizes[x]
		}
	})
	if got := p.WorkingSet(); got != largest {
		t.Errorf("working set %d words, want %d", got, largest)
	}
}

func TestProgramRefusals(t *testing.T) {
	w := program(t, "2FC-3FC-5FC", 4, 1, 1, schedule.All).Workload()
	for _, c := range []struct {
		k, n int
		want string
	}{
		{3, 1, "k = 3 does not divide T = 4; k may be 1, 2, 4"},
		{0, 1, "k = 0 does not divide T = 4; k may be 1, 2, 4"},
		{2, 3, "n = 3 is out of range; a local block of this network has 1 to 2 layers"},
		{2, 0, "n = 0 is out of range; a local block of this network has 1 to 2 layers"},
	} {
		if _, err := schedule.New(w, c.k, c.n, schedule.All); err == nil || err.Error() != c.want {
			t.Errorf("(%d,%d): %v, want %s", c.k, c.n, err, c.want)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	w, err := network.Open("alexnet")
	if err != nil {
		b.Fatal(err)
	}
	p, err := schedule.New(w, 10, 1, schedule.All)
	if err != nil {
		b.Fatal(err)
	}
	var s schedule.Step
	c := p.Start()
	b.ReportAllocs()
	for b.Loop() {
		if !c.Next(&s) {
			c.Rewind()
		}
	}
}
