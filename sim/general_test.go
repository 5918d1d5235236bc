package sim

import (
	"testing"

	"github.com/accelsim-dev/accelsim/internal/vectortest"
)

func TestGeneralNumbersAreThoseOfAutomaticDifferentiation(t *testing.T) {
	for _, name := range vectortest.General(t) {
		t.Run(name, func(t *testing.T) {
			v := readVector(t, name)
			v.Hold(t, v.run(t, Options{Untimed: true}).Tensors)
		})
	}
}
