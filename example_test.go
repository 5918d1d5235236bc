package accelsim_test

import (
	"fmt"
	"log"

	"github.com/accelsim-dev/accelsim"
)

// What does (k, n) = (1, 2) save on LeNet, against standard BPTT?
func Example() {
	lenet, err := accelsim.OpenNetwork("lenet1")
	if err != nil {
		log.Fatal(err)
	}
	paper, err := accelsim.OpenHardware("paper")
	if err != nil {
		log.Fatal(err)
	}
	result, err := accelsim.Design{Network: lenet, Hardware: paper, K: 1, N: 2, Untimed: true}.Run()
	if err != nil {
		log.Fatal(err)
	}
	less := result.Baseline.Reduction
	fmt.Println("equal to Eqs. 11-17:", result.Crosscheck.Pass)
	fmt.Printf("%.2f %% less memory access, %.2f %% fewer MACs\n", less["memory_access"], less["macs"])
	// Output:
	// equal to Eqs. 11-17: true
	// 43.11 % less memory access, 9.44 % fewer MACs
}

func ExampleDesign_Plan() {
	lenet, err := accelsim.OpenNetwork("lenet1")
	if err != nil {
		log.Fatal(err)
	}
	paper, err := accelsim.OpenHardware("paper")
	if err != nil {
		log.Fatal(err)
	}
	plan, err := accelsim.Design{Network: lenet, Hardware: paper, K: 10, N: 2}.Plan()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Blocks, plan.Intervals, "intervals")
	fmt.Println("potentials:", plan.Footprint["potentials"], "bytes of", plan.Total)
	// Output:
	// [[1 2] [3 4]] 2 intervals
	// potentials: 33546240 bytes of 48136904
}
