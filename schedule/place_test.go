package schedule_test

import (
	"testing"

	"github.com/accelsim-dev/accelsim/role"
	"github.com/accelsim-dev/accelsim/schedule"
)

// TestANewValueTakesTheOldOnesPlace: where a step reads a tensor's value of
// another step and makes its own, the new one is put in the place of the old.
func TestANewValueTakesTheOldOnesPlace(t *testing.T) {
	replaced := map[role.Role]int{}
	for _, layers := range []string{residual, "4C3-4AP2-5FC"} {
		each(program(t, layers, 4, 2, 1, schedule.All), func(s *schedule.Step) {
			for _, made := range s.Products {
				for _, r := range s.Reads {
					old, now := r.Tensor, made.Tensor
					if old.Class != now.Class || old.Index != now.Index || old.Step == now.Step {
						continue
					}
					replaced[now.Class]++
					if !made.InPlace || made.Replaces != old {
						t.Errorf("%v %d at t = %d: %v is not in the place of %v", s.Kind, max(s.Layer, s.Block), s.Time, now, old)
					}
				}
			}
		})
	}
	for _, c := range []role.Role{role.Potential, role.PotentialError, role.ClassifierPotential, role.ClassifierError, role.WeightGradient} {
		if replaced[c] == 0 {
			t.Errorf("no %v replaces another", c)
		}
	}
}

// TestDirectInputIsOneTensor: the same at every step, it is that of step 0; of
// events each step has its own.
func TestDirectInputIsOneTensor(t *testing.T) {
	for _, isDirect := range []bool{true, false} {
		p := program(t, "4C3-5FC", 4, 2, 1, schedule.All)
		if isDirect {
			p = program(t, "4C3-5FC", 4, 2, 1, schedule.All, direct)
		}
		reads := 0
		each(p, func(s *schedule.Step) {
			want := s.Time
			if isDirect {
				want = 0
			}
			for _, r := range s.Reads {
				if r.Tensor.Class == role.Input {
					reads++
					if r.Tensor.Step != want {
						t.Errorf("direct %v: the input of step %d is that of step %d", isDirect, s.Time, r.Tensor.Step)
					}
				}
			}
		})
		if reads == 0 {
			t.Error("nothing reads the input")
		}
	}
}
