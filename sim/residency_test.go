package sim_test

import (
	"testing"

	"github.com/accelsim-dev/accelsim/hardware"
	"github.com/accelsim-dev/accelsim/network"
	"github.com/accelsim-dev/accelsim/schedule"
	"github.com/accelsim-dev/accelsim/sim"
)

func BenchmarkReside(b *testing.B) {
	w, err := network.Open("alexnet")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"paper", "zcu102", "alveo-u280"} {
		hw, err := hardware.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := schedule.New(w, 10, 1, schedule.All)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := (sim.Residency{Resident: true}).Plan(p, hw, schedule.Sequential, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
