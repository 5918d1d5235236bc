package schedule_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// with returns the program under a policy.
func with(t testing.TB, p *schedule.Program, policy schedule.Policy) *schedule.Program {
	t.Helper()
	q, err := p.With(policy)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// pinned returns the program with everything on chip that can stay there.
func pinned(t testing.TB, p *schedule.Program) *schedule.Program {
	t.Helper()
	candidates, err := p.Pinnable()
	if err != nil {
		t.Fatal(err)
	}
	var policy schedule.Policy
	for _, c := range candidates {
		policy.Pinned = append(policy.Pinned, c.Pin)
	}
	return with(t, p, policy)
}

// TestWhatIsPinnedIsReadOnceAndStoredLast lists an iteration of two intervals in
// which everything stays on chip: what is read is the beginning, U of the
// backward pass and spikes; what is stored is the end, and they.
func TestWhatIsPinnedIsReadOnceAndStoredLast(t *testing.T) {
	p := pinned(t, program(t, "2FC-5FC", 4, 2, 1, schedule.All))
	var got []string
	each(p, func(s *schedule.Step) {
		got = append(got, text(s))
	})
	want := []string{
		// Everything comes on chip. At t_k, what the backward pass made is on chip.
		"W^1 U^{0,1} X^1 -> U^{1,1} S^{1,1}",
		"W_c^1 U_c^{0,1} [S^{1,1}] -> U_c^{1,1}",
		"X^2 [W^1] [U^{1,1}] -> S^{2,1}",
		"Y [S^{2,1}] [ΣS_c^1] [W_c^1] [U_c^{1,1}] ->",
		"[U_c^{2,1}] [δ_c^{2,1}] [S^{2,1}] ->",
		"[U^{2,1}] [γ_c^{2,1}] [X^2] [W_c^1] ->",
		"U_c^{1,1} S^{1,1} [δ_c^{2,1}] [γ_c^{2,1}] [dW_c^1] ->",
		"U^{1,1} X^1 [γ_c^{1,1}] [γ^{2,1}] [dW^1] [W_c^1] ->",
		"V^1 [W^1] [dW^1] ->",
		"V_c^1 [W_c^1] [dW_c^1] ->",
		// The last interval leaves U, W and V behind.
		"X^3 [W^1] [U^{2,1}] -> U^{3,1} S^{3,1}",
		"[S^{3,1}] [W_c^1] [U_c^{2,1}] -> U_c^{3,1}",
		"X^4 [W^1] [U^{3,1}] -> U^{4,1} S^{4,1}",
		"Y [S^{4,1}] [ΣS_c^1] [W_c^1] [U_c^{3,1}] -> U_c^{4,1}",
		"[U_c^{4,1}] [δ_c^{4,1}] [S^{4,1}] ->",
		"[U^{4,1}] [γ_c^{4,1}] [X^4] [W_c^1] ->",
		"U_c^{3,1} S^{3,1} [δ_c^{4,1}] [γ_c^{4,1}] [dW_c^1] ->",
		"U^{3,1} X^3 [γ_c^{3,1}] [γ^{4,1}] [dW^1] [W_c^1] ->",
		"[W^1] [dW^1] [V^1] -> V^1 W^1",
		"[W_c^1] [dW_c^1] [V_c^1] -> V_c^1 W_c^1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestStoresThatNothingReads lists what is left out without anything pinned:
// gamma of the interval's first step, and spikes that are on chip when the
// backward pass asks for them.
func TestStoresThatNothingReads(t *testing.T) {
	p := with(t, program(t, "4C3-4AP2-3FC-5FC", 4, 2, 2, schedule.All, random), schedule.Policy{SkipUnread: true})
	var got []string
	each(p, func(s *schedule.Step) {
		if s.Interval == 1 && len(s.SavedReads) > 0 {
			t.Errorf("t = %d, %v: %v is not read", s.Time, s.Kind, s.SavedReads)
		}
		for _, w := range s.SavedWrites {
			if s.Interval == 1 {
				got = append(got, w.Tensor.String())
			}
		}
	})
	// The last layer's spikes go to a classifier alone, and that is frozen.
	want := []string{"S^{1,2}", "S^{2,1}", "S^{2,2}", "γ_c^{1,1}", "γ^{1,2}", "γ_p^{1,1}", "γ^{1,1}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestWhatNeverMovesHasNoAddress: a gradient that stays on chip takes no DRAM.
func TestWhatNeverMovesHasNoAddress(t *testing.T) {
	has := func(p *schedule.Program, c role.Role, index int) bool {
		return slices.ContainsFunc(p.Extents(), func(e schedule.Extent) bool { return e.Class == c && e.Index == index })
	}
	layer := program(t, residual, 4, 2, 2, schedule.All)
	p := with(t, layer, schedule.Policy{Pinned: []schedule.Pin{{Class: role.WeightGradient, Index: 2}, {Class: role.Weight, Index: 2}}})
	for index, want := range map[int]bool{1: true, 2: false} {
		if has(p, role.WeightGradient, index) != want {
			t.Errorf("dW^%d has an address: %v", index, !want)
		}
	}
	if !has(p, role.Weight, 2) {
		t.Error("W^2 has no address: it is read from there, and ends there")
	}
	if got, want := p.PinnedWords(), 2*p.Words(role.Weight, 2); got != want {
		t.Errorf("%d words are pinned, want %d", got, want)
	}
}

// TestPinnableOrder: first what saves the most for its size, whatever else there
// is; each saving is what the program with that one tensor pinned leaves out.
func TestPinnableOrder(t *testing.T) {
	p := program(t, residual, 6, 3, 2, schedule.All)
	list, err := p.Pinnable()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range list {
		saved := units.Words(0)
		each(with(t, p, schedule.Policy{Pinned: []schedule.Pin{c.Pin}}), func(s *schedule.Step) {
			for _, x := range slices.Concat(s.SavedReads, s.SavedWrites) {
				if x.Tensor.Class != c.Class || x.Tensor.Index != c.Index {
					t.Errorf("%v is pinned and %v does not move", c, x.Tensor)
				}
				saved += x.Words
			}
		})
		if saved != c.Saved || c.Words != p.Words(c.Class, c.Index) {
			t.Errorf("%v: %d words save %d, pinned alone %d", c, c.Words, c.Saved, saved)
		}
		if i > 0 && float64(c.Saved)/float64(c.Words) > float64(list[i-1].Saved)/float64(list[i-1].Words) {
			t.Errorf("%v comes after %v, which saves less for its size", c, list[i-1])
		}
	}
	// The weights of a block's first layer are read by 6 forward steps and by 2
	// updates, which store them; the first read and the last store remain.
	if i := slices.IndexFunc(list, func(c schedule.Saving) bool { return c.Pin == schedule.Pin{Class: role.Weight, Index: 6} }); i < 0 ||
		list[i].Saved != (6+2-1+2-1)*list[i].Words {
		t.Errorf("W^6: %+v", list[i])
	}
}

func TestPolicyRefusals(t *testing.T) {
	equations := program(t, residual, 4, 2, 2, schedule.Equations)
	if _, err := equations.With(schedule.Policy{SkipUnread: true}); err == nil {
		t.Error("the equations' traffic leaves out what the equations count")
	}
	_, err := program(t, residual, 4, 2, 2, schedule.All).With(schedule.Policy{Pinned: []schedule.Pin{{Class: role.Spikes, Index: 1}}})
	if err == nil || err.Error() != "S^1 cannot stay on chip: no later step takes it up" {
		t.Error(err)
	}
}

func TestNextOfPinnedProgramAllocatesNothing(t *testing.T) {
	p := pinned(t, program(t, residual, 16, 4, 2, schedule.All))
	var s schedule.Step
	c := p.Start()
	for c.Next(&s) { // warm up
	}
	c.Rewind()
	if n := testing.AllocsPerRun(100, func() {
		if !c.Next(&s) {
			c.Rewind()
		}
	}); n != 0 {
		t.Errorf("Next allocates %v times", n)
	}
}

// TestSkippedIntervalsChangeNothingButNames: after a skip come the steps of the
// last interval.
func TestSkippedIntervalsChangeNothingButNames(t *testing.T) {
	p := pinned(t, program(t, residual, 12, 2, 2, schedule.All))
	last := func(skip bool) (list []string) {
		var s schedule.Step
		c := p.Start()
		steps := p.Steps() / int64(p.Intervals())
		for i := int64(0); ; i++ {
			if skip && i == 2*steps {
				c.Skip(p.Intervals())
			}
			if !c.Next(&s) {
				return list
			}
			if s.Interval == p.Intervals() {
				list = append(list, fmt.Sprint(text(&s), s.Keeps, s.SavedReads, s.SavedWrites))
			}
		}
	}
	if diff := cmp.Diff(last(false), last(true)); diff != "" {
		t.Errorf("step by step -, skipped +:\n%s", diff)
	}
}
