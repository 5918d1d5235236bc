package sim

import (
	"testing"

	"github.com/accelsim-dev/accelsim/units"
)

// What crossed the port is what the equations cover and what they leave out, whatever
// was cut or stayed on chip: two ledgers that are entered on their own.
func TestAllTrafficIsWhatIsCoveredAndWhatIsBeyond(t *testing.T) {
	for _, name := range vectorNames(t) {
		v := readVector(t, name)
		for _, capacity := range []units.Bytes{0, 64 * units.KiB} {
			hw := *paperHardware(t)
			hw.OnChip = capacity
			r, err := Run(v.program, &hw, Options{Untimed: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := r.Counts.MemoryAccess()
			for _, words := range r.Beyond.Words {
				want += words
			}
			if got := r.Moved(); got.Reads+got.Writes != want || got.Reads == 0 || got.Writes == 0 {
				t.Errorf("%s, %d bytes on chip: %+v moved, %d covered and beyond", name, capacity, got, want)
			}
		}
	}
}
