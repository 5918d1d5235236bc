package sim

import (
	"testing"

	"github.com/accelsim-dev/accelsim/pe"
	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/units"
)

// at returns an empty ledger of a layer whose input has that density.
func at(t *testing.T, density string) *ledger {
	t.Helper()
	d, err := units.ParseDensity(density)
	if err != nil {
		t.Fatal(err)
	}
	return &ledger{density: d}
}

// TestAdditionsAreRoundedOnce: half to even, of the exact sum over all layers.
func TestAdditionsAreRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		slots [3]int64 // not gated, at 0.5, at 0.1
		want  int64
	}{
		{[3]int64{0, 1, 5}, 1}, // two halves
		{[3]int64{0, 5, 0}, 2}, // 2.5: to even
		{[3]int64{0, 7, 0}, 4}, // 3.5: to even
		{[3]int64{4, 1, 1}, 5}, // 4.6
		{[3]int64{0, 0, 4}, 0},
		{[3]int64{1 << 60, 0, 10}, 1<<60 + 1},
	} {
		half, tenth := at(t, "0.5"), at(t, "0.1")
		for pass := range 2 {
			half.adds[pass] = slots{c.slots[0], c.slots[1]}
			tenth.adds[pass] = slots{bySpikes: c.slots[2]}
		}
		got, err := ledgers{half, tenth}.counts()
		if err != nil || got.Forward.Adds != c.want || got.Backward.Adds != c.want {
			t.Errorf("%v: %+v, %v, want %d", c.slots, got, err, c.want)
		}
	}
}

func TestTotalsThatOverflowAreRefused(t *testing.T) {
	a, b := at(t, "1"), at(t, "1")
	a.adds[forwardPass][bySpikes], b.adds[forwardPass][bySpikes] = 1<<62, 1<<62
	if _, err := (ledgers{a, b}).counts(); err == nil {
		t.Error("2^63 additions")
	}
	a, b = at(t, "1"), at(t, "1")
	a.executed(schedule.BeyondDirectInput, pe.Multiply, bySpikes, 1<<62)
	b.executed(schedule.BeyondDirectInput, pe.Multiply, bySpikes, 1<<62)
	if _, err := (ledgers{a, b}).beyond(); err == nil {
		t.Error("2^63 operations beyond")
	}
	if _, err := (ledgers{a, b}).operations(); err == nil {
		t.Error("2^63 multiplications")
	}
}

// TestWordsAreEnteredByPassReasonAndClass: updates belong to no pass of the
// equations, but cross the port all the same.
func TestWordsAreEnteredByPassReasonAndClass(t *testing.T) {
	l := &ledger{}
	move := func(kind schedule.Kind, class role.Role, why schedule.Beyond, words units.Words, write bool) {
		l.moved(&schedule.Step{Kind: kind}, schedule.Transfer{Tensor: role.Tensor{Class: class, Index: 1}, Words: words, Beyond: why}, write)
	}
	move(schedule.ForwardLayer, role.Weight, schedule.Covered, 1, false)
	move(schedule.ForwardClassifier, role.ClassifierPotential, schedule.Covered, 10, true)
	move(schedule.BackwardLayer, role.Weight, schedule.Covered, 100, false)
	move(schedule.BackwardClassifier, role.ClassifierGradient, schedule.Covered, 1000, true)
	move(schedule.UpdateLayer, role.Weight, schedule.BeyondOptimizer, 10000, true)
	move(schedule.ForwardLayer, role.Spikes, schedule.BeyondSpikes, 100000, true)
	c, err := ledgers{l}.counts()
	if err != nil {
		t.Fatal(err)
	}
	want := Counts{Forward: Pass{Reads: 1, Writes: 10}, Backward: Pass{Reads: 100, Writes: 1000}}
	if c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	b, err := ledgers{l}.beyond()
	if err != nil {
		t.Fatal(err)
	}
	if b.Words[schedule.Covered] != 0 || b.Words[schedule.BeyondOptimizer] != 10000 || b.Words[schedule.BeyondSpikes] != 100000 {
		t.Errorf("beyond %v", b.Words)
	}
	if got := l.class[role.Weight]; got != (Traffic{Reads: 101, Writes: 10000}) {
		t.Errorf("weights %+v", got)
	}
}

func TestOperationsAreAllThatWasExecuted(t *testing.T) {
	l := at(t, "0.5")
	l.adds[forwardPass][1] = 10  // 5
	l.adds[backwardPass][0] = 20 // temporal terms
	l.macs = 7
	l.recipe(schedule.BeyondNeuron, pe.Recipe{pe.Add: 2, pe.Compare: 1}, 100)
	l.executed(schedule.BeyondDirectInput, pe.Multiply, bySpikes, 8)
	got, err := ledgers{l}.operations()
	if err != nil {
		t.Fatal(err)
	}
	want := [pe.NumOps]int64{pe.Add: 5 + 20 + 200, pe.Multiply: 4, pe.MAC: 7, pe.Compare: 100}
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
