package design

import "fmt"

// MaxSteps is how many steps of schedules a design point is simulated for, its
// baseline and what would help among them. A core executes up to a million of the
// shortest in a second, so that it is the better part of an hour at least.
const MaxSteps = 1_000_000_000

// TooManySteps says that a design point would take longer than anybody means to wait.
type TooManySteps struct{ Steps int64 }

// Error says what to change.
func (e *TooManySteps) Error() string {
	return fmt.Sprintf("the schedules have %d steps; up to %d are simulated: give fewer --timesteps, or a larger --k and --n", e.Steps, int64(MaxSteps))
}

// check refuses simulations that take too many steps in all.
func (s simulations) check() error {
	var all int64
	for _, x := range s {
		if all += x.steps; all > MaxSteps || all < 0 {
			return &TooManySteps{all}
		}
	}
	return nil
}
